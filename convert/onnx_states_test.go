package convert

import (
	"reflect"
	"testing"
)

// TestStatesOfGraphs finds h and c of layers in inputs and outputs of graphs.
func TestStatesOfGraphs(t *testing.T) {
	place := func(port string, first int) onnxPlace {
		return onnxPlace{port: port, sizes: []int{2, 0, 4}, fixed: []int{first, 0, 0}, row: 1, unit: 2}
	}
	for path, want := range map[string]struct{ begins, ends onnxStates }{
		"torch_lstm2_state_ts.onnx": { // two layers' in one input
			onnxStates{"h": {place("h0", 0), place("h0", 1)}, "c": {place("c0", 0), place("c0", 1)}},
			onnxStates{"h": {place("hn", 0), place("hn", 1)}, "c": {place("cn", 0), place("cn", 1)}},
		},
		"hand_step.onnx":     {onnxStates{"h": {place("h", 0)}, "c": {place("h", 1)}}, onnxStates{}}, // h and c in one input
		"torch_gru2_ts.onnx": {onnxStates{}, onnxStates{}},
	} {
		f, err := open("testdata/onnx/" + path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		p, err := f.parts(Options{})
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(p.ports.begins, want.begins) || !reflect.DeepEqual(p.ports.ends, want.ends) {
			t.Errorf("%s: begins %+v, ends %+v, want %+v", path, p.ports.begins, p.ports.ends, want)
		}
	}
	p := place("h0", 1)
	if got, want := p.at(2, 3, 5), (1*5+2)*4+3; got != want {
		t.Errorf("layer 1, row 2 of 5, unit 3 of 4: element %d, want %d", got, want)
	}
}
