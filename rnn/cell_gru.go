package rnn

import (
	"sluice/internal/kernel"
	"sluice/nn"
)

// gru is the gated recurrent unit in both reset variants.
type gru struct{}

func (gru) Validate(c Config) error {
	if err := oneOf("activation", c.Activation, ""); err != nil {
		return err
	}
	return oneOf("reset", c.Reset, ResetBefore, ResetAfter)
}

func (gru) Layout(c Config) Layout {
	l := Layout{Gates: []string{"r", "z", "n"}, State: []string{"h"}, Back: 1}
	if c.Reset == ResetBefore {
		l.Prefix, l.Tape = "reset_before.", []string{"r", "z", "n", "reset_h"} // r ⊙ h
	} else {
		l.Tape = []string{"r", "z", "n", "h_n"} // h·Whn + bhn
	}
	return recurrent(c, l)
}

func (gru) New(c Config) Recurrence {
	if c.Reset == ResetBefore {
		return &gruBefore{newWeights(c, 3)}
	}
	return &gruAfter{newWeights(c, 3)}
}

// resetUpdate sets r and z, the first two vectors of each row of the tape.
func (w *weights) resetUpdate(s *Step) {
	h := w.h
	w.forward.Outputs(0, 2*h).MulAdd(s.A, 3*h, s.Prev, h, s.N)
	for n := range s.N {
		a, tape := s.A[n*3*h:], s.Tape[n*4*h:]
		for j, b := range w.bh[:2*h] {
			tape[j] = a[j] + b
		}
		kernel.Sigmoids(tape[:2*h])
	}
}

// next sets n, the third vector of each row of the tape, from the last one of
// A, and then the state.
func (w *weights) next(s *Step) {
	h := w.h
	for i := range s.N {
		a, tape := s.A[i*3*h+2*h:(i+1)*3*h], s.Tape[i*4*h:(i+1)*4*h]
		z, n, prev, next := blocks(tape, 1, h), blocks(tape, 2, h), blocks(s.Prev, i, h), blocks(s.Next, i, h)
		for j := range n {
			v := kernel.Tanh(a[j])
			n[j] = v
			next[j] = float32(z[j]*prev[j]) + float32((1-z[j])*v)
		}
	}
}

type gruAfter struct{ weights }

func (w *gruAfter) Forward(s *Step) {
	h := w.h
	w.resetUpdate(s)
	for n := range s.N {
		copy(s.Tape[n*4*h+3*h:(n+1)*4*h], w.bh[2*h:])
	}
	w.forward.Outputs(2*h, 3*h).MulAdd(s.Tape[3*h:], 4*h, s.Prev, h, s.N)
	for n := range s.N {
		a, tape := s.A[n*3*h+2*h:(n+1)*3*h], s.Tape[n*4*h:(n+1)*4*h]
		r, hn := blocks(tape, 0, h), blocks(tape, 3, h)
		for j, v := range hn {
			a[j] += float32(r[j] * v)
		}
	}
	w.next(s)
}

func (w *gruAfter) Backward(s *Step) {
	h := w.h
	for n := range s.N {
		tape, da := s.Tape[n*4*h:(n+1)*4*h], s.DA[n*3*h:(n+1)*3*h]
		r, z, cand, hn := blocks(tape, 0, h), blocks(tape, 1, h), blocks(tape, 2, h), blocks(tape, 3, h)
		dr, dz, dn, dhn := blocks(da, 0, h), blocks(da, 1, h), blocks(da, 2, h), blocks(s.Back, n, h)
		prev, dNext, dPrev := blocks(s.Prev, n, h), blocks(s.DNext, n, h), blocks(s.DPrev, n, h)
		for j := range cand {
			d := dNext[j]
			dz[j] = float32(d*(prev[j]-cand[j])) * z[j] * (1 - z[j])
			v := float32(d*(1-z[j])) * (1 - float32(cand[j]*cand[j]))
			dn[j] = v
			dhn[j] = v * r[j]
			dr[j] = float32(v*hn[j]) * r[j] * (1 - r[j])
			dPrev[j] = d * z[j]
		}
	}
	w.back.Inputs(0, 2*h).MulAdd(s.DPrev, h, s.DA, 3*h, s.N)
	w.back.Inputs(2*h, 3*h).MulAdd(s.DPrev, h, s.Back, h, s.N)
}

