package rnn

import (
	"sluice/internal/kernel"
	"sluice/nn"
)

// lstm is the long short-term memory; its state is h, then c.
type lstm struct{}

func (lstm) Validate(c Config) error {
	if err := oneOf("reset", c.Reset, ""); err != nil {
		return err
	}
	return oneOf("activation", c.Activation, "")
}

func (lstm) Layout(c Config) Layout {
	return recurrent(c, Layout{
		Gates: []string{"i", "f", "g", "o"},
		State: []string{"h", "c"},
		Tape:  []string{"i", "f", "g", "o", "tanh_c"},
	})
}

func (lstm) New(c Config) Recurrence { return &lstmWeights{newWeights(c, 4)} }

type lstmWeights struct{ weights }

// blocks is vector i of a row of vectors of h floats.
func blocks(row []float32, i, h int) []float32 { return row[i*h : (i+1)*h : (i+1)*h] }

func (w *lstmWeights) Forward(s *Step) {
	h := w.h
	w.forward.MulAdd(s.A, 4*h, s.Prev, 2*h, s.N)
	for n := range s.N {
		a, tape, next := s.A[n*4*h:(n+1)*4*h], s.Tape[n*5*h:(n+1)*5*h], s.Next[n*2*h:(n+1)*2*h]
		for j, b := range w.bh {
			tape[j] = a[j] + b
		}
		kernel.Sigmoids(tape[:2*h])
		kernel.Tanhs(tape[2*h : 3*h])
		kernel.Sigmoids(tape[3*h : 4*h])
		i, f, g, o, tc := blocks(tape, 0, h), blocks(tape, 1, h), blocks(tape, 2, h), blocks(tape, 3, h), blocks(tape, 4, h)
		hNext, c, cPrev := next[:h], next[h:], s.Prev[n*2*h+h:(n+1)*2*h]
		for j := range tc {
			v := float32(f[j]*cPrev[j]) + float32(i[j]*g[j])
			c[j] = v
			tc[j] = kernel.Tanh(v)
			hNext[j] = o[j] * tc[j]
		}
	}
}

func (w *lstmWeights) Backward(s *Step) {
	h := w.h
	for n := range s.N {
		tape, da := s.Tape[n*5*h:(n+1)*5*h], s.DA[n*4*h:(n+1)*4*h]
		i, f, g, o, tc := blocks(tape, 0, h), blocks(tape, 1, h), blocks(tape, 2, h), blocks(tape, 3, h), blocks(tape, 4, h)
		di, df, dg, do := blocks(da, 0, h), blocks(da, 1, h), blocks(da, 2, h), blocks(da, 3, h)
		cPrev, dNext, dPrev := s.Prev[n*2*h+h:(n+1)*2*h], s.DNext[n*2*h:(n+1)*2*h], s.DPrev[n*2*h:(n+1)*2*h]
		for j := range tc {
			dh := dNext[j]
			dc := dNext[h+j] + float32(float32(dh*o[j])*(1-float32(tc[j]*tc[j])))
			di[j] = float32(dc*g[j]) * i[j] * (1 - i[j])
			df[j] = float32(dc*cPrev[j]) * f[j] * (1 - f[j])
			dg[j] = float32(dc*i[j]) * (1 - float32(g[j]*g[j]))
			do[j] = float32(dh*tc[j]) * o[j] * (1 - o[j])
			dPrev[j], dPrev[h+j] = 0, dc*f[j]
		}
	}
	w.back.MulAdd(s.DPrev, 2*h, s.DA, 4*h, s.N)
}

func (w *lstmWeights) Gradient(team *nn.Team, grads [][]float32, s *Step) {
	h := w.h
	team.AddOuter(grads[0], biasOf(grads), 4*h, h, s.DA, 4*h, s.Prev, 2*h, s.N)
}
