package safetensors

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
	"testing"
)

var errInjected = errors.New("injected")

// failing is the disk, but the call of number fail returns an error. A failing
// write writes half before; other calls do nothing.
type failing struct {
	disk
	calls []string
	fail  int
	also  string // this operation fails, too
}

func (s *failing) next(op string) error {
	s.calls = append(s.calls, op)
	if len(s.calls)-1 == s.fail || op == s.also {
		return errInjected
	}
	return nil
}

func (s *failing) create(path string) (file, error) {
	if err := s.next("create"); err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	f, err := s.disk.create(path)
	return &failingFile{f, s, path}, err
}

func (s *failing) rename(from, to string) error {
	if err := s.next("rename"); err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return s.disk.rename(from, to)
}

func (s *failing) remove(path string) error {
	if err := s.next("remove"); err != nil {
		return &fs.PathError{Op: "remove", Path: path, Err: err}
	}
	return s.disk.remove(path)
}

func (s *failing) syncFolder(path string) error {
	if err := s.next("syncFolder"); err != nil {
		return err
	}
	return s.disk.syncFolder(path)
}

type failingFile struct {
	file
	s    *failing
	path string
}

func (f *failingFile) Write(p []byte) (int, error) {
	if err := f.s.next("write"); err != nil {
		n, _ := f.file.Write(p[:len(p)/2])
		return n, &fs.PathError{Op: "write", Path: f.path, Err: err}
	}
	return f.file.Write(p)
}

func (f *failingFile) Sync() error {
	if err := f.s.next("sync"); err != nil {
		return &fs.PathError{Op: "sync", Path: f.path, Err: err}
	}
	return f.file.Sync()
}

func (f *failingFile) Close() error {
	if err := f.s.next("close"); err != nil {
		f.file.Close()
		return &fs.PathError{Op: "close", Path: f.path, Err: err}
	}
	return f.file.Close()
}

// checkFolder checks that folder holds one file, with the given content, and n
// temporary ones.
func checkFolder(t *testing.T, folder, name string, want []byte, n int) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != name {
			n--
			continue
		}
		got, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes, want %d: %v", len(got), len(want), err)
		}
		want = nil
	}
	if n != 0 || want != nil {
		t.Errorf("the folder holds %v", entries)
	}
}

// Each operation fails in turn, with an earlier file there and without: after
// it the file is the earlier one or the whole new one, and nothing else is left.
func TestEveryOperationFails(t *testing.T) {
	tensors := []Tensor{{"a", []int{50_000}, slices.Repeat([]float32{1}, 50_000)}}
	want := write(t, nil, tensors)
	planned, err := plan(nil, tensors)
	if err != nil {
		t.Fatal(err)
	}
	good := []string{"create", "write", "write", "write", "write", "sync", "close", "rename", "syncFolder"}
	details := map[string]string{"create": "create a temporary file: ", "write": "", "sync": "sync: ", "close": "close: ",
		"rename": "rename: ", "syncFolder": "written, but sync of the folder: "}
	for _, old := range [][]byte{[]byte("the earlier file"), nil} {
		for fail := range len(good) + 1 {
			folder := t.TempDir()
			path := filepath.Join(folder, "m.safetensors")
			if old != nil {
				if err := os.WriteFile(path, old, 0o666); err != nil {
					t.Fatal(err)
				}
			}
			s := &failing{fail: fail}
			err := writeAtomic(s, path, planned.write)
			if fail == len(good) {
				if err != nil || !slices.Equal(s.calls, good) {
					t.Fatalf("calls %v, error %v", s.calls, err)
				}
				checkFolder(t, folder, "m.safetensors", want, 0)
				continue
			}
			op := good[fail]
			if message := fmt.Sprintf("write %s: %sinjected", path, details[op]); !errors.Is(err, errInjected) || err.Error() != message {
				t.Errorf("%s fails: error\n  %v, want\n  %s", op, err, message)
			}
			left := old
			if op == "syncFolder" {
				left = want
			}
			checkFolder(t, folder, "m.safetensors", left, 0)
			then := map[string][]string{"write": {"close", "remove"}, "sync": {"close", "remove"}, "close": {"remove"}, "rename": {"remove"}}
			if calls := slices.Concat(good[:fail+1], then[op]); !slices.Equal(s.calls, calls) {
				t.Errorf("%s fails: calls %v, want %v", op, s.calls, calls)
			}
			if then[op] == nil {
				continue
			}
			s = &failing{fail: fail, also: "remove"}
			err = writeAtomic(s, path, planned.write)
			if err == nil || !strings.Contains(err.Error(), "; the temporary file "+folder) || !strings.HasSuffix(err.Error(), ".tmp stays: injected") {
				t.Errorf("%s and remove fail: error %v", op, err)
			}
			checkFolder(t, folder, "m.safetensors", left, 1)
		}
	}
}

