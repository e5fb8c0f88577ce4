package data

import (
	"fmt"
	"unicode/utf8"
)

// Encode is EncodeAppend to a new slice.
func (v *Vocab) Encode(text string) ([]int32, error) {
	n := len(text)
	switch v.kind {
	case "char":
		n = utf8.RuneCountInString(text)
	case "word":
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
	if v.kind == "byte" {
		for i := range len(text) {
			ids = append(ids, int32(text[i]))
		}
		return ids, nil
	}
	if err := checkUTF8(text); err != nil {
		return ids, err
	}
	n := len(ids)
	for at, s := range split(v.kind, text) {
		id, ok := v.ids[s]
		switch {
		case ok || v.unknown == "unk": // the id of <unk> is 0
			ids = append(ids, id)
		case v.unknown == "error":
			return ids[:n], v.unknownError(text, at, s)
		}
	}
	return ids, nil
}

func (v *Vocab) unknownError(text string, at int, s string) error {
	line, column := position(text, at)
	if v.kind == "word" {
		return fmt.Errorf("data: word %s at line %d, column %d is not among the %d of the vocabulary", quote(s), line, column, v.Size())
	}
	r, _ := utf8.DecodeRuneInString(s)
	return fmt.Errorf("data: character %q (%U) at line %d, column %d is not among the %d of the vocabulary", s, r, line, column, v.Size())
}

func checkUTF8(text string) error {
	at := invalid(text)
	if at < 0 {
		return nil
	}
	line, column := position(text, at)
	return fmt.Errorf("data: byte 0x%02X at line %d, column %d is not UTF-8", text[at], line, column)
}

// invalid is where the first byte stands that is not UTF-8, −1 for none.
func invalid(text string) int {
	if utf8.ValidString(text) {
		return -1
	}
	for i, r := range text {
		if r != utf8.RuneError {
			continue
		}
		if _, size := utf8.DecodeRuneInString(text[i:]); size == 1 {
			return i
		}
	}
	return -1
}

// AppendSymbol appends the bytes of one symbol, id in [0, V), without what
// would stand between words.
func (v *Vocab) AppendSymbol(dst []byte, id int32) []byte { return append(dst, v.Symbol(id)...) }

// Decode is the text of ids, each in [0, V): characters and bytes as they are,
// words with one space between two on a line, so that of a text's white space
// only the newlines come back as they were. Bytes may be no UTF-8.
func (v *Vocab) Decode(ids []int32) string {
	var b []byte
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
	v    *Vocab
	prev int32 // −1 at the start
	held []byte
}

// NewDecoder starts after the text of context (N), which may be nil: a word
// that follows a word of the context gets its space.
func (v *Vocab) NewDecoder(context []int32) *Decoder {
	d := &Decoder{v: v, prev: -1, held: make([]byte, 0, utf8.UTFMax)}
	var dropped []byte
	for _, id := range context {
		dropped = d.Append(dropped[:0], id)
	}
	return d
}

// Append appends the text that id, in [0, V), completes: always valid UTF-8.
// A byte that can be part of no character becomes U+FFFD.
func (d *Decoder) Append(dst []byte, id int32) []byte {
	if d.v.kind != "byte" {
		dst = d.v.AppendSymbol(d.v.appendGap(dst, d.prev, id), id)
		d.prev = id
		return dst
	}
	d.held = d.v.AppendSymbol(d.held, id)
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
