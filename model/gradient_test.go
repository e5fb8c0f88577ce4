package model

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"sluice/data"
	"sluice/internal/kernel"
	"sluice/nn"
	"sluice/rnn"
)

// problem is a model with a minibatch, some of whose targets are ignored, and
// states to start from.
type problem struct {
	m     *Model
	b     Batch
	state []float32
}

func newProblem(t *testing.T, spec Spec) problem {
	const T, B = 6, 9
	r := rand.New(rand.NewPCG(3, 4))
	var vocab *data.Vocab
	if spec.Features == 0 {
		vocab = vocabOf(t, "abcdefg", data.VocabOptions{})
	}
	m := newModel(t, spec, vocab)
	p := problem{m, Batch{T: T, B: B}, make([]float32, B*m.RNN.StateSize())}
	normal := func(x []float32, sigma float64) []float32 {
		for i := range x {
			x[i] = float32(r.NormFloat64() * sigma)
		}
		return x
	}
	if vocab == nil {
		p.b.Data, p.b.Values = normal(make([]float32, T*B*spec.Features), 1), normal(make([]float32, B*spec.Outputs), 1)
		p.b.Lengths = []int{6, 0, 1, 2, 3, 4, 5, 6, 6}
	} else {
		p.b.IDs, p.b.Targets = randomIDs(r, T*B, 7), randomIDs(r, T*B, 7)
		p.b.Targets[3], p.b.Targets[T*B-1] = nn.Ignore, nn.Ignore
	}
	normal(p.state, 0.5)
	for _, tensor := range m.Tensors() { // gains start from 1
		if strings.Contains(tensor.Name, "_norm_l") {
			kernel.AddTo(tensor.Data, normal(make([]float32, len(tensor.Data)), 0.3))
		}
	}
	return p
}

// gradient is that of the objective, with the words and the recurrent weights of
// a key dropped.
func (p problem) gradient(threads int, o Objective, drops *nn.Key) (sum float64, count int, g, end []float32) {
	team := nn.NewTeam(threads)
	defer team.Close()
	packed := p.m.Pack()
	if drops != nil {
		p.m.RepackDropped(team, packed, *drops)
	}
	g, end = make([]float32, len(p.m.Params)), slices.Clone(p.state)
	sum, count = NewRunner(packed, team).Gradient(g, p.b, end, o)
	if drops != nil {
		packed.MaskGradient(team, g)
	}
	return sum, count, g, end
}

// specs are language models with each input, cell and depth, dropout in all
// places, and some with an adaptive softmax.
func specs() []Spec {
	var all []Spec
	for _, c := range cells() {
		for _, embed := range []int{0, 4} {
			for c.Layers = range 3 {
				if c.Dropout = 0; c.Layers == 2 {
					c.Dropout = 0.4
				}
				s := Spec{Task: LM, Embed: embed, OutputDropout: 0.3, RNN: c}
				if embed > 0 {
					s.InputDropout = 0.3
				}
				if c.Layers > 0 {
					all = append(all, s)
				}
			}
		}
	}
	lstm := rnn.Config{Cell: "lstm", Hidden: 17, Layers: 1, Biases: 1}
	for _, c := range variants() {
		all = append(all, Spec{Task: LM, Embed: 4, InputDropout: 0.3, OutputDropout: 0.3, RNN: c})
	}
	return append(all,
		Spec{Task: LM, Cutoffs: []int{1, 3}, OutputDropout: 0.3, RNN: lstm},
		Spec{Task: LM, Embed: 4, Cutoffs: []int{3}, InputDropout: 0.3, OutputDropout: 0.3, RNN: lstm})
}

// regressions are models of numbers, of each cell.
func regressions() []Spec {
	var all []Spec
	for i, c := range cells() {
		if c.Layers = 1 + i%2; c.Layers == 2 {
			c.Dropout = 0.4
		}
		c.Locked = i%3 == 0
		all = append(all, Spec{Task: Regress, Features: 3, Outputs: 1 + i%3, InputDropout: 0.2, OutputDropout: 0.3, RNN: c})
	}
	return all
}

// option is a model with an objective.
type option struct {
	Spec
	o     Objective
	drops bool // words and recurrent weights
}

func (c option) testName() string {
	s := c.Spec
	return fmt.Sprintf("%s/%s/dropout=%v,%v,%v/locked=%v/tied=%v/stack=%v,%v,%v,%v/objective=%v,%v,%v,%v", s.Task, s.testName(), s.InputDropout, s.OutputDropout, s.EmbeddingDropout, s.RNN.Locked, s.Tied,
		s.RNN.Zoneout, s.RNN.ZoneoutCell, s.RNN.WeightDrop, s.RNN.LayerNorm,
		c.o.Dropout != nil, c.o.Smoothing, c.o.AR, c.o.TAR)
}

