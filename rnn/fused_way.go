package rnn

import (
	"math"
	"slices"

	"sluice/internal/kernel"
	"sluice/nn"
)

// fusedWay runs a fused layer.
type fusedWay struct {
	*fused
	b      int             // rows of a step
	g      kernel.Matrix   // (rows, panels · 64) gates, then the gradients of their pre-activations
	rh     kernel.Matrix   // (rows, H) r ⊙ h, where the reset comes before
	state  []kernel.Matrix // (slots·B, HSize) h, and (slots·B, H) c of an LSTM
	dState []kernel.Matrix // (B, HSize or H)
	drh    kernel.Matrix   // (B, H)
	dy     kernel.Matrix   // (B, HSize)
	hBack  kernel.Panels   // of h's weights, and r's
	rBack  kernel.Panels

	rows int // of the tape
	projection
	zones
	use  use
	raw  kernel.Matrix    // (rows, H) of zoneout: see keepsRaw
	kept [2]kernel.Matrix // (B, HSize) and (B, H) of the gradient of h and c, what passes by the kernels
}

func (w *fusedWay) fit(b, slots, rows int, use use) {
	w.b, w.use = b, use
	w.zones.fit(&w.config, rows, use)
	if use != inference && w.keepsRaw() >= 0 {
		w.raw = w.raw.Grow(rows, w.hidden)
	}
	w.g = w.g.Grow(rows, w.panels()*kernel.Wide)
	for len(w.state) < w.states {
		w.state = append(w.state, kernel.Matrix{})
		w.dState = append(w.dState, kernel.Matrix{})
	}
	w.state, w.dState = w.state[:w.states], w.dState[:w.states] // an LSTM's had one more
	for i := range w.state {
		w.state[i] = w.state[i].Grow(slots*b, w.sizeOf(i))
	}
	w.fitProjection(rows)
	if w.before {
		w.rh = w.rh.Grow(rows, w.hidden)
	}
}

func (w *fusedWay) fitBack(team *nn.Team) {
	w.hBack = w.h.weights.Back(team)
	if w.before {
		w.rBack = w.r.weights.Back(team)
	}
	for i := range w.dState {
		w.dState[i] = w.dState[i].Grow(w.b, w.sizeOf(i))
		if w.zones[i].rate > 0 {
			w.kept[i] = w.kept[i].Grow(w.b, w.sizeOf(i))
		}
	}
	w.fitProjectionBack(team)
	w.dy = w.dy.Grow(w.b, w.hsize)
	if w.before {
		w.drh = w.drh.Grow(w.b, w.hidden)
	}
}

// sizeOf is the width of state vector v.
func (f *fused) sizeOf(v int) int {
	if v == 0 {
		return f.hsize
	}
	return f.hidden
}

// vectorOf is state vector v of those of a stream.
func (f *fused) vectorOf(state []float32, v int) []float32 {
	if v == 0 {
		return state[:f.hsize]
	}
	return state[f.hsize+(v-1)*f.hidden:][:f.hidden]
}

// cell is where unit u's columns begin in row i of m and the rows after it: what
// kernels take.
func cell(m kernel.Matrix, i, u int) []float32 {
	return m.Data[int(uint(u)/kernel.Wide)*m.Block+i*kernel.Wide+int(uint(u)%kernel.Wide):]
}

// gates are the rows of panel p.
func (w *fusedWay) gates(s stretch, p int) []float32 { return cell(w.g, s.at, p*kernel.Wide) }

func (w *fusedWay) load(state []float32, row int, u units)       { w.put(w.state, state, row, u) }
func (w *fusedWay) loadBack(dState []float32, b int, u units)    { w.put(w.dState, dState, b, u) }
func (w *fusedWay) store(state []float32, row int, u units)      { w.get(state, w.state, row, u) }
func (w *fusedWay) storeBack(dState []float32, row int, u units) { w.get(dState, w.dState, row, u) }

// put sets row i of the matrices from the vectors of a stream, nil for zero,
// and what is beyond H to zero.
func (w *fusedWay) put(to []kernel.Matrix, from []float32, i int, u units) {
	for v, m := range to {
		var vector []float32
		if from != nil {
			vector = w.vectorOf(from, v)
		}
		for at, end := u.of(v); at < end; at += kernel.Wide {
			dst := cell(m, i, at)[:kernel.Wide]
			n := 0
			if from != nil {
				n = copy(dst, vector[at:])
			}
			clear(dst[n:])
		}
	}
}

// get is the way back.
func (w *fusedWay) get(to []float32, from []kernel.Matrix, i int, u units) {
	for v, m := range from {
		first, end := u.of(v)
		copyRow(w.vectorOf(to, v), m, i, first, end)
	}
}

// copyRow copies columns [from, to) of row i of m to the same places of dst.
func copyRow(dst []float32, m kernel.Matrix, i, from, to int) {
	for at := from; at < to; at += kernel.Wide {
		copy(dst[at:], cell(m, i, at)[:kernel.Wide])
	}
}

