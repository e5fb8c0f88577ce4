package convert

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"

	"sluice/convert/internal/onnxfile"
	"sluice/model"
	"sluice/rnn"
)

// The types of values.
const (
	floatType  = onnxfile.TensorProto_FLOAT
	doubleType = onnxfile.TensorProto_DOUBLE
	int32Type  = onnxfile.TensorProto_INT32
	int64Type  = onnxfile.TensorProto_INT64
)

var negativeInfinity = float32(math.Inf(-1))

// graph is a model on its way to ONNX.
type graph struct {
	m       *model.Model
	o       ONNXOptions
	b       *onnxfile.Builder
	values  int             // so many have been named
	written map[string]bool // the constants that are in the file
	ports   []Port
}

// attrs are a node's attributes: int, float32, string, []int, []float32 or []string.
type attrs map[string]any

func newGraph(m *model.Model, o ONNXOptions) (*graph, error) {
	g := &graph{m: m, o: o, b: onnxfile.NewBuilder("sluice", m.FormatVersion(), "sluice_"+m.Task, int64(o.Opset)), written: map[string]bool{}}
	g.b.Doc("Sequences are time first. A row ends at its own length; scores past it are anything.")
	whole := *m
	whole.Precision = 0 // its weights are those of float32
	metadata, _, err := whole.Contents()
	if err != nil {
		return nil, fmt.Errorf("convert: %w", err)
	}
	for _, key := range slices.Sorted(maps.Keys(metadata)) {
		g.b.Meta(metaPrefix+key, metadata[key])
	}
	return g, nil
}

// metaPrefix begins the metadata that are those of the model's own file.
const metaPrefix = "sluice."

func (g *graph) write(w io.Writer) error {
	data, err := g.b.Marshal()
	if err != nil {
		return err
	}
	if _, err := w.Write(data); err != nil {
		return fmt.Errorf("convert: %w", err)
	}
	return nil
}

func (g *graph) input(name string, t onnxfile.TensorProto_DataType, dims ...any) {
	g.b.Input(name, t, dims...)
	g.ports = append(g.ports, Port{name, false, strings.ToLower(t.String()), dims})
}

// output gives a value a name of its own.
func (g *graph) output(name, value string, t onnxfile.TensorProto_DataType, dims ...any) {
	g.b.Node("Identity", []string{value}, []string{name})
	g.b.Output(name, t, dims...)
	g.ports = append(g.ports, Port{name, true, strings.ToLower(t.String()), dims})
}

// op adds a node with one output; of args, strings are inputs and the last may be
// attributes.
func (g *graph) op(kind string, args ...any) string {
	inputs, a := split(args)
	return g.node(kind, inputs, a, 1)[0]
}

// op2 is op with two outputs.
func (g *graph) op2(kind string, args ...any) (string, string) {
	inputs, a := split(args)
	out := g.node(kind, inputs, a, 2)
	return out[0], out[1]
}

func split(args []any) (inputs []string, a attrs) {
	for _, arg := range args {
		switch arg := arg.(type) {
		case string:
			inputs = append(inputs, arg)
		case attrs:
			a = arg
		}
	}
	return inputs, a
}

func (g *graph) node(kind string, inputs []string, a attrs, outputs int) []string {
	var out []string
	for range outputs {
		g.values++
		out = append(out, fmt.Sprintf("%s_%d", strings.ToLower(kind), g.values))
	}
	var list []onnxfile.Attr
	for _, name := range slices.Sorted(maps.Keys(a)) {
		switch v := a[name].(type) {
		case int:
			list = append(list, onnxfile.Int(name, int64(v)))
		case float32:
			list = append(list, onnxfile.Float(name, v))
		case string:
			list = append(list, onnxfile.Text(name, v))
		case []int:
			list = append(list, onnxfile.Ints(name, wide(v)...))
		case []float32:
			list = append(list, onnxfile.Floats(name, v...))
		case []string:
			list = append(list, onnxfile.Texts(name, v...))
		}
	}
	g.b.Node(kind, inputs, out, list...)
	return out
}

