package picture

import (
	"fmt"
	"image/color"
	"math"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"
)

// Curve is the picture of a training: its losses after each epoch, as far as
// these are above 0.
type Curve struct {
	Title             string
	Measure           string    // what a loss is
	Training, HeldOut []float64 // (epochs); HeldOut may be nil
	Kept              int       // the epoch whose weights are kept, from 1; 0: none
}

// Drawable implements Picture.
func (c *Curve) Drawable() error { return nil }

func (c *Curve) size() (w, h int) { return 1024, 640 }

func (c *Curve) draw(on *canvas) {
	x := "epoch"
	if c.Kept > 0 {
		x = fmt.Sprintf("epoch; ring: the one kept, %d", c.Kept)
	}
	p := newPlot(c.Title, x)
	var curves []curve
	var rings plotter.XYs
	low, high := math.Inf(1), 0.0
	for _, l := range []struct {
		name   string
		losses []float64
		color  color.Color
	}{{"training", c.Training, blue}, {"held out", c.HeldOut, orange}} {
		points := drawn(l.losses, func(i int) float64 { return float64(i + 1) })
		for _, xy := range points {
			if low, high = min(low, xy.Y), max(high, xy.Y); xy.X == float64(c.Kept) {
				rings = append(rings, xy)
			}
		}
		if len(points) > 0 {
			curves = append(curves, curve{name: l.name, color: l.color, points: points})
		}
	}
	if len(c.Training) <= 60 {
		for _, l := range curves {
			addDots(p, l.points, draw.GlyphStyle{Color: l.color, Radius: 1.8, Shape: draw.CircleGlyph{}})
		}
	}
	addDots(p, rings, draw.GlyphStyle{Color: black, Radius: 4.5, Shape: draw.RingGlyph{}})
	p.X.Min, p.X.Max = 1, float64(len(c.Training))
	if len(c.Training) <= 1 {
		p.X.Min, p.X.Max = 0, 2
	}
	p.X.Tick.Marker = plot.TickerFunc(wholeTicks)
	logY(p, low, high)
	must(lines(draw.Crop(on.Canvas, 4, -4, 6, -8), p, c.Measure, curves))
}

func addDots(p *plot.Plot, points plotter.XYs, style draw.GlyphStyle) {
	if len(points) == 0 {
		return
	}
	dots, err := plotter.NewScatter(points)
	must(err)
	dots.GlyphStyle = style
	p.Add(dots)
}

// drawn are the losses that a logarithmic scale has room for, at x of their
// numbers.
func drawn(losses []float64, x func(i int) float64) (xy plotter.XYs) {
	for i, v := range losses {
		if v > 0 && v < math.MaxFloat32 {
			xy = append(xy, plotter.XY{X: x(i), Y: v})
		}
	}
	return xy
}

// wholeTicks stand at whole numbers from 1 on, ten of them at most.
func wholeTicks(low, high float64) []plot.Tick {
	step := 1.0
	for grow := 0; (high-low)/step > 10; grow++ {
		step *= []float64{2, 2.5, 2}[grow%3] // 1, 2, 5, 10, 20, 50 …
	}
	ticks := []plot.Tick{}
	for v := math.Ceil(low/step) * step; v <= high; v += step {
		if v >= 1 {
			ticks = append(ticks, plot.Tick{Value: v, Label: strconv.FormatFloat(v, 'f', -1, 64)})
		}
	}
	return ticks
}

func (c *Curve) arrays() []array {
	return []array{{"training", c.Training}, {"held_out", c.HeldOut}}
}
