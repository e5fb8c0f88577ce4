package convert

import (
	"cmp"
	"fmt"
	"slices"

	"sluice/model"
	"sluice/nn"
	"sluice/rnn"
)

// trial is one set of inputs that both sides get.
type trial struct {
	name    string
	batch   model.Batch
	state   []float32 // (B, StateSize), nil for zero
	history []float64 // (B, Window, C) of a forecast, in the place of a batch
	left    string    // why it is left out, "" where it is not
}

// trials are random and edge inputs of a model: the same for the same seed. Those of a
// forecast are histories, or with steps what its stack reads.
func trials(m *model.Model, seed uint64, steps bool) []trial {
	return newDrawing(m, seed).trials(steps)
}

// drawing draws trials.
type drawing struct {
	m           *model.Model
	steps, rows int // where they are fixed, 0 not
	key         nn.Key
	random      nn.Random
}

func newDrawing(m *model.Model, seed uint64) *drawing { return &drawing{m: m, key: nn.Key{Seed: seed}} }

func (r *drawing) trials(steps bool) (all []trial) {
	m := r.m
	if m.Task == model.Forecast && !steps {
		return []trial{r.history("random histories", 3, 1), r.history("large values", 2, 1000), r.history("constant histories", 2, 0)}
	}
	all = []trial{
		r.trial("one step", 1, 1, 1, 0),
		r.trial("random inputs", 13, 4, 1, 0),
		r.trial("carried states", 9, 3, 1, 1),
		r.trial("large values", 7, 3, 30, 0),
		r.trial("large states", 7, 3, 1, 5),
		r.trial("zeros", 5, 2, 0, 0),
	}
	if m.Task != model.Forecast && m.Task != model.LM {
		all = append(all,
			r.trial("ragged lengths", 11, 5, 1, 0).ragged(4, 11, 1, 11, 7),
			r.trial("ragged lengths, carried states", 6, 4, 1, 1).ragged(2, 6, 1, 5))
	}
	return all
}

// next begins a stream of its own.
func (r *drawing) next() *nn.Random {
	r.key.Step++
	r.random.Seek(r.key)
	return &r.random
}

// normals are n numbers of a standard deviation.
func (r *drawing) normals(n int, scale float64) []float32 {
	x := make([]float32, n)
	if scale > 0 {
		nn.Normal(x, scale, r.next())
	}
	return x
}

// numbers are n whole numbers below most.
func (r *drawing) numbers(n, most int) []int32 {
	x, u := make([]int32, n), make([]float32, n)
	nn.Uniform(u, 1, r.next()) // in (−1, 1)
	for i, v := range u {
		x[i] = min(int32((v+1)/2*float32(most)), int32(most-1))
	}
	return x
}

// trial is one of t steps and b rows, with numbers and states of a scale.
func (r *drawing) trial(name string, t, b int, scale, state float64) trial {
	m := r.m
	if m.Task == model.Forecast { // its head reads so many
		t = m.Forecast.Window + m.Forecast.Horizon - 1
	}
	t, b = cmp.Or(r.steps, t), cmp.Or(r.rows, b)
	x := trial{name: name, batch: model.Batch{T: t, B: b}}
	if m.Vocab != nil {
		x.batch.IDs = r.numbers(t*b, m.Vocab.Size())
		if scale == 0 {
			clear(x.batch.IDs)
		}
	} else {
		x.batch.Data = r.normals(t*b*m.Features, scale)
	}
	if m.Chars.Embed > 0 {
		r.spell(&x.batch)
	}
	if state > 0 {
		x.state = r.normals(b*m.RNN.StateSize(), state)
	}
	switch m.Task {
	case model.LM:
		x.batch.Targets = r.numbers(t*b, m.Vocab.Size())
	case model.Tag:
		x.batch.Targets = r.numbers(t*b, len(m.Labels))
	case model.Classify:
		x.batch.Targets = r.numbers(b, len(m.Labels))
	case model.Regress:
		x.batch.Values = r.normals(b*m.Outputs, 1)
	}
	return x
}

