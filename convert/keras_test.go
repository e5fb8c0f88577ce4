package convert

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sluice/convert/internal/kerasfile"
	"sluice/model"
	"sluice/rnn"
)

// edited is a .keras of the golden ones with replacements in its config: old, new, …
func edited(t *testing.T, file string, replace ...string) []byte {
	t.Helper()
	z, err := zip.OpenReader(filepath.Join(kerasFolder, file))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	var b bytes.Buffer
	out := zip.NewWriter(&b)
	for _, m := range z.File {
		content := member(t, m)
		for i := 0; m.Name == "config.json" && i < len(replace); i += 2 {
			if !strings.Contains(content, replace[i]) {
				t.Fatalf("no %q in the config of %s", replace[i], file)
			}
			content = strings.ReplaceAll(content, replace[i], replace[i+1])
		}
		w, err := out.Create(m.Name)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, content)
	}
	out.Close()
	return b.Bytes()
}

func member(t *testing.T, m *zip.File) string {
	t.Helper()
	r, err := m.Open()
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// weightsIn are the weights in a .keras, as save_weights would write them.
func weightsIn(t *testing.T, file string) []byte {
	t.Helper()
	z, err := zip.OpenReader(filepath.Join(kerasFolder, file))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	for _, m := range z.File {
		if m.Name == "model.weights.h5" {
			return []byte(member(t, m))
		}
	}
	t.Fatal("no weights")
	return nil
}

func readParts(b []byte, o Options) (*Parts, error) {
	return readKeras(bytes.NewReader(b), int64(len(b)), o)
}

func refused(t *testing.T, name string, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%s: error %v, want one with %q", name, err, want)
		return
	}
	if !strings.HasPrefix(err.Error(), "convert: ") || strings.ContainsAny(err.Error(), "\r\n") {
		t.Errorf("%s: error %q", name, err)
	}
}

