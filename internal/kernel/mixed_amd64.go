//go:build !purego

package kernel

import "sluice/internal/cpu"

// The tiles of pairs by columns/16−1 and rows−1.
var tilesBF16 = [4][]tileFunc{
	{tile1x1BF16, tile2x1BF16, tile3x1BF16, tile4x1BF16, tile5x1BF16, tile6x1BF16, tile7x1BF16, tile8x1BF16},
	{tile1x2BF16, tile2x2BF16, tile3x2BF16, tile4x2BF16, tile5x2BF16, tile6x2BF16, tile7x2BF16, tile8x2BF16},
	{tile1x3BF16, tile2x3BF16, tile3x3BF16, tile4x3BF16, tile5x3BF16, tile6x3BF16, tile7x3BF16, tile8x3BF16},
	{tile1x4BF16, tile2x4BF16, tile3x4BF16, tile4x4BF16, tile5x4BF16, tile6x4BF16},
}

// dots says whether AVX512 has the dot product of bf16.
var dots = cpu.AVX512BF16

// pairing says whether products of bf16 take pairs.
func pairing() bool { return level == AVX512 && dots }

// narrow sets dst to pairs of 2·pairs rows of x, width floats each. Both are at
// least 1.
func narrow(dst, x []float32, width, pairs int) {
	_, _ = dst[pairs*width-1], x[2*pairs*width-1]
	narrowBF16(&dst[0], &x[0], width/Lane, pairs)
}

// rowPairs sets dst to pairs of n floats of a row in blocks. n, above 0, and
// width are multiples of Lane.
func rowPairs(dst, x []float32, width, jump, n int) {
	_, _ = dst[n/2-1], x[(n-1)/width*(width+jump)+(n-1)%width]
	roundRowBF16(&dst[0], &x[0], width, 4*jump, n)
}

// roundFloats sets dst to x rounded to bf16. Their length is a multiple of
// Lane, above 0.
func roundFloats(dst, x []float32) {
	switch level {
	case AVX512:
		roundFloatsAVX512(&dst[0], &x[0], len(x)/Lane)
	case AVX2:
		roundFloatsAVX2(&dst[0], &x[0], len(x)/Lane)
	default:
		roundFloatsGeneric(dst, x)
	}
}

// lookUpPairs is LookUp of ids that are in the table, at least one.
func lookUpPairs(dst, bias, table []float32, width int, ids []int32) {
	lookUpPairsBF16(block(dst, len(ids)), block(bias, 1), &table[0], width, &ids[0], len(ids))
}
