package ref

import "math"

// The blocks of the LSTM's rows, as in PyTorch.
const lstmI, lstmF, lstmG, lstmO = 0, 1, 2, 3

// lstm is the LSTM of Hochreiter & Schmidhuber 1997 with the forget gate of
// Gers, Schmidhuber & Cummins 2000:
//
//	i  = σ(x·Wxi + bxi + h·Whi + bhi)
//	f  = σ(x·Wxf + bxf + h·Whf + bhf)
//	g  = tanh(x·Wxg + bxg + h·Whg + bhg)
//	o  = σ(x·Wxo + bxo + h·Who + bho)
//	c' = f ⊙ c + i ⊙ g
//	h' = o ⊙ tanh(c')
func (s *Step) lstm(w Weights) {
	s.I = apply(sigmoid, s.preact(w, lstmI, s.HPrev))
	s.F = apply(sigmoid, s.preact(w, lstmF, s.HPrev))
	s.G = apply(math.Tanh, s.preact(w, lstmG, s.HPrev))
	s.O = apply(sigmoid, s.preact(w, lstmO, s.HPrev))
	s.C = add(mul(s.F, s.CPrev), mul(s.I, s.G))
	s.TanhC = apply(math.Tanh, s.C)
	s.H = mul(s.O, s.TanhC)
}

// lstmBackward takes dh and dc (H) of h' and c', adds to g, dx (X) and dhPrev
// (H), and returns dcPrev (H).
func (s *Step) lstmBackward(w, g Weights, dh, dc, dx, dhPrev []float64) (dcPrev []float64) {
	H := len(dh)
	dcPrev = make([]float64, H)
	dai, daf := make([]float64, H), make([]float64, H)
	dag, dao := make([]float64, H), make([]float64, H)
	for j := range dh {
		do := dh[j] * s.TanhC[j]
		dcj := dc[j] + dh[j]*s.O[j]*(1-s.TanhC[j]*s.TanhC[j]) // c' is seen from outside and by h'
		di := dcj * s.G[j]
		df := dcj * s.CPrev[j]
		dg := dcj * s.I[j]
		dcPrev[j] = dcj * s.F[j]

		dai[j] = di * s.I[j] * (1 - s.I[j])
		daf[j] = df * s.F[j] * (1 - s.F[j])
		dag[j] = dg * (1 - s.G[j]*s.G[j])
		dao[j] = do * s.O[j] * (1 - s.O[j])
	}
	s.preactBackward(w, g, lstmI, s.HPrev, dai, dx, dhPrev)
	s.preactBackward(w, g, lstmF, s.HPrev, daf, dx, dhPrev)
	s.preactBackward(w, g, lstmG, s.HPrev, dag, dx, dhPrev)
	s.preactBackward(w, g, lstmO, s.HPrev, dao, dx, dhPrev)
	return dcPrev
}
