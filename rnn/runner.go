package rnn

import (
	"fmt"

	"sluice/internal/kernel"
	"sluice/nn"
)

// layer is one layer and direction, packed.
type layer struct {
	cell Recurrence
	wx   kernel.Panels // forward: X inputs, G·H outputs
	back kernel.Panels // backward: G·H inputs, X outputs
	bx   []float32     // (G·H)
	own  [][]float32   // the cell's tensors, for the time of pack
}

// pack takes copies of tensors: weight_ih (G·H, X), bias_ih (G·H), the cell's.
func (l *layer) pack(tensors []nn.Tensor) {
	rows, width := tensors[0].Shape[0], tensors[0].Shape[1]
	l.wx.Pack(tensors[0].Data, rows, width)
	l.back.PackTransposed(tensors[0].Data, rows, width)
	l.bx = append(l.bx[:0], tensors[1].Data...)
	l.own = l.own[:0]
	for _, t := range tensors[2:] {
		l.own = append(l.own, t.Data)
	}
	l.cell.Pack(l.own)
	clear(l.own)
}

// input sets a (n, G·H) to x·Wx + bx for n rows from row on of x's (T·B).
func (l *layer) input(a []float32, x *Sequence, row, n int) {
	gh := len(l.bx)
	for i := range n {
		copy(a[i*gh:], l.bx)
		if x.IDs == nil {
			continue
		}
		ai := a[i*gh : (i+1)*gh]
		for j, w := range l.wx.Row(int(x.IDs[row+i])) {
			ai[j] += w
		}
	}
	if x.IDs == nil {
		l.wx.MulAdd(a, gh, x.Data[row*x.F:], x.F, n)
	}
}

// Runner runs a Packed for one caller at a time. It owns the scratch; the team
// of goroutines is the caller's.
type Runner struct {
	p       *Packed
	team    *nn.Team
	own     Tape // of a Forward without one
	scratch []scratch
	forward forwardJob
	merge   mergeJob
	random  []nn.Random // one of each part of a merge
	back    backwardJob
	scatter scatterJob
	dState  []float32    // (B, S·H)
	dRaw    []float32    // (T, B, D·H)
	dOut    [2][]float32 // (T, B, X of a layer)
	grads   [][]float32
	slab    []float32 // (n, StateSize) of Step
}

// scratch is that of one part of a job.
type scratch struct {
	a, next, tape []float32
	step          Step
}

// fit makes room for n rows.
func (s *scratch) fit(p *Packed, n int) {
	nh := n * p.Hidden
	s.a = nn.Grow(s.a, nh*len(p.layout.Gates))
	s.next = nn.Grow(s.next, nh*len(p.layout.State))
	s.tape = nn.Grow(s.tape, nh*len(p.layout.Tape))
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

// spans is how many parts rows are shared out in.
func (r *Runner) spans(rows int) int { return max(1, min(rows, r.team.Threads())) }

// parts gives the job's scratch.
func (r *Runner) parts(parts, spans, rows int) {
	for len(r.scratch) < parts {
		r.scratch = append(r.scratch, scratch{})
	}
	for i := range parts {
		r.scratch[i].fit(r.p, (rows+spans-1)/spans)
	}
}

// layer runs layer l over in, both directions and then what joins them.
func (r *Runner) layer(l int, in Sequence, state []float32, tape *Tape) {
	spans, d := r.spans(in.B), r.p.Directions()
	r.parts(spans*d, spans, in.B)
	r.forward = forwardJob{r, l, spans, in, state, tape}
	r.team.Do(spans*d, &r.forward)
	r.forward = forwardJob{}
	lt := &tape.layers[l]
	if d*r.p.Hidden != r.p.OutputSize() || len(lt.mask) > 0 {
		parts := r.spans(in.T)
		r.random = nn.Grow(r.random, parts)
		r.merge = mergeJob{r.p, l, in.T, in.B, parts, lt, tape.Dropout, r.random}
		r.team.Do(r.merge.parts, &r.merge)
		r.merge = mergeJob{}
	}
}

// forwardJob runs one layer: part = direction · spans + span of rows.
type forwardJob struct {
	r     *Runner
	l     int
	spans int
	in    Sequence
	state []float32
	tape  *Tape
}

func (j *forwardJob) Run(part int) {
	p, t, x := j.r.p, j.tape, &j.in
	d := part / j.spans
	from, to := kernel.Span(x.B, part%j.spans, j.spans, 1)
	way := &t.layers[j.l].ways[d]
	sh := len(p.layout.State) * p.Hidden
	size, at := p.stateSize, (j.l*p.Directions()+d)*sh // a stream's state, and where in it this layer's and direction's begins
	first, last := 0, x.T
	if p.reversed(d) {
		first, last = x.T, 0
	}
	start := way.states[t.slot(first):]
	for b := from; b < to; b++ {
		if j.state != nil {
			copy(start[b*sh:(b+1)*sh], j.state[b*size+at:])
		} else {
			clear(start[b*sh : (b+1)*sh])
		}
	}
	for i := range x.T {
		step, before, after := i, i, i+1
		if p.reversed(d) {
			step, before, after = x.T-1-i, x.T-i, x.T-1-i
		}
		j.step(part, d, step, from, to, way.states[t.slot(before):], way.states[t.slot(after):])
	}
	if j.state != nil {
		end := way.states[t.slot(last):]
		for b := from; b < to; b++ {
			copy(j.state[b*size+at:][:sh], end[b*sh:])
		}
	}
}

// step runs the rows [from, to) of direction d through one step: prev and next
// are the states (B, S·H) before and after.
func (j *forwardJob) step(part, d, step, from, to int, prev, next []float32) {
	p, t, x := j.r.p, j.tape, &j.in
	h, sh, kh := p.Hidden, len(p.layout.State)*p.Hidden, len(p.layout.Tape)*p.Hidden
	lt, layer, own := &t.layers[j.l], &p.layers[j.l*p.Directions()+d], &j.r.scratch[part]
	width := p.Directions() * h
	for b := from; b < to; {
		end, within := x.run(step, b, to)
		n := end - b
		tape := own.tape[:n*kh]
		if t.steps > 0 {
			tape = lt.ways[d].tape[(step*x.B+b)*kh : (step*x.B+end)*kh]
		}
		raw := lt.raw[(step*x.B+b)*width:]
		if within {
			s := &own.step
			*s = Step{N: n, A: own.a[:n*len(layer.bx)], Prev: prev[b*sh : end*sh], Next: next[b*sh : end*sh], Tape: tape}
			layer.input(s.A, x, step*x.B+b, n)
			layer.cell.Forward(s)
			for i := range n {
				copy(raw[i*width+d*h:][:h], s.Next[i*sh:])
			}
		} else {
			copy(next[b*sh:end*sh], prev[b*sh:end*sh])
			clear(tape)
			for i := range n {
				clear(raw[i*width+d*h:][:h])
			}
		}
		b = end
	}
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
