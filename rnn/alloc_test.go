package rnn

import (
	"fmt"
	"slices"
	"testing"
)

// After a warm-up over the largest shape nothing allocates, whatever shapes
// follow.
func TestNoAllocation(t *testing.T) {
	shapes := []struct {
		T, B        int
		ragged, ids bool
	}{{7, 9, false, false}, {7, 9, true, true}, {3, 5, true, false}, {1, 1, false, true}, {6, 2, true, true}, {0, 4, false, false}}
	for _, c := range append(allConfigs(1), allConfigs(3)...) {
		for _, threads := range []int{1, 2} {
			if c.regularName() != "" {
				c = c.with("w")
			}
			t.Run(fmt.Sprintf("%s/threads=%d", c.testName(), threads), func(t *testing.T) {
				var trials []*trial
				for i, s := range shapes {
					tr := newTrial(t, c, s.T, s.B, s.ragged, s.ids, uint64(i))
					tr.run(1)
					trials = append(trials, tr)
				}
				net := trials[0].net
				p := net.Pack()
				run, tape := NewRunner(p, team(t, threads)), Tape{Dropout: trials[0].tape.Dropout}
				none := func(what string, f func(tr *trial)) {
					t.Helper()
					all := func() {
						for _, tr := range trials {
							f(tr)
						}
					}
					if n := testing.AllocsPerRun(2, all); n != 0 {
						t.Errorf("%s: %v allocations", what, n)
					}
				}
				none("Forward", func(tr *trial) { run.Forward(tr.y, tr.x, tr.end, nil) })
				none("Repack, Forward with a tape, and Backward", func(tr *trial) {
					net.Repack(run.team, p)
					run.Forward(tr.y, tr.x, tr.end, &tape)
					run.Backward(tr.g, tr.dx, tr.dy, tr.dStart, &tape)
				})
				none("RepackDropped and MaskGradient", func(tr *trial) {
					net.RepackDropped(run.team, p, tr.key)
					p.MaskGradient(run.team, tr.g)
				})
				table, dTable := trials[0].x.Data[:9*c.Input], make([]float32, 9*c.Input)
				none("Repack, Fold, Forward and Backward", func(tr *trial) {
					if tr.x.IDs == nil {
						return
					}
					net.Repack(run.team, p)
					p.Fold(run.team, table)
					x := tr.x
					x.F = 9
					run.Forward(tr.y, x, tr.end, &tape)
					run.Backward(tr.g, dTable, tr.dy, tr.dStart, &tape)
				})
				net.Repack(run.team, p)
				if c.Direction == Forward {
					noneInStep(t, run, trials[0])
				}
			})
		}
	}
}

func noneInStep(t *testing.T, run *Runner, tr *trial) {
	rows, ids := []int32{4, 0, 8, 2, 7}, []int32{0, 1, 2, 3, 4}
	slab, w := slices.Clone(tr.state), tr.net.OutputSize()
	step := func(n int) {
		run.Step(tr.y[:n*w], Sequence{T: 1, B: n, F: tr.x.F, Data: tr.x.Data[:n*tr.x.F]}, slab, rows[:n])
		run.Step(tr.y[:n*w], Sequence{T: 1, B: n, F: tr.x.F, IDs: ids[:n]}, slab, rows[5-n:])
	}
	step(5)
	n := 0
	if got := testing.AllocsPerRun(12, func() { step(n % 6); n++ }); got != 0 {
		t.Errorf("Step: %v allocations", got)
	}
}
