// Package model is what is trained, saved and used: input → recurrent stack →
// head, one file each.
//
// What a model is for is its task, a [Spec] says which: [LM], [Tag], [Classify],
// [Forecast] or [Regress]; what it reads and says is in its [Names]. A [Model]
// has its parameters in one flat vector. [Model.Pack] makes a [Packed] of it, the
// same weights laid out for running, immutable and safe to share. A [Runner] has
// the scratch of one caller: it gives losses, gradients and answers, and steps
// streams. A [Generator] writes, a [Tagger] tags words, a [Classifier] says what a
// sequence is, a [Forecaster] goes on with series.
// [Model.Quantize] makes a smaller and faster model, for use alone.
//
// The letters are those of package rnn; N = T·B rows.
package model

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"sluice/nn"
	"sluice/rnn"
)

// Model is a trained or trainable model.
type Model struct {
	Spec
	Names
	History   History
	Params    []float32    // every parameter, one flat vector
	Precision nn.Precision // of the weights as Pack and Write make them: of a model that Quantize made, less than float32

	rnn   *rnn.Network
	chars *rnn.Network // nil where words are not spelled
	task  task
	rows  layout // what stands before the stack, rnn.…, head.…
}

// part is a named stretch of Params.
type part struct {
	tensor nn.Tensor
	at     int
	of     network
	place  int // among the network's tensors
}

// network says what a parameter belongs to.
type network int

const (
	outside network = iota
	stack
	spelling
)

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
	TextSHA256     string          `json:"text_sha256,omitempty"`      // of the text, before it was split, or what else names the data: see train.Text and train.Examples
	TrainSymbols   int             `json:"train_symbols,omitempty"`    // in the training part; of other tasks the sentences, examples or windows
	HeldOutSymbols int             `json:"held_out_symbols,omitempty"` // in the validation part
	Epoch          int             `json:"epoch,omitempty"`            // after which these weights were kept
	Updates        int             `json:"updates,omitempty"`          // made until then
	TrainLoss      float64         `json:"train_loss,omitempty"`       // of these weights on the training part: what Runner.Loss gives, per what counts
	HeldOutLoss    float64         `json:"held_out_loss,omitempty"`    // and on the validation part
	HeldOutFigure  float64         `json:"held_out_figure,omitempty"`  // what the task is compared by, on it: see train.Epoch
	Kept           string          `json:"kept,omitempty"`             // why these weights and no others
	Config         json.RawMessage `json:"config,omitempty"`           // every option of the run
}

// New makes a model with all parameters zero; Init gives them values. What it
// needs of names is said with each task.
func New(spec Spec, names Names) (*Model, error) {
	m, err := plan(spec, names)
	if err != nil {
		return nil, err
	}
	m.bind()
	return m, nil
}

// plan makes a model without parameters, which costs no memory to speak of.
func plan(spec Spec, names Names) (*Model, error) {
	t, err := taskOf(spec.Task)
	if err != nil {
		return nil, err
	}
	if err := names.validate(); err != nil {
		return nil, err
	}
	if err := names.useless(spec.Task); err != nil {
		return nil, err
	}
	if err := t.complete(&spec, names); err != nil {
		return nil, err
	}
	switch numbers := spec.Features > 0; {
	case names.Vocab != nil && numbers:
		return nil, fmt.Errorf("model: a vocabulary and inputs of %d numbers: want one of them", spec.Features)
	case spec.Task == Tag && ofTokenizer(names.Vocab):
		return nil, fmt.Errorf("model: task tag with the vocabulary of a tokenizer: want one of words")
	case ofTokenizer(names.Characters):
		return nil, fmt.Errorf("model: characters of words with the vocabulary of a tokenizer: want one of characters")
	case names.Vocab == nil && !numbers && spec.Task != Regress:
		return nil, fmt.Errorf("model: task %s without a vocabulary", spec.Task)
	case (names.Characters != nil) != spec.Chars.on():
		return nil, fmt.Errorf("model: characters of words: want a vocabulary of them and a width of their embedding, or neither")
	}
	spec.RNN.Input = spec.width(size(names.Vocab))
	if err := spec.Validate(); err != nil {
		return nil, err
	}
	net, err := rnn.Plan(spec.RNN)
	if err != nil {
		return nil, err
	}
	spec.RNN = net.Config
	if spec.Cutoffs = slices.Clone(spec.Cutoffs); len(spec.Cutoffs) > 0 {
		if err := spec.adaptiveConfig(size(names.Vocab)).Validate(); err != nil {
			return nil, err
		}
	}
	m := &Model{Spec: spec, Names: names, rnn: net, task: t}
	m.rows.add(outside, spec.inputTensors(names)...)
	if spec.Chars.on() {
		if m.chars, err = rnn.Plan(spec.spelling()); err != nil {
			return nil, err
		}
		m.rows.add(spelling, named("chars.rnn.", m.chars.Tensors())...)
	}
	m.rows.add(stack, named("rnn.", net.Tensors())...)
	m.rows.add(outside, t.tensors(spec, names)...)
	return m, nil
}

