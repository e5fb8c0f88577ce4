package data

import (
	"testing"
)

func TestSplit(t *testing.T) {
	tests := []struct {
		n, needTrain, needHeld  int
		f                       Fractions
		train, validation, test int
		err                     string
	}{
		{n: 100, train: 100},
		{n: 1115394, f: Fractions{Validation: 0.1}, train: 1003854, validation: 111540}, // nanoGPT's tinyshakespeare
		{n: 100, f: Fractions{0.1, 0.1}, train: 80, validation: 10, test: 10},
		{n: 100, f: Fractions{0.1, 0.2}, train: 70, validation: 10, test: 20},
		{n: 100, f: Fractions{0.05, 0.05}, train: 90, validation: 5, test: 5}, // 1−0.05−0.05 is below 0.9
		{n: 10, f: Fractions{Test: 0.3}, train: 7, test: 3},
		{n: 100, f: Fractions{Validation: 0.1}, needTrain: 90, needHeld: 10, train: 90, validation: 10},
		{n: 100, f: Fractions{Validation: 0.1}, needHeld: 11, err: "data: 100 symbols split into 90 for training, 10 for validation, 0 for test: want at least 0 for training and 11 for each part held out"},
		{n: 100, f: Fractions{Test: 0.1}, needTrain: 91, err: "data: 100 symbols split into 90 for training, 0 for validation, 10 for test: want at least 91 for training and 0 for each part held out"},
		{n: 100, f: Fractions{0.2, 0.1}, needHeld: 11, err: "data: 100 symbols split into 70 for training, 20 for validation, 10 for test: want at least 0 for training and 11 for each part held out"},
		{f: Fractions{Validation: 1}, err: "data: validation fraction 1: want a number in [0, 1)"},
		{f: Fractions{Test: -0.5}, err: "data: test fraction -0.5: want a number in [0, 1)"},
		{f: Fractions{0.5, 0.5}, err: "data: validation fraction 0.5 and test fraction 0.5 leave nothing to train on: want a sum below 1"},
	}
	for _, c := range tests {
		p, err := c.f.Split(make([]int32, c.n), c.needTrain, c.needHeld)
		wantError(t, err, c.err)
		if len(p.Train) != c.train || len(p.Validation) != c.validation || len(p.Test) != c.test {
			t.Errorf("%+v: %d, %d, %d", c, len(p.Train), len(p.Validation), len(p.Test))
		}
	}
}
