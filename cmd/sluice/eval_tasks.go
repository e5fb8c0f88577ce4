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
	if err := actWith([]condition{{"out", len(c.Out.Out) > 0, m.Task == model.Classify, "a model of task classify (sluice predict draws forecasts)"}}); err != nil {
		return err
	}
	paths, err := c.Out.outputs("")
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
	s, err := scoreOf(e, p, team, x, shown)
	if err != nil {
		return err
	}
	if len(paths) > 0 {
		if err := c.Out.write(e, confusionOf(s.(classScore), shown), paths); err != nil {
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
	l, err := layoutOf(m, config, c.Files, "")
	if err != nil {
		return "", nil, err
	}
	if len(files) == 0 && c.Data == "" {
		return c.part(e, m, config, path)
	}
	shown = c.Data
	if c.Data == "" {
		shown = sourceOf(files).shown
	} else if files, err = e.dataOf(m.Task, c.Data); err != nil {
		return "", nil, err
	}
	x, err = numbered(e, m, l, files)
	if err != nil && !errors.As(err, new(readError)) {
		err = fmt.Errorf("%s: %s", shown, oneLine(err.Error()))
	}
	return shown, x, err
}

// dataOf are the files of data by name for a task, none of what is made.
func (e *env) dataOf(task, name string) ([]string, error) {
	if err := dataFor(task, name); err != nil || made[name] != nil {
		return nil, err
	}
	d, err := datasets.Find(name)
	if err != nil {
		return nil, err
	}
	return e.get(d)
}

// readError is one that names its file.
type readError struct{ error }

func (r readError) Unwrap() error { return r.error }

// numbered are the examples of files as numbers of a model, or without any those
// for a test of what is made.
func numbered(e *env, m *model.Model, l layout, files []string) (model.Examples, error) {
	var err error
	switch m.Task {
	case model.Tag:
		var sentences []data.Sentence
		if len(files) == 0 {
			sentences = datesParts().Test
		} else if sentences, err = readSentences(e, files, l.columns); err != nil {
			return nil, readError{err}
		}
		if err := toScheme(m.Scheme, sentences); err != nil {
			return nil, err
		}
		return model.NewSentences(m.Spec, m.Names, sentences, true)
	case model.Classify:
		var examples []data.Example
		if len(files) == 0 {
			examples = grammarsParts().Test
		} else if examples, err = readExamples(e, files, l.table); err != nil {
			return nil, readError{err}
		}
		return model.NewSequences(m.Spec, m.Names, examples, true)
	}
	s, err := seriesFor(e, m, l, files)
	if err != nil {
		return nil, err
	}
	from := m.Forecast.Window
	if season := m.Names.Series.Season; s.Len() >= season+m.Forecast.Horizon { // all forecasts are of the same windows
		from = max(from, season)
	}
	return model.NewWindows(m.Spec, m.Names, s.Values, min(s.Len(), from), s.Len())
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

// seriesFor reads the series that a model forecasts, without files those that are
// made.
func seriesFor(e *env, m *model.Model, l layout, files []string) (s *data.Series, err error) {
	if len(files) == 0 {
		s, err = seasonsSeries()
	} else {
		s, err = readSeries(e, files, l.series)
	}
	if err != nil {
		return nil, readError{err}
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
