package onnxfile

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
)

func open(b []byte, folder *os.Root) (*Model, error) {
	return Read(bytes.NewReader(b), int64(len(b)), folder)
}

func golden(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// equal is a test of one value.
func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s is %#v, want %#v", what, got, want)
	}
}

// The file of testdata/make.py, which ONNX's own library wrote.
func TestReadTensors(t *testing.T) {
	m, err := open(golden(t, "tensors.onnx"), nil)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "IR", m.IR, int64(10))
	equal(t, "opset", m.Opset, int64(22))
	equal(t, "producer", m.Producer, "make.py 1")
	equal(t, "metadata", m.Metadata, map[string]string{"key": "value"})
	equal(t, "inputs", m.Inputs, []Value{{"x", TensorProto_FLOAT, true, []Dim{{-1, "time"}, {-1, ""}, {4, ""}}}})
	equal(t, "outputs", m.Outputs, []Value{{"y", TensorProto_FLOAT, false, nil}})

	floats := []float32{0, -1.5, 65504, 0x1p-24, float32(math.Inf(1))}
	for name, want := range map[string][]float32{
		"FLOAT": floats, "DOUBLE": floats, "FLOAT16": {0, -1.5, 65504, 0x1p-24, 0x1p-14}, "BFLOAT16": {1, -3}, "scalar": {7}, "empty": {},
	} {
		for _, name := range []string{name, name + "_raw"} {
			c, ok := m.Constants[name]
			if !ok && slices.Contains([]string{"scalar_raw", "empty_raw", "BFLOAT16"}, name) {
				continue
			}
			got, err := c.Float32()
			if err != nil {
				t.Fatal(err)
			}
			equal(t, name, got, want)
			if _, err := c.Int64(); err == nil {
				t.Errorf("%s is read as integers", name)
			}
		}
	}
	for name, want := range map[string][]int64{
		"INT8": {-128, 127, 3}, "UINT8": {0, 255, 3}, "INT16": {-32768, 32767, 3}, "UINT16": {0, 65535, 3},
		"INT32": {math.MinInt32, math.MaxInt32, 3}, "UINT32": {0, math.MaxUint32, 3}, "INT64": {math.MinInt64, math.MaxInt64, 3},
		"UINT64": {0, math.MaxInt64, 3}, "BOOL": {0, 1, 1},
	} {
		for _, name := range []string{name, name + "_raw"} {
			got, err := m.Constants[name].Int64()
			if err != nil {
				t.Fatal(err)
			}
			equal(t, name, got, want)
			if _, err := m.Constants[name].Float32(); err == nil {
				t.Errorf("%s is read as floats", name)
			}
		}
	}
	equal(t, "shape of empty", m.Constants["empty"].Shape, []int{2, 0})
	if _, err := m.Constants["words"].Float32(); err == nil {
		t.Error("strings are read as floats")
	}
	if _, err := m.Constants["words"].Int64(); err == nil {
		t.Error("strings are read as integers")
	}
	checkNode(t, m.Nodes[0])
}

func checkNode(t *testing.T, n *Node) {
	t.Helper()
	equal(t, "name", n.String(), `LSTM node "cell"`)
	equal(t, "inputs", []string{n.Input(0), n.Input(1), n.Input(2), n.Input(3)}, []string{"x", "", "scalar", ""})
	equal(t, "outputs", n.Outputs, []string{"y", "", "c"})
	first := func(v any, err error) any {
		if err != nil {
			t.Error(err)
		}
		return v
	}
	equal(t, "clip", first(n.Float("clip", 1)), float32(3.5))
	equal(t, "a float that is not there", first(n.Float("no", 1)), float32(1))
	equal(t, "hidden_size", first(n.Int("hidden_size", 1)), int64(4))
	equal(t, "an int that is not there", first(n.Int("no", 1)), int64(1))
	equal(t, "direction", first(n.Text("direction", "forward")), "reverse")
	equal(t, "a text that is not there", first(n.Text("no", "a")), "a")
	equal(t, "activations", first(n.Texts("activations")), []string{"Tanh", "Relu"})
	equal(t, "activation_alpha", first(n.Floats("activation_alpha")), []float32{0.5, 0.25})
	equal(t, "axes", first(n.Ints("axes")), []int64{1, -1})
	equal(t, "ints that are not there", first(n.Ints("no")), []int64(nil))
	value, err := n.Tensor("value")
	if err != nil || value.Elements() != 5 {
		t.Errorf("value: %v, %v", value, err)
	}
	equal(t, "has", []bool{n.Has("axes"), n.Has("no")}, []bool{true, false})
	equal(t, "others", n.Others("value", "axes", "activations", "activation_alpha"), []string{"clip", "direction", "hidden_size"})
	_, err = n.Int("clip", 0)
	if want := `convert: ONNX file: LSTM node "cell": attribute clip is of type FLOAT, want INT`; err == nil || err.Error() != want {
		t.Errorf("an int that is a float: %v, want %s", err, want)
	}
}

