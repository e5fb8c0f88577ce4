package rnn

import (
	"fmt"
	"math"
	"sync/atomic"

	"sluice/nn"
)

// Runner runs a Packed for one caller at a time. It owns the scratch; the team
// of goroutines is the caller's.
type Runner struct {
	p       *Packed
	team    *nn.Team
	own     Tape // of a Forward without one
	forward forwardJob
	wave    waveJob
	merge   mergeJob
	drawing drawJob
	random  []nn.Random // one of each part of a drawing
	back    backwardJob
	alone   atomic.Int64 // the step from which the first part of a job works alone
	heldUp  func() bool  // the parts of the job wait too often for each other
	in      []Sequence   // (L) of each layer
	x       input
	ids     []int32      // (T, B) of x
	dRaw    []float32    // (T, B, D·HSize)
	dOut    [2][]float32 // (T, B, X of a layer)
	grads   [][]float32
	slab    []float32 // (n, StateSize) of Step
}

// NewRunner makes a Runner of p on a team.
func NewRunner(p *Packed, team *nn.Team) *Runner {
	return &Runner{p: p, team: team, heldUp: team.HeldUp}
}

// Forward runs the stack over x and sets y (T, B, OutputSize), zero past a
// row's length. state (B, StateSize) is where the rows start, and is set to
// where they end, after their last valid step; nil starts from zero. A tape
// keeps what Backward needs, x and y themselves among it: do not change them
// until then. Without a tape nothing is kept, and nothing is dropped out.
func (r *Runner) Forward(y []float32, x Sequence, state []float32, tape *Tape) {
	r.run("Forward", y, x, state, tape)
}

func (r *Runner) run(who string, y []float32, x Sequence, state []float32, tape *Tape) {
	p := r.p
	width := p.Input
	if x.IDs != nil {
		width = p.symbols()
	}
	x.check(who, width)
	checkLen(who, "y", len(y), x.T*x.B*p.OutputSize())
	if state != nil {
		checkLen(who, "state", len(state), x.B*p.stateSize)
	}
	keep := tape != nil
	if !keep {
		tape = &r.own
	}
	tape.fit(p, x, y, keep)
	r.in = append(r.in[:0], x)
	for l := range p.Layers - 1 {
		r.in = append(r.in, Sequence{T: x.T, B: x.B, F: p.OutputSize(), Lengths: x.Lengths, Data: tape.layers[l].out})
	}
	r.draw(tape)
	if parts := r.waves(tape); parts > 1 {
		r.wave.run(r, parts, state, tape)
		return
	}
	for l := range p.Layers {
		r.layer(l, state, tape)
	}
}

// spans is how many parts n things are shared out in.
func (r *Runner) spans(n int) int { return max(1, min(n, r.team.Threads())) }

// layer runs layer l over in, both directions and then what joins them.
func (r *Runner) layer(l int, state []float32, tape *Tape) {
	in := &r.in[l]
	s := r.split(in.B)
	r.alone.Store(math.MaxInt64)
	r.forward = forwardJob{r, l, s, state, tape}
	r.do(s, (tape.ahead+1)*in.B, &r.forward)
	r.forward = forwardJob{}
	lt, width, rows := &tape.layers[l], r.p.OutputSize(), in.T*in.B
	if h := r.p.HSize(); width != r.p.Directions()*h {
		r.merge = mergeJob{r.p.Merge, h, lt, rows, r.spans(rows)}
		r.team.Do(r.merge.parts, &r.merge)
		r.merge = mergeJob{}
	}
	if tape.drops() && l < r.p.Layers-1 {
		key := *tape.Dropout
		key.Layer = uint64(l)
		lt.mask.Apply(r.team, lt.out, lt.out, width, in.B, float32(r.p.Dropout), key, r.p.Locked)
	}
}

// forwardJob runs one layer: part = direction · parts + part of that.
type forwardJob struct {
	r     *Runner
	l     int
	split split
	state []float32
	tape  *Tape
}

func (j *forwardJob) Run(part int) {
	w := j.r.walk(j.l, part, j.split, &j.r.in[j.l], j.tape)
	w.begin(j.state)
	w.meet()
	w.take(0, w.x.T)
	w.end(j.state)
}

// ends are where the states begin that a way forward starts from and ends with.
func (w *walk) ends() (first, last int) {
	first, last = w.tape.slot(0), w.tape.slot(w.x.T)
	if w.reversed {
		first, last = last, first
	}
	return first, last
}

