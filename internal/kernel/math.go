package kernel

import "math"

// The three functions below are within 0.51 units of the last place over all
// of float32.

// expParts splits e^y, |y| ≤ 700, into two·(1+q): y = n·ln 2 + r with
// |r| ≤ ln 2 / 2, two is 2^n and q = e^r − 1 its Taylor series to r⁸ (the next
// term is below 2e-10). The explicit conversions keep a compiler from fusing,
// so every processor gives these bits.
func expParts(y float64) (two, q float64) {
	const shift = 3 << 51 // adding it rounds to an integer, left in the low bits
	n := float64(y*(1/math.Ln2)) + shift
	r := y - float64((n-shift)*math.Ln2)
	p := 1.0 / 40320
	p = 1.0/5040 + float64(p*r)
	p = 1.0/720 + float64(p*r)
	p = 1.0/120 + float64(p*r)
	p = 1.0/24 + float64(p*r)
	p = 1.0/6 + float64(p*r)
	p = 1.0/2 + float64(p*r)
	p = 1 + float64(p*r)
	return math.Float64frombits((math.Float64bits(n) + 1023) << 52), float64(p * r)
}

// Exp is e^x.
func Exp(x float32) float32 {
	y := float64(x)
	if y != y {
		return x
	}
	two, q := expParts(max(-104, min(89, y)))
	return float32(two + float64(two*q))
}

// Sigmoid is 1/(1+e^−x).
func Sigmoid(x float32) float32 {
	y := float64(x)
	if y != y {
		return x
	}
	two, q := expParts(-max(-104, min(104, y)))
	return float32(1 / (1 + two + float64(two*q)))
}

// Tanh is the hyperbolic tangent.
func Tanh(x float32) float32 {
	y := float64(x)
	if y != y {
		return x
	}
	two, q := expParts(2 * max(-20, min(20, y)))
	p := float64(two*q) + (two - 1) // e^2y − 1, small where y is small
	return float32(p / (p + 2))
}

// Sigmoids sets each element of x to its sigmoid.
func Sigmoids(x []float32) {
	for i, v := range x {
		x[i] = Sigmoid(v)
	}
}

// Tanhs sets each element of x to its hyperbolic tangent.
func Tanhs(x []float32) {
	for i, v := range x {
		x[i] = Tanh(v)
	}
}
