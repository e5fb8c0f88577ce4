package ref

// lstm is the LSTM of Hochreiter & Schmidhuber 1997 with the forget gate of
// Gers, Schmidhuber & Cummins 2000:
//
//	i  = σ(x·Wxi + bxi + h·Whi + bhi)
//	f  = σ(x·Wxf + bxf + h·Whf + bhf)
//	g  = tanh(x·Wxg + bxg + h·Whg + bhg)
//	o  = σ(x·Wxo + bxo + h·Who + bho)
//	c' = f ⊙ c + i ⊙ g
//	m  = o ⊙ tanh(c')
//	h' = m, or m·Whr with a projection (Sak, Senior & Beaufays 2014)
//
// With peepholes (Gers & Schmidhuber 2000) i and f add p ⊙ c, and o adds p ⊙ c',
// before their σ. Coupled gates have f = 1 − i.
func (s *Step) lstm(w Weights) {
	g, o := s.outer()
	s.ai, s.ag, s.ao = s.preact(w, 0, s.HPrev), s.preact(w, g, s.HPrev), s.preact(w, o, s.HPrev)
	pi, pf, po := s.peepholes(w)
	s.ai = add(s.ai, mul(pi, s.CPrev))
	s.I = s.activate(0, s.ai)
	if s.Coupled {
		s.F = apply(func(i float64) float64 { return 1 - i }, s.I)
	} else {
		s.af = add(s.preact(w, 1, s.HPrev), mul(pf, s.CPrev))
		s.F = s.activate(0, s.af)
	}
	s.G = s.activate(1, s.ag)
	s.C = add(mul(s.F, s.CPrev), mul(s.I, s.G))
	s.ao = add(s.ao, mul(po, s.C))
	s.O = s.activate(0, s.ao)
	s.TanhC = apply(func(c float64) float64 { y, _ := s.acts[2].at(c); return y }, s.C)
	s.M = mul(s.O, s.TanhC)
	s.H = s.M
	if w.Whr != nil {
		s.H = linear(w.Whr, nil, s.M, 0, len(s.HPrev))
	}
}

// outer is where the rows of g and o are.
func (s *Step) outer() (g, o int) {
	if s.Coupled {
		return 1, 2
	}
	return 2, 3
}

// peepholes are those of i, f and o, (H) each: views of w's, or zeros.
func (s *Step) peepholes(w Weights) (pi, pf, po []float64) {
	H := len(s.CPrev)
	switch {
	case w.Peep == nil:
		zero := make([]float64, H)
		return zero, zero, zero
	case s.Coupled:
		return w.Peep[:H], nil, w.Peep[H:]
	}
	return w.Peep[:H], w.Peep[H : 2*H], w.Peep[2*H:]
}

// lstmBackward takes dh (H, or P) and dc (H) of h' and c', adds to g, dx (X) and
// dhPrev, and returns dcPrev (H).
func (s *Step) lstmBackward(w, g Weights, dh, dc, dx, dhPrev []float64) (dcPrev []float64) {
	H := len(dc)
	dm := dh
	if w.Whr != nil {
		dm = make([]float64, H)
		linearBackward(g.Whr, nil, dm, w.Whr, s.M, dh, 0)
	}
	pi, pf, po := s.peepholes(w)
	dao := s.deactivate(0, s.ao, mul(dm, s.TanhC))
	all := clone(dc) // c' is seen from outside, by h' and by o's peephole
	for j := range all {
		_, slope := s.acts[2].at(s.C[j])
		all[j] += dm[j]*s.O[j]*slope + dao[j]*po[j]
	}
	di, df := mul(all, s.G), mul(all, s.CPrev)
	dcPrev = mul(all, s.F)
	var daf []float64
	if s.Coupled {
		di = add(di, apply(func(d float64) float64 { return -d }, df))
	} else {
		daf = s.deactivate(0, s.af, df)
		dcPrev = add(dcPrev, mul(daf, pf))
	}
	dai, dag := s.deactivate(0, s.ai, di), s.deactivate(1, s.ag, mul(all, s.I))
	dcPrev = add(dcPrev, mul(dai, pi))

	rowG, rowO := s.outer()
	s.preactBackward(w, g, 0, s.HPrev, dai, dx, dhPrev)
	if !s.Coupled {
		s.preactBackward(w, g, 1, s.HPrev, daf, dx, dhPrev)
	}
	s.preactBackward(w, g, rowG, s.HPrev, dag, dx, dhPrev)
	s.preactBackward(w, g, rowO, s.HPrev, dao, dx, dhPrev)
	if g.Peep != nil {
		gi, gf, gO := s.peepholes(g)
		copy(gi, add(gi, mul(dai, s.CPrev)))
		copy(gO, add(gO, mul(dao, s.C)))
		if !s.Coupled {
			copy(gf, add(gf, mul(daf, s.CPrev)))
		}
	}
	return dcPrev
}
