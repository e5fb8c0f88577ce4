// Package train trains a model on a text, on sentences, examples or series, or on a
// problem of its own: truncated backpropagation through time, clipping, an
// optimizer with a schedule, scores of what is held out, and the best weights
// kept.
//
// A [Config] has every option of a run, so that equal configs on equal data make
// equal models, whatever the number of threads. [Prepare] turns a text into what a
// run needs, [PrepareTags], [PrepareLabels] and [PrepareSeries] what the other tasks
// learn from, and [Run] trains. Losses are in nats per symbol, word or example,
// and of numbers squared errors.
package train

import (
	"fmt"
	"math"

	"sluice/data"
	"sluice/model"
	"sluice/nn"
	"sluice/optim"
	"sluice/rnn"
)

// Config is every option of a run. Preset makes one.
type Config struct {
	Preset string `json:"preset,omitempty"` // the preset it started from

	Clean data.Clean        `json:"clean"`
	Vocab data.VocabOptions `json:"vocab"`
	Split data.Fractions    `json:"split"` // the vocabulary is that of the whole text, or of the examples that are trained on

	Tokenizer *data.Vocab `json:"-"` // of kind "tokenizer", where Vocab.Kind is that: the model holds it

	Columns data.Columns     `json:"columns,omitzero"`   // of sentences to tag
	Table   data.Table       `json:"table,omitzero"`     // of examples to classify
	Series  data.SeriesTable `json:"series,omitzero"`    // of series
	MaxRows int              `json:"max_rows,omitempty"` // of series, from the start; 0: all
	Scheme  data.Scheme      `json:"scheme,omitempty"`   // that tags are brought to; "": theirs
	Season  int              `json:"season,omitempty"`   // steps of one of the series, for the forecast to be held against; 0: none

	Model model.Spec `json:"model"` // RNN.Input follows
	Init  rnn.Init   `json:"init"`

	Batches      data.Batches   `json:"batches"`          // Seed is Config.Seed; of sequences Batch alone
	Tokens       int            `json:"tokens,omitempty"` // steps × rows of a minibatch of sequences at most; 0: no bound
	Optimizer    optim.Rule     `json:"optimizer"`
	Schedule     optim.Schedule `json:"schedule"`                // Total 0: all updates of the run
	ClassWeights string         `json:"class_weights,omitempty"` // of labels: none (""), WeightsBalanced
	Smoothing    float64        `json:"smoothing,omitempty"`     // of labels, AR and TAR of activations: see model.Objective
	AR           float64        `json:"ar,omitempty"`
	TAR          float64        `json:"tar,omitempty"`
	ClipNorm     float64        `json:"clip_norm,omitempty"`  // of the whole gradient; 0: none
	ClipValue    float64        `json:"clip_value,omitempty"` // of each element, before ClipNorm; 0: none

	Accumulate int    `json:"accumulate,omitempty"` // minibatches whose mean gradient makes an update; 0: 1
	NonFinite  string `json:"non_finite,omitempty"` // what is done about a loss or gradient that is not finite: NonFiniteStop (also ""), NonFiniteSkip, NonFiniteLower

	Precision string `json:"precision,omitempty"` // of what products multiply in training: Float32 (also ""), BF16; all else is float32

	Epochs   int    `json:"epochs"`
	Patience int    `json:"patience,omitempty"` // scores in a row without a better one after which the run ends; 0: it does not
	Average  int    `json:"average,omitempty"`  // n: once a score is worse than the best of those more than n before it, the mean of the parameters from then on is what is scored and kept (averaged SGD as Merity et al. 2018 start it); 0: never
	Keep     string `json:"keep,omitempty"`     // which epoch's weights: KeepAuto (also ""), KeepTrain, KeepHeldOut, KeepLast
	Seed     uint64 `json:"seed"`               // of the start, the batches and the masks

	Prefixes      []string `json:"prefixes,omitempty"`       // continued every so often, always with the most probable symbol
	PredictEvery  int      `json:"predict_every,omitempty"`  // epochs; 0: never
	PredictLength int      `json:"predict_length,omitempty"` // symbols after the prefix
}

// Which epoch's weights a run keeps.
const (
	KeepAuto    = "auto"     // KeepTrain of a text below LearntByHeart training symbols or where nothing is held out, else KeepHeldOut
	KeepTrain   = "train"    // the lowest training loss
	KeepHeldOut = "held-out" // the best on what is held out: the lowest loss, or the highest figure of a task that has one, see Epoch
	KeepLast    = "last"
)

