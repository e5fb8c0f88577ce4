package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"sluice/data"
	"sluice/internal/disk"
	"sluice/train"
)

type trainCmd struct {
	Args []string `arg:"" optional:"" name:"FILE" help:"Text files, after the task lm or without it; - is standard input. Without any, the built-in lyrics."`

	Data   string `placeholder:"NAME" help:"A built-in corpus: lyrics, english."`
	Out    string `placeholder:"DIR" help:"The run's folder, a new one (runs/NAME-001 …)."`
	Preset string `type:"choice" default:"default" placeholder:"default|d2l" help:"Where the options below start from: our own, or those of Dive into Deep Learning."`
	JSON   bool   `name:"json" help:"Standard output has one JSON object a line for each event, and nothing else."`
	Quiet  bool   `help:"Print the run's folder at the end, and nothing else but errors."`

	threadsFlag `embed:""`

	TextFlags  textFlags  `embed:"" group:"Text"`
	ModelFlags modelFlags `embed:"" group:"Model"`
	RunFlags   runFlags   `embed:"" group:"Training"`
}

// Run trains and saves a model.
func (c *trainCmd) Run(e *env) error {
	files, err := c.files()
	if err != nil {
		return err
	}
	threads, err := c.threads()
	if err != nil {
		return err
	}
	config, err := c.config()
	if err != nil {
		return err
	}
	s, err := c.source(e, files)
	if err != nil {
		return err
	}
	text, err := train.Prepare(config, s.text)
	if err != nil {
		return fmt.Errorf("%s: %s", s.shown, oneLine(err.Error()))
	}
	text.Corpus = s.corpus
	if err := choosePrefixes(&config, text, c.RunFlags.Prefix); err != nil {
		return err
	}
	if err := fits(config, text.Vocab.Size()); err != nil {
		return err
	}
	dir, err := claim(c.Out, s.name)
	if err != nil {
		return err
	}
	defer dir.release()
	return c.train(e, job{config: config, source: s, text: text, dir: dir.path, threads: threads})
}

// job is a run with all that it needs.
type job struct {
	config  train.Config
	source  source
	text    *train.Text
	dir     string
	threads int
}

func (c *trainCmd) train(e *env, j job) error {
	began := time.Now()
	p := newPrinter(e, c.JSON, c.Quiet, j)
	result, stopped := train.Run(e.ctx, j.config, j.text, j.threads, p.event)
	p.progress.close()
	if result == nil {
		p.failed(stopped)
		return stopped
	}
	files, err := save(result, j)
	if len(files) == 0 {
		p.failed(err)
		return fmt.Errorf("%w; nothing was saved", err)
	}
	o := outcome{job: j, result: result, files: files, stopped: stopped, time: time.Since(began)}
	p.end(o)
	switch {
	case err != nil:
		return fmt.Errorf("%w; the model is saved in %s", err, j.dir)
	case errors.Is(stopped, train.ErrDiverged):
		return fmt.Errorf("%w; saved %s in %s", stopped, o.kept(), j.dir)
	case stopped != nil:
		return interrupted{fmt.Errorf("interrupted; saved %s in %s", o.kept(), j.dir)}
	}
	return nil
}

// save writes the model and, if an epoch was finished, its curve. It tells
// which files it wrote.
func save(r *train.Result, j job) (files []string, err error) {
	if err := r.Model.Save(filepath.Join(j.dir, modelFile)); err != nil {
		return nil, err
	}
	files = []string{modelFile}
	if len(r.Curve) == 0 {
		return files, nil
	}
	for _, format := range []string{"png", "svg"} {
		name := "curve." + format
		write := func(w io.Writer) error { return drawCurve(w, format, title(j), r.Curve, r.Model.History.Epoch) }
		if err := disk.WriteAtomic(disk.OS, filepath.Join(j.dir, name), write); err != nil {
			return files, err
		}
		files = append(files, name)
	}
	return files, nil
}

// files are the text files named after the task.
func (c *trainCmd) files() ([]string, error) {
	files := c.Args
	if len(files) > 0 {
		switch files[0] {
		case "lm":
			files = files[1:]
		case "tag", "classify", "forecast":
			return nil, usage("train %s: this version trains lm only (a file of that name is ./%s)", files[0], files[0])
		}
	}
	if c.Data != "" && len(files) > 0 {
		return nil, usage("--data %s and the file %s: want one or the other", c.Data, files[0])
	}
	return files, nil
}

// config is the preset with the flags given.
func (c *trainCmd) config() (train.Config, error) {
	config, err := train.Preset(c.Preset)
	if err != nil {
		return config, err
	}
	c.TextFlags.apply(&config)
	if err := c.ModelFlags.apply(&config); err != nil {
		return config, err
	}
	if err := c.RunFlags.apply(&config); err != nil {
		return config, err
	}
	return config, config.Validate()
}

// source is where a text comes from.
type source struct {
	text   string
	name   string // for a folder
	shown  string
	corpus string // of a built-in text
}

func (c *trainCmd) source(e *env, files []string) (source, error) {
	if len(files) == 0 {
		return builtin(c.Data)
	}
	return readFiles(e, files)
}

func builtin(name string) (source, error) {
	if name == "" {
		name = "lyrics"
	}
	text, err := data.Load(name)
	if err != nil {
		return source{}, usageError{err}
	}
	return source{text, name, name, name}, nil
}

// readFiles reads files as one text. A signal ends it also where standard
// input gives nothing.
func readFiles(e *env, files []string) (source, error) {
	s := source{name: "stdin"}
	if files[0] != "-" {
		s.name = safe(files[0])
	}
	for i, file := range files {
		if file == "-" {
			file = "standard input"
		}
		if i > 0 {
			s.shown += ", "
		}
		s.shown += file
	}
	type read struct {
		text string
		err  error
	}
	done := make(chan read, 1)
	go func() {
		text, err := data.Read(e.ctx, files, e.stdin, 0)
		done <- read{text, err}
	}()
	select {
	case r := <-done:
		s.text = r.text
		return s, r.err
	case <-e.ctx.Done():
		return s, context.Canceled
	}
}

// choosePrefixes takes the beginnings given, or looks for two.
func choosePrefixes(c *train.Config, text *train.Text, given []string) error {
	if len(given) > 0 {
		for _, prefix := range given {
			if _, err := text.Vocab.Encode(prefix); err != nil {
				return fmt.Errorf("--prefix %q: %s", prefix, oneLine(err.Error()))
			}
		}
		c.Prefixes = given
		return nil
	}
	c.Prefixes = nil
	candidates := map[string][]string{"lyrics": {"分开", "不分开"}, "english": {"The lock", "In the morning"}}[text.Corpus]
	for _, prefix := range slices.Concat(candidates, beginnings(text)) {
		clean := c.Clean
		clean.MaxChars = 0
		prefix, err := clean.Apply(prefix)
		if err != nil || len(c.Prefixes) == 2 || slices.Contains(c.Prefixes, prefix) {
			continue
		}
		if ids, err := text.Vocab.Encode(prefix); err == nil && text.Vocab.Decode(ids) == prefix && !strings.Contains(prefix, data.Unknown) {
			c.Prefixes = append(c.Prefixes, prefix)
		}
	}
	return nil
}
