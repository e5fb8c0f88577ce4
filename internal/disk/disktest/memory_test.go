package disktest

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
)

// errText is an error without the folder, with the system's words for it.
func errText(err error, folder string) string {
	var p *fs.PathError
	var l *os.LinkError
	at := ""
	switch {
	case err == nil:
		return ""
	case errors.As(err, &p):
		at = p.Op + " " + p.Path
	case errors.As(err, &l):
		at = l.Op + " " + l.Old + " " + l.New
	}
	for _, known := range []error{fs.ErrExist, fs.ErrNotExist, fs.ErrClosed, syscall.ENOTDIR, syscall.EISDIR, io.EOF} {
		if errors.Is(err, known) {
			return strings.ReplaceAll(filepath.ToSlash(at), folder+"/", "") + ": " + known.Error()
		}
	}
	return err.Error()
}

// script does a bit of everything and tells what came of it.
func script(fsys disk.FS, folder string) (log []string) {
	in := func(name string) string { return filepath.Join(folder, name) }
	note := func(what string, err error, results ...any) {
		log = append(log, fmt.Sprint(what, results, " ", errText(err, filepath.ToSlash(folder))))
	}
	read := func(name string) {
		r, err := fsys.Open(in(name))
		if err != nil {
			note("open", err)
			return
		}
		size, err := r.Size()
		note("size", err, size)
		b := make([]byte, 8)
		n, err := r.ReadAt(b, 1)
		note("read", err, string(b[:n]))
		_, err = r.ReadAt(b, 100)
		note("read after the end", err)
		note("close", r.Close())
		note("close again", r.Close())
		_, err = r.ReadAt(b, 0)
		note("read closed", err)
	}
	list := func(name string) {
		names, err := fsys.ReadDir(in(name))
		note("list", err, names)
	}
	note("mkdir", fsys.Mkdir(in("a")))
	note("mkdir", fsys.Mkdir(in("a")))
	note("mkdir", fsys.Mkdir(in("no/a")))
	w, err := fsys.Create(in("a/f"))
	note("create", err)
	n, err := w.Write([]byte("hello "))
	note("write", err, n)
	n, err = w.Write([]byte("world, it goes on"))
	note("write", err, n)
	n, err = w.Write(nil)
	note("write nothing", err, n)
	note("sync", w.Sync())
	note("close", w.Close())
	note("close again", w.Close())
	note("sync closed", w.Sync())
	_, err = w.Write([]byte("x"))
	note("write closed", err)
	read("a/f")
	read("a/no")
	read("no/f")
	read("a/f/g")
	read("a")
	_, err = fsys.Create(in("a/f"))
	note("create", err)
	_, err = fsys.Create(in("a/f/g"))
	note("create", err)
	_, err = fsys.Edit(in("a"))
	note("edit a folder", err)
	_, err = fsys.Edit(in("no/f"))
	note("edit", err)
	e, err := fsys.Edit(in("a/log"))
	note("edit", err)
	size := func() int64 {
		r, err := fsys.Open(in("a/log"))
		if err != nil {
			return -1
		}
		defer r.Close()
		n, _ := r.Size()
		return n
	}
	for _, part := range []struct {
		at   int64
		text string
	}{{0, "one two"}, {4, "2wo three"}, {20, "far"}, {30, ""}} {
		n, err := e.WriteAt([]byte(part.text), part.at)
		note("write at", err, part.at, n, size())
	}
	for _, to := range []int64{40, 9, 12} {
		err := e.Truncate(to)
		note("truncate", err, size())
	}
	note("sync", e.Sync())
	read("a/log")
	note("close", e.Close())
	note("truncate closed", e.Truncate(0))
	list("a")
	list("no")
	note("remove what is full", nil, fsys.Remove(in("a")) != nil) // by errors that differ between systems
	note("rename", fsys.Rename(in("a/f"), in("a/log")))
	note("rename", fsys.Rename(in("a/log"), in("a/log")))
	note("rename", fsys.Rename(in("a/f"), in("a/log")))
	read("a/log")
	note("mkdir", fsys.Mkdir(in("b")))
	note("rename to a folder", fsys.Rename(in("a/log"), in("b")))
	note("rename from nothing", fsys.Rename(in("a/f"), in("b")))
	note("rename across", fsys.Rename(in("a/log"), in("b/log")))
	note("rename a folder to a file", fsys.Rename(in("a"), in("b/log")))
	note("sync folder", fsys.SyncFolder(in("b")))
	note("sync folder", fsys.SyncFolder(in("no")))
	note("rename a folder", fsys.Rename(in("b"), in("a/b")))
	read("a/b/log")
	note("remove", fsys.Remove(in("a/b/log")))
	note("remove", fsys.Remove(in("a/b/log")))
	note("remove", fsys.Remove(in("a/b")))
	list("a")
	return log
}

