package convert

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"sluice/convert/internal/onnxfile"
)

// What follows computes constants: what exporters write of shapes, and weights
// that they cut and join. Each takes the node's inputs, which are constants or left
// out, nil.

// folders are the operators of constants.
var folders = map[string]func(*onnxImport, *onnxfile.Node, []*onnxConst) ([]*onnxConst, error){
	"Add": foldPair, "Sub": foldPair, "Mul": foldPair, "Div": foldPair, "Equal": foldPair,
	"Where": foldWhere, "Concat": foldConcat, "Gather": foldGather, "Slice": foldSlice, "Split": foldSplit,
	"Unsqueeze": foldReshape, "Squeeze": foldReshape, "Reshape": foldReshape, "Transpose": foldTranspose,
	"Expand": foldExpand, "Range": foldRange, "Cast": foldCast, "Shape": foldShape, "Identity": foldIdentity, "ReduceProd": foldProduct,
}

// spend takes so many elements of what may be computed: a file of a few bytes could
// ask for any number.
func (im *onnxImport) spend(n int) error {
	if im.room -= n; im.room < 0 {
		return fmt.Errorf("computes constants of more elements than %d, what is allowed for a file of this size", im.allowed)
	}
	return nil
}

// spendOn takes a constant of a shape.
func (im *onnxImport) spendOn(shape []int) error {
	n, ok := volume(shape)
	if !ok {
		return fmt.Errorf("a constant of shape %v is too large", shape)
	}
	return im.spend(n + 4)
}

// placed is pick at places, of a shape that is checked first.
func (im *onnxImport) placed(c *onnxConst, shape, steps []int, offset int) (*onnxConst, error) {
	if err := im.spendOn(shape); err != nil {
		return nil, err
	}
	return c.pick(shape, places(shape, steps, offset)), nil
}

func one(c *onnxConst, err error) ([]*onnxConst, error) { return []*onnxConst{c}, err }

func foldIdentity(_ *onnxImport, _ *onnxfile.Node, in []*onnxConst) ([]*onnxConst, error) {
	return in[:1], nil
}

func foldShape(_ *onnxImport, n *onnxfile.Node, in []*onnxConst) ([]*onnxConst, error) {
	sizes := make([]onnxDim, len(in[0].shape))
	for i, d := range in[0].shape {
		sizes[i] = number(int64(d))
	}
	return one(sizesIn(n, sizes))
}

// sizesIn is what the operator Shape gives of a tensor of these sizes.
func sizesIn(n *onnxfile.Node, sizes []onnxDim) (*onnxConst, error) {
	start, err := n.Int("start", 0)
	if err != nil {
		return nil, err
	}
	end, err := n.Int("end", math.MaxInt32)
	if err != nil {
		return nil, err
	}
	from, to := bound(int(start), len(sizes)), bound(int(end), len(sizes))
	return intsConst(sizes[from:max(from, to)]...), nil
}

// bound is where a part of n begins or ends: negative numbers count from the end.
func bound(at, n int) int {
	if at < 0 {
		at += n
	}
	return min(max(at, 0), n)
}

// foldPair is of two tensors, element by element.
func foldPair(im *onnxImport, n *onnxfile.Node, in []*onnxConst) ([]*onnxConst, error) {
	a, b, shape, err := im.pair(in[0], in[1])
	if err != nil {
		return nil, err
	}
	out := &onnxConst{shape: shape}
	if a.ints == nil {
		out.floats = make([]float32, len(a.floats))
		for i, v := range a.floats {
			switch w := b.floats[i]; n.Op {
			case "Add":
				out.floats[i] = v + w
			case "Sub":
				out.floats[i] = v - w
			case "Mul":
				out.floats[i] = v * w
			case "Div":
				out.floats[i] = v / w
			default:
				return nil, fmt.Errorf("of floats, want integers")
			}
		}
		return one(out, nil)
	}
	out.ints = make([]onnxDim, len(a.ints))
	for i, v := range a.ints {
		w, ok := b.ints[i], true
		if !v.known() && !w.known() { // their names are joined
			if err := im.spend(8); err != nil {
				return nil, err
			}
		}
		switch n.Op {
		case "Add":
			out.ints[i], ok = v.sum(w)
		case "Sub":
			minus, _ := w.product(number(-1))
			out.ints[i], ok = v.sum(minus)
		case "Mul":
			out.ints[i], ok = v.product(w)
		case "Div":
			out.ints[i], ok = v.quotient(w)
		case "Equal":
			if v == w {
				out.ints[i] = number(1)
			} else if !v.known() || !w.known() {
				size, other := v, w
				if size.known() {
					size, other = w, v
				}
				ok = size.plus == 0 && size.factor > 0 && other.known() && other.plus < 0 // sizes are not negative
			}
		}
		if !ok {
			return nil, fmt.Errorf("of %v and %v, which are not known before the model runs", v, w)
		}
	}
	return one(out, nil)
}

