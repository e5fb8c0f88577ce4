package data

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
)

// AppendHeader appends the first line of the predictions for a file of which e
// is an example: the names of its columns and one more, "label", or "predicted"
// if the file has labels. Where there are no such names, or the Table did not say
// Keep, it appends nothing.
func (e Example) AppendHeader(dst []byte) []byte {
	l := e.layout
	if l == nil || l.header == "" {
		return dst
	}
	name := "label"
	if l.label >= 0 {
		name = "predicted"
	}
	name = unlike(name, func(name string) bool { return slices.Contains(l.names, name) })
	dst = append(append(dst, l.header...), l.separator())
	return append(append(dst, name...), '\n')
}

// unlike is a name that is not taken: name, name_2, name_3 …
func unlike(name string, taken func(name string) bool) string {
	free := name
	for n := 2; taken(free); n++ {
		free = name + "_" + strconv.Itoa(n)
	}
	return free
}

// AppendPredicted appends the line of a prediction, a label and its probability
// p: of a csv or tsv file the row with the label behind it, under its name in the
// header but for a row that is longer than that; of JSON lines the object with
// fields "predicted" and "probability" at its end; else, and where the Table did
// not say Keep, the label, a tab and the text, or of numbers the label alone.
func (e Example) AppendPredicted(dst []byte, label string, p float64) []byte {
	format := ""
	if e.layout != nil {
		format = e.layout.format
	}
	switch format {
	case "csv", "tsv":
		dst = append(append(dst, e.raw...), e.layout.separator())
		return append(e.layout.appendCellText(dst, label), '\n')
	case "jsonl":
		return e.appendObject(dst, label, p)
	}
	dst = append(dst, oneLine.Replace(label)...)
	if e.Text != "" {
		dst = append(append(dst, '\t'), oneLine.Replace(e.Text)...)
	}
	return append(dst, '\n')
}

// oneLine makes a text fit between tabs.
var oneLine = strings.NewReplacer("\t", " ", "\n", " ", "\r", " ")

// padded is a row of so many cells with empty ones behind them, as many as the
// header has.
func (l *layout) padded(row []byte, cells int) string {
	if l.header != "" && cells < l.width {
		return string(row) + strings.Repeat(string(l.separator()), l.width-cells)
	}
	return string(row)
}

func (l *layout) separator() byte {
	if l.format == "tsv" {
		return '\t'
	}
	return ','
}

func (l *layout) appendCellText(dst []byte, text string) []byte {
	if l.format == "tsv" {
		return append(dst, oneLine.Replace(text)...)
	}
	return appendCSV(dst, text)
}

// appendCSV appends a cell, in quotes where it needs them.
func appendCSV(dst []byte, text string) []byte {
	if !strings.ContainsAny(text, ",\"\r\n") {
		return append(dst, text...)
	}
	dst = append(dst, '"')
	dst = append(dst, strings.ReplaceAll(text, `"`, `""`)...)
	return append(dst, '"')
}

// appendObject appends the object of e without an earlier prediction.
func (e Example) appendObject(dst []byte, label string, p float64) []byte {
	dst = append(dst, '{')
	// The object has been read before, so that there can be no error.
	_ = eachField([]byte(e.raw), map[string]bool{}, func(name string, value json.RawMessage) {
		if name != "predicted" && name != "probability" {
			dst = append(append(appendJSON(dst, name), ':'), value...)
			dst = append(dst, ',')
		}
	})
	dst = append(appendJSON(append(dst, `"predicted":`...), label), `,"probability":`...)
	return append(appendJSONNumber(dst, p, 64), "}\n"...)
}

// appendJSON appends strings, or a struct of them, as JSON, other letters than ASCII
// as they are.
func appendJSON(dst []byte, v any) []byte {
	b := bytes.NewBuffer(dst)
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // strings always can be
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// appendJSONNumber appends a number of so many bits, null if it is not finite.
func appendJSONNumber(dst []byte, v float64, bits int) []byte {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return append(dst, "null"...)
	}
	return strconv.AppendFloat(dst, v, 'g', -1, bits)
}
