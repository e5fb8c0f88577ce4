package ref

import "math"

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
	s.R = apply(sigmoid, s.preact(w, gruR, s.HPrev))
	s.Z = apply(sigmoid, s.preact(w, gruZ, s.HPrev))
	s.N = apply(math.Tanh, s.preact(w, gruN, mul(s.R, s.HPrev)))
	s.gruBlend()
}

// gruAfter is the GRU of cuDNN and PyTorch, where the reset gate acts after the
// product with Whn, and on its bias too. r, z and h' are those of gruBefore:
//
//	q = h·Whn + bhn
//	n = tanh(x·Wxn + bxn + r ⊙ q)
func (s *Step) gruAfter(w Weights) {
	H := len(s.HPrev)
	s.R = apply(sigmoid, s.preact(w, gruR, s.HPrev))
	s.Z = apply(sigmoid, s.preact(w, gruZ, s.HPrev))
	s.Q = linear(w.Wh, w.Bh, s.HPrev, gruN, H)
	s.N = apply(math.Tanh, add(linear(w.Wx, w.Bx, s.X, gruN, H), mul(s.R, s.Q)))
	s.gruBlend()
}

// gruBlend is h' = z ⊙ h + (1 − z) ⊙ n: z keeps the OLD state.
func (s *Step) gruBlend() {
	s.H = make([]float64, len(s.HPrev))
	for j := range s.H {
		s.H[j] = s.Z[j]*s.HPrev[j] + (1-s.Z[j])*s.N[j]
	}
}

// gruBlendBackward takes dh (H) of h', adds the direct path to dhPrev (H), and
// returns the gradients of what z's σ and n's tanh were applied to, (H) each.
func (s *Step) gruBlendBackward(dh, dhPrev []float64) (daz, dan []float64) {
	daz, dan = make([]float64, len(dh)), make([]float64, len(dh))
	for j := range dh {
		dz := dh[j] * (s.HPrev[j] - s.N[j])
		dn := dh[j] * (1 - s.Z[j])
		dhPrev[j] += dh[j] * s.Z[j]
		daz[j] = dz * s.Z[j] * (1 - s.Z[j])
		dan[j] = dn * (1 - s.N[j]*s.N[j])
	}
	return daz, dan
}

// gruBeforeBackward takes dh (H) of h' and adds to g, dx (X) and dhPrev (H).
func (s *Step) gruBeforeBackward(w, g Weights, dh, dx, dhPrev []float64) {
	daz, dan := s.gruBlendBackward(dh, dhPrev)

	drh := make([]float64, len(dh)) // of r ⊙ h
	s.preactBackward(w, g, gruN, mul(s.R, s.HPrev), dan, dx, drh)

	dar := make([]float64, len(dh))
	for j := range dh {
		dr := drh[j] * s.HPrev[j]
		dhPrev[j] += drh[j] * s.R[j]
		dar[j] = dr * s.R[j] * (1 - s.R[j])
	}
	s.preactBackward(w, g, gruZ, s.HPrev, daz, dx, dhPrev)
	s.preactBackward(w, g, gruR, s.HPrev, dar, dx, dhPrev)
}

// gruAfterBackward takes dh (H) of h' and adds to g, dx (X) and dhPrev (H).
func (s *Step) gruAfterBackward(w, g Weights, dh, dx, dhPrev []float64) {
	daz, dan := s.gruBlendBackward(dh, dhPrev)

	dq, dar := make([]float64, len(dh)), make([]float64, len(dh))
	for j := range dh {
		dq[j] = dan[j] * s.R[j]
		dr := dan[j] * s.Q[j]
		dar[j] = dr * s.R[j] * (1 - s.R[j])
	}
	linearBackward(g.Wx, g.Bx, dx, w.Wx, s.X, dan, gruN)
	linearBackward(g.Wh, g.Bh, dhPrev, w.Wh, s.HPrev, dq, gruN)

	s.preactBackward(w, g, gruZ, s.HPrev, daz, dx, dhPrev)
	s.preactBackward(w, g, gruR, s.HPrev, dar, dx, dhPrev)
}
