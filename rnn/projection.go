package rnn

import (
	"sluice/internal/kernel"
	"sluice/nn"
)

// projection is what a fused LSTM has beside, whose h is m·Whr of m = o ⊙ tanh(c').
type projection struct {
	m    kernel.Matrix // (rows, H)
	dOut kernel.Matrix // (rows, P) the gradient of h
	dm   kernel.Matrix // (B, H) 0 between two steps
	none kernel.Matrix // (B, H) zeros
	back kernel.Panels // of Whr
}

func (w *fusedWay) fitProjection(rows int) {
	if w.hr != nil {
		w.rows, w.m = rows, w.m.Grow(rows, w.hidden)
	}
}

func (w *fusedWay) fitProjectionBack(team *nn.Team) {
	if w.hr == nil {
		return
	}
	w.projection.back = w.hr.Back(team)
	w.dOut = w.dOut.Grow(w.rows, w.hsize)
	w.dm, w.none = w.dm.Grow(w.b, w.hidden), w.none.Grow(w.b, w.hidden)
	clear(w.dm.Data) // also where a run before has not ended
}

// project makes h of m.
func (w *fusedWay) project(s stretch, u units) {
	h := w.state[0]
	for at := u.h.from; at < u.h.to; at += kernel.Wide {
		clear(cell(h, s.next, at)[:s.n*kernel.Wide])
	}
	w.hr.MulAddPanels(h.From(s.next), w.m.From(s.at), s.n, u.h.from/kernel.Wide, blocks(u.h.to))
}

// gather takes the gradient of h, which is 0 from then on.
func (w *fusedWay) gather(s stretch, u units) {
	for at := u.h.from; at < u.h.to; at += kernel.Wide {
		dOut, dh, dy := cell(w.dOut, s.at, at)[:s.n*kernel.Wide], cell(w.dState[0], s.b, at)[:s.n*kernel.Wide], cell(w.dy, s.b, at)
		copy(dOut, dh)
		kernel.AddTo(dOut, dy[:len(dOut)])
		clear(dh)
	}
}

// toM adds the gradient of m to dm.
func (w *fusedWay) toM(s stretch, u units) {
	w.projection.back.MulAddPanels(w.dm.From(s.b), w.dOut.From(s.at), s.n, u.from/kernel.Wide, blocks(u.to))
}

// blocks is how many hold n columns.
func blocks(n int) int { return (n + kernel.Wide - 1) / kernel.Wide }

// projectionGradient adds that of Whr.
func (w *fusedWay) projectionGradient(team *nn.Team, j *gradientJob, dw []float32, rows int) {
	as, m := nn.Float32, w.m
	if w.mixed {
		as = nn.Mixed
		j.one(team, 3, &m, w.hidden)
	}
	team.AddOuterAs(as, dw, nil, w.hsize, w.hidden, w.dOut, m, rows)
}

// peepholes adds the gradients of a panel's: they are sums over all steps of those
// of the gates times the cell that the gates see.
func (j *gradientJob) peepholes(panel int) {
	w, u := j.w, panel*kernel.Lane
	made := w.state[1].From(w.b - j.prev) // the states after the steps
	if w.keepsRaw() >= 0 {
		made = w.raw
	}
	sum := j.db[panel*kernel.Wide:][:kernel.Wide]
	clear(sum)
	dw := j.grads[w.peepholesAt]
	for k, lane := range peepholeLanes {
		c := w.state[1].From(j.prev)
		if lane == 3 {
			c = made
		}
		own := sum[lane*kernel.Lane:][:kernel.Lane]
		kernel.SumProducts(own, cell(w.g, 0, panel*kernel.Wide)[lane*kernel.Lane:], cell(c, 0, u), j.x.rows)
		to := dw[k*w.hidden+u : min((k+1)*w.hidden, k*w.hidden+u+kernel.Lane)]
		kernel.AddTo(to, own[:len(to)])
	}
}

// peepholeLanes are the lanes of the gates i, f and o.
var peepholeLanes = [3]int{0, 1, 3}

// packPeepholes sets the panels of the peepholes (3·H).
func (f *fused) packPeepholes(p []float32) {
	f.peepholes = nn.Grow(f.peepholes, f.panels()*kernel.Wide)
	clear(f.peepholes)
	for k, lane := range peepholeLanes {
		for i, v := range p[k*f.hidden : (k+1)*f.hidden] {
			f.peepholes[i/kernel.Lane*kernel.Wide+lane*kernel.Lane+i%kernel.Lane] = v
		}
	}
}
