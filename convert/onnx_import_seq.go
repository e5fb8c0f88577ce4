package convert

import (
	"fmt"
	"math"
	"regexp"
	"slices"

	"sluice/convert/internal/onnxfile"
	"sluice/nn"
	"sluice/rnn"
)

// onnxRole is what an axis counts.
type onnxRole string

const (
	anyAxis     onnxRole = "" // of an input: it is found when a recurrent layer reads it
	timeAxis    onnxRole = "steps"
	batchAxis   onnxRole = "rows"
	sourceAxis  onnxRole = "directions"
	featureAxis onnxRole = "features"
)

// onnxAtom is a dimension that comes from one place. An axis of a value is a
// product of them, the first one slowest; an axis of size 1 has none.
type onnxAtom struct {
	role onnxRole
	size onnxDim
}

// onnxSource is one direction of a recurrent node.
type onnxSource struct {
	cell      *onnxCell
	direction int
}

// backward says whether it begins at the end of a sequence as it is fed.
func (s onnxSource) backward() bool { return s.cell.backward(s.direction) }

// onnxStage is how far a value is on its way.
type onnxStage int

const (
	orderStage  onnxStage = iota - 2 // no sequence: the places of rows in order of their lengths
	countStage                       // no sequence: 0, 1, 2, …
	inputStage                       // as it is fed
	embedStage                       // symbols as vectors
	linearStage                      // numbers after a linear layer
	reluStage                        // and ReLU
	outputStage                      // of recurrent layers
	headStage                        // after the head
)

// The places of a sequence that outputs of recurrent layers are taken of.
const (
	everyStep = "every step"
	lastStep  = "the last step"  // as the values lie
	firstStep = "the first step" // as the values lie
	ended     = "the end"        // of each direction: what a pool of the last output reads
	cellState = "the cell's state"
	meanStep  = "the mean of all steps"
	maxStep   = "the maximum of all steps"
)

// onnxSeq is what a model makes of its input at some place of the graph.
type onnxSeq struct {
	axes  [][]*onnxAtom
	stage onnxStage

	input  string                        // of the first stages: the graph's input
	cuts   []onnxCut                     // which part of it, none for all
	kind   onnxfile.TensorProto_DataType // of its elements
	table  *nn.Tensor                    // embedStage: (V, E), nil for one-hot
	linear *onnxLinear                   // linearStage, reluStage: before the layers; headStage: the head
	layer  int                           // headStage: which it reads

	sources []onnxSource // outputStage and on: in the order of the atom of sourceAxis, if there are several
	merge   rnn.Merge    // they have become one, "" not
	at      string       // a place of a sequence
	flipped bool         // steps lie from the end to the start

	ordered *onnxfile.Node // rows lie in the order that this has made of their lengths, nil: in their own
	inverse bool           // orderStage: the places that bring them back

	activation string // headStage: what is applied after it, "softmax", "log_softmax"
}

// onnxLinear is a linear layer.
type onnxLinear struct {
	Linear
	biased bool
}

// input is the value of an input of the graph.
func (im *onnxImport) input(v onnxfile.Value) *onnxSeq {
	s := &onnxSeq{input: v.Name, kind: v.Type}
	if !v.Ranked {
		im.problem("input %q is of unknown rank, want a shape, in which sizes may be unknown", short(v.Name))
		return nil
	}
	if len(v.Shape) > maxAxes {
		im.problem("input %q has %d axes, want at most %d", short(v.Name), len(v.Shape), maxAxes)
		return nil
	}
	for i, d := range v.Shape {
		if d.Size > math.MaxInt32 {
			im.problem("axis %d of input %q is of %d, want at most %d", i, short(v.Name), d.Size, math.MaxInt32)
			return nil
		}
		size := number(d.Size)
		if d.Size < 0 {
			size = im.size(v.Name, i, d.Name)
		}
		s.axes = append(s.axes, axisFor(&onnxAtom{size: size}))
	}
	return s
}

// onnxSizeOf is a size by its name, or by its axis of an input.
type onnxSizeOf struct {
	name, input string
	axis        int
}

// size is one that is known when the model runs. Sizes of one name are equal; a name
// that is odd, or no name, stands for one of a name of ours.
func (im *onnxImport) size(input string, axis int, name string) onnxDim {
	key := onnxSizeOf{input: input, axis: axis}
	if name != "" {
		key = onnxSizeOf{name: name}
	}
	own, ok := im.sizes[key]
	if !ok {
		own = fmt.Sprintf("#%d", len(im.sizes))
		if plainSize.MatchString(name) {
			own = name
		}
		im.sizes[key] = own
	}
	return sizeNamed(own)
}

