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
	"sluice/model"
	"sluice/train"
)

type trainCmd struct {
	Args []string `arg:"" optional:"" name:"TASK|FILE" help:"First the task, lm (also without it), tag, classify or forecast; then its files; - is standard input. Without any, what is built in for the task."`

	Data      string   `placeholder:"NAME" help:"Data by name instead of files, such as lyrics; sluice data lists them, with the task that each is for."`
	Files     []string `sep:"none" hidden:"" help:"FILE, for a run file."`
	HeldOut   string   `placeholder:"FILE" help:"A file to hold out, in place of a part of what is trained on."`
	TestOn    string   `placeholder:"FILE" help:"tag, classify: a file to score the model on at the end."`
	Vectors   string   `placeholder:"FILE" help:"tag: vectors that embeddings of words begin with, as text of word2vec or GloVe."`
	Tokenizer string   `placeholder:"FILE" help:"lm, classify: read texts by the tokens of this tokenizer.json of Hugging Face."`
	Out       string   `placeholder:"DIR" help:"The run's folder, a new one (runs/NAME-001 …)."`
	Config    *string  `placeholder:"FILE" help:"A run file: options of this command, which flags beat."`
	Resume    *string  `placeholder:"DIR" help:"Go on with the run in this folder from its newest checkpoint, or from the checkpoint that this file is."`
	Preset    string   `type:"choice" placeholder:"default|d2l|awd-lstm|adding|tag|classify|forecast" help:"Where the options below start from: our own, those of Dive into Deep Learning, the AWD-LSTM recipe for words, the adding problem's, or a task's."`

	FindLR bool `name:"find-lr" help:"Train nothing: try rising learning rates, and say which train well."`

	CheckpointMinutes *float64 `placeholder:"M" help:"Minutes between checkpoints (1); 0: none by time."`
	CheckpointUpdates *int     `placeholder:"N" help:"Updates between checkpoints; 0: none by number."`
	Checkpoints       *int     `placeholder:"K" help:"How many are kept, the newest ones (3)."`

	JSON  bool `name:"json" help:"Standard output has one JSON object a line for each event, and nothing else."`
	Quiet bool `help:"Print the run's folder at the end, and nothing else but errors and warnings."`

	threadsFlag `embed:""`

	path      string // of the run file that this is
	task      string // as the command line says it; "": it does not
	inherited bool   // RunFlags.Prefix is the run file's, whose text was another or cleaned otherwise

	TextFlags  textFlags      `embed:"" group:"Data"`
	FileFlags  fileFlags      `embed:"" group:"Files of tasks tag, classify and forecast"`
	DataFlags  dataFlags      `embed:"" group:"Files of tasks tag, classify and forecast"`
	ModelFlags modelFlags     `embed:"" group:"Model"`
	TaskFlags  taskModelFlags `embed:"" group:"Model of tasks tag, classify and forecast"`
	RunFlags   runFlags       `embed:"" group:"Training"`
}

// maxMinutes is some years.
const maxMinutes = 1 << 22

// Run trains and saves a model.
func (c *trainCmd) Run(e *env) error {
	c.takeTask()
	switch {
	case len(c.Files) > 0:
		return usage("--files: is for run files: want texts as arguments")
	case c.FindLR && (c.Out != "" || c.Resume != nil):
		return usage("--find-lr: keeps nothing, want no --out and no --resume")
	}
	e.quiet = c.Quiet || c.JSON
	threads, err := c.threads()
	if err != nil {
		return err
	}
	base, err := c.base(e)
	if err != nil {
		return err
	}
	config, err := c.config(base)
	if err != nil {
		return err
	}
	c.inherit(base)
	if err := c.checkCheckpoints(); err != nil {
		return err
	}
	if err := c.sameRun(base, config); err != nil {
		return err
	}
	files, err := c.files()
	if err != nil {
		return err
	}
	j := job{config: config, threads: threads}
	defer func() {
		if j.text != nil {
			j.text.Close()
		}
	}()
	if err := c.prepare(e, &j, files); err != nil {
		return err
	}
	if c.FindLR {
		return c.findRate(e, j)
	}
	dir, err := c.folder(j.source.name)
	if err != nil {
		return err
	}
	defer dir.release()
	j.dir, j.run = dir.path, dir.run
	return c.train(e, j)
}

