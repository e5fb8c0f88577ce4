package safetensors

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// join puts a file together from any header and a buffer of n zeros.
func join(header string, n int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), make([]byte, n)...)
}

// tensor is a header of one tensor "a".
func tensor(entry string) string { return `{"a":{` + entry + `}}` }

func u8(name string, n, begin, end int) string {
	return fmt.Sprintf(`"%s":{"dtype":"U8","shape":[%d],"data_offsets":[%d,%d]}`, name, n, begin, end)
}

const max63 = "9223372036854775807"

// malformed lists files that must not open, with the error.
var malformed = []struct {
	file []byte
	want string
}{
	// The length.
	{nil, `file of 0 bytes, want at least 8`},
	{[]byte("\x02\x00\x00"), `file of 3 bytes, want at least 8`},
	{make([]byte, 8), `header length 0, want 2 to 33554432`},
	{[]byte("\x01\x00\x00\x00\x00\x00\x00\x00{"), `header length 1, want 2 to 33554432`},
	{[]byte("\x00\x00\x00\x00\x00\x00\x00\x80{}"), `header length 9223372036854775808, want 2 to 33554432`},
	{[]byte("\xff\xff\xff\xff\xff\xff\xff\xff{}"), `header length 18446744073709551615, want 2 to 33554432`},
	{[]byte("\x01\x00\x00\x02\x00\x00\x00\x00{}"), `header length 33554433, want 2 to 33554432`},
	{[]byte("\x03\x00\x00\x00\x00\x00\x00\x00{}"), `header length 3 in a file of 10 bytes: the file is cut`},

	// The text.
	{join(" {}", 0), `header starts with 0x20, want 0x7b, an opening brace`},
	{join("\xef\xbb\xbf{}", 0), `header starts with 0xef, want 0x7b, an opening brace`},
	{join("[]", 0), `header starts with 0x5b, want 0x7b, an opening brace`},
	{join("{\"a\xff\":1}", 0), `header byte 3 is 0xff, want UTF-8`},
	{join("{\"a\xed\xa0\x80\":1}", 0), `header byte 3 is 0xed, want UTF-8`},
	{join("{}\n", 0), `header byte 2: '\n', want only spaces after the last brace`},
	{join("{}  \x00", 0), `header byte 4: '\x00', want only spaces after the last brace`},
	{join("{}{}", 0), `header byte 2: '{', want only spaces after the last brace`},
	{join("{{", 0), `header byte 1: '{', want '"'`},
	{join("{ ", 0), `header byte 2: the end, want '"'`},
	{join(`{"a" {`, 0), `header byte 5: '{', want ':'`},
	{join(`{"a":1}`, 0), `header byte 5: '1', want '{'`},
	{join(`{"a":null}`, 0), `header byte 5: 'n', want '{'`},
	{join(`{"a":["F32",[1],[0,4]]}`, 4), `header byte 5: '[', want '{'`},
	{join(`{`+u8("a", 1, 0, 1)+`,}`, 1), `header byte 53: '}', want '"'`},
	{join(`{`+u8("a", 1, 0, 1)+` `+u8("b", 1, 1, 2)+`}`, 2), `header byte 53: '"', want ','`},
	{join(`{`+u8("a", 1, 0, 1), 1), `header byte 52: the end, want ','`},

	// Strings.
	{join(`{"a`, 0), `header byte 3: the end, want the rest of a string`},
	{join(`{"a\`, 0), `header byte 4: the end, want the rest of a string`},
	{join("{\"a\nb\":1}", 0), `header byte 3: '\n', want the rest of a string`},
	{join("{\"a\x00b\":1}", 0), `header byte 3: '\x00', want the rest of a string`},
	{join(`{"a\x":1}`, 0), `header byte 3: escape "\\x" stands for no character`},
	{join(`{"\\\u12":1}`, 0), `header byte 4: escape "\\u12" stands for no character`},
	{join(`{"\u12g4":1}`, 0), `header byte 2: escape "\\u12g4" stands for no character`},
	{join(`{"\u+123":1}`, 0), `header byte 2: escape "\\u+123" stands for no character`},
	{join(`{"\ud800":1}`, 0), `header byte 2: escape "\\ud800" stands for no character`},
	{join(`{"\udc00\ud800":1}`, 0), `header byte 2: escape "\\udc00\\ud800" stands for no character`},
	{join(`{"\ud800\u0041":1}`, 0), `header byte 2: escape "\\ud800\\u0041" stands for no character`},
	{join(`{"\ud83dx":1}`, 0), `header byte 2: escape "\\ud83dx" stands for no character`},

	// Metadata.
	{join(`{"__metadata__":null}`, 0), `header byte 16: 'n', want '{'`},
	{join(`{"__metadata__":{"a":1}}`, 0), `header byte 21: '1', want '"'`},
	{join(`{"__metadata__":{"a":{"b":"c"}}}`, 0), `header byte 21: '{', want '"'`},
	{join(`{"__metadata__":{"a":"b","\u0061":"b"}}`, 0), `__metadata__: key "a" stands twice`},
	{join(`{"__metadata__":{},"__metadata__":{}}`, 0), `__metadata__ stands twice`},

	// The entry of a tensor.
	{join(`{`+u8("a", 0, 0, 0)+`,`+u8(`\u0061`, 0, 0, 0)+`}`, 0), `tensor "a" stands twice`},
	{join(tensor(``), 0), `tensor "a": field dtype is missing`},
	{join(tensor(`"shape":[0],"data_offsets":[0,0]`), 0), `tensor "a": field dtype is missing`},
	{join(tensor(`"dtype":"U8","data_offsets":[0,1]`), 1), `tensor "a": field shape is missing`},
	{join(tensor(`"dtype":"U8","shape":[0]`), 0), `tensor "a": field data_offsets is missing`},
	{join(tensor(`"dtype":"U8","dtype":"U8","shape":[0],"data_offsets":[0,0]`), 0), `tensor "a": field dtype stands twice`},
	{join(tensor(`"dtype":"U8","shape":[0],"shape":[0],"data_offsets":[0,0]`), 0), `tensor "a": field shape stands twice`},
	{join(tensor(`"data_offsets":[0,0],"dtype":"U8","shape":[0],"data_offsets":[0,0]`), 0), `tensor "a": field data_offsets stands twice`},
	{join(tensor(`"dtype":"U8","shape":[0],"data_offsets":[0,0],"x":1`), 0), `tensor "a": unknown field "x", want [dtype shape data_offsets]`},
	{join(tensor(`"dtype":"F4","shape":[2],"data_offsets":[0,1]`), 1),
		`tensor "a": dtype "F4", want one of [BOOL U8 I8 F8_E5M2 F8_E4M3 I16 U16 F16 BF16 I32 U32 F32 F64 I64 U64]`},
	{join(tensor(`"dtype":"f32","shape":[1],"data_offsets":[0,4]`), 4),
		`tensor "a": dtype "f32", want one of [BOOL U8 I8 F8_E5M2 F8_E4M3 I16 U16 F16 BF16 I32 U32 F32 F64 I64 U64]`},
	{join(tensor(`"dtype":7`), 0), `header byte 14: '7', want '"'`},

	// Shapes.
	{join(tensor(`"shape":3`), 0), `header byte 14: '3', want '['`},
	{join(tensor(`"shape":[-1]`), 0), `tensor "a": shape holds -1, want a whole number from 0 to ` + max63},
	{join(tensor(`"shape":[-0]`), 0), `tensor "a": shape holds -0, want a whole number from 0 to ` + max63},
	{join(tensor(`"shape":[+1]`), 0), `tensor "a": shape holds +1, want a whole number from 0 to ` + max63},
	{join(tensor(`"shape":[01]`), 0), `tensor "a": shape holds 01, want a whole number from 0 to ` + max63},
	{join(tensor(`"shape":[1.0]`), 0), `tensor "a": shape holds 1.0, want a whole number from 0 to ` + max63},
	{join(tensor(`"shape":[1e3]`), 0), `tensor "a": shape holds 1e3, want a whole number from 0 to ` + max63},
	{join(tensor(`"shape":[9223372036854775808]`), 0), `tensor "a": shape holds 9223372036854775808, want a whole number from 0 to ` + max63},
	{join(tensor(`"shape":[`+strings.Repeat("9", 100)+`]`), 0), `tensor "a": shape holds ` + strings.Repeat("9", 40) + `, want a whole number from 0 to ` + max63},
	{join(tensor(`"shape":["1"]`), 0), `header byte 15: '"', want a number for shape of tensor "a"`},
	{join(tensor(`"shape":[[1]]`), 0), `header byte 15: '[', want a number for shape of tensor "a"`},
	{join(tensor(`"shape":[1,]`), 0), `header byte 17: ']', want a number for shape of tensor "a"`},
	{join(tensor(`"shape":[1 2]`), 0), `header byte 17: '2', want ','`},
	{join(tensor(`"shape":[1`+strings.Repeat(",1", 64)+`]`), 0), `tensor "a": shape holds more than 64 numbers`},
	{join(tensor(`"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]`), 0),
		`tensor "a": shape [4294967296 4294967296] of F32 overflows, want at most ` + max63 + ` bytes`},
	{join(tensor(`"dtype":"F32","shape":[2305843009213693952],"data_offsets":[0,0]`), 0),
		`tensor "a": shape [2305843009213693952] of F32 overflows, want at most ` + max63 + ` bytes`},
	{join(tensor(`"dtype":"U8","shape":[0,`+max63+`,2],"data_offsets":[0,0]`), 0),
		`tensor "a": shape [0 ` + max63 + ` 2] of U8 overflows, want at most ` + max63 + ` bytes`},

	// Offsets.
	{join(tensor(`"dtype":"U8","shape":[1],"data_offsets":[]`), 1), `tensor "a": data_offsets [], want two that are 1 bytes apart for U8 of shape [1]`},
	{join(tensor(`"dtype":"U8","shape":[1],"data_offsets":[1]`), 1), `tensor "a": data_offsets [1], want two that are 1 bytes apart for U8 of shape [1]`},
	{join(tensor(`"dtype":"U8","shape":[1],"data_offsets":[0,1,2]`), 1), `tensor "a": data_offsets holds more than 2 numbers`},
	{join(tensor(`"dtype":"U8","shape":[1],"data_offsets":[0,-1]`), 1), `tensor "a": data_offsets holds -1, want a whole number from 0 to ` + max63},
	{join(tensor(`"dtype":"F32","shape":[],"data_offsets":[0,3]`), 3), `tensor "a": data_offsets [0 3], want two that are 4 bytes apart for F32 of shape []`},
	{join(tensor(`"dtype":"U8","shape":[1],"data_offsets":[0,2]`), 2), `tensor "a": data_offsets [0 2], want two that are 1 bytes apart for U8 of shape [1]`},
	{join(tensor(`"dtype":"U8","shape":[1],"data_offsets":[1,0]`), 1), `tensor "a": data_offsets [1 0], want two that are 1 bytes apart for U8 of shape [1]`},
	{join(`{`+u8("a", 1, 1, 2)+`}`, 2), `tensor "a": data_offsets begin at 1, want 0, the end of the header`},
	{join(`{`+u8("b", 1, 2, 3)+`,`+u8("a", 1, 0, 1)+`}`, 3), `tensor "b": data_offsets begin at 2, want 1, the end of tensor "a"`},
	{join(`{`+u8("a", 2, 0, 2)+`,`+u8("b", 2, 1, 3)+`}`, 3), `tensor "b": data_offsets begin at 1, want 2, the end of tensor "a"`},
	{join(`{`+u8("a", 1, 0, 1)+`,`+u8("b", 1, 0, 1)+`}`, 1), `tensor "b": data_offsets begin at 0, want 1, the end of tensor "a"`},
	{join(`{`+u8("a", 2, 0, 2)+`,`+u8("b", 0, 1, 1)+`}`, 2), `tensor "b": data_offsets begin at 1, want 2, the end of tensor "a"`},
	{join(`{`+u8("a", 1, 9223372036854775806, math.MaxInt64)+`}`, 1), `tensor "a": data_offsets begin at 9223372036854775806, want 0, the end of the header`},
	{join(`{`+u8("a", math.MaxInt64, 0, math.MaxInt64)+`,`+u8("b", 1, math.MaxInt64, math.MaxInt64)+`}`, 1),
		`tensor "b": data_offsets [` + max63 + ` ` + max63 + `], want two that are 1 bytes apart for U8 of shape [1]`},
	{join(`{`+u8("a", 2, 0, 2)+`}`, 1), `tensor "a" ends at byte 2 of a buffer of 1: the file is cut`},
	{join(`{`+u8("a", 1, 0, 1)+`}`, 2), `tensor "a" ends at byte 1 of a buffer of 2: the rest belongs to no tensor`},
	{join(`{}`, 1), `the header ends at byte 0 of a buffer of 1: the rest belongs to no tensor`},

	// What is long is cut in a message, what is odd is quoted.
	{join(`{"`+strings.Repeat("x", 1000)+`":{}}`, 0), `tensor "` + strings.Repeat("x", 80) + `": field dtype is missing`},
	{join(`{"a\nb":{}}`, 0), `tensor "a\nb": field dtype is missing`},

	// Nesting.
	{join(strings.Repeat(`{"a":`, 1e6), 0), `tensor "a": unknown field "a", want [dtype shape data_offsets]`},
	{join(tensor(`"shape":`+strings.Repeat(`[`, 1e6)), 0), `header byte 15: '[', want a number for shape of tensor "a"`},
	{join(`{"__metadata__":`+strings.Repeat(`{"a":`, 1e6), 0), `header byte 21: '{', want '"'`},
}

func TestMalformed(t *testing.T) {
	for _, m := range malformed {
		f, err := open(m.file)
		if f != nil || err == nil || err.Error() != "safetensors: "+m.want {
			t.Errorf("%.120q: error\n  %v, want\n  safetensors: %s", m.file, err, m.want)
		} else if !errors.Is(err, ErrFormat) || strings.ContainsAny(err.Error(), "\n\r") {
			t.Errorf("%.120q: error %q is not an ErrFormat of one line", m.file, err)
		}
	}
}

// Every proper beginning of a file is an error, and so is every longer file.
func TestTruncated(t *testing.T) {
	whole := write(t, map[string]string{"a": "é"}, numbers)
	for n := range whole {
		if _, err := open(whole[:n]); !errors.Is(err, ErrFormat) {
			t.Errorf("the first %d bytes: error %v", n, err)
		}
		// A reader that ends before the size it was said to have.
		f, err := Open(bytes.NewReader(whole[:n]), int64(len(whole)))
		if err == nil {
			err = f.ReadFloat32(make([]float32, 1), "scalar")
			_, err2 := f.Float64("double")
			_, err3 := f.Int32("ids")
			err = errors.Join(err, err2, err3)
		}
		if !errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, ErrFormat) {
			t.Errorf("a reader that ends after %d bytes: error %v", n, err)
		}
	}
	if _, err := open(append(slices.Clone(whole), 0)); !errors.Is(err, ErrFormat) {
		t.Errorf("one byte more: error %v", err)
	}
}