// The Memory does as the system does, with the same errors.
func TestLikeSystem(t *testing.T) {
	if os.PathSeparator != '/' {
		t.Skip("the errors are those of Unix")
	}
	folder := t.TempDir()
	m := New()
	m.Put(filepath.Join(folder, "x"), nil)
	if err := m.Remove(filepath.Join(folder, "x")); err != nil {
		t.Fatal(err)
	}
	got, want := script(m, folder), script(disk.OS, folder)
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Errorf("line %d: %s, want %s", i, got[i], want[i])
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d lines, want %d", len(got), len(want))
	}
}

// states are the distinct contents that a file has after crashes of many seeds,
// "-" for none.
func states(m *Memory, name string, seeds uint64) []string {
	var all []string
	for seed := range seeds {
		b := m.Survivors(seed).Get(name)
		if s := string(b); b == nil {
			all = append(all, "-")
		} else {
			all = append(all, s)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func must[T any](x T, err error) T {
	if err != nil {
		panic(err)
	}
	return x
}

// Content lasts from Sync on, names from SyncFolder on; before, anything of them
// may. A rename is there or not, never half.
func TestLasting(t *testing.T) {
	m := New()
	m.Put("d/old", []byte("old"))
	w := must(m.Create("d/f"))
	must(w.Write([]byte("ab")))
	check := func(when, name string, want ...string) {
		t.Helper()
		if got := states(m, name, 200); !slices.Equal(got, want) {
			t.Errorf("%s: %s is one of %q, want %q", when, name, got, want)
		}
	}
	check("written", "d/f", "", "\x00\x00", "-", "a", "a\x00", "ab")
	if got := m.Survivors(0).Files(); !slices.Equal(got, []string{"d/old"}) {
		t.Errorf("of seed 0 are left %v", got)
	}
	w.Sync()
	check("synced", "d/f", "-", "ab")
	m.SyncFolder("d")
	check("folder synced", "d/f", "ab")

	must(w.Write([]byte("c")))
	m.Rename("d/f", "d/old")
	check("written and renamed", "d/old", "ab", "ab\x00", "abc", "old")
	check("written and renamed", "d/f", "-", "ab", "ab\x00", "abc")
	for seed := range uint64(100) {
		files := m.Survivors(seed).Files()
		if !slices.Equal(files, []string{"d/old"}) && !slices.Equal(files, []string{"d/f", "d/old"}) {
			t.Errorf("renamed: there are %v", files)
		}
	}
	m.SyncFolder("d")
	check("renamed", "d/f", "-")
	m.Remove("d/old")
	check("removed", "d/old", "-", "ab", "ab\x00", "abc")
	m.SyncFolder("d")
	check("removed", "d/old", "-")

	m.Mkdir("d/sub")
	must(m.Create("d/sub/g"))
	m.SyncFolder("d/sub")
	check("in a new folder", "d/sub/g", "", "-")
	m.SyncFolder("d")
	check("in a folder that lasts", "d/sub/g", "")
}

// Later changes of a log may last without earlier ones until it is synced.
func TestLog(t *testing.T) {
	m := New()
	m.Put("log", []byte("1\n2\n3\n"))
	e := must(m.Edit("log"))
	e.Truncate(2)
	must(e.WriteAt([]byte("4\n"), 2))
	got := states(m, "log", 500)
	for _, want := range []string{"1\n2\n3\n", "1\n", "1\n4\n", "1\n4\n3\n"} {
		if !slices.Contains(got, want) {
			t.Errorf("%q is not among %q", want, got)
		}
	}
	e.Sync()
	if got := states(m, "log", 100); !slices.Equal(got, []string{"1\n4\n"}) {
		t.Errorf("synced: %q", got)
	}
	// A big write may be torn into sectors.
	must(e.WriteAt(bytes.Repeat([]byte("x"), 5*sector), 4))
	torn := slices.ContainsFunc(states(m, "log", 500), func(s string) bool { return strings.Contains(s, "\x00x") && strings.Contains(s, "x\x00") })
	if !torn {
		t.Error("no seed tears sectors out of a write")
	}
}

// After a Sync that failed nothing of it lasts, and the next one says nothing.
func TestFailedSync(t *testing.T) {
	m := New()
	m.Put("f", []byte("old"))
	e := must(m.Edit("f"))
	must(e.WriteAt([]byte("new"), 0))
	m.Inject(On("sync", syscall.EIO))
	if err := e.Sync(); !errors.Is(err, syscall.EIO) {
		t.Error(err)
	}
	m.Inject()
	if err := e.Sync(); err != nil {
		t.Error(err)
	}
	if got := states(m, "f", 50); string(m.Get("f")) != "new" || !slices.Equal(got, []string{"old"}) {
		t.Errorf("%q, after a crash %q", m.Get("f"), got)
	}
}

// After a kill all is there, and lasts no better than before.
func TestKilled(t *testing.T) {
	m := New()
	m.Mkdir("d")
	w := must(m.Create("d/f"))
	must(w.Write([]byte("ab")))
	m.Inject(At(3, Half(ErrCrashed)))
	if n, err := w.Write([]byte("cd")); n != 1 || !errors.Is(err, ErrCrashed) || !m.Crashed() {
		t.Error(n, err, m.Crashed())
	}
	k := m.Killed()
	if got := string(k.Get("d/f")); got != "abc" || len(k.Ops()) != 0 {
		t.Errorf("%q, %v", got, k.Ops())
	}
	if got, want := states(k, "d/f", 100), states(m, "d/f", 100); !slices.Equal(got, want) {
		t.Errorf("after a kill and a crash %q, want %q", got, want)
	}
	must(must(k.Edit("d/f")).WriteAt([]byte("A"), 0))
	k.SyncFolder("d")
	k.SyncFolder("")
	if got := string(m.Get("d/f")); got != "abc" || !slices.Contains(states(m, "d/f", 20), "-") {
		t.Errorf("the Memory before the kill has changed: %q", got)
	}
}

// From a crash on every call returns ErrCrashed and changes nothing.
func TestCrashed(t *testing.T) {
	m := New()
	m.Put("d/f", []byte("abc"))
	r, e := must(m.Open("d/f")), must(m.Edit("d/f"))
	m.Inject(From(0, ErrCrashed))
	second := func(_ any, err error) error { return err }
	for i, err := range []error{
		m.Mkdir("e"), m.Remove("d/f"), m.Rename("d/f", "d/g"), m.SyncFolder("d"), second(m.ReadDir("d")),
		second(m.Create("d/g")), second(m.Edit("d/f")), second(m.Edit("d/g")), second(m.Edit("no/g")), second(m.Open("d/f")),
		second(r.ReadAt(make([]byte, 1), 0)), second(r.Size()), second(e.WriteAt([]byte("x"), 0)), e.Truncate(0), e.Sync(), e.Close(),
	} {
		if !errors.Is(err, ErrCrashed) {
			t.Errorf("call %d: error %v", i, err)
		}
	}
	if ops := m.Ops(); len(ops) != 1 || fmt.Sprint(ops) != "[mkdir e]" {
		t.Errorf("operations %v", ops)
	}
	if got := m.Files(); !slices.Equal(got, []string{"d/f"}) || string(m.Get("d/f")) != "abc" {
		t.Errorf("there are %v, %q", got, m.Get("d/f"))
	}
}

func TestFaults(t *testing.T) {
	m := New()
	m.Inject(At(1, syscall.EROFS), On("read", syscall.EIO), From(3, Half(syscall.ENOSPC)))
	w := must(m.Create("f"))
	if _, err := m.Create("g"); !errors.Is(err, syscall.EROFS) {
		t.Error(err)
	}
	must(w.Write([]byte("ab")))
	for range 2 {
		n, err := w.Write([]byte("cd"))
		if want := "write f: " + syscall.ENOSPC.Error(); n != 1 || err == nil || err.Error() != want {
			t.Errorf("%d, %v, want %s", n, err, want)
		}
	}
	r := must(m.Open("f"))
	if _, err := r.ReadAt(make([]byte, 1), 0); !errors.Is(err, syscall.EIO) {
		t.Error(err)
	}
	if got := string(m.Get("f")); got != "abcc" || m.Crashed() {
		t.Errorf("%q", got)
	}
	m.Inject()
	if err := m.Rename("f", "g"); err != nil {
		t.Error(err)
	}
	want := "[create f create g write f, 2 bytes write f, 2 bytes write f, 2 bytes rename f to g]"
	if got := fmt.Sprint(m.Ops()); got != want {
		t.Errorf("operations %s, want %s", got, want)
	}
}

func TestDamage(t *testing.T) {
	m := New()
	m.Put("/a/b/f", []byte{0, 0, 0})
	m.Flip("a/b/f", 9)
	m.Truncate("a/b/f", 2)
	if got := m.Survivors(0).Get("a/b/f"); !bytes.Equal(got, []byte{0, 2}) || m.Get("a/b") != nil || m.Get("no") != nil {
		t.Error(got)
	}
	if got := m.Files(); !slices.Equal(got, []string{"a/b/f"}) || len(m.Ops()) != 0 {
		t.Error(got)
	}
	defer func() {
		if got, want := recover(), "disktest: Flip no: "+syscall.ENOENT.Error(); got != want {
			t.Errorf("panic %v, want %s", got, want)
		}
	}()
	m.Flip("no", 0)
}
