package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"sluice/data"
	"sluice/model"
	"sluice/optim"
	"sluice/rnn"
	"sluice/train"
)

// option is a flag and the field of a Config that it sets.
type option struct {
	name  string
	given bool
	take  func()     // sets the field if the flag was given
	value func() any // of the field
	needs string     // what must be chosen for it to act, where that is not so
}

// opt binds a flag to a field.
func opt[T any](name string, flag *T, field *T) option {
	return option{
		name: name, given: flag != nil,
		take:  func() { set(field, flag) },
		value: func() any { return *field },
	}
}

// set takes a flag over if it was given.
func set[T any](field, flag *T) {
	if flag != nil {
		*field = *flag
	}
}

// with is an option that acts with others only.
func (o option) with(acts bool, needs string) option {
	if !acts {
		o.needs = needs
	}
	return o
}

// take sets the fields of the flags given. One that would not act is an error.
func take(options []option) error {
	for _, o := range options {
		if err := actWith([]condition{{o.name, o.given, o.needs == "", o.needs}}); err != nil {
			return err
		}
		o.take()
	}
	return nil
}

// condition is what a flag needs to act.
type condition struct {
	flag        string
	given, acts bool
	with        string
}

// actWith is the error of a flag that was given and would not act.
func actWith(flags []condition) error {
	for _, f := range flags {
		if f.given && !f.acts {
			return usage("--%s acts with %s only", f.flag, f.with)
		}
	}
	return nil
}

// choose sets what other flags depend on: where there are letters only, there are
// no newlines to keep; lines are held out in place of the preset's part.
func (f textFlags) choose(c *train.Config) {
	switch {
	case f.Lines != nil && *f.Lines > 0 && f.Validation == nil:
		c.Split.Validation = 0
	case f.Validation != nil && *f.Validation > 0 && f.Lines == nil:
		c.Split.Lines = 0
	}
	if f.Letters != nil && *f.Letters && f.Newlines == nil && c.Clean.Newlines == "keep" {
		c.Clean.Newlines = "space"
	}
}

func (f textFlags) options(c *train.Config) []option {
	return []option{
		opt("vocab", f.Vocab, &c.Vocab.Kind),
		opt("unknown", f.Unknown, &c.Vocab.Unknown),
		opt("min-count", f.MinCount, &c.Vocab.MinCount),
		opt("max-vocab", f.MaxVocab, &c.Vocab.MaxSize),
		opt("newlines", f.Newlines, &c.Clean.Newlines),
		opt("letters", f.Letters, &c.Clean.Letters),
		opt("max-chars", f.MaxChars, &c.Clean.MaxChars),
		opt("validation", f.Validation, &c.Split.Validation),
		opt("lines", f.Lines, &c.Split.Lines),
		opt("test", f.Test, &c.Split.Test),
	}
}

// choose sets what other flags depend on. Another cell or initialisation than
// before drops what belongs to that one. fresh is a Config that is a preset's.
func (f modelFlags) choose(c *train.Config, fresh bool) {
	m, stack, init := &c.Model, &c.Model.RNN, &c.Init
	if f.Cell != nil && *f.Cell != stack.Cell {
		stack.Cell, stack.Reset, stack.Activation, stack.ZoneoutCell, init.ForgetBias = *f.Cell, "", "", 0, 0
		stack.Peephole, stack.Projection = false, 0
		if stack.Cell == "gru" {
			stack.Reset = rnn.ResetAfter
		}
	}
	set(&stack.Layers, f.Layers)
	set(&m.Embed, f.Embed)
	set(&stack.Hidden, f.Hidden)
	set(&stack.Projection, f.Projection)
	if tied := f.Tied != nil && *f.Tied || f.Tied == nil && m.Tied; tied && f.Embed == nil {
		m.Embed = stack.HSize()
	}
	p := m.OutputDropout
	if set(&p, f.Dropout); f.Dropout != nil || fresh && !stack.Locked && !sequences(m.Task) { // the one rate of a preset that has one
		m.InputDropout, stack.Dropout, m.OutputDropout = p, p, p
	}
	if m.Embed == 0 && m.Features == 0 {
		m.InputDropout, m.EmbeddingDropout = 0, 0 // one-hot inputs are not dropped
	}
	if stack.Layers == 1 {
		stack.Dropout = 0 // it acts between layers
	}
	if stack.Cell == "rnn" && stack.Activation == "" {
		stack.Activation = "tanh"
	}
	if f.Init != nil && *f.Init != init.Kind {
		init.Kind, init.Sigma = *f.Init, 0
		if init.Kind == "normal" {
			init.Sigma = 0.01
		}
	}
}

