package data

import (
	"strings"
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
		{n: 100, f: Fractions{Validation: 0.1, Test: 0.1}, train: 80, validation: 10, test: 10},
		{n: 100, f: Fractions{Validation: 0.1, Test: 0.2}, train: 70, validation: 10, test: 20},
		{n: 100, f: Fractions{Validation: 0.05, Test: 0.05}, train: 90, validation: 5, test: 5}, // 1−0.05−0.05 is below 0.9
		{n: 10, f: Fractions{Test: 0.3}, train: 7, test: 3},
		{n: 100, f: Fractions{Validation: 0.1}, needTrain: 90, needHeld: 10, train: 90, validation: 10},
		{n: 100, f: Fractions{Validation: 0.1}, needHeld: 11, err: "data: 100 symbols split into 90 for training, 10 for validation, 0 for test: want at least 0 for training and 11 for each part held out"},
		{n: 100, f: Fractions{Test: 0.1}, needTrain: 91, err: "data: 100 symbols split into 90 for training, 0 for validation, 10 for test: want at least 91 for training and 0 for each part held out"},
		{n: 100, f: Fractions{Validation: 0.2, Test: 0.1}, needHeld: 11, err: "data: 100 symbols split into 70 for training, 20 for validation, 10 for test: want at least 0 for training and 11 for each part held out"},
		{f: Fractions{Lines: 1}, err: "data: one line in 1 held out: want 0 (none) or 2 to 1048576"},
		{f: Fractions{Lines: -3}, err: "data: one line in -3 held out: want 0 (none) or 2 to 1048576"},
		{f: Fractions{Lines: 10, Validation: 0.1}, err: "data: validation fraction 0.1 and one line in 10 held out: want one of the two"},
		{f: Fractions{Validation: 1}, err: "data: validation fraction 1: want a number in [0, 1)"},
		{f: Fractions{Test: -0.5}, err: "data: test fraction -0.5: want a number in [0, 1)"},
		{f: Fractions{Validation: 0.5, Test: 0.5}, err: "data: validation fraction 0.5 and test fraction 0.5 leave nothing to train on: want a sum below 1"},
	}
	for _, c := range tests {
		p, err := c.f.Split(t.Context(), nil, NewSymbols(make([]int32, c.n)), c.needTrain, c.needHeld)
		wantError(t, err, c.err)
		if p.Train.Len() != c.train || p.Validation.Len() != c.validation || p.Test.Len() != c.test {
			t.Errorf("%+v: %d, %d, %d", c, p.Train.Len(), p.Validation.Len(), p.Test.Len())
		}
	}
}

func TestSplitLines(t *testing.T) {
	const poems = "床前 明月光\n\n疑是 地上霜\n举头 望明月\n低头 思故乡"
	for _, c := range []struct {
		f                       Fractions
		train, validation, test string
	}{
		{Fractions{Lines: 2}, "床前 明月光\n疑是 地上霜\n低头 思故乡", "\n举头 望明月\n", ""},
		{Fractions{Lines: 3}, "床前 明月光\n\n举头 望明月\n低头 思故乡", "疑是 地上霜\n", ""},
		{Fractions{Lines: 5}, "床前 明月光\n\n疑是 地上霜\n举头 望明月\n", "低头 思故乡", ""},
	} {
		for _, kind := range []string{"char", "byte", "word"} {
			v := build(t, poems, VocabOptions{Kind: kind})
			ids, err := v.Encode(poems)
			if err != nil {
				t.Fatal(err)
			}
			p, err := c.f.Split(t.Context(), v, NewSymbols(ids), 1, 1)
			if err != nil {
				t.Errorf("%+v, %s: %v", c.f, kind, err)
			}
			if train, held := v.Decode(all(t, p.Train)), v.Decode(all(t, p.Validation)); train != c.train || held != c.validation || p.Test.Len() > 0 {
				t.Errorf("%+v, %s: training %q, held out %q, want %q, %q", c.f, kind, train, held, c.train, c.validation)
			}
			if again := v.Decode(ids); again != poems {
				t.Errorf("%+v, %s: the text became %q", c.f, kind, again)
			}
		}
	}
}

// The test part is cut off by position first.
func TestSplitLinesAndTest(t *testing.T) {
	text := strings.Repeat("ab\n", 30)
	v := build(t, text, VocabOptions{})
	ids, _ := v.Encode(text)
	p, err := Fractions{Lines: 10, Test: 0.1}.Split(t.Context(), v, NewSymbols(ids), 72, 6)
	if err != nil || p.Train.Len() != 75 || p.Validation.Len() != 6 || p.Test.Len() != 9 {
		t.Errorf("%d, %d, %d, %v", p.Train.Len(), p.Validation.Len(), p.Test.Len(), err)
	}
	_, err = Fractions{Lines: 10, Test: 0.1}.Split(t.Context(), v, NewSymbols(ids), 72, 7)
	wantError(t, err, "data: 90 symbols split into 75 for training, 6 for validation, 9 for test: want at least 72 for training and 7 for each part held out")
	_, err = Fractions{Lines: 31}.Split(t.Context(), v, NewSymbols(ids), 2, 1)
	wantError(t, err, "data: 90 symbols split into 90 for training, 0 for validation, 0 for test: want at least 2 for training and 1 for each part held out")
}

func TestSplitLinesWithoutNewlines(t *testing.T) {
	for _, kind := range []string{"char", "word"} {
		v := build(t, "a b c", VocabOptions{Kind: kind})
		_, err := Fractions{Lines: 10}.Split(t.Context(), v, NewSymbols([]int32{0, 1, 2}), 1, 1)
		wantError(t, err, "data: one line in 10 held out: the vocabulary has no newline: want one, which cleaning and cuts leave in")
	}
}
