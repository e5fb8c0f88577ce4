package rnn_test

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"sluice/nn"
	"sluice/rnn"
)

func (g *goldenCase) json(key string, into any) {
	if err := json.Unmarshal([]byte(g.file.Metadata[key]), into); err != nil {
		g.t.Fatalf("metadata %s: %v", key, err)
	}
}

// config is that of a network of the case's, which files of what PyTorch lacks
// have in their metadata.
func (g *goldenCase) config() (c rnn.Config) {
	if g.file.Metadata["config"] != "" {
		g.json("config", &c)
		return c
	}
	c = rnn.Config{Cell: g.cell, Input: g.number("input"), Hidden: g.H, Layers: g.layers, Biases: max(1, g.number("biases")), Direction: rnn.Direction(g.file.Metadata["direction"])}
	switch name, variant, _ := strings.Cut(g.cell, "_"); name {
	case "rnn":
		c.Cell, c.Activation = name, strings.TrimPrefix(variant, "tanh")
	case "gru":
		c.Cell, c.Reset = name, rnn.Reset(variant)
	}
	if g.P < g.H {
		c.Projection = g.P
	}
	return c
}

// TestGoldenNetworks holds networks of float32, with the weights of a file under the
// names that it has, against what PyTorch and ONNX Runtime made of them: outputs,
// states and, of PyTorch, every gradient.
func TestGoldenNetworks(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join("..", "testdata", "golden", "*.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, path := range paths {
		file := openGolden(t, path)
		if file.Metadata["kind"] == "rnn" {
			count++
			source, _, _ := strings.Cut(file.Metadata["source"], " ")
			t.Run(strings.TrimSuffix(filepath.Base(path), ".safetensors"), func(t *testing.T) { newGolden(t, file, source).network() })
		}
	}
	if count < 72 {
		t.Errorf("%d files, want 72 at least", count)
	}
}

func (g *goldenCase) network() {
	t := g.t
	n, err := rnn.New(g.config())
	if err != nil {
		t.Fatal(err)
	}
	short := func(name string) string { return name[strings.LastIndex(name, ".")+1:] }
	for _, tensor := range n.Tensors() {
		if _, ok := g.file.Lookup(short(tensor.Name)); !ok && g.number("biases") == 0 {
			continue // zeros
		}
		if copy(tensor.Data, float32s(g.tensor(short(tensor.Name)))) != len(tensor.Data) {
			t.Fatalf("%s is too short", tensor.Name)
		}
	}
	team := nn.NewTeam(2)
	defer team.Close()
	run, tape := rnn.NewRunner(n.Pack(), team), &rnn.Tape{}
	x := rnn.Sequence{T: g.T, B: g.B, F: n.Input, Lengths: g.lengths, Data: float32s(g.tensor("x"))}
	y, state := make([]float32, g.T*g.B*n.OutputSize()), float32s(g.states("h0", "c0"))
	run.Forward(y, x, state, tape)
	g.near("y", float64s(y))
	g.near("hn", g.part(float64s(state), 0))
	if g.cell == "lstm" {
		g.near("cn", g.part(float64s(state), 1))
	}
	if !g.gradients {
		return
	}
	params, dx, dState := make([]float32, len(n.Params)), make([]float32, len(x.Data)), float32s(g.states("dhn", "dcn"))
	run.Backward(params, dx, float32s(g.tensor("dy")), dState, tape)
	g.near("grad.x", float64s(dx))
	g.near("grad.h0", g.part(float64s(dState), 0))
	for _, tensor := range n.Tensors() {
		if g.number("biases") == 2 || !strings.Contains(tensor.Name, "bias") {
			g.near("grad."+short(tensor.Name), float64s(params[:len(tensor.Data)]))
		}
		params = params[len(tensor.Data):]
	}
}

func (g *goldenCase) near(name string, got []float64) {
	g.t.Helper()
	if diff := goldenDiff(got, g.tensor(name)); !(diff <= 5e-6) {
		g.t.Errorf("%s differs by %.2e, want at most 5e-6", name, diff)
	}
}

func float32s(x []float64) []float32 {
	y := make([]float32, len(x))
	for i, v := range x {
		y[i] = float32(v)
	}
	return y
}

func float64s(x []float32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}