// width is that of what the stack reads, after a vocabulary of v symbols.
func (s Spec) width(v int) (n int) {
	switch {
	case s.Embed > 0:
		n = s.Embed
	case s.Features > 0:
		n = s.Features
	default:
		n = v
	}
	if s.Chars.on() {
		n += 2 * s.Chars.Hidden
	}
	return n
}

// inputTensors are those of what stands before the stack.
func (s Spec) inputTensors(n Names) (all []nn.Tensor) {
	switch {
	case s.Embed > 0 && s.Features > 0:
		all = append(all, nn.Tensor{Name: inputWeight, Shape: []int{s.Embed, s.Features}}, nn.Tensor{Name: inputBias, Shape: []int{s.Embed}})
	case s.Embed > 0:
		all = append(all, nn.Tensor{Name: embedWeight, Shape: []int{size(n.Vocab), s.Embed}})
	}
	if s.Chars.on() {
		all = append(all, nn.Tensor{Name: charsWeight, Shape: []int{size(n.Characters), s.Chars.Embed}})
	}
	return all
}

// named puts a prefix before the names of tensors.
func named(prefix string, tensors []nn.Tensor) (all []nn.Tensor) {
	for _, t := range tensors {
		t.Name = prefix + t.Name
		all = append(all, t)
	}
	return all
}

// add puts tensors at the end of the layout.
func (l *layout) add(of network, tensors ...nn.Tensor) {
	for i, t := range tensors {
		*l = append(*l, part{t, l.size(), of, i})
	}
}

// size is how many floats the layout takes.
func (l layout) size() int {
	if len(l) == 0 {
		return 0
	}
	last := l[len(l)-1]
	return last.at + nn.Elements(last.tensor.Shape)
}

// Size is how many parameters New would give a model, or its error, without memory
// for them.
func Size(spec Spec, names Names) (int, error) {
	m, err := plan(spec, names)
	if err != nil {
		return 0, err
	}
	return m.Size(), nil
}

// Size is the number of parameters.
func (m *Model) Size() int { return m.rows.size() }

// bind allocates the parameters.
func (m *Model) bind() {
	m.Params = make([]float32, m.Size())
	m.rnn.Bind(m.rows.of(stack, m.Params))
	if m.chars != nil {
		m.chars.Bind(m.rows.of(spelling, m.Params))
	}
}

// of is the stretch of a network's parameters in x, which lie together.
func (l layout) of(n network, x []float32) []float32 {
	from, to := -1, 0
	for i := range l {
		if l[i].of != n {
			continue
		}
		if to = l[i].at + nn.Elements(l[i].tensor.Shape); from < 0 {
			from = l[i].at
		}
	}
	return x[from:to]
}

// Tensors are the parameters by name, views of Params in its order:
// embed.weight (V, E) where there is an embedding of symbols, or input.weight (E, F)
// and input.bias (E) of numbers; chars.embed.weight and the layer under chars.rnn.
// where words are spelled; the stack's under rnn., then the head's. Of a language
// model these are head.weight (V, H), unless it is tied, and head.bias (V), or with
// Cutoffs those of nn.Adaptive under head.; of any other task head.weight (K, H) and
// head.bias (K), after what else it has.
func (m *Model) Tensors() []nn.Tensor {
	tensors := make([]nn.Tensor, len(m.rows))
	for i, p := range m.rows {
		tensors[i] = p.tensor
		tensors[i].Data = m.Params[p.at : p.at+nn.Elements(p.tensor.Shape)]
	}
	return tensors
}

// Stack is the recurrent stack, its parameters a view of Params.
func (m *Model) Stack() *rnn.Network { return m.rnn }

// Spelling is the layer of characters alike, nil where words are not spelled.
func (m *Model) Spelling() *rnn.Network { return m.chars }

// Init gives every parameter its start; the same seed gives the same values.
// The stack starts as init says. Embedding and head follow its kind: U(±1/√W)
// for what reads a width W in the head and N(0, 1) for an embedding of its own
// (PyTorch's), N(0, σ²), or Xavier; the head's bias starts as the other biases do.
func (m *Model) Init(init rnn.Init, seed uint64) error {
	if err := m.rnn.Init(init, seed); err != nil {
		return err
	}
	if m.chars != nil {
		if err := m.chars.Init(init, seed^spelled); err != nil {
			return err
		}
	}
	var random nn.Random
	for i, t := range m.Tensors() {
		if m.rows[i].of == outside {
			random.Seek(nn.Key{Seed: seed, Step: rnn.InitStep, Layer: around + uint64(i)})
			m.initOutside(t, init, &random)
		}
	}
	return nil
}

// spelled sets the seed of the layer of characters apart from the stack's.
const spelled = 0x9E3779B97F4A7C15

// around is the first key layer of the random streams of what stands around
// the stack, beyond any layer of it.
const around = 1 << 32

// The key layers of masks and draws.
const (
	inputStream = around + iota
	outputStream
	drawStream
	embeddingStream
)

func (m *Model) initOutside(t nn.Tensor, init rnn.Init, random *nn.Random) {
	torch := init.Kind == "" || init.Kind == "pytorch"
	switch {
	case strings.HasPrefix(t.Name, "crf."):
		clear(t.Data)
	case torch && (t.Name == embedWeight && !m.Tied || t.Name == charsWeight || t.Name == positions || t.Name == series):
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
