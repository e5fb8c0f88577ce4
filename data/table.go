package data

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// Table says where in a file of examples what stands.
//
// "csv" and "tsv" have a row for each example: a text, or numbers. Columns are
// named by the first row, or by their number from 1. A TSV file has no quotes:
// cells are what is between tabs. A table whose Text and Values are empty is of
// texts if a column is called "text" or there are no more than two columns, else
// of numbers.
//
// "jsonl" has a JSON object a line; columns are its fields.
//
// "lines" has a text a line, and the file's name without its folder and suffix
// is the label of all: names/Arabic.txt has names that are Arabic.
//
// "idx" has the images of MNIST; see ReadIDX.
//
// "npz" has arrays of NumPy, at most 1 GiB of them: x of numbers (examples, steps) or
// (examples, steps, channels), which are rounded to float32, y of labels (examples),
// whole numbers or text, and if there is an array lengths (examples), as many steps
// of each example are used. Columns are the names of arrays; others are left out.
// There are at most 2²⁰ examples.
type Table struct {
	// Format: "csv", "tsv", "jsonl", "lines", "idx", "npz", or "" for what FormatOf says.
	Format string `json:"format,omitempty"`

	// Text is the column of the texts. "" is the column "text"; if there is none,
	// the first of two, or the only one, that is not the label.
	Text string `json:"text,omitempty"`

	// Label is the column of the labels, "none" if there are none. "" is the column
	// "label"; if there is none and no column is named, the last of two columns
	// beside a text, the first one beside numbers, else none: a file "text,class" has
	// its labels in class, and "id,text" has none.
	Label string `json:"label,omitempty"`

	// Values are the columns of the numbers of a sequence of one channel, each row
	// as long. "*" alone is all columns but the label: rows may be of any length,
	// and empty cells at the end are none. In JSON lines it is one field, nil for
	// "values": a list of T numbers, or of T lists of F. In npz it is one array, nil for
	// "x".
	Values []string `json:"values,omitempty"`

	// NoHeader says that the first row of a csv or tsv file is an example.
	NoHeader bool `json:"no_header,omitempty"`

	// FoundText and FoundLabel are the columns in which the texts and labels of what a
	// model was trained on were. A file that has a column of such a name has its own
	// there, where Text and Label say nothing; if it may lack labels it has none where
	// it has names and not that of FoundLabel. With a FoundLabel alone there were
	// numbers.
	FoundText  string `json:"found_text,omitempty"`
	FoundLabel string `json:"found_label,omitempty"`

	// MayLack says that what is read is to be labelled: it may have labels or none. A
	// file without a column of the name Label, or that ends just before that of its
	// number, has none, nor has an example whose label is empty, null or missing.
	MayLack bool `json:"-"`

	// Keep says that predictions are to be written: each example keeps its row or
	// object for AppendPredicted.
	Keep bool `json:"-"`
}

const (
	none      = "none" // as the name of a column: there is none
	allOthers = "*"
)

