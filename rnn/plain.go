package rnn

import (
	"sluice/internal/kernel"
	"sluice/nn"
)

// plain is a built-in cell in plain Go: one with layer norm, or one whose
// activations, clipping or coupled gates have no kernels. It runs as a user's cell
// does, row-major and slower than the fused ones. Its A is x·Wx: bias_ih may come
// after a norm, and so is the cell's.
type plain struct {
	Config
	gates        int // G
	sh, kh, back int // widths of a row's state, tape and Back
	wx, wh       int // where on the tape x·Wx begins, with layer norm, and h·Wh: without, this becomes what activations are applied to
	rest         int // where in Back begins what a cell has beside
	row          struct{ i, f, g, o int }
	acts         []activation
	clip         float32
	inner        []inner
	bx, bh       []float32 // (G·H), bh zero with one bias
	gainX, gainH []float32 // (G·H) with layer norm
	gainC, biasC []float32 // (H) of an LSTM's c then
	peepholes    []float32 // ((G−1)·H) in the order of the gates but g, or empty
}

// inner is a product with h, or with r ⊙ h, and the norm of it: that of gates
// [from, to).
type inner struct {
	from, to int
	weights  *kernel.Weights
}

func newPlain(c Config, layout Layout, width int) layer {
	l := &plain{Config: c, gates: len(layout.Gates), acts: c.activations(), clip: float32(c.Clip)}
	l.sh, l.kh, l.back = len(layout.State)*c.Hidden, len(layout.Tape)*c.Hidden, layout.Back*c.Hidden
	gh := l.gates * c.Hidden
	if l.wh = l.kh - gh; c.LayerNorm {
		l.wx, l.rest = l.wh-gh, partRest*gh
	}
	if l.row.f, l.row.g, l.row.o = 1, 2, 3; c.Coupled {
		l.row.g, l.row.o = 1, 2
	}
	last := l.gates
	if c.Reset == ResetBefore {
		last--
		l.inner = []inner{{last, l.gates, new(kernel.Weights)}}
	}
	l.inner = append([]inner{{0, last, new(kernel.Weights)}}, l.inner...)
	return newCustom(l, c, layout, 1, width)
}

// plainLayout adds to a layout what a cell in plain Go has: with layer norm gains,
// and for an LSTM those of c, and on the tape the products before their norms; else
// there what activations are applied to.
func plainLayout(c Config, l Layout) Layout {
	l.Zeros = nil
	for _, variant := range []struct {
		name string
		is   bool
	}{{"coupled.", c.Coupled}, {"clip.", c.Clip > 0}, {"activation.", c.Activation != "" && !(c.Cell == "rnn" && c.Activation == "relu")}} {
		if variant.is {
			l.Prefix += variant.name
		}
	}
	if c.Reset == ResetAfter {
		l.Back += len(l.Gates)
	}
	before := []string{"before_"}
	if c.LayerNorm {
		rows := []int{len(l.Gates) * c.Hidden}
		l.Tensors = append(l.Tensors, nn.Tensor{Name: "weight_ih_norm", Shape: rows}, nn.Tensor{Name: "weight_hh_norm", Shape: rows})
		if l.Back += partRest * len(l.Gates); c.Cell == "lstm" {
			l.Tensors = append(l.Tensors, nn.Tensor{Name: "weight_c_norm", Shape: []int{c.Hidden}}, nn.Tensor{Name: "bias_c_norm", Shape: []int{c.Hidden}})
			l.Back += 2
		}
		before = []string{"product_x_", "product_h_"}
	} else if c.Peephole {
		l.Back += len(l.Gates) - 1
	}
	for _, of := range before {
		for _, gate := range l.Gates {
			l.Tape = append(l.Tape, of+gate)
		}
	}
	return l
}

func (l *plain) Pack(tensors [][]float32) {
	take := func(to *[]float32) {
		*to = append((*to)[:0], tensors[0]...)
		tensors = tensors[1:]
	}
	take(&l.bx)
	h := l.Hidden
	for i := range l.inner {
		in := &l.inner[i]
		in.weights.Pack(nil, nn.Float32, tensors[0][in.from*h*h:in.to*h*h], (in.to-in.from)*h, h, kernel.Order{})
	}
	tensors = tensors[1:]
	if l.Biases == 2 {
		take(&l.bh)
	} else {
		l.bh = nn.Grow(l.bh, len(l.bx))
		clear(l.bh)
	}
	if l.LayerNorm {
		take(&l.gainX)
		take(&l.gainH)
	}
	switch {
	case l.Peephole:
		take(&l.peepholes)
	case len(tensors) > 0:
		take(&l.gainC)
		take(&l.biasC)
	}
}

