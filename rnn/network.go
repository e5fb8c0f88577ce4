package rnn

import (
	"fmt"

	"sluice/nn"
)

// Network is a Config and its parameters, to be trained. It has no scratch.
type Network struct {
	Config
	Params  []float32   // every parameter, one flat vector
	tensors []nn.Tensor // views of Params
	data    [][]float32 // their Data
	zeros   []nn.Tensor
	parts   []part // (L·D) where each layer's and direction's tensors are in tensors
	hh      int    // the place of weight_hh in a part, -1 if there is none
}

// part is the range of one layer's and direction's tensors: weight_ih,
// bias_ih, then the cell's own.
type part struct{ from, to int }

// New makes a network with all parameters zero; Init gives them values.
func New(c Config) (*Network, error) {
	n, err := Plan(c)
	if err != nil {
		return nil, err
	}
	n.Bind(make([]float32, n.Size()))
	return n, nil
}

// Plan makes a network without parameters: names and shapes, and no memory
// for what they would fill. Bind gives it parameters.
func Plan(c Config) (*Network, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	n := &Network{Config: c.withDefaults(), hh: c.place("weight_hh")}
	layout := n.layout()
	for l := range c.Layers {
		for d := range c.Directions() {
			from := len(n.tensors)
			n.tensors = append(n.tensors, n.named(layout, l, d, append([]nn.Tensor{
				{Name: "weight_ih", Shape: []int{len(layout.Gates) * c.Hidden, c.inputSize(l)}},
				{Name: "bias_ih", Shape: []int{len(layout.Gates) * c.Hidden}},
			}, layout.Tensors...))...)
			n.zeros = append(n.zeros, n.named(layout, l, d, layout.Zeros)...)
			n.parts = append(n.parts, part{from, len(n.tensors)})
		}
	}
	return n, nil
}

// Size is the number of parameters.
func (n *Network) Size() int {
	size := 0
	for _, t := range n.tensors {
		size += nn.Elements(t.Shape)
	}
	return size
}

// Bind makes the parameters a view of params, which must be Size long, and
// keeps them there: a model has one flat vector for all that it trains.
func (n *Network) Bind(params []float32) {
	checkLen("Bind", "params", len(params), n.Size())
	n.Params, n.data = params, n.data[:0]
	for i := range n.tensors {
		t := &n.tensors[i]
		size := nn.Elements(t.Shape)
		t.Data, params = params[:size:size], params[size:]
		n.data = append(n.data, t.Data)
	}
}

// named gives tensors the names they have in layer l and direction d.
func (n *Network) named(layout Layout, l, d int, tensors []nn.Tensor) []nn.Tensor {
	prefix := layout.Prefix
	if n.Merge != "" && n.Merge != Concat {
		prefix += "merge_" + string(n.Merge) + "."
	}
	if n.Zoneout > 0 || n.ZoneoutCell > 0 {
		prefix += "zoneout."
	}
	if n.LayerNorm {
		prefix = "layer_norm." + prefix
	}
	suffix := fmt.Sprintf("_l%d", l)
	if n.reversed(d) {
		suffix += "_reverse"
	}
	out := make([]nn.Tensor, len(tensors))
	for i, t := range tensors {
		out[i] = nn.Tensor{Name: prefix + t.Name + suffix, Shape: t.Shape}
	}
	return out
}

// Tensors are the parameters by name, views of Params in its order: for each
// layer and direction weight_ih_l0 (G·H, X), bias_ih_l0 (G·H) and the cell's
// own, such as weight_hh_l0 (G·H, H) and bias_hh_l0 (G·H), under PyTorch's
// names where PyTorch has the same function.
func (n *Network) Tensors() []nn.Tensor { return n.tensors }

// Zeros are the tensors, without Data, that a file bears as zeros so that
// PyTorch reads it: bias_hh of a network with one bias.
func (n *Network) Zeros() []nn.Tensor { return n.zeros }

// Packed is a network's weights laid out for products. It does not change
// when the network does, and many Runners may share it.
type Packed struct {
	Config
	layout    Layout
	stateSize int     // StateSize
	layers    []layer // (L·D)
	params    int     // of the network
	parts     []part
	hh        int
	sizes     []int     // of each tensor
	table     []float32 // (V, X) that Fold was given, nil without
	precision nn.Precision
	masks     weightMasks
}

// Pack makes a Packed of the parameters as they are.
func (n *Network) Pack() *Packed { return n.PackAs(nn.Float32) }

// PackAs is Pack with the weights of products rounded to a precision: see
// Rounds. With nn.BF16 and nn.Int8 the Packed serves inference alone: Backward
// panics. With nn.Mixed all that the products of the built-in cells multiply,
// forward and back, is rounded to bf16, and sums are float32; those of
// registered cells and of those in plain Go stay float32.
func (n *Network) PackAs(precision nn.Precision) *Packed {
	p := &Packed{precision: precision, Config: n.Config, layout: n.layout(), stateSize: n.StateSize(), params: len(n.Params), parts: n.parts, hh: n.hh}
	cell, _ := lookup(n.Cell)
	for i := range n.parts {
		p.layers = append(p.layers, cell.layer(n.Config, n.inputSize(i/n.Directions())))
	}
	for _, t := range n.tensors {
		p.sizes = append(p.sizes, len(t.Data))
	}
	n.Repack(nil, p)
	return p
}

// Repack fills a Packed made by this network's Pack with the parameters as
// they are, without allocating if its precision serves training. The team
// shares the work; without one, nil, the caller does it. Only who owns p alone
// may do it: a trainer after each update.
func (n *Network) Repack(team *nn.Team, p *Packed) {
	n.mustHave("Repack", p)
	p.table, p.masks.dropped = nil, false
	for i, part := range n.parts {
		p.layers[i].pack(team, n.data[part.from:part.to], p.precision)
	}
}

// mustHave panics where p is not of this network.
func (n *Network) mustHave(who string, p *Packed) {
	if p.Config != n.Config {
		panic("rnn: " + who + ": the Packed is of another network")
	}
}

// Rounds says whether PackAs rounds a tensor, by its place in Tensors: weight_ih,
// weight_hh and weight_hr of the built-in cells that have kernels, of all others
// weight_ih alone.
func (n *Network) Rounds(tensor int) bool {
	cell, _ := lookup(n.Cell)
	_, user := cell.(registered)
	for _, part := range n.parts {
		place := tensor - part.from
		if place == 0 || tensor < part.to && !user && !n.plain() && (place == n.hh || place > 0 && place == n.place("weight_hr")) {
			return true
		}
	}
	return false
}
