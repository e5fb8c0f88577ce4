package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"

	"sluice/data"
	"sluice/model"
	"sluice/nn"
)

type predictCmd struct {
	Args []string `arg:"" optional:"" name:"MODEL|FILE" help:"First a model file or a run's folder (without it the newest run's), then files; - is standard input, as is none."`

	Data string `placeholder:"NAME" help:"Data by name instead of files."`
	JSON bool   `name:"json" help:"Print JSON lines, whatever the format of the files."`
	At   *int   `placeholder:"N" help:"forecast: from after this many rows on, instead of after the last."`

	pictureFlags `embed:""`
	threadsFlag  `embed:""`

	Files fileFlags `embed:"" group:"Files, where they are laid out otherwise than those trained on"`
}

// Run answers.
func (c *predictCmd) Run(e *env) error {
	threads, err := c.threads()
	if err != nil {
		return err
	}
	path, m, files, err := openFor(e, c.Args, c.Data)
	if err != nil {
		return err
	}
	if !sequences(m.Task) {
		return fmt.Errorf("%s: a model of task %s: want one of task tag, classify or forecast (for a language model: sluice generate)", path, m.Task)
	}
	if err := actWith([]condition{
		{"at", c.At != nil, m.Task == model.Forecast, "a model of task forecast"},
		{"out", len(c.Out) > 0, m.Task == model.Forecast, "a model of task forecast"},
	}); err != nil {
		return err
	}
	config, err := trainedWith(m, path)
	if err != nil {
		return err
	}
	switch {
	case c.Data != "":
		if files, err = e.dataOf(m.Task, c.Data); err != nil {
			return err
		}
		if len(files) == 0 && m.Task != model.Forecast {
			return usage("--data %s: has its answers already, want a file", c.Data)
		}
	case len(files) == 0:
		files = []string{"-"}
	}
	l, err := layoutOf(m, config, c.Files, map[string]string{model.Tag: "text", model.Classify: "lines", model.Forecast: "csv"}[m.Task])
	if err != nil {
		return err
	}
	if m.Task == model.Classify && m.Features > 0 { // a line is no sequence of numbers
		l.usual = "jsonl"
	}
	e.quiet = e.screen // the answers show how far it is
	team := nn.NewTeam(threads)
	defer team.Close()
	p := m.Pack()
	switch m.Task {
	case model.Tag:
		return c.tag(e, p, team, l, files)
	case model.Classify:
		return c.classify(e, p, team, l, files)
	}
	return c.forecast(e, m, p, team, l, files)
}

// atOnce is how many sentences or examples are answered together.
const atOnce = 256

// readAhead calls use with what each file has, in pieces; what is read of standard
// input is answered whenever there is no more to read yet.
func readAhead[E any](e *env, files []string, read func(name string, r io.Reader) func(func(E, error) bool), use func(name string, some []E) error) error {
	return e.each(files, func(name string, r io.Reader) error {
		in := bufio.NewReaderSize(r, 1<<16)
		var some []E
		for one, err := range read(name, in) {
			if err != nil {
				return err
			}
			if some = append(some, one); len(some) < atOnce && (name != "-" || in.Buffered() > 0) {
				continue
			}
			if err := use(name, some); err != nil {
				return err
			}
			some = some[:0]
		}
		if len(some) == 0 {
			return nil
		}
		return use(name, some)
	})
}

// shownInput is how a file is called in an error.
func shownInput(name string) string {
	if name == "-" {
		return "standard input"
	}
	return name
}

func (c *predictCmd) tag(e *env, p *model.Packed, team *nn.Team, l layout, files []string) error {
	t, err := model.NewTagger(p, team)
	if err != nil {
		return err
	}
	return readAhead(e, files, func(name string, r io.Reader) func(func(data.Sentence, error) bool) {
		return data.ReadSentences(name, r, l.columns(name))
	}, func(name string, some []data.Sentence) error {
		tags, err := t.Tag(e.ctx, some)
		if err != nil {
			return fmt.Errorf("%s: %s", shownInput(name), oneLine(err.Error()))
		}
		out, of := []byte(nil), l.columns(name)
		for i, s := range some {
			if of.Format == "text" && c.Files.Format == nil && len(s.Words) == 2 && slices.Contains(p.Labels, s.Words[1]) {
				return fmt.Errorf("%s: line %d: a word and a tag, %.40q: want --format columns, or --format text if it is a sentence", shownInput(name), s.Line, s.Words)
			}
			if c.JSON {
				s, of = data.Sentence{Words: s.Words}, data.Columns{Format: "jsonl"}
			}
			out = s.AppendTagged(out, of, tags[i])
		}
		_, err = e.stdout.Write(out)
		return err
	})
}

