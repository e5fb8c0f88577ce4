package convert

import (
	"fmt"
	"math"
	"slices"

	"sluice/convert/internal/onnxfile"
)

// typeOf is the type that a number stands for.
func typeOf(n int64) onnxfile.TensorProto_DataType {
	if n != int64(int32(n)) {
		return onnxfile.TensorProto_UNDEFINED
	}
	return onnxfile.TensorProto_DataType(n)
}

func foldCast(im *onnxImport, n *onnxfile.Node, in []*onnxConst) ([]*onnxConst, error) {
	to, err := n.Int("to", 0)
	if err != nil {
		return nil, err
	}
	c, out := in[0], &onnxConst{shape: in[0].shape}
	if err := im.spend(c.elements()); err != nil {
		return nil, err
	}
	switch typeOf(to) {
	case onnxfile.TensorProto_FLOAT, onnxfile.TensorProto_DOUBLE: // of a double the float is the exact one, or it is refused where it is read
		if c.ints == nil {
			return in[:1], nil
		}
		out.floats = make([]float32, len(c.ints))
		for i, d := range c.ints {
			if out.floats[i] = float32(d.plus); !d.known() || clampInt(d.plus) != int(d.plus) || int64(out.floats[i]) != d.plus {
				return nil, fmt.Errorf("makes a float of %v, which is not known or not exact", d)
			}
		}
	case onnxfile.TensorProto_INT64, onnxfile.TensorProto_INT32:
		if c.ints != nil {
			return in[:1], nil
		}
		out.ints = make([]onnxDim, len(c.floats))
		for i, v := range c.floats {
			if out.ints[i] = number(int64(v)); float32(int64(v)) != v || math.Abs(float64(v)) > math.MaxInt32 {
				return nil, fmt.Errorf("makes an integer of %v", v)
			}
		}
	case onnxfile.TensorProto_BOOL:
		if c.ints == nil {
			return nil, fmt.Errorf("makes a boolean of floats, want integers")
		}
		out.ints = slices.Clone(c.ints)
		for i, d := range c.ints {
			if d.known() {
				out.ints[i] = number(min(1, max(d.plus, -d.plus)))
			} else {
				out.ints[i] = number(1) // a size: not nought
			}
		}
	default:
		return nil, fmt.Errorf("to %s, want FLOAT, INT64, INT32 or BOOL", typeOf(to))
	}
	return one(out, nil)
}

// seqCast makes numbers of integers and the other way round, where they are read: of
// floats integers, which must be symbols then.
func seqCast(im *onnxImport, n *onnxfile.Node, in []onnxValue) ([]onnxValue, error) {
	s, err := first(in)
	if err != nil {
		return nil, err
	}
	to, err := n.Int("to", 0)
	if err != nil {
		return nil, err
	}
	t := typeOf(to)
	float := onnxfile.TensorProto_FLOAT
	switch {
	case s.stage > inputStage && t == float,
		s.stage == embedStage && s.table == nil && (t == onnxfile.TensorProto_INT64 || t == onnxfile.TensorProto_INT32), // one-hot
		s.stage == orderStage && t == onnxfile.TensorProto_INT64:
		return in[:1], nil
	case s.stage == inputStage && t == float && s.kind != float && im.kindOf(s.input) == float:
		return nil, fmt.Errorf("of integers that were made of floats")
	case s.stage == inputStage && (t == float && s.kind != onnxfile.TensorProto_DOUBLE || t == onnxfile.TensorProto_INT64 || t == onnxfile.TensorProto_INT32):
		out := s.with(s.axes)
		out.kind = t
		return seqs(out), nil
	}
	return nil, fmt.Errorf("to %s", t)
}
