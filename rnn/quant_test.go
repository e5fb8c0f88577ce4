package rnn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"sluice/nn"
)

var lowPrecisions = []nn.Precision{nn.BF16, nn.Int8}

// Of weights of less precision, too, a step is a step of Forward, bit for bit,
// and neither threads nor the rows beside it change a row.
func TestLowPrecisionBits(t *testing.T) {
	for i, c := range append(forwards(1), forwards(2)...) {
		for _, as := range lowPrecisions {
			for _, ids := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%v/ids=%v", c.testName(), as, ids), func(t *testing.T) {
					lowPrecisionBits(t, c, as, ids, uint64(i))
				})
			}
		}
	}
}

func lowPrecisionBits(t *testing.T, c Config, as nn.Precision, ids bool, seed uint64) {
	const T, B = 5, 11
	if seed%3 == 0 {
		c.Input, c.Hidden = 33, 70
	}
	tr := newTrial(t, c, T, B, false, ids, seed)
	p, size, w := tr.net.PackAs(as), c.StateSize(), c.OutputSize()
	var whole, end []float32
	for _, threads := range []int{1, 2, 3} {
		y, state := make([]float32, len(tr.dy)), slices.Clone(tr.state)
		NewRunner(p, team(t, threads)).Forward(y, tr.x, state, nil)
		if whole == nil {
			whole, end = y, state
		}
		sameBits(t, fmt.Sprintf("%d threads: y", threads), y, whole)
		sameBits(t, fmt.Sprintf("%d threads: state", threads), state, end)
	}
	for b := range B {
		run, slab := NewRunner(p, team(t, 1)), slices.Clone(tr.state)
		for step := range T {
			y := make([]float32, w)
			run.Step(y, tr.x.pick([]int{b}, step, step+1), slab, []int32{int32(b)})
			sameBits(t, fmt.Sprintf("row %d, step %d: y", b, step), y, whole[(step*B+b)*w:][:w])
		}
		sameBits(t, fmt.Sprintf("row %d: state", b), slab[b*size:(b+1)*size], end[b*size:][:size])
	}
}

// A network packed with less precision is nearly the one whose weights were
// rounded, and that one not far from the first. IDs are what they are as
// one-hot rows.
func TestLowPrecisionIsNear(t *testing.T) {
	for i, c := range slices.Concat(everyConfig(2), variants(2, kernelVariants...), variants(2, plainVariants...)) {
		for _, as := range lowPrecisions {
			tr := newTrial(t, c, 6, 4, false, true, uint64(i))
			run := func(p *Packed, x Sequence) []float32 {
				y := make([]float32, len(tr.dy))
				NewRunner(p, team(t, 1)).Forward(y, x, slices.Clone(tr.state), nil)
				return y
			}
			low, exact := run(tr.net.PackAs(as), tr.x), run(tr.net.Pack(), tr.x)
			hot := Sequence{T: tr.x.T, B: tr.x.B, F: tr.x.F, Data: make([]float32, tr.x.T*tr.x.B*tr.x.F)}
			for i, id := range tr.x.IDs {
				hot.Data[i*tr.x.F+int(id)] = 1
			}
			oneHot := run(tr.net.PackAs(as), hot)
			rounded, err := New(c)
			if err != nil {
				t.Fatal(err)
			}
			copy(rounded.Params, tr.net.Params)
			for j, tensor := range rounded.Tensors() {
				if rounded.Rounds(j) {
					round(tensor, as)
				}
			}
			near := run(rounded.Pack(), tr.x)
			farthest := func(a, b []float32) (d float64) {
				for i, v := range a {
					d = max(d, math.Abs(float64(v)-float64(b[i])))
				}
				return d
			}
			scale := farthest(exact, make([]float32, len(exact)))
			// Rounded weights, and then their products: what they are off by is
			// a part of a state of which the largest is scale.
			limits := map[nn.Precision][3]float64{nn.BF16: {2e-5, 0.03, 2e-5}, nn.Int8: {0.04, 0.06, 0.04}}[as]
			for k, d := range []float64{farthest(low, near), farthest(low, exact), farthest(low, oneHot)} {
				if !(d <= limits[k]*max(1, scale)) {
					t.Errorf("%s, %v: off by %.3g of %.3g (%d)", c.testName(), as, d, scale, k)
				}
			}
		}
	}
}

