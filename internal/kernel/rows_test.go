package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// A rowsCase is one call of all row helpers, at one offset.
type rowsCase struct {
	offset, rows, width int
	x                   []float32 // (rows, 64)
	wide                []float32 // (64)
	top                 []float32 // (rows)
	table               []float32 // (entries, width)
	ids                 []int32   // (rows)
}

const entries = 7

func newRowsCase(r *rand.Rand, offset, rows, width int) rowsCase {
	c := rowsCase{offset, rows, width, random(r, rows*Wide), random(r, Wide), random(r, rows), random(r, entries*width), make([]int32, rows)}
	for i := range c.ids {
		c.ids[i] = int32(r.IntN(entries))
		c.top[i] *= 3
	}
	return c
}

// results are what the helpers leave, and the names of it.
func (c rowsCase) results(t *testing.T) (all [][]float32, names []string, sums []float64) {
	t.Helper()
	run := func(name string, into []float32, f func(into []float32)) []float32 {
		out, check := guardedAt(t, c.offset, len(into), 0)
		copy(out, into)
		f(out)
		check()
		all, names = append(all, out), append(names, name)
		return out
	}
	in := func(x []float32) []float32 {
		y, _ := guardedAt(t, (c.offset+5)%Lane, len(x), 0)
		copy(y, x)
		return y
	}
	x, wide, table, by := in(c.x), in(c.wide), in(c.table), in(c.top)
	top := run("MaxRows", c.top, func(top []float32) { MaxRows(top, x, c.rows) })
	sums = make([]float64, c.rows+2)
	sums[c.rows], sums[c.rows+1] = 1, 2
	run("ExpSumRows", c.x, func(x []float32) { ExpSumRows(sums[:c.rows:c.rows], x, top, c.rows) })
	if sums[c.rows] != 1 || sums[c.rows+1] != 2 {
		t.Fatalf("ExpSumRows of %d rows writes after its sums", c.rows)
	}
	run("ScaleRows", c.x, func(x []float32) { ScaleRows(x, by, c.rows) })
	run("SumRows", c.wide, func(db []float32) { SumRows(db, x, c.rows) })
	run("SumProducts", c.wide[:Lane], func(db []float32) { SumProducts(db, x[min(Lane, len(x)):], x, c.rows) })
	run("FillRows", c.x, func(x []float32) { FillRows(x, wide, c.rows) })
	run("LookUpRows", c.x, func(x []float32) { LookUpRows(x, wide, table, c.width, c.ids, c.rows) })
	run("ScatterRows", c.table, func(table []float32) { ScatterRows(table, c.width, x, c.ids, c.rows) })
	run("AddTo", c.x, func(y []float32) { AddTo(y, x) })
	return all, names, sums
}

// want is what the helpers leave, plainly, in float32 for all but ExpSumRows and
// SumProducts.
func (c rowsCase) want() (all [][]float64, sums []float64) {
	top, exp, scaled, db, filled := make([]float64, c.rows), make([]float64, len(c.x)), make([]float64, len(c.x)), wider(c.wide), make([]float64, len(c.x))
	found, table, added := make([]float64, len(c.x)), wider(c.table), make([]float64, len(c.x))
	products := wider(c.wide[:Lane])
	sums = make([]float64, c.rows)
	for i := range c.rows {
		for j := range products {
			products[j] += float64(c.x[i*Wide+Lane+j]) * float64(c.x[i*Wide+j])
		}
		top[i] = float64(c.top[i])
		for j := range Wide {
			top[i] = max(top[i], float64(c.x[i*Wide+j]))
		}
		for j := range Wide {
			x := c.x[i*Wide+j]
			exp[i*Wide+j] = math.Exp(float64(x) - top[i])
			sums[i] += exp[i*Wide+j]
			scaled[i*Wide+j] = float64(x * c.top[i])
			db[j] = float64(float32(db[j]) + x)
			filled[i*Wide+j], found[i*Wide+j] = float64(c.wide[j]), float64(c.wide[j])
			if id := int(c.ids[i]); j < c.width {
				found[i*Wide+j] = float64(c.wide[j] + c.table[id*c.width+j])
				table[id*c.width+j] = float64(float32(table[id*c.width+j]) + x)
			}
			added[i*Wide+j] = float64(x + x)
		}
	}
	return [][]float64{top, exp, scaled, db, products, filled, found, table, added}, sums
}

