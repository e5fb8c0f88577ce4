package train

import (
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"testing"

	"sluice/data"
	"sluice/optim"
	"sluice/rnn"
)

func TestValidate(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, c := range []struct {
		change func(*Config)
		want   string
	}{
		{func(c *Config) { c.Clean.Newlines = "none" }, `data: newlines "none": want keep, space or drop`},
		{func(c *Config) { c.Vocab.Kind = "syllable" }, `data: vocabulary of kind "syllable": want char, byte or word`},
		{func(c *Config) { c.Split.Test = 1 }, "data: test fraction 1: want a number in [0, 1)"},
		{func(c *Config) { c.Model.Task = "" }, `model: task "": want one of classify, forecast, lm, regress, tag`},
		{func(c *Config) { c.Model.OutputDropout = 1 - 1e-10 }, "model: output dropout 0.9999999999: want a number in [0, 1)"},
		{func(c *Config) { c.Model.RNN.Hidden = -1 }, "rnn: hidden -1: want 1 to 16777216"},
		{func(c *Config) { c.Model.RNN.Dropout = 0.5 }, "rnn: dropout 0.5: acts between layers, and there is 1"},
		{func(c *Config) { c.Init.Kind = "ones" }, `rnn: init "ones": want pytorch, normal, xavier`},
		{func(c *Config) { c.Batches.Batch = 0 }, "data: minibatch of 0 rows: want 1 to 1048576"},
		{func(c *Config) { c.Batches.Cover = true }, "train: batches that cover every symbol are for evaluation"},
		{func(c *Config) { c.Optimizer.Kind = "adamw" }, `optim: optimizer "adamw": want sgd or adam`},
		{func(c *Config) { c.Optimizer = optim.Rule{Kind: "sgd", Momentum: 1} }, "optim: momentum 1: want a number in [0, 1)"},
		{func(c *Config) { c.Optimizer.Beta1 = nan }, "optim: Adam's beta1 NaN: want a number in [0, 1)"},
		{func(c *Config) { c.Optimizer.Beta2 = 1 }, "optim: Adam's beta2 1: want a number in [0, 1)"},
		{func(c *Config) { c.Optimizer.Epsilon = 0 }, "optim: Adam's epsilon 0: want a number above 0 that float32 holds"},
		{func(c *Config) { c.Optimizer.Epsilon = 1e-60 }, "optim: Adam's epsilon 1e-60: want a number above 0 that float32 holds"},
		{func(c *Config) { c.Optimizer.Epsilon = inf }, "optim: Adam's epsilon +Inf: want a number above 0 that float32 holds"},
		{func(c *Config) { c.Schedule.Rate = 0 }, "optim: learning rate 0: want a finite number above 0"},
		{func(c *Config) { c.Schedule.Warmup = -1 }, "optim: warm-up of -1 updates: want 0 or more"},
		{func(c *Config) { c.Schedule = optim.Schedule{Kind: "cosine", Rate: 1, Warmup: 5, Total: 5} }, "optim: cosine schedule over 5 updates: want more than its warm-up of 5"},
		{func(c *Config) { c.ClipNorm = -1 }, "train: clipping at norm -1: want 0 (none) or more"},
		{func(c *Config) { c.ClipNorm = inf }, "train: clipping at norm +Inf: want 0 (none) or more"},
		{func(c *Config) { c.ClipValue = nan }, "train: clipping at value NaN: want 0 (none) or more"},
		{func(c *Config) { c.Epochs = 0 }, "train: 0 epochs: want 1 to 16777216"},
		{func(c *Config) { c.Epochs = 1<<24 + 1 }, "train: 16777217 epochs: want 1 to 16777216"},
		{func(c *Config) { c.Keep = "best" }, `train: keep "best": want auto, train, held-out or last`},
		{func(c *Config) { c.Precision = "fp16" }, `train: precision "fp16": want float32 or bf16`},
		{func(c *Config) { c.PredictEvery = -1 }, "train: samples every -1 epochs: want 0 (never) or more"},
		{func(c *Config) { c.PredictLength = -1 }, "train: samples of -1 symbols: want 0 or more"},
	} {
		bad := small()
		text := prepare(t, bad, song)
		c.change(&bad)
		wantError(t, bad.Validate(), c.want)
		_, err := Prepare(t.Context(), bad, data.String(song))
		wantError(t, err, c.want)
		r, rec, err := do(bad, text, 0)
		wantError(t, err, c.want)
		if r != nil || len(rec.events) > 0 {
			t.Errorf("%v: a result %v after %d events", err, r, len(rec.events))
		}
	}
	for _, change := range []func(*Config){
		func(*Config) {},
		func(c *Config) { c.Keep, c.Split.Validation = KeepHeldOut, 0.1 },
		func(c *Config) { c.Schedule = optim.Schedule{Kind: "cosine", Rate: 1, Warmup: 5} },
	} {
		good := small()
		change(&good)
		if err := good.Validate(); err != nil {
			t.Error(err)
		}
	}
}

