package model

import (
	"math"
	"slices"
	"testing"

	"sluice/data"
	"sluice/nn"
	"sluice/rnn"
)

// Wherever a number that is not finite comes from, the first place that has it is
// named.
func TestNonFinite(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	text := Spec{Task: LM, Embed: 3, InputDropout: 0.2, OutputDropout: 0.2, RNN: rnn.Config{Cell: "lstm", Hidden: 4, Layers: 2, Biases: 1, Dropout: 0.2}}
	numbers := Spec{Task: Regress, Features: 3, Outputs: 2, RNN: rnn.Config{Cell: "rnn", Activation: "relu", Hidden: 4, Layers: 2, Biases: 1}}
	adaptive := adaptiveSpec()
	own := text
	own.RNN = rnn.Config{Cell: "integrators", Hidden: 4, Layers: 2, Biases: 1}
	o := Objective{Dropout: &nn.Key{Seed: 3, Step: 4}, AR: 1, TAR: 1}
	fill := func(p problem, name string, v float32) {
		x := p.m.rows.find(p.m.Params, name)
		for i := range x {
			x[i] = v
		}
	}
	for _, c := range []struct {
		spec  Spec
		spoil func(p problem, g []float32)
		want  string
	}{
		{text, func(problem, []float32) {}, ""},
		{numbers, func(problem, []float32) {}, ""},
		{numbers, func(p problem, _ []float32) { p.b.Data[(2*9+4)*3+1] = inf }, "the input at step 2 of row 4 has +Inf at 1"},
		{numbers, func(p problem, _ []float32) { p.b.Values[2*4+1] = nan }, "the values of row 4 have NaN at 1"},
		{text, func(p problem, _ []float32) { p.state[3*p.m.RNN.StateSize()+5] = -inf }, "the state before row 3 has -Inf at 5"},
		{text, func(p problem, _ []float32) { p.m.Params[4] = nan }, "parameter embed.weight has NaN at 4"},
		{text, func(p problem, _ []float32) { p.m.rows.find(p.m.Params, "rnn.weight_hh_l1")[7] = inf }, "parameter rnn.weight_hh_l1 has +Inf at 7"},
		{numbers, func(p problem, _ []float32) { p.b.Data[0] = 3e38; p.m.Params[0] = 1e10 }, "step 0 of row 0: h of layer 0 has +Inf at 0"},
		{numbers, func(p problem, _ []float32) {
			fill(p, "rnn.bias_ih_l0", 1)
			fill(p, "rnn.weight_hh_l0", 0)
			fill(p, "rnn.weight_hh_l1", 1e20)
			fill(p, "rnn.bias_ih_l1", 1e10)
		}, "step 1 of row 0: h of layer 1 has +Inf at 0"},
		{text, func(p problem, _ []float32) {
			fill(p, embedWeight, 3e38) // a mask's 1/(1−p) is too much for them
			copy(p.m.rows.find(p.m.Params, "rnn.weight_ih_l0"), []float32{1, -1, 1})
		}, "step 0 of row 0: i of layer 0 has NaN at 0"},
		{own, func(p problem, _ []float32) {
			fill(p, embedWeight, 3e38)
			copy(p.m.rows.find(p.m.Params, "rnn.integrators.weight_ih_l0"), []float32{1, -1, 1})
		}, "step 0 of row 0: u of layer 0 has NaN at 0"},
		{text, func(p problem, _ []float32) { fill(p, headWeight, 3e38); fill(p, headBias, 3e38) }, "the logit of symbol 0 at step 0 of row 1 is +Inf"},
		{adaptive, func(problem, []float32) {}, ""},
		{adaptive, func(p problem, _ []float32) {
			fill(p, "head.tail.1.0.weight", 1e10)
			fill(p, "head.tail.1.1.weight", 3e38)
		}, "the log-probability of symbol 5 at step 0 of row 0 is NaN"},
		{adaptive, func(_ problem, g []float32) { g[len(g)-1] = nan }, "gradient of head.tail.1.1.weight has NaN at 1"},
		{numbers, func(p problem, _ []float32) {
			fill(p, headBias, 3e38)
			fill(p, headWeight, 3e38)
			fill(p, "rnn.bias_ih_l1", 10)
		}, "output 0 of row 0 is +Inf"},
		{text, func(_ problem, g []float32) { g[len(g)-1] = nan }, "gradient of head.bias has NaN at 6"},
		{numbers, func(p problem, g []float32) { p.m.rows.find(g, "rnn.bias_ih_l0")[2] = -inf }, "gradient of rnn.bias_ih_l0 has -Inf at 2"},
	} {
		p := newProblem(t, c.spec)
		g := make([]float32, p.m.Size())
		c.spoil(p, g)
		packed := p.m.Pack()
		run := NewRunner(packed, newTeam(t, 2))
		state := slices.Clone(p.state)
		got := p.m.NonFinite(run, g, p.b, p.state, o)
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.spec.Task, got, c.want)
		}
		for i, v := range state {
			if p.state[i] != v && v == v {
				t.Fatalf("%q: the state has changed", c.want)
			}
		}
	}
}

// Logits are looked at some rows after others.
func TestNonFiniteLogit(t *testing.T) {
	const T, B, v = 9, 5, fewLogits/fewRows + 100
	vocab := vocabOf(t, letters(v), data.VocabOptions{})
	for what, cutoffs := range map[string][]int{"logit": nil, "log-probability": {100}} {
		m := newModel(t, Spec{Task: LM, Embed: 1, Cutoffs: cutoffs, RNN: gruSpec(4).RNN}, vocab)
		h := NewRunner(m.Pack(), newTeam(t, 2)).head
		z, b := make([]float32, T*B*4), Batch{T: T, B: B}
		if where := h.nonFinite(z, b); where != "" {
			t.Error(where)
		}
		z[(7*B+3)*4] = float32(math.NaN())
		if where, want := h.nonFinite(z, b), "the "+what+" of symbol 0 at step 7 of row 3 is NaN"; where != want {
			t.Errorf("%q, want %q", where, want)
		}
	}
}

// A gradient that overflows where the loss does not is found as Gradient leaves
// it, with words dropped too.
func TestNonFiniteAfterGradient(t *testing.T) {
	spec := Spec{Task: LM, Embed: 4, EmbeddingDropout: 0.5, RNN: rnn.Config{Cell: "rnn", Hidden: 5, Layers: 2, Biases: 1}}
	p, key := newProblem(t, spec), nn.Key{Seed: 3}
	clear(p.m.Params) // every state is 0 and every symbol as probable, whatever multiplies them
	clear(p.state)
	for _, name := range []string{headWeight, "rnn.weight_ih_l1"} {
		w := p.m.rows.find(p.m.Params, name)
		for i := range w {
			w[i] = 3e38
		}
		w[0] = -3e38
	}
	packed, g := p.m.Pack(), make([]float32, p.m.Size())
	p.m.RepackDropped(nil, packed, key)
	run, state, o := NewRunner(packed, newTeam(t, 2)), slices.Clone(p.state), Objective{Dropout: &key}
	if sum, _ := run.Gradient(g, p.b, state, o); math.IsNaN(sum) || math.IsInf(sum, 0) {
		t.Fatalf("loss %v", sum)
	}
	if got := p.m.NonFinite(run, g, p.b, p.state, o); got != "gradient of embed.weight has NaN at 0" {
		t.Errorf("%q", got)
	}
}
