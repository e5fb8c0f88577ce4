package hdf5

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// The classes of datatypes by number, as errors name them.
var classes = [...]string{"integer", "float", "time", "string", "bit field", "opaque", "compound", "reference", "enumeration", "variable-length", "array"}

// The classes that are read.
const (
	floatClass    = 1
	stringClass   = 3
	variableClass = 9
)

// datatype is that of an element.
type datatype struct {
	class      uint8
	size       uint64 // bytes
	ieee       bool   // a float as IEEE 754 has it
	big        bool   // big-endian
	padding    uint8  // of a string of fixed size: 0 ends at a NUL, 1 is filled with NULs, 2 with spaces
	ofVariable bool   // a string of variable size
}

func (t *datatype) String() string {
	name := fmt.Sprintf("class %d", t.class)
	if int(t.class) < len(classes) {
		name = classes[t.class]
	}
	return fmt.Sprintf("%s of %d bytes", name, t.size)
}

// ieee are the bits of floats by their size in bytes: sign, precision, place and size
// of the exponent, place and size of the mantissa, bias.
var ieee = map[uint64][7]uint64{
	2: {15, 16, 10, 5, 0, 10, 15},
	4: {31, 32, 23, 8, 0, 23, 127},
	8: {63, 64, 52, 11, 0, 52, 1023},
}

func (f *file) datatype(body []byte) (*datatype, error) {
	c := &cursor{b: body}
	class, low, sign, _ := c.u8(), c.u8(), c.u8(), c.u8()
	t := &datatype{class: class & 15, size: uint64(c.u32())}
	if version := class >> 4; version < 1 || version > 3 {
		return nil, f.invalid("datatype of version %d, want 1 to 3", version)
	}
	switch t.class {
	case floatClass:
		offset := c.u16()
		bits := [7]uint64{uint64(sign), uint64(c.u16()), uint64(c.u8()), uint64(c.u8()), uint64(c.u8()), uint64(c.u8()), uint64(c.u32())}
		t.big = low&1 != 0
		t.ieee = bits == ieee[t.size] && offset == 0 && low&^1 == 0x20 // the mantissa's first bit is implied
	case stringClass:
		t.padding = low & 15
	case variableClass:
		t.ofVariable = low&15 == 1
	}
	if c.short || t.size == 0 {
		return nil, f.invalid("datatype %v in %d bytes", t, len(body))
	}
	return t, nil
}

// attribute is a value that belongs to a group or dataset.
type attribute struct {
	typ   *datatype
	count uint64 // of elements
	data  []byte
}

// attribute reads one into h.
func (f *file) attribute(h *header, body []byte) error {
	if err := f.spend(costAttribute); err != nil {
		return err
	}
	c := &cursor{b: body}
	version, flags := c.u8(), c.u8()
	sizes := [3]int{int(c.u16()), int(c.u16()), int(c.u16())}
	var parts [3][]byte
	switch version {
	case 1: // each part is padded to 8 bytes
		for i, n := range sizes {
			parts[i] = c.take((n + 7) &^ 7)
			parts[i] = parts[i][:min(n, len(parts[i]))]
		}
	case 2, 3:
		if version == 3 {
			c.u8() // the encoding of the name
		}
		if flags != 0 {
			return f.invalid("attribute of a datatype that is shared with other objects")
		}
		for i, n := range sizes {
			parts[i] = c.take(n)
		}
	default:
		return f.invalid("attribute of version %d, want 1 to 3", version)
	}
	if c.short {
		return f.invalid("an attribute is longer than its message")
	}
	name, _, _ := bytes.Cut(parts[0], []byte{0})
	if len(name) > maxName {
		return f.invalid("attribute's name of %d bytes, want at most %d", len(name), maxName)
	}
	typ, err := f.datatype(parts[1])
	if err != nil {
		return fmt.Errorf("%w, of attribute %.80q", err, name)
	}
	space, err := f.dataspace(parts[2])
	if err != nil {
		return fmt.Errorf("%w, of attribute %.80q", err, name)
	}
	if space.count > 0 && uint64(len(c.b))/space.count < typ.size {
		return f.invalid("attribute %.80q: %d elements of %d bytes in %d", name, space.count, typ.size, len(c.b))
	}
	if _, twice := h.attributes[string(name)]; twice {
		return f.invalid("attribute %.80q is there twice", name)
	}
	if h.attributes == nil {
		h.attributes = map[string]attribute{}
	}
	h.attributes[string(name)] = attribute{typ, space.count, c.b}
	return nil
}

