package data

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

const tokenizers = "internal/tokenizer/testdata"

func openTokenizer(t testing.TB, name string) *Vocab {
	t.Helper()
	v, err := OpenVocab(filepath.Join(tokenizers, name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	if v.Kind() != "tokenizer" {
		t.Fatalf("kind %q", v.Kind())
	}
	return v
}

// tokenizerNames are those that testdata/goldens.py trained.
var tokenizerNames = []string{"gpt2", "roberta", "starcoder", "bert", "cased", "unigram", "first", "llama", "clip", "words"}

// inPieces is a text that is read a few bytes at a time.
type inPieces struct {
	text string
	r    *rand.Rand
}

func (p inPieces) Open() (io.ReadCloser, error) {
	return io.NopCloser(&fewBytes{strings.NewReader(p.text), p.r}), nil
}

type fewBytes struct {
	io.Reader
	r *rand.Rand
}

func (f *fewBytes) Read(b []byte) (int, error) { return f.Reader.Read(b[:min(len(b), 1+f.r.IntN(40))]) }

// A text in pieces has the ids of the whole, wherever it is cut.
func TestTokenizerPieces(t *testing.T) {
	learned, err := os.ReadFile(filepath.Join(tokenizers, "text.txt"))
	if err != nil {
		t.Fatal(err)
	}
	words, special := strings.SplitAfter(string(learned), " "), []string{"<s>", "<mask>", " <mask> ", "<r>", "  \n\n ", "lock", "[MASK]", "夜", "\u0301", "'s", "12", "\u0000", "▁", "\n", " ", "\n\n"}
	for _, name := range tokenizerNames {
		v, r := openTokenizer(t, name), rand.New(rand.NewPCG(5, 6))
		for range 60 {
			var b strings.Builder
			for range r.IntN(60) {
				if r.IntN(2) == 0 {
					b.WriteString(words[r.IntN(len(words))])
				} else {
					b.WriteString(special[r.IntN(len(special))])
				}
			}
			want := must(v.Encode(b.String()))
			symbols, err := v.ReadSymbols(context.Background(), inPieces{b.String(), r})
			if err != nil {
				t.Fatal(err)
			}
			got := make([]int32, symbols.Len())
			if err := symbols.ReadAt(got, 0); err != nil || !slices.Equal(got, want) {
				t.Fatalf("%s: %q: ids\n%v, want\n%v", name, b.String(), got, want)
			}
		}
	}
}

// Most tokenizers let a long text be cut, the others may have some of it.
func TestTokenizerWhole(t *testing.T) {
	for name, bytes := range map[string]int{"llama": maxWhole + 1<<20, "gpt2": 4 * pieceBytes} {
		text, e := String(strings.Repeat("the lock \n", bytes/10)), encoder{v: openTokenizer(t, name)}
		var err error
		most := 0
		if bad := pieces(context.Background(), text, func(piece []byte) error {
			_, err = e.piece(nil, piece)
			most = max(most, len(e.text))
			return err
		}); err == nil {
			err = bad
		}
		if name == "gpt2" {
			if err != nil || most > pieceBytes {
				t.Errorf("%v, %d bytes waited", err, most)
			}
			continue
		}
		wantError(t, err, fmt.Sprintf("data: %d bytes of a text up to line %d, in which the tokenizer finds no place to cut it: want at most %d", 65*pieceBytes, 64*pieceBytes/10+1, maxWhole))
	}
}

// What is decoded as it comes is what is decoded as a whole, in whole characters.
func TestTokenizerDecoder(t *testing.T) {
	const text = "The lock 夜👩‍👩‍👧 naïve <s> gates!\n"
	for _, name := range tokenizerNames {
		v := openTokenizer(t, name)
		ids := must(v.Encode(text))
		want := v.Decode(ids)
		for cut := range ids {
			d := v.NewDecoder(ids[:cut])
			var stream []byte
			for _, id := range ids[cut:] {
				if stream = d.Append(stream, id); !utf8.Valid(stream) {
					t.Fatalf("%s: %q", name, stream)
				}
			}
			stream = d.Flush(stream)
			if !strings.HasSuffix(want, string(stream)) || cut == 0 && string(stream) != want {
				t.Errorf("%s: after %d: %q, want the end of %q", name, cut, stream, want)
			}
		}
		if name == "gpt2" && want != text {
			t.Errorf("%q", want)
		}
	}
}

// Of bytes that are not wholly UTF-8, valid characters are kept: tokenizers 0.23.3 makes
// four U+FFFD of these.
func TestTokenizerBytes(t *testing.T) {
	v := openTokenizer(t, "llama")
	var ids []int32
	for _, token := range []string{"<0x61>", "<0xC3>", "<0xA9>", "<0xE5>"} {
		id, ok := v.ID(token)
		if !ok {
			t.Fatal(token)
		}
		ids = append(ids, id)
	}
	if got := v.Decode(ids); got != "aé\xe5" {
		t.Errorf("%q", got)
	}
}

// A model file has all of a tokenizer: what is read again is the same, byte for byte.
func TestTokenizerJSON(t *testing.T) {
	for _, name := range tokenizerNames {
		v := openTokenizer(t, name)
		b := must(json.Marshal(v))
		again, err := ParseVocab(b)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !bytes.Equal(must(json.Marshal(again)), b) || !bytes.Equal(must(again.MarshalJSON()), must(v.MarshalJSON())) || again.Policy() != v.Policy() || !slices.Equal(again.symbols, v.symbols) {
			t.Errorf("%s: another vocabulary", name)
		}
		const text = "The lock <s> & > 夜"
		if ids := must(again.Encode(text)); !slices.Equal(ids, must(v.Encode(text))) {
			t.Errorf("%s: ids %v", name, ids)
		}
		if id, ok := v.ID(v.Symbol(5)); !ok || id != 5 {
			t.Errorf("%s: symbol 5 has id %d", name, id)
		}
		if id, ok := v.UnknownID(); ok != (v.Policy() == "unk") || ok && !strings.Contains(strings.ToLower(v.Symbol(id)), "unk") {
			t.Errorf("%s: unknown %d, %v, policy %s", name, id, ok, v.Policy())
		}
	}
	small := `{"model":{"type":"WordLevel","unk_token":"u","vocab":{"u":0}}}`
	for _, c := range []struct{ json, want string }{
		{`{"kind":"tokenizer","unknown":"error"}`, "data: a tokenizer is no list of symbols, and none is built of a text: want its tokenizer.json"},
		{`{"kind":"tokenizer","unknown":"error","symbols":["a"]}`, "data: a tokenizer is no list of symbols, and none is built of a text: want its tokenizer.json"},
		{`{"kind":"word","unknown":"error","symbols":["a"],"tokenizer":{}}`, `data: vocabulary: field "tokenizer" beside kind "word": want kind tokenizer`},
		{`{"kind":"tokenizer","unknown":"unk","tokenizer":{}}`, "data: tokenizer: no model: want one of BPE, WordPiece, Unigram and WordLevel"},
		{`{"kind":"tokenizer","unknown":"error","tokenizer":` + small + `}`, `data: policy "error" for unknown symbols: the tokenizer's is unk`},
		{`{"kind":"tokenizer","unknown":"unk","tokenizer":[1`, "data: vocabulary: JSON that ends too early"},
	} {
		_, err := ParseVocab([]byte(c.json))
		wantError(t, err, c.want)
	}
	_, err := TokenizerVocab([]byte("{\"model\":\n{\"type\":\"\xff\"}}"))
	wantError(t, err, "data: tokenizer: line 2: byte 0xFF is not UTF-8")
	_, err = BuildVocab("a", VocabOptions{Kind: "tokenizer"})
	wantError(t, err, errTokens.Error())
	wantError(t, VocabOptions{Kind: "tokenizer", Unknown: "unk"}.Validate(), `data: policy "unk" for unknown symbols: a tokenizer has its own, want error`)
	v := must(VocabOf("v", []byte(small)))
	_, err = v.Encode("a\xff")
	wantError(t, err, "data: byte 0xFF at line 1, column 2 is not UTF-8")
	if _, err := (Fractions{Lines: 2}).Split(context.Background(), v, NewSymbols([]int32{0, 0}), 1, 1); err == nil {
		t.Error("lines of a tokenizer: no error")
	}
}

// What the file of a model would have no room for is refused before anything is
// learnt.
func TestTokenizerHeld(t *testing.T) {
	of := func(filler int) []byte {
		return []byte(`{"truncation": "` + strings.Repeat("x", filler) + `", "model": {"type": "WordLevel", "unk_token": "a", "vocab": {"a": 0, "\\\"": 1, "<": 2}}}`)
	}
	held := len(must(json.Marshal(string(must(TokenizerVocab(of(0))).source)))) - len(`""`)
	if _, err := TokenizerVocab(of(maxHeld - held)); err != nil {
		t.Error(err)
	}
	content := of(maxHeld - held + 1)
	_, err := TokenizerVocab(content)
	wantError(t, err, fmt.Sprintf("data: tokenizer of %d bytes of JSON, which takes 25165825 in the file of a model: want at most 25165824 there", len(content)))
}
