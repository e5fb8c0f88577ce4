//go:build !amd64 || purego

package kernel

func lanes() int { return 1 }

func fmaLoop(acc *[chains * Lane]float32, n int, by, plus float32) {
	fmaLoopGeneric(acc, n, by, plus)
}

func readSum(p []float32, times int) float32 { return readSumGeneric(p, times) }
