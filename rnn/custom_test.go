package rnn_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"sluice/nn"
	"sluice/rnn"
)

// problem is a network, ragged sequences and the weights of a loss: the sum of
// y ⊙ dy and of the last states ⊙ dEnd.
type problem struct {
	net             *rnn.Network
	x               rnn.Sequence
	start, dy, dEnd []float32
	table           []float32 // (V, X) to be folded, where x has its rows
}

func newProblem(t *testing.T, c rnn.Config, init rnn.Init) *problem {
	t.Helper()
	n, err := rnn.New(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Init(init, 3); err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	draw := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(random.NormFloat64())
		}
		return x
	}
	const T, B = 5, 4
	return &problem{
		net:   n,
		x:     rnn.Sequence{T: T, B: B, F: c.Input, Lengths: []int{3, 5, 0, 4}, Data: draw(T * B * c.Input)},
		start: draw(B * c.StateSize()),
		dy:    draw(T * B * c.OutputSize()), dEnd: draw(B * c.StateSize()),
	}
}

// result is all that a run forward and backward gives.
type result struct{ y, end, g, dx, dStart []float32 }

func (p *problem) run(threads int, tape *rnn.Tape) result {
	team := nn.NewTeam(threads)
	defer team.Close()
	packed := p.net.Pack()
	run := rnn.NewRunner(packed, team)
	if p.table != nil {
		packed.Fold(team, p.table)
	}
	var r result
	for range 2 { // the second time on memory that has been used
		r = result{
			y: make([]float32, len(p.dy)), end: slices.Clone(p.start),
			g: make([]float32, len(p.net.Params)), dx: make([]float32, len(p.x.Data)+len(p.table)), dStart: slices.Clone(p.dEnd),
		}
		run.Forward(r.y, p.x, r.end, tape)
		run.Backward(r.g, r.dx, p.dy, r.dStart, tape)
	}
	return r
}

// slope is the derivative of the loss with respect to *v by differences over
// six points, whose error is of the sixth order in the step: so the step can be
// long, and the rounding of float32 is small beside it.
func (p *problem) slope(team *nn.Team, run *rnn.Runner, packed *rnn.Packed, v *float32) float64 {
	const step = 1.0 / 32
	y, end := make([]float32, len(p.dy)), make([]float32, len(p.start))
	at := *v
	loss := func(x float32) (sum float64) {
		*v = x
		p.net.Repack(team, packed)
		if p.table != nil {
			packed.Fold(team, p.table)
		}
		copy(end, p.start)
		run.Forward(y, p.x, end, nil)
		for i, d := range p.dy {
			sum += float64(d) * float64(y[i])
		}
		for i, d := range p.dEnd {
			sum += float64(d) * float64(end[i])
		}
		return sum
	}
	first, second, third := loss(at+step)-loss(at-step), loss(at+2*step)-loss(at-2*step), loss(at+3*step)-loss(at-3*step)
	*v = at
	return (45*first - 9*second + third) / (60 * step)
}

// check compares every gradient of p with differences of its loss. A
// difference is a part of the largest gradient of its tensor.
func (p *problem) check(t *testing.T) {
	t.Helper()
	team := nn.NewTeam(1)
	defer team.Close()
	packed := p.net.Pack()
	run := rnn.NewRunner(packed, team)
	got := p.run(1, &rnn.Tape{})
	see := func(name string, values, grads []float32) {
		t.Helper()
		worst, largest := 0.0, 0.0
		for i := range values {
			worst = max(worst, math.Abs(p.slope(team, run, packed, &values[i])-float64(grads[i])))
			largest = max(largest, math.Abs(float64(grads[i])))
		}
		if largest == 0 || !(worst <= 2e-4*largest) {
			t.Errorf("%s: off by %.2g where the largest is %.2g", name, worst, largest)
		}
		t.Logf("%-30s %.1e", name, worst/largest)
	}
	flat := got.g
	for _, tensor := range p.net.Tensors() {
		see(tensor.Name, tensor.Data, flat[:len(tensor.Data)])
		flat = flat[len(tensor.Data):]
	}
	if p.table == nil {
		see("x", p.x.Data, got.dx)
	} else {
		see("table", p.table, got.dx)
	}
	see("state", p.start, got.dStart)
}

// deep are networks of a cell: the directions and merges that gradients pass.
func deep(cell rnn.Config) []rnn.Config {
	cell.Input, cell.Hidden, cell.Layers, cell.Biases = 3, 4, 2, 1
	forward, backward, both, product := cell, cell, cell, cell
	forward.Layers = 3
	backward.Direction = rnn.Backward
	both.Direction = rnn.Bidirectional
	product.Direction, product.Merge = rnn.Bidirectional, rnn.Multiply
	return []rnn.Config{forward, backward, both, product}
}

func name(c rnn.Config) string {
	return fmt.Sprintf("%s%s/%s%s", c.Cell, c.Reset, c.Direction, c.Merge)
}

