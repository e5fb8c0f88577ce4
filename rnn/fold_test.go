package rnn

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"sluice/nn"
)

// folding is a trial over the rows of a table that IDs name, as values, and
// the same with the table folded.
type folding struct {
	rows  *trial
	table []float32 // (V, X)
	x     Sequence  // IDs
}

func newFolding(t *testing.T, c Config, steps, rows, v int, ragged bool, seed uint64) *folding {
	t.Helper()
	f := &folding{rows: newTrial(t, c, steps, rows, ragged, false, seed)}
	x, r := &f.rows.x, rand.New(rand.NewPCG(seed, 4))
	f.table = randoms(r, v*c.Input)
	f.x = Sequence{T: steps, B: rows, F: v, Lengths: x.Lengths}
	for i := range steps * rows {
		id := r.IntN(v)
		copy(x.Data[i*c.Input:(i+1)*c.Input], f.table[id*c.Input:])
		if i/rows >= x.length(i%rows) {
			id = -7 // past a length anything may stand
		}
		f.x.IDs = append(f.x.IDs, int32(id))
	}
	return f
}

// run is that of a trial, on a Runner and a Tape that have been used; dTable
// starts from ones, to be added to.
func (f *folding) run(threads int) (folded trial, dTable []float32) {
	folded = *f.rows
	folded.tape = Tape{Dropout: f.rows.tape.Dropout}
	team := nn.NewTeam(threads)
	defer team.Close()
	p := folded.net.Pack()
	p.Fold(team, f.table)
	run := NewRunner(p, team)
	for range 2 {
		folded.y, folded.end = nans(len(folded.dy)), slices.Clone(folded.state)
		run.Forward(folded.y, f.x, folded.end, &folded.tape)
		folded.g, folded.dStart, folded.dx = make([]float32, len(folded.net.Params)), slices.Clone(folded.dState), nil
		dTable = slices.Repeat([]float32{1}, len(f.table))
		run.Backward(folded.g, dTable, folded.dy, folded.dStart, &folded.tape)
	}
	return folded, dTable
}

// A folded table gives the bits of its rows as values, forward and in the
// gradient of the state; the gradients of the parameters and of the table are
// sums in another order, the same for any number of threads.
func TestFold(t *testing.T) {
	seen := worst{}
	check := func(t *testing.T, c Config, steps, rows, v int, ragged bool, seed uint64) {
		f := newFolding(t, c, steps, rows, v, ragged, seed)
		f.rows.run(2)
		one, dTable := f.run(1)
		sameBits(t, "y", one.y, f.rows.y)
		sameBits(t, "state", one.end, f.rows.end)
		sameBits(t, "dState", one.dStart, f.rows.dStart)
		compare(t, c.testName(), seen, &one)
		want := slices.Repeat([]float64{1}, len(f.table))
		for i, id := range f.x.IDs {
			for j, v := range f.rows.dx[i*c.Input : (i+1)*c.Input] {
				if id >= 0 {
					want[int(id)*c.Input+j] += float64(v)
				}
			}
		}
		if d := seen.see("backward dTable", dTable, want); !(d <= 1e-5) {
			t.Errorf("the table's gradient is off by %.2g of its largest", d)
		}
		for _, threads := range []int{2, 3, 8} {
			many, dTable2 := f.run(threads)
			sameBits(t, "y", many.y, one.y)
			sameBits(t, "state", many.end, one.end)
			sameBits(t, "dState", many.dStart, one.dStart)
			sameBits(t, "gradient", many.g, one.g)
			sameBits(t, "dTable", dTable2, dTable)
		}
	}
	for i, c := range slices.Concat(everyConfig(1), everyConfig(2), regularised(1), variants(1, kernelVariants...), variants(1, plainVariants...)) {
		for _, ragged := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/ragged=%v", c.testName(), ragged), func(t *testing.T) { check(t, c, 6, 5, 4, ragged, uint64(i)) })
		}
		if c.Biases == 2 && c.Merge == Average { // wider than tiles, and taller than what passes at once
			c.Input, c.Hidden = 70, 33
			t.Run("large/"+c.testName(), func(t *testing.T) { check(t, c, 3, 7, 600, true, 9) })
		}
	}
	seen.log(t)
}

