package data

import (
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
	Train, Validation, Test []int32 // (N) each
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

// ends are where training and validation end among n.
func (f Fractions) ends(n int) (train, validation int) {
	at := func(fraction float64) int { // forgives the last digits of 1−0.1−0.2
		return min(n, int(float64(fraction*float64(n))+1e-6))
	}
	return at(1 - f.Validation - f.Test), at(1 - f.Test)
}

// Split cuts ids (N), symbols of v, into parts: views of ids, but with Lines
// copies. Training needs needTrain symbols and each part held out
// needHeld (see Batches.Need); a part that nothing asks for may be empty. With
// Lines it is an error if v has no newline.
func (f Fractions) Split(v *Vocab, ids []int32, needTrain, needHeld int) (Parts, error) {
	if err := f.Validate(); err != nil {
		return Parts{}, err
	}
	a, b := f.ends(len(ids))
	p := Parts{Train: ids[:a:a], Validation: ids[a:b:b], Test: ids[b:]}
	if f.Lines > 0 {
		newline, ok := v.ID("\n")
		if !ok {
			return Parts{}, fmt.Errorf("data: one line in %d held out: the vocabulary has no newline: want one, which cleaning and cuts leave in", f.Lines)
		}
		p.Train, p.Validation = splitLines(p.Train, newline, f.Lines)
	}
	short := len(p.Train) < needTrain
	short = short || f.HoldsOut() && len(p.Validation) < needHeld
	short = short || f.Test > 0 && len(p.Test) < needHeld
	if short {
		return Parts{}, fmt.Errorf("data: %d symbols split into %d for training, %d for validation, %d for test: want at least %d for training and %d for each part held out",
			len(ids), len(p.Train), len(p.Validation), len(p.Test), needTrain, needHeld)
	}
	return p, nil
}

// splitLines copies every nth line of ids to held and the others to train.
func splitLines(ids []int32, newline int32, n int) (train, held []int32) {
	train = make([]int32, 0, len(ids))
	for line := 1; len(ids) > 0; line++ {
		end := slices.Index(ids, newline) + 1
		if end == 0 {
			end = len(ids)
		}
		if line%n == 0 {
			held = append(held, ids[:end]...)
		} else {
			train = append(train, ids[:end]...)
		}
		ids = ids[end:]
	}
	return train, held
}