func TestWriteFile(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "m.safetensors")
	for _, tensors := range [][]Tensor{numbers, everyDType(), nil} {
		if err := WriteFile(path, nil, tensors); err != nil {
			t.Fatal(err)
		}
		checkFolder(t, folder, "m.safetensors", write(t, nil, tensors), 0)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm()&0o600 != 0o600 {
		t.Error(info.Mode(), err)
	}
}

func TestWriteAtomicCallback(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "plot.svg")
	old := []byte("earlier")
	if err := WriteAtomic(path, func(w io.Writer) error { _, err := w.Write(old); return err }); err != nil {
		t.Fatal(err)
	}
	err := WriteAtomic(path, func(w io.Writer) error {
		io.WriteString(w, "half")
		return &fs.PathError{Op: "open", Path: "data.csv", Err: fs.ErrNotExist}
	})
	if want := "write " + path + ": open data.csv: file does not exist"; err == nil || err.Error() != want || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v, want %s", err, want)
	}
	checkFolder(t, folder, "plot.svg", old, 0)

	// What the callback leaves in the buffer is written, and its failure is seen.
	err = writeAtomic(&failing{fail: 1}, path, func(w io.Writer) error { _, err := io.WriteString(w, "x"); return err })
	if !errors.Is(err, errInjected) {
		t.Errorf("error %v, want %v", err, errInjected)
	}
	checkFolder(t, folder, "plot.svg", old, 0)

	func() {
		defer func() {
			if recover() != "drawing" {
				t.Error("the panic is lost")
			}
		}()
		WriteAtomic(path, func(w io.Writer) error { io.WriteString(w, "half"); panic("drawing") })
	}()
	checkFolder(t, folder, "plot.svg", old, 0)
}

// What the system itself refuses.
func TestWriteRefusedBySystem(t *testing.T) {
	folder := t.TempDir()
	write := func(path string) error {
		return WriteAtomic(path, func(w io.Writer) error { _, err := io.WriteString(w, "x"); return err })
	}
	missing := filepath.Join(folder, "no", "m")
	if err := write(missing); !errors.Is(err, fs.ErrNotExist) || !strings.HasPrefix(err.Error(), "write "+missing+": create a temporary file: ") {
		t.Error(err)
	}
	if err := WriteFile(missing, nil, numbers); !errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrFormat) ||
		!strings.HasPrefix(err.Error(), "safetensors: write "+missing+": create a temporary file: ") {
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

// taken is a disk where the first names of temporary files exist.
type taken struct {
	disk
	times int
}

func (s *taken) create(path string) (file, error) {
	if s.times--; s.times >= 0 {
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrExist}
	}
	return s.disk.create(path)
}

func TestNameTaken(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	if err := writeAtomic(&taken{times: 3}, path, func(io.Writer) error { return nil }); err != nil {
		t.Error(err)
	}
	if _, err := (disk{}).create(path); !errors.Is(err, fs.ErrExist) {
		t.Error(err)
	}
	if err := writeAtomic(&taken{times: 1000}, path, func(io.Writer) error { return nil }); !errors.Is(err, fs.ErrExist) {
		t.Error(err)
	}
}
