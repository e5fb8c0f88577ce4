package nn

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// linear64 is y = x·Wᵀ + b and its gradients in float64.
func linear64(w, b, x, dy []float32, n, in, out int) (y, dw, db, dx []float64) {
	y, dw, db, dx = make([]float64, n*out), make([]float64, out*in), make([]float64, out), make([]float64, n*in)
	for i := range n {
		for o := range out {
			if b != nil {
				y[i*out+o] = float64(b[o])
			}
			d := float64(dy[i*out+o])
			db[o] += d
			for j := range in {
				y[i*out+o] += float64(x[i*in+j]) * float64(w[o*in+j])
				dw[o*in+j] += d * float64(x[i*in+j])
				dx[i*in+j] += d * float64(w[o*in+j])
			}
		}
	}
	return y, dw, db, dx
}

func TestLinear(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, threads := range []int{1, 2, 3} {
		team := NewTeam(threads)
		for trial := range 60 {
			n, in, out := r.IntN(80), 1+r.IntN(90), 1+r.IntN(210)
			w, x, dy := normal(r, out*in), normal(r, n*in), normal(r, n*out)
			var b []float32
			if trial%2 == 0 {
				b = normal(r, out)
			}
			what := fmt.Sprintf("threads %d n %d in %d out %d bias %t", threads, n, in, out, b != nil)
			wantY, wantW, wantB, wantX := linear64(w, b, x, dy, n, in, out)
			l := NewLinear(in, out)
			l.Pack(nil, normal(r, out*in), normal(r, out)) // of an earlier step
			l.Pack(nil, w, b)

			y := Blocks(normal(r, n*out), n, out) // what it held is overwritten
			l.Forward(team, y, RowMajor(x, in), n)
			close64(t, what+": y", rowsOf(y, n, out), wantY, 1e-4)

			dw, db, dx := normal(r, out*in), normal(r, out), normal(r, n*in+3)
			past := append([]float32(nil), dx[n*in:]...)
			for i, v := range dw {
				wantW[i] += float64(v) // gradients are added to
			}
			for i, v := range db {
				wantB[i] += float64(v)
			}
			dw0 := append([]float32(nil), dw...)
			mdy, mx := Blocks(dy, n, out), Blocks(x, n, in)
			l.Backward(team, dw, db, dx, mdy, mx, n)
			close64(t, what+": dw", dw, wantW, 1e-4)
			close64(t, what+": db", db, wantB, 1e-4)
			close64(t, what+": dx", dx, wantX, 1e-4)
			equalBits(t, what+": past dx", dx[n*in:], past)

			l.Backward(team, dw0, nil, nil, mdy, mx, n)
			equalBits(t, what+": dw alone", dw0, dw)
			alone := make([]float32, n*in)
			l.Backward(team, nil, nil, alone, mdy, mx, n)
			equalBits(t, what+": dx alone", alone, dx[:n*in])
		}
		team.Close()
	}
}

// The bits of a row depend neither on the threads nor on the rows beside it.
func TestLinearGivesTheSameBits(t *testing.T) {
	const n, in, out = 67, 40, 300
	r := rand.New(rand.NewPCG(5, 6))
	w, b, x, dy := normal(r, out*in), normal(r, out), normal(r, n*in), normal(r, n*out)
	l := NewLinear(in, out)
	l.Pack(nil, w, b)
	run := func(threads int) (y, dw, db, dx []float32) {
		team := NewTeam(threads)
		defer team.Close()
		dw, db, dx = make([]float32, out*in), make([]float32, out), make([]float32, n*in)
		m := Matrix{}.Grow(n, out)
		l.Forward(team, m, RowMajor(x, in), n)
		l.Backward(team, dw, db, dx, Blocks(dy, n, out), Blocks(x, n, in), n)
		return rowsOf(m, n, out), dw, db, dx
	}
	y, dw, db, dx := run(1)
	for _, threads := range []int{2, 3, 8} {
		what := fmt.Sprintf("threads %d: ", threads)
		y2, dw2, db2, dx2 := run(threads)
		equalBits(t, what+"y", y2, y)
		equalBits(t, what+"dw", dw2, dw)
		equalBits(t, what+"db", db2, db)
		equalBits(t, what+"dx", dx2, dx)
	}
	team := NewTeam(1)
	defer team.Close()
	row := Matrix{}.Grow(1, out)
	for i := range n {
		l.Forward(team, row, RowMajor(x[i*in:], in), 1)
		equalBits(t, fmt.Sprintf("row %d alone", i), row.Data[:out], y[i*out:(i+1)*out])
	}
}

func TestLinearShapes(t *testing.T) {
	team := NewTeam(1)
	defer team.Close()
	l := NewLinear(3, 2)
	f := func(n int) []float32 { return make([]float32, n, 100) } // a view: its capacity is no excuse
	m := func(n, ld int) Matrix { return RowMajor(f(n), ld) }
	wants(t, "nn: Linear.Forward: weights (0, 0) packed, want (2, 3)", func() { l.Forward(team, m(8, 2), m(12, 3), 4) })
	wants(t, "nn: Linear.Backward: weights (0, 0) packed, want (2, 3)", func() { l.Backward(team, f(6), f(2), f(12), m(8, 2), m(12, 3), 4) })
	wants(t, "nn: Linear.Pack: 5 weights and 2 biases, want (2, 3) and 2", func() { l.Pack(nil, f(5), f(2)) })
	wants(t, "nn: Linear.Pack: 6 weights and 3 biases, want (2, 3) and 2", func() { l.Pack(nil, f(6), f(3)) })
	wants(t, "nn: Linear.Pack: 6 weights and 0 biases, want (2, 3) and 2", func() { l.Pack(nil, f(6), []float32{}) })
	l.Pack(nil, f(6), nil)
	y := Blocks(f(8), 4, 2)
	short := y
	short.Data = y.Data[:130]
	wants(t, "nn: Linear.Forward: y is row-major, want a matrix in blocks", func() { l.Forward(team, m(8, 2), m(12, 3), 4) })
	wants(t, "nn: Linear.Forward: y has 130 values, want (4, 2)", func() { l.Forward(team, short, m(12, 3), 4) })
	wants(t, "nn: Linear.Forward: x has 11 values, want (4, 3)", func() { l.Forward(team, y, m(11, 3), 4) })
	wants(t, "nn: Linear.Backward: dw has 5 values, want (2, 3)", func() { l.Backward(team, f(5), f(2), f(12), y, m(12, 3), 4) })
	wants(t, "nn: Linear.Backward: db has 1 values, want (1, 2)", func() { l.Backward(team, f(6), f(1), f(12), y, m(12, 3), 4) })
	wants(t, "nn: Linear.Backward: dx has 11 values, want (4, 3)", func() { l.Backward(team, f(6), f(2), f(11), y, m(12, 3), 4) })
	wants(t, "nn: Linear.Backward: dy is row-major, want a matrix in blocks", func() { l.Backward(team, f(6), f(2), f(12), m(8, 2), m(12, 3), 4) })
	wants(t, "nn: Linear.Backward: dy has 130 values, want (4, 2)", func() { l.Backward(team, f(6), f(2), f(12), short, m(12, 3), 4) })
	wants(t, "nn: Linear.Backward: x has 11 values, want (4, 3)", func() { l.Backward(team, f(6), f(2), f(12), y, m(11, 3), 4) })
}
