package rnn

import (
	"fmt"
	"slices"

	"sluice/nn"
)

// Tape is what Forward leaves for Backward, and so the trace of every gate and
// state at every step. Its memory is kept from one call to the next. The zero
// value is ready.
type Tape struct {
	// Dropout, if not nil, drops outputs between layers with the probability
	// of Config.Dropout: training. Its Seed and Step are the key of the masks.
	Dropout *nn.Key

	config Config
	layout Layout
	x      Sequence
	slots  int // states kept of a layer: T+1, or 2 where nobody looks back
	steps  int // steps kept: T, or 0
	layers []layerTape
	back   []backTape // (L·D)
}

// layerTape is the tape of one layer.
type layerTape struct {
	ways []wayTape // (D)
	raw  []float32 // (T, B, D·H) outputs as the directions make them; out itself where they are concatenated
	out  []float32 // (T, B, OutputSize) merged and dropped out: the next layer's input
	mask []float32 // (T, B, OutputSize), empty without dropout
	own  [2][]float32
}

// wayTape is the tape of one direction of a layer.
type wayTape struct {
	states []float32 // (slots, B, S·H): at t and t+1 those before and after step t, the other way round where reversed
	tape   []float32 // (steps, B, K·H)
}

type backTape struct {
	da   []float32 // (T, B, G·H)
	back []float32 // (T, B, Layout.Back·H)
}

// fit makes room for a sequence. Without keep, only for running forward.
func (t *Tape) fit(p *Packed, x Sequence, y []float32, keep bool) {
	t.config, t.layout, t.x = p.Config, p.layout, x
	t.slots, t.steps = 2, 0
	if keep {
		t.slots, t.steps = x.T+1, x.T
	}
	h, d, n := p.Hidden, p.Directions(), x.T*x.B
	t.layers = nn.Grow(t.layers, p.Layers)
	for l := range t.layers {
		lt := &t.layers[l]
		last := l == p.Layers-1
		lt.out = y
		if !last {
			lt.own[0] = nn.Grow(lt.own[0], n*p.OutputSize())
			lt.out = lt.own[0]
		}
		lt.raw = lt.out
		if p.OutputSize() != d*h {
			lt.own[1] = nn.Grow(lt.own[1], n*d*h)
			lt.raw = lt.own[1]
		}
		lt.mask = lt.mask[:0]
		if t.Dropout != nil && p.Dropout > 0 && !last {
			lt.mask = nn.Grow(lt.mask, n*p.OutputSize())
		}
		lt.ways = nn.Grow(lt.ways, d)
		for w := range lt.ways {
			way := &lt.ways[w]
			way.states = nn.Grow(way.states, t.slots*x.B*len(t.layout.State)*h)
			way.tape = nn.Grow(way.tape, t.steps*x.B*len(t.layout.Tape)*h)
		}
	}
}

// fitBack makes room for the gradients of each step.
func (t *Tape) fitBack(p *Packed) {
	n := t.x.T * t.x.B * p.Hidden
	t.back = nn.Grow(t.back, len(p.layers))
	for i := range t.back {
		t.back[i].da = nn.Grow(t.back[i].da, n*len(t.layout.Gates))
		t.back[i].back = nn.Grow(t.back[i].back, n*t.layout.Back)
	}
}

// slot is where the states at slot number t begin.
func (t *Tape) slot(s int) int {
	return s % t.slots * t.x.B * len(t.layout.State) * t.config.Hidden
}

// Vectors are the names that At knows: the state vectors and what the cell
// leaves on the tape. For an LSTM: h, c, i, f, g, o, tanh_c.
func (t *Tape) Vectors() []string {
	return slices.Concat(t.layout.State, t.layout.Tape)
}

// At is a view of one vector (H) of a layer and direction at a step of a row,
// after Forward with this tape. A state is that after the step. Past a row's
// length the gates are 0 and the state stands still.
func (t *Tape) At(layer, direction int, vector string, step, row int) []float32 {
	if step < 0 || step >= t.steps || row < 0 || row >= t.x.B {
		panic(fmt.Sprintf("rnn: At: step %d of row %d, want 0 to %d of 0 to %d", step, row, t.steps-1, t.x.B-1))
	}
	if layer < 0 || layer >= len(t.layers) || direction < 0 || direction >= t.config.Directions() {
		panic(fmt.Sprintf("rnn: At: direction %d of layer %d, want 0 to %d of 0 to %d", direction, layer, t.config.Directions()-1, len(t.layers)-1))
	}
	h, way := t.config.Hidden, &t.layers[layer].ways[direction]
	if i := slices.Index(t.layout.State, vector); i >= 0 {
		after := step + 1
		if t.config.reversed(direction) {
			after = step
		}
		at := t.slot(after) + (row*len(t.layout.State)+i)*h
		return way.states[at : at+h]
	}
	i := slices.Index(t.layout.Tape, vector)
	if i < 0 {
		panic(fmt.Sprintf("rnn: At: vector %q, want one of %v", vector, t.Vectors()))
	}
	at := ((step*t.x.B+row)*len(t.layout.Tape) + i) * h
	return way.tape[at : at+h]
}
