package convert

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"sluice/data"
	"sluice/model"
	"sluice/nn"
	"sluice/rnn"
)

// Parts are what a file of another system holds of a model, their weights as
// ours: input → recurrent layers → head.
type Parts struct {
	Symbols bool           // symbols are read, not numbers; without Embed they are one-hot
	Embed   *nn.Tensor     // (V, E) of symbols; nil without
	Input   *Linear        // (E, F), then ReLU, of numbers; nil without
	Stack   []*rnn.Network // bottom to top, one layer each or more
	Pool    string         // what the head reads: EveryStep, one of model's pools, or "" where the file does not say
	Head    *Linear        // (K, W); nil without
	CRF     *CRF           // over the head's outputs; nil without
	// Activation is what the file has after the head and a model here has not, since it
	// says scores: "", "softmax", "log_softmax", or of two outputs "sigmoid", where the
	// file has one, the probability of the second.
	Activation string
	Notes      []string // what a caller must know: a line each

	from   map[string]string // of a state dict: our tensors to those they came of
	ports  *onnxPorts        // of a graph
	masked *float32          // of Keras: the symbol or number that fills sequences up, nil without
	whole  bool              // of Keras: with a config, not weights alone
	rows   int               // of Keras: where its input is fixed to so many, 0 not
	steps  int               // likewise
}

// EveryStep as Parts.Pool is a head that reads each step's output.
const EveryStep = "every step"

// Linear is a layer y = x·Wᵀ + b.
type Linear struct {
	Weight nn.Tensor // (out, in)
	Bias   []float32 // (out), zeros where the file has none
}

// CRF are the parameters of a conditional random field over K labels: see nn.CRF.
type CRF struct {
	Transitions []float32 // (K, K) from, to
	Start, End  []float32 // (K)
}

// note adds a line once.
func (p *Parts) note(format string, args ...any) {
	if line := fmt.Sprintf(format, args...); !slices.Contains(p.Notes, line) {
		p.Notes = append(p.Notes, line)
	}
}

// config is that of the stack as one.
func (p *Parts) config() (c rnn.Config, err error) {
	if len(p.Stack) == 0 {
		return c, fmt.Errorf("convert: no recurrent layer")
	}
	c = p.Stack[0].Config
	c.Layers = 0
	for i, n := range p.Stack {
		if what, first, other := differs(p.Stack[0].Config, n.Config); what != "" {
			return c, fmt.Errorf("convert: %s %s in the first recurrent layers and %s in the %d. ones: a model here has one cell, width and direction for all layers", what, first, other, i+1)
		}
		if below := width(p.Stack, i); i > 0 && n.Input != below {
			return c, fmt.Errorf("convert: the %d. recurrent layers read %d numbers: want %d, what those below give", i+1, n.Input, below)
		}
		c.Layers += n.Layers
	}
	return c, nil
}

// Network is the stack as one: its layers must be of one cell, width and
// direction.
func (p *Parts) Network() (*rnn.Network, error) {
	c, err := p.config()
	if err != nil {
		return nil, err
	}
	whole, err := rnn.New(c)
	if err != nil {
		return nil, fmt.Errorf("convert: %w", err)
	}
	at := 0
	for _, n := range p.Stack {
		at += copy(whole.Params[at:], n.Params)
	}
	return whole, nil
}

// width is that of what stands below layer i gives.
func width(stack []*rnn.Network, i int) int {
	if i == 0 {
		return 0
	}
	return stack[i-1].OutputSize()
}

// differs names the first field of two configs that must not differ in a stack.
func differs(a, b rnn.Config) (what, first, other string) {
	for _, f := range []struct {
		what string
		a, b any
	}{
		{"cell", a.Cell, b.Cell}, {"activation", a.Activation, b.Activation}, {"reset", a.Reset, b.Reset},
		{"hidden width", a.Hidden, b.Hidden}, {"number of biases", a.Biases, b.Biases},
		{"direction", a.Direction, b.Direction}, {"merge", a.Merge, b.Merge},
	} {
		if f.a != f.b {
			return f.what, fmt.Sprintf("%q", fmt.Sprint(f.a)), fmt.Sprintf("%q", fmt.Sprint(f.b))
		}
	}
	a.Input, b.Input, a.Layers, b.Layers = 0, 0, 0, 0
	if a != b {
		return "options", fmt.Sprintf("%+v", a), fmt.Sprintf("%+v", b)
	}
	return "", "", ""
}

