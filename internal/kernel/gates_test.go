package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// A gateKernel is a kernel of gates.go with its arrays and their meaning.
type gateKernel struct {
	name   string
	run    func(x [][]float32, rows int)
	arrays string // one letter an array: g gates, s a panel of a state, w a state, p one row of peepholes
	// unit is the reference: it changes x, which holds of each array what
	// belongs to one unit, the gates of it one after the other.
	unit func(x [][]float64)
}

func (k gateKernel) width(array int) int {
	if k.arrays[array] == 's' {
		return Lane
	}
	return Wide
}

// rows is how many an array has.
func (k gateKernel) rows(array, rows int) int {
	if k.arrays[array] == 'p' {
		return min(1, rows)
	}
	return rows
}

var gateKernels = []gateKernel{
	{"LSTMForward", func(x [][]float32, n int) { LSTMForward(x[0], x[1], x[2], x[3], n) }, "gsss", func(x [][]float64) {
		g := x[0]
		g[0], g[1], g[2], g[3] = sigmoid64(g[0]), sigmoid64(g[1]), math.Tanh(g[2]), sigmoid64(g[3])
		c := g[1]*x[1][0] + g[0]*g[2]
		x[2][0], x[3][0] = c, g[3]*math.Tanh(c)
	}},
	{"LSTMBackward", func(x [][]float32, n int) { LSTMBackward(x[0], x[1], x[2], x[3], x[4], x[5], n) }, "gsssss", func(x [][]float64) {
		i, f, g, o := x[0][0], x[0][1], x[0][2], x[0][3]
		t, d := math.Tanh(x[2][0]), x[3][0]+x[5][0]
		dc := x[4][0] + d*o*(1-t*t)
		copy(x[0], []float64{dc * g * i * (1 - i), dc * x[1][0] * f * (1 - f), dc * i * (1 - g*g), d * t * o * (1 - o)})
		x[3][0], x[4][0] = 0, dc*f
	}},
	{"PeepholeForward", func(x [][]float32, n int) { PeepholeForward(x[0], x[1], x[2], x[3], x[4], n) }, "gpsss", func(x [][]float64) {
		g, p, cPrev := x[0], x[1], x[2][0]
		g[0], g[1], g[2] = sigmoid64(g[0]+p[0]*cPrev), sigmoid64(g[1]+p[1]*cPrev), math.Tanh(g[2])
		c := g[1]*cPrev + g[0]*g[2]
		g[3] = sigmoid64(g[3] + p[3]*c)
		x[3][0], x[4][0] = c, g[3]*math.Tanh(c)
	}},
	{"PeepholeBackward", func(x [][]float32, n int) { PeepholeBackward(x[0], x[1], x[2], x[3], x[4], x[5], x[6], n) }, "gpsssss", func(x [][]float64) {
		i, f, g, o := x[0][0], x[0][1], x[0][2], x[0][3]
		p, t, d := x[1], math.Tanh(x[3][0]), x[4][0]+x[6][0]
		do := d * t * o * (1 - o)
		dc := x[5][0] + d*o*(1-t*t) + do*p[3]
		di, df := dc*g*i*(1-i), dc*x[2][0]*f*(1-f)
		copy(x[0], []float64{di, df, dc * i * (1 - g*g), do})
		x[4][0], x[5][0] = 0, dc*f+di*p[0]+df*p[1]
	}},
	{"GRUForward", func(x [][]float32, n int) { GRUForward(x[0], x[1], x[2], n) }, "gss", func(x [][]float64) {
		g := x[0]
		g[1], g[2] = sigmoid64(g[1]), sigmoid64(g[2])
		g[0] = math.Tanh(g[0] + g[1]*g[3])
		x[2][0] = (1-g[2])*g[0] + g[2]*x[1][0]
	}},
	{"GRUBackward", func(x [][]float32, n int) { GRUBackward(x[0], x[1], x[2], x[3], n) }, "gsss", func(x [][]float64) {
		n, r, z, hn := x[0][0], x[0][1], x[0][2], x[0][3]
		d := x[2][0] + x[3][0]
		dn := d * (1 - z) * (1 - n*n)
		copy(x[0], []float64{dn, dn * hn * r * (1 - r), d * (x[1][0] - n) * z * (1 - z), dn * r})
		x[2][0] = d * z
	}},
	{"GRUReset", func(x [][]float32, n int) { GRUReset(x[0], x[1], x[2], n) }, "gss", func(x [][]float64) {
		x[0][1], x[0][2] = sigmoid64(x[0][1]), sigmoid64(x[0][2])
		x[2][0] = x[0][1] * x[1][0]
	}},
	{"GRUNext", func(x [][]float32, n int) { GRUNext(x[0], x[1], x[2], n) }, "gss", func(x [][]float64) {
		n, z := math.Tanh(x[0][0]), x[0][2]
		x[0][0], x[2][0] = n, (1-z)*n+z*x[1][0]
	}},
	{"GRUNextBackward", func(x [][]float32, n int) { GRUNextBackward(x[0], x[1], x[2], x[3], n) }, "gsss", func(x [][]float64) {
		n, z, d := x[0][0], x[0][2], x[2][0]+x[3][0]
		x[0][0], x[0][2], x[2][0] = d*(1-z)*(1-n*n), d*(x[1][0]-n)*z*(1-z), d*z
	}},
	{"GRUResetBackward", func(x [][]float32, n int) { GRUResetBackward(x[0], x[1], x[2], x[3], n) }, "gsss", func(x [][]float64) {
		r, d := x[0][1], x[3][0]
		x[0][1] = d * x[1][0] * r * (1 - r)
		x[2][0] += d * r
	}},
	{"TanhForward", func(x [][]float32, n int) { TanhForward(x[0], x[1], n) }, "ww", func(x [][]float64) { x[1][0] = math.Tanh(x[0][0]) }},
	{"TanhBackward", func(x [][]float32, n int) { TanhBackward(x[0], x[1], x[2], x[3], n) }, "wwww", func(x [][]float64) {
		x[0][0], x[2][0] = (x[2][0]+x[3][0])*(1-x[1][0]*x[1][0]), 0
	}},
	{"ReLUForward", func(x [][]float32, n int) { ReLUForward(x[0], x[1], n) }, "ww", func(x [][]float64) { x[1][0] = max(0, x[0][0]) }},
	{"ReLUBackward", func(x [][]float32, n int) { ReLUBackward(x[0], x[1], x[2], x[3], n) }, "wwww", func(x [][]float64) {
		x[0][0] = x[2][0] + x[3][0]
		if x[1][0] <= 0 {
			x[0][0] = 0
		}
		x[2][0] = 0
	}},
}

