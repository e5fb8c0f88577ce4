package kerasfile

import (
	"fmt"
	"maps"
	"slices"
)

// node is a layer of a Functional model and what it reads.
type node struct {
	layer  any
	name   string
	class  string
	config map[string]any
	inputs []string // what it reads but for masks
	masks  []string
	other  any // the second argument of a NotEqual
}

// graph is a Functional model.
type graph struct {
	nodes   []node
	at      map[string]int   // the node of a name
	readers map[string][]int // the nodes that read a name
	maskers map[string]int   // the node that reads a name and makes a mask of it
}

// chain puts the layers of a Functional model in the order in which they run, if each
// of them reads the one before and the last alone is its output. What makes the mask of
// a Masking or an Embedding is left out, since these say in their configs that they
// mask; any other mask is refused.
func chain(config map[string]any, layers []any) ([]any, error) {
	g, at, err := graphOf(layers)
	if err != nil {
		return nil, err
	}
	if err := g.checkMasks(); err != nil {
		return nil, err
	}
	ends, err := tensors(config["output_layers"])
	if err != nil || len(ends) != 1 {
		return nil, invalidf("a model with %d outputs, want 1 and a chain of layers", len(ends))
	}
	start, masks := g.nodes[at].name, 0
	var ordered []any
	for next := at; next >= 0; { // a node that is reached has one input, and names are unique: no circle
		at = next
		ordered = append(ordered, g.nodes[at].layer)
		if next, err = g.next(at); err != nil {
			return nil, err
		}
	}
	if last := g.nodes[at].name; last != ends[0] {
		return nil, invalidf("the model's output is %.80q and the last of its chain of layers %.80q", ends[0], last)
	}
	for i := range g.nodes {
		if g.ofMask(i) {
			masks++
		}
	}
	if n := len(layers) - len(ordered) - masks; n > 0 {
		return nil, invalidf("%d of %d layers are in no chain from %.80q", n, len(layers), start)
	}
	return ordered, nil
}

// graphOf reads the nodes and finds the one that is the input.
func graphOf(layers []any) (g *graph, start int, err error) {
	g = &graph{make([]node, len(layers)), map[string]int{}, map[string][]int{}, map[string]int{}}
	start = -1
	for i, l := range layers {
		n, err := nodeOf(l)
		if err != nil {
			return nil, 0, err
		}
		if _, twice := g.at[n.name]; twice {
			return nil, 0, invalidf("two layers are named %.80q", n.name)
		}
		g.nodes[i], g.at[n.name] = n, i
		for _, in := range n.inputs {
			g.readers[in] = append(g.readers[in], i)
		}
		switch {
		case len(n.inputs) > 0:
		case start >= 0:
			return nil, 0, invalidf("layers %.80q and %.80q are both inputs, want a chain of layers", g.nodes[start].name, n.name)
		default:
			start = i
		}
		if len(n.inputs) == 1 && (n.class == "Masking" || n.class == "Embedding" && n.config["mask_zero"] == true) {
			g.maskers[n.inputs[0]] = i
		}
	}
	if start < 0 {
		return nil, 0, invalidf("a model without an input")
	}
	return g, start, nil
}

// next is the node that reads node at, -1 if there is none.
func (g *graph) next(at int) (int, error) {
	next := -1
	for _, i := range g.readers[g.nodes[at].name] {
		switch n := g.nodes[i]; {
		case g.ofMask(i):
		case len(n.inputs) > 1:
			return 0, invalidf("layer %.80q reads %s, want a chain of layers", n.name, list(n.inputs))
		case next >= 0:
			return 0, invalidf("layer %.80q is read by %.80q and %.80q, want a chain of layers", g.nodes[at].name, g.nodes[next].name, n.name)
		default:
			next = i
		}
	}
	return next, nil
}

// checkMasks refuses masks that no layer of the model makes.
func (g *graph) checkMasks() error {
	for _, n := range g.nodes {
		for _, m := range n.masks {
			if i, ok := g.at[m]; !ok || !g.isMask(i) {
				return invalidf("layer %.80q is called with mask %.80q, want none but that of a Masking or of an Embedding with mask_zero", n.name, m)
			}
		}
	}
	return nil
}

// isMask says whether node i is the mask of a layer: of an Embedding x ≠ 0, of a Masking
// any x ≠ mask_value of a step.
func (g *graph) isMask(i int) bool {
	n := g.nodes[i]
	if n.class == "Any" {
		return g.ofMask(i)
	}
	return g.ofMask(i) && g.nodes[g.maskers[n.inputs[0]]].class == "Embedding"
}

