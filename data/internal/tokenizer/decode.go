package tokenizer

import (
	"math"
	"strconv"
	"strings"
)

// decoder turns a token into text; first says that it is the first of a text. What
// it returns may be a part of a character.
type decoder interface {
	decode(token string, first bool) string
}

// Decoder writes the text of tokens as they come. It serves one caller.
type Decoder struct {
	t     *Tokenizer
	begun bool
	held  string // a space that goes before the next token
	strip *stripText
	left  int // characters that may still be stripped
}

// NewDecoder starts a text.
func (t *Tokenizer) NewDecoder() *Decoder {
	d := &Decoder{t: t}
	for _, step := range t.decoders {
		if s, ok := step.(stripText); ok {
			d.strip, d.left = &s, s.start
		}
	}
	return d
}

// Append appends the bytes of a token, id in [0, V). A character may be spread over
// several.
func (d *Decoder) Append(dst []byte, id int32) []byte {
	token, first := d.t.decoded[id], !d.begun
	d.begun = true
	if d.t.decoders == nil {
		if !first {
			dst = append(dst, ' ')
		}
		return append(dst, token...)
	}
	before := d.held
	d.held = ""
	for _, step := range d.t.decoders {
		if suffix, ok := step.(wordEnd); ok {
			var ends bool
			if token, ends = strings.CutSuffix(token, string(suffix)); ends {
				d.held = " "
			}
			token = strings.ReplaceAll(token, string(suffix), " ")
			continue
		}
		token = step.decode(token, first)
	}
	if d.strip != nil {
		for d.left > 0 && token != "" {
			rest, ok := strings.CutPrefix(token, d.strip.text)
			if !ok {
				d.left = 0
				break
			}
			token = rest
			d.left--
		}
	}
	return append(append(dst, before...), token...)
}

// bytesOf turns characters that stand for bytes into them.
type bytesOf struct{}

func (bytesOf) decode(token string, _ bool) string {
	b := make([]byte, 0, len(token))
	for _, r := range token {
		c, ok := charToByte[r]
		if !ok {
			return token
		}
		b = append(b, c)
	}
	return string(b)
}

// byteToken turns <0x0A> into the byte.
type byteToken struct{}

func (byteToken) decode(token string, _ bool) string {
	if len(token) == 6 && strings.HasPrefix(token, "<0x") && token[5] == '>' {
		if b, err := strconv.ParseUint(token[3:5], 16, 8); err == nil {
			return string([]byte{byte(b)})
		}
	}
	return token
}

// pieces puts spaces before tokens that begin a word.
type pieces struct {
	prefix  string // of those that do not
	cleanup bool   // takes spaces away where English has none
}

func (p pieces) decode(token string, first bool) string {
	if !first {
		var ok bool
		if token, ok = strings.CutPrefix(token, p.prefix); !ok {
			token = " " + token
		}
	}
	if p.cleanup {
		for _, r := range cleanups {
			token = strings.ReplaceAll(token, r.old, r.new)
		}
	}
	return token
}

var cleanups = [...]replace{
	{" .", "."}, {" ?", "?"}, {" !", "!"}, {" ,", ","}, {" ' ", "'"}, {" n't", "n't"}, {" 'm", "'m"},
	{" do not", " don't"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"},
}

// marks turns marks into spaces, but for those of the first token.
type marks struct {
	mark string
	drop bool // those of the first token
}

func (m marks) decode(token string, first bool) string {
	if first && m.drop {
		return strings.ReplaceAll(token, m.mark, "")
	}
	return strings.ReplaceAll(token, m.mark, " ")
}

func (r replace) decode(token string, _ bool) string { return strings.ReplaceAll(token, r.old, r.new) }

func (r rewrite) decode(token string, _ bool) string {
	text, _ := r.normalize(token, true, math.MaxInt)
	return text
}

// wordEnd is the suffix of tokens that end a word. A space goes between it and the
// next.
type wordEnd string

func (w wordEnd) decode(token string, _ bool) string { return token }

// stripToken takes a character off the ends of each token, so often at most.
type stripToken struct {
	text        string
	start, stop int
}

func (s stripToken) decode(token string, _ bool) string {
	for range s.start {
		rest, ok := strings.CutPrefix(token, s.text)
		if !ok {
			break
		}
		token = rest
	}
	for range s.stop {
		rest, ok := strings.CutSuffix(token, s.text)
		if !ok {
			break
		}
		token = rest
	}
	return token
}

// stripText takes a character off the start of the text, so often at most.
type stripText struct {
	text  string
	start int
}

func (s stripText) decode(token string, _ bool) string { return token }
