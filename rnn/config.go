package rnn

import (
	"errors"
	"fmt"
	"math"
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
	Activation string    `json:"activation,omitempty"` // as SpellActivation spells it: "" is the textbook's, and of rnn "relu" is as fast
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

	Peephole   bool    `json:"peephole,omitempty"`   // lstm: the gates i, f and o see c
	Projection int     `json:"projection,omitempty"` // lstm: P, the width of h, below H; 0: none, h is as wide as c
	Clip       float64 `json:"clip,omitempty"`       // bound of what the activations of gates are applied to, on both sides; 0: none
	Coupled    bool    `json:"coupled,omitempty"`    // lstm: f is 1 − i, and has no weights
}

// plain says whether the cell differs from the textbook's, or PyTorch's, in what
// has no kernels: it runs in plain Go.
func (c Config) plain() bool {
	return c.LayerNorm || c.Clip > 0 || c.Coupled || c.Activation != "" && !(c.Cell == "rnn" && (c.Activation == "relu" || c.Activation == "tanh"))
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
	} else if user && c.Clip != 0 {
		return fmt.Errorf("rnn: clip %v: cell %q has none, want rnn, gru, lstm", c.Clip, c.Cell)
	}
	if err := c.validateVariants(); err != nil {
		return err
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

// validateVariants is Validate of how a built-in cell differs from the textbook's.
func (c Config) validateVariants() error {
	switch {
	case !(c.Clip >= 0) || math.IsInf(float64(float32(c.Clip)), 0) || c.Clip > 0 && float32(c.Clip) == 0:
		return fmt.Errorf("rnn: clip %v: want a number of float32 above 0, or 0 for none", c.Clip)
	case c.Cell != "lstm" && c.Peephole:
		return fmt.Errorf("rnn: peephole: cell %q has none, want lstm", c.Cell)
	case c.Cell != "lstm" && c.Coupled:
		return fmt.Errorf("rnn: coupled: cell %q has no such gates, want lstm", c.Cell)
	case c.Cell != "lstm" && c.Projection != 0:
		return fmt.Errorf("rnn: projection %d: acts on the h of an lstm, want 0", c.Projection)
	case c.Projection < 0 || c.Projection > 0 && c.Projection >= c.Hidden:
		return fmt.Errorf("rnn: projection %d: want 0, for none, or less than hidden, %d", c.Projection, c.Hidden)
	}
	if c.Projection > 0 && c.plain() {
		return fmt.Errorf("rnn: projection %d: want 0 with layer_norm, clip, coupled or an activation", c.Projection)
	}
	without := c
	without.LayerNorm = false
	if c.LayerNorm && (c.Peephole || without.plain()) {
		return errors.New("rnn: layer_norm: want none with peephole, clip, coupled or an activation")
	}
	return nil
}

// validateActivation is Validate of a built-in cell's.
func (c Config) validateActivation() error {
	if c.Cell == "rnn" && c.Activation == "tanh" { // as files had it
		return nil
	}
	want, err := SpellActivation(c.Cell, c.Activation)
	if err == nil && want != c.Activation {
		err = fmt.Errorf("rnn: activation %.80q: want %q, which is the same", c.Activation, want)
	}
	return err
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

// withDefaults spells out what the empty fields mean, and tanh of an rnn as "".
func (c Config) withDefaults() Config {
	if c.Direction == "" {
		c.Direction = Forward
	}
	if c.Merge == "" && c.Direction == Bidirectional {
		c.Merge = Concat
	}
	if c.Cell == "rnn" && c.Activation == "tanh" {
		c.Activation = ""
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

// HSize is the width of h: P, or H without a projection.
func (c Config) HSize() int {
	if c.Projection > 0 {
		return c.Projection
	}
	return c.Hidden
}

// OutputSize is the width of one output: that of h, twice that where two directions
// are concatenated.
func (c Config) OutputSize() int {
	if c.Direction == Bidirectional && (c.Merge == Concat || c.Merge == "") {
		return 2 * c.HSize()
	}
	return c.HSize()
}

// StateSize is the number of floats that hold the state of one stream.
func (c Config) StateSize() int {
	return c.Layers * c.Directions() * c.stateOf(len(c.layout().State))
}

// stateOf is the floats of a layer's and direction's state of so many vectors.
func (c Config) stateOf(vectors int) int { return c.HSize() + (vectors-1)*c.Hidden }

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
