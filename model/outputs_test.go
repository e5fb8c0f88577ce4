package model

import (
	"math"
	"testing"

	"sluice/data"
	"sluice/nn"
	"sluice/rnn"
)

// TestOutputs makes the loss of each task of what the head says, and wants it to be
// what Loss gives.
func TestOutputs(t *testing.T) {
	team := newTeam(t, 2)
	for _, s := range taskSpecs() {
		if s.CRF || len(s.Forecast.Quantiles) > 0 {
			continue // more than the outputs go into their loss
		}
		t.Run(taskName(s), func(t *testing.T) {
			m, x := examplesOf(t, s)
			b := x.Batch(everyExample(x))
			run := NewRunner(m.Pack(), team)
			want, count := run.Loss(b, nil)
			wantOutputs(t, run, m, b, want, count)
		})
	}
	for _, cutoffs := range [][]int{nil, {2, 4}} {
		m, err := New(Spec{Task: LM, Embed: 3, Cutoffs: cutoffs, RNN: rnn.Config{Cell: "lstm", Hidden: 16, Layers: 1, Biases: 2}}, Names{Vocab: vocabOf(t, "abcdef", data.VocabOptions{})})
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Init(rnn.Init{}, 3); err != nil {
			t.Fatal(err)
		}
		run := NewRunner(m.Pack(), team)
		b := Batch{T: 3, B: 2, IDs: []int32{0, 1, 2, 3, 4, 5}, Targets: []int32{5, 0, nn.Ignore, 2, 1, 4}}
		want, count := run.Loss(b, nil)
		wantOutputs(t, run, m, b, want, count)
	}
}

// wantOutputs compares the loss made of the outputs of b.
func wantOutputs(t *testing.T, run *Runner, m *Model, b Batch, want float64, count int) {
	t.Helper()
	rows, width := b.T*b.B, 0
	switch f := m.Forecast; m.Task {
	case LM:
		width = m.Vocab.Size()
	case Tag:
		width = len(m.Labels)
	case Classify:
		rows, width = b.B, len(m.Labels)
	case Forecast:
		if rows, width = f.Horizon*b.B, m.Features; f.Segment > 0 {
			rows, width = f.Horizon/f.Segment*b.B, f.Segment
		}
	}
	out := make([]float32, rows*width)
	without := b
	without.Targets, without.Values = nil, nil
	run.Outputs(out, without, nil)
	sum, n := 0.0, 0
	for i := range rows {
		row := out[i*width : (i+1)*width]
		switch {
		case m.Task == Forecast && m.Forecast.Segment > 0:
			for k, v := range row { // (H/w, B, w)
				d := float64(v) - float64(b.Values[i%b.B*m.Forecast.Horizon+i/b.B*width+k])
				sum, n = sum+d*d, n+1
			}
		case m.Task == Forecast:
			for k, v := range row { // (H, B, C)
				d := float64(v) - float64(b.Values[(i%b.B*m.Forecast.Horizon+i/b.B)*width+k])
				sum, n = sum+d*d, n+1
			}
		case b.Targets[i] != nn.Ignore && (m.Task != Tag || i/b.B < b.length(i%b.B)):
			total := 0.0
			for _, v := range row {
				total += math.Exp(float64(v))
			}
			sum, n = sum+math.Log(total)-float64(row[b.Targets[i]]), n+1
		}
	}
	if n != count || math.Abs(sum-want) > 1e-5*(1+want) {
		t.Errorf("the outputs have a loss of %v over %d, want %v over %d", sum, n, want, count)
	}
}
