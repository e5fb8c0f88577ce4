package data

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

// emptied takes pairs that stand side by side out of a string until there are
// none.
func emptied(text string, pairs ...string) string {
	for before := ""; before != text; {
		before = text
		for _, p := range pairs {
			text = strings.ReplaceAll(text, p, "")
		}
	}
	return text
}

// grammarsOf are the grammars that a string belongs to, by other means than
// those of the generator.
func grammarsOf(text string) (names []string) {
	round := strings.NewReplacer("[", "", "]", "").Replace(text)
	square := strings.NewReplacer("(", "", ")", "").Replace(text)
	nested := emptied(text, "()", "[]") == ""
	balanced := emptied(round, "()")+emptied(square, "[]") == ""
	backward := []byte(text)
	slices.Reverse(backward)
	kinds := strings.NewReplacer("[", "(", "]", ")").Replace(text)
	if nested {
		names = append(names, "nested")
	}
	if balanced && !nested {
		names = append(names, "crossed")
	}
	if string(backward) == text {
		names = append(names, "mirrored")
	}
	if kinds == strings.Repeat("()", len(text)/2) && !balanced {
		names = append(names, "alternating")
	}
	if names == nil {
		names = append(names, "broken")
	}
	return names
}

func TestGrammars(t *testing.T) {
	const n = 20_000
	labels, seen := map[string]int{}, map[string]bool{}
	for i := range uint64(n) {
		text, label := Grammars{Seed: 1}.Example(i)
		if got := grammarsOf(text); !slices.Equal(got, []string{label}) {
			t.Fatalf("example %d, %s: %s, want %v", i, text, label, got)
		}
		if strings.Trim(text, "()[]") != "" || len(text) < 12 || len(text) > 24 {
			t.Fatalf("example %d: %q", i, text)
		}
		labels[label]++
		seen[text] = true
	}
	for name, share := range map[string]float64{"nested": 0.3, "crossed": 0.25, "mirrored": 0.2, "broken": 0.15, "alternating": 0.1} {
		if got := float64(labels[name]) / n; math.Abs(got-share) > 0.012 {
			t.Errorf("%s: %.3f of the examples, want %v", name, got, share)
		}
	}
	if got, want := fmt.Sprint(Grammars{}.Labels()), "[nested crossed mirrored broken alternating]"; got != want || len(labels) != 5 {
		t.Errorf("labels %s, want %s; %d are used", got, want, len(labels))
	}
	if len(seen) < n*3/4 {
		t.Errorf("%d different strings of %d", len(seen), n)
	}
}

// The numbers of brackets of each kind are the same for all labels, but for
// chance.
func TestGrammarCountsSayNothing(t *testing.T) {
	const n = 20_000
	byCounts, byLabel := map[[4]int]map[string]int{}, map[string]int{}
	for i := range uint64(n) {
		text, label := Grammars{Seed: 2}.Example(i)
		var c [4]int
		for k, s := range []string{"(", ")", "[", "]"} {
			c[k] = strings.Count(text, s)
		}
		if c[0] != c[1] || c[2] != c[3] {
			t.Fatalf("%s has %v brackets of a kind", text, c)
		}
		if byCounts[c] == nil {
			byCounts[c] = map[string]int{}
		}
		byCounts[c][label]++
		byLabel[label]++
	}
	if len(byCounts) != 8 {
		t.Errorf("%d different counts, want 8", len(byCounts))
	}
	for c, labels := range byCounts {
		all := 0
		for _, k := range labels {
			all += k
		}
		for label, k := range byLabel {
			p := float64(k) / n
			if want := p * float64(all); math.Abs(float64(labels[label])-want) > 4.5*math.Sqrt(want*(1-p)) {
				t.Errorf("of %d strings with %v brackets %d are %s, want %.0f", all, c, labels[label], label, want)
			}
		}
	}
}

// pieces are the runs of k brackets of a string, its ends included.
func bitsOf(text string, k int) (all []string) {
	text = strings.Repeat("^", k-1) + text + "$"
	for i := range len(text) - k + 1 {
		all = append(all, text[i:i+k])
	}
	return all
}

// Counts of pieces do not tell the grammars apart: the figure of the comment.
func TestGrammarsAgainstNaiveBayes(t *testing.T) {
	const train, test, k = 8000, 2000, 4
	g := Grammars{Seed: 1}
	counts, sums, prior := map[string]float64{}, map[string]float64{}, map[string]float64{}
	for i := range uint64(train) {
		text, label := g.Example(i)
		prior[label]++
		for _, p := range bitsOf(text, k) {
			counts[label+p]++
			sums[label]++
		}
	}
	right := 0.0
	for i := range uint64(test) {
		text, label := g.Example(train + i)
		said, best := "", math.Inf(-1)
		for _, l := range g.Labels() {
			score := math.Log(prior[l])
			for _, p := range bitsOf(text, k) {
				score += math.Log((counts[l+p] + 0.1) / (sums[l] + 0.1*256))
			}
			if score > best {
				said, best = l, score
			}
		}
		if said == label {
			right += 1.0 / test
		}
	}
	t.Logf("naive Bayes on pieces of %d brackets is right in %.3f", k, right)
	if right > 0.87 {
		t.Errorf("naive Bayes on pieces of %d brackets is right in %.3f, want 0.85", k, right)
	}
}

// Examples are pinned: they must never change, or figures would.
func TestGrammarsWriteTSV(t *testing.T) {
	var b strings.Builder
	if err := (Grammars{Seed: 1}).WriteTSV(&b, 100, 6); err != nil {
		t.Fatal(err)
	}
	if want := `text	label
[[][(])()[]]	crossed
[)()[][][](]	alternating
())()[[[((]]](([[]][])))	broken
()[](][][)[][][]	alternating
[(([]())())]	nested
[[]()][][[(())][()]]	nested
`; b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
	if text, label := (Grammars{Seed: 1}).Example(102); text != "())()[[[((]]](([[]][])))" || label != "broken" {
		t.Errorf("example 102 alone is %s, %s", text, label)
	}
	if text, _ := (Grammars{Seed: 2}).Example(102); text == "())()[[[((]]](([[]][])))" {
		t.Error("the seed changes nothing")
	}
	if err := (Grammars{}).WriteTSV(&full{0}, 0, 9); !errors.Is(err, errFull) {
		t.Errorf("a writer that is full: %v", err)
	}
}

var errFull = errors.New("no room")

// full is a writer that takes a number of writes.
type full struct{ left int }

func (f *full) Write(p []byte) (int, error) {
	if f.left == 0 {
		return 0, errFull
	}
	f.left--
	return len(p), nil
}
