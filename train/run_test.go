package train

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"sluice/data"
	"sluice/model"
	"sluice/nn"
	"sluice/optim"
)

// The events come in order, and what they say is so.
func TestEvents(t *testing.T) {
	c := small()
	c.Split.Validation = 0.25
	c.Epochs, c.Prefixes, c.PredictEvery, c.PredictLength = 5, []string{"the wheels", ""}, 2, 9
	c.Schedule = optim.Schedule{Kind: "cosine", Rate: 0.01, Warmup: 2}
	text := prepare(t, c, song)
	result, rec := mustRun(t, c, text)
	const each = 17 // minibatches of ⌊369/3⌋−1 steps
	var got []string
	for _, e := range rec.events {
		name := strings.TrimPrefix(fmt.Sprintf("%T", e), "train.")
		if name != "Progress" || got[len(got)-1] != name {
			got = append(got, name)
		}
	}
	want := []string{"Start", "Progress", "Epoch", "Progress", "Epoch", "Sample", "Sample", "Progress", "Epoch", "Progress", "Epoch", "Sample", "Sample", "Progress", "Epoch"}
	if !slices.Equal(got, want) {
		t.Errorf("events %v, want %v", got, want)
	}
	if start := (Start{"lm", len(result.Model.Params), 16, 369, 123, 5, 5 * each, "", 0}); rec.events[0] != start {
		t.Errorf("%+v, want %+v", rec.events[0], start)
	}
	schedule := c.Schedule
	schedule.Total = 5 * each
	for i, p := range rec.progress() {
		if p.Epoch != i/each+1 || p.Update != i+1 || p.Updates != 5*each || p.LearningRate != schedule.At(i, 0) {
			t.Errorf("progress %d: %+v", i, p)
		}
		if !(p.Loss > 0 && p.Loss < 4 && p.GradientNorm > 0 && p.PerSecond > 0) || p.Left < 0 || i == 5*each-1 && p.Left != 0 {
			t.Errorf("progress %d: %+v", i, p)
		}
		if e := i / each; i%each == each-1 && p.Loss != result.Curve[e].Loss {
			t.Errorf("epoch %d: perplexity %v at its end, %v after", e+1, p.Loss, result.Curve[e].Loss)
		}
	}
	var curve []Epoch
	for _, e := range rec.events {
		switch e := e.(type) {
		case Epoch:
			curve = append(curve, e)
			if e.Epoch != len(curve) || e.Updates != len(curve)*each || !(e.HeldOutLoss > 0) || !(e.PerSecond > 0) || e.Time <= 0 {
				t.Errorf("%+v", e)
			}
		case Sample:
			if e.Epoch != len(curve) || !strings.HasPrefix(e.Text, e.Prefix) || len(e.Text) != len(e.Prefix)+9 {
				t.Errorf("%+v", e)
			}
		}
	}
	if !slices.Equal(curve, result.Curve) {
		t.Errorf("the curve is not what was told")
	}
}

// The History tells the run; its config is the run's, complete.
func TestHistory(t *testing.T) {
	c := small()
	c.Preset, c.Clean.MaxChars, c.Split.Validation, c.Split.Test = "mine", 400, 0.25, 0.1
	c.Prefixes, c.Epochs = []string{"bus"}, 3
	text := prepare(t, c, song)
	text.Corpus = "songs"
	result, _ := mustRun(t, c, text)
	h := result.Model.History
	var config Config
	if err := json.Unmarshal(h.Config, &config); err != nil {
		t.Fatal(err)
	}
	want := c
	want.Model, want.Schedule.Total = result.Model.Spec, 3*h.Updates/h.Epoch
	if !reflect.DeepEqual(config, want) {
		t.Errorf("config\n\t%+v\nwant\n\t%+v", config, want)
	}
	again, _ := mustRun(t, config, text)
	if !slices.Equal(again.Model.Params, result.Model.Params) || !bytes.Equal(again.Model.History.Config, h.Config) {
		t.Error("the config of the History makes another model")
	}
	team := nn.NewTeam(1)
	score, err := model.Evaluate(context.Background(), result.Model.Pack(), team, text.HeldOut, nil)
	if err != nil {
		t.Fatal(err)
	}
	const sha = "cee79c98" // of the 400 characters
	if !strings.HasPrefix(h.TextSHA256, sha) || len(h.TextSHA256) != 64 {
		t.Errorf("SHA-256 %s", h.TextSHA256)
	}
	h.TextSHA256, h.Config = "", nil
	best := result.Curve[h.Epoch-1]
	if h.TrainLoss <= 0 || h.TrainLoss >= best.Loss {
		t.Errorf("loss %v of the weights at the end of an epoch with perplexity %v", h.TrainLoss, best.Loss)
	}
	wantHistory := model.History{
		Corpus: "songs", TrainSymbols: 260, HeldOutSymbols: 100, Epoch: 3, Updates: 3 * 12,
		TrainLoss: h.TrainLoss, HeldOutLoss: score.Loss(), Kept: "the lowest training perplexity",
	}
	if !reflect.DeepEqual(h, wantHistory) {
		t.Errorf("history\n\t%+v\nwant\n\t%+v", h, wantHistory)
	}
}

