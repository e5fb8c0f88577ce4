package data

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestVocabOf(t *testing.T) {
	for _, c := range []struct {
		content      string
		kind, policy string
		want         []string
	}{
		{"the\nof\nand\n", "word", "error", []string{"the", "of", "and"}},
		{"the\r\nof", "word", "error", []string{"the", "of"}},
		{" \na\n夜", "char", "error", []string{" ", "a", "夜"}},
		{"[PAD]\n[UNK]\na\n", "char", "unk", []string{"[PAD]", "<unk>", "a"}},
		{"\n[UNK]\nthe\n", "word", "unk", []string{"<pad>", "<unk>", "the"}}, // Keras' TextVectorization.get_vocabulary
		{`["", "[UNK]", "the"]`, "word", "unk", []string{"<pad>", "<unk>", "the"}},
		{"\uFEFF [\"a\", \"\\n\"]\n", "char", "error", []string{"a", "\n"}},
		{`["\n", "<unk>", "a", "[UNK]"]`, "char", "unk", []string{"\n", "<unk>", "a", "[UNK]"}},
		{`{"b": 1, "a": 0}`, "char", "error", []string{"a", "b"}},
		{`{"the": 1, "of": 2}`, "word", "error", []string{"<pad>", "the", "of"}}, // Keras' word_index
		{`{"of": 0, "<UNK>": 1}`, "word", "unk", []string{"of", "<unk>"}},
		{"##\nthe\nof", "word", "error", []string{"##", "the", "of"}},
	} {
		v, err := VocabOf("v", []byte(c.content))
		if err != nil || v.Kind() != c.kind || v.Policy() != c.policy || !slices.Equal(v.symbols, c.want) {
			t.Errorf("%q: %+v, %v", c.content, v, err)
			continue
		}
		if id, ok := v.UnknownID(); ok != (c.policy == "unk") || ok && v.Symbol(id) != Unknown {
			t.Errorf("%q: unknown %d, %v", c.content, id, ok)
		}
		again, err := ParseVocab(must(v.MarshalJSON()))
		if err != nil || !slices.Equal(again.symbols, v.symbols) {
			t.Errorf("%q: again %v, %v", c.content, again, err)
		}
	}
	v := must(VocabOf("v", []byte("the\n[UNK]\nof")))
	if ids := must(v.Encode("of what the")); !slices.Equal(ids, []int32{2, 1, 0}) {
		t.Errorf("ids %v", ids)
	}
	v = must(VocabOf("v", []byte("a\n[UNK]\n<s>\nb\n>")))
	if ids := must(v.Encode("b<a>")); !slices.Equal(ids, []int32{3, 1, 0, 4}) || v.Decode([]int32{2, 0}) != "<s>a" {
		t.Errorf("ids %v", ids)
	}
}

var badVocabFiles = []struct{ content, want string }{
	{"", "no symbols: want at least one"},
	{"[]", "no symbols: want at least one"},
	{"{}", "no symbols: want at least one"},
	{"a\n\xff", "line 2: byte 0xFF is not UTF-8"},
	{"\xff\xfea", "line 1: byte 0xFF is not UTF-8 (it looks like UTF-16)"},
	{"the\nof\nthe", `line 3: "the" is also line 1`},
	{"the\n\nof", "line 2: vocabulary: symbol 1 is empty"},
	{"the\nof it", `line 2: vocabulary: symbol 1, "of it": want a word without white space`},
	{`["a", 1]`, "entry 1 is a number: want a list of strings"},
	{`["a", "a"]`, `entry 1: "a" is also entry 0`},
	{`{"a": "b"}`, `entry "a": want its id, a number from 0 to 1048575`},
	{`{"a": 0.5}`, `entry "a": want its id, a number from 0 to 1048575`},
	{`{"a": 1e999}`, `entry "a": want its id, a number from 0 to 1048575`},
	{`{"a": -1}`, `entry "a": want its id, a number from 0 to 1048575`},
	{`{"a": 99999999}`, `entry "a": want its id, a number from 0 to 1048575`},
	{`{"a": 0, "b": 2}`, `entry "b" has id 2 of 2 symbols: want ids from 0 on, and none left out`},
	{`{"a": 0, "b": 0}`, `entries "a" and "b" have id 0: want each once`},
	{`{"a": 0, "a": 1}`, `id 1: "a" is also id 0`},
	{`{"a": 0`, "JSON that ends too early"},
	{`{"a": 0} x`, "more after the vocabulary: want one JSON value"},
	{`{"a": {"b": 0}}`, `entry "a": want its id, a number from 0 to 1048575`},
	{"the\n\u0120of\n\u0120and", "2 of 3 symbols are marked as parts of a text by a tokenizer: want its tokenizer.json"},
	{"[PAD]\nthe\n##s\n##ing", "2 of 4 symbols are marked as parts of a text by a tokenizer: want its tokenizer.json"},
	{"[UNK]", "vocabulary of 1 symbols: want 2 to 1048576"},
	{strings.Repeat("a", 1025), "line 1: vocabulary: symbol 0 has 1025 bytes: want at most 1024"},
	{strings.Repeat("\n", MaxSymbols+1), "more than 1048576 symbols: want at most that"},
	{strings.Repeat(" ", 64<<20+1), "a vocabulary of more than 67108864 bytes: want at most that"},
}

