package nn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// Forward and Backward of plain loops, in the same order, give the same bits
// on any number of threads, with rows that are scaled, or dropped, and without.
func TestEmbedding(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	teams := []*Team{NewTeam(1), NewTeam(2), NewTeam(3), NewTeam(8)}
	for trial := range 60 {
		n, v, f := r.IntN(20), 1+r.IntN(6), 1+r.IntN(40)
		if trial%4 == 0 {
			n, f = 200+r.IntN(100), 60+r.IntN(40) // enough to be shared
		}
		table, dy, ids := normal(r, v*f), normal(r, n*f), make([]int32, n)
		for i := range ids {
			ids[i] = r.Int32N(int32(v)) // few rows: most come more than once
		}
		var scale []float32
		by := func(id int32) float32 { return 1 }
		if trial%2 == 0 {
			scale = make([]float32, v)
			for i := range scale {
				scale[i] = float32(r.IntN(2)) * 1.25
			}
			by = func(id int32) float32 { return scale[id] }
		}
		wantY, wantTable := make([]float32, n*f), append([]float32(nil), table...)
		for i, id := range ids {
			for j := range f {
				wantY[i*f+j] = table[int(id)*f+j] * by(id)
				wantTable[int(id)*f+j] += float32(dy[i*f+j] * by(id))
			}
		}
		for _, team := range teams {
			what := fmt.Sprintf("n %d v %d f %d scaled %v, %d threads", n, v, f, scale != nil, team.Threads())
			e, y, dtable := Embedding{F: f}, make([]float32, n*f), append([]float32(nil), table...)
			e.Forward(team, y, table, ids, scale)
			equalBits(t, what+": Forward", y, wantY)
			e.Backward(team, dtable, dy, ids, scale)
			equalBits(t, what+": Backward", dtable, wantTable)
		}
	}
	for _, team := range teams {
		team.Close()
	}
}

// A table is a view of a flat vector: an id past its end would reach into the
// next tensor.
func TestEmbeddingRefuses(t *testing.T) {
	team := NewTeam(1)
	defer team.Close()
	flat := make([]float32, 100)
	table, e := flat[:6], Embedding{F: 2} // (3, 2)
	for _, id := range []int32{-1, 3, math.MinInt32, math.MaxInt32} {
		y := []float32{1, 1, 1, 1}
		wants(t, fmt.Sprintf("nn: Embedding.Forward: id %d at 1, want 0 ≤ id < 3", id), func() { e.Forward(team, y, table, []int32{0, id}, nil) })
		wants(t, fmt.Sprintf("nn: Embedding.Backward: id %d at 1, want 0 ≤ id < 3", id), func() { e.Backward(team, table, y, []int32{0, id}, nil) })
	}
	for i, v := range flat[6:] {
		if v != 0 {
			t.Errorf("[%d] past the table is %v", i, v)
		}
	}
	short := make([]float32, 3, 9)
	wants(t, "nn: Embedding.Forward: y has 3 values, want (2, 2)", func() { e.Forward(team, short, table, []int32{0, 0}, nil) })
	wants(t, "nn: Embedding.Backward: dy has 3 values, want (2, 2)", func() { e.Backward(team, table, short, []int32{0, 0}, nil) })
	wants(t, "nn: Embedding.Forward: scale has 2 values, want (1, 3)", func() { e.Forward(team, make([]float32, 4), table, []int32{0, 0}, short[:2]) })
}
