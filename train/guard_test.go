package train

import (
	"bytes"
	"context"
	"errors"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sluice/internal/disk/disktest"
	"sluice/model"
	"sluice/nn"
	"sluice/optim"
	"sluice/rnn"
)

// numbers is a run of a moment on the adding problem.
func numbers() Config {
	c := small()
	c.Model = model.Spec{Task: model.Regress, Features: 2, Outputs: 1, RNN: rnn.Config{Cell: "rnn", Activation: "relu", Hidden: 6, Layers: 2, Biases: 1}}
	c.Batches.Batch, c.Batches.Steps = 4, 5
	c.Init = rnn.Init{Kind: "normal", Sigma: 0.7}
	return c
}

// poisoned is Data of which one minibatch is spoilt.
type poisoned struct {
	Adding
	at    int // the minibatch of the first epoch
	spoil func(b model.Batch)
}

type poisonedDealer struct {
	dealer
	of poisoned
}

func (p poisoned) dealer(c Config) (dealer, error) {
	d, err := p.Adding.dealer(c)
	return poisonedDealer{d, p}, err
}

func (d poisonedDealer) next() (model.Batch, error) {
	at := d.Cursor()
	b, err := d.dealer.next()
	if at.Epoch == 0 && at.Batch == d.of.at {
		d.of.spoil(b)
	}
	return b, err
}

// What is not finite in the data, in an activation or in a gradient ends a run
// before the update, is named, and reaches no file; a run can be told to do
// without the minibatch.
func TestGuards(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, k := range []struct {
		spoil func(b model.Batch)
		what  string
	}{
		{func(b model.Batch) { b.Data[2*b.B*3+2+1] = nan }, "the loss overflowed (the input at step 3 of row 1 has NaN at 1)"},
		{func(b model.Batch) { b.Values[2] = inf }, "the loss overflowed (the values of row 2 have +Inf at 0)"},
		{func(b model.Batch) {
			for i := range b.Data {
				b.Data[i] = 3e38
			}
		}, "the loss overflowed (step 4 of row 0: h of layer 1 has +Inf at 5)"},
		{func(b model.Batch) { b.Data[0], b.Values[0] = 1e30, -1e25 }, "the gradient overflowed (gradient of rnn.weight_ih_l"},
	} {
		d := poisoned{Adding{40, 8}, 5, k.spoil}
		c := numbers()
		m := disktest.New()
		result, err := onDisk(t, m, c, d)
		if !errors.Is(err, ErrDiverged) || result != nil || !strings.Contains(err.Error(), "diverged after update 5, in epoch 1, at learning rate 0.01: the "+k.what[4:]) {
			t.Errorf("error %v, want %s", err, k.what)
		}
		if m.Get(filepath.Join(dir, ModelFile)) != nil {
			t.Error("a model is saved")
		}
		kept, err := newFolder(m, dir).Newest(func(err error) { t.Error(err) })
		if err != nil || kept.Updates() != 5 {
			t.Fatalf("kept %v, error %v", kept, err)
		}
		for _, x := range [][]float32{kept.Model.Params, kept.state, kept.moments["optimizer"]["m"], kept.moments["optimizer"]["v"]} {
			if slices.ContainsFunc(x, func(v float32) bool { return v-v != 0 }) {
				t.Error("the checkpoint has what is not finite")
			}
		}
		// From there on without the minibatch: as a run that left it out from the start.
		c.NonFinite = NonFiniteSkip
		if _, err := onDisk(t, m, c, d); err != nil {
			t.Fatal(err)
		}
		whole := disktest.New()
		if _, err := onDisk(t, whole, c, d); err != nil {
			t.Fatal(err)
		}
		if left(t, m) != left(t, whole) {
			t.Error("gone on without the minibatch: another model or log")
		}
		if log := whole.Get(filepath.Join(dir, EventsFile)); bytes.Count(log, []byte(`"event":"skipped"`)) != 1 {
			t.Errorf("log %s", log)
		}
		c.NonFinite = NonFiniteLower
		rec := &recorder{}
		if _, err := Run(t.Context(), c, d, Options{Observe: rec.observe}); err != nil {
			t.Fatal(err)
		}
		for _, p := range rec.progress() {
			if want := map[bool]float64{true: 0.01, false: 0.005}[p.Update <= 5]; p.LearningRate != want {
				t.Errorf("update %d at rate %v, want %v", p.Update, p.LearningRate, want)
			}
		}
	}
}

