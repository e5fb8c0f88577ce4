package onnxfile

import (
	"encoding/binary"
	"math"

	"sluice/convert/internal/exact"
)

// MaxRank bounds the dimensions of a tensor, as NumPy does.
const MaxRank = 64

// Tensor is a constant. Its length is that of its shape.
type Tensor struct {
	Name  string // or of what node it is
	Type  TensorProto_DataType
	Shape []int // none for a scalar

	n    int
	raw  []byte // little-endian, or nil and the field of data for the type is used
	data *TensorProto
}

// width is the number of bytes of an element in raw data, 0 of a type that is
// not read.
func width(t TensorProto_DataType) int {
	switch t {
	case TensorProto_BOOL, TensorProto_INT8, TensorProto_UINT8:
		return 1
	case TensorProto_FLOAT16, TensorProto_BFLOAT16, TensorProto_INT16, TensorProto_UINT16:
		return 2
	case TensorProto_FLOAT, TensorProto_INT32, TensorProto_UINT32:
		return 4
	case TensorProto_DOUBLE, TensorProto_INT64, TensorProto_UINT64:
		return 8
	}
	return 0
}

// tensor checks a constant: its shape, and that it has as many elements in one
// place. Those of types that are not read, such as strings, have to be of no use.
func (p *TensorProto) tensor(name string, e *external) (*Tensor, error) {
	t := &Tensor{Name: name, Type: TensorProto_DataType(p.GetDataType()), data: p, n: 1}
	if len(p.GetDims()) > MaxRank {
		return nil, errorf("ONNX file: tensor %.80q has %d dimensions, want at most %d", name, len(p.Dims), MaxRank)
	}
	for _, d := range p.GetDims() {
		if d < 0 || d > math.MaxInt32 || d > 0 && t.n > math.MaxInt32/int(d) {
			return nil, errorf("ONNX file: tensor %.80q has shape %v: want dimensions of 0 and more, and at most %d elements", name, p.Dims, math.MaxInt32)
		}
		t.n *= max(1, int(d))
		t.Shape = append(t.Shape, int(d))
	}
	for _, d := range t.Shape {
		if d == 0 {
			t.n = 0
		}
	}
	if p.Segment != nil {
		return nil, errorf("ONNX file: tensor %.80q is a segment of another: want it whole", name)
	}
	w := width(t.Type)
	if w == 0 {
		return t, nil
	}
	if p.GetDataLocation() == TensorProto_EXTERNAL {
		var err error
		if p.RawData != nil || p.values() > 0 {
			return nil, errorf("ONNX file: tensor %.80q has data both in and outside of the file", name)
		}
		t.raw, err = e.read(p, name, t.n*w)
		return t, err
	}
	switch values := p.values(); {
	case values > 0 && len(p.RawData) > 0:
		return nil, errorf("ONNX file: tensor %.80q has both raw data and others", name)
	case values > 0 && p.typed() != t.n:
		return nil, errorf("ONNX file: tensor %.80q has %d elements in the field of type %s, want %d of shape %v", name, p.typed(), t.Type, t.n, t.Shape)
	case values > 0:
		return t, p.ranges(t)
	case len(p.RawData) != t.n*w:
		return nil, errorf("ONNX file: tensor %.80q has %d bytes of raw data, want %d for shape %v of %s", name, len(p.RawData), t.n*w, t.Shape, t.Type)
	}
	t.raw = p.RawData
	return t, nil
}

// values is the number of elements in all fields of data but raw.
func (p *TensorProto) values() int {
	return len(p.FloatData) + len(p.Int32Data) + len(p.Int64Data) + len(p.DoubleData) + len(p.Uint64Data) + len(p.StringData)
}

// typed is the number of elements in the field for the type, −1 if others have
// some.
func (p *TensorProto) typed() int {
	n := 0
	switch TensorProto_DataType(p.GetDataType()) {
	case TensorProto_FLOAT:
		n = len(p.FloatData)
	case TensorProto_DOUBLE:
		n = len(p.DoubleData)
	case TensorProto_INT64:
		n = len(p.Int64Data)
	case TensorProto_UINT32, TensorProto_UINT64:
		n = len(p.Uint64Data)
	default:
		n = len(p.Int32Data)
	}
	if n != p.values() {
		return -1
	}
	return n
}

