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
