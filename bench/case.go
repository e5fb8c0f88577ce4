package main

import (
	"fmt"
	"reflect"
	"strings"

	"sluice/internal/measure"
	"sluice/nn"
)

// Case is one thing to measure. A field that is zero does not matter to it.
// The letters are those of package rnn.
type Case struct {
	Task      string  // "fma", "bandwidth": limits; "train", "infer": layers; "stream": one step; "step": a whole training step
	Cell      string  // "lstm", "gru-after", "gru-before"
	B, T      int     // rows, steps
	X, H      int     // width of the input, hidden units
	L, D      int     // layers, directions
	V         int     // step: the vocabulary of one-hot inputs
	Optimizer string  // step: "sgd", "adam"
	LR, Clip  float64 // step: learning rate, norm to clip at
	Weights   string  // stream: what our weights are stored as: "f32", "bf16", "int8"; train: "" or "mixed", products of bf16
	Bytes     int     // bandwidth: of all threads together
	Threads   int
}

// field is one of a Case's, by its name in the protocol.
type field struct {
	name  string
	value any // a pointer
}

func (c *Case) fields() []field {
	return []field{
		{"cell", &c.Cell}, {"B", &c.B}, {"T", &c.T}, {"X", &c.X}, {"H", &c.H}, {"L", &c.L}, {"D", &c.D}, {"V", &c.V},
		{"optimizer", &c.Optimizer}, {"lr", &c.LR}, {"clip", &c.Clip},
		{"weights", &c.Weights}, {"bytes", &c.Bytes}, {"threads", &c.Threads},
	}
}

// String is the case as the protocol has it.
func (c Case) String() string {
	words := []string{c.Task}
	for _, f := range c.fields() {
		if v := reflect.ValueOf(f.value).Elem(); !v.IsZero() {
			words = append(words, fmt.Sprintf("%s=%v", f.name, v))
		}
	}
	return strings.Join(words, " ")
}

// Name is the case as -only sees it.
func (c Case) Name() string { return strings.ReplaceAll(c.String(), " ", "/") }

// ParseCase reads what String wrote. Words that it does not know are for other
// peers.
func ParseCase(words []string) (Case, error) {
	if len(words) == 0 {
		return Case{}, fmt.Errorf("a case without a task")
	}
	c := Case{Task: words[0]}
	for _, word := range words[1:] {
		name, value, _ := strings.Cut(word, "=")
		for _, f := range c.fields() {
			if f.name != name {
				continue
			}
			if _, err := fmt.Sscan(value, f.value); err != nil {
				return c, fmt.Errorf("%s: %w", word, err)
			}
		}
	}
	return c, nil
}

// IsLimit says whether the case is a limit of the machine.
func (c Case) IsLimit() bool { return c.Task == "fma" || c.Task == "bandwidth" }

// precisions are what our weights may be packed as. Peers always have float32.
var (
	precisions = map[string]nn.Precision{"f32": nn.Float32, "bf16": nn.BF16, "int8": nn.Int8, "mixed": nn.Mixed}
	bytesOf    = map[string]int{"f32": 4, "bf16": 2, "int8": 1}
)

func (c Case) layers() measure.Layers {
	return measure.Layers{Cell: c.Cell, B: c.B, T: c.T, X: c.X, H: c.H, L: c.L, D: c.D, Weights: precisions[c.Weights]}
}

// Limit is what bounds the case, and how much of it the case needs:
// floating-point operations, or bytes to read.
//
// A backward pass is two products for each of the forward pass. A one-hot
// input needs none: its weights are looked up and its gradients added. One
// step of one stream reads the weights once and does little with them.
func (c Case) Limit() (limit Case, work float64) {
	fma := Case{Task: "fma", Threads: c.Threads}
	switch c.Task {
	case "train":
		return fma, 3 * c.layers().Forward()
	case "infer":
		return fma, c.layers().Forward()
	case "step":
		above := c
		above.X, above.L, above.D = c.H, c.L-1, 1
		first := 2 * c.T * c.B * c.layers().Gates() * c.H * c.H
		head := 2 * c.T * c.B * c.H * c.V
		return fma, 3 * (above.layers().Forward() + float64(first+head))
	case "stream":
		bytes := bytesOf[c.Weights] * c.layers().Gates() * c.H * (c.X + c.H)
		return Case{Task: "bandwidth", Bytes: bytes, Threads: c.Threads}, float64(bytes)
	}
	return c, 0 // a limit is its own
}
