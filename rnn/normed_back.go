package rnn

import (
	"sluice/internal/kernel"
	"sluice/nn"
)

// normBack is a row of a step back. Of Back, ds comes first: the gradient of
// the pre-activations, and so of bias_ih; then dv, that of h·Wh before its norm,
// those of the gains, and what a cell has beside.
type normBack struct {
	ds, dv, dGainX, dGainH []float32 // (G·H)
	dsh                    []float32 // (G·H) of bias_hh: ds, but where the reset comes after
	dGainC, dBiasC         []float32 // (H) of an LSTM
	da                     []float32 // (G·H)
	dPrev, dNext           []float32 // (S·H)
}

// The parts of Back, in G·H floats.
const (
	partDS = iota
	partDV
	partGainX
	partGainH
	partRest // dsh, or dGainC and dBiasC
)

// part is where a part of Back begins.
func (l *normed) part(i int) int { return i * l.gates * l.Hidden }

func (l *normed) rowBack(s *Step, i int) normBack {
	back, gh := of(s.Back, l.back, i, 1), l.gates*l.Hidden
	in := func(part int) []float32 { return back[l.part(part):][:gh] }
	b := normBack{
		ds: in(partDS), dv: in(partDV), dGainX: in(partGainX), dGainH: in(partGainH),
		da: of(s.DA, gh, i, 1), dPrev: of(s.DPrev, l.sh, i, 1), dNext: of(s.DNext, l.sh, i, 1),
	}
	b.dsh = b.ds
	rest := back[l.part(partRest):]
	switch {
	case l.Reset == ResetAfter:
		b.dsh = rest
	case l.Cell == "lstm":
		b.dGainC, b.dBiasC = rest[:l.Hidden], rest[l.Hidden:]
	}
	return b
}

func (l *normed) Backward(s *Step) {
	for i := range s.N {
		r, b := l.row(s, i), l.rowBack(s, i)
		clear(b.dv)
		switch l.Cell {
		case "rnn":
			l.rnnBack(&r, &b)
		case "lstm":
			l.lstmBack(&r, &b)
		default:
			l.gruBack(&r, &b)
		}
	}
	h := l.Hidden
	for k := len(l.inner) - 1; k >= 0; k-- {
		in := &l.inner[k]
		from, to := in.from*h, in.to*h
		for i := range s.N {
			r, b := l.row(s, i), l.rowBack(s, i)
			normOf(r.wh[from:to]).back(b.dv[from:to], b.dGainH[from:], b.dsh[from:to], r.wh[from:to], l.gainH[from:])
			if k == 1 {
				clear(b.dNext) // spent, and now the gradient of r ⊙ h
			}
		}
		dh := s.DPrev
		if k == 1 {
			dh = s.DNext
		}
		in.weights.Back(nil).MulAdd(kernel.RowMajor(dh, l.sh), kernel.RowMajor(s.Back[l.part(partDV)+from:], l.back), s.N)
		for i := 0; i < s.N && k == 1; i++ {
			r, b := l.row(s, i), l.rowBack(s, i)
			l.resetBack(&r, &b)
		}
	}
	for i := range s.N {
		r, b := l.row(s, i), l.rowBack(s, i)
		clear(b.da)
		normOf(r.wx).back(b.da, b.dGainX, b.ds, r.wx, l.gainX)
	}
}

func (l *normed) rnnBack(r *normRow, b *normBack) {
	clear(b.dPrev)
	for j, h := range r.next {
		switch {
		case l.Activation != "relu":
			b.ds[j] = b.dNext[j] * (1 - float32(h*h))
		case h > 0:
			b.ds[j] = b.dNext[j]
		default:
			b.ds[j] = 0
		}
	}
}

func (l *normed) lstmBack(r *normRow, b *normBack) {
	h := l.Hidden
	i, f, g, o := l.gate(r.gates, 0), l.gate(r.gates, 1), l.gate(r.gates, 2), l.gate(r.gates, 3)
	c, cPrev, dc := r.next[h:], r.prev[h:], b.dNext[h:]
	norm, dy := normOf(c), b.da[:h] // free until the norm of x
	for j := range h {
		t, d := kernel.Tanh(float32(l.gainC[j]*norm.of(c[j]))+l.biasC[j]), b.dNext[j]
		dy[j] = float32(d*o[j]) * (1 - float32(t*t))
		b.dBiasC[j] = dy[j]
		b.ds[3*h+j] = float32(d*t) * float32((1-o[j])*o[j])
	}
	norm.back(dc, b.dGainC, dy, c, l.gainC)
	for j, e := range dc {
		b.dPrev[j], b.dPrev[h+j] = 0, e*f[j]
		b.ds[j] = float32(e*g[j]) * float32((1-i[j])*i[j])
		b.ds[h+j] = float32(e*cPrev[j]) * float32((1-f[j])*f[j])
		b.ds[2*h+j] = float32(e*i[j]) * (1 - float32(g[j]*g[j]))
	}
}

// gruBack leaves out what reset, before the product, gets of it: see resetBack.
func (l *normed) gruBack(r *normRow, b *normBack) {
	h := l.Hidden
	reset, z, n := l.gate(r.gates, 0), l.gate(r.gates, 1), l.gate(r.gates, 2)
	for j, d := range b.dNext {
		b.dPrev[j] = d * z[j]
		b.ds[h+j] = float32(d*(r.prev[j]-n[j])) * float32((1-z[j])*z[j])
		b.ds[2*h+j] = float32(d*(1-z[j])) * (1 - float32(n[j]*n[j]))
		if l.Reset == ResetAfter {
			dn := b.ds[2*h+j]
			b.ds[j] = float32(dn*r.extra[j]) * float32((1-reset[j])*reset[j])
			b.dsh[j], b.dsh[h+j], b.dsh[2*h+j] = b.ds[j], b.ds[h+j], dn*reset[j]
		}
	}
}

func (l *normed) resetBack(r *normRow, b *normBack) {
	reset := l.gate(r.gates, 0)
	for j, d := range b.dNext {
		b.dPrev[j] += float32(d * reset[j])
		b.ds[j] = float32(d*r.prev[j]) * float32((1-reset[j])*reset[j])
	}
}

func (l *normed) Gradient(team *nn.Team, grads [][]float32, s *Step) {
	sum := func(db []float32, at int) {
		team.AddOuter(nil, db, len(db), 0, kernel.RowMajor(s.Back[at:], l.back), kernel.Matrix{}, s.N)
	}
	next := func() []float32 {
		g := grads[0]
		grads = grads[1:]
		return g
	}
	h := l.Hidden
	sum(next(), l.part(partDS))
	dWh := next()
	for k, in := range l.inner {
		dv := kernel.RowMajor(s.Back[l.part(partDV)+in.from*h:], l.back)
		team.AddOuter(dWh[in.from*h*h:in.to*h*h], nil, (in.to-in.from)*h, h, dv, l.factor(s, k), s.N)
	}
	if l.Biases == 2 && l.Reset == ResetAfter {
		sum(next(), l.part(partRest))
	} else if l.Biases == 2 {
		sum(next(), l.part(partDS))
	}
	sum(next(), l.part(partGainX))
	sum(next(), l.part(partGainH))
	if l.Cell == "lstm" {
		sum(next(), l.part(partRest))
		sum(next(), l.part(partRest)+h)
	}
}
