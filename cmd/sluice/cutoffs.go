package main

import (
	"strconv"
	"strings"

	"sluice/nn"
	"sluice/train"
)

// cutoffsFlag is N,N,…, or auto, which are those of nn for the vocabulary, or
// none.
type cutoffsFlag struct {
	at   []int
	auto bool
}

// UnmarshalText reads the flag's value.
func (f *cutoffsFlag) UnmarshalText(text []byte) error {
	*f = cutoffsFlag{}
	switch string(text) {
	case "none":
		return nil
	case "auto":
		f.auto = true
		return nil
	}
	for part := range strings.SplitSeq(string(text), ",") {
		n, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil {
			return usage("%q: want numbers such as 2000,10000, or auto or none", string(text))
		}
		f.at = append(f.at, n)
	}
	return nil
}

// option binds the flag to the field of a Spec. Its value can be compared and
// stands in a run file.
func (f *cutoffsFlag) option(field *[]int) option {
	return option{
		name: "cutoffs", given: f != nil,
		take: func() {
			if f != nil {
				*field = f.at
			}
		},
		value: func() any {
			switch {
			case len(*field) > 0:
				return numbers(*field)
			case f != nil && f.auto:
				return "auto"
			}
			return "none"
		},
	}
}

// choose sets what auto means for a vocabulary of v symbols.
func (f *cutoffsFlag) choose(c *train.Config, v int) error {
	if f == nil || !f.auto {
		return nil
	}
	c.Model.Cutoffs = nn.AdaptiveCutoffs(v)
	return c.Validate()
}

// numbers are as the flag reads them.
func numbers(all []int) string {
	var parts []string
	for _, n := range all {
		parts = append(parts, strconv.Itoa(n))
	}
	return strings.Join(parts, ",")
}
