package model

import (
	"math/rand/v2"
	"slices"
	"testing"

	"sluice/nn"
)

// droppedSpecs are models of the tasks with all that drops and stays.
func droppedSpecs() (all []Spec) {
	for i, s := range taskSpecs() {
		s.RNN.Locked, s.RNN.Zoneout, s.RNN.WeightDrop, s.OutputDropout = i%2 == 0, 0.3, 0.4, 0.3
		if s.RNN.Layers > 1 {
			s.RNN.Dropout = 0.4
		}
		if s.RNN.Cell == "lstm" {
			s.RNN.ZoneoutCell = 0.2
		}
		if s.Embed > 0 || s.Features > 0 || s.Task == Forecast {
			s.InputDropout = 0.3
		}
		if s.Embed > 0 && s.Features == 0 && s.Task != Forecast {
			s.EmbeddingDropout = 0.4
		}
		all = append(all, s)
	}
	return all
}

// TestDroppedGradients is TestTaskGradients with all that drops and stays, its
// masks those of one key.
func TestDroppedGradients(t *testing.T) {
	team := newTeam(t, 2)
	for _, s := range droppedSpecs() {
		m, x := examplesOf(t, s)
		b := x.Batch(everyExample(x))
		p := m.Pack()
		run, key := NewRunner(p, team), nn.Key{Seed: 3, Step: 4}
		loss := func(g []float32) float64 {
			m.RepackDropped(team, p, key)
			sum, count := run.Gradient(g, b, nil, Objective{Dropout: &key})
			p.MaskGradient(team, g)
			return sum / float64(count)
		}
		g, scratch := make([]float32, m.Size()), make([]float32, m.Size())
		dropped := loss(g)
		if plain, n := NewRunner(m.Pack(), team).Loss(b, nil); plain/float64(n) == dropped {
			t.Errorf("%s: nothing drops", taskName(s))
		}
		r := rand.New(rand.NewPCG(7, 8))
		for _, tensor := range m.Tensors() {
			own := g[:len(tensor.Data)]
			g = g[len(own):]
			differences(t, m, tensor, own, r, func() float64 { return loss(scratch) })
		}
	}
}

// TestMasksOfRows wants the masks of a row to be the same among any others, and
// what the head reads to be masked.
func TestMasksOfRows(t *testing.T) {
	for _, s := range droppedSpecs() {
		m, x := examplesOf(t, s)
		run, key := NewRunner(m.Pack(), newTeam(t, 2)), nn.Key{Seed: 3, Step: 4}
		read := func(examples []int) (z []float32, b Batch) {
			b = x.Batch(examples)
			run.tape.Dropout = &key
			return slices.Clone(run.forward(b, nil, &run.tape, &key, false)), b
		}
		alone, one := read([]int{0})
		z, b := read(everyExample(x))
		w, zeros := m.RNN.OutputSize(), 0
		for i := range alone {
			step, row := i/w/one.B, i/w%one.B
			got := z[(step*b.B+row)*w+i%w]
			if d := got - alone[i]; d > 1e-5 || d < -1e-5 || (got == 0) != (alone[i] == 0) {
				t.Fatalf("%s: unit %d of row %d at %d is %v among others, %v alone", taskName(s), i%w, row, step, got, alone[i])
			}
			if got == 0 {
				zeros++
			}
		}
		if zeros == 0 || zeros == len(alone) {
			t.Errorf("%s: %d of %d are zero", taskName(s), zeros, len(alone))
		}
	}
}

// TestZoneoutOfDecoder wants a direct forecast's decoder to keep units of its state
// while it is trained, others in each segment and than the stack, and their share of
// all in use.
func TestZoneoutOfDecoder(t *testing.T) {
	for _, s := range droppedSpecs() {
		if s.Forecast.Segment == 0 {
			continue
		}
		m, x := examplesOf(t, s)
		run, key := NewRunner(m.Pack(), newTeam(t, 1)), nn.Key{Seed: 3, Step: 4}
		b := x.Batch(everyExample(x))
		kept := func(dropout *nn.Key) (all []bool) {
			run.tape.Dropout = dropout
			run.forward(b, nil, &run.tape, dropout, false)
			last, h := run.y[(b.T-1)*b.B*m.RNN.Hidden:], run.head.(*directHead)
			for i := range h.z {
				all = append(all, h.z[i] == last[i%len(last)])
			}
			return all
		}
		if slices.Contains(kept(nil), true) {
			t.Errorf("%s: units stand still in use", taskName(s))
		}
		all, share := kept(&key), 0
		for _, k := range all {
			if k {
				share++
			}
		}
		if share < len(all)/5 || share > len(all)*2/5 || slices.Equal(all[:len(all)/2], all[len(all)/2:]) {
			t.Errorf("%s: %d of %d units are kept, the same in both segments: %v", taskName(s), share, len(all), slices.Equal(all[:len(all)/2], all[len(all)/2:]))
		}
		h, alike := make([]float32, m.RNN.Hidden), true
		for row := range b.B / 2 { // of the stack's first step, with zeros before it, and the decoder's row of that number
			decoder := all[(row%2*b.B+row/2)*len(h):]
			for i, v := range run.tape.At(h, 0, 0, "h", 0, row) {
				alike = alike && (v == 0) == decoder[i]
			}
		}
		if alike {
			t.Errorf("%s: the decoder has the masks of the stack's first step", taskName(s))
		}
	}
}
