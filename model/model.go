// Package model is what is trained, saved and used: input → recurrent stack →
// head, one file each.
//
// What a model is for is its task, a [Spec] says which: [LM] or [Regress]. A
// [Model] has its parameters in one flat vector. [Model.Pack] makes a
// [Packed] of it, the same weights laid out for running, immutable and safe to
// share. A [Runner] has the scratch of one caller: it scores text, gives
// gradients and steps streams. A [Generator] writes.
// [Model.Quantize] makes a smaller and faster model, for use alone.
//
// The letters are those of package rnn; N = T·B rows.
package model

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"sluice/data"
	"sluice/nn"
	"sluice/rnn"
)

// Model is a trained or trainable model.
type Model struct {
	Spec
	Vocab     *data.Vocab
	History   History
	Params    []float32    // every parameter, one flat vector
	Precision nn.Precision // of the weights as Pack and Write make them: of a model that Quantize made, less than float32

	rnn  *rnn.Network
	task task
	rows layout // embed.weight if any, rnn.…, head.…
}

// part is a named stretch of Params.
type part struct {
	tensor nn.Tensor
	at     int
	stack  int // its place among the stack's tensors; outside of it -1
}

type layout []part

// find is the stretch of that name in x, a flat vector with the layout of
// Params: nil where there is none.
func (l layout) find(x []float32, name string) []float32 {
	for i := range l {
		if l[i].tensor.Name == name {
			return x[l[i].at:][:nn.Elements(l[i].tensor.Shape)]
		}
	}
	return nil
}

// History is how a model was trained, for inspection. It holds no time, host,
// path or number of threads: equal runs have equal files.
type History struct {
	Corpus         string          `json:"corpus,omitempty"`           // the text's name, if it has one
	TextSHA256     string          `json:"text_sha256,omitempty"`      // of the text, before it was split, or what else names the data: see train.Text
	TrainSymbols   int             `json:"train_symbols,omitempty"`    // in the training part
	HeldOutSymbols int             `json:"held_out_symbols,omitempty"` // in the validation part
	Epoch          int             `json:"epoch,omitempty"`            // after which these weights were kept
	Updates        int             `json:"updates,omitempty"`          // made until then
	TrainLoss      float64         `json:"train_loss,omitempty"`       // of these weights on the training part: what Runner.Loss gives, per what counts
	HeldOutLoss    float64         `json:"held_out_loss,omitempty"`    // and on the validation part
	Kept           string          `json:"kept,omitempty"`             // why these weights and no others
	Config         json.RawMessage `json:"config,omitempty"`           // every option of the run
}

// New makes a model with all parameters zero; Init gives them values. One that
// reads numbers has no vocabulary: nil.
func New(spec Spec, vocab *data.Vocab) (*Model, error) {
	m, err := plan(spec, vocab)
	if err != nil {
		return nil, err
	}
	m.bind()
	return m, nil
}

// plan makes a model without parameters, which costs no memory to speak of.
func plan(spec Spec, vocab *data.Vocab) (*Model, error) {
	v := 0
	switch numbers := spec.Features > 0; {
	case vocab != nil && numbers:
		return nil, fmt.Errorf("model: a vocabulary and inputs of %d numbers: want one of them", spec.Features)
	case vocab != nil:
		v = vocab.Size()
	case !numbers && spec.Task == LM:
		return nil, fmt.Errorf("model: task %s without a vocabulary", spec.Task)
	}
	if spec.RNN.Input = spec.Embed + spec.Features; spec.Embed == 0 && v > 0 {
		spec.RNN.Input = v
	}
	if err := spec.Validate(); err != nil {
		return nil, err
	}
	net, err := rnn.Plan(spec.RNN)
	if err != nil {
		return nil, err
	}
	spec.RNN = net.Config
	if spec.Cutoffs = slices.Clone(spec.Cutoffs); len(spec.Cutoffs) > 0 {
		if err := spec.adaptiveConfig(v).Validate(); err != nil {
			return nil, err
		}
	}
	m := &Model{Spec: spec, Vocab: vocab, rnn: net, task: tasks[spec.Task]}
	size := 0
	add := func(t nn.Tensor, stack int) {
		m.rows = append(m.rows, part{t, size, stack})
		size += nn.Elements(t.Shape)
	}
	if spec.Embed > 0 {
		add(nn.Tensor{Name: embedWeight, Shape: []int{v, spec.Embed}}, -1)
	}
	for i, t := range net.Tensors() {
		t.Name = "rnn." + t.Name
		add(t, i)
	}
	for _, t := range m.task.tensors(spec, v) {
		add(t, -1)
	}
	return m, nil
}

