package tokenizer

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// finder finds the parts of a text that a pattern is of, one after the other: [from,
// to), none empty.
type finder interface {
	all(text string) [][]int
}

// literal finds a string.
type literal string

func (l literal) all(text string) (all [][]int) {
	for from := 0; ; {
		at := strings.Index(text[from:], string(l))
		if at < 0 {
			return all
		}
		all = append(all, []int{from + at, from + at + len(l)})
		from += at + len(l)
	}
}

// regex finds the matches of a regular expression: of its alternatives the one that
// begins first, of several the first in their order. It holds what tokenizers of the
// present day have, which Go's expressions can say but for one alternative,
// \s+(?!\S): white space but for the last before what is none. The rest takes time that
// grows with the text alone.
type regex []alternatives

// alternatives are some that stand side by side; nil is \s+(?!\S).
type alternatives = *regexp.Regexp

// notLast is the alternative that Go's expressions do not have.
const notLast = `\s+(?!\S)`

// The classes of Oniguruma's expressions, with which the library matches, for within
// brackets.
const (
	whiteSpace = `\t-\r\x{85}\p{Z}`
	digit      = `\p{Nd}`
	wordClass  = `\p{L}\p{M}\p{Nl}\p{Nd}\p{Pc}\x{24B6}-\x{24E9}\x{1F130}-\x{1F149}\x{1F150}-\x{1F169}\x{1F170}-\x{1F189}`
)

var classes = map[byte]string{'s': whiteSpace, 'd': digit, 'w': wordClass}

// What an expression may have: bytes, and copies of what is repeated so and so often.
const (
	maxPattern = 1 << 10
	maxCopies  = 16
)

// newRegex reads an expression of the library.
func newRegex(pattern string) (regex, error) {
	if len(pattern) > maxPattern {
		return nil, fmt.Errorf("%d bytes: want at most %d", len(pattern), maxPattern)
	}
	parts, err := translate(pattern)
	if err != nil {
		return nil, err
	}
	var all regex
	for len(parts) > 0 {
		n := slices.Index(parts, notLast)
		if n == 0 {
			all, parts = append(all, nil), parts[1:]
			continue
		}
		if n < 0 {
			n = len(parts)
		}
		text := strings.Join(parts[:n], "|")
		tree, err := syntax.Parse(text, syntax.Perl)
		if err != nil {
			return nil, err
		}
		if mayBeEmpty(tree) {
			return nil, errors.New("it matches nothing at all: want at least a character")
		}
		if repeatsEmpty(tree) {
			return nil, errors.New("it repeats what may be nothing: not known here")
		}
		r, err := regexp.Compile(text)
		if err != nil {
			return nil, err
		}
		all, parts = append(all, r), parts[n:]
	}
	return all, nil
}

func mayBeEmpty(r *syntax.Regexp) bool {
	switch r.Op {
	case syntax.OpStar, syntax.OpQuest, syntax.OpEmptyMatch:
		return true
	case syntax.OpRepeat:
		return r.Min == 0 || mayBeEmpty(r.Sub[0])
	case syntax.OpPlus, syntax.OpCapture:
		return mayBeEmpty(r.Sub[0])
	case syntax.OpAlternate:
		return slices.ContainsFunc(r.Sub, mayBeEmpty)
	case syntax.OpConcat:
		return !slices.ContainsFunc(r.Sub, func(s *syntax.Regexp) bool { return !mayBeEmpty(s) })
	}
	return false
}

// repeatsEmpty says whether what may be empty is repeated: libraries differ in when
// they stop.
func repeatsEmpty(r *syntax.Regexp) bool {
	repeats := r.Op == syntax.OpStar || r.Op == syntax.OpPlus || r.Op == syntax.OpRepeat
	return repeats && mayBeEmpty(r.Sub[0]) || slices.ContainsFunc(r.Sub, repeatsEmpty)
}

