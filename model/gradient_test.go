package model

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"sluice/data"
	"sluice/internal/ref"
	"sluice/nn"
)

func wide(x []float32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}

// maskOf is the dropout mask (n, width) of a layer, row by row from its keys.
func maskOf(key *nn.Key, p float64, layer uint64, b Batch, width int) []float64 {
	var random nn.Random
	n := b.T * b.B
	m := make([]float32, n*width)
	for i := range m {
		m[i] = 1
	}
	for i := range n {
		if key != nil && p > 0 {
			random.Dropout(m[i*width:(i+1)*width], float32(p), nn.Key{Seed: key.Seed, Step: key.Step, Layer: layer, Row: uint64(i%b.B)<<32 | uint64(i/b.B)})
		}
	}
	return wide(m)
}

// reference is Gradient in float64: the mean loss, the gradient of each
// tensor, and the states at the end.
func reference(m *Model, b Batch, state []float32, key *nn.Key) (loss float64, grads map[string][]float64, end []float64) {
	w, n, v, e, h := map[string][]float64{}, b.T*b.B, m.Vocab.Size(), m.Embed, m.RNN.Hidden
	grads = map[string][]float64{}
	net := &ref.Net{Cell: m.RNN.Cell, Input: m.RNN.Input, Hidden: h, Layers: m.RNN.Layers, Direction: "forward", Biases: m.RNN.Biases}
	switch net.Cell {
	case "rnn":
		net.Cell = "rnn_tanh"
		if m.RNN.Activation == "relu" {
			net.Cell = "rnn_relu"
		}
	case "gru":
		net.Cell += "_" + string(m.RNN.Reset)
	}
	prefix := ""
	for _, t := range m.Tensors() {
		w[t.Name], grads[t.Name] = wide(t.Data), make([]float64, len(t.Data))
		if i := strings.Index(t.Name, "weight_ih_l0"); i >= 0 {
			prefix = t.Name[:i]
		}
	}
	weightsOf := func(of map[string][]float64, l int) ref.Weights {
		at := func(name string) []float64 { return of[fmt.Sprintf("%s%s_l%d", prefix, name, l)] }
		return ref.Weights{Wx: at("weight_ih"), Wh: at("weight_hh"), Bx: at("bias_ih"), Bh: at("bias_hh")}
	}
	for l := range net.Layers {
		net.Weights = append(net.Weights, weightsOf(w, l))
		if l > 0 {
			net.Masks = append(net.Masks, maskOf(key, m.RNN.Dropout, uint64(l-1), b, h))
		}
	}
	x, xMask, zMask := make([]float64, n*net.Input), maskOf(key, m.Dropout, outside, b, e), maskOf(key, m.Dropout, outside+1, b, h)
	for i, id := range b.IDs {
		if e == 0 {
			x[i*v+int(id)] = 1
		}
		for j := range e {
			x[i*e+j] = w["embed.weight"][int(id)*e+j] * xMask[i*e+j]
		}
	}
	run := net.Forward(x, b.T, b.B, nil, wide(state))
	logits, z, targets := make([]float64, n*v), make([]float64, n*h), make([]int, n)
	for i := range n {
		targets[i] = int(b.Targets[i])
		for j := range h {
			z[i*h+j] = run.Y[i*h+j] * zMask[i*h+j]
		}
		for k := range v {
			logits[i*v+k] = w["head.bias"][k]
			for j := range h {
				logits[i*v+k] += w["head.weight"][k*h+j] * z[i*h+j]
			}
		}
	}
	loss, dlogits := ref.SoftmaxCrossEntropy(logits, targets)
	dy := make([]float64, n*h)
	for i := range n {
		for k := range v {
			d := dlogits[i*v+k]
			grads["head.bias"][k] += d
			for j := range h {
				grads["head.weight"][k*h+j] += d * z[i*h+j]
				dy[i*h+j] += d * w["head.weight"][k*h+j] * zMask[i*h+j]
			}
		}
	}
	back := run.Backward(dy, nil)
	for l, got := range back.Weights {
		into := weightsOf(grads, l)
		copy(into.Wx, got.Wx)
		copy(into.Wh, got.Wh)
		copy(into.Bx, got.Bx)
		copy(into.Bh, got.Bh)
	}
	for i, id := range b.IDs {
		for j := range e {
			grads["embed.weight"][int(id)*e+j] += back.DX[i*e+j] * xMask[i*e+j]
		}
	}
	return loss, grads, run.Final
}

