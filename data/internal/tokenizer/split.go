package tokenizer

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// splitter appends the parts of a word to words, which may be changed. None is
// empty.
type splitter interface {
	split(words []string, word string, p place) []string
}

// splits appends parts that are not empty.
func put(words []string, parts ...string) []string {
	for _, part := range parts {
		if part != "" {
			words = append(words, part)
		}
	}
	return words
}

// behavior is what becomes of what splits.
type behavior string

const (
	removed    behavior = "Removed"
	isolated   behavior = "Isolated"
	contiguous behavior = "Contiguous"
	previous   behavior = "MergedWithPrevious"
	following  behavior = "MergedWithNext"
)

// span is a part of a word that splits it, or one that does not.
type span struct {
	from, to int
	splits   bool
}

// apply appends the parts of a word, whose spans follow one another.
func (b behavior) apply(words []string, word string, spans []span) []string {
	switch b {
	case removed:
		for _, s := range spans {
			if !s.splits {
				words = put(words, word[s.from:s.to])
			}
		}
		return words
	case following:
		before := false // whether the span after this one splits
		var parts []span
		for i := len(spans) - 1; i >= 0; i-- {
			s := spans[i]
			if s.splits && !before && len(parts) > 0 {
				parts[len(parts)-1].from = s.from
			} else {
				parts = append(parts, s)
			}
			before = s.splits
		}
		for i := len(parts) - 1; i >= 0; i-- {
			words = put(words, word[parts[i].from:parts[i].to])
		}
		return words
	}
	before, from := false, 0
	for i, s := range spans {
		join := i > 0 && (b == contiguous && s.splits == before || b == previous && s.splits && !before)
		if !join {
			words = put(words, word[from:s.from])
			from = s.from
		}
		before = s.splits
	}
	return put(words, word[from:])
}

// byClass splits at characters of a class.
type byClass struct {
	class    func(r rune) bool
	behavior behavior
}

func (c byClass) split(words []string, word string, _ place) []string {
	var spans []span
	from := 0
	for i, r := range word {
		if !c.class(r) {
			continue
		}
		if from < i {
			spans = append(spans, span{from, i, false})
		}
		from = i + utf8.RuneLen(r)
		spans = append(spans, span{i, from, true})
	}
	if from < len(word) {
		spans = append(spans, span{from, len(word), false})
	}
	return c.behavior.apply(words, word, spans)
}

// byPattern splits at what a pattern finds, or with invert at what is between.
type byPattern struct {
	finder
	behavior behavior
	invert   bool
}

func (b byPattern) split(words []string, word string, _ place) []string {
	var spans []span
	from := 0
	for _, m := range b.all(word) {
		if from < m[0] {
			spans = append(spans, span{from, m[0], b.invert})
		}
		spans = append(spans, span{m[0], m[1], !b.invert})
		from = m[1]
	}
	if from < len(word) {
		spans = append(spans, span{from, len(word), b.invert})
	}
	return b.behavior.apply(words, word, spans)
}

// isPunctuation is what BERT takes for punctuation.
func isPunctuation(r rune) bool {
	if r < utf8.RuneSelf {
		return '!' <= r && r <= '/' || ':' <= r && r <= '@' || '[' <= r && r <= '`' || '{' <= r && r <= '~'
	}
	return unicode.IsPunct(r)
}

// wordsOrNot splits as the pattern \w+|[^\w\s]+ matches.
type wordsOrNot struct{}

func (wordsOrNot) split(words []string, word string, _ place) []string {
	from, before := 0, 0
	for i, r := range word {
		kind := 1
		switch {
		case isWord(r):
			kind = 2
		case unicode.IsSpace(r):
			kind = 0
		}
		if kind == before {
			continue
		}
		if before > 0 {
			words = append(words, word[from:i])
		}
		from, before = i, kind
	}
	if before > 0 {
		words = append(words, word[from:])
	}
	return words
}

// metaspace marks spaces, and splits before each.
type metaspace struct {
	mark   string
	scheme string // "always", "first", "never"
	splits bool
}

func (m metaspace) split(words []string, word string, p place) []string {
	word = strings.ReplaceAll(word, " ", m.mark)
	if (m.scheme == "always" && !p.goesOn || m.scheme == "first" && p.starts) && !strings.HasPrefix(word, m.mark) {
		word = m.mark + word
	}
	if !m.splits {
		return put(words, word)
	}
	return byPattern{literal(m.mark), following, false}.split(words, word, p)
}

// byteLevel writes each byte as one character.
type byteLevel struct {
	prefix bool // a space goes before what does not begin with one
	words  bool // split into words, as GPT-2 does
}

func (b byteLevel) split(words []string, word string, p place) []string {
	if b.prefix && !p.goesOn && !strings.HasPrefix(word, " ") {
		word = " " + word
	}
	for word != "" {
		n := len(word)
		if b.words {
			n = gptWord(word)
		}
		words = append(words, byteChars(word[:n]))
		word = word[n:]
	}
	return words
}

// gptWord is the length of the first match of GPT-2's pattern,
//
//	's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
//
// of a text that is not empty: it always matches.
func gptWord(text string) int {
	for _, end := range [...]string{"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"} {
		if strings.HasPrefix(text, end) {
			return len(end)
		}
	}
	at := 0
	if text[0] == ' ' {
		at = 1
	}
	if n := run(text[at:]); n > 0 {
		return at + n
	}
	last, end := 0, 0 // of white space
	for end < len(text) {
		r, size := utf8.DecodeRuneInString(text[end:])
		if !unicode.IsSpace(r) {
			break
		}
		last, end = end, end+size
	}
	if end < len(text) && last > 0 { // the last goes with what follows
		return last
	}
	return end
}

// run is the length of the letters, numbers or other characters but white space
// that a text begins with.
func run(text string) int {
	kind := 0
	for i, r := range text {
		k := 3
		switch {
		case unicode.IsLetter(r):
			k = 1
		case unicode.IsNumber(r):
			k = 2
		case unicode.IsSpace(r):
			return i
		}
		if i > 0 && k != kind {
			return i
		}
		kind = k
	}
	return len(text)
}

// byteToChar is GPT-2's character of a byte: itself where it is printed and no
// space, else one from 256 on.
var byteToChar, charToByte = func() (chars [256]rune, bytes map[rune]byte) {
	bytes = map[rune]byte{}
	others := rune(256)
	for b := range chars {
		switch r := rune(b); {
		case '!' <= r && r <= '~', 0xA1 <= r && r <= 0xAC, 0xAE <= r:
			chars[b] = r
		default:
			chars[b] = others
			others++
		}
		bytes[chars[b]] = byte(b)
	}
	return chars, bytes
}()

func byteChars(text string) string {
	var b strings.Builder
	b.Grow(2 * len(text))
	for i := range len(text) {
		b.WriteRune(byteToChar[text[i]])
	}
	return b.String()
}
