package convert

import (
	"encoding/binary"
	"fmt"
	"io"

	"sluice/convert/internal/exact"
	"sluice/safetensors"
)

// floatsOf reads a tensor exactly.
func floatsOf(f *safetensors.File, t safetensors.Info) ([]float32, error) {
	switch t.DType {
	case safetensors.F32:
		return f.Float32(t.Name)
	case safetensors.F64:
		wide, err := f.Float64(t.Name)
		if err != nil {
			return nil, err
		}
		x := make([]float32, len(wide))
		for i, v := range wide {
			var ok bool
			if x[i], ok = exact.Double(v); !ok {
				return nil, fmt.Errorf("tensor %.80q: element %d is %v, which no float32 equals", t.Name, i, v)
			}
		}
		return x, nil
	case safetensors.F16, safetensors.BF16:
		r, err := f.Raw(t.Name)
		if err != nil {
			return nil, err
		}
		raw, err := io.ReadAll(r)
		if err != nil {
			return nil, err
		}
		convert := map[safetensors.DType]func(uint16) float32{safetensors.F16: exact.Half, safetensors.BF16: exact.Brain}[t.DType]
		x := make([]float32, len(raw)/2)
		for i := range x {
			x[i] = convert(binary.LittleEndian.Uint16(raw[2*i:]))
		}
		return x, nil
	}
	return nil, fmt.Errorf("tensor %.80q has dtype %s, want F32, F64, F16 or BF16", t.Name, t.DType)
}
