package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"sluice/data"
	"sluice/datasets"
	"sluice/model"
	"sluice/train"
)

// sets are what a task of sequences has.
type sets struct {
	*train.Examples
	test   model.Examples // nil: none
	series *data.Series   // of a forecast
	ends   [3]int         // of its parts
}

// prepareSequences reads what a task of sequences learns from.
func (c *trainCmd) prepareSequences(e *env, j *job, files []string) (err error) {
	if err := actWith([]condition{
		{"prefix", len(c.RunFlags.Prefix) > 0, false, "a text"},
		{"vectors", c.Vectors != "", j.config.Model.Task == model.Tag, "task tag"},
	}); err != nil {
		return err
	}
	f, err := c.parts(e, j.config.Model.Task, files)
	if err != nil {
		return err
	}
	own := f.train == nil && j.config.Model.Task != model.Forecast // parts of what is made
	if j.source = f.source; own || f.heldOut != nil {
		j.config.Split.Validation, j.config.Split.Lines = 0, 0
	}
	if f.test != nil {
		j.config.Split.Test = 0
	}
	switch j.config.Model.Task {
	case model.Tag:
		j.sets, err = c.sentences(e, &j.config, f)
	case model.Classify:
		j.sets, err = c.labelled(e, &j.config, f)
	case model.Forecast:
		j.sets, err = c.series(e, &j.config, f)
	}
	if err != nil {
		return err
	}
	j.data, j.sets.Corpus = j.sets.Examples, j.source.corpus
	return fits(j.config, j.sets.Names, j.sets.tokens(j.config))
}

// tokens is how many steps × rows a minibatch has at most.
func (s *sets) tokens(c train.Config) int {
	longest := 0
	for i := range s.Train.Len() {
		longest = max(longest, s.Train.Steps(i))
	}
	n := longest * c.Batches.Batch
	if c.Tokens > 0 {
		n = min(n, max(longest, c.Tokens))
	}
	if c.Model.Forecast.Segment > 0 {
		n *= len(s.Names.Series.Names)
	}
	return n
}

// partFiles are the files of a task, by their use.
type partFiles struct {
	source
	train, heldOut, test []string
}

// parts finds the files.
func (c *trainCmd) parts(e *env, task string, files []string) (f partFiles, err error) {
	if c.HeldOut != "" {
		f.heldOut = []string{c.HeldOut}
	}
	if c.TestOn != "" {
		f.test = []string{c.TestOn}
	}
	if task == model.Forecast && (c.HeldOut != "" || c.TestOn != "") {
		return f, usage("--held-out and --test-on: of a series a part is held out: want --validation and --test")
	}
	if len(files) > 0 {
		f.train, f.source = files, sourceOf(files)
		return f, nil
	}
	name := cmp.Or(c.Data, builtInFor[task])
	if err := dataFor(task, name); err != nil {
		return f, err
	}
	f.source = source{name: safe(name), shown: name, corpus: name}
	if made[name] != nil {
		return f, c.ownParts(task != model.Forecast, task != model.Forecast)
	}
	d, err := datasets.Find(name)
	if err != nil {
		return f, err
	}
	paths, err := e.get(d)
	if err != nil {
		return f, err
	}
	f.heldOut, f.test = nil, nil
	for i, path := range paths {
		switch d.Files[i].Part {
		case "dev":
			f.heldOut = append(f.heldOut, path)
		case "test":
			f.test = append(f.test, path)
		default:
			f.train = append(f.train, path)
		}
	}
	if len(f.train) == 0 { // one file was named
		f.train, f.heldOut, f.test = paths, nil, nil
	}
	if err := c.ownParts(f.heldOut != nil, f.test != nil); err != nil {
		return f, err
	}
	if c.HeldOut != "" {
		f.heldOut = []string{c.HeldOut}
	}
	if c.TestOn != "" {
		f.test = []string{c.TestOn}
	}
	return f, nil
}

// ownParts is the error of flags that would divide data that is divided already.
func (c *trainCmd) ownParts(heldOut, test bool) error {
	t := c.TextFlags
	return actWith([]condition{
		{"lines", t.Lines != nil && *t.Lines > 0, !heldOut, "data that has no part to hold out of its own"},
		{"validation", t.Validation != nil && *t.Validation > 0, !heldOut, "data that has no part to hold out of its own"},
		{"test", t.Test != nil && *t.Test > 0, !test, "data that has no part for a test of its own"},
	})
}

// sourceOf is what is said of files.
func sourceOf(files []string) source {
	s := source{name: "stdin", files: files}
	if files[0] != "-" {
		s.name = safe(files[0])
	}
	var shown []string
	for _, name := range files {
		shown = append(shown, shownInput(name))
	}
	s.shown = strings.Join(shown, ", ")
	return s
}

