package ref

// rnn is the vanilla RNN (Elman 1990):
//
//	a  = x·Wx + bx + h·Wh + bh
//	h' = tanh(a)   or   max(a, 0)
func (s *Step) rnn(w Weights) {
	s.A = s.preact(w, 0, s.HPrev)
	s.H = s.activate(0, s.A)
}

// rnnBackward takes dh (H) of h' and adds to g, dx (X) and dhPrev (H). The slope
// of ReLU at 0 is 0, as in PyTorch.
func (s *Step) rnnBackward(w, g Weights, dh, dx, dhPrev []float64) {
	s.preactBackward(w, g, 0, s.HPrev, s.deactivate(0, s.A, dh), dx, dhPrev)
}
