package npz

import (
	"archive/zip"
	"bytes"
	"errors"
	"flag"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	peer "github.com/sbinet/npyio/npz"
)

var keep = flag.String("keep", "", "file to write our arrays to, for testdata/reference.py check")

func read(file []byte) ([]Array, error) { return Read(bytes.NewReader(file), int64(len(file)), 1<<20) }

func counted[T int32 | int64 | float32 | float64](n int, scale T) []T {
	return each(n, func(i int) T { return T(i) / scale })
}

// The reference is NumPy: testdata/reference.py.
func TestRead(t *testing.T) {
	inf, negZero := math.Inf(1), math.Copysign(0, -1)
	want := []Array{
		{"scalar", nil, []float32{0.25}},
		{"empty", []int{3, 0}, []float64{}},
		{"half", []int{9}, []float32{0, float32(negZero), 1, -2, 65504, 1.0 / (1 << 24), 1023.0 / (1 << 24), float32(inf), float32(-inf)}},
		{"float", []int{5}, []float32{0, float32(negZero), 1e-45, math.MaxFloat32, float32(-inf)}},
		{"double", []int{4}, []float64{math.Pi, negZero, 5e-324, math.MaxFloat64}},
		{"big", []int{2}, []float32{1.5, -2.5}},
		{"fortran", []int{2, 3, 4}, counted[int32](24, 1)},
		{"fortran double", []int{4, 6}, counted[float64](24, 8)},
		{"bool", []int{1, 2}, []int32{1, 0}},
		{"int8", []int{2}, []int32{-128, 127}},
		{"uint8", []int{2}, []int32{0, 255}},
		{"uint16", []int{1}, []int32{65535}},
		{"int32", []int{2}, []int32{math.MinInt32, math.MaxInt32}},
		{"uint32", []int{1}, []int64{math.MaxUint32}},
		{"int64", []int{2}, []int64{math.MinInt64, math.MaxInt64}},
		{"uint64", []int{1}, []int64{math.MaxInt64}},
		{"text", []int{3}, []string{"", "a", "夜 😀"}},
		{"bytes", []int{3}, []string{"ab", "", "ü"}},
	}
	file := open(t, "kinds.npz")
	got, err := read(file)
	if err != nil || len(got) != len(want) {
		t.Fatalf("%d arrays, %v", len(got), err)
	}
	for i, a := range got {
		if w := want[i]; a.Name != w.Name || !slices.Equal(a.Shape, w.Shape) || !same(a.Data, w.Data) {
			t.Errorf("%+v, want %+v", a, w)
		}
		if n := Elements(a.Shape); n != a.Len() || a.DType() == "" {
			t.Errorf("%s: %d elements of %s, want %d", a.Name, a.Len(), a.DType(), n)
		}
	}
	for i := range file {
		if a, err := read(file[:i]); err == nil {
			t.Fatalf("cut after %d bytes: %d arrays", i, len(a))
		}
	}
	packed, err := read(open(t, "packed.npz"))
	if err != nil || len(packed) != 1 || packed[0].Len() != 1000 {
		t.Errorf("%v, %v", packed, err)
	}
	checkError(t, "objects", open(t, "objects.npz"), `npz: array "x": dtype "|O": objects are pickled, which is not read: want numbers or strings`)
}

// same compares bits, as −0 and 0 are equal else.
func same(a, b any) bool {
	switch a := a.(type) {
	case []float32:
		b, ok := b.([]float32)
		return ok && slices.EqualFunc(a, b, func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) })
	case []float64:
		b, ok := b.([]float64)
		return ok && slices.EqualFunc(a, b, func(x, y float64) bool { return math.Float64bits(x) == math.Float64bits(y) })
	}
	return reflect.DeepEqual(a, b)
}

func open(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// archive is a zip file of names and contents.
func archive(files ...string) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		w, _ := z.Create(files[i])
		w.Write([]byte(files[i+1]))
	}
	z.Close()
	return b.Bytes()
}

// npy is an array of version 1.0 with any header.
func npy(header, data string) string {
	return magic + "\x01\x00" + string([]byte{byte(len(header)), byte(len(header) >> 8)}) + header + data
}

func dict(descr, shape string) string {
	return "{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + shape + ", }\n"
}

// one is a file of one array.
func one(header, data string) []byte { return archive("x.npy", npy(header, data)) }

