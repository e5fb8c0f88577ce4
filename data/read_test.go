package data

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
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
		"far": strings.Repeat("夜\n", 100_000) + strings.Repeat("x", 300_001) + "\xff", "crs": "a\r\r\r\n\r", "cr": "\r\n\r",
	})
	if err := os.Mkdir("folder", 0o755); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ names, stdin, want, err string }{
		{"a", "", "one\ntwo", ""},
		{"a b c", "", "one\ntwo\nthree\n\rfour" + bom + "\n", ""},
		{"b a", "", "three\none\ntwo", ""},
		{"a - b", "in\r\n", "one\ntwo\nin\nthree\n", ""},
		{"nul", "", "a\x00b", ""},
		{"crs cr", "", "a\r\r\n\r\n\n\r", ""},
		{"", "", "", "data: no files to read: want at least one, or - for standard input"},
		{"- -", "in", "", "data: standard input (-) given twice: it can be read once"},
		{"a none", "", "", "data: none: no such file or directory"},
		{"folder", "", "", "data: folder: a folder, want a text file"},
		{"a empty", "", "", "data: empty: empty, want a text"},
		{"bom", "", "", "data: bom: empty, want a text"},
		{"-", "", "", "data: standard input: empty, want a text"},
		{"b latin", "", "", "data: latin: byte 0xE9 at line 2, byte column 2 is not UTF-8"},
		{"late", "", "", "data: late: byte 0xFF at line 1, byte column 10 is not UTF-8"},
		{"cut", "", "", "data: cut: byte 0xE5 at line 2, byte column 4 is not UTF-8"},
		{"surrogate", "", "", "data: surrogate: byte 0xED at line 1, byte column 1 is not UTF-8"},
		{"utf16", "", "", "data: utf16: byte 0xFF at line 1, byte column 1 is not UTF-8 (it looks like UTF-16)"},
		{"far", "", "", "data: far: byte 0xFF at line 100001, byte column 300002 is not UTF-8"},
		{"-", "a\xff", "", "data: standard input: byte 0xFF at line 1, byte column 2 is not UTF-8"},
	}
	for _, c := range tests {
		for _, memory := range []int{inMemory, 1} {
			keepInMemory(t, memory)
			got, err := readAll(t.Context(), strings.Fields(c.names), strings.NewReader(c.stdin))
			wantError(t, err, c.err)
			if got != c.want {
				t.Errorf("%s: text %q, want %q", c.names, got, c.want)
			}
		}
	}
}

// keepInMemory bounds what a test keeps in memory.
func keepInMemory(t testing.TB, bytes int) {
	before := inMemory
	inMemory = bytes
	t.Cleanup(func() { inMemory = before })
}

// readAll is the text of files, read twice.
func readAll(ctx context.Context, names []string, stdin io.Reader) (string, error) {
	f, err := OpenFiles(ctx, names, stdin)
	if err != nil {
		return "", err
	}
	defer f.Close()
	one, err := textOf(ctx, f)
	if err != nil {
		return "", err
	}
	if two, err := textOf(ctx, f); err != nil || two != one {
		return "", fmt.Errorf("read again: %d bytes, %v", len(two), err)
	}
	return one, nil
}

// textOf is the whole of a text.
func textOf(ctx context.Context, text Source) (string, error) {
	var b strings.Builder
	err := pieces(ctx, text, func(piece []byte) error { b.Write(piece); return nil })
	if err != nil {
		return "", err
	}
	return b.String(), nil
}

func TestReadFailures(t *testing.T) {
	_, err := OpenFiles(t.Context(), []string{filepath.Join(t.TempDir(), "none")}, nil)
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v is not fs.ErrNotExist", err)
	}
	_, err = OpenFiles(t.Context(), []string{"two\nlines"}, nil)
	wantError(t, err, `data: "two\nlines": no such file or directory`)
	_, err = OpenFiles(t.Context(), []string{"-"}, nil)
	wantError(t, err, "data: standard input: not open, want a text")
	_, err = OpenFiles(t.Context(), []string{"-"}, io.MultiReader(strings.NewReader("ab"), iotest.ErrReader(errors.New("broken pipe"))))
	wantError(t, err, "data: standard input: broken pipe")

	ctx, cancel := context.WithCancel(t.Context())
	endless := readerFunc(func(p []byte) (int, error) { cancel(); clear(p); return len(p), nil })
	_, err = OpenFiles(ctx, []string{"-"}, endless)
	wantError(t, err, "data: standard input: context canceled")
	_, err = textOf(ctx, String("a"))
	wantError(t, err, "context canceled")

	write(t, map[string]string{"a": "a", "b": "b"})
	f := must(OpenFiles(t.Context(), []string{"a", "b"}, nil))
	if err := os.Remove("b"); err != nil || f.Size() != 2 {
		t.Fatal(err, f.Size())
	}
	_, err = textOf(t.Context(), f)
	wantError(t, err, "data: b: no such file or directory")
}

// A file without a name takes what has no room in memory, and is gone when it is
// closed.
func TestTemporaryFiles(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("TMPDIR", folder)
	keepInMemory(t, 10)
	f := must(OpenFiles(t.Context(), []string{"-"}, strings.NewReader(strings.Repeat("夜雨\n", 100_000))))
	ids := must(build(t, "夜雨\n", VocabOptions{}).ReadSymbols(t.Context(), f))
	if f.parts[0].spool.file == nil || ids.file == nil || ids.Len() != 300_000 {
		t.Errorf("%+v, %+v", f.parts[0].spool, ids)
	}
	if open := must(os.ReadDir(folder)); len(open) > 0 && runtime.GOOS != "windows" {
		t.Errorf("they have names: %v", open)
	}
	for range 2 {
		if err := errors.Join(f.Close(), ids.Close()); err != nil {
			t.Error(err)
		}
	}
	if left := must(os.ReadDir(folder)); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	_, err := textOf(t.Context(), f)
	wantError(t, err, "data: standard input: file already closed")
	wantError(t, ids.ReadAt(make([]int32, 1), 0), "data: read the symbols of a text from a temporary file: file already closed")

	t.Setenv("TMPDIR", filepath.Join(folder, "none"))
	want := "a temporary file in " + os.TempDir() + ": no such file or directory: want room there, or another folder in TMPDIR"
	_, err = OpenFiles(t.Context(), []string{"-"}, strings.NewReader("more than ten"))
	wantError(t, err, "data: standard input: "+want)
	_, err = build(t, "a", VocabOptions{}).ReadSymbols(t.Context(), String("aaaaaaaaaaa"))
	wantError(t, err, "data: "+want)
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
	text := must(readAll(t.Context(), []string{filepath.Join(mirror, "timemachine", "timemachine.txt")}, nil))
	text = must(Clean{Letters: true, Newlines: "drop"}.Apply(text))
	v := build(t, text, VocabOptions{Unknown: "unk"})
	if len(text) != 170580 || v.Size() != 28 || !strings.HasPrefix(text, "the time machine by h g wellsithe time traveller for so it") {
		t.Errorf("%d symbols, vocabulary %d, want 170580 and 28: %.80s", len(text), v.Size(), text)
	}
}
