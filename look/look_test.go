package look

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"sluice/data"
	"sluice/model"
	"sluice/nn"
	"sluice/rnn"
)

// text has 9 symbols in no simple order.
func text(t testing.TB, n int) (*data.Vocab, []int32) {
	t.Helper()
	const letters = "abcdefghi"
	var b strings.Builder
	for i := range n {
		b.WriteByte(letters[(i*i+i/7)%len(letters)])
	}
	s := letters + b.String()
	vocab, err := data.BuildVocab(s, data.VocabOptions{})
	if err != nil {
		t.Fatal(err)
	}
	ids, err := vocab.Encode(s)
	if err != nil {
		t.Fatal(err)
	}
	return vocab, ids
}

func newModel(t testing.TB, vocab *data.Vocab, c rnn.Config) *model.Model {
	t.Helper()
	c.Biases = 1
	m, err := model.New(model.Spec{Task: model.LM, RNN: c}, model.Names{Vocab: vocab})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Init(rnn.Init{}, 5); err != nil {
		t.Fatal(err)
	}
	return m
}

func newTeam(t testing.TB, threads int) *nn.Team {
	team := nn.NewTeam(threads)
	t.Cleanup(team.Close)
	return team
}

// tensor is a parameter by name.
func tensor(t testing.TB, m *model.Model, name string) []float32 {
	t.Helper()
	for _, x := range m.Tensors() {
		if x.Name == name {
			return x.Data
		}
	}
	t.Fatalf("no tensor %s", name)
	return nil
}

