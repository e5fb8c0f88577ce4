//go:build !purego

package kernel

// lanes is how many floats a vector of the implementation in use has.
func lanes() int {
	switch level {
	case AVX512:
		return 16
	case AVX2:
		return 8
	}
	return 1
}

// fmaLoop sets the first chains·lanes floats a of acc to a·by + plus n times,
// n ≥ 1.
func fmaLoop(acc *[chains * Lane]float32, n int, by, plus float32) {
	switch level {
	case AVX512:
		fmaLoopAVX512(&acc[0], n, by, plus)
	case AVX2:
		fmaLoopAVX2(&acc[0], n, by, plus)
	default:
		fmaLoopGeneric(acc, n, by, plus)
	}
}

// readSum takes a multiple of readRow floats, above 0.
func readSum(p []float32, times int) float32 {
	n := len(p) / readRow
	switch level {
	case AVX512:
		return readSumAVX512(&p[0], n, times)
	case AVX2:
		return readSumAVX2(&p[0], n, times)
	}
	return readSumGeneric(p, times)
}
