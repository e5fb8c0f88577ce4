package convert

import (
	"fmt"
	"math"
	"slices"

	"sluice/convert/internal/onnxfile"
)

// What operators that move elements are asked for, of constants and of sequences
// alike.

// listOf is a list of integers that is an attribute in old operators and an input
// in new ones; false if there is none.
func (im *onnxImport) listOf(n *onnxfile.Node, attribute string, input int) ([]onnxDim, bool, error) {
	if n.Has(attribute) {
		values, err := n.Ints(attribute)
		if len(values) > onnxfile.MaxRank {
			return nil, false, fmt.Errorf("%d %s, want at most %d", len(values), attribute, onnxfile.MaxRank)
		}
		list := make([]onnxDim, len(values))
		for i, v := range values {
			list[i] = number(v)
		}
		return list, true, err
	}
	name := n.Input(input)
	if name == "" {
		return nil, false, nil
	}
	c := im.values[name].c
	if c == nil || c.ints == nil || len(c.shape) > 1 {
		return nil, false, fmt.Errorf("input %q: want integers that follow from shapes", short(name))
	}
	if len(c.ints) > onnxfile.MaxRank {
		return nil, false, fmt.Errorf("%d %s, want at most %d", len(c.ints), attribute, onnxfile.MaxRank)
	}
	return c.ints, true, nil
}

// axes are the axes that a node names, in order; none: nil.
func (im *onnxImport) axes(n *onnxfile.Node, input, rank int) ([]int, error) {
	list, _, err := im.listOf(n, "axes", input)
	if err != nil {
		return nil, err
	}
	var all []int
	for _, d := range list {
		if !d.known() {
			return nil, fmt.Errorf("axis %v is not known before the model runs", d)
		}
		axis, err := axisOf(d.plus, rank)
		if err != nil {
			return nil, err
		}
		if slices.Contains(all, axis) {
			return nil, fmt.Errorf("axis %d stands twice", axis)
		}
		all = append(all, axis)
	}
	slices.Sort(all)
	return all, nil
}

// permutation is that of Transpose.
func permutation(n *onnxfile.Node, rank int) ([]int, error) {
	perm, err := n.Ints("perm")
	if err != nil {
		return nil, err
	}
	order := make([]int, rank)
	seen := make([]bool, rank)
	for i := range order {
		order[i] = rank - 1 - i
		if n.Has("perm") {
			if len(perm) != rank || perm[i] < 0 || perm[i] >= int64(rank) {
				return nil, fmt.Errorf("perm %v of %d axes", perm, rank)
			}
			order[i] = int(perm[i])
		}
		if seen[order[i]] {
			return nil, fmt.Errorf("perm %v of %d axes", perm, rank)
		}
		seen[order[i]] = true
	}
	return order, nil
}

// slicing is a part of an axis.
type slicing struct {
	axis     int
	from, to onnxDim
	step     int64
}

// slices are the parts that Slice takes.
func (im *onnxImport) slices(n *onnxfile.Node, rank int) ([]slicing, error) {
	starts, ok, err := im.listOf(n, "starts", 1)
	if err != nil || !ok {
		return nil, orMissing(err, "starts")
	}
	ends, ok, err := im.listOf(n, "ends", 2)
	if err != nil || !ok {
		return nil, orMissing(err, "ends")
	}
	axes, some, err := im.listOf(n, "axes", 3)
	if err != nil {
		return nil, err
	}
	steps, stepped, err := im.listOf(n, "steps", 4)
	if err != nil {
		return nil, err
	}
	if len(ends) != len(starts) || some && len(axes) != len(starts) || stepped && len(steps) != len(starts) {
		return nil, fmt.Errorf("%d starts, %d ends, %d axes and %d steps", len(starts), len(ends), len(axes), len(steps))
	}
	var parts []slicing
	for i := range starts {
		p := slicing{from: starts[i], to: ends[i], step: 1}
		at := number(int64(i))
		if some {
			at = axes[i]
		}
		if stepped {
			p.step = steps[i].plus
		}
		if !at.known() || stepped && !steps[i].known() {
			return nil, fmt.Errorf("an axis or step that is not known before the model runs")
		}
		if p.axis, err = axisOf(at.plus, rank); err != nil {
			return nil, err
		}
		if slices.ContainsFunc(parts, func(q slicing) bool { return q.axis == p.axis }) {
			return nil, fmt.Errorf("axis %d stands twice", p.axis)
		}
		parts = append(parts, p)
	}
	return parts, nil
}

