package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestCase(t *testing.T) {
	c := Case{Task: "train", Cell: "gru-after", B: 32, T: 35, X: 256, H: 256, L: 1, D: 2, LR: 1e-4, Weights: "f32", Threads: 2}
	const want = "train cell=gru-after B=32 T=35 X=256 H=256 L=1 D=2 lr=0.0001 weights=f32 threads=2"
	if got := c.String(); got != want {
		t.Errorf("String: %q, want %q", got, want)
	}
	got, err := ParseCase(append(strings.Fields(want), "repack=0"))
	if err != nil || got != c {
		t.Errorf("ParseCase: %+v, %v, want %+v", got, err, c)
	}
	for _, words := range [][]string{nil, {"train", "B=many"}} {
		if _, err := ParseCase(words); err == nil {
			t.Errorf("ParseCase(%q): no error", words)
		}
	}
}

// TestLimit has the shortest times that the project's design states for a
// machine of 229 GFLOP/s.
func TestLimit(t *testing.T) {
	for _, c := range []struct {
		c  Case
		ms float64
	}{
		{Case{Task: "train", Cell: "lstm", B: 32, T: 35, X: 256, H: 256, L: 1, D: 1}, 15.4},
		{Case{Task: "train", Cell: "gru-before", B: 32, T: 35, X: 256, H: 256, L: 1, D: 1}, 11.5},
		{Case{Task: "infer", Cell: "lstm", B: 32, T: 35, X: 256, H: 256, L: 1, D: 2}, 15.4 / 3 * 2},
		{Case{Task: "infer", Cell: "lstm", B: 32, T: 35, X: 256, H: 256, L: 2, D: 2}, 15.4 / 3 * 5}, // the layer above reads both
		{Case{Task: "step", Cell: "gru-after", B: 32, T: 35, H: 256, L: 1, V: 1027}, 13.5},
		{Case{Task: "step", Cell: "lstm", B: 64, T: 64, H: 512, L: 2, V: 65}, 340},
	} {
		limit, work := c.c.Limit()
		if ms := work / 229e6; limit.Task != "fma" || math.Abs(ms/c.ms-1) > 0.01 {
			t.Errorf("%s: %s, %.1f ms, want %.1f", c.c.Name(), limit.Task, ms, c.ms)
		}
	}
	limit, work := Case{Task: "stream", Cell: "lstm", B: 1, T: 1, X: 64, H: 64, Weights: "f32", Threads: 2}.Limit()
	if want := (Case{Task: "bandwidth", Bytes: 131072, Threads: 2}); limit != want || work != 131072 {
		t.Errorf("stream: %+v, %v, want %+v", limit, work, want)
	}
}

func TestGroups(t *testing.T) {
	for _, quick := range []bool{true, false} {
		names := map[string]bool{}
		for _, g := range Groups([]int{1, 2}, quick) {
			for _, c := range g.Cases {
				if n := len(g.Columns(c)); n != len(g.Heads) {
					t.Errorf("%s: %d columns under %d heads", c.Name(), n, len(g.Heads))
				}
				if names[c.Name()] {
					t.Errorf("%s twice", c.Name())
				}
				names[c.Name()] = true
			}
		}
		if names["train/cell=lstm/B=16/T=100/X=1024/H=1024/L=1/D=1/threads=2"] == quick {
			t.Errorf("quick %v: the largest shape is there: %v", quick, quick)
		}
	}
}

func TestParseAnswer(t *testing.T) {
	if rest, err := parseAnswer("ok work=1e9\n", "ok"); rest != "work=1e9" || err != nil {
		t.Errorf("ok: %q, %v", rest, err)
	}
	if _, err := parseAnswer("no such cell\n", "ok"); !errors.Is(err, errUnsupported) {
		t.Errorf("no: %v", err)
	}
	for _, line := range []string{"error out of memory\n", "times 1\n", "\n"} {
		if _, err := parseAnswer(line, "ok"); err == nil || errors.Is(err, errUnsupported) {
			t.Errorf("%q: %v", line, err)
		}
	}
}

