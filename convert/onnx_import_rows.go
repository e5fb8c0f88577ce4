package convert

import (
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
	if s.stage != inputStage || s.part != "" || s.ordered || len(s.axes) != 1 || len(in) < 2 || in[1].c == nil || !slices.Equal(in[1].c.ints, s.sizes()) {
		return nil, fmt.Errorf("want a whole input of one axis, the lengths of rows")
	}
	if err := bind(s.axes[0], batchAxis); err != nil {
		return nil, err
	}
	lengths, order := s.with(s.axes), s.with(s.axes)
	lengths.ordered, order.stage = true, orderStage
	return seqs(lengths, order), nil
}

// seqScatter is the order that brings rows back: 0, 1, 2, … at the places.
func seqScatter(_ *onnxImport, n *onnxfile.Node, in []onnxValue) ([]onnxValue, error) {
	if len(in) != 3 || in[1].seq == nil || in[1].seq.stage != orderStage || in[1].seq.inverse || in[2].seq == nil || in[2].seq.stage != countStage {
		return nil, fmt.Errorf("want 0, 1, 2, … at places of rows")
	}
	out := in[1].seq.with(in[1].seq.axes)
	out.inverse = true
	return seqs(out), nil
}

// rows brings rows into the order of their lengths, or back.
func (s *onnxSeq) rows(order *onnxSeq, at int64) ([]onnxValue, error) {
	axis, err := axisOf(at, len(s.axes))
	if err != nil {
		return nil, err
	}
	if s.stage < inputStage || s.ordered != order.inverse {
		return nil, fmt.Errorf("of rows that are not in their own order, or back from it")
	}
	if err := bind(s.axes[axis], batchAxis); err != nil {
		return nil, err
	}
	out := s.with(s.axes)
	out.ordered = !order.inverse
	return seqs(out), nil
}
