package tokenizer

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// small is a tokenizer.json with parts of a model and others.
func small(parts string) string {
	return `{"model":{"type":"WordLevel","unk_token":"u","vocab":{"u":0,"a":1}},` + parts + `}`
}

func model1(m string) string { return `{"model":{` + m + `}}` }

func pre(p string) string { return small(`"pre_tokenizer":{` + p + `}`) }

func normal(p string) string { return small(`"normalizer":{` + p + `}`) }

func dec(p string) string { return small(`"decoder":{` + p + `}`) }

func tokens(t string) string { return small(`"added_tokens":[` + t + `]`) }

var bad = []struct{ file, want string }{
	{``, "not a tokenizer.json: unexpected end of JSON input"},
	{`[]`, "not a tokenizer.json: cannot unmarshal array into Go value of type tokenizer.file"},
	{`{}`, "no model: want one of BPE, WordPiece, Unigram and WordLevel"},
	{small(`"version":"2.0"`), `version "2.0": want 1.0`},
	{model1(`"vocab":{}`), "model: no type"},
	{model1(`"type":"Kiwi"`), `model: type "Kiwi": not known, want one of BPE, WordPiece, Unigram, WordLevel`},
	{model1(`"type":"WordLevel","vocab":{"a":0},"unk_token":"b"`), `model: WordLevel: unk_token "b": not in the vocabulary, want it there`},
	{model1(`"type":"WordLevel","vocab":{"a":1},"unk_token":"a"`), `model: WordLevel: "a" has id 1 of 1 tokens: want ids from 0 on, and none left out`},
	{model1(`"type":"WordLevel","vocab":{"a":0,"b":0},"unk_token":"a"`), `model: WordLevel: "a" and "b" have id 0: want each once`},
	{model1(`"type":"WordLevel","vocab":{"a":-1},"unk_token":"a"`), `model: WordLevel: "a" has id -1 of 1 tokens: want ids from 0 on, and none left out`},
	{model1(`"type":"WordLevel","vocab":{"a":3000000000},"unk_token":"a"`), "model: WordLevel: not a tokenizer.json: cannot unmarshal number 3000000000 into Go struct field .vocab of type int32"},
	{model1(`"type":"WordLevel","vocab":{"` + strings.Repeat("a", 1025) + `":0},"unk_token":"a"`), `model: WordLevel: "` + strings.Repeat("a", 40) + `"… has 1025 bytes: want at most 1024`},
	{model1(`"type":"WordLevel","vocabulary":{}`), `model: WordLevel: not a tokenizer.json: unknown field "vocabulary"`},
	{model1(`"type":"BPE","vocab":{"a":0}`), "model: BPE: no merges"},
	{model1(`"type":"BPE","vocab":{"a":0},"merges":{}`), "model: BPE: merges: want a list"},
	{model1(`"type":"BPE","vocab":{"a":0},"merges":["a"]`), "model: BPE: merge 0: want two tokens"},
	{model1(`"type":"BPE","vocab":{"a":0},"merges":["a a a"]`), "model: BPE: merge 0: want two tokens"},
	{model1(`"type":"BPE","vocab":{"a":0},"merges":[["a"]]`), "model: BPE: merge 0: want two tokens"},
	{model1(`"type":"BPE","vocab":{"a":0},"merges":[["a",1]]`), `model: BPE: merge 0: want two tokens`},
	{model1(`"type":"BPE","vocab":{"a":0},"merges":[["a","a","a"]]`), "model: BPE: merge 0: want two tokens"},
	{model1(`"type":"BPE","vocab":{"a":0},"merges":[7]`), "model: BPE: merge 0: want two tokens"},
	{model1(`"type":"BPE","vocab":{"a":0},"merges":["a a"]`), `model: BPE: merge 0: "aa" is not in the vocabulary`},
	{model1(`"type":"BPE","vocab":{"a":0,"aa":1},"merges":["a a"],"continuing_subword_prefix":"@"`), `model: BPE: merge 0: "a": want it to begin with "@"`},
	{model1(`"type":"BPE","vocab":{"a":0},"merges":[],"dropout":0.1`), "model: BPE: dropout 0.1: leaves merges out at random, want none"},
	{model1(`"type":"BPE","vocab":{"a":0},"merges":[],"unk_token":"b"`), `model: BPE: unk_token "b": not in the vocabulary, want it there`},
	{model1(`"type":"BPE","vocab":{},"merges":[]`), "added_tokens: no tokens: want at least one"},
	{model1(`"type":"BPE","vocab":{"a":0},"merges":[],"end_of_word_suffix":"` + strings.Repeat("a", 65) + `"`), `model: BPE: "` + strings.Repeat("a", 40) + `"… has 65 bytes: want at most 64`},
	{model1(`"type":"Unigram","vocab":{}`), "model: Unigram: vocab: want a list"},
	{model1(`"type":"Unigram"`), "model: Unigram: vocab: want a list"},
	{model1(`"type":"Unigram","vocab":[]`), "model: Unigram: no tokens: want at least one"},
	{model1(`"type":"Unigram","vocab":[["a"]]`), "model: Unigram: token 0: want a token and its score"},
	{model1(`"type":"Unigram","vocab":[["a",-1],["a",-2]]`), `model: Unigram: token 1, "a", is also token 0`},
	{model1(`"type":"Unigram","vocab":[["a",-1]],"unk_id":1`), "model: Unigram: unk_id 1 of 1 tokens: want one of them"},
	{model1(`"type":"Unigram","vocab":[["a",1e999]]`), "model: Unigram: token 0: want a token and its score"},
	{normal(`"type":"Precompiled","precompiled_charsmap":"AAAA"`), `normalizer: "Precompiled": type "Precompiled": not known, want one of NFC, NFD, NFKC, NFKD, Lowercase, StripAccents, Strip, Prepend, Replace, BertNormalizer`},
	{normal(`"type":"NFC","of":1`), `normalizer: "NFC": not a tokenizer.json: unknown field "of"`},
	{normal(`"type":"Replace","pattern":{"Regex":"(?=a)"},"content":" "`), `normalizer: "Replace": pattern of Regex "(?=a)": "(?=a" at byte 0: not known here`},
	{normal(`"type":"Replace","pattern":{"String":""},"content":" "`), `normalizer: "Replace": pattern: want a String of 1 to 64 bytes, or a Regex`},
	{normal(`"type":"Replace","pattern":{"String":"a"},"content":"` + strings.Repeat("b", 65) + `"`), `normalizer: "Replace": "` + strings.Repeat("b", 40) + `"… has 65 bytes: want at most 64`},
	{normal(`"type":"Sequence","normalizers":7`), "normalizer: a Sequence: want type and a list normalizers"},
	{normal(`"type":"Sequence","normalizers":[` + strings.Repeat(`{"type":"NFC"},`, 65) + `{"type":"NFC"}]`), "normalizer: more than 64 steps: want at most that"},
	{normal(strings.Repeat(`"type":"Sequence","normalizers":[{`, 100) + `"type":"NFC"` + strings.Repeat("}]", 100)), "normalizer: more than 64 steps: want at most that"},
	{normal(strings.Repeat(`"type":"Sequence","normalizers":[{`, 1e5) + `"type":"NFC"` + strings.Repeat("}]", 1e5)), "not a tokenizer.json: invalid character '[' exceeded max depth"},
	{pre(`"type":"Split","pattern":{"Regex":"\\s*"},"behavior":"Isolated","invert":false`), `pre_tokenizer: "Split": pattern of Regex "\\s*": it matches nothing at all: want at least a character`},
	{pre(`"type":"Split","pattern":{"Regex":"(a|b?)+"},"behavior":"Isolated","invert":false`), `pre_tokenizer: "Split": pattern of Regex "(a|b?)+": it matches nothing at all: want at least a character`},
	{pre(`"type":"Split","pattern":{"Regex":"c(b?)+"},"behavior":"Isolated","invert":false`), `pre_tokenizer: "Split": pattern of Regex "c(b?)+": it repeats what may be nothing: not known here`},
	{pre(`"type":"Split","pattern":{"Regex":"a++"},"behavior":"Isolated","invert":false`), `pre_tokenizer: "Split": pattern of Regex "a++": "++" at byte 1: not known here`},
	{pre(`"type":"Split","pattern":{"Regex":"[a[b]]"},"behavior":"Isolated","invert":false`), `pre_tokenizer: "Split": pattern of Regex "[a[b]]": "[b" at byte 2: not known here`},
	{pre(`"type":"Split","pattern":{"Regex":"\\p{L}{1,9}{2}"},"behavior":"Isolated","invert":false`), `pre_tokenizer: "Split": pattern of Regex "\\p{L}{1,9}{2}": "{2}" at byte 10: not known here`},
	{pre(`"type":"Split","pattern":{"Regex":"(?i:MASS)"},"behavior":"Isolated","invert":false`), `pre_tokenizer: "Split": pattern of Regex "(?i:MASS)": "(?i:MASS)" at byte 0: not known here`},
	{pre(`"type":"Split","pattern":{"Regex":"a)"},"behavior":"Isolated","invert":false`), "pre_tokenizer: \"Split\": pattern of Regex \"a)\": error parsing regexp: unexpected ): `a)`"},
	{pre(`"type":"Split","pattern":{"String":"a"},"behavior":"Melted","invert":false`), `pre_tokenizer: "Split": behavior "Melted": want Removed, Isolated, Contiguous, MergedWithPrevious or MergedWithNext`},
	{pre(`"type":"UnicodeScripts"`), `pre_tokenizer: "UnicodeScripts": type "UnicodeScripts": not known, want one of ByteLevel, Whitespace, WhitespaceSplit, BertPreTokenizer, Metaspace, Punctuation, Digits, CharDelimiterSplit, Split`},
	{pre(`"type":"CharDelimiterSplit","delimiter":"ab"`), `pre_tokenizer: "CharDelimiterSplit": delimiter "ab": want one character`},
	{pre(`"type":"Metaspace","replacement":"__"`), `pre_tokenizer: "Metaspace": replacement "__": want one character`},
	{pre(`"type":"Metaspace","replacement":"_","prepend_scheme":"last"`), `pre_tokenizer: "Metaspace": prepend_scheme "last": want always, first or never`},
	{pre(`"type":"Metaspace","replacement":"_","add_prefix_space":false`), `pre_tokenizer: "Metaspace": add_prefix_space false: want prepend_scheme never beside it`},
	{pre(`"type":"Sequence","pretokenizers":[{"type":"WhitespaceSplit"},{"type":"Metaspace","replacement":"_","prepend_scheme":"first"}]`), "pre_tokenizer: prepend_scheme first behind another step: not known"},
	{small(`"normalizer":{"type":"Strip","strip_left":true,"strip_right":true},"pre_tokenizer":{"type":"Metaspace","replacement":"_","prepend_scheme":"first"}`), "pre_tokenizer: prepend_scheme first beside a normalizer that takes characters away: not known"},
	{dec(`"type":"CTC","pad_token":"p","word_delimiter_token":"|","cleanup":true`), `decoder: "CTC": type "CTC": not known, want one of ByteLevel, ByteFallback, Fuse, Metaspace, Replace, WordPiece, BPEDecoder, Strip`},
	{dec(`"type":"BPEDecoder","suffix":""`), `decoder: "BPEDecoder": no suffix: want one`},
	{dec(`"type":"Strip","content":"","start":1,"stop":0`), `decoder: "Strip": want a content of one character, start and stop of 0 or more`},
	{dec(`"type":"Sequence","decoders":[{"type":"Fuse"},{"type":"ByteFallback"}]`), `decoder: "ByteFallback": not known after Fuse or ByteLevel: want Strip from the start there, and nothing else`},
	{dec(`"type":"Sequence","decoders":[{"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":1}]`), `decoder: "Strip": not known after Fuse or ByteLevel: want Strip from the start there, and nothing else`},
	{tokens(`{"id":3,"content":"x"}`), `added_tokens: "x" has id 3: want 2, ids one after another behind those of the model`},
	{tokens(`{"id":2,"content":"a"}`), `added_tokens: "a" has id 2, and in the model 1: want the same`},
	{tokens(`{"id":2,"content":"x"},{"id":2,"content":"x"}`), `added_tokens: "x" twice`},
	{tokens(`{"id":2,"content":""}`), `added_tokens: "" of 0 bytes: want 1 to 1024`},
	{small(`"normalizer":{"type":"Lowercase"},"added_tokens":[{"id":2,"content":"X","normalized":true},{"id":3,"content":"x","normalized":true}]`), `added_tokens: "x" is what the normalizer makes of two tokens: want them to differ`},
	{small(`"normalizer":{"type":"StripAccents"},"added_tokens":[{"id":2,"content":"\u0301","normalized":true}]`), "added_tokens: \"\u0301\": the normalizer leaves nothing of it"},
}