func TestParseTimes(t *testing.T) {
	if s, err := parseTimes("3e6 1000000 2e+06"); s != 0.002 || err != nil {
		t.Errorf("%v, %v, want 0.002", s, err)
	}
	for _, text := range []string{"", "1 two"} {
		if _, err := parseTimes(text); err == nil {
			t.Errorf("%q: no error", text)
		}
	}
}

func TestGist(t *testing.T) {
	for complaint, want := range map[string]string{
		"": "",
		"Traceback:\n  x\nModuleNotFoundError: No module named 'torch'\n": "ModuleNotFoundError: No module named 'torch'",
		"a.cpp:1:\na.cpp:1:2: fatal error: dnnl.hpp: No such file\n1 |\n": "a.cpp:1:2: fatal error: dnnl.hpp: No such file",
		"one\ntwo\n": "two",
	} {
		if got := gist(complaint); got != want {
			t.Errorf("%q: %q, want %q", complaint, got, want)
		}
	}
}

func TestProc(t *testing.T) {
	busy, err := parseBusy("cpu  100 1 10 9999 50 2 3 4 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n")
	if err != nil || math.Abs(busy-1.20) > 1e-9 {
		t.Errorf("busy %v, %v, want 1.20", busy, err)
	}
	used, err := parseUsed("42 (a ) b) S 1 2 3 4 5 6 7 8 9 10 150 25 0 0 20")
	if err != nil || used != 1.75 {
		t.Errorf("used %v, %v, want 1.75", used, err)
	}
	if _, err := parseBusy("cpu 1 2"); err == nil {
		t.Error("a short /proc/stat: no error")
	}
	if _, err := parseUsed("42 (a)"); err == nil {
		t.Error("a short /proc/PID/stat: no error")
	}
	now := time.Now()
	before, after := cpuTime{now, 10, 5}, cpuTime{now.Add(time.Second), 12, 6.47}
	if f := foreign(before, after); math.Abs(f-0.5) > 1e-9 {
		t.Errorf("foreign %v, want 0.5", f)
	}
}