// WeightsBalanced makes examples of a label count in inverse proportion to how many
// there are.
const WeightsBalanced = "balanced"

// The precisions of training's products: see nn.Mixed for BF16.
const (
	Float32 = "float32"
	BF16    = "bf16"
)

// Products is the precision to pack a model as to train it.
func (c Config) Products() nn.Precision {
	if c.Precision == BF16 {
		return nn.Mixed
	}
	return nn.Float32
}

// LearntByHeart is the number of training symbols below which a model is
// expected to learn its text by heart, as in D2L's experiment: held-out text
// then says when to stop long before the model writes lines like the corpus.
const LearntByHeart = 20_000

// What bounds a run; nothing useful comes near.
const (
	maxEpochs     = 1 << 24
	maxAccumulate = 1 << 20
)

// Validate says which field cannot be, and what is allowed.
func (c Config) Validate() error {
	spec, batches, schedule := c.Model, c.Batches, c.Schedule
	if spec.RNN.Input == 0 {
		spec.RNN.Input = 1 // it follows from the vocabulary
	}
	if schedule.Total == 0 {
		schedule.Total = schedule.Warmup + 1 // it follows from the text
	}
	for _, check := range []func() error{c.Clean.Validate, c.Vocab.Validate, c.validateSplit, c.Columns.Validate, c.Table.Validate, c.Series.Validate, c.Scheme.Validate, spec.Validate, c.Init.Validate, batches.Validate, c.Optimizer.Validate, schedule.Validate} {
		if err := check(); err != nil {
			return err
		}
	}
	if err := c.objective(nil).Validate(c.Model); err != nil {
		return err
	}
	switch {
	case batches.Cover:
		return fmt.Errorf("train: batches that cover every symbol are for evaluation")
	case c.Epochs < 1 || c.Epochs > maxEpochs:
		return fmt.Errorf("train: %d epochs: want 1 to %d", c.Epochs, maxEpochs)
	case !(c.ClipNorm >= 0) || math.IsInf(c.ClipNorm, 0):
		return fmt.Errorf("train: clipping at norm %v: want 0 (none) or more", c.ClipNorm)
	case !(c.ClipValue >= 0) || math.IsInf(c.ClipValue, 0):
		return fmt.Errorf("train: clipping at value %v: want 0 (none) or more", c.ClipValue)
	case c.Accumulate < 0 || c.Accumulate > maxAccumulate:
		return fmt.Errorf("train: updates from %d minibatches: want 0 (one) to %d", c.Accumulate, maxAccumulate)
	case c.Tokens < 0:
		return fmt.Errorf("train: %d tokens of a minibatch: want 0 (no bound) or more", c.Tokens)
	case c.MaxRows < 0:
		return fmt.Errorf("train: %d rows of a series: want 0 (all) or more", c.MaxRows)
	case c.Season < 0 || c.Season > model.MaxHorizon:
		return fmt.Errorf("train: a season of %d steps: want 0 (none) to %d", c.Season, model.MaxHorizon)
	case batches.Vary && spec.Task != model.LM:
		return fmt.Errorf("train: minibatches of varied steps: of a text, and the task is %s", spec.Task)
	case spec.Task == model.Tag && c.Vocab.Kind != "word":
		return fmt.Errorf("train: a vocabulary of kind %q: a tagger's is of words", c.Vocab.Kind)
	case spec.Task == model.Forecast && c.Split.Lines > 0:
		return fmt.Errorf("train: one line in %d held out: of a series a part is, want a fraction or a number of steps", c.Split.Lines)
	case c.Patience < 0:
		return fmt.Errorf("train: patience of %d scores: want 0 (none) or more", c.Patience)
	case c.Average < 0:
		return fmt.Errorf("train: average after %d scores: want 0 (never) or more", c.Average)
	case c.Patience > 0 && c.Keep == KeepLast:
		return fmt.Errorf("train: patience of %d scores: with keep %q each is better than the one before, want 0", c.Patience, KeepLast)
	case c.PredictEvery < 0:
		return fmt.Errorf("train: samples every %d epochs: want 0 (never) or more", c.PredictEvery)
	case c.PredictLength < 0:
		return fmt.Errorf("train: samples of %d symbols: want 0 or more", c.PredictLength)
	}
	if c.ClassWeights != "" && c.Smoothing > 0 {
		return fmt.Errorf("train: class weights %q with label smoothing %v: want one of the two", c.ClassWeights, c.Smoothing)
	}
	if c.ClassWeights != "" && (c.ClassWeights != WeightsBalanced || spec.Task != model.Classify) {
		return fmt.Errorf("train: class weights %q: want %s, of task %s, or none", c.ClassWeights, WeightsBalanced, model.Classify)
	}
	if c.Precision != "" && c.Precision != Float32 && c.Precision != BF16 {
		return fmt.Errorf("train: precision %q: want %s or %s", c.Precision, Float32, BF16)
	}
	switch c.NonFinite {
	case "", NonFiniteStop, NonFiniteSkip, NonFiniteLower:
	default:
		return fmt.Errorf("train: non-finite %q: want %s, %s or %s", c.NonFinite, NonFiniteStop, NonFiniteSkip, NonFiniteLower)
	}
	switch c.Keep {
	case "", KeepAuto, KeepTrain, KeepHeldOut, KeepLast:
	default:
		return fmt.Errorf("train: keep %q: want %s, %s, %s or %s", c.Keep, KeepAuto, KeepTrain, KeepHeldOut, KeepLast)
	}
	return nil
}

