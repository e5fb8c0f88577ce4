package data

import (
	"context"
	"fmt"
	"slices"
)

// Fractions say how much of a text is held out: test is its last part, validation
// the one before, or lines from all over, training the rest. The zero value holds
// nothing out.
type Fractions struct {
	Validation float64 `json:"validation,omitempty"`
	Test       float64 `json:"test,omitempty"`

	// Lines holds every so many-th line of what is before the test part out for
	// validation, instead of a stretch at its end: for texts whose lines stand
	// for themselves, as poems do. 0: none. The newline at its end is part of a
	// line, so cleaning must keep newlines.
	Lines int `json:"lines,omitempty"`
}

// HoldsOut tells whether there is a validation part.
func (f Fractions) HoldsOut() bool { return f.Validation > 0 || f.Lines > 0 }

// Parts are the symbols of one text; a part that nothing asks for is empty.
type Parts struct {
	Train, Validation, Test Symbols
}

// Validate says which field cannot be, and what is allowed.
func (f Fractions) Validate() error {
	switch {
	case !(f.Validation >= 0 && f.Validation < 1):
		return fmt.Errorf("data: validation fraction %v: want a number in [0, 1)", f.Validation)
	case !(f.Test >= 0 && f.Test < 1):
		return fmt.Errorf("data: test fraction %v: want a number in [0, 1)", f.Test)
	case f.Validation+f.Test >= 1:
		return fmt.Errorf("data: validation fraction %v and test fraction %v leave nothing to train on: want a sum below 1", f.Validation, f.Test)
	case f.Lines < 0 || f.Lines == 1 || f.Lines > maxSide:
		return fmt.Errorf("data: one line in %d held out: want 0 (none) or 2 to %d", f.Lines, maxSide)
	case f.Lines > 0 && f.Validation > 0:
		return fmt.Errorf("data: validation fraction %v and one line in %d held out: want one of the two", f.Validation, f.Lines)
	}
	return nil
}

// Ends are where training and validation end among n.
func (f Fractions) Ends(n int) (train, validation int) {
	at := func(fraction float64) int { // forgives the last digits of 1−0.1−0.2
		return min(n, int(float64(fraction*float64(n))+1e-6))
	}
	return at(1 - f.Validation - f.Test), at(1 - f.Test)
}

// Split cuts ids, symbols of v, into parts: views of ids, but with Lines copies of
// training and validation. Training needs needTrain symbols and each part held out
// needHeld (see Batches.Need); a part that nothing asks for may be empty. With
// Lines it is an error if v has no newline. ctx is looked at between pieces of
// what is copied.
func (f Fractions) Split(ctx context.Context, v *Vocab, ids Symbols, needTrain, needHeld int) (Parts, error) {
	if err := f.Validate(); err != nil {
		return Parts{}, err
	}
	a, b := f.Ends(ids.Len())
	p := Parts{Train: ids.Slice(0, a), Validation: ids.Slice(a, b), Test: ids.Slice(b, ids.Len())}
	if f.Lines > 0 {
		if v.Kind() == tokens {
			return Parts{}, fmt.Errorf("data: one line in %d held out: a tokenizer has no token that ends each line: want a fraction", f.Lines)
		}
		newline, ok := v.ID("\n")
		if !ok {
			return Parts{}, fmt.Errorf("data: one line in %d held out: the vocabulary has no newline: want one, which cleaning and cuts leave in", f.Lines)
		}
		lines := lineSplitter{newline: newline, every: f.Lines, line: 1, parts: [2]*symbolWriter{newSymbolWriter(v.Size()), newSymbolWriter(v.Size())}}
		if err := lines.split(ctx, p.Train); err != nil {
			lines.close()
			return Parts{}, err
		}
		p.Train, p.Validation = lines.parts[0].symbols(), lines.parts[1].symbols()
	}
	short := p.Train.Len() < needTrain
	short = short || f.HoldsOut() && p.Validation.Len() < needHeld
	short = short || f.Test > 0 && p.Test.Len() < needHeld
	if !short {
		return p, nil
	}
	if f.Lines > 0 {
		p.Train.Close()
		p.Validation.Close()
	}
	return Parts{}, fmt.Errorf("data: %d symbols split into %d for training, %d for validation, %d for test: want at least %d for training and %d for each part held out",
		ids.Len(), p.Train.Len(), p.Validation.Len(), p.Test.Len(), needTrain, needHeld)
}

// lineSplitter copies lines to train, every so many-th to held.
type lineSplitter struct {
	newline     int32
	every, line int // the line at work, from 1
	parts       [2]*symbolWriter
}

func (l *lineSplitter) split(ctx context.Context, ids Symbols) error {
	const piece = 1 << 16
	buf := make([]int32, min(piece, ids.Len()))
	var copies [2][]int32
	for at := 0; at < ids.Len(); at += len(buf) {
		if err := ctx.Err(); err != nil {
			return err
		}
		left, err := ids.window(buf, at, min(len(buf), ids.Len()-at))
		if err != nil {
			return err
		}
		for len(left) > 0 {
			part, end := 0, slices.Index(left, l.newline)+1
			if l.line%l.every == 0 {
				part = 1
			}
			if end > 0 {
				l.line++
			} else { // it goes on
				end = len(left)
			}
			copies[part] = append(copies[part], left[:end]...)
			left = left[end:]
		}
		for i, w := range l.parts {
			if err := w.write(copies[i]); err != nil {
				return err
			}
			copies[i] = copies[i][:0]
		}
	}
	return nil
}

func (l *lineSplitter) close() {
	for _, w := range l.parts {
		w.close()
	}
}
