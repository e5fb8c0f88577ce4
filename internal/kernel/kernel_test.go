package kernel

import (
	"math"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"testing"
)

func random(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

// guarded returns n floats with NaN on both sides, and a check that the guards
// still stand.
func guarded(t *testing.T, n int) (x []float32, check func()) {
	const guard = 8
	nan := float32(math.NaN())
	all := make([]float32, n+2*guard)
	for i := range all {
		if i < guard || i >= guard+n {
			all[i] = nan
		}
	}
	return all[guard : guard+n : guard+n], func() {
		t.Helper()
		for i := range guard {
			if all[i] == all[i] || all[guard+n+i] == all[guard+n+i] {
				t.Errorf("a guard word was written")
			}
		}
	}
}

// naive is y + x·wᵀ, each output one sum over k in order.
func naive(y, x, w []float32, rows, n, k int) []float32 {
	out := append([]float32(nil), y...)
	for i := range rows {
		for j := range n {
			s := out[i*n+j]
			for l := range k {
				s += float32(x[i*k+l] * w[j*k+l])
			}
			out[i*n+j] = s
		}
	}
	return out
}

func TestMulAdd(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		rows, n, k := r.IntN(130), r.IntN(400), r.IntN(130)
		ldy, ldx := n+r.IntN(3), k+r.IntN(3)
		w, x := random(r, n*k), random(r, rows*ldx)
		dense, y0 := make([]float32, 0, rows*k), random(r, rows*n)
		for i := range rows {
			dense = append(dense, x[i*ldx:i*ldx+k]...)
		}
		want := naive(y0, dense, w, rows, n, k)
		var p, pt Panels
		p.Pack(w, n, k)
		wt := make([]float32, n*k)
		for i := range n {
			for j := range k {
				wt[j*n+i] = w[i*k+j]
			}
		}
		pt.PackTransposed(wt, k, n)
		for name, mul := range map[string]func(y []float32){
			"Pack":           func(y []float32) { p.MulAdd(y, ldy, x, ldx, rows) },
			"PackTransposed": func(y []float32) { pt.MulAdd(y, ldy, x, ldx, rows) },
			"halves": func(y []float32) {
				if rows*n*k == 0 {
					return
				}
				p.Outputs(0, n/2).MulAdd(y, ldy, x, ldx, rows)
				rest := p.Outputs(n/2, n)
				rest.Inputs(0, k/2).MulAdd(y[n/2:], ldy, x, ldx, rows)
				rest.Inputs(k/2, k).MulAdd(y[n/2:], ldy, x[k/2:], ldx, rows)
			},
		} {
			y, check := guarded(t, rows*ldy)
			for i := range rows {
				copy(y[i*ldy:], y0[i*n:(i+1)*n])
			}
			mul(y)
			check()
			for i := range rows {
				for j := range n {
					if y[i*ldy+j] != want[i*n+j] {
						t.Fatalf("%s: rows %d n %d k %d: y[%d,%d] = %v, want %v", name, rows, n, k, i, j, y[i*ldy+j], want[i*n+j])
					}
				}
			}
		}
	}
}

func TestRow(t *testing.T) {
	w := []float32{1, 2, 3, 4, 5, 6} // (2, 3)
	var p Panels
	p.Pack(w, 2, 3)
	if got := p.Row(1); len(got) != 2 || got[0] != 2 || got[1] != 5 {
		t.Errorf("Row(1) = %v, want [2 5]", got)
	}
	if got := p.Outputs(1, 2).Row(2); len(got) != 1 || got[0] != 6 {
		t.Errorf("Row(2) of the second output = %v, want [6]", got)
	}
}

func TestTeamGivesTheSameBits(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, threads := range []int{1, 2, 3, 8} {
		team := NewTeam(threads)
		for range 40 {
			rows, n, k := r.IntN(70), 1+r.IntN(70), 1+r.IntN(300)
			x, w, dy := random(r, rows*k), random(r, n*k), random(r, rows*n)
			var p Panels
			p.Pack(w, n, k)
			want, got := make([]float32, rows*n), make([]float32, rows*n)
			p.MulAdd(want, n, x, k, rows)
			team.MulAdd(p, got, n, x, k, rows)
			equal(t, "MulAdd", got, want)

			dw, db := make([]float32, n*k), make([]float32, n)
			gw, gb := make([]float32, n*k), make([]float32, n)
			AddOuter(dw, n, k, dy, n, x, k, rows)
			SumRows(db, dy, n, rows)
			team.AddOuter(gw, gb, n, k, dy, n, x, k, rows)
			equal(t, "AddOuter", gw, dw)
			equal(t, "SumRows", gb, db)
		}
		team.Close()
	}
}

