package model

import (
	"math"

	"sluice/internal/kernel"
	"sluice/nn"
	"sluice/rnn"
)

// What the head of a classification reads of a sequence's outputs.
const (
	PoolLast      = "last"      // the last output of each direction: that of the backward one is at the first step
	PoolMean      = "mean"      // of all steps
	PoolMax       = "max"       // of all steps, unit by unit
	PoolAttention = "attention" // Σ α·y over all steps, with α = softmax(w·tanh(y)) over the steps (Zhou et al. 2016)
)

// pool makes one row of the outputs of each sequence, that of one without steps
// zero. It keeps what the way back needs.
type pool struct {
	kind  string
	ahead int       // of PoolLast: so many units read forward, the others backward
	at    []int32   // max: (B, W) the step
	alpha []float32 // attention: (T, B)
	tanh  []float32 // attention: (T, B, W) of the outputs, each row padded to whole blocks
	d     []float32 // attention: (T, B) the gradient of alpha
	dw    []float32 // attention: (B, W) what each row adds to the gradient of the weights
	job   poolJob
}

// poolJob is a span of the rows of a minibatch.
type poolJob struct {
	p       *pool
	z, dz   []float32 // (B, W); dz: on the way back
	y, dy   []float32 // (T, B, W)
	weights []float32 // (W) of attention
	w, pad  int       // pad: the width of a row of tanh
	b       Batch
	back    bool
	parts   int
}

// poolAlone is how many floats are pooled before others would have begun to help.
const poolAlone = 1 << 13

// forward sets z (B, W) from y (T, B, W), with attention by the weights (W).
func (p *pool) forward(team *nn.Team, z, y, weights []float32, w int, b Batch) {
	j := poolJob{z: z, y: y, weights: weights, w: w}
	switch p.kind {
	case PoolMax:
		p.at = nn.Grow(p.at, b.B*w)
	case PoolAttention:
		p.alpha, p.tanh = nn.Grow(p.alpha, b.T*b.B), nn.Grow(p.tanh, kernel.BlocksLen(b.T*b.B, w))
	}
	p.do(team, j, b)
}

// backward sets dy (T, B, W) from dz (B, W) and adds to dWeights (W).
func (p *pool) backward(team *nn.Team, dWeights, dy, dz, y, weights []float32, w int, b Batch) {
	if p.kind == PoolAttention {
		p.d, p.dw = nn.Grow(p.d, b.T*b.B), nn.Grow(p.dw, b.B*w)
	}
	p.do(team, poolJob{dz: dz, y: y, dy: dy, weights: weights, w: w, back: true}, b)
	if p.kind == PoolAttention {
		for i := range b.B {
			kernel.AddTo(dWeights, p.dw[i*w:(i+1)*w])
		}
	}
}

func (p *pool) do(team *nn.Team, j poolJob, b Batch) {
	j.p, j.b, j.pad = p, b, kernel.BlocksLen(1, j.w)
	if j.parts = min(team.Threads(), b.B); b.T*b.B*j.w < poolAlone {
		j.parts = min(1, j.parts)
	}
	p.job = j
	team.Do(j.parts, &p.job)
	p.job = poolJob{}
}

func (j *poolJob) Run(part int) {
	from, to := kernel.Span(j.b.B, part, j.parts, 1)
	for i := from; i < to; i++ {
		if j.back {
			j.backward(i, j.b.length(i))
		} else {
			j.forward(i, j.b.length(i))
		}
	}
}

// step is step t of row i of x (T, B, W).
func (j *poolJob) step(x []float32, t, i int) []float32 { return x[(t*j.b.B+i)*j.w:][:j.w] }

// tanh is that of step t of row i.
func (j *poolJob) tanh(t, i int) []float32 { return j.p.tanh[(t*j.b.B+i)*j.pad:][:j.pad] }

