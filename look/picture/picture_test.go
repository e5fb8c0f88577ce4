package picture

import (
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/sbinet/npyio/npz"

	"sluice/look"
)

// trace is one of steps symbols and units units, unit u of which moves by
// u+1 hundredths at each step.
func trace(steps, units, layers int, names ...string) *look.Trace {
	t := &look.Trace{Nats: make([]float64, steps), Layers: make([]look.Layer, layers)}
	for i := range t.Nats {
		t.Nats[i] = float64(i % 5)
	}
	t.Nats[0] = math.NaN()
	for l := range t.Layers {
		for u := range units {
			t.Layers[l].Order = append(t.Layers[l].Order, u)
		}
		for n, name := range names {
			v := look.Vector{Name: name, Values: make([]float32, steps*units)}
			for i := range v.Values {
				v.Values[i] = float32(math.Mod(float64((i%units+1)*(i/units+n))/100, 1))
			}
			t.Layers[l].Vectors = append(t.Layers[l].Vectors, v)
		}
	}
	return t
}

func memory() look.Memory {
	m := look.Memory{Lags: []float64{1, 3, math.NaN(), 40, 7}}
	for _, name := range []string{"r", "z"} {
		m.Gates = append(m.Gates, look.Gate{Name: name, Means: []float64{0.1, 0.3, 0.5, 0.97, 0.7}, Rank: 0.5})
	}
	return m
}

func falls(n int) (list []Fall) {
	for i := range n {
		f := Fall{Name: fmt.Sprint("network ", i), Color: Blue, Dashed: i%2 == 1}
		for k := range 50 {
			f.Norms = append(f.Norms, math.Pow(0.5+0.1*float64(i), float64(k)))
		}
		list = append(list, f)
	}
	return list
}

func pictures() map[string]Picture {
	updates := []look.Update{{Nats: 4, Norm: 1}, {Nats: 40, Norm: 1e6}, {Nats: 3, Norm: 0.5}}
	lost := []look.Update{{Nats: 4, Norm: 1}, {Nats: 40, Norm: 1e6}, {Nats: math.NaN(), Norm: math.NaN()}}
	huge := []look.Update{{Nats: 4, Norm: 1}, {Nats: 40, Norm: 1e30}, {Nats: 3, Norm: 0}, {Nats: 3, Norm: 7}}
	nothing := look.Memory{Lags: []float64{math.NaN()}, Gates: []look.Gate{{Name: "i", Means: []float64{0.5}, Rank: math.NaN()}, {Name: "f", Means: []float64{0.5}, Rank: math.NaN()}}}
	all := map[string]Picture{
		"gates":           &Gates{Title: `a <title> & "more"`, Cell: "gru", Unit: "character", Symbols: strings.Split("The lock \n", ""), Trace: trace(10, 6, 1, "r", "z", "n", "h")},
		"gates, Chinese":  &Gates{Title: "读“分开”", Cell: "lstm", Unit: "character", Symbols: []string{"分", "开"}, Trace: trace(2, 70, 2, "i", "f", "g", "o", "c", "h")},
		"gates, one":      &Gates{Title: "one", Cell: "rnn", Unit: "byte", Symbols: []string{"\xe5"}, Trace: trace(1, 1, 1, "h")},
		"gates, words":    &Gates{Title: "words", Cell: "rnn", Unit: "word", Symbols: []string{"the", "避雨", "antidisestablishmentarianism"}, Trace: trace(3, 2, 1, "h")},
		"gates, wide":     &Gates{Title: "wide", Cell: "rnn", Unit: "character", Symbols: slices.Repeat([]string{"a", "\x00"}, MaxDrawn/2), Trace: trace(MaxDrawn, 1024, 1, "h")},
		"gradients":       &Gradients{Title: "gradients", Falls: falls(5)},
		"explosion":       &Gradients{Title: "gradients", Falls: falls(9), Explosion: "training", Free: lost, Clipped: updates, Clip: 1},
		"no explosion":    &Gradients{Title: "gradients", Falls: falls(1), Explosion: "training", Free: updates, Clipped: updates, Clip: 1},
		"lost at once":    &Gradients{Title: "gradients", Falls: []Fall{{Name: "none", Norms: []float64{0, 0}}}, Free: lost[2:], Clipped: lost[2:]},
		"huge norms":      &Gradients{Title: "gradients", Falls: falls(1), Explosion: "training", Free: huge, Clipped: lost, Clip: 1},
		"timescales":      &Timescales{Title: "timescales", Layers: []look.Memory{memory(), memory()}},
		"nothing to move": &Timescales{Title: "timescales", Layers: []look.Memory{nothing}},
	}
	for _, more := range []map[string]Picture{taggedGates(), forecasts(), confusions()} {
		maps.Copy(all, more)
	}
	return all
}

