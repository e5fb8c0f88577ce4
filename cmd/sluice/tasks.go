package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"sluice/data"
	"sluice/model"
	"sluice/train"
)

// sets are what a task of sequences has.
type sets struct {
	*train.Examples
	test   model.Examples // nil: none
	series *data.Series   // of a forecast
	ends   [3]int         // of its parts
	named  bool           // its parts are those of data by name
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
	if j.source = f.source; f.heldOut != nil {
		j.config.Split.Validation, j.config.Split.Lines = 0, 0
	}
	if f.test != nil {
		j.config.Split.Test = 0
	}
	vectors, err := c.vectors(e, &j.config)
	if err != nil {
		return err
	}
	if j.sets, err = setsOf(e, &j.config, f, vectors); err != nil {
		return err
	}
	j.sets.named = j.source.corpus != "" && c.HeldOut == "" && c.TestOn == ""
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
	if task == model.Forecast && (c.HeldOut != "" || c.TestOn != "") {
		return f, usage("--held-out and --test-on: of a series a part is held out: want --validation and --test")
	}
	if len(files) > 0 {
		f.train, f.source = files, sourceOf(files)
	} else if f, err = namedParts(e, task, cmp.Or(c.Data, builtInFor[task])); err != nil {
		return f, err
	} else if err = c.divides(f); err != nil {
		return f, err
	}
	if c.HeldOut != "" {
		f.heldOut = []string{c.HeldOut}
	}
	if c.TestOn != "" {
		f.test = []string{c.TestOn}
	}
	return f, inputOnce(slices.Concat(f.train, f.heldOut, f.test))
}

// namedParts are the files of data by name.
func namedParts(e *env, task, name string) (f partFiles, err error) {
	f.source = source{name: safe(name), shown: name, corpus: name}
	files, paths, err := e.dataOf(task, name)
	for i, path := range paths {
		switch files[i].Part {
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
	return f, err
}

// divides is the error of flags that would divide data that is divided already.
func (c *trainCmd) divides(f partFiles) error {
	t := c.TextFlags
	for _, flag := range []struct {
		name  string
		given bool
		part  []string
	}{
		{"lines", t.Lines != nil && *t.Lines > 0, f.heldOut},
		{"validation", t.Validation != nil && *t.Validation > 0, f.heldOut},
		{"test", t.Test != nil && *t.Test > 0, f.test},
	} {
		if flag.given && flag.part != nil {
			return usage("--%s: %s has a part of its own for that", flag.name, f.shown)
		}
	}
	return nil
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

// setsOf reads and numbers the parts of a task's data; vectors are a tagger's.
func setsOf(e *env, config *train.Config, f partFiles, vectors *train.Vectors) (*sets, error) {
	switch config.Model.Task {
	case model.Tag:
		return sentences(e, config, f, vectors)
	case model.Classify:
		return labelled(e, config, f)
	}
	return series(e, config, f)
}

// sentences are a tagger's data. Where their tags are is kept: files to tag may have
// fewer columns.
func sentences(e *env, config *train.Config, f partFiles, vectors *train.Vectors) (*sets, error) {
	var p train.Parts[data.Sentence]
	columns := func(string) data.Columns { return config.Columns }
	if err := readParts(f, &p, func(files []string) ([]data.Sentence, error) { return readSentences(e, files, columns) }); err != nil {
		return nil, err
	}
	if n := p.Train[0].TagColumn; n > 0 && config.Columns.Tag == "" {
		config.Columns.Tag = strconv.Itoa(n)
	}
	x, err := train.PrepareTags(*config, &p, vectors)
	if err != nil {
		return nil, err
	}
	s := &sets{Examples: x}
	if len(p.Test) > 0 {
		s.test, err = model.NewSentences(config.Model, x.Names, p.Test, true)
	}
	return s, err
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
	if width := c.ModelFlags.Embed; width != nil && *width != v.Width {
		return nil, usage("--embed %d: the vectors of %s have %d numbers: want as many, or no --embed", *width, c.Vectors, v.Width)
	}
	config.Model.Embed = v.Width
	return v, config.Validate()
}

// labelled are a classifier's data.
func labelled(e *env, config *train.Config, f partFiles) (*sets, error) {
	var p train.Parts[data.Example]
	table := func(string) data.Table { return config.Table }
	if err := readParts(f, &p, func(files []string) ([]data.Example, error) { return readExamples(e, files, table) }); err != nil {
		return nil, err
	}
	config.Model.Features = p.Train[0].F
	if err := keepColumns(&config.Table, p.Train); err != nil {
		return nil, err
	}
	x, err := train.PrepareLabels(*config, &p)
	if err != nil {
		return nil, err
	}
	s := &sets{Examples: x}
	if len(p.Test) > 0 {
		s.test, err = model.NewSequences(config.Model, x.Names, p.Test, true)
	}
	return s, err
}

// keepColumns keeps which columns of a table texts and labels are in: files to
// classify may have others.
func keepColumns(t *data.Table, examples []data.Example) error {
	t.FoundText, t.FoundLabel = examples[0].TextColumn, examples[0].LabelColumn
	if t.FoundLabel == "" || t.Label != "" { // without a name, or with one that was given
		return nil
	}
	for _, e := range examples {
		if e.Label != t.FoundLabel {
			continue
		}
		if format, _ := t.FormatOf(e.File); format == "csv" || format == "tsv" {
			return fmt.Errorf("%s: label %.40q, and a column is called so: want --no-header if that is no name, or --label-column %[2]s", e.Place(), e.Label)
		}
	}
	return nil
}

// series are a forecaster's data.
func series(e *env, config *train.Config, f partFiles) (s *sets, err error) {
	s = &sets{}
	if s.series, err = readSeries(e, f.train, func(string) data.SeriesTable { return config.Series }); err != nil {
		return nil, err
	}
	if s.Examples, err = train.PrepareSeries(*config, s.series); err != nil {
		return nil, fmt.Errorf("%s: %w", f.shown, err)
	}
	a, b, n, err := config.Borders(s.series.Len())
	if err != nil {
		return nil, err
	}
	s.ends = [3]int{a, b, n}
	if n > b {
		if s.test, err = model.NewWindows(config.Model, s.Names, s.series.Values, b, n); err != nil {
			return nil, fmt.Errorf("%s: the part for a test: %w", f.shown, err)
		}
	}
	return s, nil
}
