package ref

import (
	"fmt"
	"math"
	"math/rand"
	"slices"
	"strings"
	"testing"
)

var cells = []string{"rnn_tanh", "rnn_relu", "gru_before", "gru_after", "lstm"}

// direction and merge
var directions = [][2]string{
	{"forward", ""}, {"backward", ""},
	{"bidirectional", "concat"}, {"bidirectional", "sum"}, {"bidirectional", "average"}, {"bidirectional", "multiply"},
}

// problem is a net, its input, and the loss Σ dy·Y + Σ dFinal·Final.
type problem struct {
	net        *Net
	T, B       int
	lengths    []int
	x, s0      []float64
	dy, dFinal []float64
}

func uniform(rnd *rand.Rand, n int, scale float64) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = scale * (2*rnd.Float64() - 1)
	}
	return v
}

// newProblem draws every number of a problem from the seed. Masks are drawn for
// p = 0.4, so they hold 0 and 1/0.6.
func newProblem(seed int64, net Net, T, B int, lengths []int) *problem {
	rnd := rand.New(rand.NewSource(seed))
	n := &net
	n.Weights = n.ZeroWeights()
	for s := range n.Weights {
		for _, t := range n.Weights[s].tensors() {
			copy(t.data, uniform(rnd, len(t.data), 0.9))
		}
	}
	n.Masks = make([][]float64, n.Layers-1)
	for l := range n.Masks {
		rows := T * B
		if n.Locked {
			rows = B
		}
		n.Masks[l] = make([]float64, rows*n.Out())
		for i := range n.Masks[l] {
			if rnd.Float64() >= 0.4 {
				n.Masks[l][i] = 1 / 0.6
			}
		}
	}
	return &problem{
		net: n, T: T, B: B, lengths: lengths,
		x:      uniform(rnd, T*B*n.Input, 1),
		s0:     uniform(rnd, B*n.StateSize(), 1),
		dy:     uniform(rnd, T*B*n.Out(), 1),
		dFinal: uniform(rnd, B*n.StateSize(), 1),
	}
}

func (p *problem) run() *Run { return p.net.Forward(p.x, p.T, p.B, p.lengths, p.s0) }

func (p *problem) loss() float64 {
	r := p.run()
	sum := 0.0
	for i, y := range r.Y {
		sum += p.dy[i] * y
	}
	for i, s := range r.Final {
		sum += p.dFinal[i] * s
	}
	return sum
}

type tensor struct {
	kind string
	data []float64
}

func (w Weights) tensors() []tensor {
	ts := []tensor{{"Wx", w.Wx}, {"Wh", w.Wh}, {"bx", w.Bx}}
	if w.Bh != nil {
		ts = append(ts, tensor{"bh", w.Bh})
	}
	if w.Peep != nil {
		ts = append(ts, tensor{"peepholes", w.Peep})
	}
	if w.Whr != nil {
		ts = append(ts, tensor{"Whr", w.Whr})
	}
	if w.GainX != nil {
		ts = append(ts, tensor{"gainX", w.GainX}, tensor{"gainH", w.GainH})
	}
	if w.GainC != nil {
		ts = append(ts, tensor{"gainC", w.GainC}, tensor{"biasC", w.BiasC})
	}
	return ts
}

// central returns the gradient of loss by central differences with respect to v.
func central(v []float64, loss func() float64) []float64 {
	const step = 1e-5
	d := make([]float64, len(v))
	for i, old := range v {
		v[i] = old + step
		up := loss()
		v[i] = old - step
		d[i] = (up - loss()) / (2 * step)
		v[i] = old
	}
	return d
}

// relative returns max|a-b| / max|b|, and NaN where b is zero throughout: such a
// comparison would say nothing.
func relative(a, b []float64) float64 {
	diff, size := 0.0, 0.0
	for i := range b {
		diff = math.Max(diff, math.Abs(a[i]-b[i]))
		size = math.Max(size, math.Abs(b[i]))
	}
	if size == 0 || len(a) != len(b) {
		return math.NaN()
	}
	return diff / size
}

// kinked says whether a slope jumps near what activation k is applied to.
func (s *Step) kinked(k int, a []float64, clipped bool) bool {
	const near, jump = 1e-3, 0.02
	for _, x := range a {
		var slopes [3]float64
		for i := range slopes {
			x, within := x+near*float64(i-1), true
			if clipped {
				x, within = s.bounded(x)
			}
			if _, slope := s.acts[k].at(x); within {
				slopes[i] = slope
			}
		}
		if math.Abs(slopes[0]-slopes[1]) > jump || math.Abs(slopes[2]-slopes[1]) > jump {
			return true
		}
	}
	return false
}

