package convert

import (
	"fmt"
	"math"
	"slices"

	"sluice/convert/internal/onnxfile"
	"sluice/nn"
	"sluice/rnn"
)

// sequencer is an operator of sequences: at least one of its inputs is one.
type sequencer func(*onnxImport, *onnxfile.Node, []onnxValue) ([]onnxValue, error)

// sequencers are the operators that are read of what a model makes of its input.
var sequencers map[string]sequencer

func init() { // it is read by what it names
	sequencers = map[string]sequencer{
		"RNN": (*onnxImport).recurrent, "GRU": (*onnxImport).recurrent, "LSTM": (*onnxImport).recurrent,
		"Identity": seqSame, "Dropout": seqDropout, "Cast": seqCast,
		"Transpose": seqTranspose, "Reshape": seqReshape, "Flatten": seqReshape, "Squeeze": seqReshape, "Unsqueeze": seqReshape,
		"Slice": seqSlice, "Gather": seqGather, "Split": seqSplit, "Concat": seqConcat, "ReverseSequence": seqReverse,
		"TopK": seqTopK, "ScatterElements": seqScatter,
		"OneHot": seqOneHot, "Equal": seqEqual, "MatMul": seqMatMul, "Gemm": seqGemm, "Relu": seqRelu, "Softmax": seqSoftmax, "LogSoftmax": seqSoftmax,
		"Add": seqPair, "Sum": seqPair, "Mul": seqPair, "Div": seqPair, "Mean": seqPair,
		"ReduceSum": seqReduce, "ReduceMean": seqReduce, "ReduceProd": seqReduce, "ReduceMax": seqReduce,
	}
}

func seqs(all ...*onnxSeq) []onnxValue {
	values := make([]onnxValue, len(all))
	for i, s := range all {
		values[i] = onnxValue{seq: s}
	}
	return values
}

// first is the sequence that an operator of one reads.
func first(in []onnxValue) (*onnxSeq, error) {
	if len(in) == 0 || in[0].seq == nil {
		return nil, fmt.Errorf("want the sequence as first input")
	}
	return in[0].seq, nil
}

func seqSame(_ *onnxImport, _ *onnxfile.Node, in []onnxValue) ([]onnxValue, error) {
	return in[:1], nil
}

// seqDropout is nothing where a model is not trained. Its mask is no value.
func seqDropout(_ *onnxImport, n *onnxfile.Node, in []onnxValue) ([]onnxValue, error) {
	if name := n.Input(2); name != "" {
		if f, ok := boolOf(in[2]); !ok || f {
			return nil, fmt.Errorf("training_mode %q is not false", short(name))
		}
	}
	return in[:1], nil
}

func boolOf(v onnxValue) (value, ok bool) {
	if v.c == nil {
		return false, false
	}
	n, ok := v.c.numbers(1)
	return ok && len(n) == 1 && n[0] != 0, ok && len(n) == 1
}

func seqTranspose(_ *onnxImport, n *onnxfile.Node, in []onnxValue) ([]onnxValue, error) {
	s, err := first(in)
	if err != nil {
		return nil, err
	}
	order, err := permutation(n, len(s.axes))
	if err != nil {
		return nil, err
	}
	axes := make([][]*onnxAtom, len(order))
	for i, from := range order {
		axes[i] = s.axes[from]
	}
	return seqs(s.with(axes)), nil
}

func seqReshape(im *onnxImport, n *onnxfile.Node, in []onnxValue) ([]onnxValue, error) {
	s, err := first(in)
	if err != nil {
		return nil, err
	}
	sizes, err := im.reshaped(n, s.sizes())
	if err != nil {
		return nil, err
	}
	out, err := s.reshape(sizes)
	return seqs(out), err
}

