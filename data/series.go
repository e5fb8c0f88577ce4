package data

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Series is a time series of N rows, one step apart, and C channels.
type Series struct {
	Names  []string    // (C)
	Times  []time.Time // (N), nil without a column of times
	Step   Step        // from one row to the next; zero without a column of times
	Values []float64   // (N, C)

	layout string // how the file writes times
}

// SeriesTable says where in a file what stands, and what becomes of gaps.
type SeriesTable struct {
	// Format: "csv", "tsv", "jsonl" or "npz", or "" for the suffix of the file, as in
	// Table.
	Format string `json:"format,omitempty"`

	// Time is the column of the times, by its name or its number from 1, "none" if
	// there is none. "" is the first column if it is called date, time, timestamp or
	// year, or its first cell is a time other than a year or Unix seconds.
	Time string `json:"time,omitempty"`

	// Values are the columns of numbers, none for all but that of the times.
	Values []string `json:"values,omitempty"`

	// Gaps is what becomes of rows that are missing between others and of cells
	// that are empty, NaN, NA or null: "error" (zero value), "last" repeats the
	// value before, "linear" draws a line from the value before to the value after.
	// A gap with nothing before it, for "linear" also one with nothing after it, is
	// always an error, and so are more missing rows than the file has.
	Gaps string `json:"gaps,omitempty"`
}

// Validate says which field cannot be, and what is allowed.
func (t SeriesTable) Validate() error {
	switch {
	case !slices.Contains([]string{"", "csv", "tsv", "jsonl", "npz"}, t.Format):
		return fmt.Errorf("data: format of a series %s: want csv, tsv, jsonl or npz", quote(t.Format))
	case !slices.Contains([]string{"", "error", "last", "linear"}, t.Gaps):
		return fmt.Errorf("data: gaps %s: want error, last or linear", quote(t.Gaps))
	case slices.Contains(t.Values, ""):
		return errNoName
	}
	return nil
}

// FormatOf is the format of a file of a name: what Format says, else what its
// suffix does, as in Table; "" if neither does.
func (t SeriesTable) FormatOf(name string) string {
	return cmp.Or(t.Format, suffixes[strings.ToLower(filepath.Ext(name))])
}

// Len is N.
func (s *Series) Len() int { return len(s.Values) / len(s.Names) }

// Time is the time of row i, which may lie behind the last; the zero time without
// a column of times.
func (s *Series) Time(i int) time.Time {
	switch n := len(s.Times); {
	case n == 0:
		return time.Time{}
	case i < n:
		return s.Times[i]
	default:
		return s.Step.After(s.Times[n-1], i-n+1)
	}
}

// Following names n rows from row i on, which may lie behind the last: their times
// as the file writes them, or the numbers of the steps from 1.
func (s *Series) Following(i, n int) []string {
	names := make([]string, n)
	for k := range names {
		names[k] = strconv.Itoa(k + 1)
		if s.Times != nil {
			names[k] = formatTime(s.layout, s.Time(i+k))
		}
	}
	return names
}

// ReadSeries reads a time series with a row, or an object of JSON lines, for each
// step. The first row names the columns; the objects all have the fields of the
// first. Blank lines are skipped: in a file of one column write NaN for a gap. name
// is for errors and for the format if the table has none.
//
// A file of NumPy's npz has an array values of numbers (N, C) or (N), in which NaN is
// a gap, and may have one names of text (C), else the series are called by their
// numbers from 1. It has no times, and at most 1 GiB.
//
// Times are as in RFC 3339, "2006-01-02 15:04:05" with or without seconds and
// with a space or a T, "2006-01-02", "2006-01", "2006", or Unix seconds of 9 or 10
// digits; all are written as the first one is, and are UTC unless they say
// otherwise. They come in order, and one step apart: the distance of most
// neighbours, months or years if all are at the same day and hour or at the ends
// of months, else a duration of real time: where the clocks of a zone change, days at
// the same hour are not one step apart, but dates without hour and zone are.
//
// What is wrong is one error that names the file, the line and the column: a time
// twice, out of order or off the steps, anything but a number within the range of
// a float32, and a gap as the table says.
func ReadSeries(name string, r io.Reader, t SeriesTable) (*Series, error) {
	if err := t.Validate(); err != nil {
		return nil, err
	}
	format := t.FormatOf(name)
	b := &seriesBuilder{t: t, time: -1}
	var err error
	switch format {
	case "csv", "tsv":
		err = b.readRows(newRecords(name, r, format))
	case "jsonl":
		err = b.readObjects(newLines(name, r))
	case "npz":
		err = b.readArrays(name, r)
	default:
		err = fileError(name, "a name that tells no format of a series: want .csv, .tsv, .jsonl, .ndjson, .npz, or a format given")
	}
	if err != nil {
		return nil, err
	}
	if len(b.lines) == 0 || b.time >= 0 && len(b.lines) == 1 {
		return nil, fileError(name, "%d rows of numbers: want at least 1, or 2 with times", len(b.lines))
	}
	if b.time >= 0 {
		if err := b.fillRows(); err != nil {
			return nil, fileError(name, "%w", err)
		}
	}
	if err := b.fillCells(); err != nil {
		return nil, fileError(name, "%w", err)
	}
	return &b.s, nil
}

