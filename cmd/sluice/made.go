package main

import (
	"bytes"
	"io"

	"sluice/data"
	"sluice/train"
)

// made are the data of the tasks of sequences that need no file, as they would
// stand in one.
var made = map[string]func(w io.Writer) error{
	"dates":    func(w io.Writer) error { return data.Dates{Seed: madeSeed}.WriteCoNLL(w, 0, madeTrain) },
	"grammars": func(w io.Writer) error { return data.Grammars{Seed: madeSeed}.WriteTSV(w, 0, madeTrain) },
	"seasons":  func(w io.Writer) error { return data.Seasons{Seed: madeSeed}.WriteCSV(w) },
}

// Of what is made so many examples are trained on, and as many as these held out
// and for a test.
const (
	madeSeed  = 1
	madeTrain = 4000
	madeOther = 500
)

// madeParts are the examples of a generator.
func madeParts[E any](example func(i uint64) E) (p train.Parts[E]) {
	for i := range uint64(madeTrain + 2*madeOther) {
		into := &p.Train
		switch {
		case i >= madeTrain+madeOther:
			into = &p.Test
		case i >= madeTrain:
			into = &p.HeldOut
		}
		*into = append(*into, example(i))
	}
	return p
}

func datesParts() train.Parts[data.Sentence] {
	return madeParts(func(i uint64) data.Sentence {
		words, tags := data.Dates{Seed: madeSeed}.Sentence(i)
		return data.Sentence{Words: words, Tags: tags, Line: int(i) + 1}
	})
}

func grammarsParts() train.Parts[data.Example] {
	return madeParts(func(i uint64) data.Example {
		text, label := data.Grammars{Seed: madeSeed}.Example(i)
		return data.Example{Text: text, Label: label, Line: int(i) + 1}
	})
}

// seasonsWeek is the longest season of what Seasons makes.
const seasonsWeek = 7 * 24

func seasonsSeries() (*data.Series, error) {
	var file bytes.Buffer
	if err := made["seasons"](&file); err != nil {
		return nil, err
	}
	return data.ReadSeries("seasons.csv", &file, data.SeriesTable{})
}
