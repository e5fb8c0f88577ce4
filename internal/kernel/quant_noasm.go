//go:build !amd64 || purego

package kernel

// half is MulAddPanels of one row of bf16 panels.
func (p *Panels) half(y, x Matrix, from, to int) { p.mulAddHalves(y, x, 1, from, to) }

// widen sets dst (2·pairs, width) to the weights of words (pairs, width).
func widen(dst []float32, words []uint32, width, pairs int) { widenGeneric(dst, words, width, pairs) }

// bytes adds the product of rows with panels' weights of a span of inputs that
// begins with k, so many words of four.
func (p *Panels) bytes(y Matrix, s *byteRows, rows, k, words, from, to int) {
	p.bytesGeneric(y, s, rows, k, words, from, to)
}

// magnitude is the bits of the largest |x| of n floats of a row in blocks,
// those of a NaN above all.
func magnitude(x []float32, width, jump, n int) uint32 { return magnitudeGeneric(x, width, jump, n) }

// roundBytes sets dst to n floats of a row in blocks, times by, rounded, with
// 128 added.
func roundBytes(dst []uint8, x []float32, width, jump, n int, by float32) {
	roundGeneric(dst, x, width, jump, n, by)
}