// begin takes the states of the part's rows and units from the streams'.
func (w *walk) begin(state []float32) {
	first, _ := w.ends()
	own := w.r.p.own(w.l, w.d)
	for b := w.rows.from; b < w.rows.to; b++ {
		w.way.load(own.in(state, b), first+b, w.u)
	}
}

// end is the way back.
func (w *walk) end(state []float32) {
	_, last := w.ends()
	own := w.r.p.own(w.l, w.d)
	for b := w.rows.from; b < w.rows.to && state != nil && !w.gone; b++ {
		w.way.store(own.in(state, b), last+b, w.u)
	}
}

// take runs the part's rows through steps [from, to), as the direction counts
// them.
func (w *walk) take(from, to int) {
	x, ahead := w.x, w.tape.ahead
	if x.Lengths != nil || w.rows.to-w.rows.from < x.B {
		ahead = 1
	}
	raw := w.tape.layers[w.l].raw
	for i := from; i < to && w.goesOn(i); i += ahead {
		n := min(ahead, to-i)
		row := i * x.B
		if w.reversed {
			row = (x.T - i - n) * x.B
		}
		w.base = w.tape.base(row)
		if ahead > 1 {
			w.way.input(x, row, row-w.base, n*x.B, w.u)
		}
		for step := i; step < i+n && w.goesOn(step); step++ {
			w.forward(step, ahead == 1, raw)
		}
	}
}

// forward runs the part's rows through a step, with the product of the input
// if that has not been made.
func (w *walk) forward(step int, input bool, raw []float32) {
	t, last := step, w.phases.forward-1
	if w.reversed {
		t = w.x.T - 1 - step
	}
	for phase := range w.phases.forward {
		w.stretches(t, func(s stretch, within bool) {
			switch {
			case !within && phase == 0:
				w.way.carry(s, w.u)
			case within:
				if input && phase == 0 {
					w.way.input(w.x, t*w.x.B+s.b, s.at, s.n, w.u)
				}
				w.way.forward(phase, s, w.u)
			}
			if phase == last {
				w.output(raw[(t*w.x.B+s.b)*w.width+w.d*w.r.p.HSize():], s, within)
			}
		})
		if phase == last {
			w.look(step)
		}
		w.meet()
	}
}

// output sets the rows of a stretch in raw (…, D·HSize), zero past a length.
func (w *walk) output(raw []float32, s stretch, within bool) {
	if within {
		w.way.output(raw, w.width, s, w.u)
		return
	}
	for i := range s.n {
		clear(raw[i*w.width+w.u.h.from : i*w.width+w.u.h.to])
	}
}

// own is where a layer's and direction's vectors are in the state of a stream.
type own struct{ size, at, n int }

// in is that part of row b of state (B, StateSize), nil if state is.
func (o own) in(state []float32, b int) []float32 {
	if state == nil {
		return nil
	}
	return state[b*o.size+o.at:][:o.n]
}

func (p *Packed) own(l, d int) own {
	sh := p.stateOf(len(p.layout.State))
	return own{p.stateSize, (l*p.Directions() + d) * sh, sh}
}

// Step runs one step of the streams whose states are at rows of slab, each a
// block of StateSize floats, and sets y (n, OutputSize). x is one step of n
// rows. A row's result is bit for bit that of Forward, whatever the other
// rows. No row may come twice.
func (r *Runner) Step(y []float32, x Sequence, slab []float32, rows []int32) {
	size := r.p.stateSize
	if r.p.Direction != Forward {
		panic("rnn: Step: a " + string(r.p.Direction) + " network reads a sequence from its end, so it cannot run step by step")
	}
	if x.T != 1 || x.B != len(rows) {
		panic(fmt.Sprintf("rnn: Step: x is %d steps of %d rows, want 1 of %d", x.T, x.B, len(rows)))
	}
	for _, row := range rows {
		if row < 0 || int(row) >= len(slab)/size {
			panic(fmt.Sprintf("rnn: Step: row %d, want 0 to %d", row, len(slab)/size-1))
		}
	}
	r.slab = nn.Grow(r.slab, len(rows)*size)
	for i, row := range rows {
		copy(r.slab[i*size:(i+1)*size], slab[int(row)*size:])
	}
	r.run("Step", y, x, r.slab, nil)
	for i, row := range rows {
		copy(slab[int(row)*size:(int(row)+1)*size], r.slab[i*size:])
	}
}
