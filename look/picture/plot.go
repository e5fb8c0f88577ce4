package picture

import (
	"cmp"
	"fmt"
	"image/color"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// newPlot is an empty plot with a grid.
func newPlot(title, x string) *plot.Plot {
	p := plot.New()
	for _, t := range []*text.Style{&p.Title.TextStyle, &p.X.Label.TextStyle, &p.X.Tick.Label, &p.Y.Tick.Label} {
		t.Font.Variant, t.Color = "Sans", black
		t.Font.Size = small
	}
	p.Title.TextStyle.Font.Size = large * 0.9
	p.Title.Text, p.X.Label.Text = title, x
	p.Title.Padding, p.X.Label.Padding = 8, 4
	grid := plotter.NewGrid()
	grid.Horizontal.Color, grid.Vertical.Color = pale, pale
	p.Add(grid)
	return p
}

// show draws p on c and names its y axis, for which gonum/plot leaves too much
// room where the scale is logarithmic. It returns where the points are.
func show(c draw.Canvas, p *plot.Plot, y string) (area draw.Canvas) {
	c = draw.Crop(c, 16, 0, 0, 0)
	p.Draw(c)
	area = p.DataCanvas(c)
	sty := p.X.Label.TextStyle
	sty.Rotation, sty.XAlign, sty.YAlign = math.Pi/2, text.XCenter, text.YTop
	c.FillText(sty, vg.Point{X: c.Min.X - 14, Y: (area.Min.Y + area.Max.Y) / 2}, y)
	return area
}

// logY makes the y axis logarithmic from low to high, with some air.
func logY(p *plot.Plot, low, high float64) {
	if !(low > 0 && high >= low) {
		low, high = 0.1, 1
	}
	air := math.Exp(max(0.04*math.Log(high/low), 0.1))
	p.Y.Min, p.Y.Max = low/air, high*air
	p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, plot.TickerFunc(logTicks)
}

// logTicks stand at powers of ten, at more round numbers where these are few, or
// else evenly.
func logTicks(low, high float64) []plot.Tick {
	from, to := int(math.Floor(math.Log10(low))), int(math.Ceil(math.Log10(high)))
	every := (to - from + 6) / 7
	for _, digits := range [][]float64{{1}, {1, 2, 5}, {1, 1.5, 2, 3, 5, 7}} {
		var ticks []plot.Tick
		for n := from; n <= to; n++ {
			for _, d := range digits {
				if v := d * math.Pow10(n); n%every == 0 && v >= low && v <= high {
					ticks = append(ticks, plot.Tick{Value: v, Label: tickLabel(d, n)})
				}
			}
		}
		if len(ticks) >= 3 {
			return ticks
		}
	}
	return plot.DefaultTicks{}.Ticks(low, high)
}

func tickLabel(digit float64, power int) string {
	if power >= -2 && power <= 3 {
		return strconv.FormatFloat(digit*math.Pow10(power), 'g', 4, 64)
	}
	return strings.Replace(fmt.Sprintf("%ge%d", digit, power), "-", "−", 1)
}

// curve is a line with its name at its end.
type curve struct {
	name   string
	points plotter.XYs
	color  color.Color
	dashed bool
	lost   bool // a cross marks its end
}

func (l curve) end() plotter.XY { return l.points[len(l.points)-1] }

// lines draws p, curves over it, on c less margins, and their names: beside
// the frame, or beside a curve that ends early.
func lines(c draw.Canvas, p *plot.Plot, y string, curves []curve) error {
	room := vg.Length(0)
	for _, l := range curves {
		line, err := plotter.NewLine(l.points)
		if err != nil {
			return err
		}
		line.Color, line.Width = l.color, 1.6
		if l.dashed {
			line.Dashes = []vg.Length{4, 3}
		}
		p.Add(line)
		if l.end().X >= p.X.Max {
			room = max(room, width(l.name, small)+8)
		}
	}
	c = draw.Crop(c, 0, -max(room, 10), 0, 0)
	area := show(c, p, y)
	toX, toY := p.Transforms(&area)
	type label struct {
		curve
		at vg.Point
	}
	var labels []label
	for _, l := range curves {
		at := vg.Point{X: toX(l.end().X), Y: toY(l.end().Y)}
		if l.lost {
			area.DrawGlyphNoClip(draw.GlyphStyle{Color: l.color, Radius: 4, Shape: draw.CrossGlyph{}}, at)
		}
		labels = append(labels, label{l, vg.Point{X: at.X + 6, Y: at.Y - 3}})
	}
	slices.SortStableFunc(labels, func(a, b label) int { return cmp.Compare(a.at.Y, b.at.Y) })
	const apart = 11
	for i := range labels { // upwards, so that none touches the one below
		for _, below := range labels[:i] {
			if near := below.at.Y + apart; labels[i].at.Y < near && (labels[i].lost == below.lost) {
				labels[i].at.Y = near
			}
		}
	}
	if n := len(labels); n > 0 { // and back down where they left the frame
		if over := labels[n-1].at.Y - (area.Max.Y - 6); over > 0 && !labels[n-1].lost {
			limit := area.Max.Y - 6
			for i := n - 1; i >= 0 && labels[i].at.Y > limit; i-- {
				labels[i].at.Y = limit
				limit -= apart
			}
		}
	}
	for _, l := range labels {
		c.SetColor(l.color)
		c.FillString(face(small), l.at, l.name)
	}
	return nil
}
