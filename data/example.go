package data

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"path/filepath"
	"strings"
)

// Example is a sequence with its label: a text, or T steps of F numbers.
type Example struct {
	Text   string    // "" of numbers
	Values []float32 // (T, F), nil of a text
	F      int       // channels of Values, 0 of a text
	Label  string    // "" if its file has none
	File   string    // that it is of, "" of none
	Line   int       // where it starts in its file, from 1; of images its number

	// TextColumn and LabelColumn are the names of the columns or fields that Text and
	// Label stand in; "" where they have none.
	TextColumn, LabelColumn string

	raw    string  // as it stands in the file, of a Table that keeps it
	layout *layout // of its file, else nil
}

// Place is the file and the line, for an error.
func (e Example) Place() string { return place(e.File, e.Line) }

// ReadExamples reads a file of examples, one at a time, as the table says. name
// is for errors, for the format if the table has none, and for the label of
// "lines". White space around a label is not part of it. All examples of a file
// have a label or none has, but for a table that may lack some, and all have the same number of channels. Blank lines
// are skipped.
//
// What is wrong ends the sequence with one error that names the file, the line
// and the column: a table that does not fit, text that is not UTF-8, a row that
// is too short or too long, a text or label that is empty, a sequence that is
// empty or has something else than finite numbers, a line of more than 16 MiB,
// and a file without examples.
func ReadExamples(name string, r io.Reader, t Table) iter.Seq2[Example, error] {
	return func(yield func(Example, error) bool) {
		if err := readExamples(name, r, t, yield); err != nil {
			yield(Example{}, err)
		}
	}
}

// errStop is that the caller wants no more.
var errStop = errors.New("stop")

func readExamples(name string, r io.Reader, t Table, yield func(Example, error) bool) error {
	format, err := t.FormatOf(name)
	if err != nil {
		return err
	}
	t.Format = format
	if err := t.Validate(); err != nil {
		return err
	}
	none, file := true, shown(name)
	give := func(e Example) error {
		none, e.File = false, file
		if !yield(e, nil) {
			return errStop
		}
		return nil
	}
	switch format {
	case "csv", "tsv":
		err = t.readRows(newRecords(name, r, format), give)
	case "jsonl":
		err = t.readObjects(newLines(name, r), give)
	case "lines":
		err = t.readLines(newLines(name, r), give)
	case "idx":
		err = readIDX(name, r, "", nil, give)
	case "npz":
		err = t.readArrays(name, r, give)
	}
	switch {
	case err == io.EOF && none:
		return fileError(name, "no examples: want at least one")
	case err == io.EOF || err == errStop:
		return nil
	}
	return err
}

// readLines gives the lines of a file, all of one label, and ends with io.EOF.
func (t Table) readLines(in *lines, give func(Example) error) error {
	label := strings.TrimSuffix(filepath.Base(in.name), filepath.Ext(in.name))
	if t.Label == none || in.name == "-" {
		label = ""
	}
	for {
		line, err := in.text()
		if err != nil {
			return err
		}
		if blank(line) {
			continue
		}
		if err := give(Example{Text: string(line), Label: label, Line: in.line}); err != nil {
			return err
		}
	}
}

// readRows gives the rows of a table, and ends with io.EOF.
func (t Table) readRows(in *records, give func(Example) error) error {
	var l *layout
	for {
		cells, err := in.next()
		if err != nil {
			return err
		}
		if l == nil {
			if l, err = t.layoutOf(t.Format, cells); err != nil {
				return in.errorf(in.start, "%w", err)
			}
			if !t.NoHeader {
				l.header = string(in.raw)
				continue
			}
		}
		e, err := l.example(cells)
		if err != nil {
			return in.errorf(in.start, "%w", err)
		}
		e.Line, e.TextColumn, e.LabelColumn = in.start, l.textName, l.labelName
		if t.Keep {
			e.layout, e.raw = l, l.padded(in.raw, len(cells))
		}
		if err := give(e); err != nil {
			return err
		}
	}
}

// example is that of a row.
func (l *layout) example(cells []string) (e Example, err error) {
	switch {
	case !l.rest && len(cells) != l.width:
		return e, fmt.Errorf("%d columns, and the first row has %d: want as many, a cell with a separator in quotes", len(cells), l.width)
	case l.label >= len(cells) && !l.mayLack:
		return e, fmt.Errorf("%d columns: want a label in %s", len(cells), l.at(l.label))
	}
	if l.label >= 0 && l.label < len(cells) {
		if e.Label = strings.TrimSpace(cells[l.label]); e.Label == "" && !l.mayLack {
			return e, fmt.Errorf("%s: empty: want a label", l.at(l.label))
		}
	}
	switch {
	case l.text >= 0:
		if e.Text = cells[l.text]; strings.TrimSpace(e.Text) == "" {
			err = fmt.Errorf("%s: empty: want a text", l.at(l.text))
		}
		return e, err
	case l.rest:
		e.Values, err = l.others(cells)
	default:
		e.Values = make([]float32, 0, len(l.values))
		for _, i := range l.values {
			if e.Values, err = l.appendCell(e.Values, cells, i); err != nil {
				break
			}
		}
	}
	e.F = 1
	return e, err
}

// others is the values of a row in all columns but the label.
func (l *layout) others(cells []string) (values []float32, err error) {
	n := len(cells)
	for n > 0 && (n-1 == l.label || strings.TrimSpace(cells[n-1]) == "") {
		n--
	}
	values = make([]float32, 0, n)
	for i := range n {
		if i == l.label {
			continue
		}
		if values, err = l.appendCell(values, cells, i); err != nil {
			return nil, err
		}
	}
	if len(values) == 0 {
		return nil, errors.New("a sequence without values: want at least one number")
	}
	return values, nil
}

func (l *layout) appendCell(values []float32, cells []string, i int) ([]float32, error) {
	v, err := parseValue(cells[i])
	switch {
	case err != nil && l.guessed:
		return nil, fmt.Errorf("%s: %w, or to be told which column has texts", l.at(i), err)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", l.at(i), err)
	}
	return append(values, float32(v)), nil
}
