package model

import (
	"fmt"
	"testing"

	"sluice/data"
)

// letters is a text of n characters, no two the same.
func letters(n int) string {
	var r []rune
	for i := range n {
		r = append(r, rune(0x4E00+i))
	}
	return string(r)
}

func BenchmarkGenerate(b *testing.B) {
	m := newModel(b, gruSpec(256), vocabOf(b, letters(1000), data.VocabOptions{}))
	for _, c := range []struct {
		name string
		s    Sampling
	}{{"argmax", Sampling{}}, {"temperature=1", Sampling{Temperature: 1}}, {"top-p=0.9", Sampling{Temperature: 1, TopP: 0.9}}} {
		b.Run(fmt.Sprintf("cell=gru/V=1000/H=256/%s", c.name), func(b *testing.B) {
			g := newGenerator(b, m, c.s)
			g.Feed(1)
			b.ReportAllocs()
			for b.Loop() {
				g.Next()
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tokens/s")
		})
	}
}
