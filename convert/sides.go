package convert

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"sluice/model"
	"sluice/nn"
)

// newSide is the side of a file.
func newSide(ctx context.Context, m *model.Model, path string, o VerifyOptions) (side, error) {
	f, err := open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if f.format == Recorded {
		if err := o.Import.fit(f.format, false); err != nil {
			return nil, err
		}
		return newRecorded(m, path)
	}
	own := f.format == Sluice
	if f.format == ONNXGraph {
		graph, err := f.graph()
		if err != nil {
			return nil, err
		}
		m, _ := ownONNX(graph)
		own = m != nil
	}
	if err := o.Import.fit(f.format, own); err != nil {
		return nil, err
	}
	var other *model.Model
	if o.Python == "" || own {
		if other, _, err = f.model(o.Import.of(m), false); err != nil {
			return nil, err
		}
		if what := shapeOf(m, other); what != "" {
			return nil, fmt.Errorf("convert: another kind of model: %s", what)
		}
		a, b := m.RNN, other.RNN
		if f.format == Sluice && o.Python != "" && (a.Cell != b.Cell || a.Activation != b.Activation || a.Reset != b.Reset || a.Merge != b.Merge || m.Pool != other.Pool) {
			return nil, fmt.Errorf("convert: another kind of model, which PyTorch would run as this one: want it without Python")
		}
	}
	if o.Python == "" {
		return &sluiceSide{m: other, p: other.Pack(), team: nn.NewTeam(1), of: f.format}, nil
	}
	python, err := StartPython(ctx, o.Python)
	if err != nil {
		return nil, err
	}
	s, err := f.side(m, python, o)
	if err != nil {
		python.Close()
	}
	return s, err
}

// of adds to options what a model of the same kind tells.
func (o Options) of(m *model.Model) Options {
	if o.Task == "" {
		o.Task = m.Task
	}
	if o.Names.Vocab == nil {
		o.Names = m.Names
	}
	if o.Pool == "" {
		o.Pool = m.Pool
	}
	if o.Activation == "" && m.RNN.Cell == "rnn" && m.RNN.Activation == "relu" {
		o.Activation = m.RNN.Activation
	}
	return o
}

// shapeOf says in what two models that are to be compared differ, "" if in nothing
// that inputs and outputs show.
func shapeOf(a, b *model.Model) string {
	if a.Task != b.Task {
		return fmt.Sprintf("task %s there, %s here", b.Task, a.Task)
	}
	for _, f := range []struct {
		what string
		a, b int
	}{
		{"symbols", vocabSize(a), vocabSize(b)}, {"numbers read", a.Features, b.Features}, {"labels", len(a.Labels), len(b.Labels)},
		{"values", a.Outputs, b.Outputs}, {"floats of state", a.RNN.StateSize(), b.RNN.StateSize()},
	} {
		if f.a != f.b {
			return fmt.Sprintf("%d %s there, %d here", f.b, f.what, f.a)
		}
	}
	return ""
}

func vocabSize(m *model.Model) int {
	if m.Vocab == nil {
		return 0
	}
	return m.Vocab.Size()
}

// side runs the file in its own runtime.
func (f *file) side(m *model.Model, python *Python, o VerifyOptions) (side, error) {
	runs := peerSide{python: python, m: m, path: f.path}
	switch f.format {
	case Sluice, SafeTensors, Torch:
		if err := fitsPyTorch(m); err != nil {
			return nil, err
		}
		if a := o.Import.Activation; a != "" && a != cmp.Or(m.RNN.Activation, "tanh") {
			return nil, fmt.Errorf("convert: activation %s: the model it is compared with has %s", a, cmp.Or(m.RNN.Activation, "tanh"))
		}
		names, err := f.names(m, o.Import)
		return &torchSide{runs, f.format != Torch, names}, err
	case ONNXGraph:
		return f.onnxSide(runs, o)
	}
	return f.kerasSide(runs, o)
}

// plainSide is what most sides are in most ways.
type plainSide struct{}

func (plainSide) close() error       { return nil }
func (plainSide) gradients() bool    { return false }
func (plainSide) activation() string { return "" }
func (plainSide) padding() string    { return "" }
func (plainSide) notes() []string    { return nil }

func (plainSide) trials(m *model.Model, seed uint64) []trial { return trials(m, seed, false) }

// peerSide is a file in its own runtime.
type peerSide struct {
	plainSide
	python *Python
	m      *model.Model
	path   string
}

func (s *peerSide) close() error { return s.python.Close() }

// onnxSide is a graph that ONNX has written, in ONNX Runtime.
type onnxSide struct {
	peerSide
	stateful bool
}

func (s *onnxSide) padding() string {
	return "ONNX Runtime: past a row's length outputs of a layer are zeros, states those of its last step"
}

func (s *onnxSide) trials(m *model.Model, seed uint64) []trial {
	return trials(m, seed, s.stateful)
}

