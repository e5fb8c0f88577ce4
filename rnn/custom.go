package rnn

import (
	"sluice/internal/kernel"
	"sluice/nn"
)

// registered is a cell of the user's.
type registered struct{ Cell }

func (r registered) layer(c Config, width int) layer {
	return newCustom(r.New(c), c, r.Layout(c), 2, width)
}

func newCustom(cell Recurrence, c Config, l Layout, own, width int) *custom {
	return &custom{
		cell: cell, config: c, layout: l, own: own, hidden: c.Hidden, width: width,
		gh: len(l.Gates) * c.Hidden, sh: len(l.State) * c.Hidden, kh: len(l.Tape) * c.Hidden, wh: l.Back * c.Hidden,
	}
}

// custom is a layer and direction of a user's cell: the stack makes the
// product of the input, the cell does the rest, all of it row-major.
type custom struct {
	cell           Recurrence
	config         Config
	layout         Layout
	own            int // the first tensor that is the cell's: bias_ih where it adds that itself
	hidden, width  int // H, X
	gh, sh, kh, wh int // widths of a row's gates, state, tape and Back
	wx             kernel.Weights
	bx             []float32 // (G·H), zero where it is the cell's
	table          []float32 // (V, G·H) x·Wx + bx of the rows of a folded table, or empty
}

// pack packs Wx as a precision, but float32 for Mixed; the cell's own tensors
// stay as they are.
func (l *custom) pack(team *nn.Team, tensors [][]float32, as nn.Precision) {
	if as == nn.Mixed {
		as = nn.Float32
	}
	l.wx.Pack(team, as, tensors[0], l.gh, l.width, kernel.Order{})
	l.table = l.table[:0]
	l.bx = append(l.bx[:0], tensors[1]...)
	if l.own < 2 {
		clear(l.bx)
	}
	l.cell.Pack(tensors[l.own:])
}

func (l *custom) steps() phases { return phases{1, 1, false} }

func (l *custom) way(old way) way {
	w, ok := old.(*customWay)
	if !ok {
		w = new(customWay)
	}
	w.custom = l
	return w
}

// customWay runs a custom layer.
type customWay struct {
	*custom
	b, rows int
	a       []float32 // (rows, G·H)
	states  []float32 // (slots·B, S·H)
	tape    []float32 // (rows, K·H)

	dNext, dPrev []float32 // (B, S·H)
	da           []float32 // (rows, G·H)
	work         []float32 // (rows, Back·H)
	dTable       []float32 // (V, G·H) of a folded table
	parts        []Step    // (B) of the stretches that begin at a row
	all          Step

	zones
	keeps bool      // raw has the states as the cell has made them
	raw   []float32 // (rows, S·H)
	kept  []float32 // (B, S·H) of the gradient of the states, what passes by the cell
}

func (w *customWay) fit(b, slots, rows int, use use) {
	w.b, w.rows = b, rows
	w.zones.fit(&w.config, rows, use)
	if w.keeps = w.active() && use != inference; w.keeps {
		w.raw = nn.Grow(w.raw, rows*w.sh)
	}
	w.parts = nn.Grow(w.parts, b)
	w.a = nn.Grow(w.a, rows*w.gh)
	w.states = nn.Grow(w.states, slots*b*w.sh)
	w.tape = nn.Grow(w.tape, rows*w.kh)
}

func (w *customWay) fitBack(*nn.Team) {
	w.dNext = nn.Grow(w.dNext, w.b*w.sh)
	w.dPrev = nn.Grow(w.dPrev, w.b*w.sh)
	w.da = nn.Grow(w.da, w.rows*w.gh)
	w.work = nn.Grow(w.work, w.rows*w.wh)
	if w.keeps {
		w.kept = nn.Grow(w.kept, w.b*w.sh)
	}
}

// put copies a stream's vectors, or zeros for nil, to a row.
func put(to, from []float32) {
	if from == nil {
		clear(to)
	} else {
		copy(to, from)
	}
}

// of is rows [i, i+n) of x, width floats each.
func of[E any](x []E, width, i, n int) []E { return x[i*width : (i+n)*width] }

func (w *customWay) load(state []float32, row int, _ units)    { put(of(w.states, w.sh, row, 1), state) }
func (w *customWay) store(state []float32, row int, _ units)   { copy(state, of(w.states, w.sh, row, 1)) }
func (w *customWay) loadBack(dState []float32, b int, _ units) { put(of(w.dPrev, w.sh, b, 1), dState) }
func (w *customWay) storeBack(dState []float32, b int, _ units) {
	copy(dState, of(w.dPrev, w.sh, b, 1))
}

func (w *customWay) input(x *Sequence, row, at, n int, _ units) {
	a := of(w.a, w.gh, at, n)
	for i := range n {
		if x.IDs != nil && len(w.table) > 0 {
			copy(a[i*w.gh:], of(w.table, w.gh, int(x.IDs[row+i]), 1))
			continue
		}
		copy(a[i*w.gh:], w.bx)
		for p := 0; x.IDs != nil && p < w.wx.Len(); p++ {
			table, width := w.wx.Table(p)
			to := a[i*w.gh+p*kernel.Wide : (i+1)*w.gh]
			for j, v := range table[int(x.IDs[row+i])*width:][:min(width, len(to))] {
				to[j] += v
			}
		}
	}
	if x.IDs == nil {
		w.wx.MulAdd(kernel.RowMajor(a, w.gh), kernel.RowMajor(x.Data[row*x.F:], x.F), n)
	}
}

