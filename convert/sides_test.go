package convert

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sluice/model"
	"sluice/nn"
	"sluice/rnn"
	"sluice/safetensors"
)

// saved is a state dict of a model's tensors, whose names are changed: old, new, …
func saved(t *testing.T, m *model.Model, more []safetensors.Tensor, rename ...string) string {
	t.Helper()
	_, tensors, err := m.Contents()
	if err != nil {
		t.Fatal(err)
	}
	tensors = append(tensors, more...)
	for i := range tensors {
		tensors[i].Name = strings.NewReplacer(rename...).Replace(tensors[i].Name)
	}
	var b bytes.Buffer
	if err := safetensors.Write(&b, nil, tensors); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "b.safetensors")
	if err := os.WriteFile(path, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// Each tensor of a state dict that PyTorch runs stands for one of the model that it is
// compared with.
func TestPyTorchNames(t *testing.T) {
	c := rnn.Config{Cell: "gru", Reset: rnn.ResetAfter, Biases: 2, Hidden: 5, Layers: 1, Direction: rnn.Forward}
	two := c
	two.Layers = 2
	one, deep := modelOf(t, model.Spec{Task: model.LM, Embed: 5, RNN: c}), modelOf(t, model.Spec{Task: model.LM, Embed: 5, RNN: two})
	tied := modelOf(t, model.Spec{Task: model.LM, Embed: 5, Tied: true, RNN: c})
	embed := tied.Tensors()[slices.IndexFunc(tied.Tensors(), func(t nn.Tensor) bool { return t.Name == "embed.weight" })]
	same, other := slices.Clone(embed.Data), slices.Clone(embed.Data)
	other[3]++
	head := func(data []float32) []safetensors.Tensor {
		return []safetensors.Tensor{{Name: "head.weight", Shape: embed.Shape, Data: data}}
	}
	theirs := []string{"embed", "encoder", "head", "decoder", "rnn.", "gru."}
	for name, b := range map[string]struct {
		m    *model.Model
		path string
		want string // of the error, "" without
	}{
		"own":               {one, saved(t, one, nil), ""},
		"theirs":            {one, saved(t, one, nil, theirs...), ""},
		"own, deeper":       {one, saved(t, deep, nil), `without use: "rnn.bias_hh_l1"`},
		"theirs, deeper":    {one, saved(t, deep, nil, theirs...), `"gru.weight_ih_l1", which is rnn.weight_ih_l1, has no equal`},
		"theirs, shallower": {deep, saved(t, one, nil, theirs...), `rnn.weight_ih_l1 [15 5] has no equal`},
		"tied":              {tied, saved(t, tied, nil), ""},
		"tied, saved":       {tied, saved(t, tied, head(same)), ""},
		"tied, theirs":      {tied, saved(t, tied, head(same), theirs...), ""},
		"untied":            {tied, saved(t, tied, head(other)), "head.weight is not embed.weight, to which it is tied"},
		"untied, theirs":    {tied, saved(t, tied, head(other), theirs...), `"decoder.weight" is not "encoder.weight", to which it is tied here`},
	} {
		f, err := open(b.path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		names, err := f.names(b.m, Options{})
		switch {
		case b.want != "":
			refused(t, name, err, b.want)
		case err != nil || len(names) < len(b.m.Tensors()):
			t.Errorf("%s: %v, %v", name, names, err)
		}
	}
}

// Scores past a row's length are anything, as float32 or float64.
func TestRecordedScores(t *testing.T) {
	m := modelOf(t, model.Spec{Task: model.Tag, Embed: 4, RNN: rnn.Config{Cell: "rnn", Biases: 2, Hidden: 3, Layers: 1, Direction: rnn.Forward}})
	team := nn.NewTeam(1)
	defer team.Close()
	r := trials(m, 1, false)[6]
	a, err := r.ours(m, m.Pack(), team, false)
	if err != nil {
		t.Fatal(err)
	}
	scores := a["scores"].Data.([]float32)
	double := make([]float64, len(scores))
	for i := range scores {
		if !within(r.batch, i/len(m.Labels)) {
			scores[i] = 7
		}
		double[i] = float64(scores[i])
	}
	for _, data := range []any{scores, double} {
		all := r.inputs(m)
		all["scores"] = array{a["scores"].Shape, data}
		path := filepath.Join(t.TempDir(), "recorded.npz")
		if err := all.write(path); err != nil {
			t.Fatal(err)
		}
		report, err := Verify(t.Context(), m, path, VerifyOptions{})
		if err != nil || report.Trials[0] != "recorded inputs" || !report.Within(1e-6) {
			t.Errorf("%T: %+v, %v", data, report, err)
		}
	}
}

// What an option says is used, or refused.
func TestOptionsUsed(t *testing.T) {
	c := rnn.Config{Cell: "rnn", Activation: "relu", Biases: 2, Hidden: 5, Layers: 1, Direction: rnn.Forward}
	m := modelOf(t, model.Spec{Task: model.Classify, Pool: model.PoolLast, Features: 3, Embed: 4, RNN: c})
	recorded := filepath.Join(t.TempDir(), "recorded.npz")
	r := trials(m, 1, false)[0]
	all := r.inputs(m)
	all["logits"] = array{r.shape(m), make([]float32, len(m.Labels))}
	if err := all.write(recorded); err != nil {
		t.Fatal(err)
	}
	for option, o := range map[string]Options{
		"task": {Task: model.Tag}, "head": {Head: "nosuch"}, "reset": {Reset: rnn.ResetBefore},
		"ignore": {Ignore: []string{"x"}}, "like": {Like: m}, "pool": {Pool: model.PoolMean}, "activation": {Activation: "relu"},
	} {
		_, err := Verify(t.Context(), m, recorded, VerifyOptions{Import: o})
		if want := recorded + ": convert: option " + option + ": of no use to a file of format npz"; err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if _, err := Verify(t.Context(), m, recorded, VerifyOptions{}); err != nil {
		t.Error(err)
	}

	dict := saved(t, m, nil)
	o := Options{Task: model.Classify, Input: "input", Activation: "relu"}
	report, err := Verify(t.Context(), m, dict, VerifyOptions{Import: Options{Input: "input"}})
	if err != nil || !report.Within(0) {
		t.Errorf("an activation that the model says: %+v, %v", report, err)
	}
	for embed, want := range map[string]string{"": "", "none": "", "nosuch": `embed "nosuch" beside input "input"`} {
		o.Embed = embed
		if _, _, err := Import(dict, o); err == nil != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("embed %q: %v, want %q", embed, err, want)
		}
	}
}

// What a state dict does not say and no option does is said by a note.
func TestStateDictNotes(t *testing.T) {
	c := rnn.Config{Cell: "gru", Reset: rnn.ResetAfter, Biases: 2, Hidden: 5, Layers: 1, Direction: rnn.Forward}
	dict := saved(t, modelOf(t, model.Spec{Task: model.Classify, Pool: model.PoolMax, Features: 3, RNN: c}), nil)
	for _, o := range []struct {
		Options
		want string
	}{
		{Options{Task: model.Classify}, "what its head reads: here it is the last step's output (pool)"},
		{Options{Task: model.Classify, Pool: model.PoolLast}, ""},
		{Options{Task: model.Tag}, ""},
	} {
		_, notes, err := Import(dict, o.Options)
		if err != nil || (len(notes) > 0) != (o.want != "") || !strings.Contains(strings.Join(notes, ""), o.want) {
			t.Errorf("%+v: notes %q, %v, want %q", o.Options, notes, err, o.want)
		}
	}
}
