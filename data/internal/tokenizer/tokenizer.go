// Package tokenizer turns texts into tokens and back as a tokenizer.json of
// Hugging Face says, with the ids that the library tokenizers 0.23.3 gives.
//
// A text goes through the steps of that library: added tokens are cut out,
// normalizers change what is between, pre-tokenizers split it into words, and a
// model (BPE, WordPiece, Unigram or WordLevel) makes tokens of each word. What the
// package does not know is refused by its name. Special tokens that a
// post-processor would put around a text, truncation and padding are left out:
// ids are those of encode(text, add_special_tokens=False).
//
// Patterns may be regular expressions, as those of GPT-2's successors are; see regex.
//
// Classes of characters are those of Go's version of Unicode, so a character that
// was assigned lately may be of another class there than here.
package tokenizer

import (
	"fmt"
	"strings"
)

// What a tokenizer may hold; nothing useful comes near.
const (
	maxTokens     = 1 << 20
	maxTokenBytes = 1 << 10
	maxMerges     = 1 << 21
	maxSteps      = 64 // normalizers, pre-tokenizers or decoders
	maxInsert     = 64 // bytes that a step writes in the place of a character
	maxGrowth     = 16 // times that normalizers may make a text longer, but for a few bytes
)

// Tokenizer does not change and may be shared.
type Tokenizer struct {
	tokens   []string // (V) as the file has them
	decoded  []string // (V) tokens before the decoder: of an added one its normalized form
	ids      map[string]int32
	unknown  int32  // the token for what is unknown, −1 for none
	raw      *added // added tokens that are found before normalizing, nil for none
	normal   *added // and after it
	normals  []normalizer
	splits   []splitter
	model    model
	decoders []decoder
	cuts     string // characters before which a text can be cut, see Cut
	keeps    bool   // white space is part of words, so that a cut must not be inside of it
}

// model makes tokens of a word, which has no token yet.
type model interface {
	append(ids []int32, word string) ([]int32, error)
}

// Size is V.
func (t *Tokenizer) Size() int { return len(t.tokens) }

// Tokens are all (V), as the file has them, and must not be changed.
func (t *Tokenizer) Tokens() []string { return t.tokens }

// ID is the id of a token.
func (t *Tokenizer) ID(token string) (id int32, ok bool) {
	id, ok = t.ids[token]
	return id, ok
}

// Unknown is the id of the token for what is unknown, if there is one.
func (t *Tokenizer) Unknown() (id int32, ok bool) { return t.unknown, t.unknown >= 0 }

// Encoder remembers the tokens of words. It serves one caller.
type Encoder struct {
	t    *Tokenizer
	seen map[string][]int32 // of words
}

// The words that an Encoder remembers.
const (
	maxSeen      = 1 << 14
	maxSeenBytes = 64
)

// NewEncoder makes one.
func (t *Tokenizer) NewEncoder() *Encoder { return &Encoder{t: t, seen: map[string][]int32{}} }

// Append appends the ids of a text that is UTF-8. goesOn says that it is the rest
// of a text that was cut where Cut says.
func (e *Encoder) Append(ids []int32, text string, goesOn bool) ([]int32, error) {
	var err error
	each(e.t.raw, text, func(at int, part string, token int32) {
		switch {
		case err != nil:
		case token >= 0:
			ids = append(ids, token)
		default:
			ids, err = e.part(ids, part, place{starts: at == 0 && !goesOn, goesOn: at == 0 && goesOn})
		}
	})
	return ids, err
}

// place says where a part of a text stands.
type place struct {
	starts bool // the text
	goesOn bool // a part that was cut
}

// part appends the ids of what has no added token that is found before
// normalizing.
func (e *Encoder) part(ids []int32, text string, p place) ([]int32, error) {
	most := maxGrowth*len(text) + 1<<10
	for _, n := range e.t.normals {
		var ok bool
		if text, ok = n.normalize(text, p.goesOn, most); !ok {
			return ids, fmt.Errorf("the normalizer makes more than %d bytes of a text: want at most %d times as many", most, maxGrowth)
		}
	}
	var err error
	each(e.t.normal, text, func(at int, part string, token int32) {
		switch {
		case err != nil:
		case token >= 0:
			ids = append(ids, token)
		default:
			for _, word := range e.t.words(part, place{p.starts && at == 0, p.goesOn && at == 0}) {
				if ids, err = e.word(ids, word); err != nil {
					return
				}
			}
		}
	})
	return ids, err
}

// words splits a part of a text.
func (t *Tokenizer) words(text string, p place) []string {
	words := []string{text}
	for i, s := range t.splits {
		var next []string
		for k, word := range words {
			at := place{}
			if i == 0 && k == 0 {
				at = p
			}
			next = s.split(next, word, at)
		}
		words = next
	}
	return words
}

func (e *Encoder) word(ids []int32, word string) ([]int32, error) {
	if word == "" {
		return ids, nil
	}
	if known, ok := e.seen[word]; ok {
		return append(ids, known...), nil
	}
	from := len(ids)
	ids, err := e.t.model.append(ids, word)
	if err == nil && len(word) <= maxSeenBytes && len(e.seen) < maxSeen {
		e.seen[strings.Clone(word)] = append([]int32(nil), ids[from:]...)
	}
	return ids, err
}
