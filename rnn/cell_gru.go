package rnn

import "sluice/internal/kernel"

// gru is the gated recurrent unit in both reset variants.
type gru struct{}

func (gru) Validate(c Config) error {
	if err := c.validateActivation(); err != nil {
		return err
	}
	return oneOf("reset", c.Reset, ResetBefore, ResetAfter)
}

func (gru) Layout(c Config) Layout {
	l := Layout{Gates: []string{"r", "z", "n"}, State: []string{"h"}, Tape: []string{"r", "z", "n", "h_n"}} // h·Whn + bhn
	if c.Reset == ResetBefore {
		l.Prefix, l.Tape = "reset_before.", []string{"r", "z", "n", "reset_h"} // r ⊙ h
	}
	return recurrent(c, l)
}

// The lanes of a panel are n, r, z and, where the reset comes after, h·Whn.
// What x adds to are the first three, what h adds to the last ones.
func (g gru) layer(c Config, width int) layer {
	if c.plain() {
		return newPlain(c, g.Layout(c), width)
	}
	const r, z, n = 0, 1, 2 // as Layout has them
	order := func(gates ...int) kernel.Order { return kernel.Order{Gates: gates, H: c.Hidden} }
	x := product{order: order(n, r, z)}
	if c.Reset == ResetBefore {
		return newFused(gruBefore{}, c, width, 1, x, product{first: 1, order: order(r, z)}, product{order: order(n)})
	}
	return newFused(gruAfter{}, c, width, 1, x, product{first: 1, order: order(r, z, n)}, product{})
}

type gruLanes struct{}

func (gruLanes) after() int { return -1 }

func (gruLanes) lane(name string) int {
	return map[string]int{"n": 0, "r": 1, "z": 2, "h_n": 3}[name]
}

type gruAfter struct{ gruLanes }

func (gruAfter) steps() phases { return phases{1, 2, true} }

func (gruAfter) forward(w *fusedWay, _ int, s stretch, from, to int) {
	h := w.state[0]
	w.h.weights.MulAddPanels(w.h.lanes(w.g.From(s.at)), h.From(s.prev), s.n, from, to)
	for p := from; p < to; p++ {
		kernel.GRUForward(w.gates(s, p), cell(h, s.prev, p*kernel.Lane), cell(h, s.next, p*kernel.Lane), s.n)
	}
}

func (gruAfter) backward(w *fusedWay, phase int, s stretch, u units) {
	if phase == 1 {
		w.toH(&w.h, w.hBack, w.dState[0], s, u)
		return
	}
	for p, to := w.of(u); p < to; p++ {
		u := p * kernel.Lane
		kernel.GRUBackward(w.gates(s, p), cell(w.state[0], s.prev, u), cell(w.dState[0], s.b, u), cell(w.dy, s.b, u), s.n)
	}
}

type gruBefore struct{ gruLanes }

func (gruBefore) steps() phases { return phases{2, 3, true} }

func (gruBefore) forward(w *fusedWay, phase int, s stretch, from, to int) {
	h, p := w.state[0], &w.h
	x := h.From(s.prev)
	if phase == 1 {
		p, x = &w.r, w.rh.From(s.at)
	}
	p.weights.MulAddPanels(p.lanes(w.g.From(s.at)), x, s.n, from, to)
	for p := from; p < to; p++ {
		u := p * kernel.Lane
		if phase == 0 {
			kernel.GRUReset(w.gates(s, p), cell(h, s.prev, u), cell(w.rh, s.at, u), s.n)
		} else {
			kernel.GRUNext(w.gates(s, p), cell(h, s.prev, u), cell(h, s.next, u), s.n)
		}
	}
}

func (gruBefore) backward(w *fusedWay, phase int, s stretch, u units) {
	h, dh := w.state[0], w.dState[0]
	from, to := w.of(u)
	switch phase {
	case 0:
		for p := from; p < to; p++ {
			u := p * kernel.Lane
			kernel.GRUNextBackward(w.gates(s, p), cell(h, s.prev, u), cell(dh, s.b, u), cell(w.dy, s.b, u), s.n)
		}
	case 1:
		for at := u.from; at < u.to; at += kernel.Wide {
			clear(cell(w.drh, s.b, at)[:s.n*kernel.Wide])
		}
		w.toH(&w.r, w.rBack, w.drh, s, u)
		for p := from; p < to; p++ {
			u := p * kernel.Lane
			kernel.GRUResetBackward(w.gates(s, p), cell(h, s.prev, u), cell(dh, s.b, u), cell(w.drh, s.b, u), s.n)
		}
	case 2:
		w.toH(&w.h, w.hBack, dh, s, u)
	}
}