// A double is a float32 or an error.
func TestDouble(t *testing.T) {
	c := func(v ...float64) *Tensor {
		p := &TensorProto{DataType: proto.Int32(int32(TensorProto_DOUBLE)), Dims: []int64{int64(len(v))}, DoubleData: v}
		c, err := p.tensor("d", nil)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	if x, err := c(1, math.NaN(), math.Inf(-1), 0x1p-149).Float32(); err != nil || x[3] != 0x1p-149 {
		t.Error(x, err)
	}
	_, err := c(1, 0.1).Float32()
	if want := `convert: ONNX file: tensor "d": element 1 is 0.1, a DOUBLE that FLOAT does not hold exactly`; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

func TestExternal(t *testing.T) {
	file := golden(t, "external.onnx")
	root := func(dir string) *os.Root {
		r, err := os.OpenRoot(dir)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { r.Close() })
		return r
	}
	m, err := open(file, root("testdata"))
	if err != nil {
		t.Fatal(err)
	}
	w, err := m.Constants["w"].Float32()
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "w", w, []float32{0, 1, 2, 3, 4, 5})
	i, err := m.Constants["i"].Int64()
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "i", i, []int64{5, -6})

	dir := t.TempDir()
	data := golden(t, "external.data")
	for name, content := range map[string][]byte{"model/sub/external.data": data, "secret": data, "model/short": data[:len(data)-1]} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for link, to := range map[string]string{"out": "../secret", "inö": "sub/external.data", "folder": "sub", "up": ".."} {
		if err := os.Symlink(to, filepath.Join(dir, "model", link)); err != nil {
			t.Skip(err)
		}
	}
	folder := root(filepath.Join(dir, "model"))
	for _, c := range []struct{ location, offset, length, want string }{
		{"sub/external.data", "", "", ""},
		{"./sub/external.data", "", "", ""},
		{"", "", "", `lies in ""`},
		{".", "", "", `lies in "."`},
		{"../secret", "", "", `lies in "../secret": want a file in the folder`},
		{"sub/../sub/external.data", "", "", `want a file in the folder`},
		{filepath.ToSlash(filepath.Join(dir, "secret")), "", "", `want a file in the folder`},
		{`sub\external.data`, "", "", `want a file in the folder`},
		{"sub/external.data\x00", "", "", `want a file in the folder`},
		{"out", "", "", `"out" is a link or no plain file`},
		{"inö", "", "", `"inö" is a link or no plain file`},
		{"folder/external.data", "", "", `"folder" is a link or no plain file`},
		{"up/secret", "", "", `"up" is a link or no plain file`},
		{"sub", "", "", `"sub" is a link or no plain file`},
		{"no", "", "", `no such file`},
		{"short", "", "", `which has`},
		{"sub/external.data", "-1", "", `bytes -1 to`},
		{"sub/external.data", "9223372036854775807", "", `bytes 9223372036854775807 to`},
		{"sub/external.data", "x", "", `offset "x" of its external data`},
		{"sub/external.data", "", "23", `23 bytes of external data, want 24`},
		{"sub/external.data", "", "-1", `-1 bytes of external data, want 24`},
	} {
		b := change(t, file, func(m *ModelProto) {
			for i, tensor := range m.Graph.Initializer {
				for _, e := range tensor.ExternalData {
					switch {
					case e.GetKey() == "location":
						e.Value = &c.location
					case i == 0 && e.GetKey() == "offset" && c.offset != "":
						e.Value = &c.offset
					case i == 0 && e.GetKey() == "length" && c.length != "":
						e.Value = &c.length
					}
				}
			}
		})
		_, err := open(b, folder)
		checkError(t, c.location+" "+c.offset+" "+c.length, err, c.want)
	}
	_, err = open(file, nil)
	checkError(t, "no folder", err, `tensor "w" lies in another file, "external.data", and no folder is known`)
	many := change(t, file, func(m *ModelProto) {
		for range 1000 {
			again := proto.Clone(m.Graph.Initializer[0]).(*TensorProto)
			again.Name = proto.String(strings.Repeat("w", 2+len(m.Graph.Initializer)))
			m.Graph.Initializer = append(m.Graph.Initializer, again)
		}
	})
	_, err = open(many, root("testdata"))
	checkError(t, "many tensors in one place", err, `and the tensors that lie in it have more`)
}

// change is a file with something changed.
func change(t *testing.T, file []byte, how func(*ModelProto)) []byte {
	t.Helper()
	m := new(ModelProto)
	if err := proto.Unmarshal(file, m); err != nil {
		t.Fatal(err)
	}
	how(m)
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// checkError wants one bounded line with a text in it, or none for "".
func checkError(t *testing.T, what string, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("%s: %v", what, err)
	case want == "":
	case err == nil || !strings.Contains(err.Error(), want):
		t.Errorf("%s: error %v, want … %s …", what, err, want)
	case !strings.HasPrefix(err.Error(), "convert: ") || strings.ContainsAny(err.Error(), "\r\n") || len(err.Error()) > 1000:
		t.Errorf("%s: error %q", what, err)
	}
}
