package nn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// The loss and all gradients have the bits of a layer followed by a loss, however
// many rows pass at once, in every precision that trains.
func TestSoftmaxLossIsLinearAndCrossEntropy(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for trial := range 60 {
		n, in, v := r.IntN(50), 1+r.IntN(80), 1+r.IntN(200)
		as, threads := []Precision{Float32, Mixed}[trial%2], 1+r.IntN(3)
		w, b, x := normal(r, v*in), normal(r, v), Blocks(normal(r, n*in), n, in)
		_, targets := lossCase(r, n, v, 1)
		team, l := NewTeam(threads), NewLinear(in, v)
		l.PackAs(nil, w, b, as)

		logits, ce := Matrix{}.Grow(n, v), CrossEntropy{V: v}
		l.Forward(team, logits, x, n)
		want, count := ce.Gradient(team, logits, targets, 0.1)
		dw, db, dx := normal(r, v*in), normal(r, v), normal(r, n*in)
		dw2, db2, dx2 := append([]float32(nil), dw...), append([]float32(nil), db...), append([]float32(nil), dx...)
		l.Backward(team, dw, db, dx, logits, x, n)

		for _, span := range []int{0, 2, 6, 16} {
			what := fmt.Sprintf("%v n %d in %d v %d threads %d span %d", as, n, in, v, threads, span)
			s := SoftmaxLoss{span: span}
			gw, gb, gx := append([]float32(nil), dw2...), append([]float32(nil), db2...), append([]float32(nil), dx2...)
			nats, counted := s.Gradient(team, l, gw, gb, gx, x, targets, 0.1)
			if nats != want || counted != count {
				t.Fatalf("%s: %v nats of %d, want %v of %d", what, nats, counted, want, count)
			}
			for i, w := range ce.Nats {
				if s.Nats[i] != w {
					t.Fatalf("%s: row %d: %v nats, want %v", what, i, s.Nats[i], w)
				}
			}
			equalBits(t, what+": dw", gw, dw)
			equalBits(t, what+": db", gb, db)
			equalBits(t, what+": dx", gx, dx)
			if nats, counted := s.Loss(team, l, x, targets); nats != want || counted != count {
				t.Fatalf("%s: Loss: %v nats of %d, want %v of %d", what, nats, counted, want, count)
			}
			alone := append([]float32(nil), dw2...)
			s.Gradient(team, l, alone, nil, nil, x, targets, 0.1)
			equalBits(t, what+": dw alone", alone, dw)
		}
		team.Close()
	}
}

// Spans are of an even number of rows, and their logits are bounded as far as is
// worth it.
func TestSpans(t *testing.T) {
	for _, c := range []struct{ in, v, want int }{
		{512, 100, 83886}, {512, 10_000, 838}, {512, 250_000, 256}, {128, 250_000, 128}, {33, 1 << 20, 64}, {75, 1 << 20, 76},
	} {
		if got := new(SoftmaxLoss).spanOf(NewLinear(c.in, c.v)); got != c.want {
			t.Errorf("in %d, V %d: %d rows, want %d", c.in, c.v, got, c.want)
		}
	}
}

func TestSoftmaxLossShapes(t *testing.T) {
	team := NewTeam(1)
	defer team.Close()
	l := NewLinear(3, 2)
	l.Pack(nil, make([]float32, 6), nil)
	var s SoftmaxLoss
	x, dw, dx := Blocks(make([]float32, 12), 4, 3), make([]float32, 6), make([]float32, 12)
	targets := []int32{0, 1, Ignore, 0}
	wants(t, "nn: SoftmaxLoss: x has 320 values, want (6, 3)", func() { s.Loss(team, l, x, make([]int32, 6)) })
	wants(t, "nn: SoftmaxLoss: dx has 11 values, want (4, 3)", func() { s.Gradient(team, l, dw, nil, dx[:11], x, targets, 1) })
	for _, target := range []int32{2, -2, math.MaxInt32} {
		line := fmt.Sprintf("nn: SoftmaxLoss: target %d at 3, want 0 ≤ target < 2 or -1 to ignore it", target)
		wants(t, line, func() { s.Gradient(team, l, dw, nil, dx, x, []int32{0, 1, Ignore, target}, 1) })
	}
	if nats, count := s.Gradient(team, l, dw, nil, dx, x, targets, 1); math.Abs(nats-3*math.Ln2) > 1e-12 || count != 3 {
		t.Errorf("%v nats of %d, want 3·ln 2 of 3", nats, count)
	}
	if nats, count := s.Loss(team, l, Matrix{}, nil); nats != 0 || count != 0 || len(s.Nats) != 0 {
		t.Errorf("%v nats of %d where there are no rows", nats, count)
	}
}
