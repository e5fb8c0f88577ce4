package data

import (
	"fmt"
	"math/bits"

	"sluice/nn"
)

// Adding is the adding problem of Hochreiter and Schmidhuber 1997, as Le et al.
// 2015 have it: a sequence of T steps has two channels, values from [0, 1) and
// marks, of which one in each half is 1, all others 0. To be told at the end:
// the sum of the two values marked. Who always says 1 has a mean squared error
// of AddingVariance; less than that takes a memory over up to T−1 steps.
//
// Examples never end and are numbered. Each depends on the seed and its number
// alone, whatever stands beside it in a minibatch, so the place in the data is
// the number of the next example.
type Adding struct {
	Steps int    `json:"steps"` // T
	Seed  uint64 `json:"seed,omitempty"`
}

// AddingVariance is that of the sum of two values.
const AddingVariance = 1.0 / 6

// Validate says which field cannot be, and what is allowed.
func (a Adding) Validate() error {
	if a.Steps < 2 || a.Steps > maxSide {
		return fmt.Errorf("data: adding problem of %d steps: want 2 to %d", a.Steps, maxSide)
	}
	return nil
}

// AddingSampler makes examples of one adding problem. It serves one caller.
type AddingSampler struct {
	o      Adding
	random nn.Random
}

// NewAddingSampler makes a sampler, which stands at no place: see Train.
func NewAddingSampler(o Adding) (*AddingSampler, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	return &AddingSampler{o: o}, nil
}

// Train fills x (T, B, 2) and y (B) with the examples first to first+B−1 to
// train on. It does not allocate.
func (s *AddingSampler) Train(x, y []float32, first uint64) { s.fill(x, y, first, addingTrain) }

// HeldOut is Train with examples of another stream, to score with: those from 0
// are a fixed validation set.
func (s *AddingSampler) HeldOut(x, y []float32, first uint64) { s.fill(x, y, first, addingHeldOut) }

// The streams of examples, apart from all others of the same seed: no stack has
// so many layers.
const (
	addingTrain uint64 = 1<<63 + iota
	addingHeldOut
)

func (s *AddingSampler) fill(x, y []float32, first, stream uint64) {
	steps, batch := s.o.Steps, len(y)
	if len(x) != steps*batch*2 {
		panic(fmt.Sprintf("data: AddingSampler: %d inputs, want (%d, %d, 2)", len(x), steps, batch))
	}
	half := steps / 2
	for b := range batch {
		s.random.Seek(nn.Key{Seed: s.o.Seed, Step: first + uint64(b), Layer: stream})
		one := s.below(half)
		other := half + s.below(steps-half)
		y[b] = 0
		for t := range steps {
			value, mark := float32(s.random.Uint64()>>40)/(1<<24), float32(0)
			if t == one || t == other {
				mark = 1
				y[b] += value
			}
			at := (t*batch + b) * 2
			x[at], x[at+1] = value, mark
		}
	}
}

// below draws from [0, n); what it is off from equal chances is far below what
// can be seen.
func (s *AddingSampler) below(n int) int {
	high, _ := bits.Mul64(s.random.Uint64(), uint64(n))
	return int(high)
}
