package model

import (
	"encoding/binary"
	"fmt"
	"math"

	"sluice/nn"
	"sluice/safetensors"
)

// Quantize makes a model of the same function, nearly, whose weights have a
// precision of nn.BF16 or nn.Int8: it is smaller and runs faster, and cannot be
// trained. Its Params are what the rounded weights stand for. Biases, and all
// that a registered cell has of its own, stay float32.
func (m *Model) Quantize(to nn.Precision) (*Model, error) {
	if err := m.only(LM, "quantize"); err != nil {
		return nil, err
	}
	switch {
	case m.Precision != nn.Float32:
		return nil, fmt.Errorf("model: its weights are %v: want a model of float32", m.Precision)
	case to != nn.BF16 && to != nn.Int8:
		return nil, fmt.Errorf("model: precision %v: want bf16 or int8", to)
	}
	q, err := New(m.Spec, m.Names)
	if err != nil {
		return nil, err
	}
	q.Precision, q.History = to, m.History
	copy(q.Params, m.Params)
	for i, t := range q.Tensors() {
		for j, v := range t.Data {
			if v-v != 0 {
				return nil, fmt.Errorf("model: tensor %q has %v at %d: want finite numbers", t.Name, v, j)
			}
		}
		if q.rounds(i) {
			q.round(t)
		}
	}
	return q, nil
}

// rounds says whether a tensor, by its place in Tensors, has the model's
// precision: those of which a row is a product's output or an embedding.
func (m *Model) rounds(i int) bool {
	switch part := m.rows[i]; {
	case m.Precision == nn.Float32:
		return false
	case part.of == stack:
		return m.rnn.Rounds(part.place)
	default:
		return len(part.tensor.Shape) == 2
	}
}

// round rounds a tensor.
func (m *Model) round(t nn.Tensor) {
	if m.Precision == nn.BF16 {
		for i, v := range t.Data {
			t.Data[i] = nn.FromBF16(nn.ToBF16(v))
		}
		return
	}
	width := t.Shape[1]
	q := make([]int8, width)
	for i := 0; i < len(t.Data); i += width {
		row := t.Data[i : i+width]
		scale := nn.Quantize(q, row)
		for j := range row {
			row[j] = float32(q[j]) * scale
		}
	}
}

// stored is a tensor as the file has it.
type stored struct {
	name  string
	dtype safetensors.DType
	shape []int
}

// stored is what the file has of tensor i: one of less precision has a name
// that says so, so that nothing takes it for the weights themselves.
func (m *Model) stored(i int) []stored {
	t := m.rows[i].tensor
	switch {
	case !m.rounds(i):
		return []stored{{t.Name, safetensors.F32, t.Shape}}
	case m.Precision == nn.BF16:
		return []stored{{t.Name + ".bf16", safetensors.BF16, t.Shape}}
	}
	return []stored{{t.Name + ".int8", safetensors.I8, t.Shape}, {t.Name + ".scale", safetensors.F32, t.Shape[:1]}}
}

// written is tensor i, or what stands for it, to be written.
func (m *Model) written(i int, data []float32) []safetensors.Tensor {
	var out []safetensors.Tensor
	for _, s := range m.stored(i) {
		out = append(out, safetensors.Tensor{Name: s.name, Shape: s.shape, Data: data})
	}
	switch {
	case !m.rounds(i):
	case m.Precision == nn.BF16:
		var b []byte
		for _, v := range data {
			b = binary.LittleEndian.AppendUint16(b, nn.ToBF16(v))
		}
		out[0].Data = safetensors.Raw{DType: safetensors.BF16, Bytes: b}
	default:
		width := len(data) / out[1].Shape[0]
		b, q, scales := make([]byte, 0, len(data)), make([]int8, width), []float32(nil)
		for j := 0; j < len(data); j += width {
			scales = append(scales, nn.Quantize(q, data[j:j+width]))
			for _, v := range q {
				b = append(b, byte(v))
			}
		}
		out[0].Data, out[1].Data = safetensors.Raw{DType: safetensors.I8, Bytes: b}, scales
	}
	return out
}

// readInto reads tensor i of a file that fits.
func (m *Model) readInto(data []float32, f *safetensors.File, i int) error {
	s := m.stored(i)
	if s[0].dtype == safetensors.F32 {
		return m.finite(f.ReadFloat32(data, s[0].name, s[0].shape...), s[0].name, data)
	}
	b := make([]byte, len(data)*s[0].dtype.Size())
	if err := f.ReadBytes(b, s[0].name, s[0].dtype, s[0].shape...); err != nil {
		return ofFile(err)
	}
	if s[0].dtype == safetensors.BF16 {
		for j := range data {
			data[j] = nn.FromBF16(binary.LittleEndian.Uint16(b[2*j:]))
		}
		return m.finite(nil, s[0].name, data)
	}
	scales := make([]float32, s[1].shape[0])
	if err := m.finite(f.ReadFloat32(scales, s[1].name, s[1].shape...), s[1].name, scales); err != nil {
		return err
	}
	return scaled(data, b, scales, s[0].name, s[1].name)
}

// finite is the error of reading values or of their being no numbers.
func (m *Model) finite(err error, name string, values []float32) error {
	if err != nil {
		return ofFile(err)
	}
	for i, v := range values {
		if v-v != 0 {
			return wrong("tensor %q has %v at %d: want finite numbers", name, v, i)
		}
	}
	return nil
}

// scaled sets data to bytes times their rows' scales, which must be what those
// of the products would be quantized to again.
func scaled(data []float32, bytes []byte, scales []float32, name, scaleName string) error {
	width := len(data) / len(scales)
	q := make([]int8, width)
	for i, scale := range scales {
		if float64(scale) > math.MaxFloat32/127 {
			return wrong("tensor %q has %v at %d: want at most %v", scaleName, scale, i, float32(math.MaxFloat32/127))
		}
		row := data[i*width : (i+1)*width]
		for j, b := range bytes[i*width : (i+1)*width] {
			if row[j] = float32(int8(b)) * scale; int8(b) == math.MinInt8 {
				return wrong("tensor %q has %d at %d: want −127 to 127", name, int8(b), i*width+j)
			}
		}
		if want := nn.Quantize(q, row); want != scale {
			return wrong("tensor %q has %v at %d: want %v, the row's largest weight / 127 in 16 bits", scaleName, scale, i, want)
		}
	}
	return nil
}

// FormatVersion is that of the file that Write makes of m.
func (m *Model) FormatVersion() string {
	if m.Precision == nn.Float32 {
		return FormatVersion
	}
	return QuantizedVersion
}

// precisionOf reads the metadata of a file.
func precisionOf(metadata map[string]string) (nn.Precision, error) {
	switch version := metadata[keyVersion]; version {
	case FormatVersion:
		return nn.Float32, nil
	case QuantizedVersion:
	default:
		return 0, wrong("format version %q: this program reads %s and %s", version, FormatVersion, QuantizedVersion)
	}
	text, ok := metadata[keyPrecision]
	if !ok {
		return 0, wrong("no %q in the metadata", keyPrecision)
	}
	for _, p := range []nn.Precision{nn.BF16, nn.Int8} {
		if p.String() == text {
			return p, nil
		}
	}
	return 0, wrong("metadata %q: %q: want bf16 or int8", keyPrecision, text)
}
