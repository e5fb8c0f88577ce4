package picture

import (
	"bytes"
	"fmt"
	"image/png"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sbinet/npyio/npz"
)

// wave is n values from a step on, that grow and swing with a period.
func wave(from, n int, period float64) []float64 {
	values := make([]float64, n)
	for i := range values {
		t := float64(from + i)
		values[i] = 100 + t + 20*math.Sin(2*math.Pi*t/period)
	}
	return values
}

// forecast has series of before and ahead steps, with two bands and two others.
func forecast(series, before, ahead int) *Forecast {
	f := &Forecast{Title: "a forecast"}
	for i := range series {
		s := Series{
			Name: fmt.Sprint("series ", i+1), History: wave(i, before, 12), Truth: wave(i+before, ahead, 12), Mean: wave(i+before, ahead, 13),
			Others: []Line{{"naive", wave(0, ahead, 5)}, {"seasonal naive", wave(3, ahead, 12)}},
		}
		for n, label := range []string{"95 %", "80 %"} {
			b := Band{Label: label}
			for k, v := range s.Mean {
				wide := float64((k + 1) * (2 - n))
				b.Low, b.High = append(b.Low, v-wide), append(b.High, v+wide)
			}
			s.Bands = append(s.Bands, b)
		}
		f.Series = append(f.Series, s)
	}
	return f
}

// timed gives f times, every so far apart.
func timed(f *Forecast, from time.Time, every time.Duration) *Forecast {
	for i := range len(f.Series[0].History) + len(f.Series[0].Mean) {
		f.Times = append(f.Times, from.Add(time.Duration(i)*every))
	}
	return f
}

func forecasts() map[string]Picture {
	start := time.Date(2016, 7, 1, 5, 0, 0, 0, time.UTC)
	gaps, unknown, none := forecast(1, 40, 12), forecast(2, 9, 3), forecast(1, 0, 1)
	s := &gaps.Series[0]
	for _, i := range []int{3, 4, 9, 11, 39} {
		s.History[i] = math.NaN()
	}
	s.Truth[5], s.Mean[7], s.Bands[0].Low[2], s.Bands[1].High[11] = math.NaN(), math.Inf(1), math.NaN(), 1e300
	for i := range unknown.Series {
		s := &unknown.Series[i]
		s.Truth, s.Bands, s.Others = nil, nil, nil
		for _, values := range [][]float64{s.History, s.Mean} {
			for i := range values {
				values[i] = math.NaN()
			}
		}
	}
	long := timed(forecast(MaxSeries, 192, 96), start, time.Hour)
	for i := range long.Series {
		long.Series[i].Name = strings.Repeat("a name\n", 40)
		long.Series[i].Others[0].Name = strings.Repeat("another ", 40)
		long.Series[i].Others[1].Name = strings.Repeat("季节", 200)
		long.Series[i].Others = append(long.Series[i].Others, long.Series[i].Others...)
	}
	flat := forecast(1, 5, 5)
	flat.Title = strings.Repeat("long ", 100)
	flat.Series[0] = Series{History: make([]float64, 5), Mean: make([]float64, 5)}
	return map[string]Picture{
		"forecast":          timed(forecast(1, 144, 24), start, 30*day),
		"forecasts":         timed(forecast(3, 30, 12), start, time.Hour),
		"forecast, gaps":    gaps,
		"forecast, nothing": unknown,
		"forecast, one":     none,
		"forecast, long":    long,
		"forecast, flat":    flat,
	}
}

// What came is drawn and written as far as it is known.
func TestForecastKnownInPart(t *testing.T) {
	f := forecast(1, 10, 5)
	whole := written(t, ".svg", f)
	f.Series[0].Truth = f.Series[0].Truth[:3]
	part := written(t, ".svg", f)
	f.Series[0].Truth = nil
	none := written(t, ".svg", f)
	if !bytes.Contains(part, []byte(">truth<")) || bytes.Equal(part, whole) || bytes.Equal(part, none) {
		t.Error("it is drawn as all of it, or none, is")
	}
	f.Series[0].Truth = make([]float64, 3)
	if !bytes.Contains(written(t, ".npz", f), []byte("s0.truth")) {
		t.Error("the numbers lack it")
	}
	f.Series[0].Truth = make([]float64, 6)
	defer func() {
		if recover() == nil {
			t.Error("more truth than forecast is drawn")
		}
	}()
	f.check()
}

