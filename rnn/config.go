package rnn

import (
	"fmt"
	"slices"
	"strings"

	"sluice/nn"
)

// A Reset is where a GRU's reset gate acts.
type Reset string

// A Direction is how a layer reads its sequence.
type Direction string

// A Merge is how the two directions' outputs become one.
type Merge string

const (
	ResetBefore Reset = "before" // on the state, before its product: Cho et al. 2014, the formula of D2L
	ResetAfter  Reset = "after"  // on the product: PyTorch, cuDNN

	Forward       Direction = "forward"
	Backward      Direction = "backward" // from a sequence's own end to its start
	Bidirectional Direction = "bidirectional"

	Concat   Merge = "concat" // forward's H outputs, then backward's
	Sum      Merge = "sum"
	Average  Merge = "average"
	Multiply Merge = "multiply"
)

// MaxWidth bounds Input and Hidden, and MaxLayers Layers: a file cannot ask
// for more.
const (
	MaxWidth  = 1 << 24
	MaxLayers = 1 << 10
)

// Config is everything that fixes the function of a network but its weights.
type Config struct {
	Cell       string    `json:"cell"`                 // "rnn", "gru", "lstm" or a registered cell
	Activation string    `json:"activation,omitempty"` // rnn: "tanh" (also ""), "relu"
	Reset      Reset     `json:"reset,omitempty"`      // gru: required
	Input      int       `json:"input"`                // X: floats of one input, or the symbols that IDs may name
	Hidden     int       `json:"hidden"`               // H
	Layers     int       `json:"layers"`               // L
	Biases     int       `json:"biases"`               // 1: bx alone. 2: bx and bh, as PyTorch has it
	Direction  Direction `json:"direction"`            // "" is Forward
	Merge      Merge     `json:"merge,omitempty"`      // Bidirectional: "" is Concat
	Dropout    float64   `json:"dropout,omitempty"`    // between layers, while training: in [0, 1)
	Locked     bool      `json:"locked,omitempty"`     // Dropout has one mask for all steps of a row and pass
	Zoneout    float64   `json:"zoneout,omitempty"`    // of h: the share that keeps its old state, in [0, 1)

	ZoneoutCell float64 `json:"zoneout_cell,omitempty"` // lstm: of c alike
	WeightDrop  float64 `json:"weight_drop,omitempty"`  // of weight_hh, in RepackDropped: in [0, 1)
	LayerNorm   bool    `json:"layer_norm,omitempty"`   // in the cell
}

// Validate says which field cannot be, and what is allowed.
func (c Config) Validate() error {
	cell, err := lookup(c.Cell)
	if err != nil {
		return err
	}
	for _, f := range []struct {
		name      string
		value, at int
	}{{"input", c.Input, MaxWidth}, {"hidden", c.Hidden, MaxWidth}, {"layers", c.Layers, MaxLayers}, {"biases", c.Biases, 2}} {
		if f.value < 1 || f.value > f.at {
			return fmt.Errorf("rnn: %s %d: want 1 to %d", f.name, f.value, f.at)
		}
	}
	if err := oneOf("direction", c.Direction, "", Forward, Backward, Bidirectional); err != nil {
		return err
	}
	merges := []Merge{""}
	if c.Direction == Bidirectional {
		merges = []Merge{"", Concat, Sum, Average, Multiply}
	}
	if err := oneOf("merge", c.Merge, merges...); err != nil {
		return err
	}
	if err := c.validateShares(); err != nil {
		return err
	}
	if err := cell.Validate(c); err != nil {
		return err
	}
	if _, user := cell.(registered); user && c.LayerNorm {
		return fmt.Errorf("rnn: layer_norm: cell %q has none, want rnn, gru, lstm", c.Cell)
	}
	if c.WeightDrop > 0 && c.place("weight_hh") < 0 {
		return fmt.Errorf("rnn: weight_drop %v: cell %q has no weight_hh", c.WeightDrop, c.Cell)
	}
	return nil
}

// validateShares is Validate of what falls out or stays while training.
func (c Config) validateShares() error {
	for _, f := range []struct {
		name  string
		value float64
	}{{"dropout", c.Dropout}, {"zoneout", c.Zoneout}, {"zoneout_cell", c.ZoneoutCell}, {"weight_drop", c.WeightDrop}} {
		if !(f.value >= 0 && float32(f.value) < 1) { // factors are float32
			return fmt.Errorf("rnn: %s %v: want a number in [0, 1)", f.name, f.value)
		}
	}
	switch {
	case c.Dropout > 0 && c.Layers == 1:
		return fmt.Errorf("rnn: dropout %v: acts between layers, and there is 1", c.Dropout)
	case c.ZoneoutCell > 0 && c.Cell != "lstm":
		return fmt.Errorf("rnn: zoneout_cell %v: acts on the c of an lstm, want 0", c.ZoneoutCell)
	}
	return nil
}

// place is that of one of the cell's own tensors among those of a layer and
// direction, -1 if the cell has none of that name.
func (c Config) place(name string) int {
	i := slices.IndexFunc(c.layout().Tensors, func(t nn.Tensor) bool { return t.Name == name })
	if i >= 0 {
		i += 2 // after weight_ih and bias_ih
	}
	return i
}

// oneOf is the error of a value that is none of those allowed.
func oneOf[S ~string](field string, value S, allowed ...S) error {
	var names []string
	for _, a := range allowed {
		if value == a {
			return nil
		}
		if a != "" {
			names = append(names, string(a))
		}
	}
	if len(names) == 0 {
		names = []string{"none here"}
	}
	return fmt.Errorf("rnn: %s %q: want %s", field, value, strings.Join(names, ", "))
}

// withDefaults spells out what the empty fields mean.
func (c Config) withDefaults() Config {
	if c.Direction == "" {
		c.Direction = Forward
	}
	if c.Merge == "" && c.Direction == Bidirectional {
		c.Merge = Concat
	}
	return c
}

// Directions is D.
func (c Config) Directions() int {
	if c.Direction == Bidirectional {
		return 2
	}
	return 1
}

// OutputSize is the width of one output: H, or 2·H where two directions are
// concatenated.
func (c Config) OutputSize() int {
	if c.Direction == Bidirectional && (c.Merge == Concat || c.Merge == "") {
		return 2 * c.Hidden
	}
	return c.Hidden
}

// StateSize is the number of floats that hold the state of one stream.
func (c Config) StateSize() int {
	return c.Layers * c.Directions() * len(c.layout().State) * c.Hidden
}

// inputSize is the width that layer l reads.
func (c Config) inputSize(l int) int {
	if l == 0 {
		return c.Input
	}
	return c.OutputSize()
}

// reversed says whether direction d reads from the end.
func (c Config) reversed(d int) bool { return c.Direction == Backward || d == 1 }

// layout is that of the cell, which Validate has found.
func (c Config) layout() Layout {
	cell, err := lookup(c.Cell)
	if err != nil {
		panic(err.Error())
	}
	return cell.Layout(c)
}
