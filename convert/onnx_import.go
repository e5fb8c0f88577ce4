package convert

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"sluice/convert/internal/onnxfile"
)

// onnxImport walks through a graph once and knows of each value what it is: a
// constant, or what a model makes of its input, with the meaning of each axis.
type onnxImport struct {
	file     *onnxfile.Model
	wanted   map[string]bool // values that outputs depend on
	values   map[string]onnxValue
	layers   []*onnxLayerOf
	states   map[string][]onnxBegin // of inputs: the parts that are initial states
	sizes    map[onnxSizeOf]string  // names of sizes that are known when the model runs
	lengths  string                 // the input that has the lengths of the rows, "" without
	room     int                    // elements that constants may yet be computed of
	allowed  int                    // and at first
	problems []string               // the first ones
	more     bool                   // there are others, or could be
	unknown  bool                   // an operator was
	carried  []string               // inputs that are initial states
	notes    []string
}

// onnxValue is what a name in a graph stands for: one of these, or nothing where a
// problem has been told of already.
type onnxValue struct {
	c    *onnxConst
	fill *onnxFill
	seq  *onnxSeq
}

// maxProblems is how many are told of one by one.
const maxProblems = 20

// errNotFolded is the error of an operator whose constants make a tensor of one
// value.
var errNotFolded = errors.New("not a constant")

// maxAxes bounds the axes of a value, and the sizes in a product of them.
const maxAxes = 8

// What importing a graph allocates at most: memoryTimes the file's size and
// memoryMore.
const (
	memoryTimes = 512
	memoryMore  = 4 << 20
)

// partsOfGraph finds the parts of a model in a graph. What it computes of constants
// is bounded by how many the file has, so that it, with what onnxfile.Read and
// Parts.Model take, allocates at most memoryTimes the file's size and memoryMore.
func partsOfGraph(file *onnxfile.Model) (*Parts, error) {
	im := &onnxImport{file: file, values: map[string]onnxValue{}, states: map[string][]onnxBegin{}, sizes: map[onnxSizeOf]string{}}
	im.allow()
	im.want()
	for _, name := range slices.Sorted(maps.Keys(file.Constants)) {
		if t := file.Constants[name]; im.wanted[name] {
			c, err := tensorConst(t)
			if err != nil {
				return nil, err
			}
			im.values[name] = onnxValue{c: c}
		}
	}
	for _, v := range file.Inputs {
		if im.wanted[v.Name] {
			im.values[v.Name] = onnxValue{seq: im.input(v)}
		}
	}
	if !slices.ContainsFunc(file.Nodes, func(n *onnxfile.Node) bool { return gatesOf[n.Op] > 0 }) {
		im.problem("there is no RNN, GRU or LSTM: where an exporter has unrolled a recurrent layer into the steps of its example, as PyTorch's does with nn.RNN and dynamo=True, want it whole (dynamo=False)")
	}
	for _, n := range file.Nodes {
		if im.more {
			break
		}
		if slices.ContainsFunc(n.Outputs, func(name string) bool { return im.wanted[name] }) {
			im.node(n)
		}
	}
	p := &Parts{Notes: im.notes}
	if len(im.problems) == 0 {
		im.finish(p)
	}
	return p, im.err()
}

// allow sets how many elements may be computed: a layer's weights are cut, turned
// around, joined and moved, and each node computes a few shapes.
func (im *onnxImport) allow() {
	add := func(t *onnxfile.Tensor) {
		if t.IsFloat() {
			im.allowed += 8 * t.Elements()
		} else {
			im.allowed += 2 * t.Elements()
		}
	}
	for _, t := range im.file.Constants {
		add(t)
	}
	for _, n := range im.file.Nodes {
		if t, _ := n.Tensor("value"); t != nil && n.Op == "Constant" {
			add(t)
		}
	}
	im.allowed += 16*len(im.file.Nodes) + 1<<14
	im.room = im.allowed
}

// want finds the values that outputs depend on. What else a file has is of no
// interest: exporters leave much.
func (im *onnxImport) want() {
	im.wanted = map[string]bool{}
	for _, v := range im.file.Outputs {
		im.wanted[v.Name] = true
	}
	for _, n := range slices.Backward(im.file.Nodes) {
		if slices.ContainsFunc(n.Outputs, func(name string) bool { return im.wanted[name] }) {
			for _, name := range n.Inputs {
				im.wanted[name] = name != ""
			}
		}
	}
}

