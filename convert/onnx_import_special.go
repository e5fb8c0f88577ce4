package convert

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"sluice/convert/internal/onnxfile"
	"sluice/rnn"
)

// onnxActivation is an activation as ONNX names it, in lower case.
type onnxActivation struct {
	name        string // as a Config has it
	alpha, beta bool   // which parameters it has
}

var onnxActivations = map[string]onnxActivation{
	"relu": {"relu", false, false}, "tanh": {"tanh", false, false}, "sigmoid": {"sigmoid", false, false},
	"affine": {"affine", true, true}, "leakyrelu": {"leaky_relu", true, false}, "thresholdedrelu": {"thresholded_relu", true, false},
	"scaledtanh": {"scaled_tanh", true, true}, "hardsigmoid": {"hard_sigmoid", true, true}, "elu": {"elu", true, false},
	"softsign": {"softsign", false, false}, "softplus": {"softplus", false, false},
}

// special reads what a cell may have in another way than the textbook.
func (c *onnxCell) special(n *onnxfile.Node, coupled bool) error {
	text, err := c.activations(n)
	if err != nil {
		return err
	}
	clip, err := n.Float("clip", 0)
	if err != nil {
		return err
	}
	if n.Has("clip") && !(clip > 0) {
		return fmt.Errorf("clip %v, want a number above 0", clip)
	}
	c.config.Clip, c.config.Coupled = float64(clip), coupled
	if c.config.Activation, err = rnn.SpellActivation(c.config.Cell, text); err != nil {
		return fmt.Errorf("%s", strings.TrimPrefix(err.Error(), "rnn: "))
	}
	return nil
}

// activations are those of a direction as a Config has them. Those of both must be
// the same.
func (c *onnxCell) activations(n *onnxfile.Node) (string, error) {
	names, err := n.Texts("activations")
	if err != nil || len(names) == 0 {
		return "", err
	}
	alphas, err := n.Floats("activation_alpha")
	if err != nil {
		return "", err
	}
	betas, err := n.Floats("activation_beta")
	if err != nil {
		return "", err
	}
	each := map[string]int{"RNN": 1, "GRU": 2, "LSTM": 3}[n.Op]
	if len(names) != each*len(c.reverse) {
		return "", fmt.Errorf("%d activations, want %d for each direction", len(names), each)
	}
	// Parameters are listed for those activations that have any.
	next := func(list *[]float32) string {
		if len(*list) == 0 {
			return ""
		}
		v := (*list)[0]
		*list = (*list)[1:]
		return strconv.FormatFloat(float64(v), 'g', -1, 32)
	}
	var texts []string
	for _, name := range names {
		a, ok := onnxActivations[strings.ToLower(name)]
		if !ok {
			return "", fmt.Errorf("activation %.40q, want one of ONNX's: Relu, Tanh, Sigmoid, Affine, LeakyRelu, ThresholdedRelu, ScaledTanh, HardSigmoid, Elu, Softsign, Softplus", name)
		}
		var parameters []string
		if a.alpha {
			parameters = append(parameters, next(&alphas))
		}
		if a.beta {
			parameters = append(parameters, next(&betas))
		}
		text := a.name
		switch {
		case strings.Join(parameters, "") == "":
		case parameters[0] == "":
			return "", fmt.Errorf("activation %.40q with its second parameter alone, want both", name)
		default: // a second one that is left out has its default
			text += "(" + strings.TrimSuffix(strings.Join(parameters, ","), ",") + ")"
		}
		texts = append(texts, text)
	}
	if len(alphas)+len(betas) > 0 {
		return "", fmt.Errorf("%d parameters of activations too many", len(alphas)+len(betas))
	}
	if len(c.reverse) == 2 && !slices.Equal(texts[:each], texts[each:]) {
		return "", fmt.Errorf("activations %q forward and %q backward: a model here has the same in both directions", texts[:each], texts[each:])
	}
	return strings.Join(texts[:each], " "), nil
}
