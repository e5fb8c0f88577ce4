package model

import (
	"fmt"
	"math"

	"sluice/internal/kernel"
	"sluice/nn"
)

// Objective is what Gradient minimises beside the loss of the task. The zero
// value is the loss alone. Whatever it holds, the loss returned is that of the
// task.
type Objective struct {
	Dropout   *nn.Key   // of the masks: its Seed and Step. nil drops nothing
	Smoothing float64   // ε in [0, 1) of label smoothing: see nn.CrossEntropy
	AR        float64   // α: activation regularisation, α·mean(z²) of what the head reads, dropped out (Merity et al. 2018)
	TAR       float64   // β: temporal activation regularisation, β·mean((y[t] − y[t−1])²) of the stack's outputs, within a row's length
	Weights   []float32 // (K) of the labels of a classification, above 0, by which their examples count in the mean; nil: all 1
}

// Validate says which field cannot be for a model, and what is allowed.
func (o Objective) Validate(s Spec) error {
	switch {
	case !(o.Smoothing >= 0 && o.Smoothing < 1):
		return fmt.Errorf("model: label smoothing %v: want a number in [0, 1)", o.Smoothing)
	case o.Smoothing > 0 && (s.Task == Regress || s.Task == Forecast):
		return fmt.Errorf("model: label smoothing %v: acts on classes, and task %s has none", o.Smoothing, s.Task)
	case o.Smoothing > 0 && s.CRF:
		return fmt.Errorf("model: label smoothing %v: acts on a softmax at each step, and a CRF has one over whole sequences", o.Smoothing)
	case o.Weights != nil && s.Task != Classify:
		return fmt.Errorf("model: weights of labels: act on a classification, and the task is %s", s.Task)
	case o.Weights != nil && o.Smoothing > 0:
		return fmt.Errorf("model: label smoothing %v beside weights of labels: want one of the two", o.Smoothing)
	case o.Smoothing > 0 && len(s.Cutoffs) > 0:
		return fmt.Errorf("model: label smoothing %v: acts on a full softmax, and cutoffs %v make an adaptive one", o.Smoothing, s.Cutoffs)
	}
	for i, v := range []float64{o.AR, o.TAR} {
		if !(v >= 0) || math.IsInf(v, 0) {
			return fmt.Errorf("model: %s %v: want 0 (none) or more", []string{"activation regularisation", "temporal activation regularisation"}[i], v)
		}
	}
	for i, w := range o.Weights {
		if !(w > 0) || w-w != 0 {
			return fmt.Errorf("model: weight %v of label %d: want a finite number above 0", w, i)
		}
	}
	return nil
}

// activationJob adds the gradient of an activation regularisation of x (rows, W)
// to dx, by being twice its factor over the number of its terms.
type activationJob struct {
	dx, x    []float32
	by       float32
	temporal bool
	width    int
	b        Batch // temporal: of rows (T, B)
	parts    int
}

func (r *Runner) regularise(j activationJob) {
	j.width = r.p.RNN.OutputSize()
	j.parts = min(r.team.Threads(), len(j.x)/j.width)
	r.activation = j
	r.team.Do(j.parts, &r.activation)
	r.activation = activationJob{}
}

func (j *activationJob) Run(part int) {
	from, to := kernel.Span(len(j.x)/j.width, part, j.parts, 1)
	if !j.temporal {
		dx := j.dx[from*j.width : to*j.width]
		for i, v := range j.x[from*j.width : to*j.width] {
			dx[i] += float32(j.by * v)
		}
		return
	}
	for i := from; i < to; i++ {
		t, length := i/j.b.B, j.b.length(i%j.b.B)
		x, dx := j.row(i), j.dx[i*j.width:(i+1)*j.width]
		if t > 0 { // past a length nobody reads it
			pull(dx, x, j.row(i-j.b.B), j.by)
		}
		if t+1 < length {
			pull(dx, x, j.row(i+j.b.B), j.by)
		}
	}
}

func (j *activationJob) row(i int) []float32 { return j.x[i*j.width : (i+1)*j.width] }

// pull adds by·(x − other) to dx.
func pull(dx, x, other []float32, by float32) {
	for k, v := range other {
		dx[k] += float32(by * (x[k] - v))
	}
}

// length is that of row i.
func (b Batch) length(i int) int {
	if b.Lengths == nil {
		return b.T
	}
	return b.Lengths[i]
}

// pairs is how many pairs of neighbouring steps there are.
func (b Batch) pairs() (n int) {
	for i := range b.B {
		n += max(0, b.length(i)-1)
	}
	return n
}
