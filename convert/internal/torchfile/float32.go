package torchfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"sluice/convert/internal/exact"
)

// decoder turns the bytes of an element into its value, and says whether the
// value is the same.
type decoder func(order binary.ByteOrder, b []byte) (x float32, exact bool)

var decoders = map[DType]decoder{
	"float32":  func(o binary.ByteOrder, b []byte) (float32, bool) { return math.Float32frombits(o.Uint32(b)), true },
	"bfloat16": func(o binary.ByteOrder, b []byte) (float32, bool) { return exact.Brain(o.Uint16(b)), true },
	"float16":  func(o binary.ByteOrder, b []byte) (float32, bool) { return exact.Half(o.Uint16(b)), true },
	"float64": func(o binary.ByteOrder, b []byte) (float32, bool) {
		return exact.Double(math.Float64frombits(o.Uint64(b)))
	},
}

const chunk = 1 << 16 // bytes read at a time

// Float32 reads the elements in the order of the shape, the last dimension
// fastest, whatever the strides. The values are exact: of dtype float64 a value
// that no float32 equals is an error that wraps ErrLossy. Other dtypes than
// float32, float64, float16 and bfloat16 are errors.
//
// It allocates at most 128 KiB and 5 times the bytes of the tensor's storage.
func (t Tensor) Float32() ([]float32, error) {
	decode := decoders[t.DType]
	if decode == nil {
		return nil, invalidf("tensor %.80q has dtype %s, want float32, float64, float16 or bfloat16", t.Name, t.DType)
	}
	n, _ := product(t.Shape)
	if n > t.elements {
		return nil, invalidf("tensor %.80q of shape %v has %d elements, and its storage only %d: save it after contiguous()", t.Name, t.Shape, n, t.elements)
	}
	x := make([]float32, n)
	if n == 0 {
		return x, nil
	}
	r, err := t.storage.open()
	if err != nil {
		return nil, t.wrap(err)
	}
	if t.contiguous() {
		err = t.readRun(x, r, decode)
	} else {
		err = t.gather(x, r, decode)
	}
	if err != nil {
		return nil, t.wrap(err)
	}
	return x, nil
}

// wrap names the tensor in an error.
func (t Tensor) wrap(err error) error {
	if errors.Is(err, ErrFormat) || errors.Is(err, ErrLossy) {
		return err
	}
	return fmt.Errorf("torchfile: read tensor %.80q: %w", t.Name, err)
}

// lossy is the error for element i.
func (t Tensor) lossy(i int, b []byte) error {
	value := math.Float64frombits(t.storage.order.Uint64(b))
	return lossy(fmt.Sprintf("tensor %.80q: element %d is %v in float64, which no float32 equals", t.Name, i, value))
}

// contiguous says whether the elements follow each other in the storage.
func (t Tensor) contiguous() bool {
	want := 1
	for i := len(t.Shape) - 1; i >= 0; i-- {
		if t.Shape[i] != 1 && t.stride[i] != want {
			return false
		}
		want *= t.Shape[i]
	}
	return true
}

// readRun reads elements that follow each other.
func (t Tensor) readRun(x []float32, r io.ReaderAt, decode decoder) error {
	width := dtypes[t.DType]
	buf := make([]byte, min(chunk, len(x)*width))
	for done := 0; done < len(x); {
		n := min(len(x)-done, chunk/width)
		if err := readFull(r, buf[:n*width], int64(t.offset+done)*int64(width)); err != nil {
			return err
		}
		for i := range n {
			b := buf[i*width : (i+1)*width]
			v, exact := decode(t.storage.order, b)
			if !exact {
				return t.lossy(done+i, b)
			}
			x[done+i] = v
		}
		done += n
	}
	return nil
}

// gather reads elements that lie strides apart: all from the first to the last,
// then each by its place.
func (t Tensor) gather(x []float32, r io.ReaderAt, decode decoder) error {
	width := dtypes[t.DType]
	last, _ := t.last()
	buf := make([]byte, (last-t.offset+1)*width)
	if err := readFull(r, buf, int64(t.offset)*int64(width)); err != nil {
		return err
	}
	at := make([]int, len(t.Shape)) // the element's indices
	place := 0
	for i := range x {
		b := buf[place*width : (place+1)*width]
		v, exact := decode(t.storage.order, b)
		if !exact {
			return t.lossy(i, b)
		}
		x[i] = v
		for d := len(at) - 1; d >= 0; d-- {
			if at[d]++; at[d] < t.Shape[d] {
				place += t.stride[d]
				break
			}
			place -= (at[d] - 1) * t.stride[d]
			at[d] = 0
		}
	}
	return nil
}
