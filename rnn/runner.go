package rnn

import (
	"fmt"

	"sluice/nn"
)

// Runner runs a Packed for one caller at a time. It owns the scratch; the team
// of goroutines is the caller's.
type Runner struct {
	p       *Packed
	team    *nn.Team
	own     Tape // of a Forward without one
	forward forwardJob
	merge   mergeJob
	random  []nn.Random // one of each part of a merge
	back    backwardJob
	x       input
	dRaw    []float32    // (T, B, D·H)
	dOut    [2][]float32 // (T, B, X of a layer)
	grads   [][]float32
	slab    []float32 // (n, StateSize) of Step
}

// NewRunner makes a Runner of p on a team.
func NewRunner(p *Packed, team *nn.Team) *Runner { return &Runner{p: p, team: team} }

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
	x.check(who, p.Input)
	checkLen(who, "y", len(y), x.T*x.B*p.OutputSize())
	if state != nil {
		checkLen(who, "state", len(state), x.B*p.stateSize)
	}
	keep := tape != nil
	if !keep {
		tape = &r.own
	}
	tape.fit(p, x, y, keep)
	in := x
	for l := range p.Layers {
		r.layer(l, in, state, tape)
		in = Sequence{T: x.T, B: x.B, F: p.OutputSize(), Lengths: x.Lengths, Data: tape.layers[l].out}
	}
}

// spans is how many parts n things are shared out in.
func (r *Runner) spans(n int) int { return max(1, min(n, r.team.Threads())) }

// layer runs layer l over in, both directions and then what joins them.
func (r *Runner) layer(l int, in Sequence, state []float32, tape *Tape) {
	s := r.split(in.B)
	r.forward = forwardJob{r, l, s, in, state, tape}
	r.team.Do(s.parts*r.p.Directions(), &r.forward)
	r.forward = forwardJob{}
	lt := &tape.layers[l]
	if r.p.Directions()*r.p.Hidden != r.p.OutputSize() || len(lt.mask) > 0 {
		parts := r.spans(in.T)
		r.random = nn.Grow(r.random, parts)
		r.merge = mergeJob{r.p, l, in.T, in.B, parts, lt, tape.Dropout, r.random}
		r.team.Do(r.merge.parts, &r.merge)
		r.merge = mergeJob{}
	}
}

// forwardJob runs one layer: part = direction · parts + part of that.
type forwardJob struct {
	r     *Runner
	l     int
	split split
	in    Sequence
	state []float32
	tape  *Tape
}

func (j *forwardJob) Run(part int) {
	p, x, s := j.r.p, &j.in, j.split
	d := part / s.parts
	way, steps := j.tape.layers[j.l].ways[d], p.layers[0].steps()
	rows, u := s.of(part%s.parts, x.B, p.Hidden)
	own := p.own(j.l, d)
	first, last := j.tape.slot(0), j.tape.slot(x.T)
	if p.reversed(d) {
		first, last = last, first
	}
	for b := rows.from; b < rows.to; b++ {
		way.load(own.in(j.state, b), first+b, u)
	}
	j.r.meet(s)
	ahead := j.tape.ahead
	if x.Lengths != nil || rows.to-rows.from < x.B {
		ahead = 1
	}
	for i := 0; i < x.T; i += ahead {
		n := min(ahead, x.T-i)
		row := i * x.B
		if p.reversed(d) {
			row = (x.T - i - n) * x.B
		}
		base := j.tape.base(row)
		if ahead > 1 {
			way.input(x, row, row-base, n*x.B, u)
		}
		for step := i; step < i+n; step++ {
			t := step
			if p.reversed(d) {
				t = x.T - 1 - step
			}
			for phase := range steps.forward {
				for b := rows.from; b < rows.to; {
					b = j.step(way, d, t, b, rows.to, base, phase, phase == steps.forward-1, ahead == 1, u)
				}
				j.r.meet(s)
			}
		}
	}
	for b := rows.from; b < rows.to && j.state != nil; b++ {
		way.store(own.in(j.state, b), last+b, u)
	}
}

// step runs a stretch of rows from b on, before to, through a phase of step t,
// and returns where it ends.
func (j *forwardJob) step(way way, d, t, b, to, base, phase int, lastPhase, input bool, u units) (end int) {
	p, x := j.r.p, &j.in
	end, within := x.run(t, b, to)
	s := j.tape.stretch(p.reversed(d), t, b, end, base)
	if phase == 0 && !within {
		way.carry(s, u)
	}
	if phase == 0 && within && input {
		way.input(x, t*x.B+b, s.at, s.n, u)
	}
	if within {
		way.forward(phase, s, u)
	}
	if lastPhase {
		width := p.Directions() * p.Hidden
		raw := j.tape.layers[j.l].raw[(t*x.B+b)*width+d*p.Hidden:]
		if within {
			way.output(raw, width, s, u)
		} else {
			for i := range s.n {
				clear(raw[i*width+u.from : i*width+u.to])
			}
		}
	}
	return end
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
	sh := len(p.layout.State) * p.Hidden
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
