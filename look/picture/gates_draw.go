package picture

import (
	"fmt"
	"image"
	"math"
	"slices"

	"gonum.org/v1/plot/vg"
)

// plan is where things are.
type plan struct {
	column int // width of a step's column
	font   vg.Length
	up     bool // the symbols are written from below upwards
	axis   int  // height of the symbols and tags below a panel
	tags   int  // height of the tags alone
	tagsUp bool
	rows   int // lines of a panel
	panel  int // height of one
}

func (g *Gates) plan() plan {
	p := plan{font: large, column: 14}
	units := len(g.Trace.Layers[0].Order)
	p.rows = min(units, 512)
	p.panel = p.rows * max(1, 150/max(1, p.rows))
	if g.Symbols == nil {
		p.column, p.axis = max(2, min(48, gatesWidth/len(g.Numbers))), 36
		return p
	}
	for _, s := range g.Symbols {
		if r := []rune(label(s)); len(r) > 1 {
			p.up = true
		} else if len(r) == 1 && wide(r[0]) {
			p.column = 28
		}
	}
	tag, most := widest(g.Tags, small), 48
	if g.Tags != nil {
		most = 100
		if p.up {
			p.font = small
		}
		if column := max(widest(g.Symbols, small), tag) + 14; p.up && column*len(g.Symbols) <= besides {
			p.up, p.column = false, column
		}
	}
	if p.up {
		p.column = 28
	}
	p.column = max(p.column, min(tag+6, 28), min(most, gatesWidth/len(g.Symbols)))
	p.tagsUp = tag+6 > p.column
	if p.column < 20 {
		p.font = small
	}
	p.axis = 36
	if p.up {
		p.axis = widest(g.Symbols, p.font) + 16
	}
	switch {
	case g.Tags == nil:
	case p.tagsUp:
		p.tags = tag + 12
	default:
		p.tags = 30
	}
	p.axis += p.tags
	return p
}

// besides is the width of a picture with tags, at most, in which words stand
// beside each other instead of upright.
const besides = 1400

// widest is the width of the longest of symbols, in whole pixels.
func widest(symbols []string, size vg.Length) int {
	longest := 0.0
	for _, s := range symbols {
		longest = max(longest, float64(width(label(s), size)/px))
	}
	return int(longest)
}

// head is the height of what stands above the symbols at the top.
func (g *Gates) head() int {
	if g.Trace.Nats == nil && g.Numbers == nil {
		return 16
	}
	return titleHeight + barsHeight
}

func (g *Gates) size() (w, h int) {
	p := g.plan()
	panels := 0
	for _, l := range g.Trace.Layers {
		panels += len(l.Vectors)
	}
	h = headHeight + g.head() + p.axis + panels*(titleHeight+p.panel) + len(g.Trace.Layers)*p.axis + 2*noteHeight + 20
	return gatesLeft + max(gatesWidth, p.column*g.steps()) + gatesRight, h
}

func (g *Gates) draw(c *canvas) {
	p := g.plan()
	c.write(gatesLeft, 34, words{text: g.Title, size: large})
	y := headHeight + g.head()
	switch {
	case g.Trace.Nats != nil:
		g.bars(c, p, y-barsHeight)
	case g.Numbers != nil:
		g.line(c, p, y-barsHeight)
	}
	g.axis(c, p, y)
	y += p.axis
	for l, layer := range g.Trace.Layers {
		for _, v := range layer.Vectors {
			y += titleHeight
			c.write(gatesLeft, float64(y-10), words{text: g.name(l) + meaning(g.Cell, v.Name), size: small})
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

// name is that of the l-th of the Trace's layers where it is not the only one.
func (g *Gates) name(l int) string {
	switch {
	case len(g.Trace.Layers) == 1:
		return ""
	case g.directions() == 1:
		return fmt.Sprintf("layer %d, ", l+1)
	}
	return fmt.Sprintf("layer %d %s, ", l/2+1, g.Trace.Layers[l].Direction)
}

func (g *Gates) notes(p plan) []string {
	units := len(g.Trace.Layers[0].Order)
	lines := "one line a unit"
	if p.rows < units {
		lines = fmt.Sprintf("a line is the mean of %.1f units", float64(units)/float64(p.rows))
	}
	vectors := g.Trace.Layers[0].Vectors
	notes := []string{lines + "; units whose " + vectors[len(vectors)-1].Name + " moves least from step to step come first, from the top"}
	axis := "each column is a step"
	if g.Symbols != nil {
		axis += fmt.Sprintf(": after it has read the %s below", g.Unit)
	}
	if g.directions() == 2 {
		axis += "; forward reads from the left, backward from the right"
	}
	if slices.Contains(g.Symbols, " ") {
		axis += "; · is a space"
	}
	if slices.Contains(g.Symbols, "\n") {
		axis += "; ¶ is a newline"
	}
	return append(notes, axis)
}

// axis writes the symbols and tags below y.
func (g *Gates) axis(c *canvas, p plan, y int) {
	middleOf := func(t int) float64 { return float64(gatesLeft) + (float64(t)+0.5)*float64(p.column) }
	if g.Symbols == nil {
		for _, tick := range wholeTicks(1, float64(len(g.Numbers))) {
			c.write(middleOf(int(tick.Value)-1), float64(y+22), words{text: tick.Label, size: small, align: 0.5})
		}
		return
	}
	for t, s := range g.Symbols {
		if p.up {
			c.write(middleOf(t)+7, float64(y+8), words{text: label(s), size: p.font, up: true, align: 1})
		} else {
			c.write(middleOf(t), float64(y+25), words{text: label(s), size: p.font, align: 0.5})
		}
	}
	y += p.axis - p.tags
	for t, s := range g.Tags {
		if p.tagsUp {
			c.write(middleOf(t)+6, float64(y+2), words{text: label(s), size: small, color: blue, up: true, align: 1})
		} else {
			c.write(middleOf(t), float64(y+16), words{text: label(s), size: small, color: blue, align: 0.5})
		}
	}
}

// levels draws lines at the bottom, the middle and the top of what stands above
// the symbols, from y on, and writes the values there.
func (g *Gates) levels(c *canvas, p plan, y int, low, high float64) {
	right := gatesLeft + p.column*g.steps()
	for _, part := range []float64{0, 0.5, 1} {
		at := y + barsHeight - int(part*(barsHeight-8))
		c.fill(image.Rect(gatesLeft, at, right, at+1), pale)
		c.write(float64(right+8), float64(at+6), words{text: brief(low + part*(high-low)), size: small})
	}
}

// bars draws what each symbol cost.
func (g *Gates) bars(c *canvas, p plan, y int) {
	c.write(gatesLeft, float64(y-10), words{text: fmt.Sprintf("surprise: nats that each %s cost, given those before it", g.Unit), size: small})
	top := 1.0
	for _, v := range g.Trace.Nats[1:] {
		top = max(top, math.Ceil(v))
	}
	g.levels(c, p, y, 0, top)
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

// line draws the numbers that are read.
func (g *Gates) line(c *canvas, p plan, y int) {
	c.write(gatesLeft, float64(y-10), words{text: "the numbers that it reads", size: small})
	low, high := extent(g.Numbers)
	g.levels(c, p, y, low, high)
	c.trend(g.Numbers, black, thin, nil, func(t int, v float64) (float64, float64) {
		return float64(gatesLeft) + (float64(t)+0.5)*float64(p.column), float64(y+barsHeight) - (v-low)/(high-low)*(barsHeight-8)
	})
}
