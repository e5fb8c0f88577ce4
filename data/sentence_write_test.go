package data

import (
	"bytes"
	"encoding/json"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Tags are written where they were, or one column more; all else is as it came.
func TestAppendTagged(t *testing.T) {
	ud := Columns{Format: "conllu"}
	for _, c := range []struct {
		c          Columns
		text, want string // tags become T1, T2, …
	}{
		{Columns{}, "\n\t\na X\nbb  p\n\t\n\nc Y", "\n\t\na T1\nbb  T2\n\t\n\nc T3\n\n"},
		{Columns{}, bom + " a\tp \t X \r\nb\tq\tY\r\n\r\n", " a\tp \t T1 \nb\tq\tT2\n\n"},
		{Columns{Tag: "1", Word: 2}, "X a p\nY  b q\n", "T1 a p\nT2  b q\n\n"},
		{Columns{}, "-DOCSTART- -X-\n\na X\n-DOCSTART- O\nb Y\n", "-DOCSTART- -X-\n\na T1\n-DOCSTART- O\nb T2\n\n"},
		{Columns{}, "a\n b \n\nc\n", "a\tT1\n b\tT2 \n\nc\tT3\n\n"},
		{Columns{Tag: "3"}, "a p\nb  q \n", "a p T1\nb  q T2 \n\n"},
		{Columns{Tag: "3"}, "a\tp q\nb\tq\n", "a\tp q\tT1\nb\tq\tT2\n\n"},
		{ud, "# one\n" + row10("1-2", "ab", "_") + row10("1", "a", "X") + row10("1.1", "e", "_") + "# amid\n" + row10("2", "b", "Y") + "\n# two\n" + row10("1", "c", "X"),
			"# one\n" + row10("1-2", "ab", "_") + row10("1", "a", "T1") + row10("1.1", "e", "_") + "# amid\n" + row10("2", "b", "T2") + "\n# two\n" + row10("1", "c", "T3") + "\n"},
		{ud, row10("1", "a", "_"), row10("1", "a", "T1") + "\n"},
		{Columns{Format: "jsonl"}, `{"id":1,"tags":["X","Y"],"words":["<a>","\"b\" 夜"]}` + "\n" + `{"words":["c"],"tags":["X"]}`,
			`{"words":["<a>","\"b\" 夜"],"tags":["T1","T2"]}` + "\n" + `{"words":["c"],"tags":["T3"]}` + "\n"},
		{Columns{Format: "text"}, "a  b\n\n\nc\n", "a\tT1\nb\tT2\n\nc\tT3\n\n"},
	} {
		all, err := readSentences(c.text, c.c)
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
		}
		got, n := []byte("before\n"), 0
		for _, s := range all {
			tags := make([]string, len(s.Words))
			for i := range tags {
				n++
				tags[i] = "T" + string(rune('0'+n))
			}
			got = s.AppendTagged(got, c.c, tags)
		}
		if string(got) != "before\n"+c.want {
			t.Errorf("%+v %q:\n%q\nwant\n%q", c.c, c.text, got, c.want)
		}
	}
	// a sentence of no file
	s := Sentence{Words: []string{"a", "b"}}
	for c, want := range map[Columns]string{
		{}:                               "a\tX\nb\tY\n\n",
		{Format: "text"}:                 "a\tX\nb\tY\n\n",
		{Format: "jsonl"}:                `{"words":["a","b"],"tags":["X","Y"]}` + "\n",
		{Format: "conllu", Tag: "xpos"}:  "1\ta\t_\t_\tX\t_\t_\t_\t_\t_\n2\tb\t_\t_\tY\t_\t_\t_\t_\t_\n\n",
		{Format: "columns", Tag: "1024"}: "a\tX\nb\tY\n\n",
	} {
		if got := s.AppendTagged(nil, c, []string{"X", "Y"}); string(got) != want {
			t.Errorf("%+v: %q, want %q", c, got, want)
		}
	}
	defer func() {
		if got := recover(); got != "data: AppendTagged: 1 tags, want 2, one for each word" {
			t.Errorf("panic %v", got)
		}
	}()
	s.AppendTagged(nil, Columns{}, []string{"X"})
}

