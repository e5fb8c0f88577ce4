package npz

import (
	"archive/zip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Read reads all arrays of a file of size bytes, in their order there. Together they
// may have limit bytes, headers and all, when they are unpacked; a file that claims
// more is refused before any of it is unpacked. It allocates no more than 32 times
// what is unpacked and 32 times the size, and keeps nothing of r.
//
// An error names the array: one that is twice, has another dtype than Array says,
// or fewer or more bytes than its shape.
func Read(r io.ReaderAt, size, limit int64) ([]Array, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, wrong("%w", err)
	}
	total, seen := uint64(0), map[string]bool{}
	for _, f := range z.File {
		name, ok := strings.CutSuffix(f.Name, ".npy")
		switch {
		case !ok || !utf8.ValidString(name) || len(name) > 1<<10:
			return nil, wrong("file %.60q: want NAME.npy", f.Name)
		case seen[name]:
			return nil, wrong("array %.60q twice", name)
		case f.UncompressedSize64 > uint64(limit)-total:
			return nil, wrong("arrays of more than %d bytes, up to %.60q: want at most that", limit, name)
		}
		seen[name] = true
		total += f.UncompressedSize64
	}
	var all []Array
	for _, f := range z.File {
		name := strings.TrimSuffix(f.Name, ".npy")
		b, err := unpack(f)
		if err != nil {
			return nil, wrong("array %.60q: %w", name, err)
		}
		a, err := parse(b)
		if err != nil {
			return nil, wrong("array %.60q: %w", name, err)
		}
		a.Name = name
		all = append(all, a)
	}
	return all, nil
}

// unpack is all of a file, whose claimed size is within the limit.
func unpack(f *zip.File) ([]byte, error) {
	in, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer in.Close()
	return io.ReadAll(in) // no more than is claimed, or an error
}

// parse is the array that b is all of.
func parse(b []byte) (a Array, err error) {
	h, raw, err := cutHeader(b)
	if err != nil {
		return a, err
	}
	kind, width, order, err := h.dtype()
	if err != nil {
		return a, err
	}
	n, ok := h.elements(len(raw) / width)
	if !ok || n*width != len(raw) {
		return a, fmt.Errorf("shape %v of dtype %s, and %d bytes of elements: want as many as the shape says", h.shape, h.descr, len(raw))
	}
	a.Shape = h.shape
	if h.fortran && len(h.shape) > 1 {
		raw = reversed(raw, h.shape, width)
	}
	a.Data, err = elements(raw, kind, width, order)
	return a, err
}

// elements is the number of them, if it is at most most.
func (h header) elements(most int) (n int, ok bool) {
	n = 1
	for _, d := range h.shape {
		if d == 0 {
			return 0, true
		}
	}
	for _, d := range h.shape {
		if d > most/n {
			return 0, false
		}
		n *= d
	}
	return n, true
}

// dtype is the kind, the bytes of an element and their order.
func (h header) dtype() (kind byte, width int, order binary.ByteOrder, err error) {
	order = binary.LittleEndian
	d := h.descr
	if len(d) > 0 && strings.IndexByte("<>|=", d[0]) >= 0 {
		if d[0] == '>' {
			order = binary.BigEndian
		}
		d = d[1:]
	}
	if d == "" {
		return 0, 0, nil, fmt.Errorf("dtype %.20q: want one of numbers or strings", h.descr)
	}
	kind = d[0]
	n, bad := strconv.ParseUint(d[1:], 10, 16)
	width = int(n)
	switch kind {
	case 'O':
		return 0, 0, nil, fmt.Errorf("dtype %.20q: objects are pickled, which is not read: want numbers or strings", h.descr)
	case 'b':
		ok := width == 1
		if ok && bad == nil {
			return kind, width, order, nil
		}
	case 'f':
		if bad == nil && (width == 2 || width == 4 || width == 8) {
			return kind, width, order, nil
		}
	case 'i', 'u':
		if bad == nil && (width == 1 || width == 2 || width == 4 || width == 8) {
			return kind, width, order, nil
		}
	case 'U', 'S':
		if kind == 'U' {
			width *= 4
		}
		if bad == nil && width > 0 {
			return kind, width, order, nil
		}
	}
	return 0, 0, nil, fmt.Errorf("dtype %.20q: want float16, float32, float64, bool, integers or strings", h.descr)
}

