package rnn

import (
	"sluice/internal/kernel"
	"sluice/nn"
)

// vanilla is h' = tanh(x·Wx + bx + h·Wh + bh), or ReLU for tanh.
type vanilla struct{}

func (vanilla) Validate(c Config) error {
	if err := oneOf("reset", c.Reset, ""); err != nil {
		return err
	}
	return oneOf("activation", c.Activation, "", "tanh", "relu")
}

func (vanilla) Layout(c Config) Layout {
	return recurrent(c, Layout{Gates: []string{"a"}, State: []string{"h"}})
}

func (vanilla) New(c Config) Recurrence {
	return &vanillaWeights{weights: newWeights(c, 1), relu: c.Activation == "relu"}
}

type vanillaWeights struct {
	weights
	relu bool
}

func (w *vanillaWeights) Forward(s *Step) {
	h := w.h
	w.forward.MulAdd(s.A, h, s.Prev, h, s.N)
	for i := range s.N {
		a, next := s.A[i*h:(i+1)*h], s.Next[i*h:(i+1)*h]
		for j, b := range w.bh {
			if v := a[j] + b; w.relu {
				next[j] = max(0, v)
			} else {
				next[j] = kernel.Tanh(v)
			}
		}
	}
}

func (w *vanillaWeights) Backward(s *Step) {
	for i, next := range s.Next {
		d := s.DNext[i]
		if !w.relu {
			d *= 1 - float32(next*next)
		} else if next <= 0 {
			d = 0
		}
		s.DA[i] = d
	}
	clear(s.DPrev)
	w.back.MulAdd(s.DPrev, w.h, s.DA, w.h, s.N)
}

func (w *vanillaWeights) Gradient(team *nn.Team, grads [][]float32, s *Step) {
	team.AddOuter(grads[0], biasOf(grads), w.h, w.h, s.DA, w.h, s.Prev, w.h, s.N)
}

// weights are Wh and bh of one layer and direction, packed.
type weights struct {
	h, gates int
	forward  kernel.Panels // H inputs, G·H outputs
	back     kernel.Panels // G·H inputs, H outputs
	bh       []float32     // (G·H), zeros where there is one bias
}

func newWeights(c Config, gates int) weights {
	return weights{h: c.Hidden, gates: gates, bh: make([]float32, gates*c.Hidden)}
}

// Pack takes copies of Wh (G·H, H) and, of two biases, bh (G·H).
func (w *weights) Pack(tensors [][]float32) {
	w.forward.Pack(tensors[0], w.gates*w.h, w.h)
	w.back.PackTransposed(tensors[0], w.gates*w.h, w.h)
	if len(tensors) > 1 {
		copy(w.bh, tensors[1])
	}
}

// biasOf is the gradient of bh, nil where there is one bias.
func biasOf(grads [][]float32) []float32 {
	if len(grads) > 1 {
		return grads[1]
	}
	return nil
}
