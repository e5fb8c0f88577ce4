package data

import (
	"cmp"
	"fmt"
	"math"
	"sort"
	"strconv"

	"sluice/nn"
)

// Zipf makes texts of symbols whose frequencies fall as those of words do, for
// measuring models with large vocabularies: the symbol k of V has probability
// p(k) ∝ (k+1)^−s. They also have something to learn: with probability
// ZipfRepeat a symbol is the one two before it, else it is drawn anew. So a
// model has to carry a symbol over one step, frequencies stay p, and the least
// loss that any model can have is known: see Entropy.
type Zipf struct {
	Symbols  int     `json:"symbols"`            // V
	Exponent float64 `json:"exponent,omitempty"` // s; 0 means 1
	Seed     uint64  `json:"seed,omitempty"`
}

// ZipfRepeat is the probability that a symbol repeats the one two before it
// instead of being drawn.
const ZipfRepeat = 0.5

// Validate says which field cannot be, and what is allowed.
func (z Zipf) Validate() error {
	switch {
	case z.Symbols < 2 || z.Symbols > MaxSymbols:
		return fmt.Errorf("data: Zipf text of %d symbols: want 2 to %d", z.Symbols, MaxSymbols)
	case !(z.Exponent >= 0 && z.Exponent <= 10):
		return fmt.Errorf("data: Zipf text with exponent %v: want a number in [0, 10], 0 for 1", z.Exponent)
	}
	return nil
}

// zipfStream is apart from all other streams of the same seed.
const zipfStream uint64 = 1<<63 + 1<<32

// IDs is a text of n symbols. A longer one begins with the shorter one.
func (z Zipf) IDs(n int) []int32 {
	sums, ids := z.probabilities(), make([]int32, n)
	for k := 1; k < len(sums); k++ {
		sums[k] += sums[k-1]
	}
	var r nn.Random
	r.Seek(nn.Key{Seed: z.Seed, Layer: zipfStream})
	for i := range ids {
		u := float64(r.Uint64()>>11) / (1 << 53)
		if i >= 2 {
			if u < ZipfRepeat {
				ids[i] = ids[i-2]
				continue
			}
			u = (u - ZipfRepeat) / (1 - ZipfRepeat)
		}
		k := sort.Search(len(sums)-1, func(k int) bool { return sums[k] > u })
		ids[i] = int32(k)
	}
	return ids
}

// Entropy is the least loss that a model can have, in nats per symbol, and
// without memory, that of a model that knows the frequencies alone.
func (z Zipf) Entropy() (least, withoutMemory float64) {
	p := z.probabilities()
	term := func(q float64) float64 { return -q * math.Log(q) }
	drawn := 0.0 // of a distribution that repeats nothing in particular
	for _, v := range p {
		withoutMemory += term(v)
		drawn += term((1 - ZipfRepeat) * v)
	}
	for _, v := range p { // the symbol two before
		q := (1 - ZipfRepeat) * v
		least += v * (drawn - term(q) + term(q+ZipfRepeat))
	}
	return least, withoutMemory
}

// Vocab is the vocabulary of the text: each symbol is a word, its number.
func (z Zipf) Vocab() (*Vocab, error) {
	if err := z.Validate(); err != nil {
		return nil, err
	}
	words := make([]string, z.Symbols)
	for k := range words {
		words[k] = strconv.Itoa(k)
	}
	return NewVocab("word", "error", words)
}

// probabilities are p (V).
func (z Zipf) probabilities() []float64 {
	p, sum := make([]float64, z.Symbols), 0.0
	for k := range p {
		p[k] = math.Pow(float64(k+1), -cmp.Or(z.Exponent, 1))
		sum += p[k]
	}
	for k := range p {
		p[k] /= sum
	}
	return p
}
