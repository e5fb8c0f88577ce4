// Package npz reads and writes the arrays of NumPy's .npz files: a zip archive with
// a .npy file for each. It knows no model.
//
// The format is that of numpy/lib/format.py, versions 1.0 to 3.0. Arrays of objects,
// which are pickles, of records, of complex numbers and of times are refused by the
// name of their dtype; nothing in a file is executed.
package npz

import (
	"errors"
	"fmt"
)

// Array is one with a name.
type Array struct {
	Name  string // without .npy
	Shape []int  // nil of a single element

	// Data are the elements, the last index first: []float32 of float16 and float32,
	// []float64 of float64, []int32 of bool (0 and 1) and of integers of at most 32
	// bits but uint32, []int64 of that and of wider ones, []string of text and bytes.
	Data any
}

// ErrFormat is wrapped by the error of a file that is no .npz or has an array that is
// not read here; the text says what is wrong with it.
var ErrFormat = errors.New("npz: not read")

// formatError is the error of a file. It wraps ErrFormat.
type formatError struct{ error }

func (e formatError) Is(target error) bool { return target == ErrFormat }

func wrong(format string, args ...any) error {
	return formatError{fmt.Errorf("npz: "+format, args...)}
}

// Elements is the number of elements of a shape; of one that a file claims, read has
// found out that they are there.
func Elements(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// DType is NumPy's name of what Data holds.
func (a Array) DType() string {
	switch a.Data.(type) {
	case []float32:
		return "float32"
	case []float64:
		return "float64"
	case []int32:
		return "int32"
	case []int64:
		return "int64"
	case []string:
		return "str"
	}
	return fmt.Sprintf("%T", a.Data)
}

// Len is the number of elements that Data has.
func (a Array) Len() int {
	switch x := a.Data.(type) {
	case []float32:
		return len(x)
	case []float64:
		return len(x)
	case []int32:
		return len(x)
	case []int64:
		return len(x)
	case []string:
		return len(x)
	}
	return -1
}
