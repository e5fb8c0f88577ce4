package rnn

import "sluice/internal/kernel"

// vanilla is h' = tanh(x·Wx + bx + h·Wh + bh), or ReLU for tanh.
type vanilla struct{}

func (vanilla) Validate(c Config) error {
	if err := oneOf("reset", c.Reset, ""); err != nil {
		return err
	}
	return c.validateActivation()
}

func (vanilla) Layout(c Config) Layout {
	return recurrent(c, Layout{Gates: []string{"a"}, State: []string{"h"}})
}

func (v vanilla) layer(c Config, width int) layer {
	if c.plain() {
		return newPlain(c, v.Layout(c), width)
	}
	return newFused(vanillaKernels{relu: c.Activation == "relu"}, c, width, 1, product{}, product{}, product{})
}

// vanillaKernels has panels of 64 units.
type vanillaKernels struct{ relu bool }

func (vanillaKernels) steps() phases { return phases{1, 2, true} }

func (vanillaKernels) after() int { return 0 }

func (vanillaKernels) lane(string) int { return 0 }

func (v vanillaKernels) forward(w *fusedWay, _ int, s stretch, from, to int) {
	h := w.state[0]
	w.h.weights.MulAddPanels(w.g.From(s.at), h.From(s.prev), s.n, from, to)
	for p := from; p < to; p++ {
		if next := cell(h, s.next, p*kernel.Wide); v.relu {
			kernel.ReLUForward(w.gates(s, p), next, s.n)
		} else {
			kernel.TanhForward(w.gates(s, p), next, s.n)
		}
	}
}

func (v vanillaKernels) backward(w *fusedWay, phase int, s stretch, u units) {
	if phase == 1 {
		w.toH(&w.h, w.hBack, w.dState[0], s, u)
		return
	}
	for p, to := w.of(u); p < to; p++ {
		h, dh, dy := w.made(s, p*kernel.Wide), cell(w.dState[0], s.b, p*kernel.Wide), cell(w.dy, s.b, p*kernel.Wide)
		if v.relu {
			kernel.ReLUBackward(w.gates(s, p), h, dh, dy, s.n)
		} else {
			kernel.TanhBackward(w.gates(s, p), h, dh, dy, s.n)
		}
	}
}
