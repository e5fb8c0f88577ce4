package train

import (
	"slices"
	"strings"
	"testing"

	"sluice/data"
	"sluice/model"
)

// What is given to be held out or for a test stays as it is, what is cut off leaves
// a label that nothing else has to be trained on.
func TestPartsDivide(t *testing.T) {
	for _, k := range []struct {
		split                data.Fractions
		all, heldOut, test   string // labels of one letter; "": not given
		train, held, forTest string
	}{
		{data.Fractions{Lines: 3}, "aabaab", "", "", "aaaab", "b", ""},
		{data.Fractions{Lines: 3}, "aabaac", "", "", "aaaabc", "", ""},
		{data.Fractions{Lines: 3}, "aabaab", "", "xy", "aaaab", "b", "xy"},
		{data.Fractions{Lines: 3}, "aabaab", "z", "", "aabaab", "z", ""},
		{data.Fractions{Lines: 3, Test: 0.5}, "aabaab", "z", "", "aab", "z", "aab"},
		{data.Fractions{Validation: 0.25, Test: 0.25}, "aaaabaca", "", "", "aaaabc", "a", "a"},
		{data.Fractions{Test: 0.5}, "aaab", "", "x", "aaab", "", "x"},
	} {
		parts := Parts[string]{}
		for _, p := range []struct {
			labels string
			into   *[]string
		}{{k.all, &parts.Train}, {k.heldOut, &parts.HeldOut}, {k.test, &parts.Test}} {
			if p.labels != "" {
				*p.into = strings.Split(p.labels, "")
			}
		}
		line := 0
		parts.divide(Config{Split: k.split}, func(string) (string, int) { line++; return "", line }, func(s string) []string { return []string{s} })
		got := [3]string{strings.Join(parts.Train, ""), strings.Join(parts.HeldOut, ""), strings.Join(parts.Test, "")}
		if want := [3]string{k.train, k.held, k.forTest}; got != want {
			t.Errorf("%+v of %s, held out %q, test %q: %q, want %q", k.split, k.all, k.heldOut, k.test, got, want)
		}
	}
}

// What cannot be learned from says where it is.
func TestPrepareTagsErrors(t *testing.T) {
	c, err := Preset(model.Tag)
	if err != nil {
		t.Fatal(err)
	}
	c.Vocab.MinCount = 1
	sentence := func(line int, tags string) data.Sentence {
		return data.Sentence{Words: slices.Repeat([]string{"w"}, len(strings.Fields(tags))), Tags: strings.Fields(tags), File: "a", Line: line}
	}
	good := sentence(1, "B-X I-X O")
	for _, k := range []struct {
		change func(c *Config)
		parts  Parts[data.Sentence]
		want   string
	}{
		{nil, Parts[data.Sentence]{Train: []data.Sentence{good, sentence(5, "O I-X")}}, `a: line 5: data: word 2: tag "I-X" after "O": want "B-X" (iob2), as a CRF allows no other`},
		{nil, Parts[data.Sentence]{Train: []data.Sentence{good}, HeldOut: []data.Sentence{sentence(2, "B-X O"), sentence(4, "O I-X")}}, `a: line 4: data: word 2: tag "I-X" after "O": want "B-X" (iob2), as a CRF allows no other`},
		{nil, Parts[data.Sentence]{Train: []data.Sentence{good}, HeldOut: []data.Sentence{sentence(7, "B-Y")}}, `a: line 7: word 1, "w": tag "B-Y": want one of ["B-X" "I-X" "O"]`},
		{func(c *Config) { c.Tokens = 2 }, Parts[data.Sentence]{Train: []data.Sentence{sentence(1, "O"), sentence(3, "B-X I-X O")}}, "a: line 3: a sequence of 3 steps: want at most 2, the tokens of a minibatch, or more of these"},
		{nil, Parts[data.Sentence]{Train: []data.Sentence{sentence(1, "O")}}, `a: the only tag is "O": want two or more to choose from`},
		{func(c *Config) { c.Scheme = data.BIOES }, Parts[data.Sentence]{Train: []data.Sentence{sentence(1, "NOUN VERB")}}, "a: tags to be brought to scheme bioes, and they mark no spans in any scheme: want none"},
	} {
		c := c
		if k.change != nil {
			k.change(&c)
		}
		_, err := PrepareTags(c, &k.parts, nil)
		if err == nil || err.Error() != k.want {
			t.Errorf("%v, want %s", err, k.want)
		}
	}
	// A held-out part without any span has the scheme of what is trained on.
	p := Parts[data.Sentence]{Train: []data.Sentence{good}, HeldOut: []data.Sentence{sentence(1, "O O")}}
	if x, err := PrepareTags(c, &p, nil); err != nil || x.Names.Scheme != data.IOB2 || x.HeldOut.Len() != 1 {
		t.Errorf("%+v, error %v", x, err)
	}
}
