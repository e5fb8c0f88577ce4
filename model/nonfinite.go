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
// minibatch, the states before it, the parameters, what the layer of characters and
// the stack made of it step by step, the head's outputs, the loss, and the gradient
// g. r runs the weights that gave g, and o is the Objective they were run with.
// Nothing is changed; it costs as much as an update and more.
func (m *Model) NonFinite(r *Runner, g []float32, b Batch, state []float32, o Objective) string {
	size := r.p.StateSize()
	if i := notFinite(b.Data); i >= 0 {
		row := i / m.Features
		return fmt.Sprintf("the input at step %d of row %d has %v at %d", row/b.B, row%b.B, b.Data[i], i%m.Features)
	}
	if i := notFinite(b.Values); i >= 0 {
		each := len(b.Values) / b.B
		return fmt.Sprintf("the values of row %d have %v at %d", i/each, b.Values[i], i%each)
	}
	if i := notFinite(state); i >= 0 {
		return fmt.Sprintf("the state before row %d has %v at %d", i/size, state[i], i%size)
	}
	if where := m.rows.notFinite("parameter", m.Params); where != "" {
		return where
	}
	r.tape.Dropout = o.Dropout
	z := r.forward(b, slices.Clone(state), &r.tape, o.Dropout, false)
	if s := r.speller; s != nil {
		c, spellings := r.p.chars.Config, s.spellings
		if at := notFiniteStep(&s.tape, c, spellings.T, spellings.N); at != nil {
			return fmt.Sprintf("character %d of word %d: %v", at.step, at.row, at)
		}
	}
	if at := notFiniteStep(&r.tape, r.p.RNN, b.T, b.B); at != nil {
		return fmt.Sprintf("step %d of row %d: %v", at.step, at.row, at)
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

// place is where on a tape a value is.
type place struct {
	step, row, layer, way int
	vector                string
	i                     int
	value                 float32
}

func (p *place) String() string {
	way := ""
	if p.way > 0 {
		way = " backward"
	}
	return fmt.Sprintf("%s of layer %d%s has %v at %d", p.vector, p.layer, way, p.value, p.i)
}

// notFiniteStep is the first place on a tape of T steps and B rows that is not
// finite, nil if all are. A layer of one direction has made a step once those below
// have: the first step, and the lowest layer of it. One of two has made all of its
// steps, a direction after the other, before the next layer begins. Of a step's
// vectors the gates come first, then what is made of them.
func notFiniteStep(t *rnn.Tape, c rnn.Config, T, B int) *place {
	vectors := inOrder(t)
	h := make([]float32, c.Hidden) // no vector is wider
	d := c.Directions()
	for k := range T * c.Layers * d {
		step, layer, way := k/c.Layers, k%c.Layers, 0
		if d > 1 {
			layer, way, step = k/(d*T), k/T%d, k%T
		}
		if way > 0 || c.Direction == rnn.Backward {
			step = T - 1 - step
		}
		for _, vector := range vectors {
			for row := range B {
				if i := notFinite(t.At(h[:t.Width(vector)], layer, way, vector, step, row)); i >= 0 {
					return &place{step, row, layer, way, vector, i, h[i]}
				}
			}
		}
	}
	return nil
}

// inOrder are the vectors of a tape as a step makes them: those that it leaves
// for the way back, then the state, of which h is the last.
func inOrder(t *rnn.Tape) []string {
	state := slices.Clone(t.States())
	slices.Reverse(state)
	return slices.Concat(t.Vectors()[len(state):], state)
}
