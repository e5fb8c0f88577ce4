// Package model is what is trained, saved and used: input → recurrent stack →
// head, one file each.
//
// A [Model] has its parameters in one flat vector. [Model.Pack] makes a
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

	"sluice/data"
	"sluice/nn"
	"sluice/rnn"
)

// LM is the task of a language model: text → its next symbol.
const LM = "lm"

// MaxEmbed bounds the width of an embedding.
const MaxEmbed = 1 << 20

// Spec is everything that fixes the function of a model but its weights and
// its vocabulary.
type Spec struct {
	Task    string     `json:"task"`              // LM
	Embed   int        `json:"embed,omitempty"`   // E: width of the embedding; 0: one-hot inputs
	Dropout float64    `json:"dropout,omitempty"` // of embeddings and of what the head reads, while training: in [0, 1)
	RNN     rnn.Config `json:"rnn"`               // its Input follows from Embed or the vocabulary
}

// Validate says which field cannot be, and what is allowed. RNN.Input must be
// set.
func (s Spec) Validate() error {
	switch {
	case s.Task != LM:
		return fmt.Errorf("model: task %q: want %s", s.Task, LM)
	case s.Embed < 0 || s.Embed > MaxEmbed:
		return fmt.Errorf("model: embedding of width %d: want 0 to %d", s.Embed, MaxEmbed)
	case !(s.Dropout >= 0 && float32(s.Dropout) < 1): // masks are float32
		return fmt.Errorf("model: dropout %v: want a number in [0, 1)", s.Dropout)
	}
	if err := s.RNN.Validate(); err != nil {
		return err
	}
	if d := s.RNN.Direction; d != "" && d != rnn.Forward {
		return fmt.Errorf("model: a %s language model would read the symbols it is to predict: want direction forward", d)
	}
	return nil
}

// Model is a trained or trainable model.
type Model struct {
	Spec
	Vocab     *data.Vocab
	History   History
	Params    []float32    // every parameter, one flat vector
	Precision nn.Precision // of the weights as Pack and Write make them: of a model that Quantize made, less than float32

	rnn  *rnn.Network
	rows []part // embed.weight if any, rnn.…, head.weight, head.bias
}

// part is a named stretch of Params.
type part struct {
	tensor nn.Tensor
	at     int
}

// History is how a model was trained, for inspection. It holds no time, host,
// path or number of threads: equal runs have equal files.
type History struct {
	Corpus            string          `json:"corpus,omitempty"`              // the built-in corpus's name, if it was one
	TextSHA256        string          `json:"text_sha256,omitempty"`         // of the text as it was split
	TrainSymbols      int             `json:"train_symbols,omitempty"`       // in the training part
	HeldOutSymbols    int             `json:"held_out_symbols,omitempty"`    // in the validation part
	Epoch             int             `json:"epoch,omitempty"`               // after which these weights were kept
	Updates           int             `json:"updates,omitempty"`             // made until then
	TrainPerplexity   float64         `json:"train_perplexity,omitempty"`    // of these weights on the training part
	HeldOutPerplexity float64         `json:"held_out_perplexity,omitempty"` // and on the validation part
	Kept              string          `json:"kept,omitempty"`                // why these weights and no others
	Config            json.RawMessage `json:"config,omitempty"`              // every option of the run
}

// New makes a model with all parameters zero; Init gives them values.
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
	spec.RNN.Input = spec.Embed
	if spec.Embed == 0 {
		spec.RNN.Input = vocab.Size()
	}
	if err := spec.Validate(); err != nil {
		return nil, err
	}
	net, err := rnn.Plan(spec.RNN)
	if err != nil {
		return nil, err
	}
	spec.RNN = net.Config
	m := &Model{Spec: spec, Vocab: vocab, rnn: net}
	size, v := 0, vocab.Size()
	add := func(t nn.Tensor) {
		m.rows = append(m.rows, part{t, size})
		size += nn.Elements(t.Shape)
	}
	if spec.Embed > 0 {
		add(nn.Tensor{Name: "embed.weight", Shape: []int{v, spec.Embed}})
	}
	for _, t := range net.Tensors() {
		t.Name = "rnn." + t.Name
		add(t)
	}
	add(nn.Tensor{Name: "head.weight", Shape: []int{v, net.OutputSize()}})
	add(nn.Tensor{Name: "head.bias", Shape: []int{v}})
	return m, nil
}

// Size is the number of parameters.
func (m *Model) Size() int {
	last := m.rows[len(m.rows)-1]
	return last.at + nn.Elements(last.tensor.Shape)
}

// bind allocates the parameters.
func (m *Model) bind() {
	m.Params = make([]float32, m.Size())
	embed := m.Vocab.Size() * m.Embed
	m.rnn.Bind(m.Params[embed : embed+m.rnn.Size()])
}

// Tensors are the parameters by name, views of Params in its order:
// embed.weight (V, E) where there is an embedding, the stack's under rnn.,
// head.weight (V, H), head.bias (V).
func (m *Model) Tensors() []nn.Tensor {
	tensors := make([]nn.Tensor, len(m.rows))
	for i, p := range m.rows {
		tensors[i] = p.tensor
		tensors[i].Data = m.Params[p.at : p.at+nn.Elements(p.tensor.Shape)]
	}
	return tensors
}

// Init gives every parameter its start; the same seed gives the same values.
// The stack starts as init says. Embedding and head follow its kind: U(±1/√H)
// for the head and N(0, 1) for the embedding (PyTorch's), N(0, σ²), or Xavier;
// the head's bias starts as the other biases do.
func (m *Model) Init(init rnn.Init, seed uint64) error {
	if err := m.rnn.Init(init, seed); err != nil {
		return err
	}
	var random nn.Random
	for i, t := range m.Tensors() {
		if i >= len(m.rows)-2 || m.Embed > 0 && i == 0 {
			random.Seek(nn.Key{Seed: seed, Step: rnn.InitStep, Layer: outside + uint64(i)})
			m.initOutside(t, init, &random)
		}
	}
	return nil
}

// outside is the first key layer of the random streams of what stands around
// the stack, beyond any layer of it.
const outside = 1 << 32

func (m *Model) initOutside(t nn.Tensor, init rnn.Init, random *nn.Random) {
	torch := init.Kind == "" || init.Kind == "pytorch"
	switch {
	case torch && t.Name == "embed.weight":
		nn.Normal(t.Data, 1, random)
	case torch:
		nn.Uniform(t.Data, 1/math.Sqrt(float64(m.RNN.Hidden)), random)
	case len(t.Shape) == 1:
		clear(t.Data)
	case init.Kind == "normal":
		nn.Normal(t.Data, init.Sigma, random)
	default:
		nn.Xavier(t.Data, t.Shape[0], t.Shape[1], random)
	}
}