func equal(t *testing.T, what string, got, want []float32) {
	t.Helper()
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("%s: [%d] = %v, want %v", what, i, got[i], want[i])
		}
	}
}

func TestAddOuter(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 100 {
		rows, n, k := r.IntN(90), r.IntN(90), r.IntN(230)
		dy, x, dw := random(r, rows*(n+1)), random(r, rows*(k+2)), random(r, n*k)
		want := make([]float64, n*k)
		for i := range want {
			want[i] = float64(dw[i])
		}
		for l := range rows {
			for i := range n {
				for j := range k {
					want[i*k+j] += float64(dy[l*(n+1)+i]) * float64(x[l*(k+2)+j])
				}
			}
		}
		AddOuter(dw, n, k, dy, n+1, x, k+2, rows)
		for i := range want {
			if math.Abs(float64(dw[i])-want[i]) > 1e-4 {
				t.Fatalf("rows %d n %d k %d: [%d] = %v, want %v", rows, n, k, i, dw[i], want[i])
			}
		}
	}
}

type count struct{ parts [50]atomic.Int32 }

func (c *count) Run(part int) { c.parts[part].Add(1); runtime.Gosched() }

func TestTeamRunsEachPartOnce(t *testing.T) {
	for _, threads := range []int{1, 2, 5} {
		team := NewTeam(threads)
		for parts := range 50 {
			var c count
			team.Do(parts, &c)
			for i := range c.parts {
				if got, want := c.parts[i].Load() == 1, i < parts; got != want {
					t.Fatalf("threads %d parts %d: part %d ran %d times", threads, parts, i, c.parts[i].Load())
				}
			}
		}
		team.Close()
	}
}

func TestSpanCoversAll(t *testing.T) {
	for n := range 40 {
		for parts := 1; parts < 9; parts++ {
			next := 0
			for part := range parts {
				from, to := Span(n, part, parts, 4)
				if from != next || to < from {
					t.Fatalf("n %d part %d of %d: [%d,%d) after %d", n, part, parts, from, to, next)
				}
				next = to
			}
			if next != n {
				t.Fatalf("n %d in %d parts ends at %d", n, parts, next)
			}
		}
	}
}

// ulps is the distance of got from want in units of want's last place.
func ulps(got float32, want float64) float64 {
	w := float32(want)
	next := math.Nextafter32(w, float32(math.Inf(1)))
	return math.Abs(float64(got)-want) / (float64(next) - float64(w))
}

func TestGatesOverTheirRange(t *testing.T) {
	sigmoid := func(x float64) float64 {
		if x > 0 {
			return 1 / (1 + math.Exp(-x))
		}
		e := math.Exp(x)
		return e / (1 + e)
	}
	worst := map[string]float64{}
	// Every 997th float32: 997 is odd, so all exponents and low bits come by.
	for bits := uint64(0); bits < 1<<32; bits += 997 {
		x := math.Float32frombits(uint32(bits))
		if x != x {
			continue
		}
		y := float64(x)
		for _, f := range []struct {
			name string
			got  float32
			want float64
		}{{"tanh", Tanh(x), math.Tanh(y)}, {"sigmoid", Sigmoid(x), sigmoid(y)}, {"exp", Exp(x), math.Exp(y)}} {
			if f.want > math.MaxFloat32 {
				if !math.IsInf(float64(f.got), 1) {
					t.Fatalf("%s(%v) = %v, want +Inf", f.name, x, f.got)
				}
				continue
			}
			worst[f.name] = max(worst[f.name], ulps(f.got, f.want))
		}
	}
	t.Logf("largest error in ulp: %v", worst)
	for name, w := range worst {
		if w > 0.51 {
			t.Errorf("%s: error of %v ulp, want at most 0.51", name, w)
		}
	}
}