// Options say what a file of another system does not.
type Options struct {
	Task  string      // model.LM, Tag, Classify or Regress; "" is found where it is certain
	Names model.Names // what is missing is numbered: "0", "1", …
	Pool  string      // of a classification whose file does not say what its head reads; "" is model.PoolLast
	Lower bool        // of a tagger: words are looked up in lower case

	// Like is a model whose tensors those of a state dict are by name: PyTorch wrote its
	// module, and PyTorch has saved that. Other options are of no use then.
	Like *model.Model

	// Of a state dict, and of weights alone of Keras, which have nothing but names and shapes.
	Reset      rnn.Reset // of Keras: of a GRU without a bias, whose shape says it
	Merge      rnn.Merge // of Keras: of a Bidirectional, if it is none whose outputs are concatenated
	Activation string    // of nn.RNN or SimpleRNN: "tanh" (also ""), "relu"

	Stack  []string // prefixes of the recurrent layers' tensors, such as "encoder.rnn", bottom to top; nil where there is only one
	Embed  string   // the embedding's tensor, "none" for none; "" is found
	Input  string   // a linear layer with ReLU before the recurrent ones; "" is none
	Head   string   // the head's tensor or prefix; "" is found
	Ignore []string // tensors without use here, or modules that they are in
}

// Model is the model of the parts. What of the names is missing is numbered. Weights
// that are no finite numbers are an error: no model's file has any.
func (p *Parts) Model(o Options) (*model.Model, error) {
	own := *p // a task may say that symbols are read
	p = &own
	net, err := p.Network()
	if err != nil {
		return nil, err
	}
	if p.Head == nil {
		return nil, fmt.Errorf("convert: no head: recurrent layers alone are a rnn.Network (Parts.Network), a model has a linear layer after them")
	}
	if n := p.Head.Weight.Shape[1]; n != net.OutputSize() {
		return nil, fmt.Errorf("convert: head %.80q reads %d numbers: want %d, what the recurrent layers give", p.Head.Weight.Name, n, net.OutputSize())
	}
	spec, names := model.Spec{RNN: net.Config, Lower: o.Lower, CRF: p.CRF != nil}, o.Names
	if err := p.task(&spec, &names, o); err != nil {
		return nil, err
	}
	symbols := p.Symbols || names.Vocab != nil || spec.Task == model.LM
	if err := p.read(&spec, &names, symbols, net.Input); err != nil {
		return nil, err
	}
	m, err := model.New(spec, names)
	if err != nil {
		return nil, fmt.Errorf("convert: %w", err)
	}
	return m, p.fill(m, net)
}

// task sets what the model is for and what its head has.
func (p *Parts) task(s *model.Spec, n *model.Names, o Options) error {
	k := p.Head.Weight.Shape[0]
	tied := p.Embed != nil && slices.Equal(p.Embed.Shape, p.Head.Weight.Shape) && same(p.Embed.Data, p.Head.Weight.Data)
	switch {
	case o.Task != "":
		s.Task = o.Task
	case p.CRF != nil:
		s.Task = model.Tag
	case tied:
		s.Task = model.LM
	default:
		return fmt.Errorf("convert: what the head's %d outputs are for is not in the file: want a task: lm, tag, classify or regress", k)
	}
	switch s.Task {
	case model.LM, model.Tag:
		if p.Pool != "" && p.Pool != EveryStep {
			return fmt.Errorf("convert: a head that reads the pool %q: a model of task %s reads every step, want task classify or regress", p.Pool, s.Task)
		}
	case model.Classify:
		if p.Pool == EveryStep {
			return fmt.Errorf("convert: a head that reads every step: a classification reads one output of a sequence, want task lm or tag")
		}
		if s.Pool = p.Pool; s.Pool == "" {
			s.Pool = o.Pool
		}
		if o.Pool != "" && s.Pool != o.Pool {
			return fmt.Errorf("convert: pool %q: the file says %q", o.Pool, s.Pool)
		}
	case model.Regress:
		if p.Pool != "" && p.Pool != model.PoolLast {
			return fmt.Errorf("convert: a head that reads %q: a regression reads the last output", p.Pool)
		}
		if p.Symbols {
			return fmt.Errorf("convert: a regression reads numbers, and the file symbols")
		}
		s.Outputs = k
	default:
		return fmt.Errorf("convert: task %q: want lm, tag, classify or regress", s.Task)
	}
	s.Tied = s.Task == model.LM && tied
	if o.Pool != "" && s.Task != model.Classify {
		return fmt.Errorf("convert: option pool: of no use to task %s", s.Task)
	}
	if s.Task == model.Tag || s.Task == model.Classify {
		if n.Labels == nil {
			n.Labels = numbered(k)
		}
		if len(n.Labels) != k {
			return fmt.Errorf("convert: %d labels: want %d, the outputs of head %.80q", len(n.Labels), k, p.Head.Weight.Name)
		}
	}
	return nil
}

