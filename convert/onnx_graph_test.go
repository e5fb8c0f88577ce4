package convert

import (
	"math"
	"strings"
	"testing"

	"sluice/convert/internal/onnxfile"
	"sluice/model"
	"sluice/rnn"
)

// wideGraph is a graph of one RNN of width 4 over x (steps, rows, 3), whose outputs are
// y (steps, rows, 4) and h (1, rows, 4), with a head (4, 2).
func wideGraph(steps, rows any) *denseGraph {
	g := &denseGraph{}
	g.Graph, g.OpsetImport = &onnxfile.GraphProto{}, newDenseGraph().OpsetImport
	g.input("x", onnxfile.TensorProto_FLOAT, steps, rows, 3)
	g.input("n", onnxfile.TensorProto_INT32, rows)
	for name, shape := range map[string][]int64{"W": {1, 4, 3}, "V": {1, 4, 4}, "R": {1, 4, 4}, "head": {4, 2}, "bias": {2}} {
		g.floats(name, shape...)
	}
	for name, value := range map[string]int64{"zero": 0, "one": 1, "two": 2, "four": 4, "six": 6, "last": -1} {
		g.ints(name, value)
	}
	g.node("RNN", "x W R", "y4 h")
	g.node("Squeeze", "y4 one", "y")
	return g
}

// layer adds a second one over y, whose outputs are z and k.
func (g *denseGraph) layer(inputs string) {
	g.node("RNN", "y V R "+inputs, "z4 k")
	g.node("Squeeze", "z4 one", "z")
}

