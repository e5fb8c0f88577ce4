package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// everyMixed runs f with each implementation of the products of bf16.
func everyMixed(t *testing.T, f func(t *testing.T)) {
	everywhere(t, f)
	if pairing() {
		withoutDots(func() { t.Run("avx512 without pairs", f) })
	}
}

// toBF16 is x rounded to bf16.
func toBF16(x []float32) []float32 { return rounded(BF16, x, 1, len(x)) }

func TestMixedMulAdd(t *testing.T) {
	everyMixed(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(31, 32))
		for n := range 131 {
			testMixedMulAdd(t, r, n, r.IntN(131), r.IntN(131))
			testMixedMulAdd(t, r, r.IntN(131), n, r.IntN(131))
			testMixedMulAdd(t, r, r.IntN(131), r.IntN(131), n)
			testMixedMulAdd(t, r, 1, r.IntN(300), n)
		}
		testMixedMulAdd(t, r, 70, 70, 2*deep+67)
	})
}

func testMixedMulAdd(t *testing.T, r *rand.Rand, rows, n, k int) {
	w, x0, y0 := random(r, n*k), random(r, rows*k), random(r, rows*n)
	xInBlocks, yInBlocks, xGap, yGap := r.IntN(2) == 0, r.IntN(2) == 0, r.IntN(3), r.IntN(3)
	want := times(y0, toBF16(x0), toBF16(w), rows, n, k)
	for _, back := range []bool{false, true} {
		var of Weights
		of.Pack(nil, Mixed, w, n, k, Order{})
		p := of.Panels
		if back {
			of.Pack(nil, Mixed, transposed(w, n, k), k, n, Order{})
			p = of.Back(nil)
		}
		x, checkX := in(t, x0, rows, k, xInBlocks, xGap)
		y, check := in(t, y0, rows, n, yInBlocks, yGap)
		p.MulAdd(y, x, rows)
		check()
		checkX()
		near(t, fmt.Sprintf("transposed %v, y in blocks %v", back, yInBlocks), y, want, rows, n, k)
		for i := 0; i < rows-1 && y.tight; i++ {
			for _, v := range y.Data[i*y.Row+n : (i+1)*y.Row] {
				if v == v {
					t.Fatalf("rows %d n %d k %d: written beyond a row's end", rows, n, k)
				}
			}
		}
	}
}

// Gates stand in panels as those of float32 do, forward and back.
func TestMixedGates(t *testing.T) {
	everyMixed(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(33, 34))
		for _, gates := range [][]int{{0, 1, 2, 3}, {2, 0, 1}, {0, 1}, {2}} {
			for range 10 {
				rows, h, k := 1+r.IntN(20), 1+r.IntN(70), 1+r.IntN(70)
				w, x, o := random(r, 4*h*k), random(r, rows*k), Order{gates, h}
				var p, f Weights
				p.Pack(nil, Mixed, w, 4*h, k, o)
				f.Pack(nil, Float32, toBF16(w), 4*h, k, o)
				back, fBack := p.Back(nil), f.Back(nil)
				y, fy := Blocks(make([]float32, rows*p.Len()*Wide), rows), Blocks(make([]float32, rows*p.Len()*Wide), rows)
				y, fy = y.Lanes(0, o.Lanes()), fy.Lanes(0, o.Lanes())
				p.MulAdd(y, RowMajor(x, k), rows)
				f.MulAdd(fy, RowMajor(toBF16(x), k), rows)
				close := func(what string, got, want []float32) {
					t.Helper()
					for i, v := range want {
						if math.Abs(float64(got[i]-v)) > 1e-5*(10+math.Abs(float64(v))) {
							t.Fatalf("%s, gates %v, rows %d h %d k %d: [%d] is %v, want %v", what, gates, rows, h, k, i, got[i], v)
						}
					}
				}
				close("forward", y.Data, fy.Data)
				dx, fdx := make([]float32, rows*k), make([]float32, rows*k)
				back.MulAdd(RowMajor(dx, k), y, rows)
				copy(fy.Data, toBF16(y.Data))
				fBack.MulAdd(RowMajor(fdx, k), fy, rows)
				close("back", dx, fdx)
			}
		}
	})
}

// A row's bits depend neither on the rows beside it nor on which panels pass at
// once, and a sequence of rounded floats has those of AVX2.
func TestMixedBits(t *testing.T) {
	everyMixed(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(35, 36))
		for range 40 {
			rows, n, k := 1+r.IntN(150), 1+r.IntN(300), 1+r.IntN(150)
			w, x := random(r, n*k), random(r, rows*k)
			var p Weights
			p.Pack(nil, Mixed, w, n, k, Order{})
			y := Blocks(make([]float32, BlocksLen(rows, n)), rows)
			p.MulAdd(y, RowMajor(x, k), rows)
			for i := range rows {
				one := Blocks(make([]float32, BlocksLen(1, n)), 1)
				for at := 0; at < p.Len(); {
					to := min(p.Len(), at+1+r.IntN(3))
					p.MulAddPanels(one, RowMajor(x[i*k:], k), 1, at, to)
					at = to
				}
				for j := range n {
					if got, want := *one.at(0, j), *y.at(i, j); got != want {
						t.Fatalf("rows %d n %d k %d: [%d,%d] is %v alone, %v among others", rows, n, k, i, j, got, want)
					}
				}
			}
		}
	})
}

