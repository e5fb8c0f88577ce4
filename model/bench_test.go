package model

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"sluice/data"
	"sluice/nn"
	"sluice/optim"
	"sluice/rnn"
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

// BenchmarkEmbedding is a whole update, 64 rows of 64 steps, and a step of one
// stream, of models whose embedding is folded and gathered.
func BenchmarkEmbedding(b *testing.B) {
	for _, c := range []struct {
		cell rnn.Config
		v    int
	}{
		{rnn.Config{Cell: "lstm", Hidden: 512, Layers: 2}, 65},
		{rnn.Config{Cell: "gru", Reset: rnn.ResetAfter, Hidden: 256, Layers: 1}, 65},
		{rnn.Config{Cell: "gru", Reset: rnn.ResetAfter, Hidden: 256, Layers: 1}, 1024},
		{rnn.Config{Cell: "gru", Reset: rnn.ResetAfter, Hidden: 256, Layers: 1}, 2048},
		{rnn.Config{Cell: "gru", Reset: rnn.ResetAfter, Hidden: 256, Layers: 1}, 3072},
	} {
		c.cell.Biases = 1
		m := newModel(b, Spec{Task: LM, Embed: 256, RNN: c.cell}, vocabOf(b, letters(c.v), data.VocabOptions{}))
		for _, fold := range []bool{false, true} {
			name := fmt.Sprintf("cell=%s/V=%d/E=256/H=%d/L=%d/folded=%v", c.cell.Cell, c.v, c.cell.Hidden, c.cell.Layers, fold)
			b.Run("update/"+name, func(b *testing.B) { benchmarkUpdate(b, m, fold) })
			b.Run("step/"+name, func(b *testing.B) {
				p := m.Pack()
				p.small = fold
				run, out, slab, ids := NewRunner(p, newTeam(b, 1)), nn.Matrix{}.Grow(1, c.v), make([]float32, p.StateSize()), []int32{5}
				for run.Step(out, ids, slab, firstRow); b.Loop(); {
					run.Step(out, ids, slab, firstRow)
				}
			})
		}
	}
}

func benchmarkUpdate(b *testing.B, m *Model, fold bool) {
	const T, B = 64, 64
	r, v := rand.New(rand.NewPCG(1, 2)), m.Vocab.Size()
	batch := Batch{T: T, B: B, IDs: randomIDs(r, T*B, v), Targets: randomIDs(r, T*B, v)}
	p, team, g := m.Pack(), newTeam(b, 2), make([]float32, len(m.Params))
	run, adam := NewRunner(p, team), optim.Rule{Kind: "adam", Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}.New(len(g))
	update := func() {
		team.Clear(g)
		run.gradient(g, batch, nil, Objective{}, fold)
		optim.ClipNorm(team, g, 1)
		adam.Update(team, m.Params, g, 1e-4)
		m.Repack(team, p)
	}
	for update(); b.Loop(); {
		update()
	}
}
