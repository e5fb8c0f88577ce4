package data

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
)

// Limits of a file of sentences, in bytes and lines.
const (
	maxSentence      = 1 << 26 // bytes, with the comments before it
	maxSentenceLines = 1 << 20
)

// ReadSentences reads a file of sentences as c says, one after the other; name
// is for errors, "-" being stdin, and for the format where c has none, as Of says:
// "columns" is columns whatever the name. It holds one sentence at a time, and gives each
// as soon as the line that ends it is read. It can be ranged over once.
//
// A byte order mark at the start is left out, and CR LF is LF. A line that is
// empty but for spaces and tabs is an empty line. Lines after the last sentence
// are in none. An underscore in CoNLL-U is no tag, but for FEATS, DEPS and MISC,
// where it says that there are none.
//
// The first thing wrong ends it with an error that names the line: not UTF-8, a
// zero byte, more than 16 MiB in a line, 64 MiB or 1,048,576 lines in a sentence,
// a line with more or fewer columns than the first, a CoNLL-U id that does not
// count up, no word, no tag where others have one, a file without a sentence.
func ReadSentences(name string, r io.Reader, c Columns) iter.Seq2[Sentence, error] {
	return func(yield func(Sentence, error) bool) {
		c = c.Of(name)
		word, tag, err := c.places()
		if err != nil {
			yield(Sentence{}, err)
			return
		}
		file := shown(name)
		p := &sentenceReader{lines: newLines(name, r), format: c.Format, word: word, tag: tag, seen: map[string]bool{}}
		for n := 0; ; n++ {
			s, err := p.next()
			if err == io.EOF && n > 0 {
				return
			}
			if err == io.EOF {
				err = fileError(name, "no sentences: want at least one")
			}
			if err != nil {
				yield(Sentence{}, err)
				return
			}
			s.File = file
			if !yield(s, nil) {
				return
			}
		}
	}
}

// sentenceReader reads one file.
type sentenceReader struct {
	lines     *lines
	format    string
	word, tag int // columns, from 0; tag −1 is the last

	s     Sentence // as far as it is read
	bytes int      // of its lines
	other bool     // it has multiword tokens or empty nodes

	columns  int  // of each line; 0 before the first
	sample   int  // the first line with a word
	untagged bool // there, and so everywhere
	cells    []cell
	seen     map[string]bool // scratch of eachField
}

// next is the next sentence, or io.EOF.
func (p *sentenceReader) next() (Sentence, error) {
	for {
		text, err := p.text()
		if err == io.EOF {
			if len(p.s.Words) == 0 && !p.other {
				return Sentence{}, err
			}
			return p.finish("\n")
		}
		if err != nil {
			return Sentence{}, err
		}
		empty := strings.Trim(text, " \t") == ""
		some := len(p.s.Words) > 0 || p.other
		switch {
		case p.format == "jsonl" || p.format == "text":
			if strings.TrimSpace(text) == "" {
				continue
			}
			s, err := p.whole(text)
			return s, p.fault(err)
		case empty && some:
			return p.finish(text + "\n")
		case p.format != "conllu" && some && startsDocument(text):
			s, err := p.finish("")
			p.s.rows = append(p.s.rows, row{text: text, from: -1})
			return s, err
		}
		if err := p.take(text, empty); err != nil {
			return Sentence{}, p.fault(err)
		}
	}
}

// text is the next line, or io.EOF.
func (p *sentenceReader) text() (string, error) {
	line, err := p.lines.text()
	if err != nil {
		return "", err
	}
	text := string(line)
	if at := strings.IndexAny(text, "\x00\r"); at >= 0 {
		return "", p.fault(fmt.Errorf("byte 0x%02X at byte column %d: want text", text[at], at+1))
	}
	return text, nil
}

// fault names the line of an error in the line read last.
func (p *sentenceReader) fault(err error) error {
	if err == nil {
		return nil
	}
	return p.lines.errorf(p.lines.line, "%w", err)
}

// finish ends the sentence with a line.
func (p *sentenceReader) finish(end string) (Sentence, error) {
	s := p.s
	s.end = end
	if columns := p.format == "" || p.format == "columns"; columns && !p.untagged {
		s.TagColumn = p.tag + 1
	}
	if len(s.Words) == 0 {
		return Sentence{}, p.fault(errors.New("the sentence that ends here has no words"))
	}
	p.s, p.bytes, p.other = Sentence{}, 0, false
	return s, nil
}

// take adds a line to the sentence.
func (p *sentenceReader) take(text string, empty bool) (err error) {
	if p.bytes += len(text); p.bytes > maxSentence || len(p.s.rows) == maxSentenceLines {
		return fmt.Errorf("a sentence, with what comes before it, of more than %d MiB or %d lines: want at most that", maxSentence>>20, maxSentenceLines)
	}
	r := row{text: text, from: -1}
	switch {
	case empty:
	case p.format == "conllu" && text[0] == '#':
	case p.format == "conllu":
		err = p.conlluRow(&r)
	case !startsDocument(text):
		err = p.columnsRow(&r)
	}
	p.s.rows = append(p.s.rows, r)
	return err
}

// add adds a word of a line.
func (p *sentenceReader) add(word, tag string) {
	if len(p.s.Words) == 0 {
		p.s.Line = p.lines.line
	}
	p.s.Words = append(p.s.Words, word)
	if !p.untagged {
		p.s.Tags = append(p.s.Tags, tag)
	}
}

// agree wants tags everywhere if the first word has one, nowhere if not.
func (p *sentenceReader) agree(tagged bool) error {
	switch {
	case p.sample == 0:
		p.sample, p.untagged = p.lines.line, !tagged
	case tagged && p.untagged:
		return fmt.Errorf("a tag: want none, as on line %d", p.sample)
	case !tagged && !p.untagged:
		return fmt.Errorf("no tag: want one, as on line %d", p.sample)
	}
	return nil
}
