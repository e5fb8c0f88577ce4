package data

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

func readSentences(text string, c Columns) (all []Sentence, err error) {
	for s, err := range ReadSentences("file", strings.NewReader(text), c) {
		if err != nil {
			return all, err
		}
		all = append(all, s)
	}
	return all, nil
}

// words shows sentences as word/tag or word, and the lines where they begin.
func words(all []Sentence) string {
	var b strings.Builder
	for i, s := range all {
		if i > 0 {
			b.WriteString(" | ")
		}
		fmt.Fprintf(&b, "%d:", s.Line)
		for i, w := range s.Words {
			b.WriteString(" " + w)
			if s.Tags != nil {
				b.WriteString("/" + s.Tags[i])
			}
		}
	}
	return b.String()
}

// row10 is a line of CoNLL-U with this id, word and part of speech.
func row10(id, word, pos string) string {
	return id + "\t" + word + "\tl\t" + pos + "\tx\ta=b\t0\troot\t_\t_\n"
}

// all columns apart, to see which one is read.
const tenColumns = "1\tb\tc\td\te\tf\tg\th\ti\tj\n"

func TestReadSentences(t *testing.T) {
	ud := Columns{Format: "conllu"}
	lines := Columns{Format: "jsonl"}
	for _, c := range []struct {
		c          Columns
		text, want string
	}{
		{Columns{}, "a X\nb Y\n\nc Z\n\n", "1: a/X b/Y | 4: c/Z"},
		{Columns{Format: "columns"}, "a\tX\nb\tY\n \t \nc\tZ", "1: a/X b/Y | 4: c/Z"},
		{Columns{}, bom + "a X\r\nb Y\r\n\r\nc Z", "1: a/X b/Y | 4: c/Z"},
		{Columns{}, "\n\na X\n\n\n\nb Y\n\n\n", "3: a/X | 7: b/Y"},
		{Columns{}, "-DOCSTART- -X- O\n\na p X\n\n-DOCSTART- -X- O\n\nb p Y\nc p X\n-DOCSTART-\nd p X\n", "3: a/X | 7: b/Y c/X | 10: d/X"},
		{Columns{}, "-DOCSTART-s X\na -DOCSTART-\n", "1: -DOCSTART-s/X a/-DOCSTART-"},
		{Columns{}, "  a   p  X \nb p Y\n", "1: a/X b/Y"},
		{Columns{}, "New York \t X \nb\u00a0c\tY\n", "1: New York/X b\u00a0c/Y"}, // a no-break space is no end of a word
		{Columns{}, "a\nb\n\n# X\n", ""},                                         // one column, then two
		{Columns{}, "a\nb\n\n夜\n", "1: a b | 4: 夜"},
		{Columns{}, "_\t_\n", "1: _/_"},
		{Columns{Tag: "2"}, "a p X\nb q Y\n", "1: a/p b/q"},
		{Columns{Tag: "1", Word: 3}, "a p X\nb q Y\n", "1: X/a Y/b"},
		{Columns{Tag: "4"}, "a p X\nb q Y\n", "1: a b"},
		{Columns{Word: 3}, "a p X\nb q Y\n", "1: X Y"},
		{ud, "# one\n" + row10("1", "a", "X") + row10("2-3", "bc", "_") + row10("2", "b", "Y") + row10("2.1", "e", "_") + row10("3", "c", "Z") + "\n# two\n\n" + row10("0.1", "e", "_") + row10("1", "d", "X"), "2: a/X b/Y c/Z | 11: d/X"},
		{ud, row10("1", "a", "_") + row10("2", "b", "_"), "1: a b"},
		{ud, row10("1", "_", "X") + "# amid\n" + row10("2", "b c", "Y"), "1: _/X b c/Y"},
		{ud, tenColumns, "1: b/d"},
		{Columns{Format: "conllu", Tag: "upos"}, tenColumns, "1: b/d"},
		{Columns{Format: "conllu", Tag: "xpos"}, tenColumns, "1: b/e"},
		{Columns{Format: "conllu", Tag: "feats"}, tenColumns, "1: b/f"},
		{Columns{Format: "conllu", Tag: "deprel"}, tenColumns, "1: b/h"},
		{Columns{Format: "conllu", Tag: "3"}, tenColumns, "1: b/c"},
		{Columns{Format: "conllu", Tag: "10"}, tenColumns + "2" + strings.Repeat("\t_", 9), "1: b/j _/_"},
		{lines, `{"words":["a","b c"],"tags":["X","Y"]}` + "\n\n" + ` {"id": 7, "tags":["Z"], "words":["<d>"]}`, "1: a/X b c/Y | 3: <d>/Z"},
		{lines, `{"text":" a b\tc\u3000d "}` + "\r\n" + `{"words":["e"],"tags":null}`, "1: a b c d | 2: e"},
		{Columns{Format: "text"}, "a b\tc\n\n 夜\u3000d \n", "1: a b c | 3: 夜 d"},
	} {
		got, err := readSentences(c.text, c.c)
		if words(got) != c.want && (err == nil || c.want != "") {
			t.Errorf("%+v %q:\n%s\nwant\n%s\nerror %v", c.c, c.text, words(got), c.want, err)
		}
		// in pieces of a byte it is the same
		var slow []Sentence
		for s, err := range ReadSentences("file", iotest.OneByteReader(strings.NewReader(c.text)), c.c) {
			if err == nil {
				slow = append(slow, s)
			}
		}
		if !reflect.DeepEqual(got, slow) {
			t.Errorf("%+v %q: %+v in pieces, %+v at once", c.c, c.text, slow, got)
		}
	}
}

