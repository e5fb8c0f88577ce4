package main

import (
	"path/filepath"
	"slices"
	"strings"

	"sluice/data"
	"sluice/model"
	"sluice/train"
)

// layout is how the files are laid out that a model is to read: as those that it
// was trained on, but for what flags and their names say.
type layout struct {
	config  train.Config
	flags   fileFlags
	answers bool   // what is read is to be answered, not scored
	usual   string // the format of standard input and of a text, "" for that of files without a name that tells
}

// layoutOf takes the flags over.
func layoutOf(m *model.Model, config train.Config, flags fileFlags, answers bool) (layout, error) {
	config.Model.Task = m.Task
	if err := take(flags.options(&config)); err != nil {
		return layout{}, err
	}
	if flags.WordColumn == nil && flags.TagColumn == nil && config.Columns.Validate() != nil { // of another format
		config.Columns = data.Columns{Format: config.Columns.Format}
	}
	for _, validate := range []func() error{config.Columns.Validate, config.Table.Validate, config.Series.Validate} {
		if err := validate(); err != nil {
			return layout{}, err
		}
	}
	if m.Task == model.Forecast && flags.Values == nil { // whatever else is in the file
		config.Series.Values = m.Names.Series.Names
	}
	l := layout{config: config, flags: flags, answers: answers}
	switch {
	case m.Task == model.Forecast:
		l.usual = "csv"
	case !answers:
	case m.Task == model.Tag:
		l.usual = "text"
	case m.Features > 0: // a line is no sequence of numbers
		l.usual = "jsonl"
	default:
		l.usual = "lines"
	}
	return l, nil
}

// format is that of a file: what the flag says, else what its name says, which is
// "", else trained, that of what the model was trained on.
func (l layout) format(name, trained string) string {
	ending := strings.ToLower(filepath.Ext(name))
	switch {
	case l.flags.Format != nil:
		return trained // with the flag
	case slices.Contains([]string{".csv", ".tsv", ".jsonl", ".ndjson", ".conllu", ".npz"}, ending) || labelsOf(name) != "":
		return ""
	case l.usual != "" && (name == "-" || ending == ".txt" && trained == ""):
		return l.usual
	}
	return trained
}

// columns is the layout of a file of sentences. Columns that its format does not
// have are not those of the file trained on.
func (l layout) columns(name string) data.Columns {
	c := l.config.Columns
	c.Format = l.format(name, c.Format)
	if c = c.Of(name); c.Format == "" {
		c.Format = "columns"
	}
	if f := l.flags; f.WordColumn == nil && f.TagColumn == nil && c.Validate() != nil {
		return data.Columns{Format: c.Format}
	}
	return c
}

// table is the layout of a file of examples, likewise.
func (l layout) table(name string) data.Table {
	t := l.config.Table
	t.Format = l.format(name, t.Format)
	if format, err := t.FormatOf(name); err == nil {
		t.Format = format
	}
	t.Keep = l.answers
	t.MayLack = t.Keep && l.flags.LabelColumn == nil
	if f := l.flags; f.TextColumn == nil && f.LabelColumn == nil && f.Values == nil && f.Header == nil && t.Validate() != nil {
		return data.Table{Format: t.Format, MayLack: t.MayLack, Keep: t.Keep}
	}
	return t
}

// series is the layout of a file of series, likewise.
func (l layout) series(name string) data.SeriesTable {
	t := l.config.Series
	t.Format = l.format(name, t.Format)
	if t.FormatOf(name) == "npz" && l.flags.TimeColumn == nil {
		t.Time = ""
	}
	return t
}
