package data

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// all sequences of these tags up to a length.
func sequences(tags []string, most int) (all [][]string) {
	all = [][]string{{}}
	for from := 0; most > 0; most-- {
		end := len(all)
		for _, s := range all[from:end] {
			for _, t := range tags {
				all = append(all, append(slices.Clip(s), t))
			}
		}
		from = end
	}
	return all
}

func (s Scheme) allows(tags []string) bool {
	_, err := s.fault(tags)
	return err == nil
}

// writings are all tags that a scheme has for the spans of n words, by a way of
// its own: each word is outside, starts a span or goes on with one.
func writings(s Scheme, n int) (all [][]string) {
	for code := range pow(5, n) { // outside, or starts x, starts y, goes on with x, with y
		var parts []int
		for range n {
			parts = append(parts, code%5)
			code /= 5
		}
		var tags []string
		for i, p := range parts {
			before, after := 0, 0
			if i > 0 {
				before = parts[i-1]
			}
			if i+1 < n {
				after = parts[i+1]
			}
			tags = append(tags, writing(s, before, p, after))
		}
		if !slices.Contains(tags, "") {
			all = append(all, tags)
		}
	}
	return all
}

// writing is the tag of a word, "" where there is no such span to go on with.
func writing(s Scheme, before, p, after int) string {
	kind := func(p int) int { return (p + 1) % 2 }
	starts, on, ends := p == 1 || p == 2, p > 2, after < 3 || kind(after) != kind(p)
	if p == 0 {
		return "O"
	}
	k := "-" + string("xy"[kind(p)])
	if on && (before == 0 || kind(before) != kind(p)) {
		return ""
	}
	switch {
	case s == IOB2 && starts, s == IOB1 && starts && before != 0 && kind(before) == kind(p), s == BIOES && starts && !ends:
		return "B" + k
	case s == BIOES && starts:
		return "S" + k
	case s == BIOES && ends:
		return "E" + k
	}
	return "I" + k
}

func pow(base, n int) int {
	p := 1
	for range n {
		p *= base
	}
	return p
}

// A scheme allows exactly the tags that it writes for some spans, and these are
// converted to any other and back.
func TestSchemes(t *testing.T) {
	var tags []string
	for _, kind := range []string{"x", "y"} {
		for _, letter := range []string{"B", "I", "E", "S"} {
			tags = append(tags, letter+"-"+kind)
		}
	}
	tags = append(tags, "O")
	for _, s := range []Scheme{IOB1, IOB2, BIOES} {
		want := map[string]bool{}
		for n := range 5 {
			for _, w := range writings(s, n) {
				want[strings.Join(w, " ")] = true
			}
		}
		for _, seq := range sequences(tags, 4) {
			if shown := strings.Join(seq, " "); s.allows(seq) != want[shown] {
				t.Fatalf("%s allows %q: %v, want %v", s, shown, s.allows(seq), want[shown])
			}
		}
		for shown := range want {
			seq := strings.Fields(shown)
			for _, to := range []Scheme{IOB1, IOB2, BIOES} {
				there, err := ConvertTags(seq, s, to)
				if err != nil || !to.allows(there) || !slices.Equal(Spans(there), Spans(seq)) {
					t.Fatalf("%s to %s: %q becomes %q, %v", s, to, seq, there, err)
				}
				if back, err := ConvertTags(there, to, s); err != nil || !slices.Equal(back, seq) {
					t.Fatalf("%s to %s and back: %q becomes %q, %v", s, to, seq, back, err)
				}
			}
		}
	}
}

func TestSpans(t *testing.T) {
	for _, c := range []struct{ tags, want string }{
		{"", "[]"}, {"O O", "[]"}, {"NOUN VERB", "[]"},
		{"B-x I-x O B-y", "[{0 2 x} {3 4 y}]"},
		{"I-x I-x B-x I-y", "[{0 2 x} {2 3 x} {3 4 y}]"},
		{"B-x E-x B-x I-x E-x S-x", "[{0 2 x} {2 5 x} {5 6 x}]"},
		{"B-a-b I-a-c I-a-c", "[{0 1 a-b} {1 3 a-c}]"},
		{"[-x I-x O ]-x ]-x", "[{0 1 x} {3 4 x} {4 5 x}]"},
		{"I-x [-x .-x I-x", "[{0 1 x} {1 2 x}]"},
		{"B-x .", "[{0 1 x}]"},
		{"B I O I", "[{0 2 } {3 4 }]"},
	} {
		if got := fmt.Sprint(Spans(strings.Fields(c.tags))); got != c.want {
			t.Errorf("%s: %s, want %s", c.tags, got, c.want)
		}
	}
}

