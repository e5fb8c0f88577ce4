package nn

import (
	"math"

	"sluice/internal/kernel"
)

// Ignore as a target leaves its row out of the loss and of the gradient.
const Ignore int32 = -1

// Softmax sets each row of x (N, V) to exp(x)/Σexp(x).
func Softmax(x []float32, n, v int) {
	for i := range n {
		row := x[i*v : (i+1)*v]
		scale(row, 1/expSum(row, maxOf(row)))
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
// is not Ignore. The logits are spent.
func (c *CrossEntropy) Loss(team *Team, logits []float32, targets []int32) (nats float64, count int) {
	return c.run(team, lossJob{logits: logits, targets: targets})
}

// Gradient is Loss, and turns logits into the gradient of the loss times
// factor, (softmax − one-hot)·factor: factor 1/count makes it that of the mean.
func (c *CrossEntropy) Gradient(team *Team, logits []float32, targets []int32, factor float32) (nats float64, count int) {
	return c.run(team, lossJob{logits: logits, targets: targets, factor: factor, backward: true})
}

func (c *CrossEntropy) run(team *Team, job lossJob) (nats float64, count int) {
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
		sum := expSum(row, top)
		j.nats[i] = math.Log(float64(sum)) - at
		if j.backward {
			scale(row, j.factor/sum)
			row[target] -= j.factor
		}
	}
}

func maxOf(row []float32) float32 {
	top := row[0]
	for _, x := range row[1:] {
		top = max(top, x)
	}
	return top
}

// expSum sets each element of row to exp(x−top) and returns their sum.
func expSum(row []float32, top float32) float32 {
	sum := 0.0
	for i, x := range row {
		e := kernel.Exp(x - top)
		row[i] = e
		sum += float64(e)
	}
	return float32(sum)
}

func scale(row []float32, by float32) {
	for i := range row {
		row[i] *= by
	}
}
