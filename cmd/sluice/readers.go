package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sluice/data"
)

// each opens files one after another, - being standard input. A signal ends it
// also where that gives nothing.
func (e *env) each(files []string, use func(name string, r io.Reader) error) error {
	if err := inputOnce(files); err != nil {
		return err
	}
	for _, file := range files { // before any is read
		if _, err := os.Stat(file); file != "-" && madeOf(file) == nil && err != nil {
			return fmt.Errorf("%s: %w", file, cause(err))
		}
	}
	for _, file := range files {
		var err error
		switch f := madeOf(file); {
		case f != nil:
			err = use(file, f.open())
		case file == "-":
			err = use(file, e.input())
		default:
			err = e.file(file, use)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// inputOnce is the error of files among which standard input is twice.
func inputOnce(files []string) error {
	if i := slices.Index(files, "-"); i >= 0 && slices.Contains(files[i+1:], "-") {
		return usage("-: standard input is named twice: want it once")
	}
	return nil
}

// file opens one that is on disk.
func (e *env) file(name string, use func(name string, r io.Reader) error) error {
	f, err := openFile(name)
	if err != nil {
		return err
	}
	defer f.Close()
	size := int64(0)
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		size = info.Size()
	}
	r := newMeter(e, f, size, "reading "+visible(name))
	defer r.wait.clear()
	return use(name, r)
}

// input is standard input, whose end comes with a signal, too: only its reading
// is left waiting.
func (e *env) input() io.Reader {
	out, in := io.Pipe()
	go func() {
		_, err := io.Copy(in, e.stdin)
		in.CloseWithError(err)
	}()
	context.AfterFunc(e.ctx, func() { in.CloseWithError(context.Canceled) })
	return out
}

// meter is a reader that ends with the program and shows how far it is.
type meter struct {
	e          *env
	in         io.Reader
	done, size int64 // bytes
	wait       *waiting
}

// newMeter reads in, whose size is 0 where nobody knows it.
func newMeter(e *env, in io.Reader, size int64, what string) *meter {
	return &meter{e: e, in: in, size: size, wait: newWaiting(e, what)}
}

func (r *meter) Read(b []byte) (int, error) {
	if err := r.e.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := r.in.Read(b)
	r.done += int64(n)
	r.wait.progress(int(r.done), int(r.size))
	return n, err
}

func openFile(path string) (*os.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, cause(err))
	}
	if info, err := f.Stat(); err == nil && info.IsDir() {
		f.Close()
		return nil, fmt.Errorf("%s: a folder, want a file", path)
	}
	return f, nil
}

// readSentences reads all sentences of files.
func readSentences(e *env, files []string, columns func(name string) data.Columns) (all []data.Sentence, err error) {
	err = e.each(files, func(name string, r io.Reader) error {
		for s, err := range data.ReadSentences(name, r, columns(name)) {
			if err != nil {
				return err
			}
			all = append(all, s)
		}
		return nil
	})
	return all, err
}

// readExamples reads all examples of files.
func readExamples(e *env, files []string, table func(name string) data.Table) (all []data.Example, err error) {
	files, err = withoutLabels(files)
	if err != nil {
		return nil, err
	}
	err = e.each(files, func(name string, r io.Reader) error {
		examples := data.ReadExamples(name, r, table(name))
		if labels := labelsOf(name); labels != "" && !table(name).MayLack {
			f, err := openFile(labels)
			if err != nil {
				return err
			}
			defer f.Close()
			examples = data.ReadIDX(name, r, labels, f)
		}
		for s, err := range examples {
			if err != nil {
				return err
			}
			all = append(all, s)
		}
		return nil
	})
	return all, err
}

// withoutLabels are files without those of labels in MNIST's format, which go with
// their images.
func withoutLabels(files []string) (left []string, err error) {
	with := map[string]bool{}
	for _, name := range files {
		if labels := labelsOf(name); labels != filepath.Clean(name) {
			left, with[labels] = append(left, name), true
		}
	}
	for _, name := range files {
		if labels := labelsOf(name); labels == filepath.Clean(name) && !with[labels] {
			return nil, fmt.Errorf("%s: labels without their images: want %s too", name, strings.Replace(name, "labels-idx1", "images-idx3", 1))
		}
	}
	return left, nil
}

// labelsOf is the clean path of the labels that go with a file of images in MNIST's
// format, or that are the file, "" for any other.
func labelsOf(name string) string {
	base := filepath.Base(name)
	if strings.Contains(base, "labels-idx1") {
		return filepath.Clean(name)
	}
	if strings.Contains(base, "images-idx3") {
		return filepath.Join(filepath.Dir(name), strings.Replace(base, "images-idx3", "labels-idx1", 1))
	}
	return ""
}

// readSeries reads the series of one file.
func readSeries(e *env, files []string, table func(name string) data.SeriesTable) (s *data.Series, err error) {
	err = e.each(files, func(name string, r io.Reader) (err error) {
		if len(files) > 1 {
			return usage("%d files: want one of series", len(files))
		}
		s, err = data.ReadSeries(name, r, table(name))
		return err
	})
	return s, err
}
