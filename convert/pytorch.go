package convert

import (
	"fmt"
	"strings"

	"sluice/model"
	"sluice/nn"
	"sluice/rnn"
)

// PyTorch is m as PyTorch holds it: a model whose file torch.nn.Module's
// load_state_dict takes as it is, and the Python code of that module, which reads
// the file by the name. What PyTorch cannot hold exactly is an error.
//
// The module reads sequences time first, (T, B). With lengths it packs them
// (torch.nn.utils.rnn.pack_padded_sequence): as here, a row ends at its own length,
// and outputs past it are zeros; lengths are 1 or more.
func PyTorch(m *model.Model, file string) (*model.Model, string, error) {
	if err := fitsPyTorch(m); err != nil {
		return nil, "", err
	}
	whole := *m
	whole.Precision = nn.Float32
	return &whole, pythonClass(m) + pythonLoad(m, file), nil
}

// fitsPyTorch says why PyTorch cannot hold a model, and what can.
func fitsPyTorch(m *model.Model) error {
	c := m.RNN
	switch {
	case m.Precision == nn.Int8:
		return fmt.Errorf(toPyTorch + "int8 weights are multiplied with rounded inputs here and nowhere else: want the model of float32 that they were made of")
	case c.Cell != "rnn" && c.Cell != "gru" && c.Cell != "lstm":
		return fmt.Errorf(toPyTorch+"cell %q: torch.nn has rnn, gru and lstm", c.Cell)
	case c.Reset == rnn.ResetBefore:
		return fmt.Errorf(toPyTorch + "a GRU that resets before the product: torch.nn.GRU resets after it, and no weights turn one into the other; ONNX (linear_before_reset=0) and Keras (reset_after=False) can hold it")
	case c.LayerNorm:
		return fmt.Errorf(toPyTorch + "layer norm in the cell: torch.nn's cells have none; only a Sluice file can hold it")
	case c.Zoneout > 0 || c.ZoneoutCell > 0:
		return fmt.Errorf(toPyTorch + "zoneout: torch.nn's cells have none, and it acts on what a trained model says; only a Sluice file can hold it")
	case c.Direction == rnn.Backward:
		return fmt.Errorf(toPyTorch + "direction backward: torch.nn's layers read forward or both ways; ONNX (direction reverse) can hold it")
	case c.Direction == rnn.Bidirectional && c.Merge != rnn.Concat:
		return fmt.Errorf(toPyTorch+"directions merged by %s: torch.nn's layers concatenate them; ONNX can hold it", c.Merge)
	}
	return fitsPyTorchCell(c)
}

// python writes the module's code.
type python struct {
	m    *model.Model
	init []string // lines of __init__
	body []string // of forward
}

// pythonClass is the code of class Model.
func pythonClass(m *model.Model) string {
	p := &python{m: m}
	args, doc := p.input()
	p.add("self.rnn = %s", module(m.RNN))
	switch m.Task {
	case model.Forecast:
		args, doc = p.forecast()
	default:
		p.stack()
		doc += p.head()
	}
	var b strings.Builder
	fmt.Fprintf(&b, pythonHead, doc)
	for _, line := range p.init {
		fmt.Fprintf(&b, "        %s\n", line)
	}
	fmt.Fprintf(&b, "\n    def forward(self, %s):\n", args)
	for _, line := range p.body {
		fmt.Fprintf(&b, "        %s\n", line)
	}
	return b.String()
}

// pythonLoad is the code that makes one with the tensors of a file.
func pythonLoad(m *model.Model, file string) string {
	tied := ""
	if m.Tied {
		tied = "state[\"head.weight\"] = state[\"embed.weight\"]\n"
	}
	return fmt.Sprintf("\n\nstate = load_file(%q)\n%smodel = Model()\nmodel.load_state_dict(state)\nmodel.eval()\n", file, tied)
}

const pythonHead = `import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


def run(rnn, x, lengths, state):
    """Each row of x (T, B, X) is read up to its length, 1 or more; outputs past it are zeros."""
    if lengths is None:
        return rnn(x, state)
    y, state = rnn(pack_padded_sequence(x, lengths.cpu(), enforce_sorted=False), state)
    return pad_packed_sequence(y, total_length=len(x))[0], state


class Model(nn.Module):
    """%s"""

    def __init__(self):
        super().__init__()
`

// add puts a line into __init__, do into forward.
func (p *python) add(format string, args ...any) {
	p.init = append(p.init, fmt.Sprintf(format, args...))
}
func (p *python) do(format string, args ...any) {
	p.body = append(p.body, fmt.Sprintf(format, args...))
}

// module is the torch.nn layer of a config.
func module(c rnn.Config) string {
	kind := map[string]string{"rnn": "RNN", "gru": "GRU", "lstm": "LSTM"}[c.Cell]
	text := fmt.Sprintf("nn.%s(%d, %d", kind, c.Input, c.Hidden)
	if c.Layers > 1 {
		text += fmt.Sprintf(", num_layers=%d", c.Layers)
	}
	if c.Direction == rnn.Bidirectional {
		text += ", bidirectional=True"
	}
	return text + moreOfModule(c) + ")"
}

