//go:build !purego

package kernel

import "sluice/internal/cpu"

type (
	halfFunc     = func(c *float32, ldc int, a *float32, width, jump int, b *uint32, ldb, k int)
	byteFunc     = func(c *float32, ldc int, a *uint8, b *int8, ldb, k int, scale *float32, lds int, by float32)
	byteRowsFunc = func(c *float32, ldc int, a *uint8, lda int, b *int8, k int, scale, by *float32)
)

// Products of one row by columns/16−1 and log₂ of the panels.
var (
	halvesAVX512 = [4][]halfFunc{
		{half1x1AVX512, half2x1AVX512, half4x1AVX512},
		{half1x2AVX512, half2x2AVX512, half4x2AVX512},
		{half1x3AVX512, half2x3AVX512, half4x3AVX512},
		{half1x4AVX512, half2x4AVX512, half4x4AVX512},
	}
	halvesAVX2 = [4][]halfFunc{
		{half1x1AVX2, half2x1AVX2, half4x1AVX2},
		{half1x2AVX2, half2x2AVX2},
		{half1x3AVX2, half2x3AVX2},
		{half1x4AVX2},
	}
	bytesVNNI = [4][]byteFunc{
		{byte1x1VNNI, byte2x1VNNI, byte4x1VNNI},
		{byte1x2VNNI, byte2x2VNNI, byte4x2VNNI},
		{byte1x3VNNI, byte2x3VNNI, byte4x3VNNI},
		{byte1x4VNNI, byte2x4VNNI, byte4x4VNNI},
	}
	bytesAVX512 = [4][]byteFunc{
		{byte1x1AVX512, byte2x1AVX512, byte4x1AVX512},
		{byte1x2AVX512, byte2x2AVX512, byte4x2AVX512},
		{byte1x3AVX512, byte2x3AVX512, byte4x3AVX512},
		{byte1x4AVX512, byte2x4AVX512, byte4x4AVX512},
	}
	bytesAVX2 = [4][]byteFunc{
		{byte1x1AVX2, byte2x1AVX2, byte4x1AVX2},
		{byte1x2AVX2, byte2x2AVX2},
		{byte1x3AVX2},
		{byte1x4AVX2},
	}
)

// Products of more rows and one panel by columns/16−1 and rows−2.
var byteRowsVNNI = [4][]byteRowsFunc{
	{byteRows2x1VNNI, byteRows3x1VNNI, byteRows4x1VNNI},
	{byteRows2x2VNNI, byteRows3x2VNNI, byteRows4x2VNNI},
	{byteRows2x3VNNI, byteRows3x3VNNI, byteRows4x3VNNI},
	{byteRows2x4VNNI, byteRows3x4VNNI, byteRows4x4VNNI},
}

// vnni says whether AVX512 has the dot product of bytes. Without it the bits
// are the same.
var vnni = cpu.AVX512VNNI

// half is MulAddPanels of one row of bf16 panels.
func (p *Panels) half(y, x Matrix, from, to int) {
	const size = 4
	table := &halvesAVX512
	if level == AVX2 {
		table = &halvesAVX2
	}
	_ = x.Data[(p.K-1)/x.Width*x.Block+(p.K-1)%x.Width]
	for from < to {
		words, width := p.pairsAt(from), p.lanesOf(from)
		some := table[width/Lane-1]
		n := p.some(from, to, len(some))
		_, _ = y.Data[(from+1<<n-1)*y.Block+width-1], p.pairsAt(from+1<<n-1)
		depth := x.whole(enough >> n)
		for k := 0; k < p.K; k += depth {
			some[n](&y.Data[from*y.Block], size*y.Block, &x.Data[k/x.Width*x.Block], x.Width, size*(x.Block-x.Width), &words[k/2*width], size*p.width*((p.K+1)/2), min(depth, p.K-k))
		}
		from += 1 << n
	}
}

// widen sets dst (2·pairs, width) to the weights of words (pairs, width).
func widen(dst []float32, words []uint32, width, pairs int) {
	_, _ = dst[2*pairs*width-1], words[pairs*width-1]
	switch level {
	case AVX512:
		widenAVX512(&dst[0], &words[0], width/Lane, pairs)
	case AVX2:
		widenAVX2(&dst[0], &words[0], width/Lane, pairs)
	default:
		widenGeneric(dst, words, width, pairs)
	}
}

// bytes adds the product of rows with panels' weights of a span of inputs that
// begins with k, so many words of four.
func (p *Panels) bytes(y Matrix, s *byteRows, rows, k, words, from, to int) {
	switch {
	case level == Generic:
		p.bytesGeneric(y, s, rows, k, words, from, to)
	case rows == 1 || level == AVX2 || !vnni:
		for r := range rows {
			p.byteRow(y.From(r), &s.x[r][0], s.by[r], k, words, from, to)
		}
	default:
		const size = 4
		for i := from; i < to; i++ {
			b, _ := p.bytesAt(i, k)
			width := p.lanesOf(i)
			_, _ = y.Data[i*y.Block+(rows-1)*y.Row+width-1], b[4*width*(1+words)-1]
			byteRowsVNNI[width/Lane-1][rows-2](&y.Data[i*y.Block], size*y.Row, &s.x[0][0], byteSpan, &b[0], words, &p.low.scales[i*p.width], &s.by[0])
		}
	}
}

// byteRow is bytes of one row.
func (p *Panels) byteRow(y Matrix, x *uint8, by float32, k, words, from, to int) {
	const size = 4
	table := &bytesVNNI
	switch {
	case level == AVX2:
		table = &bytesAVX2
	case !vnni:
		table = &bytesAVX512
	}
	for from < to {
		b, stride := p.bytesAt(from, k)
		width := p.lanesOf(from)
		some := table[width/Lane-1]
		n := p.some(from, to, len(some))
		last, _ := p.bytesAt(from+1<<n-1, k)
		_, _ = y.Data[(from+1<<n-1)*y.Block+width-1], last[4*width*(1+words)-1]
		some[n](&y.Data[from*y.Block], size*y.Block, x, &b[0], stride, words, &p.low.scales[from*p.width], size*p.width, by)
		from += 1 << n
	}
}

// magnitude is the bits of the largest |x| of n floats of a row in blocks,
// those of a NaN above all. n, above 0, and width are multiples of Lane.
func magnitude(x []float32, width, jump, n int) uint32 {
	switch level {
	case AVX512:
		return magnitudeAVX512(&x[0], width, 4*jump, n)
	case AVX2:
		return magnitudeAVX2(&x[0], width, 4*jump, n)
	}
	return magnitudeGeneric(x, width, jump, n)
}

// roundBytes sets dst to n floats of a row in blocks, times by, rounded, with
// 128 added. n, above 0, and width are multiples of Lane.
func roundBytes(dst []uint8, x []float32, width, jump, n int, by float32) {
	switch level {
	case AVX512:
		toBytesAVX512(&dst[0], &x[0], width, 4*jump, n, by)
	case AVX2:
		toBytesAVX2(&dst[0], &x[0], width, 4*jump, n, by)
	default:
		roundGeneric(dst, x, width, jump, n, by)
	}
}