// onDisk trains in a folder of m, from its newest checkpoint.
func onDisk(t *testing.T, m *disktest.Memory, c Config, d Data) (*Result, error) {
	t.Helper()
	m.Mkdir(dir)
	f := newFolder(m, dir)
	f.Time = 0
	from, err := f.Newest(func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	return Run(t.Context(), c, d, Options{Threads: 2, Folder: f, From: from})
}

// A run of nothing but what is not finite ends.
func TestGuardsGiveUp(t *testing.T) {
	c := numbers()
	c.NonFinite, c.Epochs = NonFiniteSkip, 100
	nan := float32(math.NaN())
	for examples, want := range map[int]string{
		1000: "train: diverged after update 0, in epoch 1, at learning rate 0.01: the loss overflowed (the input at step 0 of row 0 has NaN at 0): want a lower rate or tighter clipping",
		40:   "train: diverged after update 0, in epoch 1, at learning rate 0.01: the loss of every minibatch overflowed: want a lower rate or tighter clipping",
	} {
		d := everyOne{Adding{examples, 8}, func(b model.Batch) { b.Data[0] = nan }}
		rec := &recorder{}
		_, err := Run(t.Context(), c, d, Options{Observe: rec.observe})
		if wantError(t, err, want); len(rec.events) != 1+min(mostSkipped, examples/4) {
			t.Errorf("%d events", len(rec.events))
		}
	}
}

// everyOne is Data that is spoilt.
type everyOne struct {
	Adding
	spoil func(b model.Batch)
}

type everyDealer struct {
	dealer
	of everyOne
}

func (e everyOne) dealer(c Config) (dealer, error) {
	d, err := e.Adding.dealer(c)
	return everyDealer{d, e}, err
}

func (d everyDealer) next() (model.Batch, error) {
	b, err := d.dealer.next()
	if b.T > 0 {
		d.of.spoil(b)
	}
	return b, err
}

// Minibatches that make an update together are one with their rows side by side.
func TestAccumulate(t *testing.T) {
	c := numbers()
	c.Keep, c.Epochs, c.ClipNorm = KeepLast, 2, 0
	c.Optimizer = optim.Rule{Kind: "sgd"}
	whole, err := Run(t.Context(), c, Adding{40, 8}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	c.Batches.Batch, c.Accumulate = 2, 2
	parts, err := Run(t.Context(), c, Adding{40, 8}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range parts.Model.Params {
		if w := whole.Model.Params[i]; math.Abs(float64(v-w)) > 1e-6 {
			t.Fatalf("parameter %d is %v, want %v", i, v, w)
		}
	}
	if n := parts.Model.History.Updates; n != whole.Model.History.Updates || n != 20 {
		t.Errorf("%d updates, want 20", n)
	}
	c.Accumulate = 3 // of 20 minibatches the last update of an epoch has two
	if parts, err = Run(t.Context(), c, Adding{40, 8}, Options{}); err != nil || parts.Model.History.Updates != 14 {
		t.Errorf("%+v, error %v", parts.Model.History, err)
	}
}

// Each minibatch of an update has masks of its own.
func TestAccumulateMasks(t *testing.T) {
	c := small()
	c.Model.Embed, c.Model.InputDropout, c.Model.EmbeddingDropout, c.Model.RNN.WeightDrop = 5, 0.5, 0.3, 0.4
	c.Optimizer, c.Accumulate, c.ClipNorm, c.Keep = optim.Rule{Kind: "sgd"}, 5, 0, KeepLast
	text := prepare(t, c, song)
	m, err := model.New(c.Model, model.Names{Vocab: text.Vocab})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Init(c.Init, c.Seed); err != nil {
		t.Fatal(err)
	}
	deal, err := text.dealer(c)
	if err != nil {
		t.Fatal(err)
	}
	team := nn.NewTeam(1)
	defer team.Close()
	p, g, state := m.Pack(), make([]float32, m.Size()), make([]float32, 3*m.RNN.StateSize())
	m.RepackDropped(team, p, nn.Key{Seed: c.Seed})
	for i := range c.Accumulate {
		b, err := deal.next()
		if err != nil {
			t.Fatal(err)
		}
		model.NewRunner(p, team).Gradient(g, b, state, model.Objective{Dropout: &nn.Key{Seed: c.Seed, Step: uint64(i) << 32}})
	}
	p.MaskGradient(team, g)
	team.Scale(g, 1/float64(c.Accumulate))
	c.Optimizer.New(m.Size()).Update(team, m.Params, g, c.Schedule.Rate)
	result, _, err := do(c, text, 1)
	if err == nil || !slices.Equal(result.Model.Params, m.Params) {
		t.Errorf("other weights after an update, error %v", err)
	}
}

// Patience ends a run, lowers its rate and starts the mean of its weights.
func TestWaits(t *testing.T) {
	c := small()
	c.Split.Validation, c.Keep, c.Epochs = 0.3, KeepHeldOut, 40
	c.Schedule = optim.Schedule{Kind: "plateau", Rate: 0.05, Patience: 2, Factor: 0.5}
	other := song[:len(song)*7/10] + strings.Repeat("dnuor nehw tub", 20)[:len(song)*3/10]
	text := prepare(t, c, other)
	c.Patience = 5
	r, rec := mustRun(t, c, text)
	best := r.Model.History.Epoch
	if n := len(r.Curve); n != best+5 || n >= 40 {
		t.Errorf("%d epochs, the best is %d", n, best)
	}
	var plateau optim.Plateau
	each := r.Curve[0].Updates
	for i, p := range rec.progress() {
		if want := 0.05 * math.Pow(0.5, float64(plateau.Falls)); p.LearningRate != want {
			t.Fatalf("update %d at rate %v, want %v", p.Update, p.LearningRate, want)
		}
		if (i+1)%each == 0 {
			plateau.Score(r.Curve[i/each].HeldOutLoss, 2)
		}
	}
	if plateau.Falls == 0 {
		t.Error("the rate never fell")
	}
	// The mean: of the parameters after each update from the first epoch on that is worse than one more than three before it.
	c.Patience, c.Schedule.Kind, c.Keep, c.Average = 0, "constant", KeepLast, 3
	c.Schedule.Patience, c.Schedule.Factor = 0, 0
	c.Epochs = best + 8
	var params [][]float32
	team := nn.NewTeam(1)
	defer team.Close()
	var run *run
	run, err := newRun(c, text, team, Options{Observe: func(e Event) {
		if _, ok := e.(Progress); ok {
			params = append(params, slices.Clone(run.model.Params))
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := run.train(context.Background()); err != nil {
		t.Fatal(err)
	}
	begin := 0
	for i, e := range run.at.Curve {
		if i > 3 && begin == 0 && slices.ContainsFunc(run.at.Curve[:i-3], func(before Epoch) bool { return before.HeldOutLoss < e.HeldOutLoss }) {
			begin = (i + 1) * each
		}
	}
	if begin == 0 || begin >= len(params) {
		t.Fatalf("the mean began after update %d of %d", begin, len(params))
	}
	if !slices.Equal(run.model.Params, params[len(params)-1]) {
		t.Error("training goes on from the mean")
	}
	mean := make([]float64, len(run.best))
	for _, p := range params[begin:] {
		for i, v := range p {
			mean[i] += float64(v) / float64(len(params)-begin)
		}
	}
	for i, v := range run.best {
		if math.Abs(float64(v)-mean[i]) > 1e-5 {
			t.Fatalf("parameter %d kept is %v, want the mean %v", i, v, mean[i])
		}
	}
}
