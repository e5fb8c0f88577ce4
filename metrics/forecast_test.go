package metrics

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// almost allows for the last bits.
func almost(got, want float64) bool { return math.Abs(got-want) <= 1e-12*max(1, math.Abs(want)) }

// By hand: the errors are 1, −2, 0 and 3.
func TestForecastErrors(t *testing.T) {
	var e ForecastErrors
	if !math.IsNaN(e.MSE()) || !math.IsNaN(e.MAE()) || !math.IsNaN(e.RMSE()) {
		t.Errorf("of nothing: MSE %v, MAE %v, RMSE %v, want NaN", e.MSE(), e.MAE(), e.RMSE())
	}
	e.Add([]float64{3, 1}, []float64{2, 3})
	e.Add(nil, nil)
	e.Add([]float64{5, 1}, []float64{5, -2})
	if e.Count != 4 || !almost(e.MSE(), 3.5) || !almost(e.MAE(), 1.5) || !almost(e.RMSE(), math.Sqrt(3.5)) {
		t.Errorf("%d values, MSE %v, MAE %v, RMSE %v", e.Count, e.MSE(), e.MAE(), e.RMSE())
	}
	e.Add([]float64{0}, []float64{math.NaN()})
	if !math.IsNaN(e.MSE()) || !math.IsNaN(e.MAE()) {
		t.Errorf("with a NaN: MSE %v, MAE %v", e.MSE(), e.MAE())
	}
}

func TestPinball(t *testing.T) {
	for _, c := range []struct{ q, want, got, loss float64 }{
		{0.9, 10, 8, 1.8},  // too low a forecast of a high quantile is dear
		{0.9, 8, 10, 0.2},  // too high a one is cheap
		{0.25, 10, 8, 0.5}, //
		{0.25, 8, 10, 1.5}, //
		{0.5, 8, 10, 1},    // half the absolute error
		{0.5, -3, -3.5, .25},
		{0.1, 4, 4, 0},
	} {
		if loss := Pinball(c.q, c.want, c.got); !almost(loss, c.loss) {
			t.Errorf("Pinball(%v, %v, %v) is %v, want %v", c.q, c.want, c.got, loss, c.loss)
		}
	}
}

// The quantile of a sample has the least loss of all forecasts.
func TestPinballIsLeastAtTheQuantile(t *testing.T) {
	best, least := -1, math.Inf(1)
	for f := range 101 {
		sum := 0.0
		for v := range 101 { // the 80 % quantile of 0 to 100 is 80
			sum += Pinball(0.8, float64(v), float64(f))
		}
		if sum < least {
			best, least = f, sum
		}
	}
	if best != 80 {
		t.Errorf("the least loss is that of %d, want 80", best)
	}
}

func TestCoverage(t *testing.T) {
	var c Coverage
	if !math.IsNaN(c.Share()) {
		t.Errorf("of nothing: %v", c.Share())
	}
	nan := math.NaN()
	c.Add([]float64{1, 2, 3}, []float64{1, 2.5, 0}, []float64{2, 3, 3}) // at an end, below, at an end
	c.Add([]float64{9}, []float64{0}, []float64{8.5})                   // above
	if c.Count != 4 || c.Covered != 2 || c.Share() != 0.5 || !almost(c.Width(), 13.0/4) {
		t.Errorf("%d of %d, share %v, width %v", c.Covered, c.Count, c.Share(), c.Width())
	}
	c.Add([]float64{1, nan}, []float64{nan, 0}, []float64{2, 1})
	if c.Count != 6 || c.Covered != 2 {
		t.Errorf("with NaN: %d of %d", c.Covered, c.Count)
	}
}

// Two series of five steps: 1 3 2 5 4 and 10 20 40 30 50.
func TestBaselines(t *testing.T) {
	history := []float64{1, 10, 3, 20, 2, 40, 5, 30, 4, 50}
	before := slices.Clone(history)
	for _, c := range []struct {
		name string
		got  []float64
		want string
	}{
		{"naive", Naive(history, 2, 3), "[4 50 4 50 4 50]"},
		{"naive, nothing", Naive(history, 2, 0), "[]"},
		{"naive, one series", Naive(history, 1, 2), "[50 50]"},
		{"seasonal, 1", SeasonalNaive(history, 2, 2, 1), "[4 50 4 50]"},
		{"seasonal, 2", SeasonalNaive(history, 2, 5, 2), "[5 30 4 50 5 30 4 50 5 30]"},
		{"seasonal, 3", SeasonalNaive(history, 2, 4, 3), "[2 40 5 30 4 50 2 40]"},
		{"seasonal, all", SeasonalNaive(history, 2, 2, 5), "[1 10 3 20]"},
		{"drift", Drift(history, 2, 3), "[4.75 60 5.5 70 6.25 80]"}, // (4−1)/4 and (50−10)/4 a step
		{"drift of two steps", Drift([]float64{7, 4}, 1, 3), "[1 -2 -5]"},
	} {
		if got := fmt.Sprint(c.got); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	Naive(history, 2, 1)[0] = 77
	if !slices.Equal(history, before) {
		t.Errorf("the history has changed: %v", history)
	}
}

func TestForecastPanics(t *testing.T) {
	two := []float64{1, 2}
	for want, f := range map[string]func(){
		"metrics: ForecastErrors.Add: 1 values and 2 forecasts":                                                       func() { new(ForecastErrors).Add(two[:1], two) },
		"metrics: Coverage.Add: 2 values and 1 forecasts":                                                             func() { new(Coverage).Add(two, two, two[:1]) },
		"metrics: Pinball: quantile 1, want 0 < q < 1":                                                                func() { Pinball(1, 0, 0) },
		"metrics: Pinball: quantile NaN, want 0 < q < 1":                                                              func() { Pinball(math.NaN(), 0, 0) },
		"metrics: SeasonalNaive: season of 3 steps, want 1 to the 2 of the history":                                   func() { SeasonalNaive(two, 1, 1, 3) },
		"metrics: SeasonalNaive: season of 0 steps, want 1 to the 2 of the history":                                   func() { SeasonalNaive(two, 1, 1, 0) },
		"metrics: Drift: history of 1 step, want 2 or more":                                                           func() { Drift(two, 2, 1) },
		"metrics: Drift: history of 2 values, 3 series, 1 steps ahead: want (N, C) with N and C of 1 or more":         func() { Drift(two, 3, 1) },
		"metrics: SeasonalNaive: history of 0 values, 1 series, 1 steps ahead: want (N, C) with N and C of 1 or more": func() { Naive(nil, 1, 1) },
		"metrics: SeasonalNaive: history of 2 values, 0 series, 1 steps ahead: want (N, C) with N and C of 1 or more": func() { Naive(two, 0, 1) },
	} {
		func() {
			defer func() {
				if got := recover(); got != want {
					t.Errorf("panic %v, want %v", got, want)
				}
			}()
			f()
		}()
	}
}
