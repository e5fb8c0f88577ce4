package optim

import (
	"math"
	"os"
	"strconv"
	"testing"

	"sluice/safetensors"
)

// golden opens a file that testdata/golden.py made with PyTorch in float64. It
// stays open to the end of the test.
func golden(t *testing.T, name string) *safetensors.File {
	t.Helper()
	file, err := os.Open("../testdata/golden/" + name + ".safetensors")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	f, err := safetensors.Open(file, info.Size())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func float64s(t *testing.T, f *safetensors.File, name string) []float64 {
	t.Helper()
	x, err := f.Float64(name)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func narrow(x []float64) []float32 {
	y := make([]float32, len(x))
	for i, v := range x {
		y[i] = float32(v)
	}
	return y
}

func TestUpdateAgainstPyTorch(t *testing.T) {
	for _, name := range []string{"optim_sgd", "optim_sgd_momentum", "optim_adam", "optim_sgd_decay", "optim_sgd_momentum_decay", "optim_adamw"} {
		f := golden(t, name)
		number := func(key string) float64 {
			text, ok := f.Metadata[key]
			if !ok {
				return 0
			}
			x, err := strconv.ParseFloat(text, 64)
			if err != nil {
				t.Fatalf("%s: %s %q: %v", name, key, text, err)
			}
			return x
		}
		start, grads, want := float64s(t, f, "start"), float64s(t, f, "grads"), float64s(t, f, "params")
		n := len(start)
		optimizer := Rule{
			Kind: f.Metadata["optimizer"], Momentum: number("momentum"), Decay: number("weight_decay"),
			Beta1: number("beta1"), Beta2: number("beta2"), Epsilon: number("eps"),
		}.New(n)
		params, worst := narrow(start), 0.0
		for u := range len(grads) / n {
			optimizer.Update(team, params, narrow(grads[u*n:(u+1)*n]), number("lr"))
			for i, p := range params {
				w := want[u*n+i]
				worst = max(worst, math.Abs(float64(p)-w)/max(math.Abs(w), math.Abs(start[i])))
			}
		}
		t.Logf("%s: largest relative error %.1e", name, worst)
		if worst > 1e-6 || len(grads) == 0 {
			t.Errorf("%s: relative error %v, want at most 1e-6", name, worst)
		}
	}
}

// PyTorch adds 1e-6 to the norm before it divides, so it clips to a little
// less than the limit.
func TestClipNormAgainstPyTorch(t *testing.T) {
	for _, name := range []string{"clip_norm_small", "clip_norm_large"} {
		f := golden(t, name)
		grad, limit := narrow(float64s(t, f, "grad")), float64s(t, f, "limit")[0]
		norm, want := float64s(t, f, "norm")[0], float64s(t, f, "clipped")
		if got := ClipNorm(team, grad, limit); math.Abs(got/norm-1) > 1e-7 {
			t.Errorf("%s: norm %v, want %v", name, got, norm)
		}
		for i, w := range want {
			if norm > limit {
				w *= (norm + 1e-6) / norm
			}
			if math.Abs(float64(grad[i])/w-1) > 2e-7 {
				t.Errorf("%s: [%d] = %v, want %v", name, i, grad[i], w)
			}
		}
	}
}
