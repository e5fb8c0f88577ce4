package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"sluice/internal/disk"
	"sluice/look/picture"
	"sluice/model"
)

// lookFlags are those of inspect that look inside of a model at work.
type lookFlags struct {
	Gates      *string `placeholder:"TEXT" help:"Draw the gates and states over the symbols of a text."`
	Gradients  bool    `help:"Draw how much of a gradient is left some steps back; without a MODEL of a new RNN, GRU and LSTM, and one that explodes."`
	Timescales bool    `help:"Draw how long each unit remembers against what its gates do."`

	Out    []string `short:"o" sep:"none" placeholder:"FILE" help:"Of these: the file, a .png, a .svg or the numbers as .npz (gates.png, gradients.png, timescales.png); may be given again."`
	Force  bool     `help:"Write over files that exist."`
	Data   string   `placeholder:"NAME" help:"With --gradients and --timescales: run over a built-in corpus, the whole of it: lyrics, english."`
	Lags   *int     `placeholder:"N" help:"With --gradients and --timescales: steps looked back or on (100)."`
	Rows   *int     `placeholder:"N" help:"With --gradients and --timescales: random places in the text (256)."`
	Seed   *uint64  `placeholder:"N" help:"With --gradients and --timescales: of those places, changes and new weights (1)."`
	Hidden *int     `placeholder:"N" help:"With --gradients without a MODEL: width of the state (128)."`
	Init   *string  `type:"choice" placeholder:"pytorch|normal|xavier" help:"With --gradients without a MODEL: how weights start (pytorch)."`

	threadsFlag `embed:""`
}

// look is the way to look inside that was asked for, nil for none.
func (c *inspectCmd) look() (func(*env) error, error) {
	var asked []string
	for _, f := range []struct {
		name  string
		given bool
	}{{"--gates", c.Gates != nil}, {"--gradients", c.Gradients}, {"--timescales", c.Timescales}} {
		if f.given {
			asked = append(asked, f.name)
		}
	}
	if len(asked) > 1 {
		return nil, usage("%s and %s: want one at a time", asked[0], asked[1])
	}
	const any, text = "--gates, --gradients or --timescales", "--gradients or --timescales"
	over := c.Gradients || c.Timescales
	if err := actWith([]condition{
		{"out", len(c.Out) > 0, len(asked) > 0, any}, {"force", c.Force, len(asked) > 0, any}, {"threads", c.Threads != nil, len(asked) > 0, any},
		{"data", c.Data != "", over, text}, {"lags", c.Lags != nil, over, text}, {"rows", c.Rows != nil, over, text}, {"seed", c.Seed != nil, over, text},
		{"hidden", c.Hidden != nil, c.Gradients, "--gradients"}, {"init", c.Init != nil, c.Gradients, "--gradients"},
	}); err != nil {
		return nil, err
	}
	switch {
	case c.Gates != nil:
		return c.gates, nil
	case c.Gradients:
		return c.gradients, nil
	case c.Timescales:
		return c.timescales, nil
	}
	return nil, nil
}

// split tells the models among the arguments from the texts after them.
func (c *inspectCmd) split() (models, texts []string, err error) {
	n := 0
	for n < len(c.Args) && isModel(c.Args[n]) {
		n++
	}
	models, texts = c.Args[:n], c.Args[n:]
	if c.Data != "" && len(texts) > 0 {
		return nil, nil, usage("--data %s and the file %s: want one or the other", c.Data, texts[0])
	}
	return models, texts, nil
}

// outputs are the files to write: those of --out, or else one of a name, or
// none beside --json. It is an error if one is there already.
func (c *inspectCmd) outputs(name string) ([]string, error) {
	paths := c.Out
	if len(paths) == 0 && !c.JSON {
		paths = []string{name + ".png"}
	}
	for i, path := range paths {
		switch {
		case !slices.Contains(picture.Endings, ending(path)):
			return nil, usage("--out %s: want a name that ends in .png, .svg or .npz", path)
		case slices.Contains(paths[:i], path):
			return nil, usage("--out %s: given twice", path)
		}
		if err := c.free(path); err != nil {
			return nil, err
		}
	}
	return paths, nil
}

func ending(path string) string { return strings.ToLower(filepath.Ext(path)) }

// free is the error of a file that must not be written.
func (c *inspectCmd) free(path string) error {
	info, err := os.Lstat(path)
	switch {
	case err == nil && info.IsDir():
		return fmt.Errorf("%s: a folder, want the name of a file", path)
	case err == nil && !c.Force:
		return fmt.Errorf("%s: it exists already: want --force or another --out", path)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: %w", path, cause(err))
	}
	if _, err := os.Stat(filepath.Dir(path)); err != nil {
		return fmt.Errorf("%s: %w", path, cause(err))
	}
	return nil
}

// drawable is the error of a figure of which a picture was asked and cannot
// be.
func drawable(f picture.Picture, paths []string) error {
	if slices.ContainsFunc(paths, func(p string) bool { return ending(p) != ".npz" }) {
		return f.Drawable()
	}
	return nil
}

// write writes f to the files, each whole or not at all.
func (c *inspectCmd) write(e *env, f picture.Picture, paths []string) error {
	if err := drawable(f, paths); err != nil {
		return err
	}
	for _, path := range paths {
		if err := e.ctx.Err(); err != nil {
			return err
		}
		if err := c.free(path); err != nil { // it took a while
			return err
		}
		if err := disk.WriteAtomic(disk.OS, path, func(w io.Writer) error { return picture.Write(w, ending(path), f) }); err != nil {
			return err
		}
	}
	return nil
}

// of says what an error of package look is about.
func of(what string, err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	return fmt.Errorf("%s: %s", what, oneLine(err.Error()))
}

// wrote tells of the files.
func wrote(w io.Writer, paths []string) {
	for i, path := range paths {
		paths[i] = visible(path)
	}
	if len(paths) > 0 {
		fmt.Fprintf(w, "wrote  %s\n", strings.Join(paths, ", "))
	}
}

// waiting shows how far a command is that takes more than a moment.
type waiting struct {
	status
	what  string
	now   func() time.Time
	began time.Time
	shown time.Time
}

func newWaiting(e *env) *waiting {
	now := time.Now()
	return &waiting{status: newStatus(e.stderr), now: time.Now, began: now, shown: now}
}

// progress is called with how much of what is done.
func (w *waiting) progress(done, total int) {
	every := plainEvery
	if w.width != nil {
		every = refresh
	}
	now := w.now()
	if now.Sub(w.began) < time.Second || now.Sub(w.shown) < every {
		return
	}
	w.shown = now
	if line := fmt.Sprintf("%s: %d %%", w.what, 100*done/max(1, total)); w.width != nil {
		w.show("%s", line)
	} else {
		fmt.Fprintln(w.w, line)
	}
}

// named is a model in a few words.
func named(m *model.Model) string {
	c := m.RNN
	name := fmt.Sprintf("%s %d", c.Cell, c.Hidden)
	if c.Layers > 1 {
		name += fmt.Sprintf(" × %d", c.Layers)
	}
	return name
}

// learned is what a model was trained on.
func learned(m *model.Model) string {
	if m.History.TrainSymbols == 0 {
		return "untrained"
	}
	return "trained on " + cmp.Or(m.History.Corpus, "a text")
}