func (w *gruAfter) Gradient(team *nn.Team, grads [][]float32, s *Step) {
	h, db, dbn := w.h, biasOf(grads), []float32(nil)
	if db != nil {
		db, dbn = db[:2*h], db[2*h:]
	}
	team.AddOuter(grads[0][:2*h*h], db, 2*h, h, s.DA, 3*h, s.Prev, h, s.N)
	team.AddOuter(grads[0][2*h*h:], dbn, h, h, s.Back, h, s.Prev, h, s.N)
}

type gruBefore struct{ weights }

func (w *gruBefore) Forward(s *Step) {
	h := w.h
	w.resetUpdate(s)
	for n := range s.N {
		tape, prev := s.Tape[n*4*h:(n+1)*4*h], blocks(s.Prev, n, h)
		r, rh := blocks(tape, 0, h), blocks(tape, 3, h)
		for j, v := range prev {
			rh[j] = r[j] * v
		}
	}
	w.forward.Outputs(2*h, 3*h).MulAdd(s.A[2*h:], 3*h, s.Tape[3*h:], 4*h, s.N)
	for n := range s.N {
		a := s.A[n*3*h+2*h : (n+1)*3*h]
		for j, b := range w.bh[2*h:] {
			a[j] += b
		}
	}
	w.next(s)
}

func (w *gruBefore) Backward(s *Step) {
	h := w.h
	for n := range s.N {
		tape, da := s.Tape[n*4*h:(n+1)*4*h], s.DA[n*3*h:(n+1)*3*h]
		z, cand, dz, dn := blocks(tape, 1, h), blocks(tape, 2, h), blocks(da, 1, h), blocks(da, 2, h)
		prev, dNext, dPrev := blocks(s.Prev, n, h), blocks(s.DNext, n, h), blocks(s.DPrev, n, h)
		for j := range cand {
			d := dNext[j]
			dz[j] = float32(d*(prev[j]-cand[j])) * z[j] * (1 - z[j])
			dn[j] = float32(d*(1-z[j])) * (1 - float32(cand[j]*cand[j]))
			dPrev[j] = d * z[j]
		}
	}
	clear(s.Back) // the gradient of r ⊙ h
	w.back.Inputs(2*h, 3*h).MulAdd(s.Back, h, s.DA[2*h:], 3*h, s.N)
	for n := range s.N {
		r, dr, drh := s.Tape[n*4*h:n*4*h+h], s.DA[n*3*h:n*3*h+h], blocks(s.Back, n, h)
		prev, dPrev := blocks(s.Prev, n, h), blocks(s.DPrev, n, h)
		for j, d := range drh {
			dr[j] = float32(d*prev[j]) * r[j] * (1 - r[j])
			dPrev[j] += float32(d * r[j])
		}
	}
	w.back.Inputs(0, 2*h).MulAdd(s.DPrev, h, s.DA, 3*h, s.N)
}

func (w *gruBefore) Gradient(team *nn.Team, grads [][]float32, s *Step) {
	h, db, dbn := w.h, biasOf(grads), []float32(nil)
	if db != nil {
		db, dbn = db[:2*h], db[2*h:]
	}
	team.AddOuter(grads[0][:2*h*h], db, 2*h, h, s.DA, 3*h, s.Prev, h, s.N)
	team.AddOuter(grads[0][2*h*h:], dbn, h, h, s.DA[2*h:], 3*h, s.Tape[3*h:], 4*h, s.N)
}