// The built-in cells are here so that the measure itself is seen to be sound.
func TestDifferences(t *testing.T) {
	for _, cell := range []rnn.Config{
		{Cell: "traces"}, {Cell: "rnn"}, {Cell: "lstm"}, {Cell: "gru", Reset: rnn.ResetBefore}, {Cell: "gru", Reset: rnn.ResetAfter},
		{Cell: "traces", Zoneout: 0.3}, {Cell: "lstm", Peephole: true, Projection: 3}, {Cell: "lstm", Coupled: true, Peephole: true, Activation: "sigmoid silu softplus"},
	} {
		for _, c := range deep(cell) {
			t.Run(name(c), func(t *testing.T) { newProblem(t, c, rnn.Init{}).check(t) })
		}
	}
}

// folded is p with inputs that are rows of a table, as values and as IDs of the
// table folded.
func (p problem) folded() (rows, ids *problem) {
	const V = 6
	q := p
	q.table, q.x = p.x.Data[:V*p.x.F], rnn.Sequence{T: p.x.T, B: p.x.B, F: V, Lengths: p.x.Lengths}
	p.x.Data = nil
	for i := range p.x.T * p.x.B {
		id := i * i % 5 // of V not all
		p.x.Data = append(p.x.Data, q.table[id*p.x.F:][:p.x.F]...)
		if i/p.x.B >= p.x.Lengths[i%p.x.B] {
			id = -3
		}
		q.x.IDs = append(q.x.IDs, int32(id))
	}
	return &p, &q
}

func TestFoldedDifferences(t *testing.T) {
	for _, cell := range []rnn.Config{{Cell: "traces"}, {Cell: "rnn"}, {Cell: "lstm"}, {Cell: "gru", Reset: rnn.ResetBefore}, {Cell: "gru", Reset: rnn.ResetAfter}} {
		for _, c := range deep(cell) {
			t.Run(name(c), func(t *testing.T) {
				_, p := newProblem(t, c, rnn.Init{}).folded()
				p.check(t)
			})
		}
	}
}

func TestCustomFold(t *testing.T) {
	for _, c := range append(deep(rnn.Config{Cell: "traces"}), deep(rnn.Config{Cell: "lstm", LayerNorm: true})...) {
		rows, ids := newProblem(t, c, rnn.Init{}).folded()
		want, one := rows.run(1, &rnn.Tape{}), ids.run(1, &rnn.Tape{})
		if !slices.Equal(one.y, want.y) || !slices.Equal(one.end, want.end) || !slices.Equal(one.dStart, want.dStart) {
			t.Errorf("%s: folded gives other bits than the rows of the table", name(c))
		}
		for _, threads := range []int{2, 3, 8} {
			many := ids.run(threads, &rnn.Tape{})
			if !slices.Equal(many.y, one.y) || !slices.Equal(many.g, one.g) || !slices.Equal(many.dx, one.dx) {
				t.Errorf("%s: %d threads give other bits", name(c), threads)
			}
		}
	}
}

// Repack ends what Fold began.
func TestCustomUnfolds(t *testing.T) {
	_, p := newProblem(t, deep(rnn.Config{Cell: "traces"})[0], rnn.Init{}).folded()
	team := nn.NewTeam(1)
	defer team.Close()
	packed, x := p.net.Pack(), rnn.Sequence{T: 1, B: 2, F: 3, IDs: []int32{2, 0}}
	run, y, want := rnn.NewRunner(packed, team), make([]float32, 8), make([]float32, 8)
	run.Forward(want, x, nil, nil)
	packed.Fold(team, p.table)
	p.net.Repack(nil, packed)
	if run.Forward(y, x, nil, nil); !slices.Equal(y, want) {
		t.Errorf("one-hot vectors give %v after Repack, %v before Fold", y, want)
	}
}

func TestCustomThreads(t *testing.T) {
	for _, c := range append(deep(rnn.Config{Cell: "traces"}), deep(rnn.Config{Cell: "traces", Zoneout: 0.3})...) {
		p, key := newProblem(t, c, rnn.Init{}), nn.Key{Seed: 1}
		one := p.run(1, &rnn.Tape{Dropout: &key})
		for _, threads := range []int{2, 3, 8} {
			many := p.run(threads, &rnn.Tape{Dropout: &key})
			if !slices.Equal(many.y, one.y) || !slices.Equal(many.end, one.end) || !slices.Equal(many.g, one.g) ||
				!slices.Equal(many.dx, one.dx) || !slices.Equal(many.dStart, one.dStart) {
				t.Errorf("%s: %d threads give other bits", name(c), threads)
			}
		}
	}
}

