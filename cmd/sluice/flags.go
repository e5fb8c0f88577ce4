package main

import (
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// threadsFlag is of every command that runs on more than one core.
type threadsFlag struct {
	Threads *int `placeholder:"N" help:"Processor cores to use (all)."`
}

// maxThreads is far beyond what a machine has.
const maxThreads = 1024

// threads is the number given, or else that of the cores.
func (f threadsFlag) threads() (int, error) {
	if f.Threads == nil {
		return min(runtime.GOMAXPROCS(0), maxThreads), nil
	}
	if n := *f.Threads; n < 1 || n > maxThreads {
		return 0, fmt.Errorf("--threads %d: want 1 to %d", n, maxThreads)
	}
	return *f.Threads, nil
}

// A nil flag was not given: the preset decides.
type textFlags struct {
	Vocab      *string  `type:"choice" placeholder:"char|byte|word" help:"What a symbol is."`
	Unknown    *string  `type:"choice" placeholder:"error|skip|unk" help:"What a symbol that the vocabulary lacks does."`
	MinCount   *int     `placeholder:"N" help:"Keep symbols that occur so often (with --unknown skip or unk)."`
	MaxVocab   *int     `placeholder:"N" help:"Keep so many symbols at most (with --unknown skip or unk)."`
	Newlines   *string  `type:"choice" placeholder:"keep|space|drop" help:"What becomes of newlines."`
	Letters    *bool    `negatable:"" help:"Lower-case ASCII letters and single spaces only."`
	MaxChars   *int     `placeholder:"N" help:"Only so many characters from the start; 0: all."`
	Validation *float64 `placeholder:"FRACTION" help:"Part of the data held out, before its end; of series also a number of steps."`
	Lines      *int     `placeholder:"N" help:"Hold out every N-th line or example, in place of a part at the end; 0: none."`
	Test       *float64 `placeholder:"FRACTION" help:"Part of the data never looked at, its end; of series also a number of steps."`
}

type modelFlags struct {
	Cell       *string      `type:"choice" placeholder:"rnn|gru|lstm" help:"The cell."`
	Activation *string      `type:"choice" placeholder:"tanh|relu" help:"Of cell rnn."`
	Reset      *string      `type:"choice" placeholder:"before|after" help:"Where the reset gate of cell gru acts: before or after the product with the state."`
	Hidden     *int         `placeholder:"N" help:"Width of the state."`
	Layers     *int         `placeholder:"N" help:"Layers of the stack."`
	Biases     *int         `placeholder:"1|2" help:"1: one bias for each gate; 2: two, as PyTorch has it."`
	Direction  *string      `type:"choice" placeholder:"forward|backward|bidirectional" help:"A language model and a forecast read forward."`
	Merge      *string      `type:"choice" placeholder:"concat|sum|average|multiply" help:"How the outputs of two directions join."`
	Embed      *int         `placeholder:"N" help:"Width of the embedding; 0: one-hot inputs."`
	Tied       *bool        `negatable:"" help:"One weight for the embedding and the head."`
	Cutoffs    *cutoffsFlag `placeholder:"N,N,…|auto|none" help:"Make the head an adaptive softmax, for vocabularies beyond some 10,000 symbols: the first symbol of each cluster."`
	Peephole   *bool        `negatable:"" help:"Let the gates of cell lstm see its c."`
	Projection *int         `placeholder:"N" help:"Width to which cell lstm projects its state, below --hidden; 0: as wide as that."`
	LayerNorm  *bool        `negatable:"" help:"Normalise within the cell."`

	Dropout          *float64 `placeholder:"P" help:"The three that follow, where they can be."`
	InputDropout     *float64 `placeholder:"P" help:"Of what the stack reads, while training."`
	LayerDropout     *float64 `placeholder:"P" help:"Between layers."`
	OutputDropout    *float64 `placeholder:"P" help:"Of what the head reads."`
	Locked           *bool    `negatable:"" help:"These drop the same values at all steps (variational dropout)."`
	EmbeddingDropout *float64 `placeholder:"P" help:"Of whole symbols of the embedding, for an update."`
	WeightDrop       *float64 `placeholder:"P" help:"Of the recurrent weights, for an update."`
	Zoneout          *float64 `placeholder:"P" help:"Part of the state that stays as it is at a step."`
	ZoneoutCell      *float64 `placeholder:"P" help:"Of the c of cell lstm alike."`

	Init       *string  `type:"choice" placeholder:"pytorch|normal|xavier" help:"How weights start."`
	InitSigma  *float64 `placeholder:"SIGMA" help:"Of --init normal."`
	Orthogonal *bool    `negatable:"" help:"Start the recurrent weights orthogonal."`
	ForgetBias *float64 `placeholder:"B" help:"Where the forget gate's bias of cell lstm starts."`
}

type runFlags struct {
	Batch    *int    `placeholder:"N" help:"Rows of a minibatch."`
	Tokens   *int    `placeholder:"N" help:"tag, classify: steps × rows of a minibatch at most; 0: no bound."`
	Steps    *int    `placeholder:"N" help:"Symbols of a row: how far gradients flow back."`
	Sampling *string `type:"choice" placeholder:"consecutive|random" help:"How minibatches are cut."`
	Offset   *bool   `negatable:"" help:"Start each epoch at another symbol."`
	Vary     *bool   `negatable:"" help:"Draw the steps of each minibatch anew, around --steps."`

	Accumulate *int `placeholder:"N" help:"Minibatches whose mean gradient makes an update."`

	Optimizer    *string  `type:"choice" placeholder:"sgd|adam" help:"Another than the preset's brings its own rate (sgd 1, adam 0.001)."`
	LR           *float64 `name:"lr" placeholder:"RATE" help:"Learning rate."`
	Momentum     *float64 `placeholder:"M" help:"Of sgd."`
	Beta1        *float64 `name:"beta1" placeholder:"B" help:"Of adam."`
	Beta2        *float64 `name:"beta2" placeholder:"B" help:"Of adam."`
	Epsilon      *float64 `placeholder:"E" help:"Of adam."`
	Schedule     *string  `type:"choice" placeholder:"constant|step|cosine|plateau" help:"How the learning rate goes on."`
	Warmup       *int     `placeholder:"N" help:"Updates over which it rises at first."`
	LREvery      *int     `name:"lr-every" placeholder:"N" help:"Updates between the falls of schedule step."`
	LRPatience   *int     `name:"lr-patience" placeholder:"N" help:"Epochs without a better score before a fall of schedule plateau (1)."`
	LRFactor     *float64 `name:"lr-factor" placeholder:"F" help:"What a fall multiplies it by (0.5)."`
	LRFinal      *float64 `name:"lr-final" placeholder:"RATE" help:"Where schedule cosine ends, and plateau falls no further (0)."`
	WeightDecay  *float64 `placeholder:"L" help:"Pull of all weights towards 0; with adam that of AdamW."`
	Average      *int     `placeholder:"N" help:"Keep the mean of the weights from when a score is worse than the best of those more than N before it (averaged SGD); 0: never."`
	ClassWeights *string  `type:"choice" placeholder:"none|balanced" help:"classify: let examples of rare labels count for more."`
	Smoothing    *float64 `placeholder:"E" help:"Of labels: the share of the target spread over all symbols."`
	AR           *float64 `name:"ar" placeholder:"A" help:"Activation regularisation."`
	TAR          *float64 `name:"tar" placeholder:"B" help:"Temporal activation regularisation."`
	Clip         *float64 `placeholder:"NORM" help:"Bound of the gradient's norm; 0: none."`
	ClipValue    *float64 `placeholder:"V" help:"Bound of each of its elements; 0: none."`
	NonFinite    *string  `type:"choice" placeholder:"stop|skip|lower" help:"What is done about a loss or gradient that is not finite: end, leave out the update, or halve the rate, too."`

	Precision *string `type:"choice" placeholder:"float32|bf16" help:"Of what products multiply in training; all else, and the model, is float32."`

	Epochs   *int    `placeholder:"N" help:"How often the data is gone through."`
	Patience *int    `placeholder:"N" help:"End after so many epochs without a better one; 0: do not."`
	Keep     *string `type:"choice" placeholder:"auto|train|held-out|last" help:"Which epoch's weights are kept: best on what, or the last."`
	Seed     *uint64 `placeholder:"N" help:"Of the start, the minibatches and dropout."`

	Prefix        []string `sep:"none" placeholder:"TEXT" help:"A beginning to continue now and then; may be given again."`
	PredictEvery  *int     `placeholder:"N" help:"Epochs between; 0: never."`
	PredictLength *int     `placeholder:"N" help:"Symbols to write after a beginning."`
}

// decodeChoice reads a flag whose placeholder lists what it may be.
func decodeChoice(k *kong.DecodeContext, target reflect.Value) error {
	var value string
	if err := k.Scan.PopValueInto("value", &value); err != nil {
		return err
	}
	choices := strings.Split(k.Value.Tag.PlaceHolder, "|")
	if err := oneOf(value, choices); err != nil {
		return err
	}
	if target.Kind() == reflect.Pointer {
		target.Set(reflect.ValueOf(&value))
	} else {
		target.SetString(value)
	}
	return nil
}

// oneOf is the error of a value that is none of the choices.
func oneOf(value string, choices []string) error {
	if slices.Contains(choices, value) {
		return nil
	}
	last := len(choices) - 1
	return usage("%q: want %s or %s", value, strings.Join(choices[:last], ", "), choices[last])
}
