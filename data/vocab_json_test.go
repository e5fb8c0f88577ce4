package data

import (
	"encoding/json"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

var badVocabs = []struct{ json, want string }{
	{``, "data: vocabulary: want a JSON object with kind, unknown and symbols"},
	{`[]`, "data: vocabulary: want a JSON object with kind, unknown and symbols"},
	{`{"kind":"char"`, "data: vocabulary: JSON that ends too early"},
	{`{"kind":"char","unknown":"error","symbols":["a"`, "data: vocabulary: JSON that ends too early"},
	{`{"unknown":"error","symbols":["a"]}`, `data: vocabulary: field "kind" is missing`},
	{`{"kind":"char","symbols":["a"]}`, `data: vocabulary: field "unknown" is missing`},
	{`{"kind":"char","unknown":"error"}`, "data: vocabulary of 0 symbols: want 1 to 1048576"},
	{`{"kind":"char","unknown":"error","symbols":["a"]} x`, "data: vocabulary: more after the JSON object"},
	{`{"kind":"char","Unknown":"error"}`, `data: vocabulary: field "Unknown": want kind, unknown and symbols`},
	{`{"kind":"char","kind":"word"}`, `data: vocabulary: field "kind" twice`},
	{`{"kind":3}`, `data: vocabulary: field "kind" is a number: want a string`},
	{`{"kind":"char","symbols":["a",[]]}`, `data: vocabulary: symbol 1 is a list: want a string`},
	{`{"kind":"char","symbols":"abc"}`, `data: vocabulary: field "symbols" is a string: want a list of strings`},
	{`{"kind":"char","symbols":["a" "b"]}`, `data: vocabulary: invalid character '"' after array element`},
	{`{"kind":"rune","unknown":"error","symbols":["a"]}`, `data: vocabulary of kind "rune": want char, byte or word`},
	{`{"kind":"char","unknown":"","symbols":["a"]}`, `data: policy "" for unknown symbols: want error, skip or unk`},
	{`{"kind":"char","unknown":"error","symbols":["a","b","a"]}`, `data: vocabulary: symbol 2, "a", is also symbol 0`},
	{`{"kind":"char","unknown":"error","symbols":["a",""]}`, "data: vocabulary: symbol 1 is empty"},
	{`{"kind":"char","unknown":"error","symbols":["a",null]}`, "data: vocabulary: symbol 1 is null: want a string"},
	{`{"kind":"char","unknown":"error","symbols":["a","bc"]}`, `data: vocabulary: symbol 1, "bc": want one character`},
	{`{"kind":"word","unknown":"error","symbols":["a","b c"]}`, `data: vocabulary: symbol 1, "b c": want a word without white space`},
	{`{"kind":"char","unknown":"unk","symbols":["a"]}`, "data: vocabulary without <unk>: the policy unk wants it"},
	{`{"kind":"char","unknown":"unk","symbols":["<unk>"]}`, "data: vocabulary of 1 symbols: want 2 to 1048576"},
	{`{"kind":"char","unknown":"unk","symbols":["<unk>","<unk>"]}`, `data: vocabulary: symbol 1, "<unk>", is also symbol 0`},
	{`{"kind":"byte","unknown":"error","symbols":["a"]}`, "data: a byte vocabulary with a list of 1 symbols: want none"},
	{"{\"kind\":\"char\",\"unknown\":\"error\",\"symbols\":[\"\xff\"]}", "data: vocabulary: JSON that is not UTF-8"},
	{`{"kind":"word","unknown":"error","symbols":["` + strings.Repeat("a", 1025) + `"]}`, "data: vocabulary: symbol 0 has 1025 bytes: want at most 1024"},
	{`{"kind":"word","unknown":"error","symbols":[` + strings.Repeat(`"a",`, MaxSymbols) + `"a"]}`, "data: vocabulary of more than 1048576 symbols: want at most that"},
	{strings.Repeat(" ", 64<<20+1), "data: vocabulary of 67108865 bytes of JSON: want at most 67108864"},
	{`{"kind":` + strings.Repeat("[", 100000), `data: vocabulary: field "kind" is a list: want a string`},
}

func TestParseVocabErrors(t *testing.T) {
	for _, c := range badVocabs {
		_, err := ParseVocab([]byte(c.json))
		wantError(t, err, c.want)
	}
	const good = `{"kind":"word","unknown":"unk","symbols":["<unk>","\n","夜","a"]}`
	v, err := ParseVocab([]byte(good))
	if err != nil {
		t.Fatal(err)
	}
	if again := must(v.MarshalJSON()); string(again) != good {
		t.Errorf("written again: %s", again)
	}
	for i := range len(good) {
		if _, err := ParseVocab([]byte(good[:i])); err == nil {
			t.Errorf("cut after %d bytes: no error", i)
		}
	}
	var in struct{ Vocab *Vocab }
	if err := json.Unmarshal([]byte(`{"Vocab":`+good+`}`), &in); err != nil || in.Vocab.Size() != 4 {
		t.Errorf("inside another object: %v, %v", in.Vocab, err)
	}
}

func TestParseVocabMemory(t *testing.T) {
	list := func(n int, element func(i int) string) []byte {
		var b strings.Builder
		for i := range n {
			b.WriteString("," + element(i))
		}
		return []byte(`{"kind":"word","unknown":"error","symbols":[` + b.String()[1:] + `]}`)
	}
	for _, b := range [][]byte{
		list(MaxSymbols/4, func(i int) string { return `"` + string(rune(0x10000+i%0x3FFF)) + string(rune('a'+i/0x3FFF)) + `"` }),
		list(MaxSymbols, func(int) string { return `""` }),
		list(MaxSymbols, func(int) string { return `0` }),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		ParseVocab(b)
		runtime.ReadMemStats(&after)
		if times := float64(after.TotalAlloc-before.TotalAlloc) / float64(len(b)); times > 100 {
			t.Errorf("%.40s…: allocated %.1f times the file", b, times)
		} else {
			t.Logf("%.60s…: allocated %.1f times the file", b, times)
		}
	}
}

func FuzzParseVocab(f *testing.F) {
	for _, c := range badVocabs {
		if len(c.json) < 4096 {
			f.Add([]byte(c.json))
		}
	}
	f.Add([]byte(`{"kind":"word","unknown":"unk","symbols":["<unk>","\n","夜","a"]}`))
	f.Add([]byte(`{"kind":"byte","unknown":"error"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := ParseVocab(b)
		if err != nil {
			if s := err.Error(); !strings.HasPrefix(s, "data: ") || strings.ContainsAny(s, "\n\r") {
				t.Fatalf("error %q: want one line", s)
			}
			return
		}
		again, err := ParseVocab(must(json.Marshal(v)))
		if err != nil || !slices.Equal(v.symbols, again.symbols) {
			t.Fatalf("written and read again: %v, %v", again, err)
		}
		ids := make([]int32, v.Size())
		for i := range ids {
			ids[i] = int32(i)
		}
		if text := v.Decode(ids); v.Kind() == "char" && !utf8.ValidString(text) {
			t.Fatalf("decoded %q", text)
		}
	})
}
