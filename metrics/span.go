package metrics

import (
	"fmt"
	"maps"
	"slices"

	"sluice/data"
)

// Count counts the spans of one kind, or of all, or the cases of a class.
type Count struct {
	Kind  string // of the spans, "" for all, or the class
	Want  int    // true ones, the support
	Got   int    // predicted ones
	Right int    // true ones that were predicted: the same words, the same kind
}

// Precision is Right/Got.
func (c Count) Precision() float64 { return ratio(c.Right, c.Got) }

// Recall is Right/Want.
func (c Count) Recall() float64 { return ratio(c.Right, c.Want) }

// F1 is the harmonic mean of Precision and Recall.
func (c Count) F1() float64 { return ratio(2*c.Right, c.Want+c.Got) }

func ratio(a, b int) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}

// SpanScore counts as the script conlleval of the CoNLL-2000 shared task does
// (Tjong Kim Sang and Buchholz 2000), which is the figure of papers on chunks
// and names: a span is right if its words and its kind are. Spans are those of
// data.Spans, in any scheme. The zero value has seen nothing.
type SpanScore struct {
	Count         // of all kinds
	Words     int // all words
	RightTags int // words whose tag was predicted

	kinds map[string]Count
}

// Add counts one sentence: its true tags, and as many predicted ones.
func (s *SpanScore) Add(want, got []string) {
	if len(want) != len(got) {
		panic(fmt.Sprintf("metrics: SpanScore: %d predicted tags, want %d", len(got), len(want)))
	}
	s.Words += len(want)
	for i, t := range want {
		if got[i] == t {
			s.RightTags++
		}
	}
	right := map[data.Span]bool{}
	for _, span := range data.Spans(want) {
		right[span] = true
		s.count(span.Kind, Count{Want: 1})
	}
	for _, span := range data.Spans(got) {
		c := Count{Got: 1}
		if right[span] {
			c.Right = 1
		}
		s.count(span.Kind, c)
	}
}

func (s *SpanScore) count(kind string, more Count) {
	if s.kinds == nil {
		s.kinds = map[string]Count{}
	}
	c := s.kinds[kind]
	c.Kind = kind
	for _, c := range []*Count{&c, &s.Count} {
		c.Want += more.Want
		c.Got += more.Got
		c.Right += more.Right
	}
	s.kinds[kind] = c
}

// Accuracy is the part of all words whose tag was predicted.
func (s *SpanScore) Accuracy() float64 { return ratio(s.RightTags, s.Words) }

// Kinds counts each kind that is true or predicted somewhere, sorted by name.
func (s *SpanScore) Kinds() []Count {
	var counts []Count
	for _, kind := range slices.Sorted(maps.Keys(s.kinds)) {
		counts = append(counts, s.kinds[kind])
	}
	return counts
}
