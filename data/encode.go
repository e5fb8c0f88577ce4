package data

import (
	"context"
	"fmt"
	"unicode/utf8"

	"sluice/data/internal/tokenizer"
)

// Encode is EncodeAppend to a new slice.
func (v *Vocab) Encode(text string) ([]int32, error) {
	n := len(text)
	switch v.kind {
	case "char":
		n = utf8.RuneCountInString(text)
	case "word", tokens:
		n /= 4
	}
	ids, err := v.EncodeAppend(make([]int32, 0, n), text)
	if err != nil {
		return nil, err
	}
	return ids, nil
}

// EncodeAppend appends the ids of text to ids. An unknown symbol is left out,
// becomes <unk> or is an error, as the vocabulary's policy says; text that is
// not UTF-8 is an error unless symbols are bytes. After an error ids is as it
// was.
func (v *Vocab) EncodeAppend(ids []int32, text string) ([]int32, error) {
	e := encoder{v: v}
	all, err := e.piece(ids, []byte(text))
	if err == nil {
		all, err = e.finish(all)
	}
	if err != nil {
		return ids, err
	}
	return all, nil
}

// ReadSymbols is Encode of a text of any size. Many symbols are kept in a
// temporary file until they are closed.
func (v *Vocab) ReadSymbols(ctx context.Context, text Source) (Symbols, error) {
	e, w := encoder{v: v}, newSymbolWriter(v.Size())
	var ids []int32
	err := pieces(ctx, text, func(piece []byte) (err error) {
		if ids, err = e.piece(ids[:0], piece); err != nil {
			return err
		}
		return w.write(ids)
	})
	if err == nil {
		ids, err = e.finish(ids[:0])
	}
	if err == nil {
		err = w.write(ids)
	}
	if err != nil {
		w.close()
		return Symbols{}, err
	}
	return w.symbols(), nil
}

// encoder numbers the symbols of a text that comes in pieces.
type encoder struct {
	v *Vocab
	scanner

	tokenizer *tokenizer.Encoder
	text      []byte // that waits for a tokenizer
	goesOn    bool   // it is the rest of a text
}

// piece appends the ids of the symbols that end in the piece.
func (e *encoder) piece(ids []int32, piece []byte) ([]int32, error) {
	if e.v.kind == "byte" {
		for _, b := range piece {
			ids = append(ids, int32(b))
		}
		return ids, nil
	}
	err := e.check(piece)
	switch {
	case err != nil:
	case e.v.kind == tokens:
		ids, err = e.tokens(ids, piece, false)
	case e.v.kind == "char":
		ids, err = e.chars(ids, piece)
	default:
		err = e.words(piece, func(at int, word []byte) (err error) {
			ids, err = e.add(ids, piece, at, word)
			return err
		})
	}
	e.done(piece)
	return ids, err
}

func (e *encoder) chars(ids []int32, piece []byte) (_ []int32, err error) {
	for i := 0; i < len(piece); {
		b, size := piece[i], 1
		if b < utf8.RuneSelf && e.v.ascii[b] >= 0 {
			ids = append(ids, e.v.ascii[b])
			i++
			continue
		}
		if b >= utf8.RuneSelf {
			_, size = utf8.DecodeRune(piece[i:])
		}
		if ids, err = e.add(ids, piece, i, piece[i:i+size]); err != nil {
			return ids, err
		}
		i += size
	}
	return ids, nil
}

// add appends the id of the symbol at a byte of the piece.
func (e *encoder) add(ids []int32, piece []byte, at int, symbol []byte) ([]int32, error) {
	id, ok := e.v.ids[string(symbol)]
	switch {
	case ok:
		ids = append(ids, id)
	case e.v.unknown == "unk":
		ids = append(ids, e.v.unknownID)
	case e.v.unknown == "error":
		line, column := e.position(piece, at)
		return ids, e.v.unknownError(string(symbol), line, column)
	}
	return ids, nil
}

// finish appends the id of what is left after the last piece.
func (e *encoder) finish(ids []int32) ([]int32, error) {
	if e.v.kind == tokens {
		return e.tokens(ids, nil, true)
	}
	err := e.end(func(at int, word []byte) (err error) {
		ids, err = e.add(ids, nil, at, word)
		return err
	})
	return ids, err
}

