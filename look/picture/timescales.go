package picture

import (
	"fmt"
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"sluice/look"
)

// Timescales is the picture of how long units remember against what their
// gates do: a panel for each gate, a row for each layer.
type Timescales struct {
	Title  string
	Layers []look.Memory
}

const (
	scatterWidth, scatterHeight = 640, 520 // of a panel, pixels
	legendHeight                = 44
)

// Drawable implements Picture.
func (t *Timescales) Drawable() error { return layersDrawable(len(t.Layers)) }

func (t *Timescales) size() (w, h int) {
	return scatterWidth * len(t.Layers[0].Gates), headHeight + scatterHeight*len(t.Layers) + legendHeight
}

func (t *Timescales) draw(c *canvas) {
	c.write(20, 34, words{text: t.Title, size: large})
	w, h := t.size()
	legend := "each point is a unit; ρ: Spearman's rank correlation"
	dashed := false
	for l, layer := range t.Layers {
		top := headHeight + scatterHeight*l
		for g, gate := range layer.Gates {
			title := "ρ = " + Correlation(gate.Rank)
			if len(t.Layers) > 1 {
				title = fmt.Sprintf("layer %d, %s", l+1, title)
			}
			panel := draw.Crop(c.Canvas, 6+scatterWidth*px*vg.Length(g), -14-scatterWidth*px*vg.Length(len(layer.Gates)-1-g), px*vg.Length(h-top-scatterHeight+16), -px*vg.Length(top))
			leaks, err := scatter(panel, title, gate, layer.Lags)
			must(err)
			dashed = dashed || leaks
		}
	}
	if dashed {
		legend += "; dashed: a unit that keeps this part of its state at each step"
	}
	c.write(float64(w)/2, float64(h-16), words{text: legend, size: small, align: 0.5, color: middle})
}

// Correlation is a number with its sign.
func Correlation(v float64) string {
	switch {
	case math.IsNaN(v):
		return "undefined"
	case v < 0:
		return fmt.Sprintf("−%.2f", -v)
	}
	return fmt.Sprintf("+%.2f", v)
}

// scatter draws a panel, and says whether with the line of a leaky unit.
func scatter(c draw.Canvas, title string, gate look.Gate, lags []float64) (leaks bool, err error) {
	p := newPlot(title, "mean "+GateName(gate.Name))
	var points plotter.XYs
	low, high := math.Inf(1), 0.0
	for u, lag := range lags {
		if !math.IsNaN(lag) {
			points = append(points, plotter.XY{X: gate.Means[u], Y: lag})
			low, high = min(low, lag), max(high, lag)
		}
	}
	logY(p, low, high)
	if len(points) > 0 {
		s, err := plotter.NewScatter(points)
		if err != nil {
			return false, err
		}
		s.GlyphStyle = draw.GlyphStyle{Color: color.NRGBA{blue.R, blue.G, blue.B, 0xa0}, Radius: 2.2, Shape: draw.CircleGlyph{}}
		p.Add(s)
	}
	air := max(0.04*(p.X.Max-p.X.Min), 0.005)
	p.X.Min, p.X.Max = p.X.Min-air, p.X.Max+air
	if len(points) == 0 {
		p.X.Min, p.X.Max = 0, 1
	}
	if gate.Name == "z" || gate.Name == "f" {
		if leaks, err = leak(p, low, high); err != nil {
			return false, err
		}
	}
	show(c, p, "memory, steps")
	return leaks, nil
}

// leak draws the memory of a unit whose gate always keeps the part x of it, and
// says whether any of that lies within the plot.
func leak(p *plot.Plot, low, high float64) (bool, error) {
	var points plotter.XYs
	const steps = 400
	for i := range steps {
		x := p.X.Min + (p.X.Max-p.X.Min)*float64(i)/steps
		if y := look.Leaky(x); x > 0 && x < 1 && y >= low && y <= high {
			points = append(points, plotter.XY{X: x, Y: y})
		}
	}
	if len(points) < 2 {
		return false, nil
	}
	line, err := plotter.NewLine(points)
	if err != nil {
		return false, err
	}
	line.Color, line.Width, line.Dashes = orange, 1.4, []vg.Length{4, 3}
	p.Add(line)
	return true, nil
}

// GateName is what a gate's letter stands for.
func GateName(letter string) string {
	return map[string]string{"r": "reset gate r", "z": "update gate z", "i": "input gate i", "f": "forget gate f"}[letter]
}

func (t *Timescales) arrays() (a []array) {
	for l, layer := range t.Layers {
		a = append(a, array{fmt.Sprintf("l%d.lag", l), layer.Lags})
		for _, g := range layer.Gates {
			a = append(a, array{fmt.Sprintf("l%d.%s", l, g.Name), g.Means})
		}
	}
	return a
}
