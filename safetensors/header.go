package safetensors

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// metadataKey is the one key of the header that names no tensor.
const metadataKey = "__metadata__"

// fields are those of a tensor's entry.
var fields = []string{"dtype", "shape", "data_offsets"}

// parser reads the header's JSON. It knows the one form that a header has and
// refuses all other JSON, so nothing can nest deeper than that form. After its
// first error it reads no more.
type parser struct {
	text string
	pos  int // of the next byte
	err  error
}

// parse fills in f from the header: the metadata, and the tensors in the order
// of the header, with offsets from the start of the buffer.
func (f *File) parse(header string) error {
	if header[0] != '{' {
		return invalidf("header starts with 0x%02x, want 0x7b, an opening brace", header[0])
	}
	if i := invalidUTF8(header); i >= 0 {
		return invalidf("header byte %d is 0x%02x, want UTF-8", i, header[i])
	}
	p := &parser{text: header}
	p.object(func(key string) {
		if key == metadataKey {
			p.metadata(f)
			return
		}
		if _, twice := f.index[key]; twice {
			p.fail("tensor %.80q stands twice", key)
			return
		}
		f.index[key] = len(f.Tensors)
		f.Tensors = append(f.Tensors, p.tensor(key))
	})
	if padding := strings.TrimLeft(header[p.pos:], " "); padding != "" {
		p.pos = len(header) - len(padding)
		p.fail("header byte %d: %s, want only spaces after the last brace", p.pos, p.found())
	}
	return p.err
}

func (p *parser) metadata(f *File) {
	if f.Metadata != nil {
		p.fail("%s stands twice", metadataKey)
		return
	}
	f.Metadata = map[string]string{}
	p.object(func(key string) {
		if _, twice := f.Metadata[key]; twice {
			p.fail("%s: key %.80q stands twice", metadataKey, key)
			return
		}
		value := p.string()
		f.Metadata[key] = value
		if key == sealKey {
			f.findSeal(p, value)
		}
	})
}

// tensor reads the entry of a tensor and checks all that it says by itself.
func (p *parser) tensor(name string) Info {
	var (
		dtype   DType
		shape   []int
		offsets []int // begin and end
		seen    [3]bool
	)
	p.object(func(field string) {
		i := slices.Index(fields, field)
		switch {
		case i < 0:
			p.fail("tensor %.80q: unknown field %.80q, want %s", name, field, fields)
			return
		case seen[i]:
			p.fail("tensor %.80q: field %s stands twice", name, field)
			return
		}
		seen[i] = true
		switch field {
		case "dtype":
			dtype = DType(p.string())
		case "shape":
			shape = p.numbers(MaxRank, name, field)
		case "data_offsets":
			offsets = p.numbers(2, name, field)
		}
	})
	if i := slices.Index(seen[:], false); i >= 0 {
		p.fail("tensor %.80q: field %s is missing", name, fields[i])
	}
	size, err := byteSize(dtype, shape)
	if err != nil {
		p.fail("tensor %.80q: %v", name, err)
	}
	if len(offsets) != 2 || offsets[1]-offsets[0] != size {
		p.fail("tensor %.80q: data_offsets %v, want two that are %d bytes apart for %s of shape %v", name, offsets, size, dtype, shape)
	}
	if p.err != nil {
		return Info{}
	}
	return Info{Name: name, DType: dtype, Shape: shape, Offset: int64(offsets[0]), Size: size}
}

// object reads an object; member reads the value of each key.
func (p *parser) object(member func(key string)) {
	p.list('{', '}', func() {
		key := p.string()
		p.expect(':')
		if p.err == nil {
			member(key)
		}
	})
}

// numbers reads an array of at most limit whole numbers, a field of a tensor.
// A number has one plain form: no sign, leading zero, fraction or exponent.
func (p *parser) numbers(limit int, tensor, field string) []int {
	var room [MaxRank]int
	x := room[:0]
	p.list('[', ']', func() {
		p.space()
		text := p.text[p.pos:]
		text = text[:len(text)-len(strings.TrimLeft(text, "+-.0123456789Ee"))]
		if text == "" {
			p.fail("header byte %d: %s, want a number for %s of tensor %.80q", p.pos, p.found(), field, tensor)
			return
		}
		n, err := strconv.Atoi(text)
		if err != nil || text[0] < '0' || text[0] == '0' && text != "0" {
			p.fail("tensor %.80q: %s holds %.40s, want a whole number from 0 to %d", tensor, field, text, math.MaxInt)
			return
		}
		if len(x) == limit {
			p.fail("tensor %.80q: %s holds more than %d numbers", tensor, field, limit)
			return
		}
		p.pos += len(text)
		x = append(x, n)
	})
	return append([]int(nil), x...)
}

