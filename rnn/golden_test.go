package rnn_test

import (
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sluice/internal/ref"
	"sluice/safetensors"
)

// goldenCase is one case of testdata/golden, whose README says what is in it.
type goldenCase struct {
	t          *testing.T
	file       *safetensors.File
	cell       string
	tol        float64 // on max|a−b| / max|b|
	source     string  // "torch" or "onnxruntime"
	T, B, H, P int     // P is the width of h
	gradients  bool
	lengths    []int // (B), nil if dense
	layers     int
	directions []string // the suffixes of the weights' names, (D)
}

// TestGoldenReference holds internal/ref against PyTorch (float64, outputs,
// states and every gradient) and ONNX Runtime (float32, outputs and states).
func TestGoldenReference(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join("..", "testdata", "golden", "*.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	worst := map[string]float64{} // by source and kind of tensor
	cases := map[string]int{}     // by source and cell
	for _, path := range paths {
		file := openGolden(t, path)
		if file.Metadata["kind"] != "rnn" {
			continue
		}
		source, _, _ := strings.Cut(file.Metadata["source"], " ")
		cases[source+" "+file.Metadata["cell"]]++
		t.Run(strings.TrimSuffix(filepath.Base(path), ".safetensors"), func(t *testing.T) {
			newGolden(t, file, source).check(worst)
		})
	}
	for name, want := range map[string]int{
		"torch rnn_tanh": 8, "torch rnn_relu": 8, "torch gru_after": 9, "torch lstm": 17,
		"onnxruntime gru_before": 6, "onnxruntime gru_after": 6, "onnxruntime lstm": 7, "onnxruntime rnn_tanh": 11,
	} {
		if cases[name] < want {
			t.Errorf("%d golden files of %s, want %d", cases[name], name, want)
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(worst)) {
		t.Logf("%-28s %.1e", kind, worst[kind])
	}
}

func openGolden(t *testing.T, path string) *safetensors.File {
	t.Helper()
	r, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	info, err := r.Stat()
	if err != nil {
		t.Fatal(err)
	}
	file, err := safetensors.Open(r, info.Size())
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return file
}

func newGolden(t *testing.T, file *safetensors.File, source string) *goldenCase {
	g := &goldenCase{t: t, file: file, cell: file.Metadata["cell"], source: source}
	switch source {
	case "torch":
		g.tol, g.gradients = 1e-12, true
	case "onnxruntime": // its own float32 is off by up to 3.5e-7
		g.tol = 1e-6
	default:
		t.Fatalf("source %q", source)
	}
	g.T, g.B, g.H, g.layers = g.number("steps"), g.number("batch"), g.number("hidden"), g.number("layers")
	if g.P = g.H; file.Metadata["projection"] != "" {
		g.P = g.number("projection")
	}
	g.directions = map[string][]string{"forward": {""}, "backward": {"_reverse"}, "bidirectional": {"", "_reverse"}}[file.Metadata["direction"]]
	if g.number("packed") == 1 {
		lengths, err := file.Int64("lengths")
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range lengths {
			g.lengths = append(g.lengths, int(n))
		}
	}
	return g
}

func (g *goldenCase) number(key string) int {
	n, err := strconv.Atoi(g.file.Metadata[key])
	if err != nil {
		g.t.Fatalf("metadata %s: %v", key, err)
	}
	return n
}

// tensor reads a tensor of either width.
func (g *goldenCase) tensor(name string) []float64 {
	g.t.Helper()
	if info, ok := g.file.Lookup(name); ok && info.DType == safetensors.F32 {
		x, err := g.file.Float32(name)
		if err != nil {
			g.t.Fatal(err)
		}
		wide := make([]float64, len(x))
		for i, v := range x {
			wide[i] = float64(v)
		}
		return wide
	}
	x, err := g.file.Float64(name)
	if err != nil {
		g.t.Fatal(err)
	}
	return x
}

// net is the reference with the case's weights. Biases "0" is one bias of zeros.
func (g *goldenCase) net() *ref.Net {
	n := &ref.Net{
		Cell: g.cell, Input: g.number("input"), Hidden: g.H, Layers: g.layers,
		Direction: g.file.Metadata["direction"], Merge: "concat", Biases: max(1, g.number("biases")),
	}
	if g.P < g.H {
		n.Projection = g.P
	}
	if g.file.Metadata["config"] != "" {
		c := g.config()
		n.Peephole, n.Options = c.Peephole, ref.Options{Clip: c.Clip, Coupled: c.Coupled}
		var acts [][3]any // name, α, β
		g.json("activations", &acts)
		for _, a := range acts {
			n.Acts = append(n.Acts, ref.Act{Name: a[0].(string), Alpha: a[1].(float64), Beta: a[2].(float64)})
		}
	}
	n.Weights = n.ZeroWeights()
	for s := range n.Weights {
		for name, v := range g.named(n.Weights[s], s) {
			want := g.tensor(name)
			if len(v) != len(want) {
				g.t.Fatalf("%s has %d values, want %d", name, len(want), len(v))
			}
			copy(v, want)
		}
	}
	return n
}

// named is the weights of stream s = l·D + d that the case has, by PyTorch's names.
func (g *goldenCase) named(w ref.Weights, s int) map[string][]float64 {
	D := len(g.directions)
	suffix := fmt.Sprintf("_l%d%s", s/D, g.directions[s%D])
	m := map[string][]float64{"weight_ih" + suffix: w.Wx, "weight_hh" + suffix: w.Wh}
	if w.Whr != nil {
		m["weight_hr"+suffix] = w.Whr
	}
	if w.Peep != nil {
		m["weight_peephole"+suffix] = w.Peep
	}
	if g.number("biases") == 2 {
		m["bias_ih"+suffix], m["bias_hh"+suffix] = w.Bx, w.Bh
	}
	return m
}

// states turns PyTorch's h and c, (L·D, B, P or H), into (B, StateSize).
func (g *goldenCase) states(h, c string) []float64 {
	var block []float64
	for b := range g.B {
		for s := range g.layers * len(g.directions) {
			block = append(block, g.tensor(h)[(s*g.B+b)*g.P:][:g.P]...)
			if g.cell == "lstm" {
				block = append(block, g.tensor(c)[(s*g.B+b)*g.H:][:g.H]...)
			}
		}
	}
	return block
}

// part is states undone: state i (0 is h, 1 is c) of a block, as (L·D, B, P or H).
func (g *goldenCase) part(block []float64, i int) []float64 {
	LD, size := g.layers*len(g.directions), g.P
	if g.cell == "lstm" {
		size += g.H
	}
	at, width := 0, g.P
	if i == 1 {
		at, width = g.P, g.H
	}
	var x []float64
	for s := range LD {
		for b := range g.B {
			x = append(x, block[(b*LD+s)*size+at:][:width]...)
		}
	}
	return x
}

func (g *goldenCase) check(worst map[string]float64) {
	run := g.net().Forward(g.tensor("x"), g.T, g.B, g.lengths, g.states("h0", "c0"))
	got := map[string][]float64{"y": run.Y, "hn": g.part(run.Final, 0)}
	if g.cell == "lstm" {
		got["cn"] = g.part(run.Final, 1)
	}
	if g.gradients {
		grads := run.Backward(g.tensor("dy"), g.states("dhn", "dcn"))
		got["grad.x"], got["grad.h0"] = grads.DX, g.part(grads.DS0, 0)
		if g.cell == "lstm" {
			got["grad.c0"] = g.part(grads.DS0, 1)
		}
		for s, w := range grads.Weights {
			for name, dw := range g.named(w, s) {
				got["grad."+name] = dw
			}
		}
	}
	for name, a := range got {
		b := g.tensor(name)
		diff := goldenDiff(a, b)
		if !(diff <= g.tol) {
			g.t.Errorf("%s differs by %.2e, want at most %.0e", name, diff, g.tol)
		}
		kind, _, _ := strings.Cut(name, "_l")
		kind = g.source + " " + kind
		worst[kind] = max(worst[kind], diff)
	}
	for _, t := range g.file.Tensors {
		if _, ok := got[t.Name]; !ok && strings.HasPrefix(t.Name, "grad.") {
			g.t.Errorf("%s is compared with nothing", t.Name)
		}
	}
}

// goldenDiff is max|a−b| / max|b|, NaN if that says nothing.
func goldenDiff(a, b []float64) float64 {
	if len(a) != len(b) {
		return math.NaN()
	}
	diff, size := 0.0, 0.0
	for i := range b {
		diff, size = max(diff, math.Abs(a[i]-b[i])), max(size, math.Abs(b[i]))
	}
	return diff / size
}
