package ref

import "math"

// rnn is the vanilla RNN (Elman 1990):
//
//	a  = x·Wx + bx + h·Wh + bh
//	h' = tanh(a)   or   max(a, 0)
func (s *Step) rnn(w Weights) {
	s.A = s.preact(w, 0, s.HPrev)
	if s.Cell == "rnn_relu" {
		s.H = apply(func(a float64) float64 { return math.Max(a, 0) }, s.A)
	} else {
		s.H = apply(math.Tanh, s.A)
	}
}

// rnnBackward takes dh (H) of h' and adds to g, dx (X) and dhPrev (H). The slope
// of ReLU at 0 is 0, as in PyTorch.
func (s *Step) rnnBackward(w, g Weights, dh, dx, dhPrev []float64) {
	da := make([]float64, len(dh))
	for j := range dh {
		switch {
		case s.Cell == "rnn_tanh":
			da[j] = dh[j] * (1 - s.H[j]*s.H[j])
		case s.A[j] > 0:
			da[j] = dh[j]
		}
	}
	s.preactBackward(w, g, 0, s.HPrev, da, dx, dhPrev)
}
