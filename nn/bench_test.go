package nn

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

func BenchmarkCrossEntropy(b *testing.B) {
	const n, v = 1120, 1027
	src := rand.NewPCG(1, 2)
	from, targets := make([]float32, n*v), make([]int32, n)
	Normal(from, 2, src)
	x, start := Matrix{}.Grow(n, v), Blocks(from, n, v)
	for i := range targets {
		targets[i] = int32(src.Uint64() % v)
	}
	for _, threads := range []int{1, 2} {
		b.Run(fmt.Sprintf("N=%d/V=%d/threads=%d", n, v, threads), func(b *testing.B) {
			team := NewTeam(threads)
			defer team.Close()
			ce := CrossEntropy{V: v}
			b.ReportAllocs()
			for b.Loop() {
				copy(x.Data, start.Data)
				ce.Gradient(team, x, targets, 1.0/n)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(n*v), "ns/element")
		})
	}
}

func BenchmarkDropout(b *testing.B) {
	var r Random
	mask := make([]float32, 512)
	for _, p := range []float32{0.1, 0.5} {
		b.Run(fmt.Sprintf("N=%d/p=%v", len(mask), p), func(b *testing.B) {
			for i := uint64(0); b.Loop(); i++ {
				r.Dropout(mask, p, Key{Row: i})
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(mask)), "ns/element")
		})
	}
}
