package nn

import (
	"encoding/json"
	"math"
	"strconv"
	"testing"
)

// The files are PyTorch's AdaptiveLogSoftmaxWithLoss, in float64. Its parameters under its names fill ours.
func TestAdaptiveAgainstPyTorch(t *testing.T) {
	for _, name := range []string{"adaptive_bias", "adaptive_nobias"} {
		f := golden(t, name)
		number := func(key string) int {
			n, err := strconv.Atoi(f.Metadata[key])
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		c := AdaptiveConfig{
			In: number("in_features"), Classes: number("n_classes"), Div: number("div_value"), HeadBias: number("head_bias") == 1,
		}
		if err := json.Unmarshal([]byte(f.Metadata["cutoffs"]), &c.Cutoffs); err != nil {
			t.Fatal(err)
		}
		a, err := NewAdaptive(c)
		if err != nil {
			t.Fatal(err)
		}
		var params []float32
		var want []float64
		for _, tensor := range a.Tensors() {
			values := float64s(t, f, tensor.Name)
			if len(values) != Elements(tensor.Shape) {
				t.Fatalf("%s: %s has %d values, want %v", name, tensor.Name, len(values), tensor.Shape)
			}
			params = append(params, narrow(values)...)
			want = append(want, float64s(t, f, "grad."+tensor.Name)...)
		}
		long, err := f.Int64("targets")
		if err != nil {
			t.Fatal(err)
		}
		n, targets := len(long), make([]int32, len(long))
		for i, target := range long {
			targets[i] = int32(target)
		}

		team := NewTeam(2)
		a.Pack(team, params)
		var s AdaptiveLoss
		x, g, dx := narrow(float64s(t, f, "x")), make([]float32, a.Size()), make([]float32, n*c.In)
		nats, _ := s.Gradient(team, a, g, dx, Blocks(x, n, c.In), targets, 1/float32(n))
		y := Matrix{}.Grow(n, c.Classes)
		s.LogProbs(team, a, y, RowMajor(x, c.In), n)
		team.Close()

		if loss := float64s(t, f, "loss")[0]; math.Abs(nats/float64(n)-loss) > 1e-6 {
			t.Errorf("%s: loss %v, want %v", name, nats/float64(n), loss)
		}
		for i, output := range float64s(t, f, "output") {
			if math.Abs(s.Nats[i]+output) > 2e-6 {
				t.Errorf("%s: row %d: %v nats, want %v", name, i, s.Nats[i], -output)
			}
		}
		close64(t, name+": gradient", g, want, 1e-6)
		close64(t, name+": dx", dx, float64s(t, f, "grad.x"), 1e-6)
		close64(t, name+": log-probabilities", rowsOf(y, n, c.Classes), float64s(t, f, "log_prob"), 4e-6)
	}
}

func narrow(x []float64) []float32 {
	y := make([]float32, len(x))
	for i, v := range x {
		y[i] = float32(v)
	}
	return y
}
