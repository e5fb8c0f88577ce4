package torchfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// golden is a tensor as PyTorch reads it: testdata/golden.py.
type golden struct {
	Name  string
	DType DType
	Shape []int
	Bits  []int32 // of the float32 values; nil: refused
}

func goldens(t testing.TB) map[string][]golden {
	b, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var g map[string][]golden
	if err := json.Unmarshal(b, &g); err != nil {
		t.Fatal(err)
	}
	return g
}

func load(t testing.TB, name string) []byte {
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func read(file []byte) (*File, error) { return Read(bytes.NewReader(file), int64(len(file))) }

func TestGolden(t *testing.T) {
	for name, want := range goldens(t) {
		t.Run(name, func(t *testing.T) {
			f, err := read(load(t, name))
			if err != nil {
				t.Fatal(err)
			}
			if len(f.Tensors) != len(want) {
				t.Fatalf("%d tensors, want %d", len(f.Tensors), len(want))
			}
			for i, w := range want {
				g := f.Tensors[i]
				if g.Name != w.Name || g.DType != w.DType || !slices.Equal(g.Shape, w.Shape) {
					t.Errorf("tensor %d is %q, %s, %v; want %q, %s, %v", i, g.Name, g.DType, g.Shape, w.Name, w.DType, w.Shape)
				}
				checkBits(t, g, w.Bits)
			}
		})
	}
}

// checkBits reads a tensor and compares it, bit for bit.
func checkBits(t *testing.T, tensor Tensor, want []int32) {
	t.Helper()
	x, err := tensor.Float32()
	if want == nil {
		if err == nil || x != nil || !errors.Is(err, ErrFormat) && !errors.Is(err, ErrLossy) || !strings.Contains(err.Error(), `"`+tensor.Name+`"`) {
			t.Errorf("%q: %v, %v, want an error", tensor.Name, x, err)
		}
		return
	}
	if err != nil {
		t.Error(err)
		return
	}
	got := make([]int32, len(x))
	for i, v := range x {
		got[i] = int32(math.Float32bits(v))
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q: bits %d, want %d", tensor.Name, got, want)
	}
}

func TestRefusedTensors(t *testing.T) {
	for _, c := range []struct {
		file, tensor string
		kind         error
		want         string
	}{
		{"dtypes.pt", "lossy", ErrLossy, `torchfile: tensor "lossy": element 1 is 1.0000000596046448 in float64, which no float32 equals`},
		{"dtypes.pt", "large", ErrLossy, `torchfile: tensor "large": element 3 is 1e+300 in float64, which no float32 equals`},
		{"dtypes.pt", "int64", ErrFormat, `torchfile: tensor "int64" has dtype int64, want float32, float64, float16 or bfloat16`},
		{"views.pt", "expanded", ErrFormat, `torchfile: tensor "expanded" of shape [3] has 3 elements, and its storage only 1: save it after contiguous()`},
	} {
		f, err := read(load(t, c.file))
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(f.Tensors, func(t Tensor) bool { return t.Name == c.tensor })
		if _, err := f.Tensors[i].Float32(); !errors.Is(err, c.kind) || err.Error() != c.want {
			t.Errorf("%s: got\n%v, want\n%s", c.file, err, c.want)
		}
	}
}

func TestOthers(t *testing.T) {
	f, err := read(load(t, "checkpoint.pt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"epoch", "loss", "history", "milestones", "values.0", "values.10", "torch.1", "list.1.1", "optimizer.param_groups.0.lr"} {
		if !slices.Contains(f.Others, want) {
			t.Errorf("others are %q, want %q among them", f.Others, want)
		}
	}
	if f, err = read(load(t, "lstm.pt")); err != nil || f.Others != nil {
		t.Errorf("others of a state_dict are %q, %v, want none", f.Others, err)
	}
}

func TestRefusedFiles(t *testing.T) {
	for file, want := range map[string]string{
		"module.pt":    `torchfile: forbidden global "torch.nn.modules.linear.Linear": only tensors and plain values in dicts and lists are read; save the model's state_dict`,
		"protocol4.pt": `torchfile: pickle protocol 4, want 2, which torch.save writes by itself`,
		"negative.pt":  `torchfile: tensor "w": metadata, want none: a conjugate or negative view, to be saved after resolve_conj and resolve_neg`,
		"quantized.pt": `torchfile: forbidden global "torch._utils._rebuild_qtensor": only tensors and plain values in dicts and lists are read; save the model's state_dict`,
	} {
		if _, err := read(load(t, file)); !errors.Is(err, ErrFormat) || err.Error() != want {
			t.Errorf("%s: got\n%v, want\n%s", file, err, want)
		}
	}
}
