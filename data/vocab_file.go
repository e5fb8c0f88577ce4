package data

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"
)

// padding is the name of the symbol that others number 0 and give none: it fills
// sequences up, and no text has it.
const padding = "<pad>"

// unknowns are the names that others give to what we call Unknown.
var unknowns = []string{Unknown, "<UNK>", "[UNK]"}

// OpenVocab is VocabOf of a file, which has at most 64 MiB.
func OpenVocab(path string) (*Vocab, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fileError(path, "%w", cause(err))
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, fileError(path, "a folder, want a file")
	}
	content, err := io.ReadAll(io.LimitReader(f, maxVocabJSON+1))
	if err != nil {
		return nil, fileError(path, "%w", cause(err))
	}
	return VocabOf(path, content)
}

// VocabOf is the vocabulary in a file of others, by its content: a tokenizer.json
// of Hugging Face (see TokenizerVocab), a JSON object of the ids of symbols, such
// as vocab.json, a JSON list of symbols, or a text of a symbol a line. name is for
// errors. Ids are those of the object, or places in the list or text, from 0, and
// none is left out. It allocates less than 100 times the size of the content.
//
// The vocabulary is of kind "char" if all symbols have one character each, but for
// those in brackets such as <s> or [PAD]; else of kind "word". One of <unk>, <UNK>
// and [UNK] becomes <unk>, and the policy for unknown symbols is "unk"; without
// one it is "error". Symbol 0 may be empty, as Keras has it, or not be there in an
// object whose ids begin with 1: it becomes <pad>.
//
// An error names the line or entry. Parts of words, as a tokenizer has them, are
// refused, as their tokenizer is lacking.
func VocabOf(name string, content []byte) (*Vocab, error) {
	v, err := vocabOf(content)
	if err != nil {
		return nil, fileError(name, "%w", plain(err))
	}
	return v, nil
}

// plain is an error without the name of the package in front, which comes before
// that of a file.
func plain(err error) error {
	if s, ok := strings.CutPrefix(err.Error(), "data: "); ok {
		return errors.New(s)
	}
	return err
}

func vocabOf(content []byte) (*Vocab, error) {
	if len(content) > maxVocabJSON {
		return nil, fmt.Errorf("a vocabulary of more than %d bytes: want at most that", maxVocabJSON)
	}
	content = bytes.TrimPrefix(content, []byte(bom))
	if at := invalid(content); at >= 0 {
		return nil, fmt.Errorf("line %d: byte 0x%02X is not UTF-8%s", 1+bytes.Count(content[:at], []byte("\n")), content[at], maybeUTF16(content))
	}
	var l listed
	var err error
	switch start := bytes.TrimLeft(content, " \t\r\n"); {
	case bytes.HasPrefix(start, []byte("{")) && isTokenizer(start):
		return TokenizerVocab(start)
	case bytes.HasPrefix(start, []byte("{")):
		err = l.object(start)
	case bytes.HasPrefix(start, []byte("[")) && json.Valid(start): // else the first line of a text, [PAD]
		err = l.array(start)
	default:
		err = l.text(content)
	}
	if err != nil {
		return nil, err
	}
	return l.vocab()
}

// NumberedVocab are v symbols that are called by their numbers, as words: of a
// model whose symbols are numbered elsewhere.
func NumberedVocab(v int) (*Vocab, error) {
	if v < 1 || v > MaxSymbols {
		return nil, fmt.Errorf("data: vocabulary of %d symbols: want 1 to %d", v, MaxSymbols)
	}
	symbols := make([]string, v)
	for i := range symbols {
		symbols[i] = strconv.Itoa(i)
	}
	return NewVocab("word", "error", symbols)
}

// listed are the symbols of a file, and what the place of one is called.
type listed struct {
	symbols []string // (V) or more
	place   func(i int) string
}

// add is the next symbol.
func (l *listed) add(symbol string) error {
	if len(l.symbols) == MaxSymbols {
		return fmt.Errorf("more than %d symbols: want at most that", MaxSymbols)
	}
	l.symbols = append(l.symbols, symbol)
	return nil
}

// text has a symbol a line.
func (l *listed) text(content []byte) error {
	l.place = func(i int) string { return fmt.Sprintf("line %d", i+1) }
	l.symbols = make([]string, 0, min(bytes.Count(content, []byte("\n"))+1, MaxSymbols))
	for line := range bytes.Lines(content) {
		line = bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
		if err := l.add(string(line)); err != nil {
			return err
		}
	}
	return nil
}

