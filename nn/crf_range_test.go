package nn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// What the scaled recursion alone would lose: a path that is hopeless at one step
// and as good as any at the next.
func TestCRFOfHugeEmissions(t *testing.T) {
	team := NewTeam(1)
	defer team.Close()
	never := float32(math.Inf(-1))
	for _, x := range []float32{1, 50, 100, 1000, 1e4, 1e6} {
		// Tags 0 and 1 do not mix.
		c := crfCase{K: 2, T: 2, B: 1, e: []float32{x, 0, 0, x}, tags: []int32{1, 1},
			params: CRFParams{[]float32{0, never, never, 0}, make([]float32, 2), make([]float32, 2)}}
		got := c.run(new(CRF), team, 1)
		what := fmt.Sprintf("emissions %v", x)
		if math.Abs(got.nats-math.Ln2) > 1e-9 {
			t.Errorf("%s: %v nats, want ln 2", what, got.nats)
		}
		equalBits(t, what, got.de, []float32{0.5, -0.5, 0.5, -0.5})
		equalBits(t, what, got.d.Transitions, []float32{1.5, 1, 1, 0.5})
		equalBits(t, what, got.decoded, []float32{0, 0})
	}
}

// So with parameters: the one path costs at its start what the other does not, and
// has it back later.
func TestCRFOfHugeParameters(t *testing.T) {
	team := NewTeam(1)
	defer team.Close()
	never := float32(math.Inf(-1))
	for _, x := range []float32{1, 50, 100, 1000, 1e4, 1e6} {
		for name, p := range map[string]CRFParams{
			"start and transition": {[]float32{x, never, never, 0}, []float32{-x, 0}, []float32{0, 0}},
			"transition and end":   {[]float32{-x, never, never, 0}, []float32{0, 0}, []float32{x, 0}},
			"end and start":        {[]float32{0, never, never, 0}, []float32{x, 0}, []float32{-x, 0}},
		} {
			c := crfCase{K: 2, T: 2, B: 1, e: make([]float32, 4), tags: []int32{1, 1}, params: p}
			got := c.run(new(CRF), team, 1)
			what := fmt.Sprintf("%s %v", name, x)
			if math.Abs(got.nats-math.Ln2) > 1e-9 {
				t.Errorf("%s: %v nats, want ln 2", what, got.nats)
			}
			equalBits(t, what, got.de, []float32{0.5, -0.5, 0.5, -0.5})
			equalBits(t, what, got.d.Transitions, []float32{1.5, 1, 1, 0.5})
		}
	}
}

// A path that is lost at its start, where nothing else is, wins at the end.
func TestCRFOfALatePath(t *testing.T) {
	team := NewTeam(1)
	defer team.Close()
	never := float32(math.Inf(-1))
	c := crfCase{K: 2, T: 3, B: 1, e: make([]float32, 6), tags: []int32{1, 1, 1},
		params: CRFParams{[]float32{700, never, never, 0}, []float32{-800, 0}, []float32{0, 0}}}
	got := c.run(new(CRF), team, 1)
	if math.Abs(got.nats-600) > 1e-9 {
		t.Errorf("%v nats, want 600", got.nats)
	}
	equalBits(t, "decoded", got.decoded, []float32{0, 0, 0})
}

// Tags that nothing leads to count nothing, however good they would be.
func TestCRFOfWhatIsNotReached(t *testing.T) {
	team := NewTeam(1)
	defer team.Close()
	for _, at := range []struct {
		T int
		x float32
	}{{12, 100}, {9, 88.07}} { // what would follow them is beyond float64 at a product, and only at the last sum
		c := crfCase{K: 3, T: at.T, B: 1, e: make([]float32, 3*at.T), tags: make([]int32, at.T),
			params:  CRFParams{make([]float32, 9), make([]float32, 3), make([]float32, 3)},
			allowed: Allowed{Transitions: []bool{true, false, false, true, true, true, true, true, true}, Start: []bool{true, false, false}}}
		for step := range at.T {
			c.e[3*step+1], c.e[3*step+2] = at.x, at.x
		}
		got := c.run(new(CRF), team, 1)
		if !(got.nats < 1e-9) {
			t.Errorf("%v nats, want 0", got.nats)
		}
		for i, d := range got.de {
			if !(math.Abs(float64(d)) < 1e-9) {
				t.Errorf("gradient %v at %d, want 0", d, i)
			}
		}
	}
}

// Where no digit is left below 1, probabilities are still some.
func TestCRFOfAnyFiniteEmissions(t *testing.T) {
	team := NewTeam(1)
	defer team.Close()
	r := rand.New(rand.NewPCG(19, 20))
	for range 20 {
		c := newCRFCase(r, 5, 9, 3, 3e37, true, true)
		for i := range c.e {
			c.e[i] *= float32(math.Pow(10, -12*r.Float64()))
		}
		got := c.run(new(CRF), team, 1)
		for i, p := range got.marginals {
			if !(p >= 0 && p <= 1 && got.de[i] >= -1 && got.de[i] <= 1) {
				t.Fatalf("marginal %v, gradient %v", p, got.de[i])
			}
		}
		for _, d := range got.d.Transitions {
			if !(math.Abs(float64(d)) <= 1+9*3) { // it began at 1
				t.Fatalf("gradient %v of a transition", d)
			}
		}
		if !(got.nats >= 0) || math.IsInf(got.nats, 1) {
			t.Fatalf("%v nats", got.nats)
		}
	}
}

// Factors that are small each have a product that a float64 holds with few digits.
func TestCRFOfDenormals(t *testing.T) {
	team := NewTeam(1)
	defer team.Close()
	c := crfCase{K: 3, T: 2, B: 1, e: []float32{0, 0, 0, 705, 0, 0}, tags: []int32{1, 1},
		params:  CRFParams{[]float32{0, 0, 0, 0, -35, -36, 0, 0, 0}, make([]float32, 3), make([]float32, 3)},
		allowed: Allowed{Transitions: []bool{true, true, true, false, true, true, true, true, true}, Start: []bool{false, true, false}}}
	if got, want := c.run(new(CRF), team, 1).nats, math.Log1p(math.Exp(-1)); math.Abs(got-want) > 1e-9 {
		t.Errorf("%v nats, want %v", got, want)
	}
}

// A scaled sequence can fail on its way back alone, where a likely tag is a trap.
func TestCRFThatFailsBackward(t *testing.T) {
	team := NewTeam(1)
	defer team.Close()
	r := rand.New(rand.NewPCG(7, 8))
	c := newCRFCase(r, 3, 12, 1, 1, false, false)
	c.allowed = Allowed{Transitions: []bool{true, true, true, true, true, true, false, false, true}}
	for t := range c.T { // nothing leaves 2, and each step in it costs 100 nats
		c.e[t*3+2] = -100
		c.tags[t] = int32(t % 2)
	}
	var crf CRF
	got := c.run(&crf, team, 1)
	c.againstFloat64(t, "backward", got)
	job := &crf.job
	job.emissions = Blocks(c.e, c.T, 3)
	if _, good := job.forward(&job.parts[0], 0, c.T); !good {
		t.Error("forward fails")
	} else if job.backward(&job.parts[0], c.T) {
		t.Error("backward does not fail")
	}
}