// seriesBuilder gathers the rows of a series; what is missing is NaN.
type seriesBuilder struct {
	t      SeriesTable
	s      Series
	header []string
	time   int   // column, −1 for none
	values []int // (C) columns
	lines  []int // (N) where the rows stand, 0 for one that was filled
}

func (b *seriesBuilder) readRows(in *records) error {
	for head := 0; ; {
		cells, err := in.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		switch {
		case b.header == nil:
			head = in.start
			for _, cell := range cells {
				b.header = append(b.header, strings.Clone(strings.TrimSpace(cell)))
			}
			continue
		case len(cells) != len(b.header):
			return in.errorf(in.start, "%d columns, and the first row has %d: want as many", len(cells), len(b.header))
		case b.values == nil:
			err := b.begin(cells)
			if err == nil {
				err = b.checkHeader(cells)
			}
			if err != nil {
				return in.errorf(head, "%w", err)
			}
		}
		if err := b.row(in.start, cells); err != nil {
			return in.errorf(in.start, "%w", err)
		}
	}
}

// begin finds the columns by their names and the first row. What is wrong is in the
// header.
func (b *seriesBuilder) begin(cells []string) (err error) {
	switch {
	case b.t.Time == none:
	case b.t.Time != "":
		b.time, err = column(b.header, true, b.t.Time)
	case isTimeName(b.header[0]) || timeLayout(cells[0], false) != "":
		b.time = 0
	}
	if err != nil {
		return err
	}
	for i := range b.header {
		if len(b.t.Values) == 0 && i != b.time {
			b.values = append(b.values, i)
		}
	}
	for _, name := range b.t.Values {
		i, err := column(b.header, true, name)
		if err != nil {
			return err
		}
		b.values = append(b.values, i)
	}
	if len(b.values) == 0 {
		return errors.New("no column of values: want at least one")
	}
	names := map[string]bool{}
	for _, i := range b.values {
		name := b.header[i]
		switch {
		case name == "":
			return fmt.Errorf("column %d has no name: want one", i+1)
		case i == b.time:
			return fmt.Errorf("column %d (%s) is both times and values: want two columns", i+1, quote(name))
		case names[name]:
			return fmt.Errorf("values called %s twice: want each name once", quote(name))
		}
		names[name] = true
		b.s.Names = append(b.s.Names, name)
	}
	return nil
}

// checkHeader refuses a first row that is one of the series.
func (b *seriesBuilder) checkHeader(cells []string) error {
	values, times := 0, ""
	for _, i := range b.values {
		if _, err := parseValue(b.header[i]); err == nil {
			values++
		}
	}
	if b.time >= 0 {
		times = timeLayout(b.header[b.time], true)
	}
	if times != "" && times == timeLayout(cells[b.time], true) || b.time < 0 && values == len(b.values) {
		return errors.New("no names but values: want a header")
	}
	return nil
}

// at names a cell in an error.
func (b *seriesBuilder) at(i int, cells []string) string {
	return fmt.Sprintf("column %d (%s): %s", i+1, quote(b.header[i]), quote(cells[i]))
}

// row adds the cells of a line.
func (b *seriesBuilder) row(line int, cells []string) error {
	if b.time >= 0 {
		if b.s.layout == "" {
			if b.s.layout = timeLayout(cells[b.time], true); b.s.layout == "" {
				return fmt.Errorf("%s: want a time, such as 2006-01-02 15:04:05, or another column for the times, or none", b.at(b.time, cells))
			}
		}
		t, err := parseTime(b.s.layout, strings.TrimSpace(cells[b.time]))
		if err != nil {
			return fmt.Errorf("%s: want a time %s", b.at(b.time, cells), like(b.s.layout))
		}
		if n := len(b.s.Times); n > 0 && !t.After(b.s.Times[n-1]) {
			return fmt.Errorf("%s does not come after %s of the row before: want times in order, each once",
				b.at(b.time, cells), formatTime(b.s.layout, b.s.Times[n-1]))
		}
		b.s.Times = append(b.s.Times, t)
	}
	for _, i := range b.values {
		v := math.NaN()
		if cell := strings.TrimSpace(cells[i]); !slices.Contains(gaps, strings.ToLower(cell)) {
			var err error
			if v, err = parseValue(cell); err != nil {
				return fmt.Errorf("column %d (%s): %w", i+1, quote(b.header[i]), err)
			}
		} else if b.strict() {
			return fmt.Errorf(`%s: want a number, or gaps to be filled by "last" or "linear"`, b.at(i, cells))
		}
		b.s.Values = append(b.s.Values, v)
	}
	b.lines = append(b.lines, line)
	return nil
}

// gaps are cells without a value, in small letters.
var gaps = []string{"", "nan", "na", "null"}

func (b *seriesBuilder) strict() bool { return b.t.Gaps == "" || b.t.Gaps == "error" }
