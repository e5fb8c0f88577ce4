package data

import (
	"encoding/binary"
	"fmt"
	"sync"
)

// Symbols are the ids of a text's symbols (N). A few are in memory; many are in a
// temporary file, in 1, 2 or 4 bytes each. They do not change and may be shared.
// The zero value has none.
type Symbols struct {
	ids     []int32 // (N) in memory, or
	file    *symbolFile
	from, n int // a part of the file
}

// symbolFile has symbols of so many bytes, little-endian.
type symbolFile struct {
	*temp
	width int
}

// NewSymbols are ids (N), which it keeps.
func NewSymbols(ids []int32) Symbols { return Symbols{ids: ids} }

// Len is N.
func (s Symbols) Len() int {
	if s.file == nil {
		return len(s.ids)
	}
	return s.n
}

// Slice is the part from one symbol up to another. It shares what it is of, and
// is closed with it.
func (s Symbols) Slice(from, to int) Symbols {
	if from < 0 || to < from || to > s.Len() {
		panic(fmt.Sprintf("data: Slice: symbols %d to %d of %d", from, to, s.Len()))
	}
	if s.file == nil {
		return Symbols{ids: s.ids[from:to:to]}
	}
	return Symbols{file: s.file, from: s.from + from, n: to - from}
}

// Close removes the temporary file, if there is one.
func (s Symbols) Close() error {
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}

var rawBuffers = sync.Pool{New: func() any { return new([1 << 14]byte) }}

// ReadAt sets ids (n) to those from symbol at on. An error is one of the temporary
// file.
func (s Symbols) ReadAt(ids []int32, at int) error {
	if at < 0 || at > s.Len()-len(ids) {
		panic(fmt.Sprintf("data: ReadAt: %d symbols at %d of %d", len(ids), at, s.Len()))
	}
	if s.file == nil {
		copy(ids, s.ids[at:])
		return nil
	}
	buf := rawBuffers.Get().(*[1 << 14]byte)
	defer rawBuffers.Put(buf)
	width := s.file.width
	for at += s.from; len(ids) > 0; {
		n := min(len(ids), len(buf)/width)
		raw := buf[:n*width]
		if _, err := s.file.ReadAt(raw, int64(at)*int64(width)); err != nil {
			return fmt.Errorf("data: read the symbols of a text from a temporary file: %w", cause(err))
		}
		unpack(ids[:n], raw, width)
		at, ids = at+n, ids[n:]
	}
	return nil
}

// window is n symbols from at on: a view where they are in memory, else read to
// buf.
func (s Symbols) window(buf []int32, at, n int) ([]int32, error) {
	if s.file == nil {
		return s.ids[at : at+n], nil
	}
	return buf[:n], s.ReadAt(buf[:n], at)
}

func unpack(ids []int32, raw []byte, width int) {
	for i := range ids {
		switch width {
		case 1:
			ids[i] = int32(raw[i])
		case 2:
			ids[i] = int32(binary.LittleEndian.Uint16(raw[2*i:]))
		default:
			ids[i] = int32(binary.LittleEndian.Uint32(raw[4*i:]))
		}
	}
}

// symbolWriter collects symbols.
type symbolWriter struct {
	width int
	ids   []int32 // while there is no file
	file  *temp
	n     int // in the file
	raw   []byte
}

// newSymbolWriter is for symbols below v.
func newSymbolWriter(v int) *symbolWriter {
	w := &symbolWriter{width: 4}
	switch {
	case v <= 1<<8:
		w.width = 1
	case v <= 1<<16:
		w.width = 2
	}
	return w
}

func (w *symbolWriter) write(ids []int32) error {
	if w.file == nil && 4*(len(w.ids)+len(ids)) <= inMemory {
		w.ids = append(w.ids, ids...)
		return nil
	}
	if w.file == nil {
		var err error
		if w.file, err = newTemp(); err != nil {
			return fmt.Errorf("data: %w", err)
		}
		few := w.ids
		w.ids = nil
		if err := w.write(few); err != nil {
			return err
		}
	}
	for len(ids) > 0 {
		n := min(len(ids), pieceBytes)
		w.raw = w.raw[:0]
		for _, id := range ids[:n] {
			switch w.width {
			case 1:
				w.raw = append(w.raw, byte(id))
			case 2:
				w.raw = binary.LittleEndian.AppendUint16(w.raw, uint16(id))
			default:
				w.raw = binary.LittleEndian.AppendUint32(w.raw, uint32(id))
			}
		}
		if _, err := w.file.Write(w.raw); err != nil {
			return fmt.Errorf("data: %w", err)
		}
		w.n, ids = w.n+n, ids[n:]
	}
	return nil
}

func (w *symbolWriter) symbols() Symbols {
	if w.file == nil {
		return NewSymbols(w.ids)
	}
	return Symbols{file: &symbolFile{w.file, w.width}, n: w.n}
}

func (w *symbolWriter) close() {
	if w.file != nil {
		w.file.Close()
	}
}
