package convert

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"sluice/convert/internal/onnxfile"
	"sluice/nn"
	"sluice/rnn"
)

// nodesVar names a folder that testdata/onnx_nodes.py has written. Without one the
// test does not run.
const nodesVar = "SLUICE_ONNX_NODES"

// The ONNX project's own tests of RNN, GRU and LSTM: a node maps to a network that
// gives the outputs that are recorded, within the tolerance that ONNX sets.
func TestONNXNodes(t *testing.T) {
	folder := os.Getenv(nodesVar)
	if folder == "" {
		t.Skip(nodesVar + " is not set")
	}
	paths, err := filepath.Glob(filepath.Join(folder, "*", "model.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	ran := map[string]int{}
	for _, path := range paths {
		m, err := readONNX(path)
		if err != nil {
			t.Fatal(err)
		}
		if op := m.Nodes[0].Op; op != "RNN" && op != "GRU" && op != "LSTM" {
			continue
		}
		ran[m.Nodes[0].Op]++
		t.Run(filepath.Base(filepath.Dir(path)), func(t *testing.T) {
			sets, err := filepath.Glob(filepath.Join(filepath.Dir(path), "test_data_set_*"))
			if err != nil || len(sets) == 0 || len(m.Nodes) != 1 {
				t.Fatalf("%d nodes, %d sets of data, %v", len(m.Nodes), len(sets), err)
			}
			for _, set := range sets {
				checkNodeTest(t, m, set)
			}
		})
	}
	t.Logf("tests of each operator: %v", ran)
	for op, least := range map[string]int{"RNN": 6, "GRU": 6, "LSTM": 6} {
		if ran[op] < least {
			t.Errorf("%d tests of %s, want %d and more", ran[op], op, least)
		}
	}
}

// readTensor reads a file that is one tensor: in a graph it would be a constant.
func readTensor(t *testing.T, path string) *onnxConst {
	t.Helper()
	tensor, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	bytesField := func(to []byte, number protowire.Number, content []byte) []byte {
		return protowire.AppendBytes(protowire.AppendTag(to, number, protowire.BytesType), content)
	}
	tensor = bytesField(tensor, 8, []byte("c")) // its name
	file := bytesField(nil, 7, bytesField(nil, 5, tensor))
	m, err := onnxfile.Read(bytes.NewReader(file), int64(len(file)), nil)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	c, err := tensorConst(m.Constants["c"])
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return c
}

// checkNodeTest runs a node on one set of inputs.
func checkNodeTest(t *testing.T, m *onnxfile.Model, set string) {
	t.Helper()
	inputs := map[string]*onnxConst{}
	for i, v := range m.Inputs {
		inputs[v.Name] = readTensor(t, filepath.Join(set, fmt.Sprintf("input_%d.pb", i)))
	}
	n := m.Nodes[0]
	c, err := newONNXCell(n, func(name string) *onnxConst { return inputs[name] }, func(int) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]float32{}
	y, h, last := runNode(t, c, inputs[n.Input(0)], inputs[n.Input(4)], inputs[n.Input(5)], inputs[n.Input(6)])
	for i, v := range [][]float32{y, h, last}[:len(n.Outputs)] {
		got[n.Outputs[i]] = v
	}
	for i, v := range m.Outputs {
		want := readTensor(t, filepath.Join(set, fmt.Sprintf("output_%d.pb", i)))
		if len(got[v.Name]) != len(want.floats) || len(want.floats) == 0 {
			t.Fatalf("output %s has %d elements, want %d", v.Name, len(got[v.Name]), len(want.floats))
		}
		for j, w := range want.floats {
			if d := math.Abs(float64(got[v.Name][j] - w)); !(d <= 1e-7+1e-3*math.Abs(float64(w))) {
				t.Fatalf("element %d of output %s is %v, want %v", j, v.Name, got[v.Name][j], w)
			}
		}
	}
}

// runNode runs a cell on X, sequence_lens, initial_h and initial_c, nil without, and
// gives Y, Y_h and Y_c as the node has them.
func runNode(t *testing.T, c *onnxCell, x, lengths, h0, c0 *onnxConst) (y, h, last []float32) {
	t.Helper()
	l := onnxLayerOf{merge: rnn.Concat}
	for d := range c.reverse {
		l.sources = append(l.sources, onnxSource{c, d})
	}
	net, err := l.network(2)
	if err != nil {
		t.Fatal(err)
	}
	T, B, D, H := x.shape[0], x.shape[1], len(c.reverse), net.Hidden
	if c.batched {
		T, B = B, T
	}
	// Rows come first with layout 1, of inputs and outputs: to is the place that an
	// element of (T, B, D·H) or (D, B, H) has there.
	steps := func(t, b, d, k int) int {
		if c.batched {
			return ((b*T+t)*D+d)*H + k
		}
		return ((t*D+d)*B+b)*H + k
	}
	state := func(b, d, k int) int {
		if c.batched {
			return (b*D+d)*H + k
		}
		return (d*B+b)*H + k
	}
	s := rnn.Sequence{T: T, B: B, F: net.Input, Data: make([]float32, len(x.floats))}
	for i := range T {
		for b := range B {
			from := i*B + b
			if c.batched {
				from = b*T + i
			}
			copy(s.Data[(i*B+b)*s.F:(i*B+b+1)*s.F], x.floats[from*s.F:])
		}
	}
	if lengths != nil {
		s.Lengths, _ = lengths.numbers(math.MaxInt32)
	}
	vectors := 1
	if net.Cell == "lstm" {
		vectors = 2
	}
	states := make([]float32, B*net.StateSize())
	each := func(do func(ours, b, d, k, vector int)) {
		for b := range B {
			for d := range D {
				for v := range vectors {
					for k := range H {
						do(((b*D+d)*vectors+v)*H+k, b, d, k, v)
					}
				}
			}
		}
	}
	each(func(ours, b, d, k, v int) {
		if start := []*onnxConst{h0, c0}[v]; start != nil {
			states[ours] = start.floats[state(b, d, k)]
		}
	})
	team := nn.NewTeam(1)
	defer team.Close()
	out := make([]float32, T*B*D*H)
	rnn.NewRunner(net.Pack(), team).Forward(out, s, states, nil)
	y, h, last = make([]float32, len(out)), make([]float32, B*D*H), make([]float32, B*D*H)
	for i := range T {
		for b := range B {
			for d := range D {
				for k := range H {
					y[steps(i, b, d, k)] = out[((i*B+b)*D+d)*H+k]
				}
			}
		}
	}
	each(func(ours, b, d, k, v int) { [][]float32{h, last}[v][state(b, d, k)] = states[ours] })
	return y, h, last
}
