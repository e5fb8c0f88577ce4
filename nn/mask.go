package nn

import "sluice/internal/kernel"

// Mask is the dropout of the rows of a sequence, kept from the way forward to the
// way back. It keeps buffers and serves one caller.
type Mask struct {
	Values []float32 // (steps·rows, width), or locked (rows, width) for each step; empty: nothing is dropped
	random []Random  // (parts)
	job    dropJob
}

// dropJob draws a span of rows of a mask, or multiplies one of x by it into y.
type dropJob struct {
	m           *Mask
	p           float32
	key         Key
	width, rows int // rows of a step
	y, x        []float32
	parts       int
}

// maskAlone is how many floats are masked before others would have begun to help.
const maskAlone = 1 << 13

// Apply sets y to x (steps·rows, width), dropped out with probability p: row b of
// step t by the stream key.At(t, b), or if locked that of step 0. y may be x.
func (m *Mask) Apply(team *Team, y, x []float32, width, rows int, p float32, key Key, locked bool) {
	n := len(x)
	if locked {
		n = min(n, rows*width)
	}
	m.Values = Grow(m.Values, n)
	m.random = Grow(m.random, team.Threads())
	m.do(team, dropJob{m: m, p: p, key: key, width: width, rows: rows}, n)
	m.multiply(team, y, x, width)
}

// Again multiplies x, a gradient, by the mask of Apply, if there was one.
func (m *Mask) Again(team *Team, x []float32, width int) {
	if len(m.Values) > 0 {
		m.multiply(team, x, x, width)
	}
}

func (m *Mask) multiply(team *Team, y, x []float32, width int) {
	m.do(team, dropJob{m: m, width: width, y: y, x: x}, len(x))
}

// do runs a job over n floats.
func (m *Mask) do(team *Team, j dropJob, n int) {
	if j.parts = min(team.Threads(), n/j.width); n < maskAlone {
		j.parts = min(1, j.parts)
	}
	m.job = j
	team.Do(j.parts, &m.job)
	m.job = dropJob{}
}

func (j *dropJob) Run(part int) {
	w, values := j.width, j.m.Values
	if j.x == nil {
		from, to := kernel.Span(len(values)/w, part, j.parts, 1)
		for i := from; i < to; i++ {
			j.m.random[part].Dropout(values[i*w:(i+1)*w], j.p, j.key.At(i/j.rows, i%j.rows))
		}
		return
	}
	from, to := kernel.Span(len(j.x)/w, part, j.parts, 1)
	for i, at := from*w, from*w%len(values); i < to*w; i += w {
		x, y, by := j.x[i:i+w], j.y[i:i+w], values[at:at+w]
		for k, v := range x {
			y[k] = v * by[k]
		}
		if at += w; at == len(values) {
			at = 0
		}
	}
}
