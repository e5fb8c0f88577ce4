package nn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"sluice/internal/kernel"
)

// loss64 is the summed cross-entropy in float64 as the textbook has it, log
// Σexp(x) − x[target], after the largest logit is taken off.
func loss64(logits []float64, targets []int32, v int) (nats float64, rows []float64) {
	rows = make([]float64, len(targets))
	for i, target := range targets {
		if target == Ignore {
			continue
		}
		row, top, sum := logits[i*v:(i+1)*v], math.Inf(-1), 0.0
		for _, x := range row {
			top = math.Max(top, x)
		}
		for _, x := range row {
			sum += math.Exp(x - top)
		}
		rows[i] = math.Log(sum) + top - row[target]
		nats += rows[i]
	}
	return nats, rows
}

func wide(x []float32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}

func lossCase(r *rand.Rand, n, v int, scale float32) (logits []float32, targets []int32) {
	logits, targets = normal(r, n*v), make([]int32, n)
	for i := range logits {
		logits[i] *= scale
	}
	for i := range targets {
		targets[i] = r.Int32N(int32(v))
		if r.IntN(4) == 0 {
			targets[i] = Ignore
		}
	}
	return logits, targets
}

// gradient is ce.Gradient of row-major logits.
func gradient(ce *CrossEntropy, team *Team, logits []float32, targets []int32, factor float32) (nats float64, count int) {
	m := Blocks(logits, len(targets), ce.V)
	nats, count = ce.Gradient(team, m, targets, factor)
	copy(logits, rowsOf(m, len(targets), ce.V))
	return nats, count
}

// rowsOf is a matrix, row-major.
func rowsOf(m Matrix, n, cols int) []float32 {
	x := make([]float32, n*cols)
	for i := range n {
		m.GetRow(x[i*cols:(i+1)*cols], i)
	}
	return x
}

func TestCrossEntropyAgainstFloat64(t *testing.T) {
	team := NewTeam(2)
	defer team.Close()
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		n, v, scale := r.IntN(40), 1+r.IntN(60), []float32{0.1, 1, 20}[r.IntN(3)]
		logits, targets := lossCase(r, n, v, scale)
		want, rows := loss64(wide(logits), targets, v)
		factor, count := float32(0.3), 0
		for _, target := range targets {
			if target != Ignore {
				count++
			}
		}
		// The gradient by central differences of the float64 loss.
		const h = 1e-5
		x, grad := wide(logits), make([]float64, n*v)
		for i := range x {
			at, row := x[i], i/v
			one := func(x0 float64) float64 {
				x[i] = x0
				l, _ := loss64(x[row*v:(row+1)*v], targets[row:row+1], v)
				return l
			}
			grad[i] = float64(factor) * (one(at+h) - one(at-h)) / (2 * h)
			x[i] = at
		}

		ce := CrossEntropy{V: v}
		got, n1 := ce.Loss(team, Blocks(logits, n, v), targets)
		if math.Abs(got-want) > 1e-6*max(1, want) || n1 != count {
			t.Fatalf("n %d v %d: loss %v of %d rows, want %v of %d", n, v, got, n1, want, count)
		}
		again, n2 := gradient(&ce, team, logits, targets, factor)
		if again != got || n2 != count {
			t.Fatalf("Gradient: loss %v of %d rows, Loss %v of %d", again, n2, got, n1)
		}
		for i, w := range rows {
			if math.Abs(ce.Nats[i]-w) > 1e-6*max(1, w) {
				t.Fatalf("row %d: loss %v, want %v", i, ce.Nats[i], w)
			}
		}
		close64(t, "gradient", logits, grad, 1e-7)
	}
}