// What is unusual and valid.
func TestWellFormed(t *testing.T) {
	for _, w := range []struct {
		file     []byte
		metadata map[string]string
		tensors  []Tensor
	}{
		{join(`{}`, 0), nil, nil},
		{join(`{}      `, 0), nil, nil},
		{join("{\t\r\n }", 0), nil, nil},
		{join(`{"__metadata__":{}}`, 0), map[string]string{}, nil},
		{join(`{"__metadata__" : { "" : "" , "__metadata__":"\"\\\/\b\f\n\r\t\u00e9\uD83D\uDE00\ufffd`+"é\ufffd"+`"}}`, 0),
			map[string]string{"": "", "__metadata__": "\"\\/\b\f\n\r\té😀\ufffdé\ufffd"}, nil},
		{join("{ \"a\" :\n{ \"data_offsets\" : [ 0 , 1 ] , \"shape\" : [ 1 ] , \"dtype\" : \"U8\" } } ", 1), nil,
			[]Tensor{{"a", []int{1}, Raw{U8, []byte{0}}}}},
		{join(`{`+u8("b", 1, 1, 2)+`,`+u8("z", 0, 1, 1)+`,`+u8("", 1, 0, 1)+`,`+u8("y", 0, 1, 1)+`}`, 2), nil,
			[]Tensor{{"", []int{1}, Raw{U8, []byte{0}}}, {"y", []int{0}, Raw{U8, []byte{}}}, {"z", []int{0}, Raw{U8, []byte{}}}, {"b", []int{1}, Raw{U8, []byte{0}}}}},
		{join(tensor(`"dtype":"U64","shape":[`+strings.Repeat("1,", 63)+`0],"data_offsets":[0,0]`), 0), nil,
			[]Tensor{{"a", append(slices.Repeat([]int{1}, 63), 0), Raw{U64, []byte{}}}}},
		// A tensor need not be aligned.
		{join(`{`+u8("a", 1, 0, 1)+`,"b":{"dtype":"F32","shape":[],"data_offsets":[1,5]}}`, 5), nil,
			[]Tensor{{"a", []int{1}, Raw{U8, []byte{0}}}, {"b", nil, []float32{0}}}},
	} {
		checkContent(t, w.file, w.metadata, w.tensors)
		f, err := open(w.file)
		if err != nil {
			t.Fatal(err)
		}
		for i, tensor := range f.Tensors {
			if tensor.Name != w.tensors[i].Name {
				t.Errorf("tensor %d is %q, want %q", i, tensor.Name, w.tensors[i].Name)
			}
		}
	}
}

