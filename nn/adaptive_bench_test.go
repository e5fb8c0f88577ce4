package nn

import (
	"fmt"
	"math/rand/v2"
	"sort"
	"testing"
)

// zipfTargets draws n of v classes, class i with a probability as 1/(i+1), each
// from a key of its own.
func zipfTargets(n, v int, key Key) []int32 {
	sums, all := make([]float64, v), 0.0
	for i := range sums {
		all += 1 / float64(i+1)
		sums[i] = all
	}
	var random Random
	targets := make([]int32, n)
	for i := range targets {
		key.Row = uint64(i)
		random.Seek(key)
		at := float64(random.Uint64()>>11) / (1 << 53) * all
		targets[i] = int32(sort.SearchFloat64s(sums, at))
	}
	return targets
}

// What the head of a language model costs an update, the optimizer aside: packing,
// forward and backward of 35·20 rows. whole has all logits at once, spans some rows
// after others.
func BenchmarkHead(b *testing.B) {
	const n, threads = 35 * 20, 2
	for _, v := range []int{10_000, 50_000, 250_000} {
		for _, h := range []int{256, 512} {
			a, err := NewAdaptive(AdaptiveConfig{In: h, Classes: v, HeadBias: true})
			if err != nil {
				b.Fatal(err)
			}
			full, size := NewLinear(h, v), v*(h+1)
			r := rand.New(rand.NewPCG(1, 2))
			x, dx, targets := Blocks(normal(r, n*h), n, h), make([]float32, n*h), zipfTargets(n, v, Key{Seed: 1})
			run := func(kind string, params int, scratch func() int, update func(team *Team, w, g []float32)) {
				b.Run(fmt.Sprintf("%s/V=%d/H=%d/threads=%d", kind, v, h, threads), func(b *testing.B) {
					team := NewTeam(threads)
					defer team.Close()
					w, g := make([]float32, params), make([]float32, params)
					Uniform(w, 0.05, rand.NewPCG(3, 4))
					update(team, w, g)
					b.ReportAllocs()
					for b.Loop() {
						update(team, w, g)
					}
					b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds(), "tokens/s")
					b.ReportMetric(4e-6*float64(params), "MB-params") // the gradient's too, and half of the panels'
					b.ReportMetric(4e-6*float64(scratch()), "MB-scratch")
				})
			}
			logits, ce := Matrix{}, CrossEntropy{V: v}
			run("whole", size, func() int { return cap(logits.Data) }, func(team *Team, w, g []float32) {
				full.Pack(team, w[:v*h], w[v*h:])
				logits = logits.Grow(n, v)
				full.Forward(team, logits, x, n)
				ce.Gradient(team, logits, targets, 1.0/n)
				full.Backward(team, g[:v*h], g[v*h:], dx, logits, x, n)
			})
			logits = Matrix{}
			var spans SoftmaxLoss
			run("spans", size, func() int { return cap(spans.logits.Data) }, func(team *Team, w, g []float32) {
				full.Pack(team, w[:v*h], w[v*h:])
				spans.Gradient(team, full, g[:v*h], g[v*h:], dx, x, targets, 1.0/n)
			})
			var s AdaptiveLoss
			scratch := func() int {
				return cap(s.softmax.logits.Data) + cap(s.x.Data) + cap(s.low.Data) + cap(s.dlow) + cap(s.dlows.Data) + cap(s.dx)
			}
			run("adaptive", a.Size(), scratch, func(team *Team, w, g []float32) {
				a.Pack(team, w)
				s.Gradient(team, a, g, dx, x, targets, 1.0/n)
			})
		}
	}
}
