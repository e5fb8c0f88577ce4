package model

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"sluice/data"
	"sluice/nn"
	"sluice/optim"
	"sluice/rnn"
)

// cells are each built-in function of a stack, with one bias and with two.
func cells() []rnn.Config {
	var all []rnn.Config
	for _, c := range []rnn.Config{
		{Cell: "rnn"}, {Cell: "rnn", Activation: "relu"}, {Cell: "lstm"},
		{Cell: "gru", Reset: rnn.ResetBefore}, {Cell: "gru", Reset: rnn.ResetAfter},
	} {
		for c.Biases = range 3 {
			if c.Biases > 0 {
				c.Hidden, c.Layers = 5, 1
				all = append(all, c)
			}
		}
	}
	return all
}

// variants are cells that exist for other formats.
func variants() []rnn.Config {
	return []rnn.Config{
		{Cell: "lstm", Peephole: true, Projection: 3, Hidden: 5, Layers: 2, Biases: 1, Dropout: 0.4},
		{Cell: "lstm", Peephole: true, Coupled: true, Clip: 0.75, Activation: "hard_sigmoid(0.3,0.4) softsign tanh", Hidden: 5, Layers: 2, Biases: 2, Dropout: 0.4},
		{Cell: "gru", Reset: rnn.ResetAfter, Activation: "hard_sigmoid tanh", Hidden: 5, Layers: 1, Biases: 2},
	}
}

// gruSpec is the model that most tests here take.
func gruSpec(hidden int) Spec {
	return Spec{Task: LM, RNN: rnn.Config{Cell: "gru", Reset: rnn.ResetAfter, Hidden: hidden, Layers: 1, Biases: 1}}
}

func (s Spec) testName() string {
	c := s.RNN
	return fmt.Sprintf("%s%s%s/P=%d/E=%d/L=%d/biases=%d/cutoffs=%v", c.Cell, c.Reset, c.Activation, c.Projection, s.Embed, c.Layers, c.Biases, s.Cutoffs)
}

