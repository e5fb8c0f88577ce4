package model

import (
	"context"
	"fmt"
	"math"
	"slices"

	"sluice/metrics"
	"sluice/nn"
)

// Outlook is a forecast, in the units of its series.
type Outlook struct {
	Mean      []float64   // (H, C)
	Quantiles [][]float64 // of each of the model's Quantiles (H, C), none below the one before it
}

// Forecaster goes on with series.
type Forecaster struct {
	p *Packed
	r *Runner

	means, quantiles []float32 // (n, H, C), (Q, n, H, C) of the last windows, scaled
	rising           []float32 // (Q) of one value
	x, y, state      []float32 // (L, n, C), (L, n, W), (n, StateSize) of a recursive forecast
}

// NewForecaster makes a Forecaster of p on a team, which stays the caller's.
func NewForecaster(p *Packed, team *nn.Team) (*Forecaster, error) {
	if err := p.only(Forecast, "forecast"); err != nil {
		return nil, err
	}
	return &Forecaster{p: p, r: NewRunner(p, team)}, nil
}

// Forecast is the Horizon steps that follow a history (N, C), N at least the
// model's Window, in the units of its series.
func (f *Forecaster) Forecast(history []float64) (Outlook, error) {
	of, c := f.p.Forecast, len(f.p.Series.Names)
	if len(history)%c != 0 || len(history) < of.Window*c {
		return Outlook{}, fmt.Errorf("model: a history of %d values: want %d steps or more of %d series", len(history), of.Window, c)
	}
	all := append(history[len(history)-of.Window*c:len(history):len(history)], make([]float64, of.Horizon*c)...) // what is to come is not read
	for i, v := range all {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return Outlook{}, fmt.Errorf("model: series %q has %v, %d steps before its end: want finite numbers", f.p.Series.Names[i%c], v, of.Window-i/c)
		}
	}
	x, err := NewWindows(f.p.Spec, f.p.Names, all, of.Window, of.Window+of.Horizon)
	if err != nil {
		return Outlook{}, err
	}
	f.windows(x, []int{0})
	unscaled := func(x []float32) []float64 {
		values := make([]float64, len(x))
		f.p.Series.Scaler.Unscale(values, x)
		return values
	}
	o := Outlook{Mean: unscaled(f.means)}
	for q := range of.Quantiles {
		o.Quantiles = append(o.Quantiles, unscaled(f.quantiles[q*of.Horizon*c:(q+1)*of.Horizon*c]))
	}
	return o, nil
}

// windows sets means and quantiles to what follows windows of x. Quantiles that
// cross are put in order, which all together takes them no further from the true
// ones (rearrangement: Chernozhukov, Fernández-Val and Galichon 2010).
func (f *Forecaster) windows(x *Windows, which []int) {
	of, c, n := f.p.Forecast, x.c, len(which)
	f.means, f.quantiles = nn.Grow(f.means, n*of.Horizon*c), nn.Grow(f.quantiles, len(of.Quantiles)*n*of.Horizon*c)
	b := x.Batch(which)
	if of.Segment > 0 {
		f.direct(b, n)
	} else {
		f.recursive(b, n)
	}
	for i, w := range which { // back to the level of each
		for k := range c {
			last := x.at(w, of.Window-1, k)
			for t := range of.Horizon {
				at := (i*of.Horizon+t)*c + k
				f.means[at] += last
				f.rising = f.rising[:0]
				for q := range of.Quantiles {
					f.rising = append(f.rising, f.quantiles[q*n*of.Horizon*c+at]+last)
				}
				slices.Sort(f.rising)
				for q, v := range f.rising {
					f.quantiles[q*n*of.Horizon*c+at] = v
				}
			}
		}
	}
}

// direct takes what the head has decoded, of n windows.
func (f *Forecaster) direct(b Batch, n int) {
	of, c := f.p.Forecast, b.B/n
	h := f.r.head.(*directHead)
	h.forward(f.r.forward(b, nil, nil, nil, false))
	for i := range h.n { // segment by segment, window by window, series by series
		j, row := i/b.B, i%b.B
		window, k := row/c, row%c
		for s := range of.Segment {
			at := (window*of.Horizon+j*of.Segment+s)*c + k
			f.means[at] = h.out.At(i, s)[0]
			for q := range of.Quantiles {
				f.quantiles[q*n*of.Horizon*c+at] = h.out.At(i, (q+1)*of.Segment+s)[0]
			}
		}
	}
}