func TestCustomStep(t *testing.T) {
	p := newProblem(t, deep(rnn.Config{Cell: "traces"})[0], rnn.Init{})
	whole := p.run(1, &rnn.Tape{})
	team := nn.NewTeam(2)
	defer team.Close()
	run := rnn.NewRunner(p.net.Pack(), team)
	slab, w := slices.Clone(p.start), p.net.OutputSize()
	for step := range p.x.T {
		x, rows := rnn.Sequence{T: 1, F: p.x.F}, []int32{}
		for b := p.x.B - 1; b >= 0; b-- { // in another order
			if step < p.x.Lengths[b] {
				x.B, rows = x.B+1, append(rows, int32(b))
				x.Data = append(x.Data, p.x.Data[(step*p.x.B+b)*x.F:][:x.F]...)
			}
		}
		y := make([]float32, x.B*w)
		run.Step(y, x, slab, rows)
		for i, b := range rows {
			if !slices.Equal(y[i*w:(i+1)*w], whole.y[(step*p.x.B+int(b))*w:][:w]) {
				t.Errorf("step %d of row %d is not that of Forward", step, b)
			}
		}
	}
	if !slices.Equal(slab, whole.end) {
		t.Error("the last states are not those of Forward")
	}
}

// The tape bears the cell's own names, and what they say is so: at each step
// h = u + f − s.
func TestCustomTape(t *testing.T) {
	for _, c := range deep(rnn.Config{Cell: "traces"}) {
		p, tape := newProblem(t, c, rnn.Init{}), &rnn.Tape{}
		team := nn.NewTeam(2)
		rnn.NewRunner(p.net.Pack(), team).Forward(make([]float32, len(p.dy)), p.x, slices.Clone(p.start), tape)
		team.Close()
		at := func(l, d int, vector string, step, b int) []float32 {
			return tape.At(make([]float32, c.Hidden), l, d, vector, step, b)
		}
		if got := strings.Join(tape.Vectors(), " "); got != "h f s u" {
			t.Fatalf("Vectors() is %s", got)
		}
		for l := range c.Layers {
			for d := range c.Directions() {
				for b, length := range p.x.Lengths {
					for step := range p.x.T {
						h, f := at(l, d, "h", step, b), at(l, d, "f", step, b)
						s, u := at(l, d, "s", step, b), at(l, d, "u", step, b)
						for j := range h {
							if step < length && h[j] != u[j]+f[j]-s[j] || step >= length && u[j] != 0 {
								t.Fatalf("%s: layer %d direction %d step %d row %d: h %v, u %v, f %v, s %v", name(c), l, d, step, b, h, u, f, s)
							}
						}
					}
				}
			}
		}
	}
}

// leaky is traces without a product of its own.
type leaky struct{ traces }

func init() { rnn.Register("leaky", leaky{}) }

func (l leaky) Layout(c rnn.Config) rnn.Layout {
	layout := l.traces.Layout(c)
	layout.Tensors = layout.Tensors[1:]
	return layout
}

// A cell's own errors and names come through, and every kind of start fits it.
func TestCustomConfig(t *testing.T) {
	c := rnn.Config{Cell: "traces", Input: 3, Hidden: 4, Layers: 1, Biases: 2}
	if err := c.Validate(); err == nil || err.Error() != `traces: reset "", activation "", biases 2: want none, none and 1` {
		t.Errorf("error %v", err)
	}
	c.Biases = 1
	refused := c
	refused.LayerNorm = true
	if err := refused.Validate(); err == nil || err.Error() != `rnn: layer_norm: cell "traces" has none, want rnn, gru, lstm` {
		t.Errorf("error %v", err)
	}
	refused = c
	refused.Clip = 1
	if err := refused.Validate(); err == nil || err.Error() != `rnn: clip 1: cell "traces" has none, want rnn, gru, lstm` {
		t.Errorf("error %v", err)
	}
	refused = c
	refused.ZoneoutCell = 0.5
	if err := refused.Validate(); err == nil || err.Error() != "rnn: zoneout_cell 0.5: acts on the c of an lstm, want 0" {
		t.Errorf("error %v", err)
	}
	refused = c
	refused.Cell, refused.WeightDrop = "leaky", 0.5
	if err := refused.Validate(); err == nil || err.Error() != `rnn: weight_drop 0.5: cell "leaky" has no weight_hh` {
		t.Errorf("error %v", err)
	}
	c.Zoneout, c.WeightDrop = 0.5, 0.5
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
	c.Zoneout, c.WeightDrop = 0, 0
	var names []string
	p := newProblem(t, c, rnn.Init{})
	for _, tensor := range p.net.Tensors() {
		names = append(names, fmt.Sprint(tensor.Name, tensor.Shape))
	}
	if got := strings.Join(names, " "); got != "traces.weight_ih_l0[4 3] traces.bias_ih_l0[4] traces.weight_hh_l0[4 4] traces.decay_l0[4]" {
		t.Errorf("tensors %s", got)
	}
	if !slices.Contains(rnn.Cells(), "traces") || c.StateSize() != 12 {
		t.Errorf("cells %v, a state of %d", rnn.Cells(), c.StateSize())
	}
	for _, init := range []rnn.Init{{Kind: "xavier"}, {Kind: "normal", Sigma: 0.3}, {Orthogonal: true}} {
		newProblem(t, c, init).check(t)
	}
	if err := p.net.Init(rnn.Init{ForgetBias: 1}, 1); err == nil || err.Error() != `rnn: init forget bias 1: cell "traces" has no forget gate` {
		t.Errorf("error %v", err)
	}
}
