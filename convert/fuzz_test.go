package convert

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"sluice/convert/internal/onnxfile"
	"sluice/model"
)

func allocated(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func checkAllocated(t testing.TB, what string, size int, got uint64) {
	t.Helper()
	if want := uint64(memoryTimes*size + memoryMore); got > want {
		t.Errorf("%s of %d bytes: %d allocated, want at most %d", what, size, got, want)
	}
}

// checkLine wants an error of one line that is not long.
func checkLine(t *testing.T, err error) {
	t.Helper()
	if text := err.Error(); !strings.HasPrefix(text, "convert: ") || strings.ContainsAny(text, "\r\n\x00") || len(text) > 32<<10 {
		t.Errorf("error %.400q of %d bytes, want one line that begins with %q", text, len(text), "convert: ")
	}
}

// tasks are those that Options may name.
var tasks = []string{"", model.LM, model.Tag, model.Classify, model.Regress, model.Forecast}

// importGraph is Import of a graph whose file this is.
func importGraph(file []byte, o Options) (*model.Model, error) {
	graph, err := onnxfile.Read(bytes.NewReader(file), int64(len(file)), nil)
	if err != nil {
		return nil, err
	}
	m, why := ownONNX(graph)
	if m != nil {
		return m, nil
	}
	m, _, err = foreignGraph(graph, why, o)
	return m, err
}

// smallGraphs are files of others and of ours.
func smallGraphs(t testing.TB) (files [][]byte) {
	paths, err := filepath.Glob(filepath.Join("testdata", "onnx", "*.onnx"))
	if err != nil || len(paths) == 0 {
		t.Fatal("no graphs", err)
	}
	for _, path := range paths {
		if b, err := os.ReadFile(path); err != nil {
			t.Fatal(err)
		} else if len(b) < 5000 {
			files = append(files, b)
		}
	}
	for i, c := range stacks() {
		if c.Layers > 1 || i%5 != 0 || c.Projection > 0 {
			continue
		}
		c.Hidden = 2
		for _, s := range specs(c) {
			if s.Tied {
				s.Embed = c.OutputSize()
			}
			var b bytes.Buffer
			if _, err := ONNX(&b, modelOf(t, s), ONNXOptions{Stateful: s.Task == model.Forecast && s.Forecast.Segment == 0 || i%2 == 0 && s.Task != model.Forecast}); err != nil {
				t.Fatal(err)
			}
			files = append(files, b.Bytes())
		}
	}
	return files
}

// withEdits is a file with a graph that was changed as the edits say, four bytes each:
// what to change, where, and to what. Of bytes alone few changes leave a graph.
func withEdits(file, edits []byte) []byte {
	var m onnxfile.ModelProto
	if len(edits) < 4 || proto.Unmarshal(file, &m) != nil || len(m.GetGraph().GetNode()) == 0 {
		return file
	}
	g := m.Graph
	var values []string // of the graph
	for _, v := range g.Input {
		values = append(values, v.GetName())
	}
	for _, c := range g.Initializer {
		values = append(values, c.GetName())
	}
	for _, n := range g.Node {
		values = append(values, n.Output...)
	}
	if len(values) == 0 {
		return file
	}
	for ; len(edits) >= 4; edits = edits[4:] {
		edit(g, values, edits[0], int(edits[1]), int(edits[2]), edits[3])
	}
	if out, err := proto.Marshal(&m); err == nil {
		return out
	}
	return file
}

// numbersOf are those that matter somewhere.
var numbersOf = []int64{0, 1, 2, 3, 4, 5, 6, 8, 12, -1, -2, -3, 1 << 31, 1<<31 - 1, -1 << 31, 1<<62 + 1, 1<<63 - 1, -1 << 63, 16, 64, 65}

// edit changes one thing.
func edit(g *onnxfile.GraphProto, values []string, what byte, where, which int, to byte) {
	n := g.Node[where%len(g.Node)]
	value := values[int(to)%len(values)]
	number := numbersOf[int(to)%len(numbersOf)]
	switch what % 12 {
	case 0: // another input
		if len(n.Input) > 0 {
			n.Input[which%len(n.Input)] = value
		}
	case 1: // an input more, or left out
		if to == 255 {
			value = ""
		}
		n.Input = append(n.Input, value)
	case 2: // fewer inputs
		n.Input = n.Input[:min(len(n.Input), which%8)]
	case 3: // another operator
		names := operators()
		n.OpType = proto.String(names[int(to)%len(names)])
	case 4: // another number of an attribute
		if len(n.Attribute) > 0 {
			a := n.Attribute[which%len(n.Attribute)]
			switch {
			case a.I != nil:
				a.I = &number
			case len(a.Ints) > 0:
				a.Ints[which/len(n.Attribute)%len(a.Ints)] = number
			case a.F != nil:
				f := float32(number)
				a.F = &f
			}
		}
	case 5: // an attribute less
		if len(n.Attribute) > 0 {
			n.Attribute = n.Attribute[:which%len(n.Attribute)]
		}
	case 6: // an attribute more
		names := []string{"axis", "keepdims", "layout", "to", "allowzero", "transB", "start", "end", "linear_before_reset", "input_forget"}
		n.Attribute = append(n.Attribute, &onnxfile.AttributeProto{Name: &names[which%len(names)], Type: onnxfile.AttributeProto_INT.Enum(), I: &number})
	case 7: // a dimension of a constant or input
		if c := constantOf(g, where); c != nil && which < 128 && len(c.Dims) > 0 {
			c.Dims[which%len(c.Dims)] = number
		} else if len(g.Input) > 0 {
			dims := g.Input[where%len(g.Input)].GetType().GetTensorType().GetShape().GetDim()
			if len(dims) > 0 {
				dims[which%len(dims)].Value = &onnxfile.TensorShapeProto_Dimension_DimValue{DimValue: number}
			}
		}
	case 8: // a list of integers
		if c := constantOf(g, where); c != nil {
			c.DataType, c.Dims = proto.Int32(int32(onnxfile.TensorProto_INT64)), []int64{int64(which % 4)}
			c.RawData, c.FloatData, c.Int32Data, c.DoubleData = nil, nil, nil, nil
			c.Int64Data = []int64{number, number + 1, int64(which / 4)}[:which%4]
		}
	case 9: // a node of its own before or after
		names := operators()
		name := "edit " + string(rune('a'+len(g.Node)%26))
		g.Node = append(g.Node[:where%len(g.Node):where%len(g.Node)], append([]*onnxfile.NodeProto{{OpType: proto.String(names[int(to)%len(names)]), Input: []string{values[which%len(values)]}, Output: []string{name}}}, g.Node[where%len(g.Node):]...)...)
		if len(n.Input) > 0 {
			n.Input[0] = name
		}
	case 10: // another output
		if len(g.Output) > 0 {
			g.Output[which%len(g.Output)].Name = &value
		}
	case 11: // another type
		if c := constantOf(g, where); c != nil {
			c.DataType = proto.Int32(int32(to % 24))
		}
	}
}

func constantOf(g *onnxfile.GraphProto, where int) *onnxfile.TensorProto {
	if len(g.Initializer) == 0 {
		return nil
	}
	return g.Initializer[where%len(g.Initializer)]
}

// No graph makes Import panic or take more memory than it says, and what is imported
// can be saved.
func FuzzONNX(f *testing.F) {
	for i, file := range smallGraphs(f) {
		f.Add(file, []byte{}, byte(i))
		f.Add(file, []byte{byte(i), byte(i / 2), byte(i), byte(i / 3)}, byte(i))
	}
	for _, add := range dense {
		g := newDenseGraph()
		add(g, 64)
		f.Add(g.file(f), []byte{}, byte(2))
	}
	f.Fuzz(func(t *testing.T, file, edits []byte, task byte) {
		file = withEdits(file, edits)
		var m *model.Model
		var err error
		o := Options{Task: tasks[int(task)%len(tasks)]}
		checkAllocated(t, "a graph", len(file), allocated(func() { m, err = importGraph(file, o) }))
		checkImported(t, m, err)
	})
}

// checkSaved wants a model to come back from its file.
func checkSaved(t *testing.T, m *model.Model) {
	t.Helper()
	var b bytes.Buffer
	if err := m.Write(&b); err != nil {
		t.Fatal(err)
	}
	again, err := model.Read(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	wantSameModel(t, m, again)
}
