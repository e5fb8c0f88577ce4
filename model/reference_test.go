package model

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"sluice/internal/ref"
	"sluice/nn"
	"sluice/rnn"
)

func wide(x []float32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}

// maskOf is a dropout mask (n, width), row by row from its keys, rows to a step.
func maskOf(key *nn.Key, p float64, layer uint64, n, rows, width int, locked bool) []float64 {
	var random nn.Random
	m := make([]float32, n*width)
	for i := range m {
		m[i] = 1
	}
	for i := range n {
		step := uint64(i / rows)
		if locked {
			step = 0
		}
		if key != nil && p > 0 {
			random.Dropout(m[i*width:(i+1)*width], float32(p), nn.Key{Seed: key.Seed, Step: key.Step, Layer: layer, Row: uint64(i%rows)<<32 | step})
		}
	}
	return wide(m)
}

// wordsOf is the mask (V) of an embedding, nil if it has none.
func wordsOf(m *Model, key *nn.Key) []float64 {
	if key == nil || m.EmbeddingDropout == 0 {
		return nil
	}
	v := m.Vocab.Size()
	mask := make([]float32, v)
	var random nn.Random
	for i := 0; i < v; i += 4096 {
		random.Dropout(mask[i:min(v, i+4096)], float32(m.EmbeddingDropout), nn.Key{Seed: key.Seed, Step: key.Step, Layer: embeddingStream, Row: uint64(i / 4096)})
	}
	return wide(mask)
}

// given are masks that the reference is told, each nil for none.
type given struct {
	words        []float64   // (V) of the embedding
	weights      [][]float64 // (L) of (G·H, H)
	zoneH, zoneC [][]float64 // (L) of (T, B, H): the shares of the old state that stay
}

// given are the masks of gradient that the reference cannot draw: of words by
// their key, of weights as MaskGradient has them, and of states that stay as a
// tape shows them.
func (p problem) given(t *testing.T, o Objective, drops *nn.Key) given {
	m, c := p.m, p.m.RNN
	team := nn.NewTeam(1)
	defer team.Close()
	packed, got := m.Pack(), given{words: wordsOf(m, drops)}
	if drops != nil {
		m.RepackDropped(team, packed, *drops)
	}
	ones := slices.Repeat([]float32{1}, m.Size())
	packed.MaskGradient(team, ones)
	for _, tensor := range m.Tensors() {
		own := ones[:len(tensor.Data)]
		if ones = ones[len(own):]; c.WeightDrop > 0 && strings.Contains(tensor.Name, "weight_hh_l") {
			got.weights = append(got.weights, wide(own))
		}
	}
	run := NewRunner(packed, team)
	run.tape.Dropout = o.Dropout
	run.forward(p.b, slices.Clone(p.state), &run.tape, o.Dropout, false)
	for l := 0; l < c.Layers && c.Zoneout > 0; l++ {
		got.zoneH = append(got.zoneH, p.shares(run, c.Zoneout, l, 0, "h"))
	}
	for l := 0; l < c.Layers && c.ZoneoutCell > 0; l++ {
		got.zoneC = append(got.zoneC, p.shares(run, c.ZoneoutCell, l, 1, "c"))
	}
	masks := got.weights
	if o.Dropout != nil {
		masks = slices.Concat(masks, got.zoneH, got.zoneC)
	}
	for i, mask := range masks {
		if slices.Min(mask) != 0 || slices.Max(mask) == 0 {
			t.Errorf("mask %d of %d drops nothing, or all", i, len(masks))
		}
	}
	return got
}

// shares (T, B, H) are those of a state vector that stay: all of the units that
// have not moved in training, else the rate.
func (p problem) shares(run *Runner, rate float64, l, v int, vector string) (all []float64) {
	size, at := p.m.RNN.StateSize(), v*p.m.RNN.HSize()
	h := run.tape.Width(vector)
	now, before := make([]float32, h), make([]float32, h)
	for i := range p.b.T * p.b.B {
		step, row := i/p.b.B, i%p.b.B
		if step == 0 {
			copy(before, p.state[row*size+(l*size/p.m.RNN.Layers+at):])
		} else {
			run.tape.At(before, l, 0, vector, step-1, row)
		}
		run.tape.At(now, l, 0, vector, step, row)
		for j := range now {
			switch {
			case run.tape.Dropout == nil:
				all = append(all, rate)
			case now[j] == before[j]:
				all = append(all, 1)
			default:
				all = append(all, 0)
			}
		}
	}
	return all
}

// word is what row id of the embedding is multiplied by.
func (g given) word(id int32) float64 {
	if g.words == nil {
		return 1
	}
	return g.words[id]
}

