package data

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

// npy is an array as NumPy writes it: of numbers or, where data is text, of "<U4".
func npy(shape string, data any) string {
	descr := map[string]string{"[]float32": "<f4", "[]float64": "<f8", "[]int32": "<i4", "[]int64": "<i8", "[]string": "<U4", "[]uint8": "|u1"}[fmt.Sprintf("%T", data)]
	var b bytes.Buffer
	if texts, ok := data.([]string); ok {
		for _, text := range texts {
			var points [4]uint32
			for i, r := range []rune(text) {
				points[i] = uint32(r)
			}
			binary.Write(&b, binary.LittleEndian, points)
		}
	} else {
		binary.Write(&b, binary.LittleEndian, data)
	}
	header := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': %s, }\n", descr, shape)
	return "\x93NUMPY\x01\x00" + string(binary.LittleEndian.AppendUint16(nil, uint16(len(header)))) + header + b.String()
}

// archived is a .npz file of names and arrays.
func archived(files ...string) string {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		w, _ := z.CreateHeader(&zip.FileHeader{Name: files[i] + ".npy"}) // not compressed: that is slow
		w.Write([]byte(files[i+1]))
	}
	z.Close()
	return b.String()
}

func TestNPZExamples(t *testing.T) {
	numbers := npy("(2, 3)", []float64{1, 2, 3, 4, 5, 0.1})
	for _, c := range []struct {
		file  string
		table Table
		want  []string // F, values and label of each
		err   string
	}{
		{archived("x", numbers, "y", npy("(2,)", []int64{7, -1})), Table{}, []string{"1 [1 2 3] 7", "1 [4 5 0.1] -1"}, ""},
		{archived("x", npy("(2, 2, 2)", []uint8{0, 1, 2, 3, 4, 5, 6, 255}), "y", npy("(2,)", []string{"a", " 夜 "})), Table{}, []string{"2 [0 1 2 3] a", "2 [4 5 6 255] 夜"}, ""},
		{archived("x", numbers, "y", npy("(2,)", []int32{0, 1}), "lengths", npy("(2,)", []int64{1, 3})), Table{}, []string{"1 [1] 0", "1 [4 5 0.1] 1"}, ""},
		{archived("x", numbers, "more", numbers), Table{MayLack: true}, []string{"1 [1 2 3] ", "1 [4 5 0.1] "}, ""},
		{archived("x", numbers, "y", npy("(9,)", []float32{0})), Table{Label: none}, []string{"1 [1 2 3] ", "1 [4 5 0.1] "}, "array \"y\": shape [9] of dtype <f4, and 4 bytes of elements: want as many as the shape says"},
		{archived("x", numbers, "y", npy("(1,)", []float32{0})), Table{Label: none}, []string{"1 [1 2 3] ", "1 [4 5 0.1] "}, ""},
		{archived("x_train", numbers, "y_train", npy("(2,)", []int32{3, 4})), Table{Values: []string{"x_train"}, Label: "y_train"}, []string{"1 [1 2 3] 3", "1 [4 5 0.1] 4"}, ""},
		{archived("x", numbers, "kind", npy("(2,)", []int32{3, 4}), "y", numbers), Table{FoundLabel: "kind"}, []string{"1 [1 2 3] 3", "1 [4 5 0.1] 4"}, ""},
		{archived("arr_0", numbers), Table{}, nil, `no array "x" of numbers: there are "arr_0"`},
		{archived(), Table{}, nil, `no array "x" of numbers: there are none`},
		{archived("x", numbers), Table{}, nil, `no array "y" of labels: there are "x"`},
		{archived("x", numbers), Table{Label: "kind"}, nil, `no array "kind" of labels: there are "x"`},
		{archived("x", npy("(2,)", []int32{1, 2})), Table{}, nil, `array "x": shape [2]: want (examples, steps) or (examples, steps, channels), none 0`},
		{archived("x", npy("(0, 2)", []int32{})), Table{}, nil, `array "x": shape [0 2]: want (examples, steps) or (examples, steps, channels), none 0`},
		{archived("x", npy("(1, 1)", []string{"a"})), Table{Label: none}, nil, `array "x": str: want numbers`},
		{archived("x", numbers, "y", npy("(1,)", []int32{1})), Table{}, nil, `array "y": shape [1]: want (2), a label for each example of "x"`},
		{archived("x", numbers, "y", npy("(2,)", []float32{1, 2})), Table{}, nil, `array "y": float32: want labels that are whole numbers or text`},
		{archived("x", numbers, "y", npy("(2,)", []string{"a", " "})), Table{}, []string{"1 [1 2 3] a"}, `array "y": example 2: empty: want a label`},
		{archived("x", numbers, "lengths", npy("(3,)", []int32{1, 1, 1})), Table{Label: none}, nil, `array "lengths": shape [3]: want (2), the steps of each example of "x"`},
		{archived("x", numbers, "lengths", npy("(2,)", []float32{1, 1})), Table{Label: none}, nil, `array "lengths": float32: want whole numbers`},
		{archived("x", numbers, "lengths", npy("(2,)", []int64{1, 0})), Table{Label: none}, []string{"1 [1] "}, `array "lengths": example 2 has 0 steps: want 1 to 3`},
		{archived("x", numbers, "lengths", npy("(2,)", []int64{math.MaxInt64, 1})), Table{Label: none}, nil, `array "lengths": example 1 has 9223372036854775807 steps: want 1 to 3`},
		{archived("x", npy("(1, 1, 2)", []float64{1, 1e39})), Table{Label: none}, nil, `array "x": example 1, step 1, channel 2 is +Inf: want a number in the range of a float32`},
		{archived("x", npy("(1048577, 1)", make([]uint8, 1<<20+1))), Table{Label: none}, nil, `array "x": 1048577 examples: want at most 1048576`},
		{"PK", Table{}, nil, "zip: not a valid zip file"},
	} {
		var got []string
		for e, err := range ReadExamples("a.npz", strings.NewReader(c.file), c.table) {
			if err != nil {
				wantError(t, err, "data: a.npz: "+c.err)
				c.err = ""
				continue
			}
			got = append(got, fmt.Sprint(e.F, " ", e.Values, " ", e.Label))
			if e.Line != len(got) || e.File != "a.npz" {
				t.Errorf("%s", e.Place())
			}
		}
		if c.err != "" {
			t.Errorf("no error, want %s", c.err)
		} else if c.want != nil && len(got) > 0 && !slices.Equal(got, c.want) {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
	wantError(t, Table{Format: "npz", Values: []string{"*"}}.Validate(), "data: texts or several columns in a table of format npz: want one array of numbers")
}

func TestNPZSeries(t *testing.T) {
	nan := math.NaN()
	values := npy("(3, 2)", []float64{1, 2, 3, nan, 5, 6})
	for _, c := range []struct {
		file   string
		table  SeriesTable
		names  []string
		values []float64
		err    string
	}{
		{archived("values", npy("(2,)", []int32{4, 5})), SeriesTable{}, []string{"1"}, []float64{4, 5}, ""},
		{archived("values", npy("(1, 2)", []float64{0.1, 5}), "names", npy("(2,)", []string{"year", "b"})), SeriesTable{}, []string{"year", "b"}, []float64{0.1, 5}, ""},
		{archived("values", values, "names", npy("(2,)", []string{"a", "b"})), SeriesTable{Values: []string{"b", "1"}, Gaps: "linear"}, []string{"b", "a"}, []float64{2, 1, 4, 3, 6, 5}, ""},
		{archived("values", values), SeriesTable{Values: []string{"2"}, Gaps: "linear", Time: none}, []string{"2"}, []float64{2, 4, 6}, ""},
		{archived("values", values), SeriesTable{}, nil, nil, `row 2, "2": NaN: want a number, or gaps to be filled by "last" or "linear"`},
		{archived("values", npy("(2,)", []float64{nan, 1})), SeriesTable{Gaps: "last"}, nil, nil, `line 1, column 1 ("1"): a gap with no value before it: want one to fill it with`},
		{archived("values", npy("(1,)", []float64{1e39})), SeriesTable{}, nil, nil, `row 1, "1": 1e+39: want a number in the range of a float32`},
		{archived("x", values), SeriesTable{}, nil, nil, `no array "values" of numbers: there are "x"`},
		{archived("values", npy("()", []float64{1})), SeriesTable{}, nil, nil, `array "values": shape []: want (rows) or (rows, series), none 0`},
		{archived("values", npy("(1,)", []string{"a"})), SeriesTable{}, nil, nil, `array "values": str: want numbers`},
		{archived("values", values, "names", npy("(1,)", []string{"a"})), SeriesTable{}, nil, nil, `array "names": str of shape [1]: want text of (2), a name for each series`},
		{archived("values", values, "names", npy("(2,)", []string{"a", "a"})), SeriesTable{}, nil, nil, `values called "a" twice: want each name once`},
		{archived("values", values), SeriesTable{Time: "date"}, nil, nil, `times in column "date": a file of format npz has none: want none`},
	} {
		s, err := ReadSeries("a.npz", strings.NewReader(c.file), c.table)
		if c.err != "" {
			wantError(t, err, "data: a.npz: "+c.err)
			continue
		}
		if err != nil || !slices.Equal(s.Names, c.names) || !slices.Equal(s.Values, c.values) || s.Times != nil {
			t.Errorf("%+v, %v, want %v of %v", s, err, c.values, c.names)
		}
	}
}

// Whatever arrays a file has, there is an error of one line, or examples and series
// of finite numbers.
func FuzzNPZ(f *testing.F) {
	f.Add(npy("(2, 3)", []float64{1, 2, 3, 4, 5, 0.1}), npy("(2,)", []int64{7, -1}), npy("(2,)", []int64{1, 3}), uint8(0))
	f.Add(npy("(2, 2, 2)", []uint8{0, 1, 2, 3, 4, 5, 6, 255}), npy("(2,)", []string{"a", "夜"}), "", uint8(1))
	f.Add(npy("(2, 2)", []float32{1, float32(math.NaN()), 2, 3}), "", npy("(2,)", []string{"a", "b"}), uint8(2))
	f.Add(npy("(4,)", []int32{1, 2, 3, 4}), "", "", uint8(3))
	f.Fuzz(func(t *testing.T, x, y, other string, mode uint8) {
		files := []string{"x", x}
		if y != "" {
			files = append(files, "y", y)
		}
		if other != "" {
			files = append(files, "lengths", other)
		}
		for e, err := range ReadExamples("a.npz", strings.NewReader(archived(files...)), Table{MayLack: mode%2 == 1}) {
			if err != nil {
				checkFuzzError(t, err)
				continue
			}
			checkExample(t, e)
		}
		files[0] = "values"
		if other != "" {
			files[len(files)-2] = "names"
		}
		s, err := ReadSeries("a.npz", strings.NewReader(archived(files...)), SeriesTable{Gaps: []string{"", "last", "linear"}[mode/2%3]})
		if err != nil {
			checkFuzzError(t, err)
			return
		}
		if s.Len() < 1 || len(s.Values) != s.Len()*len(s.Names) {
			t.Errorf("%d rows, %d values of %d", s.Len(), len(s.Values), len(s.Names))
		}
		for _, v := range s.Values {
			if !(math.Abs(v) <= math.MaxFloat32) {
				t.Errorf("value %v", v)
			}
		}
	})
}
