package model

import (
	"fmt"

	"sluice/nn"
	"sluice/rnn"
)

// Trace is Loss and shows what went on in it: the tape has every gate and
// state of every step, nats (T, B) the loss of each target, 0 where it is
// ignored. Both are the Runner's and stand until its next call.
func (r *Runner) Trace(b Batch, state []float32) (tape *rnn.Tape, nats []float64) {
	r.tape.Dropout = nil
	r.forward(b, state, &r.tape, nil, r.p.small || r.p.pays(b.T*b.B))
	r.loss.Loss(r.team, r.logits, b.Targets)
	return &r.tape, r.loss.Nats
}

// TraceGradient runs b from state (B, StateSize), nil for zero, which it leaves
// as it is, and calls seen with the gradient of the loss at the last step, each
// row for itself, by the states k steps before the end, for k = 0 to T: dState
// (B, StateSize), to be read until seen returns. An error of seen ends it.
func (r *Runner) TraceGradient(b Batch, state []float32, seen func(k int, dState []float32) error) error {
	p := r.p
	if !p.Precision.Trains() {
		panic(fmt.Sprintf("model: TraceGradient: weights of %v serve inference alone: want a model of float32", p.Precision))
	}
	if b.T < 1 || len(b.IDs) != b.T*b.B || len(b.Targets) != b.T*b.B {
		panic(fmt.Sprintf("model: TraceGradient: a batch of %d symbols and %d targets, want %d × %d", len(b.IDs), len(b.Targets), b.T, b.B))
	}
	now := make([]float32, b.B*p.StateSize())
	copy(now, state)
	tapes := make([]rnn.Tape, b.T) // of one step each: Backward then stops at every state
	for t := range tapes {
		step := Batch{T: 1, B: b.B, IDs: b.IDs[t*b.B:][:b.B], Targets: b.Targets[t*b.B:][:b.B]}
		r.x, r.y = nil, nil // the tape keeps both
		r.forward(step, now, &tapes[t], nil, p.small)
	}
	r.loss.Gradient(r.team, r.logits, b.Targets[(b.T-1)*b.B:], 1)

	out, v := p.rnn.OutputSize(), p.Vocab.Size()
	g := make([]float32, p.size) // nobody asks for those of the weights
	r.dy = nn.Grow(r.dy, b.B*out)
	p.head.Backward(r.team, nil, nil, r.dy, r.logits, r.z, b.B)
	dState := make([]float32, b.B*p.StateSize())
	top := p.StateSize() / p.RNN.Layers * (p.RNN.Layers - 1) // where h of the last layer begins
	for row := range b.B {
		copy(dState[row*p.StateSize()+top:], r.dy[row*out:(row+1)*out])
	}
	clear(r.dy)
	gRNN := g[len(p.embed) : p.size-v*(out+1)]
	for k := range b.T {
		if err := seen(k, dState); err != nil {
			return err
		}
		r.rnn.Backward(gRNN, nil, r.dy, dState, &tapes[b.T-1-k])
	}
	return seen(b.T, dState)
}
