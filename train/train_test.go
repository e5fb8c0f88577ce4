package train

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"sluice/data"
	"sluice/model"
	"sluice/nn"
	"sluice/optim"
	"sluice/rnn"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// song is a text to learn by heart.
var song = strings.Repeat("the wheels on the bus go round and round\n", 12)

// small is a run of a moment.
func small() Config {
	return Config{
		Model:     model.Spec{Task: model.LM, RNN: rnn.Config{Cell: "gru", Reset: rnn.ResetAfter, Hidden: 12, Layers: 1, Biases: 1}},
		Batches:   data.Batches{Batch: 3, Steps: 7},
		Optimizer: optim.Rule{Kind: "adam", Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8},
		Schedule:  optim.Schedule{Rate: 0.01},
		ClipNorm:  1,
		Epochs:    2,
		Seed:      1,
	}
}

func prepare(t testing.TB, c Config, text string) *Text {
	t.Helper()
	prepared, err := Prepare(t.Context(), c, data.String(text))
	if err != nil {
		t.Fatal(err)
	}
	return prepared
}

// symbols are what there is in symbols.
func symbols(t testing.TB, s data.Symbols) []int32 {
	t.Helper()
	ids := make([]int32, s.Len())
	if err := s.ReadAt(ids, 0); err != nil {
		t.Fatal(err)
	}
	return ids
}

// recorder keeps the events of a run and ends its context at the n-th Progress.
type recorder struct {
	events []Event
	endAt  int
	cancel context.CancelFunc
}

func (r *recorder) observe(e Event) {
	r.events = append(r.events, e)
	if p, ok := e.(Progress); ok && p.Update == r.endAt {
		r.cancel()
	}
}

func (r *recorder) progress() []Progress {
	var all []Progress
	for _, e := range r.events {
		if p, ok := e.(Progress); ok {
			all = append(all, p)
		}
	}
	return all
}

// do trains on two threads, up to update endAt, 0 for all.
func do(c Config, d Data, endAt int) (*Result, *recorder, error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	rec := &recorder{endAt: endAt, cancel: cancel}
	result, err := Run(ctx, c, d, Options{Threads: 2, Observe: rec.observe})
	return result, rec, err
}

func mustRun(t testing.TB, c Config, d Data) (*Result, *recorder) {
	t.Helper()
	result, rec, err := do(c, d, 0)
	if err != nil {
		t.Fatal(err)
	}
	return result, rec
}

func wantError(t *testing.T, err error, want string) {
	t.Helper()
	if got := fmt.Sprint(err); got != want {
		t.Errorf("error\n\t%s\nwant\n\t%s", got, want)
	}
}

// reference is a run in plain words: the parameters after each update. Of the
// options of a run it knows those that small sets, clipping by value,
// sampling, offsets and all that is of the model.
func reference(t *testing.T, c Config, text *Text) (params [][]float32) {
	t.Helper()
	m, err := model.New(c.Model, model.Names{Vocab: text.Vocab})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Init(c.Init, c.Seed); err != nil {
		t.Fatal(err)
	}
	o := c.Batches
	o.Seed = c.Seed
	sampler, err := data.NewSampler(text.Train, o)
	if err != nil {
		t.Fatal(err)
	}
	team := nn.NewTeam(1)
	defer team.Close()
	adam, x, y := c.Optimizer.New(len(m.Params)), make([]int32, o.Batch*o.Steps), make([]int32, o.Batch*o.Steps)
	for epoch := range c.Epochs {
		sampler.Epoch(epoch)
		state := make([]float32, o.Batch*m.RNN.StateSize())
		for range sampler.Len() {
			if _, err := sampler.Next(x, y); err != nil {
				t.Fatal(err)
			}
			if o.Sampling == "random" {
				clear(state)
			}
			p, g := m.Pack(), make([]float32, len(m.Params))
			key := nn.Key{Seed: c.Seed, Step: uint64(len(params))}
			m.RepackDropped(team, p, key)
			model.NewRunner(p, team).Gradient(g, model.Batch{T: o.Steps, B: o.Batch, IDs: x, Targets: y}, state, model.Objective{Dropout: &key})
			p.MaskGradient(team, g)
			optim.ClipValue(g, c.ClipValue)
			optim.ClipNorm(team, g, c.ClipNorm)
			adam.Update(team, m.Params, g, c.Schedule.At(len(params), 0))
			params = append(params, slices.Clone(m.Params))
		}
	}
	return params
}

