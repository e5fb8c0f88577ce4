package rnn_test

import (
	"fmt"
	"math"

	"sluice/nn"
	"sluice/rnn"
)

// traces is a cell made outside of package rnn: a model for cells of your own.
// It looks at how its activity differs from what it was of late, which two
// leaky traces remember, a fast one and a slow one that follows the fast:
//
//	u  = tanh(x·Wx + bx + h·Wh)
//	d  = σ(decay)
//	f' = d ⊙ f + (1 − d) ⊙ u
//	s' = d ⊙ s + (1 − d) ⊙ f'
//	h' = u + f' − s'
//
// Its state is h, f and s; its parameters are Wh (H, H) and decay (H).
type traces struct{}

func init() { rnn.Register("traces", traces{}) }

// Validate refuses what the cell does not have.
func (traces) Validate(c rnn.Config) error {
	if c.Reset != "" || c.Activation != "" || c.Biases != 1 {
		return fmt.Errorf("traces: reset %q, activation %q, biases %d: want none, none and 1", c.Reset, c.Activation, c.Biases)
	}
	return nil
}

func (traces) Layout(c rnn.Config) rnn.Layout {
	return rnn.Layout{
		Prefix: "traces.", // PyTorch has no such function
		Gates:  []string{"u"},
		State:  []string{"h", "f", "s"},
		Tape:   []string{"u"},
		Back:   1, // the gradient of decay at each step
		Tensors: []nn.Tensor{
			{Name: "weight_hh", Shape: []int{c.Hidden, c.Hidden}},
			{Name: "decay", Shape: []int{c.Hidden}},
		},
	}
}

func (traces) New(c rnn.Config) rnn.Recurrence { return &tracesLayer{h: c.Hidden} }

// tracesLayer is the cell of one layer and direction.
type tracesLayer struct {
	h  int
	wh []float32 // (H, H), one row an output
	d  []float32 // (H) σ(decay)
}

func (l *tracesLayer) Pack(tensors [][]float32) {
	l.wh = append(l.wh[:0], tensors[0]...)
	l.d = l.d[:0]
	for _, v := range tensors[1] {
		l.d = append(l.d, float32(1/(1+math.Exp(-float64(v)))))
	}
}

// Forward runs on several goroutines at once, each over rows of its own. The
// conversions to float32 keep a compiler from fusing a product with a sum, so
// that every processor gives the same bits.
func (l *tracesLayer) Forward(s *rnn.Step) {
	h := l.h
	for n := range s.N {
		a, u := s.A[n*h:(n+1)*h], s.Tape[n*h:(n+1)*h]
		prev, next := s.Prev[n*3*h:(n+1)*3*h], s.Next[n*3*h:(n+1)*3*h]
		for j := range h {
			sum := a[j]
			for k, w := range l.wh[j*h : (j+1)*h] {
				sum += float32(w * prev[k])
			}
			d := l.d[j]
			u[j] = float32(math.Tanh(float64(sum)))
			fast := float32(d*prev[h+j]) + float32((1-d)*u[j])
			slow := float32(d*prev[2*h+j]) + float32((1-d)*fast)
			next[j], next[h+j], next[2*h+j] = u[j]+fast-slow, fast, slow
		}
	}
}

// Backward is Forward's lines from the last to the first. For each the
// gradient of the left is at hand, and goes to all that stands on the right.
func (l *tracesLayer) Backward(s *rnn.Step) {
	h := l.h
	for n := range s.N {
		u, da, dDecay := s.Tape[n*h:(n+1)*h], s.DA[n*h:(n+1)*h], s.Back[n*h:(n+1)*h]
		prev, next := s.Prev[n*3*h:(n+1)*3*h], s.Next[n*3*h:(n+1)*3*h]
		dNext, dPrev := s.DNext[n*3*h:(n+1)*3*h], s.DPrev[n*3*h:(n+1)*3*h]
		clear(dPrev[:h])
		for j := range h {
			d, dh, fast := l.d[j], dNext[j], next[h+j]
			dSlow := dNext[2*h+j] - dh
			dFast := dNext[h+j] + dh + float32((1-d)*dSlow)
			du := dh + float32((1-d)*dFast)
			dd := float32(dSlow*(prev[2*h+j]-fast)) + float32(dFast*(prev[h+j]-u[j]))

			dPrev[h+j], dPrev[2*h+j] = d*dFast, d*dSlow
			dDecay[j] = dd * d * (1 - d)
			da[j] = du * (1 - float32(u[j]*u[j]))
			for k, w := range l.wh[j*h : (j+1)*h] {
				dPrev[k] += float32(da[j] * w)
			}
		}
	}
}

// Gradient gets all steps at once, so that each tensor's gradient is one
// product or one sum, shared by the team.
func (l *tracesLayer) Gradient(team *nn.Team, grads [][]float32, s *rnn.Step) {
	h := l.h
	team.AddOuter(grads[0], nil, h, h, nn.RowMajor(s.DA, h), nn.RowMajor(s.Prev, 3*h), s.N) // dWh += Σ da·hᵀ
	team.AddOuter(nil, grads[1], h, 0, nn.RowMajor(s.Back, h), nn.Matrix{}, s.N)            // ddecay += Σ Back
}
