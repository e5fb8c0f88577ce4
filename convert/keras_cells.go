package convert

import (
	"slices"
	"strings"

	"sluice/convert/internal/kerasfile"
	"sluice/rnn"
)

// config completes c with what one recurrent layer is.
func (k *keras) config(l *kerasfile.Layer, c rnn.Config) (rnn.Config, error) {
	cell, ok := cells[l.Class]
	if !ok {
		return c, refuse(l, "has no equal here, want SimpleRNN, GRU or LSTM")
	}
	kernel, recurrent, bias := arrayOf(l, "kernel").Shape, arrayOf(l, "recurrent_kernel").Shape, []int(nil)
	if a := arrayOf(l, "bias"); a != nil {
		bias = a.Shape
	}
	gates := len(cell.theirs)
	if len(kernel) != 2 || len(recurrent) != 2 || kernel[0] == 0 || recurrent[0] == 0 || recurrent[1] != gates*recurrent[0] || kernel[1] != recurrent[1] {
		return c, refuse(l, "kernel %v and recurrent_kernel %v, want (X, %d·H) and (H, %[3]d·H)", kernel, recurrent, gates)
	}
	c.Cell, c.Input, c.Hidden, c.Biases = cell.cell, kernel[0], recurrent[0], 1
	if units, ok := l.Config["units"].(float64); k.whole && (!ok || units != float64(c.Hidden)) {
		return c, refuse(l, "recurrent_kernel %v, want units %v", recurrent, quoted(l.Config["units"]))
	}
	want := []int{gates * c.Hidden}
	if l.Class == "GRU" {
		var err error
		if c.Reset, err = k.reset(l, bias); err != nil {
			return c, err
		}
		if c.Reset == rnn.ResetAfter && bias != nil {
			want, c.Biases = []int{2, gates * c.Hidden}, 2
		}
	}
	if bias != nil && !slices.Equal(bias, want) {
		return c, refuse(l, "bias %v, want %v", bias, want)
	}
	var err error
	c.Activation, err = k.activations(l)
	return c, err
}

// reset is where a GRU resets. Keras' reset_after is the one of PyTorch. Before it
// was there, 2.1, a GRU was as Cho has it.
func (k *keras) reset(l *kerasfile.Layer, bias []int) (rnn.Reset, error) {
	if after, ok := l.Config["reset_after"].(bool); ok && after {
		return rnn.ResetAfter, nil
	}
	switch {
	case k.whole:
		return rnn.ResetBefore, nil
	case len(bias) == 2:
		return rnn.ResetAfter, nil
	case len(bias) == 1:
		return rnn.ResetBefore, nil
	case k.o.Reset == "":
		return "", refuse(l, "a GRU without a bias in a file of weights alone, which could be of both kinds, want the option Reset, %s or %s", rnn.ResetBefore, rnn.ResetAfter)
	}
	return k.o.Reset, nil
}

// functions are Keras' names of activations and ours.
var functions = map[string]string{
	"": "identity", "linear": "identity", "tanh": "tanh", "sigmoid": "sigmoid", "relu": "relu", "relu6": "relu6", "elu": "elu", "selu": "selu",
	"softsign": "softsign", "softplus": "softplus", "silu": "silu", "swish": "silu", "exponential": "exponential", "hard_sigmoid": "hard_sigmoid",
}

// activations are rnn.Config's: none where they are the cell's own.
func (k *keras) activations(l *kerasfile.Layer) (string, error) {
	if !k.whole {
		if l.Class == "SimpleRNN" && k.o.Activation != "" && k.o.Activation != "tanh" {
			return k.o.Activation, nil
		}
		k.note("weights alone do not say the activations of %q: here they are Keras' defaults, tanh, and sigmoid of gates", short(l.Name))
		return "", nil
	}
	var names []string
	for _, field := range map[string][]string{
		"SimpleRNN": {"activation"},
		"GRU":       {"recurrent_activation", "activation"},
		"LSTM":      {"recurrent_activation", "activation", "activation"},
	}[l.Class] {
		theirs := text(l, field)
		ours, ok := functions[theirs]
		if !ok {
			return "", refuse(l, "%s %s has no equal here", field, quoted(l.Config[field]))
		}
		if ours == "hard_sigmoid" && !strings.HasPrefix(k.version, "2.") { // since Keras 3 it is x/6 + 1/2
			ours = "hard_sigmoid(0.16666667,0.5)"
		}
		names = append(names, ours)
	}
	return rnn.SpellActivation(cells[l.Class].cell, strings.Join(names, " "))
}

// fill moves the weights of one direction into n, a network of one layer.
func (k *keras) fill(n *rnn.Network, d int, l *kerasfile.Layer) {
	c, theirs := n.Config, cells[l.Class].theirs
	all := n.Tensors()
	own := all[d*len(all)/c.Directions():] // weight_ih, bias_ih, weight_hh, bias_hh
	for i := range l.Arrays {
		switch a := &l.Arrays[i]; a.Name {
		case "kernel":
			transpose(own[0].Data, a.Data, c.Hidden, c.Input, theirs)
		case "recurrent_kernel":
			transpose(own[2].Data, a.Data, c.Hidden, c.Hidden, theirs)
		case "bias":
			width := len(theirs) * c.Hidden
			transpose(own[1].Data, a.Data[:width], c.Hidden, 1, theirs)
			if c.Biases == 2 {
				transpose(own[3].Data, a.Data[width:], c.Hidden, 1, theirs)
			}
		}
	}
}
