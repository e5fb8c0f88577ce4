package train

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// LockFile is held by the program that trains in a run's folder.
const LockFile = "lock"

// Lock keeps other programs, and other Folders of this one, from training in the
// folder. It ends with Unlock or with the program, however that ends.
func (f *Folder) Lock() error {
	f.held = flock.New(filepath.Join(f.Path, LockFile))
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond) // Locked holds it for a moment
	defer cancel()
	free, err := f.held.TryLockContext(ctx, 5*time.Millisecond)
	switch {
	case free:
		return nil
	case err != nil && ctx.Err() == nil:
		return fmt.Errorf("train: %s: lock: %w", f.Path, err)
	}
	return fmt.Errorf("train: %s: another program trains in this folder: want to wait for its end", f.Path)
}

// Unlock ends Lock.
func (f *Folder) Unlock() {
	if f.held != nil {
		f.held.Unlock()
	}
}

// Locked says whether a program trains in the folder at path.
func Locked(path string) bool {
	path = filepath.Join(path, LockFile)
	if _, err := os.Stat(path); err != nil {
		return false
	}
	lock := flock.New(path)
	defer lock.Close()
	free, err := lock.TryRLock()
	return err == nil && !free
}
