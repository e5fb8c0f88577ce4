package picture

import (
	"cmp"
	"image"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot/vg"
)

var otherColors = []color.RGBA{middle, orange, {0x1a, 0x93, 0x6f, 0xff}, {0xa8, 0x3c, 0x8f, 0xff}}

var dashes = []vg.Length{3, 2}

// tint is the colour of band i of n, darker the narrower it is.
func tint(i, n int) color.RGBA {
	part := 0.16 + 0.34*float64(i)/float64(max(2, n))
	mix := func(v uint8) uint8 { return uint8(math.Round(255 + part*(float64(v)-255))) }
	return color.RGBA{mix(blue.R), mix(blue.G), mix(blue.B), 0xff}
}

// chart is the panel of a series.
type chart struct {
	*canvas
	s         Series
	r         image.Rectangle
	x         []float64 // (P+H) pixels
	low, high float64
}

// y is where a value is, in pixels.
func (p *chart) y(v float64) float64 {
	return float64(p.r.Max.Y) - (v-p.low)/(p.high-p.low)*float64(p.r.Dy())
}

// begin is the step where what is foretold hangs on: the last of the history.
func (p *chart) begin() int { return max(0, len(p.s.History)-1) }

// foretold is values of the forecast, behind the last value of the history,
// from which they go on.
func (p *chart) foretold(values []float64) []float64 {
	if n := len(p.s.History); n > 0 {
		return append([]float64{p.s.History[n-1]}, values...)
	}
	return values
}

func (f *Forecast) draw(c *canvas) {
	c.write(gatesLeft, 34, words{text: cut(f.Title, large, forecastWidth-2*gatesLeft), size: large})
	y := forecastTop
	many := len(f.Series) > 1
	if many {
		items, lines := f.legend()
		for _, item := range items {
			item.draw(c, y)
		}
		y += lines*legendLine + 14
	}
	charts := make([]*chart, len(f.Series))
	left, right := 0.0, forecastRight
	for i, s := range f.Series {
		p := &chart{canvas: c, s: s}
		p.low, p.high = s.extent()
		for _, t := range p.ticks(f.panel()) {
			left = max(left, float64(width(t.label, small)/px))
		}
		charts[i] = p
	}
	if !many {
		for _, l := range charts[0].ends() {
			right = max(right, int(float64(width(l.text, small)/px))+aside+gatesLeft)
		}
	}
	from := gatesLeft + int(left) + 12
	along, ticks := f.along(from, forecastWidth-right)
	for i, p := range charts {
		if f.named() {
			y += noteHeight
			c.write(gatesLeft, float64(y-10), words{text: cut(f.Series[i].Name, small, forecastWidth-2*gatesLeft), size: small})
		}
		p.r, p.x = image.Rect(from, y, forecastWidth-right, y+f.panel()), along
		p.draw(ticks)
		y += f.panel() + between
	}
	if !many {
		charts[0].names(charts[0].ends())
	}
	f.below(c, ticks, y-between, from, forecastWidth-right)
}

// named says whether panels have names above them.
func (f *Forecast) named() bool { return len(f.Series) > 1 || f.Series[0].Name != "" }

// extent is that of all values of a series, with some air.
func (s Series) extent() (low, high float64) {
	all := [][]float64{s.History, s.Truth, s.Mean}
	for _, b := range s.Bands {
		all = append(all, b.Low, b.High)
	}
	for _, o := range s.Others {
		all = append(all, o.Values)
	}
	low, high = extent(all...)
	air := 0.04 * (high - low)
	return low - air, high + air
}

// along is where each step lies, in pixels from left to right, and the ticks,
// theirs too.
func (f *Forecast) along(left, right int) (x []float64, ticks []tick) {
	s := f.Series[0]
	before, n := len(s.History), len(s.History)+len(s.Mean)
	x = make([]float64, n)
	for i := range x {
		if x[i] = float64(i - before + 1); f.Times != nil {
			x[i] = seconds(f.Times[i])
		}
	}
	if f.Times != nil {
		ticks = timeTicks(f.Times[0], f.Times[n-1], (right-left)/80)
	} else {
		ticks = stepTicks(1-before, n-before, (right-left)/100)
	}
	low, high := extent([]float64{x[0], x[n-1]})
	place := func(v float64) float64 { return float64(left) + (v-low)/(high-low)*float64(right-left) }
	for i := range x {
		x[i] = place(x[i])
	}
	for i := range ticks {
		ticks[i].at = place(ticks[i].at)
	}
	return x, ticks
}

func (p *chart) ticks(height int) []tick { return valueTicks(p.low, p.high, height/38) }

