// Package disk is the file system as a training run sees it: an interface that
// is small enough to simulate, the system's own behind it, and the writing of a
// file as a whole.
package disk

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"runtime"
	"syscall"
)

// FS is a file system. Its errors are those of package os: a *fs.PathError, of
// Rename an *os.LinkError.
//
// What is written lasts through a crash of the machine once its file is synced,
// and a name that is created, renamed or removed once its folder is.
type FS interface {
	Create(path string) (Writer, error) // fs.ErrExist if path exists
	Open(path string) (Reader, error)
	Edit(path string) (Editor, error) // an empty file if there is none
	Rename(from, to string) error     // a file at to is replaced
	Remove(path string) error         // a file or an empty folder
	Mkdir(path string) error          // fs.ErrExist if path exists
	ReadDir(path string) ([]string, error)
	SyncFolder(path string) error
}

// Writer writes a new file from its start.
type Writer interface {
	io.Writer
	Sync() error
	Close() error
}

// Reader reads a file.
type Reader interface {
	io.ReaderAt
	Size() (int64, error) // bytes
	Close() error
}

// Editor writes a file in place, one that grows and is cut back.
type Editor interface {
	io.WriterAt
	Truncate(size int64) error
	Sync() error
	Close() error
}

// OS is the file system of the operating system.
var OS FS = system{}

type system struct{}

// handle is a file of the system.
type handle struct{ *os.File }

func (h handle) Size() (int64, error) {
	info, err := h.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// open gives no handle with an error: a nil *os.File in an interface is not nil.
func open(path string, flag int) (h handle, err error) {
	f, err := os.OpenFile(path, flag, 0o666)
	return handle{f}, err
}

func (system) Create(path string) (Writer, error) {
	h, err := open(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return nil, err
	}
	return h, nil
}

func (system) Open(path string) (Reader, error) {
	h, err := open(path, os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	info, err := h.Stat()
	if err == nil && info.IsDir() { // which some systems open
		err = &fs.PathError{Op: "open", Path: path, Err: syscall.EISDIR}
	}
	if err != nil {
		h.Close()
		return nil, err
	}
	return h, nil
}

func (system) Edit(path string) (Editor, error) {
	h, err := open(path, os.O_RDWR|os.O_CREATE)
	if err != nil {
		return nil, err
	}
	return h, nil
}

func (system) Rename(from, to string) error { return os.Rename(from, to) }

func (system) Remove(path string) error { return os.Remove(path) }

func (system) Mkdir(path string) error { return os.Mkdir(path, 0o777) }

// ReadDir gives the names in a folder, sorted.
func (system) ReadDir(path string) ([]string, error) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names, nil
}

// SyncFolder does so where the system can: Windows and js/wasm open no folder,
// and some file systems refuse to sync one.
func (system) SyncFolder(path string) error {
	switch runtime.GOOS {
	case "windows", "js", "wasip1", "plan9":
		return nil
	}
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	defer folder.Close()
	if err := folder.Sync(); !errors.Is(err, syscall.EINVAL) && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return nil
}
