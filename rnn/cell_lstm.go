package rnn

import "sluice/internal/kernel"

// lstm is the long short-term memory; its state is h, then c.
type lstm struct{}

func (lstm) Validate(c Config) error {
	if err := oneOf("reset", c.Reset, ""); err != nil {
		return err
	}
	return oneOf("activation", c.Activation, "")
}

func (lstm) Layout(c Config) Layout {
	return recurrent(c, Layout{
		Gates: []string{"i", "f", "g", "o"},
		State: []string{"h", "c"},
		Tape:  []string{"i", "f", "g", "o"},
	})
}

func (l lstm) layer(c Config, width int) layer {
	if c.LayerNorm {
		return newNormed(c, l.Layout(c), width)
	}
	order := kernel.Order{Gates: []int{0, 1, 2, 3}, H: c.Hidden}
	return newFused(lstmKernels{}, c, width, 2, product{order: order}, product{order: order}, product{})
}

// lstmKernels has the lanes i, f, g, o.
type lstmKernels struct{}

func (lstmKernels) steps() phases { return phases{1, 2, true} }

func (lstmKernels) after() int { return 1 }

func (lstmKernels) lane(name string) int {
	return map[string]int{"i": 0, "f": 1, "g": 2, "o": 3}[name]
}

func (lstmKernels) forward(w *fusedWay, _ int, s stretch, from, to int) {
	h, c := w.state[0], w.state[1]
	w.h.weights.MulAddPanels(w.g.From(s.at), h.From(s.prev), s.n, from, to)
	for p := from; p < to; p++ {
		u := p * kernel.Lane
		kernel.LSTMForward(w.gates(s, p), cell(c, s.prev, u), cell(c, s.next, u), cell(h, s.next, u), s.n)
	}
}

func (lstmKernels) backward(w *fusedWay, phase int, s stretch, u units) {
	if phase == 1 {
		w.toH(&w.h, w.hBack, w.dState[0], s, u)
		return
	}
	c := w.state[1]
	for p, to := w.of(u); p < to; p++ {
		u := p * kernel.Lane
		kernel.LSTMBackward(w.gates(s, p), cell(c, s.prev, u), w.made(s, u), cell(w.dState[0], s.b, u), cell(w.dState[1], s.b, u), cell(w.dy, s.b, u), s.n)
	}
}
