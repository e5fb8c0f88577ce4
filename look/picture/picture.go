// Package picture draws what package look finds, as PNG or SVG, and writes the
// numbers behind it as .npz, for NumPy.
package picture

import (
	"bytes"
	"cmp"
	"fmt"
	"image"
	"image/color"
	stddraw "image/draw"
	"image/png"
	"io"
	"maps"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/sbinet/npyio/npz"
)

// Endings are those of the files that Write makes.
var Endings = []string{".png", ".svg", ".npz"}

// A Picture can be drawn, and is made of numbers.
type Picture interface {
	// Drawable says why there can be no picture, only numbers; nil if there can.
	Drawable() error

	size() (w, h int) // pixels
	draw(c *canvas)
	arrays() []array
}

// array is numbers with a name: []float64, []int64, []string or *mat.Dense.
type array struct {
	name string
	data any
}

const (
	dpi = 160
	px  = vg.Length(72) / dpi // a pixel
)

// Write writes f as the ending says. Equal figures give equal bytes.
func Write(w io.Writer, ending string, f Picture) error {
	switch {
	case !slices.Contains(Endings, ending):
		return fmt.Errorf("picture: ending %q: want one of %v", ending, Endings)
	case ending == ".npz":
		return writeArrays(w, f.arrays())
	}
	if err := f.Drawable(); err != nil {
		return err
	}
	width, height := f.size()
	if ending == ".svg" {
		s := vgsvg.New(vg.Length(width)*px, vg.Length(height)*px)
		f.draw(&canvas{Canvas: draw.New(s), height: height})
		return writeSVG(w, s)
	}
	c := vgimg.NewWith(vgimg.UseImage(image.NewRGBA(image.Rect(0, 0, width, height))), vgimg.UseDPI(dpi))
	stddraw.Draw(c.Image(), c.Image().Bounds(), image.White, image.Point{}, stddraw.Src)
	f.draw(&canvas{Canvas: draw.New(c), image: c.Image(), height: height})
	return png.Encode(w, fewer(c.Image().(*image.RGBA)))
}

// writeSVG gives viewers other fonts where they lack ours, one with Chinese
// where they have it, and says of what kind its images are.
func writeSVG(w io.Writer, s *vgsvg.Canvas) error {
	var b bytes.Buffer
	if _, err := s.WriteTo(&b); err != nil {
		return err
	}
	const family = "font-family:Liberation Sans"
	text := bytes.ReplaceAll(b.Bytes(), []byte(family+";"), []byte(family+",Arial,Helvetica,Noto Sans CJK SC,PingFang SC,Microsoft YaHei,sans-serif;"))
	_, err := w.Write(bytes.ReplaceAll(text, []byte("data:image/jpg;"), []byte("data:image/png;")))
	return err
}

func writeArrays(w io.Writer, arrays []array) error {
	z := npz.NewWriter(w)
	for _, a := range arrays {
		if err := z.Write(a.name+".npy", a.data); err != nil {
			return err
		}
	}
	return z.Close()
}

// dense is values (rows, columns).
func dense(values []float32, rows int) *mat.Dense {
	x := make([]float64, len(values))
	for i, v := range values {
		x[i] = float64(v)
	}
	return mat.NewDense(rows, len(x)/rows, x)
}

// fewer is the picture in 256 colours, those that it has most of and the
// nearest of them for others: a third of the bytes.
func fewer(m *image.RGBA) *image.Paletted {
	counts := map[[4]uint8]int{}
	for at := 0; at < len(m.Pix); {
		n := same(m.Pix[at:])
		counts[[4]uint8(m.Pix[at:])] += n
		at += 4 * n
	}
	colors := slices.Collect(maps.Keys(counts))
	slices.SortFunc(colors, func(a, b [4]uint8) int { return cmp.Or(counts[b]-counts[a], bytes.Compare(a[:], b[:])) })
	p := make(color.Palette, 0, 256)
	index := map[[4]uint8]uint8{}
	for i, c := range colors {
		rgba := color.RGBA{c[0], c[1], c[2], c[3]}
		if i < cap(p) {
			p = append(p, rgba)
		}
		index[c] = uint8(p.Index(rgba))
	}
	out := image.NewPaletted(m.Rect, p)
	for at := 0; at < len(m.Pix); {
		n := same(m.Pix[at:])
		i := index[[4]uint8(m.Pix[at:])]
		for x := range n {
			out.Pix[at/4+x] = i
		}
		at += 4 * n
	}
	return out
}

// same is how many pixels at the start of pix are the same.
func same(pix []uint8) int {
	n := 4
	for n < len(pix) && pix[n] == pix[n-4] && pix[n+1] == pix[n-3] && pix[n+2] == pix[n-2] && pix[n+3] == pix[n-1] {
		n += 4
	}
	return n / 4
}
