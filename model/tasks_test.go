package model

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"sluice/data"
	"sluice/nn"
	"sluice/rnn"
)

// taskSpecs are models of the tasks that read whole sequences.
func taskSpecs() (all []Spec) {
	for _, c := range []rnn.Config{
		{Cell: "lstm", Hidden: 5, Layers: 1, Biases: 1, Direction: rnn.Bidirectional},
		{Cell: "gru", Reset: rnn.ResetAfter, Hidden: 4, Layers: 2, Biases: 2, Direction: rnn.Bidirectional, Merge: rnn.Sum},
		{Cell: "gru", Reset: rnn.ResetBefore, Hidden: 4, Layers: 2, Biases: 1},
		{Cell: "lstm", Hidden: 4, Layers: 1, Biases: 2, Direction: rnn.Backward},
	} {
		for _, crf := range []bool{false, true} {
			all = append(all, Spec{Task: Tag, Embed: 3, CRF: crf, RNN: c}, Spec{Task: Tag, Embed: 3, Chars: Chars{Embed: 2, Hidden: 3}, CRF: crf, RNN: c})
		}
		for _, pool := range []string{PoolLast, PoolMean, PoolMax, PoolAttention} {
			if pool == PoolLast && c.Merge == rnn.Sum {
				continue
			}
			all = append(all, Spec{Task: Classify, Pool: pool, RNN: c}, Spec{Task: Classify, Embed: 3, Pool: pool, RNN: c},
				Spec{Task: Classify, Features: 2, Pool: pool, RNN: c}, Spec{Task: Classify, Features: 2, Embed: 3, Pool: pool, RNN: c})
		}
		if c.Direction == "" {
			all = append(all, Spec{Task: Forecast, Forecast: ForecastOf{Window: 4, Horizon: 3}, RNN: c}, Spec{Task: Forecast, Embed: 3, Forecast: ForecastOf{Window: 4, Horizon: 3}, RNN: c})
		}
	}
	for _, c := range []rnn.Config{{Cell: "gru", Reset: rnn.ResetAfter, Hidden: 5, Layers: 1, Biases: 2}, {Cell: "rnn", Hidden: 5, Layers: 1, Biases: 1}} {
		f := ForecastOf{Window: 6, Horizon: 4, Segment: 2}
		all = append(all, Spec{Task: Forecast, Embed: 4, Forecast: f, RNN: c})
		f.Quantiles = []float64{0.1, 0.5, 0.9}
		all = append(all, Spec{Task: Forecast, Embed: 4, Forecast: f, RNN: c})
	}
	return all
}

func taskName(s Spec) string {
	name := fmt.Sprintf("%s/%s-%d-%s", s.Task, s.RNN.Cell, s.RNN.Layers, s.RNN.Direction)
	if s.CRF {
		name += "/crf"
	}
	if s.Chars.on() {
		name += "/chars"
	}
	if s.Pool != "" {
		name += "/" + s.Pool
	}
	return name + fmt.Sprintf("/E=%d/F=%d/w=%d/Q=%d", s.Embed, s.Features, s.Forecast.Segment, len(s.Forecast.Quantiles))
}

// lengthsOfExamples are those of the examples of examplesOf.
var lengthsOfExamples = []int{3, 1, 6, 2, 6, 4, 5}

// examplesOf is a model of s with examples of their own lengths, some words of them
// the same.
func examplesOf(t testing.TB, s Spec) (*Model, Examples) {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	words := strings.Fields("tar barn oat rye barley Tar seven 7 tarns")
	n := Names{}
	var x Examples
	var err error
	switch s.Task {
	case Tag:
		n.Labels, n.Scheme = []string{"O", "B-x", "I-x", "B-y"}, "iob2"
		n.Vocab = vocabOf(t, strings.Join(words, " "), data.VocabOptions{Kind: "word", Unknown: "unk"})
		if s.Chars.on() {
			n.Characters = vocabOf(t, strings.Join(words[:7], ""), data.VocabOptions{Unknown: "unk"})
		}
		var all []data.Sentence
		for i, length := range lengthsOfExamples {
			of := data.Sentence{Line: i}
			for range length {
				of.Words = append(of.Words, words[r.IntN(len(words))])
				tag := n.Labels[r.IntN(4)]
				if tag == "I-x" && (len(of.Tags) == 0 || !strings.HasSuffix(of.Tags[len(of.Tags)-1], "x")) {
					tag = "O"
				}
				of.Tags = append(of.Tags, tag)
			}
			all = append(all, of)
		}
		x, err = NewSentences(s, n, all, true)
	case Classify:
		n.Labels = []string{"even", "odd", "none"}
		if s.Features == 0 {
			n.Vocab = vocabOf(t, "abcde", data.VocabOptions{})
		}
		var all []data.Example
		for i, length := range lengthsOfExamples {
			e := data.Example{Label: n.Labels[r.IntN(3)], Line: i, F: s.Features}
			for range length {
				if s.Features == 0 {
					e.Text += string(rune('a' + r.IntN(5)))
				}
				for range s.Features {
					e.Values = append(e.Values, float32(r.NormFloat64()))
				}
			}
			all = append(all, e)
		}
		x, err = NewSequences(s, n, all, true)
	case Forecast:
		n.Series = &Series{Names: []string{"up", "down"}, Scaler: data.Scaler{Mean: []float64{1, 2}, Std: []float64{2, 3}}, Season: 3, Step: data.Step{Months: 1}}
		values := make([]float64, 2*20)
		for i := range values {
			values[i] = r.NormFloat64() * 2
		}
		x, err = NewWindows(s, n, values, 8, 20)
	}
	if err != nil {
		t.Fatal(err)
	}
	m, err := New(s, n)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Init(rnn.Init{}, 3); err != nil {
		t.Fatal(err)
	}
	return m, x
}

