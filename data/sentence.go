package data

import (
	"fmt"
	"strconv"
)

// Sentence is words with a tag for each, or none. One that ReadSentences gave
// keeps its lines, so that it can be written again with other tags.
type Sentence struct {
	Words []string
	Tags  []string // as many as Words; nil where the file has none
	File  string   // that it is of, "" of none
	Line  int      // of its first word in its file, from 1

	TagColumn int // where its tags are in a file of columns, from 1; 0 of any other, and without tags

	rows []row  // its lines as they came, those before the first word too; nil without columns
	end  string // the line that ended it, "" if the start of a document did
}

// Place is the file and the line, for an error: "input" where it has neither.
func (s Sentence) Place() string { return place(s.File, s.Line) }

func place(file string, line int) string {
	switch {
	case file == "" && line == 0:
		return "input"
	case file == "":
		return fmt.Sprintf("line %d", line)
	}
	return fmt.Sprintf("%s: line %d", file, line)
}

// row is a line of a file in columns.
type row struct {
	text     string
	from, to int  // of the tag in text; from −1: no word
	gap      byte // to write before the tag where a column is added, 0 where not
}

// AppendTagged appends the sentence with these tags, one for each of its words,
// to dst. The sentence's own lines have them in the place of their tags, or in
// one more column where they had none; comments, multiword tokens and empty
// nodes are kept, and an empty line ends it. A file of format jsonl gets a line
// {"words":[…],"tags":[…]}. Text, and a sentence that was not read from columns,
// gets lines as c, with the format that Of tells, says: word, tab, tag, and an empty
// line, or the ten columns of CoNLL-U.
func (s Sentence) AppendTagged(dst []byte, c Columns, tags []string) []byte {
	if len(tags) != len(s.Words) {
		panic(fmt.Sprintf("data: AppendTagged: %d tags, want %d, one for each word", len(tags), len(s.Words)))
	}
	switch {
	case s.rows != nil:
		return s.appendRows(dst, tags)
	case c.Format == "jsonl":
		return s.appendJSON(dst, tags)
	case c.Format == "conllu":
		return s.appendCoNLLU(dst, c, tags)
	}
	for i, w := range s.Words {
		dst = append(dst, w...)
		dst = append(dst, '\t')
		dst = append(dst, tags[i]...)
		dst = append(dst, '\n')
	}
	return append(dst, '\n')
}

func (s Sentence) appendRows(dst []byte, tags []string) []byte {
	for _, r := range s.rows {
		if r.from < 0 {
			dst = append(dst, r.text...)
		} else {
			dst = append(dst, r.text[:r.from]...)
			if r.gap != 0 {
				dst = append(dst, r.gap)
			}
			dst = append(dst, tags[0]...)
			dst = append(dst, r.text[r.to:]...)
			tags = tags[1:]
		}
		dst = append(dst, '\n')
	}
	return append(dst, s.end...)
}

func (s Sentence) appendJSON(dst []byte, tags []string) []byte {
	dst = appendJSON(dst, struct {
		Words []string `json:"words"`
		Tags  []string `json:"tags"`
	}{s.Words, tags})
	return append(dst, '\n')
}

func (s Sentence) appendCoNLLU(dst []byte, c Columns, tags []string) []byte {
	_, at, err := c.places()
	if err != nil {
		panic(err.Error())
	}
	for i, w := range s.Words {
		dst = strconv.AppendInt(dst, int64(i)+1, 10)
		for column := 1; column < len(conlluNames); column++ {
			dst = append(dst, '\t')
			switch column {
			case conlluForm:
				dst = append(dst, w...)
			case at:
				dst = append(dst, tags[i]...)
			default:
				dst = append(dst, '_')
			}
		}
		dst = append(dst, '\n')
	}
	return append(dst, '\n')
}

// lineOf is the line of a word in its file.
func (s Sentence) lineOf(word int) int {
	first, n := 0, 0
	for i, r := range s.rows {
		if r.from < 0 {
			continue
		}
		if n == 0 {
			first = i
		}
		if n == word {
			return s.Line + i - first
		}
		n++
	}
	return s.Line
}
