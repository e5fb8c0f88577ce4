package rnn

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"sluice/internal/ref"
)

// traceOf is a named vector of the reference's trace, (T, B, H).
func traceOf(c Config, g ref.Gates, hPrev []float64, vector string) []float64 {
	if vector == "reset_h" {
		out := slices.Clone(hPrev)
		for i := range out {
			out[i] *= g.R[i]
		}
		return out
	}
	return map[string][]float64{
		"h": g.H, "c": g.C, "i": g.I, "f": g.F, "g": g.G, "o": g.O, "m": g.M,
		"r": g.R, "z": g.Z, "n": g.N, "h_n": g.Q,
	}[vector]
}

// statesBefore is the h (T, B, H) before each step of a layer and direction.
func statesBefore(tr *trial, h []float64, l, d int) []float64 {
	c, B, H := tr.net.Config, tr.x.B, tr.net.HSize()
	sh := c.StateSize() / c.Layers / c.Directions()
	before := make([]float64, len(h))
	for b := range B {
		for step := range tr.x.length(b) {
			from := step - 1
			if c.reversed(d) {
				from = step + 1
			}
			dst := before[(step*B+b)*H:][:H]
			if from >= 0 && from < tr.x.length(b) {
				copy(dst, h[(from*B+b)*H:])
			} else {
				copy(dst, wide(tr.state[b*c.StateSize()+(l*c.Directions()+d)*sh:][:H]))
			}
		}
	}
	return before
}

func TestTapeAgainstReference(t *testing.T) {
	seen := worst{}
	configs := slices.Concat(everyConfig(2), variants(2, kernelVariants...), variants(2, plainVariants...))
	for i := range configs {
		configs[i].Dropout, configs[i].Zoneout, configs[i].ZoneoutCell = 0, 0, 0
	}
	kinds(t, configs, func(t *testing.T, c Config, ragged, ids bool, seed uint64) {
		const T, B = 5, 4
		tr := newTrial(t, c, T, B, ragged, ids, seed)
		tr.forward(2)
		if ragged { // the reference has no trace of rows that have no step
			tr.x.Lengths[0] = 0
			tr.forward(2)
		}
		run := refOf(tr.net).Forward(tr.dense(), T, B, tr.x.Lengths, wide(tr.state))
		for l := range c.Layers {
			for d := range c.Directions() {
				trace := run.Trace[l*c.Directions()+d]
				for _, vector := range tr.tape.Vectors() {
					if strings.HasPrefix(vector, "before_") {
						continue // what activations are applied to
					}
					want := traceOf(c, trace, statesBefore(tr, trace.H, l, d), vector)
					if want == nil {
						t.Fatalf("the reference has no %q", vector)
					}
					seeVector(t, seen, tr, l, d, vector, want)
				}
			}
		}
	})
	seen.log(t)
}

func seeVector(t *testing.T, seen worst, tr *trial, l, d int, vector string, want []float64) {
	t.Helper()
	c, H, B := tr.net.Config, tr.tape.Width(vector), tr.x.B
	state := slices.Index(tr.tape.layout.State, vector)
	at := (l*c.Directions()+d)*c.StateSize()/c.Layers/c.Directions() + state*c.HSize()
	for b := range B {
		for step := range tr.x.T {
			got := tr.tape.At(make([]float32, H), l, d, vector, step, b)
			switch where := fmt.Sprintf("layer %d direction %d %s step %d row %d", l, d, vector, step, b); {
			case step < tr.x.length(b):
				seen.see(vector, got, want[(step*B+b)*H:][:H])
				for j, v := range want[(step*B+b)*H:][:H] {
					if math.Abs(float64(got[j])-v) > 1e-5 {
						t.Fatalf("%s: %v, want %v", where, got[j], v)
					}
				}
			case state < 0:
				sameBits(t, where+", past the length", got, make([]float32, H))
			case c.reversed(d): // has not begun
				sameBits(t, where+", before the start", got, tr.state[b*c.StateSize()+at:][:H])
			default: // has ended
				sameBits(t, where+", past the end", got, tr.end[b*c.StateSize()+at:][:H])
			}
		}
	}
}

func TestVectors(t *testing.T) {
	for _, test := range []struct {
		c    Config
		want string
	}{
		{Config{Cell: "rnn"}, "[h]"},
		{Config{Cell: "gru", Reset: ResetBefore}, "[h r z n reset_h]"},
		{Config{Cell: "gru", Reset: ResetAfter}, "[h r z n h_n]"},
		{Config{Cell: "lstm"}, "[h c i f g o]"},
		{Config{Cell: "lstm", Peephole: true, Projection: 1}, "[h c i f g o m]"},
		{Config{Cell: "lstm", Coupled: true}, "[h c i f g o before_i before_g before_o]"},
		{Config{Cell: "gru", Reset: ResetBefore, Clip: 1}, "[h r z n reset_h before_r before_z before_n]"},
	} {
		test.c.Input, test.c.Hidden, test.c.Layers, test.c.Biases = 2, 3, 1, 1
		tr := newTrial(t, test.c, 1, 1, false, false, 1)
		tr.forward(1)
		if got := fmt.Sprint(tr.tape.Vectors()); got != test.want {
			t.Errorf("%s: Vectors() is %s, want %s", test.c.Cell, got, test.want)
		}
	}
}

func TestAtPanics(t *testing.T) {
	tr := newTrial(t, Config{Cell: "gru", Reset: ResetAfter, Input: 2, Hidden: 3, Layers: 2, Biases: 1, Direction: Bidirectional}, 5, 4, false, false, 1)
	tr.forward(1)
	for _, test := range []struct {
		layer, direction int
		vector           string
		step, row        int
		want             string
	}{
		{0, 0, "h", 5, 0, "rnn: At: step 5 of row 0, want 0 to 4 of 0 to 3"},
		{0, 0, "h", -1, 0, "rnn: At: step -1 of row 0, want 0 to 4 of 0 to 3"},
		{0, 0, "h", 0, 4, "rnn: At: step 0 of row 4, want 0 to 4 of 0 to 3"},
		{0, 0, "h", 0, -1, "rnn: At: step 0 of row -1, want 0 to 4 of 0 to 3"},
		{2, 0, "h", 0, 0, "rnn: At: direction 0 of layer 2, want 0 to 1 of 0 to 1"},
		{0, 2, "h", 0, 0, "rnn: At: direction 2 of layer 0, want 0 to 1 of 0 to 1"},
		{-1, 0, "h", 0, 0, "rnn: At: direction 0 of layer -1, want 0 to 1 of 0 to 1"},
		{0, 0, "c", 0, 0, `rnn: At: vector "c", want one of [h r z n h_n]`},
	} {
		panics(t, test.want, func() { tr.tape.At(make([]float32, 3), test.layer, test.direction, test.vector, test.step, test.row) })
	}
	var empty Tape
	panics(t, "rnn: At: Forward has not filled the tape, or Backward has spent it", func() { empty.At(nil, 0, 0, "h", 0, 0) })
}
