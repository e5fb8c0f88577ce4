package convert

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"sluice/convert/internal/onnxfile"
	"sluice/rnn"
)

// onnxCell is a node RNN, GRU or LSTM: one layer of one direction or two.
type onnxCell struct {
	node    string // for messages
	config  rnn.Config
	reverse []bool      // (D) of each direction
	batched bool        // layout 1: rows come before steps
	w, r, b []float32   // (D, G·H, X), (D, G·H, H), (D, 2·G·H): zeros without
	p       []float32   // (D, 3·H), nil without
	begins  [2]*onnxSeq // parts of inputs that h and c begin with, nil for zeros
	below   onnxBelow
	flipped bool           // what it reads lies from the end to the start
	ordered *onnxfile.Node // see onnxSeq
	lengths bool           // rows end at lengths that are fed
}

// onnxBelow is what a layer reads.
type onnxBelow struct {
	layer   int // of a layer, −1: of the input
	input   string
	symbols bool        // through an embedding
	table   string      // that it is, "" for one-hot
	linear  *onnxLinear // of numbers: the linear layer between, nil without
}

// backward says whether a direction begins at the end of the sequence as it is fed.
func (c *onnxCell) backward(direction int) bool { return c.reverse[direction] != c.flipped }

// gatesOf is G.
var gatesOf = map[string]int{"RNN": 1, "GRU": 3, "LSTM": 4}

// cellAttributes are those that an operator may have.
var cellAttributes = map[string][]string{
	"RNN":  {"activation_alpha", "activation_beta", "activations", "clip", "direction", "hidden_size", "layout", "output_sequence"},
	"GRU":  {"activation_alpha", "activation_beta", "activations", "clip", "direction", "hidden_size", "layout", "output_sequence", "linear_before_reset"},
	"LSTM": {"activation_alpha", "activation_beta", "activations", "clip", "direction", "hidden_size", "layout", "output_sequence", "input_forget"},
}

// newONNXCell reads a node's attributes and weights; constant finds a constant, nil
// without one, and spend is told how many elements are made.
func newONNXCell(n *onnxfile.Node, constant func(name string) *onnxConst, spend func(int) error) (*onnxCell, error) {
	c := &onnxCell{node: n.String(), config: rnn.Config{Cell: strings.ToLower(n.Op), Layers: 1, Biases: 2}}
	if others := n.Others(cellAttributes[n.Op]...); len(others) > 0 {
		return nil, fmt.Errorf("%d attributes such as %.40q, want of %s", len(others), others[0], strings.Join(cellAttributes[n.Op], ", "))
	}
	direction, err := n.Text("direction", "forward")
	if err != nil {
		return nil, err
	}
	switch direction {
	case "forward":
		c.reverse = []bool{false}
	case "reverse":
		c.reverse = []bool{true}
	case "bidirectional":
		c.reverse = []bool{false, true}
	default:
		return nil, fmt.Errorf("direction %.80q, want forward, reverse or bidirectional", direction)
	}
	if err := c.attributes(n); err != nil {
		return nil, err
	}
	return c, c.weights(n, constant, spend)
}

// attributes reads what fixes the function.
func (c *onnxCell) attributes(n *onnxfile.Node) error {
	var ints [3]int64
	for i, name := range []string{"layout", "linear_before_reset", "input_forget"} {
		v, err := n.Int(name, 0)
		if err != nil {
			return err
		}
		if v != 0 && v != 1 {
			return fmt.Errorf("%s %d, want 0 or 1", name, v)
		}
		ints[i] = v
	}
	c.batched = ints[0] == 1
	if n.Op == "GRU" {
		if c.config.Reset = rnn.ResetBefore; ints[1] == 1 {
			c.config.Reset = rnn.ResetAfter
		}
	}
	return c.special(n, ints[2] == 1)
}

