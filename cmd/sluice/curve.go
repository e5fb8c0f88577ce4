package main

import (
	"bytes"
	"fmt"
	"image/color"
	"io"
	"math"
	"strconv"
	"unicode"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"

	"sluice/train"
)

const (
	curveWidth  = 6.4 * vg.Inch
	curveHeight = 4 * vg.Inch
	curveDPI    = 160
)

var (
	blue   = color.RGBA{0x1f, 0x6f, 0xb4, 0xff}
	orange = color.RGBA{0xd9, 0x6a, 0x0b, 0xff}
	grey   = color.RGBA{0xe2, 0xe2, 0xe2, 0xff}
)

// title is the curve's: what was trained on what, as far as its fonts can
// write it.
func title(j job) string {
	name := j.source.name
	for _, r := range name {
		if r > unicode.MaxLatin1 {
			name = "a text"
			break
		}
	}
	return fmt.Sprintf("%s %d on %s", j.config.Model.RNN.Cell, j.config.Model.RNN.Hidden, name)
}

// drawCurve writes the losses of a run over its epochs as "png" or
// "svg", with a mark on the epoch kept.
func drawCurve(w io.Writer, format, title string, m gauge, curve []train.Epoch, kept int) error {
	p, err := plotCurve(title, m, curve, kept)
	if err != nil {
		return fmt.Errorf("curve: %w", err)
	}
	var canvas interface {
		vg.CanvasSizer
		io.WriterTo
	}
	if format == "svg" {
		canvas = vgsvg.New(curveWidth, curveHeight)
	} else {
		canvas = vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(curveWidth, curveHeight), vgimg.UseDPI(curveDPI))}
	}
	p.Draw(draw.Crop(draw.New(canvas), 4, -14, 6, -8))
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return fmt.Errorf("curve: %w", err)
	}
	const family = "font-family:Liberation Sans" // others where a viewer of the SVG lacks it
	_, err = w.Write(bytes.ReplaceAll(b.Bytes(), []byte(family+";"), []byte(family+",Arial,Helvetica,sans-serif;")))
	return err
}

func plotCurve(title string, m gauge, curve []train.Epoch, kept int) (*plot.Plot, error) {
	training := points(curve, func(e train.Epoch) float64 { return m.of(e.Loss) })
	heldOut := points(curve, func(e train.Epoch) float64 {
		if e.HeldOutLoss == 0 {
			return 0
		}
		return m.of(e.HeldOutLoss)
	})
	p := plot.New()
	for _, text := range []*text.Style{&p.Title.TextStyle, &p.X.Label.TextStyle, &p.Y.Label.TextStyle, &p.X.Tick.Label, &p.Y.Tick.Label, &p.Legend.TextStyle} {
		text.Font.Variant = "Sans"
	}
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = title, "epoch", m.name+" (log scale)"
	p.Title.Padding, p.X.Label.Padding, p.Y.Label.Padding = 8, 4, 4
	p.Legend.Top, p.Legend.Padding, p.Legend.XOffs, p.Legend.YOffs = true, 3, -6, -4
	grid := plotter.NewGrid()
	grid.Horizontal.Color, grid.Vertical.Color = grey, grey
	p.Add(grid)
	for _, s := range []struct {
		name   string
		points plotter.XYs
		color  color.Color
	}{{"training", training, blue}, {"held out", heldOut, orange}} {
		if len(s.points) == 0 {
			continue
		}
		line, dots, err := plotter.NewLinePoints(s.points)
		if err != nil {
			return nil, err
		}
		line.Color, line.Width = s.color, 1.5
		dots.GlyphStyle = draw.GlyphStyle{Color: s.color, Radius: 1.6, Shape: draw.CircleGlyph{}}
		p.Add(line)
		if len(s.points) <= 60 {
			p.Add(dots)
		}
		p.Legend.Add(s.name, line)
	}
	if err := markKept(p, kept, training, heldOut); err != nil {
		return nil, err
	}
	scale(p, len(curve), append(training, heldOut...))
	return p, nil
}

// markKept rings the points of the epoch kept.
func markKept(p *plot.Plot, kept int, lines ...plotter.XYs) error {
	var marks plotter.XYs
	for _, line := range lines {
		for _, point := range line {
			if point.X == float64(kept) {
				marks = append(marks, point)
			}
		}
	}
	if len(marks) == 0 {
		return nil
	}
	rings, err := plotter.NewScatter(marks)
	if err != nil {
		return err
	}
	rings.GlyphStyle = draw.GlyphStyle{Color: color.Black, Radius: 4.5, Shape: draw.RingGlyph{}}
	p.Add(rings)
	p.Legend.Add(fmt.Sprintf("kept: epoch %d", kept), rings)
	return nil
}

// points leave out what is not there or too large to draw.
func points(curve []train.Epoch, y func(train.Epoch) float64) plotter.XYs {
	var xy plotter.XYs
	for _, e := range curve {
		if v := y(e); v > 0 && v < math.MaxFloat32 {
			xy = append(xy, plotter.XY{X: float64(e.Epoch), Y: v})
		}
	}
	return xy
}

// scale sets the axes around the points, with some air.
func scale(p *plot.Plot, epochs int, all plotter.XYs) {
	p.X.Min, p.X.Max = 1, float64(epochs)
	if epochs == 1 {
		p.X.Min, p.X.Max = 0, 2
	}
	low, high := math.Inf(1), 0.0
	for _, xy := range all {
		low, high = min(low, xy.Y), max(high, xy.Y)
	}
	if len(all) == 0 {
		low, high = 1, 10
	}
	air := max(0.06*math.Log(high/low), 0.05)
	p.Y.Min, p.Y.Max = low*math.Exp(-air), high*math.Exp(air)
	p.Y.Scale = plot.LogScale{}
	p.Y.Tick.Marker = plot.TickerFunc(logTicks)
	p.X.Tick.Marker = plot.TickerFunc(epochTicks)
}

// logTicks stand at round numbers, as many as are needed.
func logTicks(low, high float64) []plot.Tick {
	for _, mantissas := range [][]float64{{1}, {1, 2, 5}, {1, 1.5, 2, 3, 5, 7}} {
		var ticks []plot.Tick
		for e := math.Floor(math.Log10(low)); e <= math.Log10(high); e++ {
			for _, m := range mantissas {
				if v := m * math.Pow(10, e); v >= low && v <= high {
					ticks = append(ticks, plot.Tick{Value: v, Label: tickLabel(v)})
				}
			}
		}
		if len(ticks) >= 4 {
			return thin(ticks)
		}
	}
	ticks := plot.DefaultTicks{}.Ticks(low, high) // evenly: there is little between low and high
	for i, t := range ticks {
		if t.Label != "" {
			ticks[i].Label = tickLabel(t.Value)
		}
	}
	return ticks
}

// thin leaves so few ticks that their labels do not touch.
func thin(ticks []plot.Tick) []plot.Tick {
	every := (len(ticks) + 9) / 10
	var kept []plot.Tick
	for i := 0; i < len(ticks); i += every {
		kept = append(kept, ticks[i])
	}
	return kept
}

func tickLabel(v float64) string {
	if v >= 1e6 {
		return fmt.Sprintf("%.0e", v)
	}
	return strconv.FormatFloat(v, 'g', 6, 64)
}

// epochTicks stand at whole epochs, ten of them at most.
func epochTicks(low, high float64) []plot.Tick {
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
