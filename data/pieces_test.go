package data

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"
)

// torn is a text that is read in pieces of random sizes.
type torn struct {
	text string
	r    *rand.Rand
}

func (s torn) Open() (io.ReadCloser, error) {
	left := strings.NewReader(s.text)
	return io.NopCloser(readerFunc(func(p []byte) (int, error) {
		return left.Read(p[:min(len(p), s.r.IntN(7))]) // none is a piece too
	})), nil
}

// cleaned in plain words.
func cleanedWhole(c Clean, text string) string {
	between := map[string]string{"space": " ", "": " "}[c.Newlines]
	switch {
	case c.Letters:
		var kept []string
		for line := range strings.SplitSeq(text, "\n") {
			line = strings.Trim(regexp.MustCompile("[^A-Za-z]+").ReplaceAllString(line, " "), " ")
			if line != "" {
				kept = append(kept, strings.ToLower(line))
			}
		}
		text = strings.Join(kept, between)
	case c.Newlines == "space" || c.Newlines == "drop":
		text = regexp.MustCompile("[\r\n]").ReplaceAllString(text, between)
	}
	if chars := []rune(text); c.MaxChars > 0 && c.MaxChars < len(chars) {
		text = string(chars[:c.MaxChars])
	}
	return text
}

// A text read in pieces, cut anywhere, is the whole text: cleaned, counted and
// numbered.
func TestPiecesAreTheWhole(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 25 {
		text := "x" + randomText(r, r.IntN(80))
		if r.IntN(3) == 0 { // words that long ones begin with
			text += strings.Repeat("ab ab\r\nB", r.IntN(30))
		}
		for _, c := range []Clean{{}, {Newlines: "space"}, {Newlines: "drop"}, {Letters: true}, {Letters: true, Newlines: "drop"}, {Letters: true, Newlines: "space"}} {
			c.MaxChars = max(0, r.IntN(90)-30)
			want := cleanedWhole(c, text)
			if got := must(c.Apply(text)); got != want {
				t.Fatalf("%+v: %q becomes %q, want %q", c, text, got, want)
			}
			cleaned := c.Of(torn{text, r})
			if got := must(textOf(t.Context(), cleaned)); got != want {
				t.Fatalf("%+v: %q in pieces becomes %q, want %q", c, text, got, want)
			}
			for _, o := range []VocabOptions{{}, {Kind: "byte"}, {Kind: "word"}, {Kind: "word", Unknown: "unk", MinCount: 2}, {Unknown: "skip", MaxSize: 5}, {Kind: "word", Unknown: "unk", MaxSize: 4}} {
				v, err := BuildVocab(want, o)
				again, other := ReadVocab(t.Context(), cleaned, o)
				if fmt.Sprint(err) != fmt.Sprint(other) {
					t.Fatalf("%+v, %+v: %q in pieces: %v, want %v", c, o, text, other, err)
				}
				if err != nil {
					continue
				}
				if !slices.Equal(again.symbols, v.symbols) || !slices.Equal(v.symbols, symbolsOf(want, o)) {
					t.Fatalf("%+v, %+v: %q in pieces has the symbols %q, want %q, %q", c, o, text, again.symbols, v.symbols, symbolsOf(want, o))
				}
				ids := must(v.Encode(want))
				if got := all(t, must(v.ReadSymbols(t.Context(), cleaned))); !slices.Equal(got, ids) {
					t.Fatalf("%+v, %+v: %q in pieces is %v, want %v", c, o, text, got, ids)
				}
			}
		}
	}
}

// symbolsOf are those of BuildVocab in plain words.
func symbolsOf(text string, o VocabOptions) (symbols []string) {
	if o.Kind == "byte" {
		for b := range 256 {
			symbols = append(symbols, string([]byte{byte(b)}))
		}
		return symbols
	}
	split := strings.Split(text, "")
	if o.Kind == "word" {
		split = nil
		for line := range strings.Lines(text) {
			split = append(split, strings.Fields(line)...)
			if strings.HasSuffix(line, "\n") {
				split = append(split, "\n")
			}
		}
	}
	counts := map[string]int{}
	for _, s := range split {
		counts[s]++
	}
	for s, n := range counts {
		if n >= o.MinCount && !(s == Unknown && o.Unknown == "unk") {
			symbols = append(symbols, s)
		}
	}
	slices.SortFunc(symbols, func(a, b string) int {
		if counts[a] != counts[b] {
			return counts[b] - counts[a]
		}
		return strings.Compare(a, b)
	})
	if o.Unknown == "unk" {
		symbols = append([]string{Unknown}, symbols...)
	}
	if o.MaxSize > 0 {
		symbols = symbols[:min(len(symbols), o.MaxSize)]
	}
	return symbols
}

