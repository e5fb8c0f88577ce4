package data

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
)

// Ignore as a target leaves its position out of the loss, as nn.Ignore.
const Ignore int32 = -1

const maxSide = 1 << 20 // of a minibatch, so that products of two stay small

// Batches say how a text becomes minibatches. Sampling is one of Dive into
// Deep Learning's two:
//
// "consecutive" cuts the text into B rows of ⌊N/B⌋ symbols and walks along
// them T steps at a time, so that the state after one minibatch is the state
// before the next. What is left of the rows after the last whole minibatch is
// not used, unless Cover is set.
//
// "random" cuts it into ⌊(N−1)/T⌋ pieces of T symbols that do not overlap,
// and deals them in a new order each epoch, B at a time. The state starts
// anew with each minibatch. What is left after the last whole minibatch is not
// used.
type Batches struct {
	Batch    int    `json:"batch"`              // B
	Steps    int    `json:"steps"`              // T
	Sampling string `json:"sampling,omitempty"` // "consecutive" (zero value), "random"

	// Offset leaves out 0 to T−1 symbols at the start of the text, another
	// number each epoch, as the book's later editions do; the first did not.
	Offset bool `json:"offset,omitempty"`

	// Vary draws the number of steps of each consecutive minibatch, as Merity et
	// al. 2018 do, so that the cuts between minibatches fall elsewhere each epoch:
	// from a normal distribution of standard deviation 5 around T, or in one of
	// 20 around T/2, at least 5 and at most MaxSteps. An epoch uses all of the
	// rows, its last minibatch what is left of them. The learning rate of an
	// update is to be scaled by its steps over T, or symbols of short minibatches
	// would count more.
	Vary bool `json:"vary,omitempty"`

	// Cover makes every symbol but the first a target exactly once, for
	// evaluation: consecutive rows differ by at most one symbol in length, the
	// last minibatch may have fewer than T steps, and its last step has
	// targets Ignore where a row has ended.
	Cover bool `json:"cover,omitempty"`

	Seed uint64 `json:"seed,omitempty"`
}

// Validate says which field cannot be, and what is allowed.
func (o Batches) Validate() error {
	switch {
	case o.Batch < 1 || o.Batch > maxSide:
		return fmt.Errorf("data: minibatch of %d rows: want 1 to %d", o.Batch, maxSide)
	case o.Steps < 1 || o.Steps > maxSide:
		return fmt.Errorf("data: minibatch of %d steps: want 1 to %d", o.Steps, maxSide)
	}
	switch o.Sampling {
	case "", "consecutive":
	case "random":
		if o.Cover {
			return fmt.Errorf("data: random sampling cannot cover every symbol: want consecutive")
		}
	default:
		return fmt.Errorf("data: sampling %s: want consecutive or random", quote(o.Sampling))
	}
	if o.Cover && o.Offset {
		return fmt.Errorf("data: a random offset cannot cover every symbol: want one of the two")
	}
	if o.Vary && (o.Cover || o.random()) {
		return fmt.Errorf("data: minibatches of varied length: want consecutive sampling that need not cover every symbol")
	}
	return nil
}

// MaxSteps is the largest number of steps of a minibatch: T, with Vary three
// standard deviations more. Buffers are to be that long.
func (o Batches) MaxSteps() int {
	if o.Vary {
		return o.Steps + 3*varySigma
	}
	return o.Steps
}

// Need is the smallest N that gives a minibatch of T steps in every epoch.
func (o Batches) Need() int {
	if o.Cover {
		return 2
	}
	need := o.Batch * (o.Steps + 1)
	if o.random() {
		need = o.Batch*o.Steps + 1
	}
	if o.Offset {
		need += o.Steps - 1
	}
	return need
}

func (o Batches) random() bool { return o.Sampling == "random" }

// Cursor is a place in the data: the minibatch that Next will give.
type Cursor struct {
	Epoch int `json:"epoch"`
	Batch int `json:"batch"`
}

