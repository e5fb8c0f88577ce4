package data

import (
	"bytes"
	"fmt"
	"unicode"
	"unicode/utf8"
)

// scanner follows a text that comes in pieces, none of which cuts a character.
type scanner struct {
	line, column int // where the piece at work starts, from 0, the column in characters

	held                 []byte // of the word that the pieces before it left unfinished, up to what no symbol has
	heldLine, heldColumn int    // where it starts, from 1
}

// check is the error of a piece that is not UTF-8.
func (s *scanner) check(piece []byte) error {
	at := invalid(piece)
	if at < 0 {
		return nil
	}
	line, column := s.position(piece, at)
	return fmt.Errorf("data: byte 0x%02X at line %d, column %d is not UTF-8", piece[at], line, column)
}

// position is the line and column of a byte of the piece, both from 1, the column
// in characters; −1 is the start of the word held.
func (s *scanner) position(piece []byte, at int) (line, column int) {
	if at < 0 {
		return s.heldLine, s.heldColumn
	}
	return s.after(piece[:at], 1)
}

// after is the line and column after b, counted from origin.
func (s *scanner) after(b []byte, origin int) (line, column int) {
	if n := bytes.Count(b, []byte("\n")); n > 0 {
		return s.line + n + origin, utf8.RuneCount(b[bytes.LastIndexByte(b, '\n')+1:]) + origin
	}
	return s.line + origin, s.column + utf8.RuneCount(b) + origin
}

// done goes on to the next piece.
func (s *scanner) done(piece []byte) { s.line, s.column = s.after(piece, 0) }

var asciiSpace = [utf8.RuneSelf]bool{'\t': true, '\n': true, '\v': true, '\f': true, '\r': true, ' ': true}

// words calls use with the words that end in the piece, and the newlines, and
// where each starts, −1 for the one held. A word that may go on is held.
func (s *scanner) words(piece []byte, use func(at int, word []byte) error) error {
	start := 0 // of the word not yet ended
	for i := 0; i < len(piece); {
		size, space := 1, false
		if b := piece[i]; b < utf8.RuneSelf {
			space = asciiSpace[b]
		} else {
			var r rune
			r, size = utf8.DecodeRune(piece[i:])
			space = unicode.IsSpace(r)
		}
		if !space {
			i += size
			continue
		}
		var err error
		if len(s.held) > 0 {
			s.hold(piece[start:i])
			err = s.end(use)
		} else if start < i {
			err = use(start, piece[start:i])
		}
		if err == nil && piece[i] == '\n' {
			err = use(i, piece[i:i+1])
		}
		if err != nil {
			return err
		}
		i += size
		start = i
	}
	if start < len(piece) {
		if len(s.held) == 0 {
			s.heldLine, s.heldColumn = s.position(piece, start)
		}
		s.hold(piece[start:])
	}
	return nil
}

// hold adds to the word held.
func (s *scanner) hold(b []byte) {
	s.held = append(s.held, b[:min(len(b), MaxSymbolBytes+1-len(s.held))]...)
}

// end is the end of the word held, if there is one.
func (s *scanner) end(use func(at int, word []byte) error) error {
	if len(s.held) == 0 {
		return nil
	}
	word := s.held
	s.held = s.held[:0]
	return use(-1, word)
}
