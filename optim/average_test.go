package optim

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"sluice/nn"
)

// Over as many updates as a long run has, the mean is that of the float64s to
// the last bit of float32. A plain float32 mean of the same numbers is off by
// thousands of times that: what it is to move by is lost in its rounding.
func TestAverageOfManyUpdates(t *testing.T) {
	const n, updates = 20, 100_000
	r := rand.New(rand.NewPCG(1, 2))
	a, params := NewAverage(n), normal(r, n)
	sum, plain := make([]float64, n), make([]float32, n)
	a.Start()
	for u := 1; u <= updates; u++ {
		for i := range params { // a walk, as parameters walk
			params[i] += float32(1e-3 * r.NormFloat64())
			sum[i] += float64(params[i])
			plain[i] += (params[i] - plain[i]) / float32(u)
		}
		a.Update(team, params)
	}
	a.Swap(params)
	worst, plainWorst := 0.0, 0.0
	for i := range params {
		want := sum[i] / updates
		ulp := math.Abs(float64(math.Nextafter32(float32(want), 9) - float32(want)))
		worst = max(worst, math.Abs(float64(params[i])-want)/ulp)
		plainWorst = max(plainWorst, math.Abs(float64(plain[i])-want)/ulp)
	}
	t.Logf("off by %.3f units of the last place; a plain float32 mean by %.0f", worst, plainWorst)
	if worst > 0.501 {
		t.Errorf("the mean is off by %v units of the last place, want half of one", worst)
	}
	if plainWorst < 10 {
		t.Errorf("a plain float32 mean is off by %v units of the last place: then rest is not needed", plainWorst)
	}
}

func TestAverageStartsAnew(t *testing.T) {
	a, params := NewAverage(2), []float32{1, 2}
	a.Update(team, params) // before the start
	a.Swap(params)
	if a.Started() || params[0] != 1 || params[1] != 2 {
		t.Errorf("before the start: started %v, parameters %v", a.Started(), params)
	}
	for range 2 {
		a.Start()
		params = []float32{7, 8}
		a.Swap(params)
		if !a.Started() || params[0] != 7 || params[1] != 8 {
			t.Errorf("without a mean: started %v, parameters %v", a.Started(), params)
		}
		a.Update(team, []float32{0.1, 3})
		a.Swap(params)
		if params[0] != 0.1 || params[1] != 3 {
			t.Errorf("the mean of one update is %v", params)
		}
		a.Swap(params)
		a.Update(team, []float32{0.3, 5})
		a.Swap(params)
		if math.Abs(float64(params[0])-0.2) > 1e-8 || params[1] != 4 {
			t.Errorf("the mean of two updates is %v", params)
		}
		a.Swap(params)
		a.Update(team, []float32{1e30, -3e35}) // nothing of which may stay after a start
	}
}

// Evaluating with the mean leaves no trace, in the parameters or in the mean.
func TestSwapIsExact(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	const n = 50
	a, b, params := NewAverage(n), NewAverage(n), normal(r, n)
	a.Start()
	b.Start()
	for range 30 {
		for i := range params {
			params[i] += float32(0.1 * r.NormFloat64())
		}
		a.Update(team, params)
		b.Update(team, params)
		before := slices.Clone(params)
		a.Swap(params)
		a.Swap(params)
		if !same(params, before) {
			t.Fatal("two swaps change the parameters")
		}
	}
	if one, other := fmt.Sprint(a.State()), fmt.Sprint(b.State()); one != other {
		t.Errorf("with swaps the state is %s, without %s", one, other)
	}
}

func TestAverageRestore(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	const n = 40
	for _, updates := range []int{-1, 0, 1, 57} { // −1: not started
		a, b := NewAverage(n), NewAverage(n)
		b.Start()
		b.Update(team, normal(r, n)) // to be forgotten
		if updates >= 0 {
			a.Start()
		}
		for range updates {
			a.Update(team, normal(r, n))
		}
		moments, count := a.State()
		if err := b.Restore(moments, count); err != nil {
			t.Fatal(err)
		}
		if b.Started() != (updates >= 0) || count != max(0, updates) {
			t.Errorf("%d updates: started %v, count %d", updates, b.Started(), count)
		}
		for range 20 { // would also tell if the two shared a mean
			p := normal(r, n)
			a.Update(team, p)
			b.Update(team, p)
		}
		if one, other := fmt.Sprint(a.State()), fmt.Sprint(b.State()); one != other {
			t.Errorf("%d updates: after a restore the state is %s, want %s", updates, other, one)
		}
	}
	a := NewAverage(2)
	a.Start()
	before := fmt.Sprint(a.State())
	two, three := []float32{1, 2}, []float32{1, 2, 3}
	for _, c := range []struct {
		moments map[string][]float32
		updates int
		want    string
	}{
		{nil, 3, `optim: moment "mean" is missing, want 2 values`},
		{map[string][]float32{"mean": two}, 3, `optim: moment "mean_rest" is missing, want 2 values`},
		{map[string][]float32{"mean": two, "mean_rest": three}, 3, `optim: moment "mean_rest" has 3 values, want 2`},
		{map[string][]float32{"mean": two, "mean_rest": two}, -1, `optim: -1 updates: want 0 or more`},
	} {
		if err := a.Restore(c.moments, c.updates); err == nil || err.Error() != c.want {
			t.Errorf("error %v, want %s", err, c.want)
		}
		if after := fmt.Sprint(a.State()); after != before {
			t.Errorf("state %s after a refusal, want %s", after, before)
		}
	}
}

func TestAverageOnAnyThreads(t *testing.T) {
	const n = 40_000
	var want string
	for _, threads := range []int{1, 3} {
		team := nn.NewTeam(threads)
		r := rand.New(rand.NewPCG(7, 8))
		a := NewAverage(n)
		a.Start()
		for range 3 {
			a.Update(team, normal(r, n))
		}
		team.Close()
		if got := fmt.Sprint(a.State()); want == "" {
			want = got
		} else if got != want {
			t.Errorf("%d threads give another mean", threads)
		}
	}
}

func TestAverageLengths(t *testing.T) {
	for want, f := range map[string]func(a *Average){
		"optim: Average: Update: 2 parameters, want 3": func(a *Average) { a.Update(team, make([]float32, 2)) },
		"optim: Average: Swap: 4 parameters, want 3":   func(a *Average) { a.Swap(make([]float32, 4)) },
	} {
		func() {
			defer func() {
				if got := recover(); got != want {
					t.Errorf("panic %v, want %s", got, want)
				}
			}()
			f(NewAverage(3))
		}()
	}
}