// oneRate says whether the three dropouts follow one rate.
func (f modelFlags) oneRate() bool {
	return f.InputDropout == nil && f.LayerDropout == nil && f.OutputDropout == nil
}

func (f modelFlags) options(c *train.Config) []option {
	m, stack, init := &c.Model, &c.Model.RNN, &c.Init
	return []option{
		opt("cell", f.Cell, &stack.Cell),
		opt("activation", f.Activation, &stack.Activation).with(stack.Cell == "rnn", "--cell rnn"),
		opt("reset", f.Reset, (*string)(&stack.Reset)).with(stack.Cell == "gru", "--cell gru"),
		opt("hidden", f.Hidden, &stack.Hidden),
		opt("layers", f.Layers, &stack.Layers),
		opt("biases", f.Biases, &stack.Biases),
		opt("direction", f.Direction, (*string)(&stack.Direction)),
		opt("peephole", f.Peephole, &stack.Peephole).with(stack.Cell == "lstm", "--cell lstm"),
		opt("projection", f.Projection, &stack.Projection).with(stack.Cell == "lstm", "--cell lstm"),
		opt("layer-norm", f.LayerNorm, &stack.LayerNorm),
		opt("embed", f.Embed, &m.Embed),
		opt("tied", f.Tied, &m.Tied),
		f.Cutoffs.option(&m.Cutoffs).with(m.Task == model.LM, "a text"),
		opt("merge", f.Merge, (*string)(&stack.Merge)).with(stack.Direction == rnn.Bidirectional, "--direction bidirectional"),
		opt("input-dropout", f.InputDropout, &m.InputDropout),
		opt("layer-dropout", f.LayerDropout, &stack.Dropout),
		opt("output-dropout", f.OutputDropout, &m.OutputDropout),
		opt("locked", f.Locked, &stack.Locked),
		opt("embedding-dropout", f.EmbeddingDropout, &m.EmbeddingDropout),
		opt("weight-drop", f.WeightDrop, &stack.WeightDrop),
		opt("zoneout", f.Zoneout, &stack.Zoneout),
		opt("zoneout-cell", f.ZoneoutCell, &stack.ZoneoutCell).with(stack.Cell == "lstm", "--cell lstm"),
		opt("init", f.Init, &init.Kind),
		opt("init-sigma", f.InitSigma, &init.Sigma).with(init.Kind == "normal", "--init normal"),
		opt("orthogonal", f.Orthogonal, &init.Orthogonal),
		opt("forget-bias", f.ForgetBias, &init.ForgetBias).with(stack.Cell == "lstm", "--cell lstm"),
	}
}

// classWeights are the flag as the Config has it.
func (f runFlags) classWeights(c *train.Config) option {
	o := opt("class-weights", f.ClassWeights, &c.ClassWeights)
	o.take = func() {
		if f.ClassWeights != nil {
			c.ClassWeights = strings.TrimPrefix(*f.ClassWeights, "none")
		}
	}
	o.value = func() any { return cmp.Or(c.ClassWeights, "none") }
	return o.with(c.Model.Task == model.Classify, "task classify")
}

// choose sets what other flags depend on. Another optimizer or schedule than the
// preset's drops what belongs to that one.
func (f runFlags) choose(c *train.Config) {
	o, s := &c.Optimizer, &c.Schedule
	if f.Optimizer != nil && *f.Optimizer != o.Kind {
		switch *f.Optimizer {
		case "sgd":
			*o, s.Rate, s.Final = optim.Rule{Kind: "sgd"}, 1, 0
		case "adam":
			*o, s.Rate, s.Final = optim.Rule{Kind: "adam", Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}, 0.001, 0
		}
	}
	if f.Schedule != nil && *f.Schedule != s.Kind {
		*s = optim.Schedule{Kind: *f.Schedule, Rate: s.Rate, Warmup: s.Warmup}
		switch s.Kind {
		case "step":
			s.Factor = 0.5
		case "plateau":
			s.Factor, s.Patience = 0.5, 1
		}
	}
}

