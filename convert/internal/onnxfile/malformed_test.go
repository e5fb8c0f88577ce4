package onnxfile

import (
	"bytes"
	"runtime"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// field is a field of bytes.
func field(number protowire.Number, content ...[]byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, number, protowire.BytesType), bytes.Join(content, nil))
}

func number(number protowire.Number, v uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(nil, number, protowire.VarintType), v)
}

// graph is a file of a graph of such fields.
func graph(content ...[]byte) []byte { return field(7, content...) }

// constant is an initializer "c" of such fields.
func constant(content ...[]byte) []byte {
	return graph(field(5, append(content, field(8, []byte("c")))...))
}

// attribute is a node with an attribute "a" of a type.
func attribute(kind uint64, content ...[]byte) []byte {
	return graph(field(1, field(4, []byte("Op")), field(5, append(content, field(1, []byte("a")), number(20, kind))...)))
}

var malformed = []struct {
	name string
	file []byte
	want string
}{
	{"empty", nil, "ONNX file of 0 bytes, want 1 to 2147483647"},
	{"text", []byte("\x89PNG\r\n"), "is no ONNX file"},
	{"no graph", number(1, 8), "ONNX file without a graph"},
	{"tag 0", []byte{0}, "byte 0, within ModelProto: no field's number"},
	{"cut tag", []byte{0x80}, "byte 0, within ModelProto: no field's number"},
	{"cut field", []byte{0x3A, 5, 0}, "byte 0, within ModelProto: field 7 is cut"},
	{"a length of 2⁶³", append([]byte{0x3A}, protowire.AppendVarint(nil, 1<<63)...), "field 7 is cut"},
	{"a length of −1", append([]byte{0x3A}, protowire.AppendVarint(nil, 1<<64-1)...), "field 7 is cut"},
	{"cut within", graph([]byte{0x0A, 9}), "byte 2, within GraphProto: field 1 is cut"},
	{"cut deeper", graph(field(1, []byte{0x2A, 9})), "byte 4, within NodeProto: field 5 is cut"},
	{"a group", bytes.Repeat([]byte{0x0B}, 1e6), "field 1 is cut or of an unknown kind"},
	{"a graph that is a number", number(7, 1), "byte 0: field ModelProto.graph has wire type 0, want message"},
	{"two graphs", append(graph(), graph()...), "byte 2: field ModelProto.graph stands twice"},
	{"functions", append(graph(), field(25, field(1, []byte("f")))...), `with 1 functions, such as "f"`},
	{"a sparse constant", graph(field(15, field(1, field(8, []byte("s"))))), `with a sparse constant "s"`},
	{"two versions", append(graph(), append(field(8, number(2, 14)), field(8, number(2, 15))...)...), "operators of versions 14 and 15"},
	{"version 0", append(graph(), field(8)...), "operators of versions 0 and 0"},

	{"a constant without a name", graph(field(5, number(2, 1))), `constant "" stands twice or has no name`},
	{"a constant twice", graph(field(5, field(8, []byte("c")), number(2, 1), field(9, []byte("1234"))), field(5, field(8, []byte("c")))), `constant "c" stands twice`},
	{"a dimension −1", constant(number(1, 1<<64-1), number(2, 1)), `tensor "c" has shape [-1]`},
	{"shape overflow", constant(number(1, 1<<20), number(1, 1<<20), number(2, 1)), "at most 2147483647 elements"},
	{"shape overflow beside 0", constant(number(1, 0), number(1, 1<<20), number(1, 1<<20), number(2, 1)), "at most 2147483647 elements"},
	{"65 dimensions", constant(field(1, bytes.Repeat([]byte{1}, 65))), "has 65 dimensions"},
	{"no data", constant(number(1, 3), number(2, 1)), `tensor "c" has 0 bytes of raw data, want 12 for shape [3] of FLOAT`},
	{"too little", constant(number(1, 2), number(2, 7), field(9, []byte("1234567"))), "7 bytes of raw data, want 16 for shape [2] of INT64"},
	{"too much", constant(number(1, 0), number(2, 1), field(9, []byte("1"))), "1 bytes of raw data, want 0"},
	{"one float of two", constant(number(1, 2), number(2, 1), field(4, []byte("1234"))), "has 1 elements in the field of type FLOAT, want 2"},
	{"integers for floats", constant(number(1, 1), number(2, 1), field(7, []byte{1})), "has -1 elements in the field of type FLOAT"},
	{"both", constant(number(1, 1), number(2, 1), field(4, []byte("1234")), field(9, []byte("1234"))), "has both raw data and others"},
	{"a byte of 256", constant(number(1, 1), number(2, 2), field(5, []byte{0x80, 2})), "element 0 is 256, want 0 to 255 for UINT8"},
	{"a wide uint32", constant(number(1, 1), number(2, 12), field(11, protowire.AppendVarint(nil, 1<<32))), "element 0 is 4294967296, want at most"},
	{"a segment", constant(number(2, 1), field(3, number(1, 0))), `tensor "c" is a segment`},
	{"in and out", constant(number(2, 1), number(14, 1), field(9, []byte("1234"))), "data both in and outside"},
	{"outside", constant(number(2, 1), number(14, 1), field(13, field(1, []byte("location")), field(2, []byte("w\nw")))), `lies in another file, "w\nw"`},

	{"no operator", graph(field(1, field(3, []byte("n")))), `node 0, "n", has no operator`},
	{"an odd operator", graph(field(1, field(1, []byte("v")), field(4, []byte("\np")))), `"\np" node without a name reads "v"`},
	{"a graph within", attribute(5, field(6)), `Op node without a name: attribute "a" is a graph`},
	{"a function's attribute", attribute(2, field(21, []byte("b"))), `attribute "a" refers to one of a function`},
	{"a tensor that is missing", attribute(4), `attribute "a" is of type TENSOR and has none`},
	{"a bad tensor", attribute(4, field(5, number(2, 1))), `tensor "Op node without a name, attribute a" has 0 bytes`},
	{"an attribute twice", graph(field(1, field(4, []byte("Op")), field(5), field(5))), `attribute "" stands twice`},
	{"an unknown value", graph(field(1, field(1, []byte("v")), field(2, []byte("o")), field(4, []byte("Op")))), `Op node of output "o" reads "v", which no input, constant or node before it makes`},
	{"a circle", graph(field(1, field(1, []byte("v")), field(2, []byte("v")), field(4, []byte("Op")))), `Op node of output "v" reads "v"`},
	{"a value twice", graph(field(1, field(2, []byte("v")), field(2, []byte("v")), field(4, []byte("Op")))), `makes "v", which there is already`},
	{"an input without a type", graph(field(11, field(1, []byte("x")))), `input "x" is no tensor`},
	{"an input twice", graph(field(11, field(1, []byte("x")), field(2, field(1))), field(11, field(1, []byte("x")), field(2, field(1)))), `input "x" stands twice`},
	{"a negative dimension", graph(field(11, field(1, []byte("x")), field(2, field(1, field(2, field(1, number(1, 1<<63))))))), "dimension 0 of input \"x\" is -9223372036854775808"},
	{"an output of nothing", graph(field(12, field(1, []byte("y")), field(2, field(1)))), `output "y" is made by no node`},
	{"long and odd names", graph(field(12, field(1, []byte(strings.Repeat("\n\x00", 1e5))), field(2, field(1)))), `output "\n\x00\n`},
	{"empty messages", graph(bytes.Repeat(field(1), 1e6)), "its messages would take more than 32 times as much and 1 MiB"},
}

