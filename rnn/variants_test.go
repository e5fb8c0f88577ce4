package rnn

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"sluice/internal/ref"
	"sluice/nn"
)

// kernelVariants and plainVariants are the cells that exist for other formats: those
// with kernels, and those in plain Go.
var (
	kernelVariants = []Config{
		{Cell: "lstm", Peephole: true}, {Cell: "lstm", Projection: 3}, {Cell: "lstm", Peephole: true, Projection: 3},
	}
	plainVariants = []Config{
		{Cell: "rnn", Activation: "leaky_relu(0.1)", Clip: 1.5},
		{Cell: "gru", Reset: ResetBefore, Activation: "hard_sigmoid tanh"},
		{Cell: "gru", Reset: ResetAfter, Activation: "sigmoid softsign", Clip: 0.8},
		{Cell: "lstm", Coupled: true}, {Cell: "lstm", Clip: 0.7},
		{Cell: "lstm", Coupled: true, Peephole: true, Clip: 1.2, Activation: "hard_sigmoid(0.3,0.4) softsign scaled_tanh(1.2,0.7)"},
	}
)

// variants are these with two ways of reading, without regularisers and with those
// that act in a run.
func variants(layers int, cells ...Config) (all []Config) {
	for _, v := range cells {
		for _, c := range everyConfig(layers) {
			if c.Cell != "lstm" || !(c.Biases == 2 && c.Direction == Forward || c.Biases == 1 && c.Merge == Multiply) {
				continue
			}
			v.Input, v.Hidden, v.Layers, v.Biases, v.Direction, v.Merge, v.Dropout = c.Input, c.Hidden, c.Layers, c.Biases, c.Direction, c.Merge, c.Dropout
			all = append(all, v)
			if v.Direction == Forward || v.Projection > 0 {
				all = append(all, v.with("lhc"))
			}
		}
	}
	return all
}

// variantName is what a test's name says of a variant.
func (c Config) variantName() (name string) {
	if c.Peephole {
		name += "/peephole"
	}
	if c.Coupled {
		name += "/coupled"
	}
	if c.Projection > 0 {
		name += fmt.Sprintf("/P=%d", c.Projection)
	}
	if c.Clip > 0 {
		name += fmt.Sprintf("/clip=%v", c.Clip)
	}
	return name
}

// optionsOf are a Config's as the oracle has them.
func optionsOf(c Config) (o ref.Options) {
	o.Clip, o.Coupled = c.Clip, c.Coupled
	for _, f := range c.activations() {
		o.Acts = append(o.Acts, ref.Act{Name: f.name, Alpha: float64(f.a), Beta: float64(f.b)})
	}
	return o
}

// Each variant gives what the reference gives, and its gradients, with every way of
// reading and every regulariser, in one block of units and in more.
func TestVariantsAgainstReference(t *testing.T) {
	seen, seed := worst{}, uint64(0)
	for _, v := range slices.Concat(kernelVariants, plainVariants) {
		for i, c := range everyConfig(2) {
			if c.Cell != "lstm" {
				continue
			}
			v.Input, v.Hidden, v.Layers, v.Biases, v.Direction, v.Merge, v.Dropout = c.Input, c.Hidden, c.Layers, c.Biases, c.Direction, c.Merge, c.Dropout
			for _, which := range []string{"", "lhcw"} {
				for _, h := range []int{7, 70} {
					if testing.Short() && h == 70 {
						continue
					}
					c := v.with(which)
					if c.Hidden = h; h > 7 && c.Projection > 0 {
						c.Projection = 65
					}
					seed++
					ragged, ids := (seed/2+uint64(i))%2 == 0, seed%3 == 0
					tr := newTrial(t, c, 5, 4, ragged, ids, seed)
					tr.run(2)
					name := fmt.Sprintf("%s/H=%d/ragged=%v/ids=%v", c.testName(), h, ragged, ids)
					compare(t, name, seen, tr)
					if which != "" {
						tr.tape.Dropout = nil
						tr.run(3)
						compare(t, name+"/evaluation", seen, tr)
					}
				}
			}
		}
	}
	seen.log(t)
}

