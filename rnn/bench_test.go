package rnn

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"sluice/nn"
)

// benchmark runs f for each cell, size and precision. flops are those of the products
// with the weights, forward.
func benchmark(b *testing.B, passes float64, precisions []nn.Precision, f func(run *Runner, tr *benchTrial)) {
	const T, H = 35, 256
	for _, c := range []Config{{Cell: "rnn"}, {Cell: "gru", Reset: ResetBefore}, {Cell: "gru", Reset: ResetAfter}, {Cell: "lstm"}} {
		c.Input, c.Hidden, c.Layers, c.Biases = H, H, 1, 1
		cell := c.Cell
		if c.Reset != "" {
			cell += "_" + string(c.Reset)
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
						flops := passes * 2 * T * float64(rows) * float64(len(tr.net.layout().Gates)) * H * (H + H)
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
	y := make([]float32, steps*rows*c.Hidden)
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
