package data

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"sluice/internal/npz"
)

// maxNPZ bounds a .npz file, and what it unpacks to, in bytes.
const maxNPZ = 1 << 30

// maxNPZExamples bounds the examples of a .npz file: one may have a byte there, and
// takes hundreds in memory.
const maxNPZExamples = 1 << 20

// readNPZ reads all arrays of a file.
func readNPZ(name string, r io.Reader) (arrays, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxNPZ+1))
	if err != nil {
		return nil, fileError(name, "%w", cause(err))
	}
	if len(b) > maxNPZ {
		return nil, fileError(name, "more than %d bytes: want at most that", maxNPZ)
	}
	all, err := npz.Read(bytes.NewReader(b), int64(len(b)), maxNPZ)
	if err != nil {
		return nil, fileError(name, "%s", strings.TrimPrefix(err.Error(), "npz: "))
	}
	return all, nil
}

// arrays are those of a file.
type arrays []npz.Array

// find is the array of the first of the names that is there, nil for none.
func (all arrays) find(names ...string) *npz.Array {
	for _, name := range names {
		if i := slices.IndexFunc(all, func(a npz.Array) bool { return a.Name == name }); i >= 0 && name != "" {
			return &all[i]
		}
	}
	return nil
}

// missing is the error of an array that is not there.
func (all arrays) missing(name, what string) error {
	var names []string
	for _, a := range all {
		names = append(names, a.Name)
	}
	return fmt.Errorf("no array %s of %s: there are %s", quote(name), what, orNone(list(names)))
}

func orNone(list string) string {
	if list == "" {
		return "none"
	}
	return list
}

// arrayError is an error of an array.
func arrayError(a *npz.Array, format string, args ...any) error {
	return fmt.Errorf("array %s: %w", quote(a.Name), fmt.Errorf(format, args...))
}

// readArrays gives the examples of a .npz file, and ends with io.EOF.
func (t Table) readArrays(name string, r io.Reader, give func(Example) error) error {
	all, err := readNPZ(name, r)
	if err != nil {
		return err
	}
	x, y, lengths, err := t.arraysOf(all)
	if err != nil {
		return fileError(name, "%w", err)
	}
	n, steps, f := x.Shape[0], x.Shape[1], 1
	if len(x.Shape) == 3 {
		f = x.Shape[2]
	}
	values, err := floats(x)
	if err != nil {
		return fileError(name, "%w", err)
	}
	for i := range n {
		e := Example{F: f, Line: i + 1}
		used := steps
		if lengths != nil {
			if used = int(min(lengths[i], math.MaxInt32)); used < 1 || used > steps {
				return fileError(name, `array "lengths": example %d has %d steps: want 1 to %d`, i+1, lengths[i], steps)
			}
		}
		from := i * steps * f
		e.Values = values[from : from+used*f : from+used*f]
		for k, v := range e.Values {
			if v-v != 0 {
				return fileError(name, "%w", arrayError(x, "example %d, step %d, channel %d is %v: want a number in the range of a float32", i+1, k/f+1, k%f+1, v))
			}
		}
		if y != nil {
			if e.Label, err = labelAt(y, i); err != nil {
				return fileError(name, "%w", err)
			}
			e.LabelColumn = y.Name
		}
		if err := give(e); err != nil {
			return err
		}
	}
	return io.EOF
}

// arraysOf are those of a table, of shapes that fit.
func (t Table) arraysOf(all arrays) (x, y *npz.Array, lengths []int64, err error) {
	name := "x"
	if len(t.Values) > 0 {
		name = t.Values[0]
	}
	if x = all.find(name); x == nil {
		return nil, nil, nil, all.missing(name, "numbers")
	}
	if len(x.Shape) != 2 && len(x.Shape) != 3 || slices.Contains(x.Shape, 0) {
		return nil, nil, nil, arrayError(x, "shape %v: want (examples, steps) or (examples, steps, channels), none 0", x.Shape)
	}
	switch {
	case t.Label == none:
	case t.Label != "":
		y = all.find(t.Label)
	default:
		y = all.find(t.FoundLabel, "y", "label", "labels")
	}
	n := x.Shape[0]
	switch {
	case n > maxNPZExamples:
		return nil, nil, nil, arrayError(x, "%d examples: want at most %d", n, maxNPZExamples)
	case y == nil && t.Label != none && !t.MayLack:
		if name = t.Label; name == "" {
			name = "y"
		}
		return nil, nil, nil, all.missing(name, "labels")
	case y != nil && (len(y.Shape) != 1 || y.Shape[0] != n):
		return nil, nil, nil, arrayError(y, "shape %v: want (%d), a label for each example of %s", y.Shape, n, quote(x.Name))
	}
	l := all.find("lengths")
	if l == nil {
		return x, y, nil, nil
	}
	if len(l.Shape) != 1 || l.Shape[0] != n {
		return nil, nil, nil, arrayError(l, "shape %v: want (%d), the steps of each example of %s", l.Shape, n, quote(x.Name))
	}
	switch d := l.Data.(type) {
	case []int64:
		lengths = d
	case []int32:
		for _, v := range d {
			lengths = append(lengths, int64(v))
		}
	default:
		return nil, nil, nil, arrayError(l, "%s: want whole numbers", l.DType())
	}
	return x, y, lengths, nil
}

