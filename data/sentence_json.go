package data

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// whole reads a line that is a sentence.
func (p *sentenceReader) whole(text string) (s Sentence, err error) {
	s.Line = p.lines.line
	if p.format == "text" {
		s.Words = strings.Fields(text)
		return s, nil
	}
	if s.Words, s.Tags, err = parseJSON(text, p.seen); err != nil {
		return Sentence{}, err
	}
	return s, p.agree(s.Tags != nil)
}

// parseJSON reads a line of format jsonl. seen is scratch.
func parseJSON(text string, seen map[string]bool) (words, tags []string, err error) {
	fields := map[string]json.RawMessage{}
	if err := eachField([]byte(text), seen, func(name string, value json.RawMessage) { fields[name] = value }); err != nil {
		return nil, nil, err
	}
	var whole *string
	for _, f := range []struct {
		name, want string
		to         any
	}{{"words", "a list of strings", &words}, {"tags", "a list of strings", &tags}, {"text", "a string", &whole}} {
		if raw, ok := fields[f.name]; ok && json.Unmarshal(raw, f.to) != nil {
			return nil, nil, fieldError(f.name, errors.New("want "+f.want))
		}
	}
	if whole != nil {
		if words != nil || tags != nil {
			return nil, nil, errors.New(`field "text" beside "words" or "tags": want one of them`)
		}
		words = strings.Fields(*whole)
	}
	return words, tags, checkWords(words, tags)
}

func checkWords(words, tags []string) error {
	if len(words) == 0 {
		return errors.New(`no words in "words" or "text": want some`)
	}
	if tags != nil && len(tags) != len(words) {
		return fmt.Errorf("%d words and %d tags: want as many", len(words), len(tags))
	}
	for i, w := range words {
		if w == "" || strings.Contains(w, "\x00") {
			return fmt.Errorf("word %d is %s: want text", i+1, quote(w))
		}
	}
	for i, t := range tags {
		if t == "" || strings.ContainsFunc(t, unicode.IsControl) {
			return fmt.Errorf("tag %d is %s: want text in one line", i+1, quote(t))
		}
	}
	return nil
}
