package model

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"sluice/data"
	"sluice/nn"
	"sluice/rnn"
)

// adaptiveSpec has clusters of width 4 and 1.
func adaptiveSpec() Spec {
	return Spec{Task: LM, Embed: 3, Cutoffs: []int{2, 5}, RNN: rnn.Config{Cell: "lstm", Hidden: 16, Layers: 1, Biases: 1}}
}

// What Step gives are the log-probabilities of all symbols, and what is drawn from
// is their softmax at a temperature.
func TestAdaptiveStep(t *testing.T) {
	m := newModel(t, adaptiveSpec(), vocabOf(t, "abcdefgh", data.VocabOptions{}))
	r := rand.New(rand.NewPCG(1, 2))
	for i := range m.Params {
		m.Params[i] = float32(r.NormFloat64())
	}
	g := newGenerator(t, m, Sampling{})
	if _, err := g.Start("abcd"); err != nil {
		t.Fatal(err)
	}
	w := map[string][]float64{}
	for _, tensor := range m.Tensors() {
		w[tensor.Name] = wide(tensor.Data)
	}
	want := referenceHead(m, w).LogProbs(wide(g.run.y))
	sum := 0.0
	for i, v := range g.logits {
		if sum += math.Exp(float64(v)); math.Abs(float64(v)-want[i]) > 1e-5*math.Abs(want[i]) {
			t.Errorf("log-probability %d is %v, want %v", i, v, want[i])
		}
	}
	if math.Abs(sum-1) > 1e-6 {
		t.Errorf("probabilities add up to %v", sum)
	}
	p, total := softmax(t, m, "abcd", 0.7), 0.0
	for _, v := range want {
		total += math.Exp(v / 0.7)
	}
	for i, v := range want {
		if d := p[i] - math.Exp(v/0.7)/total; math.Abs(d) > 1e-6 {
			t.Errorf("at temperature 0.7 the probability of %d is off by %v", i, d)
		}
	}
}

// An adaptive model learns a text, and still knows it in less precision.
func TestAdaptiveLearns(t *testing.T) {
	text := strings.Repeat("abacabadabacabaeabacabadabacabaf", 3)
	m := newModel(t, adaptiveSpec(), vocabOf(t, text+"gh", data.VocabOptions{}))
	first, last := learn(t, m, text, 150)
	if !(first > 1.5 && last < 0.3) {
		t.Errorf("loss from %v to %v", first, last)
	}
	ids, err := m.Vocab.Encode(text)
	if err != nil {
		t.Fatal(err)
	}
	score := func(m *Model) float64 {
		s, err := Evaluate(t.Context(), m.Pack(), newTeam(t, 2), data.NewSymbols(ids), nil)
		if err != nil {
			t.Fatal(err)
		}
		return s.Loss()
	}
	exact := score(m)
	for to, limit := range map[nn.Precision]float64{nn.BF16: 0.01, nn.Int8: 0.05} {
		if got := score(quantized(t, m, to)); math.Abs(got-exact) > limit {
			t.Errorf("%v: %v nats, of float32 %v", to, got, exact)
		}
	}
}

// A bias starts with the bound of the width that the head reads, a weight with
// that of its own.
func TestAdaptiveInit(t *testing.T) {
	m := newModel(t, adaptiveSpec(), vocabOf(t, letters(4000), data.VocabOptions{}))
	for name, want := range map[string]float32{
		"head.head.weight": 0.25, "head.head.bias": 0.25,
		"head.tail.0.0.weight": 0.25, "head.tail.0.1.weight": 0.5, "head.tail.1.0.weight": 0.25, "head.tail.1.1.weight": 1,
	} {
		x := m.rows.find(m.Params, name)
		if most := max(slices.Max(x), -slices.Min(x)); most > want || most < want/2 {
			t.Errorf("%s starts at up to %v, want %v", name, most, want)
		}
	}
}

// The cutoffs are the model's own.
func TestCutoffsAreCopied(t *testing.T) {
	spec := adaptiveSpec()
	m := newModel(t, spec, vocabOf(t, "abcdefgh", data.VocabOptions{}))
	spec.Cutoffs[0] = 4
	if want := []int{2, 5}; !slices.Equal(m.Cutoffs, want) || !slices.Equal(m.Pack().Cutoffs, want) {
		t.Errorf("cutoffs %v, want %v", m.Cutoffs, want)
	}
}