// options are every option of training, one by one and together, each with a
// folded embedding and a gathered one where that is a question.
func options() []option {
	key := &nn.Key{Seed: 5, Step: 11}
	var all []option
	for _, s := range append(specs(), regressions()...) {
		all = append(all, option{s, Objective{}, false}, option{s, Objective{Dropout: key}, false})
	}
	for _, r := range regressions() {
		all = append(all, option{r, Objective{AR: 2, TAR: 1}, false}, option{r, Objective{Dropout: key, AR: 2, TAR: 1}, false})
	}
	lstm, gru := specs()[18], specs()[34]
	lstm.RNN.Layers, lstm.RNN.Dropout, lstm.RNN.Biases = 2, 0.4, 2
	adaptive := lstm
	adaptive.Cutoffs = []int{4}
	for _, s := range []Spec{lstm, gru, adaptive} {
		s.InputDropout, s.OutputDropout, s.Embed = 0, 0, 4
		plain := s
		for _, o := range []Objective{{Smoothing: 0.1}, {AR: 2}, {TAR: 1}, {Smoothing: 0.2, AR: 3, TAR: 2}} {
			if o.Smoothing == 0 || s.Cutoffs == nil {
				all = append(all, option{plain, o, false})
			}
		}
		for _, tied := range []bool{false, true} {
			if s = plain; tied && s.Cutoffs != nil {
				continue
			} else if tied {
				s.Tied, s.Embed = true, s.RNN.OutputSize()
				all = append(all, option{s, Objective{}, false})
			}
			s.EmbeddingDropout = 0.5
			all = append(all, option{s, Objective{}, true}, option{s, Objective{Dropout: key}, true})
			for _, locked := range []bool{false, true} {
				s.RNN.Locked, s.InputDropout, s.OutputDropout = locked, 0.3, 0.4
				o := Objective{Dropout: key, Smoothing: 0.1, AR: 2, TAR: 1}
				if s.Cutoffs != nil {
					o.Smoothing = 0
				}
				all = append(all, option{s, Objective{Dropout: key}, false}, option{s, o, true})
			}
		}
	}
	return append(all, regularised()...)
}

// regularised are models of each cell with all that drops and stays, without layer
// norm and with it.
func regularised() (all []option) {
	key := &nn.Key{Seed: 5, Step: 11}
	for i, c := range append(cells(), variants()...) {
		c.Layers, c.Dropout, c.Locked, c.Zoneout, c.WeightDrop = 2, 0.4, i%3 == 0, 0.3, 0.4
		if c.Cell == "lstm" {
			c.ZoneoutCell = 0.2
		}
		for _, c.LayerNorm = range []bool{false, true} {
			if c.LayerNorm && (c.Activation == "relu" || c.Validate() != nil) {
				continue // an h of zeros has a steep norm: float32 has few digits of it
			}
			s, o := Spec{Task: LM, Embed: 4, InputDropout: 0.3, OutputDropout: 0.3, EmbeddingDropout: 0.5, RNN: c}, Objective{Dropout: key, Smoothing: 0.1, AR: 2, TAR: 1}
			if i%2 == 0 {
				s.Tied, s.Embed = true, c.OutputSize()
			} else if c.LayerNorm {
				s.Cutoffs, o.Smoothing = []int{4}, 0
			}
			numbers := Spec{Task: Regress, Features: 3, Outputs: 2, InputDropout: 0.2, OutputDropout: 0.3, RNN: c}
			all = append(all, option{s, o, true}, option{s, Objective{}, true}, option{numbers, Objective{Dropout: key}, true})
		}
	}
	return all
}

func (c option) key() *nn.Key {
	if c.drops {
		return &nn.Key{Seed: 5, Step: 12}
	}
	return nil
}

func TestGradientAgainstReference(t *testing.T) {
	worst := 0.0
	for _, c := range options() {
		p, name := newProblem(t, c.Spec), c.testName()
		sum, count, g, end := p.gradient(2, c.o, c.key())
		loss, grads, final := reference(p.m, p.b, p.state, c.o, p.given(t, c.o, c.key()))
		want := len(p.b.IDs) - 2
		if c.Task == Regress {
			want = (p.b.B - 1) * c.Outputs
		}
		if d := math.Abs(sum/float64(count) - loss); count != want || !(d <= 1e-5*loss) {
			t.Errorf("%s: loss %v over %d, want %v over %d", name, sum/float64(count), count, loss, want)
		}
		see := func(what string, got []float32, want []float64) {
			diff, size := 0.0, 0.0
			for i, v := range want {
				diff, size = max(diff, math.Abs(float64(got[i])-v)), max(size, math.Abs(v))
			}
			if worst = max(worst, diff/size); !(diff <= 1e-4*size) || size == 0 {
				t.Errorf("%s: %s is off by %.2g where the largest is %.2g", name, what, diff, size)
			}
		}
		see("state", end, final)
		for _, tensor := range p.m.Tensors() {
			see(tensor.Name, g[:len(tensor.Data)], grads[tensor.Name])
			g = g[len(tensor.Data):]
		}
	}
	t.Logf("the largest difference is %.1e of a tensor's largest", worst)
}

