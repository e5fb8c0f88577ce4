package tokenizer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

func (t *Tokenizer) parseModel(part json.RawMessage) error {
	kind, err := typeOf(part)
	if err != nil {
		return err
	}
	switch kind {
	case "BPE":
		err = t.parseBPE(part)
	case "WordPiece":
		err = t.parseWordPiece(part)
	case "WordLevel":
		err = t.parseWordLevel(part)
	case "Unigram":
		err = t.parseUnigram(part)
	default:
		return unknownType(kind, "BPE, WordPiece, Unigram, WordLevel")
	}
	if err != nil {
		return fmt.Errorf("%s: %w", kind, err)
	}
	return nil
}

// take takes the tokens of an object of ids.
func (t *Tokenizer) take(ids map[string]int32) error {
	if len(ids) > maxTokens {
		return fmt.Errorf("%d tokens: want at most %d", len(ids), maxTokens)
	}
	t.ids, t.tokens = ids, make([]string, len(ids))
	has := make([]bool, len(ids))
	for token, id := range ids {
		switch {
		case id < 0 || int(id) >= len(ids):
			return fmt.Errorf("%s has id %d of %d tokens: want ids from 0 on, and none left out", quote(token), id, len(ids))
		case has[id]:
			return fmt.Errorf("%s and %s have id %d: want each once", quote(min(token, t.tokens[id])), quote(max(token, t.tokens[id])), id)
		case len(token) > maxTokenBytes:
			return fmt.Errorf("%s has %d bytes: want at most %d", quote(token), len(token), maxTokenBytes)
		}
		t.tokens[id], has[id] = token, true
	}
	return nil
}

// needUnknown wants the token for what is unknown among those of the model.
func (t *Tokenizer) needUnknown(token string) error {
	id, ok := t.ids[token]
	if !ok {
		return fmt.Errorf("unk_token %s: not in the vocabulary, want it there", quote(token))
	}
	t.unknown = id
	return nil
}

func (t *Tokenizer) parseWordLevel(part json.RawMessage) error {
	p := struct {
		step
		Vocab   map[string]int32 `json:"vocab"`
		Unknown string           `json:"unk_token"`
	}{}
	if err := first(
		func() error { return fields(part, &p) },
		func() error { return t.take(p.Vocab) },
		func() error { return t.needUnknown(p.Unknown) },
	); err != nil {
		return err
	}
	t.model = wordLevel{t.ofModel(), t.unknown}
	return nil
}

// first is the first error of steps, each taken after the one before went well.
func first(steps ...func() error) error {
	for _, s := range steps {
		if err := s(); err != nil {
			return err
		}
	}
	return nil
}

func (t *Tokenizer) parseWordPiece(part json.RawMessage) error {
	p := struct {
		step
		Vocab   map[string]int32 `json:"vocab"`
		Unknown string           `json:"unk_token"`
		Prefix  string           `json:"continuing_subword_prefix"`
		Most    int              `json:"max_input_chars_per_word"`
	}{}
	if err := first(
		func() error { return fields(part, &p) },
		func() error { return t.take(p.Vocab) },
		func() error { return t.needUnknown(p.Unknown) },
		func() error { return inserted(p.Prefix) },
	); err != nil {
		return err
	}
	m := wordPiece{ids: t.ofModel(), unknown: t.unknown, prefix: p.Prefix, most: p.Most}
	for token := range m.ids {
		m.longest = max(m.longest, len(token))
	}
	t.model = m
	return nil
}

func (t *Tokenizer) parseBPE(part json.RawMessage) error {
	p := struct {
		step
		Vocab         map[string]int32 `json:"vocab"`
		Merges        json.RawMessage  `json:"merges"`
		Dropout       float64          `json:"dropout"`
		Unknown       *string          `json:"unk_token"`
		Prefix        string           `json:"continuing_subword_prefix"`
		Suffix        string           `json:"end_of_word_suffix"`
		Fuse          bool             `json:"fuse_unk"`
		Fallback      bool             `json:"byte_fallback"`
		IgnoreMerges  bool             `json:"ignore_merges"`
		CacheCapacity int              `json:"cache_capacity"`
	}{}
	if err := first(
		func() error { return fields(part, &p) },
		func() error { return t.take(p.Vocab) },
		func() error { return inserted(p.Prefix) },
		func() error { return inserted(p.Suffix) },
		func() error {
			if p.Unknown == nil {
				return nil
			}
			return t.needUnknown(*p.Unknown)
		},
	); err != nil {
		return err
	}
	if p.Dropout != 0 {
		return fmt.Errorf("dropout %v: leaves merges out at random, want none", p.Dropout)
	}
	m := &bpe{ids: t.ofModel(), unknown: t.unknown, fuse: p.Fuse, prefix: p.Prefix, suffix: p.Suffix, ignoreMerges: p.IgnoreMerges}
	if p.Fallback {
		m.bytes = byteTokens(m.ids)
	}
	t.model = m
	return m.parseMerges(p.Merges)
}

