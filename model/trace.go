package model

import (
	"fmt"

	"sluice/rnn"
)

// Trace is Loss and shows what went on in it: the tape has every gate and
// state of every step, nats (T, B) of a language model the loss of each target, 0
// where it is ignored. Both are the Runner's and stand until its next call.
func (r *Runner) Trace(b Batch, state []float32) (tape *rnn.Tape, nats []float64) {
	r.tape.Dropout = nil
	r.head.loss(r.forward(b, state, &r.tape, nil, r.p.small || r.p.pays(b.T*b.B)), b)
	if h, ok := r.head.(predictor); ok {
		nats = h.nats()
	}
	return &r.tape, nats
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
	if err := p.only(LM, "trace its gradient"); err != nil {
		panic(err.Error())
	}
	if b.T < 1 {
		panic("model: TraceGradient: a batch of 0 steps, want 1 or more")
	}
	r.head.check(b)
	now := make([]float32, b.B*p.StateSize())
	copy(now, state)
	tapes := make([]rnn.Tape, b.T) // of one step each: Backward then stops at every state
	var z []float32
	var last Batch
	for t := range tapes {
		last = Batch{T: 1, B: b.B, IDs: b.IDs[t*b.B:][:b.B], Targets: b.Targets[t*b.B:][:b.B]}
		r.x, r.y = nil, nil // the tape keeps both
		z = r.forward(last, now, &tapes[t], nil, p.small)
	}
	g := make([]float32, p.size) // of which the head's is made, though nobody asks for it
	dy := make([]float32, len(z))
	_, count := r.head.gradient(g, dy, z, last, Objective{})
	for i := range dy { // of each row, not of their mean
		dy[i] *= float32(count)
	}

	out := p.RNN.OutputSize()
	dState := make([]float32, b.B*p.StateSize())
	top := p.StateSize() / p.RNN.Layers * (p.RNN.Layers - 1) // where h of the last layer begins
	for row := range b.B {
		copy(dState[row*p.StateSize()+top:], dy[row*out:(row+1)*out])
	}
	clear(dy)
	for k := range b.T {
		if err := seen(k, dState); err != nil {
			return err
		}
		r.rnn.Backward(nil, nil, dy, dState, &tapes[b.T-1-k])
	}
	return seen(b.T, dState)
}