// kept is the epoch whose weights params are, found by running to its end, and
// their loss on the training part.
func kept(t *testing.T, c Config, text *Text, params []float32) (epoch int, loss float64) {
	t.Helper()
	c.Keep, c.Schedule.Total = KeepLast, 0
	for epochs := 1; epochs <= 8; epochs++ {
		c.Epochs = epochs
		if r, _ := mustRun(t, c, text); slices.Equal(r.Model.Params, params) {
			return epochs, r.Model.History.TrainLoss
		}
	}
	return 0, 0
}

// Which epoch is kept, and why. The learning rate rises until training gets
// worse again, and held-out text of another kind gets worse long before.
func TestKeep(t *testing.T) {
	c := small()
	c.Epochs, c.Split.Validation = 8, 0.3
	c.Schedule = optim.Schedule{Rate: 1, Warmup: 120}
	other := song[:len(song)*7/10] + strings.Repeat("dnuor nehw tub", 20)[:len(song)*3/10]
	text := prepare(t, c, other)
	long := *text // the same epochs, but more symbols than are learnt by heart
	ids := symbols(t, text.Train)
	long.Train = data.NewSymbols(slices.Repeat(ids, LearntByHeart/len(ids)+1)).Slice(0, LearntByHeart)
	less := long
	less.Train = long.Train.Slice(0, LearntByHeart-1)
	alone := long
	alone.HeldOut = data.Symbols{}
	best := func(curve []Epoch, of func(Epoch) float64) int {
		at := 0
		for i, e := range curve {
			if of(e) < of(curve[at]) {
				at = i
			}
		}
		return at + 1
	}
	training := func(e Epoch) float64 { return e.Loss }
	heldOut := func(e Epoch) float64 { return e.HeldOutLoss }
	last := func(e Epoch) float64 { return -float64(e.Epoch) }
	big := func(c Config) Config {
		c.Batches.Batch, c.Batches.Steps, c.Model.RNN.Hidden, c.Epochs = 40, 20, 4, 2
		return c
	}
	for _, k := range []struct {
		c    Config
		keep string
		text *Text
		of   func(Epoch) float64
		why  string
	}{
		{c, KeepTrain, text, training, "the lowest training perplexity"},
		{c, KeepHeldOut, text, heldOut, "the lowest held-out perplexity"},
		{c, KeepLast, text, last, "the last epoch"},
		{c, KeepAuto, text, training, "the lowest training perplexity"},
		{c, "", text, training, "the lowest training perplexity"},
		{big(c), KeepAuto, &less, training, "the lowest training perplexity"},
		{big(c), KeepAuto, &long, heldOut, "the lowest held-out perplexity"},
		{big(c), "", &alone, training, "the lowest training perplexity"},
	} {
		k.c.Keep = k.keep
		r, _ := mustRun(t, k.c, k.text)
		h, want := r.Model.History, best(r.Curve, k.of)
		if h.Epoch != want || h.Kept != k.why || h.Updates != r.Curve[want-1].Updates {
			t.Errorf("keep %q of %d symbols: epoch %d after %d updates, %s; want epoch %d, %s", k.keep, k.text.Train.Len(), h.Epoch, h.Updates, h.Kept, want, k.why)
		}
		got, loss := kept(t, k.c, k.text, r.Model.Params)
		if got != want || h.TrainLoss != loss || h.HeldOutLoss != r.Curve[want-1].HeldOutLoss {
			t.Errorf("keep %q: the weights are of epoch %d with loss %v, want %d: %+v", k.keep, got, loss, want, h)
		}
		low := math.Inf(1)
		for _, e := range r.Curve {
			if e.Best != (k.of(e) < low) {
				t.Errorf("keep %q: %+v, the best before %v", k.keep, e, low)
			}
			low = min(low, k.of(e))
		}
	}
	one, _ := mustRun(t, c, text)
	if e := best(one.Curve, training); e == 8 || e == best(one.Curve, heldOut) {
		t.Errorf("the test is blind: the best training epoch is %d, the best held-out epoch %d", e, best(one.Curve, heldOut))
	}
	c.Keep = KeepHeldOut
	alone = *text
	alone.HeldOut = data.Symbols{}
	_, _, err := do(c, &alone, 0)
	wantError(t, err, `train: keep "held-out": nothing is held out, want auto, train or last`)
}

