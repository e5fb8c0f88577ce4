package convert

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sluice/convert/internal/onnxfile"
	"sluice/model"
	"sluice/nn"
	"sluice/rnn"
	"sluice/safetensors"
)

// onnxGolden is a file of testdata/onnx and what its own runtime gave for inputs.
type onnxGolden struct {
	name     string
	parts    *Parts
	softmax  string
	x        rnn.Sequence
	starts   [][]float32 // h0, and c0 of an LSTM: (L·D, B, H)
	y        []float32
	everyRow bool // y has a row for each step
}

// readONNX reads a file with its external data.
func readONNX(path string) (*onnxfile.Model, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	folder, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	return onnxfile.Read(file, info.Size(), folder)
}

func openGoldenONNX(t *testing.T, path string) onnxGolden {
	t.Helper()
	m, err := readONNX(path)
	if err != nil {
		t.Fatal(err)
	}
	g := onnxGolden{name: path}
	if g.parts, err = partsOfGraph(m); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(strings.TrimSuffix(path, ".onnx") + ".safetensors")
	if err != nil {
		t.Fatal(err)
	}
	f, err := safetensors.Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	g.softmax = f.Metadata["softmax"]
	floats := func(name string) []float32 {
		x, err := f.Float32(name)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	ints := func(name string) []int64 {
		x, err := f.Int64(name)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	if info, ok := f.Lookup("ids"); ok {
		g.x.T, g.x.B, g.x.IDs = info.Shape[0], info.Shape[1], []int32{}
		for _, id := range ints("ids") {
			g.x.IDs = append(g.x.IDs, int32(id))
		}
	} else {
		info, _ := f.Lookup("x")
		g.x.T, g.x.B, g.x.F, g.x.Data = info.Shape[0], info.Shape[1], info.Shape[2], floats("x")
	}
	if _, ok := f.Lookup("lengths"); ok {
		for _, n := range ints("lengths") {
			g.x.Lengths = append(g.x.Lengths, int(n))
		}
	}
	for _, name := range []string{"h0", "c0"} {
		if _, ok := f.Lookup(name); ok {
			g.starts = append(g.starts, floats(name))
		}
	}
	info, _ := f.Lookup("y")
	g.y, g.everyRow = floats("y"), len(info.Shape) == 3
	return g
}

// run is what the parts make of the golden's input.
func (g *onnxGolden) run(t *testing.T) []float32 {
	p, x := g.parts, g.x
	if p.Symbols != (x.IDs != nil) {
		t.Fatalf("symbols are read: %v, want %v", p.Symbols, x.IDs != nil)
	}
	switch {
	case p.Embed != nil:
		e := p.Embed.Shape[1]
		for _, id := range x.IDs {
			x.Data = append(x.Data, p.Embed.Data[int(id)*e:int(id+1)*e]...)
		}
		x.F, x.IDs = e, nil
	case p.Symbols:
		x.F = p.Stack[0].Input
	case p.Input != nil:
		x.Data, x.F = apply(p.Input, x.Data), p.Input.Weight.Shape[0]
		for i, v := range x.Data {
			x.Data[i] = max(0, v)
		}
	}
	team := nn.NewTeam(1)
	defer team.Close()
	at := 0
	for _, n := range p.Stack {
		var state []float32
		if g.starts != nil {
			state = g.state(n, at)
			at += n.Directions()
		}
		y := make([]float32, x.T*x.B*n.OutputSize())
		rnn.NewRunner(n.Pack(), team).Forward(y, x, state, nil)
		x.Data, x.IDs, x.F = y, nil, n.OutputSize()
	}
	y := pooled(t, p, x)
	if p.Head != nil {
		y = apply(p.Head, y)
	}
	if g.softmax != "" {
		soften(y, len(p.Head.Bias), g.softmax)
	}
	return y
}

// state is the start of a layer, whose h0 begins at a direction of all.
func (g *onnxGolden) state(n *rnn.Network, at int) []float32 {
	var state []float32
	for b := range g.x.B {
		for d := range n.Directions() {
			for _, s := range g.starts {
				state = append(state, s[((at+d)*g.x.B+b)*n.Hidden:][:n.Hidden]...)
			}
		}
	}
	return state
}

// apply is a linear layer of rows.
func apply(l *Linear, x []float32) (y []float32) {
	out, in := l.Weight.Shape[0], l.Weight.Shape[1]
	for ; len(x) > 0; x = x[in:] {
		for o := range out {
			sum := float64(l.Bias[o])
			for i, w := range l.Weight.Data[o*in : (o+1)*in] {
				sum += float64(w) * float64(x[i])
			}
			y = append(y, float32(sum))
		}
	}
	return y
}

// pooled is what the head reads of the outputs x.
func pooled(t *testing.T, p *Parts, x rnn.Sequence) (z []float32) {
	if p.Pool == EveryStep {
		return x.Data
	}
	last := p.Stack[len(p.Stack)-1]
	for b := range x.B {
		steps := x.T
		if x.Lengths != nil {
			steps = x.Lengths[b]
		}
		for f := range x.F {
			at := func(step int) float64 { return float64(x.Data[(step*x.B+b)*x.F+f]) }
			switch v := at(0); p.Pool {
			case model.PoolLast:
				if backward := last.Direction == rnn.Backward || last.Direction == rnn.Bidirectional && f >= last.Hidden; !backward {
					v = at(steps - 1)
				}
				z = append(z, float32(v))
			case model.PoolMean:
				for i := 1; i < steps; i++ {
					v += at(i)
				}
				z = append(z, float32(v/float64(steps)))
			case model.PoolMax:
				for i := 1; i < steps; i++ {
					v = max(v, at(i))
				}
				z = append(z, float32(v))
			default:
				t.Fatalf("pool %q", p.Pool)
			}
		}
	}
	return z
}

// soften makes rows of k scores probabilities, or their logarithms.
func soften(y []float32, k int, how string) {
	for ; len(y) > 0; y = y[k:] {
		sum := 0.0
		for _, v := range y[:k] {
			sum += math.Exp(float64(v))
		}
		for i, v := range y[:k] {
			if y[i] = float32(float64(v) - math.Log(sum)); how == "prob" {
				y[i] = float32(math.Exp(float64(v)) / sum)
			}
		}
	}
}

// What exporters write gives the outputs that its own runtime gives.
func TestONNXGoldens(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join("testdata", "onnx", "*.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) < 50 {
		t.Errorf("%d goldens, want more", len(paths))
	}
	worst := 0.0
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".onnx"), func(t *testing.T) {
			g := openGoldenONNX(t, path)
			y := g.run(t)
			if len(y) != len(g.y) || g.everyRow != (g.parts.Pool == EveryStep) {
				t.Fatalf("%d outputs with pool %q, want %d", len(y), g.parts.Pool, len(g.y))
			}
			for i, v := range g.y {
				if g.x.Lengths != nil && g.everyRow && i/(len(y)/g.x.T) >= g.x.Lengths[i/(len(y)/g.x.T/g.x.B)%g.x.B] {
					continue // past a row's length
				}
				d := math.Abs(float64(y[i] - v))
				if worst = max(worst, d); !(d <= 2e-6) {
					t.Fatalf("output %d is %v, want %v", i, y[i], v)
				}
			}
		})
	}
	t.Logf("largest difference %.1e", worst)
}

var _ = fmt.Sprint
var _ = slices.Sort[[]int]
