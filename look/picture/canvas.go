package picture

import (
	"image"
	"image/color"
	stddraw "image/draw"
	"math"
	"slices"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// canvas is drawn on in pixels from the upper left, or in points from the
// lower left, as gonum/plot does. In an SVG a pixel is px points.
type canvas struct {
	draw.Canvas
	image  stddraw.Image // of a PNG; nil: an SVG
	height int           // pixels
}

// point is a place in points.
func (c *canvas) point(x, y float64) vg.Point {
	return vg.Point{X: vg.Length(x) * px, Y: vg.Length(float64(c.height)-y) * px}
}

// fill fills a rectangle.
func (c *canvas) fill(r image.Rectangle, with color.Color) {
	if c.image != nil {
		stddraw.Draw(c.image, r, image.NewUniform(with), image.Point{}, stddraw.Src)
		return
	}
	a, b := c.point(float64(r.Min.X), float64(r.Min.Y)), c.point(float64(r.Max.X), float64(r.Max.Y))
	c.FillPolygon(with, []vg.Point{a, {X: b.X, Y: a.Y}, b, {X: a.X, Y: b.Y}})
}

// frame draws the edge of a rectangle.
func (c *canvas) frame(r image.Rectangle) {
	for _, edge := range []image.Rectangle{
		image.Rect(r.Min.X-1, r.Min.Y-1, r.Max.X+1, r.Min.Y), image.Rect(r.Min.X-1, r.Max.Y, r.Max.X+1, r.Max.Y+1),
		image.Rect(r.Min.X-1, r.Min.Y, r.Min.X, r.Max.Y), image.Rect(r.Max.X, r.Min.Y, r.Max.X+1, r.Max.Y),
	} {
		c.fill(edge, middle)
	}
}

// The widths of lines.
const (
	thin  = vg.Length(0.9)
	thick = vg.Length(1.6)
)

// known says whether a picture has a place for v; round has steps for no more.
func known(v float64) bool { return math.Abs(v) < 1e29 }

// extent is from the least to the greatest of the known values, or what is
// around them if there is but one.
func extent(values ...[]float64) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, v := range slices.Concat(values...) {
		if known(v) {
			low, high = min(low, v), max(high, v)
		}
	}
	switch {
	case low > high:
		return 0, 1
	case high-low <= 1e-12*max(math.Abs(low), math.Abs(high)):
		by := 0.1 * math.Abs(low)
		if by == 0 {
			by = 1
		}
		return low - by, high + by
	}
	return low, high
}

// trend draws a line through values, broken where they are not known, at gives
// the place in pixels. A value without neighbours is a dot.
func (c *canvas) trend(values []float64, with color.Color, width vg.Length, dashes []vg.Length, at func(i int, v float64) (x, y float64)) {
	var piece []vg.Point
	for i := 0; i <= len(values); i++ {
		if i < len(values) && known(values[i]) {
			piece = append(piece, c.point(at(i, values[i])))
			continue
		}
		if len(piece) == 1 {
			c.DrawGlyphNoClip(draw.GlyphStyle{Color: with, Radius: width, Shape: draw.CircleGlyph{}}, piece[0])
		} else if len(piece) > 1 {
			c.StrokeLines(draw.LineStyle{Color: with, Width: width, Dashes: dashes}, piece)
		}
		piece = nil
	}
}

// cells draws colours over r, so many columns of so many rows.
func (c *canvas) cells(r image.Rectangle, columns, rows int, at func(column, row int) color.RGBA) {
	var m stddraw.Image = image.NewPaletted(image.Rect(0, 0, r.Dx(), r.Dy()), nil)
	if c.image != nil {
		m = c.image.(*image.RGBA).SubImage(r).(stddraw.Image)
	}
	from := m.Bounds().Min
	for row := range rows {
		top, bottom := row*r.Dy()/rows, (row+1)*r.Dy()/rows
		for column := range columns {
			cell := image.Rect(column*r.Dx()/columns, top, (column+1)*r.Dx()/columns, bottom).Add(from)
			paint(m, cell, at(column, row))
		}
	}
	if c.image == nil { // whole pixels: some viewers would blur the edges between cells
		low, high := c.point(float64(r.Min.X), float64(r.Max.Y)), c.point(float64(r.Max.X), float64(r.Min.Y))
		c.DrawImage(vg.Rectangle{Min: low, Max: high}, m)
	}
}

// paint fills a rectangle of m, whose palette grows where it has one.
func paint(m stddraw.Image, r image.Rectangle, with color.RGBA) {
	if p, ok := m.(*image.Paletted); ok && !slices.Contains(p.Palette, color.Color(with)) {
		p.Palette = append(p.Palette, with)
	}
	stddraw.Draw(m, r, image.NewUniform(with), image.Point{}, stddraw.Src)
}

var (
	black  = color.RGBA{0x1a, 0x1a, 0x1a, 0xff}
	middle = color.RGBA{0x80, 0x80, 0x80, 0xff}
	pale   = color.RGBA{0xe2, 0xe2, 0xe2, 0xff}
	blue   = color.RGBA{0x1f, 0x6f, 0xb4, 0xff}
	orange = color.RGBA{0xd9, 0x6a, 0x0b, 0xff}
)

// scale gives a colour to each value in [low, high].
type scale struct {
	low, high float64
	colors    []color.RGBA // at equal distances, light growing or falling evenly
}

// Both can be told apart without red and green.
var (
	gates  = []color.RGBA{{0xfb, 0xfb, 0xf5, 0xff}, {0x9f, 0xd3, 0xc0, 0xff}, {0x3a, 0x95, 0x8d, 0xff}, {0x0f, 0x56, 0x5c, 0xff}, {0x05, 0x1e, 0x2b, 0xff}}
	states = []color.RGBA{{0x08, 0x2b, 0x55, 0xff}, {0x2f, 0x7f, 0xc1, 0xff}, {0xf7, 0xf7, 0xf7, 0xff}, {0xdf, 0x7f, 0x24, 0xff}, {0x6b, 0x2a, 0x00, 0xff}}
)

// shades of a scale; more would not be seen, and cost bytes.
const shades = 64

// at is the colour of v.
func (s scale) at(v float64) color.RGBA {
	part := max(0, min((v-s.low)/(s.high-s.low), 1))
	part = math.Round(part*shades) / shades * float64(len(s.colors)-1)
	i := min(int(part), len(s.colors)-2)
	a, b := s.colors[i], s.colors[i+1]
	mix := func(a, b uint8) uint8 {
		return uint8(math.Round(float64(a) + (part-float64(i))*(float64(b)-float64(a))))
	}
	return color.RGBA{mix(a.R, b.R), mix(a.G, b.G), mix(a.B, b.B), 0xff}
}
