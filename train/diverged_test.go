package train

import (
	"bytes"
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"sluice/data"
	"sluice/nn"
	"sluice/optim"
	"sluice/rnn"
)

// A rate far too high: the first update makes weights that overflow the loss
// of the second. Nothing comes of it.
func TestDiverges(t *testing.T) {
	c := small()
	c.Schedule.Rate = 1e30
	text := prepare(t, c, song)
	r, rec, err := do(c, text, 0)
	if n := len(rec.progress()); r != nil || !errors.Is(err, ErrDiverged) || n != 1 {
		t.Errorf("%d updates, result %v, error %v", n, r, err)
	}
	wantError(t, err, "train: diverged after update 1, in epoch 1, at learning rate 1e+30: the loss overflowed: want a lower rate or tighter clipping")
	// In a run of one update only what is held out tells.
	c.Batches.Steps, c.Epochs = text.Train.Len()/3-1, 1
	if r, _, err = do(c, text, 0); err != nil {
		t.Fatal(err)
	}
	if err := r.Model.Write(&bytes.Buffer{}); err != nil { // its History has numbers that JSON can hold
		t.Error(err)
	}
	c.Batches.Steps, c.Split.Validation = 100, 0.2
	text = prepare(t, c, song)
	c.Batches.Steps = text.Train.Len()/3 - 1
	_, _, err = do(c, text, 0)
	wantError(t, err, "train: diverged after update 1, in epoch 1, at learning rate 1e+30: the held-out loss overflowed: want a lower rate or tighter clipping")
}

// Whatever is not finite, in whichever epoch, updates nothing: the best epoch
// before stays.
func TestDivergesLater(t *testing.T) {
	c := small()
	c.Epochs = 5
	c.Schedule = optim.Schedule{Kind: "step", Rate: 0.01, Every: 3, Factor: 1}
	text := prepare(t, c, song)
	one := c
	one.Epochs, one.Keep = 1, KeepLast
	first, _ := mustRun(t, one, text)
	each := first.Model.History.Updates
	for _, poison := range []float32{float32(math.NaN()), float32(math.Inf(1))} {
		team := nn.NewTeam(2)
		rec := &recorder{}
		r, err := newRun(c, text, team, Options{Observe: rec.observe})
		if err != nil {
			t.Fatal(err)
		}
		bad := slices.Clone(r.model.Params)
		r.o.Observe = func(e Event) {
			rec.observe(e)
			if p, ok := e.(Progress); ok && p.Update == each+2 {
				for i := range r.model.Params {
					r.model.Params[i] = poison
				}
				r.model.Repack(r.team, r.packed)
				copy(bad, r.model.Params)
			}
		}
		stopped := r.train(context.Background())
		if !errors.Is(stopped, ErrDiverged) || len(rec.progress()) != each+2 || r.at.Updates != each+2 {
			t.Errorf("%v: error %v after %d updates", poison, stopped, r.at.Updates)
		}
		for i, v := range r.model.Params {
			if v != bad[i] && v == v {
				t.Fatalf("%v: parameter %d was updated to %v", poison, i, v)
			}
		}
		wantError(t, stopped, "train: diverged after update 25, in epoch 2, at learning rate 0.01: the loss overflowed (parameter rnn.weight_ih_l0 has "+map[bool]string{true: "NaN", false: "+Inf"}[poison != poison]+" at 0): want a lower rate or tighter clipping")
		if err := r.finish(t.Context(), stopped); err != nil || !slices.Equal(r.model.Params, first.Model.Params) || r.model.History.Epoch != 1 {
			t.Errorf("%v: kept epoch %d, error %v", poison, r.model.History.Epoch, err)
		}
		team.Close()
	}
}

// A gradient that overflows where the loss does not updates nothing either.
func TestGradientOverflows(t *testing.T) {
	c := small()
	c.Model.RNN = rnn.Config{Cell: "rnn", Hidden: 12, Layers: 2, Biases: 1}
	team := nn.NewTeam(1)
	defer team.Close()
	r, err := newRun(c, prepare(t, c, song), team, Options{})
	if err != nil {
		t.Fatal(err)
	}
	clear(r.model.Params) // every state is 0 and every symbol as probable, whatever multiplies them
	for _, tensor := range r.model.Tensors() {
		if tensor.Name == "head.weight" || tensor.Name == "rnn.weight_ih_l1" {
			for i := range tensor.Data {
				tensor.Data[i] = 3e38
			}
			tensor.Data[0] = -3e38
		}
	}
	r.model.Repack(r.team, r.packed)
	before := slices.Clone(r.model.Params)
	_, err = r.update(r.rate())
	wantError(t, err, "train: diverged after update 0, in epoch 1, at learning rate 0.01: the gradient overflowed (gradient of rnn.weight_ih_l0 has NaN at 0): want a lower rate or tighter clipping")
	if !errors.Is(err, ErrDiverged) || !slices.Equal(r.model.Params, before) || r.at.Updates != 0 {
		t.Errorf("%d updates", r.at.Updates)
	}
}

// A run ended in its first epoch leaves no weights that are no numbers.
func TestEndedDiverged(t *testing.T) {
	c := small()
	c.Optimizer, c.ClipNorm, c.Schedule.Rate = optim.Rule{Kind: "sgd"}, 0, 1e300
	r, _, err := do(c, prepare(t, c, song), 1)
	if r != nil || !errors.Is(err, ErrDiverged) {
		t.Errorf("result %v, error %v", r, err)
	}
}

// After the first update another allocates nothing, on any number of threads.
func TestUpdateAllocates(t *testing.T) {
	for _, threads := range []int{1, 2} {
		for sampling, precision := range map[string]string{"consecutive": Float32, "random": BF16} {
			c := small()
			c.Epochs, c.Batches.Sampling, c.Precision, c.ClipValue = 1000, sampling, precision, 1
			c.Model.Embed, c.Model.InputDropout, c.Model.EmbeddingDropout, c.Model.OutputDropout, c.Model.RNN.Layers, c.Model.RNN.Dropout = 4, 0.2, 0.2, 0.2, 2, 0.2
			team := nn.NewTeam(threads)
			r, err := newRun(c, prepare(t, c, song), team, Options{})
			if err != nil {
				t.Fatal(err)
			}
			update := func() {
				u, err := r.update(r.rate())
				if u.count == 0 {
					r.deal.SetCursor(data.Cursor{Epoch: 1})
					_, err = r.update(r.rate())
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			update()
			if n := testing.AllocsPerRun(40, update); n != 0 {
				t.Errorf("%d threads, %s sampling, %s: %v allocations for an update", threads, sampling, precision, n)
			}
			team.Close()
		}
	}
}
