package tokenizer

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// added finds added tokens in a text.
type added struct {
	tokens []addedToken // by their text
	first  [256]bool    // bytes that one begins with
}

type addedToken struct {
	text                       string // that is found
	id                         int32
	singleWord, lstrip, rstrip bool
}

// newAdded sorts tokens, no two with the same text; nil for none.
func newAdded(tokens []addedToken) *added {
	if len(tokens) == 0 {
		return nil
	}
	a := &added{tokens: tokens}
	slices.SortFunc(a.tokens, func(x, y addedToken) int { return strings.Compare(x.text, y.text) })
	for _, t := range a.tokens {
		a.first[t.text[0]] = true
	}
	return a
}

// longest is the longest token that text begins with, −1 for none.
func (a *added) longest(text string) int {
	best := -1
	prefixes(len(a.tokens), func(i int) string { return a.tokens[i].text }, text, func(i int) { best = i })
	return best
}

// prefixes calls use with those of n sorted strings that text begins with, in the
// order of their lengths.
func prefixes(n int, sorted func(i int) string, text string, use func(i int)) {
	from, to := 0, n
	for size := 1; size <= len(text) && from < to; size++ {
		c := text[size-1]
		at := func(i int) int { // the byte at size-1, −1 for none
			if s := sorted(i); len(s) >= size {
				return int(s[size-1])
			}
			return -1
		}
		from += search(to-from, func(i int) bool { return at(from+i) >= int(c) })
		to = from + search(to-from, func(i int) bool { return at(from+i) > int(c) })
		if from < to && len(sorted(from)) == size {
			use(from)
		}
	}
}

// search is the first of n for which f holds, and does for all after it.
func search(n int, f func(int) bool) int {
	low, high := 0, n
	for low < high {
		if m := (low + high) / 2; f(m) {
			high = m
		} else {
			low = m + 1
		}
	}
	return low
}

// each calls use with the parts of a text in order: added tokens with their id, and
// what is between with −1; at is where it begins. a may be nil.
func each(a *added, text string, use func(at int, part string, token int32)) {
	from := 0 // what has been used
	for i := 0; a != nil && i < len(text); {
		k := -1
		if a.first[text[i]] {
			k = a.longest(text[i:])
		}
		if k < 0 {
			_, size := utf8.DecodeRuneInString(text[i:])
			i += size
			continue
		}
		t := &a.tokens[k]
		start, end := i, i+len(t.text)
		i = end
		if t.singleWord && (endsInWord(text[:start]) || beginsInWord(text[end:])) {
			continue
		}
		if t.lstrip {
			start = max(from, len(strings.TrimRightFunc(text[:start], unicode.IsSpace)))
		}
		if t.rstrip {
			end = len(text) - len(strings.TrimLeftFunc(text[end:], unicode.IsSpace))
		}
		if start >= end { // the one before took it as its white space
			continue
		}
		if from < start {
			use(from, text[from:start], -1)
		}
		use(start, "", t.id)
		from = end
	}
	if from < len(text) {
		use(from, text[from:], -1)
	}
}

func endsInWord(s string) bool {
	r, _ := utf8.DecodeLastRuneInString(s)
	return s != "" && isWord(r)
}

func beginsInWord(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return s != "" && isWord(r)
}

// isWord is \w of Unicode's technical standard 18.
func isWord(r rune) bool {
	if r < utf8.RuneSelf {
		return r == '_' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
	}
	return unicode.IsLetter(r) || unicode.In(r, unicode.Nl, unicode.Other_Alphabetic, unicode.M, unicode.Nd, unicode.Pc) || r == 0x200C || r == 0x200D
}
