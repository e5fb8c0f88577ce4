package kernel

import (
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"
)

// Panels is a weight matrix stored for products with rows from the left: K
// inputs, N outputs. It is a value; Inputs and Outputs give views of a part.
type Panels struct {
	K, N   int
	data   []float32 // (K, stride), the first N of each row used
	stride int
}

// Pack fills p from w (n, k), one row an output, so that MulAdd adds x·wᵀ. It
// reuses p's memory where it fits.
func (p *Panels) Pack(w []float32, n, k int) {
	p.shape(k, n)
	for i := range n {
		row := w[i*k : (i+1)*k]
		for j, v := range row {
			p.data[j*n+i] = v
		}
	}
}

// PackTransposed fills p from w (k, n), one row an input, so that MulAdd adds
// x·w. It reuses p's memory where it fits.
func (p *Panels) PackTransposed(w []float32, k, n int) {
	p.shape(k, n)
	copy(p.data, w[:k*n])
}

func (p *Panels) shape(k, n int) {
	if cap(p.data) < k*n {
		p.data = make([]float32, k*n)
	}
	p.K, p.N, p.stride, p.data = k, n, n, p.data[:k*n]
}

// Outputs is the view of the outputs from i up to j.
func (p Panels) Outputs(i, j int) Panels {
	p.data = p.data[i:]
	p.N = j - i
	return p
}

// Inputs is the view of the inputs from i up to j.
func (p Panels) Inputs(i, j int) Panels {
	p.data = p.data[i*p.stride:]
	p.K = j - i
	return p
}

// Row is the weights of input k (N): what a one-hot row selects.
func (p Panels) Row(k int) []float32 {
	return p.data[k*p.stride : k*p.stride+p.N]
}

// Blocks that gonum runs on the calling goroutine: it starts goroutines of
// its own from four blocks of 64 by 64.
const (
	tileRows = 64
	tileCols = 192
)

// MulAdd adds x·W to y: x has rows of p.K floats, ldx apart, y rows of p.N
// floats, ldy apart.
func (p Panels) MulAdd(y []float32, ldy int, x []float32, ldx, rows int) {
	if rows == 0 || p.N == 0 || p.K == 0 {
		return
	}
	var g gonum.Implementation
	for i := 0; i < rows; i += tileRows {
		m := min(tileRows, rows-i)
		for j := 0; j < p.N; j += tileCols {
			n := min(tileCols, p.N-j)
			g.Sgemm(blas.NoTrans, blas.NoTrans, m, n, p.K, 1, x[i*ldx:], ldx, p.data[j:], p.stride, 1, y[i*ldy+j:], ldy)
		}
	}
}

// AddOuter adds dyᵀ·x to dw (n, k): dy has rows of n floats, ldy apart, x rows
// of k floats, ldx apart.
func AddOuter(dw []float32, n, k int, dy []float32, ldy int, x []float32, ldx, rows int) {
	if rows == 0 || n == 0 || k == 0 {
		return
	}
	var g gonum.Implementation
	for i := 0; i < n; i += tileRows {
		m := min(tileRows, n-i)
		for j := 0; j < k; j += tileCols {
			c := min(tileCols, k-j)
			g.Sgemm(blas.Trans, blas.NoTrans, m, c, rows, 1, dy[i:], ldy, x[j:], ldx, 1, dw[i*k+j:], k)
		}
	}
}

// SumRows adds the rows of dy, n floats each, ldy apart, to db (n).
func SumRows(db []float32, dy []float32, ldy, rows int) {
	for i := range rows {
		row := dy[i*ldy:][:len(db)]
		for j, v := range row {
			db[j] += v
		}
	}
}
