package convert

import (
	"archive/zip"
	"fmt"
	"strings"

	"sluice/model"
)

// isRecorded says whether a file is an .npz.
func isRecorded(path string) bool {
	z, err := zip.OpenReader(path)
	if err != nil {
		return false
	}
	defer z.Close()
	return len(z.File) > 0 && strings.HasSuffix(z.File[0].Name, ".npy")
}

// newRecorded is a trial of the inputs in an .npz, and what came of them.
func newRecorded(m *model.Model, path string) (side, error) {
	a, err := readArrays(path)
	if err != nil {
		return nil, err
	}
	r := &recording{arrays: a}
	t := trial{name: "recorded inputs"}
	b := &t.batch
	switch {
	case m.Task == model.Forecast:
		t.history = doubles(r.take("history", "B", m.Forecast.Window, len(m.Names.Series.Names)))
		b.B = r.sizes["B"]
	case m.Vocab != nil:
		b.IDs = r.ids("ids", m.Vocab.Size(), "T", "B")
	default:
		b.Data = floats(r.take("x", "T", "B", m.Features))
	}
	b.T, b.B = r.sizes["T"], r.sizes["B"]
	if m.Chars.Embed > 0 {
		b.Spellings = &model.Spellings{IDs: r.ids("spellings", m.Characters.Size(), "Tc", "N")}
		b.Spellings.T, b.Spellings.N = r.sizes["Tc"], r.sizes["N"]
		b.Spellings.Lengths = r.lengths("spelling_lengths", b.Spellings.T, "N")
		b.Forms = r.ids("forms", b.Spellings.N, "T", "B")
	}
	if _, ok := a["lengths"]; ok {
		b.Lengths = r.lengths("lengths", b.T, "B")
	}
	if _, ok := a["h_0"]; ok {
		t.state = r.state(m, "_0")
	}
	if _, ok := a["targets"]; ok {
		r.targets(m, b)
	}
	if r.err != nil {
		return nil, r.err
	}
	return &recordedSide{t, a}, nil
}

// recording takes arrays of a file and keeps the first fault.
type recording struct {
	arrays arrays
	sizes  map[string]int // of dimensions by name
	err    error
}

func (r *recording) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("convert: "+format, args...)
	}
}

// take is an array of dimensions that are numbers, or names of numbers that are
// the same wherever the name stands.
func (r *recording) take(name string, dims ...any) any {
	a, ok := r.arrays[name]
	if !ok {
		r.fail("no array %q", name)
		return nil
	}
	if len(a.Shape) != len(dims) {
		r.fail("array %q is %v: want %v", name, a.Shape, dims)
		return nil
	}
	if r.sizes == nil {
		r.sizes = map[string]int{}
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
	all := whole(r.take(name, dims...))
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
	for _, n := range whole(r.take(name, dims...)) {
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
		b.Values = floats(r.take("targets", "B", m.Outputs))
		return
	case model.Forecast:
		r.fail("array \"targets\": of no use to a forecast")
		return
	}
	dims, k := []any{"T", "B"}, len(m.Labels)
	if m.Task == model.Classify {
		dims = dims[1:]
	}
	if m.Task == model.LM {
		k = m.Vocab.Size()
	}
	for i, id := range whole(r.take("targets", dims...)) {
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
		from := floats(r.take(v.name+suffix, layers, "B", v.width))
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

// floats, doubles and whole are the numbers of an array of another type, too.
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

func doubles(data any) []float64 {
	switch x := data.(type) {
	case []float64:
		return x
	case []float32:
		all := make([]float64, len(x))
		for i, v := range x {
			all[i] = float64(v)
		}
		return all
	}
	return nil
}

func whole(data any) []int64 {
	switch x := data.(type) {
	case []int64:
		return x
	case []int32:
		return longs(x)
	}
	return nil
}