func orMissing(err error, what string) error {
	if err == nil {
		err = fmt.Errorf("%s are missing", what)
	}
	return err
}

// splits are the sizes that Split makes of an axis.
func (im *onnxImport) splits(n *onnxfile.Node, size onnxDim) ([]int, error) {
	list, some, err := im.listOf(n, "split", 1)
	if err != nil {
		return nil, err
	}
	parts := len(n.Outputs)
	if !some {
		if !size.known() || parts == 0 || parts > onnxfile.MaxRank {
			return nil, fmt.Errorf("of an axis of %v into %d parts", size, parts)
		}
		each := (int(size.plus) + parts - 1) / parts
		sizes := make([]int, parts)
		for i := range sizes {
			sizes[i] = max(0, min(each, int(size.plus)-i*each))
		}
		return sizes, nil
	}
	if len(list) != parts {
		return nil, fmt.Errorf("into %d parts and %d outputs", len(list), parts)
	}
	var sizes []int
	for _, d := range list {
		if !d.known() || d.plus < 0 || d.plus > math.MaxInt32 {
			return nil, fmt.Errorf("into a part of %v", d)
		}
		sizes = append(sizes, int(d.plus))
	}
	return sizes, nil
}

// reshaped is the shape that Reshape, Flatten, Squeeze or Unsqueeze makes of one.
func (im *onnxImport) reshaped(n *onnxfile.Node, sizes []onnxDim) ([]onnxDim, error) {
	switch n.Op {
	case "Squeeze":
		axes, err := im.axes(n, 1, len(sizes))
		if err != nil {
			return nil, err
		}
		var out []onnxDim
		for i, d := range sizes {
			wanted := slices.Contains(axes, i)
			if wanted && !d.is(1) {
				return nil, fmt.Errorf("of axis %d of %v, want 1", i, d)
			}
			if !wanted && (axes != nil || !d.is(1)) {
				out = append(out, d)
			}
		}
		return out, nil
	case "Unsqueeze":
		list, _, err := im.listOf(n, "axes", 1)
		if err != nil {
			return nil, err
		}
		axes, err := im.axes(n, 1, len(sizes)+len(list))
		if err != nil {
			return nil, err
		}
		out := slices.Clone(sizes)
		for _, axis := range axes {
			out = slices.Insert(out, axis, number(1))
		}
		return out, nil
	case "Flatten":
		at, err := n.Int("axis", 1)
		if err != nil {
			return nil, err
		}
		if at < -int64(len(sizes)) || at > int64(len(sizes)) {
			return nil, fmt.Errorf("axis %d of %d", at, len(sizes))
		}
		axis := bound(int(at), len(sizes))
		rows, ok := productOf(sizes[:axis])
		columns, ok2 := productOf(sizes[axis:])
		if !ok || !ok2 {
			return nil, fmt.Errorf("of shape %v", sizes)
		}
		return []onnxDim{rows, columns}, nil
	}
	wanted, some, err := im.listOf(n, "shape", 1)
	if err != nil || !some {
		return nil, orMissing(err, "sizes")
	}
	if len(wanted) > maxAxes {
		return nil, fmt.Errorf("to %d axes, want at most %d", len(wanted), maxAxes)
	}
	zero, err := n.Int("allowzero", 0)
	if err != nil {
		return nil, err
	}
	return resolved(sizes, wanted, zero == 0)
}

// resolved is the shape that is wanted with what stands for sizes: 0 for that at the
// same axis, −1 for what is left.
func resolved(sizes, wanted []onnxDim, zeroCopies bool) ([]onnxDim, error) {
	out, open := slices.Clone(wanted), -1
	rest, ok := productOf(sizes)
	for i, d := range wanted {
		switch {
		case d.is(0) && zeroCopies:
			if i >= len(sizes) {
				return nil, fmt.Errorf("to %v: 0 at axis %d of %d", wanted, i, len(sizes))
			}
			out[i] = sizes[i]
		case d.is(-1):
			if open >= 0 {
				return nil, fmt.Errorf("to %v: -1 stands twice", wanted)
			}
			open = i
			continue
		}
		if ok {
			rest, ok = rest.quotient(out[i])
		}
	}
	if open >= 0 {
		if !ok {
			return nil, fmt.Errorf("of %v to %v", sizes, wanted)
		}
		out[open] = rest
	}
	return out, nil
}

// productOf is that of all sizes.
func productOf(sizes []onnxDim) (n onnxDim, ok bool) {
	n, ok = number(1), true
	for _, d := range sizes {
		if n, ok = n.product(d); !ok {
			return n, false
		}
	}
	return n, true
}