// translate are the alternatives of an expression of Oniguruma as those of Go, or what
// there is in it that Go's do not have or take for something else.
func translate(pattern string) (parts []string, err error) {
	var b strings.Builder
	depth, from, class, copies := 0, 0, false, 1
	for i := 0; i < len(pattern); {
		rest := pattern[i:]
		n := 1
		refuse := func(n int) ([]string, error) {
			return nil, fmt.Errorf("%s at byte %d: not known here", quote(rest[:min(n, len(rest))]), i)
		}
		switch c := pattern[i]; {
		case strings.HasPrefix(rest, notLast) && depth == 0 && i == from && (len(rest) == len(notLast) || rest[len(notLast)] == '|'):
			n = len(notLast)
			b.WriteString(notLast)
		case c == '\\':
			if n = 2; len(rest) < 2 {
				return refuse(1)
			}
			switch e := rest[1]; {
			case e == 'p' || e == 'P':
				end := strings.IndexByte(rest, '}')
				if len(rest) < 3 || rest[2] != '{' || end < 0 || strings.Contains(rest[:end], "^") {
					return refuse(3)
				}
				n = end + 1
				b.WriteString(rest[:n])
			case classes[e|0x20] != "" && (e|0x20 == e || !class):
				set := classes[e|0x20]
				if e|0x20 == 'w' && !class { // these numbers of Latin-1, and in no brackets
					set += "²³¹¼-¾"
				}
				switch {
				case class:
				case e|0x20 == e:
					set = "[" + set + "]"
				default:
					set = "[^" + set + "]"
				}
				b.WriteString(set)
			case strings.IndexByte("rntfv", e) >= 0 || e < utf8.RuneSelf && unicode.In(rune(e), unicode.P, unicode.S):
				b.WriteString(rest[:n])
			default:
				return refuse(2)
			}
		case class && c == ']' && !strings.HasSuffix(b.String(), "["):
			class = false
			b.WriteByte(c)
		case class && (c == '[' || c == ']' || strings.HasPrefix(rest, "&&")):
			return refuse(2)
		case class:
			b.WriteByte(c)
		case c == '[':
			if class = true; strings.HasPrefix(rest, "[^") {
				n = 2
			}
			if strings.HasPrefix(rest[n:], "]") {
				return refuse(n + 1)
			}
			b.WriteString(rest[:n])
		case c == '|' && depth == 0:
			parts, from = append(parts, b.String()), i+1
			b.Reset()
		case c == '(':
			depth++
			switch {
			case strings.HasPrefix(rest, "(?i:"):
				if n = 4; multiFold(rest) {
					return refuse(12)
				}
			case strings.HasPrefix(rest, "(?:"):
				n = 3
			case strings.HasPrefix(rest, "(?"):
				return refuse(4)
			}
			b.WriteString(rest[:n])
		case c == ')':
			depth--
			b.WriteByte(c)
		case c == '*' || c == '+' || c == '?' || c == '{':
			if c == '{' {
				end := strings.IndexByte(rest, '}')
				if end < 2 || strings.Trim(rest[1:end], "0123456789,") != "" || rest[1] == ',' {
					return refuse(3)
				}
				n = end + 1
				bounds := strings.Split(rest[1:end], ",")
				most, err := strconv.Atoi(cmp.Or(bounds[len(bounds)-1], bounds[0]))
				if copies *= max(1, most); err != nil || most > maxCopies || copies > maxCopies {
					return refuse(n)
				}
			}
			if n < len(rest) && (rest[n] == '+' || c == '{' && rest[n] == '?') { // Oniguruma's own
				return refuse(n + 1)
			}
			if n < len(rest) && rest[n] == '?' {
				n++
			}
			b.WriteString(rest[:n])
		case c == '^' || c == '$':
			return refuse(1)
		default:
			b.WriteByte(c)
		}
		i += n
	}
	return append(parts, b.String()), nil
}