func TestKerasRefusals(t *testing.T) {
	const gru, lstm, bi, head = "gru_after_1_forward_masking_steps.keras", "lstm_1_forward_masked_last.keras", "gru_after_1_mul_ids_mean.keras", "relu.keras"
	const numbers = "masked_numbers.keras"
	for name, c := range map[string]struct {
		file    string
		replace []string
		want    string
	}{
		"two outputs":      {bi, []string{`"merge_mode": "mul"`, `"merge_mode": null`}, `merge_mode "<nil>", want concat, sum, ave or mul`},
		"last of a merge":  {"gru_after_1_ave_masking_mean.keras", []string{`"return_sequences": true`, `"return_sequences": false`, `"GlobalAveragePooling1D"`, `"Dropout"`}, "merged by average, want concat"},
		"backwards":        {gru, []string{`"go_backwards": false`, `"go_backwards": true`}, "go_backwards with return_sequences"},
		"both backwards":   {bi, []string{`"go_backwards": false`, `"go_backwards": true`}, "go_backwards is true and true of its layers"},
		"sequences":        {bi, []string{`"go_backwards": true`, `"go_backwards": true, "return_sequences": false`}, "return_sequences differs"},
		"activation":       {lstm, []string{`"activation": "tanh"`, `"activation": "gelu"`}, `activation "gelu" has no equal here`},
		"units":            {gru, []string{`"units": 5`, `"units": 6`}, `units "6"`},
		"reset":            {gru, []string{`"reset_after": true`, `"reset_after": false`}, "bias [2 15], want [15]"},
		"missing bias":     {"gru_after_nobias.keras", []string{`"use_bias": false`, `"use_bias": true`}, `"bias" of "forward_gru_18" is missing; "bias" of "backward_gru_18" is missing`},
		"unused bias":      {gru, []string{`"use_bias": true`, `"use_bias": false`}, `"bias" [2 15] of "gru" is without use`},
		"own function":     {lstm, []string{`"activation": "tanh"`, `"activation": {"class_name": "function", "config": "tanh"}`}, "has no equal here"},
		"head":             {head, []string{`"activation": "linear"`, `"activation": "tanh"`}, `activation "tanh" of 2 outputs`},
		"sigmoids":         {head, []string{`"activation": "linear"`, `"activation": "sigmoid"`}, `activation "sigmoid" of 2 outputs`},
		"before":           {head, []string{`"activation": "relu"`, `"activation": "linear"`}, `activation "linear" before the recurrent layers, want relu`},
		"quantised":        {head, []string{`"quantization_config": null`, `"quantization_config": {}`}, "quantised"},
		"other layer":      {numbers, []string{`"class_name": "GlobalAveragePooling1D"`, `"class_name": "LayerNormalization"`}, `of class LayerNormalization: has no equal here`},
		"pool":             {numbers, []string{`"channels_last", "keepdims": false`, `"channels_last", "keepdims": true`}, "keepdims true"},
		"format":           {numbers, []string{`"channels_last"`, `"channels_first"`}, `data_format "channels_first"`},
		"pool first":       {lstm, []string{`"class_name": "Embedding"`, `"class_name": "GlobalAveragePooling1D"`}, "weights of no layer"},
		"wrong cell":       {lstm, []string{`"class_name": "LSTM"`, `"class_name": "CuDNNLSTM"`}, "weights of no layer"},
		"nothing":          {numbers, []string{`"class_name": "Functional"`, `"class_name": "Mine"`}, "want Sequential or Functional"},
		"no recurrent one": {gru, []string{`"class_name": "Masking"`, `"class_name": "Softmax"`}, `of class Softmax: axis <nil>`},
		"no kernel":        {"functional.keras", []string{`"class_name": "Activation"`, `"class_name": "Dense"`, `"activation": "softmax"`, `"use_bias": false`}, `"kernel" of "activation" is missing`},
		"state":            {numbers, []string{`"training": false, "mask"`, `"initial_state": {"class_name": "__tensor__", "config": {"value": [[1.0, 1.0, 1.0, 1.0, 1.0]], "dtype": "float32"}}, "mask"`}, `argument "initial_state" of layer "gru_25"`},
		"second argument":  {numbers, []string{`["masking_7", 0, 0]}}]`, `["masking_7", 0, 0]}}, {"class_name": "__tensor__", "config": {"value": [[1.0]]}}]`}, `argument 2 of layer "gru_25"`},
		"other value":      {numbers, []string{`}}, -9.0]`, `}}, 0.0]`}, `layer "gru_25" is called with mask "any_7"`},
		"own mask":         {numbers, []string{`"class_name": "Masking"`, `"class_name": "Dropout"`}, `layer "gru_25" is called with mask "any_7"`},
		"mask of all":      {numbers, []string{`"axis": -1`, `"axis": null`}, `layer "gru_25" is called with mask "any_7"`},
		"mask of numbers":  {numbers, []string{`["any_7", 0, 0]`, `["not_equal_20", 0, 0]`}, `layer "gru_25" is called with mask "not_equal_20"`},
		"mask of ids":      {"functional.keras", []string{`"mask_zero": true`, `"mask_zero": false`}, `is called with mask "not_equal_18"`},
	} {
		_, err := readParts(edited(t, c.file, c.replace...), Options{})
		refused(t, name, err, c.want)
	}
}

// What a file of weights alone does not say is said by options, or refused.
func TestKerasWeightsAlone(t *testing.T) {
	nobias := weightsIn(t, "gru_before_nobias.keras")
	_, err := readParts(nobias, Options{})
	refused(t, "no bias", err, "want the option Reset, before or after")
	p, err := readParts(nobias, Options{Reset: rnn.ResetBefore})
	if err != nil || p.Stack[0].Reset != rnn.ResetBefore || p.Pool != "" {
		t.Errorf("%+v, %v", p, err)
	}
	sum := weightsIn(t, "gru_before_1_sum_masked_steps.keras")
	if _, err := readParts(sum, Options{}); err == nil {
		t.Error("a head of width H reads two directions")
	}
	p, err = readParts(sum, Options{Merge: rnn.Sum})
	if err != nil || p.Stack[0].Merge != rnn.Sum {
		t.Errorf("%+v, %v", p, err)
	}
	relu := weightsIn(t, "rnn_relu_1_forward_ids_mean.keras")
	p, err = readParts(relu, Options{Activation: "relu"})
	if err != nil || p.Stack[0].Activation != "relu" || p.Pool != model.PoolMean {
		t.Errorf("%+v, %v", p, err)
	}
	for _, file := range []string{"functional.keras", "gru_after_2_concat_masked_mean.keras", "lstm_nobias.keras"} {
		whole, err := kerasOf(t, file)
		if err != nil {
			t.Fatal(err)
		}
		alone, err := readParts(weightsIn(t, file), Options{})
		if err != nil || len(alone.Stack) != len(whole.Stack) {
			t.Errorf("%s: %+v, %v", file, alone, err)
			continue
		}
		for i, n := range whole.Stack {
			if !same(n.Params, alone.Stack[i].Params) || n.Config != alone.Stack[i].Config {
				t.Errorf("%s: layer %d is another one without its config", file, i)
			}
		}
	}
}