// Nothing breaks the reader; what is read and written with its own tags is as it
// came, and what is written is read as the same.
func FuzzSentences(f *testing.F) {
	layouts := []Columns{{}, {Word: 2}, {Tag: "3"}, {Format: "conllu"}, {Format: "conllu", Tag: "feats"}, {Format: "jsonl"}, {Format: "text"}}
	for _, text := range []string{
		"a X\nb Y\n\nc Z\n", bom + "a\tX\r\n\r\n \t\n-DOCSTART-\n\nb\t Y ", "a\nb\n", "a p\nb q\n-DOCSTART- O\nc d\n", "a X\nb\n", "\t\n\xff",
		"# c\n" + row10("1-2", "ab", "_") + row10("1", "a", "X") + row10("1.1", "e", "_") + row10("2", "b", "Y") + "\n# d\n\n" + row10("1", "c", "X"),
		row10("1", "a", "_"), `{"words":["a","b"],"tags":["X","Y"]}` + "\n\n" + `{"tags":["Z"],"words":["<\u2028>"],"id":1}`, `{"text":"a b"}`, "a b\n\n c\x85d\n",
	} {
		for i := range layouts {
			f.Add(text, uint8(i))
		}
	}
	f.Fuzz(func(t *testing.T, text string, layout uint8) {
		c := layouts[int(layout)%len(layouts)]
		all, err := readSentences(text, c)
		if err != nil {
			if s := err.Error(); !strings.HasPrefix(s, "data: file: ") || strings.ContainsAny(s, "\n\r") || len(s) > 300 {
				t.Fatalf("error %q: want one short line", s)
			}
			if len(all) == 0 {
				return
			}
		}
		var own, other []byte
		for _, s := range all {
			if len(s.Words) == 0 || s.Tags != nil && len(s.Tags) != len(s.Words) || s.Line < 1 || s.lineOf(len(s.Words)-1) < s.lineOf(0) || s.lineOf(0) != s.Line {
				t.Fatalf("%+v", s)
			}
			if s.Tags != nil {
				own = s.AppendTagged(own, c, s.Tags)
			}
			other = s.AppendTagged(other, c, slices.Repeat([]string{"T"}, len(s.Words)))
		}
		if err == nil && own != nil && c.Format != "jsonl" {
			sameBytes(t, text, own)
		}
		if c.Format == "text" {
			if strings.Contains(text, "-DOCSTART-") {
				return // no word in columns
			}
			c = Columns{}
		}
		if strings.HasPrefix(string(other), bom) { // of a word that is a mark; as the first in a file it is none
			return
		}
		again, err := readSentences(string(other), c)
		if err != nil || len(again) != len(all) {
			t.Fatalf("%q: read again %+v, error %v, want %+v", other, again, err, all)
		}
		for i, s := range all {
			if !slices.Equal(s.Words, again[i].Words) || !slices.Equal(again[i].Tags, slices.Repeat([]string{"T"}, len(s.Words))) {
				t.Fatalf("%q: read again %+v, want %+v", other, again, all)
			}
		}
	})
}

// carriageReturns are those that end a line.
var carriageReturns = regexp.MustCompile(`\r+(\n|$)`)

// sameBytes wants own to be the text up to what ReadSentences says it leaves out.
func sameBytes(t *testing.T, text string, own []byte) {
	text = strings.TrimPrefix(carriageReturns.ReplaceAllString(text, "$1"), bom) + "\n\n"
	rest, ok := strings.CutPrefix(text, string(own))
	if !ok {
		t.Fatalf("written again %q, want %q", own, text)
	}
	for l := range strings.Lines(rest) {
		if l = strings.Trim(l, " \t\n"); l != "" && l[0] != '#' && !startsDocument(l) {
			t.Fatalf("%q is lost of %q", l, text)
		}
	}
}

// Config files hold Columns.
func TestColumnsJSON(t *testing.T) {
	for c, want := range map[Columns]string{{}: "{}", {Format: "conllu", Tag: "xpos"}: `{"format":"conllu","tag":"xpos"}`, {Word: 2}: `{"word":2}`} {
		var back Columns
		if b := must(json.Marshal(c)); string(b) != want || json.Unmarshal(b, &back) != nil || back != c {
			t.Errorf("%s, want %s", b, want)
		}
	}
}

// A sentence that was given stays as it is when others are read.
func TestSentencesAreApart(t *testing.T) {
	const text = "a X\nb Y\n\nc Z\n\nd X\n\n"
	var kept []Sentence
	var shown []string
	for s, err := range ReadSentences("file", io.LimitReader(bytes.NewReader([]byte(text)), 1<<20), Columns{}) {
		if err != nil {
			t.Fatal(err)
		}
		kept, shown = append(kept, s), append(shown, string(s.AppendTagged(nil, Columns{}, s.Tags)))
	}
	var after []string
	for _, s := range kept {
		after = append(after, string(s.AppendTagged(nil, Columns{}, s.Tags)))
	}
	if !reflect.DeepEqual(after, shown) || strings.Join(after, "") != text {
		t.Errorf("%q, want %q", after, shown)
	}
}
