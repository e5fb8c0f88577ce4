package convert

import (
	"cmp"
	"fmt"
	"io"

	"sluice/model"
	"sluice/nn"
	"sluice/rnn"
)

// The opsets that ONNX writes: recurrent operators are the same in all of them.
const (
	MinOpset = 14
	MaxOpset = 22
)

// ONNXOptions say how a model is written as ONNX.
type ONNXOptions struct {
	Opset    int  // MinOpset to MaxOpset; 0 is MinOpset, which more runtimes read
	Stateful bool // the state is an input and an output: h_0 and h_n (L·D, B, H), of an LSTM c_0 and c_n, too
}

// ONNX writes a model as one ONNX file, without a vocabulary's work: symbols are
// numbers. What ONNX cannot hold exactly is an error, before anything is written.
//
// Sequences are time first, any T and B:
//
//	task              inputs                           outputs
//	lm                ids (T, B) int64                 logits (T, B, V)
//	tag               ids (T, B) or x (T, B, F),       scores (T, B, K); with a CRF its transitions
//	                  lengths (B) int32                (K, K), start_transitions and end_transitions (K)
//	  spelled words   forms (T, B) int64, which of     with Viterbi left to the caller
//	                  spellings (Tc, N) int64, their
//	                  spelling_lengths (N) int32
//	classify          as tag                           logits (B, K)
//	regress           x (T, B, F), lengths             values (B, K)
//	forecast          history (B, Window, C) double    mean (B, H, C) double, quantiles (Q, B, H, C)
//	  recursive       x (T, B, C): the scaled series   changes (T, B, C); Stateful alone: the caller
//	                  less the last of the window      adds and feeds them back
//
// A row ends at its own length; scores past it are anything. The metadata of the file
// are those of m's own, and Import makes the same model of it, bit for bit. The ports
// are its inputs, then its outputs.
func ONNX(w io.Writer, m *model.Model, o ONNXOptions) ([]Port, error) {
	if err := o.Validate(m); err != nil {
		return nil, err
	}
	o.Opset = cmp.Or(o.Opset, MinOpset)
	g, err := newGraph(m, o)
	if err != nil {
		return nil, err
	}
	g.model()
	return g.ports, g.write(w)
}

// Port is an input or output of a graph.
type Port struct {
	Name   string
	Output bool
	Type   string // float, double, int32 or int64
	Shape  []any  // numbers, and names of dimensions that may have any size
}

// Validate says why ONNX cannot hold a model, and what can, or which option cannot be.
func (o ONNXOptions) Validate(m *model.Model) error {
	switch {
	case o.Opset != 0 && (o.Opset < MinOpset || o.Opset > MaxOpset):
		return fmt.Errorf("convert: opset %d: want %d to %d", o.Opset, MinOpset, MaxOpset)
	case m.Precision == nn.Int8:
		return fmt.Errorf(toONNX + "int8 weights are multiplied with rounded inputs here and nowhere else: want the model of float32 that they were made of")
	case len(m.Cutoffs) > 0:
		return fmt.Errorf(toONNX + "an adaptive softmax: ONNX has no such operator; PyTorch (AdaptiveLogSoftmaxWithLoss) can hold it")
	case m.Task == model.Forecast && o.Stateful && m.Forecast.Segment > 0:
		return fmt.Errorf(toONNX + "a forecast by segments reads its whole window at once: it carries no state, want it without (stateful)")
	case m.Task == model.Forecast && !o.Stateful && m.Forecast.Segment == 0:
		return fmt.Errorf(toONNX + "a recursive forecast feeds its own outputs back: one graph is one step of it, want it with its state as inputs and outputs (stateful)")
	}
	return fitsONNXStack(m.RNN)
}

// fitsONNXStack is Validate of recurrent layers.
func fitsONNXStack(c rnn.Config) error {
	switch {
	case c.Cell != "rnn" && c.Cell != "gru" && c.Cell != "lstm":
		return fmt.Errorf(toONNX+"cell %.80q: ONNX has RNN, GRU and LSTM", c.Cell)
	case c.LayerNorm:
		return fmt.Errorf(toONNX + "layer norm in the cell: ONNX's recurrent operators have none; only a Sluice file can hold it")
	case c.Zoneout > 0 || c.ZoneoutCell > 0:
		return fmt.Errorf(toONNX + "zoneout: ONNX's recurrent operators have none, and it acts on what a trained model says; only a Sluice file can hold it")
	}
	return fitsONNXCell(c)
}