func TestReadSentencesErrors(t *testing.T) {
	ud, lines := Columns{Format: "conllu"}, Columns{Format: "jsonl"}
	long := strings.Repeat("x", maxLine-2)
	for _, c := range []struct {
		c         Columns
		text, err string
	}{
		{Columns{}, "", "no sentences: want at least one"},
		{Columns{}, bom, "no sentences: want at least one"},
		{Columns{}, "\n \t\r\n\n", "no sentences: want at least one"},
		{Columns{}, "-DOCSTART- X\n\n", "no sentences: want at least one"},
		{ud, "# c\n\n", "no sentences: want at least one"},
		{lines, "\n", "no sentences: want at least one"},
		{Columns{Format: "text"}, " \u3000\n", "no sentences: want at least one"},
		{Columns{}, "-DOCSTART-\n\na X\nb\n", "line 4: 1 column: want 2, as on line 3"},
		{Columns{}, "a X\n\nb p Y\n", "line 3: 3 columns: want 2, as on line 1"},
		{Columns{}, "a\tX\nb Y\nc\td\tZ\n", "line 3: 3 columns: want 2, as on line 1"},
		{Columns{}, "a\tX\nb\t \n", "line 2: no tag in column 2: want one"},
		{Columns{}, "a\tX\t\n", "line 1: no tag in column 3: want one"},
		{Columns{}, "a\tX\n\tX\n", "line 2: no word in column 1: want one"},
		{Columns{Word: 3}, "a X\n", "line 1: 2 columns: want the word in column 3"},
		{Columns{Tag: "4"}, "a X\n", "line 1: 2 columns: want the tag in column 4, or just that one missing"},
		{Columns{}, "a X\n\nb\xffc Y\n", "line 3: byte 0xFF at byte column 2 is not UTF-8"},
		{Columns{}, "\xff\xfea\x00", "line 1: byte 0xFF at byte column 1 is not UTF-8 (it looks like UTF-16)"},
		{Columns{}, "a X\nb\x00 Y\n", "line 2: byte 0x00 at byte column 2: want text"},
		{Columns{}, "a X\rb Y\r", "line 1: byte 0x0D at byte column 4: want text"},
		{Columns{}, "a X\nb" + long + " Y\n", "line 2: longer than 16777216 bytes: want at most that"},
		{Columns{}, "b" + long + " Y", "line 1: longer than 16777216 bytes: want at most that"},
		{ud, row10("1", "a", "X") + "2\tb\tl\n", "line 2: 3 columns between tabs: want the 10 of CoNLL-U"},
		{ud, "1 a l X x _ 0 root _ _\n", "line 1: 1 column between tabs: want the 10 of CoNLL-U"},
		{ud, row10("2", "a", "X"), `line 1: id "2": want 1, or one of a multiword token (1-2) or of an empty node (0.1)`},
		{ud, row10("1", "a", "X") + row10("1", "b", "X"), `line 2: id "1": want 2, or one of a multiword token (2-3) or of an empty node (1.1)`},
		{ud, row10("01", "a", "X"), `line 1: id "01": want 1, or one of a multiword token (1-2) or of an empty node (0.1)`},
		{ud, row10("2-3", "a", "X"), `line 1: id "2-3": want 1, or one of a multiword token (1-2) or of an empty node (0.1)`},
		{ud, row10("1-0", "a", "X"), `line 1: id "1-0": want 1, or one of a multiword token (1-2) or of an empty node (0.1)`},
		{ud, row10("1.1", "a", "X"), `line 1: id "1.1": want 1, or one of a multiword token (1-2) or of an empty node (0.1)`},
		{ud, row10("0.x", "a", "X"), `line 1: id "0.x": want 1, or one of a multiword token (1-2) or of an empty node (0.1)`},
		{ud, row10("1", "a", "X") + "\n" + row10("1-2", "ab", "_") + "\n", "line 4: the sentence that ends here has no words"},
		{ud, row10("0.1", "ab", "_"), "line 1: the sentence that ends here has no words"},
		{ud, row10("1", "", "X"), "line 1: no word in column FORM: want one"},
		{ud, row10("1", "a", ""), "line 1: nothing in column UPOS: want a tag, or _ for none"},
		{ud, row10("1", "a", "X") + "\n" + row10("1", "a", "_"), `line 3: "_" in column UPOS: no tag: want one, as on line 1`},
		{ud, row10("1", "a", "_") + row10("2", "a", "X"), `line 2: "X" in column UPOS: a tag: want none, as on line 1`},
		{lines, "{\n", "line 1: JSON that ends too early"},
		{lines, `{"words":["a"]} x`, "line 1: more after the JSON object: want one object a line"},
		{lines, `["a"]`, "line 1: want a JSON object"},
		{lines, `null`, `line 1: want a JSON object`},
		{lines, `{"words":["a"],"words":["b"]}`, `line 1: field "words": twice in one object: want it once`},
		{lines, `{"words":["a"],"tags":[X]}`, `line 1: field "tags": not JSON: invalid character 'X' looking for beginning of value`},
		{lines, `{"Words":["a"]}`, `line 1: no words in "words" or "text": want some`},
		{lines, `{"words":[]}`, `line 1: no words in "words" or "text": want some`},
		{lines, `{"text":" "}`, `line 1: no words in "words" or "text": want some`},
		{lines, `{"words":"a"}`, `line 1: field "words": want a list of strings`},
		{lines, `{"words":["a"],"tags":[1]}`, `line 1: field "tags": want a list of strings`},
		{lines, `{"text":["a"]}`, `line 1: field "text": want a string`},
		{lines, `{"text":"a","tags":["X"]}`, `line 1: field "text" beside "words" or "tags": want one of them`},
		{lines, "\n" + `{"words":["a","b"],"tags":["X"]}`, "line 2: 2 words and 1 tags: want as many"},
		{lines, `{"words":["a"],"tags":[]}`, "line 1: 1 words and 0 tags: want as many"},
		{lines, `{"words":["a",null],"tags":["X","Y"]}`, `line 1: word 2 is "": want text`},
		{lines, `{"words":["a\u0000"]}`, `line 1: word 1 is "a\x00": want text`},
		{lines, `{"words":["a"],"tags":[""]}`, `line 1: tag 1 is "": want text in one line`},
		{lines, `{"words":["a"],"tags":["X\nY"]}`, `line 1: tag 1 is "X\nY": want text in one line`},
		{lines, `{"words":["a"],"tags":["X"]}` + "\n" + `{"words":["a"]}`, "line 2: no tag: want one, as on line 1"},
		{lines, `{"words":["a"]}` + "\n" + `{"words":["a"],"tags":["X"]}`, "line 2: a tag: want none, as on line 1"},
	} {
		_, err := readSentences(c.text, c.c)
		if err == nil {
			t.Errorf("%+v %.60q: no error, want %q", c.c, c.text, c.err)
			continue
		}
		if err.Error() != "data: file: "+c.err {
			t.Errorf("%+v %.60q: error\n%s\nwant\n%s", c.c, c.text, err, "data: file: "+c.err)
		}
	}
	if got, err := readSentences(long+" X\n", Columns{}); err != nil || len(got[0].Words[0]) != len(long) {
		t.Error("a line of 16 MiB:", err)
	}
	for s, err := range ReadSentences("-", io.MultiReader(strings.NewReader("a X\nb"), iotest.ErrReader(errors.New("broken pipe"))), Columns{}) {
		if s.Words != nil {
			t.Errorf("words %q of a file that broke", s.Words)
		}
		wantError(t, err, "data: standard input: line 2: broken pipe")
	}
}

