// Package optim moves one flat vector of parameters against its gradient: SGD
// with momentum, Adam, weight decay, the mean of the parameters, clipping,
// schedules of the learning rate and the test that finds one.
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

// Rule says how parameters move: every option of an optimizer, saved with a
// run. There is no zero value: Kind must be named.
type Rule struct {
	Kind     string  `json:"kind"`                   // "sgd", "adam"
	Momentum float64 `json:"momentum,omitempty"`     // sgd: in [0, 1)
	Beta1    float64 `json:"beta1,omitempty"`        // adam: in [0, 1), usually 0.9
	Beta2    float64 `json:"beta2,omitempty"`        // adam: in [0, 1), usually 0.999
	Epsilon  float64 `json:"epsilon,omitempty"`      // adam: above 0, usually 1e-8: with 0 a parameter without a gradient moves by 0/0
	Decay    float64 `json:"weight_decay,omitempty"` // λ, 0 or more: of all parameters alike
}

// Validate says which field cannot be, and what is allowed.
func (r Rule) Validate() error {
	switch r.Kind {
	case "sgd":
		if !(r.Momentum >= 0 && r.Momentum < 1) {
			return fmt.Errorf("optim: momentum %v: want a number in [0, 1)", r.Momentum)
		}
	case "adam":
		for i, beta := range []float64{r.Beta1, r.Beta2} {
			if !(beta >= 0 && beta < 1) {
				return fmt.Errorf("optim: Adam's beta%d %v: want a number in [0, 1)", i+1, beta)
			}
		}
		if eps := float32(r.Epsilon); !(eps > 0) || eps > math.MaxFloat32 { // as the kernel takes it
			return fmt.Errorf("optim: Adam's epsilon %v: want a number above 0 that float32 holds", r.Epsilon)
		}
	default:
		return fmt.Errorf("optim: optimizer %q: want sgd or adam", r.Kind)
	}
	if !(r.Decay >= 0 && r.Decay <= math.MaxFloat32) {
		return fmt.Errorf("optim: weight decay %v: want 0 (none) or more, that float32 holds", r.Decay)
	}
	return nil
}

// New makes the optimizer of n parameters. The rule must be valid.
//
// "sgd" is stochastic gradient descent with classical momentum and coupled
// weight decay, as torch.optim.SGD: v ← μ·v + g + λ·p; p ← p − lr·v.
//
// "adam" is Kingma and Ba 2015 (algorithm 1), with both moments corrected for
// their start at zero and ε added outside the root. Its weight decay is
// decoupled (Loshchilov and Hutter 2019), as torch.optim.AdamW: p ← p − lr·λ·p
// beside Adam's step, and no moment sees it.
func (r Rule) New(n int) Optimizer {
	if err := r.Validate(); err != nil {
		panic(err.Error())
	}
	if r.Kind == "adam" {
		return &adam{rule: r, m: make([]float32, n), v: make([]float32, n)}
	}
	s := &sgd{rule: r, n: n}
	if r.Momentum != 0 {
		s.velocity = make([]float32, n)
	}
	return s
}

type sgd struct {
	rule     Rule
	velocity []float32 // (N), nil without momentum
	n        int
	updates  int
	job      sgdJob
}

func (s *sgd) Update(team *nn.Team, params, grad []float32, lr float64) {
	checkLengths(params, grad, s.n)
	s.updates++
	s.job = sgdJob{s, params, grad, float32(lr)}
	team.Do(kernel.Pieces(s.n), &s.job)
	s.job = sgdJob{}
}

type sgdJob struct {
	s            *sgd
	params, grad []float32
	step         float32
}

func (j *sgdJob) Run(piece int) {
	from, to := kernel.Bounds(j.s.n, piece)
	r := &j.s.rule
	if j.s.velocity == nil {
		kernel.SGD(j.params[from:to], j.grad[from:to], float32(r.Decay), j.step)
	} else {
		kernel.Momentum(j.params[from:to], j.grad[from:to], j.s.velocity[from:to], r.Momentum, r.Decay, j.step)
	}
}

func (s *sgd) State() (map[string][]float32, int) { return s.moments(), s.updates }

func (s *sgd) Restore(moments map[string][]float32, updates int) error {
	return restore(s.moments(), &s.updates, moments, updates)
}

func (s *sgd) moments() map[string][]float32 {
	if s.velocity == nil {
		return map[string][]float32{}
	}
	return map[string][]float32{"velocity": s.velocity}
}

type adam struct {
	rule    Rule
	m, v    []float32 // (N)
	updates int
	job     adamJob
}

func (a *adam) Update(team *nn.Team, params, grad []float32, lr float64) {
	checkLengths(params, grad, len(a.m))
	a.updates++
	r, t := &a.rule, float64(a.updates)
	a.job = adamJob{a, params, grad, kernel.AdamStep{
		Beta1: r.Beta1, Beta2: r.Beta2, Eps: float32(r.Epsilon),
		Step:  float32(lr / (1 - math.Pow(r.Beta1, t))),
		Root:  float32(1 / math.Sqrt(1-math.Pow(r.Beta2, t))),
		Decay: float32(lr * r.Decay),
	}}
	team.Do(kernel.Pieces(len(a.m)), &a.job)
	a.job = adamJob{}
}

type adamJob struct {
	a            *adam
	params, grad []float32
	step         kernel.AdamStep
}

func (j *adamJob) Run(piece int) {
	from, to := kernel.Bounds(len(j.a.m), piece)
	kernel.Adam(j.params[from:to], j.grad[from:to], j.a.m[from:to], j.a.v[from:to], j.step)
}

func (a *adam) State() (map[string][]float32, int) { return a.moments(), a.updates }

func (a *adam) Restore(moments map[string][]float32, updates int) error {
	return restore(a.moments(), &a.updates, moments, updates)
}

func (a *adam) moments() map[string][]float32 {
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
