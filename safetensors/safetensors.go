// Package safetensors reads and writes the safetensors file format, strictly.
// It knows no model.
//
// A file is the length N of the header (8 bytes, little-endian), the header
// (N bytes of JSON, padded with spaces) and the buffer. The header gives each
// tensor's dtype, shape and place in the buffer, and may hold metadata, a map
// of strings. The tensors lie in the buffer without hole or overlap and fill it.
//
// Where the reference implementation is lenient, this reader is not: a key that
// stands twice, an unknown field and white space before the header are errors.
// Nothing that opens is ambiguous.
package safetensors

import (
	"errors"
	"fmt"
	"math"
)

// The bounds of what is read and written.
const (
	MaxHeader = 32 << 20 // bytes of the header
	MaxRank   = 64       // dimensions of a tensor, as many as NumPy and PyTorch allow
)

// ErrFormat is wrapped by every error about the content of a file, read or to
// be written: one that is malformed, and one that lacks the tensor asked for or
// has it in another dtype or shape. Failures of reading and writing as such do
// not wrap it.
var ErrFormat = errors.New("safetensors: invalid content")

// invalid is an error about content.
type invalid string

func (e invalid) Error() string        { return "safetensors: " + string(e) }
func (e invalid) Is(target error) bool { return target == ErrFormat }

func invalidf(format string, args ...any) error { return invalid(fmt.Sprintf(format, args...)) }

// DType is the type of a tensor's elements, by its name in the header.
type DType string

// The dtypes, in the order of the reference implementation.
const (
	Bool   DType = "BOOL"
	U8     DType = "U8"
	I8     DType = "I8"
	F8E5M2 DType = "F8_E5M2"
	F8E4M3 DType = "F8_E4M3"
	I16    DType = "I16"
	U16    DType = "U16"
	F16    DType = "F16"
	BF16   DType = "BF16"
	I32    DType = "I32"
	U32    DType = "U32"
	F32    DType = "F32"
	F64    DType = "F64"
	I64    DType = "I64"
	U64    DType = "U64"
)

var dtypes = []DType{Bool, U8, I8, F8E5M2, F8E4M3, I16, U16, F16, BF16, I32, U32, F32, F64, I64, U64}

// Size is the number of bytes of one element, 0 for an unknown dtype.
func (d DType) Size() int {
	switch d {
	case Bool, U8, I8, F8E5M2, F8E4M3:
		return 1
	case I16, U16, F16, BF16:
		return 2
	case I32, U32, F32:
		return 4
	case F64, I64, U64:
		return 8
	}
	return 0
}

// Info is what the header says of a tensor.
type Info struct {
	Name   string
	DType  DType
	Shape  []int // at most MaxRank dimensions; none for a scalar
	Offset int64 // bytes, from the start of the file
	Size   int   // bytes, Shape's product times DType.Size
}

// Elements is the product of the shape.
func (t Info) Elements() int { return t.Size / t.DType.Size() }

// byteSize is the number of bytes of a tensor. The dimensions other than 0 must
// not overflow even where another is 0, so that no product of some of them does.
func byteSize(dtype DType, shape []int) (int, error) {
	if dtype.Size() == 0 {
		return 0, fmt.Errorf("dtype %.80q, want one of %s", string(dtype), dtypes)
	}
	if len(shape) > MaxRank {
		return 0, fmt.Errorf("%d dimensions, want at most %d", len(shape), MaxRank)
	}
	size, empty := dtype.Size(), false
	for i, d := range shape {
		switch {
		case d < 0:
			return 0, fmt.Errorf("dimension %d of shape %v is negative, want 0 or more", i, shape)
		case d == 0:
			empty = true
		case size > math.MaxInt/d:
			return 0, fmt.Errorf("shape %v of %s overflows, want at most %d bytes", shape, dtype, math.MaxInt)
		default:
			size *= d
		}
	}
	if empty {
		return 0, nil
	}
	return size, nil
}