// reversed is elements in the order of the last index first, which were in that of
// the first.
func reversed(raw []byte, shape []int, width int) []byte {
	out := make([]byte, 0, len(raw))
	strides, stride := make([]int, len(shape)), width // bytes from one index to the next
	for i, d := range shape {
		strides[i] = stride
		stride *= d
	}
	at, index := 0, make([]int, len(shape))
	for len(out) < len(raw) {
		out = append(out, raw[at:at+width]...)
		for i := len(shape) - 1; i >= 0; i-- {
			index[i]++
			if at += strides[i]; index[i] < shape[i] {
				break
			}
			at -= strides[i] * shape[i]
			index[i] = 0
		}
	}
	return out
}

// elements is what raw holds, in the type that Array says.
func elements(raw []byte, kind byte, width int, order binary.ByteOrder) (any, error) {
	n := len(raw) / width
	at := func(i int) []byte { return raw[i*width : (i+1)*width] }
	switch {
	case kind == 'f' && width == 8:
		return each(n, func(i int) float64 { return math.Float64frombits(order.Uint64(at(i))) }), nil
	case kind == 'f' && width == 4:
		return each(n, func(i int) float32 { return math.Float32frombits(order.Uint32(at(i))) }), nil
	case kind == 'f':
		return each(n, func(i int) float32 { return half(order.Uint16(at(i))) }), nil
	case kind == 'U' || kind == 'S':
		return texts(n, func(i int) (string, error) { return text(at(i), kind, order) })
	case kind == 'u' && width == 8:
		x := each(n, func(i int) int64 { return int64(order.Uint64(at(i))) })
		for i, v := range x {
			if v < 0 {
				return nil, fmt.Errorf("element %d is %d: want at most %d", i, uint64(v), int64(math.MaxInt64))
			}
		}
		return x, nil
	case width == 8:
		return each(n, func(i int) int64 { return int64(order.Uint64(at(i))) }), nil
	case kind == 'u' && width == 4:
		return each(n, func(i int) int64 { return int64(order.Uint32(at(i))) }), nil
	case width == 4:
		return each(n, func(i int) int32 { return int32(order.Uint32(at(i))) }), nil
	case kind == 'u' && width == 2:
		return each(n, func(i int) int32 { return int32(order.Uint16(at(i))) }), nil
	case width == 2:
		return each(n, func(i int) int32 { return int32(int16(order.Uint16(at(i)))) }), nil
	case kind == 'i':
		return each(n, func(i int) int32 { return int32(int8(raw[i])) }), nil
	case kind == 'b':
		return each(n, func(i int) int32 { return min(int32(raw[i]), 1) }), nil
	}
	return each(n, func(i int) int32 { return int32(raw[i]) }), nil
}

func each[T any](n int, of func(i int) T) []T {
	x := make([]T, n)
	for i := range x {
		x[i] = of(i)
	}
	return x
}

func texts(n int, of func(i int) (string, error)) (x []string, err error) {
	x = make([]string, n)
	for i := range x {
		if x[i], err = of(i); err != nil {
			return nil, fmt.Errorf("element %d: %w", i, err)
		}
	}
	return x, nil
}

// text is a string of code points of 4 bytes, or of bytes, without the zeros that
// fill it up.
func text(b []byte, kind byte, order binary.ByteOrder) (string, error) {
	if kind == 'S' {
		s := strings.TrimRight(string(b), "\x00")
		if !utf8.ValidString(s) {
			return "", errors.New("bytes that are not UTF-8")
		}
		return s, nil
	}
	for len(b) > 0 && order.Uint32(b[len(b)-4:]) == 0 {
		b = b[:len(b)-4]
	}
	var s strings.Builder
	for ; len(b) > 0; b = b[4:] {
		r := order.Uint32(b)
		if r > utf8.MaxRune || !utf8.ValidRune(rune(r)) {
			return "", fmt.Errorf("0x%X is no code point", r)
		}
		s.WriteRune(rune(r))
	}
	return s.String(), nil
}

// half is a float16, exactly.
func half(b uint16) float32 {
	sign, exponent, fraction := uint32(b>>15)<<31, uint32(b>>10&0x1F), uint32(b&0x3FF)
	switch exponent {
	case 0: // subnormal: fraction × 2⁻²⁴
		v := float32(fraction) / (1 << 24)
		return math.Float32frombits(math.Float32bits(v) | sign)
	case 0x1F:
		return math.Float32frombits(sign | 0x7F800000 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+127-15)<<23 | fraction<<13)
}
