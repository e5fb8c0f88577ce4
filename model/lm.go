package model

import (
	"fmt"

	"sluice/nn"
)

// LM is the task of a language model: text → its next symbol, at each step a
// softmax over the vocabulary, full or adaptive. Its loss is in nats.
const LM = "lm"

type lm struct{}

func (lm) complete(s *Spec, n Names) error {
	if n.Vocab == nil && s.Features == 0 {
		return fmt.Errorf("model: task %s without a vocabulary", LM)
	}
	return nil
}

func (lm) validate(s Spec) error {
	switch {
	case s.Features > 0:
		return fmt.Errorf("model: inputs of %d numbers: a language model reads symbols", s.Features)
	case s.Tied && len(s.Cutoffs) > 0:
		return fmt.Errorf("model: cutoffs %v beside a tied embedding: an adaptive softmax has weights of its own, want one of the two", s.Cutoffs)
	}
	return s.forward("language model would read the symbols it is to predict")
}

func (lm) tensors(s Spec, n Names) []nn.Tensor {
	if len(s.Cutoffs) > 0 {
		return adaptiveTensors(s, n.Vocab.Size())
	}
	return linearTensors(s, n.Vocab.Size())
}

func (lm) weights(p *Packed) weights {
	if len(p.Cutoffs) > 0 {
		return newAdaptive(p.Spec, p.Vocab.Size())
	}
	return linear{nn.NewLinear(p.RNN.OutputSize(), p.Vocab.Size())}
}

func (lm) head(r *Runner) head {
	if len(r.p.Cutoffs) > 0 {
		return &adaptiveHead{everyStep: everyStep{r: r}}
	}
	return &softmaxHead{everyStep: everyStep{r: r}}
}

// predictor is a head of classes, of which a language model's are the symbols.
type predictor interface {
	head
	classes() int
	// next sets logits (n, classes), in blocks, for rows z (n, W).
	next(logits nn.Matrix, z []float32, n int)
	// nats (R) are the losses of each row of the last call of loss or gradient.
	nats() []float64
}

// everyStep is what heads that read each output of the stack share.
type everyStep struct {
	r *Runner
	z nn.Matrix // (R, W) what the head reads, in blocks
}

func (h *everyStep) check(b Batch) {
	if len(b.Targets) != b.T*b.B {
		panic(fmt.Sprintf("model: a batch of %d targets, want %d × %d", len(b.Targets), b.T, b.B))
	}
	if b.Lengths != nil {
		panic("model: a batch with lengths: a language model reads all steps of all rows")
	}
}

func (h *everyStep) read(y []float32, _ Batch) []float32 { return y }

func (h *everyStep) back(_, dz []float32, _ Batch) []float32 { return dz }

// blocks is z in blocks.
func (h *everyStep) blocks(z []float32) nn.Matrix {
	width := h.r.p.RNN.OutputSize()
	n := len(z) / width
	h.z = h.z.Grow(n, width)
	h.r.team.ToBlocks(h.z, nn.RowMajor(z, width), width, n)
	return h.z
}

// mean is the factor that makes a sum over the targets their mean.
func (b Batch) mean() float32 {
	count := 0
	for _, target := range b.Targets {
		if target != nn.Ignore {
			count++
		}
	}
	return 1 / float32(max(1, count))
}

// fewLogits bounds what notFiniteLogit holds of logits, as far as fewRows allow.
const fewLogits, fewRows = 1 << 16, 16

// notFiniteLogit names the first of rows z that is not finite, "" if all are.
func (h *everyStep) notFiniteLogit(of predictor, what string, z []float32, b Batch) string {
	v, width := of.classes(), h.r.p.RNN.OutputSize()
	rows := len(z) / width
	few := min(rows, max(fewRows, fewLogits/v))
	logits := nn.Matrix{}.Grow(few, v)
	for from := 0; from < rows; from += few {
		n := min(few, rows-from)
		logits = logits.Grow(n, v)
		of.next(logits, z[from*width:], n)
		for i := range n {
			for k := range v {
				if x := logits.At(i, k)[0]; x-x != 0 {
					at := ""
					if h.r.p.Task != Classify {
						at = fmt.Sprintf(" at step %d", (from+i)/b.B)
					}
					return fmt.Sprintf("the %s %d%s of row %d is %v", what, k, at, (from+i)%b.B, x)
				}
			}
		}
	}
	return ""
}

// softmaxHead is a full softmax.
type softmaxHead struct {
	everyStep
	softmax nn.SoftmaxLoss
	logits  nn.Matrix // (R, K) of answers
	row     []float32 // (K)
}

func (h *softmaxHead) layer() *nn.Linear { return h.r.p.linearLayer() }

func (h *softmaxHead) loss(z []float32, b Batch) (nats float64, count int) {
	return h.softmax.Loss(h.r.team, h.layer(), h.blocks(z), b.Targets)
}

func (h *softmaxHead) gradient(g, dz, z []float32, b Batch, o Objective) (nats float64, count int) {
	h.softmax.Entropy.Smoothing = o.Smoothing
	dw, db := h.r.p.linearOf(g)
	return h.softmax.Gradient(h.r.team, h.layer(), dw, db, dz, h.blocks(z), b.Targets, b.mean())
}

func (h *softmaxHead) next(logits nn.Matrix, z []float32, n int) {
	h.layer().Forward(h.r.team, logits, nn.RowMajor(z, h.layer().In), n)
}

func (h *softmaxHead) nats() []float64 { return h.softmax.Nats }

func (h *softmaxHead) classes() int { return h.layer().Out }

func (h *softmaxHead) nonFinite(z []float32, b Batch) string {
	what := "class"
	switch h.r.p.Task {
	case LM:
		what = "symbol"
	case Tag:
		what = "tag"
	}
	return h.notFiniteLogit(h, "logit of "+what, z, b)
}
