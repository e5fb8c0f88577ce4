package train

import "time"

// Event is what a run tells while it goes on: Start, Progress, Epoch, Sample.
type Event interface{ event() }

// Start is told once, before the first update.
type Start struct {
	Parameters     int `json:"parameters"`
	Symbols        int `json:"symbols"` // V
	TrainSymbols   int `json:"train_symbols"`
	HeldOutSymbols int `json:"held_out_symbols"`
	Epochs         int `json:"epochs"`
	Updates        int `json:"updates"` // of the whole run, unless batches differ by epoch
}

// Progress is told after every update.
type Progress struct {
	Epoch        int           `json:"epoch"` // from 1
	Update       int           `json:"update"`
	Updates      int           `json:"updates"`
	Perplexity   float64       `json:"perplexity"` // of this epoch so far
	LearningRate float64       `json:"learning_rate"`
	GradientNorm float64       `json:"gradient_norm"` // before ClipNorm
	PerSecond    float64       `json:"tokens_per_second"`
	Left         time.Duration `json:"-"` // the time still to go, by what has passed
}

// Epoch is told after every epoch.
type Epoch struct {
	Epoch             int           `json:"epoch"` // from 1
	Updates           int           `json:"updates"`
	Perplexity        float64       `json:"perplexity"`                    // over the epoch, while the weights moved
	HeldOutPerplexity float64       `json:"held_out_perplexity,omitempty"` // after it; 0: nothing is held out
	PerSecond         float64       `json:"tokens_per_second"`
	Time              time.Duration `json:"-"`    // of training in this epoch, evaluation left out
	Best              bool          `json:"best"` // these weights are the ones to keep so far
}

// Sample is a prefix as the model continues it.
type Sample struct {
	Epoch  int    `json:"epoch"`
	Prefix string `json:"prefix"`
	Text   string `json:"text"` // with the prefix
}

func (Start) event()    {}
func (Progress) event() {}
func (Epoch) event()    {}
func (Sample) event()   {}
