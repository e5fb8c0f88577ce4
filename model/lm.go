package model

import (
	"fmt"

	"sluice/nn"
)

// LM is the task of a language model: text → its next symbol, at each step a
// softmax over the vocabulary. Its loss is in nats.
const LM = "lm"

type lm struct{}

func (lm) validate(s Spec) error {
	switch {
	case s.Features > 0:
		return fmt.Errorf("model: inputs of %d numbers: a language model reads symbols", s.Features)
	case s.Outputs > 0:
		return fmt.Errorf("model: %d outputs: a language model has one for each symbol", s.Outputs)
	}
	return s.forward("language model would read the symbols it is to predict")
}

func (lm) tensors(s Spec, v int) []nn.Tensor { return linearTensors(s, v) }

func (lm) weights(p *Packed) weights {
	return linear{nn.NewLinear(p.RNN.OutputSize(), p.Vocab.Size())}
}

func (lm) head(r *Runner) head {
	return &softmaxHead{outputs: outputs{r: r}, ce: nn.CrossEntropy{V: r.p.Vocab.Size()}}
}

// softmaxHead is that of a language model: each output of the stack → logits.
type softmaxHead struct {
	outputs
	ce nn.CrossEntropy
}

func (h *softmaxHead) check(b Batch) {
	if len(b.IDs) != b.T*b.B || len(b.Targets) != b.T*b.B {
		panic(fmt.Sprintf("model: a batch of %d symbols and %d targets, want %d × %d", len(b.IDs), len(b.Targets), b.T, b.B))
	}
	if b.Lengths != nil {
		panic("model: a batch with lengths: a language model reads all steps of all rows")
	}
}

func (h *softmaxHead) read(y []float32, _ Batch) []float32 { return y }

func (h *softmaxHead) back(dz []float32, _ Batch) []float32 { return dz }

func (h *softmaxHead) loss(z []float32, b Batch) (nats float64, count int) {
	h.forward(z)
	return h.ce.Loss(h.r.team, h.out, b.Targets)
}

func (h *softmaxHead) gradient(g, dz, z []float32, b Batch, o Objective) (nats float64, count int) {
	for _, target := range b.Targets {
		if target != nn.Ignore {
			count++
		}
	}
	h.forward(z)
	h.ce.Smoothing = o.Smoothing
	nats, _ = h.ce.Gradient(h.r.team, h.out, b.Targets, 1/float32(max(1, count)))
	h.backward(g, dz)
	return nats, count
}

func (h *softmaxHead) nonFinite(z []float32, b Batch) string {
	if v, i, k, ok := h.outputs.nonFinite(z); ok {
		return fmt.Sprintf("the logit of symbol %d at step %d of row %d is %v", k, i/b.B, i%b.B, v)
	}
	return ""
}
