package data

import (
	"fmt"
	"strings"
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
	bytes := len(text)
	switch {
	case c.Letters && c.Newlines == "drop":
		text = letters(text, "")
	case c.Letters:
		text = letters(text, " ")
	case c.Newlines == "space":
		text = strings.NewReplacer("\n", " ", "\r", " ").Replace(text)
	case c.Newlines == "drop":
		text = strings.NewReplacer("\n", "", "\r", "").Replace(text)
	}
	if c.MaxChars > 0 {
		text = text[:offset(text, c.MaxChars)]
	}
	if text == "" {
		return "", fmt.Errorf("data: cleaning leaves nothing of a text of %d bytes: want at least one character", bytes)
	}
	return text, nil
}

// letters keeps the letters of each line in lower case, single spaces between
// them, and puts between between lines that have any.
func letters(text, between string) string {
	var b strings.Builder
	b.Grow(len(text))
	for line := range strings.SplitSeq(text, "\n") {
		first, gap := true, false
		for i := range len(line) {
			c := line[i] | 0x20 // ASCII upper to lower; no other byte becomes a letter
			if c < 'a' || c > 'z' {
				gap = true
				continue
			}
			switch {
			case first && b.Len() > 0:
				b.WriteString(between)
			case gap && !first:
				b.WriteByte(' ')
			}
			b.WriteByte(c)
			first, gap = false, false
		}
	}
	return b.String()
}

// offset is where the character numbered n of text starts, or its end.
func offset(text string, n int) int {
	if n >= len(text) {
		return len(text)
	}
	for i := range text {
		if n == 0 {
			return i
		}
		n--
	}
	return len(text)
}
