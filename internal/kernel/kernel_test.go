package kernel

import (
	"math"
	"math/rand/v2"
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

func equal(t *testing.T, what string, got, want []float32) {
	t.Helper()
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("%s: [%d] = %v, want %v", what, i, got[i], want[i])
		}
	}
}
