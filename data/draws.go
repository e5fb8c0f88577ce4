package data

import (
	"math/bits"

	"sluice/nn"
)

// draws are the random choices of one example.
type draws struct{ random nn.Random }

// The streams of examples, each apart from all others of the same seed.
const (
	datesStream uint64 = 1<<63 + (iota+2)<<32
	grammarsStream
	seasonsStream
)

// draw begins the choices of example i.
func draw(seed, i, stream uint64) *draws {
	d := new(draws)
	d.random.Seek(nn.Key{Seed: seed, Step: i, Layer: stream})
	return d
}

// below draws from [0, n), as AddingSampler does.
func (d *draws) below(n int) int {
	high, _ := bits.Mul64(d.random.Uint64(), uint64(n))
	return int(high)
}

// shuffle puts b in a random order.
func (d *draws) shuffle(b []byte) {
	for i := len(b) - 1; i > 0; i-- {
		j := d.below(i + 1)
		b[i], b[j] = b[j], b[i]
	}
}
