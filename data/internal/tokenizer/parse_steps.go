package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// unknownType is the error of a type that the package does not know.
func unknownType(kind, want string) error {
	return fmt.Errorf("type %s: not known, want one of %s", quote(kind), want)
}

// step is a part without fields.
type step struct {
	Type string `json:"type"`
}

func (t *Tokenizer) parseNormalizer(part json.RawMessage) error {
	all, err := parts(part, "normalizers")
	if err != nil {
		return err
	}
	for _, one := range all {
		kind, _ := typeOf(one)
		if err := t.addNormalizer(kind, one); err != nil {
			return fmt.Errorf("%s: %w", quote(kind), err)
		}
	}
	return nil
}

func (t *Tokenizer) addNormalizer(kind string, part json.RawMessage) (err error) {
	add := func(n ...normalizer) { t.normals = append(t.normals, n...) }
	plain := func(n normalizer) error {
		add(n)
		return fields(part, &step{})
	}
	switch kind {
	case "NFC", "NFD", "NFKC", "NFKD":
		return plain(form{map[string]norm.Form{"NFC": norm.NFC, "NFD": norm.NFD, "NFKC": norm.NFKC, "NFKD": norm.NFKD}[kind]})
	case "Lowercase":
		return plain(lower{})
	case "StripAccents":
		return plain(without(unicode.M))
	case "Strip":
		s := struct {
			step
			Left  bool `json:"strip_left"`
			Right bool `json:"strip_right"`
		}{}
		err = fields(part, &s)
		add(strip{s.Left, s.Right})
	case "Prepend":
		p := struct {
			step
			Prepend string `json:"prepend"`
		}{}
		if err = fields(part, &p); err == nil {
			err = inserted(p.Prepend)
		}
		add(prepend(p.Prepend))
	case "Replace":
		var r replacer
		r, err = parseReplace(part)
		add(r)
	case "BertNormalizer":
		b := struct {
			step
			Clean   bool  `json:"clean_text"`
			Chinese bool  `json:"handle_chinese_chars"`
			Strip   *bool `json:"strip_accents"`
			Lower   bool  `json:"lowercase"`
		}{}
		err = fields(part, &b)
		if b.Clean {
			add(mapped(cleaned))
		}
		if b.Chinese {
			add(chinese{})
		}
		if b.Strip != nil && *b.Strip || b.Strip == nil && b.Lower {
			add(form{norm.NFD}, without(unicode.Mn))
		}
		if b.Lower {
			add(lower{})
		}
	default:
		return unknownType(kind, "NFC, NFD, NFKC, NFKD, Lowercase, StripAccents, Strip, Prepend, Replace, BertNormalizer")
	}
	return err
}

// replacer is Replace, which may stand among normalizers and decoders.
type replacer interface {
	normalizer
	decoder
}

func parseReplace(part json.RawMessage) (replacer, error) {
	p := struct {
		step
		Pattern pattern `json:"pattern"`
		Content string  `json:"content"`
	}{}
	if err := fields(part, &p); err != nil {
		return nil, err
	}
	f, err := p.Pattern.finder()
	if err != nil {
		return nil, err
	}
	if old, ok := f.(literal); ok {
		return replace{string(old), p.Content}, inserted(p.Content)
	}
	return rewrite{f.(regex), p.Content}, inserted(p.Content)
}

func (t *Tokenizer) parseSplitter(part json.RawMessage) error {
	all, err := parts(part, "pretokenizers")
	if err != nil {
		return err
	}
	for _, one := range all {
		kind, _ := typeOf(one)
		s, err := parseSplit(kind, one)
		if err != nil {
			return fmt.Errorf("%s: %w", quote(kind), err)
		}
		t.splits = append(t.splits, s)
	}
	return nil
}

// spaces splits at white space, and removes it.
var spaces = byClass{unicode.IsSpace, removed}

// bert splits at white space and punctuation.
type bert struct{}

func (bert) split(words []string, word string, p place) []string {
	punctuation := byClass{isPunctuation, isolated}
	for _, part := range spaces.split(nil, word, p) {
		words = punctuation.split(words, part, p)
	}
	return words
}

func parseSplit(kind string, part json.RawMessage) (splitter, error) {
	switch kind {
	case "Whitespace":
		return wordsOrNot{}, fields(part, &step{})
	case "WhitespaceSplit":
		return spaces, fields(part, &step{})
	case "BertPreTokenizer":
		return bert{}, fields(part, &step{})
	case "ByteLevel":
		b := byteLevelJSON{UseRegex: true}
		err := fields(part, &b)
		return byteLevel{b.Prefix, b.UseRegex}, err
	case "Metaspace":
		return parseMetaspace(part)
	case "Punctuation":
		p := struct {
			step
			Behavior behavior `json:"behavior"`
		}{Behavior: isolated}
		if err := fields(part, &p); err != nil {
			return nil, err
		}
		return byClass{isPunctuation, p.Behavior}, p.Behavior.validate()
	case "Digits":
		d := struct {
			step
			Each bool `json:"individual_digits"`
		}{}
		err := fields(part, &d)
		if d.Each {
			return byClass{unicode.IsNumber, isolated}, err
		}
		return byClass{unicode.IsNumber, contiguous}, err
	case "CharDelimiterSplit":
		c := struct {
			step
			Delimiter string `json:"delimiter"`
		}{}
		err := fields(part, &c)
		if err == nil && !oneRune(c.Delimiter) {
			err = fmt.Errorf("delimiter %s: want one character", quote(c.Delimiter))
		}
		return byPattern{literal(c.Delimiter), removed, false}, err
	case "Split":
		s := struct {
			step
			Pattern  pattern  `json:"pattern"`
			Behavior behavior `json:"behavior"`
			Invert   bool     `json:"invert"`
		}{}
		if err := fields(part, &s); err != nil {
			return nil, err
		}
		if err := s.Behavior.validate(); err != nil {
			return nil, err
		}
		f, err := s.Pattern.finder()
		return byPattern{f, s.Behavior, s.Invert}, err
	}
	return nil, unknownType(kind, "ByteLevel, Whitespace, WhitespaceSplit, BertPreTokenizer, Metaspace, Punctuation, Digits, CharDelimiterSplit, Split")
}