// With Smoothing the gradient is that of the cross-entropy against a target of
// (1−ε)·one-hot + ε/V, and the nats are what they are without.
func TestSmoothing(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for trial := range 100 {
		n, v, eps := 1+r.IntN(40), 1+r.IntN(150), []float64{0.1, 0.5, 0.999}[r.IntN(3)]
		logits, targets := lossCase(r, n, v, 3)
		plain := append([]float32(nil), logits...)
		want := make([]float64, n*v)
		for i, target := range targets {
			if target == Ignore {
				continue
			}
			nats := make([]float64, v) // −log p of each class
			for k := range v {
				nats[k], _ = loss64(wide(logits[i*v:(i+1)*v]), []int32{int32(k)}, v)
			}
			for k := range v {
				q := eps / float64(v)
				if k == int(target) {
					q += 1 - eps
				}
				want[i*v+k] = 0.3 * (math.Exp(-nats[k]) - q)
			}
		}
		var first []float32
		for _, threads := range []int{1, 2, 3, 8} {
			team := NewTeam(threads)
			ce, smooth := CrossEntropy{V: v}, CrossEntropy{V: v, Smoothing: eps}
			a, _ := gradient(&ce, team, append([]float32(nil), plain...), targets, 0.3)
			m := Blocks(plain, n, v)
			b, _ := smooth.Gradient(team, m, targets, 0.3)
			team.Close()
			got := rowsOf(m, n, v)
			if a != b {
				t.Errorf("trial %d: %v nats, %v without smoothing", trial, b, a)
			}
			close64(t, "gradient", got, want, 1e-6)
			if first == nil {
				first = got
			}
			equalBits(t, "threads", got, first)
			for i := range n { // products read whole blocks
				for j, pad := range m.At(i, v-1)[1:] {
					if pad != 0 {
						t.Fatalf("v %d: %v in padding %d of row %d", v, pad, j, i)
					}
				}
			}
		}
	}
}

func TestCrossEntropyKeepsSmallLosses(t *testing.T) {
	team := NewTeam(1)
	defer team.Close()
	for _, x := range []float32{-10, -20, -30} {
		logits := []float32{0, x}
		ce := CrossEntropy{V: 2}
		got, _ := gradient(&ce, team, logits, []int32{0}, 1)
		want := math.Log1p(math.Exp(float64(x)))
		if math.Abs(got/want-1) > 1e-2 {
			t.Errorf("loss %v at logit %v, want %v", got, x, want)
		}
		p := 1 / (1 + math.Exp(-float64(x)))
		if math.Abs(float64(logits[0])/-p-1) > 1e-2 || math.Abs(float64(logits[1])/p-1) > 1e-6 {
			t.Errorf("gradient %v at logit %v, want ∓%v", logits, x, p)
		}
	}
}

func TestCrossEntropyOfHugeLogits(t *testing.T) {
	team := NewTeam(1)
	defer team.Close()
	low := float32(math.Inf(-1))
	for _, c := range []struct {
		logits []float32
		target int32
		nats   float64
		grad   []float32
	}{
		{[]float32{1e4, -1e4, 0}, 0, 0, []float32{0, 0, 0}},
		{[]float32{1e4, -1e4, 0}, 1, 2e4, []float32{1, -1, 0}},
		{[]float32{-1e4, -1e4}, 0, math.Ln2, []float32{-0.5, 0.5}},
		{[]float32{1e4, 1e4}, 1, math.Ln2, []float32{0.5, -0.5}},
		{[]float32{3e38, -3e38}, 1, float64(float32(3e38)) * 2, []float32{1, -1}}, // the difference is no float32
		{[]float32{0, low}, 0, 0, []float32{0, 0}},                                // a class that is ruled out
		{[]float32{7}, 0, 0, []float32{0}},
	} {
		ce := CrossEntropy{V: len(c.logits)}
		what := fmt.Sprintf("logits %v at %d", c.logits, c.target)
		nats, _ := gradient(&ce, team, c.logits, []int32{c.target}, 1)
		if math.Abs(nats-c.nats) > 1e-9*max(1, c.nats) {
			t.Errorf("%s: loss %v, want %v", what, nats, c.nats)
		}
		for i := range c.grad {
			if c.logits[i] != c.grad[i] {
				t.Errorf("%s: gradient %v, want %v", what, c.logits, c.grad)
			}
		}
	}
}

// A trainer stops on what is not finite, so it has to come through.
func TestCrossEntropyOfWhatIsNotFinite(t *testing.T) {
	team := NewTeam(1)
	defer team.Close()
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, bad := range [][]float32{{nan, 0, 0}, {0, nan, 0}, {0, 0, nan}, {inf, 0, 0}, {0, 0, inf}, {-inf, -inf, -inf}} {
		ce := CrossEntropy{V: 3}
		logits := append(append([]float32{}, bad...), 0, 0, 0)
		nats, _ := gradient(&ce, team, logits, []int32{0, 1}, 1)
		if !math.IsNaN(nats) || !math.IsNaN(ce.Nats[0]) || math.Abs(ce.Nats[1]-math.Log(3)) > 1e-12 {
			t.Errorf("%v: loss %v of rows %v, want NaN of the first", bad, nats, ce.Nats)
		}
		if x := logits[0]; x == x {
			t.Errorf("%v: gradient %v, want NaN", bad, logits[:3])
		}
	}
	ce := CrossEntropy{V: 2}
	if nats, _ := ce.Loss(team, Blocks([]float32{0, -inf}, 1, 2), []int32{1}); !math.IsInf(nats, 1) {
		t.Errorf("loss %v of a class that is ruled out, want +Inf", nats)
	}
}

