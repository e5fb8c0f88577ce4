package rnn

import (
	"sluice/internal/kernel"
	"sluice/nn"
)

// Backward runs back over what Forward left on the tape. Given dy (T, B,
// OutputSize), what lies past a length ignored, it adds the gradients of the
// parameters to g, a flat vector with the layout of Params, and sets dx (T, B,
// X), or leaves it out where dx is nil, as it must be for IDs. dState (B,
// StateSize) holds the gradient of the final states and is set to that of the
// initial ones; nil takes the former as zero and leaves out the latter.
func (r *Runner) Backward(g, dx, dy, dState []float32, tape *Tape) {
	p, x := r.p, tape.x
	if tape.config != p.Config {
		panic("rnn: Backward: the tape is not one that Forward of this network has filled")
	}
	checkLen("Backward", "g", len(g), p.params)
	checkLen("Backward", "dy", len(dy), x.T*x.B*p.OutputSize())
	if dx != nil {
		checkLen("Backward", "dx", len(dx), len(x.Data))
	}
	if dState != nil {
		checkLen("Backward", "dState", len(dState), x.B*p.stateSize)
	}
	tape.fitBack(p)
	r.views(g)
	for l := p.Layers - 1; l >= 0; l-- {
		in, dIn := x, dx
		if l > 0 {
			in = Sequence{T: x.T, B: x.B, F: p.OutputSize(), Lengths: x.Lengths, Data: tape.layers[l-1].out}
			r.dOut[l%2] = nn.Grow(r.dOut[l%2], len(in.Data))
			dIn = r.dOut[l%2]
		}
		clear(dIn)
		dRaw := r.unmerge(&tape.layers[l], dy, x.T*x.B)
		for d := range p.Directions() {
			r.direction(l, d, in, dIn, dRaw, dState, tape)
		}
		if l > 0 && len(tape.layers[l-1].mask) > 0 {
			multiply(dIn, tape.layers[l-1].mask)
		}
		dy = dIn
	}
}

// views points grads at the tensors of the flat g, in the order of the
// network's.
func (r *Runner) views(g []float32) {
	r.grads = r.grads[:0]
	for _, n := range r.p.sizes {
		r.grads = append(r.grads, g[:n:n])
		g = g[n:]
	}
}

// unmerge is the gradient (T·B, D·H) of the directions' outputs.
func (r *Runner) unmerge(lt *layerTape, dy []float32, rows int) []float32 {
	h := r.p.Hidden
	if r.p.OutputSize() == r.p.Directions()*h {
		return dy
	}
	r.dRaw = nn.Grow(r.dRaw, rows*2*h)
	for i := range rows {
		raw, dRaw := lt.raw[i*2*h:(i+1)*2*h], r.dRaw[i*2*h:(i+1)*2*h]
		unmerge(r.p.Merge, dRaw[:h], dRaw[h:], dy[i*h:(i+1)*h], raw[:h], raw[h:])
	}
	return r.dRaw
}

// direction runs direction d of layer l back, then adds up the gradients of
// its weights over all steps at once.
func (r *Runner) direction(l, d int, in Sequence, dIn, dRaw, dState []float32, tape *Tape) {
	p := r.p
	i := l*p.Directions() + d
	layer, way, back, n := &p.layers[i], &tape.layers[l].ways[d], &tape.back[i], in.T*in.B
	sh := len(p.layout.State) * p.Hidden
	r.dState = nn.Grow(r.dState, in.B*sh)
	spans := r.spans(in.B)
	r.parts(spans, spans, in.B)
	r.back = backwardJob{r, l, d, spans, in, dIn, dRaw, dState, tape}
	r.team.Do(spans, &r.back)
	r.back = backwardJob{}
	if n == 0 {
		return
	}
	grads := r.grads[p.parts[i].from:p.parts[i].to]
	gh := len(layer.bx)
	if in.IDs != nil {
		r.scatter = scatterJob{grads[0], back.da, &tape.x, gh, r.spans(gh)}
		r.team.Do(r.scatter.parts, &r.scatter)
		r.scatter = scatterJob{}
		r.team.AddOuter(nil, grads[1], gh, in.F, back.da, gh, nil, in.F, n)
	} else {
		r.team.AddOuter(grads[0], grads[1], gh, in.F, back.da, gh, in.Data, in.F, n)
	}
	before, after := way.states[:n*sh], way.states[in.B*sh:(in.T+1)*in.B*sh]
	if p.reversed(d) {
		before, after = after, before
	}
	s := &r.scratch[0].step
	*s = Step{N: n, Prev: before, Next: after, Tape: way.tape, DA: back.da, Back: back.back}
	layer.cell.Gradient(r.team, grads[2:], s)
}