// everyExample is the numbers of all examples.
func everyExample(x Examples) []int {
	all := make([]int, x.Len())
	for i := range all {
		all[i] = i
	}
	return all
}

// TestTaskGradients compares the gradient of each task, tensor by tensor in a
// random direction, with central differences of its loss.
func TestTaskGradients(t *testing.T) {
	team := nn.NewTeam(2)
	defer team.Close()
	for _, s := range taskSpecs() {
		t.Run(taskName(s), func(t *testing.T) {
			m, x := examplesOf(t, s)
			b := x.Batch(everyExample(x))
			p := m.Pack()
			run := NewRunner(p, team)
			g := make([]float32, m.Size())
			sum, count := run.Gradient(g, b, nil, Objective{})
			if loss, n := run.Loss(b, nil); math.Abs(loss-sum) > 1e-5*math.Abs(loss) || n != count {
				t.Errorf("Gradient says %v of %d, Loss %v of %d", sum, count, loss, n)
			}
			r := rand.New(rand.NewPCG(7, 8))
			at := 0
			for _, tensor := range m.Tensors() {
				own := g[at : at+len(tensor.Data)]
				at += len(own)
				differences(t, m, tensor, own, r, func() float64 {
					m.Repack(nil, p)
					loss, n := run.Loss(b, nil)
					return loss / float64(n)
				})
			}
		})
	}
}

// differences compares the gradient g of one tensor with central differences of a
// loss.
func differences(t *testing.T, m *Model, tensor nn.Tensor, g []float32, r *rand.Rand, loss func() float64) {
	t.Helper()
	const step = 1e-3
	was, v := slices.Clone(tensor.Data), make([]float64, len(g))
	want, norm, own := 0.0, 0.0, 0.0
	for i := range v {
		v[i] = r.NormFloat64()
		norm += v[i] * v[i]
	}
	for i := range v {
		v[i] /= math.Sqrt(norm)
		want += v[i] * float64(g[i])
		own += float64(g[i]) * float64(g[i])
	}
	at := func(by float64) float64 {
		for i := range v {
			tensor.Data[i] = was[i] + float32(by*v[i])
		}
		return loss()
	}
	got := (at(step) - at(-step)) / (2 * step)
	copy(tensor.Data, was)
	allowed := 1e-4
	if m.Pool == PoolMax || m.Features > 0 && m.Embed > 0 || len(m.Forecast.Quantiles) > 0 {
		allowed = 1e-3 // there are corners within a step
	}
	if math.Abs(got-want) > allowed+0.01*math.Abs(want) {
		t.Errorf("%s: %s: differences give %v, the gradient %v", taskName(m.Spec), tensor.Name, got, want)
	}
	if own == 0 {
		t.Errorf("%s: %s: no gradient", taskName(m.Spec), tensor.Name)
	}
}

// TestTaskRows wants what a row gives to be the same in whatever minibatch it
// stands, on any number of threads.
func TestTaskRows(t *testing.T) {
	one, three := nn.NewTeam(1), nn.NewTeam(3)
	defer one.Close()
	defer three.Close()
	for _, s := range taskSpecs() {
		t.Run(taskName(s), func(t *testing.T) {
			m, x := examplesOf(t, s)
			p := m.Pack()
			all, _ := NewRunner(p, three).Loss(x.Batch(everyExample(x)), nil)
			sum := 0.0
			for i := range x.Len() {
				nats, _ := NewRunner(p, one).Loss(x.Batch([]int{i}), nil)
				sum += nats
			}
			if math.Abs(all-sum) > 1e-5*all {
				t.Errorf("together %v, one by one %v", all, sum)
			}
			g, again := make([]float32, m.Size()), make([]float32, m.Size())
			o := Objective{AR: 0.1, TAR: 0.2, Dropout: &nn.Key{Seed: 1}}
			NewRunner(p, one).Gradient(g, x.Batch(everyExample(x)), nil, o)
			NewRunner(p, three).Gradient(again, x.Batch(everyExample(x)), nil, o)
			if !slices.Equal(g, again) {
				t.Error("the gradient of three threads differs from that of one")
			}
		})
	}
}