func wider(x []float32) (y []float64) {
	for _, v := range x {
		y = append(y, float64(v))
	}
	return y
}

func TestRows(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for rows := range 131 {
		testRows(t, newRowsCase(r, r.IntN(Lane), rows, (1+rows%4)*Lane))
	}
	for offset := range Lane {
		testRows(t, newRowsCase(r, offset, 9, (1+offset%4)*Lane))
	}
	for width := Lane; width <= Wide; width += Lane {
		testRows(t, newRowsCase(r, 3, 2*rowPiece+5, width))
	}
}

func testRows(t *testing.T, c rowsCase) {
	t.Helper()
	defer Use(InUse())
	want, wantSums := c.want()
	var bits [][]float32
	var sumBits []float64
	for _, l := range Levels() {
		Use(l)
		got, names, sums := c.results(t)
		for a, name := range names {
			for i, w := range want[a] {
				// A difference of up to 12, rounded, and 2 ulp of e^x; products are fused, or not.
				limit := map[string]float64{"ExpSumRows": 1e-6 * w, "SumProducts": 1e-4}[name]
				if g := float64(got[a][i]); !(math.Abs(g-w) <= limit) {
					t.Fatalf("%v: %s, offset %d, rows %d, width %d: [%d] = %v, want %v", l, name, c.offset, c.rows, c.width, i, g, w)
				}
			}
			if l == AVX512 {
				sameBits(t, name+": AVX-512 and AVX2", got[a], bits[a])
			}
		}
		for i, w := range wantSums {
			if math.Abs(sums[i]-w) > 3e-7*w || l == AVX512 && sums[i] != sumBits[i] {
				t.Fatalf("%v: ExpSumRows, rows %d: sum %d is %v, want %v", l, c.rows, i, sums[i], w)
			}
		}
		bits, sumBits = got, sums
	}
}

// TestOrderOfExpSums has terms so far apart that another order would round
// otherwise.
func TestOrderOfExpSums(t *testing.T) {
	if InUse() != AVX512 {
		t.Skip("there is one instruction set")
	}
	defer Use(InUse())
	const rows = 50
	r := rand.New(rand.NewPCG(1, 2))
	from, top := make([]float32, rows*Wide), make([]float32, rows)
	for i := range from {
		from[i] = -30 * r.Float32()
	}
	var sums [2][rows]float64
	for i, l := range []Level{AVX2, AVX512} {
		Use(l)
		ExpSumRows(sums[i][:], append([]float32(nil), from...), top, rows)
	}
	for i, sum := range sums[0] {
		if sum != sums[1][i] {
			t.Fatalf("row %d sums to %v with AVX2, %v with AVX-512", i, sum, sums[1][i])
		}
	}
}

func TestSoftmaxRowsOfWhatIsNotFinite(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	everywhere(t, func(t *testing.T) {
		for place := range Wide {
			x, top, sum := make([]float32, 4*Wide), []float32{-inf, -inf, -inf, -inf}, make([]float64, 4)
			for i, v := range []float32{nan, inf, -inf, -3e38} {
				x[i*Wide+place] = v
			}
			MaxRows(top, x, 4)
			if top[0] != 0 || top[1] != inf || top[2] != 0 || top[3] != 0 {
				t.Fatalf("MaxRows: %v at %d", top, place)
			}
			ExpSumRows(sum, x, top, 4)
			if sum[0] == sum[0] || sum[1] == sum[1] || sum[2] != Wide-1 || sum[3] != Wide-1 {
				t.Fatalf("ExpSumRows: %v at %d", sum, place)
			}
			if x[2*Wide+place] != 0 || x[3*Wide+place] != 0 {
				t.Fatalf("ExpSumRows: −Inf at %d became %v, −3e38 %v", place, x[2*Wide+place], x[3*Wide+place])
			}
		}
	})
}

func TestIDsBeyondTheTablePanic(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		x, table := make([]float32, 2*Wide), make([]float32, 3*Lane)
		for _, c := range []struct {
			id    int32
			width int
		}{{-1, 16}, {3, 16}, {math.MinInt32, 16}, {math.MaxInt32, 16}, {1, 32}, {0, 0}, {0, 17}, {0, 80}} {
			for name, f := range map[string]func(ids []int32){
				"LookUpRows":  func(ids []int32) { LookUpRows(x, x[:Wide], table, c.width, ids, 2) },
				"ScatterRows": func(ids []int32) { ScatterRows(table, c.width, x, ids, 2) },
			} {
				func() {
					defer func() {
						if recover() == nil {
							t.Errorf("%s: takes id %d of width %d", name, c.id, c.width)
						}
					}()
					f([]int32{0, c.id})
				}()
			}
		}
	})
}