// multiFold says whether a group in which case does not matter may have characters of
// which Oniguruma makes several: ß is ss.
func multiFold(group string) bool {
	if end := strings.IndexByte(group, ')'); end >= 0 {
		group = group[:end]
	}
	for _, letters := range []string{"ss", "ff", "fi", "fl", "st"} {
		if strings.Contains(strings.ToLower(group), letters) {
			return true
		}
	}
	return strings.IndexFunc(group, func(r rune) bool { return r >= utf8.RuneSelf }) >= 0
}

func (r regex) all(text string) (all [][]int) {
	next := make([][]int, len(r)) // of each: the first match from here on
	for i := range next {
		next[i] = []int{-1, -1}
	}
	for from := 0; from < len(text); {
		var first []int
		for i, a := range r {
			if next[i] != nil && next[i][0] < from {
				if next[i] = find(a, text[from:]); next[i] != nil {
					next[i] = []int{next[i][0] + from, next[i][1] + from}
				}
			}
			if next[i] != nil && (first == nil || next[i][0] < first[0]) {
				first = next[i]
			}
		}
		if first == nil {
			break
		}
		all, from = append(all, first), first[1]
	}
	return all
}

// find is the first match, nil without one.
func find(a alternatives, text string) []int {
	if a != nil {
		return a.FindStringIndex(text)
	}
	for from := 0; ; {
		at := strings.IndexFunc(text[from:], unicode.IsSpace)
		if at < 0 {
			return nil
		}
		from += at
		to := strings.IndexFunc(text[from:], func(r rune) bool { return !unicode.IsSpace(r) })
		if to < 0 {
			return []int{from, len(text)}
		}
		if _, size := utf8.DecodeLastRuneInString(text[from : from+to]); size < to {
			return []int{from, from + to - size}
		}
		from += to
	}
}

// takes says whether what begins with a text always begins with a match.
func (r regex) takes(text string) bool {
	return slices.ContainsFunc(r, func(a alternatives) bool {
		return a != nil && a.FindStringIndex(text) != nil && a.FindStringIndex(text)[0] == 0
	})
}

// joins says whether a match may have c right after what is no white space.
func (r regex) joins(c rune) bool {
	for _, a := range r {
		if a == nil {
			continue
		}
		tree, err := syntax.Parse(a.String(), syntax.Perl)
		if err != nil {
			return true
		}
		p, err := syntax.Compile(tree.Simplify())
		if err != nil || joins(p, c) {
			return true
		}
	}
	return false
}

// joins says whether a program may match c right after what is no white space.
func joins(p *syntax.Prog, c rune) bool {
	type state struct {
		at    uint32
		after bool // what is no white space
	}
	seen, left := map[state]bool{}, []state{{uint32(p.Start), false}}
	for len(left) > 0 {
		s := left[len(left)-1]
		left = left[:len(left)-1]
		if seen[s] {
			continue
		}
		seen[s] = true
		switch i := &p.Inst[s.at]; i.Op {
		case syntax.InstAlt, syntax.InstAltMatch:
			left = append(left, state{i.Out, s.after}, state{i.Arg, s.after})
		case syntax.InstCapture, syntax.InstNop, syntax.InstEmptyWidth:
			left = append(left, state{i.Out, s.after})
		case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
			if s.after && i.MatchRune(c) {
				return true
			}
			left = append(left, state{i.Out, false})
			if i.Op == syntax.InstRuneAny || i.Op == syntax.InstRuneAnyNotNL || !onlySpaces(i.Rune) {
				left = append(left, state{i.Out, true})
			}
		}
	}
	return false
}

// onlySpaces says whether ranges of characters, from and to, are white space alone.
func onlySpaces(ranges []rune) bool {
	for i := 0; i < len(ranges); i += 2 {
		for r := ranges[i]; r <= ranges[min(i+1, len(ranges)-1)]; r++ {
			if !unicode.IsSpace(r) {
				return false
			}
		}
	}
	return true
}