func vocabOf(t testing.TB, text string, o data.VocabOptions) *data.Vocab {
	t.Helper()
	v, err := data.BuildVocab(text, o)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// newModel makes a model with random weights.
func newModel(t testing.TB, spec Spec, vocab *data.Vocab) *Model {
	t.Helper()
	m, err := New(spec, Names{Vocab: vocab})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Init(rnn.Init{}, 7); err != nil {
		t.Fatal(err)
	}
	return m
}

func newTeam(t testing.TB, threads int) *nn.Team {
	team := nn.NewTeam(threads)
	t.Cleanup(team.Close)
	return team
}

// learn trains m on text, one row from the zero state, and returns the loss in
// nats per symbol before the first update and before the last.
func learn(t testing.TB, m *Model, text string, updates int) (first, last float64) {
	t.Helper()
	ids, err := m.Vocab.Encode(text)
	if err != nil {
		t.Fatal(err)
	}
	n := len(ids) - 1
	b := Batch{T: n, B: 1, IDs: ids[:n], Targets: ids[1:]}
	p := m.Pack()
	team := newTeam(t, 1)
	run, adam, g := NewRunner(p, team), optim.Rule{Kind: "adam", Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}.New(len(m.Params)), make([]float32, len(m.Params))
	for i := range updates {
		clear(g)
		nats, count := run.Gradient(g, b, nil, Objective{})
		last = nats / float64(count)
		if i == 0 {
			first = last
		}
		optim.ClipNorm(team, g, 1)
		adam.Update(team, m.Params, g, 0.03)
		m.Repack(nil, p)
	}
	return first, last
}

func randomIDs(r *rand.Rand, n, v int) []int32 {
	ids := make([]int32, n)
	for i := range ids {
		ids[i] = int32(r.IntN(v))
	}
	return ids
}

// same says whether two slices have the same bits, but for the sign of zero;
// none here may have a NaN.
func same(a, b []float32) bool { return slices.Equal(a, b) }

func wantError(t *testing.T, err error, want string) {
	t.Helper()
	if got := fmt.Sprint(err); got != want {
		t.Errorf("error\n\t%s\nwant\n\t%s", got, want)
	}
}

func TestSpecValidate(t *testing.T) {
	good := gruSpec(4)
	good.RNN.Input = 3
	numbers := Spec{Task: Regress, Features: 3, Outputs: 2, RNN: good.RNN}
	tied := good
	tied.Tied, tied.Embed, tied.InputDropout, tied.EmbeddingDropout = true, 4, 0.5, 0.5
	for _, s := range []Spec{good, numbers, tied} {
		if err := s.Validate(); err != nil {
			t.Error(err)
		}
	}
	for _, c := range []struct {
		spec   Spec
		change func(*Spec)
		want   string
	}{
		{good, func(s *Spec) { s.Task = "tags" }, `model: task "tags": want one of classify, forecast, lm, regress, tag`},
		{good, func(s *Spec) { s.Embed = -1 }, "model: embedding of width -1: want 0 to 1048576"},
		{good, func(s *Spec) { s.Embed = MaxEmbed + 1 }, "model: embedding of width 1048577: want 0 to 1048576"},
		{good, func(s *Spec) { s.OutputDropout = 1 }, "model: output dropout 1: want a number in [0, 1)"},
		{good, func(s *Spec) { s.OutputDropout = -0.1 }, "model: output dropout -0.1: want a number in [0, 1)"},
		{tied, func(s *Spec) { s.InputDropout = 1 - 1e-12 }, "model: input dropout 0.999999999999: want a number in [0, 1)"},
		{tied, func(s *Spec) { s.EmbeddingDropout = math.NaN() }, "model: embedding dropout NaN: want a number in [0, 1)"},
		{good, func(s *Spec) { s.InputDropout = 0.1 }, "model: input dropout 0.1: acts on embeddings or numbers, and inputs are one-hot"},
		{good, func(s *Spec) { s.EmbeddingDropout = 0.1 }, "model: embedding dropout 0.1: acts on an embedding, and there is none"},
		{numbers, func(s *Spec) { s.EmbeddingDropout = 0.1 }, "model: embedding dropout 0.1: acts on an embedding, and there is none"},
		{tied, func(s *Spec) { s.Embed = 5 }, "model: tied embedding of width 5: want 4, what the head reads"},
		{good, func(s *Spec) { s.Tied = true }, "model: tied embedding of width 0: want 4, what the head reads"},
		{numbers, func(s *Spec) { s.Tied = true }, "model: tied embedding of width 0: the head of task regress has no symbols"},
		{good, func(s *Spec) { s.RNN.Hidden = 0 }, "rnn: hidden 0: want 1 to 16777216"},
		{good, func(s *Spec) { s.RNN.Direction = rnn.Backward }, "model: a backward language model would read the symbols it is to predict: want direction forward"},
		{good, func(s *Spec) { s.RNN.Direction = rnn.Bidirectional }, "model: a bidirectional language model would read the symbols it is to predict: want direction forward"},
		{numbers, func(s *Spec) { s.RNN.Direction = rnn.Bidirectional }, "model: a bidirectional stack has read one step where its last output is: want direction forward"},
		{good, func(s *Spec) { s.RNN.Direction = "sideways" }, `rnn: direction "sideways": want forward, backward, bidirectional`},
		{tied, func(s *Spec) { s.Cutoffs = []int{1} }, "model: cutoffs [1] beside a tied embedding: an adaptive softmax has weights of its own, want one of the two"},
		{good, func(s *Spec) { s.Cutoffs = []int{0} }, "nn: adaptive softmax: cutoff 0 at 0: want 1 to 2147483646"},
		{good, func(s *Spec) { s.Cutoffs = []int{2, 2} }, "nn: adaptive softmax: cutoff 2 at 1: want 3 to 2147483646"},
		{good, func(s *Spec) { s.Cutoffs = []int{1, 2} }, "nn: adaptive softmax: cluster 1 of width 4 / 4^2: want at least 1"},
		{numbers, func(s *Spec) { s.Cutoffs = []int{1} }, "model: cutoffs [1]: act on symbols, and task regress has none to say"},
		{good, func(s *Spec) { s.Outputs = 1 }, "model: 1 outputs: of task regress, and this is lm"},
		{numbers, func(s *Spec) { s.Outputs = 0 }, "model: 0 outputs: want 1 or more values of a regression"},
		{numbers, func(s *Spec) { s.Outputs = -1 }, "model: -1 outputs: want 0 to 16777216"},
		{numbers, func(s *Spec) { s.Features = 0 }, "model: inputs of 0 numbers: want 1 or more to regress from"},
		{numbers, func(s *Spec) { s.Features = 1<<24 + 1 }, "model: inputs of 16777217 numbers: want 0 to 16777216"},
		{numbers, func(s *Spec) { s.Task = LM }, "model: inputs of 3 numbers: a language model reads symbols"},
	} {
		s := c.spec
		c.change(&s)
		wantError(t, s.Validate(), c.want)
		vocab := vocabOf(t, "abc", data.VocabOptions{})
		if s.Task == Regress || s.Features > 0 {
			vocab = nil
		}
		if _, err := New(s, Names{Vocab: vocab}); fmt.Sprint(err) != c.want {
			t.Errorf("New: error %v, want %s", err, c.want)
		}
	}
	_, err := New(good, Names{})
	wantError(t, err, "model: task lm without a vocabulary")
	above := good
	above.Cutoffs = []int{3}
	_, err = New(above, Names{Vocab: vocabOf(t, "abc", data.VocabOptions{})})
	wantError(t, err, "nn: adaptive softmax: cutoff 3 at 0: want 1 to 2")
	_, err = New(numbers, Names{Vocab: vocabOf(t, "abc", data.VocabOptions{})})
	wantError(t, err, "model: a vocabulary and inputs of 3 numbers: want one of them")
}

// The parameters are one flat vector, each tensor a stretch of it, one after
// another without a gap.
func TestTensors(t *testing.T) {
	vocab := vocabOf(t, "abcdefg", data.VocabOptions{})
	for _, c := range cells() {
		for _, embed := range []int{0, 3} {
			c.Layers = 2
			m := newModel(t, Spec{Task: LM, Embed: embed, RNN: c}, vocab)
			at := 0
			for _, tensor := range m.Tensors() {
				if len(tensor.Data) != nn.Elements(tensor.Shape) || &tensor.Data[0] != &m.Params[at] {
					t.Errorf("%s: %s has %d values, at %d of Params or elsewhere", m.testName(), tensor.Name, len(tensor.Data), at)
				}
				at += len(tensor.Data)
			}
			if at != m.Size() || at != len(m.Params) || at != m.Pack().size {
				t.Errorf("%s: tensors of %d values, Size %d, Params of %d", m.testName(), at, m.Size(), len(m.Params))
			}
		}
	}
}

// Init is a function of the seed, and each kind reaches what stands around
// the stack.
func TestInit(t *testing.T) {
	spec := gruSpec(16)
	spec.Embed = 8
	vocab := vocabOf(t, "abcdefghijklmnopqrstuvwxyz", data.VocabOptions{})
	for _, c := range []struct {
		init             rnn.Init
		embed, head      float64 // the largest that is plausible
		zeroBias, bounds bool
	}{
		{rnn.Init{}, 6, 0.25, false, true},
		{rnn.Init{Kind: "normal", Sigma: 0.01}, 0.06, 0.06, true, false},
		{rnn.Init{Kind: "xavier"}, 0.421, 0.379, true, true},
	} {
		m, other := newModel(t, spec, vocab), newModel(t, spec, vocab)
		for i, seed := range []uint64{1, 1, 2} {
			if err := other.Init(c.init, seed); err != nil {
				t.Fatal(err)
			}
			if i == 0 {
				copy(m.Params, other.Params)
			} else if same(m.Params, other.Params) != (seed == 1) {
				t.Errorf("%v: seed %d against seed 1: same bits, or not, wrongly", c.init, seed)
			}
		}
		for _, tensor := range m.Tensors() {
			low, high := slices.Min(tensor.Data), slices.Max(tensor.Data)
			limit, ok := map[string]float64{"embed.weight": c.embed, "head.weight": c.head, "head.bias": c.head}[tensor.Name]
			switch {
			case !ok:
			case len(tensor.Shape) == 1 && c.zeroBias:
				if low != 0 || high != 0 {
					t.Errorf("%v: %s in [%v, %v], want 0", c.init, tensor.Name, low, high)
				}
			case float64(high) > limit || float64(low) < -limit || float64(high) < limit/4 || float64(low) > -limit/4:
				t.Errorf("%v: %s in [%v, %v], want about ±%v", c.init, tensor.Name, low, high, limit)
			}
		}
	}
	m := newModel(t, spec, vocab)
	tensors := m.Tensors()
	if w, b := tensors[len(tensors)-2].Data, tensors[len(tensors)-1].Data; w[0] == b[0] {
		t.Errorf("head.weight and head.bias both begin with %v: one stream for two tensors", w[0])
	}
	wantError(t, m.Init(rnn.Init{Kind: "ones"}, 1), `rnn: init "ones": want pytorch, normal, xavier`)
}

func TestPanics(t *testing.T) {
	vocab := vocabOf(t, "abc", data.VocabOptions{})
	m, other := newModel(t, gruSpec(3), vocab), newModel(t, gruSpec(4), vocab)
	run := NewRunner(m.Pack(), newTeam(t, 1))
	b := Batch{T: 1, B: 2, IDs: []int32{0, 1}, Targets: []int32{1, 2}}
	for _, c := range []struct {
		f    func()
		want string
	}{
		{func() { m.Repack(nil, other.Pack()) }, "model: Repack: the Packed is of another model"},
		{func() { m.PackAs(nn.Int8) }, "model: PackAs: int8 of a model of float32"},
		{func() { run.Gradient(make([]float32, 5), b, nil, Objective{}) }, fmt.Sprintf("model: Gradient: g has 5 values, want %d", m.Size())},
		{func() { run.Loss(Batch{T: 2, B: 2, IDs: b.IDs, Targets: b.Targets}, nil) }, "model: a batch of 2 symbols, want 2 × 2"},
		{func() { run.Loss(Batch{T: 1, B: 2, IDs: []int32{0, 3}, Targets: b.Targets}, nil) }, "rnn: Forward: symbol 3 at step 0 of row 1, want 0 to 2"},
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); got != c.want {
					t.Errorf("panic\n\t%s\nwant\n\t%s", got, c.want)
				}
			}()
			c.f()
		}()
	}
}
