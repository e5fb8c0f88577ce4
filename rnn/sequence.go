package rnn

import "fmt"

// Sequence is a batch of sequences: values, or symbols that stand for one-hot
// vectors or, after Fold, for rows of a table.
type Sequence struct {
	T, B    int
	F       int       // the width of a value, or the number of symbols
	Lengths []int     // (B) in [0, T]; nil: all are T
	Data    []float32 // (T, B, F), nil where there are IDs
	IDs     []int32   // (T, B) in [0, F); past a length anything
}

// length is that of row b.
func (s *Sequence) length(b int) int {
	if s.Lengths == nil {
		return s.T
	}
	return s.Lengths[b]
}

// run is the end of the longest run of rows from b, at most to, that at step t
// are all within their lengths, or all past them.
func (s *Sequence) run(t, b, to int) (end int, within bool) {
	if s.Lengths == nil {
		return to, true
	}
	within = t < s.Lengths[b]
	for end = b + 1; end < to && (t < s.Lengths[end]) == within; end++ {
	}
	return end, within
}

// check panics where the sequence is no input of width f.
func (s *Sequence) check(who string, f int) {
	switch {
	case s.F != f:
		panic(fmt.Sprintf("rnn: %s: x width %d, want %d", who, s.F, f))
	case s.T < 0 || s.B < 0:
		panic(fmt.Sprintf("rnn: %s: x is %d steps of %d rows", who, s.T, s.B))
	case s.IDs == nil && len(s.Data) != s.T*s.B*f:
		panic(fmt.Sprintf("rnn: %s: x has %d values, want %d × %d × %d", who, len(s.Data), s.T, s.B, f))
	case s.IDs != nil && (s.Data != nil || len(s.IDs) != s.T*s.B):
		panic(fmt.Sprintf("rnn: %s: x has %d symbols and %d values, want %d × %d symbols alone", who, len(s.IDs), len(s.Data), s.T, s.B))
	case s.Lengths != nil && len(s.Lengths) != s.B:
		panic(fmt.Sprintf("rnn: %s: x has %d lengths, want %d", who, len(s.Lengths), s.B))
	}
	for b, n := range s.Lengths {
		if n < 0 || n > s.T {
			panic(fmt.Sprintf("rnn: %s: length %d of row %d, want 0 to %d", who, n, b, s.T))
		}
	}
	for i, id := range s.IDs {
		if (id < 0 || int(id) >= f) && i/s.B < s.length(i%s.B) {
			panic(fmt.Sprintf("rnn: %s: symbol %d at step %d of row %d, want 0 to %d", who, id, i/s.B, i%s.B, f-1))
		}
	}
}

func checkLen(who, what string, got, want int) {
	if got != want {
		panic(fmt.Sprintf("rnn: %s: %s has %d values, want %d", who, what, got, want))
	}
}
