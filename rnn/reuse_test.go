package rnn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"sluice/nn"
)

func cellNames() string { return strings.Join(Cells(), ", ") }

func nans(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(math.NaN())
	}
	return x
}

// One Runner and one Tape over changing shapes, with NaN through all of their
// memory in between, give the bits of fresh ones.
func TestReuse(t *testing.T) {
	shapes := []struct {
		T, B        int
		ragged, ids bool
	}{{4, 3, true, false}, {7, 6, false, false}, {2, 9, true, true}, {1, 1, false, true}, {0, 3, true, false}, {5, 0, false, false}, {9, 2, true, false}, {6, 4, true, true}}
	for _, c := range append(allConfigs(1), allConfigs(3)...) {
		t.Run(c.testName(), func(t *testing.T) {
			fresh := newTrial(t, c, 1, 1, false, false, 5)
			run := NewRunner(fresh.net.Pack(), team(t, 2))
			var tape Tape
			for i, s := range shapes {
				tr := newTrial(t, c, s.T, max(1, s.B), s.ragged, s.ids, 5)
				if s.B == 0 {
					tr = &trial{net: tr.net, x: Sequence{T: s.T, F: c.Input}, tape: Tape{Dropout: tr.tape.Dropout}}
				}
				tr.run(2)
				poison(run, &tape, tr, i%2 == 0)
				tape.Dropout = tr.tape.Dropout
				again := *tr
				again.use(run, &tape)
				name := fmt.Sprintf("shape %d ", i)
				sameBits(t, name+"y", again.y, tr.y)
				sameBits(t, name+"state", again.end, tr.end)
				sameBits(t, name+"dx", again.dx, tr.dx)
				sameBits(t, name+"dState", again.dStart, tr.dStart)
				sameBits(t, name+"gradient", again.g, tr.g)
			}
		})
	}
}

// use is run, on a Runner and a Tape that have been used, over y and dx that
// hold anything.
func (tr *trial) use(run *Runner, tape *Tape) {
	tr.y, tr.end, tr.dStart = nans(len(tr.dy)), slices.Clone(tr.state), slices.Clone(tr.dState)
	run.Forward(tr.y, tr.x, tr.end, tape)
	tr.g = make([]float32, len(tr.net.Params))
	if tr.dx = nil; tr.x.IDs == nil {
		tr.dx = nans(len(tr.x.Data))
	}
	run.Backward(tr.g, tr.dx, tr.dy, tr.dStart, tape)
}

// poison runs NaN through all that Runner and Tape keep, in a shape somewhat
// larger than that of tr, or somewhat smaller.
func poison(run *Runner, tape *Tape, tr *trial, larger bool) {
	steps, rows := max(1, tr.x.T-1), max(1, tr.x.B-1)
	if larger {
		steps, rows = tr.x.T+2, tr.x.B+1
	}
	x := Sequence{T: steps, B: rows, F: tr.x.F, Data: nans(steps * rows * tr.x.F)}
	y := make([]float32, steps*rows*tr.net.OutputSize())
	run.Forward(y, x, nans(rows*tr.net.StateSize()), nil)
	run.Forward(y, x, nans(rows*tr.net.StateSize()), tape)
	run.Backward(make([]float32, len(tr.net.Params)), make([]float32, len(x.Data)), nans(len(y)), nans(rows*tr.net.StateSize()), tape)
}

// What stands past a length, in inputs and in gradients, is not looked at.
func TestPastLengthsIsNotRead(t *testing.T) {
	for _, c := range allConfigs(2) {
		t.Run(c.testName(), func(t *testing.T) {
			tr := newTrial(t, c, 6, 5, true, false, 8)
			tr.run(2)
			clean := *tr
			tr.x.Data, tr.dy = slices.Clone(tr.x.Data), slices.Clone(tr.dy)
			w := c.OutputSize()
			for i := range tr.x.T * tr.x.B {
				if i/tr.x.B >= tr.x.length(i%tr.x.B) {
					copy(tr.x.Data[i*c.Input:(i+1)*c.Input], nans(c.Input))
					copy(tr.dy[i*w:(i+1)*w], nans(w))
					sameBits(t, "y past a length", tr.y[i*w:(i+1)*w], make([]float32, w))
					sameBits(t, "dx past a length", tr.dx[i*c.Input:(i+1)*c.Input], make([]float32, c.Input))
				}
			}
			tr.run(2)
			sameBits(t, "y", tr.y, clean.y)
			sameBits(t, "state", tr.end, clean.end)
			sameBits(t, "dx", tr.dx, clean.dx)
			sameBits(t, "dState", tr.dStart, clean.dStart)
			sameBits(t, "gradient", tr.g, clean.g)
		})
	}
}

func TestNothingToDo(t *testing.T) {
	for _, c := range allConfigs(2) {
		for _, lengths := range [][]int{nil, {0, 0, 0}} {
			tr := newTrial(t, c, len(lengths), 3, false, false, 1)
			tr.x.Lengths = lengths
			tr.run(2)
			sameBits(t, "state", tr.end, tr.state)
			sameBits(t, "dState", tr.dStart, tr.dState)
			sameBits(t, "y", tr.y, make([]float32, len(tr.y)))
			sameBits(t, "dx", tr.dx, make([]float32, len(tr.dx)))
			sameBits(t, "gradient", tr.g, make([]float32, len(tr.g)))
		}
	}
	run := NewRunner(newTrial(t, forwards(1)[0], 1, 1, false, false, 1).net.Pack(), team(t, 2))
	run.Step(nil, Sequence{T: 1, F: 5}, nil, nil)
}

