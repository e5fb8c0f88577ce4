package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"
)

// Table is text in rows, the first of which is the head.
type Table struct {
	Title, Note string
	Rows        [][]string
}

// widths are those of the columns, in characters.
func (t Table) widths() []int {
	var widths []int
	for _, row := range t.Rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	return widths
}

// line joins a row, each cell as wide as its column.
func line(row []string, widths []int, between string) string {
	cells := make([]string, len(row))
	for i, cell := range row {
		cells[i] = cell + strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
	}
	return strings.Join(cells, between)
}

// Text writes the table for a terminal.
func (t Table) Text(w io.Writer) {
	widths := t.widths()
	fmt.Fprintf(w, "\n%s\n", t.Title)
	for _, row := range t.Rows {
		fmt.Fprintln(w, strings.TrimRight(line(row, widths, "  "), " "))
	}
	if t.Note != "" {
		fmt.Fprintln(w, t.Note)
	}
}

// Markdown writes the table as GitHub shows it.
func (t Table) Markdown(w io.Writer) {
	widths := t.widths()
	fmt.Fprintf(w, "\n### %s\n\n", t.Title)
	if t.Note != "" {
		fmt.Fprintf(w, "%s\n\n", t.Note)
	}
	for i, row := range t.Rows {
		fmt.Fprintf(w, "| %s |\n", line(row, widths, " | "))
		if i == 0 {
			for _, width := range widths {
				fmt.Fprintf(w, "|%s", strings.Repeat("-", width+2))
			}
			fmt.Fprintln(w, "|")
		}
	}
}

// The tables stand between these lines of a Markdown file.
const (
	begin = "<!-- bench: begin -->"
	end   = "<!-- bench: end -->"
)

// between replaces what stands between the two lines of text, or is the lines
// and what is between them if text is empty.
func between(text, tables string) (string, error) {
	if text == "" {
		text = begin + "\n" + end + "\n"
	}
	head, rest, ok := strings.Cut(text, begin)
	_, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		return "", fmt.Errorf("the file has no lines %s and %s to write between", begin, end)
	}
	return head + begin + "\n\n" + strings.TrimSpace(tables) + "\n\n" + end + tail, nil
}

// writeMarkdown puts the tables into a file, which need not be there.
func writeMarkdown(path, tables string) error {
	old, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	text, err := between(string(old), tables)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.WriteFile(path, []byte(text), 0o666)
}
