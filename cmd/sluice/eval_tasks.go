package main

import (
	"cmp"
	"errors"
	"fmt"

	"sluice/data"
	"sluice/datasets"
	"sluice/model"
	"sluice/nn"
	"sluice/train"
)

// sequences scores a model of a task of sequences.
func (c *evalCmd) sequences(e *env, m *model.Model, path string, files []string, threads int) error {
	if c.Part != "" && (len(files) > 0 || c.Data != "") {
		return usage("--part %s: of the data by name that the model was trained on, want no other", c.Part)
	}
	config, err := trainedWith(m, path)
	if err != nil {
		return err
	}
	shown, x, err := c.examples(e, m, config, path, files)
	if err != nil {
		return err
	}
	team := nn.NewTeam(threads)
	defer team.Close()
	p := m.Pack()
	paths, err := c.Out.outputs("")
	if err != nil {
		return err
	}
	s, err := scoreOf(e.ctx, p, team, x)
	if err != nil {
		return err
	}
	if len(paths) > 0 {
		f, err := pictureOf(e, p, team, s, x, shown)
		if err == nil {
			err = drawable(f, paths)
		}
		if err == nil {
			err = c.Out.write(e, f, paths)
		}
		if err != nil {
			return err
		}
	}
	if c.JSON {
		return writeJSON(e.stdout, struct {
			Model string `json:"model"`
			Data  string `json:"data"`
			Score any    `json:"score"`
		}{path, shown, s.json()}, "")
	}
	fmt.Fprintf(e.stdout, "data        %s\n", visible(shown))
	s.print(e.stdout)
	wrote(e.stdout, paths)
	return nil
}

// examples are those to score.
func (c *evalCmd) examples(e *env, m *model.Model, config train.Config, path string, files []string) (shown string, x model.Examples, err error) {
	if c.Data != "" {
		if made[c.Data] == nil {
			d, err := datasets.Find(c.Data)
			if err != nil {
				return "", nil, usageError{err}
			}
			if files, err = e.get(d); err != nil {
				return "", nil, err
			}
		}
		shown = c.Data
	}
	if len(files) == 0 && c.Data == "" {
		return c.part(e, m, config, path)
	}
	if shown == "" {
		shown = sourceOf(files).shown
	}
	x, err = numbered(e, m, config, files, c.Data)
	if err != nil && !errors.Is(err, errRead) {
		err = fmt.Errorf("%s: %s", shown, oneLine(err.Error()))
	}
	return shown, x, err
}

// errRead marks errors that name their file.
var errRead = errors.New("")

type readError struct{ error }

func (readError) Is(target error) bool { return target == errRead }
func (r readError) Unwrap() error      { return r.error }

// numbered are the examples of files, or of what is made, as numbers of a model.
func numbered(e *env, m *model.Model, config train.Config, files []string, name string) (model.Examples, error) {
	switch m.Task {
	case model.Tag:
		sentences := datesParts().Test
		if len(files) > 0 || name != "dates" {
			var err error
			if sentences, err = readSentences(e, files, config.Columns); err != nil {
				return nil, readError{err}
			}
		}
		if err := toScheme(m.Scheme, sentences); err != nil {
			return nil, err
		}
		return model.NewSentences(m.Spec, m.Names, sentences, true)
	case model.Classify:
		examples := grammarsParts().Test
		if len(files) > 0 || name != "grammars" {
			var err error
			if examples, err = readExamples(e, files, config.Table); err != nil {
				return nil, readError{err}
			}
		}
		return model.NewSequences(m.Spec, m.Names, examples, true)
	}
	s, err := seriesFor(e, m, config, files, name)
	if err != nil {
		return nil, readError{err}
	}
	return model.NewWindows(m.Spec, m.Names, s.Values, min(s.Len(), m.Forecast.Window), s.Len())
}

// toScheme brings the tags of sentences to a model's scheme.
func toScheme(to data.Scheme, sentences []data.Sentence) error {
	from := data.DetectScheme(sentences)
	if to == "" || from == to || from == "" {
		return nil
	}
	for i, s := range sentences {
		tags, err := data.ConvertTags(s.Tags, from, to)
		if err != nil {
			return fmt.Errorf("line %d: %w", s.Line, err)
		}
		sentences[i].Tags = tags
	}
	return nil
}

// seriesFor reads the series that a model forecasts.
func seriesFor(e *env, m *model.Model, config train.Config, files []string, name string) (s *data.Series, err error) {
	if len(files) == 0 && name == "seasons" {
		s, err = seasonsSeries()
	} else {
		s, err = readSeries(e, files, config.Series)
	}
	if err != nil {
		return nil, err
	}
	return s, sameSeries(m, s)
}

// sameSeries is the error of series that are others than a model's.
func sameSeries(m *model.Model, s *data.Series) error {
	want := m.Names.Series.Names
	if len(want) != len(s.Names) {
		return fmt.Errorf("%d series (%s): the model forecasts %d (%s)", len(s.Names), several(s.Names), len(want), several(want))
	}
	for i, name := range want {
		if s.Names[i] != name {
			return fmt.Errorf("series %d is %q: the model's is %q", i+1, s.Names[i], name)
		}
	}
	return nil
}

// part is what was held out, or is for a test, of the data by name that a model
// was trained on.
func (c *evalCmd) part(e *env, m *model.Model, config train.Config, path string) (shown string, x model.Examples, err error) {
	corpus := m.History.Corpus
	if corpus == "" {
		return "", nil, fmt.Errorf("%s was not trained on data that has a name: name a file to score, or --data NAME", path)
	}
	var t trainCmd
	t.Data, t.task = corpus, m.Task
	j := job{config: config}
	if err := t.prepareSequences(e, &j, nil); err != nil {
		return "", nil, err
	}
	x, shown = j.sets.HeldOut, "what was held out of "+corpus
	if c.Part == "test" {
		x, shown = j.sets.test, "the part for a test of "+corpus
	}
	switch {
	case j.sets.SHA256 != m.History.TextSHA256:
		return "", nil, fmt.Errorf("%s was trained on other data, or data divided otherwise, than %s is here (sha256 %.12s, here %.12s): name a file to score", path, corpus, m.History.TextSHA256, j.sets.SHA256)
	case x == nil:
		return "", nil, fmt.Errorf("%s: there is no %s part of %s: name a file to score", path, cmp.Or(c.Part, "held-out"), corpus)
	}
	return shown, x, nil
}
