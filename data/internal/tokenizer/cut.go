package tokenizer

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

// firstOnly refuses a Metaspace that marks the start of a text, where it is hard to
// tell whether what comes first was there in the text.
func (t *Tokenizer) firstOnly() error {
	for i, s := range t.splits {
		if m, ok := s.(metaspace); !ok || m.scheme != "first" {
			continue
		}
		if i > 0 {
			return errors.New("pre_tokenizer: prepend_scheme first behind another step: not known")
		}
		for _, n := range t.normals {
			switch n := n.(type) {
			case form, lower, prepend:
				continue
			case replace:
				if n.new != "" {
					continue
				}
			}
			return errors.New("pre_tokenizer: prepend_scheme first beside a normalizer that takes characters away: not known")
		}
	}
	return nil
}

// findCuts finds before which of the characters newline and space a text may be cut.
func (t *Tokenizer) findCuts() {
	for _, a := range []*added{t.raw, t.normal} {
		for i := 0; a != nil && i < len(a.tokens); i++ {
			if a.tokens[i].rstrip {
				return
			}
			t.keeps = t.keeps || a == t.normal && a.tokens[i].lstrip
		}
	}
	for _, n := range t.normals {
		switch n := n.(type) {
		case strip:
			return
		case prepend: // also behind an added token
			if t.raw != nil {
				return
			}
		case replace:
			if !oneRune(n.old) {
				return
			}
		case rewrite:
			if n.old.joins(' ') || n.old.joins('\n') {
				return
			}
		}
	}
	for _, c := range []string{"\n", " "} {
		if t.separates(c) {
			t.cuts += c
		}
	}
}

// separates says whether what comes before a white space c has no part in what
// becomes of c and what follows.
func (t *Tokenizer) separates(c string) bool {
	becomes := t.normalized(c)
	start, _ := utf8.DecodeRuneInString(becomes)
	if becomes == "" || isWord(start) {
		return false
	}
	for _, a := range []*added{t.raw, t.normal} {
		for i := 0; a != nil && i < len(a.tokens); i++ {
			if strings.ContainsAny(a.tokens[i].text, c+becomes) {
				return false
			}
		}
	}
	for i, s := range t.splits {
		switch s := s.(type) {
		case bert, wordsOrNot:
			return strings.TrimSpace(becomes) == ""
		case byteLevel:
			t.keeps = true
			// Behind an added token a new part begins, and what does not begin with a space
			// gets one.
			gets := s.prefix && start != ' ' && (t.raw != nil || t.normal != nil)
			return s.words && unicode.IsSpace(start) && (i == 0 || !s.prefix) && !gets
		case metaspace:
			return s.splits && (i == 0 || s.scheme == "never") && strings.HasPrefix(strings.ReplaceAll(becomes, " ", s.mark), s.mark)
		case byClass:
			if s.class(' ') { // spaces
				return strings.TrimSpace(becomes) == ""
			}
			if strings.ContainsFunc(becomes, s.class) {
				return false
			}
		case byPattern:
			if text, ok := s.finder.(literal); ok {
				if !oneRune(string(text)) || s.invert || strings.Contains(becomes, string(text)) {
					return false
				}
				continue
			}
			r := s.finder.(regex)
			if r.joins(start) {
				return false
			}
			t.keeps = true
			switch { // c is not in a part with what comes before it
			case s.behavior == isolated && r.takes(becomes), s.behavior == removed && s.invert:
				return unicode.IsSpace(start)
			case s.behavior != isolated:
				return false
			}
		}
	}
	return false
}

// normalized is what becomes of a character within a text.
func (t *Tokenizer) normalized(c string) string {
	for _, n := range t.normals {
		c, _ = n.normalize(c, true, maxGrowth*utf8.UTFMax+1<<10)
	}
	return c
}

// Cut is the last place of a text, above 0, where it may be cut so that the ids of
// both parts are those of the whole; 0 for none. It is before a space or newline that
// follows something else.
func (t *Tokenizer) Cut(text []byte) int {
	if t.cuts == "" {
		return 0
	}
	for at := len(text) - 1; at > 0; at-- {
		if c := text[at]; c != ' ' && c != '\n' || strings.IndexByte(t.cuts, c) < 0 {
			continue
		}
		r, _ := utf8.DecodeLastRune(text[:at])
		if unicode.IsSpace(r) {
			continue
		}
		if t.keeps {
			last, size := utf8.DecodeLastRuneInString(t.normalized(string(r)))
			if size == 0 || unicode.IsSpace(last) {
				continue
			}
		}
		return at
	}
	return 0
}
