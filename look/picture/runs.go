package picture

import (
	"fmt"
	"image/color"
	"math"

	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"
)

// Run is how a loss fell in a training: Losses[i] after so many updates.
type Run struct {
	Name    string
	Updates []int
	Losses  []float64
}

// Runs is the picture of the losses of runs, as far as these are above 0.
type Runs struct {
	Title   string
	Measure string // what a loss is
	Runs    []Run
	Level   float64 // of a dashed line, with a name; 0: none
	Named   string
}

// MaxRuns is how many lines can be told apart.
const MaxRuns = 6

var runColors = []color.Color{black, blue, orange, color.RGBA{0x1a, 0x93, 0x6f, 0xff}, color.RGBA{0xa8, 0x3c, 0x8f, 0xff}, middle}

// Drawable implements Picture.
func (r *Runs) Drawable() error {
	if n := len(r.Runs); n > MaxRuns {
		return fmt.Errorf("picture: %d runs: want at most %d, whose lines can be told apart", n, MaxRuns)
	}
	for _, run := range r.Runs {
		if len(run.points()) == 0 {
			return fmt.Errorf("picture: %s: no epoch was finished, so there is nothing to draw", run.Name)
		}
	}
	return nil
}

func (r *Runs) size() (w, h int) { return 1100, 640 }

func (r Run) points() plotter.XYs {
	return drawn(r.Losses, func(i int) float64 { return float64(r.Updates[i]) })
}

func (r *Runs) draw(c *canvas) {
	p := newPlot(r.Title, "update")
	low, high := math.Inf(1), 0.0
	var curves []curve
	for i, run := range r.Runs {
		l := curve{name: run.Name, color: runColors[i], points: run.points()}
		for _, xy := range l.points {
			low, high = min(low, xy.Y), max(high, xy.Y)
		}
		p.X.Max = max(p.X.Max, l.end().X)
		curves = append(curves, l)
	}
	p.X.Min = 0
	if r.Level > 0 {
		low, high = min(low, r.Level), max(high, r.Level)
		curves = append(curves, curve{name: r.Named, color: middle, dashed: true, points: plotter.XYs{{X: 0, Y: r.Level}, {X: p.X.Max, Y: r.Level}}})
	}
	logY(p, low, high)
	must(lines(draw.Crop(c.Canvas, 4, -4, 6, -8), p, r.Measure, curves))
}

func (r *Runs) arrays() (arrays []array) {
	for _, run := range r.Runs {
		updates := make([]int64, len(run.Updates))
		for i, n := range run.Updates {
			updates[i] = int64(n)
		}
		arrays = append(arrays, array{run.Name + ".updates", updates}, array{run.Name + ".losses", run.Losses})
	}
	return arrays
}