// referenceNet is the stack of m with weights w, under the names of tensors.
func referenceNet(m *Model, w map[string][]float64, g given) (net *ref.Net, weightsOf func(of map[string][]float64, l int) ref.Weights) {
	net = &ref.Net{Cell: m.RNN.Cell, Input: m.RNN.Input, Hidden: m.RNN.Hidden, Layers: m.RNN.Layers, Direction: "forward", Biases: m.RNN.Biases, LayerNorm: m.RNN.LayerNorm, Projection: m.RNN.Projection, Peephole: m.RNN.Peephole, Options: referenceOptions(m.RNN), WeightMasks: g.weights, ZoneH: g.zoneH, ZoneC: g.zoneC}
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
	for name := range w {
		if i := strings.Index(name, "weight_ih_l0"); i >= 0 {
			prefix = name[:i]
		}
	}
	weightsOf = func(of map[string][]float64, l int) ref.Weights {
		at := func(name string) []float64 { return of[fmt.Sprintf("%s%s_l%d", prefix, name, l)] }
		return ref.Weights{
			Wx: at("weight_ih"), Wh: at("weight_hh"), Bx: at("bias_ih"), Bh: at("bias_hh"), Whr: at("weight_hr"), Peep: at("weight_peephole"),
			GainX: at("weight_ih_norm"), GainH: at("weight_hh_norm"), GainC: at("weight_c_norm"), BiasC: at("bias_c_norm"),
		}
	}
	for l := range net.Layers {
		net.Weights = append(net.Weights, weightsOf(w, l))
	}
	return net, weightsOf
}

// referenceOptions are what the activations, clipping and coupled gates of variants
// are to the reference.
func referenceOptions(c rnn.Config) ref.Options {
	o := ref.Options{Clip: c.Clip, Coupled: c.Coupled}
	switch c.Activation {
	case "hard_sigmoid(0.3,0.4) softsign tanh":
		o.Acts = []ref.Act{{Name: "hard_sigmoid", Alpha: 0.3, Beta: 0.4}, {Name: "softsign"}, {Name: "tanh"}}
	case "hard_sigmoid tanh":
		o.Acts = []ref.Act{{Name: "hard_sigmoid", Alpha: 0.2, Beta: 0.5}, {Name: "tanh"}}
	}
	return o
}

// referenceInput is what the stack reads (T, B, X), and its mask.
func referenceInput(m *Model, b Batch, w map[string][]float64, key *nn.Key, g given) (x, mask []float64) {
	n, width := b.T*b.B, m.RNN.Input
	x, mask = make([]float64, n*width), maskOf(key, m.InputDropout, inputStream, n, b.B, width, m.RNN.Locked)
	for i := range n {
		for j := range width {
			switch {
			case m.Features > 0:
				x[i*width+j] = float64(b.Data[i*width+j]) * mask[i*width+j]
			case m.Embed > 0:
				id := int(b.IDs[i])
				x[i*width+j] = w["embed.weight"][id*width+j] * g.word(b.IDs[i]) * mask[i*width+j]
			case int(b.IDs[i]) == j:
				x[i*width+j] = 1
			}
		}
	}
	return x, mask
}

// reference is Gradient in float64: the mean loss of the task, the gradient of
// each tensor, and the states at the end.
func reference(m *Model, b Batch, state []float32, o Objective, g given) (loss float64, grads map[string][]float64, end []float64) {
	w, grads := map[string][]float64{}, map[string][]float64{}
	for _, t := range m.Tensors() {
		w[t.Name], grads[t.Name] = wide(t.Data), make([]float64, len(t.Data))
	}
	if m.Tied {
		w["head.weight"], grads["head.weight"] = w["embed.weight"], grads["embed.weight"]
	}
	net, weightsOf := referenceNet(m, w, g)
	n, h := b.T*b.B, net.Width()
	for l := range net.Layers - 1 {
		net.Masks = append(net.Masks, maskOf(o.Dropout, m.RNN.Dropout, uint64(l), n, b.B, h, m.RNN.Locked))
	}
	x, xMask := referenceInput(m, b, w, o.Dropout, g)
	run := net.Forward(x, b.T, b.B, b.Lengths, wide(state))

	var rows []int // of y, that the head reads
	for i := range n {
		if m.Task == LM {
			rows = append(rows, i)
		}
	}
	for i := 0; i < b.B && m.Task == Regress; i++ {
		rows = append(rows, (run.Lengths[i]-1)*b.B+i)
	}
	z, zMask := make([]float64, len(rows)*h), maskOf(o.Dropout, m.OutputDropout, outputStream, len(rows), b.B, h, m.RNN.Locked)
	for i, row := range rows {
		for j := 0; j < h && row >= 0; j++ {
			z[i*h+j] = run.Y[row*h+j] * zMask[i*h+j]
		}
	}
	var dz []float64
	if len(m.Cutoffs) > 0 {
		loss, dz = referenceAdaptive(m, b, w, grads, z)
	} else {
		loss, dz = referenceLinear(m, b, w, grads, z, rows, o.Smoothing)
	}
	_, dAR := ref.Activation(z, o.AR)
	_, dy := ref.TemporalActivation(run.Y, b.T, b.B, h, b.Lengths, o.TAR)
	for i, row := range rows {
		for j := 0; j < h && row >= 0; j++ {
			dy[row*h+j] += (dz[i*h+j] + dAR[i*h+j]) * zMask[i*h+j]
		}
	}
	back := run.Backward(dy, nil)
	for l, got := range back.Weights {
		into := weightsOf(grads, l)
		copy(into.Wx, got.Wx)
		copy(into.Wh, got.Wh)
		copy(into.Bx, got.Bx)
		copy(into.Bh, got.Bh)
		copy(into.Whr, got.Whr)
		copy(into.Peep, got.Peep)
		copy(into.GainX, got.GainX)
		copy(into.GainH, got.GainH)
		copy(into.GainC, got.GainC)
		copy(into.BiasC, got.BiasC)
	}
	for i, id := range b.IDs {
		for j := range m.Embed {
			at := i*m.Embed + j
			grads["embed.weight"][int(id)*m.Embed+j] += back.DX[at] * xMask[at] * g.word(id)
		}
	}
	return loss, grads, run.Final
}

