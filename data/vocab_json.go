package data

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"
)

type vocabJSON struct {
	Kind      string          `json:"kind"`
	Unknown   string          `json:"unknown"`
	Symbols   []string        `json:"symbols,omitempty"`   // (V), none for bytes and tokenizers
	Tokenizer json.RawMessage `json:"tokenizer,omitempty"` // all of a tokenizer.json
}

// MarshalJSON writes kind, policy and symbols, or the tokenizer: equal vocabularies, equal bytes.
func (v *Vocab) MarshalJSON() ([]byte, error) {
	j := vocabJSON{Kind: v.kind, Unknown: v.unknown, Tokenizer: v.source}
	if v.kind != "byte" && v.kind != tokens {
		j.Symbols = v.symbols
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(j); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// UnmarshalJSON is ParseVocab.
func (v *Vocab) UnmarshalJSON(b []byte) error {
	parsed, err := ParseVocab(b)
	if err == nil {
		*v = *parsed
	}
	return err
}

// ParseVocab reads what MarshalJSON wrote. It refuses an unknown, repeated or
// missing field, a symbol twice, an empty symbol or one that its kind cannot
// have, and whatever is over the limits of this package. It allocates less
// than 100 times the size of b, most of it for a moment.
func ParseVocab(b []byte) (*Vocab, error) {
	if len(b) > maxVocabJSON {
		return nil, fmt.Errorf("data: vocabulary of %d bytes of JSON: want at most %d", len(b), maxVocabJSON)
	}
	if !utf8.Valid(b) {
		return nil, fmt.Errorf("data: vocabulary: JSON that is not UTF-8")
	}
	j, err := parseFields(json.NewDecoder(bytes.NewReader(b)))
	if err != nil {
		return nil, err
	}
	if j.Kind != tokens && j.Tokenizer != nil {
		return nil, fmt.Errorf(`data: vocabulary: field "tokenizer" beside kind %s: want kind tokenizer`, quote(j.Kind))
	}
	if j.Kind != tokens || j.Tokenizer == nil || j.Symbols != nil {
		return NewVocab(j.Kind, j.Unknown, j.Symbols)
	}
	v, err := TokenizerVocab(j.Tokenizer)
	if err == nil && v.unknown != j.Unknown {
		return nil, fmt.Errorf("data: policy %s for unknown symbols: the tokenizer's is %s", quote(j.Unknown), v.unknown)
	}
	return v, err
}

// parseFields reads token by token what encoding/json is too lenient for:
// repeated fields, other letter case, null, and what follows the object. It
// stops at the first thing wrong, so that a bad file costs little.
func parseFields(dec *json.Decoder) (j vocabJSON, err error) {
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return j, errors.New("data: vocabulary: want a JSON object with kind, unknown and symbols")
	}
	seen := map[string]bool{}
	for dec.More() {
		name, err := stringToken(dec, "field name")
		if err != nil {
			return j, err
		}
		if seen[name] {
			return j, fmt.Errorf("data: vocabulary: field %s twice", quote(name))
		}
		seen[name] = true
		switch name {
		case "kind":
			j.Kind, err = stringToken(dec, `field "kind"`)
		case "unknown":
			j.Unknown, err = stringToken(dec, `field "unknown"`)
		case "symbols":
			j.Symbols, err = parseSymbols(dec)
		case "tokenizer":
			if err = dec.Decode(&j.Tokenizer); err != nil {
				err = syntaxError(err)
			}
		default:
			err = fmt.Errorf("data: vocabulary: field %s: want kind, unknown and symbols", quote(name))
		}
		if err != nil {
			return j, err
		}
	}
	if _, err := dec.Token(); err != nil { // the closing brace
		return j, syntaxError(err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return j, errors.New("data: vocabulary: more after the JSON object")
	}
	for _, name := range []string{"kind", "unknown"} {
		if !seen[name] {
			return j, fmt.Errorf("data: vocabulary: field %q is missing", name)
		}
	}
	return j, nil
}

func parseSymbols(dec *json.Decoder) ([]string, error) {
	if t, err := dec.Token(); err != nil {
		return nil, syntaxError(err)
	} else if t != json.Delim('[') {
		return nil, fmt.Errorf(`data: vocabulary: field "symbols" is %s: want a list of strings`, kindOf(t))
	}
	var symbols []string
	for dec.More() {
		if len(symbols) == MaxSymbols {
			return nil, fmt.Errorf("data: vocabulary of more than %d symbols: want at most that", MaxSymbols)
		}
		s, err := stringToken(dec, "symbol "+strconv.Itoa(len(symbols)))
		if err != nil {
			return nil, err
		}
		symbols = append(symbols, s)
	}
	if _, err := dec.Token(); err != nil { // the closing bracket
		return nil, syntaxError(err)
	}
	return symbols, nil
}

func stringToken(dec *json.Decoder, what string) (string, error) {
	t, err := dec.Token()
	if err != nil {
		return "", syntaxError(err)
	}
	s, ok := t.(string)
	if !ok {
		return "", fmt.Errorf("data: vocabulary: %s is %s: want a string", what, kindOf(t))
	}
	return s, nil
}

func kindOf(t json.Token) string {
	switch t := t.(type) {
	case json.Delim:
		return map[json.Delim]string{'{': "an object", '[': "a list"}[t]
	case bool:
		return fmt.Sprint(t)
	case float64:
		return "a number"
	case nil:
		return "null"
	}
	return "a string"
}

func syntaxError(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("data: vocabulary: JSON that ends too early")
	}
	return fmt.Errorf("data: vocabulary: %w", err)
}
