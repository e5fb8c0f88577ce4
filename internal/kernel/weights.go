package kernel

import "sync"

// Weights are a matrix packed for products with it and, from when that is first
// asked for, with its transpose, which inference has no use for. Many may
// multiply at once; who packs must be alone.
type Weights struct {
	Panels
	turning sync.Mutex
	back    Panels
	turned  bool
}

// Pack is Panels.PackAs, and packs what trains. Of that the team, if there is
// one, shares the work.
func (w *Weights) Pack(team *Team, as Precision, m []float32, n, k int, o Order) {
	w.turned = false
	if !as.Trains() {
		w.PackAs(as, m, n, k, o)
		return
	}
	w.plan(m, n, k, o)
	w.mixed = as == Mixed
	w.pairs = w.mixed && pairing()
	team.pack(packJob{to: &w.Panels, w: m, n: n, order: o})
}

// Back is the panels of the transpose: MulAdd with them adds y·w, y being what
// MulAdd with w sets. Only weights of a precision that trains have them.
func (w *Weights) Back(team *Team) Panels {
	w.turning.Lock()
	defer w.turning.Unlock()
	if !w.turned {
		w.back.fit(w.N, w.K, Wide)
		w.back.mixed, w.back.pairs = w.mixed, w.pairs
		team.pack(packJob{to: &w.back, of: &w.Panels})
		w.turned = true
	}
	return w.back
}

// packJob sets panels from a matrix or from panels of its transpose: part is a
// span of them.
type packJob struct {
	to    *Panels
	of    *Panels
	w     []float32
	n     int
	order Order
	parts int
}

func (j *packJob) Run(part int) {
	from, to := Span(j.to.Len(), part, j.parts, 1)
	if j.of != nil {
		j.to.turn(*j.of, from, to)
	} else {
		j.to.pack(j.w, j.n, j.order, from, to)
	}
	if j.to.mixed {
		j.to.round(from, to)
	}
}

// packAlone is the size of a matrix that is packed before others would have
// begun to help.
const packAlone = 1 << 14

func (t *Team) pack(j packJob) {
	if t == nil || j.to.K*j.to.N < packAlone {
		j.parts = 1
		j.Run(0)
		return
	}
	t.packing = j
	t.packing.parts = t.threads
	t.Do(t.threads, &t.packing)
	t.packing = packJob{}
}
