package rnn

import (
	"math"
	"slices"
	"testing"

	"sluice/nn"
)

func TestDropoutIsKeyed(t *testing.T) {
	const T, B = 40, 6
	for _, c := range everyConfig(3) {
		t.Run(c.testName(), func(t *testing.T) {
			tr := newTrial(t, c, T, B, false, false, 6)
			run := NewRunner(tr.net.Pack(), team(t, 2))
			y := func(key *nn.Key) []float32 {
				y := make([]float32, len(tr.dy))
				run.Forward(y, tr.x, nil, &Tape{Dropout: key})
				return y
			}
			key := nn.Key{Seed: 1, Step: 2}
			first := y(&key)
			sameBits(t, "the same key", y(&nn.Key{Seed: 1, Step: 2, Layer: 7, Row: 8}), first) // Layer and Row are not the caller's
			off := y(nil)
			for what, other := range map[string][]float32{
				"another step": y(&nn.Key{Seed: 1, Step: 3}), "another seed": y(&nn.Key{Seed: 2, Step: 2}), "no dropout": off,
			} {
				if slices.Equal(first, other) {
					t.Errorf("%s gives the same output", what)
				}
			}
			if key != (nn.Key{Seed: 1, Step: 2}) {
				t.Errorf("Forward left %v in the caller's key", key)
			}
			plain := make([]float32, len(off))
			run.Forward(plain, tr.x, nil, nil)
			sameBits(t, "without a tape", plain, off)
		})
	}
}

// What falls out is a share p of the outputs between layers; the rest is
// scaled up. The masks of two layers, steps and rows differ.
func TestDropoutShare(t *testing.T) {
	const T, B, H = 40, 6, 32
	for _, p := range []float64{0, 0.1, 0.5, 0.9} {
		c := Config{Cell: "lstm", Input: 3, Hidden: H, Layers: 3, Biases: 1, Direction: Bidirectional, Dropout: p}
		tr := newTrial(t, c, T, B, false, false, 6)
		tr.tape.Dropout = &nn.Key{Seed: 5}
		tr.run(2)
		if last := tr.tape.layers[2].mask.Values; len(last) > 0 {
			t.Fatal("the last layer's output is dropped out")
		}
		if p == 0 {
			if len(tr.tape.layers[0].mask.Values) > 0 {
				t.Fatal("a mask without dropout")
			}
			continue
		}
		seen := map[string]bool{}
		for l := range 2 {
			mask, zeros := tr.tape.layers[l].mask.Values, 0
			for i, m := range mask {
				switch {
				case m == 0:
					zeros++
				case math.Abs(float64(m)-1/(1-p)) > 1e-6/(1-p):
					t.Fatalf("a factor of %v, want 0 or %v", m, 1/(1-p))
				}
				if kept := tr.tape.layers[l].out[i] != 0; kept != (m != 0) {
					t.Fatalf("layer %d output %d is %v under a mask of %v", l, i, tr.tape.layers[l].out[i], m)
				}
			}
			n := float64(len(mask))
			if share, spread := float64(zeros)/n, math.Sqrt(p*(1-p)/n); math.Abs(share-p) > 4*spread {
				t.Errorf("p = %v: a share of %v falls out of layer %d, want within %v", p, share, l, 4*spread)
			}
			for row := range T * B {
				var bits []byte
				for _, m := range mask[row*2*H : (row+1)*2*H] {
					bits = append(bits, byte(min(1, m)))
				}
				seen[string(bits)] = true
			}
		}
		if p == 0.5 && len(seen) != 2*T*B {
			t.Errorf("%d masks among %d rows", len(seen), 2*T*B)
		}
	}
}

// The nearest p below 1 that a Config lets through runs.
func TestDropoutNearOne(t *testing.T) {
	c := forwards(2)[0]
	c.Dropout = 1 - 1e-7
	tr := newTrial(t, c, 3, 2, false, false, 1)
	tr.run(1)
}

// A row drops out the same outputs whatever rows stand beside it.
func TestDropoutDoesNotSeeTheBatch(t *testing.T) {
	const T, B = 9, 5
	c := Config{Cell: "gru", Reset: ResetAfter, Input: 3, Hidden: 6, Layers: 2, Biases: 1, Dropout: 0.4}
	tr := newTrial(t, c, T, B, false, true, 4)
	run := NewRunner(tr.net.Pack(), team(t, 2))
	key := &nn.Key{Seed: 9, Step: 4}
	all := make([]float32, T*B*c.Hidden)
	run.Forward(all, tr.x, nil, &Tape{Dropout: key})
	for rows := 1; rows < B; rows++ {
		x := Sequence{T: T, B: rows, F: c.Input}
		var want []float32
		for step := range T {
			x.IDs = append(x.IDs, tr.x.IDs[step*B:step*B+rows]...)
			want = append(want, all[step*B*c.Hidden:(step*B+rows)*c.Hidden]...)
		}
		y := make([]float32, len(want))
		run.Forward(y, x, nil, &Tape{Dropout: key})
		sameBits(t, "fewer rows", y, want)
	}
}
