package train

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"sluice/internal/disk"
	"sluice/model"
	"sluice/safetensors"
)

// The files of a run's folder.
const (
	ModelFile         = "model.safetensors" // the best weights so far
	EventsFile        = "events.jsonl"      // the event log
	CheckpointsFolder = "checkpoints"       // the folder of checkpoints, update-00001200.safetensors
)

// Folder is where a run is kept while it goes on, so that it can be gone on with
// from where it was whatever happens. Only one run may use it at a time: see
// Lock.
type Folder struct {
	Path    string
	Updates int           // a checkpoint after so many updates; 0: by time alone
	Time    time.Duration // and after so much time; 0: by updates alone
	Keep    int           // checkpoints kept, the last ones; below 1: 1

	fs  disk.FS
	log eventLog
}

// NewFolder is the run's folder at path, which must exist.
func NewFolder(path string) *Folder { return newFolder(disk.OS, path) }

func newFolder(fsys disk.FS, path string) *Folder {
	return &Folder{Path: path, Time: time.Minute, Keep: 3, fs: fsys, log: eventLog{fs: fsys, path: filepath.Join(path, EventsFile)}}
}

const (
	checkpointPrefix = "update-"
	checkpointSuffix = ".safetensors"
)

// checkpointName is the file of a checkpoint after so many updates.
func checkpointName(updates int) string {
	return fmt.Sprintf("%s%08d%s", checkpointPrefix, updates, checkpointSuffix)
}

// updatesOf is the other way round.
func updatesOf(name string) (updates int, ok bool) {
	digits, ok := strings.CutPrefix(name, checkpointPrefix)
	if digits, ok = strings.CutSuffix(digits, checkpointSuffix); !ok {
		return 0, false
	}
	updates, err := strconv.Atoi(digits)
	return updates, err == nil && name == checkpointName(updates)
}

// Checkpoints are the numbers of updates after which there are checkpoints, in
// order, whole or not.
func (f *Folder) Checkpoints() ([]int, error) {
	names, err := f.fs.ReadDir(filepath.Join(f.Path, CheckpointsFolder))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var all []int
	for _, name := range names {
		if n, ok := updatesOf(name); ok {
			all = append(all, n)
		}
	}
	slices.Sort(all)
	return all, err
}

func (f *Folder) checkpointPath(updates int) string {
	return filepath.Join(f.Path, CheckpointsFolder, checkpointName(updates))
}

// Newest is the newest checkpoint that is whole, nil if the run was ended before
// its first one. What it passes over on the way it tells warn. If none is whole,
// that is an error.
func (f *Folder) Newest(warn func(error)) (*Checkpoint, error) {
	all, err := f.Checkpoints()
	if err != nil || len(all) == 0 {
		return nil, err
	}
	for _, updates := range slices.Backward(all) {
		c, err := f.checkpoint(updates)
		if err == nil {
			return c, nil
		}
		warn(err)
	}
	return nil, fmt.Errorf("train: %s: none of %d checkpoints is whole: the run can only begin anew", filepath.Join(f.Path, CheckpointsFolder), len(all))
}

func (f *Folder) checkpoint(updates int) (*Checkpoint, error) {
	return openCheckpoint(f.fs, f.checkpointPath(updates))
}

// OpenCheckpoint reads a checkpoint from a file.
func OpenCheckpoint(path string) (*Checkpoint, error) { return openCheckpoint(disk.OS, path) }

func openCheckpoint(fsys disk.FS, path string) (*Checkpoint, error) {
	file, err := fsys.Open(path)
	if err != nil {
		return nil, fmt.Errorf("train: checkpoint: %w", err)
	}
	defer file.Close()
	size, err := file.Size()
	if err != nil {
		return nil, fmt.Errorf("train: checkpoint: %w", err)
	}
	c, err := ReadCheckpoint(file, size)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

// write writes the checkpoint after so many updates and removes those that are
// too many: the oldest, and any that a run had reached before it was taken back
// to an earlier one.
func (f *Folder) write(updates int, metadata map[string]string, tensors []safetensors.Tensor) error {
	folder := filepath.Join(f.Path, CheckpointsFolder)
	if err := f.fs.Mkdir(folder); err == nil {
		err = f.fs.SyncFolder(f.Path)
		if err != nil {
			return fmt.Errorf("sync of the folder %s: %w", f.Path, err)
		}
	} else if !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := disk.WriteAtomic(f.fs, f.checkpointPath(updates), func(w io.Writer) error { return safetensors.WriteSealed(w, metadata, tensors) }); err != nil {
		return err
	}
	all, err := f.Checkpoints()
	if err != nil {
		return err
	}
	at, _ := slices.BinarySearch(all, updates)
	for i, n := range all {
		if n > updates || i <= at-max(1, f.Keep) {
			if err := f.fs.Remove(f.checkpointPath(n)); err != nil {
				return err
			}
		}
	}
	return nil
}

// save writes the model of the best weights.
func (f *Folder) save(m *model.Model) error {
	return disk.WriteAtomic(f.fs, filepath.Join(f.Path, ModelFile), m.Write)
}

// due says whether it is time for a checkpoint.
func (r *run) due() bool {
	f := r.o.Folder
	return f != nil && (f.Updates > 0 && r.at.Updates%f.Updates == 0 || f.Time > 0 && time.Since(r.marked) >= f.Time)
}

// checkpoint writes one, and the best weights if they are others than before. A
// run goes on without: whatever fails is tried anew with the next one.
func (r *run) checkpoint() {
	f := r.o.Folder
	if f == nil || r.at.Updates == 0 {
		return
	}
	r.warn("the event log", f.log.sync())
	metadata, tensors, err := r.contents()
	if err == nil {
		err = f.write(r.at.Updates, metadata, tensors)
	}
	r.warn("a checkpoint", err)
	if b := r.at.Best.Epoch; b != r.written {
		kept := *r.model
		kept.Params = r.best
		if err := f.save(&kept); err == nil {
			r.written = b
		} else {
			r.warn("the best model", err)
		}
	}
	r.marked = time.Now()
}

// log adds an event to the event log.
func (r *run) log(event any) {
	f := r.o.Folder
	if f == nil {
		return
	}
	line, err := r.line(event)
	if err == nil {
		err = f.log.add(line)
		r.at.Lines++
	}
	r.warn("the event log", err)
}

func (r *run) warn(what string, err error) {
	if err != nil {
		r.observe(Warning{fmt.Errorf("train: %s is not written: %w", what, err)})
	}
}
