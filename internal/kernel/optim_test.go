package kernel

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// An update is one of the functions over the flat vectors of a training step:
// params, grad and two moments.
type update struct {
	name  string
	run   func(x [4][]float32)
	plain func(x [4]float32) [4]float32 // one element, as package optim is to have it
	bytes int                           // of an element, read and written
}

var step = AdamStep{Beta1: 0.9, Beta2: 0.999, Step: 0.0123, Root: 3.21, Eps: 1e-8, Decay: 0.0321}

var updates = []update{
	{"Adam", func(x [4][]float32) { Adam(x[0], x[1], x[2], x[3], step) }, func(x [4]float32) [4]float32 {
		g := float64(x[1])
		m := float32(float64(step.Beta1*float64(x[2])) + float64((1-step.Beta1)*g))
		v := float32(float64(step.Beta2*float64(x[3])) + float64(float64((1-step.Beta2)*g)*g))
		by := float32(step.Step*m) / (float32(float32(math.Sqrt(float64(v)))*step.Root) + step.Eps)
		return [4]float32{x[0] - (by + float32(step.Decay*x[0])), x[1], m, v}
	}, 28},
	{"Momentum", func(x [4][]float32) { Momentum(x[0], x[1], x[2], 0.9, 0.0123, 0.37) }, func(x [4]float32) [4]float32 {
		v := float32(float64(0.9*float64(x[2])) + float64(x[1]) + float64(0.0123*float64(x[0])))
		return [4]float32{x[0] - float32(0.37*v), x[1], v, x[3]}
	}, 20},
	{"SGD", func(x [4][]float32) { SGD(x[0], x[1], 0.0123, 0.37) }, func(x [4]float32) [4]float32 {
		return [4]float32{x[0] - float32(0.37*(x[1]+float32(0.0123*x[0]))), x[1], x[2], x[3]}
	}, 12},
	{"Mean", func(x [4][]float32) { Mean(x[2], x[0], x[1], 0.0123) }, func(x [4]float32) [4]float32 {
		m := float64(x[2]) + float64(x[0])
		m += float64((float64(x[1]) - m) * 0.0123)
		return [4]float32{float32(m - float64(float32(m))), x[1], float32(m), x[3]}
	}, 20},
	{"Scale", func(x [4][]float32) { Scale(x[1], 0.123456789) }, func(x [4]float32) [4]float32 {
		return [4]float32{x[0], float32(0.123456789 * float64(x[1])), x[2], x[3]}
	}, 8},
}

// vectorsOf are params, grad and moments, with the scales and the odd numbers
// that a training run may meet.
func vectorsOf(r *rand.Rand, n int) (x [4][]float32) {
	odd := []float32{0, float32(math.Copysign(0, -1)), 1e-45, -1e-39, 3e38, -3e38, float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN())}
	for a := range x {
		x[a] = random(r, n)
		for i := range x[a] {
			x[a][i] *= float32(math.Exp(3 * r.NormFloat64()))
			if r.IntN(20) == 0 {
				x[a][i] = odd[r.IntN(len(odd))]
			}
			if a == 3 && x[a][i] < 0 {
				x[a][i] = -x[a][i] // v is a sum of squares
			}
		}
	}
	return x
}

func TestUpdates(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	everywhere(t, func(t *testing.T) {
		for _, u := range updates {
			for n := range 131 {
				testUpdate(t, u, r, r.IntN(Lane), n)
			}
			for offset := range Lane {
				testUpdate(t, u, r, offset, 37)
			}
			testUpdate(t, u, r, 1, 2*piece+35)
		}
	})
}

// testUpdate wants the bits of plain.
func testUpdate(t *testing.T, u update, r *rand.Rand, offset, n int) {
	t.Helper()
	from := vectorsOf(r, n)
	var x [4][]float32
	var checks [4]func()
	for a := range x {
		x[a], checks[a] = guardedAt(t, (offset+3*a)%Lane, n, 0)
		copy(x[a], from[a])
	}
	u.run(x)
	want := vectorsOf(r, n)
	for i := range n {
		w := u.plain([4]float32{from[0][i], from[1][i], from[2][i], from[3][i]})
		for a := range want {
			want[a][i] = w[a]
		}
	}
	for a := range x {
		checks[a]()
		sameBits(t, fmt.Sprintf("%s of %d, vector %d", u.name, n, a), x[a], want[a])
	}
}

func TestSumSquares(t *testing.T) {
	defer Use(InUse())
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 200 {
		if n > 130 {
			n = 130 + r.IntN(3*piece)
		}
		from := random(r, n)
		exact := new(big.Float).SetPrec(200)
		for _, v := range from {
			b := big.NewFloat(float64(v))
			exact.Add(exact, b.Mul(b, b).SetPrec(200))
		}
		want, _ := exact.Float64()
		var first float64
		for _, l := range Levels() {
			Use(l)
			x, check := guardedAt(t, n%Lane, n, 0)
			copy(x, from)
			got := SumSquares(x)
			check()
			if math.Abs(got-want) > 1e-14*want {
				t.Fatalf("%v: the squares of %d sum to %v, want %v", l, n, got, want)
			}
			if l == Generic {
				first = got
			} else if got != first {
				t.Fatalf("%v: the squares of %d sum to %v, but to %v with generic", l, n, got, first)
			}
		}
	}
}

func TestSumSquaresIsFiniteWhereItsElementsAre(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		for _, v := range []float32{math.MaxFloat32, float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))} {
			for place := range 40 {
				x := make([]float32, 40)
				x[place] = v
				sum := SumSquares(x)
				if finite := sum-sum == 0; finite != (v-v == 0) {
					t.Fatalf("with %v at %d the sum is %v", v, place, sum)
				}
			}
		}
	})
}

func TestUpdatesOfShortVectorsPanic(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		for _, u := range updates[:4] {
			for short := range 4 {
				if short == 1 || short*8+8 > u.bytes { // grad tells the length; not all have all
					continue
				}
				x := [4][]float32{make([]float32, 20), make([]float32, 20), make([]float32, 20), make([]float32, 20)}
				x[short] = x[short][:19:19]
				func() {
					defer func() {
						if recover() == nil {
							t.Errorf("%s takes a vector %d that is too short", u.name, short)
						}
					}()
					u.run(x)
				}()
			}
		}
	})
}

func TestUpdatesDoNotAllocate(t *testing.T) {
	x := vectorsOf(rand.New(rand.NewPCG(1, 2)), 3*piece+21)
	everywhere(t, func(t *testing.T) {
		if n := testing.AllocsPerRun(5, func() {
			for _, u := range updates {
				u.run(x)
			}
			SumSquares(x[0])
		}); n != 0 {
			t.Errorf("%v allocations", n)
		}
	})
}

// BenchmarkUpdates has vectors larger than most caches.
func BenchmarkUpdates(b *testing.B) {
	defer Use(InUse())
	const n = 1 << 22
	var x [4][]float32
	for a := range x {
		x[a] = make([]float32, n)
		for i := range x[a] {
			x[a][i] = float32(i%7) + 0.5
		}
	}
	all := append(updates[:len(updates):len(updates)], update{"SumSquares", func(x [4][]float32) { SumSquares(x[0]) }, nil, 4})
	for _, u := range all {
		for _, l := range Levels() {
			b.Run(fmt.Sprintf("%s/impl=%v", u.name, l), func(b *testing.B) {
				Use(l)
				b.SetBytes(int64(u.bytes * n))
				for b.Loop() {
					u.run(x)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/value")
			})
		}
	}
}