// Whatever stands in the test part changes the vocabulary at most.
func TestTestPart(t *testing.T) {
	c := small()
	c.Split.Validation, c.Split.Test = 0.2, 0.2
	text := prepare(t, c, song)
	one, _ := mustRun(t, c, text)
	text.Test = data.NewSymbols(slices.Repeat([]int32{-99}, text.Test.Len())) // whoever reads it panics
	if two, _ := mustRun(t, c, text); !slices.Equal(one.Model.Params, two.Model.Params) || fmt.Sprint(one.Model.History) != fmt.Sprint(two.Model.History) {
		t.Error("the test part changes the model")
	}
}

// A run that is ended stops after the update at work, with the best of the
// epochs done or, in the first, the weights as they are.
func TestEnded(t *testing.T) {
	c := small()
	c.Epochs, c.Split.Validation = 3, 0.2
	text := prepare(t, c, song)
	whole, _ := mustRun(t, c, text)
	each := whole.Curve[0].Updates
	steps := reference(t, c, text)
	for _, endAt := range []int{1, 2, each - 1, each, each + 1, 2 * each, 3*each - 1, 3 * each} {
		r, rec, err := do(c, text, endAt)
		all := rec.progress()
		if !errors.Is(err, context.Canceled) || all[len(all)-1].Update != endAt {
			t.Errorf("ended at update %d: error %v after %d", endAt, err, all[len(all)-1].Update)
		}
		done := (endAt - 1) / each // the epoch ended in is not done
		h, want := r.Model.History, endAt
		if done > 0 {
			want = done * each
		}
		if h.Epoch != done || h.Updates != want || len(r.Curve) != done || !slices.Equal(r.Model.Params, steps[want-1]) {
			t.Errorf("ended at update %d: kept epoch %d after %d updates, %d in the curve; want %d, %d", endAt, h.Epoch, h.Updates, len(r.Curve), done, want)
		}
		if why := h.Kept; (why == "the weights as they were when the run ended in its first epoch") != (done == 0) {
			t.Errorf("ended at update %d: kept %s", endAt, why)
		}
		if err := r.Model.Write(&bytes.Buffer{}); err != nil {
			t.Error(err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r, err := Run(ctx, c, text, Options{Observe: func(e Event) {
		if _, ok := e.(Start); !ok {
			t.Errorf("%T of a run that was ended before it began", e)
		}
	}})
	if !errors.Is(err, context.Canceled) || r != nil {
		t.Errorf("ended before it began: %v, %v", r, err)
	}
}

// With products of bf16 a run learns as well, makes the same model on any number
// of threads, and scores the model that it saves: that of float32.
func TestPrecision(t *testing.T) {
	c := small()
	c.Split.Validation, c.Epochs, c.Model.RNN.Hidden, c.Schedule.Rate = 0.2, 20, 32, 0.02
	c.Prefixes, c.PredictEvery, c.PredictLength = []string{"the"}, 10, 10
	text := prepare(t, c, song)
	exact, _ := mustRun(t, c, text)
	c.Precision = Float32
	if again, _ := mustRun(t, c, text); !slices.Equal(again.Model.Params, exact.Model.Params) {
		t.Errorf("precision %s is not that of none given", Float32)
	}
	c.Precision = BF16
	one, _ := mustRun(t, c, text)
	h := one.Model.History
	if slices.Equal(one.Model.Params, exact.Model.Params) || !(math.Abs(h.TrainLoss-exact.Model.History.TrainLoss) < 0.05) {
		t.Errorf("loss %v, with float32 %v", h.TrainLoss, exact.Model.History.TrainLoss)
	}
	for _, threads := range []int{1, 3} {
		many, err := Run(t.Context(), c, text, Options{Threads: threads})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(many.Model.Params, one.Model.Params) || fmt.Sprint(many.Model.History) != fmt.Sprint(h) {
			t.Errorf("%d threads give another model than two", threads)
		}
	}
	team := nn.NewTeam(1)
	defer team.Close()
	score, err := model.Evaluate(context.Background(), one.Model.Pack(), team, text.HeldOut, nil)
	if err != nil {
		t.Fatal(err)
	}
	if score.Loss() != h.HeldOutLoss {
		t.Errorf("held-out loss %v, of the model %v", h.HeldOutLoss, score.Loss())
	}
}