func written(t *testing.T, ending string, p Picture) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, ending, p); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A PNG has the size foretold, something drawn on white and an edge left
// free; equal pictures give equal bytes.
func TestPNG(t *testing.T) {
	for name, p := range pictures() {
		t.Run(name, func(t *testing.T) {
			b := written(t, ".png", p)
			m, err := png.Decode(bytes.NewReader(b))
			if err != nil {
				t.Fatal(err)
			}
			w, h := p.size()
			if m.Bounds() != image.Rect(0, 0, w, h) {
				t.Errorf("size %v, want %d × %d", m.Bounds(), w, h)
			}
			inked := 0
			drawn := m.(*image.Paletted)
			for y := range h {
				for x := range w {
					if drawn.Palette[drawn.Pix[y*drawn.Stride+x]].(color.RGBA).R > 0xf0 {
						continue
					}
					if inked++; x < 2 || y < 2 || x > w-3 || y > h-3 {
						t.Fatalf("something is drawn at the edge, (%d, %d) of %d × %d", x, y, w, h)
					}
				}
			}
			if inked < w*h/300 {
				t.Errorf("%d of %d pixels drawn", inked, w*h)
			}
			if name == "explosion" && !bytes.Equal(b, written(t, ".png", p)) {
				t.Error("equal pictures, other bytes")
			}
		})
	}
}

