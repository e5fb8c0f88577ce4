package main

import (
	"strconv"
	"strings"

	"sluice/model"
	"sluice/train"
)

// fileFlags say how the files of sequences are laid out. A nil flag was not given.
type fileFlags struct {
	Format      *string   `type:"choice" placeholder:"columns|conllu|jsonl|text|csv|tsv|lines|idx|npz" help:"Of the files (by their names)."`
	WordColumn  *int      `placeholder:"N" help:"tag: column of the words (the first)."`
	TagColumn   *string   `placeholder:"N|NAME" help:"tag: column of the tags (the last); of CoNLL-U upos, xpos, feats or deprel."`
	TextColumn  *string   `placeholder:"N|NAME" help:"classify: column of the texts."`
	LabelColumn *string   `placeholder:"N|NAME" help:"classify: column of the labels, none for none."`
	Values      *listFlag `placeholder:"NAME,…" help:"classify, forecast: columns of the numbers, of classify also * for all but the label; none for what is usual."`
	Header      *bool     `negatable:"" help:"classify: the first row names the columns (yes)."`
	TimeColumn  *string   `placeholder:"N|NAME" help:"forecast: column of the times, none for none."`
	Gaps        *string   `type:"choice" placeholder:"error|last|linear" help:"forecast: what becomes of rows and values that are missing (error)."`
}

// dataFlags say what else becomes of what is in the files.
type dataFlags struct {
	Scheme  *string `type:"choice" placeholder:"iob1|iob2|bioes" help:"tag: bring tags of spans to this scheme (theirs)."`
	MaxRows *int    `placeholder:"N" help:"forecast: only so many rows from the start; 0: all."`
	Season  *int    `placeholder:"N" help:"forecast: steps of a season, for the seasonal naive forecast; 0: none."`
}

// listFlag is names or numbers with commas between, or none.
type listFlag []string

// UnmarshalText reads the flag's value.
func (f *listFlag) UnmarshalText(text []byte) error {
	*f = nil
	if string(text) == "none" {
		return nil
	}
	for part := range strings.SplitSeq(string(text), ",") {
		*f = append(*f, strings.TrimSpace(part))
	}
	return nil
}

func (f listFlag) String() string {
	if len(f) == 0 {
		return "none"
	}
	return strings.Join(f, ",")
}

// optList binds a flag to a list of names.
func optList(name string, flag *listFlag, field *[]string) option {
	return option{
		name: name, given: flag != nil,
		take: func() {
			if flag != nil {
				*field = *flag
			}
		},
		value: func() any { return listFlag(*field).String() },
	}
}

// quantilesFlag is numbers with commas between, or none.
type quantilesFlag []float64

// UnmarshalText reads the flag's value.
func (f *quantilesFlag) UnmarshalText(text []byte) error {
	var list listFlag
	list.UnmarshalText(text)
	*f = nil
	for _, part := range list {
		q, err := strconv.ParseFloat(part, 64)
		if err != nil {
			return usage("%q: want numbers such as 0.1,0.9 or none", string(text))
		}
		*f = append(*f, q)
	}
	return nil
}

func (f *quantilesFlag) option(name string, field *[]float64) option {
	return option{
		name: name, given: f != nil,
		take: func() {
			if f != nil {
				*field = *f
			}
		},
		value: func() any {
			var list listFlag
			for _, q := range *field {
				list = append(list, strconv.FormatFloat(q, 'g', -1, 64))
			}
			return list.String()
		},
	}
}

