package nn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"sluice/internal/kernel"
)

func TestCRFGivesTheSameBits(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, B := range []int{1, 2, 5, 17, 40} {
		for _, scale := range []float32{1, 200} { // scaled, and with logarithms
			c := newCRFCase(r, 7, 9, B, scale, true, true)
			var want crfResult
			for i, threads := range []int{1, 2, 3, 8} {
				team := NewTeam(threads)
				got := c.run(new(CRF), team, 0.1)
				team.Close()
				if i == 0 {
					want = got
				}
				what := fmt.Sprintf("B %d scale %v threads %d", B, scale, threads)
				if got.nats != want.nats {
					t.Errorf("%s: %v nats, want %v", what, got.nats, want.nats)
				}
				equalBits(t, what, got.d.Transitions, want.d.Transitions)
				equalBits(t, what, got.d.Start, want.d.Start)
				equalBits(t, what, got.d.End, want.d.End)
				equalBits(t, what, got.de, want.de)
				equalBits(t, what, got.marginals, want.marginals)
				equalBits(t, what, got.decoded, want.decoded)
			}
		}
	}
}

// The parts are added up in their order: shown where the sums are all rounding.
func TestCRFGradientGivesTheSameBits(t *testing.T) {
	const K, T, B = 3, 2, 48
	p := CRFParams{make([]float32, K*K), make([]float32, K), make([]float32, K)}
	tags := make([]int32, T*B)
	for b := range B { // each pair of tags as often
		tags[b], tags[B+b] = int32(b%3), int32(b/16)
	}
	var want []float32
	for _, threads := range []int{1, 2, 3, 8} {
		team, crf, d := NewTeam(threads), CRF{K: K}, make([]float32, K+K)
		e := Blocks(make([]float32, T*B*K), T*B, K)
		crf.Gradient(team, CRFParams{make([]float32, K*K), d[:K], d[K:]}, p, e, tags, T, B, nil, 1)
		team.Close()
		if want == nil {
			want = d
		}
		equalBits(t, fmt.Sprintf("threads %d", threads), d, want)
	}
	none := true
	for _, d := range want {
		none = none && d == 0
		if math.Abs(float64(d)) > 1e-12 {
			t.Errorf("gradient %v, want what rounding leaves", want)
		}
	}
	if none {
		t.Error("no rounding: this shows nothing")
	}
}

func TestCRFDecodesTheLowestOfEqual(t *testing.T) {
	team := NewTeam(1)
	defer team.Close()
	r := rand.New(rand.NewPCG(9, 10))
	for range 50 { // whole numbers: many ties, all exact
		c := newCRFCase(r, 3, 5, 2, 1, true, true)
		for _, x := range [][]float32{c.e, c.params.Transitions, c.params.Start, c.params.End} {
			for i := range x {
				x[i] = float32(r.IntN(2))
			}
		}
		want, _, _, _ := c.paths(1)
		equalBits(t, "tags", c.run(new(CRF), team, 1).decoded, want.decoded)
	}
}

// Tags that are forbidden have +Inf nats and no gradient, whatever forbids them,
// and other sequences have theirs.
func TestCRFOfForbiddenTags(t *testing.T) {
	team := NewTeam(2)
	defer team.Close()
	never := float32(math.Inf(-1))
	var crf CRF // has had other sequences
	newCRFCase(rand.New(rand.NewPCG(17, 18)), 2, 3, 2, 1, false, false).run(&crf, team, 1)
	for name, forbid := range map[string]func(c *crfCase){
		"start":      func(c *crfCase) { c.allowed.Start = []bool{true, false} },
		"end":        func(c *crfCase) { c.allowed.End = []bool{true, false} },
		"transition": func(c *crfCase) { c.allowed.Transitions = []bool{true, true, true, false} },
		"parameter":  func(c *crfCase) { c.params.Transitions[3] = never },
		"emission":   func(c *crfCase) { c.e[2*2+1] = never }, // step 1 of the first
		"everything": func(c *crfCase) { c.allowed.Start = []bool{false, false} },
	} {
		c := crfCase{K: 2, T: 3, B: 2, e: make([]float32, 12), tags: []int32{1, 0, 1, 0, 1, 0},
			params: CRFParams{make([]float32, 4), make([]float32, 2), make([]float32, 2)}}
		forbid(&c)
		got := c.run(&crf, team, 1)
		if !math.IsInf(got.nats, 1) || !math.IsInf(got.each[0], 1) || got.count != 6 {
			t.Errorf("%s: %v nats of %d, want +Inf of 6", name, got.each, got.count)
		}
		for step := range 3 {
			for k := range 2 {
				if d := got.de[step*4+k]; d != 0 {
					t.Errorf("%s: gradient %v at step %d", name, d, step)
				}
			}
		}
		c.lengths = []int{0, 3} // the other alone
		alone := c.run(new(CRF), team, 1)
		equalBits(t, name, got.d.Transitions, alone.d.Transitions)
		equalBits(t, name, got.de, alone.de)
		if name == "everything" {
			equalBits(t, name, got.decoded, []float32{-1, -1, -1, -1, -1, -1})
			equalBits(t, name, got.marginals, make([]float32, 12))
		} else if math.Abs(got.each[1]) > 10 {
			t.Errorf("%s: %v nats of the other", name, got.each[1])
		}
	}
}

