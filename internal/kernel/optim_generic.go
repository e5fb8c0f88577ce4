package kernel

import "math"

func adamGeneric(params, grad, m, v []float32, s AdamStep) {
	rest1, rest2 := 1-s.Beta1, 1-s.Beta2
	for i, g32 := range grad {
		g := float64(g32)
		m32 := float32(float64(s.Beta1*float64(m[i])) + float64(rest1*g))
		v32 := float32(float64(s.Beta2*float64(v[i])) + float64(float64(rest2*g)*g))
		m[i], v[i] = m32, v32
		step := float32(s.Step*m32) / (float32(float32(math.Sqrt(float64(v32)))*s.Root) + s.Eps)
		params[i] -= step + float32(s.Decay*params[i])
	}
}

func momentumGeneric(params, grad, velocity []float32, mu, decay float64, step float32) {
	for i, g := range grad {
		v := float32(float64(mu*float64(velocity[i])) + float64(g) + float64(decay*float64(params[i])))
		velocity[i] = v
		params[i] -= float32(step * v)
	}
}

func sgdGeneric(params, grad []float32, decay, step float32) {
	for i, g := range grad {
		params[i] -= float32(step * (g + float32(decay*params[i])))
	}
}

func meanGeneric(mean, rest, params []float32, by float64) {
	for i, p := range params {
		m := float64(mean[i]) + float64(rest[i])
		m += float64((float64(p) - m) * by)
		mean[i] = float32(m)
		rest[i] = float32(m - float64(mean[i]))
	}
}

func scaleGeneric(x []float32, by float64) {
	for i, v := range x {
		x[i] = float32(by * float64(v))
	}
}

// sumSquaresGeneric has 16 sums, and adds lane j and lane j + n/2 of them, of
// n = 16, 8, 4 and 2, as the assembly does.
func sumSquaresGeneric(x []float32) float64 {
	var sums [Lane]float64
	for i, v := range x {
		sums[i%Lane] += float64(float64(v) * float64(v))
	}
	for n := Lane / 2; n > 0; n /= 2 {
		for j := range n {
			sums[j] += sums[j+n]
		}
	}
	return sums[0]
}
