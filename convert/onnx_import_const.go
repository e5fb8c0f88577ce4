package convert

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"sluice/convert/internal/onnxfile"
)

// onnxDim is a whole number that a graph computes with: factor × the product of
// sizes that are known when the model runs + plus.
type onnxDim struct {
	factor int64
	of     string // names of sizes, sorted and joined, at most maxAxes; "" for a number, which is plus alone
	plus   int64
}

func number(n int64) onnxDim { return onnxDim{plus: n} }

func sizeNamed(name string) onnxDim { return onnxDim{factor: 1, of: name} }

func (d onnxDim) known() bool     { return d.of == "" }
func (d onnxDim) is(n int64) bool { return d == number(n) }

func (d onnxDim) String() string {
	if d.known() {
		return fmt.Sprint(d.plus)
	}
	s := d.of
	if d.factor != 1 {
		s = fmt.Sprintf("%d·%s", d.factor, s)
	}
	if d.plus != 0 {
		s += fmt.Sprintf("%+d", d.plus)
	}
	return s
}

// times and plus are those of whole numbers, false if they overflow.
func times(a, b int64) (int64, bool) {
	n := a * b
	return n, a == 0 || n/a == b && !(a == -1 && b == math.MinInt64)
}

func plus(a, b int64) (int64, bool) {
	n := a + b
	return n, (n > a) == (b > 0)
}

// product is d × e, false if it has no such form.
func (d onnxDim) product(e onnxDim) (onnxDim, bool) {
	switch {
	case d.is(0) || e.is(0):
		return number(0), true
	case d.known():
		factor, ok := times(e.factor, d.plus)
		more, ok2 := times(e.plus, d.plus)
		return onnxDim{factor, e.of, more}, ok && ok2
	case e.known():
		return e.product(d)
	case d.plus != 0 || e.plus != 0:
		return onnxDim{}, false
	}
	names := append(strings.Split(d.of, "·"), strings.Split(e.of, "·")...)
	if len(names) > maxAxes {
		return onnxDim{}, false
	}
	slices.Sort(names)
	factor, ok := times(d.factor, e.factor)
	return onnxDim{factor: factor, of: strings.Join(names, "·")}, ok
}

// sum is d + e, false if it has no such form.
func (d onnxDim) sum(e onnxDim) (onnxDim, bool) {
	if !d.known() && !e.known() && d.of != e.of {
		return onnxDim{}, false
	}
	factor, ok := plus(d.factor, e.factor)
	more, ok2 := plus(d.plus, e.plus)
	s := onnxDim{factor, d.of, more}
	if d.known() {
		s.of = e.of
	}
	if factor == 0 {
		s.of = ""
	}
	return s, ok && ok2
}

// quotient is d ÷ e where nothing is left over, false else.
func (d onnxDim) quotient(e onnxDim) (onnxDim, bool) {
	switch {
	case e.known() && (e.plus <= 0 || d.factor%e.plus != 0 || d.plus%e.plus != 0):
		return onnxDim{}, false
	case e.known():
		return onnxDim{d.factor / e.plus, d.of, d.plus / e.plus}, true
	case d.is(0):
		return d, true
	case d.known() || d.plus != 0 || e.plus != 0 || d.factor%e.factor != 0:
		return onnxDim{}, false
	}
	names := strings.Split(d.of, "·")
	for name := range strings.SplitSeq(e.of, "·") {
		i := slices.Index(names, name)
		if i < 0 {
			return onnxDim{}, false
		}
		names = slices.Delete(names, i, i+1)
	}
	if len(names) == 0 {
		return number(d.factor / e.factor), true
	}
	return onnxDim{factor: d.factor / e.factor, of: strings.Join(names, "·")}, true
}

// onnxConst is a constant of a graph, or a value that is computed from sizes: one
// of floats and ints.
type onnxConst struct {
	shape  []int
	floats []float32 // (product of shape)
	ints   []onnxDim // (product of shape) integers and booleans; nil for floats

	looked bool     // whether all are equal is known
	equal  bool     // they are
	value  onnxFill // and are this
}

// onnxFill is a tensor of one value, of a shape that is of no interest or that is
// known only when the model runs.
type onnxFill struct {
	float float32
	int   onnxDim
	ints  bool
}

func (c *onnxConst) elements() int { return max(len(c.floats), len(c.ints)) }

// tensorConst decodes a constant of the file.
func tensorConst(t *onnxfile.Tensor) (*onnxConst, error) {
	c := &onnxConst{shape: t.Shape}
	if t.IsFloat() {
		var err error
		c.floats, err = t.Float32()
		return c, err
	}
	whole, err := t.Int64()
	if err != nil {
		return nil, err
	}
	c.ints = make([]onnxDim, len(whole))
	for i, n := range whole {
		c.ints[i] = number(n)
	}
	return c, nil
}