// list reads what stands between two brackets, parted by commas.
func (p *parser) list(opening, closing byte, element func()) {
	p.expect(opening)
	if p.accept(closing) {
		return
	}
	for p.err == nil {
		element()
		if p.accept(closing) {
			return
		}
		p.expect(',')
	}
}

// string reads a string. Without escapes it is a part of the header's text and
// takes no memory.
func (p *parser) string() string {
	p.expect('"')
	start, escaped := p.pos, false
	for p.err == nil {
		if p.pos == len(p.text) || p.text[p.pos] < ' ' {
			p.fail("header byte %d: %s, want the rest of a string", p.pos, p.found())
			break
		}
		c := p.text[p.pos]
		p.pos++
		if c == '"' {
			s := p.text[start : p.pos-1]
			if escaped {
				s = p.unescape(s, start)
			}
			return s
		}
		if c == '\\' { // what it escapes does not end the string
			escaped = true
			p.pos = min(p.pos+1, len(p.text))
		}
	}
	return ""
}

// unescape resolves the escapes of s, which starts at byte start of the header.
// A surrogate without its other half is an error: it stands for no character.
func (p *parser) unescape(s string, start int) string {
	var b strings.Builder
	b.Grow(len(s)) // an escape is never shorter than what it stands for
	for len(s) > 0 {
		i := strings.IndexByte(s, '\\')
		if i < 0 {
			break
		}
		b.WriteString(s[:i])
		r, n := escape(s[i:])
		if n == 0 {
			p.fail("header byte %d: escape %.12q stands for no character", start+i, s[i:])
			return ""
		}
		b.WriteRune(r)
		s, start = s[i+n:], start+i+n
	}
	b.WriteString(s)
	return b.String()
}

// escape is the character that the escape at the start of s stands for, and the
// length of the escape, 0 if it is none.
func escape(s string) (rune, int) {
	if len(s) < 2 {
		return 0, 0
	}
	if i := strings.IndexByte(`"\/bfnrt`, s[1]); i >= 0 {
		return rune("\"\\/\b\f\n\r\t"[i]), 2
	}
	r := hex4(s)
	switch {
	case r < 0:
		return 0, 0
	case !utf16.IsSurrogate(r):
		return r, 6
	}
	if r = utf16.DecodeRune(r, hex4(s[6:])); r == utf8.RuneError {
		return 0, 0
	}
	return r, 12
}

// hex4 is the value of the \u escape at the start of s, −1 if there is none.
func hex4(s string) rune {
	if len(s) < 6 || s[:2] != `\u` {
		return -1
	}
	n, err := strconv.ParseUint(s[2:6], 16, 16)
	if err != nil {
		return -1
	}
	return rune(n)
}

func (p *parser) space() {
	for p.pos < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.pos]) >= 0 {
		p.pos++
	}
}

// accept steps over c if it is next.
func (p *parser) accept(c byte) bool {
	p.space()
	if p.pos == len(p.text) || p.text[p.pos] != c {
		return false
	}
	p.pos++
	return true
}

func (p *parser) expect(c byte) {
	if !p.accept(c) {
		p.fail("header byte %d: %s, want %q", p.pos, p.found(), c)
	}
}

// found describes what is next.
func (p *parser) found() string {
	if p.pos == len(p.text) {
		return "the end"
	}
	r, _ := utf8.DecodeRuneInString(p.text[p.pos:])
	return strconv.QuoteRune(r)
}

func (p *parser) fail(format string, args ...any) {
	if p.err == nil {
		p.err = invalidf(format, args...)
	}
	p.pos = len(p.text)
}

// invalidUTF8 is the place of the first byte of s that is not UTF-8, or −1.
func invalidUTF8(s string) int {
	for i, r := range s {
		if r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD") {
			return i
		}
	}
	return -1
}
