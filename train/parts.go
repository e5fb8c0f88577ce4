package train

import (
	"fmt"
	"slices"
	"strings"

	"sluice/data"
)

// divide holds every n-th of all out, counting in each file anew, or with a
// fraction the last ones; place tells the file and line of each. What is for a test
// is cut off at the end.
func divide[E any](all []E, f data.Fractions, place func(E) (string, int)) (train, heldOut, test []E) {
	if f.Lines == 0 {
		a, b := f.Ends(len(all))
		return all[:a:a], all[a:b:b], all[b:]
	}
	_, b := f.Ends(len(all))
	all, test = all[:b:b], all[b:]
	in, before, n := "", 0, 0
	for _, e := range all {
		file, line := place(e)
		if n++; file != in || line <= before { // another file begins
			n = 1
		}
		if in, before = file, line; n%f.Lines == 0 {
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
func (p *Parts[E]) divide(c Config, place func(E) (string, int), labels func(E) []string) {
	f := c.Split
	if p.HeldOut != nil {
		f.Validation, f.Lines = 0, 0
	}
	if p.Test != nil {
		f.Test = 0
	}
	all, heldOut, test := divide(p.Train, f, place)
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

func placeOfSentence(s data.Sentence) (string, int) { return s.File, s.Line }
func placeOfExample(e data.Example) (string, int)   { return e.File, e.Line }

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
		return "", fmt.Errorf("%s: tags to be brought to scheme %s, and they mark no spans in any scheme: want none", filesOf(p.Train, placeOfSentence), to)
	}
	const testPart = 2
	for i, part := range [][]data.Sentence{p.Train, p.HeldOut, p.Test} {
		of := data.DetectScheme(part)
		if of == "" || of == to && (!c.Model.CRF || i == testPart) {
			continue
		}
		for k, s := range part {
			tags, err := data.ConvertTags(s.Tags, of, to)
			if err != nil && of == to {
				err = fmt.Errorf("%w, as a CRF allows no other", err)
			}
			if err != nil {
				return "", fmt.Errorf("%s: %w", s.Place(), err)
			}
			part[k].Tags = tags
		}
	}
	return to, nil
}

// bounded is the error of the first example that no minibatch has room for.
func (x *Examples) bounded(c Config, place func(i int) string) error {
	for i := range x.Train.Len() {
		if n := x.Train.Steps(i); c.Tokens > 0 && n > c.Tokens {
			return fmt.Errorf("%s: a sequence of %d steps: want at most %d, the tokens of a minibatch, or more of these", place(i), n, c.Tokens)
		}
	}
	return nil
}

// filesOf names those that examples are of, in an error of all; "train" if they are
// of none.
func filesOf[E any](all []E, place func(E) (string, int)) string {
	var names []string
	last := ""
	for _, e := range all {
		if file, _ := place(e); file != last && !slices.Contains(names, file) {
			names, last = append(names, file), file
		}
	}
	switch n := len(names); {
	case n == 0:
		return "train"
	case n > 3:
		return fmt.Sprintf("%s and %d more", names[0], n-1)
	}
	return strings.Join(names, ", ")
}

// choice wants labels to choose from.
func choice(files, what string, labels []string) error {
	switch len(labels) {
	case 0:
		return fmt.Errorf("%s: no %ss to learn: want one with each example", files, what)
	case 1:
		return fmt.Errorf("%s: the only %s is %.40q: want two or more to choose from", files, what, labels[0])
	}
	return nil
}
