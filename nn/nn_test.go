package nn

import (
	"math"
	"math/rand/v2"
	"testing"
)

func normal(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

// wants fails unless f panics with this line.
func wants(t *testing.T, line string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if got := recover(); got != line {
			t.Errorf("panic %v, want %s", got, line)
		}
	}()
	f()
}

// close64 fails where got is further than bound from want.
func close64(t *testing.T, what string, got []float32, want []float64, bound float64) {
	t.Helper()
	for i := range want {
		if !(math.Abs(float64(got[i])-want[i]) <= bound) {
			t.Fatalf("%s: [%d] = %v, want %v within %v", what, i, got[i], want[i], bound)
		}
	}
}

func equalBits(t *testing.T, what string, got, want []float32) {
	t.Helper()
	for i := range want {
		if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
			t.Fatalf("%s: [%d] = %v, want %v", what, i, got[i], want[i])
		}
	}
}

func TestGrow(t *testing.T) {
	x := Grow([]float32(nil), 3)
	if len(x) != 3 {
		t.Fatalf("length %d, want 3", len(x))
	}
	x[0] = 7
	if y := Grow(x, 2); len(y) != 2 || &y[0] != &x[0] {
		t.Error("a shorter one has other memory")
	}
	if y := Grow(x[:1], cap(x)); len(y) != cap(x) || &y[0] != &x[0] || y[0] != 7 {
		t.Error("one that fits the capacity has other memory")
	}
	if y := Grow(x, 1000); len(y) != 1000 || &y[0] == &x[0] {
		t.Error("a longer one has the same memory")
	}
	if y := Grow(x, 0); len(y) != 0 {
		t.Errorf("length %d, want 0", len(y))
	}
}

func TestElements(t *testing.T) {
	for _, c := range []struct {
		shape []int
		want  int
	}{{nil, 1}, {[]int{5}, 5}, {[]int{2, 3, 4}, 24}, {[]int{2, 0}, 0}} {
		if got := Elements(c.shape); got != c.want {
			t.Errorf("%v has %d elements, want %d", c.shape, got, c.want)
		}
	}
}

// What runs once a step or more often allocates nothing after its first call.
func TestNothingAllocates(t *testing.T) {
	const n, in, out, v = 30, 20, 25, 25
	r := rand.New(rand.NewPCG(1, 2))
	w, b, x, dy := normal(r, out*in), normal(r, out), normal(r, n*in), normal(r, n*out)
	y, dx, dw, db := Matrix{}.Grow(n, out), make([]float32, n*in), make([]float32, out*in), make([]float32, out)
	mx, mdy := Blocks(x, n, in), Blocks(dy, n, out)
	table, ids, mask := normal(r, v*in), make([]int32, n), make([]float32, n*in)
	for i := range ids {
		ids[i] = r.Int32N(v+1) - 1
	}
	rows := make([]int32, n)
	for _, threads := range []int{1, 2} {
		team := NewTeam(threads)
		linear, ce, embedding := NewLinear(in, out), CrossEntropy{V: v, Smoothing: 0.1}, Embedding{F: in}
		var random Random
		if allocs := testing.AllocsPerRun(20, func() {
			random.Dropout(mask, 0.3, Key{Step: 1})
			embedding.Forward(team, x, table, rows, nil)
			linear.Pack(team, w, b)
			linear.Forward(team, y, mx, n)
			ce.Gradient(team, y, ids, 1)
			linear.Backward(team, dw, db, dx, mdy, mx, n)
			embedding.Backward(team, table, dx, rows, mask)
			ce.Loss(team, mdy, ids)
			x = Grow(x, n*in)
		}); allocs != 0 {
			t.Errorf("threads %d: %v allocations", threads, allocs)
		}
		team.Close()
	}
}
