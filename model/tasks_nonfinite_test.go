package model

import (
	"context"
	"math"
	"slices"
	"testing"

	"sluice/data"
	"sluice/nn"
	"sluice/rnn"
)

// What TestNonFinite is for other tasks.
func TestTaskNonFinite(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	gru := rnn.Config{Cell: "gru", Reset: rnn.ResetAfter, Hidden: 4, Layers: 1, Biases: 1}
	both := gru
	both.Direction, both.Layers = rnn.Bidirectional, 2
	back := rnn.Config{Cell: "rnn", Activation: "relu", Hidden: 4, Layers: 1, Biases: 1, Direction: rnn.Backward}
	crf := Spec{Task: Tag, Embed: 3, Chars: Chars{2, 3}, CRF: true, RNN: both}
	spells := crf
	spells.RNN.Cell, spells.RNN.Activation, spells.RNN.Reset = "rnn", "relu", ""
	tagger := Spec{Task: Tag, Embed: 3, RNN: both}
	class, numbers := Spec{Task: Classify, Pool: PoolAttention, RNN: both}, Spec{Task: Classify, Features: 2, RNN: back}
	direct := Spec{Task: Forecast, Embed: 4, Forecast: ForecastOf{Window: 6, Horizon: 4, Segment: 2, Quantiles: []float64{0.5}}, RNN: gru}
	decodes := direct
	decodes.RNN = rnn.Config{Cell: "rnn", Activation: "relu", Hidden: 4, Layers: 1, Biases: 1}
	recursive := Spec{Task: Forecast, Forecast: ForecastOf{Window: 4, Horizon: 3}, RNN: gru}
	set := func(name string, v ...float32) func(m *Model, b *Batch, g []float32) {
		return func(m *Model, _ *Batch, _ []float32) {
			x := m.rows.find(m.Params, name)
			if x == nil {
				t.Fatalf("%s: no %s", taskName(m.Spec), name)
			}
			for i := range x {
				x[i] = v[i%len(v)]
			}
		}
	}
	for _, c := range []struct {
		spec  Spec
		spoil func(m *Model, b *Batch, g []float32)
		want  string
	}{
		{crf, nil, ""},
		{tagger, nil, ""},
		{class, nil, ""},
		{numbers, nil, ""},
		{direct, nil, ""},
		{decodes, nil, ""},
		{recursive, nil, ""},
		{numbers, func(_ *Model, b *Batch, _ []float32) { b.Data[(2*7+4)*2+1] = inf }, "the input at step 2 of row 4 has +Inf at 1"},
		{direct, func(_ *Model, b *Batch, _ []float32) { b.Data[(1*b.B+5)*2+1] = nan }, "the input at step 1 of row 5 has NaN at 1"},
		{direct, func(_ *Model, b *Batch, _ []float32) { b.Values[2*4+3] = nan }, "the values of row 2 have NaN at 3"},
		{recursive, func(_ *Model, b *Batch, _ []float32) { b.Values[2*6+5] = inf }, "the values of row 2 have +Inf at 5"},
		{crf, set(transitions, 0, nan), "parameter crf.transitions has NaN at 1"},
		{crf, set("chars.rnn.weight_hh_l0_reverse", inf), "parameter chars.rnn.weight_hh_l0_reverse has +Inf at 0"},
		{spells, func(m *Model, b *Batch, g []float32) {
			set(charsWeight, 3e38)(m, b, g)
			set("chars.rnn.weight_ih_l0", 0)(m, b, g)
			set("chars.rnn.weight_ih_l0_reverse", 2)(m, b, g)
		}, "character 5 of word 0: h of layer 0 backward has +Inf at 0"},
		{spells, func(m *Model, b *Batch, g []float32) {
			set(embedWeight, 3e38)(m, b, g)
			set("rnn.weight_ih_l0", 0)(m, b, g)
			set("rnn.weight_ih_l0_reverse", 2)(m, b, g)
		}, "step 5 of row 2: h of layer 0 backward has +Inf at 0"},
		{numbers, func(m *Model, b *Batch, g []float32) {
			set("rnn.bias_ih_l0_reverse", 1)(m, b, g)
			set("rnn.weight_ih_l0_reverse", 0)(m, b, g)
			set("rnn.weight_hh_l0_reverse", 1e20)(m, b, g)
		}, "step 3 of row 2: h of layer 0 has +Inf at 0"},
		{tagger, set(headBias, 3e38, -3e38), ""},
		{tagger, func(m *Model, b *Batch, g []float32) {
			set(headBias, 3e38)(m, b, g)
			set(headWeight, 3e38)(m, b, g)
		}, "the logit of tag 0 at step 0 of row 0 is +Inf"},
		{class, func(m *Model, b *Batch, g []float32) {
			set(attention, 3e38)(m, b, g)
			set("rnn.bias_ih_l1", 0, 0, 0, 0, 0, 0, 0, 0, 9, 9, 9, 9)(m, b, g)
			set("rnn.bias_ih_l1_reverse", 0, 0, 0, 0, 0, 0, 0, 0, 9, 9, 9, 9)(m, b, g)
		}, "the logit of class 0 of row 0 is NaN"},
		{crf, func(m *Model, b *Batch, g []float32) {
			set(headWeight, 3e38)(m, b, g)
			set(headBias, 3e38)(m, b, g)
		}, "the score of tag 0 at step 0 of row 2 is +Inf"},
		{crf, func(m *Model, b *Batch, _ []float32) { b.Targets[0] = 2 }, "the loss is +Inf, of outputs that are finite"},
		{decodes, func(m *Model, b *Batch, g []float32) {
			set(positions, 3e38)(m, b, g)
			set("rnn.weight_ih_l0", 2)(m, b, g)
			set(inputWeight, 0)(m, b, g)
			set(inputBias, 0)(m, b, g)
			m.rows.find(m.Params, positions)[0], m.rows.find(m.Params, positions)[1] = 0, 0
		}, "segment 1 of row 0: h of the decoder has +Inf at 0"},
		{direct, set(headBias, 0, 3e38, 0, 0), ""},
		{direct, func(m *Model, b *Batch, g []float32) {
			set(headWeight, 3e38)(m, b, g)
			set(headBias, 3e38)(m, b, g)
		}, "the forecast of step 0 of row 0 is +Inf"},
		{recursive, func(m *Model, b *Batch, g []float32) {
			set(headWeight, 3e38)(m, b, g)
			set(headBias, 3e38)(m, b, g)
		}, "the change of series 0 at step 1 of row 1 is +Inf"},
		{direct, func(m *Model, _ *Batch, g []float32) { m.rows.find(g, series)[3] = inf }, "gradient of decoder.series has +Inf at 3"},
	} {
		m, x := examplesOf(t, c.spec)
		b, g := x.Batch(everyExample(x)), make([]float32, m.Size())
		if c.spoil != nil {
			c.spoil(m, &b, g)
		}
		run := NewRunner(m.Pack(), newTeam(t, 2))
		if got := m.NonFinite(run, g, b, nil, Objective{}); got != c.want {
			t.Errorf("%s: %q, want %q", taskName(c.spec), got, c.want)
		}
	}
}

