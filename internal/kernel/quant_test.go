package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// rounded is what w (n, k), packed as a precision, stands for.
func rounded(as Precision, w []float32, n, k int) []float32 {
	out, q := slices.Clone(w), make([]int8, k)
	for i := range n {
		row := out[i*k : (i+1)*k]
		if as == BF16 {
			for j, v := range row {
				row[j] = FromBF16(ToBF16(v))
			}
			continue
		}
		scale := Quantize(q, row)
		for j := range row {
			row[j] = float32(q[j]) * scale
		}
	}
	return out
}

// roundedRows is what rows of x (rows, k) become in a product of a precision.
func roundedRows(as Precision, x []float32, rows, k int) []float32 {
	out := slices.Clone(x)
	for i := range rows {
		for from := 0; from < k && as == Int8; from += byteSpan {
			row := out[i*k+from : i*k+min(k, from+byteSpan)]
			top := float32(0)
			for _, v := range row {
				top = max(top, float32(math.Abs(float64(v))))
			}
			for j, v := range row {
				row[j] = float32(math.RoundToEven(float64(v*(127/top)))) * (top / 127)
			}
		}
	}
	return out
}

// everyWay runs f with each implementation of the products of bytes.
func everyWay(f func(name string)) {
	for _, l := range Levels() {
		before := Use(l)
		f(l.String())
		if l == AVX512 {
			withoutVNNI(func() { f(l.String() + " without VNNI") })
		}
		Use(before)
	}
}

func TestLowPrecision(t *testing.T) {
	r := rand.New(rand.NewPCG(21, 22))
	for n := range 131 {
		testLow(t, r, r.IntN(12), n, r.IntN(131))
		testLow(t, r, r.IntN(12), r.IntN(300), n)
		testLow(t, r, 1, n, r.IntN(300))
		testLow(t, r, 1, 64*4+n, 1+r.IntN(100))
	}
	testLow(t, r, 70, 200, 130)
	testLow(t, r, 5, 70, byteSpan+67)
	testLow(t, r, 1, 70, 2*byteSpan+1)
	testLow(t, r, 1, 5*Wide+70, enough+67)
}

func testLow(t *testing.T, r *rand.Rand, rows, n, k int) {
	w, x0, y0 := random(r, n*k), random(r, rows*k), random(r, rows*n)
	inBlocks, xGap, yGap, tight := r.IntN(2) == 0, r.IntN(3), r.IntN(3), r.IntN(2) == 0
	for _, as := range []Precision{BF16, Int8} {
		var p Panels
		p.PackAs(as, w, n, k, Order{})
		want := times(y0, roundedRows(as, x0, rows, k), rounded(as, w, n, k), rows, n, k)
		var all [][]float32
		everyWay(func(name string) {
			x, checkX := in(t, x0, rows, k, inBlocks, xGap)
			y, check := in(t, y0, rows, n, !tight, yGap)
			p.MulAdd(y, x, rows)
			check()
			checkX()
			near(t, fmt.Sprintf("%v, %s, tight %v", as, name, tight), y, want, rows, n, k)
			out := make([]float32, rows*n)
			for i := range rows {
				for j := range n {
					out[i*n+j] = *y.at(i, j)
				}
				for j := n; tight && j < y.Row && i < rows-1; j++ {
					if v := y.Data[i*y.Row+j]; v == v {
						t.Fatalf("%v, %s: rows %d n %d k %d: written beyond a row's end", as, name, rows, n, k)
					}
				}
			}
			if as == Int8 || name != Generic.String() {
				all = append(all, out)
			}
		})
		for _, other := range all {
			equal(t, fmt.Sprintf("%v: rows %d n %d k %d: bits of two implementations", as, rows, n, k), other, all[0])
		}
	}
}

// A row's bits do not depend on the rows beside it, nor on which panels pass
// at once; gates stand in panels as those of float32 do.
func TestLowPrecisionBits(t *testing.T) {
	r := rand.New(rand.NewPCG(23, 24))
	for _, as := range []Precision{BF16, Int8} {
		everyWay(func(name string) {
			for _, gates := range [][]int{nil, {0, 1, 2, 3}, {2, 0, 1}, {0, 1}, {2}} {
				rows, h, k := 1+r.IntN(20), 1+r.IntN(150), 1+r.IntN(150)
				w, x := random(r, 4*h*k), random(r, rows*k)
				var p, f Panels
				p.PackAs(as, w, 4*h, k, Order{gates, h})
				f.Pack(rounded(as, w, 4*h, k), 4*h, k, Order{gates, h})
				if p.Len() != f.Len() || p.N != f.N {
					t.Fatalf("%v: %d panels of %d outputs, want %d of %d", as, p.Len(), p.N, f.Len(), f.N)
				}
				y := Blocks(make([]float32, rows*p.Len()*Wide), rows)
				p.MulAdd(y, RowMajor(x, k), rows)
				one := Blocks(make([]float32, p.Len()*Wide), 1)
				for i := range rows {
					clear(one.Data)
					for at := 0; at < p.Len(); {
						to := min(p.Len(), at+1+r.IntN(5))
						p.MulAddPanels(one, RowMajor(x[i*k:], k), 1, at, to)
						at = to
					}
					for j := range p.Len() {
						equal(t, fmt.Sprintf("%v, %s, gates %v, row %d of %d alone", as, name, gates, i, rows), one.Data[j*Wide:(j+1)*Wide], y.Data[(j*rows+i)*Wide:][:Wide])
					}
				}
				for i := range p.Len() {
					got, _ := p.Table(i)
					want, _ := f.Table(i)
					equal(t, "Table", got, want)
				}
			}
		})
	}
}