// A trainer stops on what is not finite, so it has to come through.
func TestCRFOfWhatIsNotFinite(t *testing.T) {
	team := NewTeam(1)
	defer team.Close()
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	r := rand.New(rand.NewPCG(11, 12))
	for _, bad := range []float32{nan, inf} {
		for at := range 12 { // step, sequence, tag: of the first sequence those of an even row
			c := newCRFCase(r, 2, 3, 2, 1, false, false)
			c.e[at] = bad
			got, hit := c.run(new(CRF), team, 1), at/2%2
			if !math.IsNaN(got.each[hit]) || math.IsNaN(got.each[1-hit]) {
				t.Errorf("%v at %d: nats %v, want NaN of sequence %d", bad, at, got.each, hit)
			}
			for i, d := range got.de {
				if (d != d) != (i/2%2 == hit) {
					t.Errorf("%v at %d: gradient %v at %d", bad, at, d, i)
				}
			}
			for i, d := range got.d.Transitions {
				if d == d {
					t.Errorf("%v at %d: gradient %v by transition %d", bad, at, d, i)
				}
			}
		}
		c := newCRFCase(r, 2, 3, 1, 1, false, false)
		for _, x := range [][]float32{c.params.Transitions, c.params.Start, c.params.End} {
			for i := range x {
				was := x[i]
				x[i] = bad
				if got := c.run(new(CRF), team, 1); !math.IsNaN(got.nats) || got.de[0] == got.de[0] {
					t.Errorf("parameter %v at %d: %v nats, gradient %v", bad, i, got.nats, got.de)
				}
				x[i] = was
			}
		}
	}
	c := newCRFCase(r, 2, 2, 1, 1, false, false) // a tag whose emission is no number is not chosen
	c.e = []float32{nan, 1, 2, nan}
	equalBits(t, "tags", c.run(new(CRF), team, 1).decoded, []float32{1, 0})
	c.e = []float32{nan, nan, 2, 3}
	equalBits(t, "tags", c.run(new(CRF), team, 1).decoded, []float32{-1, -1})
}

// Nothing past a length is read, blocks past K are zero, and one buffer serves
// batches of other shapes.
func TestCRFOfLengths(t *testing.T) {
	team := NewTeam(1)
	defer team.Close()
	r := rand.New(rand.NewPCG(13, 14))
	var used CRF
	for range 30 {
		c := newCRFCase(r, 1+r.IntN(6), 1+r.IntN(6), 1+r.IntN(20), 1, true, true)
		want := c.run(new(CRF), team, 1)
		for i := range c.e {
			if row := i / c.K; row/c.B >= c.lengths[row%c.B] {
				c.e[i] = float32(math.NaN())
			}
		}
		got := c.run(&used, team, 1)
		if got.nats != want.nats {
			t.Errorf("%v nats, want %v", got.nats, want.nats)
		}
		equalBits(t, "transitions", got.d.Transitions, want.d.Transitions)
		equalBits(t, "emissions", got.de, want.de)
		equalBits(t, "tags", got.decoded, want.decoded)
		m := Blocks(c.e, c.T*c.B, c.K)
		for i := range c.T * c.B {
			m.At(i, c.K-1)[1] = 7
		}
		used.Marginals(team, c.params, m, c.T, c.B, c.lengths)
		for i := range c.T * c.B {
			if pad := m.At(i, c.K-1)[1]; pad != 0 {
				t.Fatalf("%v in the padding of row %d", pad, i)
			}
		}
	}
	used.K, used.Allowed = 2, Allowed{}
	p := CRFParams{make([]float32, 4), make([]float32, 2), make([]float32, 2)}
	for _, shape := range [][2]int{{0, 0}, {0, 3}, {3, 0}} {
		if nats, count := used.Gradient(team, p, p, Matrix{}, nil, shape[0], shape[1], nil, 1); nats != 0 || count != 0 || len(used.Nats) != shape[1] {
			t.Errorf("%v: %v nats of %d", shape, nats, count)
		}
	}
}

func TestCRFAllocatesNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(15, 16))
	for _, threads := range []int{1, 2} {
		for _, scale := range []float32{1, 1e4} {
			team := NewTeam(threads)
			c := newCRFCase(r, 9, 6, 20, scale, true, true)
			crf, m, tags := CRF{K: c.K, Allowed: c.allowed}, Blocks(c.e, c.T*c.B, c.K), make([]int32, c.T*c.B)
			d := CRFParams{make([]float32, 81), make([]float32, 9), make([]float32, 9)}
			if allocs := testing.AllocsPerRun(20, func() {
				crf.Loss(team, c.params, m, c.tags, c.T, c.B, c.lengths)
				crf.Decode(team, tags, c.params, m, c.T, c.B, c.lengths)
				crf.Gradient(team, d, c.params, m, c.tags, c.T, c.B, c.lengths, 1)
				crf.Marginals(team, c.params, m, c.T, c.B, c.lengths)
			}); allocs != 0 {
				t.Errorf("threads %d: %v allocations", threads, allocs)
			}
			team.Close()
		}
	}
}

func TestCRFShapes(t *testing.T) {
	team := NewTeam(2)
	defer team.Close()
	p := CRFParams{make([]float32, 4), make([]float32, 2), make([]float32, 2)}
	crf, e, tags := CRF{K: 2}, Blocks(make([]float32, 12), 6, 2), make([]int32, 6)
	loss := func(c *CRF, p CRFParams, e Matrix, tags []int32, T, B int, lengths []int) func() {
		return func() { c.Loss(team, p, e, tags, T, B, lengths) }
	}
	short := CRFParams{p.Transitions[:3], p.Start, p.End}
	wants(t, "nn: CRF: K is 0, want 1 or more", loss(new(CRF), p, e, tags, 3, 2, nil))
	wants(t, "nn: CRF: 1 lengths of (3, 2)", loss(&crf, p, e, tags, 3, 2, []int{1}))
	wants(t, "nn: CRF: length 4 at 1, want 0 ≤ length ≤ 3", loss(&crf, p, e, tags, 3, 2, []int{1, 4}))
	wants(t, "nn: CRF: length -1 at 0, want 0 ≤ length ≤ 3", loss(&crf, p, e, tags, 3, 2, []int{-1, 3}))
	wants(t, "nn: CRF: emissions has 448 values, want (8, 2)", loss(&crf, p, e, tags, 4, 2, nil))
	wants(t, "nn: CRF: emissions is row-major, want a matrix in blocks", loss(&crf, p, RowMajor(make([]float32, 999), 2), tags, 3, 2, nil))
	wants(t, "nn: CRF: 5 tags, want (3, 2)", loss(&crf, p, e, tags[:5], 3, 2, nil))
	wants(t, "nn: CRF: 5 tags, want (3, 2)", func() { crf.Decode(team, tags[:5], p, e, 3, 2, nil) })
	wants(t, "nn: CRF: Transitions has 3 values, want (2, 2)", loss(&crf, short, e, tags, 3, 2, nil))
	wants(t, "nn: CRF: d: Transitions has 3 values, want (2, 2)", func() { crf.Gradient(team, short, p, e, tags, 3, 2, nil, 1) })
	wants(t, "nn: CRF: Allowed has 2 transitions, want (2, 2)", loss(&CRF{K: 2, Allowed: Allowed{Transitions: make([]bool, 2)}}, p, e, tags, 3, 2, nil))
	wants(t, "nn: CRF: Allowed has 0 starts and 1 ends, want 2", loss(&CRF{K: 2, Allowed: Allowed{End: make([]bool, 1)}}, p, e, tags, 3, 2, nil))
	for _, tag := range []int32{2, Ignore, math.MinInt32} {
		line := fmt.Sprintf("nn: CRF: tag %d at step 2 of sequence 1, want 0 ≤ tag < 2", tag)
		wants(t, line, loss(&crf, p, e, []int32{0, 0, 0, 0, 0, tag}, 3, 2, nil))
	}
	// It serves again after its caller has recovered, from any lanes of a matrix.
	lanes := kernel.Blocks(make([]float32, 6*kernel.Wide), 6).Lanes(1, 2)
	if nats, count := crf.Loss(team, p, lanes, tags, 3, 2, nil); math.Abs(nats-6*math.Ln2) > 1e-12 || count != 6 {
		t.Errorf("%v nats of %d, want 6·ln 2", nats, count)
	}
}