func TestGradientThreads(t *testing.T) {
	for _, c := range options() {
		p := newProblem(t, c.Spec)
		sum, _, g, end := p.gradient(1, c.o, c.key())
		for _, threads := range []int{2, 3, 8} {
			sum2, _, g2, end2 := p.gradient(threads, c.o, c.key())
			if sum2 != sum || !same(g, g2) || !same(end, end2) {
				t.Errorf("%s: %d threads give other bits than one", c.testName(), threads)
			}
		}
	}
}

// Without dropout Loss is that of Gradient, with the same states; Gradient adds
// to what g holds; a Runner takes batches of changing shapes, and no state is
// the zero state.
func TestLoss(t *testing.T) {
	for _, spec := range specs() {
		p := newProblem(t, spec)
		nats, count, g, end := p.gradient(1, Objective{}, nil)
		run, end2 := NewRunner(p.m.Pack(), newTeam(t, 2)), slices.Clone(p.state)
		twice := slices.Clone(g)
		run.Gradient(twice, Batch{T: 2, B: 1, IDs: p.b.IDs[:2], Targets: []int32{nn.Ignore, nn.Ignore}}, nil, Objective{Dropout: &nn.Key{}})
		if !same(g, twice) {
			t.Errorf("%s: targets that are all ignored have a gradient", spec.testName())
		}
		if nats2, count2 := run.Loss(p.b, end2); nats2 != nats || count2 != count || !same(end, end2) {
			t.Errorf("%s: Loss %v over %d, Gradient's %v over %d", spec.testName(), nats2, count2, nats, count)
		}
		run.Gradient(twice, p.b, slices.Clone(p.state), Objective{})
		for i, v := range twice {
			if v-2*g[i] > 1e-6 || 2*g[i]-v > 1e-6 {
				t.Fatalf("%s: gradient %d is %v and %v more", spec.testName(), i, g[i], v-g[i])
			}
		}
		zero, _ := run.Loss(p.b, make([]float32, len(p.state)))
		if none, _ := run.Loss(p.b, nil); none != zero || none == nats {
			t.Errorf("%s: loss %v without a state, %v from the zero state, %v from another", spec.testName(), none, zero, nats)
		}
	}
}

// Step over the rows of a slab, in any order, is what Loss computes.
func TestStepIsLoss(t *testing.T) {
	for _, spec := range specs() {
		p := newProblem(t, spec)
		nats, _, _, end := p.gradient(1, Objective{}, nil)
		run, slab := NewRunner(p.m.Pack(), newTeam(t, 2)), slices.Clone(p.state)
		v, B := p.m.Vocab.Size(), p.b.B
		rows, ids, logits, sum := make([]int32, B), make([]int32, B), nn.Matrix{}.Grow(B, v), 0.0
		ce, targets := nn.CrossEntropy{V: v}, make([]int32, B)
		for step := range p.b.T {
			for i := range B {
				rows[i] = int32((i*4 + step) % B)
				ids[i] = p.b.IDs[step*B+int(rows[i])]
			}
			run.Step(logits, ids, slab, rows)
			for i, row := range rows {
				targets[i] = p.b.Targets[step*B+int(row)]
			}
			nats, _ := ce.Loss(run.team, logits, targets)
			sum += nats
		}
		if !same(slab, end) || !(math.Abs(sum-nats) <= 1e-5*nats) {
			t.Errorf("%s: step by step %v, as a whole %v; states the same: %v", spec.testName(), sum, nats, same(slab, end))
		}
	}
}

// Products of bf16 give the gradient of float32 but for their rounding, on any
// number of threads.
func TestGradientMixed(t *testing.T) {
	for _, spec := range specs() {
		p, key := newProblem(t, spec), &nn.Key{Seed: 5, Step: 11}
		_, _, want, _ := p.gradient(1, Objective{Dropout: key}, nil)
		var first []float32
		for _, threads := range []int{1, 2, 3} {
			g := make([]float32, len(want))
			packed := p.m.PackAs(nn.Mixed)
			p.m.Repack(nil, packed)
			NewRunner(packed, newTeam(t, threads)).Gradient(g, p.b, slices.Clone(p.state), Objective{Dropout: key})
			diff, norm := 0.0, 0.0
			for i, v := range want {
				diff, norm = math.Hypot(diff, float64(g[i]-v)), math.Hypot(norm, float64(v))
			}
			limit := 2e-2
			if spec.RNN.Activation == "relu" {
				limit = 0.1 // its derivative jumps where rounding crosses zero
			}
			if !(diff <= limit*norm) || diff == 0 {
				t.Errorf("%s: off by %.2g of its norm", spec.testName(), diff/norm)
			}
			if first == nil {
				first = g
			}
			if !same(g, first) {
				t.Errorf("%s: %d threads give other bits than one", spec.testName(), threads)
			}
		}
	}
}
