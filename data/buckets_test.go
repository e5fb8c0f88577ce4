package data

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func buckets(t *testing.T, lengths []int, o BucketOptions) *Buckets {
	t.Helper()
	b, err := NewBuckets(lengths, o)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// dealt reads what is left of an epoch.
func dealt(b *Buckets) (all [][]int) {
	for rows := b.Next(); rows != nil; rows = b.Next() {
		all = append(all, slices.Clone(rows))
	}
	return all
}

// side is the steps of a minibatch.
func side(rows, lengths []int) (steps int) {
	for _, r := range rows {
		steps = max(steps, lengths[r])
	}
	return steps
}

// bucketCases yields random lengths and options that go together.
func bucketCases(check func(lengths []int, o BucketOptions)) {
	r := rand.New(rand.NewPCG(21, 22))
	for range 400 {
		lengths := make([]int, 1+r.IntN(300))
		most := 1 + r.IntN(200)
		for i := range lengths {
			lengths[i] = r.IntN(most)
		}
		o := BucketOptions{Rows: 1 + r.IntN(20), Seed: r.Uint64()}
		if r.IntN(2) == 0 {
			o.Tokens = slices.Max(lengths) + r.IntN(400)
		}
		check(lengths, o)
	}
}

// fits wants each sequence once, in minibatches that are not too large.
func fits(t *testing.T, all [][]int, lengths []int, o BucketOptions) {
	t.Helper()
	times := make([]int, len(lengths))
	for _, rows := range all {
		if steps := side(rows, lengths); len(rows) == 0 || len(rows) > o.Rows || o.Tokens > 0 && steps*len(rows) > o.Tokens {
			t.Fatalf("%+v: a minibatch of %d sequences, %d steps", o, len(rows), steps)
		}
		for _, r := range rows {
			times[r]++
		}
	}
	if i := slices.IndexFunc(times, func(n int) bool { return n != 1 }); i >= 0 {
		t.Fatalf("%+v: sequence %d of %d comes %d times", o, i, len(lengths), times[i])
	}
}

func TestBucketsDealEachOnce(t *testing.T) {
	bucketCases(func(lengths []int, o BucketOptions) {
		b := buckets(t, lengths, o)
		for epoch := range 3 {
			b.Epoch(epoch)
			padding, filled, size := b.Padding(), 0, 0
			all := dealt(b)
			fits(t, all, lengths, o)
			if len(all) != b.Len() {
				t.Fatalf("%+v: %d minibatches in epoch %d, Len %d", o, len(all), epoch, b.Len())
			}
			for _, rows := range all {
				size += len(rows) * side(rows, lengths)
				for _, r := range rows {
					filled += lengths[r]
				}
			}
			if want := 1 - float64(filled)/float64(max(size, 1)); size > 0 && math.Abs(padding-want) > 1e-12 {
				t.Fatalf("%+v: padding %v, want %v", o, padding, want)
			}
		}
	})
}

func TestInOrder(t *testing.T) {
	bucketCases(func(lengths []int, o BucketOptions) {
		all, err := InOrder(lengths, o)
		if err != nil {
			t.Fatal(err)
		}
		fits(t, all, lengths, o)
		order := slices.Concat(all...)
		if !slices.IsSortedFunc(order, func(i, j int) int {
			if lengths[i] != lengths[j] {
				return lengths[j] - lengths[i]
			}
			return i - j
		}) {
			t.Fatalf("%+v: %v is not in order of length", o, order)
		}
		o.Seed++
		if again, _ := InOrder(lengths, o); fmt.Sprint(again) != fmt.Sprint(all) {
			t.Fatalf("%+v: the seed changes the order", o)
		}
	})
	all, err := InOrder([]int{3, 9, 0, 4, 3}, BucketOptions{Rows: 3, Tokens: 9})
	if got, want := fmt.Sprint(all, err), "[[1] [3 0] [4 2]] <nil>"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// sentences are lengths like those of English sentences.
func sentences(n int) []int {
	r, lengths := rand.New(rand.NewPCG(23, 24)), make([]int, n)
	for i := range lengths {
		lengths[i] = min(100, max(1, int(math.Exp(2.5+0.75*r.NormFloat64()))))
	}
	return lengths
}

// The figures are those of the comment on Buckets.
func TestPadding(t *testing.T) {
	lengths := sentences(10_000)
	o := BucketOptions{Rows: 32, Seed: 1}
	share := func(order []int) float64 {
		filled, size := 0, 0
		for rows := range slices.Chunk(order, o.Rows) {
			size += len(rows) * side(rows, lengths)
			for _, r := range rows {
				filled += lengths[r]
			}
		}
		return 1 - float64(filled)/float64(size)
	}
	order := rand.New(rand.NewPCG(25, 26)).Perm(len(lengths))
	drawn := share(order)
	windows := slices.Clone(order)
	for w := range slices.Chunk(windows, 50*o.Rows) {
		slices.SortFunc(w, func(i, j int) int { return lengths[j] - lengths[i] })
	}
	sorted, err := InOrder(lengths, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"buckets", buckets(t, lengths, o).Padding(), 0.019},
		{"sorted", share(slices.Concat(sorted...)), 0.010},
		{"windows", share(windows), 0.07},
		{"drawn", drawn, 0.73},
	} {
		t.Logf("%s: %.4f", c.name, c.got)
		if math.Abs(c.got-c.want) > 0.05*c.want {
			t.Errorf("%s: %.4f is padding, want %.3f", c.name, c.got, c.want)
		}
	}
}

// A sequence whose length no other has still meets others each epoch.
func TestBucketsMix(t *testing.T) {
	lengths := make([]int, 1000)
	for i := range lengths {
		lengths[i] = 500 + i
	}
	b := buckets(t, lengths, BucketOptions{Rows: 10})
	met := map[int]bool{}
	for epoch := range 20 {
		b.Epoch(epoch)
		for _, rows := range dealt(b) {
			if slices.Contains(rows, 700) {
				for _, r := range rows {
					met[r] = true
				}
			}
		}
	}
	if len(met) < 60 {
		t.Errorf("in 20 epochs sequence 700 has met %d others, want 60 or more", len(met)-1)
	}
}

func TestBucketsEpochAndCursor(t *testing.T) {
	lengths := sentences(300)
	for _, o := range []BucketOptions{{Rows: 8, Seed: 5}, {Rows: 8, Tokens: 120, Seed: 5}} {
		b := buckets(t, lengths, o)
		b.Epoch(7)
		all := dealt(b)
		b.Epoch(3)
		dealt(b)
		b.Epoch(7)
		if again := dealt(b); fmt.Sprint(again) != fmt.Sprint(all) {
			t.Errorf("%+v: epoch 7 differs the second time", o)
		}
		for batch := range len(all) + 1 {
			c := Cursor{Epoch: 7, Batch: batch}
			fresh := buckets(t, lengths, o)
			if err := fresh.SetCursor(c); err != nil || fresh.Cursor() != c {
				t.Fatalf("%+v: cursor %v, want %v: %v", o, fresh.Cursor(), c, err)
			}
			if rest := dealt(fresh); fmt.Sprint(rest) != fmt.Sprint(all[batch:]) {
				t.Errorf("%+v: minibatches from %v differ", o, c)
			}
		}
		b.Epoch(8)
		if other := dealt(b); fmt.Sprint(other) == fmt.Sprint(all) {
			t.Errorf("%+v: epochs 7 and 8 are the same", o)
		}
		o.Seed++
		b = buckets(t, lengths, o)
		b.Epoch(7)
		if other := dealt(b); fmt.Sprint(other) == fmt.Sprint(all) {
			t.Errorf("%+v: the seed changes nothing", o)
		}
	}
}

// The deal is pinned: it must never change, or a resumed run would see other
// data.
func TestBucketsPinned(t *testing.T) {
	b := buckets(t, []int{3, 9, 0, 4, 3, 40, 3, 42, 41}, BucketOptions{Rows: 2, Seed: 1})
	for epoch, want := range []string{"[[3 4] [6 0] [2] [5 1] [7 8]]", "[[2] [7 8] [0 4] [5 1] [3 6]]"} {
		b.Epoch(epoch)
		if got := fmt.Sprint(dealt(b)); got != want {
			t.Errorf("epoch %d: %s, want %s", epoch, got, want)
		}
	}
}

func TestBucketsErrors(t *testing.T) {
	b := buckets(t, []int{1, 2, 3, 4, 5}, BucketOptions{Rows: 2})
	place := Cursor{Epoch: 4, Batch: 2}
	if err := b.SetCursor(place); err != nil {
		t.Fatal(err)
	}
	wantError(t, b.SetCursor(Cursor{Epoch: -1}), "data: place in the data: epoch -1, want 0 or more")
	wantError(t, b.SetCursor(Cursor{Epoch: 2, Batch: 4}), "data: place in the data: minibatch 4 of epoch 2, want 0 to 3")
	wantError(t, b.SetCursor(Cursor{Batch: -1}), "data: place in the data: minibatch -1 of epoch 0, want 0 to 3")
	if b.Cursor() != place {
		t.Errorf("after the errors at %v, want %v", b.Cursor(), place)
	}
	for _, c := range []struct {
		lengths []int
		o       BucketOptions
		want    string
	}{
		{[]int{1}, BucketOptions{}, "data: minibatch of 0 sequences: want 1 to 1048576"},
		{[]int{1}, BucketOptions{Rows: 1 << 21}, "data: minibatch of 2097152 sequences: want 1 to 1048576"},
		{[]int{1}, BucketOptions{Rows: 1, Tokens: -1}, "data: minibatch of -1 steps × rows: want 1 or more, 0 for no bound"},
		{nil, BucketOptions{Rows: 1}, "data: no sequences: want at least 1"},
		{[]int{1, -2}, BucketOptions{Rows: 1}, "data: sequence 1 has -2 steps: want 0 to 1048576"},
		{[]int{1, 1 << 21}, BucketOptions{Rows: 1}, "data: sequence 1 has 2097152 steps: want 0 to 1048576"},
		{[]int{9, 10}, BucketOptions{Rows: 1, Tokens: 9}, "data: sequence 1 has 10 steps: no minibatch may have more than 9"},
		{[]int{9, 10}, BucketOptions{Rows: 1, Tokens: 10}, ""},
		{[]int{0, 0}, BucketOptions{Rows: 1, Tokens: 1}, ""},
	} {
		_, err := NewBuckets(c.lengths, c.o)
		wantError(t, err, c.want)
		_, err = InOrder(c.lengths, c.o)
		wantError(t, err, c.want)
	}
	defer func() {
		if got, want := recover(), "data: Epoch: -1, want 0 or more"; got != want {
			t.Errorf("panic %v, want %s", got, want)
		}
	}()
	b.Epoch(-1)
}

func TestBucketsAllocateNothing(t *testing.T) {
	b := buckets(t, sentences(500), BucketOptions{Rows: 16})
	epoch := 0
	if n := testing.AllocsPerRun(100, func() {
		if b.Next() == nil {
			epoch++
			b.Epoch(epoch)
		}
	}); n != 0 {
		t.Errorf("%v allocations a minibatch, want 0", n)
	}
}