// weights reads W, R, B and P, and the sizes from them.
func (c *onnxCell) weights(n *onnxfile.Node, constant func(name string) *onnxConst, spend func(int) error) error {
	find := func(i int, what string, shape ...int) ([]float32, []int, error) {
		name := n.Input(i)
		if name == "" {
			return nil, nil, nil
		}
		t := constant(name)
		if t == nil || t.ints != nil {
			return nil, nil, fmt.Errorf("%s %q is no constant of floats", what, short(name))
		}
		if len(t.shape) != len(shape) {
			return nil, nil, fmt.Errorf("%s %q has shape %v, want %d dimensions", what, short(name), t.shape, len(shape))
		}
		for i, d := range shape {
			if d >= 0 && t.shape[i] != d {
				return nil, nil, fmt.Errorf("%s %q has shape %v, want %v (−1 is any)", what, short(name), t.shape, shape)
			}
		}
		return t.floats, t.shape, nil
	}
	d, g := len(c.reverse), gatesOf[n.Op]
	var shape []int
	var err error
	if c.r, shape, err = find(2, "R", d, -1, -1); err != nil {
		return err
	}
	if c.r == nil || n.Input(1) == "" {
		return fmt.Errorf("without W or R, or with an empty one")
	}
	h := shape[2]
	if shape[1] != g*h {
		return fmt.Errorf("input R %q has shape %v, want (%d, %d·H, H)", short(n.Input(2)), shape, d, g)
	}
	if hidden, err := n.Int("hidden_size", int64(h)); err != nil || hidden != int64(h) {
		return cmp.Or(err, fmt.Errorf("hidden_size %d, want %d as R has it", hidden, h))
	}
	if c.w, shape, err = find(1, "W", d, g*h, -1); err != nil {
		return err
	}
	c.config.Input, c.config.Hidden = shape[2], h
	if c.b, _, err = find(3, "B", d, 2*g*h); err != nil {
		return err
	}
	if c.b == nil {
		if err := spend(d * 2 * g * h); err != nil { // many nodes could have the same R
			return err
		}
		c.b = make([]float32, d*2*g*h)
	}
	if n.Op == "LSTM" {
		if c.p, _, err = find(7, "P", d, 3*h); err != nil {
			return err
		}
		if !slices.ContainsFunc(c.p, func(v float32) bool { return v != 0 }) {
			c.p = nil // peepholes that see nothing
		}
		c.config.Peephole = c.p != nil
	}
	return nil
}

// recurrent is a node RNN, GRU or LSTM.
func (im *onnxImport) recurrent(n *onnxfile.Node, in []onnxValue) ([]onnxValue, error) {
	c, err := newONNXCell(n, func(name string) *onnxConst { return im.values[name].c }, im.spend)
	if err != nil {
		return nil, err
	}
	x := in[0].seq
	if x == nil {
		return nil, fmt.Errorf("reads a constant")
	}
	if x.stage < inputStage {
		return nil, fmt.Errorf("reads what is no sequence")
	}
	if len(x.axes) != 3 {
		return nil, fmt.Errorf("reads a tensor of %d axes, want 3", len(x.axes))
	}
	steps, rows := x.axes[0], x.axes[1]
	if c.batched {
		steps, rows = rows, steps
	}
	if err := cmp.Or(bind(steps, timeAxis), bind(rows, batchAxis)); err != nil {
		return nil, err
	}
	if err := im.reads(c, x); err != nil {
		return nil, err
	}
	if err := im.lengthsOf(c, n, in, steps); err != nil {
		return nil, err
	}
	for i, what := range []string{"initial_h", "initial_c"} {
		if n.Input(5+i) != "" {
			if err := im.start(c, what, in[5+i]); err != nil {
				return nil, err
			}
			c.begins[i] = in[5+i].seq
		}
	}
	return c.outputs(steps, rows), nil
}

// outputs are Y, Y_h and Y_c.
func (c *onnxCell) outputs(steps, rows []*onnxAtom) []onnxValue {
	all := &onnxSeq{stage: outputStage, kind: onnxfile.TensorProto_FLOAT, flipped: c.flipped, ordered: c.ordered, at: everyStep}
	for d := range c.reverse {
		all.sources = append(all.sources, onnxSource{c, d})
	}
	directions := axisFor(&onnxAtom{sourceAxis, number(int64(len(c.reverse)))})
	hidden := axisFor(&onnxAtom{featureAxis, number(int64(c.config.Hidden))})
	y := all.with([][]*onnxAtom{steps, directions, rows, hidden})
	h := all.with([][]*onnxAtom{directions, rows, hidden})
	if c.batched {
		y.axes = [][]*onnxAtom{rows, steps, directions, hidden}
		h.axes = [][]*onnxAtom{rows, directions, hidden}
	}
	h.at, h.flipped = ended, false
	last := h.with(h.axes)
	last.at = cellState
	return []onnxValue{{seq: y}, {seq: h}, {seq: last}}
}

// reads finds what a cell reads and puts its columns in the order of ours.
func (im *onnxImport) reads(c *onnxCell, x *onnxSeq) error {
	size := sizeOf(x.features())
	if !size.is(int64(c.config.Input)) {
		return fmt.Errorf("reads %v numbers at a step, want %d as W has it", size, c.config.Input)
	}
	c.flipped, c.ordered = x.flipped, x.ordered
	switch {
	case x.stage == inputStage && x.kind != onnxfile.TensorProto_FLOAT:
		return fmt.Errorf("reads input %q of type %s, want FLOAT, or symbols through an embedding", short(x.input), x.kind)
	case len(x.cuts) > 0:
		return fmt.Errorf("reads a part of input %q", short(x.input))
	case x.stage == linearStage:
		return fmt.Errorf("reads a linear layer without ReLU, %q: a model here has one with ReLU before its recurrent layers, or none", short(x.linear.Weight.Name))
	case x.stage == headStage:
		return fmt.Errorf("reads the linear layer %q, which reads a recurrent one: a model here has none between its layers", short(x.linear.Weight.Name))
	case x.stage == outputStage && x.at != everyStep:
		return fmt.Errorf("reads %s of another layer, want the outputs of every step", x.at)
	case x.stage == outputStage:
		layer, swapped, err := im.consume(x)
		if err != nil {
			return err
		}
		c.below = onnxBelow{layer: layer}
		if swapped {
			if err := im.spend(len(c.w)); err != nil {
				return err
			}
			c.w = swapHalves(c.w, c.config.Input)
		}
		return nil
	}
	for _, a := range x.features() {
		if err := bind([]*onnxAtom{a}, featureAxis); err != nil {
			return err
		}
	}
	c.below = onnxBelow{layer: -1, input: x.input, linear: x.linear}
	if x.stage == embedStage {
		c.below.symbols = true
		if x.table != nil {
			c.below.table = x.table.Name
		}
	}
	return nil
}

