package tokenizer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

type file struct {
	Version      *string         `json:"version"`
	AddedTokens  []addedJSON     `json:"added_tokens"`
	Normalizer   json.RawMessage `json:"normalizer"`
	PreTokenizer json.RawMessage `json:"pre_tokenizer"`
	Decoder      json.RawMessage `json:"decoder"`
	Model        json.RawMessage `json:"model"`
}

type addedJSON struct {
	ID         int32  `json:"id"`
	Content    string `json:"content"`
	SingleWord bool   `json:"single_word"`
	LStrip     bool   `json:"lstrip"`
	RStrip     bool   `json:"rstrip"`
	Normalized bool   `json:"normalized"`
}

// Parse reads a tokenizer.json, which must be UTF-8. An error names what is wrong or
// not known in it. It allocates less than 100 times the size of the content.
func Parse(content []byte) (*Tokenizer, error) {
	var f file
	if err := json.Unmarshal(content, &f); err != nil {
		return nil, short(err)
	}
	if f.Version != nil && *f.Version != "1.0" {
		return nil, fmt.Errorf("version %s: want 1.0", quote(*f.Version))
	}
	if absent(f.Model) {
		return nil, errors.New("no model: want one of BPE, WordPiece, Unigram and WordLevel")
	}
	t := &Tokenizer{unknown: -1}
	for _, read := range []struct {
		what string
		do   func() error
	}{
		{"model", func() error { return t.parseModel(f.Model) }},
		{"normalizer", func() error { return t.parseNormalizer(f.Normalizer) }},
		{"pre_tokenizer", func() error { return t.parseSplitter(f.PreTokenizer) }},
		{"decoder", func() error { return t.parseDecoder(f.Decoder) }},
		{"added_tokens", func() error { return t.parseAdded(f.AddedTokens) }},
	} {
		if err := read.do(); err != nil {
			return nil, fmt.Errorf("%s: %w", read.what, err)
		}
	}
	if err := t.firstOnly(); err != nil {
		return nil, err
	}
	t.findCuts()
	return t, nil
}

// absent says whether a part is not there.
func absent(part json.RawMessage) bool { return part == nil || string(part) == "null" }

// short is an error of encoding/json, bounded.
func short(err error) error {
	const most = 200
	s := strings.TrimPrefix(err.Error(), "json: ")
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return fmt.Errorf("not a tokenizer.json: %s", strings.ReplaceAll(s, "\n", " "))
}

// quote shows a string of a file, long ones cut.
func quote(s string) string {
	const most = 40
	if len(s) > most {
		return fmt.Sprintf("%q…", strings.ToValidUTF8(s[:most], ""))
	}
	return fmt.Sprintf("%q", s)
}

// typeOf is the type of a part.
func typeOf(part json.RawMessage) (string, error) {
	var t struct {
		Type *string `json:"type"`
	}
	if err := json.Unmarshal(part, &t); err != nil {
		return "", short(err)
	}
	if t.Type == nil {
		return "", errors.New("no type")
	}
	return *t.Type, nil
}

// fields reads those of a part, which has no others.
func fields(part json.RawMessage, into any) error {
	dec := json.NewDecoder(bytes.NewReader(part))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return short(err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return errors.New("more after it")
	}
	return nil
}

// parts are those of a part of type Sequence in the field of a name, and those in
// theirs; else the one. There may be some only.
func parts(part json.RawMessage, field string) (all []json.RawMessage, err error) {
	if absent(part) {
		return nil, nil
	}
	left := []json.RawMessage{part} // from the last
	for n := 0; len(left) > 0; n++ {
		if n > maxSteps || len(left) > maxSteps {
			return nil, fmt.Errorf("more than %d steps: want at most that", maxSteps)
		}
		next := left[len(left)-1]
		left = left[:len(left)-1]
		kind, err := typeOf(next)
		if err != nil {
			return nil, err
		}
		if kind != "Sequence" {
			all = append(all, next)
			continue
		}
		var s map[string]json.RawMessage
		if err := json.Unmarshal(next, &s); err != nil {
			return nil, short(err)
		}
		var items []json.RawMessage
		if err := json.Unmarshal(s[field], &items); err != nil || len(s) != 2 {
			return nil, fmt.Errorf("a Sequence: want type and a list %s", field)
		}
		for i := len(items) - 1; i >= 0; i-- {
			left = append(left, items[i])
		}
	}
	return all, nil
}