// model writes the whole.
func (g *graph) model() {
	m := g.m
	if f := m.Forecast; f.Segment > 0 {
		g.direct()
		return
	}
	lengths := ""
	if m.Task != model.LM && m.Task != model.Forecast {
		lengths = "lengths"
	}
	x := g.read()
	if lengths != "" {
		g.input(lengths, int32Type, "B")
	}
	y, h := g.stack(x, lengths)
	g.head(y, h, lengths)
}

// read is what the stack reads: (T, B, X).
func (g *graph) read() string {
	m := g.m
	x := "ids"
	if m.Vocab != nil {
		g.input(x, int64Type, "T", "B")
	} else {
		x = "x"
		g.input(x, floatType, "T", "B", m.Features)
	}
	switch {
	case m.Embed > 0 && m.Features > 0:
		return g.op("Relu", g.linear(x, "input.weight", "input.bias"))
	case m.Chars.Embed > 0:
		return g.op("Concat", g.op("Gather", g.tensor("embed.weight"), x), g.spelled(), attrs{"axis": -1})
	case m.Embed > 0:
		return g.op("Gather", g.tensor("embed.weight"), x)
	case m.Vocab != nil:
		return g.op("OneHot", x, g.ints("symbols", m.Vocab.Size()), g.floats("one_hot", []int{2}, []float32{0, 1}))
	}
	return x
}

// spelled is what the layer of characters makes of each word: (T, B, 2·Hc).
func (g *graph) spelled() string {
	g.input("forms", int64Type, "T", "B")
	g.input("spellings", int64Type, "Tc", "N")
	g.input("spelling_lengths", int32Type, "N")
	c := g.m.Chars
	net := g.m.Spelling()
	x := g.op("Gather", g.tensor("chars.embed.weight"), "spellings")
	_, h, _ := g.layer("chars.rnn.", net, 0, x, "spelling_lengths", "", "")
	h = g.op("Reshape", g.op("Transpose", h, attrs{"perm": []int{1, 0, 2}}), g.ints("", 0, 2*c.Hidden))
	some := g.op("Cast", g.op("Greater", "spelling_lengths", g.int32s("none", 0)), attrs{"to": int(floatType)})
	return g.op("Gather", g.op("Mul", h, g.op("Unsqueeze", some, g.ints("", 1))), "forms")
}

// stack is the outputs of the last layer (T, B, W) and its last h of each direction
// (D, B, H).
func (g *graph) stack(x, lengths string) (y, h string) {
	c := g.m.RNN
	hidden := c.Hidden
	var hs, cs []string
	d := c.Directions()
	h0, c0 := "", ""
	if g.o.Stateful {
		g.input("h_0", floatType, c.Layers*d, "B", hidden)
		if c.Cell == "lstm" {
			g.input("c_0", floatType, c.Layers*d, "B", c.Hidden)
		}
	}
	of := func(state string, l int) string {
		if c.Layers == 1 {
			return state
		}
		return g.op("Slice", state, g.ints("", l*d), g.ints("", (l+1)*d), g.ints("", 0))
	}
	for l := range c.Layers {
		if g.o.Stateful {
			h0 = of("h_0", l)
			if c.Cell == "lstm" {
				c0 = of("c_0", l)
			}
		}
		var last string
		x, h, last = g.layer("rnn.", g.m.Stack(), l, x, lengths, h0, c0)
		hs, cs = append(hs, h), append(cs, last)
		x = g.merged(x, c, hidden)
	}
	if g.o.Stateful {
		g.output("h_n", g.joined(hs), floatType, c.Layers*d, "B", hidden)
		if c.Cell == "lstm" {
			g.output("c_n", g.joined(cs), floatType, c.Layers*d, "B", c.Hidden)
		}
	}
	return x, h
}

// joined is the states of all layers.
func (g *graph) joined(states []string) string {
	if len(states) == 1 {
		return states[0]
	}
	return g.node("Concat", states, attrs{"axis": 0}, 1)[0]
}