func (s *onnxSide) run(_ context.Context, t trial) (arrays, string, error) {
	if t.state != nil && !s.stateful {
		return nil, "", skip{fmt.Errorf("the graph has no state as an input")}
	}
	inputs := t.inputs(s.m)
	if s.stateful && t.state == nil {
		inputs.states(s.m.RNN, "_0", make([]float32, t.batch.B*s.m.RNN.StateSize()), t.batch.B)
	}
	if t.history == nil && t.batch.Lengths == nil && s.m.Task != model.LM && s.m.Task != model.Forecast {
		inputs["lengths"] = array{[]int{t.batch.B}, ints32(slices.Repeat([]int{t.batch.T}, t.batch.B))}
	}
	out, runtime, err := s.python.run(job{Kind: "onnx", File: s.path, Task: s.m.Task}, inputs)
	if changes, ok := out["changes"].Data.([]float32); ok { // from the last step of the window on
		last := (s.m.Forecast.Window - 1) * t.batch.B * s.m.Features
		out["changes"] = array{[]int{s.m.Forecast.Horizon, t.batch.B, s.m.Features}, changes[last:]}
	}
	return out, runtime, err
}

// torchSide is the module that PyTorch makes of the model, with the tensors of a file.
type torchSide struct {
	peerSide
	safe   bool              // the file is a safetensors one
	theirs map[string]string // our tensors to those of the file
}

func (s *torchSide) notes() []string {
	return []string{"PyTorch runs the module that export writes of a, with the tensors of b"}
}

func (s *torchSide) gradients() bool {
	return s.m.Task != model.Forecast && !s.m.CRF && len(s.m.Cutoffs) == 0
}

func (s *torchSide) padding() string {
	return "PyTorch: rows of different lengths are packed (pack_padded_sequence); outputs past a length are zeros, states those of the last step"
}

func (s *torchSide) run(_ context.Context, t trial) (arrays, string, error) {
	inputs := t.inputs(s.m)
	if s.gradients() {
		t.wanted(s.m, inputs)
	}
	return s.python.run(job{Kind: "pytorch", File: s.path, Task: s.m.Task, Output: output(s.m), Code: pythonClass(s.m), Names: s.theirs, Safe: s.safe}, inputs)
}

// names are our tensors to those of a state dict, "" for one that is zeros there.
func (f *file) names(m *model.Model, o Options) (map[string]string, error) {
	d, err := f.stateDict()
	if err != nil {
		return nil, err
	}
	whole := *m
	whole.Precision = nn.Float32
	_, tensors, err := whole.Contents()
	if err != nil {
		return nil, fmt.Errorf("convert: %w", err)
	}
	names, own := map[string]string{}, true
	for _, t := range tensors {
		_, ok := d.tensors[t.Name]
		own = own && ok
		names[t.Name] = t.Name
	}
	var wrongs []string
	if own {
		if _, err := d.like(m, o.Ignore); err != nil {
			return nil, err
		}
	} else {
		p, err := d.parts(o.of(m))
		if err != nil {
			return nil, err
		}
		wrongs = p.without(m, names)
		for name := range names {
			names[name] = p.from[name]
		}
	}
	if m.Tied {
		names["head.weight"] = names["embed.weight"]
	}
	for _, t := range tensors {
		switch theirs, ok := d.tensors[names[t.Name]]; {
		case ok && !slices.Equal(theirs.shape, t.Shape):
			wrongs = append(wrongs, fmt.Sprintf("%.80q is %v, want %v", names[t.Name], theirs.shape, t.Shape))
		case !ok && !strings.Contains(t.Name, "bias"):
			wrongs = append(wrongs, fmt.Sprintf("%s %v has no equal", t.Name, t.Shape))
		}
	}
	if len(wrongs) > 0 {
		return nil, fmt.Errorf("convert: another kind of model: %s", strings.Join(wrongs[:min(len(wrongs), mostWrongs)], "; "))
	}
	for name, theirs := range names {
		if theirs != "" {
			names[name] = d.under + theirs
		}
	}
	return names, nil
}

// without lists what of the parts has no equal in a model of such tensors.
func (p *Parts) without(m *model.Model, names map[string]string) (wrongs []string) {
	for _, ours := range slices.Sorted(maps.Keys(p.from)) {
		switch _, ok := names[ours]; {
		case ok:
		case !m.Tied || ours != "head.weight":
			wrongs = append(wrongs, fmt.Sprintf("%.80q, which is %s, has no equal", p.from[ours], ours))
		case p.Embed != nil && !same(p.Embed.Data, p.Head.Weight.Data):
			wrongs = append(wrongs, fmt.Sprintf("%.80q is not %.80q, to which it is tied here", p.from[ours], p.from["embed.weight"]))
		}
	}
	return wrongs
}

// sluiceSide is another model, run here.
type sluiceSide struct {
	plainSide
	m    *model.Model
	p    *model.Packed
	team *nn.Team
	of   Format
}

func (s *sluiceSide) close() error {
	s.team.Close()
	return nil
}

func (s *sluiceSide) gradients() bool { return s.m.Precision.Trains() && s.m.Task != model.Forecast }

func (s *sluiceSide) run(_ context.Context, t trial) (arrays, string, error) {
	a, err := t.ours(s.m, s.p, s.team, s.gradients())
	runtime := "Sluice"
	if s.of != Sluice {
		runtime = fmt.Sprintf("Sluice, its own reading of a file of format %s", s.of)
	}
	return a, runtime, err
}

// recordedSide is a trial and what came of it elsewhere.
type recordedSide struct {
	plainSide
	trial   trial
	results arrays
}

func (s *recordedSide) trials(*model.Model, uint64) []trial { return []trial{s.trial} }

func (s *recordedSide) gradients() bool {
	return s.trial.batch.Targets != nil || s.trial.batch.Values != nil
}

func (s *recordedSide) run(context.Context, trial) (arrays, string, error) {
	return maps.Clone(s.results), "what was recorded", nil
}
