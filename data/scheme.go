package data

import (
	"fmt"
	"slices"
	"strings"
)

// Scheme says how tags mark spans of words. With one, a tag is O, outside of
// all spans, or a letter, a hyphen and the span's kind.
type Scheme string

// The schemes. Tjong Kim Sang and Veenstra 1999 compare the first two; the
// third is also known as IOBES. BILOU (Ratinov and Roth 2009) is the same with L for
// E and U for S; it is not read.
const (
	IOB1  Scheme = "iob1"  // I in a span; B for the first word of one right after another of its kind
	IOB2  Scheme = "iob2"  // B for the first word of a span, I for the others
	BIOES Scheme = "bioes" // S for a span of one word; else B for the first, E for the last, I between
)

// Validate wants "", where tags are only tags, or one of the schemes.
func (s Scheme) Validate() error {
	switch s {
	case "", IOB1, IOB2, BIOES:
		return nil
	}
	return fmt.Errorf("data: tag scheme %s: want iob1, iob2, bioes or none", quote(string(s)))
}

// has reports whether a tag is one of the scheme's.
func (s Scheme) has(tag string) bool {
	letter, kind := cutTag(tag)
	letters := "BI"
	if s == BIOES {
		letters = "BIES"
	}
	return tag == "O" || kind != "" && len(letter) == 1 && strings.Contains(letters, letter)
}

// cutTag cuts a tag at its first hyphen, so that kinds may have some.
func cutTag(tag string) (letter, kind string) {
	letter, kind, _ = strings.Cut(tag, "-")
	return letter, kind
}

// Follows reports whether tag may stand after before: before "" is the start of
// a sentence, tag "" its end. Scheme "" lets all tags follow all; another none
// that is not its own.
func (s Scheme) Follows(before, tag string) bool {
	if s == "" {
		return true
	}
	if before != "" && !s.has(before) || tag != "" && !s.has(tag) {
		return false
	}
	last, kind := cutTag(before)
	letter, next := cutTag(tag)
	switch s { // O is of kind ""
	case IOB1:
		return letter != "B" || next == kind
	case IOB2:
		return letter != "I" || next == kind
	}
	inside := last == "B" || last == "I"
	on := letter == "I" || letter == "E"
	return on == inside && (!on || next == kind)
}

// fault is the first word whose tag the scheme does not let stand there, and
// what is wrong; without a fault the error is nil.
func (s Scheme) fault(tags []string) (word int, err error) {
	before := ""
	for i, t := range tags {
		if t == "" || !s.Follows(before, t) {
			return i, fmt.Errorf("%s (%s)", s.wrong(before, t), s)
		}
		before = t
	}
	if s.Follows(before, "") {
		return 0, nil
	}
	want := map[string]string{"B": "S", "I": "E"}
	letter, kind := cutTag(before)
	return len(tags) - 1, fmt.Errorf("tag %s at the end of a sentence: want %s (%s)", quote(before), quote(want[letter]+"-"+kind), s)
}

// wrong says that a tag may not stand after before, and what may.
func (s Scheme) wrong(before, tag string) string {
	if tag == "" || !s.has(tag) {
		letters := "B or I"
		if s == BIOES {
			letters = "B, I, E or S"
		}
		return fmt.Sprintf("tag %s: want O, or %s with a hyphen and a kind", quote(tag), letters)
	}
	where := "after " + quote(before)
	if before == "" {
		where = "at the start of a sentence"
	}
	last, kind := cutTag(before)
	_, next := cutTag(tag)
	want := quote("B-" + next)
	switch {
	case s == IOB1:
		want = quote("I-" + next)
	case s == BIOES && (last == "B" || last == "I"):
		want = quote("I-"+kind) + " or " + quote("E-"+kind)
	case s == BIOES:
		want += " or " + quote("S-"+next)
	}
	return fmt.Sprintf("tag %s %s: want %s", quote(tag), where, want)
}

// Check is an error for the first tag of a sentence that the scheme does not let
// stand where it does, with the file's name and the line.
func (s Scheme) Check(name string, sentence Sentence) error {
	if s == "" {
		return nil
	}
	if word, err := s.fault(sentence.Tags); err != nil {
		return fileError(name, "line %d: %w", sentence.lineOf(word), err)
	}
	return nil
}

// ConvertTags writes the spans that the tags of a sentence mark in one scheme in
// another. Tags that from does not allow are an error; those of no scheme have
// no spans, so that "" becomes only "".
func ConvertTags(tags []string, from, to Scheme) ([]string, error) {
	for _, s := range []Scheme{from, to} {
		if err := s.Validate(); err != nil {
			return nil, err
		}
	}
	if from == to && from == "" {
		return slices.Clone(tags), nil
	}
	if from == "" || to == "" {
		return nil, fmt.Errorf("data: tags of scheme %q to scheme %q: want iob1, iob2 or bioes for both", string(from), string(to))
	}
	if word, err := from.fault(tags); err != nil {
		return nil, fmt.Errorf("data: word %d: %w", word+1, err)
	}
	return to.write(Spans(tags), len(tags)), nil
}

// write is the tags of n words with these spans, in order.
func (s Scheme) write(spans []Span, n int) []string {
	tags := slices.Repeat([]string{"O"}, n)
	var before Span
	for _, span := range spans {
		first, last := "B", "I"
		switch {
		case s == IOB1 && (before.Kind != span.Kind || before.To != span.From):
			first = "I"
		case s == BIOES && span.To-span.From == 1:
			first = "S"
		case s == BIOES:
			last = "E"
		}
		for i := span.From; i < span.To; i++ {
			tags[i] = "I-" + span.Kind
		}
		tags[span.To-1] = last + "-" + span.Kind
		tags[span.From] = first + "-" + span.Kind
		before = span
	}
	return tags
}
