package rnn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"sluice/internal/kernel"
	"sluice/nn"
)

// far is how far got is from want as a part of want's norm.
func far(got []float32, want []float64) float64 {
	diff, norm := 0.0, 0.0
	for i, v := range want {
		diff += (float64(got[i]) - v) * (float64(got[i]) - v)
		norm += v * v
	}
	return math.Sqrt(diff / max(norm, 1e-30))
}

// Products of bf16 give the results and gradients of the reference but for the
// rounding of what they multiply, with what is dropped and what stays and with
// the expectations of these.
func TestMixedAgainstReference(t *testing.T) {
	worst := map[string]float64{}
	for i, c := range slices.Concat(everyConfig(1), everyConfig(2), variants(1, kernelVariants...), variants(2, kernelVariants...)) {
		if c.Activation == "relu" {
			continue // its derivative jumps where rounding crosses zero
		}
		for _, which := range []string{"", "lhcw"} {
			for _, h := range []int{7, 70} {
				if h > 7 && (c.Biases == 1 || c.Layers == 2 || which != "" && c.Direction == Bidirectional && c.Merge != Multiply) {
					continue
				}
				c := c.with(which)
				if c.Hidden = h; h > 7 && c.Projection > 0 {
					c.Projection = 65
				}
				for _, ids := range []bool{false, true} {
					tr := newTrial(t, c, 6, 9, ids, ids, uint64(i))
					tr.as = nn.Mixed
					tr.run(2)
					name := fmt.Sprintf("%s/H=%d/ids=%v", c.testName(), h, ids)
					compareMixed(t, name, worst, tr)
					if which != "" && !ids {
						tr.tape.Dropout = nil
						tr.run(3)
						compareMixed(t, name+"/evaluation", worst, tr)
					}
				}
			}
		}
	}
	t.Log(worst)
}

// compareMixed is compare with the tolerance of bf16.
func compareMixed(t *testing.T, name string, worst map[string]float64, tr *trial) {
	t.Helper()
	oracle := refOf(tr.net)
	tr.masks(oracle)
	run := oracle.Forward(tr.dense(), tr.x.T, tr.x.B, tr.x.Lengths, wide(tr.state))
	grads := run.Backward(wide(tr.dy), wide(tr.dState))
	var g []float64
	for _, w := range grads.Weights {
		g = slices.Concat(g, w.Wx, w.Bx, w.Wh, w.Bh, w.Whr, w.Peep)
	}
	see := func(what string, got []float32, want []float64) {
		t.Helper()
		if len(got) != len(want) {
			t.Fatalf("%s: %s has %d values, want %d", name, what, len(got), len(want))
		}
		d := far(got, want)
		if worst[what] = max(worst[what], d); !(d <= 2e-2) {
			t.Errorf("%s: %s is off by %.2g of its norm", name, what, d)
		}
		if d < 1e-4 {
			t.Errorf("%s: %s: nothing was rounded", name, what)
		}
	}
	see("y", tr.y, run.Y)
	see("state", tr.end, run.Final)
	see("dState", tr.dStart, grads.DS0)
	see("gradient", tr.g, g)
	if tr.dx != nil {
		see("dx", tr.dx, grads.DX)
	}
}

// mixedConfigs are some built-in functions without regularisers and with all but
// layer norm, whose products stay float32.
func mixedConfigs(layers int) (all []Config) {
	for _, c := range everyConfig(layers) {
		if c.Biases == 2 && (c.Direction == Forward || c.Merge == Multiply) {
			all = append(all, c, c.with("lhcw"))
		}
	}
	return append(all, variants(layers, kernelVariants...)...)
}

func TestMixedThreadsDoNotChangeBits(t *testing.T) {
	for _, c := range mixedConfigs(2) {
		for _, wide := range []bool{false, true} {
			steps, rows := 6, 5
			if wide {
				c.Input, c.Hidden, steps, rows = 33, 150, 3, 67
			}
			for _, ids := range []bool{false, true} {
				if c.random() && ids == wide {
					continue // one of the two will do
				}
				tr := newTrial(t, c, steps, rows, true, ids, 9)
				tr.as = nn.Mixed
				tr.run(1)
				one := *tr
				for _, threads := range []int{2, 3, 8} {
					tr.run(threads)
					name := fmt.Sprintf("%s, H %d, ids %v, %d threads: ", c.testName(), c.Hidden, ids, threads)
					sameBits(t, name+"y", tr.y, one.y)
					sameBits(t, name+"state", tr.end, one.end)
					sameBits(t, name+"dx", tr.dx, one.dx)
					sameBits(t, name+"dState", tr.dStart, one.dStart)
					sameBits(t, name+"gradient", tr.g, one.g)
				}
			}
		}
	}
}