func TestObjectiveOfTasks(t *testing.T) {
	tag, crf, class, cast := Spec{Task: Tag}, Spec{Task: Tag, CRF: true}, Spec{Task: Classify}, Spec{Task: Forecast}
	nan := float32(math.NaN())
	for _, c := range []struct {
		s    Spec
		o    Objective
		want string
	}{
		{tag, Objective{Smoothing: 0.1, AR: 1, TAR: 1}, "<nil>"},
		{crf, Objective{AR: 1, TAR: 1}, "<nil>"},
		{class, Objective{Smoothing: 0.1}, "<nil>"},
		{class, Objective{Weights: []float32{0.5, 3}}, "<nil>"},
		{cast, Objective{AR: 1, TAR: 1}, "<nil>"},
		{crf, Objective{Smoothing: 0.1}, "model: label smoothing 0.1: acts on a softmax at each step, and a CRF has one over whole sequences"},
		{cast, Objective{Smoothing: 0.1}, "model: label smoothing 0.1: acts on classes, and task forecast has none"},
		{tag, Objective{Weights: []float32{1}}, "model: weights of labels: act on a classification, and the task is tag"},
		{cast, Objective{Weights: []float32{1}}, "model: weights of labels: act on a classification, and the task is forecast"},
		{class, Objective{Weights: []float32{1}, Smoothing: 0.1}, "model: label smoothing 0.1 beside weights of labels: want one of the two"},
		{class, Objective{Weights: []float32{1, 0}}, "model: weight 0 of label 1: want a finite number above 0"},
		{class, Objective{Weights: []float32{-1, 0}}, "model: weight -1 of label 0: want a finite number above 0"},
		{class, Objective{Weights: []float32{1, nan}}, "model: weight NaN of label 1: want a finite number above 0"},
		{class, Objective{Weights: []float32{1, float32(math.Inf(1))}}, "model: weight +Inf of label 1: want a finite number above 0"},
		{class, Objective{TAR: math.NaN()}, "model: temporal activation regularisation NaN: want 0 (none) or more"},
	} {
		wantError(t, c.o.Validate(c.s), c.want)
	}
}