// input is what stands before the stack: the arguments of forward, and what the
// class says of them.
func (p *python) input() (args, doc string) {
	m := p.m
	args, doc = "ids, lengths=None, state=None", "ids (T, B)"
	if m.Vocab == nil {
		args, doc = "x, lengths=None, state=None", fmt.Sprintf("x (T, B, %d)", m.Features)
	}
	switch {
	case m.Embed > 0 && m.Features > 0:
		p.add("self.input = nn.Linear(%d, %d)", m.Features, m.Embed)
		p.do("x = torch.relu(self.input(x))")
	case m.Embed > 0:
		p.add("self.embed = nn.Embedding(%d, %d)", m.Vocab.Size(), m.Embed)
		p.do("x = self.embed(ids)")
	case m.Vocab != nil:
		p.do("x = nn.functional.one_hot(ids, %d).to(self.head.weight.dtype)", m.Vocab.Size())
	}
	if c := m.Chars; c.Embed > 0 {
		args = "ids, forms, spellings, spelling_lengths, lengths=None, state=None"
		doc = "ids and forms (T, B): words, and which of spellings (Tc, N), their characters, each has"
		p.add(`self.chars = nn.ModuleDict({"embed": nn.Embedding(%d, %d), "rnn": %s})`, m.Characters.Size(), c.Embed, module(m.Spelling().Config))
		p.do(`_, h = run(self.chars["rnn"], self.chars["embed"](spellings), spelling_lengths.clamp(min=1), None)`)
		p.do("h = torch.cat(tuple(%s), -1) * (spelling_lengths > 0)[:, None]", p.hidden("h"))
		p.do("x = torch.cat([x, h[forms]], -1)")
	}
	return args, doc
}

// hidden is h of a state, of an LSTM's (h, c).
func (p *python) hidden(state string) string {
	if p.m.RNN.Cell == "lstm" {
		return state + "[0]"
	}
	return state
}

func (p *python) stack() { p.do("y, state = run(self.rnn, x, lengths, state)") }

// head is what stands after the stack, and what the class says of it.
func (p *python) head() (doc string) {
	m, w := p.m, p.m.RNN.OutputSize()
	switch m.Task {
	case model.LM:
		v := m.Vocab.Size()
		if len(m.Cutoffs) > 0 {
			p.add("self.head = nn.AdaptiveLogSoftmaxWithLoss(%d, %d, %s, div_value=4, head_bias=True)", w, v, listed(m.Cutoffs))
			p.do("return self.head.log_prob(y.flatten(0, 1)).view(*y.shape[:2], %d), state", v)
			return fmt.Sprintf(" -> log-probabilities of the next (T, B, %d), state", v)
		}
		p.add("self.head = nn.Linear(%d, %d)", w, v)
		if m.Tied {
			p.add("self.head.weight = self.embed.weight")
		}
		p.do("return self.head(y), state")
		return fmt.Sprintf(" -> logits of the next (T, B, %d), state", v)
	case model.Tag:
		k := len(m.Labels)
		p.add("self.head = nn.Linear(%d, %d)", w, k)
		p.do("return self.head(y), state")
		doc = fmt.Sprintf(" -> scores of the tags (T, B, %d), state", k)
		if m.CRF {
			p.add(`self.crf = nn.ParameterDict({"transitions": torch.empty(%d, %d), "start_transitions": torch.empty(%d), "end_transitions": torch.empty(%d)})`, k, k, k, k)
			doc += ". The best sequence of tags is the caller's: Viterbi with self.crf, whose tensors are those of pytorch-crf"
		}
		return doc
	case model.Classify:
		k := len(m.Labels)
		p.pool()
		p.add("self.head = nn.Linear(%d, %d)", w, k)
		p.do("return self.head(z), state")
		return fmt.Sprintf(" -> logits of the labels (B, %d), state", k)
	default:
		p.last()
		p.add("self.head = nn.Linear(%d, %d)", w, m.Outputs)
		p.do("return self.head(z), state")
		return fmt.Sprintf(" -> values (B, %d), state", m.Outputs)
	}
}

// listed is a list in Python.
func listed[T any](values []T) string {
	return strings.ReplaceAll(fmt.Sprint(values), " ", ", ")
}

// last is the last output of each direction: those of the last layer.
func (p *python) last() {
	p.do("z = torch.cat(tuple(%s[-%d:]), -1)", p.hidden("state"), p.m.RNN.Directions())
}

// pool is what the head of a classification reads.
func (p *python) pool() {
	w := p.m.RNN.OutputSize()
	const mask = "past = torch.arange(len(y), device=y.device)[:, None] >= (len(y) if lengths is None else lengths)"
	switch p.m.Pool {
	case model.PoolMean:
		p.do("z = y.sum(0) / (len(y) if lengths is None else lengths[:, None])")
	case model.PoolMax:
		p.do(mask)
		p.do(`z = y.masked_fill(past[..., None], float("-inf")).amax(0)`)
	case model.PoolAttention:
		p.add(`self.attention = nn.ParameterDict({"weight": torch.empty(%d)})`, w)
		p.do(mask)
		p.do(`a = (y.tanh() @ self.attention["weight"]).masked_fill(past, float("-inf")).softmax(0)`)
		p.do("z = (a[..., None] * y).sum(0)")
	default:
		p.last()
	}
}