func (c *predictCmd) classify(e *env, p *model.Packed, team *nn.Team, l layout, files []string) error {
	k, err := model.NewClassifier(p, team)
	if err != nil {
		return err
	}
	headed := false
	return readAhead(e, files, func(name string, r io.Reader) func(func(data.Example, error) bool) {
		headed = false
		return data.ReadExamples(name, r, l.table(name))
	}, func(name string, some []data.Example) error {
		if err := l.labelled(p, name, some[0]); err != nil {
			return err
		}
		labels, probs, err := k.Classify(e.ctx, some)
		if err != nil {
			return fmt.Errorf("%s: %s", shownInput(name), oneLine(err.Error()))
		}
		var out []byte
		for i, x := range some {
			label, probability := p.Labels[labels[i]], float64(probs[i][labels[i]])
			if c.JSON {
				if err := writeJSON(e.stdout, struct {
					Text        string             `json:"text,omitempty"`
					Label       string             `json:"predicted"`
					Probability float64            `json:"probability"`
					All         map[string]float32 `json:"probabilities"`
				}{x.Text, label, probability, probabilities(p.Labels, probs[i])}, ""); err != nil {
					return err
				}
				continue
			}
			if !headed {
				out, headed = x.AppendHeader(out), true
			}
			out = x.AppendPredicted(out, label, probability)
		}
		_, err = e.stdout.Write(out)
		return err
	})
}

// labelled is the error of a number that was taken for a label, since a table of
// numbers begins with one unless it is told that there is none.
func (l layout) labelled(p *model.Packed, name string, x data.Example) error {
	format := l.table(name).Format
	if x.Values == nil || x.Label == "" || format != "csv" && format != "tsv" || slices.Contains(p.Labels, x.Label) {
		return nil
	}
	return fmt.Errorf("%s: line %d: label %.40q is none of the model's: want --label-column none if the file has no labels", shownInput(name), x.Line, x.Label)
}

func probabilities(labels []string, p []float32) map[string]float32 {
	all := make(map[string]float32, len(labels))
	for i, l := range labels {
		all[l] = p[i]
	}
	return all
}

func (c *predictCmd) forecast(e *env, m *model.Model, p *model.Packed, team *nn.Team, l layout, files []string) error {
	paths, err := c.outputs("")
	if err != nil {
		return err
	}
	shown := c.Data
	if shown == "" {
		shown = sourceOf(files).shown
	}
	s, err := seriesFor(e, m, l, files)
	if err != nil && !errors.As(err, new(readError)) {
		err = fmt.Errorf("%s: %w", shown, err)
	}
	if err != nil {
		return err
	}
	from, n := s.Len(), len(s.Names)
	if c.At != nil {
		if from = *c.At; from < 1 || from > s.Len() {
			return usage("--at %d: want 1 to %d, the rows that there are", from, s.Len())
		}
	}
	f, err := model.NewForecaster(p, team)
	if err != nil {
		return err
	}
	if from < p.Forecast.Window {
		return fmt.Errorf("%s: %s before the forecast: want %d at least, which the model reads", shown, plural(from, "row"), p.Forecast.Window)
	}
	o, err := f.Forecast(s.Values[:from*n])
	if err != nil {
		return err
	}
	h := p.Forecast.Horizon
	out := data.Forecast{Names: s.Names, Mean: o.Mean, Levels: p.Forecast.Quantiles, Quantiles: o.Quantiles}
	if s.Times != nil {
		out.Times = s.Following(from, h)
	}
	text := out.AppendCSV(nil)
	if format, _ := (data.Table{Format: l.series(first(files)).Format}).FormatOf(first(files)); c.JSON || format == "jsonl" {
		text = out.AppendJSONLines(nil)
	}
	if len(paths) > 0 {
		title := fmt.Sprintf("%s, %s ahead", named(m), plural(h, "step"))
		drawing := forecastOf(p, o, s, from, title)
		if err := drawable(drawing, paths); err != nil {
			return err
		}
		if err := c.write(e, drawing, paths); err != nil {
			return err
		}
	}
	_, err = e.stdout.Write(text)
	return err
}
