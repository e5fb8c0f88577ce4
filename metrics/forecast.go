package metrics

import (
	"fmt"
	"math"
)

// ForecastErrors sums up the errors of forecasts as they come. The zero value is ready.
// One for each step of the horizon tells them by step. A NaN in a forecast
// makes the results NaN; so does nothing to score.
type ForecastErrors struct {
	Count             int // values
	squared, absolute float64
}

// Add scores forecasts got (N) of the values want (N).
func (e *ForecastErrors) Add(want, got []float64) {
	same("ForecastErrors.Add", len(want), len(got))
	for i, w := range want {
		d := w - got[i]
		e.squared += float64(d * d) // not fused, so that each machine has the same bits
		e.absolute += math.Abs(d)
	}
	e.Count += len(want)
}

// MSE is the mean squared error, in squared units of the values.
func (e *ForecastErrors) MSE() float64 { return e.squared / float64(e.Count) }

// RMSE is the square root of MSE, in units of the values.
func (e *ForecastErrors) RMSE() float64 { return math.Sqrt(e.MSE()) }

// MAE is the mean absolute error, in units of the values.
func (e *ForecastErrors) MAE() float64 { return e.absolute / float64(e.Count) }

// Pinball is the loss of a forecast got of the q-quantile, 0 < q < 1, where
// want came: the larger of q·(want−got) and (q−1)·(want−got) (Koenker and
// Bassett 1978). Its mean is least for the true quantile; that of the median
// is half the absolute error.
func Pinball(q, want, got float64) float64 {
	if !(q > 0 && q < 1) {
		panic(fmt.Sprintf("metrics: Pinball: quantile %v, want 0 < q < 1", q))
	}
	d := want - got
	return max(q*d, (q-1)*d)
}

// Coverage sums up how intervals fare as they come: how many values they cover,
// and how wide they are. Of two with the same share the narrower is the better.
// The zero value is ready.
type Coverage struct {
	Count, Covered int // values
	width          float64
}

// Add scores intervals [lo, hi], both (N), of the values want (N). One with a
// NaN covers nothing.
func (c *Coverage) Add(want, lo, hi []float64) {
	same("Coverage.Add", len(want), len(lo))
	same("Coverage.Add", len(want), len(hi))
	for i, w := range want {
		if lo[i] <= w && w <= hi[i] {
			c.Covered++
		}
		c.width += hi[i] - lo[i]
	}
	c.Count += len(want)
}

// Share is the share of values covered, to be held against the nominal one. It
// is NaN with nothing to score.
func (c *Coverage) Share() float64 { return float64(c.Covered) / float64(c.Count) }

// Width is the mean width of an interval.
func (c *Coverage) Width() float64 { return c.width / float64(c.Count) }

func same(name string, want, got int) {
	if want != got {
		panic(fmt.Sprintf("metrics: %s: %d values and %d forecasts", name, want, got))
	}
}

// Naive forecasts the h values of c series, (H, C), that follow a history
// (N, C): all are the last (Hyndman and Athanasopoulos, Forecasting: Principles
// and Practice, 3rd edition, section 5.2, as are those below). History must have
// at least one step.
func Naive(history []float64, c, h int) []float64 {
	return SeasonalNaive(history, c, h, 1)
}

// SeasonalNaive is Naive with a season of that many steps, which the history
// must have at least: a forecast is the last value of the same place in the
// season.
func SeasonalNaive(history []float64, c, h, season int) []float64 {
	n := steps("SeasonalNaive", history, c, h)
	if season < 1 || season > n {
		panic(fmt.Sprintf("metrics: SeasonalNaive: season of %d steps, want 1 to the %d of the history", season, n))
	}
	last, forecast := history[(n-season)*c:], make([]float64, h*c)
	for i := range forecast {
		forecast[i] = last[i%len(last)]
	}
	return forecast
}

// Drift is Naive with the mean change of a step of the history, which must have
// two at least: the line from the first value through the last goes on.
func Drift(history []float64, c, h int) []float64 {
	n := steps("Drift", history, c, h)
	if n < 2 {
		panic(fmt.Sprintf("metrics: Drift: history of %d step, want 2 or more", n))
	}
	forecast := make([]float64, h*c)
	for i := range forecast {
		first, last := history[i%c], history[(n-1)*c+i%c]
		change := (last - first) / float64(n-1)
		forecast[i] = last + float64(float64(i/c+1)*change)
	}
	return forecast
}

// steps is N of a history (N, C).
func steps(name string, history []float64, c, h int) int {
	if c < 1 || h < 0 || len(history) == 0 || len(history)%c != 0 {
		panic(fmt.Sprintf("metrics: %s: history of %d values, %d series, %d steps ahead: want (N, C) with N and C of 1 or more", name, len(history), c, h))
	}
	return len(history) / c
}
