package data

// Span is words of a sentence that belong together.
type Span struct {
	From, To int // words From to To−1
	Kind     string
}

// Spans are those that the tags of a sentence mark, in any scheme, as the script
// conlleval of the CoNLL-2000 shared task finds them (Tjong Kim Sang and Buchholz
// 2000): it takes what no scheme allows as well, so that I-x after O or after
// another kind starts a span, and E-x after E-x. A tag [-x or ]-x is a span of
// one word. Unlike its first version, and like its later ones for BIOES, S-x is a
// span of one word and B-x starts one after E-x too.
func Spans(tags []string) []Span {
	var spans []Span
	open := false
	lastLetter, lastKind := "O", ""
	for i, t := range tags {
		letter, kind := cutTag(t)
		starts := startsSpan(lastLetter, letter, lastKind == kind)
		if open && (starts || endsSpan(lastLetter, letter, lastKind == kind)) {
			spans[len(spans)-1].To = i
			open = false
		}
		if starts {
			spans = append(spans, Span{From: i, Kind: kind})
			open = true
		}
		lastLetter, lastKind = letter, kind
	}
	if open {
		spans[len(spans)-1].To = len(tags)
	}
	return spans
}

// endsSpan reports whether a span ends between two tags, of the same kind or
// not, but for one that ends because another starts.
func endsSpan(last, next string, same bool) bool {
	switch last {
	case "E", "S", "[", "]":
		return true
	}
	return next == "O" || !same
}

// startsSpan is endsSpan for a start.
func startsSpan(last, next string, same bool) bool {
	switch next {
	case "B", "S", "[", "]":
		return true
	case "I", "E":
		if last == "O" || last == "E" || last == "S" {
			return true
		}
	}
	return !same && next != "O" && next != "."
}

// DetectScheme tells the scheme of tags: "" unless each is one of the same
// scheme, and at least one is in a span. A file that allows IOB1 and IOB2, or has
// faults by either, is of the one with fewer, IOB2 if both have as many.
func DetectScheme(sentences []Sentence) Scheme {
	letters := map[string]bool{}
	faults := map[Scheme]int{}
	for _, s := range sentences {
		before := ""
		for _, t := range s.Tags {
			if !BIOES.has(t) {
				return ""
			}
			letter, _ := cutTag(t)
			letters[letter] = true
			for _, scheme := range []Scheme{IOB1, IOB2} {
				if !scheme.Follows(before, t) {
					faults[scheme]++
				}
			}
			before = t
		}
	}
	begins, inside, ends, single := letters["B"], letters["I"], letters["E"], letters["S"]
	switch {
	case (ends || single) && (begins || !inside && !ends):
		return BIOES
	case ends || single || !begins && !inside:
		return ""
	case faults[IOB1] < faults[IOB2]:
		return IOB1
	}
	return IOB2
}
