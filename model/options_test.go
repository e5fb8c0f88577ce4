package model

import (
	"math/rand/v2"
	"slices"
	"testing"

	"sluice/data"
	"sluice/nn"
	"sluice/rnn"
)

// RepackDropped drops the words of its key, as many as the probability says, and
// the same on any number of threads; a dropped word has no gradient; Repack has
// them back.
func TestRepackDropped(t *testing.T) {
	const v = 9000 // more than one stream is for
	m := newModel(t, Spec{Task: LM, Embed: 2, EmbeddingDropout: 0.25, RNN: gruSpec(3).RNN}, vocabOf(t, letters(v), data.VocabOptions{}))
	const n, every = 200, v / 200
	b := Batch{T: n / 10, B: 10, IDs: make([]int32, n), Targets: make([]int32, n)}
	for i := range b.IDs {
		b.IDs[i] = int32(i * every)
	}
	plain, _ := NewRunner(m.Pack(), newTeam(t, 1)).Loss(b, nil)
	want := wordsOf(m, &nn.Key{Seed: 5, Step: 7})
	p, first := m.Pack(), 0.0
	for _, threads := range []int{0, 1, 2, 3, 8} {
		team := newTeam(t, max(1, threads))
		packing := team
		if threads == 0 {
			packing = nil
		}
		m.RepackDropped(packing, p, nn.Key{Seed: 5, Step: 7, Layer: 3, Row: 9})
		kept := 0
		for i, s := range p.scale() {
			if float64(s) != want[i] {
				t.Fatalf("%d threads: word %d is scaled by %v, want %v", threads, i, s, want[i])
			}
			if s > 0 {
				kept++
			}
		}
		if kept < 0.72*v || kept > 0.78*v {
			t.Errorf("%d of %d words are kept", kept, v)
		}
		g := make([]float32, m.Size())
		nats, _ := NewRunner(p, team).Gradient(g, b, nil, Objective{})
		if first == 0 {
			first = nats
		}
		if nats != first || nats == plain {
			t.Errorf("%d threads: %v nats, on one %v, of all words %v", threads, nats, first, plain)
		}
		for i := 0; i < v; i += every {
			if got := g[2*i] != 0; got != (want[i] != 0) {
				t.Fatalf("word %d is scaled by %v and has gradient %v", i, want[i], g[2*i])
			}
		}
	}
	m.RepackDropped(nil, p, nn.Key{Seed: 5, Step: 8})
	if other, _ := NewRunner(p, newTeam(t, 1)).Loss(b, nil); other == first {
		t.Error("another step drops the same words")
	}
	m.Repack(nil, p)
	if again, _ := NewRunner(p, newTeam(t, 1)).Loss(b, nil); again != plain {
		t.Errorf("%v nats after Repack, want %v", again, plain)
	}
}

// With every option an update allocates nothing.
func TestOptionsAllocateNothing(t *testing.T) {
	for _, threads := range []int{1, 2} {
		for _, c := range options() {
			if c.o.Dropout == nil {
				continue
			}
			p, team := newProblem(t, c.Spec), newTeam(t, threads)
			packed, g, key := p.m.Pack(), make([]float32, p.m.Size()), nn.Key{Seed: 1}
			run := NewRunner(packed, team)
			update := func() {
				key.Step++
				p.m.RepackDropped(team, packed, key)
				run.Gradient(g, p.b, p.state, c.o)
				packed.MaskGradient(team, g)
				run.Loss(p.b, nil)
			}
			update()
			if n := testing.AllocsPerRun(3, update); n != 0 {
				t.Errorf("%s, %d threads: %v allocations", c.testName(), threads, n)
			}
		}
	}
}

// A tied model has one tensor for both, which starts as a head does, and learns.
func TestTied(t *testing.T) {
	vocab := vocabOf(t, "abcd", data.VocabOptions{})
	c := rnn.Config{Cell: "lstm", Hidden: 16, Layers: 1, Biases: 1}
	m, apart := newModel(t, Spec{Task: LM, Embed: 16, Tied: true, RNN: c}, vocab), newModel(t, Spec{Task: LM, Embed: 16, RNN: c}, vocab)
	if m.Size() != apart.Size()-4*16 {
		t.Errorf("%d parameters, %d where nothing is tied", m.Size(), apart.Size())
	}
	if table := m.rows.find(m.Params, embedWeight); slices.Max(table) > 0.25 || slices.Max(table) < 0.15 {
		t.Errorf("it starts at up to %v, want 1/√H", slices.Max(table))
	}
	if first, last := learn(t, m, "abacabadabacabadabacabadabacabad", 200); !(first > 1.2 && last < 0.2) {
		t.Errorf("loss from %v to %v", first, last)
	}
	for _, to := range []nn.Precision{nn.BF16, nn.Int8} {
		q := quantized(t, m, to)
		if got, err := read(fileOf(t, q)); err != nil || !same(got.Params, q.Params) || q.Params[3] == m.Params[3] {
			t.Errorf("%v: another model came back, %v", to, err)
		}
	}
}

// After Repack a Packed reads the embedding in Params; one that was not repacked
// does not change with them.
func TestRepackReadsParams(t *testing.T) {
	m := newModel(t, Spec{Task: LM, Embed: 2, RNN: gruSpec(3).RNN}, vocabOf(t, "abcdefg", data.VocabOptions{}))
	r := rand.New(rand.NewPCG(1, 2))
	b := Batch{T: 3, B: 2, IDs: randomIDs(r, 6, 7), Targets: randomIDs(r, 6, 7)}
	p, old, shared := m.Pack(), m.Pack(), m.PackShared(nn.Float32)
	before, _ := NewRunner(old, newTeam(t, 1)).Loss(b, nil)
	for i := range m.Params {
		m.Params[i] /= 2
	}
	m.Repack(nil, p)
	run := NewRunner(p, newTeam(t, 1))
	fresh, _ := NewRunner(m.Pack(), newTeam(t, 1)).Loss(b, nil)
	if got, _ := run.Loss(b, nil); got != fresh || got == before {
		t.Errorf("%v nats, packed anew %v, before %v", got, fresh, before)
	}
	if &p.embed[0] != &m.Params[0] || &shared.embed[0] != &m.Params[0] {
		t.Error("Repack or PackShared has copied the embedding")
	}
	if again, _ := NewRunner(old, newTeam(t, 1)).Loss(b, nil); again != before {
		t.Errorf("%v nats of what was packed before, then %v", before, again)
	}
}
