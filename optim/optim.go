// Package optim moves one flat vector of parameters against its gradient: SGD
// with momentum, Adam, clipping, and schedules of the learning rate.
//
// Parameters, gradient and moments are flat vectors of the same length N, so
// that an optimizer is one loop and its state is saved as it stands.
package optim

import (
	"fmt"
	"math"
)

// An Optimizer updates parameters in place.
type Optimizer interface {
	// Update moves params (N) against grad (N) at learning rate lr.
	Update(params, grad []float32, lr float64)
	// State is what the optimizer remembers between updates, for saving: its
	// moments by name, each (N), and the number of updates made.
	State() (moments map[string][]float32, updates int)
	// Restore takes up a State; every moment must be present and of length N.
	Restore(moments map[string][]float32, updates int) error
}

// SGD is stochastic gradient descent with classical momentum as PyTorch has
// it: v ← μ·v + g; p ← p − lr·v.
type SGD struct {
	momentum float32
	velocity []float32 // (N), nil without momentum
	updates  int
}

// NewSGD makes an SGD for n parameters with momentum μ in [0, 1).
func NewSGD(n int, momentum float64) *SGD {
	s := &SGD{momentum: float32(momentum)}
	if momentum != 0 {
		s.velocity = make([]float32, n)
	}
	return s
}

// Update implements Optimizer.
func (s *SGD) Update(params, grad []float32, lr float64) {
	s.updates++
	step := float32(lr)
	if s.velocity == nil {
		for i, g := range grad {
			params[i] -= float32(step * g)
		}
		return
	}
	for i, g := range grad {
		v := float32(s.momentum*s.velocity[i]) + g
		s.velocity[i] = v
		params[i] -= float32(step * v)
	}
}

// State implements Optimizer.
func (s *SGD) State() (map[string][]float32, int) {
	return named([]string{"velocity"}, s.velocity), s.updates
}

// Restore implements Optimizer.
func (s *SGD) Restore(moments map[string][]float32, updates int) error {
	s.updates = updates
	return restore(moments, []string{"velocity"}, s.velocity)
}

// Adam is Kingma and Ba 2015 (algorithm 1), with both moments corrected for
// their start at zero and ε added outside the root, as PyTorch has it.
type Adam struct {
	beta1, beta2, eps float64
	m, v              []float32 // (N)
	updates           int
}

// NewAdam makes an Adam for n parameters; the paper's β₁ = 0.9, β₂ = 0.999 and
// ε = 1e-8 are usual.
func NewAdam(n int, beta1, beta2, eps float64) *Adam {
	return &Adam{beta1: beta1, beta2: beta2, eps: eps, m: make([]float32, n), v: make([]float32, n)}
}

// Update implements Optimizer.
func (a *Adam) Update(params, grad []float32, lr float64) {
	a.updates++
	t := float64(a.updates)
	step := float32(lr / (1 - math.Pow(a.beta1, t)))
	root := float32(1 / math.Sqrt(1-math.Pow(a.beta2, t)))
	b1, b2, eps := float32(a.beta1), float32(a.beta2), float32(a.eps)
	for i, g := range grad {
		m := float32(b1*a.m[i]) + float32((1-b1)*g)
		v := float32(b2*a.v[i]) + float32(float32((1-b2)*g)*g)
		a.m[i], a.v[i] = m, v
		params[i] -= float32(step*m) / (float32(float32(math.Sqrt(float64(v)))*root) + eps)
	}
}

// State implements Optimizer.
func (a *Adam) State() (map[string][]float32, int) {
	return named([]string{"m", "v"}, a.m, a.v), a.updates
}

// Restore implements Optimizer.
func (a *Adam) Restore(moments map[string][]float32, updates int) error {
	a.updates = updates
	return restore(moments, []string{"m", "v"}, a.m, a.v)
}

func named(names []string, vectors ...[]float32) map[string][]float32 {
	m := map[string][]float32{}
	for i, v := range vectors {
		if v != nil {
			m[names[i]] = v
		}
	}
	return m
}

func restore(from map[string][]float32, names []string, to ...[]float32) error {
	for i, v := range to {
		if len(from[names[i]]) != len(v) {
			return fmt.Errorf("optim: moment %q has %d values, want %d", names[i], len(from[names[i]]), len(v))
		}
	}
	for i, v := range to {
		copy(v, from[names[i]])
	}
	return nil
}

// Norm is the Euclidean norm of x.
func Norm(x []float32) float64 {
	sum := 0.0
	for _, v := range x {
		sum += float64(float64(v) * float64(v))
	}
	return math.Sqrt(sum)
}

// ClipNorm scales grad to norm limit if its norm is larger, and returns the
// norm found (Pascanu et al. 2013). A limit of 0 leaves grad as it is.
func ClipNorm(grad []float32, limit float64) float64 {
	norm := Norm(grad)
	if limit > 0 && norm > limit {
		by := float32(limit / norm)
		for i := range grad {
			grad[i] *= by
		}
	}
	return norm
}

// ClipValue bounds each element of grad to [−limit, limit]. A limit of 0
// leaves grad as it is.
func ClipValue(grad []float32, limit float64) {
	if limit <= 0 {
		return
	}
	l := float32(limit)
	for i, g := range grad {
		grad[i] = max(-l, min(l, g))
	}
}
