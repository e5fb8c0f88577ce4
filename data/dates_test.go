package data

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var datesName = regexp.MustCompile(`<([^<>]*)>`)

// Each name in a rule has a rule of its own or is a range of numbers, each rule
// is used, and spans neither overlap nor stay open.
func TestDatesRules(t *testing.T) {
	used, number := map[string]bool{"sentence": true}, regexp.MustCompile(`^\d+-\d+$`)
	for name, alternatives := range datesAlternatives() {
		for _, a := range alternatives {
			if a == "" || strings.Contains(a, "\n") {
				t.Errorf("%s: alternative %q", name, a)
			}
			for _, m := range datesName.FindAllStringSubmatch(a, -1) {
				used[m[1]] = true
				if datesRules[m[1]] == "" && !number.MatchString(m[1]) {
					t.Errorf("%s: %q has no rule", name, m[0])
				}
			}
			if strings.ContainsAny(datesName.ReplaceAllString(a, ""), "<>") {
				t.Errorf("%s: %q has a name without an end", name, a)
			}
			open := false
			for _, word := range strings.Fields(a) {
				switch {
				case datesSpans[word] != "" && !open, word == "}" && open:
					open = !open
				case strings.ContainsAny(word, "{}"):
					t.Errorf("%s: %q in %q", name, word, a)
				}
			}
			if open {
				t.Errorf("%s: a span has no end in %q", name, a)
			}
		}
	}
	for name := range datesRules {
		if !used[name] {
			t.Errorf("rule %s is not used", name)
		}
	}
}

// sentencesOf are n sentences from the first on.
func sentencesOf(first uint64, n int) (words, tags [][]string) {
	for i := range uint64(n) {
		w, g := Dates{Seed: 1}.Sentence(first + i)
		words, tags = append(words, w), append(tags, g)
	}
	return words, tags
}

// Words and tags are well formed, and the same words have the same tags.
func TestDates(t *testing.T) {
	const n = 8000
	words, tags := sentencesOf(0, n)
	seen, kinds := map[string]string{}, map[string]int{}
	for i, w := range words {
		before := "O"
		for k, tag := range tags[i] {
			if kind, inside := strings.CutPrefix(tag, "I-"); inside && before != "B-"+kind && before != tag {
				t.Fatalf("sentence %d: %s after %s: %q", i, tag, before, w)
			}
			if strings.ContainsAny(w[k], "<>{}| \t\n") {
				t.Fatalf("sentence %d: word %q", i, w[k])
			}
			before = tag
			kinds[tag]++
		}
		text := strings.Join(w, " ")
		if len(w) != len(tags[i]) || len(w) > 60 || !strings.Contains(".?", w[len(w)-1]) || text[0] >= 'a' && text[0] <= 'z' {
			t.Fatalf("sentence %d: %q, %d tags", i, text, len(tags[i]))
		}
		if other := fmt.Sprint(tags[i]); seen[text] == "" {
			seen[text] = other
		} else if seen[text] != other {
			t.Errorf("%s has tags %s and %s", text, seen[text], other)
		}
	}
	all := 0
	for _, k := range kinds {
		all += k
	}
	t.Logf("%d different sentences of %d, %.1f words, tags %v", len(seen), n, float64(all)/n, kinds)
	if len(seen) < n*95/100 || len(kinds) != 7 || kinds["O"] < all/2 || kinds["O"] > all*17/20 {
		t.Errorf("%d different sentences of %d, tags %v", len(seen), n, kinds)
	}
}

// Words that say least have each several tags, none of them rare.
func TestDatesAreAmbiguous(t *testing.T) {
	counts := map[string]map[string]int{}
	words, tags := sentencesOf(0, 8000)
	for i, w := range words {
		for k, word := range w {
			word = strings.ToLower(word)
			if counts[word] == nil {
				counts[word] = map[string]int{}
			}
			counts[word][tags[i][k][max(0, len(tags[i][k])-6):]]++
		}
	}
	for _, word := range strings.Fields("may march april the second quarter half spring friday sunday 12 1998 2 3 two a of weeks") {
		most, all := 0, 0
		for _, n := range counts[word] {
			most, all = max(most, n), all+n
		}
		if all < 15 || most > all*95/100 {
			t.Errorf("%s: %v", word, counts[word])
		}
	}
}

