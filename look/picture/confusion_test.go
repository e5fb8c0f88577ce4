package picture

import (
	"bytes"
	"fmt"
	"image/png"
	"io"
	"strings"
	"testing"

	"github.com/sbinet/npyio/npz"
)

// confusion has counts of k classes, of which that of i taken for j is
// count(i, j).
func confusion(k int, count func(i, j int) int) *Confusion {
	f := &Confusion{Title: "what was taken for what"}
	for i := range k {
		f.Classes = append(f.Classes, fmt.Sprint("class ", i+1))
		for j := range k {
			f.Counts = append(f.Counts, count(i, j))
		}
	}
	return f
}

func confusions() map[string]Picture {
	few := confusion(2, func(i, j int) int { return 3*i + j })
	few.Title = strings.Repeat("a long title ", 40)
	names := confusion(5, func(i, j int) int { return i * j })
	names.Classes = []string{"", "班级", "a\nb\xff", strings.Repeat("antidisestablishment", 9), "last"}
	return map[string]Picture{
		"confusion":         confusion(10, func(i, j int) int { return 100 / (1 + (i-j)*(i-j)) }),
		"confusion, few":    few,
		"confusion, many":   confusion(MaxClasses, func(i, j int) int { return 12345 / (1 + (i-j)*(i-j)) }),
		"confusion, large":  confusion(22, func(i, j int) int { return 123_456_789_012 / (1 + i + j) }),
		"confusion, names":  names,
		"confusion, no one": confusion(3, func(i, j int) int { return 0 }),
	}
}

// Cells are shaded by their share of the row, and say their counts.
func TestConfusionCells(t *testing.T) {
	counts := [][]int{{3, 1, 0}, {0, 0, 0}, {2, 2, 4}}
	f := confusion(3, func(i, j int) int { return counts[i][j] })
	m, err := png.Decode(bytes.NewReader(written(t, ".png", f)))
	if err != nil {
		t.Fatal(err)
	}
	p := f.plan()
	for i, row := range [][]float64{{0.75, 0.25, 0}, {0, 0, 0}, {0.25, 0.25, 0.5}} {
		for j, part := range row {
			x, y := p.left+j*p.cell, p.top+i*p.cell
			if got, want := m.At(x+4, y+4), (scale{0, 1, gates}).at(part); !sameColor(got, want) {
				t.Errorf("cell (%d, %d) is %v, want %v", i, j, got, want)
			}
			inked := false
			for dx := range p.cell - 8 {
				inked = inked || !sameColor(m.At(x+4+dx, y+p.cell/2), m.At(x+4, y+4))
			}
			if inked != (counts[i][j] > 0) {
				t.Errorf("cell (%d, %d): a count is written: %v", i, j, inked)
			}
		}
	}
}

func TestConfusionNPZ(t *testing.T) {
	f := confusion(3, func(i, j int) int { return 10*i + j })
	b := written(t, ".npz", f)
	r, err := npz.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	var counts []float64
	if err := r.Read("counts.npy", &counts); err != nil {
		t.Fatal(err)
	}
	if shape := r.Header("counts.npy").Descr.Shape; len(shape) != 2 || shape[0] != 3 || shape[1] != 3 || counts[5] != 12 {
		t.Errorf("shape %v, counts %v", shape, counts)
	}
	if keys := r.Keys(); len(keys) != 2 || r.Header("classes.npy") == nil {
		t.Errorf("arrays %v", keys)
	}
}

func TestConfusionRefused(t *testing.T) {
	one := func(i, j int) int { return 1 }
	for k, want := range map[int]string{
		1:              "picture: 1 classes: a picture has room for 2 to 40, .npz for them all",
		MaxClasses + 1: "picture: 41 classes: a picture has room for 2 to 40, .npz for them all",
	} {
		if err := Write(io.Discard, ".svg", confusion(k, one)); err == nil || err.Error() != want {
			t.Errorf("error %v, want %q", err, want)
		}
		written(t, ".npz", confusion(k, one))
	}
	f := confusion(3, one)
	f.Counts = f.Counts[1:]
	defer func() {
		if got := fmt.Sprint(recover()); got != "picture: Confusion: 8 counts, want 3 × 3" {
			t.Errorf("panic %q", got)
		}
	}()
	_ = Write(io.Discard, ".png", f)
}

func TestShare(t *testing.T) {
	for _, test := range []struct {
		n, all int
		want   string
	}{{0, 0, "–"}, {0, 5, "0.00"}, {5, 5, "1.00"}, {2, 3, "0.67"}} {
		if got := share(test.n, test.all); got != test.want {
			t.Errorf("%d of %d: %s, want %s", test.n, test.all, got, test.want)
		}
	}
}
