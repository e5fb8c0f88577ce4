package disk

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// Temporary files are named tempPrefix, 16 hexadecimal digits, tempSuffix.
const (
	tempPrefix = ".sluice-"
	tempSuffix = ".tmp"
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
func WriteAtomic(fsys FS, path string, write func(io.Writer) error) (err error) {
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
		if left := fsys.Remove(temp); left != nil {
			err = fmt.Errorf("%w; the temporary file %s stays: %w", err, temp, cause(left, temp))
		}
	}()

	b := bufio.NewWriterSize(bare{f, temp}, 1<<16)
	if err = write(b); err == nil {
		err = b.Flush()
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err = f.Sync(); err != nil {
		return fmt.Errorf("write %s: sync: %w", path, cause(err, temp))
	}
	open = false
	if err = f.Close(); err != nil {
		return fmt.Errorf("write %s: close: %w", path, cause(err, temp))
	}
	if err = fsys.Rename(temp, path); err != nil {
		return fmt.Errorf("write %s: rename: %w", path, cause(err, temp))
	}
	renamed = true
	if err = fsys.SyncFolder(folder); err != nil {
		return fmt.Errorf("write %s: written, but sync of the folder: %w", path, err)
	}
	return nil
}

// RemoveTemps removes the temporary files that a WriteAtomic left in folder when
// its process was killed. No other may be writing there: whoever calls this
// holds the folder's lock. It removes what it can and returns the first error.
func RemoveTemps(fsys FS, folder string) error {
	names, first := fsys.ReadDir(folder)
	for _, name := range names {
		digits, ok := strings.CutPrefix(name, tempPrefix)
		digits, temp := strings.CutSuffix(digits, tempSuffix)
		if !ok || !temp || len(digits) != 16 || strings.Trim(digits, "0123456789abcdef") != "" {
			continue
		}
		if err := fsys.Remove(filepath.Join(folder, name)); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// createTemp creates a file of a new name in folder.
func createTemp(fsys FS, folder string) (path string, f Writer, err error) {
	for range 100 {
		path = filepath.Join(folder, fmt.Sprintf("%s%016x%s", tempPrefix, rand.Uint64(), tempSuffix))
		if f, err = fsys.Create(path); !errors.Is(err, fs.ErrExist) {
			break
		}
	}
	return path, f, err
}

// bare writes to a temporary file, with errors that do not name it.
type bare struct {
	w    io.Writer
	temp string // its path
}

func (b bare) Write(p []byte) (int, error) {
	n, err := b.w.Write(p)
	return n, cause(err, b.temp)
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
