package convert

import (
	"context"
	"fmt"
	"slices"

	"sluice/model"
)

// kerasSide is a model in Keras.
type kerasSide struct {
	peerSide
	said        string
	masked      *float32 // the symbol or number that fills sequences up, nil without
	rows, steps int      // of its input where they are fixed, 0 not
}

// kerasSide is the side of a Keras file.
func (f *file) kerasSide(runs peerSide, o VerifyOptions) (side, error) {
	p, err := readKeras(f, f.size, o.Import.of(runs.m))
	if err != nil {
		return nil, err
	}
	if !p.whole {
		return nil, fmt.Errorf("convert: weights alone, which Keras cannot run: want a whole model (.keras, .h5), or Sluice's own reading, without Python")
	}
	return &kerasSide{runs, p.Activation, p.masked, p.rows, p.steps}, nil
}

func (s *kerasSide) activation() string { return s.said }

func (s *kerasSide) padding() string {
	if s.masked != nil {
		return fmt.Sprintf("Keras: a step of %v is masked wherever it stands; past a row's end the last output is repeated, or zeros after a Bidirectional", *s.masked)
	}
	return "Keras: nothing is masked, all steps of all rows are read"
}

// trials have the sizes that the model has fixed, and what is masked past a row's length
// alone.
func (s *kerasSide) trials(m *model.Model, seed uint64) []trial {
	r := newDrawing(m, seed)
	r.rows, r.steps = s.rows, s.steps
	all := r.trials(false)
	if s.masked == nil {
		return all
	}
	for _, t := range all {
		for i := range t.batch.Data {
			if !within(t.batch, i/m.Features) {
				t.batch.Data[i] = *s.masked
			}
		}
		for i, id := range t.batch.IDs {
			if t.batch.IDs[i] = max(1, id); !within(t.batch, i) {
				t.batch.IDs[i] = 0
			}
		}
	}
	return slices.DeleteFunc(all, func(t trial) bool { return t.name == "zeros" })
}

func (s *kerasSide) run(_ context.Context, t trial) (arrays, string, error) {
	switch {
	case t.state != nil:
		return nil, "", skip{fmt.Errorf("there it begins with zeros")}
	case t.batch.Lengths != nil && s.masked == nil:
		return nil, "", skip{fmt.Errorf("nothing masks steps")}
	}
	inputs := t.inputs(s.m)
	delete(inputs, "lengths")
	return s.python.run(job{Kind: "keras", File: s.path, Task: s.m.Task, Output: output(s.m), Steps: len(t.shape(s.m)) == 3}, inputs)
}
