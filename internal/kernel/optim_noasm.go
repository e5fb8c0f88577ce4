//go:build !amd64 || purego

package kernel

func adam(params, grad, m, v []float32, s AdamStep) { adamGeneric(params, grad, m, v, s) }

func momentum(params, grad, velocity []float32, mu, decay float64, step float32) {
	momentumGeneric(params, grad, velocity, mu, decay, step)
}

func sgd(params, grad []float32, decay, step float32) { sgdGeneric(params, grad, decay, step) }

func meanOf(mean, rest, params []float32, by float64) { meanGeneric(mean, rest, params, by) }

func scale(x []float32, by float64) { scaleGeneric(x, by) }

func sumSquares(x []float32) float64 { return sumSquaresGeneric(x) }
