package data

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// wantError fails unless err has exactly this text.
func wantError(t *testing.T, err error, want string) {
	t.Helper()
	switch {
	case err == nil && want != "":
		t.Errorf("no error, want %q", want)
	case err != nil && err.Error() != want:
		t.Errorf("error\n %s\nwant\n %s", err, want)
	}
}

func build(t *testing.T, text string, o VocabOptions) *Vocab {
	t.Helper()
	v, err := BuildVocab(text, o)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestBuildVocabOrder(t *testing.T) {
	tests := []struct {
		name, text string
		o          VocabOptions
		want       []string
	}{
		{"char", "bca\ncb夜c", VocabOptions{}, []string{"c", "b", "\n", "a", "夜"}},
		{"unk first", "aab", VocabOptions{Unknown: "unk"}, []string{Unknown, "a", "b"}},
		{"word", "to be\nor  not\tto be\n", VocabOptions{Kind: "word"}, []string{"\n", "be", "to", "not", "or"}},
		{"word min count", "a b a c b a", VocabOptions{Kind: "word", Unknown: "unk", MinCount: 2}, []string{Unknown, "a", "b"}},
		{"word max size", "a b a c b a", VocabOptions{Kind: "word", Unknown: "unk", MaxSize: 2}, []string{Unknown, "a"}},
		{"skip", "a b a c b a", VocabOptions{Kind: "word", Unknown: "skip", MaxSize: 2}, []string{"a", "b"}},
		{"the text's own <unk>", "<unk> a <unk>", VocabOptions{Kind: "word", Unknown: "unk"}, []string{Unknown, "a"}},
		{"<unk> as a word", "a <unk> <unk>", VocabOptions{Kind: "word"}, []string{Unknown, "a"}},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			v := build(t, c.text, c.o)
			if !slices.Equal(v.symbols, c.want) {
				t.Errorf("symbols %q, want %q", v.symbols, c.want)
			}
			for i, s := range c.want {
				if id, ok := v.ID(s); !ok || int(id) != i || v.Symbol(id) != s {
					t.Errorf("ID(%q) = %d, %v, want %d", s, id, ok, i)
				}
			}
		})
	}
}

func TestByteVocab(t *testing.T) {
	v := build(t, "", VocabOptions{Kind: "byte"})
	ids, err := v.Encode("é\xff")
	if err != nil || !slices.Equal(ids, []int32{0xC3, 0xA9, 0xFF}) || v.Size() != 256 {
		t.Errorf("ids %v, error %v, size %d", ids, err, v.Size())
	}
	if s := v.Decode(ids); s != "é\xff" {
		t.Errorf("decoded %q", s)
	}
}

func TestVocabOptionErrors(t *testing.T) {
	tests := []struct {
		o    VocabOptions
		want string
	}{
		{VocabOptions{}, ""},
		{VocabOptions{Kind: "rune"}, `data: vocabulary of kind "rune": want char, byte or word`},
		{VocabOptions{Unknown: "drop"}, `data: policy "drop" for unknown symbols: want error, skip or unk`},
		{VocabOptions{Kind: "byte", Unknown: "unk"}, `data: policy "unk" for unknown symbols: a byte vocabulary knows every byte, want error`},
		{VocabOptions{MinCount: -1}, `data: vocabulary of symbols that occur -1 times: want 0 or more`},
		{VocabOptions{MaxSize: -1}, `data: vocabulary of at most -1 symbols: want 0 to 1048576`},
		{VocabOptions{MaxSize: 1 << 21}, `data: vocabulary of at most 2097152 symbols: want 0 to 1048576`},
		{VocabOptions{MaxSize: 1, Unknown: "unk"}, `data: vocabulary of at most 1 symbol: want 2 or more beside <unk>`},
		{VocabOptions{MaxSize: 9}, `data: a vocabulary cut by count or size leaves symbols unknown: want the policy skip or unk, not "error"`},
		{VocabOptions{Kind: "byte", MinCount: 2}, `data: a byte vocabulary has all 256 bytes: want no smallest count and no largest size`},
	}
	for _, c := range tests {
		wantError(t, c.o.Validate(), c.want)
	}
}

func TestBuildVocabErrors(t *testing.T) {
	tests := []struct {
		text string
		o    VocabOptions
		want string
	}{
		{"", VocabOptions{}, "data: a text of 0 bytes gives no symbols to a char vocabulary: want at least 1"},
		{" \t", VocabOptions{Kind: "word"}, "data: a text of 2 bytes gives no symbols to a word vocabulary: want at least 1"},
		{"ab\nc\xe9", VocabOptions{}, "data: byte 0xE9 at line 2, column 2 is not UTF-8"},
		{"a\n  " + strings.Repeat("夜", 400), VocabOptions{Kind: "word"},
			`data: word "` + strings.Repeat("夜", 13) + `"… at line 2, column 3 has more than 1024 bytes: want at most that`},
	}
	for _, c := range tests {
		_, err := BuildVocab(c.text, c.o)
		wantError(t, err, c.want)
	}
}

