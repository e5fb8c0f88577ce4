package torchfile

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"github.com/nlpodyssey/gopickle/types"
)

// DType is the type of a tensor's elements, by its name in PyTorch: "float32",
// "float64", "float16", "bfloat16", "int64", and so on.
type DType string

// dtypes are the bytes of an element.
var dtypes = map[DType]int{
	"float64": 8, "float32": 4, "float16": 2, "bfloat16": 2,
	"int64": 8, "int32": 4, "int16": 2, "int8": 1, "bool": 1,
	"uint64": 8, "uint32": 4, "uint16": 2, "uint8": 1,
	"complex128": 16, "complex64": 8, "complex32": 4,
	"float8_e5m2": 1, "float8_e4m3fn": 1, "float8_e5m2fnuz": 1, "float8_e4m3fnuz": 1, "float8_e8m0fnu": 1,
}

// storage is the bytes that tensors are views of.
type storage struct {
	key   string
	bytes int64
	order binary.ByteOrder
	open  func() (io.ReaderAt, error) // checks the bytes when it is first called
}

// storageType is a class of storages in a pickle: the dtype of its elements.
type storageType DType

// typedStorage is a storage as a pickle gives it to one tensor.
type typedStorage struct {
	*storage
	dtype DType
}

// rebuilt is a tensor as its function in the pickle was called. It is checked
// when its name is known.
type rebuilt struct {
	storage              any
	offset, size, stride any
	dtype                any // nil: the storage's
	metadata             any
	checked              Tensor // of the first name, once it is known
}

func rebuildTensor(args []any) (any, error)  { return rebuild("_rebuild_tensor", args, 4, 4) }
func rebuildTensor2(args []any) (any, error) { return rebuild("_rebuild_tensor_v2", args, 6, 7) }

func rebuildTensor3(args []any) (any, error) {
	r, err := rebuild("_rebuild_tensor_v3", args, 7, 8)
	if err != nil {
		return nil, err
	}
	r.dtype = args[6]
	return r, nil
}

// rebuild keeps what all versions of the function begin with: storage, offset,
// size and stride. The argument after the fewest is the metadata.
func rebuild(name string, args []any, fewest, most int) (*rebuilt, error) {
	if len(args) < fewest || len(args) > most {
		return nil, invalidf("%s of %d arguments, want %d", name, len(args), fewest)
	}
	r := &rebuilt{storage: args[0], offset: args[1], size: args[2], stride: args[3]}
	if len(args) > fewest {
		r.metadata = args[fewest]
	}
	return r, nil
}

// rebuildParameter makes an nn.Parameter: its tensor is all of it.
func rebuildParameter(args []any) (any, error) {
	if len(args) != 3 {
		return nil, invalidf("_rebuild_parameter of %d arguments, want 3", len(args))
	}
	return args[0], nil
}

// Tensor is a named view of a storage.
type Tensor struct {
	Name  string
	DType DType
	Shape []int // none for a scalar

	stride   []int // of each dimension, in elements
	offset   int   // of the first element, in elements
	elements int   // of the storage
	storage  *storage
}

// tensor checks a rebuilt tensor: it lies in its storage.
func (r *rebuilt) tensor(name string) (Tensor, error) {
	if r.checked.storage != nil {
		t := r.checked
		t.Name = name
		return t, nil
	}
	wrong := func(format string, args ...any) (Tensor, error) {
		return Tensor{}, invalidf("tensor %.80q: %s", name, fmt.Sprintf(format, args...))
	}
	st, ok := r.storage.(*typedStorage)
	if !ok {
		return wrong("is a view of a %T, want a storage", r.storage)
	}
	dtype := st.dtype
	if r.dtype != nil {
		if dtype, ok = r.dtype.(DType); !ok {
			return wrong("dtype is a %T", r.dtype)
		}
	}
	if m, ok := r.metadata.(*types.Dict); r.metadata != nil && (!ok || m.Len() > 0) {
		return wrong("metadata, want none: a conjugate or negative view, to be saved after resolve_conj and resolve_neg")
	}
	shape, err := ints(r.size)
	if err != nil {
		return wrong("size: %v", err)
	}
	stride, err := ints(r.stride)
	if err != nil {
		return wrong("stride: %v", err)
	}
	offset, ok := r.offset.(int)
	if !ok || offset < 0 || len(stride) != len(shape) {
		return wrong("offset %s, %d strides and shape %v, want an offset of 0 or more and as many strides as dimensions", show(r.offset), len(stride), shape)
	}
	t := Tensor{name, dtype, shape, stride, offset, int(st.bytes / int64(dtypes[dtype])), st.storage}
	n, err := product(shape)
	if err != nil {
		return wrong("%v", err)
	}
	if n > 0 {
		if last, ok := t.last(); !ok || last >= t.elements {
			return wrong("shape %v, strides %v, from element %d on: lies outside of storage %.40q of %d elements", shape, stride, offset, st.key, t.elements)
		}
	}
	r.checked = t
	return t, nil
}

// ints reads a tuple of numbers, 0 or more.
func ints(v any) ([]int, error) {
	tuple, ok := v.(*types.Tuple)
	if !ok {
		return nil, fmt.Errorf("a %T, want a tuple", v)
	}
	if tuple.Len() > MaxRank {
		return nil, fmt.Errorf("%d dimensions, want at most %d", tuple.Len(), MaxRank)
	}
	x := make([]int, 0, tuple.Len())
	for _, e := range *tuple {
		n, ok := e.(int)
		if !ok || n < 0 {
			return nil, fmt.Errorf("holds %s, want whole numbers, 0 or more", show(e))
		}
		x = append(x, n)
	}
	return x, nil
}

// product is the number of elements of a shape. The dimensions other than 0
// must not overflow even where another is 0.
func product(shape []int) (int, error) {
	n, empty := 1, false
	for _, d := range shape {
		switch {
		case d == 0:
			empty = true
		case n > math.MaxInt/16/d:
			return 0, fmt.Errorf("shape %v overflows", shape)
		default:
			n *= d
		}
	}
	if empty {
		return 0, nil
	}
	return n, nil
}

// last is the place in the storage of the last element of a tensor that has
// one. It is false where the place overflows.
func (t Tensor) last() (int, bool) {
	last := t.offset
	for i, d := range t.Shape {
		if s := t.stride[i]; s > 0 && d-1 > (math.MaxInt-last)/s {
			return 0, false
		}
		last += (d - 1) * t.stride[i]
	}
	return last, true
}
