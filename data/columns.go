package data

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
)

// Columns says how a file of sentences is laid out. Format is one of
//
// "columns" (zero value): a word and its tag a line, as at the CoNLL shared
// tasks, in columns that tabs separate where the line has one, else spaces. An
// empty line ends a sentence. A line -DOCSTART- starts a document and has no
// word.
//
// "conllu": the ten columns of Universal Dependencies, with comments, multiword
// tokens and empty nodes, which are no words.
//
// "jsonl": a line {"words":["a","b"],"tags":["X","Y"]} for each sentence, or
// without tags, or {"text":"words between spaces"}. Other fields are left out.
//
// "text": a sentence a line, words between spaces, no tags.
type Columns struct {
	Format string `json:"format,omitempty"`

	// Tag is the column of the tags. Columns: its number from 1, "" for the last;
	// a file that ends just before that column has no tags. CoNLL-U: "upos" (also
	// ""), "xpos", "feats", "deprel", or a number from 3 to 10.
	Tag string `json:"tag,omitempty"`

	// Word is the number of the column of the words, 0 for the first. Only with
	// columns.
	Word int `json:"word,omitempty"`
}

// maxColumns bounds the number of a column.
const maxColumns = 1 << 10

// conlluNames are the columns of CoNLL-U; conlluForm and so on are places there.
var conlluNames = [...]string{"ID", "FORM", "LEMMA", "UPOS", "XPOS", "FEATS", "HEAD", "DEPREL", "DEPS", "MISC"}

const (
	conlluForm  = 1
	conlluFeats = 5
	conlluDeps  = 8
	conlluMisc  = 9
)

var conlluTags = map[string]int{"": 3, "upos": 3, "xpos": 4, "feats": conlluFeats, "deprel": 7}

// Validate says which field cannot be, and what is allowed. Without a format it may
// be any that a file's name says: see Of.
func (c Columns) Validate() error {
	if _, ok := conlluTags[c.Tag]; ok && c.Format == "" && c.Word == 0 {
		return nil
	}
	_, _, err := c.places()
	return err
}

// places are the columns of words and tags, from 0; tag −1 is the last.
func (c Columns) places() (word, tag int, err error) {
	switch c.Format {
	case "", "columns":
		return c.ownPlaces()
	case "conllu", "jsonl", "text":
	default:
		return 0, 0, fmt.Errorf("data: format %s: want columns, conllu, jsonl or text", quote(c.Format))
	}
	if c.Word != 0 {
		return 0, 0, fmt.Errorf("data: word column %d with format %s: want 0", c.Word, c.Format)
	}
	if c.Format != "conllu" {
		if c.Tag != "" {
			return 0, 0, fmt.Errorf("data: tag column %s with format %s: want none", quote(c.Tag), c.Format)
		}
		return 0, 0, nil
	}
	if at, ok := conlluTags[c.Tag]; ok {
		return conlluForm, at, nil
	}
	if n, ok := number(c.Tag); ok && n > conlluForm+1 && n <= len(conlluNames) {
		return conlluForm, n - 1, nil
	}
	return 0, 0, fmt.Errorf("data: tag column %s: want upos, xpos, feats, deprel or a number from 3 to 10", quote(c.Tag))
}

func (c Columns) ownPlaces() (word, tag int, err error) {
	if c.Word < 0 || c.Word > maxColumns {
		return 0, 0, fmt.Errorf("data: word column %d: want 0 (the first) to %d", c.Word, maxColumns)
	}
	word = max(c.Word, 1) - 1
	if c.Tag == "" {
		return word, -1, nil
	}
	n, ok := number(c.Tag)
	switch {
	case !ok || n > maxColumns:
		return 0, 0, fmt.Errorf("data: tag column %s: want a number from 1 to %d, or none for the last", quote(c.Tag), maxColumns)
	case n-1 == word:
		return 0, 0, fmt.Errorf("data: words and tags both in column %d: want two columns", n)
	}
	return word, n - 1, nil
}

// number is a number from 1, written in one way only.
func number(s string) (int, bool) {
	n, err := strconv.Atoi(s)
	return n, err == nil && n > 0 && strconv.Itoa(n) == s
}

// Of is c with the format that the ending of a file's name says, where c has none:
// .conllu, .jsonl or .ndjson.
func (c Columns) Of(name string) Columns {
	if c.Format != "" {
		return c
	}
	switch strings.ToLower(filepath.Ext(name)) {
	case ".conllu":
		c.Format = "conllu"
	case ".jsonl", ".ndjson":
		c.Format = "jsonl"
	}
	return c
}
