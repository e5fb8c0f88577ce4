package rnn

// lstm is a row of an LSTM, of which A is complete but for peepholes.
func (l *plain) lstm(r *plainRow) {
	i, f, g, o := l.gate(r.gates, 0), l.gate(r.gates, 1), l.gate(r.gates, 2), l.gate(r.gates, 3)
	h := l.Hidden
	cPrev, c := r.prev[h:], r.next[h:]
	l.peep(r, l.row.i, 0, cPrev)
	l.activate(r, 0, l.row.i, i)
	if l.Coupled {
		for j, v := range i {
			f[j] = 1 - v
		}
	} else {
		l.peep(r, l.row.f, 1, cPrev)
		l.activate(r, 0, l.row.f, f)
	}
	l.activate(r, 1, l.row.g, g)
	for j := range c {
		c[j] = float32(f[j]*cPrev[j]) + float32(i[j]*g[j])
	}
	l.peep(r, l.row.o, l.gates-2, c)
	l.activate(r, 0, l.row.o, o)
	y := c
	if l.LayerNorm {
		y = r.a[:h]
		clear(y)
		normOf(c).add(y, c, l.gainC, l.biasC)
	}
	act := &l.acts[2]
	for j, v := range y {
		r.next[j] = o[j] * act.at(v, act.a, act.b)
	}
}

// peep adds peephole number k times c to a gate of a.
func (l *plain) peep(r *plainRow, gate, k int, c []float32) {
	if l.Peephole {
		a := l.gate(r.a, gate)
		for j, p := range l.gate(l.peepholes, k) {
			a[j] += float32(p * c[j])
		}
	}
}

// reset is the first half of a row of a GRU that resets before the product.
func (l *plain) reset(r *plainRow) {
	reset := l.gate(r.gates, 0)
	l.activate(r, 0, 0, reset)
	l.activate(r, 0, 1, l.gate(r.gates, 1))
	for j, v := range reset {
		r.extra[j] = v * r.prev[j]
	}
}

// gru is its second half, or the whole of one that resets after it.
func (l *plain) gru(r *plainRow) {
	z, n := l.gate(r.gates, 1), l.gate(r.gates, 2)
	if l.Reset == ResetAfter {
		reset, a := l.gate(r.gates, 0), l.gate(r.a, 2)
		l.activate(r, 0, 0, reset)
		l.activate(r, 0, 1, z)
		for j := range a {
			a[j] += float32(reset[j] * r.extra[j])
		}
	}
	l.activate(r, 1, 2, n)
	for j := range n {
		r.next[j] = n[j] + float32(z[j]*(r.prev[j]-n[j]))
	}
}

func (l *plain) rnnBack(r *plainRow, b *plainBack) {
	clear(b.dPrev)
	copy(b.ds, b.dNext)
	l.deactivate(r, 0, 0, r.next, b.ds)
}

func (l *plain) lstmBack(r *plainRow, b *plainBack) {
	h := l.Hidden
	i, f, g, o := l.gate(r.gates, 0), l.gate(r.gates, 1), l.gate(r.gates, 2), l.gate(r.gates, 3)
	dI, dG, dO := l.gate(b.ds, l.row.i), l.gate(b.ds, l.row.g), l.gate(b.ds, l.row.o)
	c, cPrev, dc, dcPrev := r.next[h:], r.prev[h:], b.dNext[h:], b.dPrev[h:]
	l.outputBack(b, c, o, dc, dO)
	l.deactivate(r, 0, l.row.o, o, dO)
	l.peepBack(b, l.gates-2, dO, c, dc)
	clear(b.dPrev[:h])
	for j, e := range dc {
		dcPrev[j] = e * f[j]
		dI[j], dG[j] = e*g[j], e*i[j]
	}
	if l.Coupled {
		for j, e := range dc {
			dI[j] -= float32(e * cPrev[j])
		}
	} else {
		dF := l.gate(b.ds, l.row.f)
		for j, e := range dc {
			dF[j] = e * cPrev[j]
		}
		l.deactivate(r, 0, l.row.f, f, dF)
		l.peepBack(b, 1, dF, cPrev, dcPrev)
	}
	l.deactivate(r, 0, l.row.i, i, dI)
	l.deactivate(r, 1, l.row.g, g, dG)
	l.peepBack(b, 0, dI, cPrev, dcPrev)
}

// outputBack is the way back through h' = o ⊙ tanh(c'): it sets dO to the gradient
// of o, and adds that of c' to dc.
func (l *plain) outputBack(b *plainBack, c, o, dc, dO []float32) {
	act := &l.acts[2]
	if !l.LayerNorm {
		for j, v := range c {
			t, d := act.at(v, act.a, act.b), b.dNext[j]
			dc[j] += float32(d*o[j]) * act.slope(v, t, act.a, act.b)
			dO[j] = d * t
		}
		return
	}
	norm, dy := normOf(c), b.da[:l.Hidden] // free until the norm of x
	for j := range dy {
		y := float32(l.gainC[j]*norm.of(c[j])) + l.biasC[j]
		t, d := act.at(y, act.a, act.b), b.dNext[j]
		dy[j] = float32(d*o[j]) * act.slope(y, t, act.a, act.b)
		b.dBiasC[j] = dy[j]
		dO[j] = d * t
	}
	norm.back(dc, b.dGainC, dy, c, l.gainC)
}

// peepBack is the way back of peep: it sets the gradient of the peephole of this
// row, and adds that of c to dc.
func (l *plain) peepBack(b *plainBack, k int, da, c, dc []float32) {
	if l.Peephole {
		own := l.gate(b.dPeep, k)
		for j, p := range l.gate(l.peepholes, k) {
			own[j] = da[j] * c[j]
			dc[j] += float32(da[j] * p)
		}
	}
}

// gruBack leaves out what reset, before the product, gets of it: see resetBack.
func (l *plain) gruBack(r *plainRow, b *plainBack) {
	reset, z, n := l.gate(r.gates, 0), l.gate(r.gates, 1), l.gate(r.gates, 2)
	dR, dZ, dN := l.gate(b.ds, 0), l.gate(b.ds, 1), l.gate(b.ds, 2)
	for j, d := range b.dNext {
		b.dPrev[j] = d * z[j]
		dZ[j], dN[j] = d*(r.prev[j]-n[j]), d*(1-z[j])
	}
	l.deactivate(r, 0, 1, z, dZ)
	l.deactivate(r, 1, 2, n, dN)
	if l.Reset == ResetAfter {
		for j, dn := range dN {
			dR[j] = dn * r.extra[j]
		}
		l.deactivate(r, 0, 0, reset, dR)
		copy(b.dsh, b.ds)
		for j, dn := range dN {
			l.gate(b.dsh, 2)[j] = dn * reset[j]
		}
	}
}

func (l *plain) resetBack(r *plainRow, b *plainBack) {
	reset, dR := l.gate(r.gates, 0), l.gate(b.ds, 0)
	for j, d := range b.dNext {
		b.dPrev[j] += float32(d * reset[j])
		dR[j] = d * r.prev[j]
	}
	l.deactivate(r, 0, 0, reset, dR)
}