// ofMask says whether node i is a mask, or the comparison that one is made of.
func (g *graph) ofMask(i int) bool {
	n := g.nodes[i]
	if len(n.inputs) != 1 {
		return false
	}
	if n.class == "Any" {
		from, ok := g.at[n.inputs[0]]
		return ok && g.nodes[from].class == "NotEqual" && g.ofMask(from) && !g.isMask(from) && n.config["axis"] == -1.0 && n.config["keepdims"] != true
	}
	by, ok := g.maskers[n.inputs[0]]
	if n.class != "NotEqual" || !ok {
		return false
	}
	value, other := 0.0, n.other
	if m := g.nodes[by]; m.class == "Masking" {
		if value, ok = m.config["mask_value"].(float64); !ok {
			return false
		}
	}
	return other == value
}

// nodeOf reads what a layer of a Functional model reads.
func nodeOf(l any) (n node, err error) {
	m, _ := l.(map[string]any)
	n.layer = l
	n.class, _ = m["class_name"].(string)
	n.config, _ = m["config"].(map[string]any)
	if n.name, _ = m["name"].(string); n.name == "" {
		return n, invalidf("a layer of class %.80q without a name", n.class)
	}
	calls, _ := m["inbound_nodes"].([]any)
	if len(calls) > 1 {
		return n, invalidf("layer %.80q is used %d times, want a chain of layers", n.name, len(calls))
	}
	if len(calls) == 0 {
		return n, nil
	}
	call, ok := calls[0].(map[string]any)
	if !ok { // Keras 2: [[name, node, tensor, kwargs], …]
		if n.inputs, err = tensors(calls[0]); err != nil {
			err = fmt.Errorf("%w, in the call of layer %.80q", err, n.name)
		}
		return n, err
	}
	return n, n.arguments(call)
}

// arguments takes those of a call: inputs, a mask, and what acts in training alone.
func (n *node) arguments(call map[string]any) error {
	args, ok := call["args"].([]any)
	if !ok {
		args = []any{call["args"]}
	}
	for i, v := range args {
		if i == 1 && n.class == "NotEqual" {
			n.other = v
			continue
		}
		named, err := tensors(v)
		if err != nil {
			return fmt.Errorf("%w, as argument %d of layer %.80q", err, i+1, n.name)
		}
		n.inputs = append(n.inputs, named...)
	}
	kwargs, _ := call["kwargs"].(map[string]any)
	for _, key := range slices.Sorted(maps.Keys(kwargs)) {
		if key == "training" {
			continue
		}
		named, err := tensors(kwargs[key])
		switch {
		case err != nil:
			return fmt.Errorf("%w, as argument %.80q of layer %.80q", err, key, n.name)
		case key == "mask":
			n.masks = append(n.masks, named...)
		default: // the input by name, or initial states
			n.inputs = append(n.inputs, named...)
		}
	}
	return nil
}

// tensors are the names of the layers whose outputs a value of a config names; what is
// neither such a one nor null is an error.
func tensors(v any) (all []string, err error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case []any:
		if len(v) >= 3 {
			if name, ok := v[0].(string); ok {
				return history(name, v)
			}
		}
		for _, e := range v {
			more, err := tensors(e)
			if err != nil {
				return nil, err
			}
			all = append(all, more...)
		}
		return all, nil
	case map[string]any:
		config, _ := v["config"].(map[string]any)
		if h, ok := config["keras_history"].([]any); ok && len(h) == 3 {
			name, _ := h[0].(string)
			return history(name, h)
		}
	}
	return nil, invalidf("a value that is no layer's output")
}

// history is the layer of [name, node, tensor, kwargs], its first output.
func history(name string, h []any) ([]string, error) {
	if h[1] != 0.0 || h[2] != 0.0 {
		return nil, invalidf("what is read of layer %.80q is output %v of its use %v, want the first of one use", name, h[2], h[1])
	}
	if len(h) > 3 {
		kwargs, _ := h[3].(map[string]any)
		for _, key := range slices.Sorted(maps.Keys(kwargs)) {
			if key != "training" && kwargs[key] != nil {
				return nil, invalidf("layer %.80q is read with the argument %.80q, want it alone", name, key)
			}
		}
	}
	return []string{name}, nil
}
