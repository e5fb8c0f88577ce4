package picture

import (
	"fmt"
	"time"
)

// Forecast is the picture of forecasts: a panel for each series, one below the
// other, with what came before, the forecast, and what came then. Values that are
// not known are NaN.
type Forecast struct {
	Title  string
	Times  []time.Time // (P+H) of each step, growing; nil: steps are numbered, 1 the first of the forecast
	Series []Series    // all of one P, one H and the same Bands and Others
}

// Series is one series of P known steps and H foretold.
type Series struct {
	Name    string
	History []float64 // (P) before the forecast
	Truth   []float64 // (at most H) what the forecast is of, as far as it is known
	Mean    []float64 // (H) the forecast
	Bands   []Band    // the widest first
	Others  []Line    // other forecasts, to compare
}

// Band is a part of the plane where values are expected.
type Band struct {
	Label     string // "80 %"
	Low, High []float64
}

// Line is a forecast with a name.
type Line struct {
	Name   string
	Values []float64 // (H)
}

// What a picture of forecasts has room for, and lines and bands that can be told
// apart.
const (
	MaxSeries   = 8
	MaxForecast = 10_000 // P+H
	MaxBands    = 4
	MaxOthers   = 4
)

// Drawable implements Picture.
func (f *Forecast) Drawable() error {
	if n := len(f.Series); n < 1 || n > MaxSeries {
		return fmt.Errorf("picture: %d series: a picture has room for 1 to %d, .npz for them all", n, MaxSeries)
	}
	f.check()
	s := f.Series[0]
	switch n := len(s.History) + len(s.Mean); {
	case n > MaxForecast:
		return fmt.Errorf("picture: %d steps: a picture has room for %d, want fewer or .npz", n, MaxForecast)
	case len(s.Bands) > MaxBands:
		return fmt.Errorf("picture: %d bands: want at most %d, which can be told apart", len(s.Bands), MaxBands)
	case len(s.Others) > MaxOthers:
		return fmt.Errorf("picture: %d other forecasts: want at most %d, whose lines can be told apart", len(s.Others), MaxOthers)
	}
	for i := 1; i < len(f.Times); i++ {
		if a, b := f.Times[i-1], f.Times[i]; !b.After(a) {
			return fmt.Errorf("picture: step %d is at %s, and step %d at %s: want times that grow", i, a.Format(time.RFC3339), i+1, b.Format(time.RFC3339))
		}
	}
	return nil
}

// check panics for slices of wrong lengths.
func (f *Forecast) check() {
	first := f.Series[0]
	p, h := len(first.History), len(first.Mean)
	want := func(name, what string, got, want int) {
		if got != want {
			panic(fmt.Sprintf("picture: Forecast: %d of %s of %q, want %d", got, what, name, want))
		}
	}
	if h == 0 {
		panic("picture: Forecast: a forecast of 0 steps, want 1 or more")
	}
	if f.Times != nil {
		want(first.Name, "Times", len(f.Times), p+h)
	}
	for _, s := range f.Series {
		want(s.Name, "History", len(s.History), p)
		want(s.Name, "Mean", len(s.Mean), h)
		want(s.Name, "Bands", len(s.Bands), len(first.Bands))
		want(s.Name, "Others", len(s.Others), len(first.Others))
		want(s.Name, "Truth", len(s.Truth), min(h, len(s.Truth)))
		for _, b := range s.Bands {
			want(s.Name, "Low, "+b.Label, len(b.Low), h)
			want(s.Name, "High, "+b.Label, len(b.High), h)
		}
		for _, o := range s.Others {
			want(s.Name, o.Name, len(o.Values), h)
		}
	}
}

// The measures of the picture, in pixels.
const (
	forecastWidth  = 1320
	forecastTop    = 60 // of the title
	forecastRight  = 40 // of the panels, where nothing is written there
	forecastBottom = 70 // below the last panel: two lines of ticks
	legendLine     = 30
	between        = 22 // panels
	aside          = 12 // from a panel to the names of its lines
)

// panel is the height of one panel.
func (f *Forecast) panel() int {
	switch n := len(f.Series); n {
	case 1:
		return 430
	case 2, 3:
		return 250
	}
	return 150
}

func (f *Forecast) size() (w, h int) {
	h = forecastTop + len(f.Series)*(f.panel()+between) + forecastBottom
	if f.named() {
		h += len(f.Series) * noteHeight
	}
	if len(f.Series) > 1 {
		_, lines := f.legend()
		h += lines*legendLine + 14
	}
	return forecastWidth, h
}

func (f *Forecast) arrays() (a []array) {
	if f.Times != nil {
		times := make([]int64, len(f.Times)) // seconds since 1970
		for i, t := range f.Times {
			times[i] = t.Unix()
		}
		a = append(a, array{"times", times})
	}
	var names, bands, others []string
	for i, s := range f.Series {
		names = append(names, s.Name)
		add := func(name string, values []float64) { a = append(a, array{fmt.Sprintf("s%d.%s", i, name), values}) }
		add("history", s.History)
		add("mean", s.Mean)
		if s.Truth != nil {
			add("truth", s.Truth)
		}
		for n, b := range s.Bands {
			add(fmt.Sprintf("band%d.low", n), b.Low)
			add(fmt.Sprintf("band%d.high", n), b.High)
			if i == 0 {
				bands = append(bands, b.Label)
			}
		}
		for n, o := range s.Others {
			add(fmt.Sprintf("other%d", n), o.Values)
			if i == 0 {
				others = append(others, o.Name)
			}
		}
	}
	for _, list := range []array{{"names", names}, {"bands", bands}, {"others", others}} {
		if len(list.data.([]string)) > 0 {
			a = append(a, list)
		}
	}
	return a
}
