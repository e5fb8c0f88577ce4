package train

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/data"
	"sluice/model"
	"sluice/nn"
	"sluice/optim"
	"sluice/rnn"
)

// BenchmarkRegularisers is a whole update of a language model of words (two LSTM
// layers of 256, tied, V = 4,000, 32 rows of 35 steps, Adam), plain and with each
// regulariser. A round has one update of every kind, so that what else the
// machine does is shared by all. It prints how the time compares with the plain
// one's of the same round: median, lowest and highest quartile.
//
//	go test ./train -run - -bench Regularisers -benchtime 60x
func BenchmarkRegularisers(b *testing.B) {
	const v, width, rows, steps = 4000, 256, 32, 35
	z := data.Zipf{Symbols: v, Seed: 1}
	vocab, err := z.Vocab()
	if err != nil {
		b.Fatal(err)
	}
	text := &Text{Vocab: vocab, Train: data.NewSymbols(z.IDs(rows*steps*100 + 1))}
	plain, err := Preset("default")
	if err != nil {
		b.Fatal(err)
	}
	plain.Model = model.Spec{Task: model.LM, Embed: width, Tied: true, RNN: rnn.Config{Cell: "lstm", Hidden: width, Layers: 2, Biases: 1}}
	plain.Keep = KeepLast // a mean is not kept by the training score
	plain.Batches = data.Batches{Batch: rows, Steps: steps}
	drops := func(c *Config) { c.Model.InputDropout, c.Model.RNN.Dropout, c.Model.OutputDropout = 0.4, 0.25, 0.4 }
	kinds := []struct {
		name string
		base int // in kinds
		set  func(*Config)
	}{
		{"plain", 0, func(c *Config) {}},
		{"input, layer, output dropout", 0, drops},
		{"the same, locked", 0, func(c *Config) { drops(c); c.Model.RNN.Locked = true }},
		{"embedding dropout", 0, func(c *Config) { c.Model.EmbeddingDropout = 0.1 }},
		{"weight drop", 0, func(c *Config) { c.Model.RNN.WeightDrop = 0.5 }},
		{"zoneout of h and c", 0, func(c *Config) { c.Model.RNN.Zoneout, c.Model.RNN.ZoneoutCell = 0.05, 0.5 }},
		{"label smoothing", 0, func(c *Config) { c.Smoothing = 0.1 }},
		{"AR and TAR", 0, func(c *Config) { c.AR, c.TAR = 2, 1 }},
		{"weight decay (AdamW)", 0, func(c *Config) { c.Optimizer.Decay = 0.01 }},
		{"layer norm", 0, func(c *Config) { c.Model.RNN.LayerNorm = true }},
		{"all of AWD-LSTM", 0, func(c *Config) {
			drops(c)
			c.Model.RNN.Locked = true
			c.Model.EmbeddingDropout, c.Model.RNN.WeightDrop = 0.1, 0.5
			c.AR, c.TAR, c.Optimizer.Decay = 2, 1, 1.2e-6
		}},
		{"plain, SGD", 11, func(c *Config) { c.Optimizer = optim.Rule{Kind: "sgd"} }},
		{"SGD, averaged", 11, func(c *Config) { c.Optimizer, c.Average = optim.Rule{Kind: "sgd"}, 1 }},
	}
	team := nn.NewTeam(2)
	defer team.Close()
	updates, times := make([]func(), len(kinds)), make([][]float64, len(kinds))
	for i, k := range kinds {
		c := plain
		k.set(&c)
		var r *run
		if r, updates[i] = updating(b, c, text, team); c.Average > 0 {
			r.mean.Start()
		}
		updates[i]()
	}
	for b.Loop() {
		for i, update := range updates {
			start := time.Now()
			update()
			times[i] = append(times[i], time.Since(start).Seconds())
		}
	}
	var table strings.Builder
	for i, k := range kinds {
		ratios := make([]float64, len(times[i]))
		for j := range ratios {
			ratios[j] = times[i][j] / times[k.base][j]
		}
		slices.Sort(ratios)
		at := func(q float64) float64 { return ratios[int(q*float64(len(ratios)-1))] }
		fmt.Fprintf(&table, "\n%-30s %.2f (%.2f–%.2f)", k.name, at(0.5), at(0.25), at(0.75))
	}
	fmt.Println(table.String()) // a log of a benchmark is cut after some lines
}