func (b behavior) validate() error {
	switch b {
	case removed, isolated, contiguous, previous, following:
		return nil
	}
	return fmt.Errorf("behavior %s: want %s, %s, %s, %s or %s", quote(string(b)), removed, isolated, contiguous, previous, following)
}

type byteLevelJSON struct {
	step
	Prefix   bool `json:"add_prefix_space"`
	Trim     bool `json:"trim_offsets"`
	UseRegex bool `json:"use_regex"`
}

// parseMetaspace is of a pre-tokenizer or a decoder.
func parseMetaspace(part json.RawMessage) (m metaspace, err error) {
	p := struct {
		step
		Mark   string `json:"replacement"`
		Prefix *bool  `json:"add_prefix_space"`
		Scheme string `json:"prepend_scheme"`
		Split  *bool  `json:"split"`
		Rep    string `json:"str_rep"`
	}{Scheme: "always"}
	if err := fields(part, &p); err != nil {
		return m, err
	}
	if !oneRune(p.Mark) {
		return m, fmt.Errorf("replacement %s: want one character", quote(p.Mark))
	}
	if p.Prefix != nil && !*p.Prefix {
		if p.Scheme != "never" {
			return m, errors.New("add_prefix_space false: want prepend_scheme never beside it")
		}
	}
	switch p.Scheme {
	case "always", "first", "never":
	default:
		return m, fmt.Errorf("prepend_scheme %s: want always, first or never", quote(p.Scheme))
	}
	return metaspace{p.Mark, p.Scheme, p.Split == nil || *p.Split}, nil
}

func (t *Tokenizer) parseDecoder(part json.RawMessage) error {
	all, err := parts(part, "decoders")
	if err != nil {
		return err
	}
	joined := false
	for i, one := range all {
		kind, _ := typeOf(one)
		d, err := parseDecoder(kind, one)
		if err == nil && joined {
			d, err = afterJoin(d, i == len(all)-1)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", quote(kind), err)
		}
		joined = joined || kind == "Fuse" || kind == "ByteLevel"
		t.decoders = append(t.decoders, d)
	}
	if !absent(part) && t.decoders == nil {
		t.decoders = []decoder{fuse{}}
	}
	return nil
}

// fuse joins tokens, as all decoders do at their end.
type fuse struct{}

func (fuse) decode(token string, _ bool) string { return token }

// afterJoin is a decoder that comes after one that joins tokens: of the text as a
// whole.
func afterJoin(d decoder, last bool) (decoder, error) {
	switch d := d.(type) {
	case fuse:
		return d, nil
	case stripToken:
		if last && d.stop == 0 {
			return stripText{d.text, d.start}, nil
		}
	}
	return nil, errors.New("not known after Fuse or ByteLevel: want Strip from the start there, and nothing else")
}

func parseDecoder(kind string, part json.RawMessage) (decoder, error) {
	switch kind {
	case "ByteLevel":
		return bytesOf{}, fields(part, &byteLevelJSON{})
	case "ByteFallback":
		return byteToken{}, fields(part, &step{})
	case "Fuse":
		return fuse{}, fields(part, &step{})
	case "Metaspace":
		m, err := parseMetaspace(part)
		return marks{m.mark, m.scheme != "never"}, err
	case "Replace":
		return parseReplace(part)
	case "WordPiece":
		p := struct {
			step
			Prefix  string `json:"prefix"`
			Cleanup bool   `json:"cleanup"`
		}{}
		err := fields(part, &p)
		return pieces{p.Prefix, p.Cleanup}, err
	case "BPEDecoder":
		p := struct {
			step
			Suffix string `json:"suffix"`
		}{}
		err := fields(part, &p)
		if err == nil && p.Suffix == "" {
			err = errors.New("no suffix: want one")
		}
		return wordEnd(p.Suffix), err
	case "Strip":
		p := struct {
			step
			Content string `json:"content"`
			Start   int    `json:"start"`
			Stop    int    `json:"stop"`
		}{}
		err := fields(part, &p)
		if err == nil && (!oneRune(p.Content) || p.Start < 0 || p.Stop < 0) {
			err = errors.New("want a content of one character, start and stop of 0 or more")
		}
		return stripToken{p.Content, p.Start, p.Stop}, err
	}
	return nil, unknownType(kind, "ByteLevel, ByteFallback, Fuse, Metaspace, Replace, WordPiece, BPEDecoder, Strip")
}