// problem keeps what cannot be read.
func (im *onnxImport) problem(format string, args ...any) {
	if im.more = len(im.problems) == maxProblems; !im.more {
		im.problems = append(im.problems, cut(fmt.Sprintf(format, args...)))
	}
}

// cut is the beginning of a long text.
func cut(text string) string {
	const most = 600
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}

// err is that of all problems.
func (im *onnxImport) err() error {
	if len(im.problems) == 0 {
		return nil
	}
	line := strings.Join(im.problems, "; ")
	if im.more {
		line += "; and more"
	}
	if im.unknown {
		line += ": the operators that are read are " + strings.Join(operators(), ", ")
	}
	return fmt.Errorf("convert: ONNX graph: %s", line)
}

func (im *onnxImport) note(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	if len(im.notes) >= maxProblems {
		line = "There are more such notes."
	}
	if !slices.Contains(im.notes, line) {
		im.notes = append(im.notes, line)
	}
}

// operators are the names of those that are read.
func operators() []string {
	names := append(slices.Collect(maps.Keys(folders)), "Constant", "ConstantOfShape")
	names = slices.AppendSeq(names, maps.Keys(sequencers))
	slices.Sort(names)
	return slices.Compact(names)
}

// node gives the outputs of a node their values.
func (im *onnxImport) node(n *onnxfile.Node) {
	in := make([]onnxValue, len(n.Inputs))
	constant := true // all inputs are, so that the node can be computed
	for i, name := range n.Inputs {
		if name == "" {
			continue
		}
		if in[i] = im.values[name]; in[i] == (onnxValue{}) {
			return // it was told what is wrong with it
		}
		constant = constant && in[i].seq == nil
	}
	out, err := im.outputs(n, in, constant)
	if err != nil {
		im.problem("%s: %v", n, err)
		return
	}
	for _, v := range out {
		if v.c != nil && len(v.c.shape) > maxAxes || v.seq != nil && len(v.seq.axes) > maxAxes {
			im.problem("%s: makes a tensor of more than %d axes", n, maxAxes)
			return
		}
	}
	for i, name := range n.Outputs {
		if i < len(out) && name != "" {
			im.values[name] = out[i]
		} else if im.wanted[name] {
			im.problem("%s: output %q is not read here", n, short(name))
		}
	}
}

func (im *onnxImport) outputs(n *onnxfile.Node, in []onnxValue, constant bool) ([]onnxValue, error) {
	switch n.Op {
	case "Constant":
		return im.constant(n)
	case "ConstantOfShape":
		return im.constantOfShape(n, in)
	}
	fold, folds := folders[n.Op]
	sequence, sequences := sequencers[n.Op]
	if !folds && !sequences {
		im.unknown = true
		return nil, fmt.Errorf("no operator that is read here")
	}
	switch {
	case n.Op == "Shape" && !constant:
		if in[0].seq == nil {
			return nil, fmt.Errorf("of a tensor whose shape is not kept track of")
		}
		c, err := sizesIn(n, in[0].seq.sizes())
		return []onnxValue{{c: c}}, err
	case constant && folds:
		if out, err := im.folded(n, in, fold); !errors.Is(err, errNotFolded) {
			return out, err
		}
		return fills(n, in)
	case constant:
		return nil, fmt.Errorf("of constants alone, want of what the graph's input makes")
	case !sequences:
		return nil, fmt.Errorf("is read where it computes shapes, and not of a sequence")
	}
	return sequence(im, n, in)
}

// folded computes constants. Of tensors of one value the value goes on.
func (im *onnxImport) folded(n *onnxfile.Node, in []onnxValue, fold func(*onnxImport, *onnxfile.Node, []*onnxConst) ([]*onnxConst, error)) ([]onnxValue, error) {
	constants := make([]*onnxConst, len(in))
	for i, v := range in {
		if constants[i] = v.c; v.fill != nil {
			return nil, errNotFolded
		}
	}
	needed := map[string]int{"Where": 3, "Range": 3, "Add": 2, "Sub": 2, "Mul": 2, "Div": 2, "Equal": 2, "Gather": 2, "Expand": 2}
	for i := range max(1, needed[n.Op]) {
		if i >= len(in) || constants[i] == nil {
			return nil, fmt.Errorf("input %d is missing", i)
		}
	}
	if n.Op == "Concat" && slices.Contains(constants, nil) {
		return nil, fmt.Errorf("an input is missing")
	}
	out, err := fold(im, n, constants)
	values := make([]onnxValue, len(out))
	for i, c := range out {
		values[i] = onnxValue{c: c}
	}
	return values, err
}