// An SVG is XML with its text as text.
func TestSVG(t *testing.T) {
	for name, p := range pictures() {
		b := written(t, ".svg", p)
		var text strings.Builder
		for d := xml.NewDecoder(bytes.NewReader(b)); ; {
			token, err := d.Token()
			if err == io.EOF {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if chars, ok := token.(xml.CharData); ok {
				text.Write(chars)
			}
		}
		for _, want := range map[string][]string{
			"gates": {`a <title> & "more"`, "update gate", "·", "¶"}, "gates, Chinese": {"读“分开”", "分", "开", "layer 2, f, forget gate"},
			"gates, one": {"e5"}, "gates, words": {"避雨", "antidisestabl…"}, "explosion": {"network 8", "overflow in update 3", "clipped at 1"},
			"huge norms": {"clipped at 1: overflow in update 3", "1e30"}, "timescales": {"layer 2, ρ = +0.50", "mean update gate z", "; dashed: "}, "nothing to move": {"ρ = undefined"},
			"gates, tags":      {"Wednesday", "B-ORG", "layer 1 forward, i, input gate", "layer 2 backward, h, state", "forward reads from the left, backward from the right"},
			"gates, many tags": {"B-LOC", "layer 1 backward"}, "gates, numbers": {"the numbers that it reads", "552", "each column is a step", "140"},
			"forecast": {"series 1", "truth", "forecast", "95 %", "80 %", "naive", "seasonal naive", "2018", "2028"}, "forecasts": {"series 3", "truth", "06:00", "1 Jul 2016"},
			"forecast, nothing": {"history", "step; the forecast begins with 1"}, "forecast, long": {"季节", "…", "13 Jul"},
			"confusion": {"class 10", "predicted", "recall", "0.52", "accuracy 0.40: 1000 of 2484"}, "confusion, few": {"a long title", "…", "class 2", "0.57", "0.80"},
			"confusion, names": {"班级", "a b�", "antidis", "–"}, "confusion, no one": {"accuracy –: 0 of 0"},
		}[name] {
			if !strings.Contains(text.String(), want) {
				t.Errorf("%s: no %q", name, want)
			}
		}
		if no, ok := map[string]string{
			"huge norms": "not clipped: overflow", "nothing to move": "dashed", "gates, tags": "surprise", "gates, numbers": "below",
			"forecast, nothing": "truth", "forecast, flat": "truth",
		}[name]; ok && strings.Contains(text.String(), no) {
			t.Errorf("%s: %q", name, no)
		}
	}
}

// Cells have the colours of their values: of a gate light is 0 and dark 1.
func TestCells(t *testing.T) {
	g := &Gates{Title: "t", Cell: "gru", Unit: "character", Symbols: []string{"a", "b"}, Trace: &look.Trace{Nats: []float64{math.NaN(), 1}, Layers: []look.Layer{{
		Order:   []int{1, 0},
		Vectors: []look.Vector{{Name: "z", Values: []float32{0, 1, 0.5, 0}}},
	}}}}
	m, err := png.Decode(bytes.NewReader(written(t, ".png", g)))
	if err != nil {
		t.Fatal(err)
	}
	p := g.plan()
	top := headHeight + titleHeight + barsHeight + p.axis + titleHeight
	for i, v := range []float64{1, 0, 0, 0.5} { // unit 1 first, and columns are steps
		x, y := gatesLeft+(i%2)*p.column+p.column/2, top+(i/2)*p.panel/2+p.panel/4
		if got, want := m.At(x, y), (scale{0, 1, gates}).at(v); !sameColor(got, want) {
			t.Errorf("cell %d is %v, want %v", i, got, want)
		}
	}
	// the surprise of b, the highest there is, and none of a
	for i, want := range []bool{false, true} {
		if got := sameColor(m.At(gatesLeft+i*p.column+p.column/2, headHeight+titleHeight+barsHeight/2), middle); got != want {
			t.Errorf("symbol %d has a bar: %v, want %v", i, got, want)
		}
	}
}

func sameColor(a, b interface{ RGBA() (r, g, b, a uint32) }) bool {
	r1, g1, b1, _ := a.RGBA()
	r2, g2, b2, _ := b.RGBA()
	return r1 == r2 && g1 == g2 && b1 == b2
}

// Light falls evenly along the scale of gates, and from the middle of that of
// states to both ends, so that each can be read without its colours.
func TestScales(t *testing.T) {
	light := func(s scale, v float64) float64 {
		c := s.at(v)
		return 0.2126*float64(c.R) + 0.7152*float64(c.G) + 0.0722*float64(c.B)
	}
	g, s := scale{0, 1, gates}, scale{-1, 1, states}
	for i := range 20 {
		a, b := float64(i)/20, float64(i+1)/20
		if light(g, b) >= light(g, a) || light(s, b) >= light(s, a) || light(s, -b) >= light(s, -a) {
			t.Errorf("light does not fall from %v to %v", a, b)
		}
	}
	if g.at(-3) != gates[0] || g.at(7) != gates[len(gates)-1] {
		t.Error("values beyond the ends have no colour")
	}
}

func TestNPZ(t *testing.T) {
	g := pictures()["gates, Chinese"].(*Gates)
	b := written(t, ".npz", g)
	r, err := npz.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"symbols.npy", "nats.npy"}
	for l := range 2 {
		for _, name := range []string{"order", "i", "f", "g", "o", "c", "h"} {
			want = append(want, fmt.Sprintf("l%d.%s.npy", l, name))
		}
	}
	if keys := r.Keys(); len(keys) != len(want) || slices.ContainsFunc(want, func(k string) bool { return !slices.Contains(keys, k) }) {
		t.Fatalf("arrays %v, want %v", keys, want)
	}
	var values, nats []float64
	if err := r.Read("l1.f.npy", &values); err != nil {
		t.Fatal(err)
	}
	if shape := r.Header("l1.f.npy").Descr.Shape; !slices.Equal(shape, []int{2, 70}) {
		t.Errorf("shape %v", shape)
	}
	for i, v := range g.Trace.Layers[1].Vectors[1].Values {
		if values[i] != float64(v) {
			t.Fatalf("value %d is %v, want %v", i, values[i], v)
		}
	}
	if err := r.Read("nats.npy", &nats); err != nil || !math.IsNaN(nats[0]) || nats[1] != 1 {
		t.Errorf("nats %v, error %v", nats, err)
	}
	if got := symbols(t, r); !slices.Equal(got, g.Symbols) {
		t.Errorf("symbols %q, want %q", got, g.Symbols)
	}
	for name, p := range pictures() {
		if !bytes.Equal(written(t, ".npz", p), written(t, ".npz", p)) {
			t.Errorf("%s: equal pictures, other bytes", name)
		}
	}
}

