package safetensors

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestWriteRefuses(t *testing.T) {
	one := []float32{1}
	for _, c := range []struct {
		metadata map[string]string
		tensors  []Tensor
		want     string
	}{
		{nil, []Tensor{{"a", nil, one}, {"b", nil, one}, {"a", []int{1}, []int64{1}}}, `tensor "a" stands twice`},
		{nil, []Tensor{{"__metadata__", nil, one}}, `tensor "__metadata__": the name is the metadata's`},
		{nil, []Tensor{{"a\xff", nil, one}}, `tensor "a\xff": the name is not UTF-8`},
		{nil, []Tensor{{"a", []int{2}, one}}, `tensor "a": 4 bytes of data, want 8 for F32 of shape [2]`},
		{nil, []Tensor{{"a", nil, []float64{}}}, `tensor "a": 0 bytes of data, want 8 for F64 of shape []`},
		{nil, []Tensor{{"a", []int{0}, []int32{1}}}, `tensor "a": 4 bytes of data, want 0 for I32 of shape [0]`},
		{nil, []Tensor{{"a", []int{1, 3}, Raw{BF16, make([]byte, 5)}}}, `tensor "a": 5 bytes of data, want 6 for BF16 of shape [1 3]`},
		{nil, []Tensor{{"a", []int{2, -1}, one}}, `tensor "a": dimension 1 of shape [2 -1] is negative, want 0 or more`},
		{nil, []Tensor{{"a", []int{0, 1 << 40, 1 << 40}, one}}, `tensor "a": shape [0 1099511627776 1099511627776] of F32 overflows, want at most 9223372036854775807 bytes`},
		{nil, []Tensor{{"a", make([]int, 65), one}}, `tensor "a": 65 dimensions, want at most 64`},
		{nil, []Tensor{{"a", nil, Raw{"F4", nil}}}, `tensor "a": dtype "F4", want one of [BOOL U8 I8 F8_E5M2 F8_E4M3 I16 U16 F16 BF16 I32 U32 F32 F64 I64 U64]`},
		{nil, []Tensor{{"a", nil, []int{1}}}, `tensor "a": data is a []int, want []float32, []float64, []int32, []int64 or Raw`},
		{nil, []Tensor{{"a", nil, nil}}, `tensor "a": data is a <nil>, want []float32, []float64, []int32, []int64 or Raw`},
		{map[string]string{"k": "\xc0"}, nil, `__metadata__: key "k" or its value is not UTF-8`},
		{map[string]string{"\xc0": ""}, nil, `__metadata__: key "\xc0" or its value is not UTF-8`},
		{map[string]string{"k": strings.Repeat("v", MaxHeader)}, nil, `header of 33554464 bytes, want at most 33554432`},
	} {
		var b bytes.Buffer
		err := Write(&b, c.metadata, c.tensors)
		if err == nil || err.Error() != "safetensors: "+c.want || !errors.Is(err, ErrFormat) {
			t.Errorf("error\n  %v, want\n  safetensors: %s", err, c.want)
		}
		path := filepath.Join(t.TempDir(), "x")
		if err2 := WriteFile(path, c.metadata, c.tensors); err2 == nil || err2.Error() != err.Error() {
			t.Errorf("WriteFile: %v, want %v", err2, err)
		}
		if _, err := os.Stat(path); b.Len() > 0 || err == nil {
			t.Errorf("%v, and yet something is written", err)
		}
	}
}

// The longest header opens.
func TestLongestHeader(t *testing.T) {
	metadata := map[string]string{"": strings.Repeat("v", MaxHeader-len(`{"__metadata__":{"":""}}`))}
	b := write(t, metadata, nil)
	if len(b) != 8+MaxHeader {
		t.Errorf("%d bytes", len(b))
	}
	checkContent(t, b, metadata, nil)
}

