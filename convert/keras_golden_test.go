package convert

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/model"
	"sluice/nn"
	"sluice/rnn"
	"sluice/safetensors"
)

// recorded is what Keras was given and what it gave.
type recorded struct {
	seq   rnn.Sequence // Data or IDs
	y     []float32    // (T, B, W) or (B, W)
	shape []int        // of y
	act   string       // of the head
}

const kerasFolder = "testdata/keras"

func openGolden(t *testing.T, name string) *safetensors.File {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(kerasFolder, name))
	if err != nil {
		t.Fatal(err)
	}
	f, err := safetensors.Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func record(t *testing.T, f *safetensors.File, name, act string) (r recorded) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	r.act = act
	var err error
	if x, ok := f.Lookup(name + ".x"); ok {
		r.seq.T, r.seq.B, r.seq.F = x.Shape[0], x.Shape[1], x.Shape[2]
		r.seq.Data, err = f.Float32(x.Name)
		must(err)
	} else {
		x, _ := f.Lookup(name + ".ids")
		r.seq.T, r.seq.B = x.Shape[0], x.Shape[1]
		r.seq.IDs, err = f.Int32(x.Name)
		must(err)
	}
	if _, ok := f.Lookup(name + ".lengths"); ok {
		lengths, err := f.Int64(name + ".lengths")
		must(err)
		for _, n := range lengths {
			r.seq.Lengths = append(r.seq.Lengths, int(n))
		}
	}
	y, _ := f.Lookup(name + ".y")
	r.shape = y.Shape
	r.y, err = f.Float32(y.Name)
	must(err)
	return r
}

// run is what the parts give for a sequence, by rnn.Runner and, around it, the
// equations themselves.
func (p *Parts) run(seq rnn.Sequence, pool, act string) (y []float32, width int) {
	team := nn.NewTeam(1)
	defer team.Close()
	n := seq.T * seq.B
	switch {
	case p.Embed != nil:
		seq.F = p.Embed.Shape[1]
		for _, id := range seq.IDs {
			seq.Data = append(seq.Data, p.Embed.Data[int(id)*seq.F:][:seq.F]...)
		}
		seq.IDs = nil
	case p.Input != nil:
		seq.Data = affine(p.Input, seq.Data, n)
		for i, v := range seq.Data {
			seq.Data[i] = max(v, 0)
		}
		seq.F = len(p.Input.Bias)
	}
	for _, net := range p.Stack {
		y := make([]float32, n*net.OutputSize())
		rnn.NewRunner(net.Pack(), team).Forward(y, seq, nil, nil)
		seq.Data, seq.F = y, net.OutputSize()
	}
	top := p.Stack[len(p.Stack)-1].Config
	y, width = seq.Data, seq.F
	if pool != EveryStep {
		y, n = pooledBy(pool, seq, top), seq.B
	}
	if p.Head != nil {
		y, width = affine(p.Head, y, n), len(p.Head.Bias)
	}
	switch act {
	case "softmax", "sigmoid":
		for row := range n {
			softmax(y[row*width:][:width])
		}
	}
	if act == "sigmoid" { // the second label's
		for row := range n {
			y[row] = y[row*width+1]
		}
		y, width = y[:n], 1
	}
	return y, width
}

// affine is x·Wᵀ + b of n rows.
func affine(l *Linear, x []float32, n int) []float32 {
	out, in := l.Weight.Shape[0], l.Weight.Shape[1]
	y := make([]float32, n*out)
	for row := range n {
		for o := range out {
			sum := float64(l.Bias[o])
			for i := range in {
				sum += float64(x[row*in+i]) * float64(l.Weight.Data[o*in+i])
			}
			y[row*out+o] = float32(sum)
		}
	}
	return y
}

func softmax(x []float32) {
	sum := 0.0
	for _, v := range x {
		sum += math.Exp(float64(v))
	}
	for i, v := range x {
		x[i] = float32(math.Exp(float64(v)) / sum)
	}
}

// pooledBy is what a pool makes of the outputs of a network c: (B, W).
func pooledBy(pool string, y rnn.Sequence, c rnn.Config) []float32 {
	out := make([]float32, y.B*y.F)
	for b := range y.B {
		n := y.T
		if y.Lengths != nil {
			n = y.Lengths[b]
		}
		for i := range y.F {
			at := func(t int) float32 { return y.Data[(t*y.B+b)*y.F+i] }
			v := at(0)
			switch pool {
			case model.PoolLast:
				if c.Direction == rnn.Forward || c.Direction == rnn.Bidirectional && i < c.Hidden {
					v = at(n - 1)
				}
			default:
				for t := 1; t < n; t++ {
					if pool == model.PoolMax {
						v = max(v, at(t))
					} else {
						v += at(t)
					}
				}
				if pool == model.PoolMean {
					v /= float32(n)
				}
			}
			out[b*y.F+i] = v
		}
	}
	return out
}

// poolOf is what Keras' layers are but for weights alone, which do not say it.
func poolOf(p *Parts, name string) string {
	switch {
	case p.Pool != "":
		return p.Pool
	case strings.HasSuffix(name, "_bi"):
		return model.PoolMean
	}
	return EveryStep
}

// difference is the largest between theirs and ours within lengths.
func (r *recorded) difference(t *testing.T, ours []float32, width int) (worst float64) {
	t.Helper()
	if len(ours) != len(r.y) || width != r.shape[len(r.shape)-1] {
		t.Fatalf("%d outputs of width %d, want shape %v", len(ours), width, r.shape)
	}
	for i, v := range ours {
		row := i / width
		if len(r.shape) == 3 && r.seq.Lengths != nil && row/r.seq.B >= r.seq.Lengths[row%r.seq.B] {
			continue
		}
		worst = max(worst, math.Abs(float64(v)-float64(r.y[i])))
		if v != v {
			t.Fatalf("output %d is NaN", i)
		}
	}
	return worst
}

// What Keras gave, of the models that it wrote.
func TestKerasGolden(t *testing.T) {
	for _, golden := range []string{"keras3.safetensors", "keras2.safetensors"} {
		f := openGolden(t, golden)
		for name, value := range f.Metadata {
			file, act, ok := strings.Cut(value, " ")
			if !ok || name == "command" {
				continue
			}
			t.Run(name, func(t *testing.T) {
				parts, err := kerasOf(t, file)
				if err != nil {
					t.Fatal(err)
				}
				r := record(t, f, name, act)
				y, width := parts.run(r.seq, poolOf(parts, name), act)
				if d := r.difference(t, y, width); d > 1e-5 {
					t.Errorf("differs by %.3g, want at most 1e-5; %+v", d, parts.Stack[0].Config)
				}
			})
		}
	}
}

func kerasOf(t *testing.T, file string) (*Parts, error) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(kerasFolder, file))
	if err != nil {
		t.Fatal(err)
	}
	return readKeras(bytes.NewReader(b), int64(len(b)), Options{})
}
