package model

import (
	"fmt"
	"unicode/utf8"

	"sluice/data"
)

// Names are what the numbers of a model stand for. A task has those that it
// needs, and no others.
type Names struct {
	Vocab      *data.Vocab // of the symbols or words read; nil where numbers are
	Characters *data.Vocab // of the characters of words, where Spec.Chars spells them
	Labels     []string    // (K) tags or classes, in the order of the head's outputs
	Scheme     data.Scheme // of tags
	Series     *Series     // of a forecast
}

// Series are what a forecast is of.
type Series struct {
	Names  []string    `json:"names"` // (C)
	Scaler data.Scaler `json:"scaler"`
	Season int         `json:"season,omitempty"` // steps of a season, for the seasonal naive forecast; 0: none
	Step   data.Step   `json:"step,omitzero"`    // from one row to the next; zero: not known
}

// What bounds names; nothing useful comes near.
const (
	MaxLabels     = 1 << 12 // a score counts each that is taken for each
	MaxSeries     = 1 << 16
	maxLabelBytes = 1 << 10
)

// size is V, 0 without a vocabulary.
func size(v *data.Vocab) int {
	if v == nil {
		return 0
	}
	return v.Size()
}

// ofTokenizer says whether a vocabulary, if there is one, is a tokenizer's, whose
// symbols are parts of words.
func ofTokenizer(v *data.Vocab) bool { return v != nil && v.Kind() == "tokenizer" }

// validate says which name cannot be.
func (n Names) validate() error {
	if len(n.Labels) > MaxLabels {
		return fmt.Errorf("model: %d labels: want at most %d", len(n.Labels), MaxLabels)
	}
	if err := n.Scheme.Validate(); err != nil {
		return err
	}
	if err := distinct("label", n.Labels); err != nil {
		return err
	}
	if s := n.Series; s != nil {
		if err := s.Scaler.Validate(); err != nil {
			return err
		}
		switch {
		case len(s.Names) == 0 || len(s.Names) > MaxSeries:
			return fmt.Errorf("model: %d series: want 1 to %d", len(s.Names), MaxSeries)
		case len(s.Names) != len(s.Scaler.Mean):
			return fmt.Errorf("model: %d series with the scales of %d", len(s.Names), len(s.Scaler.Mean))
		case s.Step.Duration < 0 || s.Step.Months < 0:
			return fmt.Errorf("model: series with a step of %v: want one forward", s.Step)
		case s.Season < 0 || s.Season > MaxHorizon:
			return fmt.Errorf("model: a season of %d steps: want 0 (none) to %d", s.Season, MaxHorizon)
		}
		return distinct("series", s.Names)
	}
	return nil
}

// useless is the error of a name that a task has no use for.
func (n Names) useless(task string) error {
	for _, f := range []struct {
		has  bool
		what string
		use  bool
	}{
		{len(n.Labels) > 0, "labels", task == Tag || task == Classify},
		{n.Scheme != "", "a tag scheme", task == Tag},
		{n.Series != nil, "series", task == Forecast},
	} {
		if f.has && !f.use {
			return fmt.Errorf("model: %s: of no use to task %s", f.what, task)
		}
	}
	return nil
}

// distinct wants names to be words of a bounded length, no two the same.
func distinct(what string, names []string) error {
	seen := make(map[string]bool, len(names))
	for i, name := range names {
		switch {
		case name == "" || len(name) > maxLabelBytes || !utf8.ValidString(name):
			return fmt.Errorf("model: %s %d is %.40q: want 1 to %d bytes of UTF-8", what, i, name, maxLabelBytes)
		case seen[name]:
			return fmt.Errorf("model: %s %.40q twice", what, name)
		}
		seen[name] = true
	}
	return nil
}
