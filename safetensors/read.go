package safetensors

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
)

// File is an open file: its header in memory, its tensors to be read on demand.
// Any number of goroutines may read from it; the fields are not to be changed.
type File struct {
	Metadata map[string]string // nil if the file has none
	Tensors  []Info            // in the order of the buffer

	r     io.ReaderAt
	index map[string]int // name to place in Tensors
	seal  int64          // where the digits of a seal start in the file, 0 if there are none
}

// Open reads the header of a file of the given size in bytes and checks all of
// it, and the size, so that every tensor it lists can be read. It allocates at
// most 32 times the header's length and 64 KiB.
func Open(r io.ReaderAt, size int64) (*File, error) {
	if size < 8 {
		return nil, invalidf("file of %d bytes, want at least 8", size)
	}
	var prefix [8]byte
	if err := readFull(r, prefix[:], 0); err != nil {
		return nil, fmt.Errorf("safetensors: read the header's length: %w", err)
	}
	n := binary.LittleEndian.Uint64(prefix[:])
	switch {
	case n < 2 || n > MaxHeader:
		return nil, invalidf("header length %d, want 2 to %d", n, MaxHeader)
	case n > uint64(size-8):
		return nil, invalidf("header length %d in a file of %d bytes: the file is cut", n, size)
	}
	header := make([]byte, n)
	if err := readFull(r, header, 8); err != nil {
		return nil, fmt.Errorf("safetensors: read the header: %w", err)
	}
	f := &File{r: r, index: map[string]int{}}
	if err := f.parse(string(header)); err != nil {
		return nil, err
	}
	if err := f.arrange(8+int64(n), size); err != nil {
		return nil, err
	}
	return f, nil
}

// arrange sorts the tensors by their place and checks that they fill the file
// from byte start, where the header ends, to byte end.
func (f *File) arrange(start, end int64) error {
	slices.SortFunc(f.Tensors, func(a, b Info) int {
		return cmp.Or(cmp.Compare(a.Offset, b.Offset), cmp.Compare(a.Size, b.Size), cmp.Compare(a.Name, b.Name))
	})
	at := int64(0)
	for i := range f.Tensors {
		t := &f.Tensors[i]
		if t.Offset != at {
			return invalidf("tensor %.80q: data_offsets begin at %d, want %d, the end of %s", t.Name, t.Offset, at, f.before(i))
		}
		at += int64(t.Size)
		if at > end-start {
			return invalidf("tensor %.80q ends at byte %d of a buffer of %d: the file is cut", t.Name, at, end-start)
		}
		t.Offset += start
		f.index[t.Name] = i
	}
	if at < end-start {
		return invalidf("%s ends at byte %d of a buffer of %d: the rest belongs to no tensor", f.before(len(f.Tensors)), at, end-start)
	}
	return nil
}

// before names what precedes the tensor at i.
func (f *File) before(i int) string {
	if i == 0 {
		return "the header"
	}
	return fmt.Sprintf("tensor %.80q", f.Tensors[i-1].Name)
}

// Lookup finds a tensor by name.
func (f *File) Lookup(name string) (Info, bool) {
	i, ok := f.index[name]
	if !ok {
		return Info{}, false
	}
	return f.Tensors[i], true
}

// Raw reads a tensor of any dtype as its bytes in the file.
func (f *File) Raw(name string) (*io.SectionReader, error) {
	t, ok := f.Lookup(name)
	if !ok {
		return nil, f.missing(name)
	}
	return io.NewSectionReader(f.r, t.Offset, int64(t.Size)), nil
}

// Float32 reads a tensor of dtype F32.
func (f *File) Float32(name string) ([]float32, error) { return read[float32](f, name, F32) }

// Float64 reads a tensor of dtype F64.
func (f *File) Float64(name string) ([]float64, error) { return read[float64](f, name, F64) }

// Int32 reads a tensor of dtype I32.
func (f *File) Int32(name string) ([]int32, error) { return read[int32](f, name, I32) }