func TestExpSum(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for n := range 70 {
		x, check := guarded(t, n)
		top, sum := float32(math.Inf(-1)), 0.0
		want := make([]float64, n)
		for i := range x {
			x[i] = float32(r.NormFloat64()) * []float32{1, 30, 1e4}[i%3]
			top = max(top, x[i])
		}
		for i, v := range x {
			want[i] = math.Exp(float64(v) - float64(top))
			sum += want[i]
		}
		got := ExpSum(x, top)
		check()
		if math.Abs(got-sum) > 1e-9*sum {
			t.Errorf("n %d: sum %v, want %v", n, got, sum)
		}
		for i, w := range want {
			if u := ulps(x[i], w); u > 0.51 {
				t.Errorf("n %d: [%d] = %v, want %v: %v ulp", n, i, x[i], w, u)
			}
		}
	}
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, x := range [][]float32{{nan, 0}, {0, nan}, {inf, 0}} {
		if sum := ExpSum(x, x[0]); sum == sum {
			t.Errorf("a sum over what is not finite is %v, want NaN", sum)
		}
	}
	x := []float32{0, -inf, -3e38}
	if sum := ExpSum(x, 0); sum != 1 || x[0] != 1 || x[1] != 0 || x[2] != 0 {
		t.Errorf("sum %v of %v, want 1 of [1 0 0]", sum, x)
	}
}

func TestPackOfTooFewWeightsPanics(t *testing.T) {
	for name, pack := range map[string]func(p *Panels){
		"Pack":           func(p *Panels) { p.Pack(make([]float32, 5), 2, 3) },
		"PackTransposed": func(p *Panels) { p.PackTransposed(make([]float32, 5), 3, 2) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s takes 5 weights for 6", name)
				}
			}()
			pack(new(Panels))
		}()
	}
}

func TestGatesAtTheEdges(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for _, c := range []struct {
		name      string
		got, want float32
	}{
		{"tanh(+inf)", Tanh(inf), 1}, {"tanh(-inf)", Tanh(-inf), -1}, {"sigmoid(+inf)", Sigmoid(inf), 1},
		{"sigmoid(-inf)", Sigmoid(-inf), 0}, {"exp(+inf)", Exp(inf), inf}, {"exp(-inf)", Exp(-inf), 0},
		{"tanh(0)", Tanh(0), 0}, {"sigmoid(0)", Sigmoid(0), 0.5}, {"exp(0)", Exp(0), 1},
	} {
		if c.got != c.want {
			t.Errorf("%s = %v, want %v", c.name, c.got, c.want)
		}
	}
	for _, v := range []float32{Tanh(nan), Sigmoid(nan), Exp(nan)} {
		if v == v {
			t.Errorf("a function of NaN is %v", v)
		}
	}
}

func TestNothingAllocates(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for _, threads := range []int{1, 2} {
		team := NewTeam(threads)
		x, w, y, dw := random(r, 40*100), random(r, 200*100), make([]float32, 40*200), make([]float32, 200*100)
		var p Panels
		p.Pack(w, 200, 100)
		if n := testing.AllocsPerRun(20, func() {
			p.Pack(w, 200, 100)
			team.MulAdd(p, y, 200, x, 100, 40)
			team.AddOuter(dw, nil, 200, 100, y, 200, x, 100, 40)
		}); n != 0 {
			t.Errorf("threads %d: %v allocations", threads, n)
		}
		team.Close()
	}
}

func BenchmarkMulAdd(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	const rows, n, k = 32, 768, 256
	x, w, y := random(r, rows*k), random(r, n*k), make([]float32, rows*n)
	var p Panels
	p.Pack(w, n, k)
	for b.Loop() {
		p.MulAdd(y, n, x, k, rows)
	}
	b.ReportMetric(2*rows*n*k*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
}

func BenchmarkTanh(b *testing.B) {
	x := make([]float32, 1024)
	for b.Loop() {
		for i := range x {
			x[i] = float32(i)/200 - 2.5
		}
		Tanhs(x)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1024, "ns/value")
}

func BenchmarkExpSum(b *testing.B) {
	const n = 1024
	from, x := random(rand.New(rand.NewPCG(1, 2)), n), make([]float32, n)
	for b.Loop() {
		copy(x, from)
		ExpSum(x, 4)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/value")
}
