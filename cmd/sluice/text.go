package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"sluice/data"
)

// source is where a text comes from.
type source struct {
	text   *watched
	name   string // for a folder
	shown  string
	corpus string // of a text that has a name
	files  []string
}

// source is the text of files, or that of a name; usual is the one where none is
// given.
func (e *env) source(name, usual string, files []string) (source, error) {
	switch {
	case len(files) > 0:
		return e.files(files)
	case name == "":
		name = usual
	}
	text, err := e.load(name)
	if err != nil {
		return source{}, err
	}
	return source{text: newWatched(e, text, name), name: safe(name), shown: name, corpus: name}, nil
}

// files finds files that are one text.
func (e *env) files(files []string) (source, error) {
	s := sourceOf(files)
	text, err := e.openFiles(files)
	if err == nil {
		s.text = newWatched(e, text, s.shown)
	}
	return s, err
}

// openFiles opens files. A signal ends it also where standard input gives
// nothing.
func (e *env) openFiles(files []string) (*data.Files, error) {
	type opened struct {
		text *data.Files
		err  error
	}
	done := make(chan opened, 1)
	go func() {
		text, err := data.OpenFiles(e.ctx, files, e.stdin)
		done <- opened{text, err}
	}()
	select {
	case o := <-done:
		return o.text, o.err
	case <-e.ctx.Done():
		return nil, context.Canceled
	}
}

// unreadable is the error of a text that cannot be read: it says which file.
type unreadable struct{ error }

func (u unreadable) Unwrap() error { return u.error }

// failed is the error of a text; what, such as its name, goes before one that does
// not say of what it is.
func failed(what string, err error) error {
	var named unreadable
	if errors.As(err, &named) || errors.Is(err, context.Canceled) {
		return err
	}
	return fmt.Errorf("%s: %s", what, oneLine(err.Error()))
}

// watched is a text that shows how far it has been read.
type watched struct {
	data.Source
	e          *env
	shown      string
	size       int64
	times      int // it was opened
	characters int // of the text, once it has been read
}

func newWatched(e *env, text data.Source, shown string) *watched {
	r := &watched{Source: text, e: e, shown: shown}
	switch text := text.(type) {
	case *data.Files:
		r.size = text.Size()
	case data.String:
		r.size = int64(len(text))
	}
	return r
}

// Close removes what was kept of it.
func (r *watched) Close() error {
	if files, ok := r.Source.(*data.Files); ok {
		return files.Close()
	}
	return nil
}

// Open reads the text from its start.
func (r *watched) Open() (io.ReadCloser, error) {
	in, err := r.Source.Open()
	if err != nil {
		return nil, unreadable{err}
	}
	r.times++
	what := "reading " + visible(r.shown)
	if r.times > 1 {
		what += " again"
	}
	return &watchedReader{newMeter(r.e, in, r.size, what), in, r}, nil
}

// watchedReader is a reading of a text.
type watchedReader struct {
	*meter
	file io.Closer
	of   *watched
}

func (p *watchedReader) Read(b []byte) (int, error) {
	n, err := p.meter.Read(b)
	if p.of.times == 1 {
		for _, c := range b[:n] {
			if c&0xC0 != 0x80 { // the first byte of a character
				p.of.characters++
			}
		}
	}
	if err != nil && err != io.EOF {
		err = unreadable{err}
	}
	return n, err
}

// Close clears what was shown.
func (p *watchedReader) Close() error {
	p.wait.clear()
	return p.file.Close()
}