// Of weights of any precision, a step of IDs is the step of the rows of the
// table, bit for bit.
func TestFoldedStep(t *testing.T) {
	for i, c := range forwards(2) {
		for _, as := range append([]nn.Precision{nn.Float32}, lowPrecisions...) {
			if i%2 == 0 {
				c.Input, c.Hidden = 33, 70
			}
			f := newFolding(t, c, 5, 4, 6, false, uint64(i))
			p := f.rows.net.PackAs(as)
			want, end := make([]float32, len(f.rows.dy)), slices.Clone(f.rows.state)
			NewRunner(p, team(t, 1)).Forward(want, f.rows.x, end, nil)
			for _, threads := range []int{1, 2, 3} {
				run, slab, w := NewRunner(p, team(t, threads)), slices.Clone(f.rows.state), c.OutputSize()
				p.Fold(run.team, f.table)
				for step := range f.x.T {
					for _, rows := range [][]int{{3}, {2, 0}, {1}} {
						y, at := nans(len(rows)*w), make([]int32, len(rows))
						for i, b := range rows {
							at[i] = int32(b)
						}
						run.Step(y, f.x.pick(rows, step, step+1), slab, at)
						for i, b := range rows {
							sameBits(t, fmt.Sprintf("%s, %v: y of step %d of row %d", c.testName(), as, step, b), y[i*w:(i+1)*w], want[(step*f.x.B+b)*w:][:w])
						}
					}
				}
				sameBits(t, fmt.Sprintf("%s, %v: state", c.testName(), as), slab, end)
			}
		}
	}
}

// A look-up leaves even the sign of zero as it is, that of a product too small
// for a float.
func TestFoldOfNegativeZero(t *testing.T) {
	n, err := New(Config{Cell: "rnn", Activation: "relu", Input: 1, Hidden: 1, Layers: 1, Biases: 1})
	if err != nil {
		t.Fatal(err)
	}
	copy(n.Params, []float32{1e-30, 0, -1}) // Wx, bx, Wh
	p := n.Pack()
	run := NewRunner(p, team(t, 1))
	p.Fold(run.team, []float32{5, -1e-30})
	rows, ids := []float32{1}, []float32{1}
	run.Forward(rows, Sequence{T: 1, B: 1, F: 1, Data: []float32{-1e-30}}, nil, nil)
	run.Forward(ids, Sequence{T: 1, B: 1, F: 2, IDs: []int32{1}}, nil, nil)
	sameBits(t, "y", ids, rows) // −0 where the kernel's ReLU leaves it
}

// Repack ends what Fold began: IDs are one-hot vectors again.
func TestRepackUnfolds(t *testing.T) {
	for _, c := range everyConfig(1) {
		tr := newTrial(t, c, 4, 3, true, true, 2)
		tr.run(1)
		p := tr.net.Pack()
		run := NewRunner(p, team(t, 2))
		p.Fold(run.team, randoms(rand.New(rand.NewPCG(1, 2)), 8*c.Input))
		panics(t, fmt.Sprintf("rnn: Forward: x width %d, want 8", c.Input), func() { run.Forward(tr.y, tr.x, nil, nil) })
		var tape Tape
		run.Forward(make([]float32, c.OutputSize()), Sequence{T: 1, B: 1, F: 8, IDs: []int32{7}}, nil, &tape)
		panics(t, "rnn: Backward: dx of a table and no g, want both or neither", func() {
			run.Backward(nil, make([]float32, 8*c.Input), make([]float32, c.OutputSize()), nil, &tape)
		})
		tr.net.Repack(nil, p)
		panics(t, "rnn: Backward: the tape is not one that Forward of this network has filled", func() {
			run.Backward(tr.g, nil, make([]float32, c.OutputSize()), nil, &tape)
		})
		again := *tr
		again.use(run, &again.tape)
		sameBits(t, "y", again.y, tr.y)
		sameBits(t, "gradient", again.g, tr.g)
		run.Forward(tr.y, tr.x, nil, &tape)
		p.Fold(run.team, make([]float32, c.Input*c.Input)) // as many symbols
		panics(t, "rnn: Backward: the tape is not one that Forward of this network has filled", func() { run.Backward(tr.g, nil, tr.dy, nil, &tape) })
		tr.net.Repack(nil, p)
		panics(t, "rnn: Fold: a table of 7 values, want rows of 5", func() { p.Fold(run.team, make([]float32, 7)) })
		panics(t, "rnn: Fold: a table of 0 values, want rows of 5", func() { p.Fold(run.team, nil) })
	}
}