func TestMixedBatchDoesNotChangeBits(t *testing.T) {
	for _, c := range mixedConfigs(2) {
		const T, B = 5, 7
		c.Input, c.Hidden = 33, 70
		tr := newTrial(t, c, T, B, true, false, 5)
		run, w, size := NewRunner(tr.net.PackAs(nn.Mixed), team(t, 2)), c.OutputSize(), c.StateSize()
		whole, end := make([]float32, len(tr.dy)), slices.Clone(tr.state)
		run.Forward(whole, tr.x, end, nil)
		r := rand.New(rand.NewPCG(5, 2))
		for range 6 {
			rows := r.Perm(B)[:1+r.IntN(B)]
			x := tr.x.pick(rows, 0, T)
			y, state := make([]float32, x.T*x.B*w), pickRows(tr.state, B, size, rows)
			run.Forward(y, x, state, nil)
			sameBits(t, fmt.Sprintf("%s, rows %v: y", c.testName(), rows), y, pickRows(whole, B, w, rows))
			sameBits(t, fmt.Sprintf("%s, rows %v: state", c.testName(), rows), state, pickRows(end, B, size, rows))
		}
	}
}

func TestMixedAllocatesNothing(t *testing.T) {
	for _, c := range mixedConfigs(2) {
		for _, threads := range []int{1, 2} {
			tr := newTrial(t, c, 7, 9, false, false, 1)
			tr.as = nn.Mixed
			tr.run(1)
			p := tr.net.PackAs(nn.Mixed)
			run := NewRunner(p, team(t, threads))
			update := func() {
				run.Forward(tr.y, tr.x, tr.end, &tr.tape)
				run.Backward(tr.g, tr.dx, tr.dy, tr.dStart, &tr.tape)
				p.MaskGradient(run.team, tr.g)
				tr.net.RepackDropped(run.team, p, tr.key)
			}
			update()
			if n := testing.AllocsPerRun(5, update); n != 0 {
				t.Errorf("%s, %d threads: %v allocations", c.testName(), threads, n)
			}
		}
	}
}

// Where no instruction multiplies bf16, rounded floats are multiplied: the same
// but for the order of the sums, and for what is rounded another way since a sum
// differs in its last bits.
func TestMixedOfEveryLevel(t *testing.T) {
	for _, c := range mixedConfigs(2) {
		c.Input, c.Hidden = 33, 70
		if c.Activation == "relu" {
			continue
		}
		tr := newTrial(t, c, 6, 9, true, false, 4)
		tr.as = nn.Mixed
		tr.run(2)
		want := *tr
		for _, l := range kernel.Levels() {
			before := kernel.Use(l)
			tr.run(2)
			kernel.Use(before)
			for what, pair := range map[string][2][]float32{"y": {tr.y, want.y}, "dx": {tr.dx, want.dx}, "gradient": {tr.g, want.g}} {
				if d := far(pair[0], wide(pair[1])); !(d <= 1e-3) {
					t.Errorf("%s, %v: %s is off by %.2g of its norm", c.testName(), l, what, d)
				}
			}
		}
	}
}

// So many rows that their gradients are added up in pieces, odd ones but for
// their pairs.
func TestMixedOfManyRows(t *testing.T) {
	const steps, rows = 27, 19
	if steps*rows != long+1 {
		t.Fatalf("%d rows, want one more than %d", steps*rows, long)
	}
	for _, c := range mixedConfigs(1) {
		if c.Activation == "relu" {
			continue
		}
		tr := newTrial(t, c, steps, rows, false, false, 6)
		tr.run(2)
		want := wide(tr.g)
		tr.as = nn.Mixed
		tr.run(2)
		if d := far(tr.g, want); !(d <= 1e-2) {
			t.Errorf("%s: the gradient is off by %.2g of its norm", c.testName(), d)
		}
	}
}
