package onnxfile

import (
	"encoding/binary"
	"math"
)

// ConstDoubles adds a constant of float64.
func (b *Builder) ConstDoubles(name string, shape []int, data []float64) {
	raw := make([]byte, 0, 8*len(data))
	for _, v := range data {
		raw = binary.LittleEndian.AppendUint64(raw, math.Float64bits(v))
	}
	b.constant(name, TensorProto_DOUBLE, shape, len(data), raw)
}

// ConstInt32s adds a constant of int32.
func (b *Builder) ConstInt32s(name string, shape []int, data []int32) {
	raw := make([]byte, 0, 4*len(data))
	for _, v := range data {
		raw = binary.LittleEndian.AppendUint32(raw, uint32(v))
	}
	b.constant(name, TensorProto_INT32, shape, len(data), raw)
}