// A run is what its plain words say: the state goes on from one minibatch to
// the next with consecutive sampling, and starts anew with random sampling,
// and each option reaches what it is for.
func TestAgainstReference(t *testing.T) {
	for _, change := range []func(*Config){
		func(*Config) {},
		func(c *Config) { c.Batches.Sampling = "random" },
		func(c *Config) { c.Batches.Offset = true; c.Seed = 4 },
		func(c *Config) { c.ClipNorm = 0 },
		func(c *Config) { c.ClipNorm = 0.01 },
		func(c *Config) { c.ClipValue = 0.001; c.ClipNorm = 0 },
		func(c *Config) { c.ClipValue = 0.001; c.ClipNorm = 0.002 },
		func(c *Config) { c.Model.OutputDropout = 0.3 },
		func(c *Config) { c.Model.RNN.Layers, c.Model.RNN.Dropout, c.Model.Embed = 2, 0.4, 3 },
		func(c *Config) { c.Model.Embed, c.Model.EmbeddingDropout, c.Model.InputDropout = 3, 0.4, 0.2 },
		func(c *Config) { c.Model.RNN.WeightDrop, c.Model.RNN.Zoneout, c.Model.RNN.LayerNorm = 0.4, 0.3, true },
		words,
		func(c *Config) { c.Init = rnn.Init{Kind: "xavier", Orthogonal: true} },
		func(c *Config) { c.Schedule.Warmup = 7 },
		func(c *Config) { c.Optimizer.Beta1, c.Optimizer.Beta2, c.Optimizer.Epsilon = 0, 0.9, 1e-3 },
	} {
		c := small()
		c.Keep = KeepLast
		change(&c)
		text := prepare(t, c, song)
		want := reference(t, c, text)
		result, _ := mustRun(t, c, text)
		if last := want[len(want)-1]; !slices.Equal(result.Model.Params, last) {
			t.Errorf("%+v: other weights than the reference's after %d updates", c, len(want))
		}
		if updates := result.Model.History.Updates; updates != len(want) {
			t.Errorf("%+v: %d updates, want %d", c, updates, len(want))
		}
	}
}

// The same config gives the same bits on any number of threads; another seed,
// others.
func TestThreads(t *testing.T) {
	for name, change := range map[string]func(*Config){"characters": func(*Config) {}, "words": words} {
		c := small()
		c.Split.Validation = 0.2
		c.Model.RNN.Layers, c.Model.RNN.Dropout, c.Model.InputDropout, c.Model.OutputDropout, c.Model.EmbeddingDropout, c.Model.Embed = 2, 0.3, 0.3, 0.3, 0.3, 4
		change(&c)
		text := prepare(t, c, song)
		one, _ := mustRun(t, c, text)
		for _, threads := range []int{1, 3, 8} {
			many, err := Run(t.Context(), c, text, Options{Threads: threads})
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(many.Model.Params, one.Model.Params) || fmt.Sprint(many.Model.History) != fmt.Sprint(one.Model.History) {
				t.Errorf("%s: %d threads give another model than two", name, threads)
			}
		}
		c.Seed = 2
		if other, _ := mustRun(t, c, text); slices.Equal(other.Model.Params, one.Model.Params) {
			t.Errorf("%s: another seed gives the same model", name)
		}
	}
}

// Each cell and each optimizer learns a small text by heart.
func TestLearnsByHeart(t *testing.T) {
	adam, sgd := small().Optimizer, optim.Rule{Kind: "sgd", Momentum: 0.9}
	for _, cell := range []rnn.Config{{Cell: "rnn"}, {Cell: "gru", Reset: rnn.ResetBefore}, {Cell: "gru", Reset: rnn.ResetAfter}, {Cell: "lstm"}} {
		for _, o := range []struct {
			optim.Rule
			rate float64
		}{{adam, 0.02}, {sgd, 0.2}} {
			c := small()
			cell.Hidden, cell.Layers, cell.Biases = 32, 1, 1
			c.Model.RNN, c.Optimizer, c.Schedule.Rate = cell, o.Rule, o.rate
			c.Batches, c.Epochs = data.Batches{Batch: 4, Steps: 20}, 60
			result, _ := mustRun(t, c, prepare(t, c, song))
			h := result.Model.History
			if first := math.Exp(result.Curve[0].Loss); !(first > 5) || !(h.TrainLoss < math.Log(1.2)) {
				t.Errorf("%s %s %s: perplexity from %.2f to %.3f", cell.Cell, cell.Reset, o.Kind, first, math.Exp(h.TrainLoss))
			}
			t.Logf("%s %s %s: perplexity %.3f after epoch %d", cell.Cell, cell.Reset, o.Kind, math.Exp(h.TrainLoss), h.Epoch)
		}
	}
}
