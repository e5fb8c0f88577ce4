package model

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"sluice/data"
	"sluice/nn"
	"sluice/rnn"
)

// embedded are models with an embedding of each cell, without dropout.
func embedded() []Spec {
	var all []Spec
	for _, c := range append(cells(), rnn.Config{Cell: "integrators", Biases: 1, Hidden: 6}) {
		c.Layers = 2
		all = append(all, Spec{Task: LM, Embed: 4, RNN: c})
	}
	return all
}

// Whether the embedding is folded or gathered, logits and states have the same
// bits, also while other Runners of the same Packed begin.
func TestFoldDoesNotChangeBits(t *testing.T) {
	for _, spec := range embedded() {
		for _, to := range []nn.Precision{nn.Float32, nn.BF16, nn.Int8} {
			p := newProblem(t, spec)
			if to != nn.Float32 {
				p.m = quantized(t, p.m, to)
			}
			gathers, folds := p.m.Pack(), p.m.Pack()
			gathers.small, folds.small = false, true
			rows := []int32{4, 0, 7}
			step := func(packed *Packed, threads int) (logits, slab []float32) {
				team := nn.NewTeam(threads)
				defer team.Close()
				out := nn.Matrix{}.Grow(len(rows), p.m.Vocab.Size())
				slab = slices.Clone(p.state)
				run := NewRunner(packed, team)
				for i := range p.b.T {
					run.Step(out, p.b.IDs[i*p.b.B:][:len(rows)], slab, rows)
				}
				logits = make([]float32, p.m.Vocab.Size())
				out.GetRow(logits, 2)
				return logits, slab
			}
			logits, slab := step(gathers, 1)
			var wait sync.WaitGroup
			for threads := range 3 {
				wait.Go(func() {
					logits2, slab2 := step(folds, 1+threads)
					if !same(logits2, logits) || !same(slab2, slab) {
						t.Errorf("%s, %v: folded gives other bits", spec.testName(), to)
					}
				})
			}
			wait.Wait()
		}
	}
}

// A batch of few rows is gathered, one of many folded, and both have the
// gradient of the reference: TestGradientAgainstReference has many.
func TestGradientOfFewRows(t *testing.T) {
	for _, spec := range embedded()[:5] {
		p := newProblem(t, spec)
		p.b = Batch{T: 1, B: 9, IDs: p.b.IDs[:9], Targets: p.b.Targets[:9]}
		if p.m.Pack().pays(9) || !p.m.Pack().pays(14) {
			t.Fatal("7 symbols are folded for 9 rows, or not for 14")
		}
		_, _, g, _ := p.gradient(2, Objective{}, nil)
		_, grads, _ := reference(p.m, p.b, p.state, Objective{}, given{})
		for i, v := range grads["embed.weight"] {
			if d := float64(g[i]) - v; !(d < 1e-6 && d > -1e-6) {
				t.Fatalf("%s: gradient %d is %v, want %v", spec.testName(), i, g[i], v)
			}
		}
	}
}

// A training step folds after each Repack, and Loss between them; none of it
// allocates.
func TestFoldAllocatesNothing(t *testing.T) {
	for _, spec := range embedded() {
		m := newModel(t, spec, vocabOf(t, "abcdefg", data.VocabOptions{}))
		r := rand.New(rand.NewPCG(1, 2))
		b := Batch{T: 6, B: 9, IDs: randomIDs(r, 54, 7), Targets: randomIDs(r, 54, 7)}
		p, g := m.Pack(), make([]float32, len(m.Params))
		run := NewRunner(p, newTeam(t, 2))
		first, _ := run.Gradient(g, b, nil, Objective{})
		update := func() {
			for i, v := range g {
				m.Params[i] -= 0.1 * v
			}
			m.Repack(nil, p)
			clear(g)
			run.Gradient(g, b, nil, Objective{})
			run.Loss(b, nil)
		}
		if n := testing.AllocsPerRun(10, update); n != 0 {
			t.Errorf("%s: %v allocations", spec.testName(), n)
		}
		last, _ := run.Loss(b, nil)
		if fresh, _ := NewRunner(m.Pack(), newTeam(t, 1)).Loss(b, nil); fresh != last || !(last < first) {
			t.Errorf("%s: loss from %v to %v, and %v of weights packed anew", spec.testName(), first, last, fresh)
		}
	}
}
