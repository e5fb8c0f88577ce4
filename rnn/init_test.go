package rnn

import (
	"math"
	"slices"
	"strings"
	"testing"

	"sluice/nn"
)

func TestInitErrors(t *testing.T) {
	gru, _ := New(Config{Cell: "gru", Reset: ResetAfter, Input: 3, Hidden: 4, Layers: 1, Biases: 1})
	gru.Params[0] = 42
	for _, test := range []struct {
		init Init
		want string
	}{
		{Init{Kind: "he"}, `rnn: init "he": want pytorch, normal, xavier`},
		{Init{Kind: "normal"}, "rnn: init sigma 0: want a number in (0, 100]"},
		{Init{Kind: "normal", Sigma: -1}, "rnn: init sigma -1: want a number in (0, 100]"},
		{Init{Kind: "normal", Sigma: 101}, "rnn: init sigma 101: want a number in (0, 100]"},
		{Init{Kind: "normal", Sigma: math.NaN()}, "rnn: init sigma NaN: want a number in (0, 100]"},
		{Init{Kind: "normal", Sigma: math.Inf(1)}, "rnn: init sigma +Inf: want a number in (0, 100]"},
		{Init{ForgetBias: 101}, "rnn: init forget bias 101: want a number in [-100, 100]"},
		{Init{ForgetBias: math.NaN()}, "rnn: init forget bias NaN: want a number in [-100, 100]"},
		{Init{ForgetBias: math.Inf(-1)}, "rnn: init forget bias -Inf: want a number in [-100, 100]"},
		{Init{ForgetBias: 1}, `rnn: init forget bias 1: cell "gru" has no forget gate`},
	} {
		if err := gru.Init(test.init, 1); err == nil || err.Error() != test.want {
			t.Errorf("%+v: error %v, want %s", test.init, err, test.want)
		}
	}
	if gru.Params[0] != 42 {
		t.Error("an Init that failed has changed the parameters")
	}
}

func TestInit(t *testing.T) {
	const H = 48
	for _, c := range append(everyConfig(2), everyConfig(2)[24].with("n"), everyConfig(2)[25].with("n")) {
		c.Input, c.Hidden = 20, H
		n, err := New(c)
		if err != nil {
			t.Fatal(err)
		}
		for _, init := range []Init{
			{}, {Kind: "pytorch"}, {Kind: "normal", Sigma: 0.02}, {Kind: "xavier"},
			{Orthogonal: true}, {Kind: "xavier", Orthogonal: true},
		} {
			copy(n.Params, nans(len(n.Params)))
			fill := func(seed uint64) []float32 {
				if err := n.Init(init, seed); err != nil {
					t.Fatal(err)
				}
				return slices.Clone(n.Params)
			}
			first := fill(1)
			if slices.Equal(first, fill(2)) {
				t.Errorf("%s %+v: two seeds give the same values", c.testName(), init)
			}
			sameBits(t, "the same seed", fill(1), first)
			for i, tensor := range n.Tensors() {
				name, shape := tensor.Name, tensor.Shape
				switch {
				case strings.Contains(name, "_norm_l"):
					want := slices.Repeat([]float32{1}, len(tensor.Data))
					if strings.Contains(name, "bias_c") {
						clear(want)
					}
					sameBits(t, name, tensor.Data, want)
				case init.Orthogonal && strings.Contains(name, "weight_hh"):
					for b := 0; b < len(tensor.Data); b += H * H {
						orthogonal(t, name, tensor.Data[b:b+H*H], H)
					}
				case init.Kind == "" || init.Kind == "pytorch":
					uniform(t, name, tensor.Data, 1/math.Sqrt(H))
				case len(shape) == 1:
					sameBits(t, name, tensor.Data, make([]float32, len(tensor.Data)))
				case init.Kind == "xavier":
					uniform(t, name, tensor.Data, math.Sqrt(6/float64(H+shape[1])))
				default:
					normal(t, name, tensor.Data, init.Sigma)
				}
				if i > 0 && len(shape) == 2 && slices.Equal(tensor.Data[:9], n.Tensors()[0].Data[:9]) {
					t.Errorf("%s begins as the first tensor does", name)
				}
			}
		}
	}
}

func moments(x []float32) (mean, deviation, largest float64) {
	for _, v := range x {
		mean += float64(v) / float64(len(x))
		deviation += float64(v) * float64(v) / float64(len(x))
		largest = max(largest, math.Abs(float64(v)))
	}
	return mean, math.Sqrt(deviation), largest
}

