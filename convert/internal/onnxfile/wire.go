package onnxfile

import (
	"unsafe"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// footprint is what a message takes in memory without what its fields refer to:
// a file of empty messages of two bytes each would take hundreds of times its
// size.
var footprint = map[protoreflect.Name]int64{
	"ModelProto":             int64(unsafe.Sizeof(ModelProto{})),
	"OperatorSetIdProto":     int64(unsafe.Sizeof(OperatorSetIdProto{})),
	"StringStringEntryProto": int64(unsafe.Sizeof(StringStringEntryProto{})),
	"FunctionProto":          int64(unsafe.Sizeof(FunctionProto{})),
	"GraphProto":             int64(unsafe.Sizeof(GraphProto{})),
	"NodeProto":              int64(unsafe.Sizeof(NodeProto{}) + unsafe.Sizeof(Node{})),
	"AttributeProto":         int64(unsafe.Sizeof(AttributeProto{})),
	"ValueInfoProto":         int64(unsafe.Sizeof(ValueInfoProto{}) + unsafe.Sizeof(Value{})),
	"TypeProto":              int64(unsafe.Sizeof(TypeProto{})),
	"Tensor":                 int64(unsafe.Sizeof(TypeProto_Tensor{})),
	"TensorShapeProto":       int64(unsafe.Sizeof(TensorShapeProto{})),
	"Dimension":              int64(unsafe.Sizeof(TensorShapeProto_Dimension{}) + unsafe.Sizeof(TensorShapeProto_Dimension_DimParam{}) + unsafe.Sizeof(Dim{})),
	"TensorProto":            int64(unsafe.Sizeof(TensorProto{}) + unsafe.Sizeof(Tensor{})),
	"Segment":                int64(unsafe.Sizeof(TensorProto_Segment{})),
	"SparseTensorProto":      int64(unsafe.Sizeof(SparseTensorProto{})),
}

// linked is what a message takes in addition: places in the slices it is in,
// which were copied as they grew.
const linked = 48

// MaxMessages bounds what the messages of a file take in memory: so many times
// its size and 1 MiB. Those that programs write take less than a dozen times.
const MaxMessages = 32

// scanner checks bytes before they are decoded.
type scanner struct {
	size int64 // of the file
	room int64 // what messages may yet take
}

// scan goes through a message, which begins at a byte of the file, and those
// within. The schema does not contain itself, so nothing nests deeper than it.
func (s *scanner) scan(b []byte, at int, m protoreflect.MessageDescriptor) error {
	if s.room -= footprint[m.Name()] + linked; s.room < 0 {
		return errorf("ONNX file of %d bytes: its messages would take more than %d times as much and 1 MiB of memory: want fewer that are empty", s.size, MaxMessages)
	}
	var seen uint64 // of the fields that stand once
	for end := at + len(b); len(b) > 0; {
		at = end - len(b)
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return errorf("ONNX file, byte %d, within %s: no field's number: the file is cut or is no ONNX file", at, m.Name())
		}
		size := -1
		if kind != protowire.StartGroupType && kind != protowire.EndGroupType { // which ONNX does not have
			size = protowire.ConsumeFieldValue(number, kind, b[n:])
		}
		if size < 0 {
			return errorf("ONNX file, byte %d, within %s: field %d is cut or of an unknown kind: the file is cut or is no ONNX file", at, m.Name(), number)
		}
		if f := m.Fields().ByNumber(number); f != nil {
			bit := uint64(1) << uint(number)
			switch {
			case !fits(f, kind):
				return errorf("ONNX file, byte %d: field %s.%s has wire type %d, want %s", at, m.Name(), f.Name(), kind, f.Kind())
			case !f.IsList() && seen&bit != 0:
				return errorf("ONNX file, byte %d: field %s.%s stands twice", at, m.Name(), f.Name())
			case f.Message() != nil:
				within, _ := protowire.ConsumeBytes(b[n:])
				if err := s.scan(within, at+n+size-len(within), f.Message()); err != nil {
					return err
				}
			}
			seen |= bit
		}
		b = b[n+size:]
	}
	return nil
}

// fits says whether a field may stand in the file as it does. Numbers of a list
// may stand one by one or packed.
func fits(f protoreflect.FieldDescriptor, kind protowire.Type) bool {
	var want protowire.Type
	switch f.Kind() {
	case protoreflect.FloatKind:
		want = protowire.Fixed32Type
	case protoreflect.DoubleKind:
		want = protowire.Fixed64Type
	case protoreflect.StringKind, protoreflect.BytesKind, protoreflect.MessageKind:
		return kind == protowire.BytesType
	default:
		want = protowire.VarintType
	}
	return kind == want || kind == protowire.BytesType && f.IsList()
}
