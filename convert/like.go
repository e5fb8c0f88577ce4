package convert

import (
	"bytes"
	"fmt"
	"slices"

	"sluice/model"
	"sluice/nn"
	"sluice/safetensors"
)

// like is the model of a state dict whose tensors are those of another model by name:
// of the module that PyTorch has written of it, saved by PyTorch.
func (d *stateDict) like(m *model.Model, ignore []string) (*model.Model, error) {
	whole := *m
	whole.Precision = nn.Float32
	metadata, tensors, err := whole.Contents()
	if err != nil {
		return nil, fmt.Errorf("convert: %w", err)
	}
	f := newFinder(d, ignore)
	for i, t := range tensors {
		data := make([]float32, nn.Elements(t.Shape))
		f.take(data, t.Name, t.Shape...)
		tensors[i].Data = data
	}
	if m.Tied && f.dict["head.weight"].read != nil {
		head := make([]float32, m.Vocab.Size()*m.Embed)
		f.take(head, "head.weight", m.Vocab.Size(), m.Embed)
		embed := slices.IndexFunc(tensors, func(t safetensors.Tensor) bool { return t.Name == "embed.weight" })
		if len(f.wrongs) == 0 && !same(head, tensors[embed].Data.([]float32)) {
			f.wrong("head.weight is not embed.weight, to which it is tied in the model")
		}
	}
	f.unused()
	if err := f.err(); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := safetensors.Write(&b, metadata, tensors); err != nil {
		return nil, fmt.Errorf("convert: %w", err)
	}
	again, err := model.Read(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		return nil, plain(err)
	}
	return again, nil
}