// takeTask takes the task off the arguments, else it is that of data by name.
func (c *trainCmd) takeTask() {
	if len(c.Args) > 0 && (c.Args[0] == model.LM || sequences(c.Args[0])) {
		c.task, c.Args = c.Args[0], c.Args[1:]
	}
	alone := c.task == "" && c.Preset == "" && c.Config == nil && c.Resume == nil
	if task := taskOf(c.Data); alone && sequences(task) {
		c.task = task
	}
}

// checkpoints are the flags of checkpoints, or what is usual.
func (c *trainCmd) checkpoints() (minutes float64, updates, kept int) {
	minutes, kept = 1, 3
	set(&minutes, c.CheckpointMinutes)
	set(&updates, c.CheckpointUpdates)
	set(&kept, c.Checkpoints)
	return minutes, updates, kept
}

func (c *trainCmd) checkCheckpoints() error {
	switch minutes, updates, kept := c.checkpoints(); {
	case !(minutes >= 0 && minutes < maxMinutes):
		return fmt.Errorf("--checkpoint-minutes %v: want 0 (none by time) to %d", minutes, maxMinutes)
	case updates < 0:
		return fmt.Errorf("--checkpoint-updates %d: want 0 (none by number) or more", updates)
	case kept < 1:
		return fmt.Errorf("--checkpoints %d: want 1 or more", kept)
	}
	return nil
}

// prepare finds what there is to learn from.
func (c *trainCmd) prepare(e *env, j *job, files []string) (err error) {
	if j.config.Model.Task == model.Regress {
		if len(files) > 0 || c.HeldOut != "" || len(c.RunFlags.Prefix) > 0 || c.Data != "" && c.Data != adding {
			return usage("--preset adding: makes its own data, want no text and no --prefix")
		}
		j.source = source{name: adding, shown: adding, corpus: adding}
		j.data = train.Adding{Examples: 5000, HeldOut: 1000}
		return fits(j.config, model.Names{}, j.config.Batches.Batch*j.config.Batches.Steps)
	}
	if sequences(j.config.Model.Task) {
		return c.prepareSequences(e, j, files)
	}
	if err := actWith([]condition{{"test-on", c.TestOn != "", false, "task tag or classify"}, {"vectors", c.Vectors != "", false, "task tag"}}); err != nil {
		return err
	}
	if j.source, err = e.source(c.Data, "lyrics", files); err != nil {
		return err
	}
	defer j.source.text.Close()
	if j.text, err = train.Prepare(e.ctx, j.config, j.source.text); err != nil {
		return failed(j.source.shown, err)
	}
	j.data, j.text.Corpus = j.text, j.source.corpus
	if c.HeldOut != "" {
		err := j.holdOut(e, c.HeldOut)
		if errors.Is(err, context.Canceled) {
			return err
		}
		if err != nil {
			return fmt.Errorf("--held-out %s: %s", c.HeldOut, oneLine(err.Error()))
		}
	}
	if err := c.ModelFlags.Cutoffs.choose(&j.config, j.text.Vocab.Size()); err != nil {
		return err
	}
	err = choosePrefixes(&j.config, j.text, c.RunFlags.Prefix)
	if err != nil && c.inherited { // of a text cleaned otherwise
		err = choosePrefixes(&j.config, j.text, nil)
	}
	if err != nil {
		return err
	}
	return fits(j.config, model.Names{Vocab: j.text.Vocab}, j.config.Batches.Batch*j.config.Batches.Steps)
}

// holdOut takes the text held out from a file.
func (j *job) holdOut(e *env, file string) error {
	s, err := e.files([]string{file})
	if err != nil {
		return err
	}
	defer s.text.Close()
	return j.text.HoldOut(e.ctx, j.config, s.text)
}

// adding is the name of the adding problem, as data and as a preset.
const adding = "adding"

// folder is that of the run to go on with, or a new one, locked.
func (c *trainCmd) folder(name string) (*folder, error) {
	dir := &folder{}
	if c.Resume != nil {
		dir.path, _ = c.resumed()
	} else {
		var err error
		if dir, err = claim(c.Out, name); err != nil {
			return nil, err
		}
	}
	dir.run = train.NewFolder(dir.path)
	if err := dir.run.Lock(); err != nil {
		dir.release()
		return nil, err
	}
	return dir, nil
}

