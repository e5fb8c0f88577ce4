package tokenizer

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// normalizer changes a part of a text, of which the start may have been cut off. It
// is not ok where the result would have more bytes than most.
type normalizer interface {
	normalize(text string, goesOn bool, most int) (_ string, ok bool)
}

// form is NFC and its like.
type form struct{ norm.Form }

func (f form) normalize(text string, _ bool, most int) (string, bool) {
	text = f.String(text) // 11 times as long at most
	return text, len(text) <= most
}

// mapped maps each character; nothing becomes of one below 0.
type mapped func(r rune) rune

func (m mapped) normalize(text string, _ bool, most int) (string, bool) {
	text = strings.Map(m, text)
	return text, len(text) <= most
}

// lower is the lower case of each character by itself. One has two characters.
type lower struct{}

func (lower) normalize(text string, _ bool, most int) (string, bool) {
	text = strings.ReplaceAll(strings.Map(func(r rune) rune {
		if r == dotted {
			return r
		}
		return unicode.ToLower(r)
	}, text), string(dotted), "i\u0307")
	return text, len(text) <= most
}

// dotted is a capital I with a dot above.
const dotted = '\u0130'

// strip takes white space off the ends. No text is cut beside it.
type strip struct{ left, right bool }

func (s strip) normalize(text string, _ bool, _ int) (string, bool) {
	if s.left {
		text = strings.TrimLeftFunc(text, unicode.IsSpace)
	}
	if s.right {
		text = strings.TrimRightFunc(text, unicode.IsSpace)
	}
	return text, true
}

// replace puts one string in the place of another.
type replace struct{ old, new string }

func (r replace) normalize(text string, _ bool, most int) (string, bool) {
	if strings.Count(text, r.old)*(len(r.new)-len(r.old)) > most-len(text) {
		return "", false
	}
	return strings.ReplaceAll(text, r.old, r.new), true
}

// rewrite puts a string in the place of each match.
type rewrite struct {
	old regex
	new string
}

func (r rewrite) normalize(text string, _ bool, most int) (string, bool) {
	var b strings.Builder
	from := 0
	for _, m := range r.old.all(text) {
		b.WriteString(text[from:m[0]] + r.new)
		if from = m[1]; b.Len() > most {
			return "", false
		}
	}
	b.WriteString(text[from:])
	return b.String(), b.Len() <= most
}

// prepend goes before a part that is not empty.
type prepend string

func (p prepend) normalize(text string, goesOn bool, most int) (string, bool) {
	if text != "" && !goesOn {
		text = string(p) + text
	}
	return text, len(text) <= most
}

// chinese puts spaces around the characters that BERT takes for Chinese ones.
type chinese struct{}

func (chinese) normalize(text string, _ bool, most int) (string, bool) {
	n := 0
	for _, r := range text {
		if isChinese(r) {
			n += 2
		}
	}
	if n == 0 {
		return text, true
	}
	var b strings.Builder
	b.Grow(len(text) + n)
	for _, r := range text {
		if isChinese(r) {
			b.WriteString(" " + string(r) + " ")
		} else {
			b.WriteRune(r)
		}
	}
	return b.String(), b.Len() <= most
}

// isChinese has the ranges of the library's BertNormalizer, with its 2B920.
func isChinese(r rune) bool {
	return 0x4E00 <= r && r <= 0x9FFF || 0x3400 <= r && r <= 0x4DBF || 0x20000 <= r && r <= 0x2A6DF ||
		0x2A700 <= r && r <= 0x2B73F || 0x2B740 <= r && r <= 0x2B81F || 0x2B920 <= r && r <= 0x2CEAF ||
		0xF900 <= r && r <= 0xFAFF || 0x2F800 <= r && r <= 0x2FA1F
}

// cleaned drops control characters and makes spaces of white space.
func cleaned(r rune) rune {
	switch {
	case r == '\t' || r == '\n' || r == '\r':
		return ' '
	case r == 0 || r == 0xFFFD || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co):
		return -1
	case unicode.IsSpace(r):
		return ' '
	}
	return r
}

// without drops the characters of a class.
func without(class *unicode.RangeTable) mapped {
	return func(r rune) rune {
		if unicode.Is(class, r) {
			return -1
		}
		return r
	}
}
