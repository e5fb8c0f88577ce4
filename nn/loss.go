package nn

import (
	"fmt"
	"math"

	"sluice/internal/kernel"
)

// Ignore as a target leaves its row out of the loss and of the gradient.
const Ignore int32 = -1

// Softmax sets each row of x (N, V) to exp(x)/Σexp(x).
func Softmax(x []float32, n, v int) {
	need("Softmax", "x", x, n, v)
	for i := range n {
		row := x[i*v : (i+1)*v]
		scale(row, 1/kernel.ExpSum(row, maxOf(row)))
	}
}

// CrossEntropy is softmax with cross-entropy over V classes. It keeps buffers
// and serves one caller.
type CrossEntropy struct {
	V    int
	Nats []float64 // (N) the loss of each row of the last call, 0 where ignored
	job  lossJob
}

type lossJob struct {
	v, parts int
	nats     []float64 // (N)
	logits   []float32 // (N, V)
	targets  []int32   // (N)
	factor   float32
	backward bool
}

// Loss returns the summed cross-entropy of the rows of logits (N, V) at their
// targets (N), in nats, and the number of rows that count: those whose target
// is not Ignore. The logits are spent: what they hold after is not defined.
// A row with a NaN or +Inf makes the sum NaN; a target beyond V panics.
func (c *CrossEntropy) Loss(team *Team, logits []float32, targets []int32) (nats float64, count int) {
	return c.run(team, lossJob{logits: logits, targets: targets})
}

// Gradient is Loss, and turns logits into the gradient of the loss times
// factor, (softmax − one-hot)·factor: factor 1/count makes it that of the mean.
func (c *CrossEntropy) Gradient(team *Team, logits []float32, targets []int32, factor float32) (nats float64, count int) {
	return c.run(team, lossJob{logits: logits, targets: targets, factor: factor, backward: true})
}

func (c *CrossEntropy) run(team *Team, job lossJob) (nats float64, count int) {
	c.check(job.logits, job.targets)
	targets := job.targets
	c.Nats = Grow(c.Nats, len(targets))
	job.v, job.nats, job.parts = c.V, c.Nats, min(len(targets), team.Threads())
	c.job = job
	team.Do(job.parts, &c.job)
	c.job = lossJob{}
	for i, target := range targets {
		if target != Ignore {
			nats += c.Nats[i]
			count++
		}
	}
	return nats, count
}

// check panics here, in the caller's goroutine, where it can be recovered.
func (c *CrossEntropy) check(logits []float32, targets []int32) {
	if c.V < 1 {
		panic(fmt.Sprintf("nn: CrossEntropy: V is %d, want 1 or more", c.V))
	}
	need("CrossEntropy", "logits", logits, len(targets), c.V)
	for i, target := range targets {
		if target != Ignore && uint(target) >= uint(c.V) {
			panic(fmt.Sprintf("nn: CrossEntropy: target %d at %d, want 0 ≤ target < %d or %d to ignore it", target, i, c.V, Ignore))
		}
	}
}

func (j *lossJob) Run(part int) {
	from, to := kernel.Span(len(j.targets), part, j.parts, 1)
	for i := from; i < to; i++ {
		row, target := j.logits[i*j.v:(i+1)*j.v], j.targets[i]
		if target == Ignore {
			clear(row)
			j.nats[i] = 0
			continue
		}
		top := maxOf(row)
		at := float64(row[target]) - float64(top)
		sum := kernel.ExpSum(row, top)
		j.nats[i] = math.Log(sum) - at
		if j.backward {
			p := float64(row[target]) / sum
			scale(row, float64(j.factor)/sum)
			row[target] = float32((p - 1) * float64(j.factor)) // keeps its digits as p nears 1
		}
	}
}

// maxOf is the largest of row, which is not NaN.
func maxOf(row []float32) float32 {
	top := float32(math.Inf(-1))
	for _, x := range row {
		if x > top { // ten times as fast as max
			top = x
		}
	}
	return top
}

func scale(row []float32, by float64) {
	b := float32(by)
	for i := range row {
		row[i] *= b
	}
}
