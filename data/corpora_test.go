package data

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestCorpora(t *testing.T) {
	size := map[string]struct{ chars, vocabMin, vocabMax int }{
		"english": {24000, 30, 120},
		"lyrics":  {12000, 700, 1100},
	}
	list := Corpora()
	if len(list) != len(size) {
		t.Errorf("%d corpora, want %d", len(list), len(size))
	}
	for _, c := range list {
		t.Run(c.Name, func(t *testing.T) {
			text, err := Load(c.Name)
			if err != nil {
				t.Fatal(err)
			}
			want := size[c.Name]
			if n := utf8.RuneCountInString(text); n < want.chars || n != c.Characters {
				t.Errorf("%d characters, listed %d, want at least %d", n, c.Characters, want.chars)
			}
			if v := build(t, text, VocabOptions{}); v.Size() < want.vocabMin || v.Size() > want.vocabMax {
				t.Errorf("vocabulary of %d, want %d to %d", v.Size(), want.vocabMin, want.vocabMax)
			}
			if share := repeated(text, 8); share > 0.15 {
				t.Errorf("%.1f %% of the 8-character sequences occur twice or more outside choruses, want at most 15 %%", 100*share)
			}
			if !strings.HasSuffix(text, "\n") || strings.ContainsAny(text, "\r\t\uFEFF\uFFFD") || c.Language == "" || c.Description == "" {
				t.Errorf("want LF, no tabs or marks, a newline at the end, a language and a description: %+v", c)
			}
		})
	}
}

// repeated is the share of the distinct sequences of n characters that occur
// twice or more, each stanza counted once.
func repeated(text string, n int) float64 {
	var once []string
	seen := map[string]bool{}
	for stanza := range strings.SplitSeq(text, "\n\n") {
		if stanza = strings.TrimSpace(stanza); !seen[stanza] {
			seen[stanza] = true
			once = append(once, stanza)
		}
	}
	chars := []rune(strings.Join(once, "\n\n"))
	counts, twice := map[string]int{}, 0
	for i := range len(chars) - n + 1 {
		s := string(chars[i : i+n])
		if counts[s]++; counts[s] == 2 {
			twice++
		}
	}
	return float64(twice) / float64(len(counts))
}

func TestRepeated(t *testing.T) {
	for text, want := range map[string]float64{
		"abcdefghij":               0,
		"abcdefghij\n\nabcdefghij": 0, // a chorus
		"abcdefghij\nabcdefghij":   3.0 / 11,
		"abcdefgh\n\nabcdefgh\n":   0,
		"aaaaaaaaaaaa":             1,
		"夜夜夜夜夜夜夜夜夜\n\n雨夜夜夜夜夜夜夜夜夜": 1.0 / 11,
	} {
		if got := repeated(text, 8); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

func TestLoadErrors(t *testing.T) {
	for name, want := range map[string]string{
		"lyric":       `data: no built-in corpus "lyric": did you mean lyrics?`,
		"Lyrics":      `data: no built-in corpus "Lyrics": did you mean lyrics?`,
		"eng":         `data: no built-in corpus "eng": did you mean english?`,
		"engilsh":     `data: no built-in corpus "engilsh": did you mean english?`,
		"shakespeare": `data: no built-in corpus "shakespeare": there are english and lyrics`,
		"":            `data: no built-in corpus "": there are english and lyrics`,
		"../doc.go":   `data: no built-in corpus "../doc.go": there are english and lyrics`,
	} {
		_, err := Load(name)
		wantError(t, err, want)
	}
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "abc", 3}, {"abc", "", 3}, {"kitten", "sitting", 3}, {"lyrics", "lyrics", 0}, {"ab", "ba", 2}} {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("distance(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
	}
}