// usable says whether no activation is near a kink and every gradient is alive.
func (p *problem) usable() bool {
	r := p.run()
	for _, steps := range r.steps {
		for _, s := range steps {
			if s == nil {
				continue
			}
			first := slices.Concat(s.ar, s.az, s.ai, s.af, s.ao)
			last := slices.Concat(s.an, s.ag)
			if s.kinked(0, slices.Concat(first, s.A), true) || len(last) > 0 && s.kinked(1, last, true) || s.C != nil && s.kinked(2, s.C, false) {
				return false
			}
		}
	}
	g := r.Backward(p.dy, p.dFinal)
	for _, w := range g.Weights {
		for _, t := range w.tensors() {
			if relative(t.data, t.data) != 0 {
				return false
			}
		}
	}
	return true
}

// check compares every gradient of p with central differences.
func (p *problem) check(t *testing.T, worst map[string]float64) {
	g := p.run().Backward(p.dy, p.dFinal)
	limit := 1e-6
	if p.net.LayerNorm || p.net.Acts != nil {
		limit = 1e-5 // norms of a few values bend sharply, and exponentials
	}
	compare := func(where, kind string, got, v []float64) {
		t.Helper()
		e := relative(got, central(v, p.loss))
		if !(e <= limit) {
			t.Errorf("%s%s: largest relative difference %.2g, want at most %g", where, kind, e, limit)
		}
		worst[kind] = math.Max(worst[kind], e)
	}
	for s, w := range p.net.Weights {
		got := g.Weights[s].tensors()
		for i, tensor := range w.tensors() {
			compare(fmt.Sprintf("stream %d ", s), tensor.kind, got[i].data, tensor.data)
		}
	}
	compare("", "x", g.DX, p.x)
	compare("", "s0", g.DS0, p.s0)
	for tm := range p.T {
		for b, length := range p.lengths {
			at := (tm*p.B + b) * p.net.Input
			for _, v := range g.DX[at : at+p.net.Input] {
				if tm >= length && v != 0 {
					t.Errorf("dx at step %d of a sequence of %d: %g, want 0", tm, length, v)
				}
			}
		}
	}
}

// TestGradients holds the backward against central differences for every cell,
// direction, merge, number of biases, 1 and 2 layers (with a dropout mask between
// them), even and ragged lengths; initial states and gradients of the final
// states are never zero.
func TestGradients(t *testing.T) {
	kinds := []string{"Wx", "Wh", "bx", "bh", "x", "s0"}
	var table strings.Builder
	fmt.Fprintf(&table, "worst max|a-b|/max|b| over %d nets a cell\n%-12s", 2*2*2*len(directions), "")
	for _, k := range kinds {
		fmt.Fprintf(&table, "%10s", k)
	}
	for _, cell := range cells {
		worst := map[string]float64{}
		for i := range 2 * 2 * 2 * len(directions) {
			biases, layers, ragged := 1+i%2, 1+i/2%2, i/4%2 == 1
			dir, merge := directions[i/8][0], directions[i/8][1]
			lengths := []int{4, 4, 4, 4}
			if ragged {
				lengths = []int{3, 4, 0, 1}
			}
			name := fmt.Sprintf("%s/%s%s/biases=%d/layers=%d/lengths=%v", cell, dir, merge, biases, layers, lengths)
			t.Run(name, func(t *testing.T) {
				net := Net{Cell: cell, Input: 3, Hidden: 2, Layers: layers, Direction: dir, Merge: merge, Biases: biases}
				for seed := int64(i + 1); ; seed += 1000 {
					p := newProblem(seed, net, 4, 4, lengths)
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
		fmt.Fprintf(&table, "\n%-12s", cell)
		for _, k := range kinds {
			fmt.Fprintf(&table, "%10.1e", worst[k])
		}
	}
	t.Log(table.String())
}

// TestGradientOfSoftmaxCrossEntropy checks the loss by hand and its gradient by
// central differences; a negative target does not count.
func TestGradientOfSoftmaxCrossEntropy(t *testing.T) {
	// softmax(ln 1, ln 2, ln 5) = (1, 2, 5)/8, and shifting by 1000 changes nothing
	logits := []float64{0, math.Log(2), math.Log(5), 7, 7, 7, 1000, 1000 + math.Log(2), 1000 + math.Log(5)}
	targets := []int{1, -1, 2}
	loss, got := SoftmaxCrossEntropy(logits, targets)
	near(t, "loss", loss, (math.Log(4)+math.Log(8.0/5))/2)
	for i, want := range []float64{1. / 16, -3. / 8, 5. / 16, 0, 0, 0, 1. / 16, 1. / 8, -3. / 16} {
		near(t, fmt.Sprintf("dlogits[%d]", i), got[i], want)
	}

	logits = uniform(rand.New(rand.NewSource(1)), 5*4, 3)
	targets = []int{0, 3, -1, 2, 2}
	_, got = SoftmaxCrossEntropy(logits, targets)
	want := central(logits, func() float64 { l, _ := SoftmaxCrossEntropy(logits, targets); return l })
	if e := relative(got, want); !(e <= 1e-6) {
		t.Errorf("gradient: largest relative difference %.2g", e)
	}
	if loss, _ := SoftmaxCrossEntropy([]float64{1, 2}, []int{-1}); loss != 0 {
		t.Errorf("no row counts: loss %g, want 0", loss)
	}
}