// What never ends a sentence does not fill the memory.
func TestSentenceLimits(t *testing.T) {
	for text, c := range map[string]Columns{"a X\n": {}, "#" + strings.Repeat("x", maxLine/2) + "\n": {Format: "conllu"}} {
		lines, taken := bytes.Repeat([]byte(text), 1+(1<<16)/len(text)), 0
		endless := readerFunc(func(p []byte) (int, error) {
			if taken > maxSentence+maxLine {
				return 0, io.EOF
			}
			n := copy(p, lines[taken%len(lines):])
			taken += n
			return n, nil
		})
		for _, err := range ReadSentences("file", endless, c) {
			if err == nil || !strings.HasSuffix(err.Error(), ": a sentence, with what comes before it, of more than 64 MiB or 1048576 lines: want at most that") {
				t.Errorf("%.20q: error %v", text, err)
			}
		}
	}
}

// A sentence comes as soon as its end is there, and reading ends with the loop.
func TestReadSentencesStreams(t *testing.T) {
	for _, c := range []struct {
		c    Columns
		text string
	}{{Columns{}, "a X\n\n"}, {Columns{Format: "text"}, "a\n"}, {Columns{Format: "jsonl"}, `{"words":["a"]}` + "\n"}} {
		r, w := io.Pipe()
		go w.Write([]byte(c.text))
		for s, err := range ReadSentences("-", r, c.c) {
			if err != nil || !slices.Equal(s.Words, []string{"a"}) {
				t.Error(s.Words, err)
			}
			break
		}
		r.Close()
	}
}