// What is wrong is found at the same place whatever the pieces are.
func TestPiecesErrors(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	known := build(t, "夜 a\n", VocabOptions{})
	words := build(t, "夜 a\n", VocabOptions{Kind: "word"})
	for range 60 {
		good := regexp.MustCompile("[^ \n]").ReplaceAllString(randomText(r, r.IntN(50)), " 夜 ") // words that are known
		for _, bad := range []string{"\xe5\xa4", "\xff夜", "b", "é!", " " + strings.Repeat("夜", 342) + " "} {
			text := good + bad + good
			for _, of := range []struct {
				name string
				read func(Source) error
			}{
				{"characters", func(s Source) error { _, err := ReadVocab(t.Context(), s, VocabOptions{}); return err }},
				{"words", func(s Source) error { _, err := ReadVocab(t.Context(), s, VocabOptions{Kind: "word"}); return err }},
				{"ids", func(s Source) error { _, err := known.ReadSymbols(t.Context(), s); return err }},
				{"ids of words", func(s Source) error { _, err := words.ReadSymbols(t.Context(), s); return err }},
			} {
				want := fmt.Sprint(of.read(String(text)))
				if got := fmt.Sprint(of.read(torn{text, r})); got != want {
					t.Fatalf("%s of %q in pieces: %s, want %s", of.name, text, got, want)
				}
			}
		}
	}
	_, err := ReadVocab(t.Context(), broken{"a a"}, VocabOptions{Kind: "word"})
	wantError(t, err, "the disk is gone")
	_, err = known.ReadSymbols(t.Context(), Clean{Newlines: "drop"}.Of(broken{"a a"}))
	wantError(t, err, "the disk is gone")
	// A character that the end of the disk cuts is no fault of the text.
	_, err = ReadVocab(t.Context(), broken{"a \xe5\xa4"}, VocabOptions{})
	wantError(t, err, "the disk is gone")
	j := joiner{now: &part{name: "a"}, in: must(broken{"a \xe5\xa4"}.Open())}
	j.raw = newCutter(j.in)
	_, err = io.Copy(io.Discard, &j)
	wantError(t, err, "data: a: the disk is gone")
}

// broken is a text that cannot be read to its end.
type broken struct{ start string }

func (b broken) Open() (io.ReadCloser, error) {
	return io.NopCloser(io.MultiReader(strings.NewReader(b.start), iotest.ErrReader(errors.New("the disk is gone")))), nil
}

// The joined text is the same whatever a file is read in: a CR LF, a byte order
// mark or a character may be cut.
func TestFilesInPieces(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for range 200 {
		text := strings.ReplaceAll(randomText(r, 1+r.IntN(40)), "\t", "\r")
		if r.IntN(2) == 0 {
			text = bom + text
		}
		want := strings.ReplaceAll(strings.TrimPrefix(text, bom), "\r\n", "\n")
		for _, cut := range []string{"", text[:r.IntN(len(text)+1)]} {
			if cut == "" || utf8.ValidString(cut) {
				cut = text
			}
			var got strings.Builder
			j := joiner{now: &part{name: "a"}, in: must(torn{cut, r}.Open())}
			j.raw = newCutter(j.in)
			_, err := io.Copy(&got, &j)
			if cut == text {
				if want == "" {
					wantError(t, err, "data: a: empty, want a text")
				} else if err != nil || got.String() != want {
					t.Fatalf("%q becomes %q, want %q: %v", text, got.String(), want, err)
				}
				continue
			}
			at := invalid([]byte(cut))
			line := strings.Count(cut[:at], "\n")
			wantError(t, err, fmt.Sprintf("data: a: byte 0x%02X at line %d, byte column %d is not UTF-8", cut[at], line+1, at-strings.LastIndexByte(cut[:at], '\n')))
		}
	}
}

// Many different words are counted as a map counts them.
func TestTally(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	c, want := newTally(), map[string]int{}
	for range 300_000 {
		word := fmt.Sprint(r.IntN(1 << (1 + r.IntN(20))))
		if r.IntN(200) == 0 {
			word = strings.Repeat(word, MaxSymbolBytes/len(word))
		}
		c.add([]byte(word), 1)
		want[word]++
	}
	var counts []int
	for place := range c.places() {
		word, times := string(c.symbol(place)), c.times(place)
		if times != want[word] {
			t.Fatalf("%q: %d, want %d", word, times, want[word])
		}
		counts = append(counts, times)
	}
	if c.n != len(want) || len(counts) != len(want) || len(c.blocks) < 2 {
		t.Errorf("%d words, want %d; %d blocks", c.n, len(want), len(c.blocks))
	}
	slices.Sort(counts)
	slices.Reverse(counts)
	for _, n := range []int{1, 2, 1000, c.n - 1} {
		if got := c.atLeast(n); got != counts[n-1] {
			t.Errorf("the %d most frequent occur %d times, want %d", n, got, counts[n-1])
		}
	}
	if c.atLeast(c.n) != 0 || c.add(make([]byte, MaxSymbolBytes+1), 1) {
		t.Error("all are not kept, or a word too long is")
	}
}