// TestForecaster compares scores with what a Forecaster says, and of a recursive
// one the first step with what the head gives.
func TestForecaster(t *testing.T) {
	team := nn.NewTeam(1)
	defer team.Close()
	for _, s := range taskSpecs() {
		if s.Task != Forecast {
			continue
		}
		t.Run(taskName(s), func(t *testing.T) {
			m, x := examplesOf(t, s)
			w, f, scaler := x.(*Windows), s.Forecast, m.Names.Series.Scaler
			done := 0
			score, err := ScoreForecasts(context.Background(), m.Pack(), team, w, goesUpTo(t, &done, w.Len()))
			if err != nil || done != w.Len() {
				t.Fatalf("%d of %d windows done, error %v", done, w.Len(), err)
			}
			caster, err := NewForecaster(m.Pack(), team)
			if err != nil {
				t.Fatal(err)
			}
			want := 0.0
			for i := range w.Len() {
				history := make([]float64, (w.first+i+f.Window)*w.c)
				scaler.Unscale(history, w.values[:len(history)])
				o, err := caster.Forecast(history)
				if err != nil {
					t.Fatal(err)
				}
				if len(o.Quantiles) != len(f.Quantiles) || len(o.Mean) != f.Horizon*w.c {
					t.Fatalf("%d quantiles of %d values", len(o.Quantiles), len(o.Mean))
				}
				for q := 1; q < len(o.Quantiles); q++ { // the model has not learnt that they rise
					for j, v := range o.Quantiles[q] {
						if v < o.Quantiles[q-1][j] {
							t.Fatalf("quantile %v is %v, below %v of %v", f.Quantiles[q], v, o.Quantiles[q-1][j], f.Quantiles[q-1])
						}
					}
				}
				said := make([]float32, len(o.Mean))
				scaler.Scale(said, o.Mean)
				for j, v := range said {
					d := float64(v) - float64(w.values[len(history)+j])
					want += d * d
				}
				if f.Segment == 0 {
					firstStep(t, m, w, i, said[:w.c], team)
				}
			}
			n := float64(w.Len() * f.Horizon * w.c)
			if got := score.Model.MSE(); score.Windows != w.Len() || math.Abs(got-want/n) > 1e-4*(1+got) {
				t.Errorf("score %v of %d windows, want %v of %d", got, score.Windows, want/n, w.Len())
			}
		})
	}
}

// firstStep wants the loss of the first step of window i to vanish where it is
// held against what was said.
func firstStep(t *testing.T, m *Model, w *Windows, i int, said []float32, team *nn.Team) {
	b := w.Batch([]int{i})
	b.Values = slices.Clone(b.Values)
	run := NewRunner(m.Pack(), team)
	before, _ := run.Loss(b, nil)
	for k, v := range said {
		change := v - w.at(i, w.of.Window-1, k)
		d := float64(change) - float64(b.Values[k])
		before -= d * d
		b.Values[k] = change
	}
	if got, _ := run.Loss(b, nil); math.Abs(got-before) > 1e-4*(1+before) {
		t.Errorf("window %d: the first step is not the head's: a loss of %v, want %v", i, got, before)
	}
}

// A sequence longer than what is usually scored together is scored by itself.
func TestScoreLongSequence(t *testing.T) {
	m, err := New(Spec{Task: Classify, Features: 1, RNN: rnn.Config{Cell: "gru", Reset: rnn.ResetAfter, Hidden: 1, Layers: 1, Biases: 1}}, Names{Labels: []string{"a", "b"}})
	if err != nil {
		t.Fatal(err)
	}
	examples := []data.Example{{Values: make([]float32, 1<<13+1), F: 1, Label: "a"}, {Values: make([]float32, 1), F: 1, Label: "b"}}
	x, err := NewSequences(m.Spec, m.Names, examples, true)
	if err != nil {
		t.Fatal(err)
	}
	team := nn.NewTeam(1)
	defer team.Close()
	done := 0
	if s, err := ScoreLabels(t.Context(), m.Pack(), team, x, goesUpTo(t, &done, 2)); err != nil || s.Total() != 2 || done != 2 {
		t.Errorf("%+v, %d done, error %v", s, done, err)
	}
}

// Nothing to answer has no answers.
func TestAnswersOfNothing(t *testing.T) {
	team := nn.NewTeam(1)
	defer team.Close()
	for _, s := range taskSpecs() {
		switch m, _ := examplesOf(t, s); s.Task {
		case Tag:
			tagger, err := NewTagger(m.Pack(), team)
			if err != nil {
				t.Fatal(err)
			}
			if tags, err := tagger.Tag(t.Context(), nil); err != nil || len(tags) > 0 {
				t.Error(tags, err)
			}
		case Classify:
			classifier, err := NewClassifier(m.Pack(), team)
			if err != nil {
				t.Fatal(err)
			}
			if labels, _, err := classifier.Classify(t.Context(), nil); err != nil || len(labels) > 0 {
				t.Error(labels, err)
			}
		}
	}
}
