package main

import (
	"fmt"
	"os"
	"strings"

	"sluice/convert"
	"sluice/data"
	"sluice/model"
	"sluice/rnn"
)

// foreignFlags say what a file of another system does not.
type foreignFlags struct {
	Task   string `type:"choice" placeholder:"lm|tag|classify|regress" help:"What the model is for, where the file does not say it."`
	Vocab  string `placeholder:"FILE" help:"Its vocabulary: a JSON object of ids, a JSON list, a text of a symbol a line, or a tokenizer.json. Without one symbols are called by their numbers."`
	Labels string `placeholder:"FILE" help:"Its tags or labels, one a line, in the order of the head's outputs. Without them they are called by their numbers."`
	Scheme string `type:"choice" placeholder:"iob1|iob2|bioes" help:"Of tags."`
	Lower  bool   `help:"Look words up in lower case."`
	Pool   string `type:"choice" placeholder:"last|mean|max" help:"What the head of a classification reads, where the file does not say it (last)."`

	Stack      []string `placeholder:"PREFIX,…" help:"Of a state dict: prefixes of the recurrent layers, bottom to top, such as encoder.rnn."`
	Embed      string   `placeholder:"NAME" help:"Of a state dict: the embedding, or none."`
	Input      string   `placeholder:"NAME" help:"Of a state dict: a linear layer, then ReLU, before the recurrent ones."`
	Head       string   `placeholder:"NAME" help:"Of a state dict: the linear layer after them."`
	Activation string   `type:"choice" placeholder:"tanh|relu" help:"Of nn.RNN or SimpleRNN."`
	Reset      string   `type:"choice" placeholder:"before|after" help:"Of Keras weights alone: of a GRU without a bias."`
	Merge      string   `type:"choice" placeholder:"concat|sum|average|multiply" help:"Of Keras weights alone: how two directions join."`
	Ignore     []string `placeholder:"NAME,…" help:"Of a state dict: tensors without use here, or modules that they are in."`
	Like       string   `placeholder:"MODEL" help:"Of a state dict: the model whose module PyTorch has saved it of (sluice export)."`
}

// options are those of the flags.
func (f foreignFlags) options(e *env) (o convert.Options, err error) {
	o = convert.Options{
		Task: f.Task, Lower: f.Lower, Pool: f.Pool, Stack: f.Stack, Embed: f.Embed, Input: f.Input, Head: f.Head,
		Activation: f.Activation, Reset: rnn.Reset(f.Reset), Merge: rnn.Merge(f.Merge), Ignore: f.Ignore,
		Names: model.Names{Scheme: data.Scheme(f.Scheme)},
	}
	if f.Vocab != "" {
		if o.Names.Vocab, err = data.OpenVocab(f.Vocab); err != nil {
			return o, err
		}
	}
	if f.Labels != "" {
		if o.Names.Labels, err = readLabels(f.Labels); err != nil {
			return o, err
		}
	}
	if f.Like != "" {
		_, o.Like, err = open(e, f.Like)
	}
	return o, err
}

// readLabels reads a label a line.
func readLabels(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, cause(err))
	}
	if most := int64(model.MaxLabels) << 10; info.Size() > most {
		return nil, fmt.Errorf("%s: %d bytes: want a label a line, at most %d bytes", path, info.Size(), most)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, cause(err))
	}
	lines := strings.Split(strings.TrimSuffix(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n"), "\n")
	for i, l := range lines {
		if l == "" {
			return nil, fmt.Errorf("%s: line %d is empty: want a label", path, i+1)
		}
	}
	return lines, nil
}
