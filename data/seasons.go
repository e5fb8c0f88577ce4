package data

import (
	"bufio"
	"io"
	"strconv"
	"time"
)

// Seasons makes three hourly series of a small town over 400 days, to be
// forecast:
//
//	temperature  °C    a day and a year, and the weather
//	load         MW    a day and a week, a slow rise, and less the warmer the weather
//	water        m³/h  a day and a week, and more the warmer the weather
//
// How far a day swings changes slowly, by seed in other weeks. The weather is an
// AR(1) process, load and water have one of their own each:
//
//	temperature = season + w          w = 31/32·w' + 0.5·ε
//	load        = season − 6·w + u    u = 13/16·u' + 5·ε
//	water       = season + 2·w + v    v =  9/16·v' + 4·ε
//
// w' being w an hour before, and each ε of variance 1, a sum of twelve uniform
// numbers. A forecast by all this and the seasons would still be off by ε. Mean
// squared errors one hour ahead, for other hours see SeasonsMSE:
//
//	                     temperature   load  water
//	the best there is           0.25     34     17
//	what was a week ago         8.8     520    100
//	what was a day ago          4.3   2,060    670
//	what was an hour ago        0.86    760    800
//	always the mean            57     8,590  3,320
//
// Values are whole thousandths, and made in integers: every machine makes the
// same. Instead of sines there are parabolas.
type Seasons struct {
	Seed uint64 `json:"seed,omitempty"`
}

// The size of the series.
const (
	SeasonsHours = 400 * 24  // N, values of each
	SeasonsStep  = time.Hour // from one to the next
)

// seasonsNoise are the AR(1) processes, of w, u and v.
var seasonsNoise = [3]struct {
	carried int64 // sixty-fourths of the last value that are left
	sigma   int64 // of what comes anew
	weather int64 // times w is in the series
}{{62, 500_000, 1}, {52, 5 * unit, -6}, {36, 4 * unit, 2}}

// unit is 1 °C, MW or m³/h.
const unit int64 = 1_000_000

// Names are those of the series, in the order of Values.
func (Seasons) Names() []string { return []string{"temperature", "load", "water"} }

// Start is the time of the first value, a Monday.
func (Seasons) Start() time.Time { return time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC) }

// SeasonsMSE is the mean squared error (3) of the best forecasts of the series
// h ≥ 1 hours ahead, which are made with the equations of the series and all of their
// past.
func SeasonsMSE(h int) (mse [3]float64) {
	var ahead [3]float64 // the variance of what w, u and v gain in h hours
	for i, p := range seasonsNoise {
		sigma, carried, left := float64(p.sigma)/float64(unit), float64(p.carried)/64, 1.0
		for range h {
			ahead[i] += float64(left * sigma * sigma)
			left *= carried * carried
		}
	}
	for i, p := range seasonsNoise {
		mse[i] = float64(float64(p.weather*p.weather) * ahead[0])
		if i > 0 {
			mse[i] += ahead[i]
		}
	}
	return mse
}

// Values are the series (N, 3).
func (s Seasons) Values() []float64 {
	d := draw(s.Seed, 0, seasonsStream)
	phases := d.phases()
	var state [3]int64
	for range 1000 { // so that they do not start from zero
		d.noise(&state)
	}
	values := make([]float64, 0, SeasonsHours*3)
	for t := range int64(SeasonsHours) {
		d.noise(&state)
		for i, season := range seasons(t, phases) {
			v := season + seasonsNoise[i].weather*state[0]
			if i > 0 {
				v += state[i]
			}
			values = append(values, float64(divide(v, unit/1000))/1000)
		}
	}
	return values
}

// phases are where the slow changes of the series begin.
func (d *draws) phases() (p [3]int64) {
	for i := range p {
		p[i] = int64(d.below(SeasonsHours))
	}
	return p
}

// noise moves w, u and v on by an hour.
func (d *draws) noise(state *[3]int64) {
	for i, p := range seasonsNoise {
		sum := int64(-12 * 65535 / 2)
		for range 3 {
			for u := d.random.Uint64(); u > 0; u >>= 16 {
				sum += int64(u & 65535)
			}
		}
		state[i] = divide(state[i]*p.carried, 64) + divide(sum*p.sigma, 65536)
	}
}

// seasonsDay are the shapes of a day, in hundredths: of temperature, of load and
// water on a working day, and of both at a weekend.
var seasonsDay = [5][24]int64{
	{-62, -70, -78, -86, -94, -100, -92, -70, -40, -8, 24, 52, 74, 90, 99, 100, 92, 74, 48, 22, -2, -22, -38, -51},
	{-78, -88, -95, -100, -97, -80, -38, 20, 58, 66, 62, 60, 56, 52, 46, 40, 46, 66, 92, 100, 84, 48, 2, -44},
	{-80, -90, -98, -100, -92, -55, 30, 100, 82, 40, 16, 4, 18, 8, -8, -14, -4, 22, 60, 78, 58, 22, -20, -56},
	{-66, -76, -84, -91, -94, -92, -82, -60, -28, 4, 26, 38, 44, 34, 20, 10, 12, 30, 52, 60, 50, 26, -8, -40},
	{-70, -82, -92, -98, -100, -94, -78, -40, 14, 70, 96, 88, 62, 40, 24, 14, 12, 20, 36, 44, 34, 10, -22, -50},
}

// seasons are the means of the series at hour t.
func seasons(t int64, phases [3]int64) [3]int64 {
	hour, weekend := t%24, 0
	if t/24%7 >= 5 {
		weekend = 1
	}
	day := func(shape, swing int, weeks int64, phase int64) int64 {
		share := 1000 + wave(t+phase, weeks*7*24)*3/10
		return seasonsDay[shape][hour] * int64(swing) * unit / 100 * share / 1000
	}
	year := wave(t-110*24, 366*24)
	return [3]int64{
		11*unit + 9*unit/1000*year + day(0, 4, 9, phases[0]),
		520*unit - 60*unit/1000*year + 50*unit*t/SeasonsHours - 45*unit*int64(weekend) + day(1+2*weekend, 110, 13, phases[1]),
		300*unit + 20*unit/1000*year + day(2+2*weekend, 90, 17, phases[2]),
	}
}

// wave is a sine of that period drawn with parabolas, in thousandths.
func wave(t, period int64) int64 {
	t = ((t % period) + period) % period
	half := period / 2
	if t < half {
		return 4000 * t * (half - t) / (half * half)
	}
	return -4000 * (t - half) * (period - t) / (half * half)
}

// divide rounds to nearest, n > 0.
func divide(v, n int64) int64 {
	if v < 0 {
		return -((-v + n/2) / n)
	}
	return (v + n/2) / n
}

// WriteCSV writes the series, an hour a line, under a header: time, then a column
// for each.
func (s Seasons) WriteCSV(w io.Writer) error {
	b := bufio.NewWriter(w)
	b.WriteString("time")
	for _, name := range s.Names() {
		b.WriteString("," + name)
	}
	for i, v := range s.Values() {
		if i%3 == 0 {
			b.WriteString("\n" + s.Start().Add(time.Duration(i/3)*SeasonsStep).Format(time.DateTime))
		}
		b.WriteString("," + strconv.FormatFloat(v, 'f', 3, 64))
	}
	b.WriteString("\n")
	return b.Flush()
}