// round rounds a matrix as PackAs does.
func round(t nn.Tensor, as nn.Precision) {
	n, k := t.Shape[0], t.Shape[1]
	q := make([]int8, k)
	for i := range n {
		row := t.Data[i*k : (i+1)*k]
		scale := nn.Quantize(q, row)
		for j, v := range row {
			if row[j] = float32(q[j]) * scale; as == nn.BF16 {
				row[j] = nn.FromBF16(nn.ToBF16(v))
			}
		}
	}
}

func TestLowPrecisionHasNoBackward(t *testing.T) {
	for _, c := range everyConfig(1) {
		tr := newTrial(t, c, 3, 2, false, false, 1)
		tr.run(1)
		run, tape := NewRunner(tr.net.PackAs(nn.Int8), team(t, 1)), Tape{Dropout: tr.tape.Dropout}
		run.Forward(tr.y, tr.x, nil, &tape)
		panics(t, "rnn: Backward: weights packed as int8 serve inference alone, want float32 or mixed", func() {
			run.Backward(tr.g, tr.dx, tr.dy, nil, &tape)
		})
	}
}

func TestLowPrecisionStepAllocatesNothing(t *testing.T) {
	for _, c := range []Config{{Cell: "lstm"}, {Cell: "gru", Reset: ResetBefore}, {Cell: "gru", Reset: ResetAfter}, {Cell: "rnn"}} {
		c.Input, c.Hidden, c.Layers, c.Biases, c.Direction = 40, 70, 1, 1, Forward
		for _, as := range lowPrecisions {
			tr := newTrial(t, c, 1, 5, false, false, 1)
			tr.run(1)
			run, slab := NewRunner(tr.net.PackAs(as), team(t, 1)), slices.Clone(tr.state)
			one, id := tr.x.pick([]int{0}, 0, 1), Sequence{T: 1, B: 1, F: 40, IDs: []int32{3}}
			step := func() {
				run.Step(tr.y[:70], one, slab, []int32{1})
				run.Step(tr.y[:70], id, slab, []int32{1})
				run.Step(tr.y, tr.x, slab, []int32{0, 1, 2, 3, 4})
			}
			step()
			if n := testing.AllocsPerRun(10, step); n != 0 {
				t.Errorf("%s, %v: %v allocations", c.testName(), as, n)
			}
		}
	}
}

// BenchmarkStep is a step of one stream, X = H, one thread.
func BenchmarkStep(b *testing.B) {
	for _, c := range []Config{{Cell: "lstm"}, {Cell: "gru", Reset: ResetAfter}} {
		for _, h := range []int{64, 128, 256, 512, 1024} {
			for _, as := range append([]nn.Precision{nn.Float32}, lowPrecisions...) {
				c.Input, c.Hidden, c.Layers, c.Biases, c.Direction = h, h, 1, 1, Forward
				b.Run(fmt.Sprintf("cell=%s/H=%d/weights=%v", c.Cell, h, as), func(b *testing.B) {
					n, err := New(c)
					if err != nil {
						b.Fatal(err)
					}
					if err := n.Init(Init{}, 1); err != nil {
						b.Fatal(err)
					}
					run, slab, rows := NewRunner(n.PackAs(as), team(b, 1)), make([]float32, n.StateSize()), []int32{0}
					x := Sequence{T: 1, B: 1, F: h, Data: randoms(rand.New(rand.NewPCG(1, 2)), h)}
					y := make([]float32, h)
					run.Step(y, x, slab, rows)
					b.ReportAllocs()
					for b.Loop() {
						run.Step(y, x, slab, rows)
					}
					b.ReportMetric(float64(b.Elapsed().Nanoseconds())/1e3/float64(b.N), "µs/step")
				})
			}
		}
	}
}