// pair brings two tensors to one shape.
func (im *onnxImport) pair(a, b *onnxConst) (x, y *onnxConst, shape []int, err error) {
	shape, stepA, stepB, ok := broadcast(a.shape, b.shape)
	if !ok || (a.ints == nil) != (b.ints == nil) {
		return nil, nil, nil, fmt.Errorf("of constants of shapes %v and %v, or of floats and integers", a.shape, b.shape)
	}
	if x, err = im.placed(a, shape, stepA, 0); err != nil {
		return nil, nil, nil, err
	}
	y, err = im.placed(b, shape, stepB, 0)
	return x, y, shape, err
}

func foldWhere(im *onnxImport, _ *onnxfile.Node, in []*onnxConst) ([]*onnxConst, error) {
	a, b, shape, err := im.pair(in[1], in[2])
	if err != nil {
		return nil, err
	}
	if !slices.Equal(in[0].shape, shape) || in[0].ints == nil {
		return nil, fmt.Errorf("by a condition of shape %v for %v", in[0].shape, shape)
	}
	both := &onnxConst{floats: append(a.floats, b.floats...), ints: append(a.ints, b.ints...)}
	from := make([]int, a.elements())
	for i, d := range in[0].ints {
		if from[i] = i; d.is(0) {
			from[i] += len(from)
		} else if !d.known() {
			return nil, fmt.Errorf("by a condition that is not known before the model runs")
		}
	}
	return one(both.pick(shape, from), nil)
}

func foldConcat(im *onnxImport, n *onnxfile.Node, in []*onnxConst) ([]*onnxConst, error) {
	at, err := n.Int("axis", 0)
	if err != nil {
		return nil, err
	}
	axis, err := axisOf(at, len(in[0].shape))
	if err != nil {
		return nil, err
	}
	all, shape := &onnxConst{}, slices.Clone(in[0].shape)
	shape[axis] = 0
	for _, c := range in {
		rest := slices.Clone(c.shape)
		if len(rest) == len(shape) {
			rest[axis] = 0
		}
		if (c.ints == nil) != (in[0].ints == nil) || !slices.Equal(rest, withAt(shape, axis, 0)) {
			return nil, fmt.Errorf("of constants of shapes %v and %v, or of floats and integers", in[0].shape, c.shape)
		}
		shape[axis] += c.shape[axis]
	}
	if err := im.spendOn(shape); err != nil {
		return nil, err
	}
	n2, _ := volume(shape)
	if n2 == 0 {
		return one(in[0].pick(shape, nil), nil)
	}
	from := make([]int, n2)
	outer := 1
	for _, d := range shape[:axis] {
		outer *= d
	}
	base, at2 := 0, 0
	for _, c := range in {
		block := c.elements() / outer
		for o := range outer {
			for i := range block {
				from[o*(n2/outer)+at2+i] = base + o*block + i
			}
		}
		base += c.elements()
		at2 += block
		all.floats, all.ints = append(all.floats, c.floats...), append(all.ints, c.ints...)
	}
	return one(all.pick(shape, from), nil)
}

// withAt is a shape with another size at an axis.
func withAt(shape []int, axis, size int) []int {
	shape = slices.Clone(shape)
	shape[axis] = size
	return shape
}

func foldGather(im *onnxImport, n *onnxfile.Node, in []*onnxConst) ([]*onnxConst, error) {
	at, err := n.Int("axis", 0)
	if err != nil {
		return nil, err
	}
	c := in[0]
	axis, err := axisOf(at, len(c.shape))
	if err != nil {
		return nil, err
	}
	shape := slices.Concat(c.shape[:axis], in[1].shape, c.shape[axis+1:])
	if err := cmp.Or(im.spendOn(shape), im.spend(in[1].elements())); err != nil {
		return nil, err
	}
	rows, ok := in[1].numbers(math.MaxInt32)
	if !ok {
		return nil, fmt.Errorf("of elements that are not known before the model runs")
	}
	inner, outer, size := 1, 1, c.shape[axis]
	for _, d := range c.shape[axis+1:] {
		inner *= d
	}
	for _, d := range c.shape[:axis] {
		outer *= d
	}
	for i, row := range rows {
		if row < -size || row >= size {
			return nil, fmt.Errorf("of element %d of %d", row, size)
		}
		rows[i] = (row + size) % size
	}
	n2, _ := volume(shape)
	if n2 == 0 {
		return one(c.pick(shape, nil), nil)
	}
	from := make([]int, 0, n2)
	for o := range outer {
		for _, row := range rows {
			for i := range inner {
				from = append(from, (o*size+row)*inner+i)
			}
		}
	}
	return one(c.pick(shape, from), nil)
}

func foldSlice(im *onnxImport, n *onnxfile.Node, in []*onnxConst) ([]*onnxConst, error) {
	parts, err := im.slices(n, len(in[0].shape))
	if err != nil {
		return nil, err
	}
	c := in[0]
	shape, steps, offset := slices.Clone(c.shape), strides(c.shape), 0
	for _, p := range parts {
		size := c.shape[p.axis]
		if !p.from.known() || !p.to.known() || p.step != 1 {
			if p.step == -1 && p.from.is(-1) && p.to.known() && p.to.plus < -int64(size) { // the other way round
				offset += steps[p.axis] * (size - 1)
				steps[p.axis] = -steps[p.axis]
				continue
			}
			return nil, fmt.Errorf("from %v to %v by %d, want known numbers by 1, or all by -1", p.from, p.to, p.step)
		}
		from := bound(clampInt(p.from.plus), size)
		shape[p.axis] = max(0, bound(clampInt(p.to.plus), size)-from)
		offset += from * steps[p.axis]
	}
	return one(im.placed(c, shape, steps, offset))
}

