package main

import (
	"bufio"
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
	if c.Data != "" {
		if _, files, err = e.dataOf(m.Task, c.Data); err != nil {
			return err
		}
	} else if len(files) == 0 {
		files = []string{"-"}
	}
	l, err := layoutOf(m, config, c.Files, true)
	if err != nil {
		return err
	}
	e.quiet = e.screen && m.Task != model.Forecast // the answers show how far it is
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
// input is answered whenever there is no more to read yet, and whatever stands
// before a mistake before that is told.
func readAhead[E any](e *env, files []string, read func(name string, r io.Reader) func(func(E, error) bool), use func(name string, some []E) error) error {
	return e.each(files, func(name string, r io.Reader) error {
		in := bufio.NewReaderSize(r, 1<<16)
		var some []E
		var wrong error
		for one, err := range read(name, in) {
			if wrong = err; err != nil {
				break
			}
			if some = append(some, one); len(some) < atOnce && (name != "-" || in.Buffered() > 0) {
				continue
			}
			if err := use(name, some); err != nil {
				return err
			}
			some = some[:0]
		}
		if len(some) > 0 {
			if err := use(name, some); err != nil {
				return err
			}
		}
		return wrong
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
	begun := false
	return readAhead(e, files, func(name string, r io.Reader) func(func(data.Sentence, error) bool) {
		begun = false
		return data.ReadSentences(name, r, l.columns(name))
	}, func(name string, some []data.Sentence) error {
		of := l.columns(name)
		if of.Format == "text" && c.Files.Format == nil && !begun && inColumns(some, p.Labels) {
			return fmt.Errorf("%s: a word and a tag, %.60q: want --format columns, or --format text if it is a sentence", some[0].Place(), some[0].Words)
		}
		begun = true
		tags, err := t.Tag(e.ctx, some)
		if err != nil {
			return err
		}
		var out []byte
		for i, s := range some {
			if c.JSON {
				s, of = data.Sentence{Words: s.Words}, data.Columns{Format: "jsonl"}
			}
			out = s.AppendTagged(out, of, tags[i])
		}
		_, err = e.stdout.Write(out)
		return err
	})
}

// inColumns says whether what was read as a sentence a line is one word a line, with
// its tag behind it.
func inColumns(lines []data.Sentence, labels []string) bool {
	for _, s := range lines {
		if n := len(s.Words); n < 2 || n != len(lines[0].Words) || !slices.Contains(labels, s.Words[n-1]) {
			return false
		}
	}
	return true
}

func (c *predictCmd) classify(e *env, p *model.Packed, team *nn.Team, l layout, files []string) error {
	k, err := model.NewClassifier(p, team)
	if err != nil {
		return err
	}
	if files, err = withoutLabels(files); err != nil {
		return err
	}
	headed := false
	return readAhead(e, files, func(name string, r io.Reader) func(func(data.Example, error) bool) {
		headed = false
		return data.ReadExamples(name, r, l.table(name))
	}, func(name string, some []data.Example) error {
		if err := l.labelled(p, name, some); err != nil {
			return err
		}
		labels, probs, err := k.Classify(e.ctx, some)
		if err != nil {
			return err
		}
		var out []byte
		for i, x := range some {
			label, probability := p.Labels[labels[i]], float64(probs[i][labels[i]])
			if c.JSON {
				if err := writeJSON(e.stdout, struct {
					Line        int                `json:"line"`
					Text        string             `json:"text,omitempty"`
					Label       string             `json:"predicted"`
					Probability float64            `json:"probability"`
					All         map[string]float32 `json:"probabilities"`
				}{x.Line, x.Text, label, probability, probabilities(p.Labels, probs[i])}, ""); err != nil {
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

// labelled is the error of a number that was taken for a label, where that was not
// found by its name.
func (l layout) labelled(p *model.Packed, name string, some []data.Example) error {
	t := l.table(name)
	if x := some[0]; x.Values == nil || t.Format != "csv" && t.Format != "tsv" || t.FoundLabel != "" && x.LabelColumn == t.FoundLabel {
		return nil
	}
	for _, x := range some {
		if x.Label != "" && !slices.Contains(p.Labels, x.Label) {
			return fmt.Errorf("%s: label %.40q is none of the model's: want --label-column none if the file has no labels", x.Place(), x.Label)
		}
	}
	return nil
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
	s, err := seriesFor(e, m, l, files, p.Forecast.Window)
	if err != nil {
		return err
	}
	from, n := s.Len(), len(s.Names)
	if c.At != nil {
		if from = *c.At; from < p.Forecast.Window || from > s.Len() {
			return usage("--at %d: want %d, which the model reads, to %d, the rows that there are", from, p.Forecast.Window, s.Len())
		}
	}
	f, err := model.NewForecaster(p, team)
	if err != nil {
		return err
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
	if c.JSON || l.series(files[0]).FormatOf(files[0]) == "jsonl" {
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
