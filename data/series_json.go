package data

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// readObjects reads JSON objects as rows of a table whose columns are the fields
// of the first.
func (b *seriesBuilder) readObjects(in *lines) error {
	var cells []string
	at, seen := map[string]int{}, map[string]bool{}
	for {
		line, err := in.text()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if blank(line) {
			continue
		}
		first := b.header == nil
		found := 0
		err = eachField(line, seen, func(name string, value json.RawMessage) {
			if first {
				at[name] = len(b.header)
				b.header = append(b.header, name)
				cells = append(cells, "")
			}
			if i, ok := at[name]; ok {
				found++
				cells[i] = string(value)
			}
		})
		if err == nil {
			err = b.object(in.line, cells, found)
		}
		if err != nil {
			return in.errorf(in.line, "%w", err)
		}
	}
}

// object adds an object whose values are JSON.
func (b *seriesBuilder) object(line int, cells []string, found int) error {
	switch {
	case len(b.header) == 0:
		return errors.New("an object without fields: want at least one")
	case found < len(b.header):
		return fmt.Errorf("%d fields of the first object, which has %d: want all, null where there is no value", found, len(b.header))
	}
	if b.values == nil {
		plain := slices.Clone(cells)
		for i := range plain {
			if err := unquote(&plain[i]); err != nil {
				return fieldError(b.header[i], err)
			}
		}
		if err := b.begin(plain); err != nil {
			return err
		}
	}
	if b.time >= 0 { // all else is to be numbers
		if err := unquote(&cells[b.time]); err != nil {
			return fieldError(b.header[b.time], err)
		}
	}
	return b.row(line, cells)
}

// unquote turns a JSON string into its text, and leaves all else.
func unquote(cell *string) error {
	if (*cell)[0] != '"' {
		return nil
	}
	if err := json.Unmarshal([]byte(*cell), cell); err != nil {
		return notJSON(err)
	}
	return nil
}
