package main

import (
	"fmt"
	"unicode"

	"sluice/look/picture"
	"sluice/train"
)

// title is the curve's: what was trained on what, as far as its fonts can
// write it.
func title(j job) string {
	name := j.source.name
	for _, r := range name {
		if r > unicode.MaxLatin1 {
			name = "a text"
			break
		}
	}
	return fmt.Sprintf("%s %d on %s", j.config.Model.RNN.Cell, j.config.Model.RNN.Hidden, name)
}

// curveOf is the picture of a run's epochs, of which one is kept.
func curveOf(title string, g gauge, curve []train.Epoch, kept int) *picture.Curve {
	c := &picture.Curve{Title: title, Measure: g.name + " (log scale)", Kept: kept}
	for _, e := range curve {
		c.Training = append(c.Training, g.of(e.Loss))
		if e.HeldOutLoss != 0 {
			c.HeldOut = append(c.HeldOut, g.of(e.HeldOutLoss))
		}
	}
	return c
}