// uniform checks x against U(−a, a).
func uniform(t *testing.T, name string, x []float32, a float64) {
	t.Helper()
	mean, deviation, largest := moments(x)
	spread := 5 / math.Sqrt(float64(len(x)))
	if largest > a*(1+1e-6) || largest < 0.8*a || math.Abs(mean) > a*spread || math.Abs(deviation/a*math.Sqrt(3)-1) > spread {
		t.Errorf("%s: mean %v, deviation %v, largest %v is not U(−%v, %v)", name, mean, deviation, largest, a, a)
	}
}

func normal(t *testing.T, name string, x []float32, sigma float64) {
	t.Helper()
	mean, deviation, largest := moments(x)
	spread := 5 / math.Sqrt(float64(len(x)))
	if math.Abs(mean) > sigma*spread || math.Abs(deviation/sigma-1) > spread || largest < 2.5*sigma {
		t.Errorf("%s: mean %v, deviation %v, largest %v is not N(0, %v²)", name, mean, deviation, largest, sigma)
	}
}

func orthogonal(t *testing.T, name string, w []float32, n int) {
	t.Helper()
	for i := range n {
		for j := range n {
			dot := 0.0
			for k := range n {
				dot += float64(w[i*n+k]) * float64(w[j*n+k])
			}
			want := 0.0
			if i == j {
				want = 1
			}
			if math.Abs(dot-want) > 1e-6 {
				t.Fatalf("%s: rows %d and %d have a product of %v, want %v", name, i, j, dot, want)
			}
		}
	}
}

func TestForgetBias(t *testing.T) {
	const H = 5
	for _, biases := range []int{1, 2} {
		for _, d := range []Direction{Forward, Bidirectional} {
			n, _ := New(Config{Cell: "lstm", Input: 3, Hidden: H, Layers: 2, Biases: biases, Direction: d})
			if err := n.Init(Init{}, 4); err != nil {
				t.Fatal(err)
			}
			want := slices.Clone(n.Params)
			at := 0
			for _, tensor := range n.Tensors() {
				for j := range H {
					if strings.HasPrefix(tensor.Name, "bias_ih") {
						want[at+H+j] = 1.5
					} else if strings.HasPrefix(tensor.Name, "bias_hh") {
						want[at+H+j] = 0
					}
				}
				at += len(tensor.Data)
			}
			if err := n.Init(Init{ForgetBias: 1.5}, 4); err != nil {
				t.Fatal(err)
			}
			sameBits(t, "parameters", n.Params, want)
		}
	}
}

// odd is a cell with a gate f, and with tensors that have a cell's usual names
// but not its usual shapes.
type odd struct{ vanilla }

func (odd) New(Config) Recurrence { panic("odd is not run") }

func (odd) Layout(c Config) Layout {
	return Layout{Gates: []string{"a", "f"}, State: []string{"h"}, Tensors: []nn.Tensor{
		{Name: "weight_hh", Shape: []int{2 * c.Hidden, c.Hidden}},
		{Name: "weight_hr", Shape: []int{c.Hidden + 1, c.Hidden}},
		{Name: "bias_peephole", Shape: []int{2}},
	}}
}

func TestInitOfOddTensors(t *testing.T) {
	const H = 4
	Register("odd", odd{})
	n, err := New(Config{Cell: "odd", Input: 3, Hidden: H, Layers: 1, Biases: 1})
	if err != nil {
		t.Fatal(err)
	}
	copy(n.Params, nans(len(n.Params)))
	if err := n.Init(Init{Orthogonal: true, ForgetBias: 2}, 1); err != nil {
		t.Fatal(err)
	}
	for _, tensor := range n.Tensors() {
		switch tensor.Name {
		case "weight_hh_l0":
			orthogonal(t, tensor.Name, tensor.Data[:H*H], H)
			orthogonal(t, tensor.Name, tensor.Data[H*H:], H)
		case "bias_ih_l0":
			sameBits(t, tensor.Name, tensor.Data[H:], []float32{2, 2, 2, 2})
		default:
			if _, _, largest := moments(tensor.Data); !(largest > 0 && largest <= 1/math.Sqrt(H)) {
				t.Errorf("%s: %v", tensor.Name, tensor.Data)
			}
		}
	}
}
