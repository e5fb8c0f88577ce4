package data

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// readObjects gives the JSON objects of a file, one a line, and ends with io.EOF.
func (t Table) readObjects(in *lines, give func(Example) error) error {
	r := objectReader{t: t, seen: map[string]bool{}}
	for {
		line, err := in.text()
		if err != nil {
			return err
		}
		if blank(line) {
			continue
		}
		e, err := r.example(line)
		if err != nil {
			return in.errorf(in.line, "%w", err)
		}
		e.Line, e.TextColumn, e.LabelColumn = in.line, r.text, r.label
		if t.Keep {
			e.layout, e.raw = r.layout, string(line)
		}
		if err := give(e); err != nil {
			return err
		}
	}
}

// objectReader turns objects into examples. The first decides what is in the
// fields that have no name in the table, and how many channels there are.
type objectReader struct {
	t                   Table
	seen                map[string]bool
	layout              *layout // nil before the first
	text, label, values string  // names of fields, "" for none
	f                   int
}

func (r *objectReader) example(line []byte) (e Example, err error) {
	found := map[string]json.RawMessage{} // what can be text, label and values
	err = eachField(line, r.seen, func(name string, value json.RawMessage) {
		if r.layout == nil || name == r.text || name == r.label || name == r.values {
			found[name] = value
		}
	})
	if err != nil {
		return e, err
	}
	if r.layout == nil {
		if err := r.begin(found); err != nil {
			return e, err
		}
	}
	for _, name := range []string{r.text, r.label, r.values} {
		if _, ok := found[name]; name != "" && !ok && !(name == r.label && r.t.MayLack) {
			return e, fmt.Errorf("field %s is missing", quote(name))
		}
	}
	if label := found[r.label]; r.label != "" && !(r.t.MayLack && lacks(label)) {
		if e.Label, err = parseLabel(label); err != nil {
			return e, fieldError(r.label, err)
		}
	}
	if r.text != "" {
		if e.Text, err = parseText(found[r.text]); err != nil {
			return e, fieldError(r.text, err)
		}
		return e, nil
	}
	if e.Values, e.F, err = parseValues(found[r.values]); err != nil {
		return e, fieldError(r.values, err)
	}
	if r.f == 0 {
		r.f = e.F
	}
	if e.F != r.f {
		return e, fieldError(r.values, fmt.Errorf("%d channels, and the first example has %d: want as many", e.F, r.f))
	}
	return e, nil
}

// begin finds the fields in the first object.
func (r *objectReader) begin(found map[string]json.RawMessage) error {
	named := func(usual, other string) string {
		if _, ok := found[other]; ok && other != "" {
			return other
		}
		return usual
	}
	textField, labelField := named("text", r.t.FoundText), named("label", r.t.FoundLabel)
	_, text := found[textField]
	_, values := found["values"]
	switch {
	case r.t.Text != "":
		r.text = r.t.Text
	case len(r.t.Values) > 0:
		r.values = r.t.Values[0]
	case text && values:
		return fmt.Errorf(`fields %s and "values": want one of them, or to be told which`, quote(textField))
	case text:
		r.text = textField
	case values:
		r.values = "values"
	default:
		return errors.New(`no field "text" or "values": want one of them, or another name given`)
	}
	if _, label := found[labelField]; label && r.t.Label == "" {
		r.label = labelField
	} else if r.t.Label != none {
		r.label = r.t.Label
	}
	if _, label := found[r.label]; !label && r.t.MayLack {
		r.label = ""
	}
	switch {
	case r.label == "":
	case r.label == r.text:
		return fmt.Errorf("field %s is both label and text: want two fields", quote(r.label))
	case r.label == r.values:
		return fmt.Errorf("field %s is both label and values: want two fields", quote(r.label))
	}
	r.layout = &layout{format: "jsonl"}
	return nil
}

func fieldError(name string, err error) error {
	return fmt.Errorf("field %s: %w", quote(name), err)
}

// eachField calls f with each field of a JSON object, which must be all of the
// line. seen is scratch.
func eachField(line []byte, seen map[string]bool, f func(name string, value json.RawMessage)) error {
	clear(seen)
	dec := json.NewDecoder(bytes.NewReader(line))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return errors.New("want a JSON object")
	}
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return notJSON(err)
		}
		name, _ := t.(string) // nothing else stands here
		if seen[name] {
			return fieldError(name, errors.New("twice in one object: want it once"))
		}
		seen[name] = true
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return fieldError(name, notJSON(err))
		}
		f(name, value)
	}
	if _, err := dec.Token(); err != nil { // the closing brace
		return notJSON(err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return errors.New("more after the JSON object: want one object a line")
	}
	return nil
}