func TestMalformed(t *testing.T) {
	for _, c := range malformed {
		m, err := open(c.file, nil)
		if checkError(t, c.name, err, c.want); m != nil {
			t.Errorf("%s: a model beside the error", c.name)
		}
	}
	_, err := Read(bytes.NewReader([]byte("abc")), 4, nil)
	checkError(t, "a file that is shorter than it should be", err, "read the ONNX file: unexpected EOF")
	_, err = Read(bytes.NewReader(nil), -1, nil)
	checkError(t, "a negative size", err, "ONNX file of -1 bytes")
}

// No beginning of a file is anything but an error, a file whose last fields are
// missing, or the file.
func TestTruncation(t *testing.T) {
	for _, file := range [][]byte{sample(t), golden(t, "tensors.onnx")} {
		whole := 0
		for n := range file {
			_, err := open(file[:n], nil)
			if err == nil {
				whole++
				continue
			}
			checkError(t, "a cut file", err, "ONNX file")
		}
		if whole > 3 { // the graph is there, and metadata and versions that come after it are not
			t.Errorf("%d cut files of %d open", whole, len(file))
		}
	}
}

func allocated(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func checkAllocated(t testing.TB, what string, size int, got uint64) {
	t.Helper()
	if want := uint64(128*size + 1<<20); got > want {
		t.Errorf("%s: a file of %d bytes allocated %d, want at most %d", what, size, got, want)
	}
}

// The densest files that one can write keep to what Read promises.
func TestAllocation(t *testing.T) {
	open(sample(t), nil) // what is made once is no file's
	names := func(n int) (all []byte) {
		for i := range n {
			all = append(all, field(2, []byte{byte(i), byte(i >> 8), byte(i >> 16), 'x'})...)
		}
		return all
	}
	node := field(4, []byte("O"))
	for _, n := range []int{1, 100, 1e4, 3e5} {
		for name, file := range map[string][]byte{
			"nodes":           graph(bytes.Repeat(field(1, node), n)),
			"empty nodes":     graph(bytes.Repeat(field(1), n)),
			"tensors":         graph(bytes.Repeat(field(5), n)),
			"infos":           graph(bytes.Repeat(field(13), n)),
			"dimensions":      graph(field(13, field(2, field(1, field(2, bytes.Repeat(field(1), n)))))),
			"inputs":          graph(field(1, node, bytes.Repeat(field(1), n))),
			"outputs":         graph(field(1, node, names(n))),
			"attributes":      graph(field(1, node, bytes.Repeat(field(5), n))),
			"ints":            attribute(7, bytes.Repeat(number(8, 1), n)),
			"packed ints":     attribute(7, field(8, bytes.Repeat([]byte{1}, n))),
			"strings":         attribute(8, bytes.Repeat(field(9), n)),
			"packed elements": constant(number(1, uint64(n)), number(2, 7), field(7, bytes.Repeat([]byte{1}, n))),
			"elements":        constant(number(1, uint64(n)), number(2, 2), bytes.Repeat(number(5, 1), n)),
			"shape":           constant(bytes.Repeat(number(1, 1), n)),
			"metadata":        append(graph(), bytes.Repeat(field(14), n)...),
			"operators":       append(graph(), bytes.Repeat(field(8, field(1, []byte("a"))), n)...),
			"unknown fields":  append(graph(), bytes.Repeat(number(99, 1), n)...),
		} {
			got := allocated(func() { open(file, nil) })
			checkAllocated(t, name, len(file), got)
			if testing.Verbose() {
				t.Logf("%s: %d bytes, %.1f times", name, len(file), float64(got)/float64(len(file)))
			}
		}
	}
}

// No file makes Read panic or allocate more than it promises; what it reads can
// be decoded.
func FuzzRead(f *testing.F) {
	for _, c := range malformed {
		if len(c.file) < 4096 {
			f.Add(c.file)
		}
	}
	f.Add(sample(f))
	f.Add(golden(f, "tensors.onnx"))
	f.Add(golden(f, "external.onnx"))
	f.Fuzz(func(t *testing.T, file []byte) {
		var m *Model
		var err error
		checkAllocated(t, "fuzz", len(file), allocated(func() { m, err = open(file, nil) }))
		if err != nil {
			if m != nil {
				t.Error("a model beside an error")
			}
			checkError(t, "fuzz", err, "ONNX")
			return
		}
		tensors := make([]*Tensor, 0, len(m.Constants))
		for _, c := range m.Constants {
			tensors = append(tensors, c)
		}
		for _, n := range m.Nodes {
			if _, err := n.Ints("axes"); err != nil {
				checkError(t, "fuzz", err, "attribute axes")
			}
			for _, c := range n.tensors {
				tensors = append(tensors, c)
			}
		}
		for _, c := range tensors {
			x, floatErr := c.Float32()
			i, intErr := c.Int64()
			if floatErr == nil && len(x) != c.Elements() || intErr == nil && len(i) != c.Elements() || floatErr == nil && intErr == nil {
				t.Errorf("tensor %q of type %s: %d and %d elements, want %d", c.Name, c.Type, len(x), len(i), c.Elements())
			}
		}
	})
}
