package data

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"unicode"
)

const bom = "\uFEFF"

// Files is the text of files, joined in their order: end to end, with a newline
// between two where the first does not end in one. A byte order mark at the start
// of a file is left out, and CR LF becomes LF; a CR alone stays.
//
// Whoever reads it gets an error for a file that cannot be read, is empty or is
// not UTF-8, with its name.
type Files struct {
	parts []part
	size  int64
}

// part is one file. What can be read only once is spooled.
type part struct {
	name  string
	spool *spool
}

// OpenFiles finds the files of the names given, "-" being stdin. Standard input,
// and what else is no regular file, is read at once and kept in memory, or where
// it is large in a temporary file until Close.
//
// A file that is not there or is a folder is an error with its name, that for a
// missing file also fs.ErrNotExist. ctx is looked at between pieces of what is
// read; a read that blocks is not interrupted.
func OpenFiles(ctx context.Context, names []string, stdin io.Reader) (*Files, error) {
	if len(names) == 0 {
		return nil, fmt.Errorf("data: no files to read: want at least one, or - for standard input")
	}
	f, usedStdin := &Files{}, false
	for _, name := range names {
		var p part
		var size int64
		var err error
		switch {
		case name != "-":
			p, size, err = openPart(ctx, name)
		case usedStdin:
			f.Close()
			return nil, fmt.Errorf("data: standard input (-) given twice: it can be read once")
		case stdin == nil:
			err = errors.New("not open, want a text")
		default:
			usedStdin = true
			p, size, err = spooled(ctx, name, stdin)
		}
		if err != nil {
			f.Close()
			return nil, fmt.Errorf("data: %s: %w", shown(name), err)
		}
		f.parts, f.size = append(f.parts, p), f.size+size
	}
	return f, nil
}

// Size is how many bytes the files had when they were found.
func (f *Files) Size() int64 { return f.size }

// Close removes what was spooled. Nothing can be read after it.
func (f *Files) Close() error {
	var first error
	for _, p := range f.parts {
		if p.spool != nil {
			if err := p.spool.Close(); first == nil {
				first = err
			}
		}
	}
	return first
}

func openPart(ctx context.Context, name string) (part, int64, error) {
	in, err := os.Open(name)
	if err != nil {
		return part{}, 0, cause(err)
	}
	defer in.Close()
	info, err := in.Stat()
	switch {
	case err != nil:
		return part{}, 0, cause(err)
	case info.IsDir():
		return part{}, 0, errors.New("a folder, want a text file")
	case !info.Mode().IsRegular():
		return spooled(ctx, name, in)
	}
	return part{name: name}, info.Size(), nil
}

func spooled(ctx context.Context, name string, in io.Reader) (part, int64, error) {
	s := &spool{}
	for buf := make([]byte, pieceBytes); ; {
		err := ctx.Err()
		n := 0
		if err == nil {
			n, err = in.Read(buf)
		}
		if bad := s.write(buf[:n]); bad != nil {
			err = bad
		}
		if err == io.EOF {
			return part{name, s}, s.size(), nil
		}
		if err != nil {
			s.Close()
			return part{}, 0, cause(err)
		}
	}
}

// open reads a part as it is.
func (p part) open() (io.ReadCloser, error) {
	if p.spool != nil {
		return io.NopCloser(p.spool.reader()), nil
	}
	in, err := os.Open(p.name)
	if err != nil {
		return nil, cause(err)
	}
	return in, nil
}

// Open reads the text from its start.
func (f *Files) Open() (io.ReadCloser, error) { return &joiner{left: f.parts}, nil }

// joiner reads parts one after another.
type joiner struct {
	left []part // those not yet opened
	now  *part  // the one at work
	in   io.ReadCloser
	raw  *cutter
	out  []byte // of it, not yet given
	err  error

	start        int64 // bytes of it before raw's piece
	line, column int   // in it, from 0
	cr           bool  // it stopped after a CR, which is not yet out
	text         bool  // there was more than a byte order mark
	broken       bool  // the last byte out is no newline
}

