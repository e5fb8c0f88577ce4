package model

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"sluice/data"
	"sluice/nn"
	"sluice/rnn"
	"sluice/safetensors"
)

func quantized(t testing.TB, m *Model, to nn.Precision) *Model {
	t.Helper()
	q, err := m.Quantize(to)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// A quantized model comes back from its file as it was, and runs as it did.
func TestQuantizedFile(t *testing.T) {
	custom := Spec{Task: LM, Embed: 3, RNN: rnn.Config{Cell: "integrators", Hidden: 5, Layers: 2, Biases: 1}}
	for _, spec := range append(specs(), custom) {
		for _, to := range []nn.Precision{nn.BF16, nn.Int8} {
			m := newModel(t, spec, vocabOf(t, "abcdefg", data.VocabOptions{}))
			m.History = someHistory
			q := quantized(t, m, to)
			file := fileOf(t, q)
			got, err := read(file)
			if err != nil {
				t.Fatalf("%s: %v", spec.testName(), err)
			}
			if got.Precision != to || !reflect.DeepEqual(got.Spec, m.Spec) || !same(got.Params, q.Params) || !reflect.DeepEqual(got.History, m.History) {
				t.Errorf("%s, %v: another model came back", spec.testName(), to)
			}
			if !bytes.Equal(file, fileOf(t, got)) {
				t.Errorf("%s, %v: equal models have other bytes", spec.testName(), to)
			}
			if same(q.Params, m.Params) {
				t.Errorf("%s, %v: nothing was rounded", spec.testName(), to)
			}
			batch := Batch{T: 3, B: 1, IDs: []int32{0, 1, 2}, Targets: []int32{1, 2, 3}}
			loss := func(m *Model) float64 {
				nats, _ := NewRunner(m.Pack(), newTeam(t, 1)).Loss(batch, nil)
				return nats
			}
			if one, two, exact := loss(q), loss(got), loss(m); one != two || math.Abs(one-exact) > 0.1 {
				t.Errorf("%s, %v: loss %v before, %v after, %v of float32", spec.testName(), to, one, two, exact)
			}
		}
	}
}

func TestQuantizedNames(t *testing.T) {
	spec := Spec{Task: LM, Embed: 3, RNN: rnn.Config{Cell: "gru", Reset: rnn.ResetAfter, Hidden: 2, Layers: 1, Biases: 1}}
	m := newModel(t, spec, vocabOf(t, "abcd", data.VocabOptions{}))
	for to, want := range map[nn.Precision]string{
		nn.BF16: "head.bias F32[4] rnn.bias_hh_l0 F32[6] rnn.bias_ih_l0 F32[6] embed.weight.bf16 BF16[4 3] head.weight.bf16 BF16[4 2] rnn.weight_hh_l0.bf16 BF16[6 2] rnn.weight_ih_l0.bf16 BF16[6 3]",
		nn.Int8: "embed.weight.scale F32[4] head.bias F32[4] head.weight.scale F32[4] rnn.bias_hh_l0 F32[6] rnn.bias_ih_l0 F32[6] rnn.weight_hh_l0.scale F32[6] rnn.weight_ih_l0.scale F32[6] embed.weight.int8 I8[4 3] head.weight.int8 I8[4 2] rnn.weight_hh_l0.int8 I8[6 2] rnn.weight_ih_l0.int8 I8[6 3]",
	} {
		b := fileOf(t, quantized(t, m, to))
		f, err := safetensors.Open(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, info := range f.Tensors {
			names = append(names, fmt.Sprint(info.Name, " ", info.DType, info.Shape))
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%v: tensors\n\t%s\nwant\n\t%s", to, got, want)
		}
		if f.Metadata["sluice"] != "q1" || f.Metadata["precision"] != to.String() {
			t.Errorf("%v: metadata %v", to, f.Metadata)
		}
	}
}

func TestQuantizeErrors(t *testing.T) {
	m := newModel(t, gruSpec(3), vocabOf(t, "abcd", data.VocabOptions{}))
	_, err := quantized(t, m, nn.Int8).Quantize(nn.BF16)
	wantError(t, err, "model: its weights are int8: want a model of float32")
	_, err = m.Quantize(nn.Float32)
	wantError(t, err, "model: precision float32: want bf16 or int8")
	m.Params[5] = float32(math.NaN())
	_, err = m.Quantize(nn.Int8)
	wantError(t, err, `model: tensor "rnn.weight_ih_l0" has NaN at 5: want finite numbers`)
}

func TestQuantizedIsNotTrained(t *testing.T) {
	m := quantized(t, newModel(t, gruSpec(3), vocabOf(t, "abcd", data.VocabOptions{})), nn.BF16)
	defer func() {
		if got, want := fmt.Sprint(recover()), "model: Gradient: weights of bf16 serve inference alone: want a model of float32"; got != want {
			t.Errorf("panic %q, want %q", got, want)
		}
	}()
	NewRunner(m.Pack(), newTeam(t, 1)).Gradient(make([]float32, m.Size()), Batch{T: 1, B: 1, IDs: []int32{0}, Targets: []int32{1}}, nil, Objective{})
}

func TestQuantizedMalformed(t *testing.T) {
	bytesOf := func(p *parts, name string) []byte { return p.tensor(name).Data.(safetensors.Raw).Bytes }
	for _, c := range []struct {
		to     nn.Precision
		change func(*parts)
		want   string
	}{
		{nn.Int8, func(p *parts) { delete(p.meta, "precision") }, `model: no "precision" in the metadata`},
		{nn.Int8, func(p *parts) { p.meta["precision"] = "int4" }, `model: metadata "precision": "int4": want bf16 or int8`},
		{nn.Int8, func(p *parts) { p.meta["precision"] = "float32" }, `model: metadata "precision": "float32": want bf16 or int8`},
		{nn.Int8, func(p *parts) { p.meta["sluice"] = "q2" }, `model: format version "q2": this program reads 1 and q1`},
		{nn.Int8, func(p *parts) { p.meta["sluice"] = "1" }, `model: tensors missing: ["embed.weight" "head.weight" "rnn.weight_hh_l0" "rnn.weight_ih_l0"]; without use: ["embed.weight.int8" "embed.weight.scale" "head.weight.int8" "head.weight.scale" "rnn.weight_hh_l0.int8" "rnn.weight_hh_l0.scale" "rnn.weight_ih_l0.int8" "rnn.weight_ih_l0.scale"]`},
		{nn.Int8, func(p *parts) { p.drop("head.weight.scale") }, `model: tensors missing: ["head.weight.scale"]`},
		{nn.Int8, func(p *parts) { s := p.tensor("head.weight.scale"); s.Shape, s.Data = []int{2}, s.Data.([]float32)[:2] }, `model: tensor "head.weight.scale" has shape [2], want [4]`},
		{nn.Int8, func(p *parts) { p.tensor("head.weight.int8").Shape = []int{2, 4} }, `model: tensor "head.weight.int8" has shape [2 4], want [4 2]`},
		{nn.Int8, func(p *parts) { p.tensor("head.weight.int8").Data = make([]float32, 8) }, `model: tensor "head.weight.int8" has dtype F32, want I8`},
		{nn.Int8, func(p *parts) { p.tensor("head.weight.scale").Data.([]float32)[2] = float32(math.NaN()) }, `model: tensor "head.weight.scale" has NaN at 2: want finite numbers`},
		{nn.Int8, func(p *parts) { p.tensor("head.weight.scale").Data.([]float32)[2] = 3e38 }, `model: tensor "head.weight.scale" has 3e+38 at 2: want at most 2.6793887e+36`},
		{nn.Int8, func(p *parts) { p.tensor("head.weight.scale").Data.([]float32)[2] = -1 }, `model: tensor "head.weight.scale" has -1 at 2: want 1, the row's largest weight / 127 in 16 bits`},
		{nn.Int8, func(p *parts) { p.tensor("head.weight.scale").Data.([]float32)[0] = 1 + 0x1p-20 }, `model: tensor "head.weight.scale" has 1.000001 at 0: want 1.0000305, the row's largest weight / 127 in 16 bits`},
		{nn.Int8, func(p *parts) { bytesOf(p, "head.weight.int8")[3] = 0x80 }, `model: tensor "head.weight.int8" has -128 at 3: want −127 to 127`},
		{nn.Int8, func(p *parts) { clear(bytesOf(p, "head.weight.int8")[:2]) }, `model: tensor "head.weight.scale" has SCALE at 0: want 0, the row's largest weight / 127 in 16 bits`},
		{nn.Int8, func(p *parts) { p.tensor("head.bias").Data.([]float32)[0] = float32(math.Inf(1)) }, `model: tensor "head.bias" has +Inf at 0: want finite numbers`},
		{nn.BF16, func(p *parts) { copy(bytesOf(p, "head.weight.bf16"), []byte{0x80, 0x7f}) }, `model: tensor "head.weight.bf16" has +Inf at 0: want finite numbers`},
		{nn.BF16, func(p *parts) { p.tensor("head.weight.bf16").Shape = []int{2, 4} }, `model: tensor "head.weight.bf16" has shape [2 4], want [4 2]`},
		{nn.BF16, func(p *parts) { p.meta["precision"] = "int8" }, `model: tensors missing: ["embed.weight.int8" "embed.weight.scale" "head.weight.int8" "head.weight.scale" "rnn.weight_hh_l0.int8" "rnn.weight_hh_l0.scale" "rnn.weight_ih_l0.int8" "rnn.weight_ih_l0.scale"]; without use: ["embed.weight.bf16" "head.weight.bf16" "rnn.weight_hh_l0.bf16" "rnn.weight_ih_l0.bf16"]`},
	} {
		p := partsOf(t, quantized(t, malformedModel(t), c.to))
		if c.to == nn.Int8 {
			c.want = strings.Replace(c.want, "SCALE", fmt.Sprint(p.tensor("head.weight.scale").Data.([]float32)[0]), 1)
		}
		c.change(&p)
		m, err := read(p.file(t))
		wantError(t, err, c.want)
		if !errors.Is(err, ErrFormat) || m != nil {
			t.Errorf("%v: is not ErrFormat, or comes with a model", err)
		}
	}
}

// What a trained model loses: it has learnt a text, and still knows it.
func TestQuantizedLoss(t *testing.T) {
	text := strings.Repeat("the quick brown fox jumps over the lazy dog. ", 50)
	for _, c := range []rnn.Config{{Cell: "lstm"}, {Cell: "gru", Reset: rnn.ResetBefore}, {Cell: "gru", Reset: rnn.ResetAfter}, {Cell: "rnn"}} {
		c.Hidden, c.Layers, c.Biases = 32, 1, 1
		vocab := vocabOf(t, text, data.VocabOptions{})
		m := newModel(t, Spec{Task: LM, RNN: c}, vocab)
		ids, err := vocab.Encode(text)
		if err != nil {
			t.Fatal(err)
		}
		learn(t, m, text[:225], 25)
		score := func(m *Model) float64 {
			s, err := Evaluate(context.Background(), m.Pack(), newTeam(t, 1), data.NewSymbols(ids), nil)
			if err != nil {
				t.Fatal(err)
			}
			return s.Loss()
		}
		exact := score(m)
		if !(exact < 1.5) {
			t.Fatalf("%s: %.3f nats: it has learnt nothing", c.Cell, exact)
		}
		for to, limit := range map[nn.Precision]float64{nn.BF16: 0.005, nn.Int8: 0.02} {
			got := score(quantized(t, m, to))
			t.Logf("%s%s, %v: %.4f nats, %+.5f", c.Cell, c.Reset, to, got, got-exact)
			if !(math.Abs(got-exact) <= limit) {
				t.Errorf("%s%s, %v: %.4f nats, of float32 %.4f", c.Cell, c.Reset, to, got, exact)
			}
		}
	}
}
