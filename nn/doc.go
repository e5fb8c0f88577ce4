// Package nn holds what stands around the recurrent layers: embedding, linear
// layer, dropout, softmax with cross-entropy, full or adaptive, conditional random
// field, and the initialisers.
//
// Letters are those of package rnn: N rows, V vocabulary. Every slice is
// row-major and its shape stands beside it; a [Matrix] may be in blocks. A layer
// is a forward function and a backward function; parameters are views of a flat vector that
// the caller owns, and gradients are added to, never overwritten. A slice may
// be longer than its shape; one that is shorter panics.
package nn

import (
	"fmt"

	"sluice/internal/kernel"
)

// Team is a fixed number of goroutines that share the work of one caller. The
// bits of a result do not depend on their number.
type Team = kernel.Team

// Matrix is rows of floats, row-major or in blocks of 64 columns, [columns/64]
// [N][64]: then whole blocks of a few rows stay in the cache while a product
// passes, and nothing need be copied to be read transposed.
type Matrix = kernel.Matrix

// Blocks copies x (N, cols), row-major, to a matrix in blocks.
func Blocks(x []float32, n, cols int) Matrix {
	m := Matrix{}.Grow(n, cols)
	for i := range n {
		m.SetRow(i, x[i*cols:(i+1)*cols])
	}
	return m
}

// RowMajor is the matrix whose rows of n floats are ld apart.
func RowMajor(data []float32, ld int) Matrix { return kernel.RowMajor(data, ld) }

// NewTeam starts a team of the given number of threads, at least one and at
// most 65,536. Its Close ends them.
func NewTeam(threads int) *Team { return kernel.NewTeam(threads) }

// Tensor is a named part of a flat vector.
type Tensor struct {
	Name  string
	Shape []int
	Data  []float32 // Shape's product of elements
}

// Elements is the product of a shape.
func Elements(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// need panics unless x, called name in call, has the values of (rows, width).
func need(call, name string, x []float32, rows, width int) {
	if len(x) < rows*width {
		panic(fmt.Sprintf("nn: %s: %s has %d values, want (%d, %d)", call, name, len(x), rows, width))
	}
}

// Grow returns x with length n, reusing its memory where it fits. The elements
// are not cleared.
func Grow[E any](x []E, n int) []E {
	if cap(x) < n {
		return make([]E, n)
	}
	return x[:n]
}
