package model

import (
	"fmt"

	"sluice/nn"
	"sluice/rnn"
)

// Chars says how a word is read by its characters, beside its own embedding: a
// bidirectional layer of the stack's cell goes over them, and its two last
// outputs follow the word's embedding in what the stack reads (Lample et al. 2016).
type Chars struct {
	Embed  int `json:"embed,omitempty"`  // width of a character's embedding; 0: words are not spelled
	Hidden int `json:"hidden,omitempty"` // of each direction
}

func (c Chars) on() bool { return c.Embed > 0 }

// MaxSpelling is how many characters of a word are read at most: the first ones.
const MaxSpelling = 64

// spelling is the layer of characters: of the stack's cell, without a projection.
func (s Spec) spelling() rnn.Config {
	c := s.RNN
	return rnn.Config{
		Cell: c.Cell, Activation: c.Activation, Reset: c.Reset, Biases: c.Biases, LayerNorm: c.LayerNorm,
		Peephole: c.Peephole, Clip: c.Clip, Coupled: c.Coupled,
		Input: s.Chars.Embed, Hidden: s.Chars.Hidden, Layers: 1, Direction: rnn.Bidirectional, Merge: rnn.Concat,
	}
}

func (s Spec) validateChars() error {
	c := s.Chars
	switch {
	case c.Embed < 0 || c.Embed > MaxEmbed || c.Hidden < 0 || c.Hidden > rnn.MaxWidth:
		return fmt.Errorf("model: characters of width %d read by %d units: want 0 to %d and 0 to %d", c.Embed, c.Hidden, MaxEmbed, rnn.MaxWidth)
	case (c.Embed > 0) != (c.Hidden > 0):
		return fmt.Errorf("model: characters of width %d read by %d units: want both, or neither", c.Embed, c.Hidden)
	case c.on() && (s.Embed == 0 || s.Features > 0):
		return fmt.Errorf("model: characters of words: want an embedding of words beside them")
	case c.on() && s.Task != Tag:
		return fmt.Errorf("model: characters of words: of task %s, and this is %s", Tag, s.Task)
	}
	return nil
}

// Spellings are the words of a minibatch as characters, each word once.
type Spellings struct {
	T, N    int     // characters of the longest, words
	IDs     []int32 // (T, N) in [0, Vc); past a length any of these
	Lengths []int   // (N) in [0, T]
}

// speller runs the layer of characters for one Runner.
type speller struct {
	r         *Runner
	rnn       *rnn.Runner
	tape      rnn.Tape
	pool      pool
	y, z      []float32 // (T, N, 2·Hc), (N, 2·Hc)
	dy, dz    []float32
	spellings *Spellings
}

func newSpeller(r *Runner) *speller {
	return &speller{r: r, rnn: rnn.NewRunner(r.p.chars, r.team), pool: pool{kind: PoolLast, ahead: r.p.chars.Hidden}}
}

func (s *speller) check(b Batch) {
	x := b.Spellings
	if x == nil || len(b.Forms) != b.T*b.B {
		panic(fmt.Sprintf("model: a batch of %d words without their spellings, want those of %d × %d", len(b.Forms), b.T, b.B))
	}
	for i, f := range b.Forms {
		if f < 0 || int(f) >= x.N {
			panic(fmt.Sprintf("model: word %d is spelled as %d, want 0 to %d", i, f, x.N-1))
		}
	}
}

// sequence is the spellings as a batch of sequences.
func (s *speller) sequence() Batch {
	return Batch{T: s.spellings.T, B: s.spellings.N, Lengths: s.spellings.Lengths}
}

// forward sets the columns of x (N, width) from at on.
func (s *speller) forward(x []float32, width, at int, b Batch) {
	s.check(b)
	p := s.r.p
	p.spelling.Do(func() { p.chars.Fold(s.r.team, p.letters) })
	s.spellings = b.Spellings
	c, w := s.spellings, p.chars.OutputSize()
	s.y, s.z = nn.Grow(s.y, c.T*c.N*w), nn.Grow(s.z, c.N*w)
	ids := c.IDs
	if ids == nil { // no word has a character
		ids = []int32{}
	}
	s.rnn.Forward(s.y, rnn.Sequence{T: c.T, B: c.N, F: p.Characters.Size(), Lengths: c.Lengths, IDs: ids}, nil, &s.tape)
	s.pool.forward(s.r.team, s.z, s.y, nil, w, s.sequence())
	for i, f := range b.Forms {
		copy(x[i*width+at:(i+1)*width], s.z[int(f)*w:(int(f)+1)*w])
	}
}

// backward adds the gradient to g, from that of the columns of x from at on.
func (s *speller) backward(g, dx []float32, width, at int, b Batch) {
	p := s.r.p
	c, w := s.spellings, p.chars.OutputSize()
	s.dy, s.dz = nn.Grow(s.dy, c.T*c.N*w), nn.Grow(s.dz, c.N*w)
	clear(s.dz)
	for i, f := range b.Forms {
		to := s.dz[int(f)*w : (int(f)+1)*w]
		for k, v := range dx[i*width+at : i*width+at+w] {
			to[k] += v
		}
	}
	s.pool.backward(s.r.team, nil, s.dy, s.dz, s.y, nil, w, s.sequence())
	s.rnn.Backward(p.rows.of(spelling, g), p.rows.find(g, charsWeight), s.dy, nil, &s.tape)
}
