package nn

import (
	"math"
	"math/rand/v2"
	"testing"

	"sluice/internal/ref"
)

// Weights of classes give the weighted mean of the reference, and are 1 when there
// are none.
func TestWeights(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for trial := range 100 {
		n, v := 1+r.IntN(40), 1+r.IntN(100)
		logits, targets := lossCase(r, n, v, 3)
		weights := make([]float32, v)
		for k := range weights {
			weights[k] = float32(r.IntN(4)) * r.Float32() // some are 0
		}
		signed := make([]int, n)
		for i, target := range targets {
			signed[i] = int(target)
		}
		ce, plain := CrossEntropy{V: v, Weights: weights}, CrossEntropy{V: v}
		total := ce.Weight(targets)
		if total == 0 {
			continue
		}
		want, dlogits := ref.WeightedCrossEntropy(wide(logits), signed, wide(weights))
		_, rows := loss64(wide(logits), targets, v)
		var first []float32
		for _, threads := range []int{1, 2, 3, 8} {
			team := NewTeam(threads)
			got := append([]float32(nil), logits...)
			lost, _ := ce.Loss(team, Blocks(logits, n, v), targets)
			nats, count := gradient(&ce, team, got, targets, float32(1/total))
			_, counted := plain.Loss(team, Blocks(logits, n, v), targets)
			team.Close()
			if math.Abs(nats/total-want) > 1e-6*max(1, want) || lost != nats || count != counted {
				t.Errorf("trial %d: %v nats of %d, Loss %v, want %v of %d", trial, nats, count, lost, want*total, counted)
			}
			for i, target := range targets {
				if target != Ignore && math.Abs(ce.Nats[i]-rows[i]*float64(weights[target])) > 1e-6*max(1, rows[i]) {
					t.Errorf("trial %d: row %d: %v nats, want %v times %v", trial, i, ce.Nats[i], weights[target], rows[i])
				}
			}
			close64(t, "gradient", got, dlogits, 1e-6)
			if first == nil {
				first = got
			}
			equalBits(t, "threads", got, first)
		}
	}
}

func TestWeightsOfOne(t *testing.T) {
	team := NewTeam(2)
	defer team.Close()
	r := rand.New(rand.NewPCG(9, 10))
	const n, in, v = 30, 8, 70
	x, w := Blocks(normal(r, n*in), n, in), normal(r, v*in)
	_, targets := lossCase(r, n, v, 1)
	l, ones := NewLinear(in, v), make([]float32, v)
	l.Pack(nil, w, nil)
	for k := range ones {
		ones[k] = 1
	}
	run := func(weights []float32, factor float32) (nats float64, dw []float32) {
		s := SoftmaxLoss{Entropy: CrossEntropy{Weights: weights}, span: 6}
		dw = make([]float32, v*in)
		nats, _ = s.Gradient(team, l, dw, nil, nil, x, targets, factor)
		return nats, dw
	}
	want, dwant := run(nil, 0.1)
	got, dw := run(ones, 0.1)
	if got != want {
		t.Errorf("%v nats, want %v", got, want)
	}
	equalBits(t, "dw", dw, dwant)
	for k := range ones {
		ones[k] = 4
	}
	got, dw = run(ones, 0.025)
	if math.Abs(got/want-4) > 1e-12 {
		t.Errorf("%v nats, want 4 times %v", got, want)
	}
	equalBits(t, "dw", dw, dwant)

	count := CrossEntropy{}
	if got := count.Weight([]int32{3, Ignore, 0}); got != 2 {
		t.Errorf("weight %v of two targets, want 2", got)
	}
	count.Weights = []float32{0.5, 9, 9, 0.25}
	if got := count.Weight([]int32{3, Ignore, 0}); got != 0.75 {
		t.Errorf("weight %v, want 0.75", got)
	}
	e := Blocks(make([]float32, 3), 1, 3)
	wants(t, "nn: CrossEntropy: 2 Weights with Smoothing 0, want 3 without", func() {
		(&CrossEntropy{V: 3, Weights: ones[:2]}).Loss(team, e, []int32{0})
	})
	wants(t, "nn: CrossEntropy: 3 Weights with Smoothing 0.1, want 3 without", func() {
		(&CrossEntropy{V: 3, Weights: ones[:3], Smoothing: 0.1}).Loss(team, e, []int32{0})
	})
}
