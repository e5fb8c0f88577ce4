package train

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"sluice/data"
)

// Text is a text ready to be learned.
type Text struct {
	Corpus  string // the text's name, if it has one
	SHA256  string // of the text after cleaning, in hex; HoldOut makes it that of these digits and its text
	Vocab   *data.Vocab
	Train   []int32
	HeldOut []int32 // the validation part; empty if nothing is held out
	Test    []int32 // never looked at by Run
}

// Prepare cleans a text, builds the vocabulary of the whole of it and splits it
// as c.Split says. It is an error if the training part is too short for a
// minibatch, or a part held out for scoring a symbol.
func Prepare(c Config, text string) (*Text, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	text, err := c.Clean.Apply(text)
	if err != nil {
		return nil, err
	}
	vocab, err := data.BuildVocab(text, c.Vocab)
	if err != nil {
		return nil, err
	}
	ids, err := vocab.Encode(text)
	if err != nil {
		return nil, err
	}
	parts, err := c.Split.Split(vocab, ids, c.Batches.Need(), 2)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(text))
	return &Text{
		SHA256: hex.EncodeToString(sum[:]), Vocab: vocab,
		Train: parts.Train, HeldOut: parts.Validation, Test: parts.Test,
	}, nil
}

// HoldOut holds out another text, cleaned alike, in the place of a part of this
// one. Its symbols are those of t's vocabulary.
func (t *Text) HoldOut(c Config, text string) error {
	if len(t.HeldOut) > 0 {
		return fmt.Errorf("train: a text to hold out beside %d symbols of this one: want one of the two", len(t.HeldOut))
	}
	c.Clean.MaxChars = 0
	text, err := c.Clean.Apply(text)
	if err != nil {
		return err
	}
	ids, err := t.Vocab.Encode(text)
	if err != nil {
		return err
	}
	if len(ids) < 2 {
		return fmt.Errorf("train: a text of %d symbols to hold out: want 2 or more", len(ids))
	}
	sum := sha256.Sum256([]byte(t.SHA256 + text))
	t.HeldOut, t.SHA256 = ids, hex.EncodeToString(sum[:])
	return nil
}