// Each function, as a gate and as what makes the state.
func TestActivationsAgainstReference(t *testing.T) {
	seen, seed := worst{}, uint64(500)
	for _, f := range []string{
		"sigmoid", "relu6", "identity", "affine(0.7,-0.2)", "affine(-1,0.1)", "scaled_tanh(1.7,0.6)", "hard_sigmoid", "hard_sigmoid(0.4,0.3)", "leaky_relu",
		"leaky_relu(-0.3)", "thresholded_relu", "thresholded_relu(0.3)", "elu", "elu(0.5)", "selu", "softsign", "softplus", "silu", "exponential", "tanh", "relu",
	} {
		for _, c := range []Config{
			{Cell: "rnn", Activation: f}, {Cell: "gru", Reset: ResetBefore, Activation: "sigmoid " + f}, {Cell: "gru", Reset: ResetAfter, Activation: f + " softsign"},
			{Cell: "lstm", Activation: "hard_sigmoid " + f + " tanh"}, {Cell: "lstm", Activation: "sigmoid softsign " + f},
		} {
			if c.Input, c.Hidden, c.Layers, c.Biases = 3, 4, 1, 2; c.Validate() != nil {
				continue // tanh of an rnn, and so on
			}
			if f == "exponential" {
				c.Clip = 2
			}
			seed++
			tr := newTrial(t, c, 3, 4, false, false, seed)
			tr.run(2)
			compare(t, c.testName(), seen, tr)
		}
	}
	seen.log(t)
}

func TestSpellActivation(t *testing.T) {
	for _, test := range []struct{ cell, text, want string }{
		{"rnn", "", ""}, {"rnn", "tanh", ""}, {"rnn", "relu", "relu"}, {"rnn", " relu ", "relu"}, {"rnn", "leaky_relu(0)", "relu"}, {"rnn", "thresholded_relu(0)", "relu"},
		{"rnn", "elu(-0)", "relu"}, {"rnn", "leaky_relu(1)", "identity"}, {"rnn", "affine", "identity"}, {"rnn", "affine(1,-0)", "identity"},
		{"rnn", "scaled_tanh", ""}, {"rnn", "scaled_tanh(1,1)", ""}, {"rnn", "scaled_tanh(-1,-1)", ""}, {"rnn", "scaled_tanh(2,-1)", "scaled_tanh(-2,1)"},
		{"rnn", "leaky_relu(0.01)", "leaky_relu"}, {"rnn", "elu(1.0)", "elu"}, {"rnn", "affine(2)", "affine(2,0)"},
		{"rnn", "hard_sigmoid(0.16666666666666666,0.5)", "hard_sigmoid(0.16666667,0.5)"}, {"rnn", "hard_sigmoid(2e-1)", "hard_sigmoid"},
		{"gru", "sigmoid tanh", ""}, {"gru", "hard_sigmoid  tanh", "hard_sigmoid tanh"}, {"lstm", "sigmoid tanh tanh", ""},
		{"lstm", "sigmoid scaled_tanh relu", "sigmoid tanh relu"}, {"traces", "anything (at) all", "anything (at) all"},
	} {
		got, err := SpellActivation(test.cell, test.text)
		if again, _ := SpellActivation(test.cell, got); err != nil || got != test.want || again != got {
			t.Errorf("%s %q: %q, %v, want %q", test.cell, test.text, got, err, test.want)
		}
		c := Config{Cell: test.cell, Activation: test.text, Input: 1, Hidden: 1, Layers: 1, Biases: 1}
		if c.Cell == "gru" {
			c.Reset = ResetAfter
		}
		switch err := c.Validate(); {
		case test.cell == "traces":
		case test.text == "tanh": // as files of rnn had it
			n, err := New(c)
			if err != nil || n.Activation != "" {
				t.Errorf("tanh: %v", err)
			}
		case test.text != test.want && (err == nil || err.Error() != fmt.Sprintf("rnn: activation %q: want %q, which is the same", test.text, test.want)), test.text == test.want && err != nil:
			t.Errorf("%s %q: error %v", test.cell, test.text, err)
		}
	}
	for _, test := range []struct{ cell, text, want string }{
		{"rnn", "tanh tanh", `rnn: activation "tanh tanh": want 1 function, of h`},
		{"gru", "relu", `rnn: activation "relu": want 2 functions, of r and z and of n`},
		{"lstm", "relu", `rnn: activation "relu": want 3 functions, of i, f and o, of g and of c`},
		{"rnn", "Tanh", `rnn: activation "Tanh": no function "Tanh": want affine, elu, exponential, hard_sigmoid, identity, leaky_relu, relu, relu6, scaled_tanh, selu, sigmoid, silu, softplus, softsign, tanh or thresholded_relu`},
		{"rnn", "relu(", `rnn: activation "relu(": "relu(": want relu with no parameters`},
		{"rnn", "relu(1)", `rnn: activation "relu(1)": "relu(1)": want relu with no parameters`},
		{"rnn", "elu(1,2)", `rnn: activation "elu(1,2)": "elu(1,2)": want elu with 1 parameter at most`},
		{"rnn", "elu()", `rnn: activation "elu()": "elu()": "": want a number`},
		{"rnn", "affine(1,x)", `rnn: activation "affine(1,x)": "affine(1,x)": "x": want a number`},
		{"rnn", "affine(1,2", `rnn: activation "affine(1,2": "affine(1,2": want affine with 2 parameters at most`},
		{"rnn", "elu(NaN)", `rnn: activation "elu(NaN)": "elu(NaN)": "NaN": want a number`},
		{"rnn", "elu(1e39)", `rnn: activation "elu(1e39)": "elu(1e39)": "1e39": want a number`},
		{"rnn", "affine(0,1)", `rnn: activation "affine(0,1)": affine(0,1): want a function that is not constant`},
		{"rnn", "scaled_tanh(1,0)", `rnn: activation "scaled_tanh(1,0)": scaled_tanh(1,0): want a function that is not constant`},
		{"rnn", "hard_sigmoid(0)", `rnn: activation "hard_sigmoid(0)": hard_sigmoid(0,0.5): want a function that is not constant`},
	} {
		if got, err := SpellActivation(test.cell, test.text); got != "" || err == nil || err.Error() != test.want {
			t.Errorf("%s %q: %q, %v\nwant %s", test.cell, test.text, got, err, test.want)
		}
	}
	if _, err := SpellActivation("rnn", strings.Repeat("elu ", 1<<20)); err == nil || len(err.Error()) > 300 {
		t.Errorf("a long text: an error of %d bytes", len(err.Error()))
	}
}

