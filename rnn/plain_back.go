package rnn

import (
	"sluice/internal/kernel"
	"sluice/nn"
)

// plainBack is a row of a step back. Without layer norm ds, the gradient of the
// pre-activations and so of bias_ih, is da. With it, Back begins with ds; then come
// dv, that of h·Wh before its norm, and those of the gains. What a cell has beside
// comes last.
type plainBack struct {
	ds, dv, dGainX, dGainH []float32 // (G·H)
	dsh                    []float32 // (G·H) of bias_hh: ds, but where the reset comes after
	dGainC, dBiasC         []float32 // (H) of an LSTM with layer norm
	dPeep                  []float32 // ((G−1)·H) of an LSTM with peepholes
	da                     []float32 // (G·H)
	dPrev, dNext           []float32 // (S·H)
}

// The parts of Back with layer norm, in G·H floats.
const (
	partDS = iota
	partDV
	partGainX
	partGainH
	partRest // dsh, or dGainC and dBiasC; without layer norm the first: dsh, or dPeep
)

// part is where a part of Back begins.
func (l *plain) part(i int) int { return i * l.gates * l.Hidden }

func (l *plain) rowBack(s *Step, i int) plainBack {
	back, gh := of(s.Back, l.back, i, 1), l.gates*l.Hidden
	b := plainBack{da: of(s.DA, gh, i, 1), dPrev: of(s.DPrev, l.sh, i, 1), dNext: of(s.DNext, l.sh, i, 1)}
	b.ds = b.da
	if l.LayerNorm {
		in := func(part int) []float32 { return back[l.part(part):][:gh] }
		b.ds, b.dv, b.dGainX, b.dGainH = in(partDS), in(partDV), in(partGainX), in(partGainH)
	}
	b.dsh = b.ds
	rest := back[l.rest:]
	switch {
	case l.Reset == ResetAfter:
		b.dsh = rest
	case l.Peephole:
		b.dPeep = rest
	case l.LayerNorm && l.Cell == "lstm":
		b.dGainC, b.dBiasC = rest[:l.Hidden], rest[l.Hidden:]
	}
	return b
}

// ds, dsh and dv of all rows, from a gate on.
func (l *plain) ds(s *Step, gate int) kernel.Matrix {
	if l.LayerNorm {
		return kernel.RowMajor(s.Back[gate*l.Hidden:], l.back)
	}
	return kernel.RowMajor(s.DA[gate*l.Hidden:], l.gates*l.Hidden)
}

func (l *plain) dsh(s *Step, gate int) kernel.Matrix {
	if l.Reset == ResetAfter {
		return kernel.RowMajor(s.Back[l.rest+gate*l.Hidden:], l.back)
	}
	return l.ds(s, gate)
}

func (l *plain) dv(s *Step, gate int) kernel.Matrix {
	if l.LayerNorm {
		return kernel.RowMajor(s.Back[l.part(partDV)+gate*l.Hidden:], l.back)
	}
	return l.dsh(s, gate)
}

func (l *plain) Backward(s *Step) {
	for i := range s.N {
		r, b := l.rowOf(s, i), l.rowBack(s, i)
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
	for k := len(l.inner) - 1; k >= 0; k-- {
		l.innerBack(s, k)
	}
	for i := 0; i < s.N && l.LayerNorm; i++ {
		r, b := l.rowOf(s, i), l.rowBack(s, i)
		clear(b.da)
		normOf(r.wx).back(b.da, b.dGainX, b.ds, r.wx, l.gainX)
	}
}

// innerBack adds what goes back through inner product k to the gradient of h.
func (l *plain) innerBack(s *Step, k int) {
	in := &l.inner[k]
	from, to := in.from*l.Hidden, in.to*l.Hidden
	for i := range s.N {
		r, b := l.rowOf(s, i), l.rowBack(s, i)
		if l.LayerNorm {
			normOf(r.wh[from:to]).back(b.dv[from:to], b.dGainH[from:], b.dsh[from:to], r.wh[from:to], l.gainH[from:])
		}
		if k == 1 {
			clear(b.dNext) // spent, and now the gradient of r ⊙ h
		}
	}
	dh := s.DPrev
	if k == 1 {
		dh = s.DNext
	}
	in.weights.Back(nil).MulAdd(kernel.RowMajor(dh, l.sh), l.dv(s, in.from), s.N)
	for i := 0; i < s.N && k == 1; i++ {
		r, b := l.rowOf(s, i), l.rowBack(s, i)
		l.resetBack(&r, &b)
	}
}

func (l *plain) Gradient(team *nn.Team, grads [][]float32, s *Step) {
	next := func() []float32 {
		g := grads[0]
		grads = grads[1:]
		return g
	}
	sum := func(d kernel.Matrix) {
		db := next()
		team.AddOuter(nil, db, len(db), 0, d, kernel.Matrix{}, s.N)
	}
	rest := func(at int) kernel.Matrix { return kernel.RowMajor(s.Back[at:], l.back) }
	h := l.Hidden
	sum(l.ds(s, 0))
	dWh := next()
	for k, in := range l.inner {
		team.AddOuter(dWh[in.from*h*h:in.to*h*h], nil, (in.to-in.from)*h, h, l.dv(s, in.from), l.factor(s, k), s.N)
	}
	if l.Biases == 2 {
		sum(l.dsh(s, 0))
	}
	if l.LayerNorm {
		sum(rest(l.part(partGainX)))
		sum(rest(l.part(partGainH)))
	}
	switch {
	case l.Peephole:
		sum(rest(l.rest))
	case l.LayerNorm && l.Cell == "lstm":
		sum(rest(l.rest))
		sum(rest(l.rest + h))
	}
}
