//go:build !purego

package kernel

type (
	tileFunc   = func(c *float32, ldc int, a *float32, row, step, width, jump int, b *float32, ldb, k, tiles int)
	vectorFunc = func(c *float32, ldc int, a *float32, width, jump int, b *float32, ldb, k int)
)

// The tiles by columns/16−1 and rows−1: AVX-512 has 24 accumulators of 16
// floats, AVX2 12 of 8.
var (
	tilesAVX512 = [4][]tileFunc{
		{tile1x1AVX512, tile2x1AVX512, tile3x1AVX512, tile4x1AVX512, tile5x1AVX512, tile6x1AVX512, tile7x1AVX512, tile8x1AVX512},
		{tile1x2AVX512, tile2x2AVX512, tile3x2AVX512, tile4x2AVX512, tile5x2AVX512, tile6x2AVX512, tile7x2AVX512, tile8x2AVX512},
		{tile1x3AVX512, tile2x3AVX512, tile3x3AVX512, tile4x3AVX512, tile5x3AVX512, tile6x3AVX512, tile7x3AVX512, tile8x3AVX512},
		{tile1x4AVX512, tile2x4AVX512, tile3x4AVX512, tile4x4AVX512, tile5x4AVX512, tile6x4AVX512},
	}
	tilesAVX2 = []tileFunc{tile1x1AVX2, tile2x1AVX2, tile3x1AVX2, tile4x1AVX2, tile5x1AVX2, tile6x1AVX2}
)

// The vectors by columns/16−1 and log₂ of the panels.
var (
	vectorsAVX512 = [4][]vectorFunc{
		{vector1x1AVX512, vector2x1AVX512, vector4x1AVX512},
		{vector1x2AVX512, vector2x2AVX512, vector4x2AVX512},
		{vector1x3AVX512, vector2x3AVX512, vector4x3AVX512},
		{vector1x4AVX512, vector2x4AVX512, vector4x4AVX512},
	}
	vectorsAVX2 = [4][]vectorFunc{
		{vector1x1AVX2, vector2x1AVX2, vector4x1AVX2},
		{vector1x2AVX2, vector2x2AVX2},
		{vector1x3AVX2, vector2x3AVX2},
		{vector1x4AVX2},
	}
)

// tiles adds a·b to c: see product. cols is a multiple of Lane.
func tiles(c []float32, ldc int, a []float32, at strided, b []float32, ldb, cols, k, rows int) {
	var table []tileFunc
	switch {
	case at.pairs:
		table = tilesBF16[cols/Lane-1]
	case level == AVX512:
		table = tilesAVX512[cols/Lane-1]
	case level == AVX2:
		table = tilesAVX2
		for ; cols > Lane; cols -= Lane {
			tilesOf(table, c, ldc, a, at, b, ldb, k, rows)
			c, b = c[Lane:], b[Lane:]
		}
	default:
		tilesGeneric(c, ldc, a, at, b, ldb, cols, k, rows)
		return
	}
	tilesOf(table, c, ldc, a, at, b, ldb, k, rows)
}

// tilesOf shares the rows out among tiles of nearly the same height: first the
// higher ones.
func tilesOf(table []tileFunc, c []float32, ldc int, a []float32, at strided, b []float32, ldb, k, rows int) {
	const size = 4 // bytes of a float
	left := (rows + len(table) - 1) / len(table)
	height := (rows + left - 1) / left
	high := rows - left*(height-1)
	for left > 0 {
		if high == 0 {
			height, high = height-1, left
		}
		tiles := min(high, max(1, enough/k))
		table[height-1](&c[0], size*ldc, &a[0], size*at.row, size*at.step, at.width, size*at.jump, &b[0], size*ldb, k, tiles)
		high -= tiles
		if left -= tiles; left > 0 {
			c, a = c[tiles*height*ldc:], a[tiles*height*at.row:]
		}
	}
}

// transpose sets dst[j·ldd+u] = src[u·k+j] for count rows of k, and to zero for
// the rest of Lane.
func transpose(dst []float32, ldd int, src []float32, k, count int) {
	const rows, size = 8, 4
	whole := k / rows * rows
	if level == Generic || count < Lane || whole == 0 {
		transposeGeneric(dst, ldd, src, k, count)
		return
	}
	_, _ = dst[(k-1)*ldd+Lane-1], src[Lane*k-1]
	for j := 0; j < whole; j += enough {
		for u := 0; u < Lane; u += rows {
			transpose8AVX2(&dst[j*ldd+u], size*ldd, &src[u*k+j], size*k, min(enough, whole-j)/rows)
		}
	}
	for u := range Lane {
		for j := whole; j < k; j++ {
			dst[j*ldd+u] = src[u*k+j]
		}
	}
}

// some is how many panels from on, before to, pass at once, as log₂, of those
// that a table has. The last one passes alone where it is not full.
func (p Panels) some(from, to, table int) int {
	n := table - 1
	for n > 0 && (from+1<<n > to || from+1<<n == p.Len() && p.N%p.width != 0) {
		n--
	}
	return n
}

// vector is MulAddPanels of one row.
func (p Panels) vector(y, x Matrix, from, to int) {
	var table *[4][]vectorFunc
	switch level {
	case AVX512:
		table = &vectorsAVX512
	case AVX2:
		table = &vectorsAVX2
	default:
		p.vectorGeneric(y, x, from, to)
		return
	}
	const size = 4
	_ = x.Data[(p.K-1)/x.Width*x.Block+(p.K-1)%x.Width]
	for from < to {
		panel, width := p.panel(from)
		some := table[width/Lane-1]
		n := p.some(from, to, len(some))
		last := from + 1<<n - 1
		_, _ = y.Data[last*y.Block+width-1], p.data[last*p.width*p.K+width*p.K-1]
		depth := x.whole(enough >> n)
		for k := 0; k < p.K; k += depth {
			some[n](&y.Data[from*y.Block], size*y.Block, &x.Data[k/x.Width*x.Block], x.Width, size*(x.Block-x.Width), &panel[k*width], size*p.width*p.K, min(depth, p.K-k))
		}
		from += 1 << n
	}
}

// transposeBack does as many rows of Transpose as it can, from the first on,
// and returns their number.
func transposeBack(dst []float32, ldd int, src []float32, lds, n int) (done int) {
	const rows, size = 8, 4
	if level == Generic {
		return 0
	}
	for ; done+rows <= n; done += rows {
		transpose8AVX2(&dst[done], size*ldd, &src[done*lds], size*lds, Lane/rows)
	}
	return done
}