// A sentence without words gets no tags, and others their own, also where no word has
// a character that is known; the way back from neither has a gradient.
func TestTagNothing(t *testing.T) {
	for _, s := range taskSpecs() {
		if s.Task != Tag {
			continue
		}
		m, _ := examplesOf(t, s)
		if s.Chars.on() {
			n := m.Names
			n.Characters = vocabOf(t, "xyz", data.VocabOptions{})
			var err error
			if m, err = New(s, n); err != nil {
				t.Fatal(err)
			}
		}
		team := newTeam(t, 2)
		tagger, err := NewTagger(m.Pack(), team)
		if err != nil {
			t.Fatal(err)
		}
		for _, words := range [][][]string{{{}}, {{}, {"oat", "rye"}, {}}} {
			var sentences []data.Sentence
			for _, w := range words {
				sentences = append(sentences, data.Sentence{Words: w, Tags: make([]string, len(w))})
				for i := range w {
					sentences[len(sentences)-1].Tags[i] = "O"
				}
			}
			tags, err := tagger.Tag(context.Background(), sentences)
			if err != nil {
				t.Fatalf("%s: %v", taskName(s), err)
			}
			for i, w := range words {
				if len(tags[i]) != len(w) {
					t.Errorf("%s: tags %q of words %q", taskName(s), tags[i], w)
				}
			}
			x, err := NewSentences(m.Spec, m.Names, sentences, true)
			if err != nil {
				t.Fatal(err)
			}
			g := make([]float32, m.Size())
			NewRunner(m.Pack(), team).Gradient(g, x.Batch(everyExample(x)), nil, Objective{})
			if own := m.rows.find(g, charsWeight); slices.Max(append(own, 0)) != 0 || len(words) == 1 && slices.Max(g) != 0 {
				t.Errorf("%s: a gradient of nothing", taskName(s))
			}
		}
	}
}

// Scores that are no numbers give the first label, as do rows of a length for which
// the scheme has no tags; they do not panic.
func TestTagsOfNoNumbers(t *testing.T) {
	for _, crf := range []bool{false, true} {
		for _, scheme := range []data.Scheme{"iob2", "bioes"} {
			n := Names{Labels: []string{"B-x", "E-x"}, Scheme: scheme, Vocab: vocabOf(t, "ab", data.VocabOptions{})}
			if scheme == "iob2" {
				n.Labels = []string{"B-x", "I-x"}
			}
			m, err := New(Spec{Task: Tag, CRF: crf, RNN: gruSpec(4).RNN}, n)
			if err != nil {
				t.Fatal(err)
			}
			if scheme == "iob2" {
				m.rows.find(m.Params, headBias)[0] = float32(math.NaN())
				m.rows.find(m.Params, headBias)[1] = float32(math.NaN())
			}
			best := make([]int32, 6)
			NewRunner(m.Pack(), newTeam(t, 1)).Answer(best, make([]float32, 12), Batch{T: 3, B: 2, Lengths: []int{1, 3}, IDs: make([]int32, 6)})
			if want := []int32{0, 0, nn.Ignore, 0, nn.Ignore, 0}; !slices.Equal(best, want) {
				t.Errorf("crf %v, %s: labels %v, want %v", crf, scheme, best, want)
			}
		}
	}
}

// What a minibatch held before does not show in the next.
func TestBatchesAnew(t *testing.T) {
	for _, s := range taskSpecs() {
		m, x := examplesOf(t, s)
		_, fresh := examplesOf(t, s)
		loss := func(x Examples, examples []int) float64 {
			sum, _ := NewRunner(m.Pack(), newTeam(t, 1)).Loss(x.Batch(examples), nil)
			return sum
		}
		loss(x, everyExample(x))
		for _, examples := range [][]int{{3, 1}, {2}, {0, 4, 5}} {
			if got, want := loss(x, slices.Clone(examples)), loss(fresh, examples); got != want {
				t.Errorf("%s: loss %v of examples %v, want %v", taskName(s), got, examples, want)
			}
			_, fresh = examplesOf(t, s)
		}
	}
}
