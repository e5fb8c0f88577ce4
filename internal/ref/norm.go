package ref

import "math"

// Layer norm in the cell (Ba, Kiros & Hinton 2016): N(v) has the mean 0 and, but
// for ε, the variance 1. With
//
//	u = gainX ⊙ N(x·Wx)        v = gainH ⊙ N(h·Wh)        over all gates at once
//
// the sums of the plain cells have u for x·Wx and v for h·Wh. In the GRU that
// resets before, v is gainH ⊙ N(h·Wh) over r and z, and apart from it
// gainH ⊙ N((r ⊙ h)·Whn) over n. The LSTM has h' = o ⊙ tanh(gainC ⊙ N(c') + biasC).
const epsilon = 1e-5

// The blocks of the LSTM's rows, as in PyTorch.
const lstmI, lstmF, lstmG, lstmO = 0, 1, 2, 3

// normalise returns N(v) and what v − mean was divided by.
func normalise(v []float64) (hat []float64, deviation float64) {
	n := float64(len(v))
	mean, variance := 0.0, 0.0
	for _, x := range v {
		mean += x / n
	}
	for _, x := range v {
		variance += (x - mean) * (x - mean) / n
	}
	deviation = math.Sqrt(variance + epsilon)
	for _, x := range v {
		hat = append(hat, (x-mean)/deviation)
	}
	return hat, deviation
}

// scaled returns gain ⊙ N(v).
func scaled(gain, v []float64) []float64 {
	hat, _ := normalise(v)
	return mul(gain, hat)
}

// scaledBackward takes dy of scaled, adds to dgain and returns dv.
func scaledBackward(dgain, gain, v, dy []float64) []float64 {
	hat, deviation := normalise(v)
	n := float64(len(v))
	mean, along := 0.0, 0.0 // of dhat, and of dhat ⊙ hat
	for j := range v {
		dgain[j] += dy[j] * hat[j]
		mean += dy[j] * gain[j] / n
		along += dy[j] * gain[j] * hat[j] / n
	}
	dv := make([]float64, len(v))
	for j := range v {
		dv[j] = (dy[j]*gain[j] - mean - hat[j]*along) / deviation
	}
	return dv
}

// bias is b, or zeros.
func bias(b []float64, n int) []float64 {
	if b == nil {
		return make([]float64, n)
	}
	return b
}

// products returns x·Wx and h·Wh, all gates of each. rh is what Wh's last gate
// sees of h.
func (s *Step) products(w Weights, rh []float64) (px, ph []float64) {
	H := len(s.HPrev)
	G := len(w.Bx) / H
	for gate := range G {
		h := s.HPrev
		if gate == G-1 {
			h = rh
		}
		px = append(px, linear(w.Wx, nil, s.X, gate, H)...)
		ph = append(ph, linear(w.Wh, nil, h, gate, H)...)
	}
	return px, ph
}

// terms returns u + bx and v + bh, (G·H) each.
func (s *Step) terms(w Weights, rh []float64) (u, v []float64) {
	px, ph := s.products(w, rh)
	if s.Cell == "gru_before" {
		rz := 2 * len(s.HPrev)
		v = append(scaled(w.GainH[:rz], ph[:rz]), scaled(w.GainH[rz:], ph[rz:])...)
	} else {
		v = scaled(w.GainH, ph)
	}
	return add(scaled(w.GainX, px), w.Bx), add(v, bias(w.Bh, len(v)))
}

// normed is the step of any cell with layer norm.
func (s *Step) normed(w Weights) {
	H := len(s.HPrev)
	at := func(v []float64, gate int) []float64 { return v[gate*H : (gate+1)*H] }
	u, v := s.terms(w, s.HPrev)
	a := add(u, v)
	switch s.Cell {
	case "rnn_tanh":
		s.A, s.H = a, apply(math.Tanh, a)
	case "rnn_relu":
		s.A, s.H = a, apply(func(a float64) float64 { return math.Max(a, 0) }, a)
	case "gru_before":
		s.R, s.Z = apply(sigmoid, at(a, gruR)), apply(sigmoid, at(a, gruZ))
		u, v = s.terms(w, mul(s.R, s.HPrev))
		s.N = apply(math.Tanh, at(add(u, v), gruN))
		s.gruBlend()
	case "gru_after":
		s.R, s.Z, s.Q = apply(sigmoid, at(a, gruR)), apply(sigmoid, at(a, gruZ)), at(v, gruN)
		s.N = apply(math.Tanh, add(at(u, gruN), mul(s.R, s.Q)))
		s.gruBlend()
	case "lstm":
		s.I, s.F, s.O = apply(sigmoid, at(a, lstmI)), apply(sigmoid, at(a, lstmF)), apply(sigmoid, at(a, lstmO))
		s.G = apply(math.Tanh, at(a, lstmG))
		s.C = add(mul(s.F, s.CPrev), mul(s.I, s.G))
		s.TanhC = apply(math.Tanh, add(scaled(w.GainC, s.C), w.BiasC))
		s.H = mul(s.O, s.TanhC)
	}
}

