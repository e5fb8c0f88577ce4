package data

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"sluice/data/internal/tokenizer"
)

// Unknown is the symbol that stands for what a vocabulary lacks, where it has
// one. Of a vocabulary that was built it is symbol 0 then.
const Unknown = "<unk>"

// What a vocabulary may hold. A file that holds more is refused, and none is
// built that could not be read back.
const (
	MaxSymbols     = 1 << 20  // symbols of one vocabulary
	MaxSymbolBytes = 1 << 10  // bytes of one symbol
	maxVocabText   = 8 << 20  // bytes of all symbols
	maxVocabJSON   = 64 << 20 // bytes of a vocabulary as JSON; the worst escaping of maxVocabText fits
)

// VocabOptions say what a symbol is and which are kept. The zero value is a
// vocabulary of characters that refuses unknown ones.
type VocabOptions struct {
	Kind     string `json:"kind,omitempty"`      // "char" (zero value), "byte", "word"; "tokenizer" is not built, see TokenizerVocab
	Unknown  string `json:"unknown,omitempty"`   // what an unknown symbol does: "error" (zero value), "skip", "unk"
	MinCount int    `json:"min_count,omitempty"` // keep a symbol that occurs at least so often; 0 means 1
	MaxSize  int    `json:"max_size,omitempty"`  // keep so many symbols at most, <unk> counted; 0 means all, which must not exceed MaxSymbols
}

// Validate says which field cannot be, and what is allowed.
func (o VocabOptions) Validate() error {
	o = o.filled()
	if err := checkPolicy(o.Kind, o.Unknown); err != nil {
		return err
	}
	cuts := o.MinCount > 1 || o.MaxSize > 0
	switch {
	case o.MinCount < 0:
		return fmt.Errorf("data: vocabulary of symbols that occur %d times: want 0 or more", o.MinCount)
	case o.MaxSize < 0 || o.MaxSize > MaxSymbols:
		return fmt.Errorf("data: vocabulary of at most %d symbols: want 0 to %d", o.MaxSize, MaxSymbols)
	case o.MaxSize == 1 && o.Unknown == "unk":
		return fmt.Errorf("data: vocabulary of at most 1 symbol: want 2 or more beside %s", Unknown)
	case cuts && o.Kind == "byte":
		return fmt.Errorf("data: a byte vocabulary has all 256 bytes: want no smallest count and no largest size")
	case cuts && o.Kind == tokens:
		return fmt.Errorf("data: a tokenizer has all its tokens: want no smallest count and no largest size")
	case cuts && o.Unknown == "error":
		return fmt.Errorf(`data: a vocabulary cut by count or size leaves symbols unknown: want the policy skip or unk, not "error"`)
	}
	return nil
}

func (o VocabOptions) filled() VocabOptions {
	o.Kind, o.Unknown = cmp.Or(o.Kind, "char"), cmp.Or(o.Unknown, "error")
	return o
}

func checkPolicy(kind, unknown string) error {
	switch kind {
	case "char", "byte", "word", tokens:
	default:
		return fmt.Errorf("data: vocabulary of kind %s: want char, byte or word", quote(kind))
	}
	switch unknown {
	case "error", "skip", "unk":
	default:
		return fmt.Errorf("data: policy %s for unknown symbols: want error, skip or unk", quote(unknown))
	}
	if kind == "byte" && unknown != "error" {
		return fmt.Errorf("data: policy %q for unknown symbols: a byte vocabulary knows every byte, want error", unknown)
	}
	if kind == tokens && unknown != "error" {
		return fmt.Errorf("data: policy %q for unknown symbols: a tokenizer has its own, want error", unknown)
	}
	return nil
}

// Vocab numbers the symbols of a language from 0. It never changes and may be
// shared.
//
// A symbol of a "char" vocabulary is a code point, or a name in brackets that no
// text has, such as <pad>; of a "byte" vocabulary a byte: all 256, the id is the value. Words are what stands between white
// space (as Unicode has it); a newline is a word of its own, "\n". The symbols of a
// "tokenizer" vocabulary are the tokens of a tokenizer.json, as that writes them.
type Vocab struct {
	kind, unknown string
	symbols       []string // (V)
	ids           map[string]int32
	unknownID     int32                // −1 for none
	ascii         [utf8.RuneSelf]int32 // the ids of characters, −1 for none

	tokenizer *tokenizer.Tokenizer // nil of the other kinds
	source    []byte               // its JSON
}

