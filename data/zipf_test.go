package data

import (
	"math"
	"slices"
	"testing"
)

// Frequencies are those promised, and so are repetitions.
func TestZipfFrequencies(t *testing.T) {
	for _, exponent := range []float64{0, 0.5, 1, 1.5} {
		const n, v = 400_000, 50
		z := Zipf{Symbols: v, Exponent: exponent, Seed: 1}
		ids, p := z.IDs(n), z.probabilities()
		counts, repeats, want := make([]float64, v), 0.0, 0.0
		for i, id := range ids {
			counts[id]++
			if i >= 2 && id == ids[i-2] {
				repeats++
			}
		}
		for k, c := range counts {
			want += p[k] * p[k]
			if sigma := math.Sqrt(n * p[k]); math.Abs(c-n*p[k]) > 10*sigma { // repetition widens
				t.Errorf("exponent %v: symbol %d occurs %v times, want %.0f", exponent, k, c, n*p[k])
			}
		}
		if want = ZipfRepeat + (1-ZipfRepeat)*want; math.Abs(repeats/n-want) > 0.004 {
			t.Errorf("exponent %v: %.4f are the symbol two before, want %.4f", exponent, repeats/n, want)
		}
		if e := max(exponent, 1); exponent != 0.5 && math.Abs(p[0]/p[9]-math.Pow(10, e)) > 1e-9*math.Pow(10, e) {
			t.Errorf("exponent %v: p(0)/p(9) is %v", exponent, p[0]/p[9])
		}
	}
}

// The entropy is the mean loss of a model that knows how the text is made.
func TestZipfEntropy(t *testing.T) {
	z := Zipf{Symbols: 300, Exponent: 1.2, Seed: 2}
	const n = 200_000
	ids, p := z.IDs(n), z.probabilities()
	loss, without := 0.0, 0.0
	for i, id := range ids {
		if i < 2 {
			continue
		}
		q := (1 - ZipfRepeat) * p[id]
		if id == ids[i-2] {
			q += ZipfRepeat
		}
		loss -= math.Log(q) / (n - 2)
		without -= math.Log(p[id]) / (n - 2)
	}
	least, withoutMemory := z.Entropy()
	t.Logf("least %.4f nats, measured %.4f; without memory %.4f, measured %.4f", least, loss, withoutMemory, without)
	if math.Abs(loss-least) > 0.02 || math.Abs(without-withoutMemory) > 0.04 {
		t.Errorf("losses of %.4f and %.4f nats, want %.4f and %.4f", loss, without, least, withoutMemory)
	}
}

func TestZipfPrefix(t *testing.T) {
	z := Zipf{Symbols: 1000, Seed: 3}
	long := z.IDs(500)
	if short := z.IDs(100); !slices.Equal(short, long[:100]) {
		t.Error("a longer text does not begin with the shorter")
	}
	if other := (Zipf{Symbols: 1000, Seed: 4}).IDs(500); slices.Equal(other, long) {
		t.Error("the seed changes nothing")
	}
}

func TestZipfErrors(t *testing.T) {
	wantError(t, Zipf{Symbols: 1}.Validate(), "data: Zipf text of 1 symbols: want 2 to 1048576")
	wantError(t, Zipf{Symbols: 9, Exponent: math.NaN()}.Validate(), "data: Zipf text with exponent NaN: want a number in [0, 10], 0 for 1")
	wantError(t, Zipf{Symbols: 9, Exponent: -1}.Validate(), "data: Zipf text with exponent -1: want a number in [0, 10], 0 for 1")
	_, err := Zipf{}.Vocab()
	wantError(t, err, "data: Zipf text of 0 symbols: want 2 to 1048576")
}

// A vocabulary of 250,000 words goes through everything.
func TestLargeVocabulary(t *testing.T) {
	z := Zipf{Symbols: 250_000, Seed: 5}
	v, err := z.Vocab()
	if err != nil {
		t.Fatal(err)
	}
	ids := make([]int32, z.Symbols) // each word once, then a text
	for i := range ids {
		ids[i] = int32(i)
	}
	ids = append(ids, z.IDs(50_000)...)
	text := v.Decode(ids)
	again, err := v.Encode(text)
	if err != nil || !slices.Equal(again, ids) {
		t.Errorf("encoding is not the inverse of decoding: %v", err)
	}
	b, err := v.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := ParseVocab(b)
	if err != nil || !slices.Equal(parsed.symbols, v.symbols) {
		t.Errorf("the vocabulary read back differs: %v", err)
	}
	built, err := BuildVocab(text, VocabOptions{Kind: "word"})
	if err != nil || built.Size() != v.Size() {
		t.Fatalf("the vocabulary of the text: %v", err)
	}
	for id := range int32(5) {
		if built.Symbol(id) != v.Symbol(id) {
			t.Errorf("symbol %d is %s, want the most frequent, %s", id, built.Symbol(id), v.Symbol(id))
		}
	}
}