func notJSON(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("JSON that ends too early")
	}
	return fmt.Errorf("not JSON: %w", err)
}

// kindOfJSON says what a JSON value is.
func kindOfJSON(value []byte) string {
	switch value[0] {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		return "a string"
	case 't', 'f', 'n':
		return string(value)
	}
	return quote(string(value))
}

func parseText(value json.RawMessage) (text string, err error) {
	if value[0] != '"' {
		return "", fmt.Errorf("%s: want a string", kindOfJSON(value))
	}
	if err := json.Unmarshal(value, &text); err != nil {
		return "", notJSON(err)
	}
	if strings.TrimSpace(text) == "" {
		return "", errors.New("empty: want a text")
	}
	return text, nil
}

var integer = regexp.MustCompile(`^-?[0-9]+$`)

func parseLabel(value json.RawMessage) (string, error) {
	if integer.Match(value) {
		return string(value), nil
	}
	if value[0] != '"' {
		return "", fmt.Errorf("%s: want a string or a whole number", kindOfJSON(value))
	}
	var label string
	if err := json.Unmarshal(value, &label); err != nil {
		return "", notJSON(err)
	}
	if label = strings.TrimSpace(label); label == "" {
		return "", errors.New("empty: want a label")
	}
	return label, nil
}

// lacks reports whether a field is missing, null or a blank string.
func lacks(value json.RawMessage) bool {
	var text *string
	return value == nil || json.Unmarshal(value, &text) == nil && (text == nil || strings.TrimSpace(*text) == "")
}

// parseValues is a list of T numbers, or of T lists of F each, that is JSON.
func parseValues(value json.RawMessage) (values []float32, f int, err error) {
	if value[0] != '[' {
		return nil, 0, fmt.Errorf("%s: want a list of numbers, or of lists of numbers", kindOfJSON(value))
	}
	steps := listScanner{rest: value[1:]}
	nested := false
	for item, ok := steps.next(); ok; item, ok = steps.next() {
		t, before, list := steps.n, len(values), item[0] == '['
		if t == 1 {
			nested = list
		}
		switch {
		case list != nested:
			return nil, 0, fmt.Errorf("step %d: numbers beside lists of numbers: want one of the two", t)
		case list:
			values, steps.rest, err = appendChannels(values, steps.rest)
		default:
			values, err = appendNumber(values, item)
		}
		if err != nil {
			return nil, 0, fmt.Errorf("step %d%w", t, err)
		}
		width := len(values) - before
		if t == 1 {
			f = width
		}
		if width != f {
			return nil, 0, fmt.Errorf("step %d: %d channels, and step 1 has %d: want as many", t, width, f)
		}
	}
	if len(values) == 0 {
		return nil, 0, errors.New("a sequence without values: want at least one number")
	}
	return values, f, nil
}

// appendChannels appends the list of numbers that rest begins with, behind its
// bracket, and returns what follows it.
func appendChannels(values []float32, rest []byte) ([]float32, []byte, error) {
	channels := listScanner{rest: rest}
	for item, ok := channels.next(); ok; item, ok = channels.next() {
		var err error
		if values, err = appendNumber(values, item); err != nil {
			return values, nil, fmt.Errorf(", channel %d%w", channels.n, err)
		}
	}
	if channels.n == 0 {
		return values, nil, errors.New(": a list without numbers: want at least one")
	}
	return values, channels.rest, nil
}

// listScanner walks along a JSON list, from behind its bracket. It gives numbers
// and words whole, and of all else the first byte.
type listScanner struct {
	rest []byte
	n    int // items so far
}

func (s *listScanner) next() (item []byte, ok bool) {
	at := 0
	for between(s.rest[at]) {
		at++
	}
	if s.rest[at] == ']' {
		s.rest = s.rest[at+1:]
		return nil, false
	}
	s.n++
	end := at + 1
	if c := s.rest[at]; c != '[' && c != '{' && c != '"' {
		for s.rest[end] != ']' && !between(s.rest[end]) {
			end++
		}
	}
	item, s.rest = s.rest[at:end], s.rest[end:]
	return item, true
}

// between tells what stands between two items of a list.
func between(c byte) bool { return c == ',' || c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// appendNumber appends a number. Its error begins with a colon, behind the place.
func appendNumber(values []float32, item []byte) ([]float32, error) {
	if c := item[0]; c != '-' && (c < '0' || c > '9') {
		return values, fmt.Errorf(": %s: want a number", kindOfJSON(item))
	}
	v, err := parseValue(string(item))
	if err != nil {
		return values, fmt.Errorf(": %w", err)
	}
	return append(values, float32(v)), nil
}