var malformed = []struct {
	what string
	file []byte
	want string // after the array's name
}{
	{"no array", archive("x.npy", "abc"), `begins with "abc": want "\x93NUMPY" and a version`},
	{"version", archive("x.npy", magic+"\x04\x00\x00\x00{}"), "version 4.0: want 1.0, 2.0 or 3.0"},
	{"header of 4 GiB", archive("x.npy", magic+"\x02\x00\xff\xff\xff\xff{}"), "a header of 2147483647 bytes in 14: want at most 65536, and as many as there are"},
	{"short header", archive("x.npy", magic+"\x01\x00\xff\x00{}"), "a header of 255 bytes in 12: want at most 65536, and as many as there are"},
	{"cut version 2", archive("x.npy", magic+"\x02\x00\x00\x00"), "it ends inside of its header"},
	{"no dict", one("[]", ""), `header: "[]": want {`},
	{"empty dict", one("{}", ""), "header: want descr, fortran_order and shape"},
	{"key twice", one("{'shape': (), 'shape': ()}", ""), `header: "shape" twice`},
	{"another key", one("{'shapes': ()}", ""), `header: "shapes": want descr, fortran_order and shape`},
	{"no string", one("{'descr: 1}", ""), `header: "'descr: 1}": want a string`},
	{"records", one("{'descr': [('a', '<f4')]}", ""), "header: dtype of records: want numbers or strings"},
	{"order", one("{'fortran_order': 1}", ""), `header: "1}": want True or False`},
	{"shape", one("{'shape': (-1,)}", ""), `header: "-1,)}": want a shape of at most 64 numbers`},
	{"shape of 2⁶⁴", one("{'shape': (18446744073709551616,)}", ""), `header: "18446744073709551616": want a shape of at most 64 numbers`},
	{"shape of 65", one("{'shape': ("+strings.Repeat("1,", 65)+")}", ""), `header: "1,)}": want a shape of at most 64 numbers`},
	{"open tuple", one("{'shape': (1", ""), `header: "": want )`},
	{"more after it", one("{'descr': '<f4', 'fortran_order': False, 'shape': ()} x", ""), `header: "x": want its end`},
	{"overflow", one(dict("<f4", "(4294967296, 4294967296)"), "abcd"), "shape [4294967296 4294967296] of dtype <f4, and 4 bytes of elements: want as many as the shape says"},
	{"overflow to nothing", one(dict("<f4", "(4294967296, 4294967296)"), ""), "shape [4294967296 4294967296] of dtype <f4, and 0 bytes of elements: want as many as the shape says"},
	{"too long", one(dict("<f4", "(1,)"), "abcdefgh"), "shape [1] of dtype <f4, and 8 bytes of elements: want as many as the shape says"},
	{"too short", one(dict("<f4", "(1,)"), "abc"), "shape [1] of dtype <f4, and 3 bytes of elements: want as many as the shape says"},
	{"no dtype", one(dict("<", "(1,)"), "abc"), `dtype "<": want one of numbers or strings`},
	{"complex", one(dict("<c8", "(1,)"), "abcdefgh"), `dtype "<c8": want float16, float32, float64, bool, integers or strings`},
	{"time", one(dict("<M8[ns]", "(1,)"), "abcdefgh"), `dtype "<M8[ns]": want float16, float32, float64, bool, integers or strings`},
	{"strings of nothing", one(dict("<U0", "(99999999,)"), ""), `dtype "<U0": want float16, float32, float64, bool, integers or strings`},
	{"uint64", one(dict("<u8", "(1,)"), "\xff\xff\xff\xff\xff\xff\xff\xff"), "element 0 is 18446744073709551615: want at most 9223372036854775807"},
	{"surrogate", one(dict("<U1", "(1,)"), "\x00\xd8\x00\x00"), "element 0: 0xD800 is no code point"},
	{"bytes", one(dict("|S1", "(1,)"), "\xff"), "element 0: bytes that are not UTF-8"},
}

func TestReadErrors(t *testing.T) {
	for _, m := range malformed {
		checkError(t, m.what, m.file, `npz: array "x": `+m.want)
	}
	checkError(t, "no zip", []byte("abc"), "npz: zip: not a valid zip file")
	checkError(t, "another file", archive("x.txt", "abc"), `npz: file "x.txt": want NAME.npy`)
	checkError(t, "twice", archive("x.npy", "", "x.npy", ""), `npz: array "x" twice`)
	checkError(t, "bomb", archive("x.npy", strings.Repeat("a", 1<<20), "y.npy", "a"), `npz: arrays of more than 1048576 bytes, up to "y": want at most that`)
	if _, err := read(archive()); err != nil {
		t.Errorf("no arrays: %v", err)
	}
	stored := bytes.Clone(open(t, "kinds.npz"))
	stored[bytes.Index(stored, []byte("\x00\x00\x80\x3e"))] ^= 1
	checkError(t, "a flipped bit", stored, `npz: array "scalar": zip: checksum error`)
}

func checkError(t *testing.T, what string, file []byte, want string) {
	t.Helper()
	if _, err := read(file); err == nil || err.Error() != want || !errors.Is(err, ErrFormat) {
		t.Errorf("%s: %v, want %s", what, err, want)
	}
}

