package optim

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

func BenchmarkUpdate(b *testing.B) {
	const n = 500_000
	r := rand.New(rand.NewPCG(1, 2))
	params, grad := normal(r, n), normal(r, n)
	for _, o := range []struct {
		name string
		Optimizer
	}{{"sgd", Rule{Kind: "sgd"}.New(n)}, {"momentum", Rule{Kind: "sgd", Momentum: 0.9}.New(n)}, {"adam", paper.New(n)}} {
		b.Run(fmt.Sprintf("%s/N=%d", o.name, n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				o.Update(team, params, grad, 1e-9)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/element")
		})
	}
}

func BenchmarkAverage(b *testing.B) {
	const n = 500_000
	params, a := normal(rand.New(rand.NewPCG(1, 2)), n), NewAverage(n)
	a.Start()
	b.ReportAllocs()
	for b.Loop() {
		a.Update(team, params)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/element")
}

func BenchmarkClipNorm(b *testing.B) {
	const n = 500_000
	grad := normal(rand.New(rand.NewPCG(1, 2)), n)
	b.Run(fmt.Sprintf("N=%d", n), func(b *testing.B) {
		b.ReportAllocs()
		limit := Norm(team, grad)
		for b.Loop() {
			limit *= 0.99999
			ClipNorm(team, grad, limit) // scales every time
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/element")
	})
}
