package rnn

import "sluice/internal/kernel"

// mergeJob makes a layer's outputs of what its directions gave: part is a span
// of rows.
type mergeJob struct {
	how         Merge
	h           int // HSize
	lt          *layerTape
	rows, parts int
}

func (j *mergeJob) Run(part int) {
	from, to := kernel.Span(j.rows, part, j.parts, 1)
	for row := from; row < to; row++ {
		raw := of(j.lt.raw, 2*j.h, row, 1)
		merge(j.how, of(j.lt.out, j.h, row, 1), raw[:j.h], raw[j.h:])
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
