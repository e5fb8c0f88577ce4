package model

import "sluice/nn"

// adaptiveConfig is the shape of the adaptive softmax over v symbols: as
// torch.nn.AdaptiveLogSoftmaxWithLoss has it by default, with the bias that a full
// softmax has too.
func (s Spec) adaptiveConfig(v int) nn.AdaptiveConfig {
	return nn.AdaptiveConfig{In: s.RNN.OutputSize(), Classes: v, Cutoffs: s.Cutoffs, Div: 4, HeadBias: true}
}

// newAdaptive makes the softmax of a Spec that was validated.
func newAdaptive(s Spec, v int) adaptive {
	a, err := nn.NewAdaptive(s.adaptiveConfig(v))
	if err != nil {
		panic(err.Error())
	}
	return adaptive{a}
}

func adaptiveTensors(s Spec, v int) []nn.Tensor {
	return named("head.", newAdaptive(s, v).Tensors())
}

// adaptive is an adaptive head's weights.
type adaptive struct{ *nn.Adaptive }

func (a adaptive) pack(team *nn.Team, p *Packed, params []float32) {
	a.PackAs(team, a.of(params), p.Precision)
}

// of are its parameters in x, a flat vector with the layout of Params, which they
// end.
func (a adaptive) of(x []float32) []float32 { return x[len(x)-a.Size():] }

// adaptiveHead is an adaptive softmax.
type adaptiveHead struct {
	everyStep
	softmax nn.AdaptiveLoss
	logits  nn.Matrix // (R, V) of outputs
}

func (h *adaptiveHead) weights() adaptive { return h.r.p.head.(adaptive) }

func (h *adaptiveHead) loss(z []float32, b Batch) (nats float64, count int) {
	return h.softmax.Loss(h.r.team, h.weights().Adaptive, h.blocks(z), b.Targets)
}

func (h *adaptiveHead) gradient(g, dz, z []float32, b Batch, _ Objective) (nats float64, count int) {
	a := h.weights()
	return h.softmax.Gradient(h.r.team, a.Adaptive, a.of(g), dz, h.blocks(z), b.Targets, b.mean())
}

func (h *adaptiveHead) next(logits nn.Matrix, z []float32, n int) {
	a := h.weights().Adaptive
	h.softmax.LogProbs(h.r.team, a, logits, nn.RowMajor(z, a.In), n)
}

func (h *adaptiveHead) nats() []float64 { return h.softmax.Nats }

func (h *adaptiveHead) classes() int { return h.r.p.Vocab.Size() }

func (h *adaptiveHead) nonFinite(z []float32, b Batch) string {
	return h.notFiniteLogit(h, "log-probability of symbol", z, b)
}