// ranges checks that what is kept in a wider field fits the type.
func (p *TensorProto) ranges(t *Tensor) error {
	low, high := int64(math.MinInt32), int64(math.MaxInt32)
	switch t.Type {
	case TensorProto_BOOL:
		low, high = 0, 1
	case TensorProto_INT8:
		low, high = math.MinInt8, math.MaxInt8
	case TensorProto_UINT8:
		low, high = 0, math.MaxUint8
	case TensorProto_INT16:
		low, high = math.MinInt16, math.MaxInt16
	case TensorProto_UINT16, TensorProto_FLOAT16, TensorProto_BFLOAT16:
		low, high = 0, math.MaxUint16
	}
	for i, v := range p.Int32Data {
		if int64(v) < low || int64(v) > high {
			return errorf("ONNX file: tensor %.80q: element %d is %d, want %d to %d for %s", t.Name, i, v, low, high, t.Type)
		}
	}
	if t.Type == TensorProto_UINT32 {
		for i, v := range p.Uint64Data {
			if v > math.MaxUint32 {
				return errorf("ONNX file: tensor %.80q: element %d is %d, want at most %d for UINT32", t.Name, i, v, uint32(math.MaxUint32))
			}
		}
	}
	return nil
}

// Elements is the product of the shape.
func (t *Tensor) Elements() int { return t.n }

// bits is element i as it would be in raw data.
func (t *Tensor) bits(i int) uint64 {
	if t.raw == nil {
		return t.field(i)
	}
	switch width(t.Type) {
	case 1:
		return uint64(t.raw[i])
	case 2:
		return uint64(binary.LittleEndian.Uint16(t.raw[2*i:]))
	case 4:
		return uint64(binary.LittleEndian.Uint32(t.raw[4*i:]))
	}
	return binary.LittleEndian.Uint64(t.raw[8*i:])
}

// field is bits of element i in the field for the type, integers with their
// signs.
func (t *Tensor) field(i int) uint64 {
	switch t.Type {
	case TensorProto_FLOAT:
		return uint64(math.Float32bits(t.data.FloatData[i]))
	case TensorProto_DOUBLE:
		return math.Float64bits(t.data.DoubleData[i])
	case TensorProto_INT64:
		return uint64(t.data.Int64Data[i])
	case TensorProto_UINT32, TensorProto_UINT64:
		return t.data.Uint64Data[i]
	}
	return uint64(t.data.Int32Data[i])
}

// IsFloat says whether the elements are floating-point numbers.
func (t *Tensor) IsFloat() bool {
	switch t.Type {
	case TensorProto_FLOAT, TensorProto_FLOAT16, TensorProto_BFLOAT16, TensorProto_DOUBLE:
		return true
	}
	return false
}

// Float32 decodes floating-point numbers, exactly: a double that no float32
// equals is an error.
func (t *Tensor) Float32() ([]float32, error) {
	if !t.IsFloat() {
		return nil, errorf("ONNX file: tensor %.80q is of type %s, want FLOAT, FLOAT16, BFLOAT16 or DOUBLE", t.Name, t.Type)
	}
	x := make([]float32, t.n)
	for i := range x {
		bits := t.bits(i)
		switch t.Type {
		case TensorProto_FLOAT:
			x[i] = math.Float32frombits(uint32(bits))
		case TensorProto_BFLOAT16:
			x[i] = exact.Brain(uint16(bits))
		case TensorProto_FLOAT16:
			x[i] = exact.Half(uint16(bits))
		default:
			wide := math.Float64frombits(bits)
			var ok bool
			if x[i], ok = exact.Double(wide); !ok {
				return nil, errorf("ONNX file: tensor %.80q: element %d is %v, a DOUBLE that FLOAT does not hold exactly", t.Name, i, wide)
			}
		}
	}
	return x, nil
}

// Int64 decodes integers, and booleans as 0 and 1.
func (t *Tensor) Int64() ([]int64, error) {
	if t.IsFloat() || width(t.Type) == 0 {
		return nil, errorf("ONNX file: tensor %.80q is of type %s, want integers", t.Name, t.Type)
	}
	x := make([]int64, t.n)
	for i := range x {
		bits := t.bits(i)
		switch t.Type {
		case TensorProto_BOOL:
			x[i] = int64(min(1, bits))
		case TensorProto_INT8:
			x[i] = int64(int8(bits))
		case TensorProto_INT16:
			x[i] = int64(int16(bits))
		case TensorProto_INT32:
			x[i] = int64(int32(bits))
		case TensorProto_UINT64:
			if bits > math.MaxInt64 {
				return nil, errorf("ONNX file: tensor %.80q: element %d is %d, want at most %d", t.Name, i, bits, math.MaxInt64)
			}
			x[i] = int64(bits)
		default: // of those without a sign no higher bits are set
			x[i] = int64(bits)
		}
	}
	return x, nil
}
