package look

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"sluice/data"
	"sluice/model"
	"sluice/nn"
)

// Fraction is what is left of a unit's largest difference where its memory ends.
const Fraction = 1 / math.E

// Leaky is the memory of a unit that keeps the part a of its state at each step
// and does nothing else: the step that reads the change, and 1/ln(1/a) more.
func Leaky(a float64) float64 { return 1 + 1/math.Log(1/a) }

const (
	faint    = 1e-5 // a unit that a change moves by less was not moved
	frequent = 20   // symbols that another one may become
)

// Memory is how long the units of one layer remember.
type Memory struct {
	Lags   []float64 // (H) the mean lag; NaN: no change moved the unit
	Beyond float64   // the part of the lags that were longer than could be seen, and counted as Options.Lags
	Gates  []Gate
}

// Gate is what goes with it.
type Gate struct {
	Name  string
	Means []float64 // (H) over rows and steps
	Rank  float64   // Spearman's rank correlation of Means and Lags; NaN where either does not vary
}

// Measure changes one symbol of each row into another frequent one and runs
// both texts on for o.Lags steps, the one that reads the change included. The lag
// of a unit in that row is the number of steps until |Δh| falls below Fraction of
// its largest for good: between two steps as if it fell exponentially. With a
// projection h is what that is made of.
func Measure(ctx context.Context, p *model.Packed, team *nn.Team, ids data.Symbols, o Options) ([]Memory, error) {
	often, err := mostFrequent(ctx, ids, p.Vocab.Size())
	if err != nil {
		return nil, err
	}
	m := newMeter(p, o)
	run, size := model.NewRunner(p, team), p.StateSize()
	err = o.rows(ctx, ids, func(first, n int, x, y []int32) error {
		state, warm := make([]float32, n*size), Warm*n
		run.Loss(model.Batch{T: Warm, B: n, IDs: x[:warm], Targets: y[:warm]}, state)
		b := model.Batch{T: o.Lags, B: n, IDs: x[warm:], Targets: y[warm:]}
		m.before(run, b, slices.Clone(state))
		for row := range n {
			b.IDs[row] = another(b.IDs[row], often, nn.Key{Seed: o.Seed, Layer: keyChange, Row: uint64(first + row)})
		}
		m.after(run, b, state)
		if m.lost {
			return ErrNoNumber
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return m.result(), nil
}

// mostFrequent are symbols of ids, the most frequent first.
func mostFrequent(ctx context.Context, ids data.Symbols, v int) ([]int32, error) {
	counts, buf := make([]int, v), make([]int32, min(ids.Len(), 1<<16))
	var all []int32
	for at := 0; at < ids.Len(); at += len(buf) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		part := buf[:min(len(buf), ids.Len()-at)]
		if err := ids.ReadAt(part, at); err != nil {
			return nil, err
		}
		for _, id := range part {
			if counts[id]++; counts[id] == 1 {
				all = append(all, id)
			}
		}
	}
	if len(all) < 2 {
		return nil, fmt.Errorf("look: a text of %d different symbols: want at least 2 to change one into another", len(all))
	}
	slices.SortFunc(all, func(a, b int32) int { return cmp.Or(counts[b]-counts[a], int(a-b)) })
	return all[:min(len(all), frequent)], nil
}

// another is a symbol drawn from often that is not id.
func another(id int32, often []int32, key nn.Key) int32 {
	var random nn.Random
	random.Seek(key)
	n := len(often)
	at := slices.Index(often, id)
	if at >= 0 {
		n--
	}
	i := rand.New(&random).IntN(n)
	if at >= 0 && i >= at {
		i++
	}
	return often[i]
}

// meter adds up over the rows.
type meter struct {
	p      *model.Packed
	o      Options
	gates  []string
	h      []float32   // (L, T, B, H) of the text as it is
	sums   [][]float64 // (L, gates) of (H)
	lags   [][]float64 // (L) of (H)
	moved  [][]int     // (L) of (H) rows that moved the unit
	beyond []int       // (L)
	lost   bool        // a state or gate was no number
}

func newMeter(p *model.Packed, o Options) *meter {
	m := &meter{p: p, o: o, gates: map[string][]string{"gru": {"r", "z"}, "lstm": {"i", "f"}}[p.RNN.Cell]}
	layers, h := p.RNN.Layers, p.RNN.Hidden
	for range layers {
		for range m.gates {
			m.sums = append(m.sums, make([]float64, h))
		}
		m.lags, m.moved = append(m.lags, make([]float64, h)), append(m.moved, make([]int, h))
	}
	m.beyond = make([]int, layers)
	return m
}

// before keeps h of b, and adds its gates.
func (m *meter) before(run *model.Runner, b model.Batch, state []float32) {
	tape, _ := run.Trace(b, state)
	h, gate := m.p.RNN.Hidden, make([]float32, m.p.RNN.Hidden)
	m.h = nn.Grow(m.h, m.p.RNN.Layers*b.T*b.B*h)
	for l := range m.p.RNN.Layers {
		for i := range b.T * b.B {
			tape.At(m.h[(l*b.T*b.B+i)*h:][:h], l, 0, output(m.p.RNN), i/b.B, i%b.B)
			for g, name := range m.gates {
				tape.At(gate, l, 0, name, i/b.B, i%b.B)
				for u, v := range gate {
					m.lost = m.lost || !finite(float64(v))
					m.sums[l*len(m.gates)+g][u] += float64(v)
				}
			}
		}
	}
}

// after runs b with its first symbols changed.
func (m *meter) after(run *model.Runner, b model.Batch, state []float32) {
	tape, _ := run.Trace(b, state)
	h, changed := m.p.RNN.Hidden, make([]float32, m.p.RNN.Hidden)
	diff := make([]float64, b.T*h) // (T, H) of one row
	for l := range m.p.RNN.Layers {
		for row := range b.B {
			for t := range b.T {
				tape.At(changed, l, 0, output(m.p.RNN), t, row)
				for u, v := range m.h[((l*b.T+t)*b.B+row)*h:][:h] {
					d := math.Abs(float64(changed[u]) - float64(v))
					m.lost = m.lost || !finite(d)
					diff[t*h+u] = d
				}
			}
			m.count(l, diff)
		}
	}
}

// count finds the lag of each unit of layer l from its differences (T, H).
func (m *meter) count(l int, diff []float64) {
	h := m.p.RNN.Hidden
	for u := range h {
		largest := 0.0
		for i := u; i < len(diff); i += h {
			largest = max(largest, diff[i])
		}
		if !(largest >= faint) {
			continue
		}
		lag, ends := len(diff)/h, Fraction*largest
		for diff[(lag-1)*h+u] < ends { // stops at the largest
			lag--
		}
		part := 0.0 // of the step over which it falls below
		if lag == len(diff)/h {
			m.beyond[l]++
		} else {
			last, next := diff[(lag-1)*h+u], diff[lag*h+u]
			part = math.Log(last/ends) / math.Log(last/next)
		}
		m.lags[l][u] += float64(lag) + part
		m.moved[l][u]++
	}
}

func (m *meter) result() []Memory {
	layers := make([]Memory, m.p.RNN.Layers)
	for l := range layers {
		layer, all := &layers[l], 0
		for u, n := range m.moved[l] {
			all += n
			layer.Lags = append(layer.Lags, m.lags[l][u]/float64(n)) // NaN where n is 0
		}
		if all > 0 {
			layer.Beyond = float64(m.beyond[l]) / float64(all)
		}
		for g, name := range m.gates {
			means := m.sums[l*len(m.gates)+g]
			for u := range means {
				means[u] /= float64(m.o.Rows * m.o.Lags)
			}
			layer.Gates = append(layer.Gates, Gate{name, means, Spearman(means, layer.Lags)})
		}
	}
	return layers
}
