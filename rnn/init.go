package rnn

import (
	"fmt"
	"math"
	"slices"

	"sluice/nn"
)

// Init says how parameters start. The zero value is PyTorch's.
type Init struct {
	Kind       string  `json:"kind,omitempty"`        // "pytorch" (also ""), "normal", "xavier"
	Sigma      float64 `json:"sigma,omitempty"`       // normal: the standard deviation of the weights; biases are 0
	Orthogonal bool    `json:"orthogonal,omitempty"`  // each block (H, H) of Wh is a random orthogonal matrix
	ForgetBias float64 `json:"forget_bias,omitempty"` // lstm: bx of the forget gate, with bh 0 there; 0 leaves it as Kind has it
}

// Validate says which field cannot be, and what is allowed.
func (i Init) Validate() error {
	if err := oneOf("init", i.Kind, "", "pytorch", "normal", "xavier"); err != nil {
		return err
	}
	if i.Kind != "normal" && i.Sigma != 0 {
		return fmt.Errorf("rnn: init sigma %v: acts with kind normal only", i.Sigma)
	}
	if i.Kind == "normal" && !(i.Sigma > 0 && i.Sigma <= 100) {
		return fmt.Errorf("rnn: init sigma %v: want a number in (0, 100]", i.Sigma)
	}
	if !(math.Abs(i.ForgetBias) <= 100) {
		return fmt.Errorf("rnn: init forget bias %v: want a number in [-100, 100]", i.ForgetBias)
	}
	return nil
}

// InitStep is the step of the random streams that parameters start from; no
// training step has it.
const InitStep = math.MaxUint64

// Init gives every parameter its start. The same seed gives the same values.
//
//	pytorch  everything from U(−1/√H, 1/√H)
//	normal   weights from N(0, σ²), biases 0
//	xavier   each gate's weights by Glorot and Bengio 2010, biases 0
//
// Gains of layer norm start from 1, the bias of its c from 0.
func (n *Network) Init(init Init, seed uint64) error {
	if err := init.Validate(); err != nil {
		return err
	}
	if init.Orthogonal && n.Projection > 0 {
		return fmt.Errorf("rnn: init orthogonal: the blocks of weight_hh are %d × %d with a projection, want square ones", n.Hidden, n.Projection)
	}
	forget := slices.Index(n.layout().Gates, "f")
	if init.ForgetBias != 0 && forget < 0 {
		return fmt.Errorf("rnn: init forget bias %v: cell %q has no forget gate", init.ForgetBias, n.Cell)
	}
	var random nn.Random
	for _, p := range n.parts {
		for i := p.from; i < p.to; i++ {
			random.Seek(nn.Key{Seed: seed, Step: InitStep, Layer: uint64(i)})
			n.start(n.tensors[i], i-p.from, init, &random)
		}
	}
	if init.ForgetBias != 0 {
		n.forgetBias(forget, float32(init.ForgetBias))
	}
	return nil
}

// start gives a tensor, by its place in its part, its start.
func (n *Network) start(t nn.Tensor, place int, init Init, random *nn.Random) {
	matrix := len(t.Shape) == 2
	switch {
	case n.LayerNorm && place >= n.hh+n.Biases: // after weight_hh, and bias_hh if there is one
		identity(t.Data, n.layout().Tensors[place-2].Name)
	case matrix && init.Orthogonal && t.Shape[0]%n.Hidden == 0 && t.Shape[1] == n.Hidden && place > 0:
		size := n.Hidden * n.Hidden
		for b := 0; b+size <= len(t.Data); b += size {
			nn.Orthogonal(t.Data[b:b+size], n.Hidden, random)
		}
	case init.Kind == "" || init.Kind == "pytorch":
		nn.Uniform(t.Data, 1/math.Sqrt(float64(n.Hidden)), random)
	case !matrix:
		clear(t.Data)
	case init.Kind == "normal":
		nn.Normal(t.Data, init.Sigma, random)
	default:
		nn.Xavier(t.Data, min(n.Hidden, t.Shape[0]), t.Shape[1], random) // of Whr P
	}
}

// identity makes a layer norm's gain 1, its bias 0.
func identity(x []float32, name string) {
	clear(x)
	for i := 0; i < len(x) && name != "bias_c_norm"; i++ {
		x[i] = 1
	}
}

// forgetBias sets bias_ih of gate number gate to v, and bias_hh to 0.
func (n *Network) forgetBias(gate int, v float32) {
	bh := n.place("bias_hh")
	for _, p := range n.parts {
		own := func(place int) []float32 { return n.data[p.from+place][gate*n.Hidden:][:n.Hidden] }
		for i := range n.Hidden {
			own(1)[i] = v
		}
		if bh >= 0 {
			clear(own(bh))
		}
	}
}
