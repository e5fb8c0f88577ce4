package optim

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestNorm(t *testing.T) {
	if got := Norm(team, []float32{3, -4}); got != 5 {
		t.Errorf("norm %v, want 5", got)
	}
	if got := Norm(team, nil); got != 0 {
		t.Errorf("norm of nothing %v, want 0", got)
	}
	// Neither end of float32 is lost: squares of these do not fit float32.
	if got, want := Norm(team, []float32{math.MaxFloat32, math.MaxFloat32}), math.MaxFloat32*math.Sqrt2; math.Abs(got/want-1) > 1e-15 {
		t.Errorf("norm %v, want %v", got, want)
	}
	if got := Norm(team, []float32{math.SmallestNonzeroFloat32}); got != math.SmallestNonzeroFloat32 {
		t.Errorf("norm %v, want %v", got, math.SmallestNonzeroFloat32)
	}
}

func TestClipNorm(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, scale := range []float32{1e-20, 1, 1e30} {
		for _, ratio := range []float64{1e-3, 0.5, 0.999, 1, 1.001, 1e3} {
			grad := normal(r, 100)
			for i := range grad {
				grad[i] *= scale
			}
			before := slices.Clone(grad)
			norm := Norm(team, grad)
			limit := norm * ratio
			if got := ClipNorm(team, grad, limit); got != norm {
				t.Errorf("scale %v, ratio %v: norm %v, want %v", scale, ratio, got, norm)
			}
			if ratio >= 1 {
				if !slices.Equal(grad, before) {
					t.Errorf("scale %v: a gradient within the limit changed", scale)
				}
				continue
			}
			if got := Norm(team, grad); math.Abs(got/limit-1) > 1e-7 {
				t.Errorf("scale %v, ratio %v: norm %v after, want %v", scale, ratio, got, limit)
			}
			for i := range grad {
				if want := float64(before[i]) * ratio; math.Abs(float64(grad[i])/want-1) > 1e-6 {
					t.Fatalf("scale %v, ratio %v: [%d] = %v, want %v", scale, ratio, i, grad[i], want)
				}
			}
		}
	}
}

// same tells whether two vectors have the same bits, NaN included.
func same(x, y []float32) bool {
	return slices.EqualFunc(x, y, func(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) })
}

var (
	nan = float32(math.NaN())
	inf = float32(math.Inf(1))
)

func TestClipNormLeavesWhatIsNotFinite(t *testing.T) {
	for _, grad := range [][]float32{{1, nan, 3}, {1, inf, 3}, {-inf, 2, 3}, {inf, nan}} {
		for _, limit := range []float64{0, 1, 1e9, math.Inf(1)} {
			got := slices.Clone(grad)
			norm := ClipNorm(team, got, limit)
			if !math.IsNaN(norm) && !math.IsInf(norm, 1) {
				t.Errorf("norm %v of %v: want one that is not finite", norm, grad)
			}
			if !same(got, grad) {
				t.Errorf("limit %v: %v became %v", limit, grad, got)
			}
		}
	}
}

func TestClipValue(t *testing.T) {
	grad := []float32{-3, -0.5, 0, 0.25, 0.5, 0.75, math.MaxFloat32, nan, inf, -inf}
	want := []float32{-0.5, -0.5, 0, 0.25, 0.5, 0.5, 0.5, nan, inf, -inf}
	ClipValue(grad, 0.5)
	if !same(grad, want) {
		t.Errorf("got %v, want %v", grad, want)
	}
	if norm := Norm(team, grad[:8]); !math.IsNaN(norm) {
		t.Errorf("norm %v after the clip of a NaN", norm)
	}
	if norm := Norm(team, grad[8:]); !math.IsInf(norm, 1) {
		t.Errorf("norm %v after the clip of infinities", norm)
	}
}

func TestNoLimitLeavesTheGradient(t *testing.T) {
	for _, limit := range []float64{0, -1, math.NaN()} {
		grad := []float32{3, -4, 1e10}
		before := slices.Clone(grad)
		ClipValue(grad, limit)
		if norm := ClipNorm(team, grad, limit); norm != Norm(team, before) {
			t.Errorf("limit %v: norm %v, want %v", limit, norm, Norm(team, before))
		}
		if !slices.Equal(grad, before) {
			t.Errorf("limit %v: %v became %v", limit, before, grad)
		}
	}
}
