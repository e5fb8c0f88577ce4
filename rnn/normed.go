package rnn

import (
	"math"

	"sluice/internal/kernel"
	"sluice/nn"
)

// normed is a built-in cell with layer norm. It runs as a user's cell does,
// row-major and slower than the fused ones. Its A is x·Wx: bias_ih comes after
// the norm, and so is the cell's.
type normed struct {
	Config
	gates        int // G
	sh, kh, back int // widths of a row's state, tape and Back
	wx           int // where on the tape x·Wx begins, h·Wh after it
	inner        []inner
	bx, bh       []float32 // (G·H), bh zero with one bias
	gainX, gainH []float32 // (G·H)
	gainC, biasC []float32 // (H) of an LSTM's c
}

// inner is a product with h, or with r ⊙ h, that has a norm of its own: that
// of gates [from, to).
type inner struct {
	from, to int
	weights  *kernel.Weights
}

// epsilon is added to a variance.
const epsilon = 1e-5

func newNormed(c Config, layout Layout, width int) layer {
	l := &normed{Config: c, gates: len(layout.Gates)}
	l.sh, l.kh, l.back = len(layout.State)*c.Hidden, len(layout.Tape)*c.Hidden, layout.Back*c.Hidden
	l.wx = l.kh - 2*l.gates*c.Hidden
	last := l.gates
	if c.Reset == ResetBefore {
		last--
		l.inner = []inner{{last, l.gates, new(kernel.Weights)}}
	}
	l.inner = append([]inner{{0, last, new(kernel.Weights)}}, l.inner...)
	return newCustom(l, c, layout, 1, width)
}

// norms adds to a layout what layer norm has: gains, and for an LSTM those of c;
// on the tape the products before their norms.
func norms(c Config, l Layout) Layout {
	rows := []int{len(l.Gates) * c.Hidden}
	l.Tensors = append(l.Tensors, nn.Tensor{Name: "weight_ih_norm", Shape: rows}, nn.Tensor{Name: "weight_hh_norm", Shape: rows})
	l.Zeros, l.Back = nil, 4*len(l.Gates)
	switch {
	case c.Cell == "lstm":
		l.Tensors = append(l.Tensors, nn.Tensor{Name: "weight_c_norm", Shape: []int{c.Hidden}}, nn.Tensor{Name: "bias_c_norm", Shape: []int{c.Hidden}})
		l.Back += 2
	case c.Reset == ResetAfter:
		l.Back += len(l.Gates)
	}
	for _, of := range []string{"x_", "h_"} {
		for _, gate := range l.Gates {
			l.Tape = append(l.Tape, "product_"+of+gate)
		}
	}
	return l
}

func (l *normed) Pack(tensors [][]float32) {
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
	take(&l.gainX)
	take(&l.gainH)
	if len(tensors) > 0 {
		take(&l.gainC)
		take(&l.biasC)
	}
}

// normRow is a row of a step in its parts.
type normRow struct {
	a, gates   []float32 // (G·H) pre-activations, and what they become
	extra      []float32 // (H) of a GRU h_n or reset_h
	wx, wh     []float32 // (G·H)
	prev, next []float32 // (S·H)
}

func (l *normed) row(s *Step, i int) normRow {
	tape, gh := of(s.Tape, l.kh, i, 1), l.gates*l.Hidden
	r := normRow{wx: tape[l.wx:][:gh], wh: tape[l.wx+gh:], prev: of(s.Prev, l.sh, i, 1), next: of(s.Next, l.sh, i, 1)}
	r.gates = tape[:min(gh, l.wx)]
	r.extra = tape[len(r.gates):l.wx]
	if s.A != nil {
		r.a = of(s.A, gh, i, 1)
	}
	return r
}

