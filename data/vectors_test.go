package data

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestReadVectors(t *testing.T) {
	only := func(words ...string) func(string) bool {
		return func(w string) bool { return slices.Contains(words, w) }
	}
	for _, c := range []struct {
		file      string // lines apart by " ; "
		want      func(string) bool
		max       int
		show, err string
	}{
		{"the 0.1 -2 ; of 3e-1 4", nil, 0, `["the" "of"] 2 [0.1 -2 0.3 4]`, ""},
		{"2 3 ; the 1 2 3 \r ; 夜\u00a0雨 4 5 6 ; ", nil, 0, `["the" "夜\u00a0雨"] 3 [1 2 3 4 5 6]`, ""},
		{"夜\u00a0雨 4 5 ; the 1 2", nil, 0, `["夜\u00a0雨" "the"] 2 [4 5 1 2]`, ""},
		{"the 1 2 ; . . . 3 4 ; at x@y.zz\t5 6 ; 1 2 7 8", nil, 0, `["the" ". . ." "at x@y.zz" "1 2"] 2 [1 2 3 4 5 6 7 8]`, ""},
		{"the 1 2 ; the 3 4 ; of 5 6", nil, 0, `["the" "of"] 2 [1 2 5 6]`, ""},
		{"the 1 2 ; of 3 x ; and 5 6", only("and", "none"), 0, `["and"] 2 [5 6]`, ""},
		{"the 1 2 ; \xff 3 4 ; of 5 6", only("of"), 0, `["of"] 2 [5 6]`, ""},
		{"the 1 2 ; of 3 4 ; and", only("the", "of"), 2, `["the" "of"] 2 [1 2 3 4]`, ""},
		{"9 2 ; the 1 2 ; of 3 4", nil, 1, `["the"] 2 [1 2]`, ""},
		{"the 1 2", only("of"), 0, `[] 2 []`, ""},
		{"0 2", nil, 0, "", "data: v.txt: no word vectors: want at least one"},
		{"5 1.5 ; 6 2", nil, 0, `["5" "6"] 1 [1.5 2]`, ""},

		{"", nil, 0, "", "data: v.txt: no word vectors: want at least one"},
		{"the", nil, 0, "", `data: v.txt: line 1: "the": want a word and its vector, or the number of words and their dimension from 1 to 65536`},
		{"1 999999999", nil, 0, "", `data: v.txt: line 1: "1 999999999": want a word and its vector, or the number of words and their dimension from 1 to 65536`},
		{"3 2 ; the 1 2 ; of 3 4", nil, 0, "", "data: v.txt: 2 word vectors, and the first line says 3: want as many"},
		{"1 2 ; the 1 2 ; of 3 4", nil, 0, "", "data: v.txt: 2 word vectors, and the first line says 1: want as many"},
		{"the 1 2 3 ; of 3 4", nil, 0, "", `data: v.txt: line 2: "of 3 4": 2 numbers: want a word and 3`},
		{"the 1 2 ;  3 4", nil, 0, "", "data: v.txt: line 2: numbers without a word: want one before them"},
		{"the 1 2 ; of 0.3 4 5", nil, 0, "", `data: v.txt: line 2: more than 2 numbers behind "of": want as many as in the first line`},
		{"the 1 2 ; of 3 x", nil, 0, "", `data: v.txt: line 2: the vector of "of": "x": want a number`},
		{"the 1 2 ; of 3 4\u00a05", nil, 0, "", `data: v.txt: line 2: the vector of "of": "4\u00a05": want a number`},
		{"the 1 nan", nil, 0, "", `data: v.txt: line 1: the vector of "the": "nan": want a finite number`},
		{"the 1 2 ; \xff 3 4", nil, 0, "", `data: v.txt: line 2: the word "\xff" is not UTF-8`},
	} {
		words, dim, values, err := ReadVectors("v.txt", strings.NewReader(strings.ReplaceAll(c.file, " ; ", "\n")), c.want, c.max)
		wantError(t, err, c.err)
		if got := fmt.Sprintf("%q %d %v", words, dim, values); err == nil && got != c.show {
			t.Errorf("%q:\n %s\nwant\n %s", c.file, got, c.show)
		}
	}
}
