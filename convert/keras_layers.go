package convert

import (
	"fmt"
	"slices"

	"sluice/convert/internal/kerasfile"
	"sluice/model"
	"sluice/nn"
	"sluice/rnn"
)

// tensor is an array as ours, with its own memory.
func tensor(a *kerasfile.Array) *nn.Tensor {
	return &nn.Tensor{Name: a.Name, Shape: a.Shape, Data: a.Data}
}

// required are the arrays of a layer by its class; a bias may be among the others.
var required = map[string][]string{
	"Embedding": {"embeddings"},
	"Dense":     {"kernel"},
	"SimpleRNN": {"kernel", "recurrent_kernel"},
	"GRU":       {"kernel", "recurrent_kernel"},
	"LSTM":      {"kernel", "recurrent_kernel"},
}

// audit lists what arrays are missing or without use.
func audit(wrongs []string, layers []kerasfile.Layer) []string {
	for i := range layers {
		l := &layers[i]
		wrongs = audit(wrongs, l.Inside)
		names, known := required[l.Class]
		if !known {
			continue
		}
		biased, said := l.Config["use_bias"].(bool)
		if said && biased {
			names = append(slices.Clone(names), "bias")
		}
		for _, name := range names {
			if arrayOf(l, name) == nil {
				wrongs = append(wrongs, fmt.Sprintf("%q of %.80q is missing", name, l.Name))
			}
		}
		for _, a := range l.Arrays {
			mayBe := a.Name == "bias" && l.Class != "Embedding" && (biased || !said)
			if !mayBe && !slices.Contains(names, a.Name) {
				wrongs = append(wrongs, fmt.Sprintf("%.80q %v of %.80q is without use", a.Name, a.Shape, l.Name))
			}
		}
	}
	return wrongs
}

// arrayOf finds one of a layer's, nil if there is none of that name.
func arrayOf(l *kerasfile.Layer, name string) *kerasfile.Array {
	for i := range l.Arrays {
		if l.Arrays[i].Name == name {
			return &l.Arrays[i]
		}
	}
	return nil
}

// dense takes a Dense, which outer is or holds: what numbers go through before the
// recurrent layers, or the head.
func (k *keras) dense(outer, l *kerasfile.Layer) error {
	act := text(l, "activation")
	switch {
	case k.Head != nil:
		return refuse(outer, "it is after another Dense, %.80q, want one head", k.Head.Weight.Name)
	case len(k.Stack) == 0 && (k.Symbols || k.Input != nil):
		return refuse(outer, "it is between an Embedding or a Dense and the recurrent layers")
	case len(k.Stack) == 0 && act != "relu":
		return refuse(outer, "activation %.80q before the recurrent layers, want relu", act)
	}
	w, bias := arrayOf(l, "kernel"), arrayOf(l, "bias")
	if len(w.Shape) != 2 || w.Shape[0] == 0 || w.Shape[1] == 0 {
		return refuse(outer, "kernel %v, want (in, out)", w.Shape)
	}
	in, out := w.Shape[0], w.Shape[1]
	if bias != nil && !slices.Equal(bias.Shape, []int{out}) {
		return refuse(outer, "bias %v, want [%d]", bias.Shape, out)
	}
	linear := &Linear{Weight: nn.Tensor{Name: outer.Name, Shape: []int{out, in}, Data: make([]float32, in*out)}, Bias: make([]float32, out)}
	transpose(linear.Weight.Data, w.Data, out, in, []int{0})
	if bias != nil {
		copy(linear.Bias, bias.Data)
	}
	if len(k.Stack) == 0 {
		k.Input = linear
		return nil
	}
	if n := k.Stack[len(k.Stack)-1].OutputSize(); in != n {
		return refuse(outer, "kernel %v, want it to read %d, what the recurrent layers give", w.Shape, n)
	}
	k.Head = linear
	if !k.whole {
		k.note("weights alone do not say the activation of %q: its outputs here are before it", short(outer.Name))
		return nil
	}
	return k.activation(outer, act)
}

// activation takes what is applied to the head's outputs.
func (k *keras) activation(l *kerasfile.Layer, act string) error {
	if k.Head == nil || k.done {
		return refuse(l, "activation %.80q not after the head, want it in a layer", act)
	}
	k.done = act != "linear" && act != ""
	switch {
	case !k.done:
	case act == "softmax":
		k.Activation = act
		k.note("%q is a softmax: the head's outputs here are before it", short(l.Name))
	case act == "sigmoid" && len(k.Head.Bias) == 1:
		w, n := &k.Head.Weight, k.Head.Weight.Shape[1]
		w.Shape, w.Data = []int{2, n}, append(make([]float32, n), w.Data...)
		k.Head.Bias = []float32{0, k.Head.Bias[0]}
		k.Activation = act
		k.note("%q is a sigmoid of one output: here its head has two labels, the second one's probability is Keras' output", short(l.Name))
	default:
		return refuse(l, "activation %.80q of %d outputs, want linear, softmax, or sigmoid of one", act, len(k.Head.Bias))
	}
	return nil
}

// transpose sets dst (G·H, X) from src (X, G·H) with G blocks in another order: block
// g of ours is theirs[g] of src.
func transpose(dst, src []float32, h, x int, theirs []int) {
	width := len(theirs) * h
	for g, block := range theirs {
		for i := range h {
			row := dst[(g*h+i)*x:][:x]
			for j := range row {
				row[j] = src[j*width+block*h+i]
			}
		}
	}
}

