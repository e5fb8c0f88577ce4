package kernel

import (
	"math"
	"math/rand/v2"
	"os"
	"testing"
)

// ulps is the distance of got from want in units of want's last place: what is
// not finite must be met.
func ulps(got float32, want float64) float64 {
	w := float32(want)
	if w-w != 0 || got-got != 0 {
		if got == w || got != got && w != w {
			return 0
		}
		return math.Inf(1)
	}
	next := math.Nextafter32(w, 0)
	if w == 0 {
		next = math.SmallestNonzeroFloat32
	}
	return math.Abs(float64(got)-want) / math.Abs(float64(next)-float64(w))
}

func sigmoid64(x float64) float64 {
	if x > 0 {
		return 1 / (1 + math.Exp(-x))
	}
	e := math.Exp(x)
	return e / (1 + e)
}

// guard is a signalling NaN: what arithmetic makes of it has other bits.
const guard = 0x7f812345

// guardedAt returns n floats that begin offset floats after the start of a
// cache line, and a check that no word outside of them was written. Where
// width is not 0, rows of Wide floats have just their first width floats
// inside.
func guardedAt(t *testing.T, offset, n, width int) (x []float32, check func()) {
	const around = 2 * Wide
	all := Aligned(n + offset + 2*around)
	for i := range all {
		all[i] = math.Float32frombits(guard)
	}
	from := around + offset
	return all[from : from+n : from+n], func() {
		t.Helper()
		for i, v := range all {
			inside := i >= from && i < from+n && (width == 0 || (i-from)%Wide < width)
			if !inside && math.Float32bits(v) != guard {
				t.Fatalf("offset %d: the word at %d of %d was written", offset, i-from, n)
			}
		}
	}
}

// functions are the gates' and that of softmax, each with the most ulp that it
// may be off with assembly.
var functions = []struct {
	name  string
	apply func(x []float32)
	want  func(x float64) float64
	most  float64
}{
	{"exp", exps, math.Exp, 1.5},
	{"sigmoid", sigmoids, sigmoid64, 2.5},
	{"tanh", tanhs, math.Tanh, 3},
}

// exps sets x, of which nothing is above 0, to e^x.
func exps(x []float32) {
	for ; len(x) > 0; x = x[min(Wide, len(x)):] {
		var row [Wide]float32
		var top [1]float32
		var sum [1]float64
		copy(row[:], x)
		ExpSumRows(sum[:], row[:], top[:], 1)
		copy(x, row[:])
	}
}

func sigmoids(x []float32) {
	const both = 2 * Lane // r and z
	for ; len(x) > 0; x = x[min(both, len(x)):] {
		var gates, h, rh [Wide]float32
		copy(gates[Lane:][:both], x)
		GRUReset(gates[:], h[:], rh[:], 1)
		copy(x, gates[Lane:][:both])
	}
}

func tanhs(x []float32) {
	for ; len(x) > 0; x = x[min(Wide, len(x)):] {
		var g, h [Wide]float32
		copy(g[:], x)
		TanhForward(g[:], h[:], 1)
		copy(x, h[:])
	}
}

// sameBits wants got and want to agree in each bit, but any NaN is a NaN.
func sameBits(t *testing.T, what string, got, want []float32) {
	t.Helper()
	for i, w := range want {
		if g := got[i]; math.Float32bits(g) != math.Float32bits(w) && (g == g || w == w) {
			t.Fatalf("%s: [%d] is %v (%#x), want %v (%#x)", what, i, g, math.Float32bits(g), w, math.Float32bits(w))
		}
	}
}

// TestFunctionsOverTheirRange tries every 997th float32: 997 is odd, so all
// exponents and low bits come by. SLUICE_ALL_FLOATS=1 tries all of them, in
// about five minutes.
func TestFunctionsOverTheirRange(t *testing.T) {
	defer Use(InUse())
	step, piece := uint64(997), 1000
	if os.Getenv("SLUICE_ALL_FLOATS") != "" {
		step, piece = 1, 1<<14
	}
	from, x, first := make([]float32, piece), make([]float32, piece), make([]float32, piece)
	for _, f := range functions {
		var worst [AVX512 + 1]float64
		var at [AVX512 + 1]float32
		want := make([]float64, piece)
		for bits := uint64(0); bits < 1<<32; bits += step * uint64(piece) {
			for i := range from {
				from[i] = math.Float32frombits(uint32(bits + step*uint64(i))) // beyond 2³² it begins again
				if f.name == "exp" && from[i] > 0 {
					from[i] = -from[i]
				}
				want[i] = f.want(float64(from[i]))
			}
			for _, l := range Levels() {
				Use(l)
				copy(x, from)
				f.apply(x)
				for i, got := range x {
					if got == float32(want[i]) {
						continue // half a unit at most, and faster
					}
					if u := ulps(got, want[i]); u > worst[l] {
						worst[l], at[l] = u, from[i]
					}
				}
				if l == AVX2 {
					copy(first, x)
				} else if l == AVX512 {
					sameBits(t, f.name+": AVX-512 and AVX2", x, first)
				}
			}
		}
		for _, l := range Levels() {
			most := f.most
			if l == Generic {
				most = 0.51
			}
			t.Logf("%s with %v: at most %.3f ulp, at %v", f.name, l, worst[l], at[l])
			if worst[l] > most {
				t.Errorf("%s with %v: an error of %v ulp at %v, want at most %v", f.name, l, worst[l], at[l], most)
			}
		}
	}
}

func TestFunctionsAtTheEdges(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	everywhere(t, func(t *testing.T) {
		for i, want := range [][]float32{{1, 0, 1}, {1, 0, 0.5}, {1, -1, 0}} {
			x := []float32{inf, -inf, 0}
			if i == 0 {
				x[0] = -0x1p-149
			}
			functions[i].apply(x)
			sameBits(t, functions[i].name, x, want)
			for _, bits := range []uint32{0x7f800001, 0x7fc00000, 0x7fffffff, 0xff800001, 0xffc01234, 0xffffffff} {
				x := []float32{math.Float32frombits(bits)}
				if functions[i].apply(x); x[0] == x[0] {
					t.Errorf("%s of a NaN is %v", functions[i].name, x[0])
				}
			}
		}
	})
	for _, v := range []float32{Tanh(nan), Sigmoid(nan), Exp(nan)} {
		if v == v {
			t.Errorf("a function of NaN is %v", v)
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
		got := expSum(x, top)
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
		if sum := expSum(x, x[0]); sum == sum {
			t.Errorf("a sum over what is not finite is %v, want NaN", sum)
		}
	}
	x := []float32{0, -inf, -3e38}
	if sum := expSum(x, 0); sum != 1 || x[0] != 1 || x[1] != 0 || x[2] != 0 {
		t.Errorf("sum %v of %v, want 1 of [1 0 0]", sum, x)
	}
}