// Sampler deals a text in minibatches, epoch by epoch. It serves one caller.
type Sampler struct {
	o       Batches
	ids     Symbols // (N)
	buf     []int32 // (MaxSteps+1) where ids are in a file
	at      Cursor
	offset  int      // of this epoch
	batches int      // of this epoch
	order   []uint32 // random: the pieces of this epoch, shuffled
	starts  []int    // Vary: (batches+1) where minibatches of this epoch start in their rows, and the end
	source  rand.ChaCha8
	random  *rand.Rand
}

// NewSampler stands at the start of epoch 0. It keeps ids (N).
func NewSampler(ids Symbols, o Batches) (*Sampler, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if n, need := ids.Len(), o.Need(); n < need {
		return nil, fmt.Errorf("data: a text of %d symbols is too short for one minibatch of %d rows and %d steps: want at least %d", n, o.Batch, o.Steps, need)
	}
	s := &Sampler{o: o, ids: ids}
	s.random = rand.New(&s.source)
	if ids.file != nil {
		s.buf = make([]int32, o.MaxSteps()+1)
	}
	if o.random() {
		n := (ids.Len() - 1) / o.Steps
		if uint64(n) > math.MaxUint32 {
			return nil, fmt.Errorf("data: a text of %d symbols has %d pieces of %d steps to deal: want at most %d", ids.Len(), n, o.Steps, uint32(math.MaxUint32))
		}
		s.order = make([]uint32, 0, n)
	}
	s.Epoch(0)
	return s, nil
}

// Epoch goes to the start of epoch n ≥ 0, whatever came before.
func (s *Sampler) Epoch(n int) {
	if n < 0 {
		panic(fmt.Sprintf("data: Epoch: %d, want 0 or more", n))
	}
	s.at = Cursor{Epoch: n}
	s.seek("data: Sampler", 0)
	s.offset = 0
	if s.o.Offset {
		s.offset = s.random.IntN(s.o.Steps)
	}
	switch {
	case s.o.Vary:
		s.vary()
		return
	case s.o.Cover:
		s.batches = (s.columns() + s.o.Steps - 1) / s.o.Steps
		return
	case !s.o.random():
		s.batches = s.columns() / s.o.Steps
		return
	}
	s.order = s.order[:0]
	for i := range (s.ids.Len() - s.offset - 1) / s.o.Steps {
		s.order = append(s.order, uint32(i))
	}
	s.random.Shuffle(len(s.order), func(i, j int) { s.order[i], s.order[j] = s.order[j], s.order[i] })
	s.batches = len(s.order) / s.o.Batch
}

// seek goes to the start of a stream of the epoch, apart from those of
// nn.Random. A stream of minibatches has a name of at most 8 letters.
func (s *Sampler) seek(stream string, minibatch int) {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[0:], s.o.Seed)
	binary.LittleEndian.PutUint64(key[8:], uint64(s.at.Epoch))
	binary.LittleEndian.PutUint64(key[24:], uint64(minibatch))
	copy(key[16:], stream)
	s.source.Seed(key)
}

// varySigma and varyLeast are Merity's: steps of the standard deviation, and of
// the shortest minibatch but the last.
const (
	varySigma = 5
	varyLeast = 5
)

// vary draws the lengths of the epoch's minibatches, each from a stream of its
// own.
func (s *Sampler) vary() {
	s.starts = append(s.starts[:0], 0)
	for at := 0; at < s.columns(); {
		s.seek("lengths", len(s.starts))
		base := float64(s.o.Steps)
		if s.random.Float64() >= 0.95 {
			base /= 2
		}
		steps := int(base + varySigma*s.random.NormFloat64())
		at = min(s.columns(), at+min(s.o.MaxSteps(), max(varyLeast, steps)))
		s.starts = append(s.starts, at)
	}
	s.batches = len(s.starts) - 1
}

