package convert

import (
	"fmt"
	"slices"

	"sluice/model"
)

// newRecorded is a trial of the inputs in an .npz, and what came of them.
func newRecorded(m *model.Model, path string) (side, error) {
	a, err := readArrays(path)
	if err != nil {
		return nil, err
	}
	r := &recording{arrays: a, used: map[string]bool{}, sizes: map[string]int{}}
	t := trial{name: "recorded inputs"}
	b := &t.batch
	switch {
	case m.Task == model.Forecast:
		t.history = r.doubles("history", "B", m.Forecast.Window, len(m.Names.Series.Names))
	case m.Vocab != nil:
		b.IDs = r.ids("ids", m.Vocab.Size(), "T", "B")
	default:
		b.Data = r.floats("x", "T", "B", m.Features)
	}
	b.T, b.B = r.sizes["T"], r.sizes["B"]
	if m.Chars.Embed > 0 {
		b.Spellings = &model.Spellings{IDs: r.ids("spellings", m.Characters.Size(), "Tc", "N")}
		b.Spellings.T, b.Spellings.N = r.sizes["Tc"], r.sizes["N"]
		b.Spellings.Lengths = r.lengths("spelling_lengths", b.Spellings.T, "N")
		b.Forms = r.ids("forms", b.Spellings.N, "T", "B")
	}
	if m.Task != model.Forecast {
		if m.Task != model.LM && r.has("lengths") {
			b.Lengths = r.lengths("lengths", b.T, "B")
		}
		if r.has("h_0") {
			t.state = r.state(m, "_0")
		}
		if r.has("targets") {
			r.targets(m, b)
		}
	}
	r.results(m, t)
	if r.err != nil {
		return nil, r.err
	}
	return &recordedSide{trial: t, results: a}, nil
}

// results marks the outputs, and finds arrays that are neither they nor inputs.
func (r *recording) results(m *model.Model, t trial) {
	known := []string{output(m)}
	switch {
	case m.Task == model.Forecast && len(m.Forecast.Quantiles) > 0:
		known = append(known, "quantiles")
	case m.Task != model.Forecast:
		for _, v := range stateVectors(m.RNN) {
			known = append(known, v.name+"_n")
		}
	}
	if t.batch.Targets != nil || t.batch.Values != nil {
		for _, tensor := range m.Tensors() {
			known = append(known, "gradient."+tensor.Name)
		}
	}
	var others []string
	for name := range r.arrays {
		if !r.used[name] && !slices.Contains(known, name) {
			others = append(others, name)
		}
	}
	slices.Sort(others)
	switch {
	case len(others) > 0:
		r.fail("arrays without use: %s: want outputs among %s", list(others), list(known))
	case m.Task != model.Forecast && r.sizes["T"]*r.sizes["B"] == 0 || r.sizes["B"] == 0:
		r.fail("no steps or no rows: want 1 and more")
	}
}

// recording takes arrays of a file and keeps the first fault.
type recording struct {
	arrays arrays
	used   map[string]bool
	sizes  map[string]int // of dimensions by name
	err    error
}

func (r *recording) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("convert: "+format, args...)
	}
}

func (r *recording) has(name string) bool {
	_, ok := r.arrays[name]
	return ok
}

// take is an array of dimensions that are numbers, or names of numbers that are
// the same wherever the name stands.
func (r *recording) take(name string, dims ...any) any {
	a, ok := r.arrays[name]
	r.used[name] = true
	if !ok {
		r.fail("no array %q", name)
		return nil
	}
	if len(a.Shape) != len(dims) {
		r.fail("array %q is %v: want %v", name, a.Shape, dims)
		return nil
	}
	for i, d := range dims {
		want, _ := d.(int)
		if n, named := d.(string); named {
			var known bool
			if want, known = r.sizes[n]; !known {
				r.sizes[n], want = a.Shape[i], a.Shape[i]
			}
		}
		if a.Shape[i] != want {
			r.fail("array %q is %v: want %v, %v being %d", name, a.Shape, dims, d, want)
			return nil
		}
	}
	return a.Data
}

// ids are whole numbers below v.
func (r *recording) ids(name string, v int, dims ...any) []int32 {
	all := r.whole(name, dims...)
	x := make([]int32, len(all))
	for i, id := range all {
		if id < 0 || id >= int64(v) {
			r.fail("array %q has %d: want 0 to %d", name, id, v-1)
			return nil
		}
		x[i] = int32(id)
	}
	return x
}

// lengths are whole numbers up to t.
func (r *recording) lengths(name string, t int, dims ...any) []int {
	var x []int
	for _, n := range r.whole(name, dims...) {
		if n < 0 || n > int64(t) {
			r.fail("array %q has %d: want 0 to %d", name, n, t)
			return nil
		}
		x = append(x, int(n))
	}
	return x
}

// targets are what the loss is of; -1 is none.
func (r *recording) targets(m *model.Model, b *model.Batch) {
	switch m.Task {
	case model.Regress:
		b.Values = r.floats("targets", "B", m.Outputs)
		return
	}
	dims, k := []any{"T", "B"}, len(m.Labels)
	if m.Task == model.Classify {
		dims = dims[1:]
	}
	if m.Task == model.LM {
		k = m.Vocab.Size()
	}
	for i, id := range r.whole("targets", dims...) {
		if id < -1 || id >= int64(k) || len(dims) == 2 && id >= 0 && !within(*b, i) {
			r.fail("array \"targets\" has %d at %d: want 0 to %d, or -1 for none, as past a length", id, i, k-1)
			return
		}
		b.Targets = append(b.Targets, int32(id))
	}
}

// state is (B, StateSize) of h and c.
func (r *recording) state(m *model.Model, suffix string) []float32 {
	c := m.RNN
	layers := c.Layers * c.Directions()
	at := 0
	var state []float32
	for _, v := range stateVectors(c) {
		from := r.floats(v.name+suffix, layers, "B", v.width)
		if r.err != nil {
			return nil
		}
		b := r.sizes["B"]
		if state == nil {
			state = make([]float32, b*c.StateSize())
		}
		for l := range layers {
			for i := range b {
				copy(state[i*c.StateSize()+l*c.StateSize()/layers+at:], from[(l*b+i)*v.width:(l*b+i+1)*v.width])
			}
		}
		at += v.width
	}
	return state
}

// floats, doubles and whole are the numbers of an array, of either width.
func (r *recording) floats(name string, dims ...any) []float32 {
	data := r.take(name, dims...)
	x := floats(data)
	if data != nil && x == nil {
		r.fail("array %q is of %s: want float32 or float64", name, r.arrays[name].dtype())
	}
	return x
}

func (r *recording) doubles(name string, dims ...any) []float64 {
	if x, ok := r.take(name, dims...).([]float64); ok {
		return x
	}
	single := r.floats(name, dims...)
	x := make([]float64, len(single))
	for i, v := range single {
		x[i] = float64(v)
	}
	return x
}

func (r *recording) whole(name string, dims ...any) []int64 {
	switch x := r.take(name, dims...).(type) {
	case nil:
	case []int64:
		return x
	case []int32:
		return longs(x)
	default:
		r.fail("array %q is of %s: want int32 or int64", name, r.arrays[name].dtype())
	}
	return nil
}

// floats are those of an array, rounded if need be: nil of another type.
func floats(data any) []float32 {
	switch x := data.(type) {
	case []float32:
		return x
	case []float64:
		all := make([]float32, len(x))
		for i, v := range x {
			all[i] = float32(v)
		}
		return all
	}
	return nil
}