func TestParseErrors(t *testing.T) {
	for _, c := range bad {
		_, err := Parse([]byte(c.file))
		if err == nil || err.Error() != c.want {
			t.Errorf("%.80s:\n%v, want\n%s", c.file, err, c.want)
		}
	}
}

// A normalizer that makes a text longer and longer is stopped.
func TestGrowth(t *testing.T) {
	k, err := Parse([]byte(normal(`"type":"Sequence","normalizers":[` + strings.Repeat(`{"type":"Replace","pattern":{"String":"a"},"content":"`+strings.Repeat("a", 60)+`"},`, 9) + `{"type":"NFC"}]`)))
	if err != nil {
		t.Fatal(err)
	}
	_, err = k.NewEncoder().Append(nil, "banana", false)
	if want := "the normalizer makes more than 1120 bytes of a text: want at most 16 times as many"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	k, err = Parse([]byte(model1(`"type":"Unigram","vocab":[["a",-1]]`)))
	if err != nil {
		t.Fatal(err)
	}
	_, err = k.NewEncoder().Append(nil, "ab", false)
	if want := `no token for the character "b", and none for what is unknown`; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
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

// The most costly files are those of many short parts.
func TestParseMemory(t *testing.T) {
	list := func(n int, item func(i int) string) string {
		items := make([]string, n)
		for i := range items {
			items[i] = item(i)
		}
		return strings.Join(items, ",")
	}
	const n = 20_000
	name := func(i int) string { return string(rune(0x4E00 + i)) }
	vocab := list(n, func(i int) string { return fmt.Sprintf(`"%s":%d`, name(i), i) })
	for what, file := range map[string]string{
		"ids":         model1(`"type":"WordLevel","unk_token":"一","vocab":{` + vocab + `}`),
		"merges":      model1(`"type":"BPE","merges":[` + list(n, func(i int) string { return `"a a"` }) + `],"vocab":{"a":0,"aa":1}`),
		"pairs":       model1(`"type":"BPE","merges":[` + list(n, func(i int) string { return fmt.Sprintf(`["a","%s"]`, name(i)) }) + `],"vocab":{` + vocab + `}`),
		"scores":      model1(`"type":"Unigram","vocab":[` + list(n, func(i int) string { return fmt.Sprintf(`["%s",0]`, name(i)) }) + `]`),
		"added":       tokens(list(n, func(i int) string { return fmt.Sprintf(`{"id":%d,"content":"%s"}`, i+2, name(i)) })),
		"normalizers": normal(`"type":"Sequence","normalizers":[` + list(n, func(int) string { return `{}` }) + `]`),
		"depth":       strings.Repeat("[", n),
	} {
		if got := allocated(func() { Parse([]byte(file)) }); got > 100*len(file) {
			t.Errorf("%s: %d bytes for %d", what, got, len(file))
		} else {
			t.Logf("%s: %d times", what, got/len(file))
		}
	}
}

// Whatever a file holds, there is an error of one line, or a tokenizer that makes
// tokens of a text, the same of one that is cut, and a text of tokens.
func FuzzParse(f *testing.F) {
	for _, c := range bad {
		if len(c.file) < 2000 {
			f.Add([]byte(c.file), "a ab\nu")
		}
	}
	for _, parts := range []string{
		`"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":true,"use_regex":true},"decoder":{"type":"ByteLevel"}`,
		`"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Digits","individual_digits":true},{"type":"Punctuation","behavior":"Contiguous"},{"type":"Whitespace"}]}`,
		`"pre_tokenizer":{"type":"Metaspace","replacement":"_"},"decoder":{"type":"Metaspace","replacement":"_"}`,
		`"normalizer":{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,"strip_accents":null,"lowercase":true},"pre_tokenizer":{"type":"BertPreTokenizer"},"decoder":{"type":"WordPiece","prefix":"##","cleanup":true}`,
		`"normalizer":{"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"_"},{"type":"Replace","pattern":{"String":" "},"content":"_"}]},"decoder":{"type":"Sequence","decoders":[{"type":"ByteFallback"},{"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":0}]}`,
		`"added_tokens":[{"id":2,"content":"<s>","lstrip":true}],"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":true}`,
		`"added_tokens":[{"id":2,"content":"<s>"}],"normalizer":{"type":"Prepend","prepend":"_"},"pre_tokenizer":{"type":"WhitespaceSplit"}`,
		`"added_tokens":[{"id":2,"content":"<s>","lstrip":true,"special":true},{"id":3,"content":"Ab","single_word":true,"normalized":true}],"normalizer":{"type":"Lowercase"},"pre_tokenizer":{"type":"WhitespaceSplit"}`,
	} {
		for _, m := range []string{
			`"type":"WordLevel","unk_token":"u","vocab":{"u":0,"a":1}`,
			`"type":"WordPiece","unk_token":"u","continuing_subword_prefix":"##","max_input_chars_per_word":9,"vocab":{"u":0,"##a":1}`,
			`"type":"BPE","unk_token":"u","fuse_unk":true,"byte_fallback":true,"vocab":{"u":0,"uu":1},"merges":["u u"]`,
			`"type":"Unigram","unk_id":0,"vocab":[["u",-1],["a",-2.5]]`,
		} {
			f.Add([]byte(`{"model":{`+m+`},`+parts+`}`), "a 夜u12 <s> abAb'll\n\nu <0x41>")
		}
	}
	f.Fuzz(func(t *testing.T, file []byte, text string) {
		k, err := Parse(file)
		if err != nil {
			checkError(t, err)
			return
		}
		if len(text) > 1<<10 || !utf8.ValidString(text) || !utf8.Valid(file) {
			return
		}
		e := k.NewEncoder()
		ids, err := e.Append(nil, text, false)
		if err != nil {
			checkError(t, err)
			return
		}
		d, out := k.NewDecoder(), []byte(nil)
		for _, id := range ids {
			if id < 0 || int(id) >= k.Size() {
				t.Fatalf("id %d of %d", id, k.Size())
			}
			out = d.Append(out, id)
		}
		for end := range min(len(text), 80) + 1 {
			at := k.Cut([]byte(text[:end]))
			if at == 0 {
				continue
			}
			parts, err := e.Append(nil, text[:at], false)
			if err == nil {
				parts, err = e.Append(parts, text[at:], true)
			}
			if err == nil && !slices.Equal(parts, ids) {
				t.Errorf("%s: %q, cut at %d: %v, want %v", file, text, at, parts, ids)
			}
		}
	})
}

func checkError(t *testing.T, err error) {
	t.Helper()
	if s := err.Error(); s == "" || strings.ContainsAny(s, "\r\n") || len(s) > 1000 {
		t.Errorf("error %q", s)
	}
}
