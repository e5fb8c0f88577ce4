package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// everywhere runs a test under each implementation that there is.
func everywhere(t *testing.T, test func(t *testing.T)) {
	for _, l := range Levels() {
		t.Run(l.String(), func(t *testing.T) {
			defer Use(Use(l))
			test(t)
		})
	}
}

// in is x (rows, cols) as a matrix, row-major or in blocks, between guards that
// are NaN, with NaN in what no element has.
func in(t *testing.T, x []float32, rows, cols int, blocks bool, gap int) (m Matrix, check func()) {
	size := BlocksLen(rows, cols)
	if !blocks {
		size = max(0, (rows-1)*(cols+gap)+cols)
	}
	data, check := guarded(t, size)
	for i := range data {
		data[i] = float32(math.NaN())
	}
	if m = RowMajor(data, cols+gap); blocks {
		m = Blocks(data, rows)
	}
	for i := range rows {
		for j := range cols {
			*m.at(i, j) = x[i*cols+j]
		}
	}
	return m, check
}

func (m Matrix) at(i, j int) *float32 { return &m.Data[j/m.Width*m.Block+i*m.Row+j%m.Width] }

// near fails unless m holds want (rows, cols), k terms each.
func near(t *testing.T, what string, m Matrix, want []float64, rows, cols, k int) {
	t.Helper()
	for i := range rows {
		for j := range cols {
			got, want := float64(*m.at(i, j)), want[i*cols+j]
			if !(math.Abs(got-want) <= 1e-6*math.Sqrt(float64(k+1))*(4+math.Abs(want))) {
				t.Fatalf("%s: rows %d cols %d k %d: [%d,%d] = %v, want %v", what, rows, cols, k, i, j, got, want)
			}
		}
	}
}

// times is y + x·wᵀ.
func times(y, x, w []float32, rows, n, k int) []float64 {
	out := make([]float64, rows*n)
	for i := range rows {
		for j := range n {
			s := float64(y[i*n+j])
			for l := range k {
				s += float64(x[i*k+l]) * float64(w[j*k+l])
			}
			out[i*n+j] = s
		}
	}
	return out
}

func transposed(w []float32, n, k int) []float32 {
	wt := make([]float32, n*k)
	for i := range n {
		for j := range k {
			wt[j*n+i] = w[i*k+j]
		}
	}
	return wt
}

func TestMulAdd(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 2))
		for n := range 131 {
			testMulAdd(t, r, r.IntN(131), n, r.IntN(131))
			testMulAdd(t, r, n, r.IntN(300), r.IntN(131))
			testMulAdd(t, r, r.IntN(20), r.IntN(300), n)
			testMulAdd(t, r, 1, n, r.IntN(300))
		}
		testMulAdd(t, r, 40, 20, deep+70) // in two pieces
		testMulAdd(t, r, 5, 70, enough+70)
		testMulAdd(t, r, 1, 5*Wide+70, 2*enough+70)
	})
}

func testMulAdd(t *testing.T, r *rand.Rand, rows, n, k int) {
	w, x, y0 := random(r, n*k), random(r, rows*k), random(r, rows*n)
	want := times(y0, x, w, rows, n, k)
	var p Panels
	p.Pack(w, n, k, Order{})
	var of Weights
	of.Pack(nil, Float32, transposed(w, n, k), k, n, Order{})
	for _, blocks := range []bool{false, true} {
		x, checkX := in(t, x, rows, k, r.IntN(2) == 0, r.IntN(3))
		for name, p := range map[string]Panels{"Pack": p, "Back": of.Back(nil)} {
			y, check := in(t, y0, rows, n, blocks, r.IntN(3))
			p.MulAdd(y, x, rows)
			check()
			checkX()
			near(t, fmt.Sprintf("%s, blocks %v", name, blocks), y, want, rows, n, k)
			for i := range rows { // what no element has is left alone
				for j := n; !blocks && j < y.Row && i < rows-1; j++ {
					if v := y.Data[i*y.Row+j]; v == v {
						t.Fatalf("%s: rows %d n %d k %d: written beyond a row's end", name, rows, n, k)
					}
				}
			}
		}
	}
}

