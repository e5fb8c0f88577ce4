package nn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"sluice/internal/ref"
)

// crfCase is a batch of a field.
type crfCase struct {
	K, T, B int
	lengths []int
	params  CRFParams
	allowed Allowed
	e       []float32 // (T·B, K)
	tags    []int32   // (T·B) allowed ones
}

// newCRFCase draws a batch whose emissions have a scale. Where ruled, some steps
// are forbidden: never what the path of tag 0 alone needs.
func newCRFCase(r *rand.Rand, K, T, B int, scale float32, ruled, ragged bool) *crfCase {
	c := &crfCase{K: K, T: T, B: B, params: CRFParams{normal(r, K*K), normal(r, K), normal(r, K)}, e: normal(r, T*B*K)}
	for i := range c.e {
		c.e[i] *= scale
	}
	if ruled {
		for _, x := range []struct {
			to *[]bool
			n  int
		}{{&c.allowed.Transitions, K * K}, {&c.allowed.Start, K}, {&c.allowed.End, K}} {
			*x.to = make([]bool, x.n)
			for i := range x.n {
				(*x.to)[i] = i == 0 || r.IntN(3) > 0
			}
		}
	}
	if ragged {
		c.lengths = make([]int, B)
		for b := range B {
			c.lengths[b] = r.IntN(T + 1)
		}
	}
	c.tags = make([]int32, T*B)
	for i := range c.tags {
		c.tags[i] = int32(r.IntN(100)) + 99 // past a length, anything
	}
	for b := range B { // the best of other emissions
		if n := c.length(b); n > 0 {
			for t, k := range c.field().Decode(wide(normal(r, n*K))) {
				c.tags[t*B+b] = int32(k)
			}
		}
	}
	return c
}

func (c *crfCase) length(b int) int { return lengthOf(b, c.T, c.lengths) }

// field is the reference.
func (c *crfCase) field() *ref.CRF {
	rule := func(x []float32, allowed []bool) []float64 {
		y := wide(x)
		for i := range allowed {
			if !allowed[i] {
				y[i] = math.Inf(-1)
			}
		}
		return y
	}
	p, a := c.params, c.allowed
	return &ref.CRF{K: c.K, Transitions: rule(p.Transitions, a.Transitions), Start: rule(p.Start, a.Start), End: rule(p.End, a.End)}
}

// sequence is the emissions (n, K) and the tags (n) of sequence b.
func (c *crfCase) sequence(b int) (e []float64, tags []int) {
	for t := range c.length(b) {
		row := t*c.B + b
		e = append(e, wide(c.e[row*c.K:(row+1)*c.K])...)
		tags = append(tags, int(c.tags[row]))
	}
	return e, tags
}

// crfResult is all that a field says of a batch.
type crfResult struct {
	nats, lost             float64
	each                   []float64 // (B)
	count                  int
	d                      CRFParams
	de, marginals, decoded []float32
}

// run is what crf says. Gradients begin at 1.
func (c *crfCase) run(crf *CRF, team *Team, factor float32) (r crfResult) {
	ones := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = 1
		}
		return x
	}
	crf.K, crf.Allowed = c.K, c.allowed
	n := c.T * c.B
	r.d = CRFParams{ones(c.K * c.K), ones(c.K), ones(c.K)}
	m := Blocks(c.e, n, c.K)
	r.lost, _ = crf.Loss(team, c.params, m, c.tags, c.T, c.B, c.lengths)
	tags := make([]int32, n)
	crf.Decode(team, tags, c.params, m, c.T, c.B, c.lengths)
	for _, k := range tags {
		r.decoded = append(r.decoded, float32(k))
	}
	marginals := Blocks(c.e, n, c.K)
	crf.Marginals(team, c.params, marginals, c.T, c.B, c.lengths)
	r.marginals = rowsOf(marginals, n, c.K)
	r.nats, r.count = crf.Gradient(team, r.d, c.params, m, c.tags, c.T, c.B, c.lengths, factor)
	r.each, r.de = slices.Clone(crf.Nats), rowsOf(m, n, c.K)
	return r
}

// paths is what enumeration of all tag sequences says, of gradients beginning at 1.
func (c *crfCase) paths(factor float64) (w crfResult, d ref.CRF, de, marginals []float64) {
	K, f := c.K, c.field()
	d = ref.CRF{Transitions: make([]float64, K*K), Start: make([]float64, K), End: make([]float64, K)}
	de, marginals = make([]float64, c.T*c.B*K), make([]float64, c.T*c.B*K)
	w.decoded, w.each = make([]float32, c.T*c.B), make([]float64, c.B)
	for i := range w.decoded {
		w.decoded[i] = float32(Ignore)
	}
	for b := range c.B {
		e, gold := c.sequence(b)
		n := len(gold)
		if n == 0 {
			continue
		}
		z, top := 0.0, math.Inf(-1)
		sum := func(by float64, tags []int) {
			d.Start[tags[0]] += by
			d.End[tags[n-1]] += by
			for t, k := range tags {
				de[(t*c.B+b)*K+k] += by
				if t > 0 {
					d.Transitions[tags[t-1]*K+k] += by
				}
			}
		}
		each(n, K, func(tags []int) { z += math.Exp(f.Score(e, tags)) })
		each(n, K, func(tags []int) {
			score := f.Score(e, tags)
			if score > top {
				top = score
				for t, k := range tags {
					w.decoded[t*c.B+b] = float32(k)
				}
			}
			sum(math.Exp(score)/z*factor, tags)
			for t, k := range tags {
				marginals[(t*c.B+b)*K+k] += math.Exp(score) / z
			}
		})
		sum(-factor, gold)
		w.each[b] = math.Log(z) - f.Score(e, gold)
		w.nats += w.each[b]
		w.count += n
	}
	for _, x := range [][]float64{d.Transitions, d.Start, d.End} {
		for i := range x {
			x[i]++
		}
	}
	return w, d, de, marginals
}