// matrix is an array of a shape.
func matrix(name string, shape ...int) kerasfile.Array {
	return kerasfile.Array{Name: name, Shape: shape}
}

// layerOf is a recurrent layer of G gates of the given widths.
func layerOf(class string, x, h, g int) kerasfile.Layer {
	return kerasfile.Layer{Class: class, Arrays: []kerasfile.Array{matrix("kernel", x, g*h), matrix("recurrent_kernel", h, g*h)}}
}

func TestKerasOrder(t *testing.T) {
	embedding := kerasfile.Layer{Class: "Embedding", Arrays: []kerasfile.Array{matrix("embeddings", 9, 3)}}
	dense := kerasfile.Layer{Class: "Dense", Arrays: []kerasfile.Array{matrix("kernel", 5, 2)}}
	gru, lstm, more := layerOf("GRU", 3, 4, 3), layerOf("LSTM", 4, 5, 4), layerOf("GRU", 5, 5, 3)
	for name, c := range map[string]struct {
		layers, first, last []kerasfile.Layer
		want                string
	}{
		"one class": {[]kerasfile.Layer{more, gru}, nil, nil, "GRU GRU"},
		"one way":   {[]kerasfile.Layer{lstm, gru, more}, nil, nil, "GRU LSTM GRU"},
		"no way":    {[]kerasfile.Layer{layerOf("GRU", 7, 7, 3), lstm}, nil, nil, ""},
		"two ways":  {[]kerasfile.Layer{layerOf("GRU", 4, 4, 3), layerOf("LSTM", 4, 4, 4)}, nil, nil, ""},
		"start":     {[]kerasfile.Layer{layerOf("GRU", 3, 5, 3), layerOf("LSTM", 5, 3, 4)}, []kerasfile.Layer{embedding}, nil, "GRU LSTM"},
		"end":       {[]kerasfile.Layer{layerOf("GRU", 3, 5, 3), layerOf("LSTM", 5, 3, 4)}, nil, []kerasfile.Layer{dense}, "LSTM GRU"},
		"too many":  {append(slices.Repeat([]kerasfile.Layer{layerOf("GRU", 4, 4, 3)}, 64), layerOf("LSTM", 4, 5, 4)), nil, nil, ""},
		"no end":    {append(slices.Repeat([]kerasfile.Layer{layerOf("GRU", 4, 4, 3)}, 30), slices.Repeat([]kerasfile.Layer{layerOf("LSTM", 4, 4, 4)}, 30)...), nil, []kerasfile.Layer{dense}, ""},
	} {
		k := &keras{Parts: &Parts{}}
		got, err := k.order(c.layers, c.first, c.last)
		var classes []string
		for _, l := range got {
			classes = append(classes, l.Class)
		}
		if joined := strings.Join(classes, " "); joined != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s: %q, %v, want %q", name, joined, err, c.want)
		}
	}
}

