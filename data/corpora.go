package data

import (
	"embed"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

//go:embed builtin/*.txt
var builtin embed.FS

// Corpus describes a built-in text. All are this project's own writing.
type Corpus struct {
	Name        string
	Language    string // BCP 47
	Description string
	Characters  int
}

var corpora = sync.OnceValue(func() []Corpus {
	list := []Corpus{
		{Name: "english", Language: "en", Description: "a year at a canal lock, told by its keeper"},
		{Name: "lyrics", Language: "zh", Description: "song lyrics in Chinese, with choruses"},
	}
	for i, c := range list {
		list[i].Characters = utf8.RuneCountInString(read(c.Name))
	}
	return list
})

// Corpora lists the built-in texts by name.
func Corpora() []Corpus { return slices.Clone(corpora()) }

// Load returns a built-in text by name; the error for another name tells the
// nearest.
func Load(name string) (string, error) {
	var names, near []string
	for _, c := range corpora() {
		if c.Name == name {
			return read(name), nil
		}
		names = append(names, c.Name)
		if distance(strings.ToLower(name), c.Name) <= 2 || name != "" && strings.HasPrefix(c.Name, strings.ToLower(name)) {
			near = append(near, c.Name)
		}
	}
	if len(near) > 0 {
		return "", fmt.Errorf("data: no built-in corpus %s: did you mean %s?", quote(name), strings.Join(near, " or "))
	}
	return "", fmt.Errorf("data: no built-in corpus %s: there are %s", quote(name), strings.Join(names, " and "))
}

func read(name string) string {
	b, err := builtin.ReadFile("builtin/" + name + ".txt")
	if err != nil {
		panic(err) // the list above names a file that was not compiled in
	}
	return string(b)
}

// distance is Levenshtein's, in bytes.
func distance(a, b string) int {
	if len(a) > 64 {
		a = a[:64]
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