// swapHalves is a matrix of a width with its left and right halves swapped.
func swapHalves(w []float32, width int) []float32 {
	out := make([]float32, len(w))
	for i := range w {
		out[i] = w[i-i%width+(i+width/2)%width]
	}
	return out
}

// lengthsOf reads sequence_lens.
func (im *onnxImport) lengthsOf(c *onnxCell, n *onnxfile.Node, in []onnxValue, steps []*onnxAtom) error {
	if n.Input(4) == "" {
		return nil
	}
	v := in[4]
	f := v.fill
	if v.c != nil {
		if same, ok := v.c.fill(); ok {
			f = &same
		}
	}
	switch {
	case f != nil && f.ints && f.int == sizeOf(steps): // all rows are whole
		return nil
	case v.seq == nil:
		return fmt.Errorf("sequence_lens %q is a constant: want an input, or none", short(n.Input(4)))
	case v.seq.stage != inputStage || len(v.seq.cuts) > 0 || len(v.seq.axes) != 1:
		return fmt.Errorf("sequence_lens %q: want a whole input of one axis", short(n.Input(4)))
	case v.seq.ordered != in[0].seq.ordered:
		return fmt.Errorf("sequence_lens %q and the sequence have their rows in different orders", short(n.Input(4)))
	case im.lengths != "" && im.lengths != v.seq.input:
		return fmt.Errorf("sequence_lens are input %q, and %q of another layer", short(v.seq.input), short(im.lengths))
	case c.flipped:
		return fmt.Errorf("reads its sequence from the end with sequence_lens: want direction reverse, which begins at a row's own end")
	}
	im.lengths, c.lengths = v.seq.input, true
	im.note("Rows end at the lengths of input %q; in the file outputs past them are zeros.", short(im.lengths))
	return nil
}

// start reads an initial state: zeros, or an input that carries it.
func (im *onnxImport) start(c *onnxCell, what string, v onnxValue) error {
	switch {
	case v.fill != nil && v.fill.float != 0:
		return fmt.Errorf("%s is %v, want zeros or an input: a model here begins with zeros, or goes on with the state that it is given", what, v.fill.float)
	case v.c != nil:
		if v.c.ints != nil {
			return fmt.Errorf("%s is a constant of integers, want floats", what)
		}
		if same, ok := v.c.fill(); ok && same.float == 0 || v.c.elements() == 0 {
			return nil
		}
		at := slices.IndexFunc(v.c.floats, func(f float32) bool { return f != 0 })
		return fmt.Errorf("%s is a constant that is not zero (%v): a model here begins with zeros, or goes on with the state that it is given", what, v.c.floats[at])
	case v.seq != nil:
		if v.seq.stage != inputStage || v.seq.input == im.lengths {
			return fmt.Errorf("%s is computed by the graph: want zeros or an input", what)
		}
		if v.seq.flipped || len(v.seq.axes) != 3 {
			return fmt.Errorf("%s is input %q turned around, or not of 3 axes", what, short(v.seq.input))
		}
		rows := v.seq.axes[1]
		if c.batched {
			rows = v.seq.axes[0]
		}
		if err := cmp.Or(bind(rows, batchAxis), bind(v.seq.axes[2], featureAxis)); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		if v.seq.ordered != c.ordered {
			return fmt.Errorf("%s and the sequence have their rows in different orders", what)
		}
		others := im.states[v.seq.input]
		if err := im.spend(len(others)); err != nil {
			return err
		}
		for _, other := range others {
			if overlap(v.seq.cuts, other.cuts) {
				return fmt.Errorf("%s is a part of input %q, which %s begins with, too", what, short(v.seq.input), other.node)
			}
		}
		im.states[v.seq.input] = append(others, onnxBegin{v.seq.cuts, c.node})
		if name := fmt.Sprintf("%q", short(v.seq.input)); !slices.Contains(im.carried, name) && len(im.carried) < 4 {
			im.carried = append(im.carried, name)
		}
	}
	return nil
}