// referenceLinear is a linear head of rows z (R, H): the loss of the task, the
// gradient of z, and into grads those of its tensors.
func referenceLinear(m *Model, b Batch, w, grads map[string][]float64, z []float64, rows []int, smoothing float64) (loss float64, dz []float64) {
	h, k := m.RNN.HSize(), len(w["head.bias"])
	out := make([]float64, 0, len(rows)*k)
	for i := range rows {
		for k, sum := range w["head.bias"] {
			for j := range h {
				sum += w["head.weight"][k*h+j] * z[i*h+j]
			}
			out = append(out, sum)
		}
	}
	loss, dOut := referenceLoss(m, b, out, rows, smoothing)
	dz = make([]float64, len(z))
	for i := range rows {
		for k, d := range dOut[i*k : (i+1)*k] {
			grads["head.bias"][k] += d
			for j := range h {
				grads["head.weight"][k*h+j] += d * z[i*h+j]
				dz[i*h+j] += d * w["head.weight"][k*h+j]
			}
		}
	}
	return loss, dz
}

// referenceHead is the adaptive softmax of weights under the names of tensors.
func referenceHead(m *Model, w map[string][]float64) *ref.Adaptive {
	a := &ref.Adaptive{In: m.RNN.Hidden, Classes: m.Vocab.Size(), Cutoffs: m.Cutoffs, Head: w["head.head.weight"], Bias: w["head.head.bias"]}
	for _, tail := range tailNames(m) {
		a.Projections = append(a.Projections, w[tail[0]])
		a.Tails = append(a.Tails, w[tail[1]])
	}
	return a
}

// tailNames are the tensors of each cluster.
func tailNames(m *Model) (names [][2]string) {
	for i := range m.Cutoffs {
		names = append(names, [2]string{fmt.Sprintf("head.tail.%d.0.weight", i), fmt.Sprintf("head.tail.%d.1.weight", i)})
	}
	return names
}

// referenceAdaptive is referenceLinear of an adaptive softmax.
func referenceAdaptive(m *Model, b Batch, w, grads map[string][]float64, z []float64) (loss float64, dz []float64) {
	targets := make([]int, len(b.Targets))
	for i, target := range b.Targets {
		targets[i] = int(target)
	}
	loss, da, dz := referenceHead(m, w).Gradient(z, targets)
	grads["head.head.weight"], grads["head.head.bias"] = da.Head, da.Bias
	for i, tail := range tailNames(m) {
		grads[tail[0]], grads[tail[1]] = da.Projections[i], da.Tails[i]
	}
	return loss, dz
}

// referenceLoss is the loss of the outputs of rows (-1 for a row without a step)
// and the gradient of what is minimised.
func referenceLoss(m *Model, b Batch, out []float64, rows []int, smoothing float64) (loss float64, dOut []float64) {
	if m.Task == Regress {
		var counts []bool
		for _, row := range rows {
			for range m.Outputs {
				counts = append(counts, row >= 0)
			}
		}
		return ref.SquaredError(out, wide(b.Values), counts)
	}
	targets := make([]int, len(rows))
	for i := range rows {
		targets[i] = int(b.Targets[i])
	}
	loss, dOut = ref.SoftmaxCrossEntropy(out, targets)
	if smoothing > 0 {
		_, dOut = ref.SmoothedCrossEntropy(out, targets, smoothing)
	}
	return loss, dOut
}