// backwardJob runs one direction of one layer back: part is a span of rows.
type backwardJob struct {
	r           *Runner
	l, d, spans int
	in          Sequence
	dIn, dRaw   []float32
	dStart      []float32 // (B, StateSize), may be nil
	tape        *Tape
}

func (j *backwardJob) Run(part int) {
	p, x, carried := j.r.p, &j.in, j.r.dState
	from, to := kernel.Span(x.B, part, j.spans, 1)
	sh := len(p.layout.State) * p.Hidden
	size, at := p.stateSize, (j.l*p.Directions()+j.d)*sh
	for b := from; b < to; b++ {
		if j.dStart != nil {
			copy(carried[b*sh:(b+1)*sh], j.dStart[b*size+at:])
		} else {
			clear(carried[b*sh : (b+1)*sh])
		}
	}
	for i := range x.T {
		step := x.T - 1 - i
		if p.reversed(j.d) {
			step = i
		}
		for b := from; b < to; {
			end, within := x.run(step, b, to)
			j.step(&j.r.scratch[part], step, b, end, within)
			b = end
		}
	}
	if j.dStart != nil {
		for b := from; b < to; b++ {
			copy(j.dStart[b*size+at:][:sh], carried[b*sh:])
		}
	}
}

// step runs the rows [b, end) back through one step.
func (j *backwardJob) step(own *scratch, step, b, end int, within bool) {
	p, x, t := j.r.p, &j.in, j.tape
	i := j.l*p.Directions() + j.d
	layer, way, back := &p.layers[i], &t.layers[j.l].ways[j.d], &t.back[i]
	h, n, row := p.Hidden, end-b, step*x.B+b
	sh, kh, gh, wh := len(p.layout.State)*h, len(p.layout.Tape)*h, len(layer.bx), p.layout.Back*h
	da, work := back.da[row*gh:(row+n)*gh], back.back[row*wh:(row+n)*wh]
	if !within {
		clear(da)
		clear(work)
		return
	}
	before, after := way.states[t.slot(step):], way.states[t.slot(step+1):]
	if p.reversed(j.d) {
		before, after = after, before
	}
	carried, width := j.r.dState[b*sh:end*sh], p.Directions()*h
	next := own.next[:n*sh]
	copy(next, carried)
	for k := range n {
		dy := j.dRaw[(row+k)*width+j.d*h:][:h]
		dh := next[k*sh:][:h]
		for m, v := range dy {
			dh[m] += v
		}
	}
	s := &own.step
	*s = Step{
		N: n, Prev: before[b*sh : end*sh], Next: after[b*sh : end*sh], Tape: way.tape[row*kh : (row+n)*kh],
		DNext: next, DPrev: carried, DA: da, Back: work,
	}
	layer.cell.Backward(s)
	if len(j.dIn) > 0 { // not so for IDs
		layer.back.MulAdd(j.dIn[row*x.F:], x.F, da, gh, n)
	}
}

// scatterJob adds da (T·B, G·H) to the columns of dw (G·H, X) that the IDs
// name: part is a span of dw's rows.
type scatterJob struct {
	dw, da    []float32
	x         *Sequence
	gh, parts int
}

func (j *scatterJob) Run(part int) {
	const block = 16 // rows of dw that stay in cache while all of da's columns pass
	from, to := kernel.Span(j.gh, part, j.parts, block)
	for ; from < to; from += block {
		last := min(to, from+block)
		for row, id := range j.x.IDs {
			if j.x.Lengths != nil && row/j.x.B >= j.x.Lengths[row%j.x.B] {
				continue
			}
			for g, v := range j.da[row*j.gh+from : row*j.gh+last] {
				j.dw[(from+g)*j.x.F+int(id)] += v
			}
		}
	}
}
