package ref

import (
	"math"
	"math/rand"
	"testing"
)

// newCRF draws a field, of whose parameters about a share is ruled out: never what
// the path of tag 0 alone needs.
func newCRF(rnd *rand.Rand, K int, out float64) *CRF {
	c := &CRF{K, uniform(rnd, K*K, 2), uniform(rnd, K, 2), uniform(rnd, K, 2)}
	for _, x := range [][]float64{c.Transitions, c.Start, c.End} {
		for i := 1; i < len(x); i++ {
			if rnd.Float64() < out {
				x[i] = math.Inf(-1)
			}
		}
	}
	return c
}

// everyPath calls f with each of the tag sequences of T tags.
func everyPath(T, K int, f func(tags []int)) {
	tags := make([]int, T)
	for {
		f(tags)
		t := 0
		for ; t < T && tags[t] == K-1; t++ {
			tags[t] = 0
		}
		if t == T {
			return
		}
		tags[t]++
	}
}

// The recursions are sums and maxima over all tag sequences.
func TestCRFIsASumOverPaths(t *testing.T) {
	rnd := rand.New(rand.NewSource(1))
	for trial := range 60 {
		K, T := 1+trial%5, 1+rnd.Intn(6)
		c := newCRF(rnd, K, []float64{0, 0.3}[trial/5%2])
		e := uniform(rnd, T*K, 3)
		z, top := 0.0, math.Inf(-1)
		p, best := make([]float64, T*K), make([]int, T)
		everyPath(T, K, func(tags []int) {
			score := c.Score(e, tags)
			if score > top {
				top = score
				copy(best, tags)
			}
			z += math.Exp(score)
			for t, k := range tags {
				p[t*K+k] += math.Exp(score)
			}
		})
		nats, _, _ := c.Gradient(e, best)
		if want := math.Log(z) - top; math.Abs(nats-want) > 1e-12 {
			t.Errorf("trial %d: %v nats, over all paths %v", trial, nats, want)
		}
		for i, got := range c.Marginals(e) {
			if want := p[i] / z; math.Abs(got-want) > 1e-12 {
				t.Errorf("trial %d: marginal %d is %v, over all paths %v", trial, i, got, want)
			}
		}
		for i, got := range c.Decode(e) {
			if got != best[i] {
				t.Errorf("trial %d: tag %d is %d, of the best of all paths %d", trial, i, got, best[i])
			}
		}
	}
}

func TestGradientOfCRF(t *testing.T) {
	rnd := rand.New(rand.NewSource(2))
	for trial := range 30 {
		K, T := 1+rnd.Intn(5), 1+rnd.Intn(6)
		c := newCRF(rnd, K, []float64{0, 0.3}[trial%2])
		e := uniform(rnd, T*K, 2)
		tags := c.Decode(uniform(rnd, T*K, 9)) // allowed ones
		nats := func() float64 { n, _, _ := c.Gradient(e, tags); return n }
		_, dc, de := c.Gradient(e, tags)
		for name, g := range map[string][2][]float64{
			"transitions": {dc.Transitions, c.Transitions}, "start": {dc.Start, c.Start}, "end": {dc.End, c.End}, "emissions": {de, e},
		} {
			for i, at := range g[1] {
				if math.IsInf(at, -1) {
					if g[0][i] != 0 {
						t.Errorf("trial %d: %s [%d] is ruled out, gradient %v", trial, name, i, g[0][i])
					}
					continue
				}
				const h = 1e-5
				g[1][i] = at + h
				high := nats()
				g[1][i] = at - h
				want := (high - nats()) / (2 * h)
				if g[1][i] = at; math.Abs(g[0][i]-want) > 1e-9 {
					t.Errorf("trial %d: %s [%d]: gradient %v, by differences %v", trial, name, i, g[0][i], want)
				}
			}
		}
	}
}

func TestGradientOfWeightedCrossEntropy(t *testing.T) {
	rnd := rand.New(rand.NewSource(3))
	const N, V = 6, 4
	logits, targets, weights := uniform(rnd, N*V, 2), []int{3, -1, 0, 3, 1, 2}, []float64{0.5, 2, 0, 3}
	_, got := WeightedCrossEntropy(logits, targets, weights)
	want := central(logits, func() float64 { l, _ := WeightedCrossEntropy(logits, targets, weights); return l })
	if d := relative(got, want); !(d < 1e-8) {
		t.Errorf("relative difference %.2g", d)
	}
	// ln 2 and ln 4 that weigh 1 and 3.
	loss, _ := WeightedCrossEntropy([]float64{0, 0, 0, math.Log(3)}, []int{1, 0}, []float64{3, 1})
	if want := (math.Ln2 + 3*math.Log(4)) / 4; math.Abs(loss-want) > 1e-12 {
		t.Errorf("loss %v, want %v", loss, want)
	}
}
