package picture

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot/vg"

	"sluice/look"
)

// MaxDrawn is how many symbols a picture of gates has room for, MaxPixels how many
// pixels, and MaxLayers how many layers any picture.
const (
	MaxDrawn  = 200
	MaxPixels = 32 << 20
	MaxLayers = 8
)

// Gates is the picture of the gates and states over a text: a panel for each
// vector, units down, symbols along.
type Gates struct {
	Title   string
	Cell    string
	Unit    string   // what a symbol is: "character"
	Symbols []string // (T)
	Trace   *look.Trace
}

// Drawable implements Picture. Of a Trace that has yet to be read the layers are
// enough, to know most of what cannot be.
func (g *Gates) Drawable() error {
	if n := len(g.Symbols); n > MaxDrawn {
		return fmt.Errorf("picture: a text of %d %ss: a picture has room for %d, want a shorter one or .npz", n, g.Unit, MaxDrawn)
	}
	if err := layersDrawable(len(g.Trace.Layers)); err != nil {
		return err
	}
	if w, h := g.size(); w*h > MaxPixels {
		return fmt.Errorf("picture: %d × %d pixels: a picture has room for %d, want a shorter text or .npz", w, h, MaxPixels)
	}
	return nil
}

func layersDrawable(n int) error {
	if n > MaxLayers {
		return fmt.Errorf("picture: %d layers: a picture has room for %d, .npz for them all", n, MaxLayers)
	}
	return nil
}

// The measures of the picture, in pixels.
const (
	gatesLeft   = 30
	gatesRight  = 130
	gatesWidth  = 1000 // of the panels, at least
	headHeight  = 50
	titleHeight = 44 // of a panel
	barsHeight  = 90
	noteHeight  = 26
)

// plan is where things are.
type plan struct {
	column int // width of a symbol's column
	font   vg.Length
	axis   int // height of the symbols below a panel
	up     bool
	rows   int // lines of a panel
	panel  int // height of one
}

func (g *Gates) plan() plan {
	p := plan{font: large, column: 14}
	longest := 0.0
	for _, s := range g.Symbols {
		s = label(s)
		longest = max(longest, float64(width(s, large)/px))
		if r := []rune(s); len(r) > 1 {
			p.up = true
		} else if wide(r[0]) {
			p.column = 28
		}
	}
	if p.up {
		p.column = 28
	}
	p.column = max(p.column, min(48, gatesWidth/len(g.Symbols)))
	if p.column < 20 {
		p.font = small
	}
	p.axis = 36
	if p.up {
		p.axis = int(longest) + 16
	}
	units := len(g.Trace.Layers[0].Order)
	p.rows = min(units, 512)
	p.panel = p.rows * max(1, 150/max(1, p.rows))
	return p
}

func (g *Gates) size() (w, h int) {
	p := g.plan()
	panels := 0
	for _, l := range g.Trace.Layers {
		panels += len(l.Vectors)
	}
	h = headHeight + titleHeight + barsHeight + p.axis + panels*(titleHeight+p.panel) + len(g.Trace.Layers)*p.axis + 2*noteHeight + 20
	return gatesLeft + max(gatesWidth, p.column*len(g.Symbols)) + gatesRight, h
}

func (g *Gates) draw(c *canvas) {
	p := g.plan()
	c.write(gatesLeft, 34, words{text: g.Title, size: large})
	y := headHeight + titleHeight
	g.bars(c, p, y)
	y += barsHeight
	g.axis(c, p, y)
	y += p.axis
	for l, layer := range g.Trace.Layers {
		for _, v := range layer.Vectors {
			y += titleHeight
			title := meaning(g.Cell, v.Name)
			if len(g.Trace.Layers) > 1 {
				title = fmt.Sprintf("layer %d, %s", l+1, title)
			}
			c.write(gatesLeft, float64(y-10), words{text: title, size: small})
			g.heat(c, p, y, layer, v)
			y += p.panel
		}
		g.axis(c, p, y)
		y += p.axis
	}
	for _, note := range g.notes(p) {
		y += noteHeight
		c.write(gatesLeft, float64(y), words{text: note, size: small, color: middle})
	}
}

func (g *Gates) notes(p plan) []string {
	units := len(g.Trace.Layers[0].Order)
	lines := "one line a unit"
	if p.rows < units {
		lines = fmt.Sprintf("a line is the mean of %.1f units", float64(units)/float64(p.rows))
	}
	notes := []string{lines + "; units whose h moves least from step to step come first, from the top"}
	axis := fmt.Sprintf("each column is a step: after it has read the %s below", g.Unit)
	if slices.Contains(g.Symbols, " ") {
		axis += "; · is a space"
	}
	if slices.Contains(g.Symbols, "\n") {
		axis += "; ¶ is a newline"
	}
	return append(notes, axis)
}

