package torchfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/big"

	"github.com/nlpodyssey/gopickle/types"
)

// magic and protocol are what a legacy file begins with.
const (
	magic    = "1950a86a20f9469cfc6c"
	protocol = 1001
)

// legacy reads the pickles at the start of a legacy file, then its storages.
type legacy struct {
	r        io.ReaderAt
	size     int64
	head     []byte // the start of the file, as far as pickles may reach
	pos      int
	storages map[string]*storage
	claims   map[string]int // elements of a storage
}

func readLegacy(r io.ReaderAt, size int64) (*File, error) {
	l := &legacy{r: r, size: size, storages: map[string]*storage{}, claims: map[string]int{}}
	l.head = make([]byte, min(size, MaxPickle))
	if err := readFull(r, l.head, 0); err != nil {
		return nil, fmt.Errorf("torchfile: read the pickles: %w", err)
	}
	if err := l.preamble(); err != nil {
		return nil, err
	}
	start := l.pos
	value, opcodes, err := l.pickle(loader(l.find))
	if err != nil {
		return nil, err
	}
	length := l.pos - start
	keys, _, err := l.pickle(nil)
	if err != nil {
		return nil, err
	}
	if err := l.place(keys); err != nil {
		return nil, err
	}
	return list(value, length, opcodes, size)
}

// preamble reads the magic number, the protocol and the system's sizes.
func (l *legacy) preamble() error {
	number, _, err := l.pickle(nil)
	if err != nil {
		return err
	}
	if n, ok := number.(*big.Int); !ok || n.Text(16) != magic {
		return invalidf("a pickle without PyTorch's magic number: save it with torch.save")
	}
	version, _, err := l.pickle(nil)
	if err != nil {
		return err
	}
	if n, ok := version.(int); !ok || n != protocol {
		return invalidf("protocol %s of the legacy format, want %d", show(version), protocol)
	}
	_, _, err = l.pickle(nil)
	return err
}

// pickle reads the next pickle, and says how many opcodes it has.
func (l *legacy) pickle(load func(id any) (any, error)) (any, int, error) {
	end, opcodes, err := scan(l.head[l.pos:])
	switch {
	case errors.Is(err, errCut) && int64(len(l.head)) < l.size:
		return nil, 0, invalidf("pickles of more than %d bytes", MaxPickle)
	case errors.Is(err, errCut):
		return nil, 0, invalidf("the file is cut in the pickle that begins at byte %d", l.pos)
	case err != nil:
		return nil, 0, err
	}
	value, err := unpickle(l.head[l.pos:l.pos+end], load)
	l.pos += end
	return value, opcodes, err
}

// find makes a storage at its first use. Its place is known later.
func (l *legacy) find(key string, elements, width int) (*storage, error) {
	bytes := int64(elements) * int64(width)
	s := l.storages[key]
	if s == nil {
		s = &storage{key: key, bytes: bytes, order: binary.LittleEndian}
		l.storages[key], l.claims[key] = s, elements
	}
	if s.bytes != bytes {
		return nil, invalidf("storage %.40q has %d bytes for one tensor and %d for another", key, s.bytes, bytes)
	}
	return s, nil
}

// place finds the storages in the file, in the order of their keys.
func (l *legacy) place(keys any) error {
	ordered, ok := keys.(*types.List)
	if !ok {
		return invalidf("the keys of the storages are a %T, want a list", keys)
	}
	at := int64(l.pos)
	for _, k := range *ordered {
		key, _ := k.(string)
		s := l.storages[key]
		if s == nil || s.open != nil {
			return invalidf("storage %.40q is listed and not used, or listed twice", key)
		}
		var count [8]byte
		if l.size-at < 8 || s.bytes > l.size-at-8 {
			return invalidf("storage %.40q of %d bytes at byte %d of a file of %d: the file is cut", key, s.bytes, at, l.size)
		}
		if err := readFull(l.r, count[:], at); err != nil {
			return fmt.Errorf("torchfile: read storage %.40q: %w", key, err)
		}
		if n := binary.LittleEndian.Uint64(count[:]); n != uint64(l.claims[key]) {
			return invalidf("storage %.40q has %d elements in the file, want %d", key, n, l.claims[key])
		}
		data := io.NewSectionReader(l.r, at+8, s.bytes)
		s.open = func() (io.ReaderAt, error) { return data, nil }
		at += 8 + s.bytes
	}
	for key, s := range l.storages {
		if s.open == nil {
			return invalidf("storage %.40q is used and not listed", key)
		}
	}
	if at != l.size {
		return invalidf("%d bytes follow the last storage", l.size-at)
	}
	return nil
}
