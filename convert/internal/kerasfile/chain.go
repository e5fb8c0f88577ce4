package kerasfile

// node is a layer of a Functional model and what it reads.
type node struct {
	layer  any
	name   string
	class  string
	inputs []string // what it reads but for masks
	masks  []string
	other  any // the second argument of what it computes
}

// graph is a Functional model.
type graph struct {
	nodes   []node
	readers map[string][]int // the nodes that read a name
	masks   map[string]bool  // the names that are read as masks
}

// chain puts the layers of a Functional model in the order in which they run, if each
// of them reads the one before and the last alone is its output. What makes masks of
// the input is left out: Masking and Embedding say in their configs that they do.
func chain(config map[string]any, layers []any) ([]any, error) {
	g, at, err := graphOf(layers)
	if err != nil {
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
		if g.makesMask(i) {
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
	g = &graph{make([]node, len(layers)), map[string][]int{}, map[string]bool{}}
	names := map[string]bool{}
	start = -1
	for i, l := range layers {
		n, err := nodeOf(l)
		if err != nil {
			return nil, 0, err
		}
		if names[n.name] {
			return nil, 0, invalidf("two layers are named %.80q", n.name)
		}
		g.nodes[i], names[n.name] = n, true
		for _, in := range n.inputs {
			g.readers[in] = append(g.readers[in], i)
		}
		for _, m := range n.masks {
			g.masks[m] = true
		}
		switch {
		case len(n.inputs) > 0:
		case start >= 0:
			return nil, 0, invalidf("layers %.80q and %.80q are both inputs, want a chain of layers", g.nodes[start].name, n.name)
		default:
			start = i
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
		case g.makesMask(i):
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

// makesMask says whether a node is one that Embedding, x ≠ 0, or Masking, any x ≠
// value, has for the mask of its input, and is nothing else.
func (g *graph) makesMask(i int) bool {
	n := g.nodes[i]
	readers := g.readers[n.name]
	switch {
	case n.class == "NotEqual" && len(readers) == 1 && len(n.inputs) == 1:
		return g.nodes[readers[0]].class == "Any" && g.makesMask(readers[0])
	case n.class == "NotEqual" && n.other == 0.0 || n.class == "Any":
		return g.masks[n.name] && len(readers) == 0 && len(n.inputs) == 1
	}
	return false
}

// nodeOf reads what a layer of a Functional model reads.
func nodeOf(l any) (n node, err error) {
	m, _ := l.(map[string]any)
	n.layer = l
	n.class, _ = m["class_name"].(string)
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
		n.inputs, err = tensors(calls[0])
		return n, err
	}
	if n.inputs, err = tensors(call["args"]); err != nil {
		return n, err
	}
	if args, _ := call["args"].([]any); len(args) == 2 {
		n.other = args[1]
	}
	kwargs, _ := call["kwargs"].(map[string]any)
	for key, v := range kwargs {
		named, err := tensors(v)
		switch {
		case err != nil:
			return n, err
		case key == "mask":
			n.masks = append(n.masks, named...)
		default: // the input by name, or initial states
			n.inputs = append(n.inputs, named...)
		}
	}
	return n, nil
}

// tensors are the names of the layers whose outputs a value of a config names.
func tensors(v any) (all []string, err error) {
	switch v := v.(type) {
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
	case map[string]any:
		config, _ := v["config"].(map[string]any)
		if h, ok := config["keras_history"].([]any); ok && len(h) == 3 {
			name, _ := h[0].(string)
			return history(name, h)
		}
	}
	return all, nil
}

// history is the layer of [name, node, tensor, kwargs], its first output.
func history(name string, h []any) ([]string, error) {
	if h[1] != 0.0 || h[2] != 0.0 {
		return nil, invalidf("what is read of layer %.80q is output %v of its use %v, want the first of one use", name, h[2], h[1])
	}
	if len(h) > 3 {
		kwargs, _ := h[3].(map[string]any)
		for key, v := range kwargs {
			if more, err := tensors(v); err != nil || len(more) > 0 {
				return nil, invalidf("layer %.80q is read with %.80q of other layers, want a chain of layers", name, key)
			}
		}
	}
	return []string{name}, nil
}
