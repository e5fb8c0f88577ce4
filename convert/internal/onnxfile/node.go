package onnxfile

import (
	"fmt"
	"slices"
	"strings"
)

// Node is one operator with its inputs and outputs.
type Node struct {
	Name    string   // "" if it has none
	Op      string   // "domain.Op" where it is not one of ONNX's own
	Inputs  []string // "" for one that is left out
	Outputs []string

	attributes []*AttributeProto
	tensors    map[string]*Tensor // those that are tensors, nil without
}

// String names the node in messages.
func (n *Node) String() string {
	op := n.Op
	if len(op) > 40 || strings.ContainsFunc(op, func(r rune) bool { return r < '!' || r > '~' }) { // no operator that there is
		op = fmt.Sprintf("%.40q", op)
	}
	if n.Name != "" {
		return fmt.Sprintf("%s node %.80q", op, n.Name)
	}
	for _, name := range n.Outputs {
		if name != "" {
			return fmt.Sprintf("%s node of output %.80q", op, name)
		}
	}
	return op + " node without a name"
}

// node checks a node, the i-th of its graph.
func (p *NodeProto) node(i int, e *external) (*Node, error) {
	n := &Node{Name: p.GetName(), Op: p.GetOpType(), Inputs: p.GetInput(), Outputs: p.GetOutput(), attributes: p.GetAttribute()}
	if !own(p.GetDomain()) {
		n.Op = p.GetDomain() + "." + n.Op
	}
	if n.Op == "" {
		return nil, errorf("ONNX file: node %d, %.80q, has no operator", i, n.Name)
	}
	seen := make(map[string]bool, len(n.attributes))
	for _, a := range n.attributes {
		switch name := a.GetName(); {
		case seen[name]:
			return nil, errorf("ONNX file: %s: attribute %.80q stands twice", n, name)
		case a.GetType() == AttributeProto_GRAPH || a.GetType() == AttributeProto_GRAPHS:
			return nil, errorf("ONNX file: %s: attribute %.80q is a graph: graphs within graphs are not read", n, name)
		case a.GetRefAttrName() != "":
			return nil, errorf("ONNX file: %s: attribute %.80q refers to one of a function, and there is none", n, name)
		case a.GetType() == AttributeProto_TENSOR && a.GetT() == nil:
			return nil, errorf("ONNX file: %s: attribute %.80q is of type TENSOR and has none", n, name)
		case a.GetType() == AttributeProto_TENSOR:
			t, err := a.GetT().tensor(n.String()+", attribute "+name, e)
			if err != nil {
				return nil, err
			}
			if n.tensors == nil {
				n.tensors = map[string]*Tensor{}
			}
			n.tensors[name] = t
		}
		seen[a.GetName()] = true
	}
	return n, nil
}

// Input is the name of input i, "" if it is left out.
func (n *Node) Input(i int) string {
	if i < len(n.Inputs) {
		return n.Inputs[i]
	}
	return ""
}

// Has says whether the node has an attribute.
func (n *Node) Has(name string) bool {
	return slices.ContainsFunc(n.attributes, func(a *AttributeProto) bool { return a.GetName() == name })
}

// Others are the names of attributes other than these.
func (n *Node) Others(known ...string) (others []string) {
	for _, a := range n.attributes {
		if !slices.Contains(known, a.GetName()) {
			others = append(others, a.GetName())
		}
	}
	return others
}

// attribute finds an attribute of a type, nil if there is none of that name.
func (n *Node) attribute(name string, want AttributeProto_AttributeType) (*AttributeProto, error) {
	for _, a := range n.attributes {
		if a.GetName() != name {
			continue
		}
		if a.GetType() != want {
			return nil, errorf("ONNX file: %s: attribute %s is of type %s, want %s", n, name, a.GetType(), want)
		}
		return a, nil
	}
	return nil, nil
}

// Int is an attribute, or what it is without one.
func (n *Node) Int(name string, without int64) (int64, error) {
	a, err := n.attribute(name, AttributeProto_INT)
	if a == nil {
		return without, err
	}
	return a.GetI(), nil
}

// Float is an attribute, or what it is without one.
func (n *Node) Float(name string, without float32) (float32, error) {
	a, err := n.attribute(name, AttributeProto_FLOAT)
	if a == nil {
		return without, err
	}
	return a.GetF(), nil
}

// Text is an attribute, or what it is without one.
func (n *Node) Text(name, without string) (string, error) {
	a, err := n.attribute(name, AttributeProto_STRING)
	if a == nil {
		return without, err
	}
	return string(a.GetS()), nil
}

// Ints is an attribute, nil without one.
func (n *Node) Ints(name string) ([]int64, error) {
	a, err := n.attribute(name, AttributeProto_INTS)
	return a.GetInts(), err
}

// Floats is an attribute, nil without one.
func (n *Node) Floats(name string) ([]float32, error) {
	a, err := n.attribute(name, AttributeProto_FLOATS)
	return a.GetFloats(), err
}

// Texts is an attribute, nil without one.
func (n *Node) Texts(name string) ([]string, error) {
	a, err := n.attribute(name, AttributeProto_STRINGS)
	var texts []string
	for _, s := range a.GetStrings() {
		texts = append(texts, string(s))
	}
	return texts, err
}

// Tensor is an attribute, nil without one.
func (n *Node) Tensor(name string) (*Tensor, error) {
	_, err := n.attribute(name, AttributeProto_TENSOR)
	return n.tensors[name], err
}
