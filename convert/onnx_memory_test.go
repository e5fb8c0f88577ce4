package convert

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"sluice/convert/internal/onnxfile"
	"sluice/model"
)

// denseGraph is a graph around one RNN of width 1 over x (T, B, 1), to which a test
// adds what takes much memory.
type denseGraph struct{ onnxfile.ModelProto }

func newDenseGraph() *denseGraph {
	g := &denseGraph{}
	g.Graph = &onnxfile.GraphProto{}
	g.OpsetImport = []*onnxfile.OperatorSetIdProto{{Version: proto.Int64(17)}}
	g.input("x", onnxfile.TensorProto_FLOAT, "T", "B", 1)
	g.floats("W", 1, 1, 1)
	g.floats("R", 1, 1, 1)
	g.node("RNN", "x W R", "y")
	g.output("y")
	return g
}

func (g *denseGraph) input(name string, t onnxfile.TensorProto_DataType, shape ...any) {
	g.Graph.Input = append(g.Graph.Input, valueOf(name, t, shape...))
}

func valueOf(name string, t onnxfile.TensorProto_DataType, shape ...any) *onnxfile.ValueInfoProto {
	tensor := &onnxfile.TypeProto_Tensor{ElemType: proto.Int32(int32(t)), Shape: &onnxfile.TensorShapeProto{}}
	for _, d := range shape {
		dim := &onnxfile.TensorShapeProto_Dimension{}
		switch d := d.(type) {
		case int:
			dim.Value = &onnxfile.TensorShapeProto_Dimension_DimValue{DimValue: int64(d)}
		case string:
			dim.Value = &onnxfile.TensorShapeProto_Dimension_DimParam{DimParam: d}
		}
		tensor.Shape.Dim = append(tensor.Shape.Dim, dim)
	}
	return &onnxfile.ValueInfoProto{Name: &name, Type: &onnxfile.TypeProto{TensorType: tensor}}
}

func (g *denseGraph) output(name string) {
	g.Graph.Output = append(g.Graph.Output, &onnxfile.ValueInfoProto{Name: &name, Type: &onnxfile.TypeProto{TensorType: &onnxfile.TypeProto_Tensor{}}})
}

// node adds one, whose names are words and "" is "-"; attributes are integers.
func (g *denseGraph) node(op, inputs, outputs string, attributes ...any) {
	names := func(text string) (all []string) {
		for _, name := range strings.Fields(text) {
			all = append(all, strings.TrimPrefix(name, "-"))
		}
		return all
	}
	n := &onnxfile.NodeProto{OpType: &op, Input: names(inputs), Output: names(outputs)}
	for i := 0; i < len(attributes); i += 2 {
		n.Attribute = append(n.Attribute, &onnxfile.AttributeProto{Name: proto.String(attributes[i].(string)), Type: onnxfile.AttributeProto_INT.Enum(), I: proto.Int64(int64(attributes[i+1].(int)))})
	}
	g.Graph.Node = append(g.Graph.Node, n)
}

// raw adds a constant of zeros.
func (g *denseGraph) raw(name string, t onnxfile.TensorProto_DataType, width int, shape ...int64) {
	n := int64(1)
	for _, d := range shape {
		n *= d
	}
	g.Graph.Initializer = append(g.Graph.Initializer, &onnxfile.TensorProto{Name: &name, DataType: proto.Int32(int32(t)), Dims: shape, RawData: make([]byte, n*int64(width))})
}

func (g *denseGraph) floats(name string, shape ...int64) {
	g.raw(name, onnxfile.TensorProto_FLOAT16, 2, shape...)
}

func (g *denseGraph) ints(name string, values ...int64) {
	g.Graph.Initializer = append(g.Graph.Initializer, &onnxfile.TensorProto{Name: &name, DataType: proto.Int32(int32(onnxfile.TensorProto_INT64)), Dims: []int64{int64(len(values))}, Int64Data: values})
}

func (g *denseGraph) metadata(key, value string) {
	g.MetadataProps = append(g.MetadataProps, &onnxfile.StringStringEntryProto{Key: proto.String(metaPrefix + key), Value: &value})
}