// Validate says which field cannot be, and what is allowed.
func (t Table) Validate() error {
	formats := []string{"", "csv", "tsv", "jsonl", "lines", "idx", "npz"}
	rows := t.Format == "" || t.Format == "csv" || t.Format == "tsv"
	numbers := slices.DeleteFunc(append([]string{t.Text, t.Label}, t.Values...), func(s string) bool {
		_, ok := number(s)
		return ok || s == "" || s == none || s == allOthers
	})
	switch {
	case !slices.Contains(formats, t.Format):
		return fmt.Errorf("data: format of a table %s: want csv, tsv, jsonl, lines, idx or npz", quote(t.Format))
	case t.Text != "" && len(t.Values) > 0:
		return fmt.Errorf("data: a table with text in %s and values in %s: want one of the two", quote(t.Text), quote(t.Values[0]))
	case t.NoHeader && !rows:
		return fmt.Errorf("data: no header, in a table of format %s: want csv or tsv", t.Format)
	case t.NoHeader && len(numbers) > 0:
		return fmt.Errorf("data: column %s of a table without a header: want its number, from 1", quote(numbers[0]))
	case slices.Contains(t.Values, ""):
		return errNoName
	case len(t.Values) > 1 && slices.Contains(t.Values, allOthers):
		return fmt.Errorf("data: values in %q and other columns: want it alone", allOthers)
	case t.Format == "jsonl" && (len(t.Values) > 1 || slices.Contains(t.Values, allOthers)):
		return fmt.Errorf("data: values of JSON lines in %d fields, %s: want one", len(t.Values), quote(t.Values[0]))
	case t.Format == "npz" && (t.Text != "" || len(t.Values) > 1 || slices.Contains(t.Values, allOthers)):
		return fmt.Errorf("data: texts or several columns in a table of format npz: want one array of numbers")
	case (t.Format == "lines" || t.Format == "idx") && (t.Text != "" || len(t.Values) > 0 || t.Label != "" && t.Label != none):
		return fmt.Errorf("data: columns in a table of format %s: want none, as it has no columns", t.Format)
	}
	return nil
}

var errNoName = errors.New(`data: values in a column "": want its name or number`)

// FormatOf is the format of a file of a name: what Format says, else by its
// suffix csv for .csv, tsv for .tsv, jsonl for .jsonl and .ndjson, lines for
// .txt, npz for .npz, idx for idx3-ubyte and idx1-ubyte, with or without .gz.
func (t Table) FormatOf(name string) (string, error) {
	if t.Format != "" {
		return t.Format, nil
	}
	if format, ok := suffixes[strings.ToLower(filepath.Ext(name))]; ok {
		return format, nil
	}
	plain := strings.TrimSuffix(name, ".gz")
	if strings.HasSuffix(plain, "idx3-ubyte") || strings.HasSuffix(plain, "idx1-ubyte") {
		return "idx", nil
	}
	return "", fileError(name, "a name that tells no format: want .csv, .tsv, .jsonl, .ndjson, .txt or .npz, or a format given")
}

