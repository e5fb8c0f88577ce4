package main

import (
	"strings"
	"unicode"

	"sluice/train"
)

// beginnings are beginnings of lines of the training part, one from its start
// and others from its middle; of words where there are no lines.
func beginnings(text *train.Text) ([]string, error) {
	const most = 20_000 // symbols to look at from each place
	n := text.Train.Len()
	ids := make([]int32, min(n, most))
	var found []string
	for _, at := range []int{0, n / 2, n / 3} {
		ids := ids[:min(len(ids), n-at)]
		if err := text.Train.ReadAt(ids, at); err != nil {
			return nil, err
		}
		part := text.Vocab.Decode(ids)
		if at > 0 {
			part = afterBreak(part)
		}
		for line := range strings.SplitSeq(part, "\n") {
			if b := beginning(line); b != "" {
				found = append(found, b)
				break
			}
		}
	}
	return found, nil
}

// afterBreak leaves out what is not the whole of a line, or of a word.
func afterBreak(part string) string {
	for _, end := range []string{"\n", " "} {
		if _, after, ok := strings.Cut(part, end); ok && strings.TrimSpace(after) != "" {
			return after
		}
	}
	return part
}

// beginning is the first two words of a line, or a few characters where words
// are not set apart.
func beginning(line string) string {
	line = strings.TrimLeftFunc(line, unicode.IsSpace)
	const longest, unspaced = 20, 3
	words, letters, end := 1, 0, 0
	for i, r := range line {
		switch {
		case unicode.IsSpace(r):
			if words++; words > 2 {
				return line[:i]
			}
			letters = 0
		case unicode.Is(unicode.Han, r) || unicode.Is(unicode.Hiragana, r) || unicode.Is(unicode.Katakana, r):
			if letters++; letters > unspaced {
				return line[:i]
			}
		}
		if !unicode.IsSpace(r) {
			end = i + len(string(r))
		}
		if i >= longest {
			return strings.TrimRightFunc(line[:i], unicode.IsSpace)
		}
	}
	return line[:end]
}
