package nn

import (
	"math"
	"math/rand/v2"
	"testing"
)

func moments(x []float32) (mean, variance, fourth float64) {
	for _, v := range x {
		mean += float64(v) / float64(len(x))
	}
	for _, v := range x {
		d := float64(v) - mean
		variance += d * d / float64(len(x))
		fourth += d * d * d * d / float64(len(x))
	}
	return mean, variance, fourth
}

// near fails where got is more than five of its standard errors from want.
func near(t *testing.T, what string, got, want, deviation float64, n int) {
	t.Helper()
	if bound := 5 * deviation / math.Sqrt(float64(n)); !(math.Abs(got-want) <= bound) {
		t.Errorf("%s %v, want %v ± %v", what, got, want, bound)
	}
}

func TestUniform(t *testing.T) {
	const n, a = 200_000, 0.3
	x := make([]float32, n)
	Uniform(x, a, rand.NewPCG(1, 2))
	low, high := x[0], x[0]
	for _, v := range x {
		low, high = min(low, v), max(high, v)
	}
	if low < -float32(a) || high > float32(a) || low > -0.999*a || high < 0.999*a {
		t.Errorf("values in [%v, %v], want [-0.3, 0.3]", low, high)
	}
	mean, variance, _ := moments(x)
	near(t, "mean", mean, 0, a/math.Sqrt(3), n)
	near(t, "variance", variance, a*a/3, a*a*math.Sqrt(4.0/45), n)
}

func TestNormal(t *testing.T) {
	const n, sigma = 200_000, 0.3
	x := make([]float32, n)
	Normal(x, sigma, rand.NewPCG(1, 2))
	mean, variance, fourth := moments(x)
	near(t, "mean", mean, 0, sigma, n)
	near(t, "variance", variance, sigma*sigma, sigma*sigma*math.Sqrt2, n)
	near(t, "fourth moment", fourth, 3*math.Pow(sigma, 4), math.Pow(sigma, 4)*math.Sqrt(96), n)
}

func TestXavier(t *testing.T) {
	const out, in = 400, 200
	w := make([]float32, out*in)
	Xavier(w, out, in, rand.NewPCG(1, 2))
	bound := float32(math.Sqrt(6.0 / (out + in))) // 0.1
	high := float32(0)
	for _, v := range w {
		high = max(high, v, -v)
	}
	if high > bound || high < 0.999*bound {
		t.Errorf("largest value %v, want %v", high, bound)
	}
	_, variance, _ := moments(w)
	near(t, "variance", variance, 2.0/(out+in), float64(bound*bound)*math.Sqrt(4.0/45), out*in)
}

func TestOrthogonal(t *testing.T) {
	for _, n := range []int{0, 1, 2, 3, 16, 100, 256} {
		w := make([]float32, n*n)
		Orthogonal(w, n, rand.NewPCG(uint64(n), 2))
		worst := 0.0
		for i := range n {
			for j := range i + 1 {
				dot, want := 0.0, 0.0
				if i == j {
					want = 1
				}
				for k := range n {
					dot += float64(w[i*n+k]) * float64(w[j*n+k])
				}
				worst = max(worst, math.Abs(dot-want))
			}
		}
		if worst > 1e-6 {
			t.Errorf("n %d: W·Wᵀ is %v from the identity, want 1e-6", n, worst)
		}
	}
	wants(t, "nn: Orthogonal: w has 8 values, want (3, 3)", func() { Orthogonal(make([]float32, 8, 9), 3, rand.NewPCG(1, 2)) })
}

// Over all orthogonal matrices the trace has mean 0, variance 1 and, from n = 3
// on, fourth moment 3 (Diaconis and Shahshahani 1994).
func TestOrthogonalIsUniform(t *testing.T) {
	const n, draws = 4, 4000
	src, w := rand.NewPCG(1, 2), make([]float32, n*n)
	sum, squares := 0.0, 0.0
	for range draws {
		Orthogonal(w, n, src)
		trace := 0.0
		for i := range n {
			trace += float64(w[i*n+i])
		}
		sum += trace / draws
		squares += trace * trace / draws
	}
	near(t, "mean of the trace", sum, 0, 1, draws)
	near(t, "mean of its square", squares, 1, math.Sqrt2, draws)
}

func TestInitialisersRepeat(t *testing.T) {
	for name, fill := range map[string]func(x []float32, src rand.Source){
		"Uniform":    func(x []float32, src rand.Source) { Uniform(x, 1, src) },
		"Normal":     func(x []float32, src rand.Source) { Normal(x, 1, src) },
		"Xavier":     func(x []float32, src rand.Source) { Xavier(x, 4, 4, src) },
		"Orthogonal": func(x []float32, src rand.Source) { Orthogonal(x, 4, src) },
	} {
		draw := func(seed uint64) []float32 {
			var r Random
			r.Seek(Key{Seed: seed})
			x := make([]float32, 16)
			fill(x, &r)
			return x
		}
		a := draw(1)
		equalBits(t, name, draw(1), a)
		same := 0
		for i, v := range draw(2) {
			if v == a[i] {
				same++
			}
		}
		if same > 0 {
			t.Errorf("%s: another seed gives %d equal values of 16", name, same)
		}
	}
}
