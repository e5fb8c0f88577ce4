package convert

import (
	"cmp"
	"fmt"
	"slices"

	"sluice/convert/internal/onnxfile"
)

// What brings the rows of a batch into the order of their lengths, as packed
// sequences have it, and back.

// seqTopK is the rows' lengths in order, and the places where they were.
func seqTopK(_ *onnxImport, n *onnxfile.Node, in []onnxValue) ([]onnxValue, error) {
	s, err := first(in)
	if err != nil {
		return nil, err
	}
	if s.stage != inputStage || len(s.cuts) > 0 || s.ordered != nil || len(s.axes) != 1 || len(in) < 2 || in[1].c == nil || !slices.Equal(in[1].c.ints, s.sizes()) {
		return nil, fmt.Errorf("want a whole input of one axis, the lengths of rows")
	}
	if err := bind(s.axes[0], batchAxis); err != nil {
		return nil, err
	}
	lengths, order := s.with(s.axes), s.with(s.axes)
	lengths.ordered, order.ordered, order.stage = n, n, orderStage
	return seqs(lengths, order), nil
}

// seqScatter is the order that brings rows back: 0, 1, 2, … at the places.
func seqScatter(_ *onnxImport, n *onnxfile.Node, in []onnxValue) ([]onnxValue, error) {
	if len(in) != 3 || in[1].seq == nil || in[1].seq.stage != orderStage || in[1].seq.inverse || !counts(in[2], in[1].seq.sizes()[0]) {
		return nil, fmt.Errorf("want 0, 1, 2, … at places of rows")
	}
	if how, err := n.Text("reduction", "none"); err != nil || how != "none" {
		return nil, cmp.Or(err, fmt.Errorf("reduction %.40q, want none", how))
	}
	out := in[1].seq.with(in[1].seq.axes)
	out.inverse = true
	return seqs(out), nil
}

// counts says whether a value is 0, 1, 2, … to n.
func counts(v onnxValue, n onnxDim) bool {
	if v.c == nil {
		return v.seq != nil && v.seq.stage == countStage
	}
	for i, d := range v.c.ints {
		if !d.is(int64(i)) {
			return false
		}
	}
	return n.is(int64(len(v.c.ints)))
}

// rows brings rows into the order of their lengths, or back.
func (s *onnxSeq) rows(order *onnxSeq, at int64) ([]onnxValue, error) {
	axis, err := axisOf(at, len(s.axes))
	if err != nil {
		return nil, err
	}
	before, after := (*onnxfile.Node)(nil), order.ordered
	if order.inverse {
		before, after = after, before
	}
	if s.stage < inputStage || s.ordered != before {
		return nil, fmt.Errorf("of rows that are not in their own order, or back from it")
	}
	if err := bind(s.axes[axis], batchAxis); err != nil {
		return nil, err
	}
	out := s.with(s.axes)
	out.ordered = after
	return seqs(out), nil
}
