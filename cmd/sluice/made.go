package main

import (
	"bytes"
	"io"
	"strings"

	"sluice/data"
	"sluice/datasets"
	"sluice/model"
	"sluice/train"
)

// made are the data of the tasks of sequences that need no file, as they would
// stand in one.
var made = map[string]func(w io.Writer) error{
	"dates":    func(w io.Writer) error { return data.Dates{Seed: madeSeed}.WriteCoNLL(w, 0, madeTrain) },
	"grammars": func(w io.Writer) error { return data.Grammars{Seed: madeSeed}.WriteTSV(w, 0, madeTrain) },
	"seasons":  func(w io.Writer) error { return data.Seasons{Seed: madeSeed}.WriteCSV(w) },
}

// taskData are the data by name that are for other tasks than language models, and
// builtInFor what is built in for each task.
var (
	taskData = map[string]string{
		adding:  model.Regress,
		"dates": model.Tag, "ewt": model.Tag, "wnut17": model.Tag,
		"grammars": model.Classify, "fashion-mnist": model.Classify, "names": model.Classify,
		"seasons": model.Forecast, "airline": model.Forecast, "etth1": model.Forecast,
	}
	builtInFor = map[string]string{model.LM: "lyrics", model.Tag: "dates", model.Classify: "grammars", model.Forecast: "seasons"}
)

// taskOf is the task that data of a name, or a file of them, are for.
func taskOf(name string) string {
	name, _, _ = strings.Cut(name, "/")
	if task, ok := taskData[name]; ok {
		return task
	}
	return model.LM
}

// dataFor is the error of data by name that are none, or not for a task of
// sequences.
func dataFor(task, name string) error {
	if taskOf(name) == task {
		if made[name] != nil {
			return nil
		}
		d, err := datasets.Find(name)
		switch {
		case err != nil:
			return usageError{err}
		case task == model.Forecast && len(d.Files) > 1:
			return severalFiles(name, d)
		}
		return nil
	}
	var fit []string
	known := false
	for _, d := range append(builtIn(), fetched()...) {
		known = known || d.Name == strings.Split(name, "/")[0]
		if taskOf(d.Name) == task {
			fit = append(fit, d.Name)
		}
	}
	if !known {
		return usage("no data %.40q for task %s: there are %s (sluice data lists all names)", name, task, strings.Join(fit, ", "))
	}
	return usage("--data %s: is for task %s: for task %s there are %s", name, taskOf(name), task, strings.Join(fit, ", "))
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
