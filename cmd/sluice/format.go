package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"sluice/model"
)

// count writes a number with commas: 1,234,567.
func count[N int | int64](n N) string {
	s := strconv.FormatInt(int64(n), 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// plural writes a number and its noun.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return count(n) + " " + noun + "s"
}

// size writes bytes for a person.
func size(n int64) string {
	switch {
	case n < 1000:
		return plural(int(n), "byte")
	case n < 1_000_000:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	case n < 1_000_000_000:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.1f GB", float64(n)/1e9)
}

// short writes a perplexity with the digits that say something.
func short(perplexity float64) string {
	switch {
	case perplexity < 10:
		return fmt.Sprintf("%.3f", perplexity)
	case perplexity < 1e6:
		return fmt.Sprintf("%.1f", perplexity)
	}
	return fmt.Sprintf("%.2g", perplexity)
}

// clock writes a time still to go or gone by: 0.42 s, 12 s, 3m05s, 1h02m.
func clock(d time.Duration) string {
	switch s := int(d.Round(time.Second) / time.Second); {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case s < 3600:
		return fmt.Sprintf("%dm%02ds", s/60, s%60)
	default:
		return fmt.Sprintf("%dh%02dm", s/3600, s/60%60)
	}
}

// gauge is what a loss is shown as.
type gauge struct {
	name string
	of   func(loss float64) float64
	per  string // what counts, in a second
}

func gaugeOf(task string) gauge {
	same := func(loss float64) float64 { return loss }
	switch task {
	case model.LM:
		return gauge{"perplexity", math.Exp, "tokens/s"}
	case model.Tag:
		return gauge{"loss", same, "words/s"}
	case model.Classify:
		return gauge{"loss", same, "examples/s"}
	case model.Forecast: // squared errors, and of quantiles their own
		return gauge{"loss", same, "values/s"}
	}
	return gauge{"squared error", same, "examples/s"}
}

// short writes a loss, as it is shown, with the digits that say something.
func (m gauge) short(loss float64) string {
	if m.name == "perplexity" {
		return short(math.Exp(loss))
	}
	return fmt.Sprintf("%.4g", loss)
}

// lineWidth is how many columns of a terminal a line of a report has at most.
const lineWidth = 100

// folded breaks a long list behind its commas into lines that leave room for an
// indent of so many columns.
func folded(list string, indent int) string {
	lines, columns := "", 0
	for i, part := range strings.Split(list, ", ") {
		n := utf8.RuneCountInString(part) + len(", ")
		switch {
		case i == 0:
		case indent+columns+n > lineWidth:
			lines, columns = lines+",\n"+strings.Repeat(" ", indent), 0
		default:
			lines += ", "
		}
		lines, columns = lines+part, columns+n
	}
	return lines
}

// visible puts a space for whatever would break a line or drive a terminal.
func visible(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, text)
}

// unit is what one symbol of a vocabulary is.
func unit(kind string) string {
	switch kind {
	case "char":
		return "character"
	case "tokenizer":
		return "token"
	}
	return kind
}

// quoted makes a word that a shell reads as one.
func quoted(word string) string {
	plain := func(r rune) bool {
		return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("/._-+:,@%", r)
	}
	switch {
	case word != "" && !strings.ContainsFunc(word, func(r rune) bool { return !plain(r) }):
		return word
	case windows:
		return strconv.Quote(word)
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
