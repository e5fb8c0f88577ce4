package rnn

import (
	"sluice/internal/kernel"
	"sluice/nn"
)

// mergeJob makes a layer's outputs of what its directions gave: part is a span
// of steps.
type mergeJob struct {
	p              *Packed
	l, t, b, parts int
	lt             *layerTape
	dropout        *nn.Key
	random         []nn.Random // (parts)
}

func (j *mergeJob) Run(part int) {
	from, to := kernel.Span(j.t, part, j.parts, 1)
	h, width := j.p.Hidden, j.p.OutputSize()
	for row := from * j.b; row < to*j.b; row++ {
		out := j.lt.out[row*width : (row+1)*width]
		if width != j.p.Directions()*h {
			raw := j.lt.raw[row*2*h : (row+1)*2*h]
			merge(j.p.Merge, out, raw[:h], raw[h:])
		}
		if len(j.lt.mask) > 0 {
			mask := of(j.lt.mask, width, row%(len(j.lt.mask)/width), 1)
			if !j.p.Locked {
				key := j.dropout.At(row/j.b, row%j.b)
				key.Layer = uint64(j.l)
				j.random[part].Dropout(mask, float32(j.p.Dropout), key)
			}
			multiply(out, mask)
		}
	}
}

// masked multiplies x by mask, again and again where that of a step is of all.
func masked(x, mask []float32) {
	for ; len(x) > 0 && len(mask) > 0; x = x[len(mask):] {
		multiply(x, mask)
	}
}

func multiply(x, by []float32) {
	for i, v := range by {
		x[i] *= v
	}
}

// merge sets y to what a and b become, each (H).
func merge(how Merge, y, a, b []float32) {
	switch how {
	case Sum:
		for i, v := range a {
			y[i] = v + b[i]
		}
	case Average:
		for i, v := range a {
			y[i] = (v + b[i]) / 2
		}
	case Multiply:
		for i, v := range a {
			y[i] = v * b[i]
		}
	}
}

// unmerge sets da and db, the gradients of a and b, from dy, each (H).
func unmerge(how Merge, da, db, dy, a, b []float32) {
	switch how {
	case Sum:
		copy(da, dy)
		copy(db, dy)
	case Average:
		for i, v := range dy {
			da[i], db[i] = v/2, v/2
		}
	case Multiply:
		for i, v := range dy {
			da[i], db[i] = v*b[i], v*a[i]
		}
	}
}