// clampInt is a number that a shape can have to do with.
func clampInt(n int64) int { return int(min(max(n, math.MinInt32), math.MaxInt32)) }

func foldSplit(im *onnxImport, n *onnxfile.Node, in []*onnxConst) ([]*onnxConst, error) {
	at, err := n.Int("axis", 0)
	if err != nil {
		return nil, err
	}
	c := in[0]
	axis, err := axisOf(at, len(c.shape))
	if err != nil {
		return nil, err
	}
	sizes, err := im.splits(n, number(int64(c.shape[axis])))
	if err != nil {
		return nil, err
	}
	var all []*onnxConst
	from := 0
	for _, size := range sizes {
		if from+size > c.shape[axis] {
			return nil, fmt.Errorf("of %d into %v", c.shape[axis], sizes)
		}
		part, err := im.placed(c, withAt(c.shape, axis, size), strides(c.shape), from*strides(c.shape)[axis])
		if err != nil {
			return nil, err
		}
		all = append(all, part)
		from += size
	}
	return all, nil
}

// foldReshape is Reshape, Squeeze and Unsqueeze: the elements stay.
func foldReshape(im *onnxImport, n *onnxfile.Node, in []*onnxConst) ([]*onnxConst, error) {
	sizes := make([]onnxDim, len(in[0].shape))
	for i, d := range in[0].shape {
		sizes[i] = number(int64(d))
	}
	wanted, err := im.reshaped(n, sizes)
	if err != nil {
		return nil, err
	}
	shape := make([]int, len(wanted))
	for i, d := range wanted {
		if !d.known() || d.plus < 0 || d.plus > math.MaxInt32 {
			return nil, fmt.Errorf("of a constant of shape %v to %v", in[0].shape, wanted)
		}
		shape[i] = int(d.plus)
	}
	if n, ok := volume(shape); !ok || n != in[0].elements() {
		return nil, fmt.Errorf("of a constant of shape %v to %v", in[0].shape, wanted)
	}
	return one(&onnxConst{shape: shape, floats: in[0].floats, ints: in[0].ints}, nil)
}

func foldTranspose(im *onnxImport, n *onnxfile.Node, in []*onnxConst) ([]*onnxConst, error) {
	order, err := permutation(n, len(in[0].shape))
	if err != nil {
		return nil, err
	}
	c := in[0]
	shape, steps, own := make([]int, len(order)), make([]int, len(order)), strides(c.shape)
	for i, from := range order {
		shape[i], steps[i] = c.shape[from], own[from]
	}
	return one(im.placed(c, shape, steps, 0))
}

func foldExpand(im *onnxImport, _ *onnxfile.Node, in []*onnxConst) ([]*onnxConst, error) {
	sizes, ok := in[1].numbers(maxAxes)
	if !ok {
		return nil, errNotFolded
	}
	for _, d := range sizes {
		if d < 0 {
			return nil, fmt.Errorf("to shape %v", sizes)
		}
	}
	shape, steps, _, ok := broadcast(in[0].shape, sizes)
	if !ok {
		return nil, fmt.Errorf("of a constant of shape %v to %v", in[0].shape, sizes)
	}
	return one(im.placed(in[0], shape, steps, 0))
}

// foldProduct is that of all elements.
func foldProduct(_ *onnxImport, n *onnxfile.Node, in []*onnxConst) ([]*onnxConst, error) {
	keep, err := n.Int("keepdims", 1)
	if err != nil {
		return nil, err
	}
	total, ok := productOf(in[0].ints)
	if n.Has("axes") || n.Input(1) != "" || keep != 0 || in[0].ints == nil || !ok {
		return nil, fmt.Errorf("of constants, want all of a list of integers")
	}
	return one(&onnxConst{ints: []onnxDim{total}}, nil)
}

func foldRange(im *onnxImport, _ *onnxfile.Node, in []*onnxConst) ([]*onnxConst, error) {
	var at [3]int
	for i, c := range in[:3] {
		n, ok := c.numbers(1)
		if i == 1 && len(c.ints) == 1 && !ok && in[0].elements() == 1 && in[2].elements() == 1 {
			return nil, errNotFolded
		}
		if !ok || len(n) != 1 {
			return nil, fmt.Errorf("of numbers that are not known before the model runs, or of floats")
		}
		at[i] = n[0]
	}
	start, end, step := at[0], at[1], at[2]
	if step == 0 {
		return nil, fmt.Errorf("by 0")
	}
	out := intsConst()
	for ; step > 0 && start < end || step < 0 && start > end; start += step {
		if err := im.spend(1); err != nil {
			return nil, err
		}
		out.ints = append(out.ints, number(int64(start)))
	}
	out.shape[0] = len(out.ints)
	return one(out, nil)
}