// parseMerges reads a list of "left right" or of ["left", "right"].
func (m *bpe) parseMerges(list json.RawMessage) error {
	if absent(list) {
		return errors.New("no merges")
	}
	m.merges = map[pair]merge{}
	dec := json.NewDecoder(bytes.NewReader(list))
	if open, err := dec.Token(); err != nil || open != json.Delim('[') {
		return errors.New("merges: want a list")
	}
	for n := int32(0); dec.More(); {
		item, _ := dec.Token()
		var left, right string
		ok := false
		switch item := item.(type) {
		case string:
			if strings.HasPrefix(item, "#version") {
				continue
			}
			left, right, ok = strings.Cut(item, " ")
			ok = ok && !strings.Contains(right, " ")
		case json.Delim:
			var okLeft, okRight bool
			left, okLeft = textToken(dec)
			right, okRight = textToken(dec)
			end, err := dec.Token()
			ok = err == nil && item == '[' && okLeft && okRight && end == json.Delim(']')
		}
		switch {
		case !ok:
			return fmt.Errorf("merge %d: want two tokens", n)
		case n == maxMerges:
			return fmt.Errorf("more than %d merges: want at most that", maxMerges)
		}
		if err := m.addMerge(n, left, right); err != nil {
			return err
		}
		n++
	}
	return nil
}

// textToken is the next token of JSON, if that is a string.
func textToken(dec *json.Decoder) (s string, ok bool) {
	t, err := dec.Token()
	s, ok = t.(string)
	return s, ok && err == nil
}

func (m *bpe) addMerge(rank int32, left, right string) error {
	whole := left + strings.TrimPrefix(right, m.prefix)
	var ids [3]int32
	for i, token := range [...]string{left, right, whole} {
		id, ok := m.ids[token]
		if !ok {
			return fmt.Errorf("merge %d: %s is not in the vocabulary", rank, quote(token))
		}
		ids[i] = id
	}
	if !strings.HasPrefix(right, m.prefix) {
		return fmt.Errorf("merge %d: %s: want it to begin with %s", rank, quote(right), quote(m.prefix))
	}
	m.merges[pair{ids[0], ids[1]}] = merge{rank, ids[2]}
	return nil
}

func (t *Tokenizer) parseUnigram(part json.RawMessage) error {
	p := struct {
		step
		Vocab    json.RawMessage `json:"vocab"`
		Unknown  *int            `json:"unk_id"`
		Fallback bool            `json:"byte_fallback"`
	}{}
	if err := fields(part, &p); err != nil {
		return err
	}
	ids, scores := map[string]int32{}, []float64(nil)
	dec := json.NewDecoder(bytes.NewReader(p.Vocab))
	if open, err := dec.Token(); err != nil || open != json.Delim('[') {
		return errors.New("vocab: want a list")
	}
	for dec.More() {
		open, _ := dec.Token()
		token, isText := textToken(dec)
		number, _ := dec.Token()
		end, err := dec.Token()
		score, isNumber := number.(float64)
		switch n := len(scores); {
		case err != nil || !isText || !isNumber || open != json.Delim('[') || end != json.Delim(']'):
			return fmt.Errorf("token %d: want a token and its score", n)
		case n == maxTokens:
			return fmt.Errorf("more than %d tokens: want at most that", maxTokens)
		}
		if id, twice := ids[token]; twice {
			return fmt.Errorf("token %d, %s, is also token %d", len(scores), quote(token), id)
		}
		ids[token] = int32(len(scores))
		scores = append(scores, score)
	}
	if len(scores) == 0 {
		return errors.New("no tokens: want at least one")
	}
	if err := t.take(ids); err != nil {
		return err
	}
	if p.Unknown != nil {
		if *p.Unknown < 0 || *p.Unknown >= len(scores) {
			return fmt.Errorf("unk_id %d of %d tokens: want one of them", *p.Unknown, len(scores))
		}
		t.unknown = int32(*p.Unknown)
	}
	m := newUnigram(t.ofModel(), t.tokens, scores, t.unknown)
	if p.Fallback {
		m.fallback = byteTokens(m.ids)
	}
	t.model = m
	return nil
}

// ofModel are the ids of the model alone: added tokens are added to t's.
func (t *Tokenizer) ofModel() map[string]int32 {
	ids := t.ids
	t.ids = make(map[string]int32, len(ids))
	for token, id := range ids {
		t.ids[token] = id
	}
	return ids
}
