package rnn

import (
	"fmt"
	"slices"

	"sluice/nn"
)

// Tape is what Forward leaves for Backward, and so the trace of every gate and
// state at every step, a state after zoneout. Its memory is kept from one call to the next. The zero
// value is ready.
type Tape struct {
	// Dropout, if not nil, is for training: outputs between layers drop out
	// with the probability of Config.Dropout, and zoneout has masks. Its Seed
	// and Step are the key of the masks.
	Dropout *nn.Key

	packed *Packed
	config Config
	layout Layout
	x      Sequence
	table  []float32 // that was folded, or nil
	slots  int       // states kept of a layer: T+1, or 2 where nobody looks back
	ahead  int       // steps whose input's product is made at once
	steps  int       // steps kept: T, or ahead
	filled bool      // by Forward, and not spent by Backward
	use    use
	layers []layerTape
}

// layerTape is the tape of one layer.
type layerTape struct {
	ways []way     // (D)
	raw  []float32 // (T, B, D·HSize) outputs as the directions make them; out itself where they are concatenated
	out  []float32 // (T, B, OutputSize) merged and dropped out: the next layer's input
	mask nn.Mask   // of out
	own  [2][]float32
}

// someRows is how many rows of an input a product has at least, if it may take
// more steps at once: few rows would read the weights for little.
const someRows = 48

// fit makes room for a sequence. Without keep, only for running forward.
func (t *Tape) fit(p *Packed, x Sequence, y []float32, keep bool) {
	t.packed, t.config, t.layout, t.x, t.table, t.filled = p, p.Config, p.layout, x, p.table, keep
	t.ahead = max(1, min(x.T, someRows/max(1, x.B)))
	t.slots, t.steps, t.use = 2, t.ahead, inference
	if keep {
		t.slots, t.steps, t.use = x.T+1, x.T, gradient
	}
	if t.Dropout != nil {
		t.use = training
	}
	h, d, n := p.HSize(), p.Directions(), x.T*x.B
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
		lt.mask.Values = lt.mask.Values[:0]
		lt.ways = nn.Grow(lt.ways, d)
		for w := range lt.ways {
			lt.ways[w] = p.layers[l*d+w].way(lt.ways[w])
			lt.ways[w].fit(x.B, t.slots, t.steps*x.B, t.use)
		}
	}
}

// drops says whether outputs are masked between layers.
func (t *Tape) drops() bool { return t.use == training && t.config.Dropout > 0 }

// slot is the row where the states at slot number s begin: s and s+1 are those
// before and after step s, the other way round where reversed.
func (t *Tape) slot(s int) int { return s % t.slots * t.x.B }

// base is the row of the input that is the tape's first, where those from row
// on are at work: 0 if the tape has them all.
func (t *Tape) base(row int) int {
	if t.filled {
		return 0
	}
	return row
}

// stretch is rows [b, end) of step i.
func (t *Tape) stretch(reversed bool, i, b, end, base int) stretch {
	prev, next := t.slot(i), t.slot(i+1)
	if reversed {
		prev, next = next, prev
	}
	return stretch{n: end - b, at: i*t.x.B + b - base, prev: prev + b, next: next + b, b: b}
}

// Vectors are the names that At knows: the state vectors and what the cell
// leaves on the tape. For an LSTM: h, c, i, f, g, o, and with a projection m, what
// it makes h of.
func (t *Tape) Vectors() []string {
	return slices.Concat(t.layout.State, t.layout.Tape)
}

// States are those of Vectors that are states, h first.
func (t *Tape) States() []string { return t.layout.State }

// Width is that of a vector that At knows: of h HSize, of any other H.
func (t *Tape) Width(vector string) int {
	if vector == t.layout.State[0] {
		return t.config.HSize()
	}
	return t.config.Hidden
}

// At copies one vector of a layer and direction at a step of a row to dst (Width),
// after Forward with this tape and before Backward, and returns dst. A state is
// that after the step. Past a row's length the gates are 0 and the state
// stands still.
func (t *Tape) At(dst []float32, layer, direction int, vector string, step, row int) []float32 {
	if !t.filled {
		panic("rnn: At: Forward has not filled the tape, or Backward has spent it")
	}
	if step < 0 || step >= t.steps || row < 0 || row >= t.x.B {
		panic(fmt.Sprintf("rnn: At: step %d of row %d, want 0 to %d of 0 to %d", step, row, t.steps-1, t.x.B-1))
	}
	if layer < 0 || layer >= len(t.layers) || direction < 0 || direction >= t.config.Directions() {
		panic(fmt.Sprintf("rnn: At: direction %d of layer %d, want 0 to %d of 0 to %d", direction, layer, t.config.Directions()-1, len(t.layers)-1))
	}
	if !slices.Contains(t.Vectors(), vector) {
		panic(fmt.Sprintf("rnn: At: vector %q, want one of %v", vector, t.Vectors()))
	}
	checkLen("At", "dst", len(dst), t.Width(vector))
	s := t.stretch(t.config.reversed(direction), step, row, row+1, 0)
	t.layers[layer].ways[direction].vector(dst, vector, s.at, s.next)
	return dst
}
