package convert

import (
	"context"
	"fmt"
	"slices"

	"sluice/convert/internal/onnxfile"
	"sluice/model"
	"sluice/nn"
)

// onnxPorts are what the inputs and outputs of a graph of others are for.
type onnxPorts struct {
	input   onnxPort // what the layers read
	lengths string   // the input that has the lengths, "" without
	kind    onnxfile.TensorProto_DataType
	states  []onnxPort // inputs that layers begin with
	begins  onnxStates
	ends    onnxStates
	output  onnxPort // what the head says
}

// onnxPort is an input or output.
type onnxPort struct {
	name string
	kind onnxfile.TensorProto_DataType
	axes []onnxAxis
}

// onnxAxis is what an axis counts, "" one that is always 1 or a fixed size.
type onnxAxis struct {
	role onnxRole
	size int // 0: any
}

// portsOf are the graph's, of an output.
func (im *onnxImport) portsOf(output string) *onnxPorts {
	below := im.layers[0].below
	p := &onnxPorts{input: im.portOf(below.input), lengths: im.lengths, output: im.portOf(output), begins: im.begins(), ends: im.ends()}
	for _, v := range im.file.Inputs {
		s := im.values[v.Name].seq
		switch {
		case v.Name == im.lengths:
			p.kind = v.Type
		case v.Name != below.input && s != nil && im.wanted[v.Name]:
			p.states = append(p.states, im.portOf(v.Name))
		}
	}
	return p
}

// kindOf is the type of an input or output.
func (im *onnxImport) kindOf(name string) onnxfile.TensorProto_DataType {
	for _, v := range slices.Concat(im.file.Inputs, im.file.Outputs) {
		if v.Name == name {
			return v.Type
		}
	}
	return onnxfile.TensorProto_UNDEFINED
}

func (im *onnxImport) portOf(name string) onnxPort {
	s := im.values[name].seq
	p := onnxPort{name: name, kind: im.kindOf(name)}
	for _, atoms := range s.axes {
		a := onnxAxis{size: 1}
		if len(atoms) > 0 {
			a.role = atoms[0].role
			if a.size = 0; len(atoms) > 1 {
				a.role = "several"
			}
			if d := sizeOf(atoms); d.known() {
				a.size = int(d.plus)
			}
		}
		p.axes = append(p.axes, a)
	}
	return p
}

// graphSide is a graph of others in ONNX Runtime.
type graphSide struct {
	peerSide
	ports *onnxPorts
	said  string
}

// onnxSide is the side of a graph.
func (f *file) onnxSide(runs peerSide, o VerifyOptions) (side, error) {
	g, err := f.graph()
	if err != nil {
		return nil, err
	}
	if m, _ := ownONNX(g); m != nil {
		return &onnxSide{runs, stateful(g)}, nil
	}
	p, err := partsOfGraph(g)
	if err != nil {
		return nil, err
	}
	for _, a := range slices.Concat(p.ports.input.axes, p.ports.output.axes) {
		if a.role == "several" || a.role == sourceAxis {
			return nil, fmt.Errorf("convert: ONNX graph: an axis of %q or %q counts several things, want it verified against outputs that were recorded", p.ports.input.name, p.ports.output.name)
		}
	}
	for _, port := range []onnxPort{p.ports.input, p.ports.output} {
		at := slices.IndexFunc(port.axes, func(a onnxAxis) bool { return a.role == featureAxis })
		if at >= 0 && at != len(port.axes)-1 {
			return nil, fmt.Errorf("convert: ONNX graph: features are not the last axis of %q, want it verified against outputs that were recorded", port.name)
		}
	}
	if !p.Symbols && runs.m.Vocab != nil {
		return nil, fmt.Errorf("convert: ONNX graph: it reads numbers, and the model it is compared with symbols")
	}
	return &graphSide{runs, p.ports, p.Activation}, nil
}

func (s *graphSide) padding() string {
	if s.ports.lengths == "" {
		return "the graph reads all steps of all rows"
	}
	return "ONNX Runtime: past a row's length outputs of a layer are zeros, states those of its last step"
}

func (s *graphSide) activation() string { return s.said }

func (s *graphSide) notes() []string {
	if k := s.ports.output.kind; k != onnxfile.TensorProto_FLOAT {
		return []string{fmt.Sprintf("the graph computes with %s", k)}
	}
	return nil
}

// trials have the sizes that the graph has fixed.
func (s *graphSide) trials(m *model.Model, seed uint64) []trial {
	r := newDrawing(m, seed)
	for _, a := range s.ports.input.axes {
		switch {
		case a.role == timeAxis:
			r.steps = a.size
		case a.role == batchAxis:
			r.rows = a.size
		}
	}
	roles := func(role onnxRole) bool {
		return slices.ContainsFunc(s.ports.input.axes, func(a onnxAxis) bool { return a.role == role })
	}
	for _, places := range s.ports.begins {
		for _, p := range places {
			if p.row < 0 {
				r.rows = 1
			} else if p.sizes[p.row] > 0 {
				r.rows = p.sizes[p.row]
			}
		}
	}
	if !roles(batchAxis) {
		r.rows = 1
	}
	if !roles(timeAxis) {
		r.steps = 1
	}
	return r.trials(false)
}