func (v *Vocab) unknownError(s string, line, column int) error {
	if v.kind == "word" {
		return fmt.Errorf("data: word %s at line %d, column %d is not among the %d of the vocabulary", quote(s), line, column, v.Size())
	}
	r, _ := utf8.DecodeRuneInString(s)
	return fmt.Errorf("data: character %q (%U) at line %d, column %d is not among the %d of the vocabulary", s, r, line, column, v.Size())
}

// invalid is where the first byte stands that is not UTF-8, −1 for none.
func invalid(text []byte) int {
	if utf8.Valid(text) {
		return -1
	}
	for i := 0; ; {
		r, size := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
}

// AppendSymbol appends the bytes of one symbol, id in [0, V), without what
// would stand between words.
func (v *Vocab) AppendSymbol(dst []byte, id int32) []byte { return append(dst, v.Symbol(id)...) }

// Decode is the text of ids, each in [0, V): characters and bytes as they are,
// words with one space between two on a line, so that of a text's white space
// only the newlines come back as they were; tokens as the tokenizer does. Bytes may
// be no UTF-8; of tokens that are bytes, a run that is not wholly UTF-8 keeps its
// valid characters, where the library tokenizers makes U+FFFD of each byte.
func (v *Vocab) Decode(ids []int32) string {
	var b []byte
	if v.kind == tokens {
		d := v.tokenizer.NewDecoder()
		for _, id := range ids {
			b = d.Append(b, id)
		}
		return string(b)
	}
	prev := int32(-1)
	for _, id := range ids {
		b = v.AppendSymbol(v.appendGap(b, prev, id), id)
		prev = id
	}
	return string(b)
}

// appendGap appends what stands between two symbols; prev is −1 at the start.
func (v *Vocab) appendGap(dst []byte, prev, id int32) []byte {
	if v.kind == "word" && prev >= 0 && v.Symbol(prev) != "\n" && v.Symbol(id) != "\n" {
		return append(dst, ' ')
	}
	return dst
}

// Decoder turns ids into text one at a time for a person to read as they come:
// it puts spaces between words and holds back the bytes of a character until
// they are complete.
type Decoder struct {
	v         *Vocab
	prev      int32 // −1 at the start
	held      []byte
	tokenizer *tokenizer.Decoder // nil of other kinds
}

// NewDecoder starts after the text of context (N), which may be nil: a word
// that follows a word of the context gets its space.
func (v *Vocab) NewDecoder(context []int32) *Decoder {
	d := &Decoder{v: v, prev: -1, held: make([]byte, 0, utf8.UTFMax)}
	if v.kind == tokens {
		d.tokenizer = v.tokenizer.NewDecoder()
	}
	var dropped []byte
	for _, id := range context {
		dropped = d.Append(dropped[:0], id)
	}
	return d
}

// Append appends the text that id, in [0, V), completes: always valid UTF-8.
// A byte that can be part of no character becomes U+FFFD.
func (d *Decoder) Append(dst []byte, id int32) []byte {
	switch d.v.kind {
	case "byte":
		d.held = d.v.AppendSymbol(d.held, id)
	case tokens:
		d.v.Symbol(id) // panics where there is none
		d.held = d.tokenizer.Append(d.held, id)
	default:
		dst = d.v.AppendSymbol(d.v.appendGap(dst, d.prev, id), id)
		d.prev = id
		return dst
	}
	for len(d.held) > 0 && utf8.FullRune(d.held) {
		dst = d.release(dst)
	}
	return dst
}

// Flush appends U+FFFD for each byte still held back: a character that never
// came to its end.
func (d *Decoder) Flush(dst []byte) []byte {
	for len(d.held) > 0 {
		dst = d.release(dst)
	}
	return dst
}

func (d *Decoder) release(dst []byte) []byte {
	r, size := utf8.DecodeRune(d.held)
	d.held = append(d.held[:0], d.held[size:]...)
	return utf8.AppendRune(dst, r)
}