func (f runFlags) options(c *train.Config) []option {
	o, s := &c.Optimizer, &c.Schedule
	return []option{
		opt("batch", f.Batch, &c.Batches.Batch),
		opt("tokens", f.Tokens, &c.Tokens).with(c.Model.Task == model.Tag || c.Model.Task == model.Classify, "task tag or classify"),
		opt("steps", f.Steps, &c.Batches.Steps).with(!sequences(c.Model.Task), "a text or the adding problem"),
		opt("sampling", f.Sampling, &c.Batches.Sampling).with(c.Model.Task == model.LM, "a text"),
		opt("offset", f.Offset, &c.Batches.Offset).with(c.Model.Task == model.LM, "a text"),
		opt("vary", f.Vary, &c.Batches.Vary).with(c.Model.Task == model.LM, "a text"),
		opt("accumulate", f.Accumulate, &c.Accumulate),
		opt("optimizer", f.Optimizer, &o.Kind),
		opt("lr", f.LR, &s.Rate),
		opt("momentum", f.Momentum, &o.Momentum).with(o.Kind == "sgd", "--optimizer sgd"),
		opt("beta1", f.Beta1, &o.Beta1).with(o.Kind == "adam", "--optimizer adam"),
		opt("beta2", f.Beta2, &o.Beta2).with(o.Kind == "adam", "--optimizer adam"),
		opt("epsilon", f.Epsilon, &o.Epsilon).with(o.Kind == "adam", "--optimizer adam"),
		opt("schedule", f.Schedule, &s.Kind),
		opt("warmup", f.Warmup, &s.Warmup),
		opt("lr-every", f.LREvery, &s.Every).with(s.Kind == "step", "--schedule step"),
		opt("lr-patience", f.LRPatience, &s.Patience).with(s.Kind == "plateau", "--schedule plateau"),
		opt("lr-factor", f.LRFactor, &s.Factor).with(s.Kind == "step" || s.Kind == "plateau", "--schedule step or plateau"),
		opt("lr-final", f.LRFinal, &s.Final).with(s.Kind == "cosine" || s.Kind == "plateau", "--schedule cosine or plateau"),
		opt("weight-decay", f.WeightDecay, &o.Decay),
		opt("average", f.Average, &c.Average),
		f.classWeights(c),
		opt("smoothing", f.Smoothing, &c.Smoothing),
		opt("ar", f.AR, &c.AR),
		opt("tar", f.TAR, &c.TAR),
		opt("clip", f.Clip, &c.ClipNorm),
		opt("clip-value", f.ClipValue, &c.ClipValue),
		opt("non-finite", f.NonFinite, &c.NonFinite),
		opt("precision", f.Precision, &c.Precision),
		opt("epochs", f.Epochs, &c.Epochs),
		opt("patience", f.Patience, &c.Patience),
		opt("keep", f.Keep, &c.Keep),
		opt("seed", f.Seed, &c.Seed),
		opt("predict-every", f.PredictEvery, &c.PredictEvery).with(c.Model.Task == model.LM, "a text"),
		opt("predict-length", f.PredictLength, &c.PredictLength).with(c.Model.Task == model.LM, "a text"),
	}
}

// sequences says whether a task is of whole sequences.
func sequences(task string) bool {
	return task == model.Tag || task == model.Classify || task == model.Forecast
}

// prefixed is a text after a prefix, "" for none.
func prefixed(prefix, text string) string {
	if text == "" {
		return ""
	}
	return prefix + text
}

// group is the options under a heading.
type group struct {
	title   string
	options []option
}

