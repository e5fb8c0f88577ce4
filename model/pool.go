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
	d     []float32 // attention: (T) of one row
}

// forward sets z (B, W) from y (T, B, W), with attention by the weights (W).
func (p *pool) forward(z, y, weights []float32, w int, b Batch) {
	p.at, p.alpha = nn.Grow(p.at, b.B*w), nn.Grow(p.alpha, b.T*b.B)
	clear(z[:b.B*w])
	for i := range b.B {
		row, n := z[i*w:(i+1)*w], b.length(i)
		if n == 0 {
			continue
		}
		step := func(t int) []float32 { return y[(t*b.B+i)*w:][:w] }
		switch p.kind {
		case PoolMean:
			for t := range n {
				kernel.AddTo(row, step(t))
			}
			for k := range row {
				row[k] /= float32(n)
			}
		case PoolMax:
			at := p.at[i*w : (i+1)*w]
			copy(row, step(0))
			clear(at)
			for t := 1; t < n; t++ {
				for k, v := range step(t) {
					if v > row[k] {
						row[k], at[k] = v, int32(t)
					}
				}
			}
		case PoolAttention:
			p.attend(row, weights, i, n, b.B, step)
		default:
			copy(row[:p.ahead], step(n-1))
			copy(row[p.ahead:], step(0)[p.ahead:])
		}
	}
}

// attend is the row of sequence i of n steps.
func (p *pool) attend(row, weights []float32, i, n, rows int, step func(t int) []float32) {
	top, sum := math.Inf(-1), 0.0
	for t := range n {
		score := float32(0)
		for k, v := range step(t) {
			score += float32(weights[k] * kernel.Tanh(v))
		}
		p.alpha[t*rows+i] = score
		top = max(top, float64(score))
	}
	for t := range n {
		e := math.Exp(float64(p.alpha[t*rows+i]) - top)
		p.alpha[t*rows+i] = float32(e)
		sum += e
	}
	for t := range n {
		a := &p.alpha[t*rows+i]
		*a = float32(float64(*a) / sum)
		for k, v := range step(t) {
			row[k] += float32(*a * v)
		}
	}
}

// backward sets dy (T, B, W) from dz (B, W) and adds to dWeights (W).
func (p *pool) backward(dWeights, dy, dz, y, weights []float32, w int, b Batch) {
	clear(dy[:b.T*b.B*w])
	for i := range b.B {
		row, n := dz[i*w:(i+1)*w], b.length(i)
		if n == 0 {
			continue
		}
		step := func(t int) []float32 { return dy[(t*b.B+i)*w:][:w] }
		switch p.kind {
		case PoolMean:
			for t := range n {
				for k, v := range row {
					step(t)[k] = v / float32(n)
				}
			}
		case PoolMax:
			for k, t := range p.at[i*w : (i+1)*w] {
				step(int(t))[k] = row[k]
			}
		case PoolAttention:
			p.attendBack(dWeights, row, weights, i, n, b.B, step, func(t int) []float32 { return y[(t*b.B+i)*w:][:w] })
		default:
			copy(step(n - 1)[:p.ahead], row)
			copy(step(0)[p.ahead:], row[p.ahead:])
		}
	}
}

func (p *pool) attendBack(dWeights, row, weights []float32, i, n, rows int, dStep, step func(t int) []float32) {
	p.d = nn.Grow(p.d, n)
	mean := float32(0)
	for t := range n {
		p.d[t] = 0
		for k, v := range step(t) {
			p.d[t] += float32(row[k] * v)
		}
		mean += float32(p.alpha[t*rows+i] * p.d[t])
	}
	for t := range n {
		alpha := p.alpha[t*rows+i]
		score := float32(alpha * (p.d[t] - mean))
		dy := dStep(t)
		for k, v := range step(t) {
			h := kernel.Tanh(v)
			dWeights[k] += float32(score * h)
			dy[k] = float32(alpha*row[k]) + float32(score*weights[k])*(1-float32(h*h))
		}
	}
}

// ahead is how many of the outputs of a stack are those of a direction forward.
func ahead(c rnn.Config) int {
	switch c.Direction {
	case rnn.Backward:
		return 0
	case rnn.Bidirectional:
		return c.Hidden
	}
	return c.OutputSize()
}
