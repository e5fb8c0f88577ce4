package nn

import (
	"fmt"

	"sluice/internal/kernel"
)

// Linear is y = x·Wᵀ + b. It holds its weights packed: call Pack after they
// change.
type Linear struct {
	In, Out   int
	bias      []float32 // (Out) in blocks
	weights   kernel.Weights
	precision Precision
}

// NewLinear makes a layer of the given widths. Pack gives it weights.
func NewLinear(in, out int) *Linear { return &Linear{In: in, Out: out} }

// Pack takes a copy of w (Out, In) and b (Out); b may be nil. The team shares
// the work; without one, nil, the caller does it.
func (l *Linear) Pack(team *Team, w, b []float32) { l.PackAs(team, w, b, Float32) }

// PackAs is Pack with the weights, not the bias, in a precision. One that serves
// inference alone allocates.
func (l *Linear) PackAs(team *Team, w, b []float32, p Precision) {
	if len(w) != l.In*l.Out || b != nil && len(b) != l.Out {
		panic(fmt.Sprintf("nn: Linear.Pack: %d weights and %d biases, want (%d, %d) and %d", len(w), len(b), l.Out, l.In, l.Out))
	}
	l.precision = p
	l.weights.Pack(team, p, w, l.Out, l.In, kernel.Order{})
	l.bias = Grow(l.bias, kernel.BlocksLen(1, l.Out))
	clear(l.bias[copy(l.bias, b):])
}

// Forward sets y (N, Out), in blocks, from x (N, In).
func (l *Linear) Forward(team *Team, y, x Matrix, n int) {
	l.packed("Forward")
	y.NeedBlocks("nn: Linear.Forward: y", n, l.Out)
	x.Need("nn: Linear.Forward: x", n, l.In)
	team.Linear(l.weights.Panels, l.bias, y, x, n)
}

// Backward adds to dw (Out, In) and db (Out) and sets dx (N, In), row-major,
// given dy (N, Out), in blocks, and the x (N, In) of Forward, in blocks. Any of
// dw, db and dx may be nil.
func (l *Linear) Backward(team *Team, dw, db, dx []float32, dy, x Matrix, n int) {
	l.packed("Backward")
	if !l.precision.Trains() {
		panic(fmt.Sprintf("nn: Linear.Backward: weights packed as %v serve inference alone, want float32 or mixed", l.precision))
	}
	dy.NeedBlocks("nn: Linear.Backward: dy", n, l.Out)
	x.Need("nn: Linear.Backward: x", n, l.In)
	if dw != nil {
		need("Linear.Backward", "dw", dw, l.Out, l.In)
	}
	if db != nil {
		need("Linear.Backward", "db", db, 1, l.Out)
		db = db[:l.Out]
	}
	team.AddOuterAs(l.precision, dw, db, l.Out, l.In, dy, x, n)
	if dx != nil {
		need("Linear.Backward", "dx", dx, n, l.In)
		clear(dx[:n*l.In])
		team.MulAdd(l.weights.Back(team), RowMajor(dx, l.In), dy, n)
	}
}

// packed panics unless Pack gave weights of the layer's widths.
func (l *Linear) packed(call string) {
	if l.weights.K != l.In || l.weights.N != l.Out {
		panic(fmt.Sprintf("nn: Linear.%s: weights (%d, %d) packed, want (%d, %d)", call, l.weights.N, l.weights.K, l.Out, l.In))
	}
}
