package rnn

import (
	"sluice/internal/kernel"
	"sluice/nn"
)

// gradientJob adds up the gradients of a fused layer's weights over all rows:
// part is a span of panels, which own their rows of each tensor.
type gradientJob struct {
	w     *fusedWay
	grads [][]float32
	x     *input
	h, rh kernel.Matrix // (rows, HSize) and (rows, H) before each step
	prev  int           // the row of the states where these begin
	in    kernel.Matrix // (rows, X) where there are no IDs
	// Of products of bf16: what h, rh, in and m are rounded to, and the gates that
	// a part is at work on.
	rounded [4]kernel.Matrix
	da      []kernel.Matrix // (parts)
	parts   int
	db      []float32     // (panels, 64)
	table   kernel.Matrix // (V, lanes of x · 16 of each panel, or of each part) the sums of the rows of g of each ID
	lane    []float32     // (parts, 16, V)
}

// How many rows, at most, and how many panels pass at once: with a block of
// what they are multiplied with, what stays in L2.
const (
	long  = 512
	group = 4
)

func (w *fusedWay) gradient(team *nn.Team, grads [][]float32, x *input, prev int) {
	j := &x.job
	j.w, j.grads, j.x = w, grads, x
	j.h, j.rh, j.in, j.prev = w.state[0].From(prev), w.rh, x.blocks, prev
	j.parts = min(team.Threads(), w.panels())
	if w.mixed {
		j.round(team)
	}
	j.db = nn.Grow(j.db, w.panels()*kernel.Wide)
	if x.ids != nil {
		width, panels := w.x.order.Lanes()*kernel.Lane, j.parts
		if x.folded {
			panels = w.panels()
		} else {
			j.lane = nn.Grow(j.lane, j.parts*kernel.Lane*x.symbols)
		}
		j.table = kernel.Matrix{Data: nn.Grow(j.table.Data, panels*x.symbols*width), Row: width, Block: x.symbols * width, Width: width}
	}
	team.Do(j.parts, j)
	if w.hr != nil {
		w.projectionGradient(team, j, grads[w.hrAt], x.rows)
	}
	j.grads, j.x = nil, nil
}

// round makes the factors of products of bf16.
func (j *gradientJob) round(team *nn.Team) {
	j.one(team, 0, &j.h, j.w.hsize)
	if j.w.before {
		j.one(team, 1, &j.rh, j.w.hidden)
	}
	if j.x.ids == nil {
		j.one(team, 2, &j.in, j.w.width)
	}
	for len(j.da) < j.parts {
		j.da = append(j.da, kernel.Matrix{})
	}
}

// one rounds x.
func (j *gradientJob) one(team *nn.Team, i int, x *kernel.Matrix, cols int) {
	j.rounded[i] = j.rounded[i].GrowRounded(j.x.rows, cols)
	team.RoundRows(j.rounded[i], *x, cols, j.x.rows)
	*x = j.rounded[i]
}

// gates are the gradients of rows [r, r+n) of panels [from, to), a group at most,
// as products take them.
func (j *gradientJob) gates(part, from, to, r, n int) kernel.Matrix {
	da := j.w.g.From(r).Columns(from * kernel.Wide)
	if !j.w.mixed {
		return da
	}
	j.da[part] = j.da[part].GrowRounded(n, group*kernel.Wide)
	kernel.RoundRows(j.da[part], da, (to-from)*kernel.Wide, n)
	return j.da[part]
}

func (j *gradientJob) Run(part int) {
	w := j.w
	from, to := kernel.Span(w.panels(), part, j.parts, 1)
	pieces(j.x.rows, from, to, func(r, n, from, to int) {
		da := j.gates(part, from, to, r, n)
		if j.x.ids == nil {
			outer(&w.x, from, to, j.grads[0], w.width, w.x.lanes(da), j.in.From(r), n)
		}
		outer(&w.h, from, to, j.grads[2], w.hsize, w.h.lanes(da), j.h.From(r), n)
		if w.before {
			outer(&w.r, from, to, j.grads[2], w.hidden, w.r.lanes(da), j.rh.From(r), n)
		}
	})
	for p := from; p < to; p++ {
		j.biases(p)
		if w.peepholesAt >= 0 {
			j.peepholes(p)
		}
		if j.x.folded {
			j.scatter(p, p)
		} else if j.x.ids != nil {
			j.scatter(part, p)
			j.transpose(part, p)
		}
	}
	if j.x.folded {
		pieces(j.x.symbols, from, to, func(r, n, from, to int) {
			outer(&w.x, from, to, j.grads[0], w.width, j.table.From(r).Columns(from*j.table.Width), j.in.From(r), n)
		})
	}
}

// pieces calls f with [r, r+n) of rows and [from, to) of panels, some at a time.
func pieces(rows, from, to int, f func(r, n, from, to int)) {
	chunk := (rows + (rows+long-1)/long - 1) / ((rows + long - 1) / long)
	chunk += chunk % 2 // they may be rounded in pairs
	for r := 0; r < rows; r += chunk {
		for p := from; p < to; p += group {
			f(r, min(chunk, rows-r), p, min(p+group, to))
		}
	}
}

// outer adds what n rows make of the gradient dw (G·H, k) of the rows of panels
// [from, to). da is the product's lanes from there on.
func outer(p *product, from, to int, dw []float32, k int, da, x kernel.Matrix, n int) {
	for at := 0; at < k; at += kernel.Wide {
		block := x.Columns(at)
		for panel := from; panel < to; panel++ {
			p.eachLane(panel, len(dw)/k, func(lane, row, count int) {
				dy := da.Columns((panel-from)*da.Width + (lane-p.first)*kernel.Lane)
				kernel.AddOuter(dw[row*k+at:], k, count, min(kernel.Wide, k-at), dy, block, n)
			})
		}
	}
}

// biases adds the sums of a panel's columns.
func (j *gradientJob) biases(panel int) {
	w := j.w
	sum := j.db[panel*kernel.Wide:][:kernel.Wide]
	clear(sum)
	kernel.SumRows(sum, cell(w.g, 0, panel*kernel.Wide), j.x.rows)
	w.biasesOf(j.grads, panel, func(lane int, db []float32) {
		for i, v := range sum[lane*kernel.Lane:][:len(db)] {
			db[i] += v
		}
	})
}

// scatter sets a block of the table from a panel.
func (j *gradientJob) scatter(block, panel int) {
	table := j.table.Data[block*j.table.Block:][:j.table.Block]
	clear(table)
	kernel.ScatterRows(table, j.table.Width, cell(j.w.g, 0, panel*kernel.Wide), j.x.ids, j.x.rows)
}

// transpose adds a part's block of the table, which is of a panel, transposed to
// the gradient of Wx: its rows are those of one-hot vectors.
func (j *gradientJob) transpose(part, panel int) {
	w, d, v := j.w, j.table, j.x.symbols
	turned := j.lane[part*kernel.Lane*v:][:kernel.Lane*v]
	w.x.eachLane(panel, len(j.grads[1]), func(lane, row, count int) {
		kernel.Transpose(turned, v, d.Data[part*d.Block+(lane-w.x.first)*kernel.Lane:], d.Width, v)
		kernel.AddTo(j.grads[0][row*v:(row+count)*v], turned[:count*v])
	})
}