// cellOf is how Keras has a cell.
type cellOf struct {
	cell   string
	theirs []int // the block of Keras' for each of our gates
}

// cells by Keras' class. GRU: z, r, h for r, z, n. LSTM: i, f, c, o for i, f, g, o.
var cells = map[string]cellOf{
	"SimpleRNN": {"rnn", []int{0}},
	"GRU":       {"gru", []int{1, 0, 2}},
	"LSTM":      {"lstm", []int{0, 1, 2, 3}},
}

// recurrent takes a recurrent layer, or the two of a Bidirectional.
func (k *keras) recurrent(l *kerasfile.Layer) error {
	if k.Head != nil || k.Pool != "" {
		return refuse(l, "it is after a layer that gives one output of a sequence, or after the head, want recurrent layers to be one after another")
	}
	ways, c := []*kerasfile.Layer{l}, rnn.Config{Layers: 1, Direction: rnn.Forward}
	if l.Class == "Bidirectional" {
		if len(l.Inside) != 2 {
			return refuse(l, "%d layers in it, want 2", len(l.Inside))
		}
		ways = []*kerasfile.Layer{&l.Inside[0], &l.Inside[1]}
		c.Direction = rnn.Bidirectional
		var err error
		if c.Merge, err = k.merge(l); err != nil {
			return err
		}
	}
	for i, way := range ways {
		own, err := k.config(way, c)
		if err != nil {
			return err
		}
		if i > 0 && own != c {
			return refuse(l, "the layers forward and backward differ: %+v and %+v", c, own)
		}
		c = own
	}
	if err := k.direction(l, ways, &c); err != nil {
		return err
	}
	n, err := rnn.Plan(c)
	if err != nil {
		return refuse(l, "%v", err)
	}
	if below := k.below(); below > 0 && below != c.Input {
		return refuse(l, "it reads %d numbers, want %d, what the layer below gives", c.Input, below)
	}
	n.Bind(make([]float32, n.Size()))
	for d, way := range ways {
		k.fill(n, d, way)
	}
	k.Stack = append(k.Stack, n)
	return nil
}

// below is the width of what is below the next recurrent layer, 0 for any.
func (k *keras) below() int {
	switch {
	case len(k.Stack) > 0:
		return k.Stack[len(k.Stack)-1].OutputSize()
	case k.Embed != nil:
		return k.Embed.Shape[1]
	case k.Input != nil:
		return k.Input.Weight.Shape[0]
	}
	return 0
}

// merges are Keras' names of how two directions become one.
var merges = map[string]rnn.Merge{"concat": rnn.Concat, "sum": rnn.Sum, "ave": rnn.Average, "mul": rnn.Multiply}

func (k *keras) merge(l *kerasfile.Layer) (rnn.Merge, error) {
	if !k.whole {
		return k.o.Merge, nil
	}
	m, ok := merges[text(l, "merge_mode")]
	if !ok {
		return "", refuse(l, "merge_mode %v, want concat, sum, ave or mul", quoted(l.Config["merge_mode"]))
	}
	return m, nil
}

// quoted is a foreign value of bounded length.
func quoted(v any) string { return fmt.Sprintf("%.80q", fmt.Sprint(v)) }

// direction checks how a layer goes through its sequence and what it gives of it.
func (k *keras) direction(l *kerasfile.Layer, ways []*kerasfile.Layer, c *rnn.Config) error {
	if !k.whole {
		if len(ways) == 1 {
			k.note("weights alone do not say whether %q goes backwards (go_backwards): here it goes forwards", short(l.Name))
		}
		return nil
	}
	for _, way := range ways {
		if way.Config["stateful"] == true {
			k.note("%q is stateful: Keras starts a batch where the last one ended; here a caller hands states on", short(l.Name))
		}
		if way.Config["time_major"] == true {
			k.note("%q is time_major: Keras reads (T, B, F)", short(l.Name))
		}
		if dropout(way) {
			k.note("dropout in %q acts in training alone and is left out", short(l.Name))
		}
		if way.Config["return_sequences"] != true {
			k.Pool = model.PoolLast
		}
	}
	back := ways[0].Config["go_backwards"] == true
	switch {
	case len(ways) == 2 && (back || ways[1].Config["go_backwards"] != true):
		return refuse(l, "go_backwards is %v and %v of its layers, want false and true", ways[0].Config["go_backwards"], ways[1].Config["go_backwards"])
	case len(ways) == 2 && ways[0].Config["return_sequences"] != ways[1].Config["return_sequences"]:
		return refuse(l, "return_sequences differs between its layers")
	case len(ways) == 1 && back && k.Pool == "":
		return refuse(l, "go_backwards with return_sequences: Keras gives the outputs in the order from the sequence's end, no layer here does; ONNX and PyTorch have no such layer either")
	case len(ways) == 1 && back:
		c.Direction = rnn.Backward
	}
	return nil
}

// dropout says whether a layer drops anything in training.
func dropout(l *kerasfile.Layer) bool {
	for _, field := range []string{"dropout", "recurrent_dropout"} {
		if p, _ := l.Config[field].(float64); p > 0 {
			return true
		}
	}
	return false
}