// Strings reads an attribute of strings; ok is false where there is none of that
// name. One of no elements may have any datatype: numpy gives an empty list that of
// floats.
func (g *Group) Strings(name string) (all []string, ok bool, err error) {
	a, ok := g.attributes[name]
	if !ok || a.count == 0 {
		return nil, ok, nil
	}
	f := g.f
	if a.typ.class != stringClass && !a.typ.ofVariable || a.typ.ofVariable && a.typ.size != 16 {
		return nil, true, f.invalid("attribute %.80q of %.200q: %v, want strings", name, g.Path(), a.typ)
	}
	if err := f.spend(a.count * 16); err != nil {
		return nil, true, err
	}
	all = make([]string, a.count)
	for i := range all {
		element := a.data[uint64(i)*a.typ.size:][:a.typ.size]
		if a.typ.ofVariable {
			if element, err = f.variable(element); err != nil {
				return nil, true, fmt.Errorf("%w, of attribute %.80q of %.200q", err, name, g.Path())
			}
		} else if element = bytes.TrimRight(element, "\x00"); a.typ.padding == 2 {
			element = bytes.TrimRight(element, " ")
		}
		if !utf8.Valid(element) {
			return nil, true, f.invalid("attribute %.80q of %.200q: %.80q is no UTF-8", name, g.Path(), element)
		}
		if err := f.spend(uint64(len(element))); err != nil {
			return nil, true, err
		}
		all[i] = string(element)
	}
	return all, true, nil
}

// heap is a collection of the global heap: its objects by number.
type heap map[uint32][]byte

// variable finds a string of variable size in the global heap.
func (f *file) variable(element []byte) ([]byte, error) {
	c := &cursor{b: element}
	size, at, index := uint64(c.u32()), c.u64(), c.u32()
	if size == 0 {
		return nil, nil
	}
	h, ok := f.heaps[at]
	if !ok {
		var err error
		if h, err = f.globalHeap(at); err != nil {
			return nil, err
		}
		f.heaps[at] = h
	}
	object, ok := h[index]
	if !ok || size > uint64(len(object)) {
		return nil, f.invalid("a string of %d bytes in object %d of the heap at byte %d, which has %d", size, index, at, len(object))
	}
	return object[:size], nil
}

func (f *file) globalHeap(at uint64) (heap, error) {
	b, err := f.bytes("a global heap", at, 16)
	if err != nil {
		return nil, err
	}
	c := &cursor{b: b}
	if string(c.take(4)) != "GCOL" || c.u8() != 1 {
		return nil, f.invalid("no global heap of version 1 at byte %d", at)
	}
	c.take(3)
	size := c.u64()
	if size < 16 {
		return nil, f.invalid("global heap of %d bytes at byte %d", size, at)
	}
	if b, err = f.bytes("a global heap", at+16, size-16); err != nil {
		return nil, err
	}
	h := heap{}
	for c = (&cursor{b: b}); len(c.b) >= 16; {
		index := uint32(c.u16())
		c.take(2 + 4)
		n := c.u64()
		if index == 0 { // the rest is free
			break
		}
		if _, twice := h[index]; twice || n > uint64(len(c.b)) {
			return nil, f.invalid("object %d of %d bytes in the global heap at byte %d: it is damaged", index, n, at)
		}
		h[index] = c.take(int(n))
		c.take(min(int(-n&7), len(c.b)))
	}
	return h, nil
}
