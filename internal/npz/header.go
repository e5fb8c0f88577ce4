package npz

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

const (
	magic     = "\x93NUMPY"
	maxHeader = 1 << 16 // bytes of the head of an array
	maxAxes   = 64      // as NumPy 2 has it
)

// header is what stands before the elements of an array.
type header struct {
	descr   string
	fortran bool // the first index first
	shape   []int
}

// cutHeader reads the header that b begins with, and is what follows it.
func cutHeader(b []byte) (h header, rest []byte, err error) {
	if len(b) < 10 || string(b[:len(magic)]) != magic {
		return h, nil, fmt.Errorf("begins with %.20q: want %q and a version", b[:min(len(b), 8)], magic)
	}
	major, minor, at, size := b[6], b[7], 10, 0
	switch {
	case minor != 0 || major < 1 || major > 3:
		return h, nil, fmt.Errorf("version %d.%d: want 1.0, 2.0 or 3.0", major, minor)
	case major == 1:
		size = int(binary.LittleEndian.Uint16(b[8:]))
	case len(b) < 12:
		return h, nil, errors.New("it ends inside of its header")
	default:
		at = 12
		size = int(min(binary.LittleEndian.Uint32(b[8:]), math.MaxInt32))
	}
	if size > maxHeader || size > len(b)-at {
		return h, nil, fmt.Errorf("a header of %d bytes in %d: want at most %d, and as many as there are", size, len(b), maxHeader)
	}
	p := parser{text: string(b[at : at+size])}
	if h, err = p.header(); err != nil {
		return h, nil, fmt.Errorf("header: %w", err)
	}
	return h, b[at+size:], nil
}

// parser reads the dict of a header, as Python writes it.
type parser struct {
	text string
	at   int
}

func (p *parser) header() (h header, err error) {
	seen := map[string]bool{}
	if !p.take("{") {
		return h, p.want("{")
	}
	for !p.take("}") {
		key, err := p.quoted()
		if err != nil {
			return h, err
		}
		if seen[key] {
			return h, fmt.Errorf("%.20q twice", key)
		}
		seen[key] = true
		if !p.take(":") {
			return h, p.want(":")
		}
		switch key {
		case "descr":
			if p.peek("[") {
				return h, errors.New("dtype of records: want numbers or strings")
			}
			h.descr, err = p.quoted()
		case "fortran_order":
			h.fortran = p.take("True")
			if !h.fortran && !p.take("False") {
				err = p.want("True or False")
			}
		case "shape":
			h.shape, err = p.tuple()
		default:
			err = fmt.Errorf("%.20q: want descr, fortran_order and shape", key)
		}
		if err != nil {
			return h, err
		}
		if !p.take(",") && !p.peek("}") {
			return h, p.want("}")
		}
	}
	if len(seen) != 3 {
		return h, errors.New("want descr, fortran_order and shape")
	}
	if p.space(); p.at < len(p.text) {
		return h, p.want("its end")
	}
	return h, nil
}

func (p *parser) space() {
	for p.at < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.at]) >= 0 {
		p.at++
	}
}

func (p *parser) peek(token string) bool {
	p.space()
	return strings.HasPrefix(p.text[p.at:], token)
}

func (p *parser) take(token string) bool {
	ok := p.peek(token)
	if ok {
		p.at += len(token)
	}
	return ok
}

func (p *parser) want(what string) error {
	rest := p.text[p.at:]
	return fmt.Errorf("%.20q: want %s", rest[:min(len(rest), 20)], what)
}

// quoted is a string without escapes.
func (p *parser) quoted() (string, error) {
	p.space()
	if p.at < len(p.text) && (p.text[p.at] == '\'' || p.text[p.at] == '"') {
		rest := p.text[p.at+1:]
		if end := strings.IndexByte(rest, p.text[p.at]); end >= 0 {
			p.at += end + 2
			return rest[:end], nil
		}
	}
	return "", p.want("a string")
}

// tuple is one of numbers from 0 on.
func (p *parser) tuple() (shape []int, err error) {
	if !p.take("(") {
		return nil, p.want("(")
	}
	for !p.take(")") {
		end := p.at
		for end < len(p.text) && '0' <= p.text[end] && p.text[end] <= '9' {
			end++
		}
		n, err := strconv.Atoi(p.text[p.at:end])
		if err != nil || len(shape) == maxAxes {
			return nil, p.want(fmt.Sprintf("a shape of at most %d numbers", maxAxes))
		}
		p.at = end
		shape = append(shape, n)
		if !p.take(",") && !p.peek(")") {
			return nil, p.want(")")
		}
		p.space()
	}
	return shape, nil
}
