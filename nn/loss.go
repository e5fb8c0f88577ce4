package nn

import (
	"fmt"
	"math"

	"sluice/internal/kernel"
)

// Ignore as a target leaves its row out of the loss and of the gradient.
const Ignore int32 = -1

// CrossEntropy is softmax with cross-entropy over V classes. It keeps buffers
// and serves one caller.
type CrossEntropy struct {
	V         int
	Smoothing float64   // ε in [0, 1): Gradient's target is 1−ε at the class and ε/V at each (Szegedy et al. 2016)
	Weights   []float32 // (V) by which the loss of a row counts, by its target; nil: 1. Not together with Smoothing
	Nats      []float64 // (N) the loss of each row of the last call, 0 where ignored
	job       lossJob
	scratch   []lossScratch
}

// chunk is how many rows pass through a step of the loss at once: their blocks
// stay in the cache.
const chunk = 16

// lossJob is a span of rows.
type lossJob struct {
	v, parts int
	nats     []float64 // (N)
	logits   Matrix    // (N, V)
	targets  []int32   // (N)
	factor   float32
	smooth   float64   // ε
	weights  []float32 // (V), or nil
	backward bool
	scratch  []lossScratch // (parts)
}

// lossScratch is of the rows of a chunk.
type lossScratch struct {
	top, by [chunk]float32
	sum     [chunk]float64
	spread  [chunk * kernel.Wide]float32 // what smoothing adds to a block
	_       [64]byte
}

// Loss returns the summed cross-entropy of the rows of logits (N, V), in
// blocks, at their targets (N), in nats, and the number of rows that count:
// those whose target is not Ignore. With Weights the nats are weighted, also in
// Nats; the number is not. The logits are spent: what they hold after
// is not defined. A row with a NaN or +Inf makes the sum NaN; a target beyond V
// panics.
func (c *CrossEntropy) Loss(team *Team, logits Matrix, targets []int32) (nats float64, count int) {
	return c.run(team, lossJob{logits: logits, targets: targets})
}

// Gradient is Loss, and turns logits into the gradient of the loss times
// factor, (softmax − target)·factor, target being one-hot but for Smoothing:
// factor 1/count makes it that of the mean. With Smoothing too the nats returned
// are those of the plain cross-entropy.
func (c *CrossEntropy) Gradient(team *Team, logits Matrix, targets []int32, factor float32) (nats float64, count int) {
	return c.run(team, lossJob{logits: logits, targets: targets, factor: factor, smooth: c.Smoothing, backward: true})
}

// Weight is the sum of the Weights of the targets that count; their number, if
// Weights is nil. PyTorch's weighted mean is the nats of Loss divided by it, and
// its gradient that of factor 1/Weight.
func (c *CrossEntropy) Weight(targets []int32) float64 {
	sum := 0.0
	for _, target := range targets {
		if target != Ignore {
			sum += weightOf(c.Weights, target)
		}
	}
	return sum
}

// weightOf is by how much a row of this target counts.
func weightOf(weights []float32, target int32) float64 {
	if weights == nil {
		return 1
	}
	return float64(weights[target])
}

func (c *CrossEntropy) run(team *Team, job lossJob) (nats float64, count int) {
	c.check(job.logits, job.targets)
	targets := job.targets
	c.Nats = Grow(c.Nats, len(targets))
	c.scratch = Grow(c.scratch, team.Threads())
	job.v, job.nats, job.parts, job.scratch = c.V, c.Nats, min(len(targets), team.Threads()), c.scratch
	job.weights = c.Weights
	c.job = job
	team.Do(job.parts, &c.job)
	c.job = lossJob{}
	return sumNats(c.Nats, targets)
}

// check panics here, in the caller's goroutine, where it can be recovered.
func (c *CrossEntropy) check(logits Matrix, targets []int32) {
	if c.V < 1 {
		panic(fmt.Sprintf("nn: CrossEntropy: V is %d, want 1 or more", c.V))
	}
	if !(c.Smoothing >= 0 && c.Smoothing < 1) {
		panic(fmt.Sprintf("nn: CrossEntropy: Smoothing is %v, want 0 ≤ ε < 1", c.Smoothing))
	}
	if c.Weights != nil && (len(c.Weights) != c.V || c.Smoothing > 0) {
		panic(fmt.Sprintf("nn: CrossEntropy: %d Weights with Smoothing %v, want %d without", len(c.Weights), c.Smoothing, c.V))
	}
	logits.NeedBlocks("nn: CrossEntropy: logits", len(targets), c.V)
	needTargets("CrossEntropy", targets, c.V)
}