func TestDetectScheme(t *testing.T) {
	for text, want := range map[string]Scheme{
		"": "", "O O": "", "NOUN VERB": "", "B-x NOUN": "", "B- I-": "", "b-x": "", "BI-x": "", "-LRB- O": "",
		"B-x I-x O":         IOB2,
		"B-x O | B-y":       IOB2,
		"B-x | O I-x B-x":   IOB2, // a fault by both
		"I-x O I-y":         IOB1,
		"I-x I-x B-x":       IOB1,
		"I-x | I-x | O B-x": IOB1, // a fault by IOB1, two by IOB2
		"B-x E-x O":         BIOES,
		"S-x O":             BIOES,
		"S-x B-x":           BIOES, // with a fault
		"B-x I-x E-x S-y":   BIOES,
		"I-x E-x":           "", // IOE
		"E-x O":             "",
		"S-x E-x":           "",
		"S-x I-x":           "",
	} {
		var all []Sentence
		for _, tags := range strings.Split(text, "|") {
			all = append(all, Sentence{Tags: strings.Fields(tags)})
		}
		if got := DetectScheme(all); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
	if got := DetectScheme([]Sentence{{Words: []string{"a"}}}); got != "" {
		t.Errorf("no tags: %q", got)
	}
}

func TestSchemeErrors(t *testing.T) {
	for _, c := range []struct {
		scheme    Scheme
		tags, err string
	}{
		{"", "NOUN I-x", ""}, {IOB2, "O B-x I-x", ""},
		{IOB2, "O I-a-b", `word 2: tag "I-a-b" after "O": want "B-a-b" (iob2)`},
		{IOB2, "I-x", `word 1: tag "I-x" at the start of a sentence: want "B-x" (iob2)`},
		{IOB2, "B-x I-y", `word 2: tag "I-y" after "B-x": want "B-y" (iob2)`},
		{IOB2, "O E-x", `word 2: tag "E-x": want O, or B or I with a hyphen and a kind (iob2)`},
		{IOB1, "O B-x", `word 2: tag "B-x" after "O": want "I-x" (iob1)`},
		{IOB1, "I-y B-x", `word 2: tag "B-x" after "I-y": want "I-x" (iob1)`},
		{BIOES, "O E-x", `word 2: tag "E-x" after "O": want "B-x" or "S-x" (bioes)`},
		{BIOES, "O S-x I-x", `word 3: tag "I-x" after "S-x": want "B-x" or "S-x" (bioes)`},
		{BIOES, "B-x I-y", `word 2: tag "I-y" after "B-x": want "I-x" or "E-x" (bioes)`},
		{BIOES, "B-x I-x O", `word 3: tag "O" after "I-x": want "I-x" or "E-x" (bioes)`},
		{BIOES, "O B-x", `word 2: tag "B-x" at the end of a sentence: want "S-x" (bioes)`},
		{BIOES, "B-x I-x", `word 2: tag "I-x" at the end of a sentence: want "E-x" (bioes)`},
		{BIOES, "O NOUN", `word 2: tag "NOUN": want O, or B, I, E or S with a hyphen and a kind (bioes)`},
		{BIOES, "B-" + strings.Repeat("x", 50) + " O", `word 2: tag "O" after "B-` + strings.Repeat("x", 38) + `"…: want "I-` + strings.Repeat("x", 38) + `"… or "E-` + strings.Repeat("x", 38) + `"… (bioes)`},
	} {
		tags := strings.Fields(c.tags)
		want := c.err
		if want != "" {
			want = "data: " + want
		}
		_, err := ConvertTags(tags, c.scheme, c.scheme)
		wantError(t, err, want)
	}
	_, err := ConvertTags([]string{"O", ""}, IOB2, IOB1)
	wantError(t, err, `data: word 2: tag "": want O, or B or I with a hyphen and a kind (iob2)`)
	_, err = ConvertTags(nil, "iob", IOB1)
	wantError(t, err, `data: tag scheme "iob": want iob1, iob2, bioes or none`)
	_, err = ConvertTags(nil, "", IOB1)
	wantError(t, err, `data: tags of scheme "" to scheme "iob1": want iob1, iob2 or bioes for both`)
	if IOB2.Follows("NOUN", "O") || IOB2.Follows("O", "NOUN") || !IOB2.Follows("", "") || !Scheme("").Follows("NOUN", "") {
		t.Error("tags of no scheme")
	}
}

// Check says where, also with lines that have no word between.
func TestSchemeCheck(t *testing.T) {
	ud := Columns{Format: "conllu", Tag: "10"}
	tagged := func(id, tag string) string { return id + "\tw" + strings.Repeat("\t_", 7) + "\t" + tag + "\n" }
	for _, c := range []struct {
		c         Columns
		text, err string
	}{
		{Columns{}, "a O\n\nb O\nc B-x\nd I-y\n", `line 5: tag "I-y" after "B-x": want "B-y" (iob2)`},
		{ud, "# c\n" + tagged("1", "O") + tagged("2-3", "_") + "# d\n" + tagged("2", "I-x") + tagged("3", "I-x"), `line 5: tag "I-x" after "O": want "B-x" (iob2)`},
		{ud, "# c\n" + tagged("1", "B-x") + tagged("1.1", "_") + tagged("2", "I-x"), ""},
		{Columns{Format: "jsonl"}, "\n" + `{"words":["a","b"],"tags":["O","I-x"]}`, `line 2: tag "I-x" after "O": want "B-x" (iob2)`},
	} {
		all, err := readSentences(c.text, c.c)
		if err != nil {
			t.Fatal(err)
		}
		want := c.err
		if want != "" {
			want = "data: two words.txt: " + want
		}
		wantError(t, IOB2.Check("two words.txt", all[len(all)-1]), want)
		wantError(t, Scheme("").Check("", all[len(all)-1]), "")
	}
	all, err := readSentences("a B-x\n\nb O\nc B-x\n", Columns{})
	if err != nil {
		t.Fatal(err)
	}
	wantError(t, BIOES.Check("-", all[1]), `data: standard input: line 4: tag "B-x" at the end of a sentence: want "S-x" (bioes)`)
}
