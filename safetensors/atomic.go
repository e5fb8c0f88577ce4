package safetensors

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
)

// WriteAtomic makes the file at path hold what write writes, all of it or
// nothing. It writes a temporary file in the same folder (.sluice-*.tmp),
// syncs and closes it, renames it to path and syncs the folder.
//
// After an error an earlier file at path is as it was and the temporary file is
// gone, with two exceptions that the error names: when the temporary file
// cannot be removed, and when only the sync of the folder failed: then path
// holds the new file, but a crash of the machine may bring back the earlier
// one. A failed sync is not tried again. A symbolic link at path is replaced.
func WriteAtomic(path string, write func(io.Writer) error) error {
	return writeAtomic(disk{}, path, write)
}

// filesystem is what WriteAtomic asks of the operating system, so that a test
// can fail each call.
type filesystem interface {
	create(path string) (file, error) // an error if path exists
	rename(from, to string) error
	remove(path string) error
	syncFolder(path string) error
}

type file interface {
	io.Writer
	Sync() error
	Close() error
}

func writeAtomic(fsys filesystem, path string, write func(io.Writer) error) (err error) {
	folder := filepath.Dir(path)
	temp, f, err := createTemp(fsys, folder)
	if err != nil {
		return fmt.Errorf("write %s: create a temporary file: %w", path, cause(err, temp))
	}
	open, renamed := true, false
	defer func() { // also when write panics
		if open {
			f.Close()
		}
		if renamed {
			return
		}
		if left := fsys.remove(temp); left != nil {
			err = fmt.Errorf("%w; the temporary file %s stays: %w", err, temp, cause(left, temp))
		}
	}()

	b := bufio.NewWriterSize(f, chunk)
	if err = write(b); err == nil {
		err = b.Flush()
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, cause(err, temp))
	}
	if err = f.Sync(); err != nil {
		return fmt.Errorf("write %s: sync: %w", path, cause(err, temp))
	}
	open = false
	if err = f.Close(); err != nil {
		return fmt.Errorf("write %s: close: %w", path, cause(err, temp))
	}
	if err = fsys.rename(temp, path); err != nil {
		return fmt.Errorf("write %s: rename: %w", path, cause(err, temp))
	}
	renamed = true
	if err = fsys.syncFolder(folder); err != nil {
		return fmt.Errorf("write %s: written, but sync of the folder: %w", path, err)
	}
	return nil
}

// createTemp creates a file of a new name in folder.
func createTemp(fsys filesystem, folder string) (path string, f file, err error) {
	for range 100 {
		path = filepath.Join(folder, fmt.Sprintf(".sluice-%016x.tmp", rand.Uint64()))
		if f, err = fsys.create(path); !errors.Is(err, fs.ErrExist) {
			break
		}
	}
	return path, f, err
}

// cause is err without the operation and path that the system put before it, if
// that path is the temporary file's, which the caller does not know.
func cause(err error, temp string) error {
	switch e := err.(type) {
	case *fs.PathError:
		if e.Path == temp {
			return e.Err
		}
	case *os.LinkError:
		if e.Old == temp {
			return e.Err
		}
	}
	return err
}

// disk is the filesystem of the operating system.
type disk struct{}

func (disk) create(path string) (file, error) {
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
}

func (disk) rename(from, to string) error { return os.Rename(from, to) }

func (disk) remove(path string) error { return os.Remove(path) }

// syncFolder makes a rename in the folder last, where the system can: Windows
// and js/wasm open no folder, and some filesystems refuse to sync one.
func (disk) syncFolder(path string) error {
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
