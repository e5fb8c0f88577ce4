package model

import (
	"fmt"
	"math"
	"slices"

	"sluice/rnn"
)

// NonFinite says where numbers stopped being finite, for a trainer whose loss or
// gradient is not: one line, "" if all are finite here. It looks at what went
// into Gradient and at what came of it, in the order of the computation: the
// minibatch, the states before it, the parameters, what the stack made of it step
// by step, the head's outputs, the loss, and the gradient g. r runs the weights that
// gave g, and o is the Objective they were run with. Nothing is changed; it costs
// as much as an update and more.
func (m *Model) NonFinite(r *Runner, g []float32, b Batch, state []float32, o Objective) string {
	size := r.p.StateSize()
	if i := notFinite(b.Data); i >= 0 {
		row := i / m.Features
		return fmt.Sprintf("the input at step %d of row %d has %v at %d", row/b.B, row%b.B, b.Data[i], i%m.Features)
	}
	if i := notFinite(b.Values); i >= 0 {
		return fmt.Sprintf("the values of row %d have %v at %d", i/m.Outputs, b.Values[i], i%m.Outputs)
	}
	if i := notFinite(state); i >= 0 {
		return fmt.Sprintf("the state before row %d has %v at %d", i/size, state[i], i%size)
	}
	if where := m.rows.notFinite("parameter", m.Params); where != "" {
		return where
	}
	r.tape.Dropout = o.Dropout
	z := r.forward(b, slices.Clone(state), &r.tape, o.Dropout, false)
	if where := r.notFiniteStep(b); where != "" {
		return where
	}
	if where := r.head.nonFinite(z, b); where != "" {
		return where
	}
	if sum, _ := r.head.loss(z, b); math.IsNaN(sum) || math.IsInf(sum, 0) {
		return fmt.Sprintf("the loss is %v, of outputs that are finite", sum)
	}
	return m.rows.notFinite("gradient of", g)
}

// notFinite is the place of the first that is not finite, -1 if all are.
func notFinite(x []float32) int {
	return slices.IndexFunc(x, func(v float32) bool { return v-v != 0 })
}

// notFinite names the first tensor of x, a flat vector, that is not finite.
func (l layout) notFinite(what string, x []float32) string {
	for _, row := range l {
		t := l.find(x, row.tensor.Name)
		if i := notFinite(t); i >= 0 {
			return fmt.Sprintf("%s %s has %v at %d", what, row.tensor.Name, t[i], i)
		}
	}
	return ""
}

// notFiniteStep names the first step on the tape, the lowest layer of it and the
// first of its vectors that is not finite: gates, then what is made of them.
func (r *Runner) notFiniteStep(b Batch) string {
	c := r.p.RNN
	vectors := inOrder(&r.tape, c.StateSize()/(c.Layers*c.Directions()*c.Hidden))
	h := make([]float32, c.Hidden)
	for step := range b.T {
		for layer := range c.Layers {
			for _, vector := range vectors {
				for row := range b.B {
					if i := notFinite(r.tape.At(h, layer, 0, vector, step, row)); i >= 0 {
						return fmt.Sprintf("step %d of row %d: %s of layer %d has %v at %d", step, row, vector, layer, h[i], i)
					}
				}
			}
		}
	}
	return ""
}

// inOrder are the vectors of a tape as a step makes them: those that it leaves
// for the way back, then the state, of which h is the last.
func inOrder(t *rnn.Tape, states int) []string {
	all := t.Vectors()
	state := slices.Clone(all[:states])
	slices.Reverse(state)
	return append(slices.Clone(all[states:]), state...)
}