// What an oracle cannot tell: clipping is the same as none where nothing is beyond
// the bound, and a projection by the identity's rows keeps m's first units.
func TestVariantsOfNoEffect(t *testing.T) {
	for _, c := range []Config{{Cell: "rnn"}, {Cell: "gru", Reset: ResetBefore}, {Cell: "gru", Reset: ResetAfter}, {Cell: "lstm"}} {
		c.Input, c.Hidden, c.Layers, c.Biases = 5, 7, 2, 2
		tr := newTrial(t, c, 4, 3, false, false, 3)
		tr.run(1)
		clipped := c
		clipped.Clip = 1e6
		other := newTrial(t, clipped, 4, 3, false, false, 3)
		copy(other.net.Params, tr.net.Params)
		other.run(1)
		if d := (worst{}).see("", other.g, wide(tr.g)); d > 1e-5 {
			t.Errorf("%s: a large clip changes the gradient by %.1g", c.testName(), d)
		}
	}
}

// The widths of a network with a projection.
func TestProjectionSizes(t *testing.T) {
	c := Config{Cell: "lstm", Input: 5, Hidden: 7, Layers: 2, Biases: 2, Direction: Bidirectional, Projection: 3}
	n, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(n.HSize(), n.OutputSize(), n.StateSize()); got != "3 6 40" {
		t.Errorf("HSize, OutputSize and StateSize are %s, want 3 6 40", got)
	}
	tr := newTrial(t, c, 2, 1, false, false, 1)
	tr.forward(1)
	for vector, want := range map[string]int{"h": 3, "c": 7, "i": 7, "f": 7, "g": 7, "o": 7, "m": 7} {
		if got := tr.tape.Width(vector); got != want {
			t.Errorf("Width(%q) is %d, want %d", vector, got, want)
		}
	}
	panics(t, "rnn: At: dst has 7 values, want 3", func() { tr.tape.At(make([]float32, 7), 0, 0, "h", 0, 0) })
	for i, tensor := range n.Tensors() {
		rounds := strings.HasPrefix(tensor.Name, "weight_") // ih, hh and hr
		if n.Rounds(i) != rounds {
			t.Errorf("Rounds of %s is %v", tensor.Name, n.Rounds(i))
		}
	}
}