func (w *fusedWay) input(x *Sequence, row, at, n int, u units) {
	from, to := w.of(u)
	for ; from < to; from += w.together(n) {
		last := min(from+w.together(n), to)
		for p := from; p < last; p++ {
			g, bias := cell(w.g, at, p*kernel.Wide), w.bias[p*kernel.Wide:][:kernel.Wide]
			switch {
			case x.IDs == nil:
				kernel.FillRows(g, bias, n)
			case len(w.table.Data) > 0:
				kernel.LookUpRows(g, negativeZeros, cell(w.table, 0, p*kernel.Wide), kernel.Wide, x.IDs[row:row+n], n)
			default:
				w.x.weights.LookUp(p, g, bias, x.IDs[row:row+n])
			}
		}
		if x.IDs == nil {
			w.x.weights.MulAddPanels(w.x.lanes(w.g.From(at)), kernel.RowMajor(x.Data[row*x.F:], x.F), n, from, last)
		}
	}
}

// negativeZeros are what leaves any float as it is when added to.
var negativeZeros = slices.Repeat([]float32{float32(math.Copysign(0, -1))}, kernel.Wide)

// together is how many panels n rows pass before the next thing is done with
// them: one, while its sums are in the cache, but for a single row, whose
// weights come faster from some panels at once, and for products that round the
// rows first.
func (w *fusedWay) together(n int) int {
	if n == 1 || w.rounds {
		return 8
	}
	return 1
}

func (w *fusedWay) forward(phase int, s stretch, u units) {
	from, to := w.of(u)
	if w.hr != nil && phase == 1 {
		w.project(s, u)
		from = to
	}
	for ; from < to; from += w.together(s.n) {
		w.kernels.forward(w, phase, s, from, min(from+w.together(s.n), to))
	}
	if phase == w.steps().forward-1 && w.active() {
		w.zoneOut(s, u)
	}
}

func (w *fusedWay) output(y []float32, ld int, s stretch, u units) {
	for i := range s.n {
		copyRow(y[i*ld:][:w.hsize], w.state[0], s.next+i, u.h.from, u.h.to)
	}
}

func (w *fusedWay) carry(s stretch, u units) {
	for i := range s.n {
		for v, m := range w.state {
			for at, end := u.of(v); at < end; at += kernel.Wide {
				copy(cell(m, s.next+i, at)[:kernel.Wide], cell(m, s.prev+i, at))
			}
		}
	}
	from, to := w.of(u)
	for p := from; p < to; p++ {
		clear(cell(w.g, s.at, p*kernel.Wide)[:s.n*kernel.Wide])
	}
	for at := u.from; at < u.to && w.before; at += kernel.Wide {
		clear(cell(w.rh, s.at, at)[:s.n*kernel.Wide])
	}
	for at := u.from; at < u.to && w.hr != nil; at += kernel.Wide {
		clear(cell(w.m, s.at, at)[:s.n*kernel.Wide])
	}
	for at := u.from; at < u.to && w.peepholesAt >= 0 && w.use != inference && w.keepsRaw() >= 0; at += kernel.Wide {
		clear(cell(w.raw, s.at, at)[:s.n*kernel.Wide])
	}
}

func (w *fusedWay) backward(phase int, dy []float32, ld int, s stretch, u units) {
	if phase == 0 {
		for at := u.h.from; at < u.h.to; at += kernel.Wide {
			for i := range s.n {
				dst := cell(w.dy, s.b+i, at)[:kernel.Wide]
				clear(dst[copy(dst, dy[i*ld+at:][:min(kernel.Wide, w.hsize-at)]):])
			}
		}
		if w.active() {
			w.zonePart(s, u)
		}
	}
	w.kernels.backward(w, phase, s, u)
	if first := w.hr == nil; w.active() && (phase == 0 && first || phase == 1 && !first) {
		w.zoneJoin(s, u)
	}
}

// skip leaves zeros where carry has not.
func (w *fusedWay) skip(s stretch, u units) {
	for at := u.h.from; at < u.h.to && w.hr != nil; at += kernel.Wide {
		clear(cell(w.dOut, s.at, at)[:s.n*kernel.Wide])
	}
}

func (w *fusedWay) dx(team *nn.Team, dx []float32, x *input) {
	da, n := w.x.lanes(w.g), x.rows
	if x.folded {
		da, n = x.job.table, x.symbols
	}
	team.MulAdd(w.x.weights.Back(team), kernel.RowMajor(dx, w.width), da, n)
}

// toH adds da·Wh, of the product's lanes at row s.at, to rows of dh. back is of
// its weights.
func (w *fusedWay) toH(p *product, back kernel.Panels, dh kernel.Matrix, s stretch, u units) {
	back.MulAddPanels(dh.From(s.b), p.lanes(w.g.From(s.at)), s.n, u.h.from/kernel.Wide, blocks(u.h.to))
}

func (w *fusedWay) vector(dst []float32, name string, row, state int) {
	switch name {
	case "h":
		copyRow(dst, w.state[0], state, 0, w.hsize)
	case "c":
		copyRow(dst, w.state[1], state, 0, w.hidden)
	case "m":
		copyRow(dst, w.m, row, 0, w.hidden)
	case "reset_h":
		copyRow(dst, w.rh, row, 0, w.hidden)
	default:
		lane := w.lane(name)
		for u := range dst {
			dst[u] = cell(w.g, row, u/w.panel*kernel.Wide)[lane*kernel.Lane+u%w.panel]
		}
	}
}