var plainSize = regexp.MustCompile(`^[A-Za-z_][A-Za-z_]{0,19}[0-9]?$`)

// axisFor is an axis of an atom.
func axisFor(a *onnxAtom) []*onnxAtom {
	if a.size.is(1) {
		return nil
	}
	return []*onnxAtom{a}
}

// with is a copy with other axes.
func (s *onnxSeq) with(axes [][]*onnxAtom) *onnxSeq {
	c := *s
	c.axes = axes
	return &c
}

// sizes is the shape.
func (s *onnxSeq) sizes() []onnxDim {
	all := make([]onnxDim, len(s.axes))
	for i, axis := range s.axes {
		all[i] = sizeOf(axis)
	}
	return all
}

func sizeOf(axis []*onnxAtom) onnxDim {
	n := number(1)
	for _, a := range axis {
		n, _ = n.product(a.size) // as it could be when they became one axis
	}
	return n
}

// role says what an axis counts, where it is one thing.
func role(axis []*onnxAtom) onnxRole {
	if len(axis) == 1 {
		return axis[0].role
	}
	return anyAxis
}

// bind says what an axis counts, or that it is something else.
func bind(axis []*onnxAtom, as onnxRole) error {
	switch {
	case len(axis) == 0: // of size 1
		return nil
	case len(axis) > 1:
		return fmt.Errorf("an axis of several joined is read as that of %s", as)
	case axis[0].role == anyAxis:
		axis[0].role = as
	case axis[0].role != as:
		return fmt.Errorf("an axis of %s is read as that of %s", axis[0].role, as)
	}
	return nil
}

// reshape is s in another shape: no atom is cut.
func (s *onnxSeq) reshape(sizes []onnxDim) (*onnxSeq, error) {
	atoms := slices.Concat(s.axes...)
	var axes [][]*onnxAtom
	for _, d := range sizes {
		var axis []*onnxAtom
		for n := number(1); n != d; {
			ok := len(atoms) > 0
			if ok {
				n, ok = n.product(atoms[0].size)
			}
			if !ok {
				return nil, fmt.Errorf("of shape %v to %v cuts an axis or joins what does not belong together", s.sizes(), sizes)
			}
			axis, atoms = append(axis, atoms[0]), atoms[1:]
		}
		axes = append(axes, axis)
	}
	if len(atoms) > 0 {
		return nil, fmt.Errorf("of shape %v to %v cuts an axis or joins what does not belong together", s.sizes(), sizes)
	}
	return s.with(axes), nil
}

// settle says that the last or first step is where all directions end, if it is.
func (s *onnxSeq) settle() {
	if s.at != lastStep && s.at != firstStep {
		return
	}
	// A direction ends at the last step that it reads; lengths hide which that is.
	// Of outputs that have become one a pool reads those of the last step.
	atEnd := (s.at == lastStep) != s.flipped
	for _, src := range s.sources {
		if atEnd == (src.backward() && s.merge == "") || src.cell.lengths && atEnd {
			return
		}
	}
	s.at = ended
}

// slice takes a part of an axis.
func (s *onnxSeq) slice(p slicing) (*onnxSeq, error) {
	axis := s.axes[p.axis]
	size := sizeOf(axis)
	if s.stage < inputStage {
		return nil, fmt.Errorf("of places of rows")
	}
	if p.step == -1 && role(axis) != sourceAxis {
		return s.flip(p, axis)
	}
	if p.step != 1 {
		return nil, fmt.Errorf("by %d", p.step)
	}
	if p.from.is(0) && (p.to == size || p.to.known() && p.to.plus >= math.MaxInt32 || size.known() && p.to.known() && p.to.plus >= size.plus) {
		return s, nil
	}
	from, to, ok := bounds(p, size)
	if ok && from == 0 && size.is(int64(to)) {
		return s, nil
	}
	if s.stage == inputStage && (len(axis) == 1 && axis[0].role == anyAxis || len(axis) == 0) {
		return s.partOf(p, from, to, ok)
	}
	if role(axis) == timeAxis {
		return s.sliceTime(p, size)
	}
	if !ok {
		return nil, fmt.Errorf("from %v to %v of %v", p.from, p.to, size)
	}
	if len(axis) > 0 && axis[0].role == sourceAxis && s.stage >= outputStage {
		return s.sliceSources(p.axis, from, to)
	}
	return nil, fmt.Errorf("from %v to %v of an axis of %v %s", p.from, p.to, size, role(axis))
}