func TestColumnsValidate(t *testing.T) {
	for _, c := range []struct {
		c   Columns
		err string
	}{
		{Columns{}, ""}, {Columns{Tag: "1024", Word: 1024}, "data: words and tags both in column 1024: want two columns"},
		{Columns{Tag: "1"}, "data: words and tags both in column 1: want two columns"}, {Columns{Tag: "1", Word: 2}, ""},
		{Columns{Format: "csv"}, `data: format "csv": want columns, conllu, jsonl or text`},
		{Columns{Word: -1}, "data: word column -1: want 0 (the first) to 1024"},
		{Columns{Word: 1025}, "data: word column 1025: want 0 (the first) to 1024"},
		{Columns{Format: "columns", Tag: "xpos"}, `data: tag column "xpos": want a number from 1 to 1024, or none for the last`},
		{Columns{Format: "columns", Tag: "upos"}, `data: tag column "upos": want a number from 1 to 1024, or none for the last`},
		{Columns{Tag: "0"}, `data: tag column "0": want a number from 1 to 1024, or none for the last`},
		{Columns{Tag: "02"}, `data: tag column "02": want a number from 1 to 1024, or none for the last`},
		{Columns{Tag: "1025"}, `data: tag column "1025": want a number from 1 to 1024, or none for the last`},
		{Columns{Format: "conllu", Tag: "10"}, ""},
		{Columns{Format: "conllu", Tag: "2"}, `data: tag column "2": want upos, xpos, feats, deprel or a number from 3 to 10`},
		{Columns{Format: "conllu", Tag: "11"}, `data: tag column "11": want upos, xpos, feats, deprel or a number from 3 to 10`},
		{Columns{Format: "conllu", Tag: "UPOS"}, `data: tag column "UPOS": want upos, xpos, feats, deprel or a number from 3 to 10`},
		{Columns{Format: "conllu", Word: 2}, "data: word column 2 with format conllu: want 0"},
		{Columns{Format: "jsonl", Tag: "2"}, `data: tag column "2" with format jsonl: want none`},
		{Columns{Format: "text", Word: 1}, "data: word column 1 with format text: want 0"},
	} {
		wantError(t, c.c.Validate(), c.err)
		if c.err != "" {
			_, err := readSentences("a X\n", c.c)
			wantError(t, err, c.err)
		}
	}
}

// The column of the tags is known once a file has been read.
func TestTagColumn(t *testing.T) {
	for text, want := range map[string]int{"a X Y\nb X Y\n": 3, "a X\n": 2, "a\n": 0} {
		got, err := readSentences(text, Columns{})
		if err != nil || got[0].TagColumn != want {
			t.Errorf("%q: column %d, want %d (%v)", text, got[0].TagColumn, want, err)
		}
	}
	if got, err := readSentences(`{"words":["a"],"tags":["X"]}`, Columns{Format: "jsonl"}); err != nil || got[0].TagColumn != 0 {
		t.Error("JSON:", got, err)
	}
}

// A file's name may yet say that it has the columns of CoNLL-U.
func TestColumnsOfAFormatToCome(t *testing.T) {
	c := Columns{Tag: "xpos"}
	wantError(t, c.Validate(), "")
	wantError(t, c.Of("a.conllu").Validate(), "")
	for s, err := range ReadSentences("a.conllu", strings.NewReader(tenColumns), c) {
		if err != nil || s.Tags[0] != "e" {
			t.Error(s, err)
		}
	}
	for _, err := range ReadSentences("a.conllu", strings.NewReader(tenColumns), Columns{Format: "columns"}) {
		wantError(t, err, "")
	}
	_, err := readSentences("a X\n", c)
	wantError(t, err, `data: tag column "xpos": want a number from 1 to 1024, or none for the last`)
}
