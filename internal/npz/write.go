package npz

import (
	"archive/zip"
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Write writes arrays of []float32, []float64, []int32 and []int64, in their order
// and not compressed: equal arrays, equal bytes. An error is w's, or names an array
// that is twice, of another type or not of its shape.
func Write(w io.Writer, arrays []Array) error {
	seen := map[string]bool{}
	for _, a := range arrays {
		want, ok := 1, true
		for _, d := range a.Shape {
			ok = ok && d >= 0
			want *= d
		}
		switch {
		case a.Name == "" || !utf8.ValidString(a.Name) || strings.ContainsAny(a.Name, "/\\\x00"):
			return fmt.Errorf("npz: array %.60q: want a name without slashes", a.Name)
		case seen[a.Name]:
			return fmt.Errorf("npz: array %.60q twice", a.Name)
		case a.descr() == "":
			return fmt.Errorf("npz: array %.60q of %s: want float32, float64, int32 or int64", a.Name, a.DType())
		case !ok || a.Len() != want:
			return fmt.Errorf("npz: array %.60q: %d elements, and shape %v: want as many", a.Name, a.Len(), a.Shape)
		}
		seen[a.Name] = true
	}
	z := zip.NewWriter(w)
	for _, a := range arrays {
		out, err := z.CreateHeader(&zip.FileHeader{Name: a.Name + ".npy", Method: zip.Store})
		if err != nil {
			return fmt.Errorf("npz: %w", err)
		}
		buf := bufio.NewWriter(out)
		buf.WriteString(a.head())
		binary.Write(buf, binary.LittleEndian, a.Data)
		if err := buf.Flush(); err != nil { // also of the writes before
			return fmt.Errorf("npz: %w", err)
		}
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("npz: %w", err)
	}
	return nil
}

// descr is NumPy's dtype, "" of one that is not written.
func (a Array) descr() string {
	return map[string]string{"float32": "<f4", "float64": "<f8", "int32": "<i4", "int64": "<i8"}[a.DType()]
}

// head is the header of version 1.0, whose length with what is before it is a
// multiple of 64.
func (a Array) head() string {
	var shape strings.Builder
	for _, d := range a.Shape {
		fmt.Fprintf(&shape, "%d, ", d)
	}
	tuple := strings.TrimSuffix(shape.String(), " ")
	if len(a.Shape) > 1 {
		tuple = strings.TrimSuffix(tuple, ",")
	}
	dict := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", a.descr(), tuple)
	before := len(magic) + 4
	dict += strings.Repeat(" ", 63-(before+len(dict))%64) + "\n"
	return magic + "\x01\x00" + string(binary.LittleEndian.AppendUint16(nil, uint16(len(dict)))) + dict
}