// symbols decodes those of an archive, UTF-32 of one width.
func symbols(t *testing.T, r *npz.Reader) (all []string) {
	t.Helper()
	head := r.Header("symbols.npy").Descr
	var width int
	if _, err := fmt.Sscanf(head.Type, "<U%d", &width); err != nil {
		t.Fatalf("symbols of type %s: %v", head.Type, err)
	}
	f, err := r.Open("symbols.npy")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	for b = b[len(b)-4*width*head.Shape[0]:]; len(b) > 0; b = b[4*width:] {
		var symbol []rune
		for i := 0; i < 4*width; i += 4 {
			if r := rune(binary.LittleEndian.Uint32(b[i:])); r != 0 { // the rest
				symbol = append(symbol, r)
			}
		}
		all = append(all, string(symbol))
	}
	return all
}

func TestRefused(t *testing.T) {
	long := &Gates{Unit: "character", Symbols: slices.Repeat([]string{"a"}, MaxDrawn+1), Trace: trace(MaxDrawn+1, 1, 1, "h")}
	large := &Gates{Unit: "word", Symbols: slices.Repeat([]string{"word"}, MaxDrawn), Trace: trace(MaxDrawn, 512, MaxLayers, "i", "f", "g", "o", "c", "h")}
	deep := &Timescales{Layers: slices.Repeat([]look.Memory{memory()}, MaxLayers+1)}
	for _, test := range []struct {
		ending string
		p      Picture
		want   string
	}{
		{".gif", long, `picture: ending ".gif": want one of [.png .svg .npz]`},
		{".png", long, "picture: a text of 201 characters: a picture has room for 200, want a shorter one or .npz"},
		{".png", large, "picture: 5760 × 27556 pixels: a picture has room for 33554432, want a shorter text or .npz"},
		{".svg", large, "picture: 5760 × 27556 pixels: a picture has room for 33554432, want a shorter text or .npz"},
		{".svg", deep, "picture: 9 layers: a picture has room for 8, .npz for them all"},
		{".npz", long, ""}, {".npz", deep, ""},
	} {
		if err := Write(io.Discard, test.ending, test.p); err == nil && test.want != "" || err != nil && err.Error() != test.want {
			t.Errorf("%s: error %v, want %q", test.ending, err, test.want)
		}
	}
}

// Ticks are few enough to be read, and enough to read by.
func TestTicks(t *testing.T) {
	for _, r := range [][2]float64{{1e-25, 1.5}, {0.1, 5e6}, {4, 9}, {1, 100}, {3.2, 88}, {0.99, 1.01}, {1e-3, 1e20}, {1, 1.05}, {225, 800}, {1, 2000}, {3, 4}, {1, 1e30}, {0.9, 9}, {860, 930}} {
		ticks := 0
		for _, tick := range logTicks(r[0], r[1]) {
			if tick.Label != "" {
				ticks++
			}
			if len([]rune(tick.Label)) > 6 {
				t.Errorf("%v: label %q", r, tick.Label)
			}
		}
		if ticks < 2 || ticks > 9 {
			t.Errorf("%v: %d labels", r, ticks)
		}
	}
	for _, n := range []float64{1, 2, 10, 11, 40, 160, 1e6} {
		if ticks := wholeTicks(1, n); len(ticks) < 1 || len(ticks) > 11 {
			t.Errorf("up to %v: %d ticks", n, len(ticks))
		}
	}
}