// axis writes the symbols below y.
func (g *Gates) axis(c *canvas, p plan, y int) {
	for t, s := range g.Symbols {
		x := float64(gatesLeft) + (float64(t)+0.5)*float64(p.column)
		if p.up {
			c.write(x+7, float64(y+8), words{text: label(s), size: p.font, up: true, align: 1})
		} else {
			c.write(x, float64(y+25), words{text: label(s), size: p.font, align: 0.5})
		}
	}
}

// bars draws what each symbol cost.
func (g *Gates) bars(c *canvas, p plan, y int) {
	c.write(gatesLeft, float64(y-10), words{text: fmt.Sprintf("surprise: nats that each %s cost, given those before it", g.Unit), size: small})
	top := 1.0
	for _, v := range g.Trace.Nats[1:] {
		top = max(top, math.Ceil(v))
	}
	right := gatesLeft + p.column*len(g.Symbols)
	for _, part := range []float64{0, 0.5, 1} {
		at := y + barsHeight - int(part*(barsHeight-8))
		c.fill(image.Rect(gatesLeft, at, right, at+1), pale)
		c.write(float64(right+8), float64(at+6), words{text: fmt.Sprintf("%.3g", part*top), size: small})
	}
	for t, v := range g.Trace.Nats {
		if math.IsNaN(v) {
			continue // nothing foretells the first
		}
		if high := int(math.Round(min(v, top) / top * (barsHeight - 8))); high > 0 {
			x := gatesLeft + t*p.column
			c.fill(image.Rect(x+2, y+barsHeight-high, x+p.column-2, y+barsHeight), middle)
		}
	}
}

// heat draws a vector and its scale.
func (g *Gates) heat(c *canvas, p plan, y int, layer look.Layer, v look.Vector) {
	units, steps, s := len(layer.Order), len(g.Symbols), scaleOf(v)
	r := image.Rect(gatesLeft, y, gatesLeft+p.column*steps, y+p.panel)
	c.cells(r, steps, p.rows, func(t, row int) color.RGBA {
		sum, from, to := 0.0, row*units/p.rows, (row+1)*units/p.rows
		for _, u := range layer.Order[from:to] {
			sum += float64(v.Values[t*units+u])
		}
		return s.at(sum / float64(to-from))
	})
	c.frame(r)
	bar := image.Rect(r.Max.X+24, y, r.Max.X+44, y+p.panel)
	c.cells(bar, 1, shades, func(_, i int) color.RGBA { return s.at(s.high - (s.high-s.low)*float64(i)/(shades-1)) })
	c.frame(bar)
	for _, part := range []float64{0, 0.5, 1} {
		at := float64(bar.Max.Y) - part*float64(p.panel)
		c.write(float64(bar.Max.X+8), at+[]float64{0, 7, 14}[int(2*part)], words{text: strings.Replace(fmt.Sprintf("%.3g", s.low+part*(s.high-s.low)), "-", "−", 1), size: small})
	}
}

// scaleOf is from 0 to 1 for gates, and the same on both sides of 0 for what
// has a sign.
func scaleOf(v look.Vector) scale {
	top := 1.0
	switch v.Name {
	case "r", "z", "i", "f", "o":
		return scale{0, 1, gates}
	case "h", "c":
		top = 0
		for _, x := range v.Values {
			top = max(top, math.Abs(float64(x)))
		}
		top = round(top)
	}
	if v.Name != "n" && v.Name != "g" && !slices.ContainsFunc(v.Values, func(x float32) bool { return x < 0 }) {
		return scale{0, top, gates}
	}
	return scale{-top, top, states}
}

// round is the next of 1, 2 and 5 times a power of ten.
func round(v float64) float64 {
	if !(v > 1e-30 && v < 1e30) {
		return 1
	}
	unit := math.Pow(10, math.Floor(math.Log10(v)))
	for _, n := range []float64{1, 2, 5} {
		if n*unit >= v {
			return n * unit
		}
	}
	return 10 * unit
}

// meaning says what a vector is.
func meaning(cell, name string) string {
	says := map[string]string{
		"gru r": "r, reset gate: how much of the old state goes into n", "gru z": "z, update gate: how much of the old state stays",
		"gru n": "n, candidate: what may come in", "gru h": "h, state",
		"lstm i": "i, input gate: how much of g goes into c", "lstm f": "f, forget gate: how much of the old c stays",
		"lstm g": "g, candidate: what may come in", "lstm o": "o, output gate: how much of c goes into h",
		"lstm c": "c, cell state", "lstm h": "h, state: what the next layer reads", "rnn h": "h, state",
	}[cell+" "+name]
	if says == "" {
		return name
	}
	return says
}

func (g *Gates) arrays() []array {
	a := []array{{"symbols", g.Symbols}, {"nats", g.Trace.Nats}}
	for l, layer := range g.Trace.Layers {
		order := make([]int64, len(layer.Order))
		for i, u := range layer.Order {
			order[i] = int64(u)
		}
		a = append(a, array{fmt.Sprintf("l%d.order", l), order})
		for _, v := range layer.Vectors {
			a = append(a, array{fmt.Sprintf("l%d.%s", l, v.Name), dense(v.Values, len(g.Symbols))})
		}
	}
	return a
}