// labelAt is the label of an example.
func labelAt(y *npz.Array, i int) (string, error) {
	switch d := y.Data.(type) {
	case []int32:
		return strconv.Itoa(int(d[i])), nil
	case []int64:
		return strconv.FormatInt(d[i], 10), nil
	case []string:
		if label := strings.TrimSpace(d[i]); label != "" {
			return label, nil
		}
		return "", arrayError(y, "example %d: empty: want a label", i+1)
	}
	return "", arrayError(y, "%s: want labels that are whole numbers or text", y.DType())
}

// floats are the elements as float32, which rounds; what is out of its range is
// infinite.
func floats(a *npz.Array) (x []float32, err error) {
	switch d := a.Data.(type) {
	case []float32:
		return d, nil
	case []float64:
		return converted[float32](d), nil
	case []int32:
		return converted[float32](d), nil
	case []int64:
		return converted[float32](d), nil
	}
	return nil, arrayError(a, "%s: want numbers", a.DType())
}

// doubles are the elements as float64.
func doubles(a *npz.Array) (x []float64, err error) {
	switch d := a.Data.(type) {
	case []float32:
		return converted[float64](d), nil
	case []float64:
		return d, nil
	case []int32:
		return converted[float64](d), nil
	case []int64:
		return converted[float64](d), nil
	}
	return nil, arrayError(a, "%s: want numbers", a.DType())
}

func converted[To, From float32 | float64 | int32 | int64](d []From) []To {
	x := make([]To, len(d))
	for i, v := range d {
		x[i] = To(v)
	}
	return x
}

// readArrays reads a series from a .npz file, rows as if they were lines.
func (b *seriesBuilder) readArrays(name string, r io.Reader) error {
	if b.t.Time != "" && b.t.Time != none {
		return fileError(name, "times in column %s: a file of format npz has none: want none", quote(b.t.Time))
	}
	b.t.Time = none
	all, err := readNPZ(name, r)
	if err != nil {
		return err
	}
	values := all.find("values")
	if values == nil {
		return fileError(name, "%w", all.missing("values", "numbers"))
	}
	if len(values.Shape) != 1 && len(values.Shape) != 2 || slices.Contains(values.Shape, 0) {
		return fileError(name, "%w", arrayError(values, "shape %v: want (rows) or (rows, series), none 0", values.Shape))
	}
	c := 1
	if len(values.Shape) == 2 {
		c = values.Shape[1]
	}
	x, err := doubles(values)
	if err == nil {
		err = b.nameArrays(all.find("names"), c)
	}
	if err == nil {
		err = b.begin(make([]string, c))
	}
	for i := 0; err == nil && i < values.Shape[0]; i++ {
		err = b.arrayRow(x[i*c:(i+1)*c], i+1)
	}
	if err != nil {
		return fileError(name, "%w", err)
	}
	return nil
}

// nameArrays names c columns: as an array does, else by their numbers.
func (b *seriesBuilder) nameArrays(names *npz.Array, c int) error {
	if names == nil {
		for i := range c {
			b.header = append(b.header, strconv.Itoa(i+1))
		}
		return nil
	}
	texts, ok := names.Data.([]string)
	if !ok || len(names.Shape) != 1 || len(texts) != c {
		return arrayError(names, "%s of shape %v: want text of (%d), a name for each series", names.DType(), names.Shape, c)
	}
	for _, text := range texts {
		b.header = append(b.header, strings.TrimSpace(text))
	}
	return nil
}

// arrayRow adds a row, in which NaN is a gap.
func (b *seriesBuilder) arrayRow(row []float64, number int) error {
	for _, i := range b.values {
		v := row[i]
		switch {
		case math.IsNaN(v) && b.strict():
			return fmt.Errorf(`row %d, %s: NaN: want a number, or gaps to be filled by "last" or "linear"`, number, quote(b.header[i]))
		case math.Abs(v) > math.MaxFloat32:
			return fmt.Errorf("row %d, %s: %v: want a number in the range of a float32", number, quote(b.header[i]), v)
		}
		b.s.Values = append(b.s.Values, v)
	}
	b.lines = append(b.lines, number)
	return nil
}