// needTargets panics unless each target is one of v classes or Ignore.
func needTargets(call string, targets []int32, v int) {
	for i, target := range targets {
		if target != Ignore && uint(target) >= uint(v) {
			panic(fmt.Sprintf("nn: %s: target %d at %d, want 0 ≤ target < %d or %d to ignore it", call, target, i, v, Ignore))
		}
	}
}

// sumNats adds up the rows that count, in their order.
func sumNats(nats []float64, targets []int32) (sum float64, count int) {
	for i, target := range targets {
		if target != Ignore {
			sum += nats[i]
			count++
		}
	}
	return sum, count
}

func (j *lossJob) Run(part int) {
	from, to := kernel.Span(len(j.targets), part, j.parts, 1)
	for ; from < to; from += chunk {
		j.rows(&j.scratch[part], from, min(chunk, to-from))
	}
}

// rows is n rows from the given one on.
func (j *lossJob) rows(s *lossScratch, from, n int) {
	x, width := j.logits.From(from), j.logits.Width
	for i := range n {
		s.top[i], s.sum[i] = float32(math.Inf(-1)), 0
		for k := j.v; k%width != 0; k = (k/width + 1) * width {
			pad := x.At(i, k) // what no class has becomes 0
			for l := range pad {
				pad[l] = float32(math.Inf(-1))
			}
		}
	}
	for k := 0; k < j.v; k += width {
		kernel.MaxRows(s.top[:n], x.Columns(k).Data, n)
	}
	for i, target := range j.targets[from : from+n] {
		if target != Ignore {
			j.nats[from+i] = float64(s.top[i]) - float64(x.At(i, int(target))[0])
		}
	}
	for k := 0; k < j.v; k += width {
		kernel.ExpSumRows(s.sum[:n], x.Columns(k).Data, s.top[:n], n)
	}
	for i, target := range j.targets[from : from+n] {
		if target == Ignore {
			s.by[i], j.nats[from+i] = 0, 0
			x.ClearRow(i, j.v)
			continue
		}
		weight := weightOf(j.weights, target)
		s.by[i] = float32(float64(j.factor) * weight / s.sum[i])
		j.nats[from+i] = (j.nats[from+i] + math.Log(s.sum[i])) * weight
	}
	if !j.backward {
		return
	}
	for i, target := range j.targets[from : from+n] {
		if target != Ignore { // the sum with its digits as p nears 1, once the rest is scaled
			p := float64(x.At(i, int(target))[0]) / s.sum[i]
			s.sum[i] = (p - 1 + (j.smooth - j.smooth/float64(j.v))) * (float64(j.factor) * weightOf(j.weights, target))
		}
	}
	for k := 0; k < j.v; k += width {
		kernel.ScaleRows(x.Columns(k).Data, s.by[:n], n)
	}
	if j.smooth > 0 {
		j.spread(s, x, from, n)
	}
	for i, target := range j.targets[from : from+n] {
		if target != Ignore {
			x.At(i, int(target))[0] = float32(s.sum[i])
		}
	}
}

// spread takes ε/V from every class of n rows of x, the first being row from.
func (j *lossJob) spread(s *lossScratch, x Matrix, from, n int) {
	each := float32(-j.smooth / float64(j.v) * float64(j.factor))
	for i, target := range j.targets[from : from+n] {
		row := s.spread[i*x.Width : (i+1)*x.Width]
		if clear(row); target == Ignore {
			continue
		}
		for k := range row {
			row[k] = each
		}
	}
	for k := 0; k < j.v; k += x.Width {
		kernel.AddTo(x.Columns(k).Data[:n*x.Width], s.spread[:n*x.Width])
	}
	for i := range n {
		if j.v%x.Width != 0 {
			clear(x.At(i, j.v))
		}
	}
}
