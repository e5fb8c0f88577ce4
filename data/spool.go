package data

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// inMemory is how many bytes of a text, or of its symbols, are kept in memory
// before they go to a temporary file.
var inMemory = 64 << 20

// temp is a file that is gone when it is closed, and where the system can, also
// when the program is killed.
type temp struct {
	*os.File
	name string // of a file that could not be removed while it is open
}

func newTemp() (*temp, error) {
	f, err := os.CreateTemp("", "sluice-*.tmp")
	if err != nil {
		return nil, noRoom(err)
	}
	t := &temp{File: f}
	if os.Remove(f.Name()) != nil {
		t.name = f.Name()
	}
	return t, nil
}

// Write appends to the file.
func (t *temp) Write(b []byte) (int, error) {
	n, err := t.File.Write(b)
	if err != nil {
		err = noRoom(err)
	}
	return n, err
}

// Close may be called again.
func (t *temp) Close() error {
	err := t.File.Close()
	if t.name != "" {
		os.Remove(t.name)
	}
	if errors.Is(err, fs.ErrClosed) {
		return nil
	}
	return err
}

// noRoom is the error of a temporary file, whose name would tell nothing.
func noRoom(err error) error {
	return fmt.Errorf("a temporary file in %s: %w: want room there, or another folder in TMPDIR", os.TempDir(), cause(err))
}

// spool keeps what can be read only once.
type spool struct {
	few  []byte // all of it, while there is no file
	file *temp
	n    int64 // bytes of the file
}

func (s *spool) write(b []byte) error {
	if s.file == nil && len(s.few)+len(b) <= inMemory {
		s.few = append(s.few, b...)
		return nil
	}
	if s.file == nil {
		var err error
		if s.file, err = newTemp(); err != nil {
			return err
		}
		few := s.few
		s.few = nil
		if err := s.write(few); err != nil {
			return err
		}
	}
	n, err := s.file.Write(b)
	s.n += int64(n)
	return err
}

func (s *spool) size() int64 { return int64(len(s.few)) + s.n }

// reader reads it from its start.
func (s *spool) reader() io.Reader {
	if s.file == nil {
		return bytes.NewReader(s.few)
	}
	return io.NewSectionReader(s.file, 0, s.n)
}

// Close frees it.
func (s *spool) Close() error {
	s.few = nil
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}