// sentences prepares a tagger's data.
func (c *trainCmd) sentences(e *env, config *train.Config, f partFiles) (s *sets, err error) {
	var p train.Parts[data.Sentence]
	if f.train == nil {
		p = datesParts()
	}
	columns := func(string) data.Columns { return config.Columns }
	if err = readParts(f, &p, func(files []string) ([]data.Sentence, error) { return readSentences(e, files, columns) }); err != nil {
		return nil, err
	}
	if n := p.Train[0].TagColumn; n > 0 && config.Columns.Tag == "" { // files to tag may have fewer columns
		config.Columns.Tag = strconv.Itoa(n)
	}
	vectors, err := c.vectors(e, config)
	if err != nil {
		return nil, err
	}
	x, err := train.PrepareTags(*config, &p, vectors)
	if err != nil {
		return nil, f.name(err)
	}
	s = &sets{Examples: x}
	if len(p.Test) > 0 {
		if s.test, err = model.NewSentences(config.Model, x.Names, p.Test, true); err != nil {
			return nil, fmt.Errorf("%s: %w", shownAll(f.test, f.shown), err)
		}
	}
	return s, nil
}

// readParts reads what there are files of.
func readParts[E any](f partFiles, p *train.Parts[E], read func(files []string) ([]E, error)) (err error) {
	for _, part := range []struct {
		files []string
		into  *[]E
	}{{f.train, &p.Train}, {f.heldOut, &p.HeldOut}, {f.test, &p.Test}} {
		if len(part.files) > 0 {
			if *part.into, err = read(part.files); err != nil {
				return err
			}
		}
	}
	return nil
}

// name says which file an error of an example is of.
func (f partFiles) name(err error) error {
	var in train.In
	if !errors.As(err, &in) {
		return fmt.Errorf("%s: %s", f.shown, oneLine(err.Error()))
	}
	files := f.train
	switch {
	case in.Part == train.HeldOutPart && f.heldOut != nil:
		files = f.heldOut
	case in.Part == train.TestPart && f.test != nil:
		files = f.test
	}
	return fmt.Errorf("%s: %s", shownAll(files, f.shown), oneLine(err.Error()))
}

func shownAll(files []string, without string) string {
	if len(files) == 0 {
		return without
	}
	return sourceOf(files).shown
}

// vectors reads those of --vectors, the embedding's width with them.
func (c *trainCmd) vectors(e *env, config *train.Config) (*train.Vectors, error) {
	if c.Vectors == "" {
		return nil, nil
	}
	var v *train.Vectors
	err := e.each([]string{c.Vectors}, func(name string, r io.Reader) (err error) {
		v, err = train.ReadVectors(name, r, config.Model.Lower, config.Vocab.MaxSize)
		return err
	})
	if err != nil {
		return nil, err
	}
	config.Model.Embed = v.Width
	return v, config.Validate()
}

// labelled prepares a classifier's data.
func (c *trainCmd) labelled(e *env, config *train.Config, f partFiles) (s *sets, err error) {
	var p train.Parts[data.Example]
	if f.train == nil {
		p = grammarsParts()
	}
	table := func(string) data.Table { return config.Table }
	if err = readParts(f, &p, func(files []string) ([]data.Example, error) { return readExamples(e, files, table) }); err != nil {
		return nil, err
	}
	config.Model.Features = p.Train[0].F
	x, err := train.PrepareLabels(*config, &p)
	if err != nil {
		return nil, f.name(err)
	}
	s = &sets{Examples: x}
	if len(p.Test) > 0 {
		if s.test, err = model.NewSequences(config.Model, x.Names, p.Test, true); err != nil {
			return nil, fmt.Errorf("%s: %w", shownAll(f.test, f.shown), err)
		}
	}
	return s, nil
}

// series prepares a forecaster's data.
func (c *trainCmd) series(e *env, config *train.Config, f partFiles) (s *sets, err error) {
	s = &sets{}
	if f.train == nil {
		s.series, err = seasonsSeries()
	} else {
		s.series, err = readSeries(e, f.train, func(string) data.SeriesTable { return config.Series })
	}
	if err != nil {
		return nil, err
	}
	if s.Examples, err = train.PrepareSeries(*config, s.series); err != nil {
		return nil, f.name(err)
	}
	a, b, n, err := config.Borders(s.series.Len())
	if err != nil {
		return nil, err
	}
	s.ends = [3]int{a, b, n}
	if n > b {
		s.test, err = model.NewWindows(config.Model, s.Names, s.series.Values, b, n)
		if err != nil {
			return nil, fmt.Errorf("%s: the part for a test: %s", f.shown, oneLine(err.Error()))
		}
	}
	return s, nil
}