func (c *trainCmd) options(config *train.Config) []group {
	text := c.TextFlags.options(config)
	for i := range text {
		acts, needs := config.Model.Task == model.LM, "a text"
		switch text[i].name {
		case "vocab":
			acts, needs = acts || config.Model.Task == model.Classify, "a text or task classify"
		case "unknown", "min-count", "max-vocab":
			acts = acts || config.Model.Task == model.Classify || config.Model.Task == model.Tag
			needs = "a text, task tag or classify"
		case "validation", "test":
			acts, needs = config.Model.Task != model.Regress, "data that is read"
		case "lines":
			acts, needs = config.Model.Task != model.Regress && config.Model.Task != model.Forecast, "a text, task tag or classify"
		}
		if acts && config.Tokenizer != nil && slices.Contains([]string{"vocab", "unknown", "min-count", "max-vocab"}, text[i].name) {
			acts, needs = false, "a vocabulary of the text, not a tokenizer's,"
		}
		text[i] = text[i].with(acts, needs)
	}
	return []group{
		{"Data", slices.Concat(text, c.FileFlags.options(config), c.DataFlags.options(config))},
		{"Model", append(c.ModelFlags.options(config), c.TaskFlags.options(config)...)},
		{"Training", c.RunFlags.options(config)},
	}
}

// readTokenizer takes the tokenizer of --tokenizer.
func (c *trainCmd) readTokenizer(config *train.Config) (err error) {
	if c.Tokenizer == "" {
		return nil
	}
	if task := config.Model.Task; task != model.LM && task != model.Classify {
		return usage("--tokenizer acts with a text or task classify only")
	}
	if config.Tokenizer, err = data.OpenVocab(c.Tokenizer); err != nil {
		return err
	}
	if config.Tokenizer.Kind() != "tokenizer" {
		return fmt.Errorf("%s: a list of symbols: want a tokenizer.json", c.Tokenizer)
	}
	config.Vocab = data.VocabOptions{Kind: "tokenizer", Unknown: "error"}
	return nil
}

// config is the preset, or what a run file has, with the flags given.
func (c *trainCmd) config(base *trainCmd) (config train.Config, err error) {
	if base != nil {
		if config, err = base.config(nil); err != nil {
			err = fmt.Errorf("%s: %w", base.path, err)
		}
	} else {
		if c.Preset == "" {
			switch c.Preset = "default"; {
			case c.Data == adding:
				c.Preset = adding
			case sequences(c.task):
				c.Preset = c.task
			}
		}
		config, err = train.Preset(c.Preset)
		if config.Model.Task == model.Forecast && len(c.Args) == 0 && len(c.Files) == 0 && (c.Data == "" || setOf(c.Data) == builtInFor[model.Forecast]) {
			config.Season = 7 * 24 // weeks of hours
		}
	}
	if err != nil {
		return config, err
	}
	if seed := c.RunFlags.Seed; seed != nil && *seed > math.MaxInt64 { // what a run file can hold
		return config, fmt.Errorf("--seed %d: want 0 to %d", *seed, math.MaxInt64)
	}
	if c.task != "" && c.task != config.Model.Task {
		return config, usage("train %s: with %s: a model of task %s", c.task, cmp.Or(prefixed("--preset ", c.Preset), "the run file"), config.Model.Task)
	}
	if c.Data == adding && config.Model.Task != model.Regress {
		return config, usage("--data adding: want --preset adding, not %s", config.Preset)
	}
	if c.TestOn != "" && c.TextFlags.Test != nil && *c.TextFlags.Test > 0 {
		return config, usage("--test-on %s with --test: want one or the other", c.TestOn)
	}
	if t := c.TextFlags; c.HeldOut != "" && (t.Lines != nil && *t.Lines > 0 || t.Validation != nil && *t.Validation > 0) {
		return config, usage("--held-out %s with --lines or --validation: want one or the other", c.HeldOut)
	}
	if c.HeldOut != "" {
		config.Split = data.Fractions{Test: config.Split.Test}
	}
	if err := c.readTokenizer(&config); err != nil {
		return config, err
	}
	c.TextFlags.choose(&config)
	c.ModelFlags.choose(&config, base == nil || base.ModelFlags.oneRate())
	c.TaskFlags.choose(&config, c.ModelFlags.Embed, c.ModelFlags.Hidden)
	c.RunFlags.choose(&config)
	for _, g := range c.options(&config) {
		if err := take(g.options); err != nil {
			return config, err
		}
	}
	if s := config.Schedule; s.Kind == "step" && s.Every == 0 && c.RunFlags.LREvery == nil {
		return config, usage("--schedule step: want --lr-every too")
	}
	return config, config.Validate()
}