func (w *customWay) forward(_ int, s stretch, _ units) {
	st := &w.parts[s.b]
	*st = Step{
		N: s.n, A: of(w.a, w.gh, s.at, s.n), Tape: of(w.tape, w.kh, s.at, s.n),
		Prev: of(w.states, w.sh, s.prev, s.n), Next: of(w.states, w.sh, s.next, s.n),
	}
	if w.keeps {
		st.Next = of(w.raw, w.sh, s.at, s.n)
	}
	w.cell.Forward(st)
	if w.keeps {
		copy(of(w.states, w.sh, s.next, s.n), st.Next)
	}
	w.zoned(s, func(z *zone, row, from, to, block int) {
		z.forward(of(w.states, w.sh, s.next+row, 1)[from:to], of(w.states, w.sh, s.prev+row, 1)[from:to], s.at+row, block)
	})
}

// zoned calls f with each 64 units [from, to) of each row of a stretch that have
// a zoneout.
func (w *customWay) zoned(s stretch, f func(z *zone, row, from, to, block int)) {
	for v := range w.zones {
		for row := 0; row < s.n && w.zones[v].rate > 0; row++ {
			for block := range words(w.hidden) {
				from := v*w.hidden + block*kernel.Wide
				f(&w.zones[v], row, from, min(from+kernel.Wide, (v+1)*w.hidden), block)
			}
		}
	}
}

func (w *customWay) output(y []float32, ld int, s stretch, _ units) {
	for i := range s.n {
		copy(y[i*ld:][:w.hidden], of(w.states, w.sh, s.next+i, 1))
	}
}

func (w *customWay) carry(s stretch, _ units) {
	copy(of(w.states, w.sh, s.next, s.n), of(w.states, w.sh, s.prev, s.n))
	clear(of(w.tape, w.kh, s.at, s.n))
}

func (w *customWay) backward(_ int, dy []float32, ld int, s stretch, _ units) {
	next, prev := of(w.dNext, w.sh, s.b, s.n), of(w.dPrev, w.sh, s.b, s.n)
	copy(next, prev)
	for i := range s.n {
		dh := next[i*w.sh:][:w.hidden]
		for j, v := range dy[i*ld:][:w.hidden] {
			dh[j] += v
		}
	}
	w.zoned(s, func(z *zone, row, from, to, block int) {
		z.part(of(w.kept, w.sh, s.b+row, 1)[from:to], of(next, w.sh, row, 1)[from:to], s.at+row, block)
	})
	st := &w.parts[s.b]
	*st = Step{
		N: s.n, Tape: of(w.tape, w.kh, s.at, s.n),
		Prev: of(w.states, w.sh, s.prev, s.n), Next: of(w.states, w.sh, s.next, s.n),
		DNext: next, DPrev: prev, DA: of(w.da, w.gh, s.at, s.n), Back: of(w.work, w.wh, s.at, s.n),
	}
	if w.keeps {
		st.Next = of(w.raw, w.sh, s.at, s.n)
	}
	w.cell.Backward(st)
	w.zoned(s, func(z *zone, row, from, to, block int) {
		z.join(of(prev, w.sh, row, 1)[from:to], of(w.kept, w.sh, s.b+row, 1)[from:to], s.at+row, block)
	})
}

func (w *customWay) skip(s stretch, _ units) {
	clear(of(w.da, w.gh, s.at, s.n))
	clear(of(w.work, w.wh, s.at, s.n))
}

func (w *customWay) gradient(team *nn.Team, grads [][]float32, x *input, prev int) {
	da, db := kernel.RowMajor(w.da, w.gh), grads[1]
	if w.own < 2 {
		db = nil
	}
	switch {
	case x.ids == nil:
		team.AddOuter(grads[0], db, w.gh, w.width, da, x.blocks, x.rows)
	case x.folded:
		w.dTable = nn.Grow(w.dTable, x.symbols*w.gh)
		clear(w.dTable)
		for i, id := range x.ids {
			kernel.AddTo(of(w.dTable, w.gh, int(id), 1), of(w.da, w.gh, i, 1))
		}
		team.AddOuter(grads[0], db, w.gh, w.width, kernel.RowMajor(w.dTable, w.gh), x.blocks, x.symbols)
	default:
		team.AddOuter(nil, db, w.gh, w.width, da, x.blocks, x.rows)
		for i, id := range x.ids {
			for g, v := range of(w.da, w.gh, i, 1) {
				grads[0][g*w.width+int(id)] += v
			}
		}
	}
	w.all = Step{N: x.rows, Prev: of(w.states, w.sh, prev, x.rows), Tape: w.tape, DA: w.da, Back: w.work}
	w.cell.Gradient(team, grads[w.own:], &w.all)
}

func (w *customWay) dx(team *nn.Team, dx []float32, x *input) {
	da, n := w.da, x.rows
	if x.folded {
		da, n = w.dTable, x.symbols
	}
	team.MulAdd(w.wx.Back(team), kernel.RowMajor(dx, w.width), kernel.RowMajor(da, w.gh), n)
}

func (w *customWay) vector(dst []float32, name string, row, state int) {
	for i, n := range w.layout.State {
		if n == name {
			copy(dst, of(w.states, w.sh, state, 1)[i*w.hidden:])
		}
	}
	for i, n := range w.layout.Tape {
		if n == name {
			copy(dst, of(w.tape, w.kh, row, 1)[i*w.hidden:])
		}
	}
}