func TestWrite(t *testing.T) {
	arrays := []Array{
		{"x", []int{2, 3, 4}, counted[float32](24, 1)},
		{"y", []int{2}, []int64{1, -2}},
		{"z", nil, []int32{7}},
		{"ü 1", []int{0, 5}, []float64{}},
	}
	var b, again bytes.Buffer
	if err := Write(&b, arrays); err != nil {
		t.Fatal(err)
	}
	got, err := read(b.Bytes())
	if err != nil || !reflect.DeepEqual(got, arrays) {
		t.Errorf("%v, %v", got, err)
	}
	if err := Write(&again, got); err != nil || !bytes.Equal(b.Bytes(), again.Bytes()) {
		t.Errorf("other bytes the second time, %v", err)
	}
	p, err := peer.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	var x []float32
	if err := p.Read("x.npy", &x); err != nil || !slices.Equal(x, arrays[0].Data.([]float32)) || !slices.Equal(p.Header("x.npy").Descr.Shape, []int{2, 3, 4}) {
		t.Errorf("npyio reads %v, %v", x, err)
	}
	if *keep != "" {
		if err := os.WriteFile(*keep, b.Bytes(), 0o666); err != nil {
			t.Error(err)
		}
	}
	for _, c := range []struct {
		arrays []Array
		want   string
	}{
		{[]Array{{"", nil, []int32{1}}}, `npz: array "": want a name without slashes`},
		{[]Array{{"a/b", nil, []int32{1}}}, `npz: array "a/b": want a name without slashes`},
		{[]Array{{"a", nil, []int32{1}}, {"a", nil, []int32{1}}}, `npz: array "a" twice`},
		{[]Array{{"a", nil, []string{""}}}, `npz: array "a" of str: want float32, float64, int32 or int64`},
		{[]Array{{"a", nil, 7}}, `npz: array "a" of int: want float32, float64, int32 or int64`},
		{[]Array{{"a", []int{2}, []int32{1}}}, `npz: array "a": 1 elements, and shape [2]: want as many`},
		{[]Array{{"a", []int{-1, -1}, []int32{1}}}, `npz: array "a": 1 elements, and shape [-1 -1]: want as many`},
	} {
		if err := Write(&b, c.arrays); err == nil || err.Error() != c.want {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
}

// allocated is how many bytes f allocates in all.
func allocated(f func()) int {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int(after.TotalAlloc - before.TotalAlloc)
}

func TestReadMemory(t *testing.T) {
	many := make([]string, 0, 4000)
	for i := range 2000 {
		many = append(many, string(rune(0x4E00+i))+".npy", "")
	}
	for what, file := range map[string][]byte{
		"bytes":  one(dict("|S1", "(100000,)"), strings.Repeat("a", 100000)),
		"bools":  one(dict("|b1", "(100000,)"), strings.Repeat("a", 100000)),
		"text":   one(dict("<U1", "(25000,)"), strings.Repeat("a\x00\x00\x00", 25000)),
		"claims": one(dict("<f4", "(1152921504606846976,)"), "abcd"),
		"many":   archive(many...),
	} {
		unpacked := 0
		if z, err := zip.NewReader(bytes.NewReader(file), int64(len(file))); err == nil {
			for _, f := range z.File {
				unpacked += int(f.UncompressedSize64)
			}
		}
		got := allocated(func() { read(file) })
		if most := 32*(unpacked+len(file)) + 1<<16; got > most {
			t.Errorf("%s: %d bytes, want at most %d", what, got, most)
		}
	}
}

// No file makes Read panic or allocate more than it promises. What is read can be
// written, and read again.
func FuzzRead(f *testing.F) {
	for _, m := range malformed {
		f.Add(m.file)
	}
	for _, name := range []string{"kinds.npz", "packed.npz", "objects.npz"} {
		f.Add(open(f, name))
	}
	for _, kind := range []string{"<f2", ">f4", "<f8", "|b1", "|u1", "<i2", "<u4", ">i8", "<U2", "|S3"} {
		f.Add([]byte(npy(dict(kind, "(2, 1)"), strings.Repeat("\x00", 16))))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		if bytes.HasPrefix(file, []byte(magic)) { // an array by itself: most changes of an archive spoil its sums
			file = archive("x.npy", string(file))
		}
		var arrays []Array
		var err error
		got := allocated(func() { arrays, err = Read(bytes.NewReader(file), int64(len(file)), 1<<16) })
		if most := 32*(len(file)+1<<16) + 1<<17; got > most {
			t.Errorf("%d bytes allocated, want at most %d", got, most)
		}
		if err != nil {
			if s := err.Error(); !errors.Is(err, ErrFormat) || strings.ContainsAny(s, "\r\n") || len(s) > 1000 {
				t.Errorf("error %q", s)
			}
			return
		}
		var out bytes.Buffer
		numbers := slices.DeleteFunc(slices.Clone(arrays), func(a Array) bool { return a.descr() == "" || strings.ContainsAny(a.Name, "/\\\x00") || a.Name == "" })
		if err := Write(&out, numbers); err != nil {
			t.Fatal(err)
		}
		again, err := read(out.Bytes())
		if err != nil || len(again) != len(numbers) {
			t.Fatalf("again %v, %v", again, err)
		}
		for i, a := range again {
			if w := numbers[i]; a.Name != w.Name || !slices.Equal(a.Shape, w.Shape) || !same(a.Data, w.Data) {
				t.Errorf("again %v, want %v", a, w)
			}
		}
	})
}