func TestEncodeUnknown(t *testing.T) {
	tests := []struct {
		learned, text string
		o             VocabOptions
		want          string // decoded
		err           string
	}{
		{"abc\n", "ab\ncé", VocabOptions{}, "", `data: character "é" (U+00E9) at line 2, column 2 is not among the 4 of the vocabulary`},
		{"夜雨", "夜\n", VocabOptions{}, "", `data: character "\n" (U+000A) at line 1, column 2 is not among the 2 of the vocabulary`},
		{"abc", "xaxbx", VocabOptions{Unknown: "skip"}, "ab", ""},
		{"abc", "xab", VocabOptions{Unknown: "unk"}, "<unk>ab", ""},
		{"abc", "a\x80", VocabOptions{Unknown: "skip"}, "", "data: byte 0x80 at line 1, column 2 is not UTF-8"},
		{"a b\n", "a\n b  zoo", VocabOptions{Kind: "word"}, "", `data: word "zoo" at line 2, column 5 is not among the 3 of the vocabulary`},
		{"a b\n", " a  zoo b\n\n b", VocabOptions{Kind: "word", Unknown: "unk"}, "a <unk> b\n\nb", ""},
		{"a b\n", "a zoo b", VocabOptions{Kind: "word", Unknown: "skip"}, "a b", ""},
	}
	for _, c := range tests {
		v := build(t, c.learned, c.o)
		start := []int32{7}
		ids, err := v.EncodeAppend(start, c.text)
		wantError(t, err, c.err)
		if ids[0] != 7 || err != nil && len(ids) != 1 {
			t.Errorf("%q: ids %v, want those before untouched", c.text, ids)
		}
		if got := v.Decode(ids[1:]); err == nil && got != c.want {
			t.Errorf("%q decodes to %q, want %q", c.text, got, c.want)
		}
	}
}

// randomText is n characters from all of Unicode, white space among them.
func randomText(r *rand.Rand, n int) string {
	var b strings.Builder
	for range n {
		switch r.IntN(4) {
		case 0:
			b.WriteByte(" \n\t"[r.IntN(3)])
		case 1:
			b.WriteByte(byte('a' + r.IntN(26)))
		case 2:
			b.WriteRune(rune(0x4E00 + r.IntN(0x5000)))
		default: // WriteRune makes U+FFFD of surrogates
			b.WriteRune(rune(r.IntN(utf8.MaxRune + 1)))
		}
	}
	return b.String()
}

func TestRoundTrips(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		text := "x" + randomText(r, r.IntN(60))
		for _, kind := range []string{"char", "byte", "word"} {
			v := build(t, text, VocabOptions{Kind: kind})
			ids, err := v.Encode(text)
			if err != nil {
				t.Fatal(err)
			}
			want := text
			if kind == "word" {
				lines := strings.Split(text, "\n")
				for i, line := range lines {
					lines[i] = strings.Join(strings.Fields(line), " ")
				}
				want = strings.Join(lines, "\n")
			}
			if got := v.Decode(ids); got != want {
				t.Fatalf("%s: %q decodes to %q", kind, text, got)
			}
			cut := r.IntN(len(ids) + 1)
			if kind == "byte" {
				cut = 0
			}
			d := v.NewDecoder(ids[:cut])
			stream := []byte(v.Decode(ids[:cut]))
			for _, id := range ids[cut:] {
				stream = d.Append(stream, id)
			}
			if stream = d.Flush(stream); string(stream) != want {
				t.Fatalf("%s: %q streams as %q after %d", kind, text, stream, cut)
			}
			again, err := ParseVocab(must(json.Marshal(v)))
			if err != nil || !slices.Equal(again.symbols, v.symbols) || again.kind != kind {
				t.Fatalf("%s: JSON gives %v, %v", kind, again, err)
			}
		}
	}
}

func must[T any](x T, err error) T {
	if err != nil {
		panic(err)
	}
	return x
}

// What a byte model writes need not be UTF-8; what a reader sees must be, and
// each character must come as soon as its last byte does.
func TestDecoderBytes(t *testing.T) {
	v := build(t, "", VocabOptions{Kind: "byte"})
	d := v.NewDecoder(nil)
	var pieces []string
	for _, b := range []byte("a夜\xe5\x80z\xff") {
		pieces = append(pieces, string(d.Append(nil, int32(b))))
	}
	want := []string{"a", "", "", "夜", "", "", "\uFFFD\uFFFDz", "\uFFFD"}
	if !slices.Equal(pieces, want) {
		t.Errorf("pieces %q, want %q", pieces, want)
	}
	r := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		raw := []byte(randomText(r, 8))
		for range r.IntN(4) {
			raw[r.IntN(len(raw))] = byte(r.IntN(256))
		}
		raw = raw[:r.IntN(len(raw)+1)]
		d, out := v.NewDecoder(nil), []byte(nil)
		for _, b := range raw {
			if out = d.Append(out, int32(b)); !utf8.Valid(out) {
				t.Fatalf("%q streams as %q", raw, out)
			}
		}
		if out = d.Flush(out); string(out) != string([]rune(string(raw))) {
			t.Fatalf("%q streams as %q", raw, out)
		}
	}
}

func TestSymbolPanics(t *testing.T) {
	defer func() {
		if got, want := recover(), "data: symbol 3 of a vocabulary of 3"; got != want {
			t.Errorf("panic %v, want %v", got, want)
		}
	}()
	build(t, "abc", VocabOptions{}).AppendSymbol(nil, 3)
}
