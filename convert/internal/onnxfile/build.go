package onnxfile

import (
	"encoding/binary"
	"fmt"
	"math"

	"google.golang.org/protobuf/proto"
)

// Builder makes a file of one graph. Nodes are written in the order in which
// they come, which must be one in which they can run.
type Builder struct {
	model ModelProto
}

// NewBuilder begins a file with operators of a version.
func NewBuilder(producer, version, graph string, opset int64) *Builder {
	ir := int64(7) // the first IR version that goes with the operators
	switch {
	case opset >= 23:
		ir = 11
	case opset >= 21:
		ir = 10
	case opset >= 19:
		ir = 9
	case opset >= 15:
		ir = 8
	}
	return &Builder{model: ModelProto{
		IrVersion: &ir, ProducerName: &producer, ProducerVersion: &version,
		OpsetImport: []*OperatorSetIdProto{{Domain: proto.String(""), Version: &opset}},
		Graph:       &GraphProto{Name: &graph},
	}}
}

// Doc sets what is said of the model.
func (b *Builder) Doc(text string) { b.model.DocString = &text }

// Meta adds an entry to the metadata.
func (b *Builder) Meta(key, value string) {
	b.model.MetadataProps = append(b.model.MetadataProps, &StringStringEntryProto{Key: &key, Value: &value})
}

// Input adds an input of the graph. A dimension is an int or, where it is known
// when the model runs, a string that names it.
func (b *Builder) Input(name string, t TensorProto_DataType, dims ...any) {
	b.model.Graph.Input = append(b.model.Graph.Input, info(name, t, dims))
}

// Output adds an output of the graph, as Input does.
func (b *Builder) Output(name string, t TensorProto_DataType, dims ...any) {
	b.model.Graph.Output = append(b.model.Graph.Output, info(name, t, dims))
}

func info(name string, t TensorProto_DataType, dims []any) *ValueInfoProto {
	shape := &TensorShapeProto{}
	for _, d := range dims {
		dim := &TensorShapeProto_Dimension{}
		switch d := d.(type) {
		case int:
			dim.Value = &TensorShapeProto_Dimension_DimValue{DimValue: int64(d)}
		case string:
			dim.Value = &TensorShapeProto_Dimension_DimParam{DimParam: d}
		default:
			panic(fmt.Sprintf("onnxfile: dimension %v of %s: want an int or a string", d, name))
		}
		shape.Dim = append(shape.Dim, dim)
	}
	return &ValueInfoProto{Name: &name, Type: &TypeProto{TensorType: &TypeProto_Tensor{ElemType: proto.Int32(int32(t)), Shape: shape}}}
}

// Const adds a constant of float32 with the product of the shape of elements.
func (b *Builder) Const(name string, shape []int, data []float32) {
	raw := make([]byte, 0, 4*len(data))
	for _, v := range data {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	b.constant(name, TensorProto_FLOAT, shape, len(data), raw)
}

// ConstInts adds a constant of int64.
func (b *Builder) ConstInts(name string, shape []int, data []int64) {
	raw := make([]byte, 0, 8*len(data))
	for _, v := range data {
		raw = binary.LittleEndian.AppendUint64(raw, uint64(v))
	}
	b.constant(name, TensorProto_INT64, shape, len(data), raw)
}

func (b *Builder) constant(name string, t TensorProto_DataType, shape []int, n int, raw []byte) {
	p := &TensorProto{Name: &name, DataType: proto.Int32(int32(t)), RawData: raw}
	elements := 1
	for _, d := range shape {
		elements *= d
		p.Dims = append(p.Dims, int64(d))
	}
	if elements != n {
		panic(fmt.Sprintf("onnxfile: constant %s has %d elements, want %v", name, n, shape))
	}
	b.model.Graph.Initializer = append(b.model.Graph.Initializer, p)
}

// Attr is an attribute of a node: see Int, Float, Text, Ints, Floats and Texts.
type Attr struct{ a *AttributeProto }

func attr(name string, t AttributeProto_AttributeType, a *AttributeProto) Attr {
	a.Name, a.Type = &name, &t
	return Attr{a}
}

// Int is an attribute.
func Int(name string, v int64) Attr {
	return attr(name, AttributeProto_INT, &AttributeProto{I: &v})
}

// Float is an attribute.
func Float(name string, v float32) Attr {
	return attr(name, AttributeProto_FLOAT, &AttributeProto{F: &v})
}

// Text is an attribute.
func Text(name, v string) Attr {
	return attr(name, AttributeProto_STRING, &AttributeProto{S: []byte(v)})
}

// Ints is an attribute.
func Ints(name string, v ...int64) Attr {
	return attr(name, AttributeProto_INTS, &AttributeProto{Ints: v})
}

// Floats is an attribute.
func Floats(name string, v ...float32) Attr {
	return attr(name, AttributeProto_FLOATS, &AttributeProto{Floats: v})
}

// Texts is an attribute.
func Texts(name string, v ...string) Attr {
	a := &AttributeProto{}
	for _, s := range v {
		a.Strings = append(a.Strings, []byte(s))
	}
	return attr(name, AttributeProto_STRINGS, a)
}

// Node adds a node. Inputs that are left out are "". Its name is that of its
// first output.
func (b *Builder) Node(op string, inputs, outputs []string, attrs ...Attr) {
	n := &NodeProto{OpType: &op, Input: inputs, Output: outputs}
	for _, name := range outputs {
		if name != "" {
			n.Name = proto.String(name)
			break
		}
	}
	for _, a := range attrs {
		n.Attribute = append(n.Attribute, a.a)
	}
	b.model.Graph.Node = append(b.model.Graph.Node, n)
}

// Marshal is the file: the same calls give the same bytes. It is an error if
// Read would refuse it.
func (b *Builder) Marshal() ([]byte, error) {
	if _, err := b.model.model(&external{}); err != nil {
		return nil, err
	}
	if size := proto.Size(&b.model); size > MaxSize {
		return nil, errorf("ONNX file of %d bytes: the format ends at %d", size, MaxSize)
	}
	return proto.MarshalOptions{Deterministic: true}.Marshal(&b.model)
}