func TestMixedAddOuter(t *testing.T) {
	everyMixed(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(37, 38))
		for n := range 131 {
			testMixedAddOuter(t, r, n, 1+r.IntN(131), 1+r.IntN(131))
			testMixedAddOuter(t, r, r.IntN(131), 1+n, 1+r.IntN(131))
			testMixedAddOuter(t, r, r.IntN(131), 1+r.IntN(131), 1+n)
		}
		testMixedAddOuter(t, r, 2*long+35, 70, 67)
	})
}

func testMixedAddOuter(t *testing.T, r *rand.Rand, rows, m, n int) {
	dy, x, dw0, db0 := random(r, rows*m), random(r, rows*n), random(r, m*n), random(r, m)
	want := times(dw0, transposed(toBF16(dy), rows, m), transposed(toBF16(x), rows, n), m, n, rows)
	wantBias := times(db0, transposed(dy, rows, m), slices.Repeat([]float32{1}, rows), m, 1, rows)
	var first []float32
	for _, threads := range []int{1, 2, 3} {
		team := NewTeam(threads)
		my := Blocks(make([]float32, BlocksLen(rows, m)), rows)
		for i := range rows {
			my.SetRow(i, dy[i*m:(i+1)*m])
		}
		mx, checkX := in(t, x, rows, n, false, 2)
		dw, check := in(t, dw0, m, n, false, 0)
		db := slices.Clone(db0)
		team.AddOuterAs(Mixed, dw.Data, db, m, n, my, mx, rows)
		team.Close()
		check()
		checkX()
		near(t, "dw", dw, want, m, n, rows)
		near(t, "db", RowMajor(db, 1), wantBias, m, 1, rows)
		if first == nil {
			first = dw.Data
		}
		equal(t, fmt.Sprintf("rows %d m %d n %d: %d threads", rows, m, n, threads), dw.Data, first)
	}
}

func TestMixedLookUp(t *testing.T) {
	everyMixed(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(39, 40))
		for k := 1; k < 131; k++ {
			for _, gates := range [][]int{nil, {0, 1, 2, 3}, {2, 0, 1}, {0, 1}, {2}} {
				h := 1 + r.IntN(70)
				w, bias, ids := random(r, 4*h*k), random(r, Wide), make([]int32, r.IntN(70))
				for i := range ids {
					ids[i] = int32(r.IntN(k))
				}
				var p, f Weights
				p.Pack(nil, Mixed, w, 4*h, k, Order{gates, h})
				f.Pack(nil, Float32, toBF16(w), 4*h, k, Order{gates, h})
				got, check := guarded(t, len(ids)*Wide)
				want := make([]float32, len(got))
				for i := range p.Len() {
					p.LookUp(i, got, bias, ids)
					check()
					f.LookUp(i, want, bias, ids)
					equal(t, fmt.Sprintf("gates %v, panel %d", gates, i), got, want)
				}
			}
		}
		for _, id := range []int32{-1, 3, 4} {
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("id %d of 3 inputs: no panic", id)
					}
				}()
				var p Weights
				p.Pack(nil, Mixed, make([]float32, 30), 10, 3, Order{})
				p.LookUp(0, make([]float32, Wide), make([]float32, Wide), []int32{id})
			}()
		}
	})
}

// All that rounds does it as ToBF16 does.
func TestRoundingOfProducts(t *testing.T) {
	everyMixed(t, func(t *testing.T) {
		x := []float32{0, float32(math.Copysign(0, -1)), math.MaxFloat32, -math.MaxFloat32, float32(math.Inf(1)), float32(math.Inf(-1)), math.SmallestNonzeroFloat32}
		for high := range uint32(1 << 16) { // each exponent, around each tie
			for _, low := range []uint32{0x7fff, 0x8000, 0x8001} {
				if v := math.Float32frombits(high<<16 | low); v == v {
					x = append(x, v)
				}
			}
		}
		want := make([]float32, len(x))
		roundFloatsGeneric(want, x)
		got := make([]float32, len(x))
		roundTo(got, x)
		same(t, "roundTo", got, want)

		p, n := Panels{pairs: pairing()}, (len(x)/Wide-1)*Wide+13
		p.roundRow(got, x, Wide, 0, n)
		if p.pairs {
			got = unpaired(got[:(n+1)/2])
		}
		same(t, "roundRow", got, want[:n])
		rows := len(x) / Wide
		var m Matrix
		m = m.GrowRounded(rows, Wide)
		RoundRows(m, Blocks(x[:rows*Wide], rows), Wide, rows)
		for i := range rows {
			row := m.From(i &^ 1).Data[:Wide]
			if !m.pairs {
				row = m.From(i).Data[:Wide]
			} else {
				half := make([]float32, Wide)
				for j, v := range unpaired(row) {
					if j%2 == i%2 {
						half[j/2] = v
					}
				}
				row = half
			}
			same(t, "RoundRows", row, want[i*Wide:(i+1)*Wide])
		}
	})
}

