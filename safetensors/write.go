package safetensors

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"sluice/internal/disk"
)

// Tensor is a tensor to be written.
type Tensor struct {
	Name  string
	Shape []int // none for a scalar
	Data  any   // []float32, []float64, []int32, []int64 or Raw, of Shape's product of elements
}

// Raw is the data of a tensor of any dtype as bytes, little-endian.
type Raw struct {
	DType DType
	Bytes []byte
}

// Write writes a file. Equal input gives equal bytes: they are those of the
// reference implementation, with the metadata sorted by key, the tensors by
// dtype, widest first, then by name, and the header padded with spaces, so that
// each tensor starts at a multiple of its dtype's size. Empty metadata is left
// out. After an error that wraps ErrFormat nothing was written.
func Write(w io.Writer, metadata map[string]string, tensors []Tensor) error {
	file, err := plan(metadata, tensors)
	if err != nil {
		return err
	}
	if err := file.write(w); err != nil {
		return fmt.Errorf("safetensors: write: %w", err)
	}
	return nil
}

// WriteFile makes the file at path hold what Write writes, all of it or
// nothing, as disk.WriteAtomic does.
func WriteFile(path string, metadata map[string]string, tensors []Tensor) error {
	file, err := plan(metadata, tensors)
	if err != nil {
		return err
	}
	if err := disk.WriteAtomic(disk.OS, path, file.write); err != nil {
		return fmt.Errorf("safetensors: %w", err)
	}
	return nil
}

// planned is a file that is ready to be written.
type planned struct {
	header []byte // with its length before it
	data   []any  // as of Tensor.Data, in the order of the buffer
	seal   int    // where in header the value of sealKey starts
}

// plan checks the input and lays out the file.
func plan(metadata map[string]string, tensors []Tensor) (*planned, error) {
	type entry struct {
		Info
		data any
	}
	entries := make([]entry, len(tensors))
	names := make(map[string]bool, len(tensors))
	for i, t := range tensors {
		info, err := t.info()
		if err != nil {
			return nil, invalidf("tensor %.80q: %v", t.Name, err)
		}
		if names[t.Name] {
			return nil, invalidf("tensor %.80q stands twice", t.Name)
		}
		names[t.Name] = true
		entries[i] = entry{info, t.Data}
	}
	slices.SortFunc(entries, func(a, b entry) int {
		return cmp.Or(slices.Index(dtypes, b.DType)-slices.Index(dtypes, a.DType), cmp.Compare(a.Name, b.Name))
	})

	p := &planned{header: append(make([]byte, 8), '{')}
	if err := p.metadata(metadata); err != nil {
		return nil, err
	}
	at := int64(0)
	for _, e := range entries {
		e.Offset = at
		p.entry(e.Info)
		p.data = append(p.data, e.data)
		at += int64(e.Size) // of data in memory: no overflow
	}
	p.header = append(p.header, '}')
	for len(p.header)%8 != 0 {
		p.header = append(p.header, ' ')
	}
	n := len(p.header) - 8
	if n > MaxHeader {
		return nil, invalidf("header of %d bytes, want at most %d", n, MaxHeader)
	}
	binary.LittleEndian.PutUint64(p.header, uint64(n))
	return p, nil
}

// info checks a tensor to be written. Its place is not known yet.
func (t Tensor) info() (Info, error) {
	var dtype DType
	var have int // bytes
	switch x := t.Data.(type) {
	case []float32:
		dtype, have = F32, 4*len(x)
	case []float64:
		dtype, have = F64, 8*len(x)
	case []int32:
		dtype, have = I32, 4*len(x)
	case []int64:
		dtype, have = I64, 8*len(x)
	case Raw:
		dtype, have = x.DType, len(x.Bytes)
	default:
		return Info{}, fmt.Errorf("data is a %T, want []float32, []float64, []int32, []int64 or Raw", x)
	}
	switch {
	case t.Name == metadataKey:
		return Info{}, errors.New("the name is the metadata's")
	case !utf8.ValidString(t.Name):
		return Info{}, errors.New("the name is not UTF-8")
	}
	size, err := byteSize(dtype, t.Shape)
	if err != nil {
		return Info{}, err
	}
	if have != size {
		return Info{}, fmt.Errorf("%d bytes of data, want %d for %s of shape %v", have, size, dtype, t.Shape)
	}
	return Info{Name: t.Name, DType: dtype, Shape: t.Shape, Size: size}, nil
}

// metadata adds the metadata to the header.
func (p *planned) metadata(metadata map[string]string) error {
	if len(metadata) == 0 {
		return nil
	}
	p.key(metadataKey)
	p.header = append(p.header, '{')
	for _, key := range slices.Sorted(maps.Keys(metadata)) {
		value := metadata[key]
		if !utf8.ValidString(key) || !utf8.ValidString(value) {
			return invalidf("%s: key %.80q or its value is not UTF-8", metadataKey, key)
		}
		p.key(key)
		if key == sealKey {
			p.seal = len(p.header) + 1
		}
		p.header = appendString(p.header, value)
	}
	p.header = append(p.header, '}')
	return nil
}

// entry adds the entry of a tensor to the header.
func (p *planned) entry(t Info) {
	p.key(t.Name)
	p.header = fmt.Appendf(p.header, `{"dtype":"%s","shape":[`, t.DType)
	for i, d := range t.Shape {
		if i > 0 {
			p.header = append(p.header, ',')
		}
		p.header = strconv.AppendInt(p.header, int64(d), 10)
	}
	p.header = fmt.Appendf(p.header, `],"data_offsets":[%d,%d]}`, t.Offset, t.Offset+int64(t.Size))
}

// key adds the key of an object's next member to the header.
func (p *planned) key(name string) {
	if p.header[len(p.header)-1] != '{' {
		p.header = append(p.header, ',')
	}
	p.header = append(appendString(p.header, name), ':')
}

// appendString appends s as a JSON string, with the escapes that JSON requires.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	for i := range len(s) {
		c := s[i]
		if j := strings.IndexByte("\"\\\b\f\n\r\t", c); j >= 0 {
			b = append(b, '\\', `"\bfnrt`[j])
		} else if c < ' ' {
			b = fmt.Appendf(b, `\u%04x`, c)
		} else {
			b = append(b, c)
		}
	}
	return append(b, '"')
}

func (p *planned) write(w io.Writer) error {
	b := bufio.NewWriterSize(w, chunk)
	_, err := b.Write(p.header)
	for i := 0; i < len(p.data) && err == nil; i++ {
		switch x := p.data[i].(type) {
		case []float32:
			err = encode(b, x)
		case []float64:
			err = encode(b, x)
		case []int32:
			err = encode(b, x)
		case []int64:
			err = encode(b, x)
		case Raw:
			_, err = b.Write(x.Bytes)
		}
	}
	if err != nil {
		return err
	}
	return b.Flush()
}

func encode[E number](w io.Writer, x []E) error {
	var buf []byte
	for part := range slices.Chunk(x, chunk/8) {
		var err error
		if buf, err = binary.Append(buf[:0], binary.LittleEndian, part); err != nil {
			return err
		}
		if _, err = w.Write(buf); err != nil {
			return err
		}
	}
	return nil
}