func TestVariantsRound(t *testing.T) {
	for _, c := range append(variants(2, kernelVariants...), variants(2, plainVariants...)...) {
		n, _ := New(c)
		for i, tensor := range n.Tensors() {
			name := tensor.Name[strings.LastIndex(tensor.Name, ".")+1:]
			want := strings.HasPrefix(name, "weight_ih") || !c.plain() && (strings.HasPrefix(name, "weight_hh") || strings.HasPrefix(name, "weight_hr"))
			if n.Rounds(i) != want {
				t.Errorf("%s: Rounds of %s is %v", c.testName(), tensor.Name, n.Rounds(i))
			}
		}
	}
}

// Peepholes and Whr start as what they are.
func TestInitOfVariants(t *testing.T) {
	n, err := New(Config{Cell: "lstm", Input: 4, Hidden: 64, Layers: 1, Biases: 1, Peephole: true, Projection: 16})
	if err != nil {
		t.Fatal(err)
	}
	largest := func(init Init, name string) (most float32) {
		if err := n.Init(init, 1); err != nil {
			t.Fatal(err)
		}
		for _, tensor := range n.Tensors() {
			for i := 0; i < len(tensor.Data) && strings.Contains(tensor.Name, name); i++ {
				most = max(most, tensor.Data[i])
			}
		}
		return most
	}
	for _, test := range []struct {
		init     Init
		name     string
		from, to float32
	}{
		{Init{}, "weight_hr", 0.12, 0.125}, {Init{}, "weight_peephole", 0.12, 0.125}, // 1/√64
		{Init{Kind: "xavier"}, "weight_hr", 0.27, 0.2739}, {Init{Kind: "xavier"}, "weight_peephole", 0, 0}, // √(6/80)
		{Init{Kind: "normal", Sigma: 1}, "weight_hr", 2, 6}, {Init{Kind: "normal", Sigma: 1}, "weight_peephole", 0, 0},
	} {
		if got := largest(test.init, test.name); got < test.from || got > test.to {
			t.Errorf("%+v: the largest of %s is %v, want %v to %v", test.init, test.name, got, test.from, test.to)
		}
	}
	if err := n.Init(Init{Orthogonal: true}, 1); err == nil || err.Error() != "rnn: init orthogonal: the blocks of weight_hh are 64 × 16 with a projection, want square ones" {
		t.Errorf("error %v", err)
	}
}

// A projection of many rows at once, and of a wide state, through bf16 and int8.
func TestProjectionOfManyRows(t *testing.T) {
	for _, as := range []nn.Precision{nn.Float32, nn.Mixed} {
		tr := newTrial(t, Config{Cell: "lstm", Input: 5, Hidden: 130, Layers: 1, Biases: 1, Projection: 70}, 27, 19, true, false, 6)
		tr.as = as
		tr.run(1)
		one := *tr
		tr.run(3)
		sameBits(t, "gradient", tr.g, one.g)
		sameBits(t, "y", tr.y, one.y)
	}
}

// Whatever the text, its spelling is one, and a Config with it holds.
func FuzzSpellActivation(f *testing.F) {
	for i, text := range []string{"tanh", "hard_sigmoid(0.25,5e-1) tanh", "sigmoid relu scaled_tanh(-1.5,-2)", "affine(1,-0)", "elu(", "leaky_relu(NaN)", "thresholded_relu(-1e-46)"} {
		f.Add(text, uint8(i))
	}
	f.Fuzz(func(t *testing.T, text string, cell uint8) {
		c := Config{Cell: []string{"rnn", "gru", "lstm"}[cell%3], Input: 1, Hidden: 2, Layers: 1, Biases: 1}
		if c.Cell == "gru" {
			c.Reset = ResetBefore
		}
		spelling, err := SpellActivation(c.Cell, text)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\r") || len(err.Error()) > 2000 {
				t.Errorf("error %q", err)
			}
			return
		}
		if again, err := SpellActivation(c.Cell, spelling); err != nil || again != spelling {
			t.Errorf("%q becomes %q, and that %q, %v", text, spelling, again, err)
		}
		if c.Activation = spelling; c.Validate() != nil {
			t.Errorf("%q becomes %q: %v", text, spelling, c.Validate())
		}
		c.activations()
	})
}
