package picture

import (
	"fmt"
	"image/color"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hajimehoshi/bitmapfont/v3"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
)

// The sizes of text, in points. A character that the outline font lacks is
// drawn in a bitmap font twelve pixels high, as large as it is or twice that.
const (
	large = 24 * px
	small = 18 * px
)

// words is text to draw.
type words struct {
	text  string
	size  vg.Length
	align float64 // part of the width that lies before the place: 0, 0.5, 1
	up    bool    // from below upwards
	color color.Color
}

// face is the outline font.
func face(size vg.Length) font.Face {
	f := plot.DefaultFont
	f.Variant = "Sans"
	return font.DefaultCache.Lookup(f, size)
}

// has says whether the outline font can draw r.
func has(f font.Face, r rune) bool {
	var b sfnt.Buffer
	i, err := f.Face.GlyphIndex(&b, r)
	return err == nil && i != 0
}

// wide says whether r is drawn as wide as it is high.
func wide(r rune) bool {
	advance, ok := bitmapfont.FaceSC.GlyphAdvance(r)
	return !has(face(large), r) && (!ok || advance >= fixed.I(12))
}

// bits is how many pixels wide a pixel of the bitmap font is.
func bits(size vg.Length) int { return int(float64(size/px)/12 + 0.01) }

// width is that of text in points.
func width(text string, size vg.Length) (w vg.Length) {
	f := face(size)
	for _, r := range text {
		switch {
		case has(f, r):
			w += f.Width(string(r))
		case wide(r):
			w += vg.Length(12*bits(size)) * px
		default:
			w += vg.Length(6*bits(size)) * px
		}
	}
	return w
}

// write writes words whose baseline is at (x, y), in pixels.
func (c *canvas) write(x, y float64, t words) {
	if t.color == nil {
		t.color = black
	}
	f, at := face(t.size), c.point(x, y)
	move := func(by vg.Length) {
		if t.up {
			at.Y += by
		} else {
			at.X += by
		}
	}
	move(-vg.Length(t.align) * width(t.text, t.size))
	if c.image == nil { // its viewer finds fonts
		c.piece(f, at, t.text, t)
		return
	}
	for text := t.text; text != ""; { // pieces of one font each
		first, _ := utf8.DecodeRuneInString(text)
		ours := has(f, first)
		n := strings.IndexFunc(text, func(r rune) bool { return has(f, r) != ours })
		if n < 0 {
			n = len(text)
		}
		if ours {
			c.piece(f, at, text[:n], t)
		} else {
			c.glyphs(at, text[:n], t)
		}
		move(width(text[:n], t.size))
		text = text[n:]
	}
}

func (c *canvas) piece(f font.Face, at vg.Point, text string, t words) {
	c.SetColor(t.color)
	if !t.up {
		c.FillString(f, at, text)
		return
	}
	c.Push()
	c.Translate(at)
	c.Rotate(math.Pi / 2)
	c.FillString(f, vg.Point{}, text)
	c.Pop()
}

// glyphs draws what the outline font lacks into a PNG.
func (c *canvas) glyphs(at vg.Point, text string, t words) {
	by := bits(t.size)
	x, y := int(math.Round(float64(at.X/px))), c.height-int(math.Round(float64(at.Y/px)))
	ahead := 0
	for _, r := range text {
		box, mask, from, advance, ok := bitmapfont.FaceSC.Glyph(fixed.Point26_6{}, r)
		if !ok {
			box, mask, from, advance, _ = bitmapfont.FaceSC.Glyph(fixed.Point26_6{}, '□')
		}
		for i := range box.Dy() * by {
			for j := range box.Dx() * by {
				if _, _, _, a := mask.At(from.X+j/by, from.Y+i/by).RGBA(); a == 0 {
					continue
				}
				along, down := ahead+box.Min.X*by+j, box.Min.Y*by+i
				if t.up {
					along, down = down, -along
				}
				c.image.Set(x+along, y+down, t.color)
			}
		}
		ahead += advance.Round() * by
	}
}

// label is a symbol as the axis shows it: · for a space, ¶ for a newline, hex
// digits for bytes that are no text.
func label(symbol string) string {
	const most = 14
	switch {
	case symbol == " ":
		return "·"
	case symbol == "\n":
		return "¶"
	case !utf8.ValidString(symbol):
		return fmt.Sprintf("%x", symbol)
	}
	runes := []rune(symbol)
	for i, r := range runes {
		if !unicode.IsPrint(r) {
			return fmt.Sprintf("%U", runes[i])
		}
	}
	if len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return symbol
}

// brief is a number in three digits.
func brief(v float64) string { return strings.Replace(fmt.Sprintf("%.3g", v), "-", "−", 1) }

// cut is text from elsewhere, on one line and cut to a width in pixels.
func cut(text string, size vg.Length, room int) string {
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "�"))
	end, used := 0, width("…", size)
	for i, r := range text {
		one := width(string(r), size)
		if used+one <= vg.Length(room)*px {
			end = i + utf8.RuneLen(r)
		} else if used+one-width("…", size) > vg.Length(room)*px {
			return text[:end] + "…"
		}
		used += one
	}
	return text
}
