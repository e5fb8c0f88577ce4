package look

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"sluice/model"
	"sluice/rnn"
)

// regression is a model of numbers, and a row of n steps for it.
func regression(t testing.TB, c rnn.Config, n int) (*model.Model, model.Batch) {
	t.Helper()
	c.Biases = 2
	m, err := model.New(model.Spec{Task: model.Regress, Features: 3, Outputs: 2, RNN: c}, model.Names{})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Init(rnn.Init{}, 5); err != nil {
		t.Fatal(err)
	}
	b := model.Batch{T: n, B: 1, Data: make([]float32, 3*n), Values: make([]float32, 2)}
	for i := range b.Data {
		b.Data[i] = float32(math.Sin(float64(i * i)))
	}
	return m, b
}

// The vectors over a row of numbers are those of the cell's equations, as far as
// the row is long.
func TestReadRow(t *testing.T) {
	for _, length := range []int{90, 17} {
		c := rnn.Config{Cell: "lstm", Hidden: 5, Layers: 2}
		m, b := regression(t, c, 90)
		b.Lengths = []int{length}
		trace, err := ReadRow(t.Context(), m.Pack(), newTeam(t, 2), b)
		if err != nil {
			t.Fatal(err)
		}
		if trace.Nats != nil || trace.IDs != nil || len(trace.Layers) != 2 {
			t.Fatalf("nats %v, symbols %v, %d layers", trace.Nats, trace.IDs, len(trace.Layers))
		}
		for _, layer := range trace.Layers {
			checkCell(t, c, layer, length)
			checkOrder(t, layer, c.Hidden)
		}
	}
}

// Read and ReadRow see the same in a language model.
func TestReadRowOfText(t *testing.T) {
	vocab, ids := text(t, 150)
	p := newModel(t, vocab, rnn.Config{Cell: "gru", Reset: rnn.ResetAfter, Hidden: 5, Layers: 2}).Pack()
	want, err := Read(t.Context(), p, newTeam(t, 1), ids, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ReadRow(t.Context(), p, newTeam(t, 1), model.Batch{T: len(ids), B: 1, IDs: ids, Targets: ids})
	if err != nil || !slices.Equal(got.IDs, ids) {
		t.Fatalf("%d symbols, error %v", len(got.IDs), err)
	}
	for l, layer := range want.Layers {
		for i, v := range layer.Vectors {
			if !slices.Equal(got.Layers[l].Vectors[i].Values, v.Values) {
				t.Errorf("layer %d: other bits of %s", l, v.Name)
			}
		}
		if !slices.Equal(got.Layers[l].Order, layer.Order) {
			t.Errorf("layer %d: another order", l)
		}
	}
}

// turned is layer with its last step first.
func turned(layer Layer, h int) Layer {
	turned := Layer{Order: layer.Order}
	for _, v := range layer.Vectors {
		var values []float32
		for _, step := range slices.Backward(slices.Collect(slices.Chunk(v.Values, h))) {
			values = append(values, step...)
		}
		turned.Vectors = append(turned.Vectors, Vector{v.Name, values})
	}
	return turned
}

// Each layer of a bidirectional stack has its two directions one after the
// other; what reads backward obeys its equations from the end to the start.
func TestDirections(t *testing.T) {
	const steps = 11
	for direction, want := range map[rnn.Direction][]rnn.Direction{
		"":                {rnn.Forward, rnn.Forward},
		rnn.Backward:      {rnn.Backward, rnn.Backward},
		rnn.Bidirectional: {rnn.Forward, rnn.Backward, rnn.Forward, rnn.Backward},
	} {
		c := rnn.Config{Cell: "lstm", Input: 3, Hidden: 5, Layers: 2, Biases: 2, Direction: direction}
		n, err := rnn.New(c)
		if err != nil {
			t.Fatal(err)
		}
		if err := n.Init(rnn.Init{}, 1); err != nil {
			t.Fatal(err)
		}
		_, b := regression(t, rnn.Config{Cell: "rnn", Hidden: 1, Layers: 1}, steps)
		var tape rnn.Tape
		y := make([]float32, steps*n.OutputSize())
		rnn.NewRunner(n.Pack(), newTeam(t, 1)).Forward(y, rnn.Sequence{T: steps, B: 1, F: 3, Data: b.Data}, nil, &tape)
		trace := &Trace{Layers: Layers(c)}
		if err := trace.take(c, &tape, 0, steps, steps); err != nil {
			t.Fatal(err)
		}
		trace.sort(c.Hidden)
		var got []rnn.Direction
		for _, layer := range trace.Layers {
			if got = append(got, layer.Direction); layer.Direction == rnn.Backward {
				layer = turned(layer, c.Hidden)
			}
			checkCell(t, c, layer, steps)
			checkOrder(t, layer, c.Hidden)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: directions %v, want %v", direction, got, want)
		}
	}
}

func TestReadRowErrors(t *testing.T) {
	m, b := regression(t, rnn.Config{Cell: "gru", Reset: rnn.ResetAfter, Hidden: 3, Layers: 1}, 4)
	p, team := m.Pack(), newTeam(t, 1)
	none := b
	none.Lengths = []int{0}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	spoilt := b
	spoilt.Data = slices.Repeat([]float32{float32(math.NaN())}, len(b.Data))
	_, long := regression(t, rnn.Config{Cell: "rnn", Hidden: 1, Layers: 1}, MaxRead+1)
	for _, test := range []struct {
		call func() error
		want string
	}{
		{func() error { return second(ReadRow(t.Context(), p, team, none)) }, "look: a row of 0 steps: want 1 to 20000"},
		{func() error { return second(ReadRow(t.Context(), p, team, long)) }, "look: a row of 20001 steps: want 1 to 20000"},
		{func() error { return second(ReadRow(stopped, p, team, b)) }, "context canceled"},
		{func() error { return second(ReadRow(t.Context(), p, team, spoilt)) }, ErrNoNumber.Error()},
	} {
		if err := test.call(); err == nil || err.Error() != test.want {
			t.Errorf("error %v, want %s", err, test.want)
		}
	}
	defer func() {
		if r, ok := recover().(string); !ok || !strings.Contains(r, "a batch of 2 rows, want 1") {
			t.Errorf("two rows: %v", r)
		}
	}()
	b.B = 2
	_ = second(ReadRow(t.Context(), p, team, b))
}
