package disk_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"sluice/internal/disk"
	"sluice/internal/disk/disktest"
)

var (
	errInjected = errors.New("injected")
	old         = []byte("the earlier file")
	fresh       = bytes.Repeat([]byte("the new file"), 6_000)
)

// write is a WriteAtomic of fresh over what is there.
func write(fsys disk.FS) error {
	return disk.WriteAtomic(fsys, "run/m", func(w io.Writer) error {
		for part := range slices.Chunk(fresh, 1000) {
			if _, err := w.Write(part); err != nil {
				return err
			}
		}
		return nil
	})
}

// before is the disk before the write, with an earlier file or without.
func before(earlier []byte) *disktest.Memory {
	m := disktest.New()
	m.Put("run/other", nil)
	if earlier != nil {
		m.Put("run/m", earlier)
	}
	return m
}

// kinds are those of the operations that m has seen.
func kinds(m *disktest.Memory) (kinds []string) {
	for _, op := range m.Ops() {
		kinds = append(kinds, op.Kind)
	}
	return kinds
}

// check checks that the disk holds one of the contents, nil for none, and n
// temporary files.
func check(t *testing.T, what string, m *disktest.Memory, n int, contents ...[]byte) {
	t.Helper()
	got := m.Get("run/m")
	if !slices.ContainsFunc(contents, func(c []byte) bool { return bytes.Equal(c, got) && (c == nil) == (got == nil) }) {
		t.Errorf("%s: run/m is %d bytes, %.20q", what, len(got), got)
	}
	files := slices.DeleteFunc(m.Files(), func(name string) bool { return name == "run/m" || name == "run/other" })
	if len(files) != n {
		t.Errorf("%s: there are %v, want %d temporary files", what, files, n)
	}
}

// Each operation fails in turn, with an earlier file there and without: after
// it the file is the earlier one or the whole new one, and nothing else is left.
func TestEveryOperationFails(t *testing.T) {
	good := []string{"create", "write", "write", "sync", "close", "rename", "syncFolder"}
	details := map[string]string{"create": "create a temporary file: ", "write": "", "sync": "sync: ", "close": "close: ",
		"rename": "rename: ", "syncFolder": "written, but sync of the folder: sync run: "}
	then := map[string][]string{"write": {"close", "remove"}, "sync": {"close", "remove"}, "close": {"remove"}, "rename": {"remove"}}
	for _, earlier := range [][]byte{old, nil} {
		m := before(earlier)
		if err := write(m); err != nil || !slices.Equal(kinds(m), good) {
			t.Fatalf("operations %v, error %v", m.Ops(), err)
		}
		for seed := range uint64(20) {
			check(t, "written", m.Survivors(seed), 0, fresh)
		}
		for i, op := range good {
			m := before(earlier)
			m.Inject(disktest.At(i, disktest.Half(errInjected)))
			err := write(m)
			if message := "write run/m: " + details[op] + "injected"; !errors.Is(err, errInjected) || err.Error() != message {
				t.Errorf("%s fails: error\n  %v, want\n  %s", op, err, message)
			}
			left := earlier
			if op == "syncFolder" {
				left = fresh
			}
			check(t, op+" fails", m, 0, left)
			if want := slices.Concat(good[:i+1], then[op]); !slices.Equal(kinds(m), want) {
				t.Errorf("%s fails: operations %v, want %v", op, kinds(m), want)
			}
			for seed := range uint64(20) {
				m := m.Survivors(seed)
				disk.RemoveTemps(m, "run")
				check(t, op+" fails and the machine crashes", m, 0, left, earlier)
			}
			if then[op] == nil {
				continue
			}
			m = before(earlier)
			m.Inject(disktest.At(i, errInjected), disktest.On("remove", errInjected))
			err = write(m)
			if err == nil || !strings.Contains(err.Error(), "; the temporary file run/.sluice-") || !strings.HasSuffix(err.Error(), ".tmp stays: injected") {
				t.Errorf("%s and remove fail: error %v", op, err)
			}
			check(t, op+" and remove fail", m, 1, left)
		}
	}
}

// The process or the machine crashes at each operation and within each write:
// the file is the earlier one or the whole new one, and a clean-up leaves
// nothing else.
func TestCrash(t *testing.T) {
	for _, earlier := range [][]byte{old, nil} {
		whole := before(earlier)
		if err := write(whole); err != nil {
			t.Fatal(err)
		}
		for i, op := range whole.Ops() {
			for _, crash := range []error{disktest.ErrCrashed, disktest.Half(disktest.ErrCrashed)} {
				m := before(earlier)
				m.Inject(disktest.At(i, crash))
				if err := write(m); !errors.Is(err, disktest.ErrCrashed) {
					t.Errorf("crash at %v: error %v", op, err)
				}
				after := func(what string, m *disktest.Memory) {
					t.Helper()
					if err := disk.RemoveTemps(m, "run"); err != nil {
						t.Error(err)
					}
					check(t, fmt.Sprintf("%s at %v", what, op), m, 0, earlier, fresh)
				}
				after("killed", m.Killed())
				after("killed, then a crash", m.Killed().Survivors(uint64(i)))
				for seed := range uint64(50) {
					after(fmt.Sprint("crash of seed ", seed), m.Survivors(seed))
				}
			}
		}
	}
}

