package ref

import (
	"fmt"
	"math"
	"testing"
)

// acts are each of the functions, with what their parameters usually are and
// with others.
var acts = []Act{
	{"sigmoid", 0, 0}, {"tanh", 0, 0}, {"relu", 0, 0}, {"relu6", 0, 0}, {"identity", 0, 0}, {"affine", 0.7, -0.2}, {"scaled_tanh", 1.7, 0.6},
	{"hard_sigmoid", 0.2, 0.5}, {"hard_sigmoid", 0.4, 0.3}, {"leaky_relu", 0.01, 0}, {"thresholded_relu", 0.3, 0}, {"elu", 1, 0}, {"elu", 0.5, 0},
	{"selu", 0, 0}, {"softsign", 0, 0}, {"softplus", 0, 0}, {"silu", 0, 0}, {"exponential", 0, 0},
}

// The slope is that of the function, away from its kinks.
func TestActivationSlopes(t *testing.T) {
	for _, f := range acts {
		for x := -8.025; x < 8; x += 0.11 {
			const step = 1e-5
			up, _ := f.at(x + step)
			down, _ := f.at(x - step)
			if _, slope := f.at(x); math.Abs(slope-(up-down)/(2*step)) > 1e-6*(1+math.Abs(slope)) {
				t.Errorf("%v at %v: slope %v, differences give %v", f, x, slope, (up-down)/(2*step))
			}
		}
	}
}

// The values that the definitions of ONNX give by hand.
func TestActivationsByHand(t *testing.T) {
	for _, test := range []struct {
		f       Act
		x, want float64
	}{
		{Act{"sigmoid", 0, 0}, ln(3), 3. / 4}, {Act{"tanh", 0, 0}, ln(2), 3. / 5}, {Act{"relu", 0, 0}, -2, 0}, {Act{"relu6", 0, 0}, 7, 6},
		{Act{"affine", 2, 3}, -4, -5}, {Act{"scaled_tanh", 5, 2}, ln(2) / 2, 3}, {Act{"hard_sigmoid", 0.2, 0.5}, 1, 0.7}, {Act{"hard_sigmoid", 0.2, 0.5}, 9, 1},
		{Act{"hard_sigmoid", 0.2, 0.5}, -9, 0}, {Act{"leaky_relu", 0.5, 0}, -4, -2}, {Act{"thresholded_relu", 1, 0}, 0.9, 0}, {Act{"thresholded_relu", 1, 0}, 1.5, 1.5},
		{Act{"thresholded_relu", 1, 0}, 1, 0}, {Act{"elu", 2, 0}, -ln(4), -1.5}, {Act{"softsign", 0, 0}, -3, -0.75}, {Act{"softplus", 0, 0}, ln(3), ln(4)},
		{Act{"silu", 0, 0}, ln(3), 0.75 * ln(3)}, {Act{"exponential", 0, 0}, ln(3), 3}, {Act{"selu", 0, 0}, 2, 2 * 1.0507009873554805},
		{Act{"selu", 0, 0}, -ln(2), -1.0507009873554805 * 1.6732632423543772 / 2}, {Act{"identity", 0, 0}, -3, -3},
	} {
		got, _ := test.f.at(test.x)
		near(t, fmt.Sprintf("%v(%v)", test.f, test.x), got, test.want)
	}
}

// options are nets of each cell that do something another way.
func options(cell string) (all []Net) {
	plain := Net{Cell: cell}
	n := len(standard(cell))
	for i := range acts {
		net := plain
		for k := range n {
			net.Acts = append(net.Acts, acts[(i+7*k)%len(acts)])
		}
		if i%2 == 1 {
			net.Clip = 0.9
		}
		all = append(all, net)
	}
	plain.Clip = 0.6
	all = append(all, plain)
	if cell != "lstm" {
		return all
	}
	for i := 1; i < 16; i++ {
		net := Net{Cell: cell, Peephole: i&1 != 0, Options: Options{Coupled: i&4 != 0}}
		if i&2 != 0 {
			net.Projection = 2
		}
		if i&8 != 0 {
			net.Clip, net.Acts = 1.1, []Act{{"hard_sigmoid", 0.3, 0.4}, {"softsign", 0, 0}, {"scaled_tanh", 1.2, 0.7}}
		}
		all = append(all, net)
	}
	return all
}

