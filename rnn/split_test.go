package rnn

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
)

// Few rows are shared out by hidden units, in parts that meet at each step. The
// bits are those of one thread, also where the first part goes on alone from
// any step on, forward and back.
func TestUnitsSharedOut(t *testing.T) {
	for _, c := range allConfigs(2) {
		if c.plain() {
			continue // not shared out by units
		}
		if c.Projection > 0 {
			c.Projection = 70 // two blocks
		}
		c.Hidden, c.Input, c.Dropout, c.Locked = 150, 20, 0, false // three blocks of units, the last one not full
		for _, rows := range []int{1, 3} {
			t.Run(fmt.Sprintf("%s/B=%d", c.testName(), rows), func(t *testing.T) {
				tr := newTrial(t, c, 7, rows, rows > 1, false, 11)
				tr.run(1)
				for quit := range int64(10) {
					again, run := *tr, NewRunner(tr.net.Pack(), team(t, 6))
					var looks atomic.Int64
					run.heldUp = func() bool { return looks.Add(1) > quit }
					if quit == 9 {
						run.heldUp = run.team.HeldUp
					}
					again.use(run, &Tape{Dropout: tr.tape.Dropout})
					what := fmt.Sprintf("alone after %d: ", quit)
					sameBits(t, what+"y", again.y, tr.y)
					sameBits(t, what+"state", again.end, tr.end)
					sameBits(t, what+"dx", again.dx, tr.dx)
					sameBits(t, what+"dState", again.dStart, tr.dStart)
					sameBits(t, what+"gradient", again.g, tr.g)
					state := slices.Clone(tr.state)
					if c.random() {
						continue
					}
					run.Forward(again.y, tr.x, state, nil)
					sameBits(t, what+"y without a tape", again.y, tr.y)
				}
			})
		}
	}
}

// Layers of few rows and units run as a wave. The bits are those of one thread,
// whatever the lengths and wherever a part has more layers than another.
func TestWave(t *testing.T) {
	for _, c := range append(forwards(2), forwards(3)...) {
		c.Hidden, c.Input, c.Dropout, c.Locked = 40, 20, 0, false
		for _, ragged := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/ragged=%v", c.testName(), ragged), func(t *testing.T) {
				tr := newTrial(t, c, 37, 3, ragged, false, 12)
				tr.run(1)
				for _, threads := range []int{2, 3, 8} {
					again, run := *tr, NewRunner(tr.net.Pack(), team(t, threads))
					again.y = nans(len(tr.y))
					if run.Forward(again.y, tr.x, slices.Clone(tr.state), nil); run.wave.parts != min(threads, c.Layers) {
						t.Fatalf("%d threads: %d parts", threads, run.wave.parts)
					}
					if !c.random() {
						sameBits(t, "y without a tape", again.y, tr.y)
					}
					again.use(run, &Tape{Dropout: tr.tape.Dropout})
					sameBits(t, "y", again.y, tr.y)
					sameBits(t, "state", again.end, tr.end)
					sameBits(t, "gradient", again.g, tr.g)
				}
			})
		}
	}
}
