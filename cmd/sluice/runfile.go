package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/alecthomas/kong"

	"sluice/train"
)

// runFile is the name of a run's options in its folder.
const runFile = "run.toml"

// readRunFile makes flags of a run file: a flag's name, without its dashes, and
// its value. Flags on the command line beat it.
func readRunFile(path string) (kong.Resolver, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, cause(err))
	}
	options := map[string]any{}
	if _, err := toml.Decode(string(text), &options); err != nil {
		var at toml.ParseError
		if errors.As(err, &at) {
			return nil, fmt.Errorf("%s: line %d: %s", path, at.Position.Line, at.Message)
		}
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &resolver{path, options}, nil
}

type resolver struct {
	path    string
	options map[string]any
}

// ofTheMoment says whether a flag says what to do now, not what a run is.
func ofTheMoment(flag string) bool {
	return slices.Contains([]string{
		"config", "resume", "out", "threads", "json", "quiet", "help", "find-lr",
	}, flag)
}

// Validate wants each option to be a flag of train.
func (r *resolver) Validate(app *kong.Application) error {
	known := map[string]bool{}
	for _, n := range app.Children {
		for _, f := range n.Flags {
			if n.Name == "train" && !ofTheMoment(f.Name) {
				known[f.Name] = true
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.options)) {
		if !known[name] {
			return fmt.Errorf("%s: %s: want the name of an option of train, such as hidden, without dashes", r.path, name)
		}
	}
	return nil
}

// Resolve is the value of a flag.
func (r *resolver) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	return r.options[flag.Name], nil
}

// configFlag is the path of a run file, resumeFlag a folder with one.
type (
	configFlag string
	resumeFlag string
)

// BeforeResolve adds the options of the file.
func (configFlag) BeforeResolve(ctx *kong.Context, trace *kong.Path) error {
	return addRunFile(ctx, string(ctx.FlagValue(trace.Flag).(configFlag)))
}

// BeforeResolve adds the options of the run.
func (resumeFlag) BeforeResolve(ctx *kong.Context, trace *kong.Path) error {
	folder := string(ctx.FlagValue(trace.Flag).(resumeFlag))
	err := addRunFile(ctx, filepath.Join(folder, runFile))
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("--resume %s: no %s in this folder: want the folder of a run", folder, runFile)
	}
	return err
}

func addRunFile(ctx *kong.Context, path string) error {
	r, err := readRunFile(path)
	if err != nil {
		return err
	}
	if err := r.Validate(ctx.Model); err != nil {
		return err
	}
	ctx.AddResolver(r)
	return nil
}

// writeRunFile writes every option of a run, so that the file alone makes the
// same run again.
func (c *trainCmd) writeRunFile(w io.Writer, config train.Config, s source) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# The options of a run of sluice train: sluice train --config %s\n", runFile)
	line := func(name string, value any) error {
		return toml.NewEncoder(&b).Encode(map[string]any{name: value})
	}
	first := []any{"preset", c.Preset, "data", s.corpus, "files", s.files, "held-out", c.HeldOut, "prefix", config.Prefixes}
	for i := 0; i < len(first); i += 2 {
		if v := reflect.ValueOf(first[i+1]); v.Len() > 0 {
			if err := line(first[i].(string), first[i+1]); err != nil {
				return err
			}
		}
	}
	for _, o := range []option{
		opt("checkpoint-minutes", (*float64)(nil), &c.CheckpointMinutes), opt("checkpoint-updates", (*int)(nil), &c.CheckpointUpdates), opt("checkpoints", (*int)(nil), &c.Checkpoints),
	} {
		if err := line(o.name, o.value()); err != nil {
			return err
		}
	}
	for _, g := range c.options(&config) {
		fmt.Fprintf(&b, "\n# %s\n", g.title)
		for _, o := range g.options {
			if o.needs != "" {
				continue
			}
			if err := line(o.name, o.value()); err != nil {
				return err
			}
		}
	}
	_, err := io.Copy(w, strings.NewReader(b.String()))
	return err
}

// sameRun is the error of options that differ from those of the run to go on
// with, or of a run that is done.
func (c *trainCmd) sameRun(e *env, config train.Config) error {
	if c.Resume == "" {
		return nil
	}
	if c.Out != "" || c.Config != "" {
		return usage("--resume %s with --out or --config: the run has both", c.Resume)
	}
	if s, err := summarise(string(c.Resume)); err != nil || s.Status == "done" {
		return cmp.Or(err, fmt.Errorf("%s: this run is done: want one that was ended early", c.Resume))
	}
	var saved cli
	parser, err := e.parser(&saved)
	if err != nil {
		return err
	}
	if _, err := parser.Parse([]string{"train", "--resume=" + string(c.Resume)}); err != nil {
		return usage("%w", err)
	}
	before, err := saved.Train.config()
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Join(string(c.Resume), runFile), err)
	}
	was := saved.Train.options(&before)
	for i, g := range c.options(&config) {
		for k, o := range g.options {
			if now, then := o.value(), was[i].options[k].value(); now != then && o.name != "non-finite" {
				return fmt.Errorf("--%s %v: the run in %s has %v: want the same", o.name, now, c.Resume, then)
			}
		}
	}
	return nil
}
