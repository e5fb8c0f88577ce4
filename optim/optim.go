// Package optim moves one flat vector of parameters against its gradient: SGD
// with momentum, Adam, clipping, and schedules of the learning rate.
//
// Parameters, gradient and moments are flat vectors of the same length N, so
// that an optimizer is one loop and its state is saved as it stands.
package optim

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"sluice/internal/kernel"
	"sluice/nn"
)

// An Optimizer updates parameters in place.
type Optimizer interface {
	// Update moves params (N) against grad (N) at learning rate lr. Other
	// lengths panic. It does not look for NaN: see ClipNorm.
	Update(team *nn.Team, params, grad []float32, lr float64)
	// State is what the optimizer remembers between updates, for saving: its
	// moments by name, each (N), and the number of updates made. The moments
	// are its own, so the next Update changes them.
	State() (moments map[string][]float32, updates int)
	// Restore copies a State, which must have the optimizer's moments, each of
	// length N, and no others. With an error nothing has changed.
	Restore(moments map[string][]float32, updates int) error
}

// SGD is stochastic gradient descent with classical momentum as PyTorch has
// it: v ← μ·v + g; p ← p − lr·v.
type SGD struct {
	momentum float64
	velocity []float32 // (N), nil without momentum
	n        int
	updates  int
	job      sgdJob
}

// NewSGD makes an SGD for n parameters with momentum μ in [0, 1).
func NewSGD(n int, momentum float64) *SGD {
	s := &SGD{momentum: momentum, n: n}
	if momentum != 0 {
		s.velocity = make([]float32, n)
	}
	return s
}

// Update implements Optimizer.
func (s *SGD) Update(team *nn.Team, params, grad []float32, lr float64) {
	checkLengths(params, grad, s.n)
	s.updates++
	s.job = sgdJob{s, params, grad, float32(lr)}
	team.Do(kernel.Pieces(s.n), &s.job)
	s.job = sgdJob{}
}

type sgdJob struct {
	s            *SGD
	params, grad []float32
	step         float32
}

func (j *sgdJob) Run(piece int) {
	from, to := kernel.Bounds(j.s.n, piece)
	if j.s.velocity == nil {
		kernel.SGD(j.params[from:to], j.grad[from:to], j.step)
	} else {
		kernel.Momentum(j.params[from:to], j.grad[from:to], j.s.velocity[from:to], j.s.momentum, j.step)
	}
}

// State implements Optimizer.
func (s *SGD) State() (map[string][]float32, int) { return s.moments(), s.updates }

// Restore implements Optimizer.
func (s *SGD) Restore(moments map[string][]float32, updates int) error {
	return restore(s.moments(), &s.updates, moments, updates)
}

func (s *SGD) moments() map[string][]float32 {
	if s.velocity == nil {
		return map[string][]float32{}
	}
	return map[string][]float32{"velocity": s.velocity}
}

// Adam is Kingma and Ba 2015 (algorithm 1), with both moments corrected for
// their start at zero and ε added outside the root, as PyTorch has it.
type Adam struct {
	beta1, beta2, eps float64
	m, v              []float32 // (N)
	updates           int
	job               adamJob
}

// NewAdam makes an Adam for n parameters; the paper's β₁ = 0.9, β₂ = 0.999 and
// ε = 1e-8 are usual. β₁ and β₂ are in [0, 1). ε is above 0: with 0, a
// parameter that never had a gradient moves by 0/0.
func NewAdam(n int, beta1, beta2, eps float64) *Adam {
	return &Adam{beta1: beta1, beta2: beta2, eps: eps, m: make([]float32, n), v: make([]float32, n)}
}

// Update implements Optimizer.
func (a *Adam) Update(team *nn.Team, params, grad []float32, lr float64) {
	checkLengths(params, grad, len(a.m))
	a.updates++
	t := float64(a.updates)
	a.job = adamJob{a, params, grad, kernel.AdamStep{
		Beta1: a.beta1, Beta2: a.beta2, Eps: float32(a.eps),
		Step: float32(lr / (1 - math.Pow(a.beta1, t))),
		Root: float32(1 / math.Sqrt(1-math.Pow(a.beta2, t))),
	}}
	team.Do(kernel.Pieces(len(a.m)), &a.job)
	a.job = adamJob{}
}

type adamJob struct {
	a            *Adam
	params, grad []float32
	step         kernel.AdamStep
}

func (j *adamJob) Run(piece int) {
	from, to := kernel.Bounds(len(j.a.m), piece)
	kernel.Adam(j.params[from:to], j.grad[from:to], j.a.m[from:to], j.a.v[from:to], j.step)
}

// State implements Optimizer.
func (a *Adam) State() (map[string][]float32, int) { return a.moments(), a.updates }

// Restore implements Optimizer.
func (a *Adam) Restore(moments map[string][]float32, updates int) error {
	return restore(a.moments(), &a.updates, moments, updates)
}

func (a *Adam) moments() map[string][]float32 {
	return map[string][]float32{"m": a.m, "v": a.v}
}

func checkLengths(params, grad []float32, n int) {
	if len(params) != n || len(grad) != n {
		panic(fmt.Sprintf("optim: Update: %d parameters and %d gradients, want %d of each", len(params), len(grad), n))
	}
}

// restore copies from into to, and updates into count, or nothing at all.
func restore(to map[string][]float32, count *int, from map[string][]float32, updates int) error {
	if updates < 0 {
		return fmt.Errorf("optim: %d updates: want 0 or more", updates)
	}
	for _, name := range slices.Sorted(maps.Keys(to)) {
		if got, ok := from[name]; !ok {
			return fmt.Errorf("optim: moment %q is missing, want %d values", name, len(to[name]))
		} else if len(got) != len(to[name]) {
			return fmt.Errorf("optim: moment %q has %d values, want %d", name, len(got), len(to[name]))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(from)) {
		if _, ok := to[name]; !ok {
			return fmt.Errorf("optim: moment %q: this optimizer has no such moment, want %q", name, slices.Sorted(maps.Keys(to)))
		}
	}
	for name, v := range to {
		copy(v, from[name])
	}
	*count = updates
	return nil
}

// Norm is the Euclidean norm of x. It is finite exactly when every element is:
// the largest float32 squared is far from the largest float64.
func Norm(team *nn.Team, x []float32) float64 { return math.Sqrt(team.SumSquares(x)) }

// ClipNorm scales grad to norm limit if its norm is larger, and returns the
// norm found (Pascanu et al. 2013). A limit of 0 leaves grad as it is. So does
// a norm that is NaN or infinite, whatever the limit: the caller looks at the
// norm and stops.
func ClipNorm(team *nn.Team, grad []float32, limit float64) float64 {
	norm := Norm(team, grad)
	if limit > 0 && norm > limit && !math.IsInf(norm, 0) {
		team.Scale(grad, limit/norm)
	}
	return norm
}

// ClipValue bounds each element of grad to [−limit, limit]. A limit of 0
// leaves grad as it is. NaN and infinite elements stay as they are, so that
// Norm still tells of them.
func ClipValue(grad []float32, limit float64) {
	if !(limit > 0) {
		return
	}
	l := float32(limit)
	for i, g := range grad {
		if g-g == 0 { // finite
			grad[i] = max(-l, min(l, g))
		}
	}
}