// validateSplit allows of series numbers of steps, too.
func (c Config) validateSplit() error {
	if c.Model.Task != model.Forecast {
		return c.Split.Validate()
	}
	for _, f := range []float64{c.Split.Validation, c.Split.Test} {
		if !(f >= 0 && f < 1 || f >= 1 && f < math.MaxInt32 && f == math.Trunc(f)) {
			return fmt.Errorf("train: a part of %v of the series: want a fraction below 1 or a number of steps", f)
		}
	}
	return nil
}

// objective is what an update minimises, with the masks of key.
func (c Config) objective(key *nn.Key) model.Objective {
	return model.Objective{Dropout: key, Smoothing: c.Smoothing, AR: c.AR, TAR: c.TAR}
}

// Preset makes a Config:
//
//	default  our own: better than d2l at equal time
//	d2l      the hyper-parameters of Dive into Deep Learning, first Chinese
//	         edition, chapter 6: 10,000 characters, one layer of 256 hidden
//	         units, 35 steps × 32 rows, SGD at rate 100, clipping at 0.01,
//	         160 epochs. What follows the 10,000 characters is held out.
//	awd-lstm the recipe of Merity et al. 2018 for language models of words: three
//	         LSTM layers, tied to their embedding, with dropout wherever it may
//	         be, SGD at rate 30 and then the mean of its weights. All layers
//	         have the width of the embedding; the paper's inner ones are wider.
//	adding   the adding problem of 200 steps: a regression, see Adding.
//	tag      words and their characters, a bidirectional LSTM and a CRF, after
//	         Lample et al. 2016 (arXiv 1603.01360)
//	classify characters, a bidirectional GRU and the largest of each unit's outputs
//	forecast directly by segments, after SegRNN (Lin et al. 2023, arXiv 2308.11200)
func Preset(name string) (Config, error) {
	c := Config{
		Preset:        name,
		Clean:         data.Clean{Newlines: "keep"},
		Vocab:         data.VocabOptions{Kind: "char", Unknown: "error"},
		Model:         model.Spec{Task: model.LM, RNN: rnn.Config{Cell: "gru", Reset: rnn.ResetAfter, Hidden: 256, Layers: 1, Biases: 1, Direction: rnn.Forward}},
		Init:          rnn.Init{Kind: "pytorch"},
		Batches:       data.Batches{Batch: 32, Steps: 35, Sampling: "consecutive"},
		Schedule:      optim.Schedule{Kind: "constant"},
		Precision:     Float32,
		Accumulate:    1,
		NonFinite:     NonFiniteStop,
		PredictLength: 50,
		Keep:          KeepAuto,
		Seed:          1,
	}
	switch name {
	case "default":
		c.Split.Validation = 0.1
		c.Model.OutputDropout = 0.2
		c.Batches.Offset = true
		c.Optimizer = optim.Rule{Kind: "adam", Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}
		c.Schedule = optim.Schedule{Kind: "cosine", Rate: 0.01}
		c.ClipNorm = 1
		c.Epochs, c.PredictEvery = 40, 10
	case "d2l":
		c.Clean.Newlines, c.Clean.MaxChars = "space", 12_500
		c.Split.Validation = 0.2
		c.Init = rnn.Init{Kind: "normal", Sigma: 0.01}
		c.Optimizer = optim.Rule{Kind: "sgd"}
		c.Schedule.Rate = 100
		c.ClipNorm = 0.01
		c.Epochs, c.PredictEvery = 160, 40
	case "awd-lstm":
		c.Vocab = data.VocabOptions{Kind: "word", Unknown: "unk"}
		c.Split.Validation = 0.1
		c.Model = model.Spec{
			Task: model.LM, Embed: 400, Tied: true, InputDropout: 0.4, OutputDropout: 0.4, EmbeddingDropout: 0.1,
			RNN: rnn.Config{Cell: "lstm", Hidden: 400, Layers: 3, Biases: 1, Direction: rnn.Forward, Dropout: 0.25, Locked: true, WeightDrop: 0.5},
		}
		c.Batches = data.Batches{Batch: 20, Steps: 70, Sampling: "consecutive", Vary: true}
		c.Optimizer = optim.Rule{Kind: "sgd", Decay: 1.2e-6}
		c.Schedule.Rate = 30
		c.AR, c.TAR, c.ClipNorm = 2, 1, 0.25
		c.Epochs, c.Average, c.PredictEvery, c.Keep = 100, 5, 10, KeepHeldOut
	case "adding":
		c.Clean, c.Vocab = data.Clean{}, data.VocabOptions{}
		c.Model = model.Spec{Task: model.Regress, Features: 2, Outputs: 1, RNN: rnn.Config{Cell: "gru", Reset: rnn.ResetAfter, Hidden: 128, Layers: 1, Biases: 1, Direction: rnn.Forward}}
		c.Batches.Batch, c.Batches.Steps = 50, 200
		c.Optimizer = optim.Rule{Kind: "adam", Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}
		c.Schedule.Rate = 0.001
		c.ClipNorm = 1
		c.Epochs, c.PredictLength = 30, 0
	case model.Tag, model.Classify, model.Forecast:
		c.task(name)
	default:
		return Config{}, fmt.Errorf("train: preset %q: want default, d2l, awd-lstm, adding, tag, classify or forecast", name)
	}
	return c, nil
}

