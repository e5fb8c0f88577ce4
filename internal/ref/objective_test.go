package ref

import (
	"math"
	"math/rand"
	"testing"
)

// TestGradientOfObjectives checks each by central differences, and what they are
// where a hand can tell.
func TestGradientOfObjectives(t *testing.T) {
	rnd := rand.New(rand.NewSource(1))
	const T, B, W, V = 4, 3, 2, 5
	logits, targets := uniform(rnd, T*V, 2), []int{3, -1, 0, 4}
	y, want := uniform(rnd, T*B*W, 1), uniform(rnd, T*B*W, 1)
	counts := make([]bool, len(y))
	for i := range counts {
		counts[i] = i%3 != 0
	}
	for _, c := range []struct {
		name string
		x    []float64
		f    func() (float64, []float64)
	}{
		{"smoothed cross-entropy", logits, func() (float64, []float64) { return SmoothedCrossEntropy(logits, targets, 0.3) }},
		{"squared error", y, func() (float64, []float64) { return SquaredError(y, want, counts) }},
		{"activation", y, func() (float64, []float64) { return Activation(y, 0.7) }},
		{"temporal activation", y, func() (float64, []float64) { return TemporalActivation(y, T, B, W, nil, 0.7) }},
		{"temporal activation, ragged", y, func() (float64, []float64) { return TemporalActivation(y, T, B, W, []int{4, 0, 3}, 0.7) }},
	} {
		_, got := c.f()
		if d := relative(got, central(c.x, func() float64 { l, _ := c.f(); return l })); !(d < 1e-8) {
			t.Errorf("%s: relative difference %.2g", c.name, d)
		}
	}
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"smoothing a uniform softmax", first(SmoothedCrossEntropy(make([]float64, 8), []int{1, 2}, 0.5)), math.Log(4)},
		{"no smoothing", first(SmoothedCrossEntropy([]float64{0, math.Log(3)}, []int{1}, 0)), math.Log(4. / 3)},
		{"all smoothing", first(SmoothedCrossEntropy([]float64{0, math.Log(3)}, []int{1}, 1)), (math.Log(4) + math.Log(4./3)) / 2},
		{"squared error", first(SquaredError([]float64{1, 5, 2}, []float64{3, 0, 2}, []bool{true, false, true})), 2},
		{"activation", first(Activation([]float64{1, 3}, 2)), 10},
		{"temporal activation", first(TemporalActivation([]float64{1, 9, 4, 7, 0, 2}, 3, 2, 1, []int{3, 1}, 2)), 25},
		{"no pair", first(TemporalActivation([]float64{1, 9}, 1, 2, 1, nil, 2)), 0},
	} {
		if !(math.Abs(c.got-c.want) < 1e-12) {
			t.Errorf("%s: %v, want %v", c.name, c.got, c.want)
		}
	}
}

func first(loss float64, _ []float64) float64 { return loss }
