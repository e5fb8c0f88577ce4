package nn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// A layer of less precision gives what the rounded weights give, whatever the
// number of threads, and cannot go back.
func TestLinearPackAs(t *testing.T) {
	const in, out, n = 37, 150, 9
	r := rand.New(rand.NewPCG(1, 2))
	values := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(r.NormFloat64())
		}
		return x
	}
	w, b, x := values(out*in), values(out), values(n*in)
	exact := NewLinear(in, out)
	exact.Pack(nil, w, b)
	for p, limit := range map[Precision]float64{BF16: 0.15, Int8: 0.3} {
		l := NewLinear(in, out)
		l.PackAs(nil, w, b, p)
		var first []float32
		for _, threads := range []int{1, 2, 3} {
			team := NewTeam(threads)
			want, y := Matrix{}.Grow(n, out), Matrix{}.Grow(n, out)
			exact.Forward(team, want, RowMajor(x, in), n)
			l.Forward(team, y, RowMajor(x, in), n)
			team.Close()
			if first == nil {
				first = y.Data
			}
			got, row := make([]float32, out), make([]float32, out)
			for i := range n {
				y.GetRow(got, i)
				want.GetRow(row, i)
				for j, v := range got {
					if !(math.Abs(float64(v-row[j])) <= limit) {
						t.Fatalf("%v: [%d,%d] is %v, of float32 %v", p, i, j, v, row[j])
					}
				}
			}
			for i, v := range y.Data {
				if v != first[i] && v == v {
					t.Fatalf("%v: %d threads give other bits", p, threads)
				}
			}
		}
		func() {
			defer func() {
				if got, want := fmt.Sprint(recover()), fmt.Sprintf("nn: Linear.Backward: weights packed as %v serve inference alone, want float32 or mixed", p); got != want {
					t.Errorf("panic %q, want %q", got, want)
				}
			}()
			l.Backward(NewTeam(1), nil, nil, nil, Matrix{}.Grow(1, out), Matrix{}.Grow(1, in), 1)
		}()
	}
}

// A layer for training in bf16 multiplies what is rounded, forward and back, and
// rounds nothing else.
func TestLinearMixed(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	round := func(x []float32) []float32 {
		out := make([]float32, len(x))
		for i, v := range x {
			out[i] = FromBF16(ToBF16(v))
		}
		return out
	}
	for trial := range 40 {
		n, in, out := r.IntN(80), 1+r.IntN(90), 1+r.IntN(210)
		w, b, x, dy := normal(r, out*in), normal(r, out), normal(r, n*in), normal(r, n*out)
		wantY, wantW, _, wantX := linear64(round(w), b, round(x), round(dy), n, in, out)
		_, _, wantB, _ := linear64(w, b, x, dy, n, in, out)
		l := NewLinear(in, out)
		l.PackAs(nil, w, b, Mixed)
		var first [4][]float32
		for _, threads := range []int{1, 2, 3} {
			team := NewTeam(threads)
			what := fmt.Sprintf("trial %d, threads %d n %d in %d out %d", trial, threads, n, in, out)
			y, dw, db, dx := Matrix{}.Grow(n, out), make([]float32, out*in), make([]float32, out), make([]float32, n*in)
			l.Forward(team, y, RowMajor(x, in), n)
			l.Backward(team, dw, db, dx, Blocks(dy, n, out), Blocks(x, n, in), n)
			team.Close()
			got := [4][]float32{rowsOf(y, n, out), dw, db, dx}
			if first[0] == nil {
				first = got
			}
			for i, want := range [][]float64{wantY, wantW, wantB, wantX} {
				close64(t, fmt.Sprintf("%s: %d", what, i), got[i], want, 1e-4)
				equalBits(t, fmt.Sprintf("%s: bits of %d", what, i), got[i], first[i])
			}
		}
	}
}
