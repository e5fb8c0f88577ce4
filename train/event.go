package train

import "time"

// Event is what a run tells while it goes on: Start, Progress, Epoch, Sample,
// Skipped, Warning.
type Event interface{ event() }

// Start is told once, before the first update.
type Start struct {
	Task           string `json:"task"` // of the model
	Parameters     int    `json:"parameters"`
	Symbols        int    `json:"symbols"` // V
	TrainSymbols   int    `json:"train_symbols"`
	HeldOutSymbols int    `json:"held_out_symbols"`
	Epochs         int    `json:"epochs"`
	Updates        int    `json:"updates"`               // of the whole run, unless batches differ by epoch
	Figure         string `json:"figure_name,omitempty"` // what Epoch.Figure is: see FigureName
	Resumed        int    `json:"resumed,omitempty"`     // the updates made before, of a run that goes on
}

// Progress is told after every update.
type Progress struct {
	Epoch        int           `json:"epoch"` // from 1
	Update       int           `json:"update"`
	Updates      int           `json:"updates"`
	Loss         float64       `json:"loss"` // of this epoch so far, by what counts: nats per symbol, squared error per value
	LearningRate float64       `json:"learning_rate"`
	GradientNorm float64       `json:"gradient_norm"` // before ClipNorm
	PerSecond    float64       `json:"-"`             // of what counts: symbols, words, examples, values
	Left         time.Duration `json:"-"`             // the time still to go, by what has passed
}

// Epoch is told after every epoch.
type Epoch struct {
	Epoch       int           `json:"epoch"` // from 1
	Updates     int           `json:"updates"`
	Loss        float64       `json:"loss"`                    // over the epoch, while the weights moved
	HeldOutLoss float64       `json:"held_out_loss,omitempty"` // after it; 0: nothing is held out
	Figure      float64       `json:"figure,omitempty"`        // of what is held out: the F1 of spans, else the accuracy, of tags, the macro F1 of labels
	Best        bool          `json:"best"`                    // these weights are the ones to keep so far
	PerSecond   float64       `json:"-"`                       // of what counts
	Time        time.Duration `json:"-"`                       // of training in this epoch, evaluation left out
}

// Sample is a prefix as the model continues it.
type Sample struct {
	Epoch  int    `json:"epoch"`
	Prefix string `json:"prefix"`
	Text   string `json:"text"` // with the prefix
}

// Skipped is an update that was left out, since its loss or gradient was not
// finite.
type Skipped struct {
	Epoch        int     `json:"epoch"`
	Update       int     `json:"update"`        // that it would have been
	Skipped      int     `json:"skipped"`       // of the run so far
	LearningRate float64 `json:"learning_rate"` // from now on
	What         string  `json:"what"`          // overflowed, and the first number found that is not finite
}

// Warning is something that went wrong and did not end the run: a checkpoint or
// the log could not be written.
type Warning struct{ Err error }

func (Start) event()    {}
func (Progress) event() {}
func (Epoch) event()    {}
func (Sample) event()   {}
func (Skipped) event()  {}
func (Warning) event()  {}
