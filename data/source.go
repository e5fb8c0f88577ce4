package data

import (
	"context"
	"io"
	"strings"
	"unicode/utf8"
)

// Source is a text that can be read from its start as often as need be. It is
// read in pieces, so it may be far larger than memory.
type Source interface {
	Open() (io.ReadCloser, error)
}

// String is a text in memory as a Source.
type String string

// Open reads it from its start.
func (s String) Open() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(string(s))), nil }

// pieceBytes is how much of a text is in memory at a time.
const pieceBytes = 1 << 18

// pieces calls use with the pieces of a text in order. None cuts a character; use
// must not keep them. ctx is looked at between two.
func pieces(ctx context.Context, text Source, use func(piece []byte) error) error {
	r, err := text.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	for c := newCutter(r); ; {
		if err := ctx.Err(); err != nil {
			return err
		}
		piece, err := c.next()
		if len(piece) > 0 {
			if err := use(piece); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// cutter cuts what it reads into pieces between characters.
type cutter struct {
	r      io.Reader
	buf    []byte // (pieceBytes)
	at, to int    // of buf: what has been read after the last piece
}

func newCutter(r io.Reader) *cutter { return &cutter{r: r, buf: make([]byte, pieceBytes)} }

// next is the next piece, good until the call after; io.EOF comes with the last
// one, which alone may end inside a character, an error with what was read before it.
func (c *cutter) next() ([]byte, error) {
	c.at, c.to = 0, copy(c.buf, c.buf[c.at:c.to])
	n, err := c.r.Read(c.buf[c.to:])
	c.to += n
	c.at = c.to
	if err != io.EOF {
		c.at = whole(c.buf[:c.to])
	}
	return c.buf[:c.at], err
}

// whole is the length of b without the beginning of a character at its end.
func whole(b []byte) int {
	for i := len(b) - 1; i >= max(0, len(b)-utf8.UTFMax+1); i-- {
		if utf8.RuneStart(b[i]) {
			if !utf8.FullRune(b[i:]) {
				return i
			}
			break
		}
	}
	return len(b)
}
