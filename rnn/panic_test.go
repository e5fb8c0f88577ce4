package rnn

import (
	"fmt"
	"testing"
)

// panics checks that f panics with exactly one line.
func panics(t *testing.T, want string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if got := recover(); got == nil || fmt.Sprint(got) != want {
			t.Errorf("panic %v, want %s", got, want)
		}
	}()
	f()
}

func TestPanics(t *testing.T) {
	c := Config{Cell: "lstm", Input: 16, Hidden: 4, Layers: 2, Biases: 1}
	n, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	const T, B = 3, 2
	floats := func(n int) []float32 { return make([]float32, n) }
	size, p := c.StateSize(), n.Pack()
	run := NewRunner(p, team(t, 1))
	x := func(change func(*Sequence)) Sequence {
		s := Sequence{T: T, B: B, F: 16, Data: floats(T * B * 16)}
		if change != nil {
			change(&s)
		}
		return s
	}
	symbols := func(ids ...int32) Sequence { return Sequence{T: 1, B: len(ids), F: 16, IDs: ids} }
	y, good := floats(T*B*4), x(nil)
	for _, test := range []struct {
		want string
		y    []float32
		x    Sequence
		s    []float32
	}{
		{"rnn: Forward: x width 8, want 16", y, x(func(s *Sequence) { s.F = 8 }), nil},
		{"rnn: Forward: x is -3 steps of 2 rows", y, x(func(s *Sequence) { s.T = -3 }), nil},
		{"rnn: Forward: x is -3 steps of -2 rows", y, x(func(s *Sequence) { s.T, s.B = -3, -2 }), nil},
		{"rnn: Forward: x has 5 values, want 3 × 2 × 16", y, x(func(s *Sequence) { s.Data = floats(5) }), nil},
		{"rnn: Forward: x has 0 values, want 3 × 2 × 16", y, x(func(s *Sequence) { s.Data = nil }), nil},
		{"rnn: Forward: x has 6 symbols and 96 values, want 3 × 2 symbols alone", y, x(func(s *Sequence) { s.IDs = make([]int32, 6) }), nil},
		{"rnn: Forward: x has 5 symbols and 0 values, want 3 × 2 symbols alone", y, x(func(s *Sequence) { s.IDs, s.Data = make([]int32, 5), nil }), nil},
		{"rnn: Forward: x has 3 lengths, want 2", y, x(func(s *Sequence) { s.Lengths = []int{1, 2, 3} }), nil},
		{"rnn: Forward: length 4 of row 1, want 0 to 3", y, x(func(s *Sequence) { s.Lengths = []int{1, 4} }), nil},
		{"rnn: Forward: length -1 of row 0, want 0 to 3", y, x(func(s *Sequence) { s.Lengths = []int{-1, 1} }), nil},
		{"rnn: Forward: symbol 16 at step 0 of row 1, want 0 to 15", floats(8), symbols(3, 16), nil},
		{"rnn: Forward: symbol -1 at step 0 of row 0, want 0 to 15", floats(8), symbols(-1, 0), nil},
		{"rnn: Forward: y has 23 values, want 24", y[:23], good, nil},
		{"rnn: Forward: state has 31 values, want 32", y, good, floats(31)},
	} {
		panics(t, test.want, func() { run.Forward(test.y, test.x, test.s, nil) })
	}

	var tape Tape
	run.Forward(y, good, nil, &tape)
	g := floats(len(n.Params))
	for _, test := range []struct {
		want             string
		g, dx, dy, state []float32
	}{
		{fmt.Sprintf("rnn: Backward: g has 1 values, want %d", len(g)), g[:1], nil, y, nil},
		{fmt.Sprintf("rnn: Backward: g has 0 values, want %d", len(g)), g[:0], nil, y, nil},
		{"rnn: Backward: dy has 23 values, want 24", g, nil, y[:23], nil},
		{"rnn: Backward: dx has 95 values, want 96", g, floats(95), y, nil},
		{"rnn: Backward: dState has 3 values, want 32", g, nil, y, floats(3)},
	} {
		panics(t, test.want, func() { run.Backward(test.g, test.dx, test.dy, test.state, &tape) })
	}
	foreign := "rnn: Backward: the tape is not one that Forward of this network has filled"
	panics(t, foreign, func() { run.Backward(g, nil, y, nil, &Tape{}) })
	c.Hidden = 5
	other, _ := New(c)
	panics(t, foreign, func() { NewRunner(other.Pack(), team(t, 1)).Backward(floats(len(other.Params)), nil, y, nil, &tape) })
	run.Forward(floats(8), symbols(3, 4), nil, &tape)
	panics(t, "rnn: Backward: dx has 32 values, want 0", func() { run.Backward(g, floats(32), floats(8), nil, &tape) })
	run.Backward(g, []float32{}, floats(8), nil, &tape)

	one := Sequence{T: 1, B: 2, F: 16, Data: floats(32)}
	slab := floats(3*size + 1)
	for _, test := range []struct {
		want string
		y    []float32
		x    Sequence
		rows []int32
	}{
		{"rnn: Step: x is 1 steps of 2 rows, want 1 of 1", floats(4), one, []int32{0}},
		{"rnn: Step: x is 2 steps of 1 rows, want 1 of 2", floats(8), Sequence{T: 2, B: 1, F: 16, Data: floats(32)}, []int32{0, 1}},
		{"rnn: Step: row 3, want 0 to 2", floats(8), one, []int32{0, 3}},
		{"rnn: Step: row -1, want 0 to 2", floats(8), one, []int32{-1, 0}},
		{"rnn: Step: x width 3, want 16", floats(8), Sequence{T: 1, B: 2, F: 3, Data: floats(6)}, []int32{0, 1}},
		{"rnn: Step: y has 7 values, want 8", floats(7), one, []int32{0, 1}},
	} {
		panics(t, test.want, func() { run.Step(test.y, test.x, slab, test.rows) })
	}
	for _, d := range []Direction{Backward, Bidirectional} {
		c := n.Config
		c.Direction = d
		other, err := New(c)
		if err != nil {
			t.Fatal(err)
		}
		want := "rnn: Step: a " + string(d) + " network reads a sequence from its end, so it cannot run step by step"
		panics(t, want, func() { NewRunner(other.Pack(), team(t, 1)).Step(nil, one, nil, []int32{0, 1}) })
	}

	panics(t, fmt.Sprintf("rnn: Bind: params has 3 values, want %d", len(g)), func() { n.Bind(floats(3)) })
	panics(t, "rnn: Repack: the Packed is of another network", func() { other.Repack(nil, p) })
	before, _ := New(Config{Cell: "gru", Reset: ResetBefore, Input: 2, Hidden: 3, Layers: 1, Biases: 1})
	after, _ := New(Config{Cell: "gru", Reset: ResetAfter, Input: 2, Hidden: 3, Layers: 1, Biases: 1})
	panics(t, "rnn: Repack: the Packed is of another network", func() { before.Repack(nil, after.Pack()) })
	panics(t, `rnn: Register: the name "gru" is empty or taken`, func() { Register("gru", odd{}) })
	panics(t, `rnn: Register: the name "" is empty or taken`, func() { Register("", odd{}) })
	panics(t, `rnn: cell "gro": want `+cellNames(), func() { Config{Cell: "gro"}.StateSize() })
}