// normedBackward takes dh and dc (H) of h' and c', adds to g, dx (X) and dhPrev
// (H), and returns dcPrev (H), nil but for the LSTM.
func (s *Step) normedBackward(w, g Weights, dh, dc, dx, dhPrev []float64) (dcPrev []float64) {
	du := make([]float64, len(w.Bx)) // of u + bx
	dv := du                         // of v + bh
	H := len(dh)
	put := func(to []float64, gate int, d []float64) { copy(to[gate*H:], d) }
	slope := func(d, y []float64) []float64 { // through σ
		return mul(d, mul(y, add(apply(func(y float64) float64 { return -y }, y), ones(H))))
	}
	flat := func(d, y []float64) []float64 { // through tanh
		return mul(d, add(apply(func(y float64) float64 { return -y * y }, y), ones(H)))
	}
	rh := s.HPrev
	switch s.Cell {
	case "rnn_tanh":
		put(du, 0, flat(dh, s.H))
	case "rnn_relu":
		for j := range dh {
			if s.A[j] > 0 {
				du[j] = dh[j]
			}
		}
	case "gru_before", "gru_after":
		dz, dn := s.gruBlendBackward(dh, dhPrev)
		daz, dan := slope(dz, s.Z), flat(dn, s.N)
		put(du, gruZ, daz)
		put(du, gruN, dan)
		if s.Cell == "gru_after" {
			put(du, gruR, slope(mul(dan, s.Q), s.R))
			dv = clone(du)
			put(dv, gruN, mul(dan, s.R))
			break
		}
		rh = mul(s.R, s.HPrev)
		_, ph := s.products(w, rh)
		dpn := scaledBackward(g.GainH[gruN*H:], w.GainH[gruN*H:], ph[gruN*H:], dan)
		drh := make([]float64, H)
		linearBackward(g.Wh, nil, drh, w.Wh, rh, dpn, gruN)
		put(du, gruR, slope(mul(drh, s.HPrev), s.R))
		copy(dhPrev, add(dhPrev, mul(drh, s.R)))
	case "lstm":
		dtan := flat(mul(dh, s.O), s.TanhC)
		copy(g.BiasC, add(g.BiasC, dtan))
		dcAll := add(dc, scaledBackward(g.GainC, w.GainC, s.C, dtan))
		dcPrev = mul(dcAll, s.F)
		put(du, lstmI, slope(mul(dcAll, s.G), s.I))
		put(du, lstmF, slope(mul(dcAll, s.CPrev), s.F))
		put(du, lstmG, flat(mul(dcAll, s.I), s.G))
		put(du, lstmO, slope(mul(dh, s.TanhC), s.O))
	}
	s.termsBackward(w, g, du, dv, dx, dhPrev, rh)
	return dcPrev
}

// termsBackward takes du and dv of terms and adds to g, dx (X) and dhPrev (H);
// but of Whn and its gain where the reset comes before, which has been done.
func (s *Step) termsBackward(w, g Weights, du, dv, dx, dhPrev, rh []float64) {
	H := len(dhPrev)
	px, ph := s.products(w, rh)
	copy(g.Bx, add(g.Bx, du))
	if g.Bh != nil {
		copy(g.Bh, add(g.Bh, dv))
	}
	dpx := scaledBackward(g.GainX, w.GainX, px, du)
	for gate := range len(du) / H {
		linearBackward(g.Wx, nil, dx, w.Wx, s.X, dpx[gate*H:(gate+1)*H], gate)
	}
	own := len(dv)
	if s.Cell == "gru_before" {
		own = gruN * H
	}
	dph := scaledBackward(g.GainH[:own], w.GainH[:own], ph[:own], dv[:own])
	for gate := range own / H {
		linearBackward(g.Wh, nil, dhPrev, w.Wh, s.HPrev, dph[gate*H:(gate+1)*H], gate)
	}
}

// ones returns n of them.
func ones(n int) []float64 {
	y := make([]float64, n)
	for j := range y {
		y[j] = 1
	}
	return y
}
