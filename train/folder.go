package train

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofrs/flock"

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

	fs     disk.FS
	log    eventLog
	held   *flock.Flock
	synced bool // the folder itself, so that what it holds has its names
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
	digits := strings.TrimSuffix(strings.TrimPrefix(name, checkpointPrefix), checkpointSuffix)
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
// its first one. Those damaged, which it passes over on the way, it tells warn. If
// none is whole, or one cannot be judged, that is an error.
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
		if !errors.Is(err, ErrCheckpoint) {
			return nil, err
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
		return nil, wrong(err)
	}
	defer file.Close()
	size, err := file.Size()
	if err != nil {
		return nil, wrong(err)
	}
	c, err := ReadCheckpoint(file, size)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

// write writes the checkpoint after so many updates.
func (f *Folder) write(updates int, metadata map[string]string, tensors []safetensors.Tensor) error {
	folder := filepath.Join(f.Path, CheckpointsFolder)
	if err := f.fs.Mkdir(folder); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if !f.synced {
		if err := f.fs.SyncFolder(f.Path); err != nil {
			return fmt.Errorf("sync of the folder %s: %w", f.Path, err)
		}
		f.synced = true
	}
	return disk.WriteAtomic(f.fs, f.checkpointPath(updates), func(w io.Writer) error { return safetensors.WriteSealed(w, metadata, tensors) })
}

// prune removes the checkpoints that are too many once there is one after so many
// updates: the oldest, and any that a run had reached before it was taken back to
// an earlier one.
func (f *Folder) prune(updates int) error {
	all, err := f.Checkpoints()
	at, _ := slices.BinarySearch(all, updates)
	for i, n := range all {
		if n > updates || i <= at-max(1, f.Keep) {
			err = errors.Join(err, f.fs.Remove(f.checkpointPath(n)))
		}
	}
	return err
}

// identity is what the event log says that the run was of, if it says so.
func (f *Folder) identity() (of identity, ok bool) {
	log, err := read(f.fs, f.log.path)
	line, _, whole := bytes.Cut(log, []byte("\n"))
	var start struct{ Text identity }
	if err != nil || !whole || json.Unmarshal(line, &start) != nil {
		return of, false
	}
	return start.Text, start.Text != of
}

// begin makes the folder ready for a run from c: it removes what a program that
// was killed left half written, and cuts the log back.
func (f *Folder) begin(c *Checkpoint) (lines int, err error) {
	if c == nil {
		if all, err := f.Checkpoints(); err != nil || len(all) > 0 {
			return 0, cmp.Or(err, fmt.Errorf("train: %s has checkpoints: want one of them to go on from, or another folder", f.Path))
		}
	} else {
		lines = c.note.Place.Lines
	}
	for _, folder := range []string{f.Path, filepath.Join(f.Path, CheckpointsFolder)} {
		if err := disk.RemoveTemps(f.fs, folder); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return 0, fmt.Errorf("train: %w", err)
		}
	}
	found, err := f.log.cut(lines)
	if err != nil {
		return 0, fmt.Errorf("train: %s: %w", EventsFile, err)
	}
	return found, nil
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
// run goes on where the disk fails: whatever did is tried anew with the next one.
// It is an error that wraps ErrDiverged if there is something in the run that is
// not finite; then nothing is written.
func (r *run) checkpoint() error {
	f := r.o.Folder
	if f == nil || r.at.Updates == 0 {
		return nil
	}
	if err := r.sound(); err != nil {
		return err
	}
	metadata, tensors, err := r.contents()
	r.warn("the event log is not written", f.log.sync())
	if err == nil {
		err = f.write(r.at.Updates, metadata, tensors)
	}
	if r.warn("a checkpoint is not written", err); err == nil {
		r.warn("a checkpoint that is no longer needed is not removed", f.prune(r.at.Updates))
	}
	if b := r.at.Best.Epoch; b != r.written {
		kept := *r.model
		kept.Params = r.best
		if err := f.save(&kept); err == nil {
			r.written = b
		} else {
			r.warn("the best model is not written", err)
		}
	}
	r.marked = time.Now()
	return nil
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
	r.warn("the event log is not written", err)
}

func (r *run) warn(what string, err error) {
	if err != nil {
		r.observe(Warning{fmt.Errorf("train: %s: %w", what, err)})
	}
}
