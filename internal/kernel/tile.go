package kernel

import "unsafe"

// maxTile is the most rows that a tile has.
const maxTile = 8

// Aligned is a slice whose first element starts a cache line.
func Aligned(n int) []float32 {
	const line = 64 / 4
	x := make([]float32, n+line)
	skip := 0
	for uintptr(unsafe.Pointer(&x[skip]))%64 != 0 {
		skip++
	}
	return x[skip : skip+n : skip+n]
}

// tilesGeneric is tiles in Go: eight columns at a time stay in registers.
func tilesGeneric(c []float32, ldc int, a []float32, at strided, b []float32, ldb, cols, k, rows int) {
	for i := range rows {
		for j := 0; j < cols; j += 8 {
			s := c[i*ldc+j:][:8:8]
			c0, c1, c2, c3, c4, c5, c6, c7 := s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7]
			for l, from := 0, i*at.row; l < k; from += at.jump {
				for range min(at.width, k-l) {
					v, r := a[from], b[l*ldb+j:][:8:8]
					c0 += float32(v * r[0])
					c1 += float32(v * r[1])
					c2 += float32(v * r[2])
					c3 += float32(v * r[3])
					c4 += float32(v * r[4])
					c5 += float32(v * r[5])
					c6 += float32(v * r[6])
					c7 += float32(v * r[7])
					from += at.step
					l++
				}
			}
			s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7] = c0, c1, c2, c3, c4, c5, c6, c7
		}
	}
}

// Transpose sets dst[u·ldd+j] = src[j·lds+u] for n rows of a lane: the way back
// from a panel.
func Transpose(dst []float32, ldd int, src []float32, lds, n int) {
	if n == 0 {
		return
	}
	_, _ = dst[(Lane-1)*ldd+n-1], src[(n-1)*lds+Lane-1]
	done := transposeBack(dst, ldd, src, lds, n)
	for j := done; j < n; j++ {
		for u, v := range src[j*lds:][:Lane] {
			dst[u*ldd+j] = v
		}
	}
}

// transposeGeneric is transpose in Go.
func transposeGeneric(dst []float32, ldd int, src []float32, k, count int) {
	for u := range count {
		for j, v := range src[u*k : (u+1)*k] {
			dst[j*ldd+u] = v
		}
	}
	for j := range k {
		clear(dst[j*ldd+count : j*ldd+Lane])
	}
}

// vectorGeneric is vector in Go.
func (p Panels) vectorGeneric(y, x Matrix, from, to int) {
	for i := from; i < to; i++ {
		panel, width := p.panel(i)
		tilesGeneric(y.Data[i*y.Block:], y.Row, x.Data, x.strides(), panel, width, width, p.K, 1)
	}
}
