package picture

import (
	"fmt"
	"image"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/plot/vg"
)

// MaxClasses is how many classes a confusion matrix has room for.
const MaxClasses = 40

// Confusion is the picture of a confusion matrix: what was taken for what, with
// the recall of each class at the right and its precision at the bottom.
type Confusion struct {
	Title   string
	Classes []string // (K)
	Counts  []int    // (K, K) rows are the true classes, columns the predicted
}

// Drawable implements Picture.
func (f *Confusion) Drawable() error {
	k := len(f.Classes)
	if len(f.Counts) != k*k {
		panic(fmt.Sprintf("picture: Confusion: %d counts, want %d × %d", len(f.Counts), k, k))
	}
	if k < 2 || k > MaxClasses {
		return fmt.Errorf("picture: %d classes: a picture has room for 2 to %d, .npz for them all", k, MaxClasses)
	}
	return nil
}

// tiny is the size of counts where there are many, in points.
const tiny = 14 * px

// The measures of the picture, in pixels.
const (
	matrixWidth = 900  // of the cells, about
	widestCell  = 2200 // of the cells, for long counts
	nameRoom    = 260  // of a class's name
	rates       = 84   // of the column of recalls
)

// matrix is where things are.
type matrix struct {
	cell      int       // width and height of one
	counts    vg.Length // size of a count
	names     vg.Length // of a class
	left, top int       // of the cells
	up        bool      // the names of columns are written upwards
}

func (f *Confusion) plan() matrix {
	k := len(f.Classes)
	m := matrix{cell: max(34, min(110, matrixWidth/k)), counts: small, names: small}
	if m.cell < 40 {
		m.counts = tiny
	}
	bitmap := func(r rune) bool { return !has(face(small), r) }
	if slices.ContainsFunc(f.Classes, func(s string) bool { return strings.ContainsFunc(s, bitmap) }) {
		m.names = large // or Chinese would be small
	}
	longest := 0
	for _, n := range f.Counts {
		longest = max(longest, n)
	}
	count := int(float64(width(strconv.Itoa(longest), m.counts)/px)) + 10
	if count > m.cell && m.counts == small {
		m.counts = tiny
		count = int(float64(width(strconv.Itoa(longest), tiny)/px)) + 10
	}
	m.cell = max(m.cell, min(count, widestCell/k))
	name := int(width("precision", small) / px)
	columns := 0
	for _, s := range f.Classes {
		w := int(float64(width(cut(s, m.names, nameRoom), m.names)/px)) + 1
		name, columns = max(name, w), max(columns, w)
	}
	m.up = columns > m.cell-8
	m.left = gatesLeft + name + 14
	m.top = 96 + 30
	if m.up {
		m.top = 96 + columns + 14
	}
	return m
}

func (f *Confusion) size() (w, h int) {
	m, k := f.plan(), len(f.Classes)
	title := min(1000, int(width(cut(f.Title, large, 1000), large)/px)+1) // few classes may be narrower
	return max(m.left+k*m.cell+rates, title+gatesLeft, 560) + gatesLeft, m.top + k*m.cell + 46 + 2*noteHeight + 20
}

func (f *Confusion) draw(c *canvas) {
	m, k := f.plan(), len(f.Classes)
	w, _ := f.size()
	c.write(gatesLeft, 34, words{text: cut(f.Title, large, w-2*gatesLeft), size: large})
	right, bottom := m.left+k*m.cell, m.top+k*m.cell
	c.write(float64(m.left), 78, words{text: "predicted", size: small, color: middle})
	c.write(float64(m.left-14), float64(m.top-12), words{text: "true", size: small, align: 1, color: middle})
	c.write(float64(right+14), float64(m.top-12), words{text: "recall", size: small, color: middle})
	c.write(float64(m.left-14), float64(bottom+28), words{text: "precision", size: small, align: 1, color: middle})
	all, hits := 0, 0
	for i, class := range f.Classes {
		class = cut(class, m.names, nameRoom)
		at := (float64(i) + 0.5) * float64(m.cell)
		c.write(float64(m.left-14), float64(m.top)+at+6, words{text: class, size: m.names, align: 1})
		if m.up {
			c.write(float64(m.left)+at+6, float64(m.top-12), words{text: class, size: m.names, up: true})
		} else {
			c.write(float64(m.left)+at, float64(m.top-12), words{text: class, size: m.names, align: 0.5})
		}
		row, column := 0, 0
		for j := range k {
			row, column = row+f.Counts[i*k+j], column+f.Counts[j*k+i]
		}
		all, hits = all+row, hits+f.Counts[i*k+i]
		f.row(c, m, i, row)
		c.write(float64(right+14), float64(m.top)+at+6, words{text: share(f.Counts[i*k+i], row), size: small})
		c.write(float64(m.left)+at, float64(bottom+28), words{text: share(f.Counts[i*k+i], column), size: m.counts, align: 0.5})
	}
	c.frame(image.Rect(m.left, m.top, right, bottom))
	y := float64(bottom + 46)
	for _, note := range []string{
		fmt.Sprintf("accuracy %s: %d of %d", share(hits, all), hits, all),
		"shade: the share of the row; an empty cell is 0",
	} {
		y += noteHeight
		c.write(gatesLeft, y, words{text: note, size: small, color: middle})
	}
}

// row draws the cells of class i, of which there are so many.
func (f *Confusion) row(c *canvas, m matrix, i, all int) {
	k, s := len(f.Classes), scale{0, 1, gates}
	y := m.top + i*m.cell
	for j := range k {
		n := f.Counts[i*k+j]
		part := float64(n) / float64(max(1, all))
		x := m.left + j*m.cell
		c.fill(image.Rect(x, y, x+m.cell, y+m.cell), s.at(part))
		text := strconv.Itoa(n)
		if n == 0 || width(text, m.counts) > vg.Length(m.cell-4)*px {
			continue
		}
		ink := words{text: text, size: m.counts, align: 0.5}
		if part > 0.5 {
			ink.color = gates[0]
		}
		c.write(float64(x)+float64(m.cell)/2, float64(y)+float64(m.cell)/2+float64(m.counts/px)*0.35, ink)
	}
}

// share is n of all in two digits, – of none.
func share(n, all int) string {
	if all == 0 {
		return "–"
	}
	return strconv.FormatFloat(math.Round(100*float64(n)/float64(all))/100, 'f', 2, 64)
}

func (f *Confusion) arrays() []array {
	k := len(f.Classes)
	counts := make([]float64, len(f.Counts))
	for i, n := range f.Counts {
		counts[i] = float64(n)
	}
	return []array{{"classes", f.Classes}, {"counts", mat.NewDense(k, k, counts)}}
}
