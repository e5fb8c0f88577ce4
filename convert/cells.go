package convert

import (
	"fmt"

	"sluice/rnn"
)

// fitsONNXCell is fitsONNX of what a cell has beside the standard one.
func fitsONNXCell(name string, c rnn.Config) error { return nil }

// attributesOf are those of what a cell has beside the standard one.
func attributesOf(a attrs, c rnn.Config) {
	if c.Activation == "relu" {
		a["activations"] = []string{"Relu"}
		if c.Directions() == 2 {
			a["activations"] = []string{"Relu", "Relu"}
		}
	}
}

var _ = fmt.Sprint
