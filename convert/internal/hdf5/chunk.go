package hdf5

import (
	"bytes"
	"compress/zlib"
	"io"
)

// The filters that are read.
const (
	deflate = 1
	shuffle = 2
)

// filter is the number of a step that a chunk's bytes went through when they were
// written.
type filter uint16

func (f *file) filters(body []byte) ([]filter, error) {
	c := &cursor{b: body}
	version := c.u8()
	all := make([]filter, c.u8())
	switch version {
	case 1:
		c.take(6)
	case 2:
	default:
		return nil, f.invalid("filters of version %d, want 1 or 2", version)
	}
	for i := range all {
		all[i] = filter(c.u16())
		name := 0
		if version == 1 || all[i] >= 256 {
			name = int(c.u16())
		}
		c.u16() // flags
		values := int(c.u16())
		if version == 1 {
			name = (name + 7) &^ 7
			values += values & 1
		}
		c.take(name + 4*values)
	}
	if c.short {
		return nil, f.invalid("%d filters in %d bytes", len(all), len(body))
	}
	return all, nil
}

// assembly puts a dataset together of its chunks.
type assembly struct {
	h     *header
	raw   []byte          // the dataset
	size  uint64          // bytes of a chunk
	seen  map[uint64]bool // chunks by number
	index []uint64        // of a row in a chunk
}

// chunks reads the elements' bytes of a chunked dataset.
func (f *file) chunks(h *header, count uint64) ([]byte, error) {
	dims, shape, width := h.space.dims, h.layout.chunk, h.typ.size
	if len(dims) == 0 || len(shape) != len(dims)+1 || shape[len(dims)] != width {
		return nil, f.invalid("chunks of shape %v and elements of %d bytes, want %d dimensions and the bytes", shape, width, len(dims))
	}
	for _, id := range h.filters {
		if id != deflate && id != shuffle {
			return nil, f.invalid("filter %d, want %d, gzip, or %d, shuffle", id, deflate, shuffle)
		}
	}
	chunks, size := uint64(1), width
	for i, n := range dims {
		if shape[i] == 0 || size > maxCount/shape[i] {
			return nil, f.invalid("chunks of shape %v", shape)
		}
		size *= shape[i]
		chunks *= (n-1)/shape[i] + 1
	}
	if err := f.spend(count * width); err != nil {
		return nil, err
	}
	a := &assembly{h: h, raw: make([]byte, count*width), size: size, seen: map[uint64]bool{}, index: make([]uint64, len(dims))}
	if h.layout.at == undefined {
		return nil, f.invalid("its elements were never written")
	}
	if err := f.chunkTree(a, h.layout.at, -1); err != nil {
		return nil, err
	}
	if n := uint64(len(a.seen)); n != chunks {
		return nil, f.invalid("%d chunks, want %d", n, chunks)
	}
	return a.raw, nil
}

// chunkTree reads a node of a dataset's tree of chunks; level -1 is any, of the root.
func (f *file) chunkTree(a *assembly, at uint64, level int) error {
	level, entries, err := f.treeNode(at, 1, level)
	if err != nil {
		return err
	}
	rank := len(a.h.space.dims)
	b, err := f.bytes("a node of a tree of chunks", at+treeHeader, uint64(entries)*uint64(8+8*(rank+1)+8))
	if err != nil {
		return err
	}
	c := &cursor{b: b}
	for range entries {
		size, mask := uint64(c.u32()), c.u32()
		place := make([]uint64, rank)
		for i := range place {
			place[i] = c.u64()
		}
		c.u64() // of the bytes of an element
		child := c.u64()
		if level > 0 {
			err = f.chunkTree(a, child, level-1)
		} else {
			err = f.readChunk(a, place, span{child, size}, mask)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// readChunk reads the chunk that begins at place, an index of the dataset.
func (f *file) readChunk(a *assembly, place []uint64, s span, mask uint32) error {
	dims, shape := a.h.space.dims, a.h.layout.chunk
	number := uint64(0)
	for i, n := range place {
		if n >= dims[i] || n%shape[i] != 0 {
			return f.invalid("a chunk at %v of shape %v, in chunks of %v", place, dims, shape)
		}
		number = number*((dims[i]-1)/shape[i]+1) + n/shape[i]
	}
	if a.seen[number] {
		return f.invalid("the chunk at %v is there twice", place)
	}
	a.seen[number] = true
	stored, err := f.bytes("a chunk", s.at, s.size)
	if err != nil {
		return err
	}
	for i := len(a.h.filters) - 1; i >= 0; i-- {
		if err := f.spend(max(a.size, uint64(len(stored)))); err != nil {
			return err
		}
		switch id := a.h.filters[i]; {
		case mask>>i&1 != 0: // left out when this chunk was written
		case id == deflate:
			// What deflate gives has the chunk's size: shuffle, which may precede it, keeps it.
			out := make([]byte, a.size)
			if err := f.zip.inflate(out, stored); err != nil {
				return f.invalid("the chunk at %v: gzip: %v", place, err)
			}
			stored = out
		default:
			stored = unshuffle(stored, int(a.h.typ.size))
		}
	}
	if uint64(len(stored)) != a.size {
		return f.invalid("the chunk at %v has %d bytes, want %d", place, len(stored), a.size)
	}
	a.place(place, stored)
	return nil
}

// place copies the rows of a chunk, along the last dimension, to where they belong.
// What sticks out of the dataset is left out.
func (a *assembly) place(at []uint64, chunk []byte) {
	dims, shape, width := a.h.space.dims, a.h.layout.chunk, a.h.typ.size
	last := len(dims) - 1
	row := min(shape[last], dims[last]-at[last]) * width
	clear(a.index)
	for {
		to, from := uint64(0), uint64(0)
		for i := range dims {
			to, from = to*dims[i]+at[i]+a.index[i], from*shape[i]+a.index[i]
		}
		copy(a.raw[to*width:][:row], chunk[from*width:])
		i := last - 1
		for ; i >= 0; i-- {
			if a.index[i]++; a.index[i] < min(shape[i], dims[i]-at[i]) {
				break
			}
			a.index[i] = 0
		}
		if i < 0 {
			return
		}
	}
}

// unshuffle puts the bytes of elements together again: shuffled, all first bytes come
// first, then all second ones. What is left over is at the end as it was.
func unshuffle(b []byte, width int) []byte {
	out := make([]byte, len(b))
	n := len(b) / width
	for i := range n {
		for k := range width {
			out[i*width+k] = b[k*n+i]
		}
	}
	copy(out[n*width:], b[n*width:])
	return out
}

// inflater decompresses; its window is made once for a file.
type inflater struct{ r io.ReadCloser }

// inflate fills out from the whole of a zlib stream.
func (z *inflater) inflate(out, in []byte) (err error) {
	if z.r == nil {
		z.r, err = zlib.NewReader(bytes.NewReader(in))
	} else {
		err = z.r.(zlib.Resetter).Reset(bytes.NewReader(in), nil)
	}
	if err != nil {
		z.r = nil
		return err
	}
	if _, err := io.ReadFull(z.r, out); err != nil {
		return err
	}
	if n, err := z.r.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		if err == nil || err == io.EOF {
			return io.ErrShortBuffer
		}
		return err
	}
	return nil
}
