package hdf5

import (
	"encoding/binary"
	"fmt"
	"math"

	"sluice/convert/internal/exact"
)

// The kinds of layouts.
const (
	compact    = 0
	contiguous = 1
	chunked    = 2
)

// layout is where a dataset's elements are.
type layout struct {
	kind  uint8
	at    uint64   // of the elements, or of the tree of chunks
	size  uint64   // bytes of contiguous elements
	data  []byte   // of compact ones
	chunk []uint64 // the shape of a chunk, and the bytes of an element
}

func (f *file) layout(body []byte) (*layout, error) {
	c := &cursor{b: body}
	version := c.u8()
	l := &layout{kind: c.u8()}
	if version != 3 {
		return nil, f.invalid("layout of version %d, want 3, which h5py writes unless it is given libver", version)
	}
	switch l.kind {
	case compact:
		l.data = c.take(int(c.u16()))
	case contiguous:
		l.at, l.size = c.u64(), c.u64()
	case chunked:
		l.chunk = make([]uint64, c.u8())
		l.at = c.u64()
		for i := range l.chunk {
			l.chunk[i] = uint64(c.u32())
		}
	default:
		return nil, f.invalid("layout of kind %d, want %d, %d or %d", l.kind, compact, contiguous, chunked)
	}
	if c.short {
		return nil, f.invalid("a layout of kind %d in %d bytes", l.kind, len(body))
	}
	return l, nil
}

// Float32 reads the elements, as many as Shape says, row-major. Floats of 64 and of 16
// bits are converted if each of them is a float32, else refused.
func (d *Dataset) Float32() ([]float32, error) {
	x, err := d.float32s()
	if err != nil {
		return nil, fmt.Errorf("%w, in dataset %.200q", err, d.Path())
	}
	return x, nil
}

func (d *Dataset) float32s() ([]float32, error) {
	f, h := d.f, d.header
	count, width := h.space.count, h.typ.size
	if !h.typ.ieee {
		return nil, f.invalid("elements of datatype %v, want float of 2, 4 or 8", h.typ)
	}
	if err := f.spend(count * 4); err != nil {
		return nil, err
	}
	if h.filters != nil && h.layout.kind != chunked {
		return nil, f.invalid("filters of elements that are not chunked")
	}
	x := make([]float32, count)
	if count == 0 {
		return x, nil
	}
	switch l := h.layout; l.kind {
	case compact:
		if uint64(len(l.data)) < count*width {
			return nil, f.invalid("%d bytes, want %d for shape %v", len(l.data), count*width, d.Shape)
		}
		return x, f.decode(x, l.data, h.typ, 0)
	case contiguous:
		return x, f.contiguous(x, d)
	}
	raw, err := f.chunks(h, count)
	if err != nil {
		return nil, err
	}
	return x, f.decode(x, raw, h.typ, 0)
}

const stretch = 1 << 16 // bytes that are converted at a time

// contiguous reads elements that lie together.
func (f *file) contiguous(x []float32, d *Dataset) error {
	l, t := d.header.layout, d.header.typ
	size := uint64(len(x)) * t.size
	switch {
	case l.at == undefined:
		return f.invalid("its elements were never written")
	case l.size != size:
		return f.invalid("%d bytes, want %d for shape %v", l.size, size, d.Shape)
	}
	if err := f.within("elements", l.at, size); err != nil {
		return err
	}
	if err := f.spend(size); err != nil {
		return err
	}
	buf := make([]byte, min(stretch, size))
	for done := uint64(0); done < size; done += uint64(len(buf)) {
		buf = buf[:min(uint64(len(buf)), size-done)]
		if err := f.readInto("elements", buf, l.at+done); err != nil {
			return err
		}
		from := done / t.size
		if err := f.decode(x[from:][:uint64(len(buf))/t.size], buf, t, from); err != nil {
			return err
		}
	}
	return nil
}

// decode sets x from its elements' bytes; from is the number of the first one.
func (f *file) decode(x []float32, raw []byte, t *datatype, from uint64) error {
	order := binary.ByteOrder(binary.LittleEndian)
	if t.big {
		order = binary.BigEndian
	}
	for i := range x {
		switch t.size {
		case 2:
			x[i] = exact.Half(order.Uint16(raw[2*i:]))
		case 4:
			x[i] = math.Float32frombits(order.Uint32(raw[4*i:]))
		default:
			v := math.Float64frombits(order.Uint64(raw[8*i:]))
			var ok bool
			if x[i], ok = exact.Double(v); !ok {
				return f.invalid("element %d is %v, which is no float32", from+uint64(i), v)
			}
		}
	}
	return nil
}