// span is where a minibatch of consecutive sampling starts in its rows and how
// many steps it has.
func (s *Sampler) span(minibatch int) (from, steps int) {
	if s.o.Vary {
		return s.starts[minibatch], s.starts[minibatch+1] - s.starts[minibatch]
	}
	from = minibatch * s.o.Steps
	return from, min(s.o.Steps, s.columns()-from)
}

// columns is the number of targets in the longest row of consecutive sampling.
func (s *Sampler) columns() int {
	if s.o.Cover {
		return (s.ids.Len() - 1 + s.o.Batch - 1) / s.o.Batch
	}
	return (s.ids.Len()-s.offset)/s.o.Batch - 1
}

// row is where row b of consecutive sampling starts and how many targets it
// has.
func (s *Sampler) row(b int) (start, targets int) {
	if !s.o.Cover {
		return s.offset + b*(s.columns()+1), s.columns()
	}
	each, more := (s.ids.Len()-1)/s.o.Batch, (s.ids.Len()-1)%s.o.Batch
	start, targets = b*each+min(b, more), each
	if b < more {
		targets++
	}
	return start, targets
}

// Len is the number of minibatches of this epoch.
func (s *Sampler) Len() int { return s.batches }

// Carries reports whether the next minibatch continues the rows of the one
// before: if not, the state starts anew.
func (s *Sampler) Carries() bool { return !s.o.random() && s.at.Batch > 0 }

// Next fills x and y, (MaxSteps, B) or longer, with a minibatch and its
// targets, the symbol that follows each, both (steps, B), and returns the number
// of steps: T, fewer in the last minibatch with Cover, what was drawn with Vary,
// 0 after the last one of the epoch, when x and y are left alone. It does not go
// on to another epoch and does not allocate. An error is that of the symbols; the
// sampler stays where it was.
func (s *Sampler) Next(x, y []int32) (steps int, err error) {
	o := s.o
	if want := o.MaxSteps() * o.Batch; len(x) < want || len(y) < want {
		panic(fmt.Sprintf("data: Next: buffers of %d and %d, want (%d, %d)", len(x), len(y), o.MaxSteps(), o.Batch))
	}
	if s.at.Batch >= s.batches {
		return 0, nil
	}
	from, steps := 0, o.Steps
	if !o.random() {
		from, steps = s.span(s.at.Batch)
	}
	for b := range o.Batch {
		var start, targets int
		if o.random() {
			start, targets = s.offset+int(s.order[s.at.Batch*o.Batch+b])*o.Steps, o.Steps
		} else {
			start, targets = s.row(b)
			start, targets = start+from, targets-from
		}
		ids, err := s.ids.window(s.buf, start, min(steps, targets)+1)
		if err != nil {
			return 0, err
		}
		for t := range steps {
			x[t*o.Batch+b] = ids[t]
			y[t*o.Batch+b] = Ignore
			if t < targets {
				y[t*o.Batch+b] = ids[t+1]
			}
		}
	}
	s.at.Batch++
	return steps, nil
}

// Cursor is the place of the minibatch that Next will give.
func (s *Sampler) Cursor() Cursor { return s.at }

// SetCursor goes to a place that Cursor told. A place that is not there is an
// error and leaves the sampler where it was.
func (s *Sampler) SetCursor(c Cursor) error {
	if c.Epoch < 0 {
		return fmt.Errorf("data: place in the data: epoch %d, want 0 or more", c.Epoch)
	}
	before := s.at
	s.Epoch(c.Epoch)
	if c.Batch < 0 || c.Batch > s.batches {
		err := fmt.Errorf("data: place in the data: minibatch %d of epoch %d, want 0 to %d", c.Batch, c.Epoch, s.batches)
		s.Epoch(before.Epoch)
		s.at = before
		return err
	}
	s.at.Batch = c.Batch
	return nil
}
