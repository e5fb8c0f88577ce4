package picture

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"slices"

	"sluice/look"
)

// MaxDrawn is how many symbols a picture of gates has room for, MaxSteps how many
// steps of numbers, MaxPixels how many pixels, and MaxLayers how many layers any
// picture.
const (
	MaxDrawn  = 200
	MaxSteps  = 1000
	MaxPixels = 32 << 20
	MaxLayers = 8
)

// Gates is the picture of the gates and states over a text or over numbers: a
// panel for each vector, units down, steps along. Above them is what each symbol
// cost, if the Trace has it, or the Numbers.
type Gates struct {
	Title   string
	Cell    string
	Unit    string    // what a symbol is: "character"
	Symbols []string  // (T)
	Tags    []string  // (T) what is written beneath each symbol; nil: nothing
	Numbers []float64 // (T) what is read, where Symbols is nil: steps are numbered from 1
	Trace   *look.Trace
}

func (g *Gates) steps() int { return max(len(g.Symbols), len(g.Numbers)) }

// Drawable implements Picture. Of a Trace that has yet to be read the layers are
// enough, to know most of what cannot be.
func (g *Gates) Drawable() error {
	if n := len(g.Symbols); n > MaxDrawn {
		return fmt.Errorf("picture: a text of %d %ss: a picture has room for %d, want a shorter one or .npz", n, g.Unit, MaxDrawn)
	}
	if n := len(g.Numbers); n > MaxSteps {
		return fmt.Errorf("picture: %d steps: a picture has room for %d, want fewer or .npz", n, MaxSteps)
	}
	if err := layersDrawable(len(g.Trace.Layers) / g.directions()); err != nil {
		return err
	}
	if w, h := g.size(); w*h > MaxPixels {
		return fmt.Errorf("picture: %d × %d pixels: a picture has room for %d, want a shorter text or .npz", w, h, MaxPixels)
	}
	return nil
}

// directions is how many each layer has.
func (g *Gates) directions() int {
	if l := g.Trace.Layers; len(l) > 1 && l[0].Direction != l[1].Direction {
		return 2
	}
	return 1
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

// heat draws a vector and its scale.
func (g *Gates) heat(c *canvas, p plan, y int, layer look.Layer, v look.Vector) {
	units, steps, s := len(layer.Order), g.steps(), scaleOf(v)
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
		c.write(float64(bar.Max.X+8), at+[]float64{0, 7, 14}[int(2*part)], words{text: brief(s.low + part*(s.high-s.low)), size: small})
	}
}

// scaleOf is from 0 to 1 for gates, and the same on both sides of 0 for what
// has a sign.
func scaleOf(v look.Vector) scale {
	top, largest := 1.0, 0.0
	for _, x := range v.Values {
		largest = max(largest, math.Abs(float64(x)))
	}
	switch v.Name {
	case "r", "z", "i", "f", "o":
		if largest <= 1 && !slices.ContainsFunc(v.Values, func(x float32) bool { return x < 0 }) {
			return scale{0, 1, gates}
		}
	case "h", "c", "m":
		top = round(largest)
	}
	if largest > top { // of another activation than the textbook's
		top = round(largest)
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

func (g *Gates) arrays() (a []array) {
	if g.Symbols != nil {
		a = append(a, array{"symbols", g.Symbols})
	}
	if g.Tags != nil {
		a = append(a, array{"tags", g.Tags})
	}
	if g.Numbers != nil {
		a = append(a, array{"numbers", g.Numbers})
	}
	if g.Trace.Nats != nil {
		a = append(a, array{"nats", g.Trace.Nats})
	}
	for l, layer := range g.Trace.Layers {
		prefix := fmt.Sprintf("l%d", l/g.directions())
		if l%g.directions() == 1 {
			prefix += "_reverse" // as the tensors of the weights are named
		}
		order := make([]int64, len(layer.Order))
		for i, u := range layer.Order {
			order[i] = int64(u)
		}
		a = append(a, array{prefix + ".order", order})
		for _, v := range layer.Vectors {
			a = append(a, array{prefix + "." + v.Name, dense(v.Values, g.steps())})
		}
	}
	return a
}
