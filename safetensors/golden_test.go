package safetensors

import (
	"bytes"
	"flag"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
)

// The golden files are the reference implementation's: testdata/reference.py.
var keep = flag.String("keep", "", "existing folder to write our files to, for testdata/reference.py check")

var numbers = []Tensor{
	{"rnn.weight_ih_l0", []int{2, 3}, []float32{-0.5, -0.25, 0, 0.25, 0.5, 0.75}},
	{"edge", []int{7}, []float32{0, negZero, inf, -inf, 1.1754944e-38, 1e-45, math.MaxFloat32}},
	{"double", []int{4}, []float64{math.Pi, math.Copysign(0, -1), 5e-324, math.Inf(1)}},
	{"ids", []int{2, 2}, []int32{-1, math.MaxInt32, 0, math.MinInt32}},
	{"steps", []int{3}, []int64{-1, math.MaxInt64, math.MinInt64}},
	{"scalar", nil, []float32{0.25}},
	{"empty", []int{3, 0}, []float32{}},
	{"quote \" slash / back \\ tab \t line \n nul \x00 del \x7f ü 😀 \u2028", []int{1}, []int64{7}},
}

var (
	inf     = float32(math.Inf(1))
	negZero = float32(math.Copysign(0, -1))
)

// everyDType has two elements of each dtype, as bytes that count up from 1.
func everyDType() []Tensor {
	names := []string{"bool", "uint8", "int8", "float8_e5m2", "float8_e4m3fn", "int16", "uint16", "float16", "bfloat16",
		"int32", "uint32", "float32", "float64", "int64", "uint64"}
	var tensors []Tensor
	for i, d := range dtypes {
		b := make([]byte, 2*d.Size())
		for j := range b {
			b[j] = byte(j + 1)
		}
		if d == Bool {
			b = []byte{0, 1}
		}
		tensors = append(tensors, Tensor{"t." + names[i], []int{2}, Raw{d, b}})
	}
	return tensors
}

var goldens = []struct {
	file     string
	metadata map[string]string
	tensors  []Tensor
	sameText bool // the reference writes several keys of metadata in any order
}{
	{"numbers.safetensors", map[string]string{"config": "{\"cell\":\"gru\"}\n"}, numbers, true},
	{"dtypes.safetensors", nil, everyDType(), true},
	{"metadata.safetensors", map[string]string{"b": "2", "a": "1", "ü\n": "\"\\\x01", "": ""},
		[]Tensor{{"x", []int{1}, []float32{0}}}, false},
	{"empty.safetensors", nil, nil, true},
}

func TestGolden(t *testing.T) {
	for _, g := range goldens {
		golden, err := os.ReadFile(filepath.Join("testdata", g.file))
		if err != nil {
			t.Fatal(err)
		}
		checkContent(t, golden, g.metadata, g.tensors)
		ours := write(t, g.metadata, g.tensors)
		checkContent(t, ours, g.metadata, g.tensors)
		if len(ours) != len(golden) || g.sameText && !bytes.Equal(ours, golden) {
			t.Errorf("%s: we write\n%q, the reference\n%q", g.file, ours, golden)
		}
		if *keep != "" {
			if err := WriteFile(filepath.Join(*keep, g.file), g.metadata, g.tensors); err != nil {
				t.Error(err)
			}
		}
	}
}

func write(t testing.TB, metadata map[string]string, tensors []Tensor) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, metadata, tensors); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func open(file []byte) (*File, error) { return Open(bytes.NewReader(file), int64(len(file))) }

// checkContent checks that file holds just the metadata and tensors given, by
// all ways of reading them.
func checkContent(t testing.TB, file []byte, metadata map[string]string, tensors []Tensor) {
	t.Helper()
	f, err := open(file)
	if err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(f.Metadata, metadata) {
		t.Errorf("metadata %q, want %q", f.Metadata, metadata)
	}
	if len(f.Tensors) != len(tensors) {
		t.Errorf("%d tensors, want %d", len(f.Tensors), len(tensors))
	}
	for _, want := range tensors {
		info, ok := f.Lookup(want.Name)
		if !ok || info.Name != want.Name || !slices.Equal(info.Shape, want.Shape) {
			t.Errorf("tensor %q: %v, %v, want shape %v", want.Name, info, ok, want.Shape)
			continue
		}
		got, err := f.data(want.Name, want.Data)
		if err != nil {
			t.Error(err)
		}
		if !reflect.DeepEqual(got, want.Data) || info.Elements()*info.DType.Size() != info.Size {
			t.Errorf("tensor %q: %v, want %v", want.Name, got, want.Data)
		}
	}
}

// data reads a tensor in the type of like.
func (f *File) data(name string, like any) (any, error) {
	switch like.(type) {
	case []float32:
		x, err := f.Float32(name)
		info, _ := f.Lookup(name)
		into := make([]float32, len(x))
		if err == nil {
			err = f.ReadFloat32(into, name, info.Shape...)
		}
		if !slices.EqualFunc(x, into, func(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) }) {
			return into, err
		}
		return x, err
	case []float64:
		return f.Float64(name)
	case []int32:
		return f.Int32(name)
	case []int64:
		return f.Int64(name)
	}
	r, err := f.Raw(name)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(r)
	info, _ := f.Lookup(name)
	return Raw{info.DType, b}, err
}
