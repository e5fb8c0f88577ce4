package kernel

// chains is how many vectors PeakFMA's multiply-adds go into.
const chains = 12

// fmaPiece and readPiece are how many iterations, and how many floats, one call
// of assembly takes, so that it ends within microseconds.
const (
	fmaPiece  = 1 << 12
	readPiece = 1 << 16
)

// PeakFMA runs a loop of n iterations, n ≥ 0, that does nothing but independent
// multiply-adds on registers, and returns the floating-point operations done:
// in as much time no product can do more.
func PeakFMA(n int) (flops float64) {
	var acc [chains * Lane]float32
	for left := n; left > 0; left -= fmaPiece {
		fmaLoop(&acc, min(left, fmaPiece), 0.5, 1)
	}
	return float64(n) * float64(2*chains*lanes())
}

// ReadSum reads all of p so many times, as fast as it comes, and returns the
// sum of all that it read.
func ReadSum(p []float32, times int) (sum float32) {
	whole := len(p) / readRow * readRow
	for times > 0 {
		n := max(1, min(times, readPiece/max(1, len(p))))
		for from := 0; from < whole; from += readPiece {
			sum += readSum(p[from:min(whole, from+readPiece)], n)
		}
		if whole < len(p) {
			sum += readSumGeneric(p[whole:], n)
		}
		times -= n
	}
	return sum
}

// readRow is what the assembly of ReadSum takes at a time.
const readRow = 128