// forward is row i of n steps.
func (j *poolJob) forward(i, n int) {
	row := j.z[i*j.w : (i+1)*j.w]
	if clear(row); n == 0 {
		return
	}
	switch j.p.kind {
	case PoolMean:
		for t := range n {
			kernel.AddTo(row, j.step(j.y, t, i))
		}
		for k := range row {
			row[k] /= float32(n)
		}
	case PoolMax:
		at := j.p.at[i*j.w : (i+1)*j.w]
		copy(row, j.step(j.y, 0, i))
		clear(at)
		for t := 1; t < n; t++ {
			for k, v := range j.step(j.y, t, i) {
				if v > row[k] {
					row[k], at[k] = v, int32(t)
				}
			}
		}
	case PoolAttention:
		j.attend(row, i, n)
	default:
		copy(row[:j.p.ahead], j.step(j.y, n-1, i))
		copy(row[j.p.ahead:], j.step(j.y, 0, i)[j.p.ahead:])
	}
}

func (j *poolJob) attend(row []float32, i, n int) {
	top, sum := math.Inf(-1), 0.0
	for t := range n {
		h := j.tanh(t, i)
		clear(h[copy(h, j.step(j.y, t, i)):])
		kernel.TanhForward(h, h, len(h)/kernel.Wide)
		score := float32(0)
		for k, w := range j.weights {
			score += float32(w * h[k])
		}
		j.p.alpha[t*j.b.B+i] = score
		top = max(top, float64(score))
	}
	for t := range n {
		e := math.Exp(float64(j.p.alpha[t*j.b.B+i]) - top)
		j.p.alpha[t*j.b.B+i] = float32(e)
		sum += e
	}
	for t := range n {
		a := &j.p.alpha[t*j.b.B+i]
		*a = float32(float64(*a) / sum)
		for k, v := range j.step(j.y, t, i) {
			row[k] += float32(*a * v)
		}
	}
}

// backward is row i of n steps.
func (j *poolJob) backward(i, n int) {
	row := j.dz[i*j.w : (i+1)*j.w]
	for t := range j.b.T {
		clear(j.step(j.dy, t, i))
	}
	switch {
	case j.p.kind == PoolAttention:
		j.attendBack(row, i, n)
	case n == 0:
	case j.p.kind == PoolMean:
		for t := range n {
			dy := j.step(j.dy, t, i)
			for k, v := range row {
				dy[k] = v / float32(n)
			}
		}
	case j.p.kind == PoolMax:
		for k, t := range j.p.at[i*j.w : (i+1)*j.w] {
			j.step(j.dy, int(t), i)[k] = row[k]
		}
	default:
		copy(j.step(j.dy, n-1, i)[:j.p.ahead], row)
		copy(j.step(j.dy, 0, i)[j.p.ahead:], row[j.p.ahead:])
	}
}

func (j *poolJob) attendBack(row []float32, i, n int) {
	mean := float32(0)
	for t := range n {
		d := float32(0)
		for k, v := range j.step(j.y, t, i) {
			d += float32(row[k] * v)
		}
		j.p.d[t*j.b.B+i] = d
		mean += float32(j.p.alpha[t*j.b.B+i] * d)
	}
	dw := j.p.dw[i*j.w : (i+1)*j.w]
	clear(dw)
	for t := range n {
		alpha := j.p.alpha[t*j.b.B+i]
		score := float32(alpha * (j.p.d[t*j.b.B+i] - mean))
		h, dy := j.tanh(t, i), j.step(j.dy, t, i)
		for k, w := range j.weights {
			dw[k] += float32(score * h[k])
			dy[k] = float32(alpha*row[k]) + float32(float32(score*w)*(1-float32(h[k]*h[k])))
		}
	}
}

// ahead is how many of the outputs of a stack are those of a direction forward.
func ahead(c rnn.Config) int {
	switch c.Direction {
	case rnn.Backward:
		return 0
	case rnn.Bidirectional:
		return c.HSize()
	}
	return c.OutputSize()
}