func seqSlice(im *onnxImport, n *onnxfile.Node, in []onnxValue) ([]onnxValue, error) {
	s, err := first(in)
	if err != nil {
		return nil, err
	}
	parts, err := im.slices(n, len(s.axes))
	if err != nil {
		return nil, err
	}
	for _, p := range parts {
		if s, err = s.slice(p); err != nil {
			return nil, err
		}
	}
	return seqs(s), nil
}

func seqSplit(im *onnxImport, n *onnxfile.Node, in []onnxValue) ([]onnxValue, error) {
	s, err := first(in)
	if err != nil {
		return nil, err
	}
	at, err := n.Int("axis", 0)
	if err != nil {
		return nil, err
	}
	axis, err := axisOf(at, len(s.axes))
	if err != nil {
		return nil, err
	}
	sizes, err := im.splits(n, sizeOf(s.axes[axis]))
	if err != nil {
		return nil, err
	}
	var all []*onnxSeq
	from := 0
	for _, size := range sizes {
		if err := im.spend(8); err != nil {
			return nil, err
		}
		part, err := s.slice(slicing{axis, number(int64(from)), number(int64(from + size)), 1})
		if err != nil {
			return nil, err
		}
		all = append(all, part)
		from += size
	}
	return seqs(all...), nil
}

// seqGather is an embedding, or a part of a sequence.
func seqGather(im *onnxImport, n *onnxfile.Node, in []onnxValue) ([]onnxValue, error) {
	if len(in) < 2 {
		return nil, fmt.Errorf("want two inputs")
	}
	at, err := n.Int("axis", 0)
	if err != nil {
		return nil, err
	}
	if in[0].c != nil && in[1].seq != nil {
		c := in[0].c
		if c.ints != nil || len(c.shape) != 2 || at != 0 {
			return nil, fmt.Errorf("of constant %q of shape %v at axis %d, want an embedding (V, E) of floats at axis 0", short(n.Input(0)), c.shape, at)
		}
		return in[1].seq.embed(&nn.Tensor{Name: n.Input(0), Shape: c.shape, Data: c.floats}, c.shape[1])
	}
	s := in[0].seq
	if order := in[1].seq; s != nil && order != nil && order.stage == orderStage {
		return s.rows(order, at)
	}
	if s == nil || in[1].c == nil {
		return nil, fmt.Errorf("want an embedding of an input, or constant places of a sequence")
	}
	axis, err := axisOf(at, len(s.axes))
	if err != nil {
		return nil, err
	}
	c := in[1].c
	if len(c.shape) > 1 || len(c.ints) == 0 {
		return nil, fmt.Errorf("of places of shape %v, want one or a list", c.shape)
	}
	if err := im.spend(len(c.ints)); err != nil {
		return nil, err
	}
	from, to := c.ints[0], onnxDim{}
	for i, d := range c.ints {
		if next, ok := from.sum(number(int64(i))); !ok || next != d {
			return nil, fmt.Errorf("of places from %v and then %v, want one after another", from, d)
		}
		to, _ = d.sum(number(1))
	}
	if to.is(0) { // the last one is −1
		to = number(math.MaxInt32)
	}
	out, err := s.slice(slicing{axis, from, to, 1})
	if err != nil || len(c.shape) == 1 {
		return seqs(out), err
	}
	if len(out.axes[axis]) > 0 {
		return nil, fmt.Errorf("of one place of an axis of %v", sizeOf(s.axes[axis]))
	}
	return seqs(out.with(slices.Delete(slices.Clone(out.axes), axis, axis+1))), nil
}

// embed is symbols as vectors of a width: rows of a table, or one-hot without.
func (s *onnxSeq) embed(table *nn.Tensor, width int) ([]onnxValue, error) {
	switch {
	case s.stage != inputStage || len(s.cuts) > 0:
		return nil, fmt.Errorf("reads what is computed of symbols, want a whole input")
	case s.kind != onnxfile.TensorProto_INT64 && s.kind != onnxfile.TensorProto_INT32:
		return nil, fmt.Errorf("reads input %q of type %s, want INT64 or INT32", short(s.input), s.kind)
	}
	out := s.with(append(slices.Clone(s.axes), axisFor(&onnxAtom{featureAxis, number(int64(width))})))
	out.stage, out.table, out.kind = embedStage, table, onnxfile.TensorProto_FLOAT
	return seqs(out), nil
}