// draw draws the panel over ticks of the x axis.
func (p *chart) draw(ticks []tick) {
	for _, t := range p.ticks(p.r.Dy()) {
		y := int(math.Round(p.y(t.at)))
		p.fill(image.Rect(p.r.Min.X, y, p.r.Max.X, y+1), pale)
		p.write(float64(p.r.Min.X-10), float64(y+6), words{text: t.label, size: small, align: 1})
	}
	for _, t := range ticks {
		x := int(math.Round(t.at))
		p.fill(image.Rect(x, p.r.Min.Y, x+1, p.r.Max.Y), pale)
	}
	for i, b := range p.s.Bands {
		p.band(b, tint(i, len(p.s.Bands)))
	}
	x := int(math.Round(p.x[p.begin()]))
	p.fill(image.Rect(x, p.r.Min.Y, x+1, p.r.Max.Y), middle)
	for i, o := range p.s.Others {
		p.line(p.foretold(o.Values), p.begin(), otherColors[i], thin, dashes)
	}
	p.line(p.foretold(p.s.Mean), p.begin(), blue, thick, nil)
	p.line(slices.Concat(p.s.History, p.s.Truth), 0, black, thin, nil)
}

// line draws values from a step on.
func (p *chart) line(values []float64, from int, with color.Color, width vg.Length, dashes []vg.Length) {
	p.trend(values, with, width, dashes, func(i int, v float64) (x, y float64) { return p.x[from+i], p.y(v) })
}

// band fills a band as far as both its edges are known.
func (p *chart) band(b Band, with color.Color) {
	low, high := p.foretold(b.Low), p.foretold(b.High)
	var lower, upper []vg.Point
	for i := 0; i <= len(low); i++ {
		if i < len(low) && known(low[i]) && known(high[i]) {
			x := p.x[p.begin()+i]
			lower, upper = append(lower, p.point(x, p.y(low[i]))), append(upper, p.point(x, p.y(high[i])))
			continue
		}
		if len(lower) > 1 {
			slices.Reverse(lower)
			p.FillPolygon(with, append(upper, lower...))
		}
		lower, upper = nil, nil
	}
}

// end is the name of a line beside its end.
type end struct {
	text  string
	color color.Color
	y     float64 // pixels; NaN without one
}

// ends are the names of what is drawn, of which the panel need not yet have a
// place.
func (p *chart) ends() (ends []end) {
	add := func(text string, with color.Color, values []float64) {
		for _, v := range slices.Backward(values) {
			if known(v) {
				ends = append(ends, end{cut(text, small, 220), with, p.y(v)})
				return
			}
		}
	}
	for _, b := range p.s.Bands {
		add(b.Label, blue, b.High)
	}
	for i, o := range p.s.Others {
		add(o.Name, otherColors[i], o.Values)
	}
	add("truth", black, p.s.Truth)
	add("forecast", blue, p.s.Mean)
	return ends
}

// names writes names beside the panel, none over another.
func (p *chart) names(ends []end) {
	const apart = 22
	slices.SortStableFunc(ends, func(a, b end) int { return cmp.Compare(a.y, b.y) })
	at := make([]float64, len(ends))
	for i, e := range ends {
		at[i] = e.y
	}
	spread(at, apart, float64(p.r.Min.Y), float64(p.r.Max.Y))
	for i, e := range ends {
		e.y = at[i]
		p.write(float64(p.r.Max.X+aside), e.y+6, words{text: e.text, size: small, color: e.color})
	}
}

// spread moves growing places to be apart, as little as the sum of squares says,
// and then into [low, high], as far as there is room.
func spread(at []float64, apart, low, high float64) {
	type group struct{ first, n, mean float64 } // of places that touch
	var groups []group
	for i, y := range at {
		g := group{float64(i), 1, y - float64(i)*apart}
		for n := len(groups) - 1; n >= 0 && groups[n].mean > g.mean; n-- {
			before := groups[n]
			g = group{before.first, before.n + g.n, (before.mean*before.n + g.mean*g.n) / (before.n + g.n)}
			groups = groups[:n]
		}
		groups = append(groups, g)
	}
	for _, g := range groups {
		for i := int(g.first); i < int(g.first+g.n); i++ {
			at[i] = g.mean + float64(i)*apart
		}
	}
	for i := range at {
		at[i] = max(at[i], low+float64(i)*apart)
	}
	for i := range at {
		at[i] = min(at[i], high-float64(len(at)-1-i)*apart)
	}
}

// below writes the ticks of the x axis below y.
func (f *Forecast) below(c *canvas, ticks []tick, y, left, right int) {
	c.fill(image.Rect(left, y+6, right, y+7), black)
	edge := math.Inf(1) // where the next context begins
	for i, t := range slices.Backward(ticks) {
		x := int(math.Round(t.at))
		c.fill(image.Rect(x, y+7, x+1, y+13), black)
		c.write(t.at, float64(y+32), words{text: t.label, size: small, align: 0.5})
		wide := float64(width(t.under, small) / px)
		if (i == 0 || ticks[i-1].under != t.under) && t.at+wide/2+14 < edge {
			c.write(t.at, float64(y+56), words{text: t.under, size: small, align: 0.5, color: middle})
			edge = t.at - wide/2
		}
	}
	if f.Times == nil {
		c.write(float64(left+right)/2, float64(y+56), words{text: "step; the forecast begins with 1", size: small, align: 0.5, color: middle})
	}
}