// input makes rows of k's arrays, guarded. What a backward kernel multiplies
// is below 1, as gates are, so that errors stay in proportion.
func (k gateKernel) input(t *testing.T, r *rand.Rand, offset, rows int) (x [][]float32, check func()) {
	var checks []func()
	scale := float32(4)
	if strings.HasSuffix(k.name, "Backward") {
		scale = 1
	}
	for a := range k.arrays {
		n := 0
		if rows > 0 {
			n = (k.rows(a, rows)-1)*Wide + k.width(a)
		}
		v, check := guardedAt(t, (offset+3*a)%Lane, n, k.width(a))
		for row := range k.rows(a, rows) {
			for j := range k.width(a) {
				v[row*Wide+j] = scale * (2*r.Float32() - 1)
			}
		}
		x, checks = append(x, v), append(checks, check)
	}
	return x, func() {
		t.Helper()
		for _, check := range checks {
			check()
		}
	}
}

// reference applies k.unit to all units.
func (k gateKernel) reference(x [][]float32, rows int) (want [][]float64) {
	one := make([][]float64, len(x))
	for a, v := range x {
		want, one[a] = append(want, make([]float64, len(v))), make([]float64, 4)
	}
	units, gates := Wide, 1
	if k.arrays[0] == 'g' {
		units, gates = Lane, 4
	}
	all := func(f func(a, i, at int)) {
		for a := range x {
			for i := range 4 {
				if i == 0 || (a == 0 || k.arrays[a] == 'p') && i < gates {
					f(a, i, i*Lane)
				}
			}
		}
	}
	for row := range rows {
		for j := range units {
			at := func(a int) int { return min(row, k.rows(a, rows)-1)*Wide + j }
			all(func(a, i, d int) { one[a][i] = float64(x[a][at(a)+d]) })
			k.unit(one)
			all(func(a, i, d int) { want[a][at(a)+d] = one[a][i] })
		}
	}
	return want
}

func clones(x [][]float32) (c [][]float32) {
	for _, v := range x {
		c = append(c, append([]float32(nil), v...))
	}
	return c
}