// read sets what the model reads: symbols or numbers, of which its layers read so many.
func (p *Parts) read(s *model.Spec, n *model.Names, symbols bool, input int) error {
	v := 0
	switch {
	case p.Embed != nil:
		s.Embed, v = p.Embed.Shape[1], p.Embed.Shape[0]
	case p.Input != nil:
		s.Embed, s.Features = p.Input.Weight.Shape[0], p.Input.Weight.Shape[1]
	case symbols:
		v = input
	default:
		s.Features = input
	}
	if s.Embed > 0 && s.Embed != input {
		return fmt.Errorf("convert: what stands before the recurrent layers gives %d numbers: want %d, what they read", s.Embed, input)
	}
	switch k := p.Head.Weight.Shape[0]; {
	case s.Task == model.LM && v != k:
		return fmt.Errorf("convert: a language model that reads %d symbols and says %d: want as many", v, k)
	case v == 0 && n.Vocab != nil:
		return fmt.Errorf("convert: a vocabulary for a model that reads %d numbers", s.Features)
	case v == 0:
		return nil
	case n.Vocab == nil:
		vocab, err := data.NumberedVocab(v)
		if err != nil {
			return fmt.Errorf("convert: %w", err)
		}
		n.Vocab = vocab
	case n.Vocab.Size() != v:
		return fmt.Errorf("convert: a vocabulary of %d symbols: want %d, as many as the model reads", n.Vocab.Size(), v)
	}
	return nil
}

// numbered are names of n things: "0", "1", …
func numbered(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = strconv.Itoa(i)
	}
	return names
}

// fill moves the weights into a model of these parts.
func (p *Parts) fill(m *model.Model, net *rnn.Network) error {
	from := map[string][]float32{"head.weight": p.Head.Weight.Data, "head.bias": p.Head.Bias}
	if p.Embed != nil {
		from["embed.weight"] = p.Embed.Data
	}
	if p.Input != nil {
		from["input.weight"], from["input.bias"] = p.Input.Weight.Data, p.Input.Bias
	}
	if p.CRF != nil {
		from["crf.transitions"], from["crf.start_transitions"], from["crf.end_transitions"] = p.CRF.Transitions, p.CRF.Start, p.CRF.End
	}
	for _, t := range net.Tensors() {
		from["rnn."+t.Name] = t.Data
	}
	var missing []string
	for _, t := range m.Tensors() {
		if data, ok := from[t.Name]; !ok || len(data) != len(t.Data) {
			missing = append(missing, fmt.Sprintf("%s %v", t.Name, t.Shape))
			continue
		} else if at := slices.IndexFunc(data, func(v float32) bool { return v-v != 0 }); at >= 0 {
			return fmt.Errorf("convert: %s has %v at %d: want finite numbers", cmp.Or(p.from[t.Name], t.Name), data[at], at)
		}
		copy(t.Data, from[t.Name])
	}
	if len(missing) > 0 {
		return fmt.Errorf("convert: missing for task %s: %s", m.Task, strings.Join(missing, ", "))
	}
	return nil
}

// same says whether two slices have the same bits.
func same(a, b []float32) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) })
}