func TestWrongTensor(t *testing.T) {
	f, err := open(write(t, nil, numbers))
	if err != nil {
		t.Fatal(err)
	}
	second := func(_ any, err error) error { return err }
	for _, c := range []struct {
		err  error
		want string
	}{
		{second(f.Float32("wieght")), `safetensors: no tensor "wieght" among the 8 of the file`},
		{second(f.Raw("wieght")), `safetensors: no tensor "wieght" among the 8 of the file`},
		{second(f.Float32("double")), `safetensors: tensor "double" has dtype F64, want F32`},
		{second(f.Float64("edge")), `safetensors: tensor "edge" has dtype F32, want F64`},
		{second(f.Int32("steps")), `safetensors: tensor "steps" has dtype I64, want I32`},
		{second(f.Int64("ids")), `safetensors: tensor "ids" has dtype I32, want I64`},
		{f.ReadFloat32(nil, "ids", 0), `safetensors: tensor "ids" has dtype I32, want F32`},
		{f.ReadFloat32(make([]float32, 6), "rnn.weight_ih_l0", 3, 2), `safetensors: tensor "rnn.weight_ih_l0" has shape [2 3], want [3 2]`},
		{f.ReadFloat32(make([]float32, 1), "edge"), `safetensors: tensor "edge" has shape [7], want []`},
	} {
		if c.err == nil || c.err.Error() != c.want || !errors.Is(c.err, ErrFormat) {
			t.Errorf("error\n  %v, want\n  %s", c.err, c.want)
		}
	}
	defer func() {
		want := `safetensors: ReadFloat32: 5 elements for tensor "edge" of shape [7]`
		if got := recover(); got != want {
			t.Errorf("panic %v, want %s", got, want)
		}
	}()
	f.ReadFloat32(make([]float32, 5), "edge", 7)
}