// task makes the preset of a task of sequences.
func (c *Config) task(name string) {
	c.Clean, c.Vocab = data.Clean{}, data.VocabOptions{}
	c.Split = data.Fractions{Lines: 10}
	c.Batches = data.Batches{Batch: 32, Steps: 1, Sampling: "consecutive"}
	c.Optimizer = optim.Rule{Kind: "adam", Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}
	c.Schedule = optim.Schedule{Kind: "cosine", Rate: 0.003}
	c.ClipNorm, c.Tokens = 1, 8192
	c.Epochs, c.PredictLength = 20, 0
	switch name {
	case model.Tag:
		c.Epochs = 10
		c.Vocab = data.VocabOptions{Kind: "word", Unknown: "unk", MinCount: 2}
		c.Model = model.Spec{
			Task: model.Tag, Embed: 100, Lower: true, Chars: model.Chars{Embed: 32, Hidden: 50}, CRF: true, InputDropout: 0.5, OutputDropout: 0.5,
			RNN: rnn.Config{Cell: "lstm", Hidden: 128, Layers: 1, Biases: 1, Direction: rnn.Bidirectional},
		}
	case model.Classify:
		c.Vocab = data.VocabOptions{Kind: "char", Unknown: "unk"}
		c.Model = model.Spec{
			Task: model.Classify, Embed: 64, Pool: model.PoolMax, InputDropout: 0.2, OutputDropout: 0.2,
			RNN: rnn.Config{Cell: "gru", Reset: rnn.ResetAfter, Hidden: 128, Layers: 1, Biases: 1, Direction: rnn.Bidirectional},
		}
	case model.Forecast:
		c.Split = data.Fractions{Validation: 0.1, Test: 0.1}
		c.Model = model.Spec{
			Task: model.Forecast, Embed: 128, OutputDropout: 0.2, Forecast: model.ForecastOf{Window: 168, Horizon: 24, Segment: 24, Quantiles: []float64{0.1, 0.9}},
			RNN: rnn.Config{Cell: "gru", Reset: rnn.ResetAfter, Hidden: 128, Layers: 1, Biases: 1, Direction: rnn.Forward},
		}
		c.Schedule.Rate, c.Tokens = 0.001, 0
		c.Epochs = 10
	}
}