// Equal input gives equal bytes whatever the order of maps and tensors, and
// each tensor is aligned to its dtype.
func TestDeterministic(t *testing.T) {
	metadata := map[string]string{}
	for _, k := range "zyxwvutsrqponmlkjihgfedcba" {
		metadata[string(k)] = strings.Repeat(string(k), int(k)%7)
	}
	tensors := append(everyDType(), numbers...)
	want := write(t, metadata, tensors)
	checkContent(t, want, metadata, tensors)
	for range 50 {
		rand.Shuffle(len(tensors), func(i, j int) { tensors[i], tensors[j] = tensors[j], tensors[i] })
		if !bytes.Equal(write(t, metadata, tensors), want) {
			t.Fatal("the bytes differ")
		}
	}
	f, _ := open(want)
	for _, info := range f.Tensors {
		if info.Offset%int64(info.DType.Size()) != 0 {
			t.Errorf("tensor %q of %s at byte %d", info.Name, info.DType, info.Offset)
		}
	}
}

// Bits survive, NaN payloads among them, at lengths around the chunks.
func TestBits(t *testing.T) {
	for _, n := range []int{1, 2, 3, chunk/8 - 1, chunk / 8, chunk/8 + 1, chunk/4 - 1, chunk / 4, chunk/4 + 1, 50_000} {
		f32, f64, i32, i64 := make([]float32, n), make([]float64, n), make([]int32, n), make([]int64, n)
		for i := range n {
			bits := rand.Uint64()
			f32[i], f64[i] = math.Float32frombits(uint32(bits)), math.Float64frombits(bits)
			i32[i], i64[i] = int32(bits), int64(bits)
		}
		f32[0], f64[0] = math.Float32frombits(0x7fa12345), math.Float64frombits(0xfff4000000012345) // signalling NaNs
		f, err := open(write(t, nil, []Tensor{{"f32", []int{n}, f32}, {"f64", []int{1, n}, f64}, {"i32", []int{n}, i32}, {"i64", []int{n}, i64}}))
		if err != nil {
			t.Fatal(err)
		}
		a, err1 := f.Float32("f32")
		b, err2 := f.Float64("f64")
		c, err3 := f.Int32("i32")
		d, err4 := f.Int64("i64")
		if err := errors.Join(err1, err2, err3, err4); err != nil {
			t.Fatal(err)
		}
		same32 := func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) }
		same64 := func(x, y float64) bool { return math.Float64bits(x) == math.Float64bits(y) }
		if !slices.EqualFunc(a, f32, same32) || !slices.EqualFunc(b, f64, same64) || !slices.Equal(c, i32) || !slices.Equal(d, i64) {
			t.Errorf("n = %d: the bits differ", n)
		}
	}
}

// limitedWriter fails after n bytes.
type limitedWriter struct{ n int }

func (w *limitedWriter) Write(p []byte) (int, error) {
	if len(p) > w.n {
		return w.n, io.ErrClosedPipe
	}
	w.n -= len(p)
	return len(p), nil
}

func TestWriteFails(t *testing.T) {
	big, small := Tensor{"a", []int{400_000}, Raw{U8, make([]byte, 400_000)}}, Tensor{"b", []int{30_000}, make([]int32, 30_000)}
	for _, tensors := range [][]Tensor{{big}, {small}, {big, small}, {}} {
		size := len(write(t, nil, tensors))
		for n := size - 1; n >= 0; n -= 9973 {
			if err := Write(&limitedWriter{n}, nil, tensors); err == nil || err.Error() != "safetensors: write: io: read/write on closed pipe" {
				t.Errorf("%d of %d bytes: %v", n, size, err)
			}
		}
		if err := Write(&limitedWriter{size}, nil, tensors); err != nil {
			t.Error(err)
		}
	}
}

func TestEmptyMetadata(t *testing.T) {
	if !bytes.Equal(write(t, map[string]string{}, numbers), write(t, nil, numbers)) {
		t.Error("empty metadata differs from none")
	}
}

func TestWriteFile(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "m.safetensors")
	for _, tensors := range [][]Tensor{numbers, everyDType(), nil} {
		if err := WriteFile(path, nil, tensors); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); !bytes.Equal(got, write(t, nil, tensors)) {
			t.Errorf("%d bytes: %v", len(got), err)
		}
	}
	missing := filepath.Join(folder, "no", "m")
	if err := WriteFile(missing, nil, numbers); !errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrFormat) ||
		!strings.HasPrefix(err.Error(), "safetensors: write "+missing+": create a temporary file: ") {
		t.Error(err)
	}
	if entries, _ := os.ReadDir(folder); len(entries) != 1 {
		t.Error(entries)
	}
}
