package convert

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"sluice/model"
	"sluice/safetensors"
)

// TestONNXRoundTrip writes every model as ONNX and wants the same file of it back.
func TestONNXRoundTrip(t *testing.T) {
	for j, c := range stacks() {
		for i, s := range specs(c) {
			if testing.Short() && (i+j)%5 != 0 {
				continue
			}
			for _, stateful := range []bool{false, true} {
				if s.Task == model.Forecast && stateful != (s.Forecast.Segment == 0) || c.Projection > 0 {
					continue
				}
				m := modelOf(t, s)
				path := filepath.Join(t.TempDir(), "m.onnx")
				var b bytes.Buffer
				if _, err := ONNX(&b, m, ONNXOptions{Stateful: stateful}); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, b.Bytes(), 0o666); err != nil {
					t.Fatal(err)
				}
				again, _, err := Import(path, Options{})
				if err != nil {
					t.Fatalf("%s: %v", specName(s), err)
				}
				wantSameModel(t, m, again)
			}
		}
	}
}

// TestStateDictRoundTrip takes the metadata from the file that PyTorch is given, as
// PyTorch does when it saves, and wants the same model of what is left.
func TestStateDictRoundTrip(t *testing.T) {
	for j, c := range stacks() {
		for i, s := range specs(c) {
			if testing.Short() && (i+j)%5 != 0 {
				continue
			}
			m := modelOf(t, s)
			whole, _, err := PyTorch(m, "m.safetensors")
			if err != nil {
				continue
			}
			_, tensors, err := whole.Contents()
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), "state.safetensors")
			if err := safetensors.WriteFile(path, nil, tensors); err != nil {
				t.Fatal(err)
			}
			again, _, err := Import(path, Options{Like: m})
			if err != nil {
				t.Fatalf("%s: %v", specName(s), err)
			}
			wantSameModel(t, m, again)
			if s.Tied || s.Chars.Embed > 0 || s.Pool == model.PoolAttention || s.Task == model.Forecast || c.Biases == 1 {
				continue
			}
			o := Options{Task: s.Task, Pool: s.Pool, Names: m.Names, Activation: c.Activation}
			if s.Features > 0 && s.Embed > 0 {
				o.Input = "input"
			}
			again, _, err = Import(path, o)
			if err != nil {
				t.Fatalf("%s: %v", specName(s), err)
			}
			wantSameModel(t, m, again)
		}
	}
}

// wantSameModel wants the files of two models to be the same.
func wantSameModel(t *testing.T, m, again *model.Model) {
	t.Helper()
	var before, after bytes.Buffer
	if err := m.Write(&before); err != nil {
		t.Fatal(err)
	}
	if err := again.Write(&after); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(before.Bytes(), after.Bytes()) {
		t.Errorf("%s: another file", specName(m.Spec))
	}
}