func TestRowsOfShortArraysPanic(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		x, short, one, ids := make([]float32, 2*Wide), make([]float32, 2*Wide-1), make([]float32, 1), make([]int32, 2)
		two, sum, table := make([]float32, 2), make([]float64, 2), make([]float32, Wide)
		for i, f := range []func(){
			func() { MaxRows(two, short, 2) }, func() { MaxRows(one, x, 2) },
			func() { ExpSumRows(sum[:1:1], x, two, 2) }, func() { ExpSumRows(sum, short, two, 2) }, func() { ExpSumRows(sum, x, one, 2) },
			func() { ScaleRows(short, two, 2) }, func() { ScaleRows(x, one, 2) },
			func() { SumRows(x[:63:63], x, 2) }, func() { SumRows(x, short, 2) },
			func() { SumProducts(x[:15:15], x, x, 2) }, func() { SumProducts(x, x[:79:79], x, 2) }, func() { SumProducts(x, x, x[:79:79], 2) },
			func() { FillRows(short, x, 2) }, func() { FillRows(x, x[:63:63], 2) },
			func() { LookUpRows(short, x, table, 64, ids, 2) }, func() { LookUpRows(x, x[:63:63], table, 64, ids, 2) }, func() { LookUpRows(x, x, table, 64, ids[:1:1], 2) },
			func() { ScatterRows(table, 64, short, ids, 2) }, func() { ScatterRows(table, 64, x, ids[:1:1], 2) },
			func() { AddTo(short, x) },
		} {
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("call %d takes an array that is too short", i)
					}
				}()
				f()
			}()
		}
	})
}

func TestRowsDoNotAllocate(t *testing.T) {
	c := newRowsCase(rand.New(rand.NewPCG(1, 2)), 0, 5, 48)
	sums, long := make([]float64, 5), make([]float32, 3*piece+21)
	everywhere(t, func(t *testing.T) {
		if n := testing.AllocsPerRun(10, func() {
			MaxRows(c.top, c.x, c.rows)
			ExpSumRows(sums, c.x, c.top, c.rows)
			ScaleRows(c.x, c.top, c.rows)
			SumRows(c.wide, c.x, c.rows)
			SumProducts(c.wide, c.x, c.x, c.rows)
			FillRows(c.x, c.wide, c.rows)
			LookUpRows(c.x, c.wide, c.table, c.width, c.ids, c.rows)
			ScatterRows(c.table, c.width, c.x, c.ids, c.rows)
			AddTo(long, long)
		}); n != 0 {
			t.Errorf("%v allocations", n)
		}
	})
}

func BenchmarkRows(b *testing.B) {
	defer Use(InUse())
	const rows = 32
	c := newRowsCase(rand.New(rand.NewPCG(1, 2)), 0, rows, Wide)
	x, sums := append([]float32(nil), c.x...), make([]float64, rows)
	clear(c.top)
	for _, f := range []struct {
		name string
		run  func()
	}{
		{"MaxRows", func() { MaxRows(c.top, c.x, rows) }},
		{"ExpSumRows", func() { copy(x, c.x); ExpSumRows(sums, x, c.top, rows) }},
		{"ScaleRows", func() { ScaleRows(x, c.top, rows) }},
		{"SumRows", func() { SumRows(c.wide, c.x, rows) }},
		{"SumProducts", func() { SumProducts(c.wide, c.x, c.x, rows) }},
		{"FillRows", func() { FillRows(x, c.wide, rows) }},
		{"LookUpRows", func() { LookUpRows(x, c.wide, c.table, c.width, c.ids, rows) }},
		{"ScatterRows", func() { ScatterRows(c.table, c.width, c.x, c.ids, rows) }},
		{"AddTo", func() { AddTo(x, c.x) }},
	} {
		for _, l := range Levels() {
			b.Run(fmt.Sprintf("%s/impl=%v", f.name, l), func(b *testing.B) {
				Use(l)
				for b.Loop() {
					f.run()
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
			})
		}
	}
}
