package rnn

import (
	"math"

	"sluice/internal/kernel"
	"sluice/nn"
)

// The first key layers of what is random beside dropout between layers, whose
// key layers are the layers' numbers. Package model's begin above.
const (
	zoneoutLayers = 1 << 16 // + (l·D + d)·2 + state vector
	weightLayers  = 2 << 16 // + l·D + d
)

// drawBits fills bits from the stream k: each of the first n is 1 with
// probability p, in steps of 2⁻³², and the rest are 0. Words of it are digits of
// 64 random numbers, compared with those of p from the first on until no number
// is left that began as p does: some seven of 32.
func drawBits(random *nn.Random, bits []uint64, n int, p float64, k nn.Key) {
	random.Seek(k)
	limit := uint32(min(math.Round(p*(1<<32)), math.MaxUint32))
	for i := range bits {
		equal, less := ^uint64(0)>>max(0, 64*(i+1)-n), uint64(0)
		for rest := limit; rest != 0 && equal != 0; rest <<= 1 {
			digit := random.Uint64()
			if rest>>31 == 0 {
				equal &^= digit
				continue
			}
			less |= equal &^ digit
			equal &= digit
		}
		bits[i] = less
	}
}

// words is how many words hold bits of n units.
func words(n int) int { return (n + kernel.Wide - 1) / kernel.Wide }

// drawJob draws the masks of zoneout of all layers: part is a span of the
// tape's rows.
type drawJob struct {
	tape   *Tape
	parts  int
	random []nn.Random // (parts)
}

func (j *drawJob) Run(part int) {
	x, d := &j.tape.x, j.tape.config.Directions()
	from, to := kernel.Span(x.T*x.B, part, j.parts, 1)
	for row := from; row < to; row++ {
		t, b := row/x.B, row%x.B
		if t >= x.length(b) {
			continue
		}
		key := j.tape.Dropout.At(t, b)
		for l := range j.tape.layers {
			for i, way := range j.tape.layers[l].ways {
				key.Layer = zoneoutLayers + uint64(l*d+i)*2
				way.draw(&j.random[part], key, row)
			}
		}
	}
}

// draw draws the masks of zoneout before a run, if it has any.
func (r *Runner) draw(tape *Tape) {
	c, rows := &r.p.Config, tape.x.T*tape.x.B
	if tape.use != training || c.Zoneout == 0 && c.ZoneoutCell == 0 {
		return
	}
	parts := r.spans(rows)
	r.random = nn.Grow(r.random, parts)
	r.drawing = drawJob{tape, parts, r.random}
	r.team.Do(parts, &r.drawing)
	r.drawing = drawJob{}
}