func (s *graphSide) run(_ context.Context, t trial) (arrays, string, error) {
	begins, ends := s.ports.begins, s.ports.ends
	switch {
	case t.state != nil && len(s.ports.states) == 0:
		return nil, "", skip{fmt.Errorf("the graph has no state as an input")}
	case t.state != nil && len(begins) < len(stateVectors(s.m.RNN)):
		return nil, "", skip{fmt.Errorf("not all layers of the graph begin with inputs of their own")}
	case t.batch.Lengths != nil && s.ports.lengths == "":
		return nil, "", skip{fmt.Errorf("the graph has no lengths as an input")}
	}
	b := t.batch
	x := array{[]int{b.T, b.B, s.m.Features}, b.Data}
	if b.IDs != nil {
		x = array{[]int{b.T, b.B}, s.ports.input.typed(b.IDs)}
	}
	inputs := arrays{s.ports.input.name: s.ports.input.laid(x)}
	if s.ports.lengths != "" {
		lengths := b.Lengths
		if lengths == nil {
			lengths = slices.Repeat([]int{b.T}, b.B)
		}
		inputs[s.ports.lengths] = array{[]int{b.B}, ints32(lengths)}
		if s.ports.kind == onnxfile.TensorProto_INT64 {
			inputs[s.ports.lengths] = array{[]int{b.B}, longs(ints32(lengths))}
		}
	}
	for _, p := range s.ports.states {
		shape := begins.shape(p, b.B)
		inputs[p.name] = array{shape, make([]float32, nn.Elements(shape))}
	}
	state := t.state
	if state == nil {
		state = make([]float32, b.B*s.m.RNN.StateSize())
	}
	states := arrays{}
	states.states(s.m.RNN, "_0", state, b.B)
	err := begins.each(b.B, s.m.RNN.Hidden, inputs, func(vector string, ours int, theirs *float32) {
		*theirs = states[vector+"_0"].Data.([]float32)[ours]
	})
	if err != nil {
		return nil, "", err
	}
	out, runtime, err := s.python.run(job{Kind: "onnx", File: s.path, Task: s.m.Task}, inputs)
	if err != nil {
		return nil, "", err
	}
	said, err := s.ports.output.ours(out[s.ports.output.name], t.shape(s.m))
	if err != nil {
		return nil, "", err
	}
	results := arrays{output(s.m): said}
	for vector := range ends {
		results[vector+"_n"] = states[vector+"_0"]
	}
	return results, runtime, ends.each(b.B, s.m.RNN.Hidden, out, func(vector string, ours int, theirs *float32) {
		states[vector+"_0"].Data.([]float32)[ours] = *theirs
	})
}

// order are the places of the axes (T), (B) and features in a port, those that it
// has.
func (p onnxPort) order() (places []int) {
	for _, role := range []onnxRole{timeAxis, batchAxis, featureAxis} {
		if i := slices.IndexFunc(p.axes, func(a onnxAxis) bool { return a.role == role }); i >= 0 {
			places = append(places, i)
		}
	}
	return places
}

// laid is an array (T, B) or (T, B, F) as the port has it: all of whose axes but those
// that the port lacks are of size 1.
func (p onnxPort) laid(x array) array {
	steps := x.Shape[0]
	rows := x.Shape[1]
	to := array{Shape: make([]int, len(p.axes))}
	t, b := -1, -1
	for i, a := range p.axes {
		to.Shape[i] = max(1, a.size)
		switch a.role {
		case timeAxis:
			to.Shape[i], t = steps, i
		case batchAxis:
			to.Shape[i], b = rows, i
		case featureAxis:
			to.Shape[i] = x.Shape[len(x.Shape)-1]
		}
	}
	if t < 0 || b < 0 || t < b {
		to.Data = x.Data
		return to
	}
	switch data := x.Data.(type) {
	case []int64:
		to.Data = swapped(data, steps, rows)
	case []int32:
		to.Data = swapped(data, steps, rows)
	case []float32:
		to.Data = swapped(data, steps, rows)
	}
	return to
}

// typed are symbols in the type of the port: Keras feeds floats.
func (p onnxPort) typed(ids []int32) any {
	switch p.kind {
	case onnxfile.TensorProto_INT64:
		return longs(ids)
	case onnxfile.TensorProto_INT32:
		return ids
	}
	x := make([]float32, len(ids))
	for i, id := range ids {
		x[i] = float32(id)
	}
	return x
}

// swapped is x (n, m, …) as (m, n, …).
func swapped[E any](x []E, n, m int) []E {
	width := len(x) / n / m
	y := make([]E, len(x))
	for i := range n {
		for j := range m {
			copy(y[(j*n+i)*width:(j*n+i+1)*width], x[(i*m+j)*width:])
		}
	}
	return y
}

// ours is what a graph says, in a shape of ours.
func (p onnxPort) ours(a array, shape []int) (array, error) {
	data, ok := a.Data.([]float32)
	if !ok {
		return a, fmt.Errorf("convert: output %q is of %T, want floats", p.name, a.Data)
	}
	n := 1
	for _, d := range shape {
		n *= d
	}
	if n != len(data) {
		return a, fmt.Errorf("convert: output %q is %v, want %v in some order", p.name, a.Shape, shape)
	}
	if places := p.order(); len(places) > 1 && places[0] > places[1] && len(shape) == 3 { // rows come before steps
		data = swapped(data, shape[1], shape[0])
	}
	return array{shape, data}, nil
}
