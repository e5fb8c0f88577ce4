package nn

import "fmt"

// CRF is a linear-chain conditional random field over K tags (Lafferty, McCallum
// and Pereira 2001). Tags y of a sequence with emissions e have the score
//
//	start[y(0)] + Σ e[t][y(t)] + Σ transitions[y(t−1)][y(t)] + end[y(last)]
//
// and the probability that softmax over all allowed tag sequences gives them.
// What Allowed forbids has probability zero, as has what a parameter or an
// emission of −Inf rules out. It keeps buffers and serves one caller.
//
// Emissions are (T·B, K), in blocks, time first: step t of sequence b is row
// t·B+b; Loss and Decode leave them as they are. lengths is (B), nil for all T;
// nothing past a length is read, and a sequence of length 0 does not count.
type CRF struct {
	K       int
	Allowed Allowed
	Nats    []float64 // (B) the loss of each sequence of the last Loss or Gradient
	job     crfJob
}

// CRFParams are the parameters of a [CRF], or their gradient: views of the
// caller's vectors. They mean what those of the package pytorch-crf do.
type CRFParams struct {
	Transitions []float32 // (K, K) from, to
	Start, End  []float32 // (K)
}

// Allowed says which steps a tag scheme has. Nil allows all.
type Allowed struct {
	Transitions []bool // (K, K) from, to
	Start, End  []bool // (K) may be first, may be last
}

// Loss returns −ln p of tags (T·B), in nats, summed over the sequences, and the
// number of tags. Within a length each is in [0, K): Ignore is not. A sequence whose
// tags are forbidden has +Inf nats, which its caller should have found before; one
// with a NaN, or a +Inf, in its emissions or in parameters that it needs has NaN.
func (c *CRF) Loss(team *Team, p CRFParams, emissions Matrix, tags []int32, T, B int, lengths []int) (nats float64, count int) {
	c.run(team, p, emissions, crfJob{tags: tags, T: T, B: B, lengths: lengths, loss: true})
	return c.sum(T, B, lengths)
}

// Gradient is Loss, and turns emissions into the gradient of the loss times factor,
// zero past a length, and adds to d that by the parameters. What is forbidden has
// none, and neither has a sequence whose own tags are.
func (c *CRF) Gradient(team *Team, d, p CRFParams, emissions Matrix, tags []int32, T, B int, lengths []int, factor float32) (nats float64, count int) {
	c.needParams("CRF: d", d)
	c.run(team, p, emissions, crfJob{tags: tags, T: T, B: B, lengths: lengths, factor: float64(factor), loss: true, posterior: true})
	c.job.addTo(d, float64(factor))
	return c.sum(T, B, lengths)
}

// Marginals turns emissions into the probability of each tag at each step, given
// the whole sequence; zero past a length, and where no tags are allowed.
func (c *CRF) Marginals(team *Team, p CRFParams, emissions Matrix, T, B int, lengths []int) {
	c.run(team, p, emissions, crfJob{T: T, B: B, lengths: lengths, factor: 1, posterior: true})
}

// Decode sets tags (T·B) to those of the highest score (Viterbi 1967); of equal
// ones, seen from the end, to the lowest tag. Past a length they are Ignore, as
// they are throughout where no tags are allowed. A NaN rules out what it scores.
func (c *CRF) Decode(team *Team, tags []int32, p CRFParams, emissions Matrix, T, B int, lengths []int) {
	c.run(team, p, emissions, crfJob{tags: tags, T: T, B: B, lengths: lengths, decode: true})
}

func (c *CRF) run(team *Team, p CRFParams, emissions Matrix, job crfJob) {
	c.check(p, emissions, &job)
	if job.loss {
		c.Nats = Grow(c.Nats, job.B)
		job.nats = c.Nats
	}
	job.k, job.emissions = c.K, emissions
	job.weights, job.parts = c.job.weights, c.job.parts
	job.weights.set(c.K, p, c.Allowed)
	if !job.decode {
		job.weights.scale(c.K)
	}
	job.reserve()
	c.job = job
	team.Do(len(c.job.parts), &c.job)
	c.job.tags, c.job.lengths, c.job.emissions, c.job.nats = nil, nil, Matrix{}, nil
}

// sum adds up the sequences in their order.
func (c *CRF) sum(T, B int, lengths []int) (nats float64, count int) {
	for b, n := range c.Nats {
		nats += n
		count += lengthOf(b, T, lengths)
	}
	return nats, count
}

// lengthOf is the length of sequence b of T steps.
func lengthOf(b, T int, lengths []int) int {
	if lengths == nil {
		return T
	}
	return lengths[b]
}

// check panics here, in the caller's goroutine, where it can be recovered.
func (c *CRF) check(p CRFParams, emissions Matrix, j *crfJob) {
	if c.K < 1 {
		panic(fmt.Sprintf("nn: CRF: K is %d, want 1 or more", c.K))
	}
	if j.T < 0 || j.B < 0 || j.lengths != nil && len(j.lengths) != j.B {
		panic(fmt.Sprintf("nn: CRF: %d lengths of (%d, %d)", len(j.lengths), j.T, j.B))
	}
	for b, n := range j.lengths {
		if n < 0 || n > j.T {
			panic(fmt.Sprintf("nn: CRF: length %d at %d, want 0 ≤ length ≤ %d", n, b, j.T))
		}
	}
	emissions.NeedBlocks("nn: CRF: emissions", j.T*j.B, c.K)
	c.needParams("CRF", p)
	a := c.Allowed
	if n := len(a.Transitions); a.Transitions != nil && n != c.K*c.K {
		panic(fmt.Sprintf("nn: CRF: Allowed has %d transitions, want (%d, %d)", n, c.K, c.K))
	}
	if s, e := len(a.Start), len(a.End); a.Start != nil && s != c.K || a.End != nil && e != c.K {
		panic(fmt.Sprintf("nn: CRF: Allowed has %d starts and %d ends, want %d", s, e, c.K))
	}
	if (j.loss || j.decode) && len(j.tags) < j.T*j.B {
		panic(fmt.Sprintf("nn: CRF: %d tags, want (%d, %d)", len(j.tags), j.T, j.B))
	}
	if j.loss {
		c.needTags(j)
	}
}

// needTags panics unless each tag within a length is one of K.
func (c *CRF) needTags(j *crfJob) {
	for b := range j.B {
		for t := range lengthOf(b, j.T, j.lengths) {
			if tag := j.tags[t*j.B+b]; uint(tag) >= uint(c.K) {
				panic(fmt.Sprintf("nn: CRF: tag %d at step %d of sequence %d, want 0 ≤ tag < %d", tag, t, b, c.K))
			}
		}
	}
}

func (c *CRF) needParams(call string, p CRFParams) {
	need(call, "Transitions", p.Transitions, c.K, c.K)
	need(call, "Start", p.Start, 1, c.K)
	need(call, "End", p.End, 1, c.K)
}