// job is a run with all that it needs.
type job struct {
	config  train.Config
	source  source
	data    train.Data
	text    *train.Text // data, if it is a text
	sets    *sets       // of a task of sequences
	dir     string
	run     *train.Folder // of dir
	threads int
}

func (c *trainCmd) train(e *env, j job) error {
	began := time.Now()
	p := newPrinter(e, c.JSON, c.Quiet, j)
	options, err := c.run(p, j)
	if err != nil {
		return err
	}
	result, stopped := train.Run(e.ctx, j.config, j.data, options)
	p.progress.close()
	if result == nil || errors.Is(stopped, train.ErrNotSaved) {
		p.failed(stopped)
		return goOn(j, stopped)
	}
	files, err := curves(result, j)
	o := outcome{job: j, result: result, files: append([]string{modelFile}, files...), stopped: stopped, time: time.Since(began)}
	if j.sets != nil && stopped == nil && err == nil {
		err = o.score(e)
	}
	p.end(o)
	switch {
	case errors.Is(err, context.Canceled):
		return interrupted{fmt.Errorf("interrupted while it was scored; the model is saved in %s", j.dir)}
	case err != nil:
		return fmt.Errorf("%w; the model is saved in %s", err, j.dir)
	case errors.Is(stopped, train.ErrDiverged):
		return goOn(j, fmt.Errorf("%w; saved %s in %s", stopped, o.kept(), j.dir))
	case stopped != nil && !errors.Is(stopped, context.Canceled):
		return fmt.Errorf("%w; saved %s in %s; to go on: %s train --resume %s", stopped, o.kept(), j.dir, program(), quoted(operand(j.dir)))
	case stopped != nil:
		return interrupted{fmt.Errorf("interrupted; saved %s in %s; to go on: %s train --resume %s", o.kept(), j.dir, program(), quoted(operand(j.dir)))}
	}
	return nil
}

// goOn adds to the error of a minibatch that was not finite how to leave it out.
func goOn(j job, err error) error {
	if errors.Is(err, train.ErrNonFinite) && newestUpdate(j.dir) > 0 && j.config.NonFinite == train.NonFiniteStop {
		return fmt.Errorf("%w; to go on without what did it: %s train --resume %s --non-finite skip", err, program(), quoted(operand(j.dir)))
	}
	return err
}

// run writes the run file of a new run, or finds the place to go on from.
func (c *trainCmd) run(p *printer, j job) (train.Options, error) {
	minutes, updates, kept := c.checkpoints()
	f := j.run
	f.Time, f.Updates, f.Keep = time.Duration(minutes*float64(time.Minute)), updates, kept
	o := train.Options{Threads: j.threads, Observe: p.event, Folder: f}
	if c.Resume == nil {
		return o, disk.WriteAtomic(disk.OS, filepath.Join(j.dir, runFile), func(w io.Writer) error { return c.writeRunFile(w, j.config, j.source) })
	}
	var err error
	if _, checkpoint := c.resumed(); checkpoint != "" {
		o.From, err = train.OpenCheckpoint(checkpoint)
	} else {
		o.From, err = f.Newest(func(err error) { p.event(train.Warning{Err: err}) })
	}
	return o, err
}

// curves draws the curve, if an epoch was finished. It tells which files it
// wrote.
func curves(r *train.Result, j job) (files []string, err error) {
	if len(r.Curve) == 0 {
		return nil, nil
	}
	picture := curveOf(title(j), gaugeOf(j.config.Model.Task), r.Curve, r.Model.History.Epoch)
	for _, name := range []string{"curve.png", "curve.svg"} {
		if err := drawTo(filepath.Join(j.dir, name), picture); err != nil {
			return files, err
		}
		files = append(files, name)
	}
	return files, nil
}

// files are the text files named after the task.
func (c *trainCmd) files() ([]string, error) {
	files := c.Args
	if len(files) == 0 && c.Data == "" {
		files = c.Files
	}
	if c.Data != "" && len(files) > 0 {
		return nil, usage("--data %s and the file %s: want one or the other", c.Data, files[0])
	}
	return files, nil
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
	found, err := beginnings(text)
	if err != nil {
		return err
	}
	for _, prefix := range slices.Concat(candidates, found) {
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