// Read gives what is text.
func (j *joiner) Read(p []byte) (int, error) {
	for len(j.out) == 0 && j.err == nil {
		j.err = j.fill()
	}
	if len(j.out) == 0 {
		return 0, j.err
	}
	n := copy(p, j.out)
	j.out = j.out[n:]
	return n, nil
}

// Close closes the file at work.
func (j *joiner) Close() error {
	j.left, j.out, j.err = nil, nil, fs.ErrClosed
	if j.in == nil {
		return nil
	}
	return j.in.Close()
}

// fill makes more text, or none.
func (j *joiner) fill() error {
	if j.now == nil {
		if len(j.left) == 0 {
			return io.EOF
		}
		j.now, j.left = &j.left[0], j.left[1:]
		var err error
		if j.in, err = j.now.open(); err != nil {
			return j.failed(err)
		}
		j.raw, j.start, j.line, j.column, j.cr, j.text = newCutter(j.in), 0, 0, 0, false, false
		if j.broken {
			j.out = []byte("\n")
			j.broken = false
			return nil
		}
	}
	piece, err := j.raw.next()
	if bad := j.piece(piece, err == io.EOF); bad != nil {
		return j.failed(bad)
	}
	if err == nil {
		return nil
	}
	if err != io.EOF {
		return j.failed(cause(err))
	}
	if !j.text {
		return j.failed(errors.New("empty, want a text"))
	}
	err, j.in, j.now = j.in.Close(), nil, nil
	return err
}

func (j *joiner) failed(err error) error { return fmt.Errorf("data: %s: %w", shown(j.now.name), err) }

// piece makes text of the next piece of a file. The last one may be cut short.
func (j *joiner) piece(b []byte, last bool) error {
	if at := invalid(b); at >= 0 {
		line, column := j.line, j.column+at
		if n := bytes.Count(b[:at], []byte("\n")); n > 0 {
			line, column = line+n, at-bytes.LastIndexByte(b[:at], '\n')-1
		}
		hint := ""
		if j.start == 0 {
			hint = maybeUTF16(b)
		}
		return fmt.Errorf("byte 0x%02X at line %d, byte column %d is not UTF-8%s", b[at], line+1, column+1, hint)
	}
	if n := bytes.Count(b, []byte("\n")); n > 0 {
		j.line, j.column = j.line+n, len(b)-bytes.LastIndexByte(b, '\n')-1
	} else {
		j.column += len(b)
	}
	first := j.start == 0
	j.start += int64(len(b))
	if first {
		b = bytes.TrimPrefix(b, []byte(bom))
	}
	j.text = j.text || len(b) > 0
	j.out = j.unix(b, last)
	if n := len(j.out); n > 0 {
		j.broken = j.out[n-1] != '\n'
	}
	return nil
}

// maybeUTF16 is a hint where the start of a text that is not UTF-8 is a mark of UTF-16.
func maybeUTF16(start []byte) string {
	if bytes.HasPrefix(start, []byte("\xFF\xFE")) || bytes.HasPrefix(start, []byte("\xFE\xFF")) {
		return " (it looks like UTF-16)"
	}
	return ""
}

// unix is b with LF for each CR LF, which two pieces may share.
func (j *joiner) unix(b []byte, last bool) []byte {
	if j.cr {
		b = append([]byte("\r"), b...)
	}
	if j.cr = !last && bytes.HasSuffix(b, []byte("\r")); j.cr {
		b = b[:len(b)-1]
	}
	if bytes.Contains(b, []byte("\r\n")) {
		b = bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n"))
	}
	return b
}

// cause drops the operation and the path, which the message names already.
func cause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

func shown(name string) string {
	switch {
	case name == "-":
		return "standard input"
	case name == "" || strings.ContainsFunc(name, unicode.IsControl):
		return strconv.Quote(name)
	}
	return name
}
