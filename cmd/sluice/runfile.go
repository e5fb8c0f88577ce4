package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
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

// ofTheMoment says whether a flag says what to do now, not what a run is.
func ofTheMoment(flag string) bool {
	return slices.Contains([]string{"config", "resume", "out", "threads", "json", "quiet", "help", "find-lr"}, flag)
}

// readRunFile reads a run file as if its options were the flags of a command
// line: names without their dashes, with their values.
func (e *env) readRunFile(path string) (*trainCmd, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, usage("%s: %w", path, cause(err))
	}
	options := map[string]any{}
	if _, err := toml.Decode(string(text), &options); err != nil {
		var at toml.ParseError
		if errors.As(err, &at) {
			return nil, usage("%s: line %d: %s", path, at.Position.Line, at.Message)
		}
		return nil, usage("%s: %w", path, err)
	}
	var c cli
	c.Train.path = path
	parser, err := e.parser(&c, kong.Resolvers(runOptions(options)))
	if err != nil {
		return nil, err
	}
	if options["data"] != nil && options["files"] != nil {
		return nil, usage("%s: options data and files: want one or the other", path)
	}
	if err := runOptions(options).check(parser.Model); err != nil {
		return nil, usage("%s: %w", path, err)
	}
	if _, err := parser.Parse([]string{"train"}); err != nil {
		return nil, usage("%s: %w", path, err)
	}
	return &c.Train, nil
}

// runOptions are those of a run file, by name.
type runOptions map[string]any

// check wants each to be a flag of train, with a value that a flag can have.
func (r runOptions) check(app *kong.Application) error {
	known := map[string]bool{}
	for _, n := range app.Children {
		for _, f := range n.Flags {
			if n.Name == "train" && !ofTheMoment(f.Name) {
				known[f.Name] = true
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r)) {
		if ofTheMoment(name) {
			return fmt.Errorf("option %s: says what to do now, not what a run is: want it as a flag", name)
		}
		if !known[name] {
			return fmt.Errorf("option %q: want the name of an option of train, such as hidden, without dashes", name)
		}
		switch v := r[name].(type) {
		case string, bool, int64, float64:
		case []any:
			if name != "files" && name != "prefix" {
				return fmt.Errorf("option %s: %v: want one value", name, v)
			}
			for _, x := range v {
				if _, ok := x.(string); !ok {
					return fmt.Errorf("option %s: %v in a list: want strings", name, x)
				}
			}
		default:
			return fmt.Errorf("option %s: %v: want a string, a number, true, false or a list of strings", name, v)
		}
	}
	return nil
}

func (r runOptions) Validate(*kong.Application) error { return nil }

// Resolve is the value of a flag, as a command line would have it.
func (r runOptions) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	switch v := r[flag.Name].(type) {
	case int64, float64, bool:
		return fmt.Sprint(v), nil
	default:
		return v, nil
	}
}

// base is the run file to start from, nil for none.
func (c *trainCmd) base(e *env) (*trainCmd, error) {
	switch {
	case c.Resume != nil && (c.Out != "" || c.Config != nil):
		return nil, usage("--resume %s with --out or --config: the run has both", *c.Resume)
	case (c.Resume != nil || c.Config != nil) && c.Preset != "":
		return nil, usage("--preset %s with a run file, which has one: want one or the other", c.Preset)
	case c.Resume != nil:
		folder, _ := c.resumed()
		if _, err := os.Stat(filepath.Join(folder, runFile)); err != nil || *c.Resume == "" {
			return nil, usage("--resume %s: no %s in this folder: want the folder of a run", *c.Resume, runFile)
		}
		return e.readRunFile(filepath.Join(folder, runFile))
	case c.Config != nil && *c.Config == "":
		return nil, usage("--config: want the name of a run file")
	case c.Config != nil:
		return e.readRunFile(*c.Config)
	}
	return nil, nil
}

// resumed is the folder of the run to go on with, and the checkpoint, if one is
// named.
func (c *trainCmd) resumed() (folder, checkpoint string) {
	path := filepath.Clean(*c.Resume)
	if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
		return filepath.Join(filepath.Dir(path), ".."), path
	}
	return path, ""
}