// options are of the files of the Config's task.
func (f fileFlags) options(c *train.Config) []option {
	format := &c.Columns.Format
	switch c.Model.Task {
	case model.Classify:
		format = &c.Table.Format
	case model.Forecast:
		format = &c.Series.Format
	}
	header := !c.Table.NoHeader
	values := &c.Table.Values
	if c.Model.Task == model.Forecast {
		values = &c.Series.Values
	}
	tag, classify, forecast := c.Model.Task == model.Tag, c.Model.Task == model.Classify, c.Model.Task == model.Forecast
	headed := opt("header", f.Header, &header)
	headed.take = func() {
		if f.Header != nil {
			c.Table.NoHeader = !*f.Header
		}
	}
	return []option{
		opt("format", f.Format, format).with(tag || classify || forecast, "files of task tag, classify or forecast"),
		opt("word-column", f.WordColumn, &c.Columns.Word).with(tag, "task tag"),
		opt("tag-column", f.TagColumn, &c.Columns.Tag).with(tag, "task tag"),
		opt("text-column", f.TextColumn, &c.Table.Text).with(classify, "task classify"),
		opt("label-column", f.LabelColumn, &c.Table.Label).with(classify, "task classify"),
		optList("values", f.Values, values).with(classify || forecast, "task classify or forecast"),
		headed.with(classify, "task classify"),
		opt("time-column", f.TimeColumn, &c.Series.Time).with(forecast, "task forecast"),
		opt("gaps", f.Gaps, &c.Series.Gaps).with(forecast, "task forecast"),
	}
}

func (f dataFlags) options(c *train.Config) []option {
	forecast := c.Model.Task == model.Forecast
	return []option{
		opt("scheme", f.Scheme, (*string)(&c.Scheme)).with(c.Model.Task == model.Tag, "task tag"),
		opt("max-rows", f.MaxRows, &c.MaxRows).with(forecast, "task forecast"),
		opt("season", f.Season, &c.Season).with(forecast, "task forecast"),
	}
}

// taskModelFlags are of models of one task.
type taskModelFlags struct {
	Lower       *bool          `negatable:"" help:"tag: look words up in lower case."`
	Chars       *int           `placeholder:"N" help:"tag: width of a character's embedding, by which words are spelled; 0: they are not."`
	CharsHidden *int           `placeholder:"N" help:"tag: units of each direction that reads the characters."`
	CRF         *bool          `name:"crf" negatable:"" help:"tag: score sequences of tags as a whole."`
	Pool        *string        `type:"choice" placeholder:"last|mean|max|attention" help:"classify: what the head reads of a sequence."`
	Window      *int           `placeholder:"N" help:"forecast: steps read."`
	Horizon     *int           `placeholder:"N" help:"forecast: steps forecast."`
	Segment     *int           `placeholder:"N" help:"forecast: steps of a segment; 0: recursively, step by step."`
	Quantiles   *quantilesFlag `placeholder:"Q,Q,…" help:"forecast: quantiles beside the mean, or none."`
}

// choose sets what other flags depend on.
func (f taskModelFlags) choose(c *train.Config, embed, hidden *int) {
	m := &c.Model
	if f.Chars != nil && *f.Chars == 0 && f.CharsHidden == nil {
		m.Chars.Hidden = 0
	}
	if m.Task != model.Forecast {
		return
	}
	if f.Segment != nil && *f.Segment == 0 && f.Quantiles == nil {
		m.Forecast.Quantiles = nil
	}
	segment := m.Forecast.Segment
	if set(&segment, f.Segment); embed == nil && (f.Segment != nil || hidden != nil) {
		if m.Embed = m.RNN.Hidden; segment == 0 {
			m.Embed = 0
		}
	}
	if m.Embed == 0 && segment == 0 {
		m.InputDropout = 0
	}
}

func (f taskModelFlags) options(c *train.Config) []option {
	m := &c.Model
	tag, classify, forecast := m.Task == model.Tag, m.Task == model.Classify, m.Task == model.Forecast
	return []option{
		opt("lower", f.Lower, &m.Lower).with(tag, "task tag"),
		opt("chars", f.Chars, &m.Chars.Embed).with(tag, "task tag"),
		opt("chars-hidden", f.CharsHidden, &m.Chars.Hidden).with(tag, "task tag"),
		opt("crf", f.CRF, &m.CRF).with(tag, "task tag"),
		opt("pool", f.Pool, &m.Pool).with(classify, "task classify"),
		opt("window", f.Window, &m.Forecast.Window).with(forecast, "task forecast"),
		opt("horizon", f.Horizon, &m.Forecast.Horizon).with(forecast, "task forecast"),
		opt("segment", f.Segment, &m.Forecast.Segment).with(forecast, "task forecast"),
		f.Quantiles.option("quantiles", &m.Forecast.Quantiles).with(forecast, "task forecast"),
	}
}