// The lines and bands are where their values are, and are cut where these are
// not known.
func TestForecastDrawn(t *testing.T) {
	const before, ahead = 40, 20
	level := func(n int, v float64) []float64 { return slices.Repeat([]float64{v}, n) }
	s := Series{
		History: level(before, 0), Truth: level(ahead, 0), Mean: level(ahead, 40),
		Bands:  []Band{{"95 %", level(ahead, -60), level(ahead, 80)}, {"80 %", level(ahead, 20), level(ahead, 60)}},
		Others: []Line{{"naive", level(ahead, -80)}},
	}
	s.History[10], s.Mean[5] = math.NaN(), math.NaN()
	s.History[0] = 100 // the top of the scale, beside the bottom of it
	s.Others[0].Values[ahead-1] = -100
	f := &Forecast{Title: "levels", Series: []Series{s}}
	m, err := png.Decode(bytes.NewReader(written(t, ".png", f)))
	if err != nil {
		t.Fatal(err)
	}
	left := gatesLeft + int(float64(width("−100", small)/px)) + 12
	right := forecastWidth - gatesLeft - aside - int(float64(width("forecast", small)/px))
	x := func(step float64) int { return left + int(math.Round(step*float64(right-left)/(before+ahead-1))) }
	y := func(v float64) int {
		return forecastTop + int(math.Round((108-v)*float64(f.panel())/216)) // 4 % of air on both sides
	}
	for _, test := range []struct {
		step, value float64
		want        any
		is          bool
	}{
		{5, 0, black, true}, {10, 0, black, false}, {12, 0, black, true}, {before + 10, 0, black, true},
		{before + 10, 40, blue, true}, {before + 5, 40, blue, false}, {before + 2, 40, blue, true}, {20, 40, blue, false},
		{before + 10.5, 50, tint(1, 2), true}, {before + 10.5, 70, tint(0, 2), true}, {before + 10.5, -30, tint(0, 2), true},
		{before + 10.5, 92, tint(0, 2), false}, {before - 1, 85, middle, true}, {before - 3, 85, middle, false},
	} {
		got := false
		for dy := -1; dy <= 1; dy++ { // a line is two pixels, and its edges are soft
			got = got || sameColor(m.At(x(test.step), y(test.value)+dy), test.want.(interface{ RGBA() (r, g, b, a uint32) }))
		}
		if got != test.is {
			t.Errorf("step %v, value %v at (%d, %d): %v there: %v, want %v", test.step, test.value, x(test.step), y(test.value), test.want, got, test.is)
		}
	}
}

func TestForecastNPZ(t *testing.T) {
	f := timed(forecast(2, 5, 3), time.Unix(1000, 0).UTC(), time.Minute)
	b := written(t, ".npz", f)
	r, err := npz.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"times.npy", "names.npy", "bands.npy", "others.npy"}
	for i := range 2 {
		for _, name := range []string{"history", "mean", "truth", "band0.low", "band0.high", "band1.low", "band1.high", "other0", "other1"} {
			want = append(want, fmt.Sprintf("s%d.%s.npy", i, name))
		}
	}
	keys := r.Keys()
	slices.Sort(keys)
	slices.Sort(want)
	if !slices.Equal(keys, want) {
		t.Fatalf("arrays %v, want %v", keys, want)
	}
	var times []int64
	var high []float64
	if err := r.Read("times.npy", &times); err != nil || times[7] != 1000+7*60 {
		t.Errorf("times %v, error %v", times, err)
	}
	if err := r.Read("s1.band1.high.npy", &high); err != nil || !slices.Equal(high, f.Series[1].Bands[1].High) {
		t.Errorf("a band %v, error %v", high, err)
	}
}

func TestForecastRefused(t *testing.T) {
	twice := timed(forecast(1, 3, 2), time.Unix(0, 0).UTC(), time.Hour)
	twice.Times[3] = twice.Times[2]
	bands, others := forecast(1, 3, 2), forecast(1, 3, 2)
	bands.Series[0].Bands = slices.Repeat(bands.Series[0].Bands, 3)
	others.Series[0].Others = slices.Repeat(others.Series[0].Others, 3)
	for _, test := range []struct {
		f    *Forecast
		want string
	}{
		{forecast(MaxSeries+1, 2, 2), "picture: 9 series: a picture has room for 1 to 8, .npz for them all"},
		{&Forecast{}, "picture: 0 series: a picture has room for 1 to 8, .npz for them all"},
		{forecast(1, MaxForecast, 1), "picture: 10001 steps: a picture has room for 10000, want fewer or .npz"},
		{bands, "picture: 6 bands: want at most 4, which can be told apart"},
		{others, "picture: 6 other forecasts: want at most 4, whose lines can be told apart"},
		{twice, "picture: step 3 is at 1970-01-01T02:00:00Z, and step 4 at 1970-01-01T02:00:00Z: want times that grow"},
	} {
		if err := Write(io.Discard, ".png", test.f); err == nil || err.Error() != test.want {
			t.Errorf("error %v, want %q", err, test.want)
		}
		written(t, ".npz", test.f)
	}
	short := forecast(2, 3, 2)
	short.Series[1].Bands[0].High = short.Series[1].Bands[0].High[1:]
	defer func() {
		if got := fmt.Sprint(recover()); got != `picture: Forecast: 1 of High, 95 % of "series 2", want 2` {
			t.Errorf("panic %q", got)
		}
	}()
	_ = Write(io.Discard, ".png", short)
}

func TestSpread(t *testing.T) {
	for _, test := range []struct{ at, want []float64 }{
		{nil, nil},
		{[]float64{50}, []float64{50}},
		{[]float64{10, 30, 80}, []float64{10, 30, 80}},
		{[]float64{50, 50}, []float64{45, 55}},
		{[]float64{50, 52, 54}, []float64{42, 52, 62}},
		{[]float64{20, 50, 51, 56}, []float64{20, 42.333, 52.333, 62.333}},
		{[]float64{40, 45, 52}, []float64{35.667, 45.667, 55.667}}, // the first two part, and then touch the third
		{[]float64{1, 1, 1}, []float64{0, 10, 20}},
		{[]float64{99, 100}, []float64{90, 100}},
	} {
		got := slices.Clone(test.at)
		spread(got, 10, 0, 100)
		if !slices.EqualFunc(got, test.want, func(a, b float64) bool { return math.Abs(a-b) < 1e-3 }) {
			t.Errorf("%v become %v, want %v", test.at, got, test.want)
		}
	}
}