// RemoveTemps takes no other file, goes on after a failure and returns the first.
func TestRemoveTemps(t *testing.T) {
	m := disktest.New()
	others := []string{".sluice-.tmp", ".sluice-0123456789abcdeF.tmp", ".sluice-0123456789abcdef", ".sluice-0123456789abcdef.tmp2",
		"0123456789abcdef.tmp", ".sluice-00123456789abcdef.tmp", "m.tmp", "sub/.sluice-0123456789abcdef.tmp"}
	for _, name := range others {
		m.Put("run/"+name, nil)
	}
	slices.Sort(others)
	for i := range 3 {
		m.Put(fmt.Sprintf("run/.sluice-%016x.tmp", i), nil)
	}
	m.Inject(disktest.At(1, syscall.EACCES))
	if err := disk.RemoveTemps(m, "run"); !errors.Is(err, fs.ErrPermission) || len(m.Files()) != len(others)+1 {
		t.Errorf("error %v, left are %v", err, m.Files())
	}
	if err := disk.RemoveTemps(m, "run"); err != nil {
		t.Error(err)
	}
	if files := m.Files(); len(files) != len(others) {
		t.Errorf("left are %v, want %v", files, others)
	}
	if err := disk.RemoveTemps(m, "no"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// What the callback does, on the system's own disk.
func TestCallback(t *testing.T) {
	path := filepath.Join(t.TempDir(), "plot.svg")
	checkFile := func() {
		t.Helper()
		entries, err := os.ReadDir(filepath.Dir(path))
		if got, err := os.ReadFile(path); !bytes.Equal(got, old) {
			t.Errorf("the file is %q: %v", got, err)
		}
		if len(entries) != 1 || err != nil {
			t.Errorf("the folder holds %v: %v", entries, err)
		}
	}
	if err := disk.WriteAtomic(disk.OS, path, func(w io.Writer) error { _, err := w.Write(old); return err }); err != nil {
		t.Fatal(err)
	}
	checkFile()
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm()&0o600 != 0o600 {
		t.Error(info.Mode(), err)
	}
	err = disk.WriteAtomic(disk.OS, path, func(w io.Writer) error {
		io.WriteString(w, "half")
		return &fs.PathError{Op: "open", Path: "data.csv", Err: fs.ErrNotExist}
	})
	if want := "write " + path + ": open data.csv: file does not exist"; err == nil || err.Error() != want || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v, want %s", err, want)
	}
	checkFile()
	func() {
		defer func() {
			if recover() != "drawing" {
				t.Error("the panic is lost")
			}
		}()
		disk.WriteAtomic(disk.OS, path, func(w io.Writer) error { io.WriteString(w, "half"); panic("drawing") })
	}()
	checkFile()

	// What the callback leaves in the buffer is written, and its failure is seen;
	// a callback's own words stand before the cause.
	m := before(nil)
	m.Inject(disktest.On("write", syscall.ENOSPC))
	err = disk.WriteAtomic(m, "run/m", func(w io.Writer) error { _, err := io.WriteString(w, "x"); return err })
	if !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("error %v, want %v", err, syscall.ENOSPC)
	}
	err = disk.WriteAtomic(m, "run/m", func(w io.Writer) error {
		_, err := w.Write(fresh)
		return fmt.Errorf("draw: %w", err)
	})
	if want := "write run/m: draw: " + syscall.ENOSPC.Error(); err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

// What the system itself refuses.
func TestRefusedBySystem(t *testing.T) {
	folder := t.TempDir()
	write := func(path string) error {
		return disk.WriteAtomic(disk.OS, path, func(w io.Writer) error { _, err := io.WriteString(w, "x"); return err })
	}
	missing := filepath.Join(folder, "no", "m")
	if err := write(missing); !errors.Is(err, fs.ErrNotExist) || !strings.HasPrefix(err.Error(), "write "+missing+": create a temporary file: ") {
		t.Error(err)
	}
	sub := filepath.Join(folder, "sub")
	if err := os.Mkdir(sub, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := write(sub); err == nil || !strings.HasPrefix(err.Error(), "write "+sub+": rename: ") {
		t.Error(err)
	}
	if entries, _ := os.ReadDir(folder); len(entries) != 1 {
		t.Error(entries)
	}
}

// A name that is taken is not used, and not for ever another sought.
func TestNameTaken(t *testing.T) {
	m := before(nil)
	taken := func(n int) disktest.Fault {
		return func(i int, op disktest.Op) error {
			if op.Kind == "create" && i < n {
				return fs.ErrExist
			}
			return nil
		}
	}
	m.Inject(taken(3))
	if err := write(m); err != nil {
		t.Error(err)
	}
	m = before(nil)
	m.Inject(taken(1000))
	if err := write(m); !errors.Is(err, fs.ErrExist) {
		t.Error(err)
	}
}