func (l *normed) Forward(s *Step) {
	for i := range s.N {
		r := l.row(s, i)
		copy(r.wx, r.a)
		clear(r.a)
		normOf(r.wx).add(r.a, r.wx, l.gainX, l.bx)
		clear(r.wh)
	}
	h := l.Hidden
	for k := range l.inner {
		in := &l.inner[k]
		wh := s.Tape[l.wx+(l.gates+in.from)*h:]
		in.weights.MulAdd(kernel.RowMajor(wh, l.kh), l.factor(s, k), s.N)
		for i := range s.N {
			r := l.row(s, i)
			l.normH(&r, in)
			switch {
			case l.Cell == "rnn":
				l.rnn(&r)
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
func (l *normed) factor(s *Step, k int) kernel.Matrix {
	if k == 0 {
		return kernel.RowMajor(s.Prev, l.sh)
	}
	return kernel.RowMajor(s.Tape[l.gates*l.Hidden:], l.kh)
}

// normH adds the norm of an inner product, with its bias, to the pre-activations;
// but where the reset comes after, that of n stands apart.
func (l *normed) normH(r *normRow, in *inner) {
	from, to := in.from*l.Hidden, in.to*l.Hidden
	norm := normOf(r.wh[from:to])
	if l.Reset == ResetAfter {
		n := to - l.Hidden
		clear(r.extra)
		norm.add(r.extra, r.wh[n:to], l.gainH[n:], l.bh[n:])
		to = n
	}
	norm.add(r.a[from:to], r.wh[from:to], l.gainH[from:], l.bh[from:])
}

// gate is (H) number i of x.
func (l *normed) gate(x []float32, i int) []float32 { return x[i*l.Hidden:][:l.Hidden] }

func (l *normed) rnn(r *normRow) {
	for j, a := range r.a {
		if l.Activation == "relu" {
			r.next[j] = max(0, a)
		} else {
			r.next[j] = kernel.Tanh(a)
		}
	}
}

func (l *normed) lstm(r *normRow) {
	i, f, g, o := l.gate(r.gates, 0), l.gate(r.gates, 1), l.gate(r.gates, 2), l.gate(r.gates, 3)
	h := l.Hidden
	c := r.next[h:]
	for j := range h {
		i[j], f[j] = kernel.Sigmoid(r.a[j]), kernel.Sigmoid(r.a[h+j])
		g[j], o[j] = kernel.Tanh(r.a[2*h+j]), kernel.Sigmoid(r.a[3*h+j])
		c[j] = float32(f[j]*r.prev[h+j]) + float32(i[j]*g[j])
	}
	y := r.a[:h]
	clear(y)
	normOf(c).add(y, c, l.gainC, l.biasC)
	for j := range h {
		r.next[j] = o[j] * kernel.Tanh(y[j])
	}
}

func (l *normed) reset(r *normRow) {
	reset, z := l.gate(r.gates, 0), l.gate(r.gates, 1)
	for j := range reset {
		reset[j], z[j] = kernel.Sigmoid(r.a[j]), kernel.Sigmoid(r.a[l.Hidden+j])
		r.extra[j] = reset[j] * r.prev[j]
	}
}

func (l *normed) gru(r *normRow) {
	reset, z, n := l.gate(r.gates, 0), l.gate(r.gates, 1), l.gate(r.gates, 2)
	for j := range n {
		a := r.a[2*l.Hidden+j]
		if l.Reset == ResetAfter {
			reset[j], z[j] = kernel.Sigmoid(r.a[j]), kernel.Sigmoid(r.a[l.Hidden+j])
			a += float32(reset[j] * r.extra[j])
		}
		n[j] = kernel.Tanh(a)
		r.next[j] = n[j] + float32(z[j]*(r.prev[j]-n[j]))
	}
}

// norm is what makes the mean of some values 0 and their variance 1.
type norm struct{ mean, scale float64 }

func normOf(x []float32) norm {
	sum, squares := 0.0, 0.0
	for _, v := range x {
		sum += float64(v)
	}
	mean := sum / float64(len(x))
	for _, v := range x {
		d := float64(v) - mean
		squares += float64(d * d)
	}
	return norm{mean, 1 / math.Sqrt(squares/float64(len(x))+epsilon)}
}

// of is v normalised.
func (n norm) of(v float32) float32 { return float32((float64(v) - n.mean) * n.scale) }

// add adds gain ⊙ x normalised + bias to y.
func (n norm) add(y, x, gain, bias []float32) {
	for j, v := range x {
		y[j] += float32(gain[j]*n.of(v)) + bias[j]
	}
}

// back is the step back of x normalised times gain: dy is the gradient of it,
// dGain is set to that of gain, and x's is added to dx.
func (n norm) back(dx, dGain, dy, x, gain []float32) {
	sum, along := 0.0, 0.0
	for j, v := range x {
		hat := n.of(v)
		d := float64(dy[j] * gain[j])
		dGain[j] = dy[j] * hat
		sum += d
		along += float64(d * float64(hat))
	}
	sum, along = sum/float64(len(x)), along/float64(len(x))
	for j, v := range x {
		dx[j] += float32(n.scale * (float64(dy[j]*gain[j]) - sum - float64(along*float64(n.of(v)))))
	}
}