func TestGates(t *testing.T) {
	for _, k := range gateKernels {
		t.Run(k.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			for rows := range 131 {
				testGates(t, k, r, rows%Lane, rows)
			}
			for offset := range Lane {
				testGates(t, k, r, offset, 5)
			}
		})
	}
}

func testGates(t *testing.T, k gateKernel, r *rand.Rand, offset, rows int) {
	defer Use(InUse())
	x, check := k.input(t, r, offset, rows)
	before := clones(x)
	want := k.reference(x, rows)
	var bits [][]float32 // of AVX2
	for _, l := range Levels() {
		Use(l)
		for a := range x {
			copy(x[a], before[a])
		}
		k.run(x, rows)
		check()
		for a := range x {
			for i, got := range x[a] {
				if w := want[a][i]; i%Wide < k.width(a) && !(math.Abs(float64(got)-w) <= 1e-6*(1+math.Abs(w))) {
					t.Fatalf("%v offset %d rows %d: array %d: [%d,%d] = %v, want %v", l, offset, rows, a, i/Wide, i%Wide, got, w)
				}
			}
			if l == AVX512 {
				sameBits(t, fmt.Sprintf("rows %d array %d: AVX-512 and AVX2", rows, a), x[a], bits[a])
			}
		}
		if l == AVX2 {
			bits = clones(x)
		}
	}
}

func TestGatesOfWhatIsNotFinite(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	everywhere(t, func(t *testing.T) {
		g, c, h := make([]float32, Wide), make([]float32, Lane), make([]float32, Lane)
		g[0], g[1*Lane+1], g[2*Lane+2], g[3*Lane+3] = nan, inf, -inf, -inf
		LSTMForward(g, h, c, h, 1)
		for i := range c {
			if (c[i] != c[i]) != (i == 0) || (h[i] != h[i]) != (i == 0) {
				t.Errorf("LSTMForward: unit %d: c = %v, h = %v", i, c[i], h[i])
			}
		}
		if g[1*Lane+1] != 1 || g[2*Lane+2] != -1 || g[3*Lane+3] != 0 {
			t.Errorf("LSTMForward: gates of ±Inf are %v %v %v", g[1*Lane+1], g[2*Lane+2], g[3*Lane+3])
		}
		x, y, d, dy := make([]float32, Wide), make([]float32, Wide), make([]float32, Wide), make([]float32, Wide)
		x[0], x[1] = nan, -inf
		if ReLUForward(x, y, 1); y[0] == y[0] || y[1] != 0 {
			t.Errorf("ReLUForward: NaN, −Inf became %v, %v", y[0], y[1])
		}
		dy[0], dy[1], dy[2] = 1, 1, nan
		if ReLUBackward(x, y, d, dy, 1); x[0] != 1 || x[1] != 0 || x[2] != 0 {
			t.Errorf("ReLUBackward: the gradients of NaN, −Inf and 0 are %v, %v, %v, want 1, 0, 0", x[0], x[1], x[2])
		}
	})
}

// TestGatesOfShortArraysPanic has each array in turn end one float early.
func TestGatesOfShortArraysPanic(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		for _, k := range gateKernels {
			for short := range k.arrays {
				x, check := k.input(t, rand.New(rand.NewPCG(1, 2)), 0, 3)
				n := len(x[short]) - 1
				x[short] = x[short][:n:n]
				func() {
					defer func() {
						if recover() == nil {
							t.Errorf("%s takes an array %d that is too short", k.name, short)
						}
					}()
					k.run(x, 3)
				}()
				check()
			}
		}
	})
}

func TestGatesDoNotAllocate(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		for _, k := range gateKernels {
			x, _ := k.input(t, rand.New(rand.NewPCG(1, 2)), 0, 3)
			if n := testing.AllocsPerRun(10, func() { k.run(x, 3) }); n != 0 {
				t.Errorf("%s: %v allocations", k.name, n)
			}
		}
	})
}

func BenchmarkGates(b *testing.B) {
	defer Use(InUse())
	const rows = 32
	for _, k := range gateKernels {
		x := make([][]float32, len(k.arrays))
		for a := range x {
			x[a] = Aligned(rows * Wide)
		}
		for _, l := range Levels() {
			b.Run(fmt.Sprintf("%s/impl=%v", k.name, l), func(b *testing.B) {
				Use(l)
				for b.Loop() {
					k.run(x, rows)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
			})
		}
	}
}