func TestCrossEntropyIgnores(t *testing.T) {
	team := NewTeam(2)
	defer team.Close()
	nan := float32(math.NaN())
	ce := CrossEntropy{V: 2}
	ce.Loss(team, Blocks(make([]float32, 6), 3, 2), []int32{0, 1, 1}) // Nats had other values
	logits := []float32{nan, nan, 1, 1, 5, 6}
	nats, count := gradient(&ce, team, logits, []int32{Ignore, 0, Ignore}, 1)
	if math.Abs(nats-math.Ln2) > 1e-12 || count != 1 {
		t.Errorf("loss %v of %d rows, want ln 2 of 1", nats, count)
	}
	if ce.Nats[0] != 0 || ce.Nats[2] != 0 {
		t.Errorf("rows %v", ce.Nats)
	}
	equalBits(t, "gradient", logits, []float32{0, 0, -0.5, 0.5, 0, 0})
	if nats, count := ce.Loss(team, Blocks(make([]float32, 4), 2, 2), []int32{Ignore, Ignore}); nats != 0 || count != 0 {
		t.Errorf("loss %v of %d rows where all are ignored", nats, count)
	}
	if nats, count := ce.Loss(team, Matrix{}, nil); nats != 0 || count != 0 || len(ce.Nats) != 0 {
		t.Errorf("loss %v of %d rows where there are none", nats, count)
	}
}

func TestCrossEntropyGivesTheSameBits(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{1, 2, 5, 7, 50} {
		const v = 33
		logits, targets := lossCase(r, n, v, 3)
		var want []float32
		var nats float64
		for _, threads := range []int{1, 2, 3, 8} {
			team, ce := NewTeam(threads), CrossEntropy{V: v}
			got := append([]float32(nil), logits...)
			sum, _ := gradient(&ce, team, got, targets, 0.1)
			team.Close()
			if threads == 1 {
				want, nats = got, sum
			}
			if sum != nats {
				t.Errorf("n %d threads %d: loss %v, want %v", n, threads, sum, nats)
			}
			equalBits(t, fmt.Sprintf("n %d threads %d", n, threads), got, want)
		}
	}
}

func TestCrossEntropyShapes(t *testing.T) {
	team := NewTeam(2)
	defer team.Close()
	ce := CrossEntropy{V: 3}
	wants(t, "nn: CrossEntropy: V is 0, want 1 or more", func() { new(CrossEntropy).Loss(team, Matrix{}, nil) })
	wants(t, "nn: CrossEntropy: Smoothing is 1, want 0 ≤ ε < 1", func() { (&CrossEntropy{V: 3, Smoothing: 1}).Loss(team, Matrix{}, nil) })
	wants(t, "nn: CrossEntropy: logits has 66 values, want (2, 3)", func() { ce.Loss(team, kernel.Blocks(make([]float32, 66, 99), 2), []int32{0, 1}) })
	wants(t, "nn: CrossEntropy: logits is row-major, want a matrix in blocks", func() { ce.Loss(team, RowMajor(make([]float32, 256), 3), []int32{0, 1}) })
	wants(t, "nn: CrossEntropy: logits is row-major, want a matrix in blocks", func() { ce.Gradient(team, RowMajor(make([]float32, 256), 3), []int32{0, 1}, 1) })
	for _, target := range []int32{3, -2, math.MaxInt32, math.MinInt32} {
		line := fmt.Sprintf("nn: CrossEntropy: target %d at 1, want 0 ≤ target < 3 or -1 to ignore it", target)
		wants(t, line, func() { ce.Gradient(team, Blocks(make([]float32, 6), 2, 3), []int32{0, target}, 1) })
	}
	// It serves again after its caller has recovered.
	if nats, _ := ce.Loss(team, Blocks(make([]float32, 6), 2, 3), []int32{0, 1}); math.Abs(nats-2*math.Log(3)) > 1e-12 {
		t.Errorf("loss %v, want 2·ln 3", nats)
	}
}
