package main

import (
	"bufio"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"sluice/data"
	"sluice/datasets"
	"sluice/model"
	"sluice/nn"
	"sluice/train"
)

type predictCmd struct {
	Args []string `arg:"" optional:"" name:"MODEL|FILE" help:"First a model file or a run's folder (without it the newest run's), then files; - is standard input, as is none."`

	Data   string `placeholder:"NAME" help:"Data by name instead of files."`
	Format string `type:"choice" placeholder:"columns|conllu|jsonl|text|csv|tsv|lines" help:"Of the files (by their names; of other text a sentence or example a line)."`
	JSON   bool   `name:"json" help:"Print JSON lines, whatever the format of the files."`
	At     *int   `placeholder:"N" help:"forecast: from after this many rows on, instead of after the last."`

	pictureFlags `embed:""`
	threadsFlag  `embed:""`
}

// Run answers.
func (c *predictCmd) Run(e *env) error {
	threads, err := c.threads()
	if err != nil {
		return err
	}
	arg, files := "", c.Args
	if len(files) > 0 && isModel(files[0]) {
		arg, files = files[0], files[1:]
	}
	if c.Data != "" && len(files) > 0 {
		return usage("--data %s and the file %s: want one or the other", c.Data, files[0])
	}
	path, m, err := open(e, arg)
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
	if c.Data != "" && made[c.Data] == nil {
		d, err := datasets.Find(c.Data)
		if err != nil {
			return usageError{err}
		}
		if files, err = e.get(d); err != nil {
			return err
		}
	}
	if len(files) == 0 && made[c.Data] == nil {
		files = []string{"-"}
	}
	team := nn.NewTeam(threads)
	defer team.Close()
	p := m.Pack()
	switch m.Task {
	case model.Tag:
		return c.tag(e, p, team, config, files)
	case model.Classify:
		return c.classify(e, p, team, config, files)
	}
	return c.forecast(e, m, p, team, config, files)
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

func (c *predictCmd) tag(e *env, p *model.Packed, team *nn.Team, config train.Config, files []string) error {
	t, err := model.NewTagger(p, team)
	if err != nil {
		return err
	}
	columns := func(name string) data.Columns {
		of := config.Columns
		if c.Format != "" {
			of.Format = c.Format
		} else if of.Format = ""; name == "-" || strings.EqualFold(filepath.Ext(name), ".txt") {
			of.Format = "text"
		}
		return of.Of(name)
	}
	if made[c.Data] != nil {
		return usage("--data %s: it has tags already, want a file", c.Data)
	}
	return readAhead(e, files, func(name string, r io.Reader) func(func(data.Sentence, error) bool) {
		return data.ReadSentences(name, r, columns(name))
	}, func(name string, some []data.Sentence) error {
		tags, err := t.Tag(e.ctx, some)
		if err != nil {
			return fmt.Errorf("%s: %w", shownInput(name), err)
		}
		out, of := []byte(nil), columns(name)
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

func (c *predictCmd) classify(e *env, p *model.Packed, team *nn.Team, config train.Config, files []string) error {
	k, err := model.NewClassifier(p, team)
	if err != nil {
		return err
	}
	table := func(name string) data.Table {
		t := config.Table
		if c.Format != "" {
			t.Format = c.Format
		} else if t.Format = ""; name == "-" {
			t.Format = "lines"
		}
		return t
	}
	if made[c.Data] != nil {
		return usage("--data %s: it has labels already, want a file", c.Data)
	}
	headed := false
	return readAhead(e, files, func(name string, r io.Reader) func(func(data.Example, error) bool) {
		headed = false
		return data.ReadExamples(name, r, table(name))
	}, func(name string, some []data.Example) error {
		labels, probs, err := k.Classify(e.ctx, some)
		if err != nil {
			return fmt.Errorf("%s: %w", shownInput(name), err)
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

func probabilities(labels []string, p []float32) map[string]float32 {
	all := make(map[string]float32, len(labels))
	for i, l := range labels {
		all[l] = p[i]
	}
	return all
}

func (c *predictCmd) forecast(e *env, m *model.Model, p *model.Packed, team *nn.Team, config train.Config, files []string) error {
	if c.Format != "" {
		config.Series.Format = c.Format
	} else if len(files) == 1 && files[0] == "-" && config.Series.Format == "" {
		config.Series.Format = "csv"
	}
	paths, err := c.outputs("")
	if err != nil {
		return err
	}
	s, err := seriesFor(e, m, config, files, c.Data)
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
		return fmt.Errorf("%d rows before the forecast: want %d at least, which the model reads", from, p.Forecast.Window)
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
	if c.JSON || config.Series.Format == "jsonl" {
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
