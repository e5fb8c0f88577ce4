package nn

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

func BenchmarkCRF(b *testing.B) {
	const T, B = 25, 32
	for _, K := range []int{17, 50} {
		c := newCRFCase(rand.New(rand.NewPCG(1, 2)), K, T, B, 2, false, false)
		start, m, tags := Blocks(c.e, T*B, K), Blocks(c.e, T*B, K), make([]int32, T*B)
		d := CRFParams{make([]float32, K*K), make([]float32, K), make([]float32, K)}
		crf := CRF{K: K}
		for name, run := range map[string]func(team *Team){
			"gradient": func(team *Team) {
				copy(m.Data, start.Data)
				crf.Gradient(team, d, c.params, m, c.tags, T, B, nil, 1.0/(T*B))
			},
			"decode": func(team *Team) { crf.Decode(team, tags, c.params, start, T, B, nil) },
		} {
			for _, threads := range []int{1, 2} {
				b.Run(fmt.Sprintf("K=%d/T=%d/B=%d/%s/threads=%d", K, T, B, name, threads), func(b *testing.B) {
					team := NewTeam(threads)
					defer team.Close()
					b.ReportAllocs()
					for b.Loop() {
						run(team)
					}
					b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(T*B), "ns/token")
				})
			}
		}
	}
}
