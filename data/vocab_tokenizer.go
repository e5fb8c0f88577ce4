package data

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"sluice/data/internal/tokenizer"
)

// tokens is the kind of a vocabulary that a tokenizer has.
const tokens = "tokenizer"

var errTokens = errors.New("data: a tokenizer is no list of symbols, and none is built of a text: want its tokenizer.json")

// maxWhole bounds a text, or a part of one, that a tokenizer does not let be cut, in
// bytes.
const maxWhole = 16 << 20

// maxHeld bounds a tokenizer as the header of a model's file holds it, in bytes: a
// header has at most 32 MiB, and more than this in it.
const maxHeld = 24 << 20

// TokenizerVocab is the vocabulary of a tokenizer.json of Hugging Face, added tokens
// among its symbols. It has at most 64 MiB, and 24 MiB as the file of a model holds
// it: without white space, as a string of JSON, in which a quote or backslash takes
// two bytes, and <, > or & seven. Texts get the ids that the library tokenizers
// gives with add_special_tokens=False: what a post-processor adds, truncation and
// padding are left out. Its models are BPE, WordPiece, Unigram and WordLevel; what
// is not known in it is an error that names it. It allocates less than 100 times the
// size of the content.
//
// A text of any size is read in pieces that are cut where the ids stay those of the
// whole: before a space or newline. Where the tokenizer does not split there for
// sure, or a text has none, there may be 16 MiB without a cut, and more is an error.
func TokenizerVocab(content []byte) (*Vocab, error) {
	if len(content) > maxVocabJSON {
		return nil, fmt.Errorf("data: tokenizer of %d bytes of JSON: want at most %d", len(content), maxVocabJSON)
	}
	if at := invalid(content); at >= 0 {
		return nil, fmt.Errorf("data: tokenizer: line %d: byte 0x%02X is not UTF-8", 1+bytes.Count(content[:at], []byte("\n")), content[at])
	}
	t, err := tokenizer.Parse(content)
	if err != nil {
		return nil, fmt.Errorf("data: tokenizer: %w", err)
	}
	var compact, source bytes.Buffer
	if err := json.Compact(&compact, content); err != nil {
		return nil, fmt.Errorf("data: tokenizer: %w", err)
	}
	json.HTMLEscape(&source, compact.Bytes()) // as encoding/json writes it: equal vocabularies, equal bytes
	if n := source.Len() + bytes.Count(source.Bytes(), []byte(`"`)) + bytes.Count(source.Bytes(), []byte(`\`)); n > maxHeld {
		return nil, fmt.Errorf("data: tokenizer of %d bytes of JSON, which takes %d in the file of a model: want at most %d there", len(content), n, maxHeld)
	}
	v := &Vocab{kind: tokens, unknown: "error", symbols: t.Tokens(), unknownID: -1, tokenizer: t, source: source.Bytes()}
	if id, ok := t.Unknown(); ok {
		v.unknown, v.unknownID = "unk", id
	}
	return v, nil
}

// isTokenizer says whether a JSON object is a tokenizer.json.
func isTokenizer(content []byte) bool {
	var f struct {
		Model *json.RawMessage `json:"model"`
		Added *json.RawMessage `json:"added_tokens"`
	}
	return json.Unmarshal(content, &f) == nil && f.Model != nil && (*f.Model)[0] == '{'
}

// tokens appends the ids of the text before the last place where it may be cut, or
// of all that is left.
func (e *encoder) tokens(ids []int32, piece []byte, last bool) ([]int32, error) {
	e.text = append(e.text, piece...)
	end := len(e.text)
	if !last {
		if end = e.v.tokenizer.Cut(e.text); end == 0 {
			if len(e.text) > maxWhole {
				return ids, fmt.Errorf("data: %d bytes of a text up to line %d, in which the tokenizer finds no place to cut it: want at most %d", len(e.text), e.line+1, maxWhole)
			}
			return ids, nil
		}
	}
	if e.tokenizer == nil {
		e.tokenizer = e.v.tokenizer.NewEncoder()
	}
	ids, err := e.tokenizer.Append(ids, string(e.text[:end]), e.goesOn)
	if err != nil {
		return ids, fmt.Errorf("data: tokenizer: before line %d: %w", e.line+1, err)
	}
	e.text, e.goesOn = append(e.text[:0], e.text[end:]...), true
	return ids, nil
}
