package model

import (
	"fmt"

	"sluice/nn"
)

// sayer is a head whose outputs can be had as they are. All are.
type sayer interface {
	head
	// say is the outputs for rows z (R, W): (R, width), to be read until the next
	// call.
	say(z []float32) (out nn.Matrix, rows, width int)
}

// Outputs sets out to what the head says of b, whose Targets and Values are not
// read: of a language model the logits (T, B, V), with Cutoffs the
// log-probabilities; of tags the scores (T, B, K) that a softmax or a CRF takes, at
// steps past a length anything; of a classification the logits (B, K); of a
// regression the values (B, K), the head's bias for a row without a step; of a
// forecast by segments the means and then each of the quantiles of a segment's steps
// (H/w, B, (1+Q)·w), of a recursive one the changes (H, B, C). state is as in Loss.
func (r *Runner) Outputs(out []float32, b Batch, state []float32) {
	p, targets, values := r.p, 0, 0
	switch p.Task {
	case LM, Tag:
		targets = b.T * b.B
	case Classify:
		targets = b.B
	case Regress:
		values = b.B * p.Outputs
	case Forecast:
		if values = b.B * p.Forecast.Horizon; p.Forecast.Segment == 0 {
			values *= p.Features
		}
	}
	r.targets, r.values = nn.Grow(r.targets, targets), nn.Grow(r.values, values)
	for i := range r.targets {
		r.targets[i] = nn.Ignore
	}
	b.Targets, b.Values = r.targets, r.values
	said, rows, width := r.head.(sayer).say(r.forward(b, state, nil, nil, p.pays(b.T*b.B)))
	if len(out) != rows*width {
		panic(fmt.Sprintf("model: Outputs: out has %d values, want %d × %d", len(out), rows, width))
	}
	for i := range rows {
		said.GetRow(out[i*width:(i+1)*width], i)
	}
}

func (o *outputs) say(z []float32) (out nn.Matrix, rows, width int) {
	o.forward(z)
	return o.out, o.n, o.layer().Out
}

func (h *softmaxHead) say(z []float32) (out nn.Matrix, rows, width int) {
	rows, width = len(z)/h.layer().In, h.layer().Out
	h.logits = h.logits.Grow(rows, width)
	h.layer().Forward(h.r.team, h.logits, h.blocks(z), rows)
	return h.logits, rows, width
}

func (h *adaptiveHead) say(z []float32) (out nn.Matrix, rows, width int) {
	rows, width = len(z)/h.weights().In, h.classes()
	h.logits = h.logits.Grow(rows, width)
	h.next(h.logits, z, rows)
	return h.logits, rows, width
}