func TestStats(t *testing.T) {
	values := []float64{4, 1, 3, 2}
	if got, want := SpreadOf(values), (Spread{2.5, 1, 4}); got != want {
		t.Errorf("%v, want %v", got, want)
	}
	if !slices.Equal(values, []float64{4, 1, 3, 2}) {
		t.Error("the values have moved")
	}
	if got := GeometricMean([]float64{0.5, 2, 8}); math.Abs(got-2) > 1e-12 {
		t.Errorf("geometric mean %v, want 2", got)
	}
	for s, want := range map[Spread]string{
		{1, 1, 1}:         "1.00",
		{1.234, 0.9, 1.5}: "1.23 (0.90–1.50)",
		{123.4, 12.34, 1}: "123 (12.3–1.00)",
	} {
		if got := s.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// results are two rounds of one case, the second disturbed.
func results() []measured {
	g := layers("train")
	c := Case{Task: "train", Cell: "lstm", B: 32, T: 35, X: 256, H: 256, L: 1, D: 1, Threads: 2}
	return []measured{{g, []Result{{Case: c, Rounds: []Round{
		{Times: map[string]float64{limit: 0.01, ours: 0.02, "onednn": 0.03}},
		{Times: map[string]float64{limit: 0.01, ours: 0.01, "onednn": 0.02}, Foreign: 0.2},
	}}}}}
}

func TestTables(t *testing.T) {
	var text, markdown bytes.Buffer
	m := results()
	sides := sides(others)
	table := m[0].table(sides)
	table.Text(&text)
	for _, want := range []string{
		"cell  B×T×H      threads  ours, ms  of the limit      onednn\n",
		"lstm  32×35×256  2        15†       0.75 (0.50–1.00)  1.75 (1.50–2.00)\n",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("got\n%s\nwithout\n%s", &text, want)
		}
	}
	means(m, []int{1, 2}, sides).Markdown(&markdown)
	want := `
### Geometric means

Of the medians, in parentheses over how many cases.

| group            | threads | of the limit | onednn   |
|------------------|---------|--------------|----------|
| Layers, training | 2       | 0.75 (1)     | 1.75 (1) |
`
	if markdown.String() != want {
		t.Errorf("got\n%s\nwant\n%s", &markdown, want)
	}
}

func TestWriteMarkdown(t *testing.T) {
	path := filepath.Join(t.TempDir(), "performance.md")
	read := func() string {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	for _, c := range []struct{ tables, before, want string }{
		{"\none\n", "", begin + "\n\none\n\n" + end + "\n"},
		{"two", "# Speed\n\n" + begin + "\nold\n" + end + "\nthe end\n", "# Speed\n\n" + begin + "\n\ntwo\n\n" + end + "\nthe end\n"},
	} {
		if c.before != "" {
			if err := os.WriteFile(path, []byte(c.before), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		if err := writeMarkdown(path, c.tables); err != nil {
			t.Fatal(err)
		}
		if got := read(); got != c.want {
			t.Errorf("got\n%s\nwant\n%s", got, c.want)
		}
	}
	const none = "no marks\n"
	if err := os.WriteFile(path, []byte(none), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := writeMarkdown(path, "x"); err == nil || read() != none {
		t.Errorf("a file without marks: %v, now %q", err, read())
	}
}

func TestOptions(t *testing.T) {
	o, err := parseOptions([]string{"-threads", "2", "-only", "^stream.*H=64/", "-peers", "torch"})
	if err != nil {
		t.Fatal(err)
	}
	if groups := o.selected(); len(groups) != 1 || len(groups[0].Cases) != 6 {
		t.Errorf("selected %+v, want LSTM and GRU of one width and three precisions", groups)
	}
	for _, args := range [][]string{{"-threads", "0"}, {"-threads", "1,x"}, {"-only", "("}, {"-peers", "spago"}, {"-rounds", "0"}, {"more"}} {
		if _, err := parseOptions(args); err == nil {
			t.Errorf("%q: no error", args)
		}
	}
}

// TestServeSluice speaks with Sluice's side as the driver does.
func TestServeSluice(t *testing.T) {
	var in strings.Builder
	tasks := []string{
		"train cell=lstm B=2 T=3 X=4 H=5 L=2 D=2 threads=2",
		"infer cell=gru-before B=2 T=3 X=4 H=5 L=1 D=1 threads=1",
		"stream cell=gru-after B=1 T=1 X=5 H=5 L=1 D=1 weights=int8 threads=1",
		"step cell=gru-after B=2 T=3 H=5 L=1 V=7 optimizer=adam lr=0.01 clip=1 threads=2",
	}
	for _, task := range tasks {
		fmt.Fprintf(&in, "open %s\nrun 3 1\n", task)
	}
	in.WriteString("open fma threads=2\nrun 1 1\nopen bandwidth bytes=20000 threads=2\nrun 1 1\nopen dance\nopen train cell=none\ndance\n")
	out, pipe := io.Pipe()
	go func() { pipe.CloseWithError(serveSluice(strings.NewReader(in.String()), pipe)) }()
	all, err := io.ReadAll(out)
	if err != nil {
		t.Fatal(err)
	}
	want := "^ready Sluice.*\n" + strings.Repeat("ok\ntimes( [0-9.e+]+){3,}\n", len(tasks)) + strings.Repeat("ok work=[0-9.e+]+\ntimes( [0-9.e+]+)+\n", 2) + "no .*\nerror .*\nerror .*\n$"
	if !regexp.MustCompile(want).Match(all) {
		t.Errorf("got\n%.2000s\nwant\n%s", all, want)
	}
}
