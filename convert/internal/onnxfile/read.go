package onnxfile

import (
	"io"
	"math"
	"os"
	"strings"

	"google.golang.org/protobuf/proto"
)

// MaxSize is the largest file that protobuf allows, in bytes.
const MaxSize = math.MaxInt32

// MaxNodes bounds the nodes of a graph.
const MaxNodes = 1 << 20

// Model is the content of a file.
type Model struct {
	IR        int64  // the version of the format
	Opset     int64  // that of ONNX's own operators, 0 if none are used
	Producer  string // the program that wrote it and its version
	Metadata  map[string]string
	Inputs    []Value // without those that are constants
	Outputs   []Value
	Constants map[string]*Tensor
	Nodes     []*Node // each after those that make its inputs
}

// Value is an input or output of a graph.
type Value struct {
	Name   string
	Type   TensorProto_DataType
	Ranked bool  // Shape is known
	Shape  []Dim // of a tensor
}

// Dim is a dimension of a value.
type Dim struct {
	Size int64  // −1 if it is not known before the model runs
	Name string // "" if it has none
}

// Read reads a file of the given size in bytes and checks all of it. The folder
// is where external data, which a file names, are looked for: files within it,
// by a path of plain names, that are no links. Without a folder, nil, such data
// are refused. They are opened as long as Read runs, and read into memory.
//
// Read allocates at most 128 times the size and 1 MiB, and as much as the
// external data's files are large.
func Read(r io.ReaderAt, size int64, folder *os.Root) (*Model, error) {
	if size < 1 || size > MaxSize {
		return nil, errorf("ONNX file of %d bytes, want 1 to %d", size, MaxSize)
	}
	b := make([]byte, size)
	if n, err := r.ReadAt(b, 0); n < len(b) {
		if err == nil || err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, errorf("read the ONNX file: %w", err)
	}
	s := scanner{size: size, room: MaxMessages*size + 1<<20}
	file := new(ModelProto)
	if err := s.scan(b, 0, file.ProtoReflect().Descriptor()); err != nil {
		return nil, err
	}
	if err := (proto.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(b, file); err != nil {
		return nil, errorf("ONNX file: %w", err)
	}
	e := &external{folder: folder}
	defer e.close()
	return file.model(e)
}

// model checks what the file says and how it hangs together.
func (f *ModelProto) model(e *external) (*Model, error) {
	g := f.GetGraph()
	switch {
	case g == nil:
		return nil, errorf("ONNX file without a graph")
	case len(f.GetFunctions()) > 0:
		return nil, errorf("ONNX file with %d functions, such as %.80q: want a graph of ONNX's own operators (write it with functions inlined)", len(f.Functions), f.Functions[0].GetName())
	case len(g.GetSparseInitializer()) > 0:
		return nil, errorf("ONNX file with a sparse constant %.80q, want it dense", g.SparseInitializer[0].GetValues().GetName())
	case len(g.GetNode()) > MaxNodes:
		return nil, errorf("ONNX file with %d nodes, want at most %d", len(g.Node), MaxNodes)
	}
	m := &Model{
		IR: f.GetIrVersion(), Producer: strings.TrimSpace(f.GetProducerName() + " " + f.GetProducerVersion()),
		Metadata: map[string]string{}, Constants: map[string]*Tensor{},
	}
	for _, p := range f.GetMetadataProps() {
		m.Metadata[p.GetKey()] = p.GetValue()
	}
	for _, o := range f.GetOpsetImport() {
		if !own(o.GetDomain()) {
			continue
		}
		if m.Opset != 0 || o.GetVersion() < 1 {
			return nil, errorf("ONNX file with operators of versions %d and %d, want one of 1 and more", m.Opset, o.GetVersion())
		}
		m.Opset = o.GetVersion()
	}
	for _, t := range g.GetInitializer() {
		if _, twice := m.Constants[t.GetName()]; twice || t.GetName() == "" {
			return nil, errorf("ONNX file: constant %.80q stands twice or has no name", t.GetName())
		}
		c, err := t.tensor(t.GetName(), e)
		if err != nil {
			return nil, err
		}
		m.Constants[c.Name] = c
	}
	if err := m.connect(g, e); err != nil {
		return nil, err
	}
	return m, nil
}

// connect reads inputs, nodes and outputs: each value is made once, and before
// it is used.
func (m *Model) connect(g *GraphProto, e *external) error {
	known := make(map[string]bool, len(m.Constants)+len(g.GetInput()))
	for name := range m.Constants {
		known[name] = true
	}
	for _, info := range g.GetInput() {
		v, err := info.value("input")
		if err != nil {
			return err
		}
		if m.Constants[v.Name] != nil { // so it was before IR version 4
			continue
		}
		if known[v.Name] || v.Name == "" {
			return errorf("ONNX file: input %.80q stands twice or has no name", v.Name)
		}
		known[v.Name] = true
		m.Inputs = append(m.Inputs, v)
	}
	for i, p := range g.GetNode() {
		n, err := p.node(i, e)
		if err != nil {
			return err
		}
		for _, name := range n.Inputs {
			if name != "" && !known[name] {
				return errorf("ONNX file: %s reads %.80q, which no input, constant or node before it makes", n, name)
			}
		}
		for _, name := range n.Outputs {
			if name == "" {
				continue
			}
			if known[name] {
				return errorf("ONNX file: %s makes %.80q, which there is already", n, name)
			}
			known[name] = true
		}
		m.Nodes = append(m.Nodes, n)
	}
	for _, info := range g.GetOutput() {
		v, err := info.value("output")
		if err != nil {
			return err
		}
		if !known[v.Name] {
			return errorf("ONNX file: output %.80q is made by no node", v.Name)
		}
		m.Outputs = append(m.Outputs, v)
	}
	return nil
}

// value is what a graph says of an input or output.
func (v *ValueInfoProto) value(what string) (Value, error) {
	t := v.GetType().GetTensorType()
	if t == nil {
		return Value{}, errorf("ONNX file: %s %.80q is no tensor", what, v.GetName())
	}
	out := Value{Name: v.GetName(), Type: TensorProto_DataType(t.GetElemType()), Ranked: t.GetShape() != nil}
	if len(t.GetShape().GetDim()) > MaxRank {
		return Value{}, errorf("ONNX file: %s %.80q has %d dimensions, want at most %d", what, v.GetName(), len(t.Shape.Dim), MaxRank)
	}
	for i, d := range t.GetShape().GetDim() {
		dim := Dim{Size: -1, Name: d.GetDimParam()}
		if size, ok := d.GetValue().(*TensorShapeProto_Dimension_DimValue); ok && size.DimValue != -1 { // as some write what is not known
			if dim.Size = size.DimValue; dim.Size < 0 {
				return Value{}, errorf("ONNX file: dimension %d of %s %.80q is %d, want 0 or more", i, what, v.GetName(), dim.Size)
			}
		}
		out.Shape = append(out.Shape, dim)
	}
	return out, nil
}

// own says whether a domain is that of ONNX's own operators.
func own(domain string) bool { return domain == "" || domain == "ai.onnx" }
