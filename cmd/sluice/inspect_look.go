package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"sluice/model"
)

// lookFlags are those of inspect that look inside of a model at work.
type lookFlags struct {
	pictureFlags `embed:""`

	Gates      *string `placeholder:"TEXT" help:"Draw the gates and states over the symbols of a text, the words of a sentence to tag, or the first example or the last window of a file of numbers."`
	Gradients  bool    `help:"Draw how much of a gradient is left some steps back; without a MODEL of a new RNN, GRU and LSTM, and one that explodes."`
	Timescales bool    `help:"Draw how long each unit remembers against what its gates do."`

	Data   string  `placeholder:"NAME" help:"With --gradients and --timescales: run over a text by name, the whole of it: sluice data lists them."`
	Lags   *int    `placeholder:"N" help:"With --gradients and --timescales: steps looked back or on (100)."`
	Rows   *int    `placeholder:"N" help:"With --gradients and --timescales: random places in the text (256)."`
	Seed   *uint64 `placeholder:"N" help:"With --gradients and --timescales: of those places, changes and new weights (1)."`
	Hidden *int    `placeholder:"N" help:"With --gradients without a MODEL: width of the state (128)."`
	Init   *string `type:"choice" placeholder:"pytorch|normal|xavier" help:"With --gradients without a MODEL: how weights start (pytorch)."`

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

// openText opens the language model that an argument names.
func openText(e *env, arg string) (path string, m *model.Model, err error) {
	if path, m, err = open(e, arg); err == nil {
		err = readsText(m, path)
	}
	return path, m, err
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

// defaultName is that of the picture where none is named; figures as JSON need
// no picture.
func (c *inspectCmd) defaultName(name string) string {
	if c.JSON {
		return ""
	}
	return name
}
