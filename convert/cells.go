package convert

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"sluice/rnn"
)

// What errors of a model begin with that another system cannot hold.
const (
	toONNX    = "convert: to ONNX: "
	toPyTorch = "convert: to PyTorch: "
)

// What a cell has beside the textbook's, in the words of others.

// fitsONNXCell is Validate of it.
func fitsONNXCell(c rnn.Config) error {
	if c.Projection > 0 {
		return fmt.Errorf(toONNX + "a projection: ONNX's LSTM has none; PyTorch (proj_size) can hold it")
	}
	for _, f := range activations(c) {
		if _, ok := onnxNames[f.name]; !ok {
			return fmt.Errorf(toONNX+"activation %s: ONNX's recurrent operators have none of that name; Keras can hold it", f.name)
		}
	}
	return nil
}

// fitsPyTorchCell is fitsPyTorch of it.
func fitsPyTorchCell(c rnn.Config) error {
	switch {
	case c.Peephole:
		return fmt.Errorf(toPyTorch + "peepholes: torch.nn.LSTM has none; ONNX (P) can hold them")
	case c.Coupled:
		return fmt.Errorf(toPyTorch + "coupled gates: torch.nn.LSTM has a forget gate of its own; ONNX (input_forget) can hold them")
	case c.Clip > 0:
		return fmt.Errorf(toPyTorch + "clipping in the cell: torch.nn's cells have none; ONNX (clip) can hold it")
	case c.Activation != "" && (c.Cell != "rnn" || c.Activation != "relu"):
		return fmt.Errorf(toPyTorch+"activations %q: torch.nn's %s has none but its own; ONNX can hold them, and Keras", c.Activation, strings.ToUpper(c.Cell))
	}
	return nil
}

// moreOfModule are the other arguments of a layer in PyTorch.
func moreOfModule(c rnn.Config) string {
	text := ""
	if c.Activation != "" {
		text += fmt.Sprintf(", nonlinearity=%q", c.Activation)
	}
	if c.Projection > 0 {
		text += fmt.Sprintf(", proj_size=%d", c.Projection)
	}
	return text
}

// activation is one of a cell's, as it is spelled.
type activation struct {
	name       string
	parameters []float32 // nil: the usual ones
}

// activations are those of a cell, none for the textbook's.
func activations(c rnn.Config) (all []activation) {
	for _, text := range strings.Fields(c.Activation) {
		name, list, some := strings.Cut(strings.TrimSuffix(text, ")"), "(")
		a := activation{name: name}
		if some {
			for _, number := range strings.Split(list, ",") {
				v, err := strconv.ParseFloat(number, 32)
				if err != nil {
					panic(fmt.Sprintf("convert: activation %q of a valid config", text))
				}
				a.parameters = append(a.parameters, float32(v))
			}
		}
		all = append(all, a)
	}
	return all
}

// onnxNames are ONNX's names of activations, each with the usual parameters of ours:
// those of ONNX's operators differ from one runtime to the next where they are left out.
var onnxNames = map[string]struct {
	name        string
	alpha, beta []float32
}{
	"relu": {name: "Relu"}, "tanh": {name: "Tanh"}, "sigmoid": {name: "Sigmoid"}, "softsign": {name: "Softsign"}, "softplus": {name: "Softplus"},
	"identity": {"Affine", []float32{1}, []float32{0}}, "affine": {"Affine", []float32{1}, []float32{0}},
	"scaled_tanh": {"ScaledTanh", []float32{1}, []float32{1}}, "hard_sigmoid": {"HardSigmoid", []float32{0.2}, []float32{0.5}},
	"leaky_relu": {"LeakyRelu", []float32{0.01}, nil}, "thresholded_relu": {"ThresholdedRelu", []float32{1}, nil}, "elu": {"Elu", []float32{1}, nil},
}

// attributesOf are those of a cell's node.
func attributesOf(a attrs, c rnn.Config) {
	if c.Clip > 0 {
		a["clip"] = float32(c.Clip)
	}
	if c.Coupled {
		a["input_forget"] = 1
	}
	var names []string
	var alphas, betas []float32
	for _, f := range slices.Repeat(activations(c), c.Directions()) {
		o := onnxNames[f.name]
		names = append(names, o.name)
		alpha, beta := o.alpha, o.beta
		if len(f.parameters) > 0 {
			alpha = f.parameters[:1]
		}
		if len(f.parameters) > 1 {
			beta = f.parameters[1:]
		}
		alphas, betas = append(alphas, alpha...), append(betas, beta...)
	}
	if len(names) > 0 {
		a["activations"] = names
	}
	if len(alphas) > 0 {
		a["activation_alpha"] = alphas
	}
	if len(betas) > 0 {
		a["activation_beta"] = betas
	}
}
