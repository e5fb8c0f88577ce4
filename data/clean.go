package data

import (
	"fmt"
	"io"
	"unicode/utf8"
)

// Clean is what is done to a text before it is learned. The zero value leaves
// it as it is.
type Clean struct {
	// Newlines: "keep" (zero value), "space" puts a space for each, "drop"
	// puts nothing. CR counts as a newline where they go.
	Newlines string `json:"newlines,omitempty"`

	// Letters lowers A–Z, puts one space for each run of anything else and
	// strips the lines, as Dive into Deep Learning does with The Time Machine.
	// No newline is left: a line break is a space too, or nothing if Newlines
	// is "drop", which is what that book does.
	Letters bool `json:"letters,omitempty"`

	// MaxChars keeps so many characters from the start, after the above; 0
	// keeps all.
	MaxChars int `json:"max_chars,omitempty"`
}

// Validate says which field cannot be, and what is allowed.
func (c Clean) Validate() error {
	switch c.Newlines {
	case "", "space", "drop":
	case "keep":
		if c.Letters {
			return fmt.Errorf(`data: newlines "keep" with letters only: want space or drop`)
		}
	default:
		return fmt.Errorf("data: newlines %s: want keep, space or drop", quote(c.Newlines))
	}
	if c.MaxChars < 0 {
		return fmt.Errorf("data: first %d characters: want 0 (all) or more", c.MaxChars)
	}
	return nil
}

// Apply returns the cleaned text. It is an error if nothing is left.
func (c Clean) Apply(text string) (string, error) {
	if err := c.Validate(); err != nil {
		return "", err
	}
	clean := newCleaner(c)
	b := clean.piece([]byte(text))
	if len(b) == 0 {
		return "", nothingLeft(int64(len(text)))
	}
	return string(b), nil
}

// Of is the cleaned text, made anew each time it is read. Whoever reads it gets
// an error if nothing is left.
func (c Clean) Of(text Source) Source { return cleaned{text, c} }

func nothingLeft(bytes int64) error {
	return fmt.Errorf("data: cleaning leaves nothing of a text of %d bytes: want at least one character", bytes)
}

type cleaned struct {
	text  Source
	clean Clean
}

// Open reads the cleaned text.
func (c cleaned) Open() (io.ReadCloser, error) {
	if err := c.clean.Validate(); err != nil {
		return nil, err
	}
	in, err := c.text.Open()
	if err != nil {
		return nil, err
	}
	return &cleanReader{Closer: in, from: newCutter(in), clean: newCleaner(c.clean)}, nil
}

// cleanReader gives what a cleaner leaves.
type cleanReader struct {
	io.Closer
	from  *cutter
	clean cleaner
	out   []byte // of the last piece, not yet given
	some  bool   // there was something to give
	bytes int64  // read
	err   error
}

// Read reads the whole of the text, also what is cut off at its end.
func (r *cleanReader) Read(p []byte) (int, error) {
	for len(r.out) == 0 && r.err == nil {
		var piece []byte
		piece, r.err = r.from.next()
		r.bytes += int64(len(piece))
		r.out = r.clean.piece(piece)
		r.some = r.some || len(r.out) > 0
		if r.err == io.EOF && !r.some {
			r.err = nothingLeft(r.bytes)
		}
	}
	if len(r.out) == 0 {
		return 0, r.err
	}
	n := copy(p, r.out)
	r.out = r.out[n:]
	return n, nil
}

// cleaner cleans the pieces of a text, none of which cuts a character.
type cleaner struct {
	Clean
	left   int  // characters to keep, if not all
	some   bool // letters: there was one
	inLine bool // letters: there was one in this line
	gap    bool // letters: there was something else after it
	kept   []byte
}

func newCleaner(c Clean) cleaner { return cleaner{Clean: c, left: c.MaxChars} }

// piece is what is left of the next piece, which it may overwrite.
func (c *cleaner) piece(b []byte) []byte {
	switch {
	case c.Letters:
		b = c.letters(b)
	case c.Newlines == "space":
		for i, v := range b {
			if v == '\n' || v == '\r' {
				b[i] = ' '
			}
		}
	case c.Newlines == "drop":
		kept := b[:0]
		for _, v := range b {
			if v != '\n' && v != '\r' {
				kept = append(kept, v)
			}
		}
		b = kept
	}
	if c.MaxChars > 0 {
		b = b[:offset(b, c.left)]
		c.left -= utf8.RuneCount(b)
	}
	return b
}

// letters keeps the letters of each line in lower case, single spaces between
// them, and a space, or nothing, between lines that have any.
func (c *cleaner) letters(b []byte) []byte {
	kept := c.kept[:0]
	for _, v := range b {
		l := v | 0x20 // ASCII upper to lower; no other byte becomes a letter
		switch {
		case 'a' <= l && l <= 'z':
			if c.inLine && c.gap || !c.inLine && c.some && c.Newlines != "drop" {
				kept = append(kept, ' ')
			}
			kept = append(kept, l)
			c.some, c.inLine, c.gap = true, true, false
		case v == '\n':
			c.inLine = false
		default:
			c.gap = true
		}
	}
	c.kept = kept
	return kept
}

// offset is where the character numbered n of text starts, or its end.
func offset(text []byte, n int) (at int) {
	if n >= len(text) || n >= utf8.RuneCount(text) {
		return len(text)
	}
	for range n {
		_, size := utf8.DecodeRune(text[at:])
		at += size
	}
	return at
}
