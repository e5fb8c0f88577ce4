package nn

import (
	"math"
	"os"
	"testing"

	"sluice/safetensors"
)

// golden is a file that testdata/golden.py made.
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

// The file is PyTorch's, in float64.
func TestCrossEntropyAgainstPyTorch(t *testing.T) {
	f := golden(t, "loss_cross_entropy")
	wide, grad, loss := float64s(t, f, "logits"), float64s(t, f, "grad.logits"), float64s(t, f, "loss")[0]
	long, err := f.Int64("targets")
	if err != nil {
		t.Fatal(err)
	}
	targets, logits, counted := make([]int32, len(long)), make([]float32, len(wide)), 0
	for i, target := range long {
		targets[i] = int32(target) // PyTorch was told to ignore −1 too
		if targets[i] != Ignore {
			counted++
		}
	}
	for i, x := range wide {
		logits[i] = float32(x)
	}
	team := NewTeam(2)
	defer team.Close()
	ce := CrossEntropy{V: len(wide) / len(long)}
	nats, count := gradient(&ce, team, logits, targets, 1/float32(counted))
	if mean := nats / float64(count); count != counted || math.Abs(mean/loss-1) > 1e-7 {
		t.Errorf("loss %v of %d rows, want %v of %d", mean, count, loss, counted)
	}
	for i, w := range grad {
		if math.Abs(float64(logits[i])-w) > 1e-6*math.Abs(w) {
			t.Errorf("gradient [%d] = %v, want %v", i, logits[i], w)
		}
	}
}
