package data

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// maxLine bounds a line of a file, and a record of several lines, in bytes.
const maxLine = 1 << 24

// lines reads a file line by line.
type lines struct {
	in   *bufio.Reader
	name string
	line int    // the number of the last line, from 1
	long []byte // a line that is longer than the buffer of in
}

func newLines(name string, r io.Reader) *lines {
	return &lines{in: bufio.NewReaderSize(r, 1<<16), name: name}
}

// next is the next line without its LF and any CR before it, and the first without
// a byte order mark; io.EOF after the last. It is valid until the call after.
func (l *lines) next() ([]byte, error) {
	l.line++
	line, err := l.in.ReadSlice('\n')
	if err == bufio.ErrBufferFull {
		l.long = l.long[:0]
		for err == bufio.ErrBufferFull && len(l.long) <= maxLine {
			l.long = append(l.long, line...)
			line, err = l.in.ReadSlice('\n')
		}
		l.long = append(l.long, line...)
		line = l.long
	}
	switch {
	case err == io.EOF && len(line) == 0:
		l.line--
		return nil, io.EOF
	case err != nil && err != io.EOF && err != bufio.ErrBufferFull:
		return nil, l.errorf(l.line, "%w", cause(err))
	}
	line = bytes.TrimRight(bytes.TrimSuffix(line, []byte("\n")), "\r") // all, as encoding/csv takes one more
	if len(line) > maxLine {
		return nil, l.errorf(l.line, "longer than %d bytes: want at most that", maxLine)
	}
	if l.line == 1 {
		line = bytes.TrimPrefix(line, []byte(bom))
	}
	return line, nil
}

// text is the next line, which must be UTF-8.
func (l *lines) text() ([]byte, error) {
	line, err := l.next()
	if err != nil {
		return nil, err
	}
	if !utf8.Valid(line) {
		at, hint := invalid(line), ""
		if l.line == 1 {
			hint = maybeUTF16(line)
		}
		return nil, l.errorf(l.line, "byte 0x%02X at byte column %d is not UTF-8%s", line[at], at+1, hint)
	}
	return line, nil
}

// errorf is an error of a line.
func (l *lines) errorf(line int, format string, args ...any) error {
	return fmt.Errorf("data: %s: line %d: %w", shown(l.name), line, fmt.Errorf(format, args...))
}

// fileError is an error of a whole file.
func fileError(name, format string, args ...any) error {
	return fmt.Errorf("data: %s: %w", shown(name), fmt.Errorf(format, args...))
}

func blank(line []byte) bool { return len(bytes.TrimSpace(line)) == 0 }

// records reads the records of a CSV file as encoding/csv does, or of a TSV file: a
// line a record, cells apart by one tab each, without quotes. Blank lines are
// skipped; a line of tabs is none.
type records struct {
	*lines
	csv   *csv.Reader // nil of a TSV file
	feed  bytes.Reader
	raw   []byte // the record as it stands, without the end of its last line
	start int    // its first line
	cells []string
}

func newRecords(name string, in io.Reader, format string) *records {
	r := &records{lines: newLines(name, in)}
	if format == "csv" {
		r.csv = csv.NewReader(&r.feed)
		r.csv.ReuseRecord = true
		r.csv.FieldsPerRecord = -1
	}
	return r
}

// next is the cells of the next record, valid until the call after; io.EOF
// after the last.
func (r *records) next() ([]string, error) {
	r.raw = r.raw[:0]
	for blank(r.raw) && (r.csv != nil || bytes.IndexByte(r.raw, '\t') < 0) {
		line, err := r.text()
		if err != nil {
			return nil, err
		}
		r.start = r.line
		r.raw = append(r.raw[:0], line...)
	}
	if r.csv == nil {
		r.cells = r.cells[:0]
		for cell := range strings.SplitSeq(string(r.raw), "\t") {
			r.cells = append(r.cells, cell)
		}
		return r.cells, nil
	}
	quotes := bytes.Count(r.raw, []byte(`"`))
	for quotes%2 == 1 {
		line, err := r.text()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		quotes += bytes.Count(line, []byte(`"`))
		r.raw = append(append(r.raw, '\n'), line...)
		if len(r.raw) > maxLine {
			return nil, r.errorf(r.start, "a row longer than %d bytes, for a quote that does not close: want at most that", maxLine)
		}
	}
	r.feed.Reset(r.raw)
	cells, err := r.csv.Read()
	var bad *csv.ParseError
	if errors.As(err, &bad) {
		return nil, r.errorf(r.start+bad.Line-bad.StartLine, "byte column %d: %w", bad.Column, bad.Err)
	}
	return cells, err
}