// array is a JSON list of strings.
func (l *listed) array(content []byte) error {
	l.place = func(i int) string { return fmt.Sprintf("entry %d", i) }
	dec := json.NewDecoder(bytes.NewReader(content))
	if _, err := dec.Token(); err != nil { // the opening bracket
		return notJSON(err)
	}
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return notJSON(err)
		}
		s, ok := t.(string)
		if !ok {
			return fmt.Errorf("entry %d is %s: want a list of strings", len(l.symbols), kindOf(t))
		}
		if err := l.add(s); err != nil {
			return err
		}
	}
	return l.end(dec)
}

// end wants nothing but the last bracket.
func (l *listed) end(dec *json.Decoder) error {
	if _, err := dec.Token(); err != nil {
		return notJSON(err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return errors.New("more after the vocabulary: want one JSON value")
	}
	return nil
}

// object is a JSON object of the ids of symbols.
func (l *listed) object(content []byte) error {
	l.place = func(i int) string { return fmt.Sprintf("id %d", i) }
	dec := json.NewDecoder(bytes.NewReader(content))
	dec.UseNumber()
	if _, err := dec.Token(); err != nil { // the opening brace
		return notJSON(err)
	}
	var ids []int
	least := MaxSymbols
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return notJSON(err)
		}
		if err := l.add(t.(string)); err != nil { // nothing else stands here
			return err
		}
		if t, err = dec.Token(); err != nil {
			return notJSON(err)
		}
		number, _ := t.(json.Number)
		id, err := strconv.Atoi(string(number))
		if err != nil || id < 0 || id >= MaxSymbols {
			return fmt.Errorf("entry %s: want its id, a number from 0 to %d", quote(l.symbols[len(ids)]), MaxSymbols-1)
		}
		ids, least = append(ids, id), min(least, id)
	}
	if err := l.end(dec); err != nil {
		return err
	}
	if least == 1 {
		l.symbols, ids = append(l.symbols, ""), append(ids, 0)
	}
	return l.order(ids)
}

// order puts the symbols in the order of their ids (V), all below V.
func (l *listed) order(ids []int) error {
	ordered, has := make([]string, len(ids)), make([]bool, len(ids))
	for i, id := range ids {
		switch {
		case id >= len(ids):
			return fmt.Errorf("entry %s has id %d of %d symbols: want ids from 0 on, and none left out", quote(l.symbols[i]), id, len(ids))
		case has[id]:
			return fmt.Errorf("entries %s and %s have id %d: want each once", quote(ordered[id]), quote(l.symbols[i]), id)
		}
		ordered[id], has[id] = l.symbols[i], true
	}
	l.symbols = ordered
	return nil
}

// vocab is that of the symbols.
func (l *listed) vocab() (*Vocab, error) {
	if len(l.symbols) == 0 {
		return nil, errors.New("no symbols: want at least one")
	}
	if l.symbols[0] == "" {
		l.symbols[0] = padding
	}
	if i := l.unknown(); i >= 0 {
		l.symbols[i] = Unknown
	}
	kind, parts := "char", 0
	for _, s := range l.symbols {
		if utf8.RuneCountInString(s) != 1 && !bracketed(s) {
			kind = "word"
		}
		if strings.HasPrefix(s, "\u0120") || strings.HasPrefix(s, "\u2581") || strings.HasPrefix(s, "##") {
			parts++
		}
	}
	if parts > 1 && parts >= len(l.symbols)/20 {
		return nil, fmt.Errorf("%d of %d symbols are marked as parts of a text by a tokenizer: want its tokenizer.json", parts, len(l.symbols))
	}
	for i, s := range l.symbols {
		if err := checkSymbol(kind, i, s); err != nil {
			return nil, fmt.Errorf("%s: %w", l.place(i), plain(err))
		}
	}
	seen := make(map[string]int, len(l.symbols)) // after the look at each: a bad list costs nothing
	for i, s := range l.symbols {
		if j, twice := seen[s]; twice {
			return nil, fmt.Errorf("%s: %s is also %s", l.place(i), quote(s), l.place(j))
		}
		seen[s] = i
	}
	policy := "error"
	if _, ok := seen[Unknown]; ok {
		policy = "unk"
	}
	return NewVocab(kind, policy, l.symbols)
}

// unknown is the place of the symbol that becomes Unknown, −1 for none.
func (l *listed) unknown() int {
	for _, name := range unknowns {
		for i, s := range l.symbols {
			if s == name {
				return i
			}
		}
	}
	return -1
}

// bracketed says whether a symbol is one that no text has, such as <pad> or [CLS].
func bracketed(s string) bool {
	n := len(s)
	return n > 2 && (s[0] == '<' && s[n-1] == '>' || s[0] == '[' && s[n-1] == ']')
}