// recursive reads the windows and then what it has said itself.
func (f *Forecaster) recursive(b Batch, n int) {
	p, of, c := f.p, f.p.Forecast, f.p.Features
	h, w := f.r.head.(*recursiveHead), f.p.RNN.OutputSize()
	f.state = nn.Grow(f.state, n*p.StateSize())
	clear(f.state)
	f.x = append(f.x[:0], b.Data[:of.Window*n*c]...)
	steps := of.Window
	for t := range of.Horizon {
		f.y = nn.Grow(f.y, steps*n*w)
		f.r.rnn.Forward(f.y, f.r.input(Batch{T: steps, B: n, Data: f.x}, nil, false), f.state, nil)
		h.forward(f.y[(steps-1)*n*w:])
		f.x = append(f.x[:0], f.x[(steps-1)*n*c:]...)
		for i := range n {
			for k := range c {
				f.x[i*c+k] += h.out.At(i, k)[0]
				f.means[(i*of.Horizon+t)*c+k] = f.x[i*c+k]
			}
		}
		steps = 1
	}
}

// ForecastScore is what forecasts of windows are worth, in units of the series'
// standard deviations, beside those that need no model.
type ForecastScore struct {
	Windows  int
	Model    metrics.ForecastErrors
	Naive    metrics.ForecastErrors // the last value
	Seasonal metrics.ForecastErrors // that of the season before; none without a season
	Drift    metrics.ForecastErrors
	Pinball  []float64          // of each quantile, by the value
	Bands    []metrics.Coverage // of the first and the last quantile, the second and the last but one …
}

// Loss is the mean squared error, and with quantiles the pinball losses beside it.
func (s *ForecastScore) Loss() float64 {
	loss := s.Model.MSE()
	for _, v := range s.Pinball {
		loss += v
	}
	return loss
}

// ScoreForecasts forecasts each of windows and compares. Unless progress is nil, it
// is told how many are done.
func ScoreForecasts(ctx context.Context, p *Packed, team *nn.Team, x *Windows, progress func(done, total int)) (*ForecastScore, error) {
	f, err := NewForecaster(p, team)
	if err != nil {
		return nil, err
	}
	of, c := p.Forecast, x.c
	q := len(of.Quantiles)
	s := &ForecastScore{Windows: x.n, Pinball: make([]float64, q), Bands: make([]metrics.Coverage, q/2)}
	values := make([]float64, len(x.values))
	for i, v := range x.values {
		values[i] = float64(v)
	}
	size := of.Horizon * c
	err = eachBatch(ctx, x, progress, func(which []int) {
		f.windows(x, which)
		for i, w := range which {
			from := (x.first + w + of.Window) * c
			history, want := values[:from], values[from:from+size]
			s.Model.Add(want, wide64(f.means[i*size:(i+1)*size]))
			s.Naive.Add(want, metrics.Naive(history, c, of.Horizon))
			if len(history) >= 2*c {
				s.Drift.Add(want, metrics.Drift(history, c, of.Horizon))
			}
			if season := p.Series.Season; season > 0 && season <= len(history)/c {
				s.Seasonal.Add(want, metrics.SeasonalNaive(history, c, of.Horizon, season))
			}
			quantile := func(k int) []float64 { return wide64(f.quantiles[(k*len(which)+i)*size:][:size]) }
			for k, level := range of.Quantiles {
				for j, got := range quantile(k) {
					s.Pinball[k] += metrics.Pinball(level, want[j], got)
				}
			}
			for k := range s.Bands {
				s.Bands[k].Add(want, quantile(k), quantile(q-1-k))
			}
		}
	})
	for k := range s.Pinball {
		s.Pinball[k] /= float64(s.Model.Count)
	}
	return s, err
}

func wide64(x []float32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}
