package model

import (
	"sluice/internal/kernel"
	"sluice/nn"
)

// mask is the dropout of rows, kept from the way forward to the way back.
type mask struct {
	values []float32   // (rows, width), or of the rows of one step, for all: nothing is dropped where it is empty
	random []nn.Random // (parts)
	job    maskJob
}

// maskJob draws a span of rows of a mask, or multiplies one of x by it into y.
type maskJob struct {
	m           *mask
	p           float32
	key         nn.Key
	width, rows int // rows of a step
	y, x        []float32
	parts       int
}

// maskAlone is how many floats are masked before others would have begun to help.
const maskAlone = 1 << 13

// apply sets y to x (steps·rows, width), masked: a row of a step from its own
// stream, or if locked from that of step 0. y may be x.
func (m *mask) apply(team *nn.Team, y, x []float32, width, rows int, p float32, key nn.Key, locked bool) {
	n := len(x)
	if locked {
		n = min(n, rows*width)
	}
	m.values = nn.Grow(m.values, n)
	m.random = nn.Grow(m.random, team.Threads())
	m.do(team, maskJob{m: m, p: p, key: key, width: width, rows: rows}, n)
	m.multiply(team, y, x, width)
}

// again multiplies x by the mask of apply, if there was one.
func (m *mask) again(team *nn.Team, x []float32, width int) {
	if len(m.values) > 0 {
		m.multiply(team, x, x, width)
	}
}

func (m *mask) multiply(team *nn.Team, y, x []float32, width int) {
	m.do(team, maskJob{m: m, width: width, y: y, x: x}, len(x))
}

// do runs a job over n floats.
func (m *mask) do(team *nn.Team, j maskJob, n int) {
	if j.parts = min(team.Threads(), n/j.width); n < maskAlone {
		j.parts = min(1, j.parts)
	}
	m.job = j
	team.Do(j.parts, &m.job)
	m.job = maskJob{}
}

func (j *maskJob) Run(part int) {
	w, values := j.width, j.m.values
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
