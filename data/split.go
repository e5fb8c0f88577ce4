package data

import "fmt"

// Fractions say how much of a text, from its end, is held out: test is the
// last part, validation the one before, training the rest. The zero value
// holds nothing out.
type Fractions struct {
	Validation float64 `json:"validation,omitempty"`
	Test       float64 `json:"test,omitempty"`
}

// Parts are views of the symbols of one text; a part with fraction 0 is empty.
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

// Split cuts ids (N) by position. Training needs needTrain symbols and each
// part held out needHeld (see Batches.Need); a part with fraction 0 may be
// empty.
func (f Fractions) Split(ids []int32, needTrain, needHeld int) (Parts, error) {
	if err := f.Validate(); err != nil {
		return Parts{}, err
	}
	a, b := f.ends(len(ids))
	p := Parts{Train: ids[:a:a], Validation: ids[a:b:b], Test: ids[b:]}
	short := len(p.Train) < needTrain
	short = short || f.Validation > 0 && len(p.Validation) < needHeld
	short = short || f.Test > 0 && len(p.Test) < needHeld
	if short {
		return Parts{}, fmt.Errorf("data: %d symbols split into %d for training, %d for validation, %d for test: want at least %d for training and %d for each part held out",
			len(ids), len(p.Train), len(p.Validation), len(p.Test), needTrain, needHeld)
	}
	return p, nil
}