// constant is the value of a node Constant.
func (im *onnxImport) constant(n *onnxfile.Node) ([]onnxValue, error) {
	t, err := n.Tensor("value")
	if err != nil {
		return nil, err
	}
	if t != nil {
		c, err := tensorConst(t)
		return []onnxValue{{c: c}}, err
	}
	c := &onnxConst{}
	switch {
	case n.Has("value_float"):
		v, err := n.Float("value_float", 0)
		c.floats = []float32{v}
		return []onnxValue{{c: c}}, err
	case n.Has("value_floats"):
		c.floats, err = n.Floats("value_floats")
		c.shape = []int{len(c.floats)}
		return []onnxValue{{c: c}}, err
	case n.Has("value_int"):
		v, err := n.Int("value_int", 0)
		c.ints = []onnxDim{number(v)}
		return []onnxValue{{c: c}}, err
	case n.Has("value_ints"):
		list, err := n.Ints("value_ints")
		c = intsConst()
		for _, v := range list {
			c.ints = append(c.ints, number(v))
		}
		c.shape[0] = len(c.ints)
		return []onnxValue{{c: c}}, err
	}
	return nil, fmt.Errorf("want a value of numbers")
}

// constantOfShape is one value, of a shape that is known or not.
func (im *onnxImport) constantOfShape(n *onnxfile.Node, in []onnxValue) ([]onnxValue, error) {
	c := &onnxConst{floats: []float32{0}}
	t, err := n.Tensor("value")
	if err == nil && t != nil {
		c, err = tensorConst(t)
	}
	if err != nil {
		return nil, err
	}
	f, ok := c.fill()
	if !ok || len(in) == 0 || in[0].c == nil {
		return nil, fmt.Errorf("want one value and a shape that follows from others")
	}
	shape, ok := in[0].c.numbers(maxAxes)
	if !ok {
		return []onnxValue{{fill: &f}}, nil
	}
	for _, d := range shape {
		if d < 0 {
			return nil, fmt.Errorf("of shape %v", shape)
		}
	}
	c, err = im.placed(c, shape, make([]int, len(shape)), 0)
	return []onnxValue{{c: c}}, err
}

// fills is an operator of tensors of one value, of shapes that are known only when
// the model runs.
func fills(n *onnxfile.Node, in []onnxValue) ([]onnxValue, error) {
	switch n.Op {
	case "Range":
		if len(in) < 3 {
			return nil, fmt.Errorf("want 3 inputs")
		}
		if c := in[0].c; c == nil || len(c.ints) != 1 || !c.ints[0].is(0) || in[2].c == nil || len(in[2].c.ints) != 1 || !in[2].c.ints[0].is(1) || in[1].c == nil || len(in[1].c.ints) != 1 {
			return nil, fmt.Errorf("of numbers that are known only when the model runs, want from 0 by 1")
		}
		return seqs(&onnxSeq{stage: countStage, axes: [][]*onnxAtom{axisFor(&onnxAtom{size: in[1].c.ints[0]})}}), nil
	case "Identity", "Slice", "Squeeze", "Unsqueeze", "Reshape", "Transpose", "Expand", "Split", "Gather", "Cast", "Concat":
	default:
		return nil, fmt.Errorf("of tensors of a shape that is known only when the model runs")
	}
	var f *onnxFill
	for i, v := range in {
		if i > 0 && n.Op != "Concat" {
			break
		}
		own := v.fill
		if v.c != nil {
			same, ok := v.c.fill()
			if !ok {
				return nil, fmt.Errorf("of a constant of several values, to a shape that is known only when the model runs")
			}
			own = &same
		}
		if own == nil || f != nil && *f != *own {
			return nil, fmt.Errorf("of different values")
		}
		f = own
	}
	out := make([]onnxValue, len(n.Outputs))
	for i := range out {
		out[i] = onnxValue{fill: f}
	}
	return out, nil
}