// inherit takes over what a run file says beside the options of the Config.
func (c *trainCmd) inherit(base *trainCmd) {
	if base == nil {
		return
	}
	c.Preset = base.Preset
	if c.CheckpointMinutes == nil {
		c.CheckpointMinutes = base.CheckpointMinutes
	}
	if c.CheckpointUpdates == nil {
		c.CheckpointUpdates = base.CheckpointUpdates
	}
	if c.Checkpoints == nil {
		c.Checkpoints = base.Checkpoints
	}
	if c.ModelFlags.Cutoffs == nil { // auto is not in the Config
		c.ModelFlags.Cutoffs = base.ModelFlags.Cutoffs
	}
	t, named := c.TextFlags, len(c.Args) > 0 || c.Data != ""
	if c.TestOn == "" {
		c.TestOn = base.TestOn
	}
	if c.Vectors == "" {
		c.Vectors = base.Vectors
	}
	if c.Tokenizer == "" {
		c.Tokenizer = base.Tokenizer
	}
	if c.HeldOut == "" && (c.Resume != nil || t.Validation == nil && t.Lines == nil) {
		c.HeldOut = base.HeldOut
	}
	if len(c.RunFlags.Prefix) == 0 {
		c.RunFlags.Prefix = base.RunFlags.Prefix
		c.inherited = named || t != textFlags{}
	}
	if !named {
		c.Data, c.Files = base.Data, base.Files
	}
}

// writeRunFile writes every option of a run, so that the file alone makes the
// same run again.
func (c *trainCmd) writeRunFile(w io.Writer, config train.Config, s source) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# The options of a run of sluice train: sluice train --config %s\n", runFile)
	line := func(name string, value any) error {
		return toml.NewEncoder(&b).Encode(map[string]any{name: value})
	}
	first := []any{"preset", c.Preset, "data", s.corpus, "files", s.files, "held-out", c.HeldOut, "test-on", c.TestOn, "vectors", c.Vectors, "tokenizer", c.Tokenizer, "prefix", config.Prefixes}
	for i := 0; i < len(first); i += 2 {
		if v := reflect.ValueOf(first[i+1]); v.Len() > 0 {
			if err := line(first[i].(string), first[i+1]); err != nil {
				return err
			}
		}
	}
	minutes, updates, kept := c.checkpoints()
	for _, o := range []option{opt("checkpoint-minutes", nil, &minutes), opt("checkpoint-updates", nil, &updates), opt("checkpoints", nil, &kept)} {
		if err := line(o.name, o.value()); err != nil {
			return err
		}
	}
	for _, g := range c.options(&config) {
		fmt.Fprintf(&b, "\n# %s\n", g.title)
		for _, o := range g.options {
			if o.needs != "" || o.value() == "" {
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
func (c *trainCmd) sameRun(base *trainCmd, config train.Config) error {
	if c.Resume == nil {
		return nil
	}
	folder, _ := c.resumed()
	s, err := summarise(folder)
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(folder, "curve.svg")); s.Status == "done" && err == nil {
		return fmt.Errorf("%s: this run is done: want one that was ended early", folder)
	}
	before, err := base.config(nil)
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Join(folder, runFile), err)
	}
	was := base.options(&before)
	for i, g := range c.options(&config) {
		for k, o := range g.options {
			if now, then := o.value(), was[i].options[k].value(); now != then && o.name != "non-finite" {
				return fmt.Errorf("--%s %v: the run in %s has %v: want the same", o.name, now, folder, then)
			}
		}
	}
	if now, then := c.RunFlags.Prefix, base.RunFlags.Prefix; !slices.Equal(now, then) {
		return fmt.Errorf("--prefix %q: the run in %s has %q: want the same", now, folder, then)
	}
	if len(c.Args) == 0 && slices.Contains(c.Files, "-") {
		return fmt.Errorf("--resume %s: its text came from standard input: want it there again, and - or a file named", folder)
	}
	return nil
}
