package exact

import (
	"math"
	"testing"
)

// TestHalf makes every float16 of its definition: fraction and exponent.
func TestHalf(t *testing.T) {
	for h := range 1 << 16 {
		exponent, fraction := h>>10&0x1F, float64(h&0x3FF)
		want := math.Ldexp(1+fraction/1024, exponent-15)
		switch {
		case exponent == 0:
			want = math.Ldexp(fraction, -24)
		case exponent == 31 && fraction == 0:
			want = math.Inf(1)
		case exponent == 31:
			want = math.NaN()
		}
		if h>>15 == 1 {
			want = -want
		}
		got := Half(uint16(h))
		if float64(got) != want && !(got != got && want != want) || math.Signbit(float64(got)) != (h>>15 == 1) {
			t.Fatalf("%04x is %v, want %v", h, got, want)
		}
	}
}

func TestOthers(t *testing.T) {
	if got := Brain(0x3FC0); got != 1.5 {
		t.Errorf("bfloat16 3FC0 is %v, want 1.5", got)
	}
	for v, want := range map[float64]bool{1.5: true, 0.1: false, 1e300: false, math.Inf(-1): true, math.MaxFloat32: true, 1e-46: false} {
		if x, ok := Double(v); ok != want || ok && float64(x) != v {
			t.Errorf("%v is %v, %v", v, x, ok)
		}
	}
	if _, ok := Double(math.NaN()); !ok {
		t.Error("NaN is not NaN")
	}
}