func seqOneHot(_ *onnxImport, n *onnxfile.Node, in []onnxValue) ([]onnxValue, error) {
	s, err := first(in)
	if err != nil {
		return nil, err
	}
	axis, err := n.Int("axis", -1)
	if err != nil {
		return nil, err
	}
	if len(in) < 3 || in[1].c == nil || in[2].c == nil || axis != -1 && axis != int64(len(s.axes)) {
		return nil, fmt.Errorf("want a constant depth, values 0 and 1, and the last axis")
	}
	depth, ok := in[1].c.numbers(1)
	v := in[2].c
	if !ok || len(depth) != 1 || depth[0] < 1 || !slices.Equal(v.floats, []float32{0, 1}) && !slices.Equal(v.ints, []onnxDim{number(0), number(1)}) {
		return nil, fmt.Errorf("of depth %v, or of other values than 0 and 1", depth)
	}
	return s.embed(nil, depth[0])
}

// seqEqual is one-hot: symbols beside all that there are.
func seqEqual(im *onnxImport, _ *onnxfile.Node, in []onnxValue) ([]onnxValue, error) {
	if len(in) != 2 || in[0].seq == nil || in[1].c == nil || len(in[1].c.ints) == 0 {
		return nil, fmt.Errorf("want symbols beside 0, 1, 2, …")
	}
	s, c := in[0].seq, in[1].c
	if len(c.shape) == 0 {
		return nil, fmt.Errorf("with one number: want symbols beside 0, 1, 2, …")
	}
	if err := im.spend(len(c.ints)); err != nil {
		return nil, err
	}
	for i, d := range c.ints {
		if !d.is(int64(i)) || c.shape[len(c.shape)-1] != len(c.ints) {
			return nil, fmt.Errorf("want symbols beside 0, 1, 2, …")
		}
	}
	if len(s.axes) == 0 || len(s.features()) > 0 {
		return nil, fmt.Errorf("want symbols with a last axis of 1")
	}
	return s.with(s.axes[:len(s.axes)-1]).embed(nil, len(c.ints))
}

// seqReverse turns whole sequences around.
func seqReverse(_ *onnxImport, n *onnxfile.Node, in []onnxValue) ([]onnxValue, error) {
	s, err := first(in)
	if err != nil {
		return nil, err
	}
	at, err := n.Int("time_axis", 0)
	if err != nil {
		return nil, err
	}
	axis, err := axisOf(at, len(s.axes))
	if err != nil {
		return nil, err
	}
	var f onnxFill
	ok := false
	if len(in) > 1 && in[1].fill != nil {
		f, ok = *in[1].fill, true
	} else if len(in) > 1 && in[1].c != nil {
		f, ok = in[1].c.fill()
	}
	if !ok || f.int != sizeOf(s.axes[axis]) {
		return nil, fmt.Errorf("by lengths: want all rows whole, or direction reverse, which begins at a row's own end")
	}
	out, err := s.flip(slicing{axis, number(-1), number(-math.MaxInt32), -1}, s.axes[axis])
	return seqs(out), err
}