var suffixes = map[string]string{".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".txt": "lines", ".npz": "npz"}

// errLacks is the error of a column that a file may lack.
type errLacks struct{ error }

// column is the index of a column by its name or number. header is the first
// row, with the names unless there are none. A name that is not there, and the
// number behind the last, is an errLacks.
func column(header []string, named bool, name string) (int, error) {
	at := slices.Index(header, name)
	if named && at >= 0 {
		if slices.Contains(header[at+1:], name) {
			return 0, fmt.Errorf("two columns are called %s: want a column's number", quote(name))
		}
		return at, nil
	}
	n, ok := number(name)
	switch {
	case ok && n <= len(header):
		return n - 1, nil
	case !ok && named:
		return 0, errLacks{fmt.Errorf("no column %s: there are %s", quote(name), list(header))}
	}
	err := fmt.Errorf("no column %s: there are %d", quote(name), len(header))
	if n == len(header)+1 {
		err = errLacks{err}
	}
	return 0, err
}

// list shows the first names of many.
func list(names []string) string {
	const most = 12
	var b strings.Builder
	for i, name := range names[:min(most, len(names))] {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(quote(name))
	}
	if len(names) > most {
		fmt.Fprintf(&b, " and %d more", len(names)-most)
	}
	return b.String()
}

// layout is a Table as it is in one file.
type layout struct {
	format  string
	header  string   // the row of the names, "" if there is none
	names   []string // of the columns, nil if there are none
	width   int      // number of columns of the first row
	text    int      // columns; −1 for none
	label   int
	values  []int
	rest    bool // the values are all columns but the label
	guessed bool // that there are numbers, as no column is called text
	mayLack bool // a label

	textName, labelName string // of the columns, "" without
}

// layoutOf finds the columns of a csv or tsv file by its first row.
func (t Table) layoutOf(format string, first []string) (*layout, error) {
	l := &layout{format: format, width: len(first), text: -1, label: -1, mayLack: t.MayLack}
	if !t.NoHeader {
		l.names = slices.Clone(first)
		for i, name := range l.names {
			l.names[i] = strings.Clone(strings.TrimSpace(name))
		}
	}
	find := func(name string) (int, error) { return column(orElse(l.names, first), !t.NoHeader, name) }
	var err error
	label, text := "label", "text"
	switch {
	case t.FoundLabel == "":
	case slices.Contains(l.names, t.FoundLabel):
		label = t.FoundLabel
	case t.Label == "" && t.MayLack && l.names != nil:
		t.Label = none
	}
	if t.FoundText != "" && slices.Contains(l.names, t.FoundText) {
		text = t.FoundText
	}
	switch {
	case t.Label == none:
	case t.Label != "":
		l.label, err = find(t.Label)
		if t.MayLack && errors.As(err, new(errLacks)) {
			l.label, err, t.Label = -1, nil, none
		}
		if err != nil {
			return nil, err
		}
	case slices.Contains(l.names, label):
		if l.label, err = find(label); err != nil {
			return nil, err
		}
	}
	switch {
	case t.Text != "":
		l.text, err = find(t.Text)
	case len(t.Values) == 0 && slices.Contains(l.names, text):
		l.text, err = find(text)
		l.label = l.second(t)
	case len(t.Values) == 0 && l.width <= 2 && (t.FoundText != "" || t.FoundLabel == ""):
		l.text = 0
		if l.label == 0 {
			l.text = l.width - 1
		}
		l.label = l.second(t)
	case len(t.Values) == 0 || t.Values[0] == allOthers:
		l.rest, l.guessed = true, len(t.Values) == 0
		if l.label < 0 && t.Label != none {
			l.label = 0
		}
	default:
		l.values = make([]int, len(t.Values))
		for i, name := range t.Values {
			if l.values[i], err = find(name); err != nil {
				return nil, err
			}
		}
	}
	if err == nil {
		err = l.check(first)
	}
	l.textName, l.labelName = l.name(l.text), l.name(l.label)
	return l, err
}

func orElse(names, first []string) []string {
	if names != nil {
		return names
	}
	return first
}

// second is the column of the labels beside a text that was found by itself: the
// last of two where no other is.
func (l *layout) second(t Table) int {
	if l.width == 2 && l.label < 0 && l.text == 0 && t.Label != none {
		return 1
	}
	return l.label
}

// check refuses a column with two parts to play, and a header that is none.
func (l *layout) check(first []string) error {
	switch {
	case l.label < 0:
	case l.text == l.label:
		return fmt.Errorf("column %d is both label and text: want two columns", l.label+1)
	case slices.Contains(l.values, l.label):
		return fmt.Errorf("column %d is both label and values: want two columns", l.label+1)
	}
	if l.text >= 0 || l.names == nil {
		return nil
	}
	numbers := 0
	for i, cell := range first {
		if _, err := parseValue(cell); err != nil {
			continue
		}
		if numbers++; strings.Contains(cell, ".") || numbers == l.width {
			return fmt.Errorf("column %d: %s is a number: want a header of names, or to be told that there is none", i+1, quote(cell))
		}
	}
	return nil
}

// name is that of a column, "" if it has none of its own.
func (l *layout) name(i int) string {
	if i < 0 || i >= len(l.names) || slices.Contains(l.names[i+1:], l.names[i]) || slices.Index(l.names, l.names[i]) < i {
		return ""
	}
	return l.names[i]
}

// at names a column in an error.
func (l *layout) at(i int) string {
	if i < len(l.names) && l.names[i] != "" {
		return fmt.Sprintf("column %d (%s)", i+1, quote(l.names[i]))
	}
	return fmt.Sprintf("column %d", i+1)
}
