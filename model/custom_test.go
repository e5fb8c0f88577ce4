package model

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"sluice/data"
	"sluice/internal/kernel"
	"sluice/nn"
	"sluice/rnn"
)

// integrators is a cell of the user's own, as small as one gets, with three
// state vectors: u' = d ⊙ u + a; v' = (u + v)/2; h' = tanh(u' + v').
type integrators struct{ d []float32 } // (H)

func init() { rnn.Register("integrators", integrators{}) }

func (integrators) Validate(rnn.Config) error { return nil }

func (integrators) Layout(c rnn.Config) rnn.Layout {
	return rnn.Layout{Prefix: "integrators.", Gates: []string{"a"}, State: []string{"h", "u", "v"}, Tensors: []nn.Tensor{{Name: "decay", Shape: []int{c.Hidden}}}}
}

func (integrators) New(c rnn.Config) rnn.Recurrence { return &integrators{make([]float32, c.Hidden)} }

func (w *integrators) Pack(tensors [][]float32) { copy(w.d, tensors[0]) }

func (w *integrators) Forward(s *rnn.Step) {
	h := len(w.d)
	for n := range s.N {
		for j, d := range w.d {
			prev, next := s.Prev[n*3*h+j:], s.Next[n*3*h+j:]
			u, v := float32(d*prev[h])+s.A[n*h+j], (prev[h]+prev[2*h])/2
			next[0], next[h], next[2*h] = kernel.Tanh(u+v), u, v
		}
	}
}

func (w *integrators) Backward(s *rnn.Step) {
	h := len(w.d)
	for n := range s.N {
		for j, d := range w.d {
			at := n*3*h + j
			dSum := s.DNext[at] * (1 - float32(s.Next[at]*s.Next[at]))
			du, dv := dSum+s.DNext[at+h], dSum+s.DNext[at+2*h]
			s.DA[n*h+j] = du
			s.DPrev[at], s.DPrev[at+h], s.DPrev[at+2*h] = 0, float32(d*du)+dv/2, dv/2
		}
	}
}

func (w *integrators) Gradient(_ *nn.Team, grads [][]float32, s *rnn.Step) {
	h := len(w.d)
	for n := range s.N {
		for j := range w.d {
			grads[0][j] += float32(s.DA[n*h+j] * s.Prev[n*3*h+h+j])
		}
	}
}

// A cell of the user's own trains, is saved and loaded, and writes.
func TestCustomCell(t *testing.T) {
	spec := Spec{Task: LM, Embed: 6, RNN: rnn.Config{Cell: "integrators", Hidden: 24, Layers: 2, Biases: 1}}
	m := newModel(t, spec, vocabOf(t, "abcd", data.VocabOptions{}))
	if m.RNN.StateSize() != 2*3*24 {
		t.Errorf("a state of %d floats", m.RNN.StateSize())
	}
	const text = "abacabadabacabadabacabadabacabad"
	if first, last := learn(t, m, text, 300); !(first > 1.2 && last < 0.2) {
		t.Errorf("loss from %v to %v", first, last)
	}
	file := fileOf(t, m)
	if !bytes.Contains(file, []byte(`"rnn.integrators.decay_l1"`)) {
		t.Errorf("header %.300q", file)
	}
	got, err := read(file)
	if err != nil || !same(got.Params, m.Params) {
		t.Fatalf("another model came back: %v", err)
	}
	g, err := NewGenerator(got.Pack(), Sampling{})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := g.Write(context.Background(), &b, text[:10], 20); err != nil || b.String() != text[10:30] {
		t.Errorf("wrote %q, error %v, want %q", b.String(), err, text[10:30])
	}
}