// Size is how many parameters New would give a model, or its error, without memory
// for them.
func Size(spec Spec, vocab *data.Vocab) (int, error) {
	m, err := plan(spec, vocab)
	if err != nil {
		return 0, err
	}
	return m.Size(), nil
}

// Size is the number of parameters.
func (m *Model) Size() int {
	last := m.rows[len(m.rows)-1]
	return last.at + nn.Elements(last.tensor.Shape)
}

// bind allocates the parameters.
func (m *Model) bind() {
	m.Params = make([]float32, m.Size())
	m.rnn.Bind(m.rows.stack(m.Params))
}

// stack is the stretch of the stack's parameters in x.
func (l layout) stack(x []float32) []float32 {
	from, to := -1, 0
	for i := range l {
		if l[i].stack < 0 {
			continue
		}
		if to = l[i].at + nn.Elements(l[i].tensor.Shape); from < 0 {
			from = l[i].at
		}
	}
	return x[from:to]
}

// Tensors are the parameters by name, views of Params in its order:
// embed.weight (V, E) where there is an embedding, the stack's under rnn., then
// the head's. Of a language model these are head.weight (V, H), unless it is
// tied, and head.bias (V), or with Cutoffs those of nn.Adaptive under head.; of a
// regression head.weight (K, H) and head.bias (K).
func (m *Model) Tensors() []nn.Tensor {
	tensors := make([]nn.Tensor, len(m.rows))
	for i, p := range m.rows {
		tensors[i] = p.tensor
		tensors[i].Data = m.Params[p.at : p.at+nn.Elements(p.tensor.Shape)]
	}
	return tensors
}

// Init gives every parameter its start; the same seed gives the same values.
// The stack starts as init says. Embedding and head follow its kind: U(±1/√W)
// for what reads a width W in the head and N(0, 1) for an embedding of its own
// (PyTorch's), N(0, σ²), or Xavier; the head's bias starts as the other biases do.
func (m *Model) Init(init rnn.Init, seed uint64) error {
	if err := m.rnn.Init(init, seed); err != nil {
		return err
	}
	var random nn.Random
	for i, t := range m.Tensors() {
		if m.rows[i].stack < 0 {
			random.Seek(nn.Key{Seed: seed, Step: rnn.InitStep, Layer: outside + uint64(i)})
			m.initOutside(t, init, &random)
		}
	}
	return nil
}

// outside is the first key layer of the random streams of what stands around
// the stack, beyond any layer of it.
const outside = 1 << 32

// The key layers of masks and draws.
const (
	inputStream = outside + iota
	outputStream
	drawStream
	embeddingStream
)

func (m *Model) initOutside(t nn.Tensor, init rnn.Init, random *nn.Random) {
	torch := init.Kind == "" || init.Kind == "pytorch"
	switch {
	case torch && t.Name == embedWeight && !m.Tied:
		nn.Normal(t.Data, 1, random)
	case torch:
		width := m.RNN.OutputSize() // of a bias
		if len(t.Shape) == 2 {
			width = t.Shape[1]
		}
		nn.Uniform(t.Data, 1/math.Sqrt(float64(width)), random)
	case len(t.Shape) == 1:
		clear(t.Data)
	case init.Kind == "normal":
		nn.Normal(t.Data, init.Sigma, random)
	default:
		nn.Xavier(t.Data, t.Shape[0], t.Shape[1], random)
	}
}
