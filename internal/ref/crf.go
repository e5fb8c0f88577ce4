package ref

import "math"

// CRF is the linear-chain conditional random field of Lafferty, McCallum and
// Pereira 2001. -Inf rules out a transition, a first or a last tag. Or it is a
// gradient. Emissions e are (T, K), of one sequence of T ≥ 1 tags.
type CRF struct {
	K           int
	Transitions []float64 // (K, K) from, to
	Start, End  []float64 // (K)
}

// Score is that of tags (T): the tag sequence's unnormalised log-probability.
func (c *CRF) Score(e []float64, tags []int) float64 {
	wantLen("e", len(e), len(tags)*c.K)
	score := c.Start[tags[0]] + c.End[tags[len(tags)-1]]
	for t, k := range tags {
		score += e[t*c.K+k]
		if t > 0 {
			score += c.Transitions[tags[t-1]*c.K+k]
		}
	}
	return score
}

// forward returns the log of the summed exponential scores of all beginnings that
// end in each tag, (T, K), and that of all sequences.
func (c *CRF) forward(e []float64) (alpha []float64, logZ float64) {
	K := c.K
	alpha = make([]float64, len(e))
	for i := range e {
		t, k := i/K, i%K
		if t == 0 {
			alpha[i] = c.Start[k] + e[i]
			continue
		}
		paths := make([]float64, K)
		for from := range paths {
			paths[from] = alpha[(t-1)*K+from] + c.Transitions[from*K+k]
		}
		alpha[i] = logSumExp(paths) + e[i]
	}
	ends := make([]float64, K)
	for k := range ends {
		ends[k] = alpha[len(e)-K+k] + c.End[k]
	}
	return alpha, logSumExp(ends)
}

// backward returns the log of the summed exponential scores of all that may follow
// each tag, (T, K).
func (c *CRF) backward(e []float64) (beta []float64) {
	K := c.K
	beta = make([]float64, len(e))
	copy(beta[len(e)-K:], c.End)
	for i := len(e) - K - 1; i >= 0; i-- {
		t, from := i/K, i%K
		paths := make([]float64, K)
		for to := range paths {
			paths[to] = c.Transitions[from*K+to] + e[(t+1)*K+to] + beta[(t+1)*K+to]
		}
		beta[i] = logSumExp(paths)
	}
	return beta
}

// logSumExp is ln Σ exp(x).
func logSumExp(x []float64) float64 {
	top, sum := math.Inf(-1), 0.0
	for _, v := range x {
		top = math.Max(top, v)
	}
	if math.IsInf(top, -1) {
		return top
	}
	for _, v := range x {
		sum += math.Exp(v - top)
	}
	return top + math.Log(sum)
}

// Marginals returns the probability of each tag at each step, (T, K).
func (c *CRF) Marginals(e []float64) []float64 {
	p := make([]float64, len(e))
	alpha, logZ := c.forward(e)
	for i, b := range c.backward(e) {
		p[i] = math.Exp(alpha[i] + b - logZ)
	}
	return p
}

// Gradient returns -ln p(tags), in nats, and its gradients by the parameters and
// by e: what is expected less what is. Tags that are ruled out have none.
func (c *CRF) Gradient(e []float64, tags []int) (nats float64, dc *CRF, de []float64) {
	K, T := c.K, len(tags)
	dc = &CRF{K, make([]float64, K*K), make([]float64, K), make([]float64, K)}
	alpha, logZ := c.forward(e)
	beta := c.backward(e)
	for i := K; i < len(e); i++ {
		t, to := i/K, i%K
		for from := range K {
			path := alpha[(t-1)*K+from] + c.Transitions[from*K+to] + e[i] + beta[i]
			dc.Transitions[from*K+to] += math.Exp(path - logZ)
		}
	}
	de = c.Marginals(e)
	for t, k := range tags {
		de[t*K+k]--
		if t > 0 {
			dc.Transitions[tags[t-1]*K+k]--
		}
	}
	copy(dc.Start, de[:K]) // each sequence has one start and one end
	copy(dc.End, de[(T-1)*K:])
	return logZ - c.Score(e, tags), dc, de
}

// Decode returns the tags (T) of the highest score (Viterbi 1967).
func (c *CRF) Decode(e []float64) []int {
	K, T := c.K, len(e)/c.K
	best, from := make([]float64, len(e)), make([]int, len(e))
	for i := range e {
		t, k := i/K, i%K
		best[i] = c.Start[k]
		if t > 0 {
			best[i] = math.Inf(-1)
			for f := range K {
				if s := best[(t-1)*K+f] + c.Transitions[f*K+k]; s > best[i] {
					best[i], from[i] = s, f
				}
			}
		}
		best[i] += e[i]
	}
	tags, top := make([]int, T), math.Inf(-1)
	for k := range K {
		if s := best[(T-1)*K+k] + c.End[k]; s > top {
			tags[T-1], top = k, s
		}
	}
	for t := T - 1; t > 0; t-- {
		tags[t-1] = from[t*K+tags[t]]
	}
	return tags
}
