package optim

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

func normal(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

// A rule is an optimizer in float64 as its paper states it, for one parameter.
type rule interface {
	step(p, g, lr float64) float64
}

// plain is p ← p − lr·v, v ← μ·v + g + λ·p (Sutskever et al. 2013 in PyTorch's
// form).
type plain struct{ mu, decay, v float64 }

func (s *plain) step(p, g, lr float64) float64 {
	s.v = s.mu*s.v + g + s.decay*p
	return lr * s.v
}

// kingma is algorithm 1 of Kingma and Ba 2015, line by line, with the decay of
// Loshchilov and Hutter 2019.
type kingma struct{ beta1, beta2, eps, decay, m, v, t float64 }

func (a *kingma) step(p, g, lr float64) float64 {
	a.t++
	a.m = a.beta1*a.m + (1-a.beta1)*g
	a.v = a.beta2*a.v + (1-a.beta2)*g*g
	mHat := a.m / (1 - math.Pow(a.beta1, a.t))
	vHat := a.v / (1 - math.Pow(a.beta2, a.t))
	return lr*mHat/(math.Sqrt(vHat)+a.eps) + lr*a.decay*p
}

// paper is what Kingma and Ba recommend.
var paper = Rule{Kind: "adam", Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}

type kind struct {
	name string
	Rule
	rule func() rule
}

var kinds = []kind{
	{"sgd", Rule{Kind: "sgd"}, func() rule { return &plain{} }},
	{"sgd, decay", Rule{Kind: "sgd", Decay: 0.1}, func() rule { return &plain{decay: 0.1} }},
	{"momentum 0.9", Rule{Kind: "sgd", Momentum: 0.9}, func() rule { return &plain{mu: 0.9} }},
	{"momentum 0.9, decay", Rule{Kind: "sgd", Momentum: 0.9, Decay: 0.1}, func() rule { return &plain{mu: 0.9, decay: 0.1} }},
	{"momentum 0.99", Rule{Kind: "sgd", Momentum: 0.99}, func() rule { return &plain{mu: 0.99} }},
	{"adam", paper, func() rule { return &kingma{beta1: 0.9, beta2: 0.999, eps: 1e-8} }},
	{"adam, decay", Rule{Kind: "adam", Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, Decay: 0.5},
		func() rule { return &kingma{beta1: 0.9, beta2: 0.999, eps: 1e-8, decay: 0.5} }},
	{"adam, large ε", Rule{Kind: "adam", Beta1: 0.8, Beta2: 0.99, Epsilon: 0.1},
		func() rule { return &kingma{beta1: 0.8, beta2: 0.99, eps: 0.1} }},
}

// The parameters start at 0, so that an error counts against the way that they
// went and does not hide behind where they were.
func TestUpdateAgainstThePapers(t *testing.T) {
	const n, updates = 50, 400
	for _, k := range kinds {
		r := rand.New(rand.NewPCG(1, 2))
		optimizer, params := k.New(n), make([]float32, n)
		rules, want, way := make([]rule, n), make([]float64, n), make([]float64, n)
		for i := range rules {
			rules[i] = k.rule()
		}
		worst := 0.0
		for u := range updates {
			grad := normal(r, n)
			for i := range grad { // sizes from 1e-6 to 1e4, and some that fade
				grad[i] *= float32(math.Pow(10, float64(i%11-6)))
				if i%7 == 0 && u > 100 {
					grad[i] = 0
				}
			}
			lr := 0.01 / (1 + float64(u)/100)
			optimizer.Update(team, params, grad, lr)
			for i, g := range grad {
				step := rules[i].step(want[i], float64(g), lr)
				want[i] -= step
				way[i] += math.Abs(step)
				if u == 0 || u%97 == 0 {
					worst = max(worst, math.Abs(float64(params[i])-want[i])/way[i])
				}
			}
		}
		t.Logf("%s: largest error %.1e of the way", k.name, worst)
		if worst > 1e-6 {
			t.Errorf("%s: error of %.1e of the way, want at most 1e-6", k.name, worst)
		}
	}
}

func TestRestoreContinuesBitEqual(t *testing.T) {
	const n, before, after = 30, 20, 20
	for _, k := range kinds {
		r := rand.New(rand.NewPCG(3, 4))
		one, params := k.New(n), normal(r, n)
		for range before {
			one.Update(team, params, normal(r, n), 0.01)
		}
		moments, updates := one.State()
		if updates != before {
			t.Errorf("%s: %d updates, want %d", k.name, updates, before)
		}
		other, copied := k.New(n), append([]float32(nil), params...)
		if err := other.Restore(moments, updates); err != nil {
			t.Fatalf("%s: %v", k.name, err)
		}
		for range after { // would also tell if the two shared a moment
			grad := normal(r, n)
			one.Update(team, params, grad, 0.01)
			other.Update(team, copied, grad, 0.01)
		}
		for i := range params {
			if params[i] != copied[i] {
				t.Fatalf("%s: [%d] = %v after a restore, want %v", k.name, i, copied[i], params[i])
			}
		}
	}
}

func TestRestoreRefuses(t *testing.T) {
	three, two := []float32{7, 7, 7}, []float32{7, 7}
	adam, momentum, sgd := paper, Rule{Kind: "sgd", Momentum: 0.9}, Rule{Kind: "sgd"}
	for _, c := range []struct {
		rule    Rule
		moments map[string][]float32
		updates int
		want    string
	}{
		{adam, map[string][]float32{"m": three}, 9, `optim: moment "v" is missing, want 3 values`},
		{adam, map[string][]float32{"v": three}, 9, `optim: moment "m" is missing, want 3 values`},
		{adam, nil, 9, `optim: moment "m" is missing, want 3 values`},
		{adam, map[string][]float32{"m": three, "v": two}, 9, `optim: moment "v" has 2 values, want 3`},
		{adam, map[string][]float32{"m": three, "v": nil}, 9, `optim: moment "v" has 0 values, want 3`},
		{adam, map[string][]float32{"m": three, "v": three, "velocity": three}, 9,
			`optim: moment "velocity": this optimizer has no such moment, want ["m" "v"]`},
		{adam, map[string][]float32{"m": three, "v": three}, -1, `optim: -1 updates: want 0 or more`},
		{momentum, map[string][]float32{}, 9, `optim: moment "velocity" is missing, want 3 values`},
		{momentum, map[string][]float32{"velocity": two}, 9, `optim: moment "velocity" has 2 values, want 3`},
		{sgd, map[string][]float32{"m": three}, 9, `optim: moment "m": this optimizer has no such moment, want []`},
		{sgd, nil, -1, `optim: -1 updates: want 0 or more`},
	} {
		o := c.rule.New(3)
		o.Update(team, []float32{1, 2, 3}, []float32{4, 5, 6}, 0.1)
		before := fmt.Sprint(o.State())
		if err := o.Restore(c.moments, c.updates); err == nil || err.Error() != c.want {
			t.Errorf("error %v, want %s", err, c.want)
		}
		if after := fmt.Sprint(o.State()); after != before {
			t.Errorf("%s: state %s after the refusal, was %s", c.want, after, before)
		}
	}
}

func TestUpdateLengths(t *testing.T) {
	for _, k := range kinds {
		o := k.New(3)
		for _, c := range []struct {
			params, grad int
			want         string
		}{
			{3, 2, "optim: Update: 3 parameters and 2 gradients, want 3 of each"},
			{2, 3, "optim: Update: 2 parameters and 3 gradients, want 3 of each"},
			{4, 4, "optim: Update: 4 parameters and 4 gradients, want 3 of each"},
		} {
			func() {
				defer func() {
					if got := recover(); got != c.want {
						t.Errorf("%s: panic %v, want %s", k.name, got, c.want)
					}
				}()
				o.Update(team, make([]float32, c.params), make([]float32, c.grad), 1)
			}()
		}
		if _, updates := o.State(); updates != 0 {
			t.Errorf("%s: %d updates after three refusals", k.name, updates)
		}
	}
}

// A parameter that never had a gradient stays where it is, bit for bit, unless
// it decays.
func TestNoGradientNoMove(t *testing.T) {
	for _, k := range kinds {
		if k.Decay > 0 {
			continue
		}
		o, params := k.New(2), []float32{0.3, -0.7}
		for range 10 {
			o.Update(team, params, []float32{0, 1}, 0.1)
		}
		if params[0] != 0.3 || params[1] == -0.7 {
			t.Errorf("%s: parameters %v", k.name, params)
		}
	}
}

func TestNothingAllocates(t *testing.T) {
	const n = 1000
	params, grad := make([]float32, n), make([]float32, n)
	s := Schedule{Kind: "cosine", Rate: 1, Warmup: 3, Total: 100}
	for _, k := range kinds {
		o, a := k.New(n), NewAverage(n)
		a.Start()
		if allocs := testing.AllocsPerRun(20, func() {
			ClipValue(grad, 0.5)
			ClipNorm(team, grad, 1)
			o.Update(team, params, grad, s.At(5, 0))
			a.Update(team, params)
			a.Swap(params)
			a.Swap(params)
		}); allocs != 0 {
			t.Errorf("%s: %v allocations", k.name, allocs)
		}
	}
}
