package convert

import (
	"fmt"
	"slices"

	"sluice/convert/internal/onnxfile"
	"sluice/nn"
	"sluice/rnn"
)

// seqMatMul is a linear layer without a bias.
func seqMatMul(im *onnxImport, n *onnxfile.Node, in []onnxValue) ([]onnxValue, error) {
	if len(in) < 2 || in[0].seq == nil || in[1].c == nil || in[1].c.ints != nil || len(in[1].c.shape) != 2 {
		return nil, fmt.Errorf("want a sequence times a constant matrix")
	}
	w := in[1].c
	return im.linear(in[0].seq, n.Input(1), w.floats, w.shape[1], w.shape[0], true)
}

// transposed is a matrix (rows, columns) as (columns, rows).
func transposed(w []float32, rows, columns int) []float32 {
	out := make([]float32, len(w))
	for i, v := range w {
		out[i%columns*rows+i/columns] = v
	}
	return out
}

// seqGemm is a linear layer.
func seqGemm(im *onnxImport, n *onnxfile.Node, in []onnxValue) ([]onnxValue, error) {
	if len(in) < 2 || in[0].seq == nil || in[1].c == nil || in[1].c.ints != nil || len(in[1].c.shape) != 2 || len(in[0].seq.axes) != 2 {
		return nil, fmt.Errorf("want rows times a constant matrix")
	}
	for name, want := range map[string]float32{"alpha": 1, "beta": 1} {
		if v, err := n.Float(name, 1); err != nil || v != want {
			return nil, fmt.Errorf("%s %v, want 1", name, v)
		}
	}
	var flags [2]int64
	for i, name := range []string{"transA", "transB"} {
		var err error
		if flags[i], err = n.Int(name, 0); err != nil {
			return nil, err
		}
	}
	if flags[0] != 0 {
		return nil, fmt.Errorf("transA %d, want 0", flags[0])
	}
	out, width := in[1].c.shape[0], in[1].c.shape[1]
	if flags[1] == 0 {
		out, width = width, out
	}
	all, err := im.linear(in[0].seq, n.Input(1), in[1].c.floats, out, width, flags[1] == 0)
	if err != nil || n.Input(2) == "" {
		return all, err
	}
	if in[2].c == nil {
		return nil, fmt.Errorf("bias %q is no constant", short(n.Input(2)))
	}
	return im.bias(all[0].seq, in[2].c, n.Input(2))
}

// linear is a linear layer of the features of s by weights (out, width), or across
// (width, out).
func (im *onnxImport) linear(s *onnxSeq, name string, w []float32, out, width int, across bool) ([]onnxValue, error) {
	if size := sizeOf(s.features()); !size.is(int64(width)) || len(s.axes) == 0 {
		return nil, fmt.Errorf("of %v features, want %d as %q has it", size, width, short(name))
	}
	if out < 1 || width < 1 {
		return nil, fmt.Errorf("%q of shape (%d, %d)", short(name), width, out)
	}
	if err := im.spend(len(w) + out); err != nil {
		return nil, err
	}
	if across {
		w = transposed(w, width, out)
	}
	axes := slices.Clone(s.axes)
	axes[len(axes)-1] = axisFor(&onnxAtom{featureAxis, number(int64(out))})
	y := s.with(axes)
	switch s.stage {
	case inputStage:
		if s.kind != onnxfile.TensorProto_FLOAT || len(s.cuts) > 0 {
			return nil, fmt.Errorf("reads %s or a part of input %q, want all of it as FLOAT", s.kind, short(s.input))
		}
		for _, a := range s.features() {
			if err := bind([]*onnxAtom{a}, featureAxis); err != nil {
				return nil, err
			}
		}
		y.stage = linearStage
	case outputStage:
		if s.at == cellState {
			return nil, fmt.Errorf("reads the cell's state c: a head here reads outputs")
		}
		layer, swapped, err := im.consume(s)
		if err != nil {
			return nil, err
		}
		y.layer = layer
		if swapped {
			w = swapHalves(w, width)
		}
		y.stage = headStage
	case countStage, orderStage:
		return nil, fmt.Errorf("reads what is no sequence")
	case embedStage:
		return nil, fmt.Errorf("reads an embedding: a model here has a linear layer before its recurrent ones of numbers alone")
	default:
		return nil, fmt.Errorf("reads another linear layer, %q: a model here has one head", short(s.linear.Weight.Name))
	}
	y.linear = &onnxLinear{Linear: Linear{Weight: nn.Tensor{Name: name, Shape: []int{out, width}, Data: w}, Bias: make([]float32, out)}}
	return seqs(y), nil
}

