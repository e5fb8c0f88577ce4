package main

import (
	"cmp"
	"fmt"

	"sluice/data"
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
	if len(files) == 0 && c.Data == "" {
		if c.Files != (fileFlags{}) {
			return "", nil, usage("--format and the other flags of files: act with a FILE or --data")
		}
		return c.part(e, m, config, path)
	}
	l, err := layoutOf(m, config, c.Files, false)
	if err != nil {
		return "", nil, err
	}
	shown = c.Data
	if c.Data == "" {
		shown = sourceOf(files).shown
	} else if _, files, err = e.dataOf(m.Task, c.Data); err != nil {
		return "", nil, err
	}
	x, err = numbered(e, m, l, files)
	return shown, x, err
}

// numbered are the examples of files as numbers of a model.
func numbered(e *env, m *model.Model, l layout, files []string) (model.Examples, error) {
	switch m.Task {
	case model.Tag:
		sentences, err := readSentences(e, files, l.columns)
		if err != nil {
			return nil, err
		}
		if err := toScheme(m.Scheme, sentences); err != nil {
			return nil, err
		}
		return model.NewSentences(m.Spec, m.Names, sentences, true)
	case model.Classify:
		examples, err := readExamples(e, files, l.table)
		if err != nil {
			return nil, err
		}
		return model.NewSequences(m.Spec, m.Names, examples, true)
	}
	s, err := seriesFor(e, m, l, files, m.Forecast.Window+m.Forecast.Horizon)
	if err != nil {
		return nil, err
	}
	from := m.Forecast.Window
	if season := m.Names.Series.Season; s.Len() >= season+m.Forecast.Horizon { // all forecasts are of the same windows
		from = max(from, season)
	}
	return model.NewWindows(m.Spec, m.Names, s.Values, from, s.Len())
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
			return fmt.Errorf("%s: %w", s.Place(), err)
		}
		sentences[i].Tags = tags
	}
	return nil
}

// seriesFor reads the series that a model forecasts, of so many rows at least.
func seriesFor(e *env, m *model.Model, l layout, files []string, rows int) (*data.Series, error) {
	s, err := readSeries(e, files, l.series)
	if err != nil {
		return nil, err
	}
	err = sameSeries(m, s)
	if err == nil && s.Len() < rows {
		err = fmt.Errorf("%s: want %d at least: the model reads %d and forecasts %d", plural(s.Len(), "row"), rows, m.Forecast.Window, m.Forecast.Horizon)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", shownInput(files[0]), err)
	}
	return s, nil
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
	if is, want := s.Step, m.Names.Series.Step; is != (data.Step{}) && want != (data.Step{}) && (is.Duration != want.Duration || is.Months != want.Months) {
		return fmt.Errorf("rows are %v apart: the model forecasts by %v", is, want)
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
	f, err := namedParts(e, m.Task, corpus)
	if err != nil {
		return "", nil, err
	}
	var v *train.Vectors
	if m.Task == model.Tag { // words that only vectors had are in the vocabulary, too
		v = &train.Vectors{Words: symbols(m.Vocab), Width: config.Model.Embed}
	}
	s, err := setsOf(e, &config, f, v)
	switch {
	case err != nil:
		return "", nil, err
	case s.SHA256 != m.History.TextSHA256:
		return "", nil, fmt.Errorf("%s was trained on other data, or with other data held out, than %s is here (sha256 %.12s, here %.12s): name a file to score", path, corpus, m.History.TextSHA256, s.SHA256)
	}
	x, shown = s.HeldOut, "what was held out of "+corpus
	if c.Part == "test" {
		x, shown = s.test, "the part for a test of "+corpus
	}
	if x == nil {
		return "", nil, fmt.Errorf("%s: there is no %s part of %s: name a file to score", path, cmp.Or(c.Part, "held-out"), corpus)
	}
	return shown, x, nil
}

// symbols are those of a vocabulary, without that of what is not in it.
func symbols(v *data.Vocab) (all []string) {
	unknown, ok := v.UnknownID()
	for id := range int32(v.Size()) {
		if !ok || id != unknown {
			all = append(all, v.Symbol(id))
		}
	}
	return all
}
