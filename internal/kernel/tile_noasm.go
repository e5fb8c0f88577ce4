//go:build !amd64 || purego

package kernel

// tiles adds a·b to c: see product. cols is a multiple of Lane.
func tiles(c []float32, ldc int, a []float32, at strided, b []float32, ldb, cols, k, rows int) {
	tilesGeneric(c, ldc, a, at, b, ldb, cols, k, rows)
}

// transpose sets dst[j·ldd+u] = src[u·k+j] for count rows of k, and to zero for
// the rest of Lane.
func transpose(dst []float32, ldd int, src []float32, k, count int) {
	transposeGeneric(dst, ldd, src, k, count)
}

// pause lets time pass.
func pause(int) {}

// vector is MulAddPanels of one row.
func (p Panels) vector(y, x Matrix, from, to int) { p.vectorGeneric(y, x, from, to) }

// transposeBack leaves all to its caller.
func transposeBack([]float32, int, []float32, int, int) (done int) { return 0 }
