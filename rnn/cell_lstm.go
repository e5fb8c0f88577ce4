package rnn

import "sluice/internal/kernel"

// lstm is the long short-term memory; its state is h, then c.
type lstm struct{}

func (lstm) Validate(c Config) error {
	if err := oneOf("reset", c.Reset, ""); err != nil {
		return err
	}
	return c.validateActivation()
}

func (lstm) Layout(c Config) Layout {
	l := Layout{
		Gates: []string{"i", "f", "g", "o"},
		State: []string{"h", "c"},
		Tape:  []string{"i", "f", "g", "o"},
	}
	if c.Projection > 0 {
		l.Tape = append(l.Tape, "m") // o ⊙ tanh(c')
	}
	if c.Coupled {
		l.Gates = []string{"i", "g", "o"}
	}
	return recurrent(c, l)
}

func (l lstm) layer(c Config, width int) layer {
	if c.plain() {
		return newPlain(c, l.Layout(c), width)
	}
	order := kernel.Order{Gates: []int{0, 1, 2, 3}, H: c.Hidden}
	return newFused(lstmKernels{c.Peephole, c.Projection > 0}, c, width, 2, product{order: order}, product{order: order}, product{})
}

// lstmKernels has the lanes i, f, g, o.
type lstmKernels struct{ peephole, projects bool }

// steps has a phase more each way where all units of o ⊙ tanh(c') make h.
func (l lstmKernels) steps() phases {
	if l.projects {
		return phases{2, 3, true}
	}
	return phases{1, 2, true}
}

func (lstmKernels) after() int { return 1 }

func (lstmKernels) lane(name string) int {
	return map[string]int{"i": 0, "f": 1, "g": 2, "o": 3}[name]
}

func (l lstmKernels) forward(w *fusedWay, _ int, s stretch, from, to int) {
	h, c := w.state[0], w.state[1]
	w.h.weights.MulAddPanels(w.g.From(s.at), h.From(s.prev), s.n, from, to)
	row := s.next
	if l.projects {
		h, row = w.m, s.at
	}
	for p := from; p < to; p++ {
		u := p * kernel.Lane
		g, cPrev, c, h := w.gates(s, p), cell(c, s.prev, u), cell(c, s.next, u), cell(h, row, u)
		if l.peephole {
			kernel.PeepholeForward(g, w.peepholes[p*kernel.Wide:], cPrev, c, h, s.n)
		} else {
			kernel.LSTMForward(g, cPrev, c, h, s.n)
		}
	}
}

func (l lstmKernels) backward(w *fusedWay, phase int, s stretch, u units) {
	dh, dy := w.dState[0], w.dy
	if l.projects {
		dh, dy, phase = w.dm, w.none, phase-1
	}
	switch phase {
	case -1:
		w.gather(s, u)
		return
	case 1:
		w.toH(&w.h, w.hBack, w.dState[0], s, u)
		return
	}
	if l.projects {
		w.toM(s, u)
	}
	c := w.state[1]
	for p, to := w.of(u); p < to; p++ {
		u := p * kernel.Lane
		g, cPrev, c, dh, dc, dy := w.gates(s, p), cell(c, s.prev, u), w.made(s, u), cell(dh, s.b, u), cell(w.dState[1], s.b, u), cell(dy, s.b, u)
		if l.peephole {
			kernel.PeepholeBackward(g, w.peepholes[p*kernel.Wide:], cPrev, c, dh, dc, dy, s.n)
		} else {
			kernel.LSTMBackward(g, cPrev, c, dh, dc, dy, s.n)
		}
	}
}
