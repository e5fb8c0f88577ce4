package model

import (
	"context"
	"fmt"
	"math"

	"sluice/data"
	"sluice/nn"
)

// Score is the cross-entropy of a text.
type Score struct {
	Nats    float64 // summed over Symbols
	Symbols int     // scored: all but the first
}

// Loss is in nats per symbol.
func (s Score) Loss() float64 { return s.Nats / float64(s.Symbols) }

// Perplexity is e to the Loss.
func (s Score) Perplexity() float64 { return math.Exp(s.Loss()) }

// Bits is the Loss in bits per symbol: bits per character where the symbols
// are characters.
func (s Score) Bits() float64 { return s.Loss() / math.Ln2 }

// Evaluate scores each of ids but the first once, given those before it. The
// text is read in up to 32 rows side by side, each from the zero state and at
// least 2,000 symbols long, so that few symbols are scored without what came
// before them. Unless progress is nil, it is told how many symbols are done. When ctx
// ends, so does Evaluate, with its error; another error is that of reading ids.
func Evaluate(ctx context.Context, p *Packed, team *nn.Team, ids data.Symbols, progress func(done, total int)) (Score, error) {
	if err := p.only(LM, "score a text"); err != nil {
		return Score{}, err
	}
	o := data.Batches{Batch: max(1, min(32, ids.Len()/2000)), Steps: 64, Cover: true}
	if ids.Len() < o.Need() {
		return Score{}, fmt.Errorf("model: a text of %d symbols: want at least %d to score one", ids.Len(), o.Need())
	}
	sampler, err := data.NewSampler(ids, o)
	if err != nil {
		return Score{}, err
	}
	run := NewRunner(p, team)
	state := make([]float32, o.Batch*p.StateSize())
	x, y := make([]int32, o.Batch*o.Steps), make([]int32, o.Batch*o.Steps)
	var score Score
	for {
		if err := ctx.Err(); err != nil {
			return Score{}, err
		}
		steps, err := sampler.Next(x, y)
		if err != nil {
			return Score{}, err
		}
		if steps == 0 {
			return score, nil
		}
		n := steps * o.Batch
		nats, count := run.Loss(Batch{T: steps, B: o.Batch, IDs: x[:n], Targets: y[:n]}, state)
		score.Nats += nats
		score.Symbols += count
		if progress != nil {
			progress(score.Symbols, ids.Len()-1)
		}
	}
}