// TestGradientsOfOptions holds the backward of other activations, of clipping, of
// coupled gates, peepholes and projections against central differences.
func TestGradientsOfOptions(t *testing.T) {
	for _, cell := range []string{"rnn_tanh", "gru_before", "gru_after", "lstm"} {
		worst := map[string]float64{}
		for i, net := range options(cell) {
			net.Input, net.Hidden, net.Layers, net.Biases = 3, 3, 1+i/2%2, 1+i%2
			net.Direction, net.Merge = directions[i%6][0], directions[i%6][1]
			lengths := [][]int{{3, 4, 0, 1}, {4, 4, 4, 4}}[i%2]
			t.Run(fmt.Sprintf("%s/%d %v/P=%d/peephole=%v", cell, i, net.Options, net.Projection, net.Peephole), func(t *testing.T) {
				for seed := int64(i + 1); ; seed += 1000 {
					p := newProblem(seed, net, 4, 4, lengths)
					p.regularise(seed, i%3 == 0, i%4 == 0 && cell == "lstm", i%5 == 0)
					if p.usable() {
						p.check(t, worst)
						return
					}
					if seed > 1000*1000 {
						t.Fatal("no seed makes a usable problem")
					}
				}
			})
		}
		t.Log(cell, worst)
	}
}

// An LSTM of one unit: x = h = 0, so that biases are all that gates see beside
// the cell.
func TestPeepholesByHand(t *testing.T) {
	w := Weights{Wx: make([]float64, 4), Wh: make([]float64, 4), Bx: []float64{0, 0, ln(2), 0}, Peep: []float64{ln(3) / 2, ln(4) / 2, 0}}
	s := StepForward("lstm", w, []float64{0}, []float64{0}, []float64{2})
	near(t, "i", s.I[0], 3./4)
	near(t, "f", s.F[0], 4./5)
	near(t, "c", s.C[0], 4./5*2+3./4*3./5)
	w.Peep[2] = ln(5) / s.C[0]
	s = StepForward("lstm", w, []float64{0}, []float64{0}, []float64{2})
	near(t, "o", s.O[0], 5./6)

	// Coupled, the rows are i, g, o and the peepholes i, o.
	w = Weights{Wx: make([]float64, 3), Wh: make([]float64, 3), Bx: []float64{0, ln(2), ln(7)}, Peep: []float64{ln(3) / 2, 0}}
	s = Options{Coupled: true}.StepForward("lstm", w, []float64{0}, []float64{0}, []float64{2})
	near(t, "i", s.I[0], 3./4)
	near(t, "f", s.F[0], 1./4)
	near(t, "g", s.G[0], 3./5)
	near(t, "o", s.O[0], 7./8)

	// Clipping comes after the peephole, and c' is not clipped.
	s = Options{Coupled: true, Clip: ln(2)}.StepForward("lstm", w, []float64{0}, []float64{0}, []float64{2})
	near(t, "i", s.I[0], 2./3)
	near(t, "o", s.O[0], 2./3)
	near(t, "h", s.H[0], 2./3*math.Tanh(1./3*2+2./3*3./5))
}

// h' = m·Whr: two units to one.
func TestProjectionByHand(t *testing.T) {
	w := Weights{Wx: make([]float64, 8), Wh: make([]float64, 8), Bx: make([]float64, 8), Whr: []float64{3, 5}}
	s := StepForward("lstm", w, []float64{0}, []float64{9}, []float64{ln(2) * 2, ln(3) * 2})
	near(t, "h", s.H[0], 3*0.5*3/5+5*0.5*4/5)
}
