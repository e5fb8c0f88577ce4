package metrics

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// spanCase is one of testdata: tags, and the lines that another program found.
type spanCase struct {
	name      string
	want, got [][]string // of each sentence
	found     []string
}

func sentences(fields []string) (all [][]string) {
	tags := []string{}
	for _, f := range append(fields, "|") {
		if f == "|" {
			all = append(all, tags)
			tags = []string{}
			continue
		}
		tags = append(tags, f)
	}
	return all
}

func readCases(t *testing.T, name string) (cases []spanCase) {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		if word == "case" {
			cases = append(cases, spanCase{name: rest})
			continue
		}
		if len(cases) == 0 {
			continue
		}
		c := &cases[len(cases)-1]
		switch word {
		case "want":
			c.want = sentences(strings.Fields(rest))
		case "got":
			c.got = sentences(strings.Fields(rest))
		case "all", "kind":
			c.found = append(c.found, lines.Text())
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return cases
}

// The numbers are those that conlleval prints: testdata/golden.py says how.
func TestSpanScore(t *testing.T) {
	percent := func(x float64) string { return fmt.Sprintf("%.2f", 100*x) }
	for file, count := range map[string]int{"iob.txt": 30, "bioes.txt": 12} {
		cases := readCases(t, file)
		if len(cases) != count {
			t.Errorf("%s: %d cases, want %d", file, len(cases), count)
		}
		for _, c := range cases {
			var s SpanScore
			for i, want := range c.want {
				s.Add(want, c.got[i])
			}
			found := []string{fmt.Sprint("all ", s.Words, s.Want, s.Got, s.Right, " ", percent(s.Accuracy()), " ", percent(s.Precision()), " ", percent(s.Recall()), " ", percent(s.F1()))}
			for _, k := range s.Kinds() {
				found = append(found, fmt.Sprintf("kind %q %s %s %s %d", k.Kind, percent(k.Precision()), percent(k.Recall()), percent(k.F1()), k.Got))
			}
			if len(c.found) == 0 || !slices.Equal(found, c.found) {
				t.Errorf("%s: %s\n%s\nwant\n%s", file, c.name, strings.Join(found, "\n"), strings.Join(c.found, "\n"))
			}
		}
	}
}

func TestSpanScoreNothing(t *testing.T) {
	var s SpanScore
	s.Add(nil, nil)
	if got := []float64{s.Accuracy(), s.Precision(), s.Recall(), s.F1()}; !slices.Equal(got, make([]float64, 4)) || s.Kinds() != nil {
		t.Errorf("scores %v, kinds %v of nothing", got, s.Kinds())
	}
	defer func() {
		if got := recover(); got != "metrics: SpanScore: 1 predicted tags, want 2" {
			t.Errorf("panic %v", got)
		}
	}()
	s.Add([]string{"O", "O"}, []string{"O"})
}
