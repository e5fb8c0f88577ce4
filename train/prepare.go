package train

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"

	"sluice/data"
)

// Text is a text ready to be learned.
type Text struct {
	Corpus  string // the text's name, if it has one
	SHA256  string // of the text after cleaning, in hex; HoldOut makes it that of these digits and its text
	Vocab   *data.Vocab
	Train   data.Symbols
	HeldOut data.Symbols // the validation part; empty if nothing is held out
	Test    data.Symbols // never looked at by Run
}

// Prepare cleans a text, builds the vocabulary of the whole of it, if that is not
// a tokenizer's, and splits it as c.Split says. It is an error if the training part is too short for a
// minibatch, or a part held out for scoring a symbol. The text is read twice, in
// pieces, and its symbols are in a temporary file where they are many: Close
// removes it.
func Prepare(ctx context.Context, c Config, text data.Source) (*Text, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	one, two := hashed{c.Clean.Of(text), sha256.New()}, hashed{c.Clean.Of(text), sha256.New()}
	vocab, err := c.vocabulary(func() (*data.Vocab, error) { return data.ReadVocab(ctx, one, c.Vocab) })
	if err != nil {
		return nil, err
	}
	ids, err := vocab.ReadSymbols(ctx, two)
	if err != nil {
		return nil, err
	}
	sum := two.hash.Sum(nil)
	known := vocab.Kind() == "byte" || c.Tokenizer != nil // without a reading
	if !known && !bytes.Equal(one.hash.Sum(nil), sum) {
		ids.Close()
		return nil, errors.New("train: the text changed between its first reading and its second: want one that stays as it is")
	}
	parts, err := c.Split.Split(ctx, vocab, ids, c.Batches.Need(), 2)
	if err != nil {
		ids.Close()
		return nil, err
	}
	if c.Split.Lines > 0 && c.Split.Test == 0 { // all is copied
		ids.Close()
	}
	return &Text{SHA256: hex.EncodeToString(sum), Vocab: vocab, Train: parts.Train, HeldOut: parts.Validation, Test: parts.Test}, nil
}

// vocabulary is the tokenizer's, or what build makes.
func (c Config) vocabulary(build func() (*data.Vocab, error)) (*data.Vocab, error) {
	switch v := c.Tokenizer; {
	case v == nil:
		return build()
	case v.Kind() != "tokenizer" || c.Vocab.Kind != "tokenizer":
		return nil, fmt.Errorf("train: a vocabulary of kind %q as tokenizer, and of kind %q: want tokenizer for both", v.Kind(), c.Vocab.Kind)
	default:
		return v, nil
	}
}

// Close removes what is in temporary files. Nothing can be read after it.
func (t *Text) Close() error { return errors.Join(t.Train.Close(), t.HeldOut.Close(), t.Test.Close()) }

// HoldOut holds out another text, cleaned alike, in the place of a part of this
// one. Its symbols are those of t's vocabulary.
func (t *Text) HoldOut(ctx context.Context, c Config, text data.Source) error {
	if n := t.HeldOut.Len(); n > 0 {
		return fmt.Errorf("train: a text to hold out beside %d symbols of this one: want one of the two", n)
	}
	c.Clean.MaxChars = 0
	other := hashed{c.Clean.Of(text), sha256.New()}
	io.WriteString(other.hash, t.SHA256)
	ids, err := t.Vocab.ReadSymbols(ctx, other)
	if err != nil {
		return err
	}
	if n := ids.Len(); n < 2 {
		ids.Close()
		return fmt.Errorf("train: a text of %d symbols to hold out: want 2 or more", n)
	}
	t.HeldOut, t.SHA256 = ids, hex.EncodeToString(other.hash.Sum(nil))
	return nil
}

// hashed adds what is read of a text to a hash.
type hashed struct {
	data.Source
	hash hash.Hash
}

// Open reads the text from its start.
func (h hashed) Open() (io.ReadCloser, error) {
	r, err := h.Source.Open()
	if err != nil {
		return nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{io.TeeReader(r, h.hash), r}, nil
}