// What was rounded once stays as it is, and no weight is off by more than half
// a step.
func TestRounding(t *testing.T) {
	r := rand.New(rand.NewPCG(25, 26))
	for _, size := range []float64{1, 1e-3, 1e30, 1e-25, 1e-35, 3.4e38} {
		for range 200 {
			row := make([]float32, 1+r.IntN(50))
			for i := range row {
				row[i] = float32(size * (2*r.Float64() - 1))
			}
			if size > 1e38 {
				row[0] = math.MaxFloat32
			}
			for _, as := range []Precision{BF16, Int8} {
				once := rounded(as, row, 1, len(row))
				equal(t, fmt.Sprintf("%v of %v, rounded again", as, row), rounded(as, once, 1, len(row)), once)
				top := slices.MaxFunc(row, func(a, b float32) int { return int(math.Copysign(1, math.Abs(float64(a))-math.Abs(float64(b)))) })
				for i, v := range row {
					step := math.Abs(float64(top)) / 127 * 1.0001 / 2
					if as == BF16 {
						step = math.Abs(float64(v)) / 256
					}
					if size > 1e-30 && !(math.Abs(float64(once[i])-float64(v)) <= max(step, 1e-38)) && size < 1e38 {
						t.Fatalf("%v: %v becomes %v, largest %v", as, v, once[i], top)
					}
					if math.IsInf(float64(once[i]), 0) {
						t.Fatalf("%v: %v becomes %v", as, v, once[i])
					}
				}
			}
		}
	}
	q := make([]int8, 3)
	for _, c := range []struct {
		x    []float32
		want float32
	}{{[]float32{0, 0, 0}, 0}, {nil, 0}, {[]float32{1e-40, 0, 0}, 0}, {[]float32{127, -127, 1}, 1}} {
		if got := Quantize(q, c.x); got != c.want {
			t.Errorf("Quantize(%v): scale %v, want %v", c.x, got, c.want)
		}
	}
	if !slices.Equal(q, []int8{127, -127, 1}) {
		t.Errorf("Quantize: %v", q)
	}
	for _, bits := range []uint32{0x7fc00000, 0x7f800001, 0xffffffff} {
		if v := FromBF16(ToBF16(math.Float32frombits(bits))); v == v {
			t.Errorf("NaN %x becomes %v", bits, v)
		}
	}
	if v := FromBF16(ToBF16(float32(math.Inf(-1)))); !math.IsInf(float64(v), -1) {
		t.Errorf("−Inf becomes %v", v)
	}
}

// A row that is not finite makes all its outputs NaN, and no other's.
func TestBytesOfNaN(t *testing.T) {
	r := rand.New(rand.NewPCG(27, 28))
	const n, k, rows = 40, 37, 3
	w := random(r, n*k)
	var p Panels
	p.PackAs(Int8, w, n, k, Order{})
	everyWay(func(name string) {
		for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
			for at := range k {
				x, y := random(r, rows*k), Blocks(make([]float32, BlocksLen(rows, n)), rows)
				x[k+at] = float32(bad)
				p.MulAdd(y, RowMajor(x, k), rows)
				for i := range rows {
					for j := range n {
						if v := *y.at(i, j); (v != v) != (i == 1) {
							t.Fatalf("%s: %v at %d: [%d,%d] is %v", name, bad, at, i, j, v)
						}
					}
				}
			}
		}
	})
}

func TestLowPrecisionAllocatesNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(29, 30))
	x, w, y := random(r, 9*100), random(r, 200*100), make([]float32, BlocksLen(9, 200))
	for _, as := range []Precision{BF16, Int8} {
		var p Panels
		p.PackAs(as, w, 200, 100, Order{})
		p.Table(0)
		if n := testing.AllocsPerRun(20, func() {
			p.MulAdd(Blocks(y, 1), RowMajor(x, 100), 1)
			p.MulAdd(Blocks(y, 9), RowMajor(x, 100), 9)
			p.Table(1)
		}); n != 0 {
			t.Errorf("%v: %v allocations", as, n)
		}
	}
}

func BenchmarkLowPrecision(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, shape := range [][3]int{{1, 1024, 256}, {1, 2048, 512}, {2, 1024, 256}, {4, 1024, 256}, {32, 1024, 256}, {1120, 1024, 256}} {
		rows, n, k := shape[0], shape[1], shape[2]
		x, w, y := random(r, BlocksLen(rows, k)), random(r, n*k), make([]float32, BlocksLen(rows, n))
		for _, as := range []Precision{Float32, BF16, Int8} {
			var p Weights
			p.Pack(nil, as, w, n, k, Order{})
			bench := func(name string) {
				b.Run(fmt.Sprintf("%dx%dx%d/%v/impl=%s", rows, n, k, as, name), func(b *testing.B) {
					for b.Loop() {
						p.MulAdd(Blocks(y, rows), Blocks(x, rows), rows)
					}
					b.ReportMetric(2*float64(rows*n*k)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
				})
			}
			everyWay(bench)
		}
	}
}
