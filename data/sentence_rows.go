package data

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// cell is a column of a line, from one byte to before another.
type cell struct{ from, to int }

func (c cell) in(text string) string { return text[c.from:c.to] }

// splitCells appends the columns of a line: between tabs if it has one, without
// spaces around them, else between spaces.
func splitCells(cells []cell, text string) []cell {
	if !strings.Contains(text, "\t") {
		for at := 0; at < len(text); {
			if text[at] == ' ' {
				at++
				continue
			}
			from := at
			for at < len(text) && text[at] != ' ' {
				at++
			}
			cells = append(cells, cell{from, at})
		}
		return cells
	}
	for from := 0; ; {
		to := len(text)
		if tab := strings.IndexByte(text[from:], '\t'); tab >= 0 {
			to = from + tab
		}
		c := cell{from, to}
		for c.from < c.to && text[c.from] == ' ' {
			c.from++
		}
		for c.from < c.to && text[c.to-1] == ' ' {
			c.to--
		}
		cells = append(cells, c)
		if from = to + 1; to == len(text) {
			return cells
		}
	}
}

// startsDocument reports whether the first column of a line is -DOCSTART-.
func startsDocument(text string) bool {
	rest, ok := strings.CutPrefix(strings.TrimLeft(text, " "), "-DOCSTART-")
	return ok && (rest == "" || rest[0] == ' ' || rest[0] == '\t')
}

// columnsRow reads a line of the CoNLL shared tasks.
func (p *sentenceReader) columnsRow(r *row) error {
	p.cells = splitCells(p.cells[:0], r.text)
	n := len(p.cells)
	if p.columns == 0 {
		if err := p.lay(n); err != nil {
			return err
		}
	}
	if n != p.columns {
		return fmt.Errorf("%s: want %d, as on line %d", manyColumns(n), p.columns, p.sample)
	}
	word, tag := p.cells[p.word].in(r.text), ""
	if p.untagged {
		last := p.cells[n-1].to
		r.from, r.to, r.gap = last, last, '\t'
		if n > 1 && !strings.Contains(r.text, "\t") {
			r.gap = ' '
		}
	} else {
		c := p.cells[p.tag]
		if tag = c.in(r.text); tag == "" {
			return fmt.Errorf("no tag in column %d: want one", p.tag+1)
		}
		r.from, r.to = c.from, c.to
	}
	if word == "" {
		return fmt.Errorf("no word in column %d: want one", p.word+1)
	}
	p.add(word, tag)
	return nil
}

// lay finds the tags of a file by the number of columns of its first line.
func (p *sentenceReader) lay(n int) error {
	if p.word >= n {
		return fmt.Errorf("%s: want the word in column %d", manyColumns(n), p.word+1)
	}
	if p.tag > n {
		return fmt.Errorf("%s: want the tag in column %d, or just that one missing", manyColumns(n), p.tag+1)
	}
	p.columns = n
	untagged := p.tag == n || p.tag < 0 && p.word == n-1
	if p.tag < 0 {
		p.tag = n - 1
	}
	return p.agree(!untagged)
}

func manyColumns(n int) string {
	if n == 1 {
		return "1 column"
	}
	return strconv.Itoa(n) + " columns"
}

// conlluRow reads a line of CoNLL-U that is no comment.
func (p *sentenceReader) conlluRow(r *row) error {
	p.cells = p.cells[:0]
	if strings.Contains(r.text, "\t") {
		p.cells = splitCells(p.cells, r.text)
	}
	if n := len(p.cells); n != len(conlluNames) {
		return fmt.Errorf("%s between tabs: want the 10 of CoNLL-U", manyColumns(max(n, 1)))
	}
	id, next := p.cells[0].in(r.text), len(p.s.Words)+1
	if n, ok := number(id); !ok || n != next {
		if err := noWord(id, next); err != nil {
			return err
		}
		p.other = true
		return nil
	}
	c := p.cells[p.tag]
	word, tag := p.cells[conlluForm].in(r.text), c.in(r.text)
	switch {
	case word == "":
		return errors.New("no word in column FORM: want one")
	case tag == "":
		return fmt.Errorf("nothing in column %s: want a tag, or _ for none", conlluNames[p.tag])
	}
	may := p.tag == conlluFeats || p.tag == conlluDeps || p.tag == conlluMisc
	if err := p.agree(tag != "_" || may); err != nil {
		return fmt.Errorf("%s in column %s: %w", quote(tag), conlluNames[p.tag], err)
	}
	r.from, r.to = c.from, c.to
	p.add(word, tag)
	return nil
}

// noWord wants the id of a multiword token that starts with the next word, 3-4,
// or of an empty node after the word before, 2.1.
func noWord(id string, next int) error {
	if a, b, ok := strings.Cut(id, "-"); ok {
		from, ok := number(a)
		to, ok2 := number(b)
		if ok && ok2 && from == next && to >= from {
			return nil
		}
	} else if a, b, ok := strings.Cut(id, "."); ok {
		if _, ok := number(b); ok && a == strconv.Itoa(next-1) {
			return nil
		}
	}
	return fmt.Errorf("id %s: want %d, or one of a multiword token (%d-%d) or of an empty node (%d.1)", quote(id), next, next, next+1, next-1)
}