// ragged is the trial with rows of such lengths, as shares of the longest one: the
// first, which is another, is less than all steps.
func (t trial) ragged(lengths ...int) trial {
	if t.batch.T == 1 {
		t.left = "all rows have one step"
	}
	longest := slices.Max(lengths)
	for i := range t.batch.B {
		share := lengths[i%len(lengths)] - 1
		t.batch.Lengths = append(t.batch.Lengths, 1+share*(t.batch.T-1)/(longest-1))
	}
	if targets := t.batch.Targets; len(targets) == t.batch.T*t.batch.B {
		for i := range targets {
			if !within(t.batch, i) {
				targets[i] = nn.Ignore
			}
		}
	}
	return t
}

// spell gives the words of a batch spellings of 0 to 6 characters.
func (r *drawing) spell(b *model.Batch) {
	const words, longest = 7, 6
	s := &model.Spellings{T: longest, N: words, IDs: r.numbers(longest*words, r.m.Characters.Size())}
	for i := range words {
		s.Lengths = append(s.Lengths, i%(longest+1))
	}
	b.Spellings, b.Forms = s, r.numbers(b.T*b.B, words)
}

// history is one of b rows, of so many standard deviations.
func (r *drawing) history(name string, b int, scale float64) trial {
	f, scaler := r.m.Forecast, r.m.Names.Series.Scaler
	c := len(scaler.Mean)
	x := trial{name: name, history: make([]float64, b*f.Window*c)}
	for i, v := range r.normals(len(x.history), scale) {
		x.history[i] = scaler.Mean[i%c] + float64(v)*scaler.Std[i%c]
	}
	return x
}

// inputs are what the trial gives, by the names of ONNX.
func (t trial) inputs(m *model.Model) arrays {
	b := t.batch
	if t.history != nil {
		f, c := m.Forecast, len(m.Names.Series.Names)
		return arrays{"history": {[]int{len(t.history) / f.Window / c, f.Window, c}, t.history}}
	}
	a := arrays{}
	if b.IDs != nil {
		a["ids"] = array{[]int{b.T, b.B}, longs(b.IDs)}
	} else {
		a["x"] = array{[]int{b.T, b.B, m.Features}, b.Data}
	}
	if s := b.Spellings; s != nil {
		a["forms"] = array{[]int{b.T, b.B}, longs(b.Forms)}
		a["spellings"] = array{[]int{s.T, s.N}, longs(s.IDs)}
		a["spelling_lengths"] = array{[]int{s.N}, ints32(s.Lengths)}
	}
	if b.Lengths != nil {
		a["lengths"] = array{[]int{b.B}, ints32(b.Lengths)}
	}
	if t.state != nil {
		a.states(m.RNN, "_0", t.state, b.B)
	}
	return a
}

// wanted are what a loss is of, by the names of peers/peer.py.
func (t trial) wanted(m *model.Model, a arrays) {
	switch b := t.batch; m.Task {
	case model.LM, model.Tag:
		a["targets"] = array{[]int{b.T, b.B}, longs(b.Targets)}
	case model.Classify:
		a["targets"] = array{[]int{b.B}, longs(b.Targets)}
	case model.Regress:
		a["targets"] = array{[]int{b.B, m.Outputs}, b.Values}
	}
}

// within says whether element i of (T, B) is within its row's length.
func within(b model.Batch, i int) bool { return b.Lengths == nil || i/b.B < b.Lengths[i%b.B] }

func longs(x []int32) []int64 {
	all := make([]int64, len(x))
	for i, v := range x {
		all[i] = int64(v)
	}
	return all
}

func ints32(x []int) []int32 {
	all := make([]int32, len(x))
	for i, v := range x {
		all[i] = int32(v)
	}
	return all
}

// states are state (B, StateSize) as h and c (L·D, B, H) each.
func (a arrays) states(c rnn.Config, suffix string, state []float32, b int) {
	layers := c.Layers * c.Directions()
	at := 0
	for _, v := range stateVectors(c) {
		to := make([]float32, layers*b*v.width)
		for l := range layers {
			for i := range b {
				copy(to[(l*b+i)*v.width:(l*b+i+1)*v.width], state[i*c.StateSize()+l*c.StateSize()/layers+at:])
			}
		}
		a[v.name+suffix] = array{[]int{layers, b, v.width}, to}
		at += v.width
	}
}