// intsConst is a vector of integers.
func intsConst(values ...onnxDim) *onnxConst {
	return &onnxConst{shape: []int{len(values)}, ints: append([]onnxDim{}, values...)}
}

// numbers are integers that are known, at most so many.
func (c *onnxConst) numbers(most int) ([]int, bool) {
	if c.ints == nil || len(c.ints) > most {
		return nil, false
	}
	all := make([]int, len(c.ints))
	for i, d := range c.ints {
		if !d.known() {
			return nil, false
		}
		all[i] = int(d.plus)
	}
	return all, true
}

// fill is the value of all elements, false if they differ or there are none.
func (c *onnxConst) fill() (onnxFill, bool) {
	if !c.looked { // many nodes could ask
		c.looked = true
		c.value, c.equal = c.look()
	}
	return c.value, c.equal
}

func (c *onnxConst) look() (f onnxFill, ok bool) {
	switch {
	case len(c.floats) > 0:
		f.float = c.floats[0]
		for _, v := range c.floats {
			if v != f.float {
				return f, false
			}
		}
		return f, true
	case len(c.ints) > 0:
		f.int, f.ints = c.ints[0], true
		for _, v := range c.ints {
			if v != f.int {
				return f, false
			}
		}
		return f, true
	}
	return f, false
}

// pick is the constant of some elements of this one.
func (c *onnxConst) pick(shape []int, from []int) *onnxConst {
	out := &onnxConst{shape: shape}
	if c.ints != nil {
		out.ints = make([]onnxDim, len(from))
		for i, at := range from {
			out.ints[i] = c.ints[at]
		}
		return out
	}
	out.floats = make([]float32, len(from))
	for i, at := range from {
		out.floats[i] = c.floats[at]
	}
	return out
}

// volume is the number of elements of a shape, false where its dimensions but those
// of 0 make more than a file's tensor may have.
func volume(shape []int) (n int, ok bool) {
	n = 1
	empty := false
	for _, d := range shape {
		if empty = empty || d == 0; d < 0 || n > math.MaxInt32/max(1, d) {
			return 0, false
		}
		n *= max(1, d)
	}
	if empty {
		n = 0
	}
	return n, true
}

// places are where the elements of a tensor of shape lie in another, row by row: at
// offset + the sum of index × stride.
func places(shape, strides []int, offset int) []int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	out := make([]int, 0, n)
	if n == 0 {
		return out
	}
	index := make([]int, len(shape))
	for at := offset; ; {
		out = append(out, at)
		i := len(shape) - 1
		for ; i >= 0; i-- {
			index[i]++
			at += strides[i]
			if index[i] < shape[i] {
				break
			}
			at -= index[i] * strides[i]
			index[i] = 0
		}
		if i < 0 {
			return out
		}
	}
}

// strides are the distances of neighbours along each axis.
func strides(shape []int) []int {
	s := make([]int, len(shape))
	n := 1
	for i := len(shape) - 1; i >= 0; i-- {
		s[i] = n
		n *= shape[i]
	}
	return s
}

// broadcast is the shape that two take together, and the strides of each in it;
// false if they do not go together.
func broadcast(a, b []int) (shape, stepA, stepB []int, ok bool) {
	n := max(len(a), len(b))
	sa, sb := strides(a), strides(b)
	shape, stepA, stepB = make([]int, n), make([]int, n), make([]int, n)
	for i := range n {
		da, db, ia, ib := 1, 1, i-n+len(a), i-n+len(b)
		if ia >= 0 {
			da, stepA[i] = a[ia], sa[ia]
		}
		if ib >= 0 {
			db, stepB[i] = b[ib], sb[ib]
		}
		switch {
		case da == db:
		case da == 1:
			stepA[i] = 0
		case db == 1:
			stepB[i] = 0
		default:
			return nil, nil, nil, false
		}
		if shape[i] = da; da == 1 {
			shape[i] = db
		}
	}
	return shape, stepA, stepB, true
}

// axisOf is an axis of a rank, counted from the end where it is negative.
func axisOf(axis int64, rank int) (int, error) {
	if axis < -int64(rank) || axis >= int64(rank) {
		return 0, fmt.Errorf("axis %d of %d, want %d to %d", axis, rank, -rank, rank-1)
	}
	if axis < 0 {
		axis += int64(rank)
	}
	return int(axis), nil
}
