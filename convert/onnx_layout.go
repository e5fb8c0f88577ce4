package convert

import (
	"fmt"
	"slices"

	"sluice/rnn"
)

// onnxBlocks says which block of ours each block of ONNX's weights is: GRU z,r,h of
// r,z,n; LSTM i,o,f,c of i,f,g,o.
func onnxBlocks(cell string) []int {
	return map[string][]int{"rnn": {0}, "gru": {1, 0, 2}, "lstm": {0, 3, 1, 2}}[cell]
}

// onnxPeepholes are the blocks i,o,f of ours i,f,o.
var onnxPeepholes = []int{0, 2, 1}

// reorder sets the blocks of dst to those of src that order names.
func reorder(dst, src []float32, order []int) {
	n := len(src) / len(order)
	for i, from := range order {
		copy(dst[i*n:(i+1)*n], src[from*n:])
	}
}

// inverse is the order that takes reorder back.
func inverse(order []int) []int {
	back := make([]int, len(order))
	for i, from := range order {
		back[from] = i
	}
	return back
}

// onnxLayer are a layer's weights as ONNX has them, of both directions.
type onnxLayer struct {
	W, R []float32 // (D, G·H, X), (D, G·H, H)
	B    []float32 // (D, 2·G·H) of x, then of h
	P    []float32 // (D, 3·H) of peepholes; nil without
}

// onnxOf are the weights of layer l.
func onnxOf(n *rnn.Network, l int) onnxLayer {
	var o onnxLayer
	order := onnxBlocks(n.Cell)
	each := onnxTensors(n, l)
	for d := range n.Directions() {
		put := func(to *[]float32, name string, order []int, size int) {
			at := len(*to)
			*to = slices.Grow(*to, size)[:at+size]
			if from, ok := each[tensorOf{name, d}]; ok {
				reorder((*to)[at:], from, order)
			} else {
				clear((*to)[at:])
			}
		}
		rows := len(order) * n.Hidden
		put(&o.W, "weight_ih", order, len(each[tensorOf{"weight_ih", d}]))
		put(&o.R, "weight_hh", order, len(each[tensorOf{"weight_hh", d}]))
		put(&o.B, "bias_ih", order, rows)
		put(&o.B, "bias_hh", order, rows)
		if p, ok := each[tensorOf{"weight_peephole", d}]; ok {
			put(&o.P, "weight_peephole", onnxPeepholes, len(p))
		}
	}
	return o
}

// takeONNX is the way back: it sets layer l of a network of the same config. A bias
// of h that the network has no place for must be zero.
func takeONNX(n *rnn.Network, l int, o onnxLayer) error {
	order := inverse(onnxBlocks(n.Cell))
	each := onnxTensors(n, l)
	rows := len(order) * n.Hidden
	for d := range n.Directions() {
		take := func(name string, from []float32, at, size int, order []int) {
			if to, ok := each[tensorOf{name, d}]; ok {
				reorder(to, from[at:at+size], order)
			}
		}
		ih, hh := len(each[tensorOf{"weight_ih", d}]), len(each[tensorOf{"weight_hh", d}])
		take("weight_ih", o.W, d*ih, ih, order)
		take("weight_hh", o.R, d*hh, hh, order)
		take("bias_ih", o.B, d*2*rows, rows, order)
		take("bias_hh", o.B, (d*2+1)*rows, rows, order)
		if n.Biases == 1 {
			for i, v := range o.B[(d*2+1)*rows : (d*2+2)*rows] {
				if v != 0 {
					return fmt.Errorf("bias %d of R is %v: want zeros, since the model has one bias", i, v)
				}
			}
		}
		if p, ok := each[tensorOf{"weight_peephole", d}]; ok {
			take("weight_peephole", o.P, d*len(p), len(p), inverse(onnxPeepholes))
		}
	}
	return nil
}

// tensorOf names a tensor of a layer without its layer.
type tensorOf struct {
	name      string
	direction int
}

// onnxTensors are the tensors of layer l.
func onnxTensors(n *rnn.Network, l int) map[tensorOf][]float32 {
	all := map[tensorOf][]float32{}
	d := n.Directions()
	per := len(n.Tensors()) / (n.Layers * d)
	for i, t := range n.Tensors()[l*d*per : (l+1)*d*per] {
		all[tensorOf{plainName(t.Name), i / per}] = t.Data
	}
	return all
}