// seqConcat joins directions, of one layer or of several.
func seqConcat(im *onnxImport, n *onnxfile.Node, in []onnxValue) ([]onnxValue, error) {
	at, err := n.Int("axis", math.MaxInt32)
	if err != nil {
		return nil, err
	}
	s, err := first(in)
	if err != nil {
		return nil, err
	}
	axis, err := axisOf(at, len(s.axes))
	if err != nil {
		return nil, err
	}
	out := s.with(slices.Clone(s.axes))
	out.sources = nil
	rest := s.axes[axis]
	for i, v := range in {
		o := v.seq
		if o == nil || o.stage != outputStage || o.merge != "" || len(o.axes) != len(s.axes) {
			return nil, fmt.Errorf("input %d is no output of a recurrent layer: a model here joins nothing else", i)
		}
		if o.at != s.at || o.flipped != s.flipped || o.ordered != s.ordered {
			return nil, fmt.Errorf("joins %s and %s", s.at, o.at)
		}
		for a := range o.axes {
			own, want := o.axes[a], s.axes[a]
			if a == axis {
				own, want = withoutSources(own), withoutSources(want)
				rest = want
			}
			if !sameAxis(own, want) {
				return nil, fmt.Errorf("joins outputs whose axes %d are not the same", a)
			}
		}
		if err := im.spend(len(o.sources)); err != nil {
			return nil, err
		}
		out.sources = append(out.sources, o.sources...)
	}
	for _, a := range rest {
		if a.role != featureAxis {
			return nil, fmt.Errorf("along an axis of %s, want features or directions", a.role)
		}
	}
	out.axes[axis] = slices.Concat(axisFor(&onnxAtom{sourceAxis, number(int64(len(out.sources)))}), rest)
	for a, other := range out.axes {
		if a != axis && slices.ContainsFunc(other, func(a *onnxAtom) bool { return a.role == sourceAxis }) {
			return nil, fmt.Errorf("along axis %d, and the directions are at axis %d", axis, a)
		}
	}
	out.settle()
	return seqs(out), nil
}

// withoutSources is an axis without the atom of directions.
func withoutSources(axis []*onnxAtom) []*onnxAtom {
	if len(axis) > 0 && axis[0].role == sourceAxis {
		return axis[1:]
	}
	return axis
}

// sameAxis says whether axes count the same. Features of two layers are as good as
// equal where there are as many.
func sameAxis(a, b []*onnxAtom) bool {
	return slices.EqualFunc(a, b, func(x, y *onnxAtom) bool {
		return x == y || x.role == featureAxis && y.role == featureAxis && x.size == y.size
	})
}

// seqReduce joins the directions, or pools the steps.
func seqReduce(im *onnxImport, n *onnxfile.Node, in []onnxValue) ([]onnxValue, error) {
	s, err := first(in)
	if err != nil {
		return nil, err
	}
	keep, err := n.Int("keepdims", 1)
	if err != nil {
		return nil, err
	}
	axes, err := im.axes(n, 1, len(s.axes))
	if err != nil {
		return nil, err
	}
	if len(axes) != 1 {
		return nil, fmt.Errorf("over axes %v, want one", axes)
	}
	out, axis := s.with(slices.Clone(s.axes)), s.axes[axes[0]]
	switch how := role(axis); {
	case s.stage != outputStage || s.at != everyStep:
		return nil, fmt.Errorf("of what is no output of every step of recurrent layers")
	case how == timeAxis && (n.Op == "ReduceMean" || n.Op == "ReduceMax"):
		if slices.ContainsFunc(s.sources, func(src onnxSource) bool { return src.cell.lengths }) {
			return nil, fmt.Errorf("over all steps counts the zeros past a row's length, which a pool here does not")
		}
		if out.at = meanStep; n.Op == "ReduceMax" {
			out.at = maxStep
		}
	case how == sourceAxis && n.Op != "ReduceMax":
		out.merge = map[string]rnn.Merge{"ReduceSum": rnn.Sum, "ReduceMean": rnn.Average, "ReduceProd": rnn.Multiply}[n.Op]
	default:
		return nil, fmt.Errorf("over an axis of %s, want the mean or maximum of steps, or the sum, mean or product of directions", how)
	}
	if out.axes[axes[0]] = nil; keep == 0 {
		out.axes = slices.Delete(out.axes, axes[0], axes[0]+1)
	}
	return seqs(out), nil
}
