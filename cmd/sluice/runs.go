package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"sluice/internal/disk"
	"sluice/train"
)

const (
	runsFolder = "runs"
	modelFile  = train.ModelFile
)

// folder is a run's.
type folder struct {
	path string
	made []string // folders made on the way, outermost first
	run  *train.Folder
}

// claim makes the folder of a run: out, which must not exist, or else the
// next free runs/NAME-001. Of two programs that ask at once each gets its own.
func claim(out, name string) (*folder, error) {
	f := &folder{}
	if out != "" {
		err := f.within(filepath.Dir(filepath.Clean(out)))
		if err == nil {
			err = f.mkdir(out)
		}
		if err != nil {
			f.release()
			if errors.Is(err, fs.ErrExist) {
				return nil, fmt.Errorf("--out %s: it exists already: want the name of a new folder", out)
			}
			return nil, fmt.Errorf("--out %s: %w", out, cause(err))
		}
		f.path = out
		return f, nil
	}
	if err := f.within(runsFolder); err != nil {
		return nil, fmt.Errorf("%s: %w", runsFolder, cause(err))
	}
	for n := 1; ; n++ {
		path := filepath.Join(runsFolder, fmt.Sprintf("%s-%03d", name, n))
		err := f.mkdir(path)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			f.release()
			return nil, fmt.Errorf("%s: %w", path, cause(err))
		}
		f.path = path
		return f, nil
	}
}

// within makes a folder and those it lies in, where they are missing.
func (f *folder) within(path string) error {
	info, err := os.Stat(path)
	switch {
	case err == nil && !info.IsDir():
		return fmt.Errorf("%s is not a folder", path)
	case !errors.Is(err, fs.ErrNotExist) || filepath.Dir(path) == path:
		return err
	}
	if err := f.within(filepath.Dir(path)); err != nil {
		return err
	}
	if err := f.mkdir(path); !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

func (f *folder) mkdir(path string) error {
	err := os.Mkdir(path, 0o777)
	if err == nil {
		f.made = append(f.made, path)
		err = disk.OS.SyncFolder(filepath.Dir(path))
	}
	return err
}

// release lets others in, and removes again what was made, where nothing came of
// it.
func (f *folder) release() {
	if f.run != nil {
		f.run.Unlock()
	}
	if len(f.made) > 0 && !f.used() {
		os.Remove(filepath.Join(f.path, train.LockFile))
		os.Remove(filepath.Join(f.path, runFile))
		os.Remove(filepath.Join(f.path, train.EventsFile))
	}
	for i := len(f.made) - 1; i >= 0; i-- {
		if os.Remove(f.made[i]) != nil {
			return
		}
	}
}

// used says whether a run has come to something.
func (f *folder) used() bool {
	for _, name := range []string{modelFile, train.CheckpointsFolder} {
		if _, err := os.Stat(filepath.Join(f.path, name)); err == nil {
			return true
		}
	}
	return false
}

// safe makes a folder's name of a file's.
func safe(file string) string {
	base := filepath.Base(file)
	if stem := strings.TrimSuffix(base, filepath.Ext(base)); stem != "" {
		base = stem
	}
	var b strings.Builder
	for _, r := range base {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("._-", r) {
			b.WriteRune(r)
		} else {
			b.WriteByte('-')
		}
		if b.Len() >= 60 {
			break
		}
	}
	if name := strings.Trim(b.String(), "-."); name != "" {
		return name
	}
	return "text"
}

// newest is the model of the run that ended last.
func newest() (string, error) {
	models, err := filepath.Glob(filepath.Join(runsFolder, "*", modelFile)) // sorted by name
	if err != nil {
		return "", err
	}
	path, when := "", time.Time{}
	for _, m := range models {
		if info, err := os.Stat(m); err == nil && info.Mode().IsRegular() && !info.ModTime().Before(when) {
			path, when = m, info.ModTime()
		}
	}
	if path == "" {
		return "", fmt.Errorf("no model named, and none in %s: train one first (sluice train), or name a model file or a run's folder", filepath.Join(runsFolder, "*"))
	}
	return path, nil
}

// find is the model file that an argument names: the file, or the one in a
// run's folder. Without one it is the newest run's.
func find(arg string) (path string, err error) {
	if arg == "" {
		return newest()
	}
	info, err := os.Stat(arg)
	if err != nil {
		return "", fmt.Errorf("%s: %w", arg, cause(err))
	}
	if !info.IsDir() {
		return arg, nil
	}
	path = filepath.Join(arg, modelFile)
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("%s: no %s in this folder: want a model file or a run's folder", arg, modelFile)
	}
	return path, nil
}

// isModel says whether an argument is rather a model than a text.
func isModel(arg string) bool {
	info, err := os.Stat(arg)
	switch {
	case strings.HasSuffix(arg, ".safetensors"):
		return true
	case err != nil || arg == "-":
		return false
	case !info.Mode().IsRegular():
		return info.IsDir()
	}
	f, err := os.Open(arg)
	if err != nil {
		return false
	}
	defer f.Close()
	var head [9]byte // the header's length, little-endian and far below 2⁴⁰, and its first byte
	_, err = f.ReadAt(head[:], 0)
	return err == nil && head[5] == 0 && head[6] == 0 && head[7] == 0 && head[8] == '{'
}
