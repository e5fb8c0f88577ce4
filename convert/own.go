package convert

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"sluice/convert/internal/onnxfile"
	"sluice/model"
	"sluice/nn"
	"sluice/rnn"
	"sluice/safetensors"
)

// ownONNX is the model of a graph that ONNX has written, or why it is not one although it
// has the metadata; neither without them. Of the model it would write the same graph: one
// that has been changed since is not it.
func ownONNX(f *onnxfile.Model) (m *model.Model, why error) {
	metadata := map[string]string{}
	for key, value := range f.Metadata {
		if own, ok := strings.CutPrefix(key, metaPrefix); ok {
			metadata[own] = value
		}
	}
	if len(metadata) == 0 {
		return nil, nil
	}
	tensors, err := ownTensors(f, metadata)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := safetensors.Write(&b, metadata, tensors); err != nil {
		return nil, plain(err)
	}
	if m, err = model.Read(bytes.NewReader(b.Bytes()), int64(b.Len())); err != nil {
		return nil, plain(err)
	}
	b.Reset()
	if _, err := ONNX(&b, m, ONNXOptions{Opset: int(f.Opset), Stateful: stateful(f)}); err != nil {
		return nil, err
	}
	again, err := onnxfile.Read(bytes.NewReader(b.Bytes()), int64(b.Len()), nil)
	if err != nil {
		return nil, err
	}
	if !reflect.DeepEqual(again.Nodes, f.Nodes) || !reflect.DeepEqual(again.Inputs, f.Inputs) || !reflect.DeepEqual(again.Outputs, f.Outputs) || !reflect.DeepEqual(again.Constants, f.Constants) {
		return nil, fmt.Errorf("convert: the graph is another than Sluice has written")
	}
	return m, nil
}

// stateful says whether a graph of ours carries its state.
func stateful(f *onnxfile.Model) bool {
	return slices.ContainsFunc(f.Inputs, func(v onnxfile.Value) bool { return v.Name == "h_0" })
}

// ownTensors are those of the model's file.
func ownTensors(f *onnxfile.Model, metadata map[string]string) (all []safetensors.Tensor, err error) {
	var c rnn.Config
	var input struct{ Chars model.Chars }
	for _, key := range []string{"input", "rnn"} {
		var into any = &c
		if key == "input" {
			into = &input
		}
		if err := json.Unmarshal([]byte(metadata[key]), into); err != nil {
			return nil, fmt.Errorf("convert: metadata %q of the graph: %s", metaPrefix+key, cut(err.Error()))
		}
	}
	if all, err = ownNetwork(f, "rnn.", c); err != nil {
		return nil, err
	}
	if chars := input.Chars; chars.Embed > 0 {
		c.Input, c.Hidden, c.Layers, c.Direction, c.Merge = chars.Embed, chars.Hidden, 1, rnn.Bidirectional, rnn.Concat
		c.Projection, c.Dropout, c.Locked, c.WeightDrop = 0, 0, false, 0
		spelling, err := ownNetwork(f, "chars.rnn.", c)
		if err != nil {
			return nil, err
		}
		all = append(all, spelling...)
	}
	for _, name := range slices.Sorted(maps.Keys(f.Constants)) {
		t := f.Constants[name]
		if !isOwn(name) {
			continue
		}
		values, err := t.Float32()
		if err != nil {
			return nil, err
		}
		all = append(all, safetensors.Tensor{Name: name, Shape: t.Shape, Data: values})
	}
	return all, nil
}

// isOwn says whether a constant is a parameter outside of the networks.
func isOwn(name string) bool {
	return slices.ContainsFunc([]string{"embed.weight", "input.", "chars.embed.", "head.", "crf.", "attention.", "decoder."}, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

// ownNetwork are the tensors of a network whose layers are constants of the graph.
func ownNetwork(f *onnxfile.Model, prefix string, c rnn.Config) (all []safetensors.Tensor, err error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("convert: metadata of the graph: %w", err)
	}
	if err := fitsONNXStack(c); err != nil {
		return nil, fmt.Errorf("convert: metadata of the graph: %s", strings.TrimPrefix(err.Error(), toONNX))
	}
	for l := range c.Layers { // before memory is taken for what they are called
		if name := fmt.Sprintf("%sl%d.W", prefix, l); f.Constants[name] == nil {
			return nil, fmt.Errorf("convert: metadata of the graph: %d layers, and it has no constant %q", c.Layers, name)
		}
	}
	n, err := rnn.Plan(c)
	if err != nil {
		return nil, fmt.Errorf("convert: metadata of the graph: %w", err)
	}
	layers := make([]onnxLayer, n.Layers)
	for l := range layers {
		for name, to := range map[string]*[]float32{"W": &layers[l].W, "R": &layers[l].R, "B": &layers[l].B, "P": &layers[l].P} {
			if t, ok := f.Constants[fmt.Sprintf("%sl%d.%s", prefix, l, name)]; ok {
				if *to, err = t.Float32(); err != nil {
					return nil, err
				}
			}
		}
		if err := layers[l].fits(n, l); err != nil { // before memory is taken for them
			return nil, fmt.Errorf("convert: %sl%d of the graph: %w", prefix, l, err)
		}
	}
	n.Bind(make([]float32, n.Size()))
	d := n.Directions()
	for l := range layers {
		tensors := tensorsIn(n, l)
		for i := range d {
			layers[l].take(tensors[i*len(tensors)/d:(i+1)*len(tensors)/d], n.Config, i, d)
		}
	}
	for _, t := range n.Tensors() {
		all = append(all, safetensors.Tensor{Name: prefix + t.Name, Shape: t.Shape, Data: t.Data})
	}
	for _, t := range n.Zeros() {
		all = append(all, safetensors.Tensor{Name: prefix + t.Name, Shape: t.Shape, Data: make([]float32, nn.Elements(t.Shape))})
	}
	return all, nil
}