// BuildVocab makes the vocabulary of a text: most frequent symbol first, equal
// counts in the order of their bytes, which is that of their code points.
// <unk>, where the policy is "unk", comes before them all.
func BuildVocab(text string, o VocabOptions) (*Vocab, error) {
	return ReadVocab(context.Background(), String(text), o)
}

// ReadVocab is BuildVocab of a text of any size. It takes memory for each
// different symbol. For bytes, which are known before, it reads nothing.
func ReadVocab(ctx context.Context, text Source, o VocabOptions) (*Vocab, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	o = o.filled()
	if o.Kind == tokens {
		return nil, errTokens
	}
	if o.Kind == "byte" {
		return NewVocab(o.Kind, o.Unknown, nil)
	}
	c := &counter{tally: newTally(), others: map[rune]int{}}
	count := c.chars
	if o.Kind == "word" {
		count = c.words
	}
	if err := pieces(ctx, text, count); err != nil {
		return nil, err
	}
	if err := c.finish(); err != nil {
		return nil, err
	}
	return c.vocab(o)
}

// counter counts the symbols of a text that comes in pieces.
type counter struct {
	*tally
	scanner
	bytes  int64
	ascii  [utf8.RuneSelf]int // characters; words are in the tally
	others map[rune]int
}

func (c *counter) chars(piece []byte) error {
	if err := c.check(piece); err != nil {
		return err
	}
	for i := 0; i < len(piece); {
		if b := piece[i]; b < utf8.RuneSelf {
			c.ascii[b]++
			i++
			continue
		}
		r, size := utf8.DecodeRune(piece[i:])
		c.others[r]++
		i += size
	}
	c.bytes += int64(len(piece))
	c.done(piece)
	return nil
}

func (c *counter) words(piece []byte) error {
	if err := c.check(piece); err != nil {
		return err
	}
	err := c.scanner.words(piece, func(at int, word []byte) error {
		if c.add(word, 1) {
			return nil
		}
		line, column := c.position(piece, at)
		return tooLong(word, line, column)
	})
	c.bytes += int64(len(piece))
	c.done(piece)
	return err
}

func tooLong(word []byte, line, column int) error {
	return fmt.Errorf("data: word %s at line %d, column %d has more than %d bytes: want at most that", quote(string(word)), line, column, MaxSymbolBytes)
}

// finish counts what is left after the last piece.
func (c *counter) finish() error {
	for b, times := range c.ascii {
		if times > 0 {
			c.add([]byte{byte(b)}, times)
		}
	}
	for r, times := range c.others {
		c.add(utf8.AppendRune(nil, r), times)
	}
	return c.end(func(_ int, word []byte) error {
		if c.add(word, 1) {
			return nil
		}
		return tooLong(word, c.heldLine, c.heldColumn)
	})
}

// vocab is made of the symbols that o keeps.
func (c *counter) vocab(o VocabOptions) (*Vocab, error) {
	least, first := o.MinCount, 0
	if o.MaxSize > 0 {
		least = max(least, c.atLeast(o.MaxSize))
	}
	var order []uint32
	for place := range c.places() {
		if c.times(place) >= least && !(o.Unknown == "unk" && string(c.symbol(place)) == Unknown) {
			order = append(order, place)
		}
	}
	if len(order) == 0 {
		return nil, fmt.Errorf("data: a text of %d bytes gives no symbols to a %s vocabulary: want at least 1", c.bytes, o.Kind)
	}
	if o.Unknown == "unk" {
		first = 1
	}
	if n := first + len(order); o.MaxSize == 0 && n > MaxSymbols {
		return nil, fmt.Errorf("data: vocabulary of %d symbols: want %d to %d", n, first+1, MaxSymbols)
	}
	slices.SortFunc(order, func(a, b uint32) int {
		if d := c.times(b) - c.times(a); d != 0 {
			return d
		}
		return bytes.Compare(c.symbol(a), c.symbol(b))
	})
	if o.MaxSize > 0 {
		order = order[:min(len(order), o.MaxSize-first)]
	}
	symbols := []string{Unknown}[:first]
	for _, place := range order {
		symbols = append(symbols, string(c.symbol(place)))
	}
	return NewVocab(o.Kind, o.Unknown, symbols)
}