// merged is the outputs y (T, D, B, H) of a layer as the next one reads them.
func (g *graph) merged(y string, c rnn.Config, hidden int) string {
	if c.Directions() == 1 {
		return g.op("Squeeze", y, g.ints("", 1))
	}
	if c.Merge == rnn.Concat {
		return g.op("Reshape", g.op("Transpose", y, attrs{"perm": []int{0, 2, 1, 3}}), g.ints("", 0, 0, 2*hidden))
	}
	forward := g.op("Squeeze", g.op("Slice", y, g.ints("", 0), g.ints("", 1), g.ints("", 1)), g.ints("", 1))
	backward := g.op("Squeeze", g.op("Slice", y, g.ints("", 1), g.ints("", 2), g.ints("", 1)), g.ints("", 1))
	if c.Merge == rnn.Multiply {
		return g.op("Mul", forward, backward)
	}
	sum := g.op("Add", forward, backward)
	if c.Merge == rnn.Average {
		return g.op("Mul", sum, g.floats("half", nil, []float32{0.5}))
	}
	return sum
}

// linear is x·Wᵀ + b by the names of W and b.
func (g *graph) linear(x, weight, bias string) string {
	return g.op("Add", g.op("MatMul", x, g.op("Transpose", g.tensor(weight), attrs{"perm": []int{1, 0}})), g.tensor(bias))
}

// head is what stands after the stack, of outputs y (T, B, W) and the last h of each
// direction.
func (g *graph) head(y, h, lengths string) {
	m := g.m
	weight := "head.weight"
	if m.Tied {
		weight = "embed.weight"
	}
	switch m.Task {
	case model.LM:
		g.output("logits", g.linear(y, weight, "head.bias"), floatType, "T", "B", m.Vocab.Size())
	case model.Tag:
		k := len(m.Labels)
		g.output("scores", g.linear(y, weight, "head.bias"), floatType, "T", "B", k)
		if m.CRF {
			g.output("transitions", g.tensor("crf.transitions"), floatType, k, k)
			g.output("start_transitions", g.tensor("crf.start_transitions"), floatType, k)
			g.output("end_transitions", g.tensor("crf.end_transitions"), floatType, k)
		}
	case model.Classify:
		g.output("logits", g.linear(g.pool(y, h, lengths), weight, "head.bias"), floatType, "B", len(m.Labels))
	case model.Regress:
		g.output("values", g.linear(g.last(h), weight, "head.bias"), floatType, "B", m.Outputs)
	case model.Forecast:
		g.output("changes", g.linear(y, weight, "head.bias"), floatType, "T", "B", len(m.Names.Series.Names))
	}
}

// last is the last output of each direction side by side: (B, W).
func (g *graph) last(h string) string {
	return g.op("Reshape", g.op("Transpose", h, attrs{"perm": []int{1, 0, 2}}), g.ints("", 0, g.m.RNN.OutputSize()))
}

// pool is what the head of a classification reads: (B, W).
func (g *graph) pool(y, h, lengths string) string {
	if p := g.m.Pool; p == "" || p == model.PoolLast {
		return g.last(h)
	}
	steps := g.op("Cast", g.op("Squeeze", g.op("Slice", g.op("Shape", y), g.ints("", 0), g.ints("", 1), g.ints("", 0)), g.ints("", 0)), attrs{"to": int(int32Type)})
	t := g.op("Unsqueeze", g.op("Range", g.int32("zero", 0), steps, g.int32("one", 1)), g.ints("", 1))
	within := g.op("Less", t, lengths) // (T, B)
	nothing := g.floats("nothing", nil, []float32{0})
	lowest := g.floats("lowest", nil, []float32{negativeInfinity})
	switch g.m.Pool {
	case model.PoolMean:
		sum := g.reduce("ReduceSum", g.op("Where", g.op("Unsqueeze", within, g.ints("", 2)), y, nothing))
		n := g.op("Max", g.op("Cast", lengths, attrs{"to": int(floatType)}), g.floats("once", nil, []float32{1}))
		return g.op("Div", sum, g.op("Unsqueeze", n, g.ints("", 1)))
	case model.PoolMax:
		most := g.reduce("ReduceMax", g.op("Where", g.op("Unsqueeze", within, g.ints("", 2)), y, lowest))
		some := g.op("Greater", lengths, g.int32s("none", 0))
		return g.op("Where", g.op("Unsqueeze", some, g.ints("", 1)), most, nothing)
	default:
		score := g.op("MatMul", g.op("Tanh", y), g.tensor("attention.weight"))
		alpha := g.op("Softmax", g.op("Where", within, score, lowest), attrs{"axis": 0})
		alpha = g.op("Where", within, alpha, nothing) // of a row without steps it is no number
		return g.reduce("ReduceSum", g.op("Mul", g.op("Unsqueeze", alpha, g.ints("", 2)), y))
	}
}
