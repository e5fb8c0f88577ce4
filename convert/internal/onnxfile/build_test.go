package onnxfile

import (
	"bytes"
	"math"
	"testing"
)

// sample is a file of a Builder with one of everything.
func sample(t testing.TB) []byte {
	t.Helper()
	b := NewBuilder("sluice", "1", "main", 14)
	b.Doc("a model")
	b.Meta("task", "tag")
	b.Meta("crf", "yes")
	b.Input("x", TensorProto_FLOAT, "time", "batch", 2)
	b.Const("w", []int{1, 3, 2}, []float32{1, -2, 3, float32(math.Copysign(0, -1)), math.MaxFloat32, 0x1p-149})
	b.ConstInts("axis", []int{1}, []int64{-1})
	b.Node("LSTM", []string{"x", "", "w"}, []string{"", "y"}, Int("hidden_size", 3), Float("clip", 0.5), Text("direction", "reverse"),
		Texts("activations", "Tanh", "Relu"), Floats("activation_alpha", 0.5), Ints("axes", 1, -2))
	b.Node("Squeeze", []string{"y", "axis"}, []string{"z"})
	b.Output("z", TensorProto_FLOAT, "time", "batch", 3)
	file, err := b.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// What is built is read again, and the same calls give the same bytes.
func TestBuilder(t *testing.T) {
	file := sample(t)
	if !bytes.Equal(file, sample(t)) {
		t.Error("the same calls give other bytes")
	}
	m, err := open(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "IR", m.IR, int64(7))
	equal(t, "opset", m.Opset, int64(14))
	equal(t, "metadata", m.Metadata, map[string]string{"task": "tag", "crf": "yes"})
	equal(t, "inputs", m.Inputs, []Value{{"x", TensorProto_FLOAT, true, []Dim{{-1, "time"}, {-1, "batch"}, {2, ""}}}})
	equal(t, "outputs", m.Outputs, []Value{{"z", TensorProto_FLOAT, true, []Dim{{-1, "time"}, {-1, "batch"}, {3, ""}}}})
	equal(t, "shape of w", m.Constants["w"].Shape, []int{1, 3, 2})
	w, err := m.Constants["w"].Float32()
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []uint32{0x3F800000, 0xC0000000, 0x40400000, 0x80000000, 0x7F7FFFFF, 1} {
		if got := math.Float32bits(w[i]); got != want {
			t.Errorf("w[%d] is %#x, want %#x", i, got, want)
		}
	}
	axis, err := m.Constants["axis"].Int64()
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "axis", axis, []int64{-1})
	n := m.Nodes[0]
	equal(t, "node", n.String(), `LSTM node "y"`)
	direction, err := n.Text("direction", "")
	equal(t, "direction", direction, "reverse")
	equal(t, "error", err, nil)
	equal(t, "others", n.Others("clip", "hidden_size", "direction", "activations", "axes"), []string{"activation_alpha"})
	for opset, ir := range map[int64]int64{14: 7, 15: 8, 18: 8, 19: 9, 20: 9, 21: 10, 22: 10, 23: 11} {
		if got := *NewBuilder("", "", "", opset).model.IrVersion; got != ir {
			t.Errorf("opset %d goes with IR version %d, want %d", opset, got, ir)
		}
	}
}

// What Read refuses is not written.
func TestBuilderRefuses(t *testing.T) {
	b := NewBuilder("sluice", "1", "main", 14)
	b.Node("Identity", []string{"nowhere"}, []string{"y"})
	_, err := b.Marshal()
	checkError(t, "a value from nowhere", err, `Identity node "y" reads "nowhere"`)
	defer func() {
		if recover() == nil {
			t.Error("a constant of another length than its shape is taken")
		}
	}()
	b.Const("w", []int{2, 3}, make([]float32, 5))
}
