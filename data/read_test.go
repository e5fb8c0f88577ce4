package data

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
)

func write(t *testing.T, files map[string]string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, text := range files {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRead(t *testing.T) {
	write(t, map[string]string{
		"a": "one\r\ntwo", "b": bom + "three\n", "c": "\rfour" + bom + "\r\n", "empty": "", "bom": bom, "nul": "a\x00b",
		"latin": "abc\nd\xe9f", "late": bom + "夜" + strings.Repeat("x", 3) + "\xff", "cut": "a\n夜\xe5\xa4", "utf16": "\xff\xfea\x00", "surrogate": "\xed\xa0\x80",
	})
	if err := os.Mkdir("folder", 0o755); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		names, stdin string
		limit        int64
		want, err    string
	}{
		{"a", "", 0, "one\ntwo", ""},
		{"a b c", "", 0, "one\ntwo\nthree\n\rfour" + bom + "\n", ""},
		{"b a", "", 0, "three\none\ntwo", ""},
		{"a - b", "in\r\n", 0, "one\ntwo\nin\nthree\n", ""},
		{"nul", "", 0, "a\x00b", ""},
		{"a", "", 8, "one\ntwo", ""},
		{"", "", 0, "", "data: no files to read: want at least one, or - for standard input"},
		{"- -", "in", 0, "", "data: standard input (-) given twice: it can be read once"},
		{"a none", "", 0, "", "data: none: no such file or directory"},
		{"folder", "", 0, "", "data: folder: a folder, want a text file"},
		{"a empty", "", 0, "", "data: empty: empty, want a text"},
		{"bom", "", 0, "", "data: bom: empty, want a text"},
		{"-", "", 0, "", "data: standard input: empty, want a text"},
		{"b latin", "", 0, "", "data: latin: byte 0xE9 at line 2, byte column 2 is not UTF-8"},
		{"late", "", 0, "", "data: late: byte 0xFF at line 1, byte column 10 is not UTF-8"},
		{"cut", "", 0, "", "data: cut: byte 0xE5 at line 2, byte column 4 is not UTF-8"},
		{"surrogate", "", 0, "", "data: surrogate: byte 0xED at line 1, byte column 1 is not UTF-8"},
		{"utf16", "", 0, "", "data: utf16: byte 0xFF at line 1, byte column 1 is not UTF-8 (it looks like UTF-16)"},
		{"-", "a\xff", 0, "", "data: standard input: byte 0xFF at line 1, byte column 2 is not UTF-8"},
		{"a", "", 7, "", "data: a: more than 7 bytes of text in all: want at most that"},
		{"a b", "", 10, "", "data: b: more than 10 bytes of text in all: want at most that"},
		{"a -", "in", 9, "", "data: standard input: more than 9 bytes of text in all: want at most that"},
	}
	for _, c := range tests {
		got, err := Read(t.Context(), strings.Fields(c.names), strings.NewReader(c.stdin), c.limit)
		wantError(t, err, c.err)
		if got != c.want {
			t.Errorf("%s: text %q, want %q", c.names, got, c.want)
		}
	}
}

func TestReadFailures(t *testing.T) {
	_, err := Read(t.Context(), []string{filepath.Join(t.TempDir(), "none")}, nil, 0)
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v is not fs.ErrNotExist", err)
	}
	_, err = Read(t.Context(), []string{"two\nlines"}, nil, 0)
	wantError(t, err, `data: "two\nlines": no such file or directory`)
	_, err = Read(t.Context(), []string{"-"}, nil, 0)
	wantError(t, err, "data: standard input: not open, want a text")
	_, err = Read(t.Context(), []string{"-"}, io.MultiReader(strings.NewReader("ab"), iotest.ErrReader(errors.New("broken pipe"))), 0)
	wantError(t, err, "data: standard input: broken pipe")

	ctx, cancel := context.WithCancel(t.Context())
	endless := readerFunc(func(p []byte) (int, error) { cancel(); clear(p); return len(p), nil })
	_, err = Read(ctx, []string{"-"}, endless, 0)
	wantError(t, err, "data: standard input: context canceled")
	_, err = Read(t.Context(), []string{"-"}, endless, 3<<20)
	wantError(t, err, "data: standard input: more than 3145728 bytes of text in all: want at most that")
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestClean(t *testing.T) {
	tests := []struct {
		c               Clean
		text, want, err string
	}{
		{Clean{}, " A\r\n", " A\r\n", ""},
		{Clean{Newlines: "keep"}, "a\n", "a\n", ""},
		{Clean{Newlines: "space"}, "夜\n\n雨\r\n", "夜  雨  ", ""},
		{Clean{Newlines: "drop"}, "夜\n\n雨\r\n", "夜雨", ""},
		{Clean{Letters: true}, "  The Time--Machine,\n\n by H. G. Wells [1898]\n", "the time machine by h g wells", ""},
		{Clean{Letters: true, Newlines: "drop"}, "of him)\nwas é 'You\n", "of himwas you", ""},
		{Clean{Letters: true}, "@AZ[`az{\x00夜éÀ\u212A", "az az", ""}, // the last is the Kelvin sign
		{Clean{MaxChars: 2}, "夜雨a", "夜雨", ""},
		{Clean{MaxChars: 3}, "夜雨a", "夜雨a", ""},
		{Clean{MaxChars: 99}, "夜雨a", "夜雨a", ""},
		{Clean{Letters: true, MaxChars: 3}, "...A--B", "a b", ""},
		{Clean{Newlines: "tab"}, "a", "", `data: newlines "tab": want keep, space or drop`},
		{Clean{Newlines: "keep", Letters: true}, "a", "", `data: newlines "keep" with letters only: want space or drop`},
		{Clean{MaxChars: -1}, "a", "", "data: first -1 characters: want 0 (all) or more"},
		{Clean{Letters: true}, "夜雨", "", "data: cleaning leaves nothing of a text of 6 bytes: want at least one character"},
	}
	for _, c := range tests {
		got, err := c.c.Apply(c.text)
		wantError(t, err, c.err)
		if got != c.want {
			t.Errorf("%+v: %q becomes %q, want %q", c.c, c.text, got, c.want)
		}
	}
}

// Dive into Deep Learning prints len(corpus), len(vocab) = 170580, 28 for The
// Time Machine. The text is not in the project: SLUICE_MIRROR says where.
func TestTimeMachine(t *testing.T) {
	mirror := os.Getenv("SLUICE_MIRROR")
	if mirror == "" {
		t.Skip("SLUICE_MIRROR is not set")
	}
	text, err := Read(t.Context(), []string{filepath.Join(mirror, "timemachine", "timemachine.txt")}, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	text = must(Clean{Letters: true, Newlines: "drop"}.Apply(text))
	v := build(t, text, VocabOptions{Unknown: "unk"})
	if len(text) != 170580 || v.Size() != 28 || !strings.HasPrefix(text, "the time machine by h g wellsithe time traveller for so it") {
		t.Errorf("%d symbols, vocabulary %d, want 170580 and 28: %.80s", len(text), v.Size(), text)
	}
}
