package train

import (
	"fmt"
	"runtime"
	"testing"

	"sluice/data"
	"sluice/model"
	"sluice/nn"
	"sluice/optim"
	"sluice/rnn"
)

// BenchmarkVocabulary is one update, 20 rows of 35 steps, of a model of 250,000
// words with an adaptive softmax and with a full one. To be run by hand with
// -benchtime 5x: it takes up to 3 GB.
func BenchmarkVocabulary(b *testing.B) {
	const v, width, threads = 250_000, 256, 2
	z := data.Zipf{Symbols: v, Seed: 1}
	vocab, err := z.Vocab()
	if err != nil {
		b.Fatal(err)
	}
	c, err := Preset("default")
	if err != nil {
		b.Fatal(err)
	}
	c.Model = model.Spec{Task: model.LM, Embed: width, RNN: rnn.Config{Cell: "lstm", Hidden: width, Layers: 1, Biases: 1}}
	c.Batches = data.Batches{Batch: 20, Steps: 35}
	text := &Text{Vocab: vocab, Train: data.NewSymbols(z.IDs(20*35*100 + 1))}
	for _, rule := range []optim.Rule{{Kind: "sgd"}, {Kind: "adam", Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}} {
		for _, head := range []string{"adaptive", "full"} {
			c := c
			if c.Optimizer = rule; head == "adaptive" {
				c.Model.Cutoffs = nn.AdaptiveCutoffs(v)
			}
			b.Run(fmt.Sprintf("head=%s/optimizer=%s/cell=lstm/V=%d/E=%d/H=%d/B=20/T=35/threads=%d", head, rule.Kind, v, width, width, threads), func(b *testing.B) {
				team := nn.NewTeam(threads)
				defer team.Close()
				r, update := updating(b, c, text, team)
				for range 2 { // the second has what the first has made room for
					update()
				}
				b.ReportAllocs()
				for b.Loop() {
					update()
				}
				b.ReportMetric(float64(b.N*20*35)/b.Elapsed().Seconds(), "tokens/s")
				runtime.GC()
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				b.ReportMetric(float64(m.HeapAlloc)/1e6, "MB-live")
				b.ReportMetric(float64(m.HeapSys-m.HeapReleased)/1e6, "MB-resident")
				runtime.KeepAlive(r)
			})
		}
	}
}
