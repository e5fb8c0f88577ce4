package rnn

import (
	"fmt"
	"math"

	"sluice/internal/kernel"
	"sluice/nn"
)

// Backward runs back over what Forward left on the tape, and spends it. Given
// dy (T, B, OutputSize), what lies past a length ignored, it adds the gradients
// of the parameters to g, a flat vector with the layout of Params, or leaves them
// out where g is nil, and sets dx (T, B, X), or leaves it out where dx is nil, as
// it must be for IDs; after Fold it adds to dx (V, X) the gradient of the table
// that IDs are rows of, for which it wants g. dState (B, StateSize) holds the
// gradient of the final states and is set to that of the initial ones; nil takes
// the former as zero and leaves out the latter.
func (r *Runner) Backward(g, dx, dy, dState []float32, tape *Tape) {
	p, x := r.p, tape.x
	if !p.precision.Trains() {
		panic(fmt.Sprintf("rnn: Backward: weights packed as %v serve inference alone, want float32 or mixed", p.precision))
	}
	if tape.packed != p || !tape.filled || x.IDs != nil && !same(tape.table, p.table) {
		panic("rnn: Backward: the tape is not one that Forward of this network has filled")
	}
	if g != nil {
		checkLen("Backward", "g", len(g), p.params)
	}
	checkLen("Backward", "dy", len(dy), x.T*x.B*p.OutputSize())
	if dx != nil {
		want := len(x.Data)
		if p.folds(&x) {
			want = len(p.table)
			if g == nil {
				panic("rnn: Backward: dx of a table and no g, want both or neither")
			}
		}
		checkLen("Backward", "dx", len(dx), want)
	}
	if dState != nil {
		checkLen("Backward", "dState", len(dState), x.B*p.stateSize)
	}
	tape.filled = false
	r.views(g)
	for l := p.Layers - 1; l >= 0; l-- {
		in, dIn := x, dx
		if l > 0 {
			in = Sequence{T: x.T, B: x.B, F: p.OutputSize(), Lengths: x.Lengths, Data: tape.layers[l-1].out}
			r.dOut[l%2] = nn.Grow(r.dOut[l%2], len(in.Data))
			dIn = r.dOut[l%2]
		}
		if !p.folds(&in) {
			clear(dIn)
		}
		r.layerBack(l, in, dIn, r.unmerge(&tape.layers[l], dy, x.T*x.B), dState, tape)
		if l > 0 {
			tape.layers[l-1].mask.Again(r.team, dIn, p.OutputSize())
		}
		dy = dIn
	}
}

// views points grads at the tensors of the flat g, in the order of the
// network's. There are none of nil.
func (r *Runner) views(g []float32) {
	r.grads = r.grads[:0]
	if g == nil {
		return
	}
	for _, n := range r.p.sizes {
		r.grads = append(r.grads, g[:n:n])
		g = g[n:]
	}
}

// unmerge is the gradient (T·B, D·HSize) of the directions' outputs.
func (r *Runner) unmerge(lt *layerTape, dy []float32, rows int) []float32 {
	h := r.p.HSize()
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

// layerBack runs both directions of layer l back, then adds up the gradients
// of their weights over all steps at once.
func (r *Runner) layerBack(l int, in Sequence, dIn, dRaw, dState []float32, tape *Tape) {
	p, n := r.p, in.T*in.B
	for _, way := range tape.layers[l].ways {
		way.fitBack(r.team)
	}
	s := r.split(in.B)
	r.alone.Store(math.MaxInt64)
	r.back = backwardJob{r, l, s, in, dRaw, dState, tape}
	r.do(s, in.B, &r.back)
	r.back = backwardJob{}
	if n == 0 || len(r.grads) == 0 && len(dIn) == 0 {
		return
	}
	r.input(in)
	for d, way := range tape.layers[l].ways {
		if part := p.parts[l*p.Directions()+d]; len(r.grads) > 0 {
			before := tape.slot(0)
			if p.reversed(d) {
				before = tape.slot(1)
			}
			way.gradient(r.team, r.grads[part.from:part.to], &r.x, before)
		}
		if len(dIn) > 0 { // not so for one-hot IDs
			way.dx(r.team, dIn, &r.x)
		}
	}
}

// same says whether a and b are one slice.
func same(a, b []float32) bool { return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0]) }

// folds says whether IDs of x are rows of a table.
func (p *Packed) folds(x *Sequence) bool { return x.IDs != nil && p.table != nil }

// input makes x of in: a copy in which nothing stands past a length.
func (r *Runner) input(in Sequence) {
	x := &r.x
	x.rows, x.symbols, x.folded = in.T*in.B, in.F, r.p.folds(&in)
	if in.IDs == nil {
		x.ids, x.blocks = nil, x.blocks.Grow(x.rows, in.F)
		r.team.ToBlocks(x.blocks, kernel.RowMajor(in.Data, in.F), in.F, x.rows)
		for i := 0; in.Lengths != nil && i < x.rows; i++ {
			if i/in.B >= in.Lengths[i%in.B] {
				x.blocks.ClearRow(i, in.F)
			}
		}
		return
	}
	r.ids = append(r.ids[:0], in.IDs...)
	x.ids = r.ids
	for i := range x.ids {
		if in.Lengths != nil && i/in.B >= in.Lengths[i%in.B] {
			x.ids[i] = 0
		}
	}
	if x.folded {
		x.blocks = x.blocks.Grow(in.F, r.p.Input)
		r.team.ToBlocks(x.blocks, kernel.RowMajor(r.p.table, r.p.Input), r.p.Input, in.F)
	}
}

// backwardJob runs a layer back: part = direction · parts + part of that.
type backwardJob struct {
	r      *Runner
	l      int
	split  split
	in     Sequence
	dRaw   []float32
	dState []float32 // (B, StateSize), may be nil
	tape   *Tape
}

func (j *backwardJob) Run(part int) {
	p, x := j.r.p, &j.in
	w := j.r.walk(j.l, part, j.split, x, j.tape)
	own := p.own(j.l, w.d)
	for b := w.rows.from; b < w.rows.to; b++ {
		w.way.loadBack(own.in(j.dState, b), b, w.u)
	}
	for i := 0; i < x.T && w.goesOn(i); i++ {
		t := x.T - 1 - i
		if w.reversed {
			t = i
		}
		for phase := range w.phases.backward {
			if phase > 0 {
				w.meet()
			}
			w.stretches(t, func(s stretch, within bool) {
				if within {
					w.way.backward(phase, j.dRaw[(t*x.B+s.b)*w.width+w.d*p.HSize():], w.width, s, w.u)
				} else {
					w.way.skip(s, w.u)
				}
			})
			if phase == w.phases.backward-2 {
				w.look(i)
			}
		}
	}
	for b := w.rows.from; b < w.rows.to && j.dState != nil && !w.gone; b++ {
		w.way.storeBack(own.in(j.dState, b), b, w.u)
	}
}
