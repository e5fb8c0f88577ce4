package ref

// The blocks of the GRU's rows, as in PyTorch.
const gruR, gruZ, gruN = 0, 1, 2

// gruBefore is the GRU of Cho et al. 2014 (arXiv 1406.1078), where the reset
// gate acts before the product with Whn:
//
//	r  = σ(x·Wxr + bxr + h·Whr + bhr)
//	z  = σ(x·Wxz + bxz + h·Whz + bhz)
//	n  = tanh(x·Wxn + bxn + (r ⊙ h)·Whn + bhn)
//	h' = z ⊙ h + (1 − z) ⊙ n
func (s *Step) gruBefore(w Weights) {
	s.gruGates(w)
	s.an = s.preact(w, gruN, mul(s.R, s.HPrev))
	s.N = s.activate(1, s.an)
	s.gruBlend()
}

// gruAfter is the GRU of cuDNN and PyTorch, where the reset gate acts after the
// product with Whn, and on its bias too. r, z and h' are those of gruBefore:
//
//	q = h·Whn + bhn
//	n = tanh(x·Wxn + bxn + r ⊙ q)
func (s *Step) gruAfter(w Weights) {
	H := len(s.HPrev)
	s.gruGates(w)
	s.Q = linear(w.Wh, w.Bh, s.HPrev, gruN, H)
	s.an = add(linear(w.Wx, w.Bx, s.X, gruN, H), mul(s.R, s.Q))
	s.N = s.activate(1, s.an)
	s.gruBlend()
}

// gruGates are r and z.
func (s *Step) gruGates(w Weights) {
	s.ar, s.az = s.preact(w, gruR, s.HPrev), s.preact(w, gruZ, s.HPrev)
	s.R, s.Z = s.activate(0, s.ar), s.activate(0, s.az)
}

// gruBlend is h' = z ⊙ h + (1 − z) ⊙ n: z keeps the OLD state.
func (s *Step) gruBlend() {
	s.H = make([]float64, len(s.HPrev))
	for j := range s.H {
		s.H[j] = s.Z[j]*s.HPrev[j] + (1-s.Z[j])*s.N[j]
	}
}

// gruBlendBackward takes dh (H) of h', adds the direct path to dhPrev (H), and
// returns the gradients of z and n, (H) each.
func (s *Step) gruBlendBackward(dh, dhPrev []float64) (dz, dn []float64) {
	dz, dn = make([]float64, len(dh)), make([]float64, len(dh))
	for j := range dh {
		dz[j] = dh[j] * (s.HPrev[j] - s.N[j])
		dn[j] = dh[j] * (1 - s.Z[j])
		dhPrev[j] += dh[j] * s.Z[j]
	}
	return dz, dn
}

// gruBeforeBackward takes dh (H) of h' and adds to g, dx (X) and dhPrev (H).
func (s *Step) gruBeforeBackward(w, g Weights, dh, dx, dhPrev []float64) {
	dz, dn := s.gruBlendBackward(dh, dhPrev)
	daz, dan := s.deactivate(0, s.az, dz), s.deactivate(1, s.an, dn)

	drh := make([]float64, len(dh)) // of r ⊙ h
	s.preactBackward(w, g, gruN, mul(s.R, s.HPrev), dan, dx, drh)

	copy(dhPrev, add(dhPrev, mul(drh, s.R)))
	dar := s.deactivate(0, s.ar, mul(drh, s.HPrev))
	s.preactBackward(w, g, gruZ, s.HPrev, daz, dx, dhPrev)
	s.preactBackward(w, g, gruR, s.HPrev, dar, dx, dhPrev)
}

// gruAfterBackward takes dh (H) of h' and adds to g, dx (X) and dhPrev (H).
func (s *Step) gruAfterBackward(w, g Weights, dh, dx, dhPrev []float64) {
	dz, dn := s.gruBlendBackward(dh, dhPrev)
	daz, dan := s.deactivate(0, s.az, dz), s.deactivate(1, s.an, dn)

	dq, dar := mul(dan, s.R), s.deactivate(0, s.ar, mul(dan, s.Q))
	linearBackward(g.Wx, g.Bx, dx, w.Wx, s.X, dan, gruN)
	linearBackward(g.Wh, g.Bh, dhPrev, w.Wh, s.HPrev, dq, gruN)

	s.preactBackward(w, g, gruZ, s.HPrev, daz, dx, dhPrev)
	s.preactBackward(w, g, gruR, s.HPrev, dar, dx, dhPrev)
}
