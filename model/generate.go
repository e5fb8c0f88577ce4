package model

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"slices"

	"sluice/nn"
)

// Sampling says how the next symbol is drawn. The zero value always takes the
// most probable one.
type Sampling struct {
	Temperature float64 // logits are divided by it; 0: the most probable symbol
	TopK        int     // only the k most probable symbols; 0: all
	TopP        float64 // only the most probable symbols that together reach p (Holtzman et al. 2019); 0 or 1: all
	Seed        uint64
}

// Validate says which field cannot be, and what is allowed.
func (s Sampling) Validate() error {
	switch {
	case !(s.Temperature >= 0 && s.Temperature <= 100):
		return fmt.Errorf("model: temperature %v: want a number in [0, 100]", s.Temperature)
	case s.TopK < 0:
		return fmt.Errorf("model: top-k %d: want 0 (all) or more", s.TopK)
	case !(s.TopP >= 0 && s.TopP <= 1):
		return fmt.Errorf("model: top-p %v: want a number in [0, 1]", s.TopP)
	}
	return nil
}

// Generator writes text symbol by symbol. After the first call of Feed,
// Feed and Next do not allocate. It serves one caller.
type Generator struct {
	s      Sampling
	p      *Packed
	run    *Runner
	state  []float32 // (StateSize)
	out    nn.Matrix // (1, V)
	logits []float32 // (V) its row
	probs  []float64 // (V)
	order  []int32   // (V) symbols, most probable first
	id     [1]int32  // what Step reads
	drawn  uint64    // symbols drawn so far
	byProb func(a, b int32) int
	random nn.Random
	never  int32 // the symbol that stands for unknown ones and is not drawn, −1 for none
}

var firstRow = []int32{0}

// NewGenerator makes a Generator of p that starts from the zero state.
func NewGenerator(p *Packed, s Sampling) (*Generator, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	if err := p.only(LM, "write text"); err != nil {
		return nil, err
	}
	v := p.Vocab.Size()
	g := &Generator{
		s: s, p: p, run: NewRunner(p, nn.NewTeam(1)),
		state: make([]float32, p.StateSize()),
		out:   nn.Matrix{}.Grow(1, v),
		probs: make([]float64, v), order: make([]int32, v),
		never: -1,
	}
	g.logits = g.out.Data[:v] // the blocks of one row lie side by side
	if unknown, ok := p.Vocab.UnknownID(); ok {
		g.never = unknown
	}
	g.byProb = func(a, b int32) int { return cmp.Or(cmp.Compare(g.probs[b], g.probs[a]), cmp.Compare(a, b)) }
	return g, nil
}

// Feed runs one symbol through the network, id in [0, V).
func (g *Generator) Feed(id int32) {
	g.id[0] = id
	g.run.Step(g.out, g.id[:], g.state, firstRow)
}

// Next draws the symbol that follows what was fed, and feeds it. The symbol
// that stands for unknown ones is never drawn. What is drawn depends on the
// weights, on what was fed, on Sampling and on how many were drawn before.
func (g *Generator) Next() int32 {
	id := g.draw()
	g.drawn++
	g.Feed(id)
	return id
}

func (g *Generator) draw() int32 {
	best := g.usual() // also where nothing compares: logits that are NaN
	if g.never >= 0 {
		g.logits[g.never] = float32(math.Inf(-1))
	}
	for i, v := range g.logits {
		if v > g.logits[best] {
			best = int32(i)
		}
	}
	if g.s.Temperature == 0 {
		return best
	}
	total := 0.0
	for i, v := range g.logits {
		g.probs[i] = math.Exp((float64(v) - float64(g.logits[best])) / g.s.Temperature)
		g.order[i] = int32(i)
		total += g.probs[i]
	}
	candidates := g.order
	if g.s.TopK > 0 || g.s.TopP > 0 && g.s.TopP < 1 {
		slices.SortFunc(candidates, g.byProb)
		candidates, total = g.cut(candidates, total)
	}
	g.random.Seek(nn.Key{Seed: g.s.Seed, Step: g.drawn, Layer: drawStream})
	at := float64(g.random.Uint64()>>11) / (1 << 53) * total
	for _, id := range candidates {
		if at -= g.probs[id]; at < 0 {
			return id
		}
	}
	return best
}

// cut leaves the candidates that TopK and TopP allow, and their total.
func (g *Generator) cut(candidates []int32, total float64) ([]int32, float64) {
	if k := g.s.TopK; k > 0 && k < len(candidates) {
		candidates, total = candidates[:k], 0
		for _, id := range candidates {
			total += g.probs[id]
		}
	}
	if p := g.s.TopP; p > 0 && p < 1 {
		sum := 0.0
		for i, id := range candidates {
			if sum += g.probs[id]; sum >= p*total {
				return candidates[:i+1], sum
			}
		}
	}
	return candidates, total
}

// Start feeds prime. Where it is empty, it feeds what most likely stands
// before a beginning: a newline if the vocabulary has it, else a space, else
// the most frequent symbol, of a tokenizer a full stop if it has that. It returns the symbols fed.
func (g *Generator) Start(prime string) ([]int32, error) {
	ids, err := g.encode(prime)
	for _, id := range ids {
		g.Feed(id)
	}
	return ids, err
}

// encode is what Start feeds.
func (g *Generator) encode(prime string) ([]int32, error) {
	ids, err := g.p.Vocab.Encode(prime)
	if err == nil && len(ids) == 0 {
		ids = []int32{g.start()}
	}
	return ids, err
}

func (g *Generator) start() int32 {
	if v := g.p.Vocab; v.Kind() == "tokenizer" {
		for _, s := range []string{"\n", " ", "."} {
			if ids, err := v.Encode(s); err == nil && len(ids) == 1 && ids[0] != g.never {
				return ids[0]
			}
		}
		return g.usual()
	}
	for _, s := range []string{"\n", " "} {
		if id, ok := g.p.Vocab.ID(s); ok {
			return id
		}
	}
	return g.usual()
}

// usual is the first symbol that may be drawn: a vocabulary begins with the most
// frequent.
func (g *Generator) usual() int32 {
	if g.never == 0 && len(g.logits) > 1 {
		return 1
	}
	return 0
}

// Write feeds prime and writes n symbols after it to w as they come, each
// whole character at once. It ends early with ctx's error.
func (g *Generator) Write(ctx context.Context, w io.Writer, prime string, n int) error {
	fed, err := g.encode(prime)
	if err != nil {
		return err
	}
	for _, id := range fed {
		if err := ctx.Err(); err != nil {
			return err
		}
		g.Feed(id)
	}
	if prime == "" {
		fed = nil // it is not part of the text
	}
	decoder, text := g.p.Vocab.NewDecoder(fed), []byte(nil)
	for range n {
		if err := ctx.Err(); err != nil {
			return err
		}
		if text = decoder.Append(text[:0], g.Next()); len(text) == 0 {
			continue
		}
		if _, err := w.Write(text); err != nil {
			return err
		}
	}
	if text = decoder.Flush(text[:0]); len(text) > 0 {
		_, err = w.Write(text)
	}
	return err
}
