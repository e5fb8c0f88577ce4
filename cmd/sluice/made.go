package main

import (
	"bytes"
	"io"
	"strings"

	"sluice/data"
	"sluice/datasets"
	"sluice/model"
)

// madeFile is a file of data that is made when it is read.
type madeFile struct {
	datasets.File
	write func(w io.Writer) error
}

// Of what is made so many examples are trained on, and as many as these held out
// and for a test.
const (
	madeSeed  = 1
	madeTrain = 4000
	madeOther = 500
)

// made are the data of the tasks of sequences that need no file.
var made = map[string][]madeFile{
	"dates":    divided(".conll", data.Dates{Seed: madeSeed}.WriteCoNLL),
	"grammars": divided(".tsv", data.Grammars{Seed: madeSeed}.WriteTSV),
	"seasons":  {{datasets.File{Name: "seasons.csv"}, data.Seasons{Seed: madeSeed}.WriteCSV}},
}

// divided are the files of a generator, one for each part.
func divided(suffix string, write func(w io.Writer, first uint64, n int) error) (files []madeFile) {
	first := 0
	for _, part := range []struct {
		name string
		n    int
	}{{"train", madeTrain}, {"dev", madeOther}, {"test", madeOther}} {
		from := uint64(first)
		files = append(files, madeFile{
			datasets.File{Name: part.name + suffix, Part: part.name},
			func(w io.Writer) error { return write(w, from, part.n) },
		})
		first += part.n
	}
	return files
}

// filesOf are the files of what is made that a name means: all, or the one whose name
// follows.
func filesOf(name string) (files []madeFile, err error) {
	set, one, some := strings.Cut(name, "/")
	var all []string
	for _, f := range made[set] {
		if all = append(all, f.Name); !some || one == f.Name {
			files = append(files, f)
		}
	}
	if files == nil {
		return nil, usage("no data %.40q: %s has %s", name, set, strings.Join(all, ", "))
	}
	return files, nil
}

// madePath is what the names of files begin with that are made.
const madePath = "built-in/"

// madeOf is the file of a path that is made, nil of any other path.
func madeOf(path string) *madeFile {
	name, ok := strings.CutPrefix(path, madePath)
	set, file, _ := strings.Cut(name, "/")
	for _, f := range made[set] {
		if ok && f.Name == file {
			return &f
		}
	}
	return nil
}

// open makes it.
func (f madeFile) open() io.Reader {
	var b bytes.Buffer
	f.write(&b) // which gives no error
	return &b
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

// setOf is the name of the data that a name, or that of a file of them, means.
func setOf(name string) string {
	set, _, _ := strings.Cut(name, "/")
	return set
}

// taskOf is the task that data of a name, or a file of them, are for.
func taskOf(name string) string {
	if task, ok := taskData[setOf(name)]; ok {
		return task
	}
	return model.LM
}

// dataOf finds the files of data by name for a task of sequences, and fetches what
// is not here.
func (e *env) dataOf(task, name string) (files []datasets.File, paths []string, err error) {
	if err := dataFor(task, name); err != nil {
		return nil, nil, err
	}
	if set := setOf(name); made[set] != nil {
		of, err := filesOf(name)
		for _, f := range of {
			files, paths = append(files, f.File), append(paths, madePath+set+"/"+f.Name)
		}
		return files, paths, err
	}
	d, err := datasets.Find(name)
	switch {
	case err != nil:
		return nil, nil, usageError{err}
	case task == model.Forecast && len(d.Files) > 1:
		return nil, nil, severalFiles(name, d)
	}
	paths, err = e.get(d)
	return d.Files, paths, err
}

// dataFor is the error of data by name that are none, or not for a task.
func dataFor(task, name string) error {
	if taskOf(name) == task {
		return nil
	}
	var fit []string
	known := false
	for _, d := range append(builtIn(), fetched()...) {
		known = known || d.Name == setOf(name)
		if taskOf(d.Name) == task {
			fit = append(fit, d.Name)
		}
	}
	if !known {
		return usage("no data %.40q for task %s: there are %s (sluice data lists all names)", name, task, strings.Join(fit, ", "))
	}
	return usage("--data %s: is for task %s: for task %s there are %s", name, taskOf(name), task, strings.Join(fit, ", "))
}
