package kernel

import (
	"math"
	"unsafe"
)

// Products of bf16: what is multiplied is rounded to bf16, and sums are
// float32. Where the processor multiplies pairs of bf16, a word of 32 bits
// holds two numbers that follow each other in a sum, the first in its low half,
// and stands where a float would: in panels the weights of two inputs, in a
// matrix two rows. Elsewhere the rounded numbers stay floats, and their
// products are those of floats. Which of the two adds up in what order is the
// processor's, so that their bits differ.

// round rounds the weights of panels [from, to) to bf16.
func (p *Panels) round(from, to int) {
	for i := from; i < to && p.K > 0; i++ {
		panel, width := p.panel(i)
		if p.pairs {
			narrowRows(panel, panel, width, p.K) // the words of a panel take its first half
		} else {
			roundTo(panel, panel)
		}
	}
}

// asWords is pairs as the words that they are.
func asWords(pairs []float32) []uint32 {
	return unsafe.Slice((*uint32)(unsafe.Pointer(&pairs[0])), len(pairs))
}

// mixedRows is how many rows of x are rounded at once for all panels to pass.
const mixedRows = 64

var mixedScratch = newSpare(func() *[]float32 { x := Aligned(mixedRows * (deep + Lane)); return &x })

// mulAddMixed is MulAddPanels of panels that are rounded. It rounds x too.
func (p *Panels) mulAddMixed(y, x Matrix, rows, from, to int) {
	scratch := mixedScratch.Get()
	depth := deep / x.Width * x.Width
	for k := 0; k < p.K; k += depth {
		n := min(depth, p.K-k)
		terms, first := n, k
		if p.pairs {
			terms, first = (n+1)/2, k/2
		}
		at := strided{terms + Lane, 1, terms, 0, p.pairs}
		for r := 0; r < rows; r += mixedRows {
			m := min(mixedRows, rows-r)
			for i := range m {
				p.roundRow((*scratch)[i*at.row:], x.Data[(r+i)*x.Row+k/x.Width*x.Block:], x.Width, x.Block-x.Width, n)
			}
			for i := from; i < to; i++ {
				panel, width := p.panel(i)
				product(y.Data[i*y.Block+r*y.Row:], y.Row, *scratch, at, panel[first*width:], width, p.columns(i, y), terms, m)
			}
		}
	}
	mixedScratch.Put(scratch)
}

// roundRow sets dst to n floats of a row in blocks as p's products take them.
func (p *Panels) roundRow(dst, x []float32, width, jump, n int) {
	if !p.pairs {
		for ; n > 0; n -= width {
			roundTo(dst, x[:min(n, width)])
			if n > width {
				x, dst = x[width+jump:], dst[width:]
			}
		}
		return
	}
	whole := n / Lane * Lane
	if whole > 0 {
		rowPairs(dst[:whole/2], x, width, jump, whole)
	}
	if whole < n {
		rest := x[whole/width*(width+jump)+whole%width:][:n-whole]
		for i := 0; i < len(rest); i += 2 {
			word := uint32(ToBF16(rest[i]))
			if i+1 < len(rest) {
				word |= uint32(ToBF16(rest[i+1])) << 16
			}
			dst[(whole+i)/2] = math.Float32frombits(word)
		}
	}
}

// roundTo sets dst to x rounded to bf16.
func roundTo(dst, x []float32) {
	whole := len(x) / Lane * Lane
	for i := 0; i < whole; i += piece {
		n := min(piece, whole-i)
		roundFloats(dst[i:i+n], x[i:i+n])
	}
	roundFloatsGeneric(dst[whole:len(x)], x[whole:])
}

// roundFloatsGeneric is roundFloats in Go.
func roundFloatsGeneric(dst, x []float32) {
	for i, v := range x {
		dst[i] = FromBF16(ToBF16(v))
	}
}

// narrowRows sets dst to pairs of the rows of x (rows, width), which it may be.
func narrowRows(dst, x []float32, width, rows int) {
	for ; rows > 1; rows -= 2 * min(rows/2, piece/width) {
		n := min(rows/2, piece/width)
		narrow(dst, x, width, n)
		dst, x = dst[n*width:], x[2*n*width:]
	}
	if rows > 0 {
		var last [2 * Wide]float32
		copy(last[:width], x)
		narrow(dst, last[:], width, 1)
	}
}

// GrowRounded is Grow of a matrix for RoundRows.
func (m Matrix) GrowRounded(n, cols int) Matrix {
	pairs := pairing()
	if pairs {
		n = (n + 1) / 2
	}
	m = m.Grow(n, cols)
	m.pairs = pairs
	return m
}

// RoundRows sets to to rows of from, in blocks, as AddOuter takes both its
// factors for a product of bf16.
func RoundRows(to, from Matrix, cols, rows int) {
	for j := 0; j < cols && rows > 0; j += Wide {
		dst, src := to.Data[j/Wide*to.Block:], from.Data[j/Wide*from.Block:][:rows*Wide]
		if to.pairs {
			narrowRows(dst, src, Wide, rows)
		} else {
			roundTo(dst, src)
		}
	}
}

// RoundRows is RoundRows with the work shared.
func (t *Team) RoundRows(to, from Matrix, cols, rows int) { t.rows(RoundRows, to, from, cols, rows) }

// LookUp sets row i of dst (rows, 64) to bias (64), and adds to its first
// columns the weights of panel p for input ids[i]: a row of x that is one-hot.
func (p *Panels) LookUp(panel int, dst, bias []float32, ids []int32) {
	if !p.pairs {
		table, width := p.Table(panel)
		LookUpRows(dst, bias, table, width, ids, len(ids))
		return
	}
	table, width := p.panel(panel)
	checkIDs("LookUp", table, width, ids)
	if len(ids) > 0 {
		lookUpPairs(dst, bias, table, width, ids)
	}
}
