package data

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// all are the ids of symbols.
func all(t testing.TB, s Symbols) []int32 {
	t.Helper()
	ids := make([]int32, s.Len())
	if err := s.ReadAt(ids, 0); err != nil {
		t.Fatal(err)
	}
	return ids
}

// inFile are ids below v in a temporary file.
func inFile(t testing.TB, ids []int32, v int) Symbols {
	t.Helper()
	keepInMemory(t, 0)
	w := newSymbolWriter(v)
	if err := w.write(ids); err != nil {
		t.Fatal(err)
	}
	s := w.symbols()
	t.Cleanup(func() { s.Close() })
	if s.file == nil {
		t.Fatal("they are in memory")
	}
	return s
}

// Symbols in a file are those in memory, whichever part is read, and however many
// bytes each takes.
func TestSymbolsInFile(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct{ v, width int }{{1, 1}, {256, 1}, {257, 2}, {1 << 16, 2}, {1<<16 + 1, 4}, {MaxSymbols, 4}} {
		ids := make([]int32, 100_000)
		for i := range ids {
			ids[i] = int32(r.IntN(c.v))
		}
		ids[7] = int32(c.v - 1)
		s := inFile(t, ids, c.v)
		if s.file.width != c.width {
			t.Errorf("%d symbols: %d bytes each, want %d", c.v, s.file.width, c.width)
		}
		if !slices.Equal(all(t, s), ids) {
			t.Errorf("%d symbols: others than those in memory", c.v)
		}
		for range 100 {
			from := r.IntN(len(ids))
			to := from + r.IntN(len(ids)-from+1)
			at := r.IntN(to - from + 1)
			got, want := s.Slice(from, to), NewSymbols(ids).Slice(from, to)
			one, two := make([]int32, to-from-at), make([]int32, to-from-at)
			if err := got.ReadAt(one, at); err != nil || want.ReadAt(two, at) != nil || !slices.Equal(one, two) || !slices.Equal(one, ids[from+at:to]) {
				t.Fatalf("%d symbols: %d to %d from %d: %v", c.v, from, to, at, err)
			}
		}
	}
}

// A sampler deals the same minibatches of symbols in a file as of those in memory.
func TestSamplerOfFile(t *testing.T) {
	const n, v = 5000, 300
	ids := make([]int32, n)
	for i := range ids {
		ids[i] = int32(i * i % v)
	}
	for _, o := range []Batches{
		{Batch: 7, Steps: 11}, {Batch: 7, Steps: 11, Offset: true}, {Batch: 7, Steps: 11, Sampling: "random", Offset: true}, {Batch: 7, Steps: 11, Cover: true}, {Batch: 7, Steps: 11, Vary: true},
	} {
		memory, file := must(NewSampler(NewSymbols(ids), o)), must(NewSampler(inFile(t, ids, v), o))
		x, y := make([]int32, o.MaxSteps()*o.Batch), make([]int32, o.MaxSteps()*o.Batch)
		x2, y2 := slices.Clone(x), slices.Clone(y)
		for epoch := range 3 {
			memory.Epoch(epoch)
			file.Epoch(epoch)
			for {
				steps, err := file.Next(x2, y2)
				if want := next(memory, x, y); err != nil || steps != want || !slices.Equal(x2, x) || !slices.Equal(y2, y) {
					t.Fatalf("%+v, epoch %d: other minibatches, %v", o, epoch, err)
				}
				if steps == 0 {
					break
				}
			}
		}
		file.Epoch(0)
		if allocations := testing.AllocsPerRun(10, func() { next(file, x, y) }); allocations > 0 {
			t.Errorf("%+v: %v allocations", o, allocations)
		}
	}
}

// A sampler whose file fails says so and stays where it is.
func TestSamplerOfBrokenFile(t *testing.T) {
	ids := inFile(t, make([]int32, 100), 1)
	s := must(NewSampler(ids, Batches{Batch: 2, Steps: 3}))
	x := make([]int32, 6)
	next(s, x, x)
	ids.Close()
	_, err := s.Next(x, x)
	wantError(t, err, "data: read the symbols of a text from a temporary file: file already closed")
	if at := s.Cursor(); at != (Cursor{0, 1}) {
		t.Errorf("it stands at %+v", at)
	}
}

// The split of symbols in a file is that of those in memory, lines that are longer
// than a piece among them.
func TestSplitOfFile(t *testing.T) {
	text := "\n"
	for i := range 300 {
		text += "ab"[i%2:i%2+1] + string(make([]byte, i*i%997)) + "\n"
	}
	text += string(make([]byte, 200_000)) + "\nb"
	v := build(t, text, VocabOptions{})
	ids := must(v.Encode(text))
	for _, f := range []Fractions{{}, {Validation: 0.2, Test: 0.1}, {Lines: 2}, {Lines: 3, Test: 0.3}, {Lines: 301}, {Lines: 302}} {
		memory := must(f.Split(t.Context(), v, NewSymbols(ids), 1, 0))
		file := must(f.Split(t.Context(), v, inFile(t, ids, v.Size()), 1, 0))
		if !slices.Equal(all(t, file.Train), all(t, memory.Train)) || !slices.Equal(all(t, file.Validation), all(t, memory.Validation)) || !slices.Equal(all(t, file.Test), all(t, memory.Test)) {
			t.Errorf("%+v: other parts", f)
		}
		if f.Lines == 0 {
			continue
		}
		train, held := linesOf(v, all(t, NewSymbols(ids).Slice(0, len(ids)-memory.Test.Len())), f.Lines)
		if v.Decode(all(t, file.Train)) != train || v.Decode(all(t, file.Validation)) != held {
			t.Errorf("%+v: other lines", f)
		}
		file.Train.Close()
		file.Validation.Close()
	}
}

// linesOf splits a text in plain words.
func linesOf(v *Vocab, ids []int32, n int) (train, held string) {
	i := 0
	for line := range strings.Lines(v.Decode(ids)) {
		if i++; i%n == 0 {
			held += line
		} else {
			train += line
		}
	}
	return train, held
}
