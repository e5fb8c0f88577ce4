package ref

import (
	"fmt"
	"math"
)

// Gates are the named quantities inside a cell. In a Step each is (H); in a Run
// each is (T, B, H). What a cell does not have is nil.
type Gates struct {
	A          []float64 // RNN: what the activation is applied to
	R, Z, N    []float64 // GRU: reset, update, candidate
	Q          []float64 // GRU reset-after: h·Whn + bhn, before r multiplies it
	I, F, G, O []float64 // LSTM: input, forget, candidate, output
	C, TanhC   []float64 // LSTM: the new cell state, and its tanh
	M          []float64 // LSTM: o ⊙ tanh(c'), before the projection if there is one
	H          []float64 // the new state of any cell; (P) with a projection
}

// Step is one step of one cell for one sample, with all that Backward needs.
type Step struct {
	Cell  string
	X     []float64 // (X)
	HPrev []float64 // (H), with a projection (P), the state before the step
	CPrev []float64 // (H) LSTM
	Gates           // (H) each
	Options

	acts                       []Act
	ar, az, an, ai, af, ag, ao []float64 // (H) what activations are applied to, before clipping
}

// StepForward runs one cell of the textbook once. x is (X), h is (H), c is (H) and
// nil but for the LSTM; none is changed. The new state is in the answer's H and C.
func StepForward(cell string, w Weights, x, h, c []float64) *Step {
	return Options{}.StepForward(cell, w, x, h, c)
}

// StepForward is that of a cell with these options.
func (o Options) StepForward(cell string, w Weights, x, h, c []float64) *Step {
	s := &Step{Cell: cell, X: x, HPrev: h, CPrev: c, Options: o, acts: o.Acts}
	if s.acts == nil {
		s.acts = standard(cell)
	}
	if w.GainX != nil {
		s.normed(w)
		return s
	}
	switch cell {
	case "rnn_tanh", "rnn_relu":
		s.rnn(w)
	case "gru_before":
		s.gruBefore(w)
	case "gru_after":
		s.gruAfter(w)
	case "lstm":
		s.lstm(w)
	default:
		panic(fmt.Sprintf("ref: cell %q", cell))
	}
	return s
}

// Backward takes the gradients dh and dc of the new state, (H) each, dc nil but
// for the LSTM; ADDS the gradients of the weights to g, and returns those of the
// input (X) and of the state before the step (H), (H).
func (s *Step) Backward(w, g Weights, dh, dc []float64) (dx, dhPrev, dcPrev []float64) {
	dx = make([]float64, len(s.X))
	dhPrev = make([]float64, len(s.HPrev))
	if w.GainX != nil {
		dcPrev = s.normedBackward(w, g, dh, dc, dx, dhPrev)
		return dx, dhPrev, dcPrev
	}
	switch s.Cell {
	case "rnn_tanh", "rnn_relu":
		s.rnnBackward(w, g, dh, dx, dhPrev)
	case "gru_before":
		s.gruBeforeBackward(w, g, dh, dx, dhPrev)
	case "gru_after":
		s.gruAfterBackward(w, g, dh, dx, dhPrev)
	case "lstm":
		dcPrev = s.lstmBackward(w, g, dh, dc, dx, dhPrev)
	default:
		panic(fmt.Sprintf("ref: cell %q", s.Cell))
	}
	return dx, dhPrev, dcPrev
}

// linear returns v·W + b for the rows of one gate: W is (G·H, K), b is (G·H) or
// nil for zero, v is (K); the answer is (H).
func linear(w, b, v []float64, gate, H int) []float64 {
	K := len(v)
	y := make([]float64, H)
	for j := range y {
		row := gate*H + j
		for k := range v {
			y[j] += v[k] * w[row*K+k]
		}
		if b != nil {
			y[j] += b[row]
		}
	}
	return y
}

// linearBackward takes dy (H) of linear and adds to the gradients dw (G·H, K),
// db (G·H) or nil, and dv (K).
func linearBackward(dw, db, dv, w, v, dy []float64, gate int) {
	K, H := len(v), len(dy)
	for j := range dy {
		row := gate*H + j
		for k := range v {
			dw[row*K+k] += dy[j] * v[k]
			dv[k] += dy[j] * w[row*K+k]
		}
		if db != nil {
			db[row] += dy[j]
		}
	}
}

// preact returns x·Wx + bx + h·Wh + bh for one gate, (H). h is s.HPrev, or what
// the reset gate has left of it.
func (s *Step) preact(w Weights, gate int, h []float64) []float64 {
	H := len(h)
	if s.CPrev != nil {
		H = len(s.CPrev) // h may be projected
	}
	return add(linear(w.Wx, w.Bx, s.X, gate, H), linear(w.Wh, w.Bh, h, gate, H))
}

// preactBackward takes da (H) of preact and adds to g, dx (X) and dh (H).
func (s *Step) preactBackward(w, g Weights, gate int, h, da, dx, dh []float64) {
	linearBackward(g.Wx, g.Bx, dx, w.Wx, s.X, da, gate)
	linearBackward(g.Wh, g.Bh, dh, w.Wh, h, da, gate)
}

func sigmoid(a float64) float64 { return 1 / (1 + math.Exp(-a)) }

// apply returns f of each element.
func apply(f func(float64) float64, a []float64) []float64 {
	y := make([]float64, len(a))
	for j := range a {
		y[j] = f(a[j])
	}
	return y
}

// add returns a + b.
func add(a, b []float64) []float64 {
	y := make([]float64, len(a))
	for j := range a {
		y[j] = a[j] + b[j]
	}
	return y
}

// mul returns a ⊙ b.
func mul(a, b []float64) []float64 {
	y := make([]float64, len(a))
	for j := range a {
		y[j] = a[j] * b[j]
	}
	return y
}