// Weights are moved, none is changed: each of Keras' is where it belongs, bit for bit.
func TestKerasExact(t *testing.T) {
	for file, order := range map[string][]int{"gru_after_1_forward_masking_steps.keras": {1, 0, 2}, "lstm_1_forward_masked_last.keras": {0, 1, 2, 3}} {
		b, err := os.ReadFile(filepath.Join(kerasFolder, file))
		if err != nil {
			t.Fatal(err)
		}
		f, err := kerasfile.Open(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		p, err := readParts(b, Options{})
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(f.Layers, func(l kerasfile.Layer) bool { return l.Class == "GRU" || l.Class == "LSTM" })
		arrays, tensors := f.Layers[i].Arrays, p.Stack[0].Tensors()
		h := p.Stack[0].Hidden
		for place, a := range map[int]kerasfile.Array{0: arrays[0], 2: arrays[1]} {
			ours, width := tensors[place], len(order)*h
			for row := range width {
				for col := range a.Shape[0] {
					if v := a.Data[col*width+order[row/h]*h+row%h]; ours.Data[row*a.Shape[0]+col] != v {
						t.Fatalf("%s: %s[%d, %d] is %v, want %v", file, ours.Name, row, col, ours.Data[row*a.Shape[0]+col], v)
					}
				}
			}
		}
	}
}

func TestKerasNotes(t *testing.T) {
	for file, want := range map[string]string{
		"functional.keras":                        "acts in training alone|dropout in|masks steps|repeats the last output|softmax",
		"gru_after_2_forward_ids_last.keras":      "nothing masks steps",
		"gru_after_1_ave_masking_mean.keras":      "masks steps|NaN",
		"weights_gru.weights.h5":                  "do not say the activations|do not say the activation of|whether the head reads",
		"gru_after_1_forward_masking_steps.keras": "masks steps|repeats the last output",
	} {
		p, err := kerasOf(t, file)
		if err != nil {
			t.Fatal(err)
		}
		notes := strings.Join(p.Notes, "\n")
		for part := range strings.SplitSeq(want, "|") {
			if !strings.Contains(notes, part) {
				t.Errorf("%s: no %q in the notes:\n%s", file, part, notes)
			}
		}
	}
}

// A sigmoid of one output becomes a model of two labels.
func TestKerasModel(t *testing.T) {
	p, err := kerasOf(t, "sigmoid.keras")
	if err != nil {
		t.Fatal(err)
	}
	m, err := p.Model(Options{Task: model.Classify})
	if err != nil || len(m.Labels) != 2 || m.Pool != model.PoolLast || m.Vocab.Size() != 11 {
		t.Errorf("%+v, %v", m, err)
	}
}

// Keras gets batches of the sizes that a model has fixed.
func TestKerasFixed(t *testing.T) {
	for _, c := range []struct{ shape, rows, steps string }{
		{"[5, null, 3]", "[5 5 5 5 5 5]", "[1 13 9 7 7 5]"}, {"[null, 7, 3]", "[1 4 3 3 3 2]", "[7 7 7 7 7 7]"},
		{"[null, null, 3]", "[1 4 3 3 3 2]", "[1 13 9 7 7 5]"}, {"[null, 100000000, 3]", "[1 4 3 3 3 2]", "[1 13 9 7 7 5]"},
	} {
		path := filepath.Join(t.TempDir(), "fixed.keras")
		if err := os.WriteFile(path, edited(t, "stateful.keras", `"batch_shape": [5, null, 3]`, `"batch_shape": `+c.shape), 0o666); err != nil {
			t.Fatal(err)
		}
		f, err := open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		m, _, err := f.model(Options{Task: model.Classify}, true)
		if err != nil {
			t.Fatal(err)
		}
		s, err := f.kerasSide(peerSide{m: m}, VerifyOptions{})
		if err != nil {
			t.Fatal(err)
		}
		var rows, steps []int
		for _, trial := range s.trials(m, 1)[:6] {
			rows, steps = append(rows, trial.batch.B), append(steps, trial.batch.T)
		}
		if fmt.Sprint(rows) != c.rows || fmt.Sprint(steps) != c.steps {
			t.Errorf("%s: %v rows of %v steps, want %s of %s", c.shape, rows, steps, c.rows, c.steps)
		}
	}
}

// What Keras says of an error is told, not that there is one.
func TestKerasError(t *testing.T) {
	_, _, err := peer(t).run(job{Kind: "keras", File: filepath.Join(kerasFolder, "stateful.keras")}, arrays{"x": {[]int{2, 3, 3}, make([]float32, 18)}})
	refused(t, "two rows", err, "If an RNN is stateful, the batch size")
}

// What is masked in Keras stands past a row's length, and nowhere else.
func TestKerasTrialsMasked(t *testing.T) {
	m := modelOf(t, model.Spec{Task: model.Tag, Features: 3, RNN: rnn.Config{Cell: "rnn", Hidden: 2, Layers: 1, Biases: 1}})
	fill, ragged := float32(-7), false
	for _, x := range (&kerasSide{masked: &fill}).trials(m, 1) {
		for i, v := range x.batch.Data {
			if (v == fill) == within(x.batch, i/m.Features) {
				t.Fatalf("%s: number %d of the inputs is %v", x.name, i, v)
			}
		}
		ragged = ragged || x.batch.Lengths != nil
		if x.name == "zeros" {
			t.Error("zeros are tried, which may all be masked")
		}
	}
	if !ragged {
		t.Error("no row ends before another")
	}
}
