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

// MaxBytes bounds what Read takes unless it is told otherwise.
const MaxBytes = 1 << 30

const bom = "\uFEFF"

// Read reads text files in the order given, "-" being stdin, and joins them:
// end to end, with a newline between two where the first does not end in one.
// A byte order mark at the start of a file is left out, and CR LF becomes LF;
// a CR alone stays. All files together may have limit bytes, 0 for MaxBytes.
//
// A file that cannot be read, is a folder, empty or not UTF-8 is an error with
// its name. An error for a missing file is also fs.ErrNotExist. ctx is looked
// at between pieces of a file; a read that blocks is not interrupted.
func Read(ctx context.Context, names []string, stdin io.Reader, limit int64) (string, error) {
	if len(names) == 0 {
		return "", fmt.Errorf("data: no files to read: want at least one, or - for standard input")
	}
	if limit <= 0 {
		limit = MaxBytes
	}
	var all []byte
	left, usedStdin := limit, false
	for _, name := range names {
		if name == "-" && usedStdin {
			return "", fmt.Errorf("data: standard input (-) given twice: it can be read once")
		}
		usedStdin = usedStdin || name == "-"
		raw, err := readOne(ctx, name, stdin, left)
		if err != nil {
			return "", fmt.Errorf("data: %s: %w", shown(name), err)
		}
		if int64(len(raw)) > left {
			return "", fmt.Errorf("data: %s: more than %d bytes of text in all: want at most that", shown(name), limit)
		}
		left -= int64(len(raw))
		text, err := normalise(raw)
		if err != nil {
			return "", fmt.Errorf("data: %s: %w", shown(name), err)
		}
		if len(all) > 0 && all[len(all)-1] != '\n' {
			all = append(all, '\n')
		}
		all = append(all, text...)
	}
	return string(all), nil
}

// readOne reads at most one byte more than left.
func readOne(ctx context.Context, name string, stdin io.Reader, left int64) ([]byte, error) {
	r := stdin
	var size int64
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, cause(err)
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			return nil, cause(err)
		}
		if info.IsDir() {
			return nil, errors.New("a folder, want a text file")
		}
		r, size = f, info.Size()
	} else if stdin == nil {
		return nil, errors.New("not open, want a text")
	}
	var b bytes.Buffer
	b.Grow(int(min(size, left)) + bytes.MinRead)
	const piece = 1 << 20
	for int64(b.Len()) <= left {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		_, err := io.CopyN(&b, r, min(piece, left+1-int64(b.Len())))
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, cause(err)
		}
	}
	return b.Bytes(), nil
}

func normalise(raw []byte) ([]byte, error) {
	if at := invalid(string(raw)); at >= 0 {
		line := bytes.Count(raw[:at], []byte("\n")) + 1
		column := at - bytes.LastIndexByte(raw[:at], '\n')
		hint := ""
		if bytes.HasPrefix(raw, []byte("\xFF\xFE")) || bytes.HasPrefix(raw, []byte("\xFE\xFF")) {
			hint = " (it looks like UTF-16)"
		}
		return nil, fmt.Errorf("byte 0x%02X at line %d, byte column %d is not UTF-8%s", raw[at], line, column, hint)
	}
	text := bytes.TrimPrefix(raw, []byte(bom))
	if len(text) == 0 {
		return nil, errors.New("empty, want a text")
	}
	if bytes.Contains(text, []byte("\r\n")) {
		text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
	}
	return text, nil
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
