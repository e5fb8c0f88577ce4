package picture

import (
	"image"
	"image/color"
	"slices"

	"gonum.org/v1/plot/vg"
)

// item is a name in a legend, and what it names.
type item struct {
	text   string
	color  color.Color
	width  vg.Length // of a line; 0: an area
	dashes []vg.Length
	x      int // pixels
	line   int // of the legend, from 0
}

// legend says what the lines and bands are, on so many lines.
func (f *Forecast) legend() (items []item, lines int) {
	truth := "history"
	if slices.ContainsFunc(f.Series, func(s Series) bool { return s.Truth != nil }) {
		truth = "truth"
	}
	items = []item{{text: truth, color: black, width: thin}, {text: "forecast", color: blue, width: thick}}
	s := f.Series[0]
	for i, b := range s.Bands {
		items = append(items, item{text: b.Label, color: tint(i, len(s.Bands))})
	}
	for i, o := range s.Others {
		items = append(items, item{text: o.Name, color: otherColors[i], width: thin, dashes: dashes})
	}
	x := gatesLeft
	for i := range items {
		it := &items[i]
		it.text = cut(it.text, small, 300)
		wide := swatch + 8 + int(float64(width(it.text, small)/px)) + 30
		if x+wide > forecastWidth-gatesLeft {
			x = gatesLeft
			lines++
		}
		it.x, it.line = x, lines
		x += wide
	}
	return items, lines + 1
}

// swatch is the width of a sample, in pixels.
const swatch = 34

// draw draws the item, the first line of the legend being at y.
func (it item) draw(c *canvas, y int) {
	y += it.line * legendLine
	if it.width == 0 {
		c.fill(image.Rect(it.x, y-1, it.x+swatch, y+17), it.color)
	} else {
		c.trend([]float64{0, 0}, it.color, it.width, it.dashes, func(i int, _ float64) (float64, float64) {
			return float64(it.x + i*swatch), float64(y + 8)
		})
	}
	c.write(float64(it.x+swatch+8), float64(y+14), words{text: it.text, size: small})
}
