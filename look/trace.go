package look

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"sluice/model"
	"sluice/nn"
	"sluice/rnn"
)

// MaxRead is how many steps Read and ReadRow take; they keep every gate of each.
const MaxRead = 20_000

// Trace is what went on in a model while it read a text, or numbers.
type Trace struct {
	IDs    []int32   // (T) nil of numbers
	Nats   []float64 // (T) of a language model what each symbol cost, given those before it, NaN for the first; else nil
	Layers []Layer   // (L·D) of each layer the directions
}

// Layer is what went on in one direction of one layer.
type Layer struct {
	Direction rnn.Direction // Forward or Backward
	Vectors   []Vector
	Order     []int // (H) the units, those whose h, the last vector, moves least from step to step first
}

// Layers are those of a Trace of c that has yet to be read.
func Layers(c rnn.Config) []Layer {
	layers := make([]Layer, c.Layers*c.Directions())
	for i := range layers {
		if layers[i].Direction = rnn.Forward; c.Direction == rnn.Backward || i%c.Directions() == 1 {
			layers[i].Direction = rnn.Backward
		}
	}
	return layers
}

// Vector is a gate or state at each step.
type Vector struct {
	Name   string
	Values []float32 // (T, H)
}

// Read runs p over ids from the zero state. The vectors are the cell's gates,
// then its states, h last; of a cell of the user's, all that its tape has. With a
// projection m, which h is made of, stands in the place of h, as wide as the rest.
func Read(ctx context.Context, p *model.Packed, team *nn.Team, ids []int32, progress func(done, total int)) (*Trace, error) {
	switch {
	case len(ids) == 0:
		return nil, errors.New("look: a text of no symbols: want at least 1")
	case len(ids) > MaxRead:
		return nil, fmt.Errorf("look: a text of %d symbols: want at most %d", len(ids), MaxRead)
	}
	const steps = 64 // at once
	t := &Trace{IDs: ids, Nats: []float64{math.NaN()}, Layers: Layers(p.RNN)}
	run, state := model.NewRunner(p, team), make([]float32, p.StateSize())
	targets := append(slices.Clone(ids[1:]), nn.Ignore)
	for at := 0; at < len(ids); at += steps {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n := min(steps, len(ids)-at)
		tape, nats := run.Trace(model.Batch{T: n, B: 1, IDs: ids[at : at+n], Targets: targets[at : at+n]}, state)
		if slices.ContainsFunc(nats, func(x float64) bool { return !finite(x) }) {
			return nil, ErrNoNumber
		}
		t.Nats = append(t.Nats, nats...)
		if err := t.take(p.RNN, tape, at, n, len(ids)); err != nil {
			return nil, err
		}
		if progress != nil {
			progress(at+n, len(ids))
		}
	}
	t.Nats = t.Nats[:len(ids)]
	t.sort(p.RNN.Hidden)
	return t, nil
}

// ReadRow runs a model of any task over b, whose B is 1, from the zero state, and
// is else as Read. It runs all steps at once, as a stack that reads backward must,
// so ctx is heeded only before. There are no Nats.
func ReadRow(ctx context.Context, p *model.Packed, team *nn.Team, b model.Batch) (*Trace, error) {
	if b.B != 1 {
		panic(fmt.Sprintf("look: ReadRow: a batch of %d rows, want 1", b.B))
	}
	steps := b.T
	if b.Lengths != nil {
		steps = b.Lengths[0]
	}
	if steps < 1 || steps > MaxRead {
		return nil, fmt.Errorf("look: a row of %d steps: want 1 to %d", steps, MaxRead)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	t := &Trace{Layers: Layers(p.RNN)}
	if b.IDs != nil {
		t.IDs = b.IDs[:steps]
	}
	tape, _ := model.NewRunner(p, team).Trace(b, nil)
	if err := t.take(p.RNN, tape, 0, steps, steps); err != nil {
		return nil, err
	}
	t.sort(p.RNN.Hidden)
	return t, nil
}

// take takes n steps of a tape of one row, which are those from at on of all.
func (t *Trace) take(c rnn.Config, tape *rnn.Tape, at, n, all int) error {
	h, directions := c.Hidden, c.Directions()
	for l := range t.Layers {
		layer := &t.Layers[l]
		if layer.Vectors == nil {
			for _, name := range shown(c, tape.Vectors()) {
				layer.Vectors = append(layer.Vectors, Vector{name, make([]float32, all*h)})
			}
		}
		for _, v := range layer.Vectors {
			for i := range n {
				now := tape.At(v.Values[(at+i)*h:(at+i+1)*h], l/directions, l%directions, v.Name, i, 0)
				if slices.ContainsFunc(now, func(x float32) bool { return !finite(float64(x)) }) {
					return ErrNoNumber
				}
			}
		}
	}
	return nil
}

// shown are the vectors of a cell in the order of its equations.
func shown(c rnn.Config, all []string) []string {
	switch c.Cell {
	case "rnn":
		return []string{"h"}
	case "gru":
		return []string{"r", "z", "n", "h"}
	case "lstm":
		return []string{"i", "f", "g", "o", "c", output(c)}
	}
	return append(slices.Clone(all[1:]), all[0]) // the first is the output
}

// output is the vector of what the units give: h, or what a projection makes it of.
func output(c rnn.Config) string {
	if c.Projection > 0 {
		return "m"
	}
	return "h"
}

// sort finds the order of each layer's units.
func (t *Trace) sort(h int) {
	for l := range t.Layers {
		t.Layers[l].sort(h)
	}
}

func (l *Layer) sort(h int) {
	states := l.Vectors[len(l.Vectors)-1].Values
	moved := make([]float64, h)
	for i := h; i < len(states); i++ {
		moved[i%h] += math.Abs(float64(states[i]) - float64(states[i-h]))
	}
	l.Order = make([]int, h)
	for u := range l.Order {
		l.Order[u] = u
	}
	slices.SortFunc(l.Order, func(a, b int) int { return cmp.Or(cmp.Compare(moved[a], moved[b]), a-b) })
}
