package metrics

import (
	"fmt"
	"maps"
	"slices"

	"sluice/data"
)

// SpanCount counts spans of one kind, or of all.
type SpanCount struct {
	Kind  string // "" for all
	Want  int    // spans that are so
	Got   int    // spans that were said
	Right int    // spans that are so and were said: the same words, the same kind
}

// Precision is Right/Got.
func (c SpanCount) Precision() float64 { return ratio(c.Right, c.Got) }

// Recall is Right/Want.
func (c SpanCount) Recall() float64 { return ratio(c.Right, c.Want) }

// F1 is the harmonic mean of Precision and Recall.
func (c SpanCount) F1() float64 { return ratio(2*c.Right, c.Want+c.Got) }

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
	SpanCount     // of all kinds
	Words     int // all words
	RightTags int // words with the tag that is so

	kinds map[string]SpanCount
}

// Add counts one sentence: the tags that are so, and as many that were said.
func (s *SpanScore) Add(want, got []string) {
	if len(want) != len(got) {
		panic(fmt.Sprintf("metrics: SpanScore: %d tags said, want %d", len(got), len(want)))
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
		s.count(span.Kind, SpanCount{Want: 1})
	}
	for _, span := range data.Spans(got) {
		c := SpanCount{Got: 1}
		if right[span] {
			c.Right = 1
		}
		s.count(span.Kind, c)
	}
}

func (s *SpanScore) count(kind string, more SpanCount) {
	if s.kinds == nil {
		s.kinds = map[string]SpanCount{}
	}
	c := s.kinds[kind]
	c.Kind = kind
	for _, c := range []*SpanCount{&c, &s.SpanCount} {
		c.Want += more.Want
		c.Got += more.Got
		c.Right += more.Right
	}
	s.kinds[kind] = c
}

// Accuracy is the part of all words with the tag that is so.
func (s *SpanScore) Accuracy() float64 { return ratio(s.RightTags, s.Words) }

// Kinds counts each kind that is so or was said, sorted by name.
func (s *SpanScore) Kinds() []SpanCount {
	var counts []SpanCount
	for _, kind := range slices.Sorted(maps.Keys(s.kinds)) {
		counts = append(counts, s.kinds[kind])
	}
	return counts
}
