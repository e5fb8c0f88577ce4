package model

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"sluice/data"
	"sluice/nn"
)

// byStep scores the symbols of one row after the first, from the zero state.
func byStep(run *Runner, p *Packed, ids []int32) (nats float64, count int) {
	state, logits, ce := make([]float32, p.StateSize()), nn.Matrix{}.Grow(1, p.Vocab.Size()), nn.CrossEntropy{V: p.Vocab.Size()}
	for i := range len(ids) - 1 {
		run.Step(logits, ids[i:i+1], state, []int32{0})
		one, _ := ce.Loss(run.team, logits, ids[i+1:i+2])
		nats += one
	}
	return nats, len(ids) - 1
}

// goesUpTo is a progress that fails unless it goes up, to a total.
func goesUpTo(t *testing.T, at *int, want int) func(done, total int) {
	return func(done, total int) {
		if done <= *at || done > total || total != want {
			t.Errorf("%d of %d done after %d, want more of %d", done, total, *at, want)
		}
		*at = done
	}
}

// Each symbol but the first is scored once, given all before it in its row:
// a row below 4,000 symbols, then one for each 2,000, at most 32.
func TestEvaluate(t *testing.T) {
	m := newModel(t, gruSpec(3), vocabOf(t, "abcde", data.VocabOptions{}))
	p, r := m.Pack(), rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct{ n, rows int }{{2, 1}, {3, 1}, {64, 1}, {65, 1}, {66, 1}, {3999, 1}, {4000, 2}, {6001, 3}, {70_007, 32}} {
		ids := randomIDs(r, c.n, 5)
		done := 0
		score, err := Evaluate(context.Background(), p, newTeam(t, 1), data.NewSymbols(ids), goesUpTo(t, &done, c.n-1))
		if err != nil || done != c.n-1 {
			t.Fatalf("%d of %d symbols done, error %v", done, c.n-1, err)
		}
		run, want, count, at := NewRunner(p, newTeam(t, 1)), 0.0, 0, 0
		for row := range c.rows {
			targets := (c.n - 1) / c.rows
			if row < (c.n-1)%c.rows {
				targets++
			}
			nats, n := byStep(run, p, ids[at:at+targets+1])
			want, count, at = want+nats, count+n, at+targets
		}
		if score.Symbols != c.n-1 || count != c.n-1 || !(math.Abs(score.Nats-want) <= 1e-5*want) {
			t.Errorf("%d symbols: %v, want %v over %d", c.n, score, want, count)
		}
		if math.Abs(score.Loss()-math.Log(score.Perplexity())) > 1e-12 || math.Abs(score.Bits()-math.Log2(score.Perplexity())) > 1e-12 {
			t.Errorf("%d symbols: loss %v, perplexity %v, bits %v", c.n, score.Loss(), score.Perplexity(), score.Bits())
		}
		for _, threads := range []int{2, 3, 8} {
			if again, err := Evaluate(context.Background(), p, newTeam(t, threads), data.NewSymbols(ids), nil); err != nil || again != score {
				t.Errorf("%d symbols on %d threads: %v, %v; on one %v", c.n, threads, again, err, score)
			}
		}
	}
	for _, ids := range [][]int32{nil, {1}} {
		_, err := Evaluate(context.Background(), p, newTeam(t, 1), data.NewSymbols(ids), nil)
		wantError(t, err, map[int]string{0: "model: a text of 0 symbols: want at least 2 to score one", 1: "model: a text of 1 symbols: want at least 2 to score one"}[len(ids)])
	}
}

// endsAfter is a context that ends after it was looked at n times.
type endsAfter struct {
	context.Context
	n int
}

func (c *endsAfter) Err() error {
	if c.n--; c.n < 0 {
		return context.Canceled
	}
	return nil
}

func TestEvaluateEnds(t *testing.T) {
	m := newModel(t, gruSpec(3), vocabOf(t, "abcde", data.VocabOptions{}))
	ids := make([]int32, 1000)
	for _, n := range []int{0, 1, 7} {
		if score, err := Evaluate(&endsAfter{context.Background(), n}, m.Pack(), newTeam(t, 1), data.NewSymbols(ids), nil); !errors.Is(err, context.Canceled) || score != (Score{}) {
			t.Errorf("ended at look %d: %v, %v", n, score, err)
		}
	}
}
