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
	h     kernel.Matrix // (rows, H) before each step
	parts int
	db    []float32 // (panels, 64)
	table []float32 // (parts, X, lanes of x · 16)
	lane  []float32 // (parts, 16, X)
}

// How many rows, at most, and how many panels pass at once: with a block of
// what they are multiplied with, what stays in L2.
const (
	long  = 512
	group = 4
)

func (w *fusedWay) gradient(team *nn.Team, grads [][]float32, x *input, prev int) {
	j := &w.job
	j.w, j.grads, j.x, j.h = w, grads, x, w.state[0].From(prev)
	j.parts = min(team.Threads(), w.panels())
	j.db = nn.Grow(j.db, w.panels()*kernel.Wide)
	if x.ids != nil {
		j.table = nn.Grow(j.table, j.parts*w.width*w.x.order.Lanes()*kernel.Lane)
		j.lane = nn.Grow(j.lane, j.parts*kernel.Lane*w.width)
	}
	team.Do(j.parts, j)
	j.grads, j.x = nil, nil
}

func (j *gradientJob) Run(part int) {
	w, rows := j.w, j.x.rows
	from, to := kernel.Span(w.panels(), part, j.parts, 1)
	chunk := (rows + (rows+long-1)/long - 1) / ((rows + long - 1) / long)
	for r := 0; r < rows; r += chunk {
		n := min(chunk, rows-r)
		for p := from; p < to; p += group {
			last := min(p+group, to)
			if j.x.ids == nil {
				j.outer(&w.x, p, last, j.grads[0], w.width, j.x.blocks, r, n)
			}
			j.outer(&w.h, p, last, j.grads[2], w.hidden, j.h, r, n)
			if w.before {
				j.outer(&w.r, p, last, j.grads[2], w.hidden, w.rh, r, n)
			}
		}
	}
	for p := from; p < to; p++ {
		j.biases(p)
		if j.x.ids != nil {
			j.scatter(part, p)
		}
	}
}

// outer adds what rows [r, r+n) make of the gradient dw (G·H, k) of the rows of
// panels [from, to).
func (j *gradientJob) outer(p *product, from, to int, dw []float32, k int, x kernel.Matrix, r, n int) {
	da := j.w.g.From(r)
	for at := 0; at < k; at += kernel.Wide {
		block := x.From(r).Columns(at)
		for panel := from; panel < to; panel++ {
			p.eachLane(panel, len(dw)/k, func(lane, row, count int) {
				kernel.AddOuter(dw[row*k+at:], k, count, min(kernel.Wide, k-at), da.Columns(panel*kernel.Wide+lane*kernel.Lane), block, n)
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
	w.biasesOf(j.grads, panel, func(_, lane int, db []float32) {
		for i, v := range sum[lane*kernel.Lane:][:len(db)] {
			db[i] += v
		}
	})
}

// scatter adds the rows of a panel to the rows of a table that the IDs name,
// and the table, transposed, to the gradient of Wx.
func (j *gradientJob) scatter(part, panel int) {
	w := j.w
	width, v := w.x.order.Lanes()*kernel.Lane, w.width
	table, turned := j.table[part*v*width:][:v*width], j.lane[part*kernel.Lane*v:][:kernel.Lane*v]
	clear(table)
	kernel.ScatterRows(table, width, cell(w.g, 0, panel*kernel.Wide), j.x.ids, j.x.rows)
	w.x.eachLane(panel, len(j.grads[1]), func(lane, row, count int) {
		kernel.Transpose(turned, v, table[(lane-w.x.first)*kernel.Lane:], width, v)
		kernel.AddTo(j.grads[0][row*v:(row+count)*v], turned[:count*v])
	})
}
