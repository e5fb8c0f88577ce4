package model

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"sluice/data"
)

func newGenerator(t testing.TB, m *Model, s Sampling) *Generator {
	t.Helper()
	g, err := NewGenerator(m.Pack(), s)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// spread makes a model whose predictions differ much: weights of any size.
func spread(t testing.TB, vocab *data.Vocab) *Model {
	m := newModel(t, gruSpec(8), vocab)
	r := rand.New(rand.NewPCG(5, 6))
	for i := range m.Params {
		m.Params[i] = float32(r.NormFloat64())
	}
	return m
}

func (g *Generator) text(t *testing.T, prime string, n int) string {
	t.Helper()
	var b strings.Builder
	if err := g.Write(context.Background(), &b, prime, n); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// softmax is the distribution of the next symbol after prime.
func softmax(t *testing.T, m *Model, prime string, temperature float64) []float64 {
	t.Helper()
	g := newGenerator(t, m, Sampling{})
	if _, err := g.Start(prime); err != nil {
		t.Fatal(err)
	}
	p, sum := make([]float64, len(g.logits)), 0.0
	for i, v := range g.logits {
		p[i] = math.Exp(float64(v) / temperature)
		sum += p[i]
	}
	for i := range p {
		p[i] /= sum
	}
	return p
}

func TestSamplingValidate(t *testing.T) {
	for _, s := range []Sampling{{}, {Temperature: 100, TopK: 1 << 40, TopP: 1}} {
		if err := s.Validate(); err != nil {
			t.Error(err)
		}
	}
	m := newModel(t, gruSpec(2), vocabOf(t, "ab", data.VocabOptions{}))
	for _, c := range []struct {
		s    Sampling
		want string
	}{
		{Sampling{Temperature: -1}, "model: temperature -1: want a number in [0, 100]"},
		{Sampling{Temperature: 101}, "model: temperature 101: want a number in [0, 100]"},
		{Sampling{Temperature: math.NaN()}, "model: temperature NaN: want a number in [0, 100]"},
		{Sampling{TopK: -1}, "model: top-k -1: want 0 (all) or more"},
		{Sampling{TopP: 1.5}, "model: top-p 1.5: want a number in [0, 1]"},
		{Sampling{TopP: math.NaN()}, "model: top-p NaN: want a number in [0, 1]"},
	} {
		_, err := NewGenerator(m.Pack(), c.s)
		wantError(t, err, c.want)
	}
}

// All ways to take the most probable symbol take it, step by step.
func TestArgmax(t *testing.T) {
	m := spread(t, vocabOf(t, "abcdefghij", data.VocabOptions{}))
	prime := "abc"
	want := prime
	for range 40 {
		p := softmax(t, m, want, 1)
		want += m.Vocab.Symbol(int32(slices.Index(p, slices.Max(p))))
	}
	for _, s := range []Sampling{{}, {Seed: 9, TopP: 0.9}, {Temperature: 1, TopK: 1, Seed: 3}, {Temperature: 2, TopP: 1e-9}, {Temperature: 1e-300}} {
		if got := prime + newGenerator(t, m, s).text(t, prime, 40); got != want {
			t.Errorf("%+v: %q, want %q", s, got, want)
		}
	}
}

func TestSeeds(t *testing.T) {
	m := newModel(t, gruSpec(4), vocabOf(t, "abcdefghij", data.VocabOptions{}))
	for _, s := range []Sampling{{Temperature: 1}, {Temperature: 1, TopK: 5}, {Temperature: 1, TopP: 0.9}} {
		one := newGenerator(t, m, s).text(t, "a", 60)
		if two := newGenerator(t, m, s).text(t, "a", 60); two != one {
			t.Errorf("%+v: %q, then %q", s, one, two)
		}
		s.Seed = 1
		if two := newGenerator(t, m, s).text(t, "a", 60); two == one {
			t.Errorf("%+v: the same text as with seed 0", s)
		}
	}
}

// What is drawn is distributed as the softmax, cut where TopK and TopP cut it.
// The bound on χ² is passed once in 10⁵ seeds; the seeds are fixed.
func TestDistribution(t *testing.T) {
	m := newModel(t, gruSpec(8), vocabOf(t, "abcdef", data.VocabOptions{}))
	for i := range m.Params {
		m.Params[i] *= 3
	}
	for _, s := range []Sampling{{Temperature: 1}, {Temperature: 0.5}, {Temperature: 3}, {Temperature: 1, TopK: 3}, {Temperature: 1, TopP: 0.7}, {Temperature: 2, TopK: 5, TopP: 0.6}} {
		p := softmax(t, m, "abc", s.Temperature)
		order := []int{0, 1, 2, 3, 4, 5}
		slices.SortFunc(order, func(a, b int) int { return int(math.Copysign(1, p[b]-p[a])) })
		k, total := 6, 0.0
		if s.TopK > 0 {
			k = s.TopK
		}
		for _, id := range order[:k] {
			total += p[id]
		}
		kept, mass := 0, 0.0
		for ; kept < k && (s.TopP == 0 || mass < s.TopP*total); kept++ {
			mass += p[order[kept]]
		}
		const n = 20_000
		g, counts := newGenerator(t, m, s), make([]float64, 6)
		if _, err := g.Start("abc"); err != nil {
			t.Fatal(err)
		}
		logits := slices.Clone(g.logits)
		for range n {
			copy(g.logits, logits)
			counts[g.Next()]++
		}
		chi := 0.0
		for i, id := range order {
			if want := n * p[id] / mass; i < kept {
				chi += (counts[id] - want) * (counts[id] - want) / want
			} else if counts[id] != 0 {
				t.Errorf("%+v: %q drawn %v times, want never", s, m.Vocab.Symbol(int32(id)), counts[id])
			}
		}
		if !(chi < 31) { // 5 degrees of freedom
			t.Errorf("%+v: χ² is %.1f: counts %v for %.3f", s, chi, counts, p)
		}
	}
}

// The symbol for unknown ones is never drawn, not even where it is by far the
// most probable or where nothing is a number.
func TestUnknownNeverDrawn(t *testing.T) {
	vocab := vocabOf(t, "b b a c", data.VocabOptions{Kind: "word", Unknown: "unk"})
	for _, bias := range []float32{50, float32(math.Inf(1)), float32(math.NaN())} {
		m := newModel(t, gruSpec(2), vocab)
		tensors := m.Tensors()
		tensors[len(tensors)-1].Data[0] = bias
		if bias != 50 {
			for i := range m.Params {
				m.Params[i] = bias
			}
		}
		for _, s := range []Sampling{{}, {Temperature: 1}, {Temperature: 100, TopK: 2}, {Temperature: 1, TopP: 0.99}, {Temperature: 1, TopK: 9}} {
			g := newGenerator(t, m, s)
			ids, err := g.Start("zzz")
			if err != nil || !slices.Equal(ids, []int32{0}) {
				t.Fatal(ids, err)
			}
			for range 200 {
				if id := g.Next(); id <= 0 || id > 3 {
					t.Fatalf("%+v: symbol %d drawn, bias %v", s, id, bias)
				}
			}
		}
	}
}

// Without a prime, what most likely stands before a beginning is fed, and is
// not part of the text.
func TestStart(t *testing.T) {
	for _, c := range []struct {
		text string
		o    data.VocabOptions
		want string
	}{
		{"ab\n cc", data.VocabOptions{}, "\n"},
		{"ab cc", data.VocabOptions{}, " "},
		{"abcc", data.VocabOptions{}, "c"},
		{"abcc", data.VocabOptions{Unknown: "unk"}, "c"},
		{"", data.VocabOptions{Kind: "byte"}, "\n"},
		{"x y y", data.VocabOptions{Kind: "word", Unknown: "unk"}, "y"},
	} {
		m := newModel(t, gruSpec(2), vocabOf(t, c.text, c.o))
		g := newGenerator(t, m, Sampling{})
		ids, err := g.Start("")
		if err != nil || len(ids) != 1 || m.Vocab.Symbol(ids[0]) != c.want {
			t.Errorf("%q %v: fed %v, error %v, want %q", c.text, c.o, ids, err, c.want)
		}
		if got := newGenerator(t, m, Sampling{}).text(t, "", 1); strings.HasPrefix(got, " ") && c.o.Kind == "word" {
			t.Errorf("%q: text %q begins with the gap after what was fed", c.text, got)
		}
	}
	g := newGenerator(t, newModel(t, gruSpec(2), vocabOf(t, "ab", data.VocabOptions{})), Sampling{})
	const want = `data: character "c" (U+0063) at line 1, column 2 is not among the 2 of the vocabulary`
	_, err := g.Start("ac")
	wantError(t, err, want)
	wantError(t, g.Write(context.Background(), nil, "ac", 1), want)
}

// pieces keeps what each Write was given.
type pieces struct {
	all []string
	err error
}

func (p *pieces) Write(b []byte) (int, error) {
	p.all = append(p.all, string(b))
	return len(b), p.err
}

func TestWrite(t *testing.T) {
	byteModel := newModel(t, gruSpec(4), vocabOf(t, "", data.VocabOptions{Kind: "byte"}))
	for seed := range uint64(20) {
		var w pieces
		const prime = "\xE6\xBC" // two bytes of three
		s := Sampling{Temperature: 1, Seed: seed}
		if err := newGenerator(t, byteModel, s).Write(context.Background(), &w, prime, 50); err != nil {
			t.Fatal(err)
		}
		raw, g := []byte(prime), newGenerator(t, byteModel, s)
		if _, err := g.Start(prime); err != nil {
			t.Fatal(err)
		}
		for range 50 {
			raw = append(raw, byte(g.Next()))
		}
		if got, want := strings.Join(w.all, ""), string([]rune(string(raw))); got != want {
			t.Errorf("seed %d: wrote %q, want %q", seed, got, want)
		}
		for _, s := range w.all {
			if s == "" || !utf8.ValidString(s) {
				t.Errorf("seed %d: wrote %q", seed, s)
			}
		}
	}
	words := newModel(t, gruSpec(4), vocabOf(t, "one two", data.VocabOptions{Kind: "word"}))
	if got := newGenerator(t, words, Sampling{Temperature: 1}).text(t, "two", 3); !strings.HasPrefix(got, " ") || len(strings.Fields(got)) != 3 {
		t.Errorf("words after a word: %q", got)
	}
	for _, n := range []int{0, -1} {
		if got := newGenerator(t, words, Sampling{}).text(t, "two", n); got != "" {
			t.Errorf("%d symbols: %q", n, got)
		}
	}
	broken := pieces{err: errors.New("the pipe is gone")}
	if err := newGenerator(t, words, Sampling{}).Write(context.Background(), &broken, "", 9); err != broken.err || len(broken.all) != 1 {
		t.Errorf("a broken pipe: %v after %d writes", err, len(broken.all))
	}
	const primed = 3
	for looks, want := range map[int]int{0: 0, primed - 1: 0, primed: 0, primed + 4: 4} {
		var w pieces
		m := newModel(t, gruSpec(2), vocabOf(t, "abc", data.VocabOptions{}))
		err := newGenerator(t, m, Sampling{}).Write(&endsAfter{context.Background(), looks}, &w, "abc", 9)
		if !errors.Is(err, context.Canceled) || len(w.all) != want {
			t.Errorf("ended at look %d: error %v after %d symbols, want %d", looks, err, len(w.all), want)
		}
	}
}

func TestGenerateAllocates(t *testing.T) {
	for _, spec := range specs() {
		m := newModel(t, spec, vocabOf(t, "abcdefghij", data.VocabOptions{Unknown: "unk"}))
		for _, s := range []Sampling{{}, {Temperature: 1}, {Temperature: 1, TopK: 4, TopP: 0.9}} {
			g := newGenerator(t, m, s)
			g.Feed(1)
			if n := testing.AllocsPerRun(20, func() { g.Next() }); n != 0 {
				t.Errorf("%s, %+v: %v allocations for a symbol", spec.testName(), s, n)
			}
		}
	}
}
