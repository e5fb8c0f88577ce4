package train

import (
	"fmt"
	"slices"

	"sluice/data"
)

// divide holds every n-th of all out, counting in each file anew, or with a
// fraction the last ones; line tells the line of each. What is for a test is cut
// off at the end.
func divide[E any](all []E, f data.Fractions, line func(E) int) (train, heldOut, test []E) {
	if f.Lines == 0 {
		a, b := f.Ends(len(all))
		return all[:a:a], all[a:b:b], all[b:]
	}
	_, b := f.Ends(len(all))
	all, test = all[:b:b], all[b:]
	before, n := 0, 0
	for _, e := range all {
		if n++; line(e) <= before { // another file begins
			n = 1
		}
		if before = line(e); n%f.Lines == 0 {
			heldOut = append(heldOut, e)
		} else {
			train = append(train, e)
		}
	}
	return train, heldOut, test
}

// Parts are the examples of a task, as they were read.
type Parts[E any] struct {
	Train   []E
	HeldOut []E // nil: a part of Train, as Config.Split says
	Test    []E // nil: likewise
}

// divide cuts off of Train what is not given to be held out or for a test. An
// example with a label that no other has to train on stays in Train.
func (p *Parts[E]) divide(c Config, line func(E) int, labels func(E) []string) {
	f := c.Split
	if p.HeldOut != nil {
		f.Validation, f.Lines = 0, 0
	}
	if p.Test != nil {
		f.Test = 0
	}
	all, heldOut, test := divide(p.Train, f, line)
	seen := map[string]bool{}
	for _, e := range all {
		for _, label := range labels(e) {
			seen[label] = true
		}
	}
	take := func(part []E) (left []E) {
		for _, e := range part {
			if !slices.ContainsFunc(labels(e), func(l string) bool { return !seen[l] }) {
				left = append(left, e)
				continue
			}
			for _, label := range labels(e) {
				seen[label] = true
			}
			all = append(all, e)
		}
		return left
	}
	heldOut, test = take(heldOut), take(test)
	p.Train = all
	if p.HeldOut == nil {
		p.HeldOut = heldOut
	}
	if p.Test == nil {
		p.Test = test
	}
}

// In is an error of a part, which is wrapped.
type In struct {
	Part Part
	error
}

// Part is a part of the data.
type Part int

// The parts of the data.
const (
	TrainPart Part = iota
	HeldOutPart
	TestPart
)

func (e In) Unwrap() error { return e.error }

// convert brings all tags to a scheme, by default that of what is trained on. A CRF
// learns of no tags that the scheme does not let follow one another.
func convert(c Config, p *Parts[data.Sentence]) (data.Scheme, error) {
	to, from := c.Scheme, data.DetectScheme(p.Train)
	if to == "" {
		to = from
	}
	switch {
	case to == "":
		return "", nil
	case from == "":
		return "", In{TrainPart, fmt.Errorf("train: tags to be brought to scheme %s, and they mark no spans in any scheme: want none", to)}
	}
	for i, part := range [][]data.Sentence{p.Train, p.HeldOut, p.Test} {
		of := data.DetectScheme(part)
		if of == "" || of == to && (!c.Model.CRF || Part(i) == TestPart) {
			continue
		}
		for k, s := range part {
			tags, err := data.ConvertTags(s.Tags, of, to)
			if err != nil && of == to {
				err = fmt.Errorf("%w, as a CRF allows no other", err)
			}
			if err != nil {
				return "", In{Part(i), fmt.Errorf("line %d: %w", s.Line, err)}
			}
			part[k].Tags = tags
		}
	}
	return to, nil
}

// bounded is the error of the first example that no minibatch has room for.
func (x *Examples) bounded(c Config, line func(i int) int) error {
	for i := range x.Train.Len() {
		if n := x.Train.Steps(i); c.Tokens > 0 && n > c.Tokens {
			return In{TrainPart, fmt.Errorf("line %d: a sequence of %d steps: want at most %d, the tokens of a minibatch, or more of these", line(i), n, c.Tokens)}
		}
	}
	return nil
}

// choice wants labels to choose from.
func choice(what string, labels []string) error {
	switch len(labels) {
	case 0:
		return In{TrainPart, fmt.Errorf("train: no %ss to learn: want one with each example", what)}
	case 1:
		return In{TrainPart, fmt.Errorf("train: the only %s is %.40q: want two or more to choose from", what, labels[0])}
	}
	return nil
}