// What the rules mean by a date, an amount and a place: each pattern, words with
// their tags, comes often, with the tags wanted and no others.
func TestDatesConventions(t *testing.T) {
	var text strings.Builder
	words, tags := sentencesOf(0, 2500)
	for i, w := range words {
		for k, word := range w {
			text.WriteString(word + "/" + tags[i][k] + " ")
		}
		text.WriteString("\n")
	}
	for pattern, want := range map[string]string{
		`(?:room|page|platform|bus|chapter|gate|mile|ward)/\S+ \d+/(\S+)`: "O",
		`\d+/(\S+) bus/O`: "O",
		`(?:ticket|file|invoice|order|parcel|form|receipt)/O [\d/-]+/(\S+)`:              "O",
		` for/O \w+/(\S+) (?:days|weeks|months|years)/`:                                  "O",
		` in/O \w+/(\S+) (?:days|weeks|months|years)/`:                                   "B-DATE",
		` \w+/(\S+) (?:days|weeks|months|years)/\S+ ago/I-DATE`:                          "B-DATE",
		`of/\S+ (?:May|April|June|August)/(\S+) 's/`:                                     "O",
		` in/O (?:May|April|June|August)/(\S+) 's/`:                                      "O",
		` in/O (?:May|April|June|August)/(\S+) [,.a-z]`:                                  "B-DATE",
		`(?:1st|2nd|3rd|th|second|third)/(\S+) of/\S+ the/`:                              "O",
		`the/(\S+) (?:1st|2nd|3rd|4th|second|third)/\S+ of/\S+ (?:May|March)/\S+ [^'\s]`: "[BI]-DATE",
		` on/O the/(\S+) (?:1st|2nd|3rd|4th|second|third)/\S+ [.,]`:                      "B-DATE",
		` on/O the/(\S+) (?:1st|2nd|3rd|4th|second|third)/\S+ floor/`:                    "O",
		`M(?:r|rs)/O (\S+/\S+)`:                                                          `\S+/O`,
		`[Hh]alf/(\S+) an/`:                                                              "O",
		`[Hh]alf/(\S+) (?:a/I-AMOUNT|dozen)`:                                             "B-AMOUNT",
		`[Aa]/(\S+) quarter/\S+ of/\S+ an/`:                                              "O",
		`[Aa]/(\S+) quarter/\S+ of/\S+ a/`:                                               "B-AMOUNT",
		`dog/O (?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day/(\S+)`:                         "O",
		`last/(\S+) (?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day/I-DATE`:                   "B-DATE",
		`(?:May|March|August)/(\S+) (?:Street|Road|Lane|Row|Hill|Square|Walk)/`:          "[BI]-PLACE",
		`£\S+?/(\S+)`: "B-AMOUNT",
		` (?:19|20)\d\d/(\S+) (?:cider|honey|wine|barley|harvest|cheese|jam)/`:                     "B-DATE",
		` (?:19|20)\d\d/(\S+) (?:pump|loom|tractor|mower|radio|stove|press|saw)/`:                  "O",
		` (?:two|three|nine|twelve)/(\S+) (?:people|times|brothers|others)/`:                       "O",
		` from/O (?:May|March|June)/(\S+) to/O (?:May|March|June)/B`:                               "B-DATE",
		`letter/O from/O (?:May|April|June|August)/(\S+) to/O`:                                     "O",
		` (?:Street|Road|Lane|Row|Hill|Square|Walk)/(\S+)`:                                         "[BI]-PLACE",
		`the/O [Ss]pring/(\S+) behind`:                                                             "O",
		`the/(\S+) spring/\S+ of/I-DATE`:                                                           "B-DATE",
		`(?:before|after|since|until)/O (?:March|July|May|April)/(\S+) (?:did|had|left|came)/`:     "O",
		`(?:before|after|since|until|by)/O (?:March|July|May|April)/(\S+) (?:\.|[,.](?: |/O but))`: "B-DATE",
	} {
		found, right := regexp.MustCompile(pattern).FindAllStringSubmatch(text.String(), -1), regexp.MustCompile("^"+want+"$")
		for _, m := range found {
			if !right.MatchString(m[1]) {
				t.Errorf("%q, want %s", m[0], want)
				break
			}
		}
		if len(found) < 2 {
			t.Errorf("%s comes %d times", pattern, len(found))
		}
	}
}