// problem is a model with a minibatch, some of whose targets are ignored, and
// states to start from.
type problem struct {
	m     *Model
	b     Batch
	state []float32
}

func newProblem(t *testing.T, spec Spec) problem {
	r := rand.New(rand.NewPCG(3, 4))
	m := newModel(t, spec, vocabOf(t, "abcdefg", data.VocabOptions{}))
	const T, B = 6, 9
	p := problem{m, Batch{T: T, B: B, IDs: randomIDs(r, T*B, 7), Targets: randomIDs(r, T*B, 7)}, make([]float32, B*m.RNN.StateSize())}
	p.b.Targets[3], p.b.Targets[T*B-1] = nn.Ignore, nn.Ignore
	for i := range p.state {
		p.state[i] = float32(r.NormFloat64() / 2)
	}
	return p
}

func (p problem) gradient(threads int, key *nn.Key) (nats float64, count int, g, end []float32) {
	team := nn.NewTeam(threads)
	defer team.Close()
	g, end = make([]float32, len(p.m.Params)), slices.Clone(p.state)
	nats, count = NewRunner(p.m.Pack(), team).Gradient(g, p.b, end, key)
	return nats, count, g, end
}

// specs are models with each input, cell and depth, dropout in all places.
func specs() []Spec {
	var all []Spec
	for _, c := range cells() {
		for _, embed := range []int{0, 4} {
			for c.Layers = range 3 {
				if c.Dropout = 0; c.Layers == 2 {
					c.Dropout = 0.4
				}
				if c.Layers > 0 {
					all = append(all, Spec{Task: LM, Embed: embed, Dropout: 0.3, RNN: c})
				}
			}
		}
	}
	return all
}

func TestGradientAgainstReference(t *testing.T) {
	worst := 0.0
	for _, spec := range specs() {
		for _, key := range []*nn.Key{nil, {Seed: 5, Step: 11}} {
			p := newProblem(t, spec)
			name := fmt.Sprintf("%s/dropout=%v", spec.testName(), key != nil)
			nats, count, g, end := p.gradient(2, key)
			loss, grads, final := reference(p.m, p.b, p.state, key)
			if d := math.Abs(nats/float64(count) - loss); count != len(p.b.IDs)-2 || !(d <= 1e-5*loss) {
				t.Errorf("%s: loss %v over %d, want %v over %d", name, nats/float64(count), count, loss, len(p.b.IDs)-2)
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
	}
	t.Logf("the largest difference is %.1e of a tensor's largest", worst)
}

func TestGradientThreads(t *testing.T) {
	for _, spec := range specs() {
		p, key := newProblem(t, spec), &nn.Key{Seed: 5, Step: 11}
		nats, _, g, end := p.gradient(1, key)
		for _, threads := range []int{2, 3, 8} {
			nats2, _, g2, end2 := p.gradient(threads, key)
			if nats2 != nats || !same(g, g2) || !same(end, end2) {
				t.Errorf("%s: %d threads give other bits than one", spec.testName(), threads)
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
		nats, count, g, end := p.gradient(1, nil)
		run, end2 := NewRunner(p.m.Pack(), newTeam(t, 2)), slices.Clone(p.state)
		twice := slices.Clone(g)
		run.Gradient(twice, Batch{T: 2, B: 1, IDs: p.b.IDs[:2], Targets: []int32{nn.Ignore, nn.Ignore}}, nil, &nn.Key{})
		if !same(g, twice) {
			t.Errorf("%s: targets that are all ignored have a gradient", spec.testName())
		}
		if nats2, count2 := run.Loss(p.b, end2); nats2 != nats || count2 != count || !same(end, end2) {
			t.Errorf("%s: Loss %v over %d, Gradient's %v over %d", spec.testName(), nats2, count2, nats, count)
		}
		run.Gradient(twice, p.b, slices.Clone(p.state), nil)
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
		nats, _, _, end := p.gradient(1, nil)
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
		_, _, want, _ := p.gradient(1, key)
		var first []float32
		for _, threads := range []int{1, 2, 3} {
			g := make([]float32, len(want))
			packed := p.m.PackAs(nn.Mixed)
			p.m.Repack(nil, packed)
			NewRunner(packed, newTeam(t, threads)).Gradient(g, p.b, slices.Clone(p.state), key)
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
