// Package look says what goes on inside of a language model: its gates and
// states over a text ([Read]), how much of a gradient is left some steps back
// ([Gradients]), how it explodes ([Explode]), and how long each unit remembers
// ([Measure]); and of a model of any task its gates and states over a row of a
// minibatch ([ReadRow]). Package picture draws it.
//
// Equal seeds give equal figures, for any number of threads. Means are over
// rows of the text that begin at random places; a row first reads Warm symbols
// from the zero state, so that what is looked at is a state in use.
//
// The letters are those of package rnn.
package look

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"sluice/data"
	"sluice/nn"
)

// Warm is how many symbols a row reads before it is looked at.
const Warm = 64

// ErrNoNumber is the error of a model whose gates, states, losses or gradients
// are NaN or infinite.
var ErrNoNumber = errors.New("look: the model computes NaN or infinite values: its weights are spoilt, or too large")

// finite says whether v is a number.
func finite(v float64) bool { return v-v == 0 }

// MaxLags and MaxRows bound Options.
const (
	MaxLags = 10_000
	MaxRows = 100_000
)

// Options say over what is averaged.
type Options struct {
	Lags     int // steps looked at in each row
	Rows     int // how many rows
	Seed     uint64
	Progress func(done, total int) // called now and then, if not nil
}

// Validate says which field cannot be, and what is allowed.
func (o Options) Validate() error {
	switch {
	case o.Lags < 1 || o.Lags > MaxLags:
		return fmt.Errorf("look: %d lags: want 1 to %d", o.Lags, MaxLags)
	case o.Rows < 1 || o.Rows > MaxRows:
		return fmt.Errorf("look: %d rows: want 1 to %d", o.Rows, MaxRows)
	}
	return nil
}

// Need is how many symbols a text has at least.
func (o Options) Need() int { return Warm + o.Lags + 1 }

// The layers of the keys of random streams.
const (
	keyStart  = iota // where rows begin
	keyChange        // what a symbol becomes
)

// Rows run some at once, so many that a tape has moderately many steps of rows: at
// 400 units some 64 MB a layer. Of a row alone it has as many as there are lags.
const (
	mostRows = 32
	mostTape = 4096
)

// chunk is how many rows run at once.
func (o Options) chunk() int { return max(1, min(mostRows, mostTape/o.Lags)) }

// rows calls do with rows of ids in chunks: x (Warm+Lags, n) and the symbol
// after each, y. first is the number of the first row.
func (o Options) rows(ctx context.Context, ids data.Symbols, do func(first, n int, x, y []int32) error) error {
	if err := o.Validate(); err != nil {
		return err
	}
	if ids.Len() < o.Need() {
		return fmt.Errorf("look: a text of %d symbols: want at least %d for %d lags", ids.Len(), o.Need(), o.Lags)
	}
	var random nn.Random
	steps, chunk := Warm+o.Lags, o.chunk()
	x, y, text := make([]int32, steps*chunk), make([]int32, steps*chunk), make([]int32, steps+1)
	for first := 0; first < o.Rows; first += chunk {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(chunk, o.Rows-first)
		for row := range n {
			random.Seek(nn.Key{Seed: o.Seed, Layer: keyStart, Row: uint64(first + row)})
			if err := ids.ReadAt(text, rand.New(&random).IntN(ids.Len()-steps)); err != nil {
				return err
			}
			for t := range steps {
				x[t*n+row], y[t*n+row] = text[t], text[t+1]
			}
		}
		if err := do(first, n, x[:steps*n], y[:steps*n]); err != nil {
			return err
		}
		if o.Progress != nil {
			o.Progress(first+n, o.Rows)
		}
	}
	return ctx.Err()
}