// bias adds a constant to a linear layer.
func (im *onnxImport) bias(s *onnxSeq, c *onnxConst, name string) ([]onnxValue, error) {
	if s.linear == nil || s.stage != linearStage && s.stage != headStage {
		return nil, fmt.Errorf("adds constant %q to what is no linear layer", short(name))
	}
	if s.activation != "" {
		return nil, fmt.Errorf("adds constant %q to a %s", short(name), s.activation)
	}
	if s.linear.biased {
		return nil, fmt.Errorf("adds %q to linear layer %q, which has a bias", short(name), short(s.linear.Weight.Name))
	}
	out := len(s.linear.Bias)
	n := len(c.shape)
	if c.ints != nil || n > 0 && c.shape[n-1] != out || len(c.floats) != out && len(c.floats) != 1 || !sizeOf(s.features()).is(int64(out)) || !s.lastIsFeatures() || n > len(s.axes) {
		return nil, fmt.Errorf("adds %q of shape %v to %d features, want one for each", short(name), c.shape, out)
	}
	if err := im.spend(out); err != nil {
		return nil, err
	}
	l := &onnxLinear{Linear: s.linear.Linear, biased: true}
	l.Bias = make([]float32, out)
	for i := range l.Bias {
		l.Bias[i] = c.floats[i%len(c.floats)]
	}
	y := s.with(s.axes)
	y.linear = l
	return seqs(y), nil
}

// seqPair is an operator of two tensors: a bias, or directions that become one.
func seqPair(im *onnxImport, n *onnxfile.Node, in []onnxValue) ([]onnxValue, error) {
	if len(in) != 2 {
		return nil, fmt.Errorf("of %d tensors, want 2", len(in))
	}
	a, b, name := in[0], in[1], n.Input(1)
	if a.seq == nil && n.Op != "Div" {
		a, b, name = b, a, n.Input(0)
	}
	switch {
	case a.seq == nil:
		return nil, fmt.Errorf("want the sequence as first input")
	case b.seq != nil:
		return a.seq.merged(b.seq, n.Op)
	case b.c == nil:
		return nil, fmt.Errorf("with a tensor of a shape that is known only when the model runs")
	case n.Op == "Add" || n.Op == "Sum":
		return im.bias(a.seq, b.c, name)
	case (n.Op == "Mul" || n.Op == "Div") && a.seq.merge == rnn.Sum && a.seq.stage == outputStage && len(b.c.floats) == 1:
		if f := b.c.floats[0]; n.Op == "Mul" && f == 0.5 || n.Op == "Div" && f == 2 { // half of a sum is the same number either way
			y := a.seq.with(a.seq.axes)
			y.merge = rnn.Average
			return seqs(y), nil
		}
	}
	return nil, fmt.Errorf("with constant %q: a model here has no such scale", short(name))
}

// merged is two directions that become one.
func (s *onnxSeq) merged(o *onnxSeq, op string) ([]onnxValue, error) {
	how := map[string]rnn.Merge{"Add": rnn.Sum, "Sum": rnn.Sum, "Mul": rnn.Multiply, "Mean": rnn.Average}[op]
	switch {
	case how == "" || s.stage != outputStage || o.stage != outputStage || len(s.sources) != 1 || len(o.sources) != 1 || s.merge != "" || o.merge != "":
		return nil, fmt.Errorf("of two tensors that are not the two directions of a layer: a model here has no such sum or product")
	case s.at != everyStep || o.at != everyStep:
		return nil, fmt.Errorf("of %s and %s of directions, want the outputs of every step", s.at, o.at)
	case s.flipped != o.flipped || s.ordered != o.ordered:
		return nil, fmt.Errorf("of steps from the start and steps from the end, or of rows in other orders")
	case !slices.EqualFunc(s.axes, o.axes, sameAxis):
		return nil, fmt.Errorf("of shapes whose axes are not the same")
	}
	y := s.with(s.axes)
	y.sources = []onnxSource{s.sources[0], o.sources[0]}
	y.merge = how
	return seqs(y), nil
}

func seqRelu(_ *onnxImport, _ *onnxfile.Node, in []onnxValue) ([]onnxValue, error) {
	s, err := first(in)
	if err != nil {
		return nil, err
	}
	if s.stage != linearStage {
		return nil, fmt.Errorf("of what is no linear layer before the recurrent ones: a model here has no other")
	}
	y := s.with(s.axes)
	y.stage = reluStage
	return seqs(y), nil
}

// seqSoftmax is what a model here says by itself.
func seqSoftmax(im *onnxImport, n *onnxfile.Node, in []onnxValue) ([]onnxValue, error) {
	s, err := first(in)
	if err != nil {
		return nil, err
	}
	without := int64(-1)
	if im.file.Opset < 13 {
		without = 1
	}
	at, err := n.Int("axis", without)
	if err != nil {
		return nil, err
	}
	axis, err := axisOf(at, len(s.axes))
	if err != nil {
		return nil, err
	}
	if s.activation != "" {
		return nil, fmt.Errorf("of a %s", s.activation)
	}
	if s.stage != headStage || axis != len(s.axes)-1 || !s.lastIsFeatures() || !sizeOf(s.features()).is(int64(len(s.linear.Bias))) {
		return nil, fmt.Errorf("over axis %d of what is no head's outputs", axis)
	}
	im.note("%s of the head's outputs is left out: a model here gives scores, and makes probabilities of them where they are asked for.", n.Op)
	y := s.with(s.axes)
	y.activation = map[string]string{"Softmax": "softmax", "LogSoftmax": "log_softmax"}[n.Op]
	return seqs(y), nil
}
