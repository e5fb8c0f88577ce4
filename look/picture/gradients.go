package picture

import (
	"fmt"
	"image/color"
	"math"

	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"

	"sluice/look"
)

// Fall is how the norm of a gradient falls with the lag.
type Fall struct {
	Name   string
	Norms  []float64   // (Lags+1)
	Color  color.Color // nil: black
	Dashed bool
}

// Gradients is the picture of gradients that vanish and, unless there are no
// updates, of one that explodes.
type Gradients struct {
	Title         string
	Falls         []Fall
	Explosion     string // what is trained there
	Free, Clipped []look.Update
	Clip          float64
}

// The colours of Falls.
var (
	Black  color.Color = black
	Blue   color.Color = blue
	Orange color.Color = orange
)

// Drawable implements Picture.
func (g *Gradients) Drawable() error { return nil }

func (g *Gradients) size() (w, h int) {
	if g.Free == nil {
		return 1100, 640
	}
	return 1900, 640
}

func (g *Gradients) draw(c *canvas) {
	all := draw.Crop(c.Canvas, 4, -4, 6, -8)
	if g.Free == nil {
		must(g.vanishing(all))
		return
	}
	must(g.vanishing(draw.Crop(all, 0, -850*px, 0, 0)))
	must(g.exploding(draw.Crop(all, 1080*px, 0, 0, 0)))
}

// must panics: the points that plotter refuses have been left out.
func must(err error) {
	if err != nil {
		panic("picture: " + err.Error())
	}
}

// least is the least part of a gradient that is drawn.
const least = 1e-24

func (g *Gradients) vanishing(c draw.Canvas) error {
	p := newPlot(g.Title, "lag k: steps back from the loss")
	var curves []curve
	low, high := 1.0, 1.0
	for _, f := range g.Falls {
		l := curve{name: f.Name, color: f.Color, dashed: f.Dashed}
		for k, norm := range f.Norms {
			if v := norm / f.Norms[0]; v >= least && v < 1/least {
				l.points = append(l.points, plotter.XY{X: float64(k), Y: v})
				low, high = min(low, v), max(high, v)
			}
		}
		if l.points != nil { // all is NaN where the loss has no gradient
			curves = append(curves, l)
		}
		p.X.Max = max(p.X.Max, float64(len(f.Norms)-1))
	}
	p.X.Min = 0
	logY(p, low, high)
	return lines(c, p, "part of the gradient's norm that is left", curves)
}

func (g *Gradients) exploding(c draw.Canvas) error {
	p := newPlot(g.Explosion, "update")
	p.X.Min, p.X.Max = 1, float64(max(len(g.Free), len(g.Clipped)))
	low, high := math.Inf(1), 0.0
	var curves []curve
	for _, t := range []struct {
		name    string
		updates []look.Update
		color   color.Color
	}{{fmt.Sprintf("clipped at %g", g.Clip), g.Clipped, blue}, {"not clipped", g.Free, orange}} {
		l := curve{name: t.name, color: t.color}
		for i, u := range t.updates {
			if l.lost = u.Lost(); l.lost {
				l.name += fmt.Sprintf(": overflow in update %d", i+1)
				break
			}
			if u.Norm > 0 { // a logarithm has no place for 0
				low, high = min(low, u.Norm), max(high, u.Norm)
				l.points = append(l.points, plotter.XY{X: float64(i + 1), Y: u.Norm})
			}
		}
		if l.points != nil {
			curves = append(curves, l)
		}
	}
	logY(p, low, high)
	return lines(c, p, "norm of the gradient", curves)
}

func (g *Gradients) arrays() (a []array) {
	for _, f := range g.Falls {
		a = append(a, array{"gradient." + f.Name, f.Norms})
	}
	for _, t := range []struct {
		name    string
		updates []look.Update
	}{{"free", g.Free}, {"clipped", g.Clipped}} {
		if t.updates == nil {
			continue
		}
		var norms, nats []float64
		for _, u := range t.updates {
			norms, nats = append(norms, u.Norm), append(nats, u.Nats)
		}
		a = append(a, array{t.name + ".norm", norms}, array{t.name + ".nats", nats})
	}
	return a
}
