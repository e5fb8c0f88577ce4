//go:build !purego

package kernel

// vectors applies f to x, whose length is a multiple of Lane above 0.
func vectors(f function, x []float32) {
	n := len(x) / Lane
	switch level {
	case AVX512:
		switch f {
		case exponential:
			expsAVX512(&x[0], n)
		case logistic:
			sigmoidsAVX512(&x[0], n)
		case tangent:
			tanhsAVX512(&x[0], n)
		}
	case AVX2:
		switch f {
		case exponential:
			expsAVX2(&x[0], n)
		case logistic:
			sigmoidsAVX2(&x[0], n)
		case tangent:
			tanhsAVX2(&x[0], n)
		}
	default:
		vectorsGeneric(f, x)
	}
}