func wide(values []int) []int64 {
	all := make([]int64, len(values))
	for i, v := range values {
		all[i] = int64(v)
	}
	return all
}

// reduce is an operator over the first axis, which it leaves out. Since opset 18 axes
// are an input of all of them, before of ReduceSum alone.
func (g *graph) reduce(kind, x string) string {
	if kind == "ReduceSum" || g.o.Opset >= 18 {
		return g.op(kind, x, g.ints("", 0), attrs{"keepdims": 0})
	}
	return g.op(kind, x, attrs{"axes": []int{0}, "keepdims": 0})
}

// once says whether a constant is new.
func (g *graph) once(name string) bool {
	is := !g.written[name]
	g.written[name] = true
	return is
}

// ints is a constant (n) of int64; without a name of its own it is shared.
func (g *graph) ints(name string, values ...int) string {
	if name == "" {
		name = "ints"
		for _, v := range values {
			name += fmt.Sprintf("_%d", v)
		}
	}
	if g.once(name) {
		g.b.ConstInts(name, []int{len(values)}, wide(values))
	}
	return name
}

// int32s is a constant (1), int32 a scalar.
func (g *graph) int32s(name string, value int32) string {
	if g.once(name) {
		g.b.ConstInt32s(name, []int{1}, []int32{value})
	}
	return name
}

func (g *graph) int32(name string, value int32) string {
	if g.once(name) {
		g.b.ConstInt32s(name, nil, []int32{value})
	}
	return name
}

func (g *graph) floats(name string, shape []int, values []float32) string {
	if g.once(name) {
		g.b.Const(name, shape, values)
	}
	return name
}

func (g *graph) doubles(name string, shape []int, values []float64) string {
	if g.once(name) {
		g.b.ConstDoubles(name, shape, values)
	}
	return name
}

// tensor is a parameter of the model under its own name.
func (g *graph) tensor(name string) string {
	for _, t := range g.m.Tensors() {
		if t.Name == name {
			return g.floats(name, t.Shape, t.Data)
		}
	}
	panic(fmt.Sprintf("convert: the model has no tensor %q", name))
}

// layer is layer l of a network over x (T, B, X): y (T, D, B, H) and the last states
// (D, B, H). Inputs that are left out are "".
func (g *graph) layer(prefix string, n *rnn.Network, l int, x, lengths, h, c string) (y, lastH, lastC string) {
	w := onnxOf(n, l)
	d, rows := n.Directions(), onnxGates(n.Cell)*n.Hidden
	name := fmt.Sprintf("%sl%d.", prefix, l)
	inputs := []string{
		x,
		g.floats(name+"W", []int{d, rows, len(w.W) / d / rows}, w.W),
		g.floats(name+"R", []int{d, rows, n.Hidden}, w.R),
		g.floats(name+"B", []int{d, 2 * rows}, w.B),
		lengths, h, c,
	}
	if w.P != nil {
		inputs = append(inputs, g.floats(name+"P", []int{d, 3 * n.Hidden}, w.P))
	}
	for inputs[len(inputs)-1] == "" {
		inputs = inputs[:len(inputs)-1]
	}
	direction := string(n.Direction)
	if n.Direction == rnn.Backward {
		direction = "reverse"
	}
	a := attrs{"hidden_size": n.Hidden, "direction": direction}
	if n.Cell == "gru" {
		a["linear_before_reset"] = 0
		if n.Reset == rnn.ResetAfter {
			a["linear_before_reset"] = 1
		}
	}
	attributesOf(a, n.Config)
	outputs := 2
	if n.Cell == "lstm" {
		outputs = 3
	}
	out := append(g.node(strings.ToUpper(n.Cell), inputs, a, outputs), "")
	return out[0], out[1], out[2]
}