// Int64 reads a tensor of dtype I64.
func (f *File) Int64(name string) ([]int64, error) { return read[int64](f, name, I64) }

// ReadFloat32 reads a tensor of dtype F32 and the given shape into dst, of the
// shape's product of elements. After an error dst may be written in part.
func (f *File) ReadFloat32(dst []float32, name string, shape ...int) error {
	if size, err := byteSize(F32, shape); err != nil || size != 4*len(dst) {
		panic(fmt.Sprintf("safetensors: ReadFloat32: %d elements for tensor %q of shape %v", len(dst), name, shape))
	}
	t, err := f.typed(name, F32)
	if err != nil {
		return err
	}
	if !slices.Equal(t.Shape, shape) {
		return invalidf("tensor %.80q has shape %v, want %v", name, t.Shape, shape)
	}
	return decode(f, dst, t)
}

// ReadBytes reads a tensor of the given dtype and shape into dst, of its size,
// as its bytes in the file. After an error dst may be written in part.
func (f *File) ReadBytes(dst []byte, name string, dtype DType, shape ...int) error {
	if size, err := byteSize(dtype, shape); err != nil || size != len(dst) {
		panic(fmt.Sprintf("safetensors: ReadBytes: %d bytes for tensor %q of %s, shape %v", len(dst), name, dtype, shape))
	}
	t, err := f.typed(name, dtype)
	if err != nil {
		return err
	}
	if !slices.Equal(t.Shape, shape) {
		return invalidf("tensor %.80q has shape %v, want %v", name, t.Shape, shape)
	}
	if err := readFull(f.r, dst, t.Offset); err != nil {
		return fmt.Errorf("safetensors: read tensor %.80q: %w", name, err)
	}
	return nil
}

func (f *File) missing(name string) error {
	return invalidf("no tensor %.80q among the %d of the file", name, len(f.Tensors))
}

// typed finds a tensor and checks its dtype.
func (f *File) typed(name string, want DType) (Info, error) {
	t, ok := f.Lookup(name)
	if !ok {
		return Info{}, f.missing(name)
	}
	if t.DType != want {
		return Info{}, invalidf("tensor %.80q has dtype %s, want %s", name, t.DType, want)
	}
	return t, nil
}

// number is an element that has its own methods of reading and writing.
type number interface {
	float32 | float64 | int32 | int64
}

func read[E number](f *File, name string, dtype DType) ([]E, error) {
	t, err := f.typed(name, dtype)
	if err != nil {
		return nil, err
	}
	x := make([]E, t.Elements())
	if err := decode(f, x, t); err != nil {
		return nil, err
	}
	return x, nil
}

const chunk = 1 << 16 // bytes converted at a time

// decode reads the elements of t into dst, of their number.
func decode[E number](f *File, dst []E, t Info) error {
	width := t.DType.Size()
	buf := make([]byte, min(chunk, t.Size))
	for at := t.Offset; len(dst) > 0; at += int64(len(buf)) {
		n := min(len(dst), chunk/width)
		buf = buf[:n*width]
		if err := readFull(f.r, buf, at); err != nil {
			return fmt.Errorf("safetensors: read tensor %.80q: %w", t.Name, err)
		}
		if _, err := binary.Decode(buf, binary.LittleEndian, dst[:n]); err != nil {
			return fmt.Errorf("safetensors: read tensor %.80q: %w", t.Name, err)
		}
		dst = dst[n:]
	}
	return nil
}

// readFull reads len(p) bytes at off. A reader that ends before them, against
// the size that Open was given, is io.ErrUnexpectedEOF.
func readFull(r io.ReaderAt, p []byte, off int64) error {
	n, err := r.ReadAt(p, off)
	switch {
	case n == len(p):
		return nil
	case err == nil || err == io.EOF:
		return io.ErrUnexpectedEOF
	}
	return err
}