// stateVectors are the names and widths of a cell's state.
func stateVectors(c rnn.Config) []struct {
	name  string
	width int
} {
	type vector = struct {
		name  string
		width int
	}
	if c.Cell == "lstm" {
		return []vector{{"h", c.StateSize()/c.Layers/c.Directions() - c.Hidden}, {"c", c.Hidden}}
	}
	return []vector{{"h", c.Hidden}}
}

// output is the name of what the head of a task says.
func output(m *model.Model) string {
	switch m.Task {
	case model.LM, model.Classify:
		return "logits"
	case model.Tag:
		return "scores"
	case model.Regress:
		return "values"
	}
	return "mean"
}

// ours is what the model makes of a trial: what the head says, the states after it,
// and with gradients those of the loss.
func (t trial) ours(m *model.Model, p *model.Packed, team *nn.Team, gradients bool) (arrays, error) {
	if t.history != nil {
		return t.forecast(m, p, team)
	}
	b, run := t.batch, model.NewRunner(p, team)
	state := make([]float32, b.B*m.RNN.StateSize())
	copy(state, t.state)
	a := arrays{}
	shape, name := t.shape(m), output(m)
	if m.Task == model.Forecast {
		name = "changes"
	}
	out := make([]float32, nn.Elements(shape))
	run.Outputs(out, b, state)
	if m.Task == model.Tag {
		clearPast(out, b)
	}
	a[name] = array{shape, out}
	a.states(m.RNN, "_n", state, b.B)
	if gradients {
		g := make([]float32, m.Size())
		state := append([]float32(nil), t.state...)
		if state == nil {
			state = make([]float32, b.B*m.RNN.StateSize())
		}
		run.Gradient(g, b, state, model.Objective{})
		at := 0
		for _, tensor := range m.Tensors() {
			a["gradient."+tensor.Name] = array{tensor.Shape, g[at : at+len(tensor.Data)]}
			at += len(tensor.Data)
		}
	}
	return a, nil
}

// shape is that of what the head says.
func (t trial) shape(m *model.Model) []int {
	switch b := t.batch; m.Task {
	case model.LM:
		return []int{b.T, b.B, m.Vocab.Size()}
	case model.Tag:
		return []int{b.T, b.B, len(m.Labels)}
	case model.Classify:
		return []int{b.B, len(m.Labels)}
	case model.Regress:
		return []int{b.B, m.Outputs}
	default:
		return []int{m.Forecast.Horizon, b.B, m.Features}
	}
}

// clearPast makes scores (T, B, K) past the lengths, which are anything, zeros.
func clearPast(out []float32, b model.Batch) {
	k := len(out) / (b.T * b.B)
	for i := range b.T * b.B {
		if !within(b, i) {
			clear(out[i*k : (i+1)*k])
		}
	}
}

// forecast is ours of histories.
func (t trial) forecast(m *model.Model, p *model.Packed, team *nn.Team) (arrays, error) {
	f, c := m.Forecast, len(m.Names.Series.Names)
	caster, err := model.NewForecaster(p, team)
	if err != nil {
		return nil, fmt.Errorf("convert: %w", err)
	}
	rows, q := len(t.history)/f.Window/c, len(f.Quantiles)
	size := f.Horizon * c
	mean, quantiles := make([]float32, rows*size), make([]float32, q*rows*size)
	for i := range rows {
		o, err := caster.Forecast(t.history[i*f.Window*c : (i+1)*f.Window*c])
		if err != nil {
			return nil, fmt.Errorf("convert: %w", err)
		}
		for j, v := range o.Mean {
			mean[i*size+j] = float32(v)
		}
		for k := range q {
			for j, v := range o.Quantiles[k] {
				quantiles[(k*rows+i)*size+j] = float32(v)
			}
		}
	}
	a := arrays{"mean": {[]int{rows, f.Horizon, c}, mean}}
	if q > 0 {
		a["quantiles"] = array{[]int{q, rows, f.Horizon, c}, quantiles}
	}
	return a, nil
}
