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
)

// MaxRead is how many symbols Read takes; it keeps every gate of each.
const MaxRead = 20_000

// Trace is what went on in a model while it read a text.
type Trace struct {
	IDs    []int32   // (T)
	Nats   []float64 // (T) what each symbol cost, given those before it; NaN for the first
	Layers []Layer   // (L)
}

// Layer is what went on in one layer.
type Layer struct {
	Vectors []Vector
	Order   []int // (H) the units, those whose h moves least from step to step first
}

// Vector is a gate or state over the text.
type Vector struct {
	Name   string
	Values []float32 // (T, H)
}

// Read runs p over ids from the zero state. The vectors are the cell's gates,
// then its states, h last; of a cell of the user's, all that its tape has.
func Read(ctx context.Context, p *model.Packed, team *nn.Team, ids []int32, progress func(done, total int)) (*Trace, error) {
	switch {
	case len(ids) == 0:
		return nil, errors.New("look: a text of no symbols: want at least 1")
	case len(ids) > MaxRead:
		return nil, fmt.Errorf("look: a text of %d symbols: want at most %d", len(ids), MaxRead)
	}
	const steps = 64 // at once
	t := &Trace{IDs: ids, Nats: []float64{math.NaN()}, Layers: make([]Layer, p.RNN.Layers)}
	run, state, h := model.NewRunner(p, team), make([]float32, p.StateSize()), p.RNN.Hidden
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
		for l := range t.Layers {
			layer := &t.Layers[l]
			if layer.Vectors == nil {
				for _, name := range shown(p.RNN.Cell, tape.Vectors()) {
					layer.Vectors = append(layer.Vectors, Vector{name, make([]float32, len(ids)*h)})
				}
			}
			for _, v := range layer.Vectors {
				for i := range n {
					now := tape.At(v.Values[(at+i)*h:(at+i+1)*h], l, 0, v.Name, i, 0)
					if slices.ContainsFunc(now, func(x float32) bool { return !finite(float64(x)) }) {
						return nil, ErrNoNumber
					}
				}
			}
		}
		if progress != nil {
			progress(at+n, len(ids))
		}
	}
	t.Nats = t.Nats[:len(ids)]
	for l := range t.Layers {
		t.Layers[l].sort(h)
	}
	return t, nil
}

// shown are the vectors of a cell in the order of its equations.
func shown(cell string, all []string) []string {
	switch cell {
	case "rnn":
		return []string{"h"}
	case "gru":
		return []string{"r", "z", "n", "h"}
	case "lstm":
		return []string{"i", "f", "g", "o", "c", "h"}
	}
	return append(slices.Clone(all[1:]), all[0]) // the first is the output
}

// sort finds the order of the units.
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