type failingReader struct{}

var errDevice = errors.New("device error")

func (failingReader) ReadAt([]byte, int64) (int, error) { return 0, errDevice }

func TestReadFails(t *testing.T) {
	_, err := Open(failingReader{}, 100)
	if !errors.Is(err, errDevice) || errors.Is(err, ErrFormat) || err.Error() != "safetensors: read the header's length: device error" {
		t.Error(err)
	}
	whole := write(t, nil, numbers)
	f, _ := open(whole)
	f.r = failingReader{}
	if _, err = f.Float32("scalar"); err == nil || err.Error() != `safetensors: read tensor "scalar": device error` {
		t.Error(err)
	}
}

// allocated is what do allocates in all, in bytes.
func allocated(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func checkAllocated(t testing.TB, header int, got uint64) {
	t.Helper()
	if want := uint64(32*header + 64<<10); got > want {
		t.Errorf("a header of %d bytes allocated %d, want at most %d", header, got, want)
	}
}

// The densest headers that one can write, at sizes around those where the
// tables of the runtime grow.
func TestAllocation(t *testing.T) {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#"
	name := func(i int) string {
		b := []byte{digits[i%64]}
		for i /= 64; i > 0; i /= 64 {
			b = append(b, digits[i%64])
		}
		return string(b)
	}
	worst := 0.0
	for n := 1; n < 100_000; n += n/4 + 1 {
		var meta, scalars, wide strings.Builder
		for i := range n {
			fmt.Fprintf(&meta, `,"%s":""`, name(i))
			fmt.Fprintf(&scalars, `,"%s":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`, name(i))
			if i < n/16 {
				fmt.Fprintf(&wide, `,"%s":{"dtype":"U8","shape":[%s0],"data_offsets":[0,0]}`, name(i), strings.Repeat("0,", 63))
			}
		}
		for _, header := range []string{
			`{"__metadata__":{` + meta.String()[1:] + `}}`,
			`{` + scalars.String()[1:] + `}`,
			`{` + strings.TrimPrefix(wide.String(), ",") + `}`,
			`{"` + strings.Repeat(`\n`, n) + `":1}`,
			`{"a":{"shape":[` + strings.Repeat(`1`, n) + `]}}`,
		} {
			b := join(header, 0)
			got := allocated(func() { open(b) })
			checkAllocated(t, len(header), got)
			worst = max(worst, (float64(got)-64<<10)/float64(len(header)))
		}
	}
	t.Logf("at most %.1f times the header", worst)
}

// 10⁵ tensors open, in any order.
func TestManyTensors(t *testing.T) {
	tensors := make([]Tensor, 100_000)
	for i := range tensors {
		tensors[i] = Tensor{fmt.Sprintf("layer.%d.weight", (i*7919)%len(tensors)), []int{1}, []float32{float32(i)}}
	}
	f, err := open(write(t, nil, tensors))
	if err != nil {
		t.Fatal(err)
	}
	if x, err := f.Float32(tensors[77].Name); err != nil || !slices.Equal(x, []float32{77}) {
		t.Error(x, err)
	}
}

func TestReadBytes(t *testing.T) {
	var b bytes.Buffer
	if err := Write(&b, nil, []Tensor{{Name: "q", Shape: []int{2, 3}, Data: Raw{I8, []byte{1, 2, 3, 4, 5, 0xff}}}}); err != nil {
		t.Fatal(err)
	}
	f, err := Open(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	dst := make([]byte, 6)
	if err := f.ReadBytes(dst, "q", I8, 2, 3); err != nil || !bytes.Equal(dst, []byte{1, 2, 3, 4, 5, 0xff}) {
		t.Errorf("ReadBytes: %v, %v", dst, err)
	}
	for _, c := range []struct {
		name  string
		dtype DType
		shape []int
		want  string
	}{
		{"q", I8, []int{3, 2}, `safetensors: tensor "q" has shape [2 3], want [3 2]`},
		{"q", U8, []int{2, 3}, `safetensors: tensor "q" has dtype I8, want U8`},
		{"p", I8, []int{2, 3}, `safetensors: no tensor "p" among the 1 of the file`},
	} {
		if err := f.ReadBytes(dst, c.name, c.dtype, c.shape...); fmt.Sprint(err) != c.want || !errors.Is(err, ErrFormat) {
			t.Errorf("ReadBytes: error %v, want %s", err, c.want)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("ReadBytes into too few bytes does not panic")
		}
	}()
	f.ReadBytes(dst[:5], "q", I8, 2, 3)
}
