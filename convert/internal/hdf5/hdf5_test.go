package hdf5

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func golden(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func open(b []byte) (*Group, error) { return Open(bytes.NewReader(b), int64(len(b))) }

func opened(t testing.TB, name string) *Group {
	t.Helper()
	g, err := open(golden(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// wrong checks an error of a file.
func wrong(t testing.TB, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want one with %q", err, want)
	}
	checkError(t, err)
}

// checkError wants one line of bounded length that is of this package.
func checkError(t testing.TB, err error) {
	t.Helper()
	if !errors.Is(err, ErrFormat) || strings.ContainsAny(err.Error(), "\r\n") || len(err.Error()) > 2000 {
		t.Errorf("error %q", err)
	}
}

// counting is what most of the datasets of the golden files have.
func counting(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(i-50) / 8
	}
	return x
}

func TestDatasets(t *testing.T) {
	kinds, chunks := opened(t, "kinds.h5"), opened(t, "chunks.h5")
	whole := []int{7, 5, 3}
	for _, c := range []struct {
		g     *Group
		name  string
		shape []int
	}{
		{kinds, "little", whole}, {kinds, "big", whole}, {kinds, "double", whole}, {kinds, "half", whole},
		{kinds, "vector", []int{3}}, {kinds, "scalar", []int{}}, {kinds, "none", []int{0, 3}},
		{chunks, "plain", whole}, {chunks, "gzip", whole}, {chunks, "shuffled", whole}, {chunks, "doubles", whole},
	} {
		d := c.g.Dataset(c.name)
		x, err := d.Float32()
		want := counting(len(x))
		if err != nil || !slices.Equal(d.Shape, c.shape) || len(x) != product(c.shape) || !slices.Equal(x, want) {
			t.Errorf("%s: shape %v, %v, %v", c.name, d.Shape, x, err)
		}
		if d.Path() != "/"+c.name {
			t.Errorf("path %q, want /%s", d.Path(), c.name)
		}
	}
	x, err := kinds.Dataset("extremes").Float32()
	want := []float32{0, float32(math.Copysign(0, -1)), 0x1p-24, 0x1p-14, 65504, float32(math.Inf(1)), float32(math.Inf(-1)), 1, -2, 0x1.554p-2}
	if err != nil || !slices.EqualFunc(x, want, func(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) }) {
		t.Errorf("extremes: %v, %v, want %v", x, err, want)
	}
	for name, want := range map[string]string{
		"inexact": "element 1 is 0.1, which is no float32", "integers": "datatype integer of 8 bytes, want float", "unwritten": "never written",
	} {
		_, err := kinds.Dataset(name).Float32()
		wrong(t, err, want)
		wrong(t, err, `in dataset "/`+name+`"`)
	}
	_, err = chunks.Dataset("few").Float32()
	wrong(t, err, "1 chunks, want 2")
	_, err = chunks.Dataset("fletcher").Float32()
	wrong(t, err, "filter 3, want 1, gzip, or 2, shuffle")
}

func product(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

func TestStrings(t *testing.T) {
	g := opened(t, "kinds.h5")
	for name, want := range map[string][]string{"variable": {"héllo"}, "fixed": {"ab", "cde"}, "list": {"x", "", "yy"}, "nothing": nil} {
		got, ok, err := g.Strings(name)
		if err != nil || !ok || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v, %v, want %q", name, got, ok, err, want)
		}
	}
	if _, ok, err := g.Strings("no such"); ok || err != nil {
		t.Errorf("no such: %v, %v", ok, err)
	}
	_, _, err := g.Strings("number")
	wrong(t, err, "want strings")
}

func TestGroups(t *testing.T) {
	z, err := gzip.NewReader(bytes.NewReader(golden(t, "many.h5.gz")))
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	root, err := open(b)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(root.Group("g").Datasets); n != 300 || root.Dataset("g/299") == nil || root.Dataset("g/300") != nil || root.Dataset("h/1") != nil || root.Group("g/h") != nil {
		t.Errorf("%d datasets", n)
	}
	small := opened(t, "small.h5")
	if names, _, err := small.Group("g").Strings("names"); err != nil || !slices.Equal(names, []string{"x"}) || small.Group("g").Path() != "/g" || small.Path() != "/" {
		t.Errorf("names %q, %v", names, err)
	}
}

// What h5py can write and this package does not read.
func TestOthers(t *testing.T) {
	for name, want := range map[string]string{
		"twice.h5": "linked twice", "circle.h5": "linked twice", "link.h5": "a link by name", "latest.h5": "superblock of version 3, want 0",
		"order.h5": "header of version 2", "block.h5": "not HDF5's", "deep.h5": "32 deep",
	} {
		_, err := open(golden(t, name))
		wrong(t, err, want)
	}
	if _, err := open(golden(t, "kinds.h5")[:4]); err == nil {
		t.Error("four bytes are a file")
	}
	_, err := open(nil)
	wrong(t, err, "not HDF5's")
	root, err := open(golden(t, "zeros.h5")) // 16 MiB of 20 KiB
	if err != nil {
		t.Fatal(err)
	}
	got := allocated(func() { _, err = root.Dataset("x").Float32() })
	wrong(t, err, "compressed too well")
	checkAllocated(t, len(golden(t, "zeros.h5")), got)
}

// read reads all that a file has, and says what it allocated.
func read(t testing.TB, file []byte) (root *Group, err error) {
	t.Helper()
	got := allocated(func() {
		if root, err = open(file); err == nil {
			readAll(t, root)
		}
	})
	checkAllocated(t, len(file), got)
	if err != nil {
		checkError(t, err)
	}
	return root, err
}

func readAll(t testing.TB, g *Group) {
	for name := range g.attributes {
		if _, _, err := g.Strings(name); err != nil {
			checkError(t, err)
		}
	}
	for _, d := range g.Datasets {
		if x, err := d.Float32(); err != nil {
			checkError(t, err)
		} else if len(x) != product(d.Shape) {
			t.Errorf("%d elements of shape %v", len(x), d.Shape)
		}
	}
	for _, child := range g.Groups {
		readAll(t, child)
	}
}

func allocated(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func checkAllocated(t testing.TB, size int, got uint64) {
	t.Helper()
	if want := uint64(32*size + 4<<20); got > want {
		t.Errorf("a file of %d bytes allocated %d, want at most %d", size, got, want)
	}
}

// Every truncation of a file is an error, and bytes can be damaged without harm.
func TestDamage(t *testing.T) {
	file := golden(t, "small.h5")
	for n := range file {
		if _, err := open(file[:n]); err == nil {
			t.Fatalf("the first %d of %d bytes are a file", n, len(file))
		}
	}
	for _, name := range []string{"small.h5", "chunks.h5"} {
		file := golden(t, name)
		for i := 0; i < len(file); i += 1 + len(file)/2048 {
			for _, v := range []byte{0, 1, 0x7f, 0xff} {
				old := file[i]
				if file[i] = v; old != v {
					read(t, file)
				}
				file[i] = old
			}
		}
	}
}

// Lengths and places that no file has.
func TestClaims(t *testing.T) {
	file := golden(t, "small.h5")
	for _, signature := range []string{"HEAP", "TREE", "SNOD", "GCOL"} {
		at := bytes.Index(file, []byte(signature))
		for _, claim := range []uint64{1<<63 - 1, 1 << 63, math.MaxUint64, 1 << 32, uint64(len(file)), 0} {
			for place := at + 4; place < at+64; place += 4 {
				b := slices.Clone(file)
				binary.LittleEndian.PutUint64(b[place:], claim)
				read(t, b)
			}
		}
	}
}

// The densest file of many small objects that fits this test: all of them tiny
// datasets with an attribute.
func TestAllocation(t *testing.T) {
	for _, n := range []int{1, 100, 3000} {
		file := many(n)
		root, err := read(t, file)
		if err != nil || len(root.Datasets) != n {
			t.Fatalf("%d datasets: %v", n, err)
		}
	}
}

// No file makes Open or a read panic or allocate more than is promised. The seeds are
// small: what Keras itself writes is in the tests of package kerasfile.
func FuzzOpen(f *testing.F) {
	for _, seed := range seeds() {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, file []byte) { read(t, file) })
}

// The seeds are files, so that what is mutated is past the first checks.
func TestSeeds(t *testing.T) {
	for i, seed := range seeds() {
		root, err := read(t, seed)
		if err != nil {
			t.Errorf("seed %d: %v", i, err)
			continue
		}
		for _, d := range root.Datasets {
			if x, err := d.Float32(); err != nil || len(x) > 0 && !slices.Equal(x, []float32{1, 2}) {
				t.Errorf("seed %d, %s: %v, %v", i, d.Name, x, err)
			}
		}
		for name, want := range map[string]string{"a": "xy", "v": "xyz"} {
			if all, ok, err := root.Strings(name); ok && (err != nil || !slices.Equal(all, []string{want})) {
				t.Errorf("seed %d, attribute %s: %q, %v", i, name, all, err)
			}
		}
	}
}
