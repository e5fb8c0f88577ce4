// Package hdf5 reads the part of HDF5 that h5py writes unless it is told
// otherwise, which is that of Keras' files: superblock 0, groups of symbol tables,
// attributes of strings, and datasets of floats that are contiguous, compact, or
// chunked with or without gzip and shuffle. All else is refused by name where it is
// met.
//
// A file may be hostile. Each byte that is read or made, and each object, is
// paid for from a budget of 16 times the file's size and 1 MiB before anything is
// allocated, no object is read twice, and depth is bounded: Open and all reads of one file
// together allocate no more than 32 times its size and 4 MiB, and never panic.
//
// The format: The HDF Group, HDF5 File Format Specification Version 3.0.
package hdf5

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// ErrFormat is in the chain of every error of a file that is not as this package
// wants it.
var ErrFormat = errors.New("hdf5: unreadable file")

// Signature begins every file.
const Signature = "\x89HDF\r\n\x1a\n"

const (
	costTimes     = 16      // of the file's size
	costMore      = 1 << 20 // bytes
	costObject    = 512     // of what is kept of an object
	costAttribute = 256
	maxDepth      = 32      // of groups
	maxName       = 1 << 10 // bytes of a link's or an attribute's name
	maxCount      = 1 << 40 // elements
	undefined     = ^uint64(0)
)

// Group is a folder of the file.
type Group struct {
	Name     string
	Groups   []*Group   // by name
	Datasets []*Dataset // by name

	parent     *Group
	attributes map[string]attribute
	f          *file
}

// Dataset is an array of the file.
type Dataset struct {
	Name  string
	Shape []int

	parent *Group
	header *header
	f      *file
}

// file is what all of its groups and datasets share. It serves one caller.
type file struct {
	r     io.ReaderAt
	size  uint64
	left  uint64          // of the budget
	seen  map[uint64]bool // headers of objects
	heaps map[uint64]heap // global ones, by address
	zip   inflater
}

// Open reads the whole tree of groups, without the datasets' elements, and gives its
// root.
func Open(r io.ReaderAt, size int64) (*Group, error) {
	f := &file{r: r, size: uint64(max(size, 0)), seen: map[uint64]bool{}, heaps: map[uint64]heap{}}
	f.left = costTimes*min(f.size, 1<<56) + costMore
	root := &Group{f: f}
	at, err := f.superblock()
	if err != nil {
		return nil, err
	}
	h, err := f.header(at)
	if err != nil {
		return nil, fmt.Errorf("%w, in the root group", err)
	}
	if h.table == nil {
		return nil, f.invalid("the root has no symbol table: it is no group of the kind that h5py writes by default")
	}
	root.attributes = h.attributes
	if err := f.fill(root, h.table, 0); err != nil {
		return nil, err
	}
	return root, nil
}

// superblock checks what begins the file and gives the address of the root's header.
func (f *file) superblock() (root uint64, err error) {
	b, err := f.bytes("the superblock", 0, min(96, f.size))
	if err != nil {
		return 0, err
	}
	c := &cursor{b: b}
	if string(c.take(8)) != Signature {
		return 0, f.invalid("the first bytes are not HDF5's")
	}
	version, freeSpace, table, _, shared := c.u8(), c.u8(), c.u8(), c.u8(), c.u8()
	offsets, lengths := c.u8(), c.u8()
	c.take(1 + 2 + 2 + 4)
	base, _, end, _ := c.u64(), c.u64(), c.u64(), c.u64()
	c.u64() // the root's name
	root = c.u64()
	switch {
	case version != 0 && len(b) > 8:
		return 0, f.invalid("superblock of version %d, want 0, which h5py writes unless it is given libver", version)
	case c.short:
		return 0, f.invalid("a file of %d bytes: it is cut", f.size)
	case freeSpace != 0 || table != 0 || shared != 0:
		return 0, f.invalid("superblock with versions %d, %d and %d of its parts, want 0", freeSpace, table, shared)
	case offsets != 8 || lengths != 8:
		return 0, f.invalid("offsets of %d bytes and lengths of %d, want 8", offsets, lengths)
	case base != 0:
		return 0, f.invalid("addresses count from byte %d, want 0", base)
	case end > f.size:
		return 0, f.invalid("the superblock says %d bytes, the file has %d: it is cut", end, f.size)
	}
	f.size = end // nothing lies behind it
	return root, nil
}

// invalid is an error of the file.
func (f *file) invalid(format string, a ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrFormat}, a...)...)
}

// spend takes n bytes from the budget.
func (f *file) spend(n uint64) error {
	if n > f.left {
		return f.invalid("to read it takes more than %d times its size and %d bytes: it says the same bytes again and again, or is compressed too well", costTimes, costMore)
	}
	f.left -= n
	return nil
}

// within says that n bytes at an address are of the file.
func (f *file) within(what string, at, n uint64) error {
	if at > f.size || n > f.size-at {
		return f.invalid("%s: %d bytes at %d of a file of %d: it is cut or damaged", what, n, at, f.size)
	}
	return nil
}

// bytes reads n bytes at an address.
func (f *file) bytes(what string, at, n uint64) ([]byte, error) {
	if err := f.within(what, at, n); err != nil {
		return nil, err
	}
	if err := f.spend(n); err != nil {
		return nil, err
	}
	b := make([]byte, n)
	if err := f.readInto(what, b, at); err != nil {
		return nil, err
	}
	return b, nil
}

// readInto reads bytes that are within the file and paid for.
func (f *file) readInto(what string, b []byte, at uint64) error {
	if n, err := f.r.ReadAt(b, int64(at)); n < len(b) {
		return fmt.Errorf("hdf5: read %s: %w", what, err)
	}
	return nil
}

// cursor takes apart little-endian bytes. Once there are too few, short is true and
// all it gives is zero.
type cursor struct {
	b     []byte
	short bool
}

func (c *cursor) take(n int) []byte {
	if n > len(c.b) || c.short {
		c.b, c.short = nil, true
		return nil
	}
	b := c.b[:n]
	c.b = c.b[n:]
	return b
}

// number is that of n bytes, at most 8.
func (c *cursor) number(n int) uint64 {
	var b [8]byte
	copy(b[:], c.take(n))
	return binary.LittleEndian.Uint64(b[:])
}

func (c *cursor) u8() uint8   { return uint8(c.number(1)) }
func (c *cursor) u16() uint16 { return uint16(c.number(2)) }
func (c *cursor) u32() uint32 { return uint32(c.number(4)) }
func (c *cursor) u64() uint64 { return c.number(8) }
