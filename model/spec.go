package model

import (
	"fmt"
	"math"

	"sluice/rnn"
)

// MaxEmbed bounds the width of an embedding.
const MaxEmbed = 1 << 20

// Spec is everything that fixes the function of a model but its weights and
// its vocabulary, and what is dropped while it is trained.
type Spec struct {
	Task     string `json:"task"`               // LM, Tag, Classify, Forecast, Regress
	Embed    int    `json:"embed,omitempty"`    // E: width of the embedding of symbols, 0: one-hot inputs; of numbers a linear layer with ReLU, 0: none
	Features int    `json:"features,omitempty"` // F: numbers that are read at a step in the place of a symbol; of a forecast it follows
	Outputs  int    `json:"outputs,omitempty"`  // K: values that a regression gives
	Tied     bool   `json:"tied,omitempty"`     // head.weight is embed.weight: E is RNN.OutputSize

	Lower    bool       `json:"lower,omitempty"`   // tag: words are looked up in lower case; their spelling keeps it
	Chars    Chars      `json:"chars,omitzero"`    // how words are spelled, where they are
	CRF      bool       `json:"crf,omitempty"`     // tag: sequences of tags are scored as a whole: see nn.CRF
	Pool     string     `json:"pool,omitempty"`    // classify: what the head reads of the outputs; "" is PoolLast
	Forecast ForecastOf `json:"forecast,omitzero"` // of a forecast

	// Cutoffs make the head of a language model an adaptive softmax: see
	// nn.Adaptive. They are the first symbol of each cluster: rising, above 0 and
	// below V, nn.AdaptiveCutoffs(V) for one. Without any it is a full softmax.
	// Symbols are to be numbered by frequency, the most frequent first, as
	// data.BuildVocab does, but not for bytes: else the model is as exact and as
	// valid, but slower, and has little width for what is frequent.
	Cutoffs []int `json:"cutoffs,omitempty"`

	// Probabilities in [0, 1), while training.
	InputDropout     float64 `json:"input_dropout,omitempty"`     // of each value that the stack reads: of embeddings or numbers
	OutputDropout    float64 `json:"output_dropout,omitempty"`    // of each value that the head reads
	EmbeddingDropout float64 `json:"embedding_dropout,omitempty"` // of whole rows of the embedding for an update, where it is read and not where it is the tied head: see RepackDropped

	RNN rnn.Config `json:"rnn"` // its Input follows from Embed, Features or the vocabulary; its Locked is for InputDropout and OutputDropout, too
}

// Validate says which field cannot be, and what is allowed. RNN.Input must be
// set.
func (s Spec) Validate() error {
	t, err := taskOf(s.Task)
	switch {
	case err != nil:
		return err
	case s.Embed < 0 || s.Embed > MaxEmbed:
		return fmt.Errorf("model: embedding of width %d: want 0 to %d", s.Embed, MaxEmbed)
	case s.Features < 0 || s.Features > rnn.MaxWidth:
		return fmt.Errorf("model: inputs of %d numbers: want 0 to %d", s.Features, rnn.MaxWidth)
	case s.Outputs < 0 || s.Outputs > rnn.MaxWidth:
		return fmt.Errorf("model: %d outputs: want 0 to %d", s.Outputs, rnn.MaxWidth)
	}
	for _, d := range []struct {
		name string
		p    float64
		acts bool
		on   string
	}{
		{"input dropout", s.InputDropout, s.Embed > 0 || s.Features > 0, "embeddings or numbers, and inputs are one-hot"},
		{"output dropout", s.OutputDropout, true, ""},
		{"embedding dropout", s.EmbeddingDropout, s.Embed > 0 && s.Features == 0, "an embedding, and there is none"},
	} {
		switch {
		case !(d.p >= 0 && float32(d.p) < 1): // masks are float32
			return fmt.Errorf("model: %s %v: want a number in [0, 1)", d.name, d.p)
		case d.p > 0 && !d.acts:
			return fmt.Errorf("model: %s %v: acts on %s", d.name, d.p, d.on)
		}
	}
	if err := s.validateChars(); err != nil {
		return err
	}
	switch {
	case s.Tied && s.Task != LM:
		return fmt.Errorf("model: tied embedding of width %d: the head of task %s has no symbols", s.Embed, s.Task)
	case len(s.Cutoffs) > 0 && s.Task != LM:
		return fmt.Errorf("model: cutoffs %v: act on symbols, and task %s has none to say", s.Cutoffs, s.Task)
	}
	if err := t.validate(s); err != nil {
		return err
	}
	for _, f := range []struct {
		on         bool
		what, task string
	}{{s.Outputs > 0, fmt.Sprintf("%d outputs", s.Outputs), Regress}, {s.CRF, "a CRF", Tag}, {s.Lower, "words in lower case", Tag}, {s.Pool != "", "a pool", Classify}, {!s.Forecast.none(), "a window or horizon", Forecast}} {
		if f.on && s.Task != f.task {
			return fmt.Errorf("model: %s: of task %s, and this is %s", f.what, f.task, s.Task)
		}
	}
	if err := s.RNN.Validate(); err != nil {
		return err
	}
	if s.Tied && s.Embed != s.RNN.OutputSize() {
		return fmt.Errorf("model: tied embedding of width %d: want %d, what the head reads", s.Embed, s.RNN.OutputSize())
	}
	if len(s.Cutoffs) > 0 {
		return s.adaptiveConfig(math.MaxInt32).Validate() // New knows V
	}
	return nil
}

// forward is the error of a stack of another direction.
func (s Spec) forward(why string) error {
	if d := s.RNN.Direction; d == rnn.Backward || d == rnn.Bidirectional {
		return fmt.Errorf("model: a %s %s: want direction forward", d, why)
	}
	return nil
}

// only is the error of a model of another task than the one that can be used so.
func (s Spec) only(task, use string) error {
	if s.Task != task {
		return fmt.Errorf("model: a model of task %s: want %s to %s", s.Task, task, use)
	}
	return nil
}
