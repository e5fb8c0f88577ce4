package rnn

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"sluice/nn"
)

// benchmark runs f for each cell, size and precision. flops are those of the products
// with the weights, forward.
func benchmark(b *testing.B, passes float64, precisions []nn.Precision, f func(run *Runner, tr *benchTrial)) {
	const T, H = 35, 256
	for _, c := range []Config{
		{Cell: "rnn"}, {Cell: "gru", Reset: ResetBefore}, {Cell: "gru", Reset: ResetAfter}, {Cell: "lstm"},
		{Cell: "lstm", Peephole: true}, {Cell: "lstm", Projection: H / 2},
	} {
		c.Input, c.Hidden, c.Layers, c.Biases = H, H, 1, 1
		cell := c.Cell
		if c.Reset != "" {
			cell += "_" + string(c.Reset)
		}
		if c.Peephole {
			cell += "_peephole"
		}
		if c.Projection > 0 {
			cell += "_projection"
		}
		for _, rows := range []int{1, 32} {
			for _, threads := range []int{1, 2} {
				for _, as := range precisions {
					b.Run(fmt.Sprintf("cell=%s/B=%d/T=%d/H=%d/threads=%d/precision=%v", cell, rows, T, H, threads, as), func(b *testing.B) {
						tr := newBenchTrial(b, c, T, rows)
						run := NewRunner(tr.net.PackAs(as), team(b, threads))
						f(run, tr)
						b.ReportAllocs()
						for b.Loop() {
							f(run, tr)
						}
						flops := passes * 2 * T * float64(rows) * float64(len(tr.net.layout().Gates)*H*(H+c.HSize())+c.Projection*H)
						b.ReportMetric(flops*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "GFLOP/s")
					})
				}
			}
		}
	}
}

type benchTrial struct {
	net          *Network
	x            Sequence
	y, dy, dx, g []float32
	tape         Tape
}

func newBenchTrial(b *testing.B, c Config, steps, rows int) *benchTrial {
	n, err := New(c)
	if err != nil {
		b.Fatal(err)
	}
	if err := n.Init(Init{}, 1); err != nil {
		b.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	x := Sequence{T: steps, B: rows, F: c.Input, Data: randoms(r, steps*rows*c.Input)}
	y := make([]float32, steps*rows*c.OutputSize())
	return &benchTrial{net: n, x: x, y: y, dy: randoms(r, len(y)), dx: make([]float32, len(x.Data)), g: make([]float32, len(n.Params))}
}

func BenchmarkForward(b *testing.B) {
	benchmark(b, 1, []nn.Precision{nn.Float32}, func(run *Runner, tr *benchTrial) { run.Forward(tr.y, tr.x, nil, nil) })
}

// BenchmarkTraining is Forward and Backward, weights packed anew: three products
// for one.
func BenchmarkTraining(b *testing.B) {
	benchmark(b, 3, []nn.Precision{nn.Float32, nn.Mixed}, func(run *Runner, tr *benchTrial) {
		tr.net.Repack(run.team, run.p)
		run.Forward(tr.y, tr.x, nil, &tr.tape)
		clear(tr.g)
		run.Backward(tr.g, tr.dx, tr.dy, nil, &tr.tape)
	})
}

// BenchmarkRegularised is an update of a stack of two LSTMs, plain and with each
// regulariser. A round has one update of every kind, so that what else the
// machine does is shared by all; the metric is the shortest time as a part of the
// plain one's.
func BenchmarkRegularised(b *testing.B) {
	const T, B, H = 64, 32, 384
	plain := Config{Cell: "lstm", Input: H, Hidden: H, Layers: 2, Biases: 1, Direction: Forward}
	dropout := plain
	dropout.Dropout = 0.3
	names := []string{"plain", "dropout", "locked", "zoneout", "zoneout+cell", "weights", "norm"}
	configs := []Config{plain, dropout, dropout.with("l"), plain.with("h"), plain.with("hc"), plain.with("w"), plain.with("n")}
	updates, times := make([]func(), len(configs)), make([]time.Duration, len(configs))
	team := team(b, 2)
	for i, c := range configs {
		tr := newBenchTrial(b, c, T, B)
		run := NewRunner(tr.net.Pack(), team)
		key := nn.Key{Seed: 1}
		updates[i] = func() {
			key.Step++
			tr.tape.Dropout = &key
			tr.net.RepackDropped(team, run.p, key)
			run.Forward(tr.y, tr.x, nil, &tr.tape)
			team.Clear(tr.g)
			run.Backward(tr.g, tr.dx, tr.dy, nil, &tr.tape)
			run.p.MaskGradient(team, tr.g)
		}
		updates[i]()
	}
	for b.Loop() {
		for i, update := range updates {
			start := time.Now()
			update()
			if took := time.Since(start); times[i] == 0 || took < times[i] {
				times[i] = took
			}
		}
	}
	for i, name := range names {
		b.ReportMetric(float64(times[i])/float64(times[0]), name)
	}
	b.ReportMetric(float64(times[0].Microseconds())/1e3, "plain-ms")
}