func (g *denseGraph) file(t testing.TB) []byte {
	t.Helper()
	b, err := proto.Marshal(&g.ModelProto)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// many adds n nodes whose outputs are the graph's.
func (g *denseGraph) many(n int, op, inputs string, attributes ...any) {
	for i := range n {
		name := fmt.Sprint("n", i)
		g.node(op, inputs, name, attributes...)
		g.output(name)
	}
}

// dense are graphs that ask for much: of n nodes, elements or names.
var dense = map[string]func(g *denseGraph, n int){
	"expands": func(g *denseGraph, n int) {
		g.raw("s", onnxfile.TensorProto_INT8, 1, int64(n))
		g.many(n, "Expand", "R s")
	},
	"gathers": func(g *denseGraph, n int) {
		g.raw("s", onnxfile.TensorProto_INT8, 1, int64(n))
		g.many(n, "Gather", "s s")
	},
	"casts": func(g *denseGraph, n int) {
		g.floats("s", int64(n))
		g.many(n, "Cast", "s", "to", 7)
	},
	"concats": func(g *denseGraph, n int) {
		g.raw("s", onnxfile.TensorProto_INT8, 1, int64(n))
		g.many(n, "Concat", "s s s", "axis", 0)
	},
	"one concat": func(g *denseGraph, n int) {
		g.raw("s", onnxfile.TensorProto_INT8, 1, 1)
		g.node("Concat", strings.Repeat(" s", n), "c", "axis", 0)
		g.output("c")
	},
	"splits": func(g *denseGraph, n int) {
		g.raw("s", onnxfile.TensorProto_INT8, 1, 64)
		for i := range n / 64 {
			name := fmt.Sprint("n", i)
			g.node("Split", "s", name+strings.Repeat(" -", 63))
			g.output(name)
		}
	},
	"a range": func(g *denseGraph, n int) {
		g.ints("zero", 0)
		g.ints("many", math.MaxInt64)
		g.ints("one", int64(n))
		g.many(n, "Range", "zero many one")
	},
	"a shape": func(g *denseGraph, n int) {
		g.ints("s", math.MaxInt32)
		g.many(n, "ConstantOfShape", "s")
	},
	"constants without biases": func(g *denseGraph, n int) {
		h := int64(math.Sqrt(float64(n)))
		g.floats("w", 1, h, 1)
		g.floats("r", 1, h, h)
		g.many(n, "RNN", "x w r")
	},
	"layers of the same weights": func(g *denseGraph, n int) {
		h := int64(max(1, math.Sqrt(float64(n)/4)))
		g.floats("w", 1, h, h)
		g.floats("r", 1, h, h)
		g.floats("first", 1, h, 1)
		g.ints("axis", 1)
		below := "x first"
		for i := range min(1000, n) {
			y, s := fmt.Sprint("y", i), fmt.Sprint("s", i)
			g.node("RNN", below+" r", y)
			g.node("Squeeze", y+" axis", s)
			below = s + " w"
		}
		g.Graph.Output = nil
		g.output(fmt.Sprint("y", min(1000, n)-1))
	},
	"reshapes": func(g *denseGraph, n int) {
		g.ints("s", 0, 0, 1, 1, 1, 1, 1, 1)
		g.many(n, "Reshape", "x s")
	},
	"reshapes that are wrong": func(g *denseGraph, n int) {
		g.ints("s", 0, 0, 1, 1, 1, 1, 1, 2)
		g.many(n, "Reshape", "x s")
	},
	"products of sizes": func(g *denseGraph, n int) {
		g.input("z", onnxfile.TensorProto_FLOAT, "A_name_of_twenty_let", "B_name_of_twenty_let", "C_name_of_twenty_let", "D_name_of_twenty_let")
		g.raw("s", onnxfile.TensorProto_INT8, 1, int64(n))
		g.node("Shape", "z", "shape")
		g.node("ReduceProd", "shape", "product", "keepdims", 0)
		g.node("Equal", "s s", "ones") // integers, all 1
		g.node("Mul", "ones product", "products")
		g.many(n, "Mul", "products products")
	},
	"outputs": func(g *denseGraph, n int) { g.many(n, "Identity", "x") },
	"dropouts": func(g *denseGraph, n int) {
		g.raw("s", onnxfile.TensorProto_INT8, 1, int64(n))
		g.many(n, "Dropout", "x - s")
	},
	"a long name": func(g *denseGraph, n int) {
		name := strings.Repeat("z", n)
		g.input(name, onnxfile.TensorProto_FLOAT, "", "", "", "", "", "", "", "")
		g.many(min(n, 100), "Identity", name)
	},
	"an input of many axes": func(g *denseGraph, n int) {
		for i := range n / 64 {
			g.input(fmt.Sprint("i", i), onnxfile.TensorProto_FLOAT, make([]any, 64)...)
			g.output(fmt.Sprint("i", i))
		}
	},
	"labels": func(g *denseGraph, n int) {
		g.floats("head", 1, int64(n))
		g.ints("axis", 1)
		g.node("Squeeze", "y axis", "squeezed")
		g.node("MatMul", "squeezed head", "scores")
		g.output("scores")
	},
	"symbols": func(g *denseGraph, n int) {
		g.Graph.Node, g.Graph.Input, g.Graph.Output = nil, nil, nil
		g.input("ids", onnxfile.TensorProto_INT64, "T", "B")
		g.floats("w", 1, 1, int64(n))
		g.floats("zeros_and_ones", 2)
		g.Graph.Initializer[len(g.Graph.Initializer)-1].RawData[3] = 0x3C
		g.ints("depth", int64(n))
		g.node("OneHot", "ids depth zeros_and_ones", "x1")
		g.node("RNN", "x1 w R", "y")
		g.ints("axis", 1)
		g.node("Squeeze", "y axis", "squeezed")
		g.node("MatMul", "squeezed W2", "scores")
		g.floats("W2", 1, int64(n))
		g.output("scores")
	},
	"metadata": func(g *denseGraph, n int) {
		g.metadata("rnn", `{"cell":"lstm","input":1,"hidden":16777216,"layers":1024,"biases":2,"direction":"forward"}`)
		g.metadata("input", "{}")
		g.metadata("vocab", strings.Repeat("\x01", n))
		for i := range n {
			g.Graph.Initializer = append(g.Graph.Initializer, &onnxfile.TensorProto{Name: proto.String(fmt.Sprintf("rnn.l%d.W", i))})
		}
	},
}

// Graphs that once made partsOfGraph or ownONNX panic, hang or take what is no number.
func TestGraphRefused(t *testing.T) {
	const large = math.MaxInt32
	for _, c := range []struct {
		name string
		add  func(*denseGraph)
		want string
	}{
		{"a range without a step", func(g *denseGraph) {
			g.ints("zero", 0)
			g.node("Shape", "x", "shape")
			g.node("ConstantOfShape", "shape", "fill")
			g.many(1, "Range", "zero fill")
		}, "Range node of output \"n0\": want 3 inputs"},
		{"an empty constant of a large shape", func(g *denseGraph) {
			g.floats("empty", 0)
			g.ints("shape", large, large, large, 0)
			g.node("Reshape", "empty shape", "huge", "allowzero", 1)
			g.ints("one", 1)
			g.many(1, "Gather", "huge one", "axis", 3)
		}, "Reshape node of output \"huge\": of a constant of shape [0] to [2147483647 2147483647 2147483647 0]"},
		{"a place in an empty constant", func(g *denseGraph) {
			g.raw("empty", onnxfile.TensorProto_FLOAT16, 2, large, 0)
			g.node("Concat", "empty empty", "both", "axis", 1)
			g.ints("none")
			g.node("Gather", "both none", "some", "axis", 1)
			g.ints("one", 1)
			g.many(1, "Gather", "some one", "axis", 1)
		}, "Gather node of output \"n0\": computes constants of more elements"},
		{"a state of integers", func(g *denseGraph) {
			g.ints("h", 1, 2)
			g.many(1, "RNN", "x W R - - h")
		}, "initial_h is a constant of integers, want floats"},
		{"a long axis", func(g *denseGraph) {
			g.input("z", onnxfile.TensorProto_FLOAT, large+1, 2)
			g.many(1, "Identity", "z")
		}, "axis 0 of input \"z\" is of 2147483648, want at most 2147483647"},
		{"many axes", func(g *denseGraph) {
			g.input("z", onnxfile.TensorProto_FLOAT, 1, 1, 1, 1, 1, 1, 1, 1, 1)
			g.many(1, "Identity", "z")
		}, "input \"z\" has 9 axes, want at most 8"},
		{"an odd type", func(g *denseGraph) { g.many(1, "Cast", "R", "to", 1<<32+1) }, "to UNDEFINED, want FLOAT"},
		{"layer norm", func(g *denseGraph) {
			g.metadata("rnn", `{"cell":"lstm","input":1,"hidden":1,"layers":1,"biases":1,"direction":"forward","layer_norm":true}`)
			g.metadata("input", "{}")
		}, "metadata of the graph: layer norm in the cell"},
		{"layers that are missing", func(g *denseGraph) {
			g.metadata("rnn", `{"cell":"lstm","input":1,"hidden":16777216,"layers":1024,"biases":2,"direction":"forward"}`)
			g.metadata("input", "{}")
		}, `metadata of the graph: 1024 layers, and it has no constant "rnn.l0.W"`},
		{"a long number", func(g *denseGraph) {
			g.metadata("rnn", `{"cell":"lstm","input":`+strings.Repeat("1", 5000)+`}`)
			g.metadata("input", "{}")
		}, `metadata "` + metaPrefix + `rnn" of the graph: json: cannot unmarshal number 1111`},
		{"no number", func(g *denseGraph) {
			copy(g.Graph.Initializer[0].RawData, "\x00\x7e") // of W
			g.floats("head", 1, 2)
			g.ints("axis", 1)
			g.node("Squeeze", "y axis", "squeezed")
			g.node("MatMul", "squeezed head", "scores")
			g.output("scores")
		}, "convert: rnn.weight_ih_l0 has NaN at 0: want finite numbers"},
	} {
		g := newDenseGraph()
		c.add(g)
		_, err := importGraph(g.file(t), Options{Task: model.Tag})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
			continue
		}
		checkLine(t, err)
	}
}

// The densest graphs that one can write keep to what partsOfGraph promises.
func TestGraphMemory(t *testing.T) {
	for name, add := range dense {
		for _, n := range []int{1, 100, 3000, 20000} {
			g := newDenseGraph()
			add(g, n)
			file := g.file(t)
			for _, task := range []string{model.Tag, model.LM} {
				var err error
				got := allocated(func() { _, err = importGraph(file, Options{Task: task}) })
				checkAllocated(t, fmt.Sprintf("%s, %d: a graph", name, n), len(file), got)
				if err != nil {
					checkLine(t, err)
				}
				if testing.Verbose() {
					t.Logf("%s %s, %d: %d bytes, %.1f times: %.100v", task, name, n, len(file), float64(got)/float64(len(file)), err)
				}
			}
		}
	}
}