// each calls f with all tag sequences of n tags, in the order that the last tag
// decides first.
func each(n, K int, f func(tags []int)) {
	tags := make([]int, n)
	for {
		f(tags)
		t := 0
		for ; t < n && tags[t] == K-1; t++ {
			tags[t] = 0
		}
		if t == n {
			return
		}
		tags[t]++
	}
}

// All that a field says is what the enumeration of all tag sequences gives.
func TestCRFIsASumOverPaths(t *testing.T) {
	team := NewTeam(2)
	defer team.Close()
	r := rand.New(rand.NewPCG(1, 2))
	var crf CRF
	for trial := range 80 {
		K, T, B := 1+r.IntN(5), 1+r.IntN(6), r.IntN(4)
		c := newCRFCase(r, K, T, B, 2, trial%2 == 0, trial%4 < 2)
		what := fmt.Sprintf("trial %d, K %d T %d B %d", trial, K, T, B)
		want, d, de, marginals := c.paths(0.3)
		got := c.run(&crf, team, 0.3)
		if math.Abs(got.nats-want.nats) > 1e-10 || got.count != want.count || got.lost != got.nats {
			t.Errorf("%s: %v nats of %d, Loss %v, want %v of %d", what, got.nats, got.count, got.lost, want.nats, want.count)
		}
		for b, n := range want.each {
			if math.Abs(got.each[b]-n) > 1e-10 {
				t.Errorf("%s: sequence %d has %v nats, want %v", what, b, got.each[b], n)
			}
		}
		close64(t, what+": transitions", got.d.Transitions, d.Transitions, 1e-6)
		close64(t, what+": start", got.d.Start, d.Start, 1e-6)
		close64(t, what+": end", got.d.End, d.End, 1e-6)
		close64(t, what+": emissions", got.de, de, 1e-7)
		close64(t, what+": marginals", got.marginals, marginals, 1e-7)
		equalBits(t, what+": decoded", got.decoded, want.decoded)
	}
}

// So it is where probabilities hold what the scaled recursion cannot: large
// emissions, parameters or both, and emissions that rule out.
func TestCRFAgainstFloat64(t *testing.T) {
	team := NewTeam(2)
	defer team.Close()
	r := rand.New(rand.NewPCG(3, 4))
	var crf CRF
	for trial := range 120 {
		K, T, B := 1+r.IntN(20), 1+r.IntN(30), 1+r.IntN(20)
		c := newCRFCase(r, K, T, B, []float32{0.1, 3, 30, 1e4}[trial%4], r.IntN(2) == 0, r.IntN(2) == 0)
		if trial%3 == 0 {
			for i := range c.params.Transitions {
				c.params.Transitions[i] *= 100
			}
		}
		if trial%5 == 0 { // but no gold tag
			for i := range c.e {
				if int(c.tags[i/K]) != i%K && r.IntN(4) == 0 {
					c.e[i] = float32(math.Inf(-1))
				}
			}
		}
		got := c.run(&crf, team, 1)
		c.againstFloat64(t, fmt.Sprintf("trial %d, K %d T %d B %d", trial, K, T, B), got)
	}
}

func (c *crfCase) againstFloat64(t *testing.T, what string, got crfResult) {
	t.Helper()
	K, f := c.K, c.field()
	d := ref.CRF{Transitions: make([]float64, K*K), Start: make([]float64, K), End: make([]float64, K)}
	de, marginals := make([]float64, len(c.e)), make([]float64, len(c.e))
	tokens := 0
	for b := range c.B {
		e, tags := c.sequence(b)
		n := len(tags)
		if tokens += n; n == 0 {
			continue
		}
		nats, dc, one := f.Gradient(e, tags)
		if !(math.Abs(got.each[b]-nats) <= 1e-6*max(1e-3, nats)) {
			t.Fatalf("%s: sequence %d has %v nats, want %v", what, b, got.each[b], nats)
		}
		for i, x := range dc.Transitions {
			d.Transitions[i] += x
		}
		for k := range K {
			d.Start[k] += dc.Start[k]
			d.End[k] += dc.End[k]
		}
		p := f.Marginals(e)
		var best []int
		for s := range n {
			copy(de[(s*c.B+b)*K:], one[s*K:(s+1)*K])
			copy(marginals[(s*c.B+b)*K:], p[s*K:(s+1)*K])
			best = append(best, int(got.decoded[s*c.B+b]))
		}
		if x, y := f.Score(e, best), f.Score(e, f.Decode(e)); x != y {
			t.Fatalf("%s: sequence %d: score %v of the best tags, want %v", what, b, x, y)
		}
	}
	for _, x := range [][]float64{d.Transitions, d.Start, d.End} {
		for i := range x {
			x[i]++
		}
	}
	close64(t, what+": transitions", got.d.Transitions, d.Transitions, 1e-6*float64(tokens+1))
	close64(t, what+": start", got.d.Start, d.Start, 1e-5)
	close64(t, what+": end", got.d.End, d.End, 1e-5)
	close64(t, what+": emissions", got.de, de, 1e-6)
	close64(t, what+": marginals", got.marginals, marginals, 1e-6)
}