func TestVocabOfErrors(t *testing.T) {
	for _, c := range badVocabFiles {
		_, err := VocabOf("dir/v.txt", []byte(c.content))
		wantError(t, err, "data: dir/v.txt: "+c.want)
	}
	_, err := OpenVocab(t.TempDir())
	if err == nil || !strings.HasSuffix(err.Error(), "a folder, want a file") {
		t.Errorf("%v", err)
	}
	_, err = OpenVocab(filepath.Join(t.TempDir(), "v"))
	if err == nil || !strings.HasSuffix(err.Error(), "no such file or directory") {
		t.Errorf("%v", err)
	}
}

func TestOpenVocab(t *testing.T) {
	path := filepath.Join(t.TempDir(), "v.txt")
	if err := os.WriteFile(path, []byte("a\nb\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	v, err := OpenVocab(path)
	if err != nil || v.Size() != 2 {
		t.Errorf("%v, %v", v, err)
	}
}

func TestNumberedVocab(t *testing.T) {
	v, err := NumberedVocab(12)
	if err != nil || v.Kind() != "word" || v.Size() != 12 {
		t.Fatalf("%v, %v", v, err)
	}
	if ids := must(v.Encode("11 0 3")); !slices.Equal(ids, []int32{11, 0, 3}) {
		t.Errorf("ids %v", ids)
	}
	for _, n := range []int{0, -1, MaxSymbols + 1} {
		if _, err := NumberedVocab(n); err == nil {
			t.Errorf("%d symbols: no error", n)
		}
	}
}

// Whatever a file holds, there is an error of one line, or a vocabulary that can be
// written and read again, for no more memory than promised.
func FuzzVocabOf(f *testing.F) {
	for _, c := range badVocabFiles {
		if len(c.content) < 2000 {
			f.Add([]byte(c.content))
		}
	}
	f.Add([]byte(`{"the": 1, "of": 2}`))
	f.Add([]byte("\n[UNK]\nthe\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		v, err := VocabOf("v", content)
		if err != nil {
			checkFuzzError(t, err)
			return
		}
		again, err := ParseVocab(must(v.MarshalJSON()))
		if err != nil || again.Size() != v.Size() || again.Kind() != v.Kind() || again.Policy() != v.Policy() {
			t.Fatalf("again %v, %v", again, err)
		}
		for id := range int32(v.Size()) {
			if s := v.Symbol(id); s != again.Symbol(id) || v.Kind() != "tokenizer" && !utf8.ValidString(s) {
				t.Errorf("symbol %d: %q, again %q", id, s, again.Symbol(id))
			}
		}
	})
}

// The most costly files are those of the shortest symbols.
func TestVocabOfMemory(t *testing.T) {
	var lines, list, object strings.Builder
	list.WriteByte('[')
	object.WriteByte('{')
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	n := 0
	for _, a := range letters {
		for _, b := range letters {
			if n > 0 {
				list.WriteByte(',')
				object.WriteByte(',')
			}
			fmt.Fprintf(&lines, "%c%c\n", a, b)
			fmt.Fprintf(&list, `"%c%c"`, a, b)
			fmt.Fprintf(&object, `"%c%c":%d`, a, b, n)
			n++
		}
	}
	for _, content := range []string{
		lines.String(), list.String() + "]", object.String() + "}",
		strings.Repeat("\n", 1<<20), "[" + strings.Repeat(`"",`, 1<<18) + `""]`, strings.Repeat("[", 1<<20), strings.Repeat(`{"":`, 1<<18),
	} {
		got := allocated(func() { VocabOf("v", []byte(content)) })
		if most := 100*len(content) + 1<<16; got > most {
			t.Errorf("%.10q…: %d bytes for %d: want at most %d", content, got, len(content), most)
		}
	}
}

// allocated is how many bytes f allocates in all.
func allocated(f func()) int {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int(after.TotalAlloc - before.TotalAlloc)
}