// NewVocab takes symbols (V) from a text or a file; a byte vocabulary has none
// to take.
func NewVocab(kind, unknown string, symbols []string) (*Vocab, error) {
	if err := checkPolicy(kind, unknown); err != nil {
		return nil, err
	}
	if kind == tokens {
		return nil, errTokens
	}
	if kind == "byte" {
		if len(symbols) > 0 {
			return nil, fmt.Errorf("data: a byte vocabulary with a list of %d symbols: want none", len(symbols))
		}
		for b := range 256 {
			symbols = append(symbols, string([]byte{byte(b)}))
		}
		return &Vocab{kind: kind, unknown: unknown, symbols: symbols, unknownID: -1}, nil
	}
	unknownID, least, total := int32(-1), 1, 0
	if unknown == "unk" {
		if unknownID = int32(slices.Index(symbols, Unknown)); unknownID < 0 {
			return nil, fmt.Errorf("data: vocabulary without %s: the policy unk wants it", Unknown)
		}
		least = 2
	}
	if n := len(symbols); n < least || n > MaxSymbols {
		return nil, fmt.Errorf("data: vocabulary of %d symbols: want %d to %d", n, least, MaxSymbols)
	}
	for i, s := range symbols {
		if err := checkSymbol(kind, i, s); err != nil {
			return nil, err
		}
	}
	ids := make(map[string]int32, len(symbols)) // after the look at each: a bad list costs nothing
	for i, s := range symbols {
		if j, twice := ids[s]; twice {
			return nil, fmt.Errorf("data: vocabulary: symbol %d, %s, is also symbol %d", i, quote(s), j)
		}
		ids[s] = int32(i)
		total += len(s)
	}
	if total > maxVocabText {
		return nil, fmt.Errorf("data: vocabulary of %d bytes: want at most %d", total, maxVocabText)
	}
	v := &Vocab{kind: kind, unknown: unknown, symbols: symbols, ids: ids, unknownID: unknownID}
	for b := range v.ascii {
		id, ok := ids[string(rune(b))]
		if !ok {
			id = -1
		}
		v.ascii[b] = id
	}
	return v, nil
}

func checkSymbol(kind string, i int, s string) error {
	switch {
	case s == "":
		return fmt.Errorf("data: vocabulary: symbol %d is empty", i)
	case len(s) > MaxSymbolBytes:
		return fmt.Errorf("data: vocabulary: symbol %d has %d bytes: want at most %d", i, len(s), MaxSymbolBytes)
	case kind == "char" && utf8.RuneCountInString(s) != 1 && !bracketed(s):
		return fmt.Errorf("data: vocabulary: symbol %d, %s: want one character", i, quote(s))
	case kind == "word" && s != "\n" && strings.ContainsFunc(s, unicode.IsSpace):
		return fmt.Errorf("data: vocabulary: symbol %d, %s: want a word without white space", i, quote(s))
	}
	return nil
}

// Kind is "char", "byte", "word" or "tokenizer".
func (v *Vocab) Kind() string { return v.kind }

// Policy is what an unknown symbol does: "error", "skip" or "unk". Of a tokenizer it
// is "unk" if that has a token for it; else the tokenizer leaves it out.
func (v *Vocab) Policy() string { return v.unknown }

// Size is V.
func (v *Vocab) Size() int { return len(v.symbols) }

// Symbol is the symbol of an id in [0, V).
func (v *Vocab) Symbol(id int32) string {
	if id < 0 || int(id) >= len(v.symbols) {
		panic(fmt.Sprintf("data: symbol %d of a vocabulary of %d", id, len(v.symbols)))
	}
	return v.symbols[id]
}

// ID is the id of a symbol, if the vocabulary has it.
func (v *Vocab) ID(symbol string) (id int32, ok bool) {
	switch v.kind {
	case "byte":
		if len(symbol) != 1 {
			return 0, false
		}
		return int32(symbol[0]), true
	case tokens:
		return v.tokenizer.ID(symbol)
	}
	id, ok = v.ids[symbol]
	return id, ok
}

// UnknownID is the id of <unk>, if the vocabulary has one: what a generator
// should not write.
func (v *Vocab) UnknownID() (id int32, ok bool) { return v.unknownID, v.unknownID >= 0 }

// quote shows a string in a message on one line, long ones cut.
func quote(s string) string {
	const most = 40
	if len(s) <= most {
		return fmt.Sprintf("%q", s)
	}
	cut := most
	for cut > most-utf8.UTFMax && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return fmt.Sprintf("%q…", s[:cut])
}
