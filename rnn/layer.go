package rnn

import (
	"sluice/internal/kernel"
	"sluice/nn"
)

// kind is a cell as the stack runs it: a built-in one, whose layers multiply
// and step in one go, or one of the user's.
type kind interface {
	Validate(c Config) error
	Layout(c Config) Layout
	layer(c Config, width int) layer // of input width X
}

// layer is one layer and direction, packed. It is only read while it runs.
type layer interface {
	// pack takes copies of tensors: weight_ih (G·H, X), bias_ih (G·H), then
	// those of Layout.Tensors. The layer serves training if the precision
	// does. The team, if there is one, helps.
	pack(team *nn.Team, tensors [][]float32, as nn.Precision)
	// fold makes what a step begins with for rows of table (v, X). It holds
	// until pack, and IDs are then numbers of these rows.
	fold(team *nn.Team, table []float32, v int)
	// folded is how many floats that is for a row.
	folded() int
	// way is what runs the layer, old if it is of this kind, for its memory.
	way(old way) way
	steps() phases
}

// phases are the parts of a step forward and back. All rows and units go
// through one before any goes into the next.
type phases struct {
	forward, backward int
	divisible         bool // units may be shared out
}

// way runs a layer and direction over a sequence: it has the states, the tape
// and the scratch of that run. Rows of the input are numbered t·B + b. Methods
// may run at once for different rows or different units.
type way interface {
	// fit makes room for b rows a step, slots states of each, and the tape of
	// so many rows: those of all steps if there is to be a step back.
	fit(b, slots, rows int, use use)
	// draw sets the masks of zoneout of a row of the tape, while training. The
	// key is that of h; that of c is of the next layer.
	draw(random *nn.Random, key nn.Key, row int)
	// load sets the state at row of the slots from a stream's (S·H), nil for
	// zero; store is the way back.
	load(state []float32, row int, u units)
	store(state []float32, row int, u units)
	// input begins rows [at, at+n) of the tape with x·Wx + bx of rows [row, …)
	// of x, all within their lengths.
	input(x *Sequence, row, at, n int, u units)
	// forward makes the states at next from those at prev.
	forward(phase int, s stretch, u units)
	// output copies h to y, whose rows are ld apart.
	output(y []float32, ld int, s stretch, u units)
	// carry leaves the states as they are, and zeros on the tape.
	carry(s stretch, u units)

	// fitBack makes ready for the step back.
	fitBack(team *nn.Team)
	// loadBack sets the gradient of the state of row b that the step back
	// starts from, nil for zero; storeBack gives that it ends with.
	loadBack(dState []float32, b int, u units)
	storeBack(dState []float32, b int, u units)
	// backward turns the tape into the gradients of the pre-activations, and
	// the gradient of the states at next into that of those at prev. dy has
	// rows ld apart.
	backward(phase int, dy []float32, ld int, s stretch, u units)
	// skip is backward past a length.
	skip(s stretch, u units)
	// gradient adds to the gradients of tensors, as pack has them. The
	// states before the steps begin at row prev.
	gradient(team *nn.Team, grads [][]float32, x *input, prev int)
	// dx adds the gradient of x (T·B, X), or of its folded table (V, X), to dx.
	// It comes after gradient.
	dx(team *nn.Team, dx []float32, x *input)

	// vector copies what Tape.At tells.
	vector(dst []float32, name string, row, state int)
}

// use is what a run is for.
type use int

const (
	inference use = iota
	gradient      // there is to be a step back
	training      // and there are masks
)

// span is [from, to).
type span struct{ from, to int }

// units are some of the hidden units: from is a multiple of 64, to too or H.
type units struct {
	span
	h span // of the units of h alike, of which a projection makes fewer
}

// of is those of a state vector.
func (u units) of(vector int) (from, to int) {
	if vector == 0 {
		return u.h.from, u.h.to
	}
	return u.from, u.to
}

// stretch is n rows of one step side by side.
type stretch struct {
	n          int
	at         int // the first on the tape
	prev, next int // and in the states
	b          int // and in the batch
}

// input is a layer's input for the gradients of its weights, all steps at once.
type input struct {
	rows    int           // T·B
	ids     []int32       // (T·B) IDs, 0 past a length, or nil
	symbols int           // V: how many there are for IDs
	folded  bool          // IDs are rows of a folded table
	blocks  kernel.Matrix // (T·B, X) zero past a length, where there are no IDs; a folded table (V, X)
	job     gradientJob   // of a fused way
}