// plainRow is a row of a step in its parts.
type plainRow struct {
	a, gates   []float32 // (G·H) what activations are applied to, and what they make of it
	extra      []float32 // (H) of a GRU h_n or reset_h
	wx         []float32 // (G·H) with layer norm
	wh         []float32 // (G·H)
	prev, next []float32 // (S·H)
}

func (l *plain) rowOf(s *Step, i int) plainRow {
	tape, gh := of(s.Tape, l.kh, i, 1), l.gates*l.Hidden
	r := plainRow{wh: tape[l.wh:], prev: of(s.Prev, l.sh, i, 1), next: of(s.Next, l.sh, i, 1)}
	made := tape[:l.wh]
	if l.LayerNorm {
		r.wx, made = tape[l.wx:][:gh], tape[:l.wx]
	}
	r.gates = made
	if l.Cell == "gru" {
		r.gates, r.extra = made[:gh], made[gh:]
	}
	if s.A != nil {
		r.a = of(s.A, gh, i, 1)
	}
	return r
}

func (l *plain) Forward(s *Step) {
	for i := range s.N {
		r := l.rowOf(s, i)
		if l.LayerNorm {
			copy(r.wx, r.a)
			clear(r.a)
			normOf(r.wx).add(r.a, r.wx, l.gainX, l.bx)
		} else {
			kernel.AddTo(r.a, l.bx)
		}
		clear(r.wh)
	}
	h := l.Hidden
	for k := range l.inner {
		in := &l.inner[k]
		in.weights.MulAdd(kernel.RowMajor(s.Tape[l.wh+in.from*h:], l.kh), l.factor(s, k), s.N)
		for i := range s.N {
			r := l.rowOf(s, i)
			l.addH(&r, in)
			switch {
			case l.Cell == "rnn":
				l.activate(&r, 0, 0, r.next)
			case l.Cell == "lstm":
				l.lstm(&r)
			case l.Reset == ResetBefore && k == 0:
				l.reset(&r)
			default:
				l.gru(&r)
			}
		}
	}
}

// factor is what inner product k multiplies with: h, or r ⊙ h.
func (l *plain) factor(s *Step, k int) kernel.Matrix {
	if k == 0 {
		return kernel.RowMajor(s.Prev, l.sh)
	}
	return kernel.RowMajor(s.Tape[l.gates*l.Hidden:], l.kh)
}

// addH adds an inner product or its norm, with its bias, to a; but where the reset
// comes after, that of n stands apart.
func (l *plain) addH(r *plainRow, in *inner) {
	from, to := in.from*l.Hidden, in.to*l.Hidden
	add := func(y []float32, from, to int) {
		for j, b := range l.bh[from:to] {
			y[j] += r.wh[from+j] + b
		}
	}
	if l.LayerNorm {
		norm := normOf(r.wh[from:to])
		add = func(y []float32, from, to int) { norm.add(y, r.wh[from:to], l.gainH[from:], l.bh[from:]) }
	}
	if l.Reset == ResetAfter {
		to -= l.Hidden
		clear(r.extra)
		add(r.extra, to, to+l.Hidden)
	}
	add(r.a[from:to], from, to)
}

// gate is (H) number i of x.
func (l *plain) gate(x []float32, i int) []float32 { return x[i*l.Hidden:][:l.Hidden] }

// activate sets y to an activation of gate number gate of a, clipped.
func (l *plain) activate(r *plainRow, act, gate int, y []float32) {
	f, a := &l.acts[act], l.gate(r.a, gate)
	if !l.LayerNorm {
		copy(l.gate(r.wh, gate), a)
	}
	for j, v := range a {
		if l.clip > 0 {
			v = max(-l.clip, min(l.clip, v))
		}
		y[j] = f.at(v, f.a, f.b)
	}
}

// deactivate turns d, the gradient of what activate has made, y, into that of a.
func (l *plain) deactivate(r *plainRow, act, gate int, y, d []float32) {
	f, a := &l.acts[act], l.gate(r.wh, gate) // with layer norm not a, but then the function wants y alone
	for j, v := range a {
		switch {
		case l.clip > 0 && abs(v) > l.clip:
			d[j] = 0
		default:
			d[j] *= f.slope(v, y[j], f.a, f.b)
		}
	}
}
