package convert

import (
	"fmt"
	"slices"
	"strings"

	"sluice/nn"
	"sluice/rnn"
)

// onnxBlocks says which of ONNX's blocks each of ours is: GRU r,z,n of z,r,h; LSTM
// i,f,g,o of i,o,f,c, and of peepholes i,f,o of i,o,f. Where f follows from i, ours has
// none.
func onnxBlocks(c rnn.Config) (gates, peepholes []int) {
	switch {
	case c.Cell == "gru":
		return []int{1, 0, 2}, nil
	case c.Cell == "lstm" && c.Coupled:
		return []int{0, 3, 1}, []int{0, 1}
	case c.Cell == "lstm":
		return []int{0, 2, 3, 1}, []int{0, 2, 1}
	}
	return []int{0}, nil
}

// onnxGates is how many blocks ONNX has: G.
func onnxGates(cell string) int { return gatesOf[strings.ToUpper(cell)] }

// onnxLayer are a layer's weights as ONNX has them, of all its directions.
type onnxLayer struct {
	W, R []float32 // (D, G·H, X), (D, G·H, H)
	B    []float32 // (D, 2·G·H) of x, then of h
	P    []float32 // (D, 3·H) of peepholes; nil without
}

// at is where the blocks of a tensor of ours stand, in direction d of so many, and
// which of them they are.
func (o onnxLayer) at(name string, c rnn.Config, d, directions int) (blocks []float32, order []int) {
	part := func(all []float32, i, of int) []float32 { return all[i*len(all)/of : (i+1)*len(all)/of] }
	gates, peepholes := onnxBlocks(c)
	switch {
	case strings.Contains(name, "weight_ih"):
		return part(o.W, d, directions), gates
	case strings.Contains(name, "weight_hh"):
		return part(o.R, d, directions), gates
	case strings.Contains(name, "bias_ih"):
		return part(o.B, 2*d, 2*directions), gates
	case strings.Contains(name, "bias_hh"):
		return part(o.B, 2*d+1, 2*directions), gates
	default:
		return part(o.P, d, directions), peepholes
	}
}

// take sets the tensors of one direction of a layer to those of direction d of so many.
func (o onnxLayer) take(tensors []nn.Tensor, c rnn.Config, d, directions int) {
	for _, t := range tensors {
		blocks, order := o.at(t.Name, c, d, directions)
		size := len(t.Data) / len(order)
		for i, block := range order {
			copy(t.Data[i*size:(i+1)*size], blocks[block*size:])
		}
	}
}

// onnxOf are the weights of layer l. Blocks that ours has not are zeros.
func onnxOf(n *rnn.Network, l int) onnxLayer {
	d, rows := n.Directions(), onnxGates(n.Cell)*n.Hidden
	tensors := tensorsIn(n, l)
	width := len(tensors[0].Data) / tensors[0].Shape[0]
	o := onnxLayer{W: make([]float32, d*rows*width), R: make([]float32, d*rows*n.Hidden), B: make([]float32, d*2*rows)}
	if n.Peephole {
		o.P = make([]float32, d*3*n.Hidden)
	}
	for i, t := range tensors {
		blocks, order := o.at(t.Name, n.Config, i*d/len(tensors), d)
		size := len(t.Data) / len(order)
		for i, block := range order {
			copy(blocks[block*size:(block+1)*size], t.Data[i*size:])
		}
	}
	return o
}

// tensorsIn are the tensors of layer l, direction after direction.
func tensorsIn(n *rnn.Network, l int) []nn.Tensor {
	all := n.Tensors()
	return all[l*len(all)/n.Layers : (l+1)*len(all)/n.Layers]
}

// fits says which of a layer's weights is not as large as that of a network, or has what
// the network has no place for: a second bias.
func (o onnxLayer) fits(n *rnn.Network, l int) error {
	d, rows := n.Directions(), onnxGates(n.Cell)*n.Hidden
	width := tensorsIn(n, l)[0].Shape[1]
	peepholes := 0
	if n.Peephole {
		peepholes = d * 3 * n.Hidden
	}
	for _, f := range []struct {
		name       string
		have, want int
	}{{"W", len(o.W), d * rows * width}, {"R", len(o.R), d * rows * n.Hidden}, {"B", len(o.B), d * 2 * rows}, {"P", len(o.P), peepholes}} {
		if f.have != f.want {
			return fmt.Errorf("%s has %d values, want %d", f.name, f.have, f.want)
		}
	}
	for i := range d {
		second := o.B[(2*i+1)*rows : (2*i+2)*rows]
		if at := slices.IndexFunc(second, func(v float32) bool { return v != 0 }); n.Biases == 1 && at >= 0 {
			return fmt.Errorf("bias %d of R is %v: want zeros, since the model has one bias", at, second[at])
		}
	}
	return nil
}
