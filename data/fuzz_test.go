package data

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// Whatever a file holds, there is an error of one line or what the documentation
// says, and predictions for it can be read again.
func FuzzExamples(f *testing.F) {
	for _, file := range []string{
		"text,label\n\"ra\nin\",wet\n", "label,v\na,1\nb,2,3,,\n", "a\tb\tc\n1\t2\t3\n", "rain\n\nsun", bom + "x\r\n\"",
		`{"text":"rain","label":"wet"}`, `{"values":[[1,2],[3,4]],"label":7}`, `{"values":[1e39,null]}`, `{"predicted":{},"text":"a"} `,
	} {
		for format := range 8 {
			f.Add(file, uint8(format), format%2 == 0)
		}
	}
	f.Fuzz(func(t *testing.T, file string, format uint8, flag bool) {
		table := Table{Format: []string{"csv", "tsv", "jsonl", "lines"}[format%4], MayLack: format%8 > 3, Keep: true}
		table.NoHeader = flag && format%4 < 2
		if !table.NoHeader && flag {
			table.Label = none
		}
		var out []byte
		var read []Example
		for e, err := range ReadExamples("a.x", strings.NewReader(file), table) {
			if err != nil {
				checkFuzzError(t, err)
				continue
			}
			checkExample(t, e)
			if read == nil {
				out = e.AppendHeader(out)
			}
			read = append(read, e)
			out = e.AppendPredicted(out, `a "b", c`, 0.5)
		}
		if !utf8.Valid(out) {
			t.Errorf("predictions that are not UTF-8: %q", out)
		}
		again(t, table, read, string(out))
	})
}

func checkExample(t *testing.T, e Example) {
	t.Helper()
	texts, numbers := strings.TrimSpace(e.Text) != "", len(e.Values) > 0
	if texts == numbers || numbers != (e.F > 0) || numbers && len(e.Values)%e.F != 0 || e.Line < 1 || e.Label != strings.TrimSpace(e.Label) {
		t.Errorf("%+v", e)
	}
	for _, v := range e.Values {
		if v-v != 0 {
			t.Errorf("%+v", e)
		}
	}
}

// again reads what was written for the examples: they are as before.
func again(t *testing.T, table Table, read []Example, out string) {
	t.Helper()
	if len(read) == 0 || read[0].Values != nil && table.Format != "jsonl" || table.Format == "lines" || strings.HasPrefix(out, bom) {
		return // a row of numbers now has a label behind them; a text is now a byte order mark
	}
	l := read[0].layout
	table.Text = "text"
	if table.Format != "jsonl" {
		if table.Text = strconv.Itoa(l.text + 1); slices.Contains(l.names, table.Text) {
			return // a name, of whichever column
		}
	} else if read[0].Values != nil {
		table.Text, table.Values = "", []string{"values"}
	}
	table.Label = none
	n := 0
	for e, err := range ReadExamples("a.x", strings.NewReader(out), table) {
		if err != nil || n >= len(read) || e.Text != read[n].Text || len(e.Values) != len(read[n].Values) {
			t.Fatalf("predictions\n%q\nexample %d: %+v, %v", out, n, e, err)
		}
		n++
	}
	if n != len(read) {
		t.Errorf("predictions\n%q\nhave %d examples, want %d", out, n, len(read))
	}
}

func checkFuzzError(t *testing.T, err error) {
	t.Helper()
	if s := err.Error(); !strings.HasPrefix(s, "data: ") || strings.Contains(s, "\n") || len(s) > 1000 || !utf8.ValidString(s) {
		t.Errorf("error %q", s)
	}
}

func FuzzSeries(f *testing.F) {
	for _, file := range []string{
		"d,x\n2020-01-01,1\n2020-01-02,2\n2020-01-05,\n2020-01-06,1\n", "Month,x,y\n1949-01,1,2\n1949-02,3,NaN\n1949-04,3,1\n",
		"time,x\n1600000000,1\n1600000060,2\n", "d\tx\n2020-01-31\t1\n2020-02-29\t2\n", "x\n1\n\n2\n",
		`{"t":"2020-01-01","x":1}` + "\n" + `{"t":"2021-01-01","x":null}`,
	} {
		for mode := range 9 {
			f.Add(file, uint8(mode))
		}
	}
	f.Fuzz(func(t *testing.T, file string, mode uint8) {
		table := SeriesTable{Format: []string{"csv", "tsv", "jsonl"}[mode%3], Gaps: []string{"", "last", "linear"}[mode/3%3]}
		s, err := ReadSeries("a.x", strings.NewReader(file), table)
		if err != nil {
			checkFuzzError(t, err)
			return
		}
		if s.Len() < 1 || len(s.Values) != s.Len()*len(s.Names) || s.Times != nil && len(s.Times) != s.Len() || s.Len() > len(file)*2 {
			t.Fatalf("%d rows, %d values of %d, %d times", s.Len(), len(s.Values), len(s.Names), len(s.Times))
		}
		for _, v := range s.Values {
			if !(math.Abs(v) <= math.MaxFloat32) {
				t.Errorf("value %v", v)
			}
		}
		for i := 1; i < len(s.Times); i++ {
			if want := s.Step.After(s.Times[0], i); !s.Times[i].Equal(want) {
				t.Errorf("row %d at %v, want %v, %d steps of %s after %v", i, s.Times[i], want, i, s.Step, s.Times[0])
			}
		}
		if len(s.Following(s.Len(), 3)) != 3 || FitScaler(s.Values, len(s.Names)).Validate() != nil {
			t.Errorf("%v", s)
		}
	})
}

func FuzzIDX(f *testing.F) {
	f.Add([]byte(twoImages), []byte(twoLabels))
	f.Add([]byte(zipped(twoImages)), []byte(zipped(twoLabels)))
	f.Add([]byte(idx(idxImages, []uint32{1 << 31, 4096, 4096}, "a")), []byte(idx(idxLabels, []uint32{1 << 31}, "a")))
	f.Fuzz(func(t *testing.T, images, labels []byte) {
		n := 0
		for e, err := range ReadIDX("i", strings.NewReader(string(images)), "l", strings.NewReader(string(labels))) {
			if err != nil {
				checkFuzzError(t, err)
				continue
			}
			if n++; n > 1<<16 {
				break
			}
			checkExample(t, e)
			for _, v := range e.Values {
				if v < 0 || v > 1 {
					t.Errorf("value %v", v)
				}
			}
		}
	})
}

func FuzzVectors(f *testing.F) {
	for _, file := range []string{"the 1 2\nof 3 4\n", "2 1\nthe 1 \nof 2 \n", "a 1 2\n. . . 3 4\n", "9 99999999999\n", "a\t1\u00a0\r\nb  2"} {
		f.Add(file, "of", uint8(0))
		f.Add(file, "", uint8(1))
	}
	f.Fuzz(func(t *testing.T, file, word string, max uint8) {
		var want func(string) bool
		if word != "" {
			want = func(w string) bool { return w == word }
		}
		words, dim, values, err := ReadVectors("a.x", strings.NewReader(file), want, int(max))
		if err != nil {
			checkFuzzError(t, err)
			return
		}
		seen := map[string]bool{}
		for _, w := range words {
			if seen[w] || w == "" || !utf8.ValidString(w) || want != nil && w != word {
				t.Errorf("words %q", words)
			}
			seen[w] = true
		}
		if len(values) != len(words)*dim || dim < 1 || max > 0 && len(words) > int(max) {
			t.Errorf("%d words of %d: %d values", len(words), dim, len(values))
		}
	})
}