// What only the text can tell is refused before the first event.
func TestRefused(t *testing.T) {
	for _, c := range []struct {
		change func(*Config)
		want   string
	}{
		{func(c *Config) { c.Prefixes = []string{"bus", "buzz"} }, `train: prefix "buzz": data: character "z" (U+007A) at line 1, column 3 is not among the 16 of the vocabulary`},
		{func(c *Config) { c.Prefixes = []string{"\xff"} }, `train: prefix "\xff": data: byte 0xFF at line 1, column 1 is not UTF-8`},
		{func(c *Config) { c.Batches.Steps = 300 }, "data: a text of 492 symbols is too short for one minibatch of 3 rows and 300 steps: want at least 903"},
		{func(c *Config) { c.Init.ForgetBias = 1 }, `rnn: init forget bias 1: cell "gru" has no forget gate`},
		{func(c *Config) { c.Schedule = optim.Schedule{Kind: "cosine", Rate: 1, Warmup: 9, Total: 8} }, "optim: cosine schedule over 8 updates: want more than its warm-up of 9"},
	} {
		bad := small()
		text := prepare(t, bad, song)
		c.change(&bad)
		r, rec, err := do(bad, text, 0)
		wantError(t, err, c.want)
		if r != nil || len(rec.events) > 0 {
			t.Errorf("%v: a result %v after %d events", err, r, len(rec.events))
		}
	}
}

func TestPrepare(t *testing.T) {
	c := small()
	c.Clean = data.Clean{Newlines: "space", MaxChars: 200}
	c.Split = data.Fractions{Validation: 0.2, Test: 0.1}
	text := prepare(t, c, "\n"+song)
	all := text.Vocab.Decode(slices.Concat(symbols(t, text.Train), symbols(t, text.HeldOut), symbols(t, text.Test)))
	if all[0] != ' ' || len(all) != 200 || all[1:42] != "the wheels on the bus go round and round " {
		t.Errorf("text %q", all)
	}
	if text.Train.Len() != 140 || text.HeldOut.Len() != 40 || text.Test.Len() != 20 || text.Corpus != "" {
		t.Errorf("parts of %d, %d and %d", text.Train.Len(), text.HeldOut.Len(), text.Test.Len())
	}
	if other := prepare(t, c, " "+song); other.SHA256 != text.SHA256 { // the same after cleaning
		t.Errorf("SHA-256 %s and %s", text.SHA256, other.SHA256)
	}
	for _, k := range []struct {
		text   string
		change func(*Config)
		want   string
	}{
		{"", func(*Config) {}, "data: cleaning leaves nothing of a text of 0 bytes: want at least one character"},
		{"a\xffb", func(*Config) {}, "data: byte 0xFF at line 1, column 2 is not UTF-8"},
		{"too short", func(*Config) {}, "data: 9 symbols split into 9 for training, 0 for validation, 0 for test: want at least 24 for training and 2 for each part held out"},
		{song[:30], func(c *Config) { c.Split.Test = 0.03 }, "data: 30 symbols split into 29 for training, 0 for validation, 1 for test: want at least 24 for training and 2 for each part held out"},
		{song[:30], func(c *Config) { c.Split.Validation = 0.3 }, "data: 30 symbols split into 21 for training, 9 for validation, 0 for test: want at least 24 for training and 2 for each part held out"},
		{song, func(c *Config) { c.Vocab = data.VocabOptions{Kind: "word", Unknown: "unk", MinCount: 1000} }, "data: a text of 492 bytes gives no symbols to a word vocabulary: want at least 1"},
	} {
		c := small()
		k.change(&c)
		_, err := Prepare(t.Context(), c, data.String(k.text))
		wantError(t, err, k.want)
	}
}

// Every preset is valid, survives JSON, and prepares the text it is for.
func TestPresets(t *testing.T) {
	for _, name := range []string{"default", "d2l", "awd-lstm", "adding"} {
		c, err := Preset(name)
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		var back Config
		if err := json.Unmarshal(b, &back); err != nil || !reflect.DeepEqual(back, c) {
			t.Errorf("%s: error %v, back as %+v", name, err, back)
		}
		if name == "adding" {
			continue
		}
		lyrics, err := data.Load("lyrics")
		if err != nil {
			t.Fatal(err)
		}
		if text, err := Prepare(t.Context(), c, data.String(lyrics)); c.Preset != name || err != nil || text.HeldOut.Len() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := Preset("best")
	wantError(t, err, `train: preset "best": want default, d2l, awd-lstm, adding, tag, classify or forecast`)
	c, err := Preset("d2l")
	if err != nil {
		t.Fatal(err)
	}
	// Dive into Deep Learning, first Chinese edition, 6.2 to 6.9.
	if r := c.Model.RNN; r.Hidden != 256 || r.Layers != 1 || r.Cell != "gru" || r.Reset != rnn.ResetAfter || r.Biases != 1 || c.Model.Embed != 0 || c.Model.OutputDropout != 0 ||
		c.Batches.Batch != 32 || c.Batches.Steps != 35 || c.Batches.Offset || c.Batches.Sampling != "consecutive" || c.Optimizer != (optim.Rule{Kind: "sgd"}) ||
		c.Schedule.At(0, 0) != 100 || c.Schedule.At(1e6, 0) != 100 || c.ClipNorm != 0.01 || c.ClipValue != 0 || c.Epochs != 160 || c.Init != (rnn.Init{Kind: "normal", Sigma: 0.01}) {
		t.Errorf("d2l: %+v", c)
	}
	if n := int(math.Round((1 - c.Split.Validation) * float64(c.Clean.MaxChars))); n != 10_000 {
		t.Errorf("d2l: %d characters to train on", n)
	}
}