// unpaired are the numbers of words.
func unpaired(words []float32) (x []float32) {
	for _, w := range words {
		bits := math.Float32bits(w)
		x = append(x, FromBF16(uint16(bits)), FromBF16(uint16(bits>>16)))
	}
	return x
}

// same compares bits.
func same(t *testing.T, what string, got, want []float32) {
	t.Helper()
	for i, v := range want {
		if math.Float32bits(got[i]) != math.Float32bits(v) {
			t.Fatalf("%s: [%d] is %x, want %x", what, i, math.Float32bits(got[i]), math.Float32bits(v))
		}
	}
}

// What is not finite does not become so.
func TestMixedOfNaN(t *testing.T) {
	everyMixed(t, func(t *testing.T) {
		const n, k, rows = 40, 37, 3
		r := rand.New(rand.NewPCG(41, 42))
		var p Weights
		p.Pack(nil, Mixed, random(r, n*k), n, k, Order{})
		for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
			for at := range k {
				x, y := random(r, rows*k), Blocks(make([]float32, BlocksLen(rows, n)), rows)
				x[k+at] = float32(bad)
				p.MulAdd(y, RowMajor(x, k), rows)
				for i := range rows {
					for j := range n {
						if v := *y.at(i, j); (v-v != 0) != (i == 1) {
							t.Fatalf("%v at %d: [%d,%d] is %v", bad, at, i, j, v)
						}
					}
				}
			}
		}
	})
}

func TestMixedAllocatesNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(43, 44))
	x, w, y, dw := random(r, 90*100), random(r, 200*100), Blocks(make([]float32, BlocksLen(90, 200)), 90), make([]float32, 200*100)
	for _, threads := range []int{1, 2} {
		team := NewTeam(threads)
		var p Weights
		if n := testing.AllocsPerRun(20, func() {
			p.Pack(team, Mixed, w, 200, 100, Order{})
			p.MulAdd(y, RowMajor(x, 100), 1)
			p.MulAdd(y, RowMajor(x, 100), 90)
			team.MulAdd(p.Panels, y, RowMajor(x, 100), 90)
			team.AddOuterAs(Mixed, dw, nil, 200, 100, y, RowMajor(x, 100), 90)
		}); n != 0 {
			t.Errorf("threads %d: %v allocations", threads, n)
		}
		team.Close()
	}
}

func BenchmarkMixed(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, shape := range [][3]int{{1, 1024, 256}, {16, 1024, 256}, {1120, 1024, 256}, {1120, 256, 1024}} {
		rows, n, k := shape[0], shape[1], shape[2]
		x, w, y := random(r, BlocksLen(rows, k)), random(r, n*k), make([]float32, BlocksLen(rows, n))
		for _, as := range []Precision{Float32, Mixed} {
			b.Run(fmt.Sprintf("%dx%dx%d/%v", rows, n, k, as), func(b *testing.B) {
				var p Weights
				p.Pack(nil, as, w, n, k, Order{})
				for b.Loop() {
					p.MulAdd(Blocks(y, rows), Blocks(x, rows), rows)
				}
				b.ReportMetric(2*float64(rows*n*k)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			})
		}
	}
	const rows, m, n = 1120, 1024, 256
	for _, as := range []Precision{Float32, Mixed} {
		b.Run(fmt.Sprintf("AddOuter/%v", as), func(b *testing.B) {
			team := NewTeam(1)
			defer team.Close()
			x, dy, dw := random(r, BlocksLen(rows, n)), random(r, BlocksLen(rows, m)), make([]float32, m*n)
			for b.Loop() {
				team.AddOuterAs(as, dw, nil, m, n, Blocks(dy, rows), Blocks(x, rows), rows)
			}
			b.ReportMetric(2*float64(rows*m*n)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
		b.Run(fmt.Sprintf("Pack/%v", as), func(b *testing.B) {
			w := random(r, m*n)
			var p Weights
			for b.Loop() {
				p.Pack(nil, as, w, m, n, Order{[]int{0, 1, 2, 3}, n})
			}
		})
	}
}