// No state is a state of zeros, and no gradient of it one of zeros; Backward
// adds to the gradient.
func TestNilStatesAndBackwardTwice(t *testing.T) {
	for _, c := range allConfigs(2) {
		t.Run(c.testName(), func(t *testing.T) {
			tr := newTrial(t, c, 4, 3, true, false, 2)
			clear(tr.state)
			clear(tr.dState)
			tr.run(2)
			run := NewRunner(tr.net.Pack(), team(t, 2))
			tape := Tape{Dropout: tr.tape.Dropout}
			poison(run, &tape, tr, true)
			y, plain, off := nans(len(tr.y)), nans(len(tr.y)), nans(len(tr.y))
			tape.Dropout = nil // after a call that dropped out
			run.Forward(off, tr.x, nil, &tape)
			poison(run, &tape, tr, false)
			run.Forward(plain, tr.x, nil, nil)
			sameBits(t, "y without dropout", off, plain)
			tape.Dropout = tr.tape.Dropout
			run.Forward(y, tr.x, nil, &tape)
			sameBits(t, "y", y, tr.y)
			for range 2 {
				g, dx := make([]float32, len(tr.g)), make([]float32, len(tr.dx))
				run.Backward(g, dx, tr.dy, nil, &tape)
				sameBits(t, "dx", dx, tr.dx)
				sameBits(t, "gradient", g, tr.g)
				run.Forward(y, tr.x, nil, &tape)
				run.Backward(g, nil, tr.dy, nil, &tape)
				run.Forward(y, tr.x, nil, &tape)
				for i := range g {
					g[i] -= tr.g[i]
				}
				if d := (worst{}).see("", g, wide(tr.g)); d > 1e-6 {
					t.Errorf("a second Backward does not add: off by %.1g", d)
				}
			}
		})
	}
}

// Without gradients of the parameters those of the input and of the state keep
// their bits, after a call that made them.
func TestBackwardOfStatesAlone(t *testing.T) {
	for _, c := range allConfigs(2) {
		for _, ids := range []bool{false, true} {
			tr := newTrial(t, c, 4, 3, true, ids, 6)
			tr.run(2)
			run, tape := NewRunner(tr.p, team(t, 2)), Tape{Dropout: tr.tape.Dropout}
			again := *tr
			again.use(run, &tape)
			g, dx, dStart := slices.Clone(again.g), nans(len(tr.dx)), slices.Clone(tr.dState)
			if ids {
				dx = nil
			}
			run.Forward(again.y, tr.x, slices.Clone(tr.state), &tape)
			run.Backward(nil, dx, tr.dy, dStart, &tape)
			sameBits(t, c.testName()+" dx", dx, tr.dx)
			sameBits(t, c.testName()+" dState", dStart, tr.dStart)
			sameBits(t, c.testName()+" gradient of the call before", again.g, g)
		}
	}
}

// Runners that share a Packed do not disturb one another, nor does the Network
// disturb the Packed.
func TestSharedPacked(t *testing.T) {
	for _, c := range allConfigs(2) {
		tr := newTrial(t, c, 5, 4, true, false, 3)
		tr.run(1)
		p := tr.net.Pack()
		if err := tr.net.Init(Init{}, 77); err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		users := make([]trial, 3)
		for i := range users {
			users[i] = *tr
			all.Go(func() {
				team := nn.NewTeam(1 + i)
				defer team.Close()
				users[i].use(NewRunner(p, team), &Tape{Dropout: tr.tape.Dropout})
			})
		}
		all.Wait()
		for _, u := range users {
			sameBits(t, "y", u.y, tr.y)
			sameBits(t, "gradient", u.g, tr.g)
		}
	}
}

func TestRepackAndBind(t *testing.T) {
	for _, c := range allConfigs(2) {
		tr := newTrial(t, c, 4, 3, true, false, 4)
		p := tr.net.Pack()
		run := NewRunner(p, team(t, 2))
		flat := randoms(rand.New(rand.NewPCG(1, 2)), len(tr.net.Params)+6)
		tr.net.Bind(flat[3 : len(flat)-3])
		for _, tensor := range tr.net.Tensors() {
			tensor.Data[0] += 0.5 // a view of flat
		}
		tr.run(2)
		tr.net.Repack(nil, p)
		again := *tr
		again.use(run, &Tape{Dropout: tr.tape.Dropout})
		sameBits(t, "y", again.y, tr.y)
		sameBits(t, "gradient", again.g, tr.g)
		at := 3
		for _, tensor := range tr.net.Tensors() {
			if &tensor.Data[0] != &flat[at] || len(tensor.Data) != cap(tensor.Data) {
				t.Fatalf("%s is no view of the bound vector", tensor.Name)
			}
			at += len(tensor.Data)
		}
	}
}
