package rnn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"sluice/nn"
)

// sameBits fails at the first value whose bits differ.
func sameBits(t *testing.T, what string, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	for i, v := range want {
		if math.Float32bits(got[i]) != math.Float32bits(v) {
			t.Fatalf("%s: value %d is %x, want %x", what, i, got[i], v)
		}
	}
}

// team starts a team that ends with the test.
func team(t testing.TB, threads int) *nn.Team {
	team := nn.NewTeam(threads)
	t.Cleanup(team.Close)
	return team
}

// pick is x with the given rows alone, in their order, for the steps [from, to).
func (s *Sequence) pick(rows []int, from, to int) Sequence {
	out := Sequence{T: to - from, B: len(rows), F: s.F}
	for t := from; t < to; t++ {
		for _, b := range rows {
			if i := t*s.B + b; s.IDs != nil {
				out.IDs = append(out.IDs, s.IDs[i])
			} else {
				out.Data = append(out.Data, s.Data[i*s.F:(i+1)*s.F]...)
			}
		}
	}
	if s.Lengths != nil {
		out.Lengths = []int{}
		for _, b := range rows {
			out.Lengths = append(out.Lengths, max(0, min(s.Lengths[b], to)-from))
		}
	}
	return out
}

// pickRows is the given rows, width floats each, of each of x's steps.
func pickRows(x []float32, b, width int, rows []int) []float32 {
	var out []float32
	for t := 0; t < len(x); t += b * width {
		for _, row := range rows {
			out = append(out, x[t+row*width:t+(row+1)*width]...)
		}
	}
	return out
}

func kinds(t *testing.T, configs []Config, f func(t *testing.T, c Config, ragged, ids bool, seed uint64)) {
	seed := uint64(100)
	for _, c := range configs {
		for _, ragged := range []bool{false, true} {
			for _, ids := range []bool{false, true} {
				seed++
				t.Run(fmt.Sprintf("%s/ragged=%v/ids=%v", c.testName(), ragged, ids), func(t *testing.T) { f(t, c, ragged, ids, seed) })
			}
		}
	}
}

// forwards are the configs that can run step by step.
func forwards(layers int) []Config {
	return slices.DeleteFunc(allConfigs(layers), func(c Config) bool { return c.Direction != Forward })
}

func TestThreadsDoNotChangeBits(t *testing.T) {
	check := func(t *testing.T, tr *trial) {
		tr.run(1)
		one := *tr
		for _, threads := range []int{2, 3, 8} {
			tr.run(threads)
			sameBits(t, "y", tr.y, one.y)
			sameBits(t, "state", tr.end, one.end)
			sameBits(t, "dx", tr.dx, one.dx)
			sameBits(t, "dState", tr.dStart, one.dStart)
			sameBits(t, "gradient", tr.g, one.g)
		}
	}
	kinds(t, allConfigs(2), func(t *testing.T, c Config, ragged, ids bool, seed uint64) {
		if c.regularName() != "" {
			c = c.with("w")
		}
		check(t, newTrial(t, c, 6, 5, ragged, ids, seed))
	})
	for _, c := range allConfigs(2) { // wider than a tile of the products
		if c.Biases == 2 && (c.Direction == Forward || c.Merge == Multiply) {
			c.Input, c.Hidden = 33, 70
			t.Run("wide/"+c.testName(), func(t *testing.T) { check(t, newTrial(t, c, 3, 67, true, false, 9)) })
			t.Run("many/"+c.testName(), func(t *testing.T) { check(t, newTrial(t, c, 2, longest+70, false, false, 9)) })
		}
	}
}

func TestBatchDoesNotChangeBits(t *testing.T) {
	kinds(t, allConfigs(3), func(t *testing.T, c Config, ragged, ids bool, seed uint64) {
		const T, B = 5, 7
		tr := newTrial(t, c, T, B, ragged, ids, seed)
		run, w, size := NewRunner(tr.net.Pack(), team(t, 2)), c.OutputSize(), c.StateSize()
		whole, end := make([]float32, len(tr.dy)), slices.Clone(tr.state)
		run.Forward(whole, tr.x, end, nil)
		check := func(x Sequence, rows []int) {
			t.Helper()
			y, state := randoms(rand.New(rand.NewPCG(1, 1)), x.T*x.B*w), pickRows(tr.state, B, size, rows)
			run.Forward(y, x, state, nil)
			sameBits(t, fmt.Sprintf("rows %v: y", rows), y, pickRows(whole[:x.T*B*w], B, w, rows))
			sameBits(t, fmt.Sprintf("rows %v: state", rows), state, pickRows(end, B, size, rows))
		}
		r := rand.New(rand.NewPCG(seed, 2))
		for range 6 {
			rows := r.Perm(B)[:1+r.IntN(B)]
			check(tr.x.pick(rows, 0, T), rows)
			rows = append(rows, rows[0]) // the same stream twice
			check(tr.x.pick(rows, 0, T), rows)
		}
		for b := range B { // one row alone, no longer than it is
			check(tr.x.pick([]int{b}, 0, tr.x.length(b)), []int{b})
			x := tr.x.pick([]int{b}, 0, tr.x.length(b))
			x.Lengths = nil
			check(x, []int{b})
		}
	})
}