// The vectors are those of the cell's equations, over more than one piece of
// the text, and the costs those of Evaluate.
func TestRead(t *testing.T) {
	vocab, ids := text(t, 150)
	for _, c := range []rnn.Config{
		{Cell: "gru", Reset: rnn.ResetBefore, Hidden: 5, Layers: 2}, {Cell: "gru", Reset: rnn.ResetAfter, Hidden: 70, Layers: 1},
		{Cell: "lstm", Hidden: 5, Layers: 2}, {Cell: "lstm", Hidden: 5, Layers: 2, Projection: 2}, {Cell: "lstm", Hidden: 5, Layers: 1, Coupled: true},
	} {
		m := newModel(t, vocab, c)
		trace, err := Read(t.Context(), m.Pack(), newTeam(t, 2), ids, nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(trace.Layers) != c.Layers || len(trace.Nats) != len(ids) || !math.IsNaN(trace.Nats[0]) {
			t.Fatalf("%s: %d layers, %d costs, the first %v", c.Cell, len(trace.Layers), len(trace.Nats), trace.Nats[0])
		}
		sum := 0.0
		for _, v := range trace.Nats[1:] {
			sum += v
		}
		if score, err := model.Evaluate(t.Context(), m.Pack(), newTeam(t, 1), data.NewSymbols(ids), nil); err != nil || !(math.Abs(sum-score.Nats) < 1e-9*sum) {
			t.Errorf("%s: %v nats, want %v (%v)", c.Cell, sum, score.Nats, err)
		}
		for _, layer := range trace.Layers {
			checkCell(t, c, layer, len(ids))
			checkOrder(t, layer, c.Hidden)
		}
	}
}

func checkCell(t *testing.T, c rnn.Config, layer Layer, steps int) {
	t.Helper()
	at := map[string]func(step, u int) float64{}
	for _, v := range layer.Vectors {
		if len(v.Values) != steps*c.Hidden {
			t.Fatalf("%s: %s has %d values", c.Cell, v.Name, len(v.Values))
		}
		at[v.Name] = func(step, u int) float64 {
			if step < 0 {
				return 0
			}
			return float64(v.Values[step*c.Hidden+u])
		}
	}
	for step := range steps {
		for u := range c.Hidden {
			x := func(name string) float64 { return at[name](step, u) }
			var want, got float64
			if c.Cell == "gru" {
				got, want = x("h"), x("z")*at["h"](step-1, u)+(1-x("z"))*x("n")
			} else {
				got, want = x("c"), x("f")*at["c"](step-1, u)+x("i")*x("g")
				if h := x("o") * math.Tanh(got); !(math.Abs(x(output(c))-h) < 1e-6) {
					t.Fatalf("lstm: h of unit %d at step %d is %v, want %v", u, step, x(output(c)), h)
				}
			}
			if !(math.Abs(got-want) < 1e-6) || got == 0 {
				t.Fatalf("%s: the state of unit %d at step %d is %v, want %v", c.Cell, u, step, got, want)
			}
		}
	}
}

func checkOrder(t *testing.T, layer Layer, h int) {
	t.Helper()
	states := layer.Vectors[len(layer.Vectors)-1].Values
	last, seen := 0.0, map[int]bool{}
	for _, u := range layer.Order {
		moved := 0.0
		for i := u + h; i < len(states); i += h {
			moved += math.Abs(float64(states[i]) - float64(states[i-h]))
		}
		if moved < last || seen[u] {
			t.Errorf("unit %d moved by %v after one that moved by %v", u, moved, last)
		}
		last, seen[u] = moved, true
	}
	if len(seen) != h {
		t.Errorf("%d units in the order, want %d", len(seen), h)
	}
}

// linear is a network of ReLUs that never rest: unit u keeps the part keep(u)
// of its state at each step.
func linear(t testing.TB, vocab *data.Vocab, h int, keep func(u int) float32) *model.Model {
	m := newModel(t, vocab, rnn.Config{Cell: "rnn", Activation: "relu", Hidden: h, Layers: 1})
	wh, wx, b := tensor(t, m, "rnn.weight_hh_l0"), tensor(t, m, "rnn.weight_ih_l0"), tensor(t, m, "rnn.bias_ih_l0")
	clear(wh)
	for i := range wx {
		wx[i] = float32(i%vocab.Size()) + 1 // each symbol adds what no other does
	}
	for u := range h {
		wh[u*h+u], b[u] = keep(u), 1
	}
	return m
}

// The gradient of a linear network falls by what it keeps.
func TestGradients(t *testing.T) {
	const keep = 0.75
	vocab, ids := text(t, 300)
	m := linear(t, vocab, 6, func(int) float32 { return keep })
	var first []float64
	for _, threads := range []int{1, 2, 3} {
		norms, err := Gradients(t.Context(), m.Pack(), newTeam(t, threads), data.NewSymbols(ids), Options{Lags: 20, Rows: 40, Seed: 3})
		if err != nil {
			t.Fatal(err)
		}
		for k, norm := range norms {
			if want := norms[0] * math.Pow(keep, float64(k)); !(math.Abs(norm-want) < 1e-5*want) {
				t.Errorf("norm %v at lag %d, want %v", norm, k, want)
			}
		}
		if first == nil {
			first = norms
		}
		if !slices.Equal(norms, first) || len(norms) != 21 {
			t.Errorf("%d threads: other bits than one", threads)
		}
	}
}

// Clipped, an update moves the parameters by rate·clip at most; not clipped,
// ReLUs that double their state at each step end in no number.
func TestExplode(t *testing.T) {
	vocab, ids := text(t, 3000)
	const rate, clip, updates = 0.5, 0.25, 5
	m := linear(t, vocab, 6, func(int) float32 { return 2 })
	before := slices.Clone(m.Params)
	clipped, err := Explode(t.Context(), m, newTeam(t, 2), data.NewSymbols(ids), updates, rate, clip)
	if err != nil || len(clipped) != updates {
		t.Fatalf("%d updates, error %v", len(clipped), err)
	}
	moved := 0.0
	for i, v := range m.Params {
		moved = math.Hypot(moved, float64(v-before[i]))
	}
	if clipped[0].Norm < 1e6 || !(moved <= updates*rate*clip*1.001) || moved == 0 {
		t.Errorf("clipped: a norm of %v, parameters moved by %v", clipped[0].Norm, moved)
	}
	m = linear(t, vocab, 6, func(int) float32 { return 2 })
	free, err := Explode(t.Context(), m, newTeam(t, 1), data.NewSymbols(ids), updates, rate, 0)
	if err != nil || free[0] != clipped[0] {
		t.Errorf("first update %v, want %v (%v)", free[0], clipped[0], err)
	}
	if last := free[len(free)-1]; len(free) == updates || !math.IsNaN(last.Nats+last.Norm) && !math.IsInf(last.Nats+last.Norm, 0) {
		t.Errorf("not clipped: %d updates, the last %v", len(free), last)
	}
}

// near says whether lags are want.
func near(lags, want []float64) bool {
	return slices.EqualFunc(lags, want, func(a, b float64) bool { return math.Abs(a-b) < 1e-3*b })
}

// A unit that keeps the part a of its state has less than 1/e of a change left
// 1/ln(1/a) steps after the one that reads it.
func TestMeasureLinear(t *testing.T) {
	vocab, ids := text(t, 400)
	keeps := []float32{0, 0.3, 0.5, 0.8, 0.9, 0.99}
	m := linear(t, vocab, len(keeps), func(u int) float32 { return keeps[u] })
	layers, err := Measure(t.Context(), m.Pack(), newTeam(t, 2), data.NewSymbols(ids), Options{Lags: 40, Rows: 50, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	want := []float64{1, Leaky(0.3), Leaky(0.5), Leaky(0.8), 1 + 1/math.Log(1/0.9), 40}
	if !near(layers[0].Lags, want) || layers[0].Lags[0] != 1 || len(layers[0].Gates) != 0 {
		t.Errorf("lags %v, want %v; %d gates", layers[0].Lags, want, len(layers[0].Gates))
	}
	if got := layers[0].Beyond; math.Abs(got-1./6) > 1e-9 {
		t.Errorf("%v beyond, want 1/6", got)
	}
}

// Of a GRU whose gates stand still the update gate is the memory.
func TestMeasureGates(t *testing.T) {
	vocab, ids := text(t, 400)
	const h = 4
	z := []float64{0.8, 0.3, 0.95, 0.6}
	var first []Memory
	var lags []float64
	for _, part := range z {
		lags = append(lags, Leaky(part))
	}
	for _, threads := range []int{1, 2, 3} {
		m := newModel(t, vocab, rnn.Config{Cell: "gru", Reset: rnn.ResetAfter, Hidden: h, Layers: 1})
		wx, b := tensor(t, m, "rnn.weight_ih_l0"), tensor(t, m, "rnn.bias_ih_l0")
		clear(tensor(t, m, "rnn.weight_hh_l0"))
		clear(wx[:2*h*vocab.Size()]) // those of r and z
		for u := range h {
			b[u], b[h+u] = 2, float32(math.Log(z[u]/(1-z[u])))
		}
		layers, err := Measure(t.Context(), m.Pack(), newTeam(t, threads), data.NewSymbols(ids), Options{Lags: 50, Rows: 70, Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		l := layers[0]
		if !near(l.Lags, lags) || l.Beyond != 0 {
			t.Errorf("lags %v, want %v; %v beyond", l.Lags, lags, l.Beyond)
		}
		if r, update := l.Gates[0], l.Gates[1]; r.Name != "r" || update.Name != "z" || !math.IsNaN(r.Rank) || math.Abs(update.Rank-1) > 1e-12 {
			t.Errorf("rank correlations %v of %s, %v of %s", r.Rank, r.Name, update.Rank, update.Name)
		}
		for u := range h {
			if got := l.Gates[1].Means[u]; math.Abs(got-z[u]) > 1e-6 {
				t.Errorf("unit %d: update gate %v, want %v", u, got, z[u])
			}
		}
		if first == nil {
			first = layers
		}
		if !slices.Equal(l.Lags, first[0].Lags) || !slices.Equal(l.Gates[1].Means, first[0].Gates[1].Means) {
			t.Errorf("%d threads: other bits than one", threads)
		}
	}
}

func TestSpearman(t *testing.T) {
	nan := math.NaN()
	for _, test := range []struct {
		a, b []float64
		want float64
	}{
		{[]float64{1, 2, 3}, []float64{10, 100, 1000}, 1},
		{[]float64{1, 2, 3}, []float64{3, 2, 1}, -1},
		{[]float64{1, 2, 3, 4}, []float64{1, 3, 2, 4}, 0.8}, // 1 − 6·2/(4·15)
		{[]float64{1, 2, 2, 4}, []float64{1, 2, 3, 4}, 4.5 / math.Sqrt(4.5*5)},
		{[]float64{1, nan, 2, 3}, []float64{3, 9, nan, 1}, -1},
		{[]float64{1, 1}, []float64{1, 2}, nan},
		{[]float64{1}, []float64{1}, nan},
		{nil, nil, nan},
	} {
		if got := Spearman(test.a, test.b); !(math.Abs(got-test.want) < 1e-12) && !(math.IsNaN(got) && math.IsNaN(test.want)) {
			t.Errorf("%v and %v: %v, want %v", test.a, test.b, got, test.want)
		}
	}
}

func TestErrors(t *testing.T) {
	vocab, ids := text(t, 300)
	p := newModel(t, vocab, rnn.Config{Cell: "gru", Reset: rnn.ResetAfter, Hidden: 3, Layers: 1}).Pack()
	team := newTeam(t, 1)
	stopped, stop := context.WithCancel(t.Context())
	stop()
	good := Options{Lags: 10, Rows: 2}
	small := newModel(t, vocab, rnn.Config{Cell: "lstm", Hidden: 3, Layers: 1})
	rounded, err := small.Quantize(nn.Int8)
	if err != nil {
		t.Fatal(err)
	}
	same := slices.Repeat([]int32{2}, 200)
	spoilt := newModel(t, vocab, rnn.Config{Cell: "gru", Reset: rnn.ResetAfter, Hidden: 3, Layers: 1})
	tensor(t, spoilt, "rnn.weight_hh_l0")[8] = float32(math.NaN())
	bad := spoilt.Pack()
	huge := newModel(t, vocab, rnn.Config{Cell: "gru", Reset: rnn.ResetAfter, Hidden: 3, Layers: 1})
	for _, name := range []string{"head.weight", "head.bias"} { // logits overflow, gates do not
		for i, x := 0, tensor(t, huge, name); i < len(x); i++ {
			x[i] = 3e38
		}
	}
	for _, test := range []struct {
		call func() error
		want string
	}{
		{func() error { return second(Read(t.Context(), p, team, nil, nil)) }, "look: a text of no symbols: want at least 1"},
		{func() error { return second(Read(t.Context(), p, team, make([]int32, MaxRead+1), nil)) }, "look: a text of 20001 symbols: want at most 20000"},
		{func() error { return second(Gradients(t.Context(), p, team, data.NewSymbols(ids), Options{Rows: 1})) }, "look: 0 lags: want 1 to 10000"},
		{func() error { return second(Measure(t.Context(), p, team, data.NewSymbols(ids), Options{Lags: 1})) }, "look: 0 rows: want 1 to 100000"},
		{func() error { return second(Measure(t.Context(), p, team, data.NewSymbols(ids[:74]), good)) }, "look: a text of 74 symbols: want at least 75 for 10 lags"},
		{func() error { return second(Measure(t.Context(), p, team, data.NewSymbols(same), good)) }, "look: a text of 1 different symbols: want at least 2 to change one into another"},
		{func() error { return second(Gradients(t.Context(), rounded.Pack(), team, data.NewSymbols(ids), good)) }, "look: its weights are int8: want a model of float32"},
		{func() error { return second(Read(t.Context(), bad, team, ids, nil)) }, ErrNoNumber.Error()},
		{func() error { return second(Read(t.Context(), huge.Pack(), team, ids, nil)) }, ErrNoNumber.Error()},
		{func() error { return second(Gradients(t.Context(), bad, team, data.NewSymbols(ids), good)) }, ErrNoNumber.Error()},
		{func() error { return second(Measure(t.Context(), bad, team, data.NewSymbols(ids), good)) }, ErrNoNumber.Error()},
		{func() error { return second(Read(stopped, p, team, ids, nil)) }, "context canceled"},
		{func() error { return second(Gradients(stopped, p, team, data.NewSymbols(ids), good)) }, "context canceled"},
		{func() error { return second(Measure(stopped, p, team, data.NewSymbols(ids), good)) }, "context canceled"},
		{func() error {
			return second(Explode(stopped, small, team, data.NewSymbols(slices.Repeat(ids, 9)), 3, 1, 0))
		}, "context canceled"},
	} {
		if err := test.call(); err == nil || err.Error() != test.want {
			t.Errorf("error %v, want %s", err, test.want)
		}
	}
	if err := second(Measure(stopped, p, team, data.NewSymbols(ids), good)); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func second[T any](_ T, err error) error { return err }

// The smallest text that is long enough, and rows that are no whole chunk.
func TestShortest(t *testing.T) {
	vocab, ids := text(t, 300)
	p := newModel(t, vocab, rnn.Config{Cell: "lstm", Hidden: 3, Layers: 2}).Pack()
	const chunk = mostRows
	o := Options{Lags: 10, Rows: chunk + 1}
	calls := 0
	o.Progress = func(done, total int) {
		if calls++; total != chunk+1 || done != min(calls*chunk, total) {
			t.Errorf("%d of %d done", done, total)
		}
	}
	layers, err := Measure(t.Context(), p, newTeam(t, 2), data.NewSymbols(ids[:o.Need()]), o)
	if err != nil || len(layers) != 2 || calls != 2 {
		t.Fatalf("%d layers, %d calls, error %v", len(layers), calls, err)
	}
	for _, l := range layers {
		if len(l.Gates) != 2 || l.Gates[0].Name != "i" || l.Gates[1].Name != "f" {
			t.Errorf("gates %v", l.Gates)
		}
	}
}

// A tape does not grow with the lags as far as there are rows to leave out.
func TestChunks(t *testing.T) {
	_, ids := text(t, 3000)
	for _, test := range []struct{ lags, want int }{{1, 32}, {128, 32}, {129, 31}, {1000, 4}, {2500, 1}, {MaxLags, 1}} {
		o := Options{Lags: test.lags, Rows: 40}
		if o.chunk() != test.want {
			t.Errorf("%d lags: %d rows at once, want %d", test.lags, o.chunk(), test.want)
		}
		if o.Need() > len(ids) {
			continue
		}
		if err := o.rows(t.Context(), data.NewSymbols(ids), func(_, n int, x, y []int32) error {
			if n > test.want || len(x) != n*(Warm+o.Lags) || len(y) != len(x) {
				t.Fatalf("%d lags: %d rows at once of %d symbols", test.lags, n, len(x))
			}
			return nil
		}); err != nil {
			t.Error(err)
		}
	}
}
