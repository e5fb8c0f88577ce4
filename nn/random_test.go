package nn

import (
	"fmt"
	"math"
	"testing"
)

func TestSeekGivesEachKeyItsStream(t *testing.T) {
	var r Random
	seen := map[[2]uint64]Key{}
	for _, v := range []uint64{0, 1, 2, 255, 256, 1 << 32, math.MaxUint64} {
		for _, k := range []Key{{Seed: v}, {Step: v}, {Layer: v}, {Row: v}, {v, v, v, v}, {Seed: 1, Row: v}, {Step: v, Layer: 1}} {
			r.Seek(k)
			draw := [2]uint64{r.Uint64(), r.Uint64()}
			if other, ok := seen[draw]; ok && other != k {
				t.Errorf("keys %v and %v give the same stream", k, other)
			}
			seen[draw] = k
		}
	}
}

func TestSeekForgetsWhatWasDrawn(t *testing.T) {
	k := Key{1, 2, 3, 4}
	var fresh Random
	fresh.Seek(k)
	want := make([]uint64, 1000)
	for i := range want {
		want[i] = fresh.Uint64()
	}
	var used Random
	for drawn := range 70 { // over more than a block of the cipher
		used.Seek(Key{Seed: uint64(drawn)})
		for range drawn {
			used.Uint64()
		}
		used.Seek(k)
		for i, w := range want {
			if got := used.Uint64(); got != w {
				t.Fatalf("%d drawn before: number %d is %d, want %d", drawn, i, got, w)
			}
		}
	}
	// A run that resumes under another version must go on with its masks.
	if got, pinned := want[0], uint64(0x2ddad18c4cb3bb97); got != pinned {
		t.Errorf("the first number of %v is %#x, want %#x", k, got, pinned)
	}
}

func TestDropoutKeepsTheExpectation(t *testing.T) {
	const n = 400_000
	var r Random
	mask := make([]float32, n)
	for _, p := range []float32{1e-3, 0.1, 0.25, 0.5, 0.9, 0.999} {
		r.Dropout(mask, p, Key{Seed: 1})
		kept, scale := 0, 1/(1-p)
		for i, m := range mask {
			switch m {
			case scale:
				kept++
			case 0:
			default:
				t.Fatalf("p %v: [%d] = %v, want 0 or %v", p, i, m, scale)
			}
		}
		mean, q := float64(kept)*float64(scale)/n, float64(1-p)
		if sigma := math.Sqrt(float64(p) / q / n); math.Abs(mean-1) > 5*sigma {
			t.Errorf("p %v: mean %v, want 1 ± %v", p, mean, sigma)
		}
	}
}

// Neighbours, which share a draw, and masks of neighbouring keys are
// independent.
func TestDropoutIsUncorrelated(t *testing.T) {
	const n = 200_000
	var r Random
	a, b := make([]float32, n), make([]float32, n)
	r.Dropout(a, 0.5, Key{Row: 1})
	r.Dropout(b, 0.5, Key{Row: 2})
	neighbours, keys := 0.0, 0.0
	for i := range n {
		neighbours += float64((a[i] - 1) * (a[i^1] - 1))
		keys += float64((a[i] - 1) * (b[i] - 1))
	}
	if bound := 5 / math.Sqrt(n/2); math.Abs(neighbours/n) > bound || math.Abs(keys/n) > bound {
		t.Errorf("correlations %v and %v, want below %v", neighbours/n, keys/n, bound)
	}
}

func TestDropoutDependsOnItsKeyAlone(t *testing.T) {
	k := Key{Seed: 9, Step: 8, Layer: 7, Row: 6}
	var r, used Random
	long := make([]float32, 301)
	r.Dropout(long, 0.3, k)
	for n := range long {
		mask := make([]float32, n)
		used.Seek(Key{Seed: uint64(n)})
		used.Uint64()
		used.Dropout(mask, 0.3, k)
		equalBits(t, fmt.Sprintf("length %d", n), mask, long[:n])
	}
}

func TestDropoutOfNothing(t *testing.T) {
	var r Random
	mask := make([]float32, 101)
	r.Dropout(mask, 0, Key{})
	for i, m := range mask {
		if m != 1 {
			t.Fatalf("[%d] = %v, want 1", i, m)
		}
	}
	r.Dropout(nil, 0.5, Key{})
}

func TestDropoutRefuses(t *testing.T) {
	var r Random
	for _, p := range []float32{1, 1.5, -0.1, float32(math.NaN()), float32(math.Inf(1))} {
		wants(t, fmt.Sprintf("nn: Dropout: p is %v, want 0 ≤ p < 1", p), func() { r.Dropout(make([]float32, 3), p, Key{}) })
	}
	// The largest p there is keeps one in 2²⁴ and stays finite.
	mask := make([]float32, 1000)
	r.Dropout(mask, math.Nextafter32(1, 0), Key{})
	for _, m := range mask {
		if m != 0 && m != 1<<24 {
			t.Fatalf("%v, want 0 or 2²⁴", m)
		}
	}
}

// Of the 2³² values of a draw, p·2³² drop.
func TestKeepAtItsLimit(t *testing.T) {
	for _, c := range []struct {
		u, limit uint32
		want     float32
	}{{0, 0, 2}, {0, 1, 0}, {1, 1, 2}, {1<<31 - 1, 1 << 31, 0}, {1 << 31, 1 << 31, 2}, {math.MaxUint32, math.MaxUint32, 2}} {
		if got := keep(c.u, c.limit, 2); got != c.want {
			t.Errorf("draw %d of limit %d: %v, want %v", c.u, c.limit, got, c.want)
		}
	}
}
