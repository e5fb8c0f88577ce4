package kernel

import "fmt"

// Matrix is a view of rows of floats in blocks of columns: element (i, j) is
// Data[j/Width·Block + i·Row + j%Width].
type Matrix struct {
	Data  []float32
	Row   int // from a row to the next
	Block int // from a block of columns to the next
	Width int // columns of a block

	tight bool // a row ends where its columns do, and another begins
	pairs bool // a row is two of bf16: see RoundRows
}

// Lane is the number of floats that kernels take at once, and Wide that of the
// columns of a block, whose rows are so many floats apart whether all are used
// or not.
const (
	Lane = 16
	Wide = 4 * Lane
)

// RowMajor is the matrix whose rows of n floats are ld apart.
func RowMajor(data []float32, ld int) Matrix { return Matrix{data, ld, Wide, Wide, true, false} }

// Blocks is the matrix of n rows whose blocks lie one after another. Its Data
// has BlocksLen floats.
func Blocks(data []float32, n int) Matrix { return Matrix{data, Wide, n * Wide, Wide, false, false} }

// Grow is a matrix of n rows in blocks, in m's memory where it fits. What it
// holds is anything. Its blocks are an odd number of rows apart, which keeps
// equal rows of blocks in different sets of the cache.
func (m Matrix) Grow(n, cols int) Matrix {
	n |= 1
	size := BlocksLen(n, cols)
	if cap(m.Data) < size {
		m.Data = Aligned(size)
	}
	return Blocks(m.Data[:size], n)
}

// Need panics unless m, called name, has n rows of cols columns.
func (m Matrix) Need(name string, n, cols int) {
	if n > 0 && cols > 0 && (cols-1)/max(1, m.Width)*m.Block+(n-1)*m.Row+(cols-1)%max(1, m.Width) >= len(m.Data) {
		panic(fmt.Sprintf("%s has %d values, want (%d, %d)", name, len(m.Data), n, cols))
	}
}

// NeedBlocks is Need of a matrix in blocks.
func (m Matrix) NeedBlocks(name string, n, cols int) {
	if m.tight {
		panic(name + " is row-major, want a matrix in blocks")
	}
	m.Need(name, n, cols)
}

// At is where row i goes on from column j to the end of its block.
func (m Matrix) At(i, j int) []float32 {
	at := j/m.Width*m.Block + i*m.Row
	return m.Data[at+j%m.Width : at+m.Width]
}

// SetRow sets row i, in blocks, to x, and the rest of x's last block to zero.
func (m Matrix) SetRow(i int, x []float32) {
	for j := 0; j < len(x); j += m.Width {
		dst := m.At(i, j)
		clear(dst[copy(dst, x[j:]):])
	}
}

// ClearRow sets the blocks of cols columns of row i to zero.
func (m Matrix) ClearRow(i, cols int) {
	for j := 0; j < cols; j += m.Width {
		clear(m.At(i, j))
	}
}

// GetRow copies row i to x.
func (m Matrix) GetRow(x []float32, i int) {
	for j := 0; j < len(x); j += m.Width {
		copy(x[j:], m.At(i, j))
	}
}

// BlocksLen is the number of floats of n rows of cols columns in blocks.
func BlocksLen(n, cols int) int { return (cols + Wide - 1) / Wide * Wide * n }

// From is the view from row i on, of pairs an even one.
func (m Matrix) From(i int) Matrix {
	if m.pairs {
		i /= 2
	}
	m.Data = m.Data[i*m.Row:]
	return m
}

// Lanes is the view of the lanes [from, to) of each block alone.
func (m Matrix) Lanes(from, to int) Matrix {
	m.Data = m.Data[from*Lane:]
	m.Width = (to - from) * Lane
	return m
}

// whole is n columns rounded down to blocks, but one at least.
func (m Matrix) whole(n int) int { return max(1, n/m.Width) * m.Width }

// Columns is the view from column j on of j's block alone.
func (m Matrix) Columns(j int) Matrix {
	m.Data = m.Data[j/m.Width*m.Block+j%m.Width:]
	return m
}
