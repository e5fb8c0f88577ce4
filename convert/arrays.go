package convert

import (
	"bufio"
	"fmt"
	"maps"
	"os"
	"slices"

	"sluice/internal/npz"
)

// array is an array of an .npz: Data is []float32, []float64, []int64 or []int32.
type array struct {
	Shape []int
	Data  any
}

// dtype is NumPy's name of its elements.
func (a array) dtype() string { return npz.Array{Data: a.Data}.DType() }

// arrays are those of a file by name.
type arrays map[string]array

// write makes a file of the arrays.
func (a arrays) write(path string) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("convert: %w", err)
	}
	defer func() {
		if e := f.Close(); err == nil && e != nil {
			err = fmt.Errorf("convert: %w", e)
		}
	}()
	var all []npz.Array
	for _, name := range slices.Sorted(maps.Keys(a)) {
		all = append(all, npz.Array{Name: name, Shape: a[name].Shape, Data: a[name].Data})
	}
	w := bufio.NewWriter(f)
	if err := npz.Write(w, all); err != nil {
		return fmt.Errorf("convert: %w", err)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("convert: %w", err)
	}
	return nil
}

// maxArrays bounds the arrays of a file, in bytes.
const maxArrays = 1 << 30

// readArrays reads a file.
func readArrays(path string) (arrays, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("convert: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("convert: %w", err)
	}
	all, err := npz.Read(f, info.Size(), maxArrays)
	if err != nil {
		return nil, plain(err)
	}
	a := arrays{}
	for _, x := range all {
		a[x.Name] = array{x.Shape, x.Data}
	}
	return a, nil
}
