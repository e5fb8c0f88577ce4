package nn

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
)

// Key names a stream of random numbers. What is drawn depends on the key
// alone, never on what was drawn before: the same mask comes back after a
// resume, with any number of threads and in any batch.
type Key struct{ Seed, Step, Layer, Row uint64 }

// At is the key of step t of row b of a minibatch: the same whatever rows
// stand beside it. Both are below 2³².
func (k Key) At(t, b int) Key {
	k.Row = uint64(b)<<32 | uint64(t)
	return k
}

// Random draws from the stream of one key after another without allocating.
// The zero value is not ready: Seek first.
type Random struct{ chacha rand.ChaCha8 }

// Seek goes to the start of the stream k.
func (r *Random) Seek(k Key) {
	var seed [32]byte
	binary.LittleEndian.PutUint64(seed[0:], k.Seed)
	binary.LittleEndian.PutUint64(seed[8:], k.Step)
	binary.LittleEndian.PutUint64(seed[16:], k.Layer)
	binary.LittleEndian.PutUint64(seed[24:], k.Row)
	r.chacha.Seed(seed)
}

// Uint64 makes Random a rand.Source.
func (r *Random) Uint64() uint64 { return r.chacha.Uint64() }

// Dropout fills mask (n) from the stream k: 0 with probability p, else
// 1/(1−p), so that a masked value keeps its expectation. A longer mask begins
// with the shorter one of the same key. A p outside [0, 1) panics: it is for
// whoever reads it from a user to refuse.
func (r *Random) Dropout(mask []float32, p float32, k Key) {
	if !(p >= 0 && p < 1) {
		panic(fmt.Sprintf("nn: Dropout: p is %v, want 0 ≤ p < 1", p))
	}
	r.Seek(k)
	scale := 1 / (1 - p)
	limit := uint32(math.Round(float64(p) * (1 << 32)))
	for i := 0; i < len(mask); i += 2 {
		u := r.chacha.Uint64()
		mask[i] = keep(uint32(u), limit, scale)
		if i+1 < len(mask) {
			mask[i+1] = keep(uint32(u>>32), limit, scale)
		}
	}
}

// keep is 0 where u is below limit, else scale. It has no branch, which nobody
// could predict.
func keep(u, limit uint32, scale float32) float32 {
	below := uint32((uint64(u) - uint64(limit)) >> 32) // all bits, or none
	return math.Float32frombits(math.Float32bits(scale) &^ below)
}