// Gates in panels: the product, and back.
func TestOrder(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(3, 4))
		for _, gates := range [][]int{{0, 1, 2, 3}, {2, 0, 1}, {0, 1}, {2}} {
			for _, h := range []int{1, 15, 16, 17, 48, 90} {
				k, rows, all := 1+r.IntN(80), 1+r.IntN(20), 4
				w, x := random(r, all*h*k), random(r, rows*k)
				var p Weights
				p.Pack(nil, Float32, w, all*h, k, Order{gates, h})
				back := p.Back(nil)
				panels := (h + Lane - 1) / Lane
				if p.Len() != panels {
					t.Fatalf("%d panels of %d units, want %d", p.Len(), h, panels)
				}
				y := Blocks(make([]float32, BlocksLen(rows, panels*Wide)), rows)
				p.MulAdd(y.Lanes(0, len(gates)), RowMajor(x, k), rows)
				want := times(make([]float32, rows*all*h), x, w, rows, all*h, k)
				da := make([]float32, rows*all*h) // the same, but of the gates alone
				for i := range rows {
					for g, gate := range gates {
						for u := range panels * Lane {
							got := float64(y.Data[u/Lane*y.Block+i*Wide+g*Lane+u%Lane])
							if u >= h {
								if got != 0 {
									t.Fatalf("unit %d of %d is %v", u, h, got)
								}
							} else if at := i*all*h + gate*h + u; math.Abs(got-want[at]) > 1e-4 {
								t.Fatalf("gate %d unit %d is %v, want %v", gate, u, got, want[at])
							} else {
								da[at] = float32(got)
							}
						}
					}
				}
				dx, check := in(t, make([]float32, rows*k), rows, k, false, 0)
				back.MulAdd(dx, y.Lanes(0, len(gates)), rows)
				check()
				near(t, "back", dx, times(make([]float32, rows*k), da, transposed(w, all*h, k), rows, k, all*h), rows, k, 400*all*h)
			}
		}
	})
}

func TestTable(t *testing.T) {
	w := []float32{1, 2, 3, 4, 5, 6} // (2, 3)
	var p Panels
	p.Pack(w, 2, 3, Order{})
	table, width := p.Table(0)
	if width != Lane || table[width] != 2 || table[width+1] != 5 || table[width+2] != 0 {
		t.Errorf("the row of input 1 is %v …, want 2, 5, 0", table[width:width+3])
	}
}

func TestAddOuter(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(5, 6))
		for n := range 131 {
			testAddOuter(t, r, r.IntN(131), r.IntN(Wide+1), n)
			testAddOuter(t, r, n, r.IntN(Wide+1), r.IntN(131))
		}
	})
}

func testAddOuter(t *testing.T, r *rand.Rand, rows, m, n int) {
	dy, x, dw0 := random(r, rows*m), random(r, rows*n), random(r, m*n)
	want := times(dw0, transposed(dy, rows, m), transposed(x, rows, n), m, n, rows)
	my, checkY := in(t, dy, rows, m, r.IntN(2) == 0, 1)
	// What stands in a block beyond its columns is read, so it is zero.
	data := make([]float32, BlocksLen(rows, n))
	mx := Blocks(data, rows)
	for i := range rows {
		for j := range n {
			*mx.at(i, j) = x[i*n+j]
		}
	}
	dw, check := in(t, dw0, m, n, false, 2)
	AddOuter(dw.Data, n+2, m, n, my, mx, rows)
	check()
	checkY()
	near(t, "AddOuter", dw, want, m, n, rows)
}

// A row's bits depend neither on its tile nor on how the inputs are cut, and
// AVX2 and AVX-512 give the same.
func TestBits(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for trial := range 60 {
		rows, n, k := 1+r.IntN(40), 1+r.IntN(200), 1+r.IntN(150)
		if trial == 0 {
			rows, n, k = 18, 5*Wide+70, enough+70
		}
		w, x := random(r, n*k), random(r, rows*k)
		var all [][]float32
		for _, l := range Levels() {
			before := Use(l)
			var p Panels
			p.Pack(w, n, k, Order{})
			y := make([]float32, BlocksLen(rows, n))
			p.MulAdd(Blocks(y, rows), RowMajor(x, k), rows)
			for i := range rows {
				alone := make([]float32, BlocksLen(1, n))
				p.MulAdd(Blocks(alone, 1), RowMajor(x[i*k:], k), 1)
				for j := range n {
					if got, want := *Blocks(alone, 1).at(0, j), *Blocks(y, rows).at(i, j); got != want {
						t.Fatalf("%v: rows %d n %d k %d: [%d,%d] is %v alone, %v among others", l, rows, n, k, i, j, got, want)
					}
				}
			}
			all = append(all, y)
			Use(before)
		}
		if len(all) == 3 {
			equal(t, "AVX-512", all[2], all[1])
		}
	}
}

func TestPackOfTooFewWeightsPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("Pack takes 5 weights for 6")
		}
	}()
	new(Panels).Pack(make([]float32, 5), 2, 3, Order{})
}

func TestNothingAllocates(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for _, threads := range []int{1, 2} {
		team := NewTeam(threads)
		x, w, y, dw := RowMajor(random(r, 40*100), 100), random(r, 200*100), RowMajor(make([]float32, 40*200), 200), make([]float32, 200*100)
		blocks := Blocks(random(r, BlocksLen(40, 100)), 40)
		var p Weights
		p.Pack(nil, Float32, w, 200, 100, Order{})
		p.Back(nil)
		if n := testing.AllocsPerRun(20, func() {
			p.Pack(team, Float32, w, 200, 100, Order{})
			p.Back(team)
			team.MulAdd(p.Panels, y, x, 40)
			team.AddOuter(dw, nil, 200, 100, y, blocks, 40)
		}); n != 0 {
			t.Errorf("threads %d: %v allocations", threads, n)
		}
		team.Close()
	}
}

func BenchmarkMulAdd(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, shape := range [][3]int{{1, 1024, 256}, {16, 1024, 256}, {32, 1024, 256}, {1120, 1024, 256}, {1120, 256, 1024}, {16, 4096, 1024}} {
		rows, n, k := shape[0], shape[1], shape[2]
		for _, l := range Levels() {
			b.Run(fmt.Sprintf("impl=%v/%dx%dx%d", l, rows, n, k), func(b *testing.B) {
				defer Use(Use(l))
				x, w, y := random(r, BlocksLen(rows, k)), random(r, n*k), make([]float32, BlocksLen(rows, n))
				var p Panels
				p.Pack(w, n, k, Order{})
				for b.Loop() {
					p.MulAdd(Blocks(y, rows), Blocks(x, rows), rows)
				}
				b.ReportMetric(2*float64(rows*n*k)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			})
		}
	}
}

func BenchmarkAddOuter(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	const rows, m, n = 1120, 1024, 256
	for _, l := range Levels() {
		b.Run("impl="+l.String(), func(b *testing.B) {
			defer Use(Use(l))
			team := NewTeam(1)
			x, dy, dw := random(r, BlocksLen(rows, n)), random(r, BlocksLen(rows, m)), make([]float32, m*n)
			for b.Loop() {
				team.AddOuter(dw, nil, m, n, Blocks(dy, rows), Blocks(x, rows), rows)
			}
			b.ReportMetric(2*float64(rows*m*n)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}

func BenchmarkPack(b *testing.B) {
	const n, k = 1024, 256
	w := random(rand.New(rand.NewPCG(1, 2)), n*k)
	for _, threads := range []int{1, 2} {
		team := NewTeam(threads)
		var p Weights
		b.Run(fmt.Sprintf("Pack/threads=%d", threads), func(b *testing.B) {
			for b.Loop() {
				p.Pack(team, Float32, w, n, k, Order{[]int{0, 1, 2, 3}, k})
			}
		})
		b.Run(fmt.Sprintf("Back/threads=%d", threads), func(b *testing.B) {
			for b.Loop() {
				p.turned = false
				p.Back(team)
			}
		})
		team.Close()
	}
}

func TestTranspose(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(11, 12))
		for n := range 131 {
			src, checkSrc := guarded(t, n*48)
			copy(src, random(r, n*48))
			dst, check := guarded(t, Lane*(n+3))
			Transpose(dst, n+3, src, 48, n)
			check()
			checkSrc()
			for u := range Lane {
				for j := range n {
					if dst[u*(n+3)+j] != src[j*48+u] {
						t.Fatalf("n %d: [%d,%d] is %v, want %v", n, u, j, dst[u*(n+3)+j], src[j*48+u])
					}
				}
			}
		}
	})
}