// bounds are those of a part where all is known.
func bounds(p slicing, size onnxDim) (from, to int, ok bool) {
	if !p.from.known() || !p.to.known() || !size.known() {
		return 0, 0, false
	}
	n := int(size.plus)
	from, to = bound(clampInt(p.from.plus), n), bound(clampInt(p.to.plus), n)
	return from, to, from < to
}

// partOf is a part of an input, such as that of a layer's initial state.
func (s *onnxSeq) partOf(p slicing, from, to int, ok bool) (*onnxSeq, error) {
	if !ok {
		return nil, fmt.Errorf("from %v to %v of %v of input %q", p.from, p.to, sizeOf(s.axes[p.axis]), short(s.input))
	}
	axis := s.axes[p.axis]
	cut := onnxCut{of: axis[0], from: from, size: to - from}
	out := s.with(slices.Clone(s.axes))
	out.axes[p.axis] = axisFor(&onnxAtom{size: number(int64(cut.size))})
	if left := out.axes[p.axis]; len(left) > 0 {
		cut.left = left[0]
	}
	out.cuts = slices.Clone(s.cuts)
	if at := slices.IndexFunc(s.cuts, func(c onnxCut) bool { return c.left == axis[0] }); at >= 0 { // a part of a part
		cut.of, cut.from = s.cuts[at].of, s.cuts[at].from+from
		out.cuts[at] = cut
	} else {
		out.cuts = append(out.cuts, cut)
	}
	return out, nil
}

// flip turns the steps around.
func (s *onnxSeq) flip(p slicing, axis []*onnxAtom) (*onnxSeq, error) {
	if len(axis) == 0 { // one step, or one of what else there may be
		return s, nil
	}
	whole := p.from.known() && (p.from.is(-1) || p.from.plus >= math.MaxInt32) && p.to.known() && p.to.plus <= -math.MaxInt32
	if !whole || s.at != everyStep && s.stage >= outputStage {
		return nil, fmt.Errorf("from %v to %v by -1, want all steps", p.from, p.to)
	}
	if err := bind(axis, timeAxis); err != nil {
		return nil, err
	}
	out := s.with(s.axes)
	out.flipped = !out.flipped
	return out, nil
}

// sliceTime takes the first or last step.
func (s *onnxSeq) sliceTime(p slicing, size onnxDim) (*onnxSeq, error) {
	out := s.with(slices.Clone(s.axes))
	out.axes[p.axis] = nil
	next, _ := p.from.sum(number(1))
	before, _ := size.sum(number(-1))
	last := p.from.is(-1) || p.from == before
	toEnd := p.to == size || p.to.known() && p.to.plus >= math.MaxInt32
	switch {
	case s.stage < outputStage || s.at != everyStep:
	case last && (toEnd || p.to == next && !p.to.is(0)):
		out.at = lastStep
		out.settle()
		return out, nil
	case p.from.is(0) && p.to.is(1):
		out.at = firstStep
		out.settle()
		return out, nil
	}
	return nil, fmt.Errorf("takes steps %v to %v of %v: want the last one or the first one of outputs", p.from, p.to, size)
}

// sliceSources takes some directions.
func (s *onnxSeq) sliceSources(axis, from, to int) (*onnxSeq, error) {
	rest := s.axes[axis][1:]
	size := sizeOf(rest)
	if !size.known() || size.plus <= 0 {
		return nil, fmt.Errorf("of directions joined with %v", size)
	}
	each := int(size.plus)
	if from%each != 0 || to%each != 0 {
		return nil, fmt.Errorf("from %d to %d cuts the %d features of a direction", from, to, each)
	}
	out := s.with(slices.Clone(s.axes))
	out.sources = s.sources[from/each : to/each]
	out.axes[axis] = slices.Concat(axisFor(&onnxAtom{sourceAxis, number(int64(len(out.sources)))}), rest)
	out.settle()
	return out, nil
}

// lastIsFeatures says whether the last axis counts those, or directions of them.
func (s *onnxSeq) lastIsFeatures() bool {
	return !slices.ContainsFunc(s.features(), func(a *onnxAtom) bool { return a.role != featureAxis && a.role != sourceAxis })
}

// features is the last axis.
func (s *onnxSeq) features() []*onnxAtom {
	if len(s.axes) == 0 {
		return nil
	}
	return s.axes[len(s.axes)-1]
}