func TestStepIsForward(t *testing.T) {
	for i, c := range append(forwards(1), forwards(3)...) {
		for _, ids := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/ids=%v", c.testName(), ids), func(t *testing.T) { stepIsForward(t, c, ids, uint64(i)) })
		}
	}
}

func stepIsForward(t *testing.T, c Config, ids bool, seed uint64) {
	const T, streams, places = 9, 5, 8
	tr := newTrial(t, c, T, streams, false, ids, seed)
	run, size, w := NewRunner(tr.net.Pack(), team(t, 2)), c.StateSize(), c.OutputSize()
	whole, end := make([]float32, len(tr.dy)), slices.Clone(tr.state)
	run.Forward(whole, tr.x, end, nil)

	r := rand.New(rand.NewPCG(seed, 3))
	slab, place := randoms(r, places*size), r.Perm(places)[:streams]
	for s, p := range place {
		copy(slab[p*size:(p+1)*size], tr.state[s*size:])
	}
	at := make([]int, streams) // the next step of each
	for {
		x, rows, due := Sequence{T: 1, F: c.Input}, []int32{}, []int{}
		left := 0
		for _, s := range r.Perm(streams) {
			left += T - at[s]
			if at[s] == T || r.IntN(3) == 0 {
				continue
			}
			one := tr.x.pick([]int{s}, at[s], at[s]+1)
			x.B, x.Data, x.IDs = x.B+1, append(x.Data, one.Data...), append(x.IDs, one.IDs...)
			rows, due = append(rows, int32(place[s])), append(due, s)
		}
		if left == 0 {
			break
		}
		before, y := slices.Clone(slab), randoms(r, len(due)*w)
		run.Step(y, x, slab, rows)
		for i, s := range due {
			sameBits(t, fmt.Sprintf("stream %d step %d: y", s, at[s]), y[i*w:(i+1)*w], whole[(at[s]*streams+s)*w:][:w])
			at[s]++
		}
		for p := range places {
			if !slices.Contains(rows, int32(p)) {
				sameBits(t, fmt.Sprintf("place %d, not due", p), slab[p*size:(p+1)*size], before[p*size:(p+1)*size])
			}
		}
	}
	for s, p := range place {
		sameBits(t, fmt.Sprintf("stream %d: the last state", s), slab[p*size:(p+1)*size], end[s*size:(s+1)*size])
	}
}

// A sequence cut in pieces, the state carried on and its gradient carried
// back, is the whole.
func TestPiecesAreTheWhole(t *testing.T) {
	configs := forwards(2)
	for i := range configs {
		configs[i].Dropout, configs[i].Locked = 0, false // masks know their place in a piece
	}
	kinds(t, configs, func(t *testing.T, c Config, ragged, ids bool, seed uint64) {
		const T, B = 9, 4
		tr := newTrial(t, c, T, B, ragged, ids, seed)
		tr.tape.Dropout = nil
		tr.run(2)
		run, w := NewRunner(tr.net.Pack(), team(t, 2)), c.OutputSize()
		all := []int{0, 1, 2, 3}
		cuts := []int{0, 1, 4, 4, 8, T}
		tapes := make([]Tape, len(cuts)-1)
		state, g := slices.Clone(tr.state), make([]float32, len(tr.g))
		for i, from := range cuts[:len(cuts)-1] {
			y := make([]float32, (cuts[i+1]-from)*B*w)
			run.Forward(y, tr.x.pick(all, from, cuts[i+1]), state, &tapes[i])
			sameBits(t, fmt.Sprintf("y from %d", from), y, tr.y[from*B*w:cuts[i+1]*B*w])
		}
		sameBits(t, "state", state, tr.end)
		dState := slices.Clone(tr.dState)
		for i := len(tapes) - 1; i >= 0; i-- {
			var dx []float32
			from, to := cuts[i]*B, cuts[i+1]*B
			if !ids {
				dx = randoms(rand.New(rand.NewPCG(1, 1)), (to-from)*c.Input)
			}
			run.Backward(g, dx, tr.dy[from*w:to*w], dState, &tapes[i])
			if !ids {
				sameBits(t, fmt.Sprintf("dx from %d", cuts[i]), dx, tr.dx[from*c.Input:to*c.Input])
			}
		}
		sameBits(t, "dState", dState, tr.dStart)
		if d := (worst{}).see("", g, wide(tr.g)); d > 1e-5 { // summed in another order
			t.Errorf("gradient: off by %.1g", d)
		}
	})
}
