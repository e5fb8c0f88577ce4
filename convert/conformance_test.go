package convert

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/data"
	"sluice/model"
	"sluice/rnn"
)

// pythonVar names the interpreter that has numpy, and onnxruntime, torch or keras: see
// conformance.sh. Without it what runs in the runtimes of others is left out.
const pythonVar = "SLUICE_PYTHON"

// peer is a running interpreter.
func peer(t *testing.T) *Python {
	t.Helper()
	program := os.Getenv(pythonVar)
	if program == "" {
		t.Skipf("%s names no interpreter", pythonVar)
	}
	p, err := StartPython(context.Background(), program)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// stacks are cells × variants × layers × directions.
func stacks() (all []rnn.Config) {
	for _, cell := range []rnn.Config{
		{Cell: "rnn", Biases: 2}, {Cell: "rnn", Activation: "relu", Biases: 1},
		{Cell: "gru", Reset: rnn.ResetAfter, Biases: 2}, {Cell: "gru", Reset: rnn.ResetAfter, Biases: 1},
		{Cell: "gru", Reset: rnn.ResetBefore, Biases: 2}, {Cell: "gru", Reset: rnn.ResetBefore, Biases: 1},
		{Cell: "lstm", Biases: 2}, {Cell: "lstm", Biases: 1},
		{Cell: "lstm", Biases: 2, Peephole: true}, {Cell: "lstm", Biases: 1, Coupled: true, Peephole: true, Clip: 0.5},
		{Cell: "lstm", Biases: 2, Projection: 4},
		{Cell: "lstm", Biases: 2, Activation: "hard_sigmoid(0.3,0.4) softsign scaled_tanh(0.7,0.5)"},
		{Cell: "gru", Reset: rnn.ResetBefore, Biases: 2, Activation: "hard_sigmoid relu", Clip: 2},
		{Cell: "gru", Reset: rnn.ResetAfter, Biases: 2, Activation: "sigmoid leaky_relu(0.1)"},
		{Cell: "rnn", Biases: 1, Activation: "elu(0.5)"},
	} {
		for _, layers := range []int{1, 3} {
			for _, d := range []struct {
				direction rnn.Direction
				merge     rnn.Merge
			}{{rnn.Forward, ""}, {rnn.Backward, ""}, {rnn.Bidirectional, rnn.Concat}, {rnn.Bidirectional, rnn.Sum}, {rnn.Bidirectional, rnn.Average}, {rnn.Bidirectional, rnn.Multiply}} {
				c := cell
				if special(c) && (d.merge == rnn.Average || d.merge == rnn.Multiply) {
					continue
				}
				c.Hidden, c.Layers, c.Direction, c.Merge = 6, layers, d.direction, d.merge
				all = append(all, c)
			}
		}
	}
	return all
}

// special says whether a cell is another than the textbook's.
func special(c rnn.Config) bool {
	return c.Peephole || c.Coupled || c.Projection > 0 || c.Clip > 0 || c.Activation != "" && c.Activation != "relu"
}

// specs are models of each task around a stack.
func specs(c rnn.Config) (all []model.Spec) {
	all = append(all, model.Spec{Task: model.Tag, Embed: 4, RNN: c}, model.Spec{Task: model.Tag, Features: 3, RNN: c})
	concat := c.Direction != rnn.Bidirectional || c.Merge == rnn.Concat
	for _, pool := range []string{model.PoolLast, model.PoolMean, model.PoolMax, model.PoolAttention} {
		if concat || pool != model.PoolLast {
			all = append(all, model.Spec{Task: model.Classify, Pool: pool, RNN: c})
		}
	}
	all = append(all, model.Spec{Task: model.Tag, Embed: 4, CRF: true, Chars: model.Chars{Embed: 3, Hidden: 2}, RNN: c})
	if c.Direction == rnn.Forward {
		all = append(all,
			model.Spec{Task: model.LM, RNN: c}, model.Spec{Task: model.LM, Embed: 5, RNN: c}, model.Spec{Task: model.LM, Embed: c.OutputSize(), Tied: true, RNN: c},
			model.Spec{Task: model.Regress, Features: 2, Outputs: 3, RNN: c}, model.Spec{Task: model.Regress, Features: 2, Embed: 4, Outputs: 1, RNN: c},
			model.Spec{Task: model.Forecast, Forecast: model.ForecastOf{Window: 6, Horizon: 4}, RNN: c},
			model.Spec{Task: model.Forecast, Embed: 4, Forecast: model.ForecastOf{Window: 6, Horizon: 4}, RNN: c})
		if c.Layers == 1 && c.Cell != "lstm" {
			f := model.ForecastOf{Window: 6, Horizon: 4, Segment: 2}
			all = append(all, model.Spec{Task: model.Forecast, Embed: 4, Forecast: f, RNN: c})
			f.Quantiles = []float64{0.1, 0.5, 0.9}
			all = append(all, model.Spec{Task: model.Forecast, Embed: 4, Forecast: f, RNN: c})
		}
	}
	return all
}

// modelOf is a model of a spec with weights of its own.
func modelOf(t testing.TB, s model.Spec) *model.Model {
	t.Helper()
	n := model.Names{}
	var err error
	vocab := func(kind, symbols string) *data.Vocab {
		v, e := data.NewVocab(kind, "error", strings.Fields(symbols))
		if e != nil {
			t.Fatal(e)
		}
		return v
	}
	switch {
	case s.Task == model.Forecast:
		n.Series = &model.Series{Names: []string{"up", "down"}, Scaler: data.Scaler{Mean: []float64{10, -2}, Std: []float64{2, 0.5}}}
	case s.Features == 0:
		n.Vocab = vocab("word", "oat rye barley tar tarn seven 7")
	}
	if s.Chars.Embed > 0 {
		n.Characters = vocab("char", "o a t r y e b l")
	}
	switch s.Task {
	case model.Tag:
		n.Labels = []string{"O", "B-x", "I-x"}
	case model.Classify:
		n.Labels = []string{"even", "odd", "none", "both"}
	}
	m, err := model.New(s, n)
	if err == nil {
		err = m.Init(rnn.Init{}, 7)
	}
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func specName(s model.Spec) string {
	name := fmt.Sprintf("%s-%s%s-%s%s%d", s.Task, s.RNN.Cell, s.RNN.Activation, s.RNN.Reset, s.RNN.Direction, s.RNN.Layers)
	name += fmt.Sprintf("-%v-%v-%d-%v", s.RNN.Peephole, s.RNN.Coupled, s.RNN.Projection, s.RNN.Clip)
	return name + fmt.Sprintf("-b%d-%s%s-E%dF%d-%v-w%d-q%d", s.RNN.Biases, s.RNN.Merge, s.Pool, s.Embed, s.Features, s.Tied, s.Forecast.Segment, len(s.Forecast.Quantiles))
}

// wantClose wants all of a report to be within a tolerance.
func wantClose(t *testing.T, r *Report, err error, worst map[string]float64) {
	t.Helper()
	if err != nil {
		t.Error(err)
		return
	}
	for _, d := range r.Differences {
		if worst[d.What] = max(worst[d.What], d.Relative()); !d.Within(1e-5) {
			t.Errorf("%s of %q differ by %v of %v: %s", d.What, d.Trial, d.Most, d.Scale, d.Name)
		}
	}
}

func TestONNXRuntime(t *testing.T) {
	python, worst := peer(t), map[string]float64{}
	n := 0
	for j, c := range stacks() {
		for i, s := range specs(c) {
			if testing.Short() && (i+j)%5 != 0 {
				continue
			}
			for _, o := range []ONNXOptions{{Opset: 14, Stateful: true}, {Opset: 22}, {Opset: 18}, {Opset: 22, Stateful: true}} {
				if s.Task == model.Forecast && o.Stateful != (s.Forecast.Segment == 0) || (o.Opset == 18 || o.Opset == 22 && o.Stateful) && i > 0 {
					continue
				}
				m := modelOf(t, s)
				path := filepath.Join(t.TempDir(), "m.onnx")
				var b bytes.Buffer
				if _, err := ONNX(&b, m, o); err != nil {
					if c.Projection == 0 {
						t.Fatal(err)
					}
					continue
				}
				if err := os.WriteFile(path, b.Bytes(), 0o666); err != nil {
					t.Fatal(err)
				}
				t.Run(fmt.Sprintf("%s/%d/%v", specName(s), o.Opset, o.Stateful), func(t *testing.T) {
					n++
					side := &onnxSide{peerSide{python: python, m: m, path: path}, o.Stateful}
					r, err := verify(t.Context(), m, side, side.trials(m, 1), nil)
					wantClose(t, r, err, worst)
				})
			}
		}
	}
	t.Logf("%d models: largest differences %v", n, worst)
}

func TestPyTorchRuntime(t *testing.T) {
	python, worst := peer(t), map[string]float64{}
	n := 0
	for _, c := range stacks() {
		for _, s := range specs(c) {
			m := modelOf(t, s)
			whole, _, err := PyTorch(m, "m.safetensors")
			if err != nil {
				continue
			}
			path := filepath.Join(t.TempDir(), "m.safetensors")
			if err := whole.Save(path); err != nil {
				t.Fatal(err)
			}
			t.Run(specName(s), func(t *testing.T) {
				n++
				f, err := open(path)
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
				side := &torchSide{peerSide: peerSide{python: python, m: m, path: path}, safe: true}
				if side.theirs, err = f.names(m, Options{}); err != nil {
					t.Fatal(err)
				}
				r, err := verify(t.Context(), m, side, side.trials(m, 1), nil)
				wantClose(t, r, err, worst)
			})
		}
	}
	t.Logf("%d models: largest differences %v", n, worst)
}

// TestOthers runs files of others in their own runtimes and as what is read of them.
func TestOthers(t *testing.T) {
	python, worst := peer(t), map[string]float64{}
	var files []string
	for _, pattern := range []string{"testdata/onnx/*.onnx", "testdata/keras/*.keras"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	n := 0
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			p, err := Open(path, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if p.Head == nil {
				t.Skip("without a head it is no model")
			}
			o := Options{Task: model.Tag}
			if p.Pool != EveryStep {
				o.Task = model.Classify
			}
			m, err := p.Model(o)
			if err != nil && strings.Contains(err.Error(), "a model here has one cell, width and direction") {
				t.Skip(err)
			}
			if err != nil {
				t.Fatal(err)
			}
			f, err := open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			s, err := f.side(m, python, VerifyOptions{})
			if err != nil {
				t.Fatal(err)
			}
			r, err := verify(t.Context(), m, s, s.trials(m, 1), nil)
			if err != nil && (strings.Contains(err.Error(), "layout == 1") || strings.Contains(err.Error(), "time_major")) {
				t.Skip(err) // ONNX Runtime has no layout 1, Keras 3 no time_major
			}
			wantClose(t, r, err, worst)
			n++
		})
	}
	t.Logf("%d models: largest differences %v", n, worst)
}
