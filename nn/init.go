package nn

import (
	"math"
	"math/rand/v2"
)

// Uniform fills x from U(−a, a).
func Uniform(x []float32, a float64, src rand.Source) {
	r := rand.New(src)
	for i := range x {
		x[i] = float32((2*r.Float64() - 1) * a)
	}
}

// Normal fills x from N(0, σ²).
func Normal(x []float32, sigma float64, src rand.Source) {
	r := rand.New(src)
	for i := range x {
		x[i] = float32(r.NormFloat64() * sigma)
	}
}

// Xavier fills a weight (out, in), or several on top of one another, from
// U(−a, a), a = √(6/(in+out)) (Glorot and Bengio 2010, equation 16).
func Xavier(w []float32, out, in int, src rand.Source) {
	Uniform(w, math.Sqrt(6/float64(in+out)), src)
}

// Orthogonal fills a square weight (n, n) with a random orthogonal matrix,
// uniform over them all: the Gram–Schmidt basis of Gaussian rows (Saxe et al.
// 2013).
func Orthogonal(w []float32, n int, src rand.Source) {
	need("Orthogonal", "w", w, n, n)
	r := rand.New(src)
	q := make([]float64, n*n)
	for i := range n {
		row := q[i*n : (i+1)*n]
		for j := range row {
			row[j] = r.NormFloat64()
		}
		for range 2 { // twice: once loses digits for large n
			for k := range i {
				prev := q[k*n : (k+1)*n]
				dot := 0.0
				for j, v := range row {
					dot += float64(v * prev[j])
				}
				for j := range row {
					row[j] -= float64(dot * prev[j])
				}
			}
		}
		norm := 0.0
		for _, v := range row {
			norm += float64(v * v)
		}
		for j := range row {
			row[j] /= math.Sqrt(norm)
			w[i*n+j] = float32(row[j])
		}
	}
}