// spansOf are the spans of tags that are IOB2, as from, to and kind; a tag I
// that goes on nothing begins one.
func spansOf(tags []string) map[string]bool {
	spans, from := map[string]bool{}, 0
	for i := range tags {
		if tags[i] == "O" {
			continue
		}
		if tags[i][0] == 'B' || i == 0 || tags[i-1] == "O" || tags[i-1][2:] != tags[i][2:] {
			from = i
		}
		if i+1 == len(tags) || tags[i+1] != "I-"+tags[i][2:] {
			spans[fmt.Sprint(from, i, tags[i][2:])] = true
		}
	}
	return spans
}

// The tag that a word had most often does not tell: the figure of the comment.
func TestDatesBaseline(t *testing.T) {
	const train, test = 2000, 1000
	words, tags := sentencesOf(0, train)
	counts := map[string]map[string]int{}
	for i, w := range words {
		for k, word := range w {
			if counts[word] == nil {
				counts[word] = map[string]int{}
			}
			counts[word][tags[i][k]]++
		}
	}
	words, tags = sentencesOf(train, test)
	right, said, wanted, unknown, all := 0, 0, 0, 0, 0
	for i, w := range words {
		guess := make([]string, len(w))
		for k, word := range w {
			guess[k] = "O"
			for tag, n := range counts[word] {
				if best := counts[word][guess[k]]; n > best || n == best && tag < guess[k] {
					guess[k] = tag
				}
			}
			if all++; counts[word] == nil {
				unknown++
			}
		}
		got, want := spansOf(guess), spansOf(tags[i])
		said, wanted = said+len(got), wanted+len(want)
		for s := range got {
			if want[s] {
				right++
			}
		}
	}
	f1 := 2 * float64(right) / float64(said+wanted)
	t.Logf("span F1 %.3f; %.3f of the words are new", f1, float64(unknown)/float64(all))
	if math.Abs(f1-0.31) > 0.02 {
		t.Errorf("the commonest tag of each word has a span F1 of %.3f, want 0.31", f1)
	}
}

// Sentences are pinned: they must never change, or figures would.
func TestDatesWriteCoNLL(t *testing.T) {
	var b strings.Builder
	if err := (Dates{Seed: 1}).WriteCoNLL(&b, 112, 2); err != nil {
		t.Fatal(err)
	}
	want := "I/O drove/O thirty/B-AMOUNT miles/I-AMOUNT to/O Ellery/B-PLACE Bridge/I-PLACE the/B-DATE year/I-DATE before/I-DATE last/I-DATE ./O " +
		" May/O rang/O the/O bell/O fifteen/O times/O at/O half/O past/O seven/O ./O "
	if want = strings.NewReplacer("/", "\t", " ", "\n").Replace(want) + "\n"; b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
	words, tags := Dates{Seed: 1}.Sentence(113)
	again, _ := Dates{Seed: 1}.Sentence(113)
	other, _ := Dates{Seed: 2}.Sentence(113)
	if !slices.Equal(words, again) || slices.Equal(words, other) {
		t.Errorf("sentence 113 is %q, again %q, with another seed %q", words, again, other)
	}
	if lines := strings.Split(b.String(), "\n"); lines[len(lines)-3] != words[len(words)-1]+"\t"+tags[len(tags)-1] {
		t.Errorf("sentence 113 alone is %q", words)
	}
	if err := (Dates{}).WriteCoNLL(&full{0}, 0, 2); !errors.Is(err, errFull) {
		t.Errorf("a writer that is full: %v", err)
	}
}
