//go:build !purego

package kernel

// The functions below take a multiple of Lane, above 0, and slices of the same
// length.

func adam(params, grad, m, v []float32, s AdamStep) {
	n := len(grad) / Lane
	switch level {
	case AVX512:
		adamAVX512(&params[0], &grad[0], &m[0], &v[0], n, s.Beta1, s.Beta2, 1-s.Beta1, 1-s.Beta2, s.Step, s.Root, s.Eps, s.Decay)
	case AVX2:
		adamAVX2(&params[0], &grad[0], &m[0], &v[0], n, s.Beta1, s.Beta2, 1-s.Beta1, 1-s.Beta2, s.Step, s.Root, s.Eps, s.Decay)
	default:
		adamGeneric(params, grad, m, v, s)
	}
}

func momentum(params, grad, velocity []float32, mu, decay float64, step float32) {
	n := len(grad) / Lane
	switch level {
	case AVX512:
		momentumAVX512(&params[0], &grad[0], &velocity[0], n, mu, decay, step)
	case AVX2:
		momentumAVX2(&params[0], &grad[0], &velocity[0], n, mu, decay, step)
	default:
		momentumGeneric(params, grad, velocity, mu, decay, step)
	}
}

func sgd(params, grad []float32, decay, step float32) {
	n := len(grad) / Lane
	switch level {
	case AVX512:
		sgdAVX512(&params[0], &grad[0], n, decay, step)
	case AVX2:
		sgdAVX2(&params[0], &grad[0], n, decay, step)
	default:
		sgdGeneric(params, grad, decay, step)
	}
}

func meanOf(mean, rest, params []float32, by float64) {
	n := len(params) / Lane
	switch level {
	case AVX512:
		meanAVX512(&mean[0], &rest[0], &params[0], n, by)
	case AVX2:
		meanAVX2(&mean[0], &rest[0], &params[0], n, by)
	default:
		meanGeneric(mean, rest, params, by)
	}
}

func scale(x []float32, by float64) {
	n := len(x) / Lane
	switch level {
	case AVX512:
		scaleAVX512(&x[0], n, by)
	case AVX2:
		scaleAVX2(&x[0], n, by)
	default:
		scaleGeneric(x, by)
	}
}

func sumSquares(x []float32) float64 {
	n := len(x) / Lane
	switch level {
	case AVX512:
		return sumSquaresAVX512(&x[0], n)
	case AVX2:
		return sumSquaresAVX2(&x[0], n)
	}
	return sumSquaresGeneric(x)
}
