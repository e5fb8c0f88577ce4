package data

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"sluice/nn"
)

func count(n int) []int32 {
	ids := make([]int32, n)
	for i := range ids {
		ids[i] = int32(i)
	}
	return ids
}

func sampler(t *testing.T, n int, o Batches) *Sampler {
	t.Helper()
	s, err := NewSampler(NewSymbols(count(n)), o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// next is Next of symbols that can be read.
func next(s *Sampler, x, y []int32) int { return must(s.Next(x, y)) }

// rows reads what is left of an epoch as the book prints it, (B, T).
func rows(s *Sampler) (xs, ys [][][]int32) {
	o := s.o
	x, y := make([]int32, o.MaxSteps()*o.Batch), make([]int32, o.MaxSteps()*o.Batch)
	for steps := next(s, x, y); steps > 0; steps = next(s, x, y) {
		xb, yb := make([][]int32, o.Batch), make([][]int32, o.Batch)
		for b := range o.Batch {
			for t := range steps {
				xb[b] = append(xb[b], x[t*o.Batch+b])
				yb[b] = append(yb[b], y[t*o.Batch+b])
			}
		}
		xs, ys = append(xs, xb), append(ys, yb)
	}
	return xs, ys
}

func TestIgnore(t *testing.T) {
	if Ignore != nn.Ignore {
		t.Errorf("Ignore is %d, nn's %d", Ignore, nn.Ignore)
	}
}

// The example of Dive into Deep Learning: symbols 0 to 34, B 2, T 5. The older
// edition prints the consecutive rows below.
func TestConsecutiveBook(t *testing.T) {
	xs, ys := rows(sampler(t, 35, Batches{Batch: 2, Steps: 5}))
	want := "[[[0 1 2 3 4] [17 18 19 20 21]] [[5 6 7 8 9] [22 23 24 25 26]] [[10 11 12 13 14] [27 28 29 30 31]]]"
	if got := fmt.Sprint(xs); got != want {
		t.Errorf("x %s\nwant %s", got, want)
	}
	want = "[[[1 2 3 4 5] [18 19 20 21 22]] [[6 7 8 9 10] [23 24 25 26 27]] [[11 12 13 14 15] [28 29 30 31 32]]]"
	if got := fmt.Sprint(ys); got != want {
		t.Errorf("y %s\nwant %s", got, want)
	}
}

// Of the 6 pieces of symbols 0 to 34 the book deals 3 minibatches of 2. The
// order is this project's own, pinned here: it must never change, or a resumed
// run would see other data.
func TestRandomBook(t *testing.T) {
	s := sampler(t, 35, Batches{Batch: 2, Steps: 5, Sampling: "random", Seed: 1})
	for epoch, want := range []string{"[25 0 15 5 10 20]", "[15 5 20 25 10 0]"} {
		s.Epoch(epoch)
		xs, _ := rows(s)
		var starts []int32
		for _, x := range xs {
			starts = append(starts, x[0][0], x[1][0])
		}
		if got := fmt.Sprint(starts); got != want {
			t.Errorf("epoch %d starts at %s, want %s", epoch, got, want)
		}
		if slices.Sort(starts); !slices.Equal(starts, []int32{0, 5, 10, 15, 20, 25}) {
			t.Errorf("epoch %d has the pieces at %v", epoch, starts)
		}
	}
}

// cases yields random sizes at which a sampler can be made.
func cases(t *testing.T, sampling string, check func(n int, o Batches, s *Sampler)) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 300 {
		o := Batches{Batch: 1 + r.IntN(7), Steps: 1 + r.IntN(9), Sampling: sampling, Offset: r.IntN(2) == 0, Seed: r.Uint64()}
		n := o.Need() + r.IntN(200)
		s := sampler(t, n, o)
		s.Epoch(r.IntN(1000))
		check(n, o, s)
	}
}

func TestTargetsFollow(t *testing.T) {
	for _, sampling := range []string{"consecutive", "random"} {
		cases(t, sampling, func(n int, o Batches, s *Sampler) {
			xs, ys := rows(s)
			if len(xs) == 0 || len(xs) != s.Len() {
				t.Fatalf("%d symbols, %+v: %d minibatches, Len %d", n, o, len(xs), s.Len())
			}
			for i := range xs {
				for b, x := range xs[i] {
					if len(x) != o.Steps {
						t.Fatalf("%d symbols, %+v: %d steps", n, o, len(x))
					}
					for j := range x {
						if x[j] != x[0]+int32(j) || ys[i][b][j] != x[j]+1 || int(ys[i][b][j]) >= n {
							t.Fatalf("%d symbols, %+v: x %v, y %v", n, o, x, ys[i][b])
						}
					}
				}
			}
		})
	}
}

func TestConsecutiveContinues(t *testing.T) {
	cases(t, "consecutive", func(n int, o Batches, s *Sampler) {
		long := (n - s.offset) / o.Batch
		if s.offset >= o.Steps || !o.Offset && s.offset != 0 || s.Len() != (long-1)/o.Steps {
			t.Fatalf("%d symbols, %+v: offset %d, %d minibatches", n, o, s.offset, s.Len())
		}
		xs, _ := rows(s)
		for i, x := range xs {
			for b := range x {
				if want := s.offset + b*long + i*o.Steps; int(x[b][0]) != want {
					t.Fatalf("%d symbols, %+v: row %d of minibatch %d starts at %d, want %d", n, o, b, i, x[b][0], want)
				}
			}
		}
	})
}

func TestRandomNeverOverlaps(t *testing.T) {
	cases(t, "random", func(n int, o Batches, s *Sampler) {
		xs, _ := rows(s)
		if want := (n - 1 - s.offset) / o.Steps / o.Batch; len(xs) != want {
			t.Fatalf("%d symbols, %+v: %d minibatches, want %d", n, o, len(xs), want)
		}
		seen := make([]bool, n)
		for _, x := range slices.Concat(xs...) {
			for _, id := range x {
				if seen[id] {
					t.Fatalf("%d symbols, %+v: symbol %d twice", n, o, id)
				}
				seen[id] = true
			}
		}
	})
}

func TestRandomUsesAllOffsetsAndPieces(t *testing.T) {
	s := sampler(t, 64, Batches{Batch: 2, Steps: 5, Sampling: "random", Offset: true})
	starts := map[int32]int{}
	for epoch := range 2000 {
		s.Epoch(epoch)
		xs, _ := rows(s)
		starts[xs[0][0][0]]++
	}
	if len(starts) != 59 { // offset 0 to 3 have 12 pieces, offset 4 has 11
		t.Errorf("%d different first pieces in 2000 epochs, want 59", len(starts))
	}
}

func TestCoverScoresEachOnce(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for range 500 {
		o := Batches{Batch: 1 + r.IntN(9), Steps: 1 + r.IntN(9), Cover: true}
		n := o.Need() + r.IntN(120)
		s := sampler(t, n, o)
		xs, ys := rows(s)
		times, next := make([]int, n), map[int]int32{}
		for i := range xs {
			for b, x := range xs[i] {
				for j, y := range ys[i][b] {
					last := i == len(xs)-1 && j == len(x)-1
					if y == Ignore && last {
						continue
					}
					if y != x[j]+1 || (i > 0 || j > 0) && x[j] != next[b] {
						t.Fatalf("%d symbols, %+v: minibatch %d, row %d, step %d: x %v, y %v", n, o, i, b, j, x, ys[i][b])
					}
					times[y]++
					next[b] = y
				}
			}
		}
		for id, k := range times {
			if want := min(id, 1); k != want {
				t.Fatalf("%d symbols, %+v: symbol %d is a target %d times, want %d", n, o, id, k, want)
			}
		}
	}
}

// The same seed and epoch give the same minibatches whatever came before, and
// a cursor goes on where it was read.
func TestEpochAndCursor(t *testing.T) {
	for _, o := range []Batches{
		{Batch: 3, Steps: 4, Offset: true, Seed: 5},
		{Batch: 3, Steps: 4, Sampling: "random", Offset: true, Seed: 5},
		{Batch: 3, Steps: 4, Vary: true, Offset: true, Seed: 5},
		{Batch: 3, Steps: 4, Cover: true},
	} {
		s := sampler(t, 201, o)
		s.Epoch(7)
		all, _ := rows(s)
		s.Epoch(3)
		rows(s)
		s.Epoch(7)
		if again, _ := rows(s); fmt.Sprint(again) != fmt.Sprint(all) {
			t.Errorf("%+v: epoch 7 differs the second time", o)
		}
		for batch := range len(all) + 1 {
			c := Cursor{Epoch: 7, Batch: batch}
			fresh := sampler(t, 201, o)
			if err := fresh.SetCursor(c); err != nil {
				t.Fatal(err)
			}
			if fresh.Cursor() != c || fresh.Carries() != (batch > 0 && o.Sampling != "random") {
				t.Errorf("%+v: cursor %v, want %v; carries %v", o, fresh.Cursor(), c, fresh.Carries())
			}
			if rest, _ := rows(fresh); fmt.Sprint(rest) != fmt.Sprint(all[batch:]) {
				t.Errorf("%+v: minibatches from %v differ", o, c)
			}
		}
		if o.Cover {
			continue
		}
		s.Epoch(8)
		if other, _ := rows(s); fmt.Sprint(other) == fmt.Sprint(all) {
			t.Errorf("%+v: epochs 7 and 8 are the same", o)
		}
		o.Seed++
		s = sampler(t, 201, o)
		s.Epoch(7)
		if other, _ := rows(s); fmt.Sprint(other) == fmt.Sprint(all) {
			t.Errorf("%+v: the seed changes nothing", o)
		}
	}
}

func TestSetCursorErrors(t *testing.T) {
	s := sampler(t, 36, Batches{Batch: 2, Steps: 5, Offset: true, Seed: 3})
	place := Cursor{Epoch: 4, Batch: 2}
	if err := s.SetCursor(place); err != nil {
		t.Fatal(err)
	}
	before := s.offset
	wantError(t, s.SetCursor(Cursor{Epoch: -1}), "data: place in the data: epoch -1, want 0 or more")
	wantError(t, s.SetCursor(Cursor{Epoch: 2, Batch: 4}), "data: place in the data: minibatch 4 of epoch 2, want 0 to 3")
	wantError(t, s.SetCursor(Cursor{Batch: -1}), "data: place in the data: minibatch -1 of epoch 0, want 0 to 3")
	if s.Cursor() != place || s.offset != before {
		t.Errorf("after the errors at %v, offset %d, want %v, %d", s.Cursor(), s.offset, place, before)
	}
}

func TestBatchesErrors(t *testing.T) {
	tests := []struct {
		n    int
		o    Batches
		want string
	}{
		{12, Batches{Batch: 2, Steps: 5}, ""},
		{11, Batches{Batch: 2, Steps: 5}, "data: a text of 11 symbols is too short for one minibatch of 2 rows and 5 steps: want at least 12"},
		{15, Batches{Batch: 2, Steps: 5, Offset: true}, "data: a text of 15 symbols is too short for one minibatch of 2 rows and 5 steps: want at least 16"},
		{11, Batches{Batch: 2, Steps: 5, Sampling: "random"}, ""},
		{10, Batches{Batch: 2, Steps: 5, Sampling: "random"}, "data: a text of 10 symbols is too short for one minibatch of 2 rows and 5 steps: want at least 11"},
		{2, Batches{Batch: 2, Steps: 5, Cover: true}, ""},
		{1, Batches{Batch: 2, Steps: 5, Cover: true}, "data: a text of 1 symbols is too short for one minibatch of 2 rows and 5 steps: want at least 2"},
		{9, Batches{Steps: 5}, "data: minibatch of 0 rows: want 1 to 1048576"},
		{9, Batches{Batch: 2}, "data: minibatch of 0 steps: want 1 to 1048576"},
		{9, Batches{Batch: 1 << 21, Steps: 1}, "data: minibatch of 2097152 rows: want 1 to 1048576"},
		{9, Batches{Batch: 2, Steps: 5, Sampling: "shuffle"}, `data: sampling "shuffle": want consecutive or random`},
		{9, Batches{Batch: 2, Steps: 5, Sampling: "random", Cover: true}, "data: random sampling cannot cover every symbol: want consecutive"},
		{9, Batches{Batch: 2, Steps: 5, Offset: true, Cover: true}, "data: a random offset cannot cover every symbol: want one of the two"},
		{9, Batches{Batch: 2, Steps: 5, Vary: true, Cover: true}, "data: minibatches of varied length: want consecutive sampling that need not cover every symbol"},
		{99, Batches{Batch: 2, Steps: 5, Vary: true, Sampling: "random"}, "data: minibatches of varied length: want consecutive sampling that need not cover every symbol"},
		{11, Batches{Batch: 2, Steps: 5, Vary: true}, "data: a text of 11 symbols is too short for one minibatch of 2 rows and 5 steps: want at least 12"},
	}
	for _, c := range tests {
		_, err := NewSampler(NewSymbols(count(c.n)), c.o)
		wantError(t, err, c.want)
	}
}

func TestSamplerPanics(t *testing.T) {
	s := sampler(t, 35, Batches{Batch: 2, Steps: 5})
	for want, f := range map[string]func(){
		"data: Next: buffers of 9 and 10, want (5, 2)": func() { s.Next(make([]int32, 9), make([]int32, 10)) },
		"data: Epoch: -1, want 0 or more":              func() { s.Epoch(-1) },
	} {
		func() {
			defer func() {
				if got := recover(); got != want {
					t.Errorf("panic %v, want %v", got, want)
				}
			}()
			f()
		}()
	}
}

func TestNextAllocatesNothing(t *testing.T) {
	x, y := make([]int32, 50*32), make([]int32, 50*32)
	for _, o := range []Batches{
		{Batch: 32, Steps: 35, Offset: true},
		{Batch: 32, Steps: 35, Vary: true},
		{Batch: 32, Steps: 35, Cover: true},
		{Batch: 32, Steps: 35, Sampling: "random", Offset: true},
	} {
		s := sampler(t, 10000, o)
		epoch := 0
		if n := testing.AllocsPerRun(100, func() {
			if next(s, x, y) == 0 {
				epoch++
				s.Epoch(epoch)
			}
		}); n != 0 {
			t.Errorf("%+v: %v allocations a minibatch, want 0", o, n)
		}
	}
}

// Minibatches of varied length walk along the rows without a gap and leave
// nothing over.
func TestVaryUsesAllColumns(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	for range 200 {
		o := Batches{Batch: 1 + r.IntN(7), Steps: 1 + r.IntN(30), Vary: true, Offset: r.IntN(2) == 0, Seed: r.Uint64()}
		n := o.Need() + r.IntN(3000)
		s := sampler(t, n, o)
		s.Epoch(r.IntN(1000))
		long := (n - s.offset) / o.Batch
		xs, ys := rows(s)
		if len(xs) != s.Len() {
			t.Fatalf("%d symbols, %+v: %d minibatches, Len %d", n, o, len(xs), s.Len())
		}
		at := 0
		for i := range xs {
			steps := len(xs[i][0])
			if steps > o.MaxSteps() || steps < 5 && i < len(xs)-1 {
				t.Fatalf("%d symbols, %+v: minibatch %d has %d steps", n, o, i, steps)
			}
			for b, x := range xs[i] {
				for j := range x {
					if want := s.offset + b*long + at + j; int(x[j]) != want || int(ys[i][b][j]) != want+1 {
						t.Fatalf("%d symbols, %+v: minibatch %d, row %d, step %d: %d → %d, want %d", n, o, i, b, j, x[j], ys[i][b][j], want)
					}
				}
			}
			at += steps
		}
		if at != long-1 {
			t.Fatalf("%d symbols, %+v: %d of %d columns used", n, o, at, long-1)
		}
	}
}

// The lengths are Merity's: 95 of 100 around T, the others around T/2. The first
// of them are pinned: they must never change, or a resumed run would see other
// data.
func TestVaryLengths(t *testing.T) {
	o := Batches{Batch: 1, Steps: 70, Vary: true, Seed: 1}
	s := sampler(t, 2_000_000, o)
	var lengths []int
	for i := range s.Len() - 1 {
		_, steps := s.span(i)
		lengths = append(lengths, steps)
	}
	if got, want := fmt.Sprint(lengths[:8]), "[72 68 73 71 66 68 71 67]"; got != want {
		t.Errorf("lengths %s, want %s", got, want)
	}
	short, sum, squares := 0, 0.0, 0.0
	for _, l := range lengths {
		if l < 52 {
			short++
			continue
		}
		d := float64(l) + 0.5 - 70 // fractions are cut off
		sum, squares = sum+d, squares+d*d
	}
	n := float64(len(lengths) - short)
	t.Logf("%d minibatches: %.4f short, the others off T by %.3f ± %.3f, at most %d", len(lengths), float64(short)/float64(len(lengths)), sum/n, math.Sqrt(squares/n), slices.Max(lengths))
	if share := float64(short) / float64(len(lengths)); math.Abs(share-0.05) > 0.006 || math.Abs(sum/n) > 0.15 || math.Abs(math.Sqrt(squares/n)-5) > 0.15 || slices.Max(lengths) != 85 {
		t.Errorf("%.4f are short, want 0.05; the others are off T by %.3f ± %.3f, want 0 ± 5", share, sum/n, math.Sqrt(squares/n))
	}
}