// What graphs of wrong kinds were once taken for models.
func TestGraphsOfOtherKinds(t *testing.T) {
	for _, c := range []struct {
		name        string
		steps, rows any
		add         func(*denseGraph)
		want        string
	}{
		{"lengths of one layer", "T", "B", func(g *denseGraph) {
			g.Graph.Node[0].Input = []string{"x", "W", "R", "", "n"}
			g.layer("")
			g.node("MatMul", "z head", "scores")
		}, "without sequence_lens, and other layers have them"},
		{"a softmax of a softmax", "T", "B", func(g *denseGraph) {
			g.node("MatMul", "y head", "logits")
			g.node("Softmax", "logits", "p")
			g.node("Softmax", "p", "scores")
		}, `Softmax node of output "scores": of a softmax`},
		{"a bias after a softmax", "T", "B", func(g *denseGraph) {
			g.node("MatMul", "y head", "logits")
			g.node("Softmax", "logits", "p")
			g.node("Add", "p bias", "scores")
		}, `adds constant "bias" to a softmax`},
		{"outputs as integers", "T", "B", func(g *denseGraph) {
			g.node("Cast", "y", "i", "to", 7)
			g.node("Cast", "i", "f", "to", 1)
			g.node("MatMul", "f head", "scores")
		}, `Cast node of output "i": to INT64`},
		{"inputs as integers", "T", "B", func(g *denseGraph) {
			g.node("Cast", "x", "i", "to", 7)
			g.node("Cast", "i", "f", "to", 1)
			g.node("RNN", "f W R", "y5")
			g.node("Squeeze", "y5 one", "u")
			g.node("MatMul", "u head", "scores")
		}, `Cast node of output "f": of integers that were made of floats`},
		{"a head over the steps", 4, "B", func(g *denseGraph) {
			g.node("Transpose", "y", "t")
			g.node("MatMul", "t head", "scores")
		}, "reads outputs along an axis of steps"},
		{"a bias over the steps", 2, "B", func(g *denseGraph) {
			g.node("MatMul", "y head", "logits")
			g.node("Transpose", "logits", "t")
			g.node("Add", "t bias", "scores")
		}, `adds "bias" of shape [2] to 2 features`},
		{"a head of two layers", "T", 1, func(g *denseGraph) {
			g.layer("")
			g.floats("rows", 2, 4)
			g.node("Squeeze", "y one", "y2")
			g.node("Squeeze", "z one", "z2")
			g.node("Gemm", "y2 rows", "scores", "transB", 1)
			g.node("Gemm", "z2 rows", "others", "transB", 1)
			g.output("others")
		}, `outputs "scores" and "others" are of two heads`},
		{"rows in one order and back from another", "T", 3, func(g *denseGraph) {
			g.ints("three", 3)
			g.ints("count", 0, 1, 2)
			g.node("TopK", "n three", "n1 i1")
			g.node("TopK", "n three", "n2 i2")
			g.node("ScatterElements", "count i2 count", "back")
			g.node("Gather", "x i1", "sorted", "axis", 1)
			g.node("RNN", "sorted W R - n1", "- k")
			g.node("Gather", "k back", "u", "axis", 1)
			g.node("Squeeze", "u zero", "v")
			g.node("MatMul", "v head", "scores")
		}, "of rows that are not in their own order, or back from it"},
		{"states that overlap", "T", "B", func(g *denseGraph) {
			g.input("h0", onnxfile.TensorProto_FLOAT, 1, "B", 8)
			g.node("Slice", "h0 zero four two", "a")
			g.node("Slice", "h0 two six two", "b")
			g.Graph.Node[0].Input = append(g.Graph.Node[0].Input, "", "", "a")
			g.Graph.Node = append(g.Graph.Node[2:], g.Graph.Node[:2]...)
			g.layer("- - b")
			g.node("MatMul", "z head", "scores")
		}, `initial_h is a part of input "h0", which RNN node`},
		{"a state of rows turned around", "T", "B", func(g *denseGraph) {
			g.input("h0", onnxfile.TensorProto_FLOAT, 1, "B", 4)
			g.ints("least", math.MinInt32)
			g.node("Slice", "h0 last least one last", "a")
			g.node("RNN", "x W R - - a", "u4")
			g.node("Squeeze", "u4 one", "u")
			g.node("MatMul", "u head", "scores")
		}, `initial_h is input "h0" turned around`},
		{"the sequence as a state", 1, "B", func(g *denseGraph) {
			g.input("s", onnxfile.TensorProto_FLOAT, 1, "B", 4)
			g.node("RNN", "s V R - - s", "u4")
			g.node("Squeeze", "u4 one", "u")
			g.node("MatMul", "u head", "scores")
		}, `begins with input "s", which is the sequence, too`},
		{"symbols beside a number", "T", "B", func(g *denseGraph) {
			g.raw("number", onnxfile.TensorProto_INT64, 8)
			g.node("Equal", "n number", "scores")
		}, "Equal node of output \"scores\": with one number"},
		{"a layer of 0, 1, 2, …", "T", "B", func(g *denseGraph) {
			g.node("Shape", "x", "shape")
			g.node("Gather", "shape zero", "t")
			g.node("Range", "zero t one", "count")
			g.ints("axes", 1, 2)
			g.node("Unsqueeze", "count axes", "c3")
			g.floats("W1", 1, 4, 1)
			g.node("RNN", "c3 W1 R", "u4")
			g.node("Squeeze", "u4 one", "u")
			g.node("MatMul", "u head", "scores")
		}, "RNN node of output \"u4\": reads what is no sequence"},
		{"no steps", "T", "B", func(g *denseGraph) {
			g.node("Slice", "y last zero zero", "e")
			g.node("MatMul", "e head", "scores")
		}, "takes steps -1 to 0"},
	} {
		g := wideGraph(c.steps, c.rows)
		g.output("scores")
		c.add(g)
		m, err := importGraph(g.file(t), Options{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, error %v, want %q", c.name, m, err, c.want)
			continue
		}
		checkLine(t, err)
	}
}

// What was refused, or read as something else, and is a model.
func TestGraphsOfModels(t *testing.T) {
	for _, c := range []struct {
		name        string
		steps, rows any
		add         func(*denseGraph)
		pool        string
	}{
		{"h[-1] of one layer", "T", "B", func(g *denseGraph) {
			g.node("Gather", "h last", "u")
			g.node("Squeeze", "u zero", "v")
			g.node("MatMul", "v head", "scores")
		}, model.PoolLast},
		{"the one row turned around", "T", 1, func(g *denseGraph) {
			g.node("ReverseSequence", "x one1", "r", "time_axis", 1, "batch_axis", 0)
			g.Graph.Node[0].Input[0] = "r"
			g.Graph.Node = append(g.Graph.Node[2:], g.Graph.Node[:2]...)
			g.ints("one1", 1)
			g.node("MatMul", "y head", "scores")
		}, EveryStep},
		{"a forward layer without lengths below one with them", "T", "B", func(g *denseGraph) {
			g.layer("- n")
			g.node("Squeeze", "k zero", "u")
			g.node("MatMul", "u head", "scores")
		}, model.PoolLast},
		{"rows in order and back", "T", 3, func(g *denseGraph) {
			g.ints("three", 3)
			g.ints("count", 0, 1, 2)
			g.node("TopK", "n three", "n1 i1")
			g.node("ScatterElements", "count i1 count", "back")
			g.node("Gather", "x i1", "sorted", "axis", 1)
			g.node("RNN", "sorted W R - n1", "- k")
			g.node("Gather", "k back", "u", "axis", 1)
			g.node("Squeeze", "u zero", "v")
			g.node("MatMul", "v head", "scores")
		}, model.PoolLast},
	} {
		g := wideGraph(c.steps, c.rows)
		g.output("scores")
		c.add(g)
		file, err := onnxfile.Read(strings.NewReader(string(g.file(t))), int64(len(g.file(t))), nil)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		p, err := partsOfGraph(file)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if p.Pool != c.pool || p.Stack[0].Direction != rnn.Forward {
			t.Errorf("%s: pool %s, direction %s, want %s and forward", c.name, p.Pool, p.Stack[0].Direction, c.pool)
		}
	}
}
