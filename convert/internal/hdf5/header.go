package hdf5

import "bytes"

// The messages of an object's header that are read.
const (
	dataspaceMessage    = 0x01
	linkInfoMessage     = 0x02
	datatypeMessage     = 0x03
	linkMessage         = 0x06
	layoutMessage       = 0x08
	filterMessage       = 0x0b
	attributeMessage    = 0x0c
	continuationMessage = 0x10
	tableMessage        = 0x11
	attributesMessage   = 0x15
)

// header is what an object says of itself.
type header struct {
	space      *dataspace
	typ        *datatype
	layout     *layout
	filters    []filter
	table      *symbolTable
	attributes map[string]attribute
}

// dataspace is a shape.
type dataspace struct {
	dims  []uint64
	count uint64 // of elements
}

// span is a stretch of the file.
type span struct{ at, size uint64 }

// header reads that of the object at an address. No object is read twice, so links
// make neither circles nor copies.
func (f *file) header(at uint64) (*header, error) {
	if f.seen[at] {
		return nil, f.invalid("the object at byte %d is linked twice", at)
	}
	f.seen[at] = true
	if err := f.spend(costObject); err != nil {
		return nil, err
	}
	b, err := f.bytes("the header of an object", at, 16)
	if err != nil {
		return nil, err
	}
	c := &cursor{b: b}
	switch version := c.u8(); {
	case bytes.HasPrefix(b, []byte("OHDR")):
		return nil, f.invalid("header of version 2 at byte %d, want 1, which h5py writes unless it is given libver or track_order", at)
	case version != 1:
		return nil, f.invalid("header of version %d at byte %d, want 1", version, at)
	}
	c.take(1 + 2 + 4)
	h := &header{}
	blocks := []span{{at + 16, uint64(c.u32())}}
	for len(blocks) > 0 {
		block := blocks[0]
		if b, err = f.bytes("messages of a header", block.at, block.size); err != nil {
			return nil, err
		}
		if blocks, err = f.messages(h, b, blocks[1:]); err != nil {
			return nil, err
		}
	}
	return h, nil
}

// messages takes a block of them apart and gives the blocks that are still to read.
func (f *file) messages(h *header, b []byte, blocks []span) ([]span, error) {
	c := &cursor{b: b}
	for len(c.b) >= 8 {
		kind, size, flags := c.u16(), c.u16(), c.u8()
		c.take(3)
		body := c.take(int(size))
		switch {
		case c.short:
			return nil, f.invalid("message of kind %d is longer than its block: it is damaged", kind)
		case flags&0x80 != 0 && (kind > 0x18 || kind == 0x09):
			return nil, f.invalid("message of kind %d, which is unknown", kind)
		case kind == continuationMessage:
			m := &cursor{b: body}
			next := span{m.u64(), m.u64()}
			if m.short || next.size == 0 {
				return nil, f.invalid("a continuation of %d bytes", len(body))
			}
			blocks = append(blocks, next)
			continue
		}
		if err := f.message(h, kind, flags&2 != 0, body); err != nil {
			return nil, err
		}
	}
	return blocks, nil
}

// message reads one that is no continuation.
func (f *file) message(h *header, kind uint16, shared bool, body []byte) (err error) {
	once := false // of what an object says once
	switch kind {
	case dataspaceMessage:
		once = h.space == nil
		h.space, err = f.dataspace(body)
	case datatypeMessage:
		once = h.typ == nil
		h.typ, err = f.datatype(body)
	case layoutMessage:
		once = h.layout == nil
		h.layout, err = f.layout(body)
	case filterMessage:
		once = h.filters == nil
		h.filters, err = f.filters(body)
	case tableMessage:
		once = h.table == nil
		c := &cursor{b: body}
		if h.table = (&symbolTable{c.u64(), c.u64()}); c.short {
			err = f.invalid("a symbol table message of %d bytes", len(body))
		}
	case attributeMessage:
		once, err = true, f.attribute(h, body)
	case linkMessage, linkInfoMessage:
		return f.invalid("a group with link messages, want a symbol table, which h5py writes unless it is given libver or track_order")
	case attributesMessage:
		c := &cursor{b: body}
		if _, flags := c.u8(), c.u8(); flags&1 != 0 {
			c.u16()
		}
		if c.u64() != undefined {
			return f.invalid("attributes outside of an object's header, want them in it, where h5py puts them unless it is given libver or track_order")
		}
		return nil
	default: // fill values, times, comments, hints
		return nil
	}
	switch {
	case shared:
		return f.invalid("message of kind %d is shared with other objects", kind)
	case !once:
		return f.invalid("message of kind %d is there twice", kind)
	}
	return err
}

// dataspace reads a shape: none of a scalar, which has one element.
func (f *file) dataspace(body []byte) (*dataspace, error) {
	c := &cursor{b: body}
	version, rank, flags, kind := c.u8(), int(c.u8()), c.u8(), c.u8()
	switch {
	case version == 1:
		c.take(4)
	case version != 2:
		return nil, f.invalid("dataspace of version %d, want 1 or 2", version)
	case kind == 2: // null: no element
		return &dataspace{dims: []uint64{0}}, nil
	}
	if rank > 32 || flags > 3 {
		return nil, f.invalid("dataspace of %d dimensions and flags %#x, want at most 32", rank, flags)
	}
	s := &dataspace{count: 1, dims: make([]uint64, rank)}
	for i := range s.dims {
		n := c.u64()
		if s.dims[i] = n; n > maxCount || n > 0 && s.count > maxCount/n {
			return nil, f.invalid("dataspace of more than %d elements", uint64(maxCount))
		}
		s.count *= n
	}
	if c.short {
		return nil, f.invalid("a dataspace of %d dimensions in %d bytes", rank, len(body))
	}
	return s, nil
}
