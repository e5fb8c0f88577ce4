package model

import (
	"fmt"

	"sluice/nn"
)

// Regress is the task of a regression: a sequence of numbers → K values, from
// the output of its last step. Its loss is the squared error.
const Regress = "regress"

type regress struct{}

func (regress) complete(*Spec, Names) error { return nil }

func (regress) validate(s Spec) error {
	switch {
	case s.Features == 0:
		return fmt.Errorf("model: inputs of 0 numbers: want 1 or more to regress from")
	case s.Outputs == 0:
		return fmt.Errorf("model: 0 outputs: want 1 or more values of a regression")
	}
	return s.forward("stack has read one step where its last output is")
}

func (regress) tensors(s Spec, _ Names) []nn.Tensor { return linearTensors(s, s.Outputs) }

func (regress) weights(p *Packed) weights {
	return linear{nn.NewLinear(p.RNN.OutputSize(), p.Outputs)}
}

func (regress) head(r *Runner) head { return &regressionHead{outputs: outputs{r: r}} }

// regressionHead is each row's output at its last step → values.
type regressionHead struct {
	outputs
	last []float32 // (B, W)
	dy   []float32 // (T, B, W)
}

func (h *regressionHead) check(b Batch) {
	if k := h.r.p.Outputs; len(b.Values) != b.B*k {
		panic(fmt.Sprintf("model: a batch of %d values, want %d × %d", len(b.Values), b.B, k))
	}
}

// at is where the last step of row i stands among the rows of all steps, -1 if
// it has none.
func (b Batch) at(i int) int {
	if b.length(i) == 0 {
		return -1
	}
	return (b.length(i)-1)*b.B + i
}

func (h *regressionHead) read(y []float32, b Batch) []float32 {
	w := h.layer().In
	h.last = nn.Grow(h.last, b.B*w)
	for i := range b.B {
		row := h.last[i*w : (i+1)*w]
		if clear(row); b.at(i) >= 0 {
			copy(row, y[b.at(i)*w:])
		}
	}
	return h.last
}

func (h *regressionHead) back(_, dz []float32, b Batch) []float32 {
	w := h.layer().In
	h.dy = nn.Grow(h.dy, b.T*b.B*w)
	h.r.team.Clear(h.dy)
	for i := range b.B {
		if at := b.at(i); at >= 0 {
			copy(h.dy[at*w:(at+1)*w], dz[i*w:])
		}
	}
	return h.dy
}

func (h *regressionHead) loss(z []float32, b Batch) (sum float64, count int) { return h.squared(z, b) }

func (h *regressionHead) gradient(g, dz, z []float32, b Batch, _ Objective) (sum float64, count int) {
	sum, count = h.squared(z, b)
	h.backward(g, dz)
	return sum, count
}

// squared is the squared error of the values that count, those of rows that have
// a step, and makes of the outputs the gradient of its mean.
func (h *regressionHead) squared(z []float32, b Batch) (sum float64, count int) {
	h.forward(z)
	k := h.layer().Out
	for i := range b.B {
		if b.at(i) >= 0 {
			count += k
		}
	}
	for i := range b.B {
		if b.at(i) < 0 {
			h.out.ClearRow(i, k)
			continue
		}
		for j := range k {
			out := h.out.At(i, j)
			d := float64(out[0]) - float64(b.Values[i*k+j])
			sum += float64(d * d)
			out[0] = float32(2 * d / float64(count))
		}
	}
	return sum, count
}

func (h *regressionHead) nonFinite(z []float32, _ Batch) string {
	if v, i, k, ok := h.outputs.nonFinite(z); ok {
		return fmt.Sprintf("output %d of row %d is %v", k, i, v)
	}
	return ""
}
