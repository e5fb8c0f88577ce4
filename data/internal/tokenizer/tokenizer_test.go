package tokenizer

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// golden is what testdata/goldens.py wrote of one tokenizer.
type golden struct {
	Name  string
	Size  int
	Cases []struct {
		Text    string
		IDs     []int32
		Decoded string
	}
}

func goldens(t testing.TB) (all []golden) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "goldens.json"))
	if err == nil {
		err = json.Unmarshal(b, &all)
	}
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func load(t testing.TB, name string) *Tokenizer {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	k, err := Parse(b)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return k
}

func encode(t testing.TB, k *Tokenizer, text string) []int32 {
	t.Helper()
	ids, err := k.NewEncoder().Append(nil, text, false)
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

func decode(k *Tokenizer, ids []int32) string {
	var b []byte
	d := k.NewDecoder()
	for _, id := range ids {
		b = d.Append(b, id)
	}
	return string(b)
}

func TestGoldens(t *testing.T) {
	for _, g := range goldens(t) {
		k := load(t, g.Name)
		if k.Size() != g.Size {
			t.Errorf("%s: %d tokens, want %d", g.Name, k.Size(), g.Size)
		}
		for _, c := range g.Cases {
			if ids := encode(t, k, c.Text); !slices.Equal(ids, c.IDs) {
				t.Errorf("%s: %q: ids\n%v, want\n%v", g.Name, c.Text, ids, c.IDs)
			}
			if text := decode(k, c.IDs); text != c.Decoded {
				t.Errorf("%s: %v: text\n%q, want\n%q", g.Name, c.IDs, text, c.Decoded)
			}
		}
	}
}

// Where two merges are the same the leftmost comes first; an unknown character costs
// 10 more than the worst token. Both are what tokenizers 0.23.3 does.
func TestTies(t *testing.T) {
	for _, c := range []struct {
		model, text string
		want        []int32
	}{
		{`"type":"BPE","vocab":{"a":0,"aa":1,"aaa":2},"merges":["a a"]`, "aaa", []int32{1, 0}},
		{`"type":"BPE","vocab":{"a":0,"b":1,"ab":2,"ba":3},"merges":["b a","a b"]`, "abab", []int32{0, 3, 1}},
		{`"type":"Unigram","unk_id":0,"vocab":[["<unk>",0],["ab",-5],["cd",-5],["bcd",-1]]`, "abcd", []int32{1, 2}},
		{`"type":"Unigram","unk_id":0,"vocab":[["<unk>",0],["ab",-5],["cd",-12],["bcd",-1]]`, "abcd", []int32{1, 2}},
		{`"type":"Unigram","unk_id":0,"vocab":[["<unk>",0],["a",-1],["b",-1],["ab",-2]]`, "ab", []int32{3}},
	} {
		k, err := Parse([]byte(model1(c.model)))
		if err != nil {
			t.Fatal(err)
		}
		if ids := encode(t, k, c.text); !slices.Equal(ids, c.want) {
			t.Errorf("%s: %q: %v, want %v", c.model, c.text, ids, c.want)
		}
	}
}

// An added token of white space is not there where the one before has taken it and it
// would take what is before it too. The ids are those of tokenizers 0.23.3, which has
// none for the last text: it panics.
func TestAddedSpace(t *testing.T) {
	const newline, tab = `{"id":2,"content":"\n"`, `,{"id":3,"content":"\t"`
	for _, c := range []struct {
		added, text string
		want        []int32
	}{
		{newline + `,"lstrip":true,"rstrip":true,"normalized":true}`, "\n\n\na", []int32{2, 1}},
		{newline + `,"lstrip":true,"rstrip":true}`, "a \n \n a", []int32{1, 2, 1}},
		{newline + `,"rstrip":true}`, "\n\n\na", []int32{2, 2, 2, 1}},
		{newline + `,"lstrip":true}`, "a\n\n\n", []int32{1, 2, 2, 2}},
		{newline + `,"rstrip":true}` + tab + `,"lstrip":true,"rstrip":true}`, "\n\t \t  a", []int32{2, 1}},
		{newline + `,"rstrip":true}` + tab + `}`, "\n\t\t  aa", []int32{2, 3, 3, 0}},
		{newline + `,"rstrip":true}` + tab + `,"lstrip":true}`, "\n\t  a", []int32{2, 1}},
	} {
		k, err := Parse([]byte(`{"model":{"type":"WordLevel","unk_token":"u","vocab":{"u":0,"a":1}},"added_tokens":[` + c.added + `]}`))
		if err != nil {
			t.Fatal(err)
		}
		if ids := encode(t, k, c.text); !slices.Equal(ids, c.want) {
			t.Errorf("%s: %q: ids %v, want %v", c.added, c.text, ids, c.want)
		}
	}
}

// A text that is cut has the ids of the whole, and where it can be cut it is.
func TestCut(t *testing.T) {
	const (
		model  = `{"model":{"type":"BPE","unk_token":"u","vocab":{"u":0,"a":1,"_":2,"Ġ":3,"Ċ":4,"b":5,"ĠĠ":6,"ĊĊ":7,"__":8},"merges":["Ġ Ġ","Ċ Ċ","_ _"]},`
		bytes  = `"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":true}`
		meta   = `"pre_tokenizer":{"type":"Metaspace","replacement":"_"}`
		regex  = `"pre_tokenizer":{"type":"Split","pattern":{"Regex":`
		spaces = `"pre_tokenizer":{"type":"WhitespaceSplit"}`
		text   = "a b\nb  a\n\nb <s> a  <s>\na"
	)
	for _, c := range []struct {
		parts string
		cuts  int // places at which the text is cut
	}{
		{bytes, 8},
		{bytes + `,"added_tokens":[{"id":9,"content":"<s>"}]`, 5},
		{bytes + `,"added_tokens":[{"id":9,"content":"<s>","rstrip":true}]`, 0},
		{bytes + `,"added_tokens":[{"id":9,"content":"\n"}]`, 5},
		{meta + `,"added_tokens":[{"id":9,"content":"<s>","lstrip":true}]`, 5},
		{spaces + `,"normalizer":{"type":"Prepend","prepend":"_"}`, 8},
		{spaces + `,"normalizer":{"type":"Prepend","prepend":"_"},"added_tokens":[{"id":9,"content":"<s>"}]`, 0},
		{spaces + `,"normalizer":{"type":"Replace","pattern":{"String":"a "},"content":"_"}`, 0},
		{spaces + `,"normalizer":{"type":"Strip","strip_left":true,"strip_right":true}`, 0},
		{`"decoder":null`, 0},
		{regex + `" ?[ab_]+|\\s+(?!\\S)|\\s+"},"behavior":"Isolated","invert":false}`, 8},
		{regex + `" ?[ab_]+|\\s+(?!\\S)"},"behavior":"Isolated","invert":false}`, 0},
		{regex + `"[ab_]+"},"behavior":"Removed","invert":true}`, 8},
		{regex + `"[ab]\\s*|\\s+"},"behavior":"Isolated","invert":false}`, 0},
	} {
		k, err := Parse([]byte(model + c.parts + "}"))
		if err != nil {
			t.Fatal(err)
		}
		e := k.NewEncoder()
		want, last, cuts := encode(t, k, text), 0, 0
		for end := range len(text) + 1 {
			at := k.Cut([]byte(text[:end]))
			if at == last {
				continue
			}
			last = at
			cuts++
			ids, err := e.Append(nil, text[:at], false)
			if err == nil {
				ids, err = e.Append(ids, text[at:], true)
			}
			if err != nil || !slices.Equal(ids, want) {
				t.Errorf("%s: %q: %v, want %v, %v", c.parts, text[:at], ids, want, err)
			}
		}
		if cuts != c.cuts {
			t.Errorf("%s: cut at %d places, want %d", c.parts, cuts, c.cuts)
		}
	}
}