// pattern is that of a Replace or Split.
type pattern struct {
	String, Regex *string
}

// finder finds what the pattern is of.
func (p pattern) finder() (finder, error) {
	switch {
	case p.Regex != nil:
		r, err := newRegex(*p.Regex)
		if err != nil {
			return nil, fmt.Errorf("pattern of Regex %s: %w", quote(*p.Regex), err)
		}
		return r, nil
	case p.String == nil || *p.String == "" || len(*p.String) > maxInsert:
		return nil, fmt.Errorf("pattern: want a String of 1 to %d bytes, or a Regex", maxInsert)
	}
	return literal(*p.String), nil
}

// inserted checks what is put into a text.
func inserted(s string) error {
	if len(s) > maxInsert {
		return fmt.Errorf("%s has %d bytes: want at most %d", quote(s), len(s), maxInsert)
	}
	return nil
}

// parseAdded reads added tokens, those of new ids in their order after the model's.
func (t *Tokenizer) parseAdded(list []addedJSON) error {
	t.decoded = append([]string(nil), t.tokens...)
	var raw, normal []addedToken
	seen := map[string]bool{}
	for _, a := range list {
		id, known := t.ids[a.Content]
		switch {
		case a.Content == "" || len(a.Content) > maxTokenBytes:
			return fmt.Errorf("%s of %d bytes: want 1 to %d", quote(a.Content), len(a.Content), maxTokenBytes)
		case seen[a.Content]:
			return fmt.Errorf("%s twice", quote(a.Content))
		case known && a.ID != id:
			return fmt.Errorf("%s has id %d, and in the model %d: want the same", quote(a.Content), a.ID, id)
		case !known && int(a.ID) != len(t.tokens):
			return fmt.Errorf("%s has id %d: want %d, ids one after another behind those of the model", quote(a.Content), a.ID, len(t.tokens))
		case !known && len(t.tokens) == maxTokens:
			return fmt.Errorf("more than %d tokens: want at most that", maxTokens)
		}
		seen[a.Content] = true
		if !known {
			t.ids[a.Content] = a.ID
			t.tokens, t.decoded = append(t.tokens, a.Content), append(t.decoded, a.Content)
		}
		token := addedToken{a.Content, a.ID, a.SingleWord, a.LStrip, a.RStrip}
		if !a.Normalized {
			raw = append(raw, token)
			continue
		}
		for _, n := range t.normals {
			var ok bool
			if token.text, ok = n.normalize(token.text, false, maxTokenBytes*maxGrowth); !ok {
				return fmt.Errorf("%s: the normalizer makes more than %d bytes of it", quote(a.Content), maxTokenBytes*maxGrowth)
			}
		}
		if token.text == "" {
			return fmt.Errorf("%s: the normalizer leaves nothing of it", quote(a.Content))
		}
		t.decoded[a.ID] = token.text
		normal = append(normal, token)
	}
	if len(t.tokens) == 0 {
		return errors.New("no tokens: want at least one")
	}
	t.raw, t.normal = newAdded(raw), newAdded(normal)
	if t.normal != nil {
		for i, a := range t.normal.tokens[1:] {
			if a.text == t.normal.tokens[i].text {
				return fmt.Errorf("%s is what the normalizer makes of two tokens: want them to differ", quote(a.text))
			}
		}
	}
	return nil
}

func oneRune(s string) bool { return utf8.RuneCountInString(s) == 1 }
