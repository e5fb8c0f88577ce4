package model

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"sluice/data"
	"sluice/rnn"
	"sluice/safetensors"
)

// parts are the metadata and the tensors of a model's file, to be changed.
type parts struct {
	meta    map[string]string
	tensors []safetensors.Tensor
}

func partsOf(t testing.TB, m *Model) parts {
	t.Helper()
	meta, tensors, err := m.Contents()
	if err != nil {
		t.Fatal(err)
	}
	return parts{meta, tensors}
}

func (p parts) file(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := safetensors.Write(&b, p.meta, p.tensors); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func (p parts) tensor(name string) *safetensors.Tensor {
	return &p.tensors[slices.IndexFunc(p.tensors, func(t safetensors.Tensor) bool { return t.Name == name })]
}

func (p *parts) drop(name string) {
	p.tensors = slices.DeleteFunc(p.tensors, func(t safetensors.Tensor) bool { return t.Name == name })
}

func (p parts) replace(key, from, to string) {
	if !strings.Contains(p.meta[key], from) {
		panic(p.meta[key])
	}
	p.meta[key] = strings.Replace(p.meta[key], from, to, 1)
}

// malformation is a change to a file, and the error of reading it.
type malformation struct {
	change func(*parts)
	want   string
}

// malformedFiles are changes to the files of each task.
var malformedFiles = []struct {
	model   func(testing.TB) *Model
	changes []malformation
}{{malformedModel, malformed}, {malformedNumbers, malformedRegression}, {malformedWords, malformedAdaptive}, {malformedNorms, malformedRegularised}, {malformedProjection, malformedProjected},
	{malformedTagger, malformedTags}, {malformedClass, malformedClasses}, {malformedDirect, malformedSegments}, {malformedRecursive, malformedRecursion}}

// malformed are changes to the file of a GRU with one bias and an embedding of
// width 3 over the vocabulary abcd, 2 units wide.
var malformed = []malformation{
	{func(p *parts) { p.meta = map[string]string{"format": "pt"} }, `model: no "sluice" in the metadata: this safetensors file is not a model of sluice`},
	{func(p *parts) { p.meta["sluice"] = "2\n" }, `model: format version "2\n": this program reads 1 and q1`},
	{func(p *parts) { delete(p.meta, "task") }, `model: task "": want one of classify, forecast, lm, regress, tag`},
	{func(p *parts) { p.meta["task"] = "tags" }, `model: task "tags": want one of classify, forecast, lm, regress, tag`},
	{func(p *parts) { delete(p.meta, "input") }, `model: no "input" in the metadata`},
	{func(p *parts) { delete(p.meta, "rnn") }, `model: no "rnn" in the metadata`},
	{func(p *parts) { delete(p.meta, "head") }, `model: no "head" in the metadata`},
	{func(p *parts) { delete(p.meta, "vocab") }, `model: no "vocab" in the metadata`},
	{func(p *parts) { p.replace("head", "dropout", "drop") }, `model: metadata "head": json: unknown field "drop"`},
	{func(p *parts) { p.replace("head", "0.5", "-0.5") }, `model: output dropout -0.5: want a number in [0, 1)`},
	{func(p *parts) { p.replace("head", "{", `{"outputs":1,`) }, `model: 1 outputs: of task regress, and this is lm`},
	{func(p *parts) { p.replace("head", "{", `{"tied":true,`) }, `model: tied embedding of width 3: want 2, what the head reads`},
	{func(p *parts) { p.replace("input", "{", `{"features":3,`) }, `model: metadata "vocab" beside inputs of 3 numbers: want one of them`},
	{func(p *parts) { p.replace("input", "{", `{"features":-3,`) }, `model: inputs of -3 numbers: want 0 to 16777216`},
	{func(p *parts) { p.replace("input", "{", `{"features":3,`); delete(p.meta, "vocab") }, `model: inputs of 3 numbers: a language model reads symbols`},
	{func(p *parts) { p.replace("input", "{", `{"embedding_dropout":1,`) }, `model: embedding dropout 1: want a number in [0, 1)`},
	{func(p *parts) {
		p.replace("input", `"embed":3`, `"embed":2`)
		p.replace("rnn", `"input":3`, `"input":2`)
		p.replace("head", "{", `{"tied":true,`)
	}, `model: tensors without use: ["head.weight"]`},
	{func(p *parts) { p.meta["task"] = "regress" }, `model: inputs of 0 numbers: want 1 or more to regress from`},
	{func(p *parts) { delete(p.meta, "history") }, `model: no "history" in the metadata`},
	{func(p *parts) { p.replace("input", "embed", "width") }, `model: metadata "input": json: unknown field "width"`},
	{func(p *parts) { p.replace("rnn", "{", `{"peepholes":true,`) }, `model: metadata "rnn": json: unknown field "peepholes"`},
	{func(p *parts) { p.replace("rnn", "{", `{"peephole":true,`) }, `rnn: peephole: cell "gru" has none, want lstm`},
	{func(p *parts) { p.replace("rnn", "{", `{"projection":1,`) }, `rnn: projection 1: acts on the h of an lstm, want 0`},
	{func(p *parts) { p.replace("rnn", "{", `{"activation":"hard_sigmoid",`) }, `rnn: activation "hard_sigmoid": want 2 functions, of r and z and of n`},
	{func(p *parts) { p.replace("rnn", "{", `{"activation":"sigmoid tanh",`) }, `rnn: activation "sigmoid tanh": want "", which is the same`},
	{func(p *parts) { p.replace("rnn", "{", `{"activation":"hard_sigmoid(9e99) tanh",`) }, `rnn: activation "hard_sigmoid(9e99) tanh": "hard_sigmoid(9e99)": "9e99": want a number`},
	{func(p *parts) { p.replace("rnn", "{", `{"clip":-1,`) }, `rnn: clip -1: want a number of float32 above 0, or 0 for none`},
	{func(p *parts) { p.replace("rnn", "{", `{"clip":1e300,`) }, `rnn: clip 1e+300: want a number of float32 above 0, or 0 for none`},
	{func(p *parts) { p.replace("history", "{", `{"host":"h",`) }, `model: metadata "history": json: unknown field "host"`},
	{func(p *parts) { p.replace("vocab", "{", `{"more":1,`) }, `model: metadata "vocab": data: vocabulary: field "more": want kind, unknown and symbols`},
	{func(p *parts) { p.meta["rnn"] += "1" }, `model: metadata "rnn": more after the JSON value`},
	{func(p *parts) { p.meta["rnn"] = "" }, `model: metadata "rnn": EOF`},
	{func(p *parts) { p.meta["rnn"] = "null" }, `rnn: cell "": want CELLS`},
	{func(p *parts) { p.meta["history"] = "[]" }, `model: metadata "history": json: cannot unmarshal array into Go value of type model.History`},
	{func(p *parts) { p.meta["vocab"] = "null" }, `model: metadata "vocab": data: vocabulary: want a JSON object with kind, unknown and symbols`},
	{func(p *parts) { p.replace("input", "3", "-3") }, `model: embedding of width -3: want 0 to 1048576`},
	{func(p *parts) { p.replace("input", "0.25", "1") }, `model: input dropout 1: want a number in [0, 1)`},
	{func(p *parts) { p.replace("rnn", "gru", "qrnn") }, `rnn: cell "qrnn": want CELLS`},
	{func(p *parts) { p.replace("rnn", `"hidden":2`, `"hidden":16777217`) }, `rnn: hidden 16777217: want 1 to 16777216`},
	{func(p *parts) { p.replace("rnn", `"layers":1`, `"layers":1025`) }, `model: metadata "rnn": layers 1025: want at most 7, the tensors of the file`},
	{func(p *parts) { p.replace("rnn", `"layers":1`, `"layers":0`) }, `rnn: layers 0: want 1 to 1024`},
	{func(p *parts) { p.replace("rnn", `"hidden":2`, `"hidden":1e99`) }, `model: metadata "rnn": json: cannot unmarshal number 1e99 into Go struct field Config.hidden of type int`},
	{func(p *parts) { p.replace("rnn", `"forward"`, `"bidirectional"`) }, `model: a bidirectional language model would read the symbols it is to predict: want direction forward`},
	{func(p *parts) { p.replace("rnn", `"input":3`, `"input":4`) }, `model: metadata "rnn": input 4: want 3, the width of what stands before it`},
	{func(p *parts) { p.replace("rnn", `"after"`, `"before"`) }, `model: tensors missing: ["rnn.reset_before.bias_hh_l0" "rnn.reset_before.bias_ih_l0" "rnn.reset_before.weight_hh_l0" "rnn.reset_before.weight_ih_l0"]; without use: ["rnn.bias_hh_l0" "rnn.bias_ih_l0" "rnn.weight_hh_l0" "rnn.weight_ih_l0"]`},
	{func(p *parts) { p.replace("rnn", "{", `{"layer_norm":true,`) }, `model: tensors missing: ["rnn.layer_norm.bias_ih_l0" "rnn.layer_norm.weight_hh_l0" "rnn.layer_norm.weight_hh_norm_l0" "rnn.layer_norm.weight_ih_l0" "rnn.layer_norm.weight_ih_norm_l0"]; without use: ["rnn.bias_hh_l0" "rnn.bias_ih_l0" "rnn.weight_hh_l0" "rnn.weight_ih_l0"]`},
	{func(p *parts) { p.replace("rnn", "{", `{"zoneout":0.5,`) }, `model: tensors missing: ["rnn.zoneout.bias_hh_l0" "rnn.zoneout.bias_ih_l0" "rnn.zoneout.weight_hh_l0" "rnn.zoneout.weight_ih_l0"]; without use: ["rnn.bias_hh_l0" "rnn.bias_ih_l0" "rnn.weight_hh_l0" "rnn.weight_ih_l0"]`},
	{func(p *parts) { p.replace("rnn", "{", `{"weight_drop":-0.5,`) }, `rnn: weight_drop -0.5: want a number in [0, 1)`},
	{func(p *parts) { p.drop("head.bias"); p.drop("embed.weight") }, `model: tensors missing: ["embed.weight" "head.bias"]`},
	{func(p *parts) { p.tensor("head.bias").Name = "head.\nbias" }, `model: tensors missing: ["head.bias"]; without use: ["head.\nbias"]`},
	{func(p *parts) {
		p.tensors = append(p.tensors, safetensors.Tensor{Name: "z", Data: []float32{1}}, safetensors.Tensor{Name: "y", Data: []float32{1}})
	}, `model: tensors without use: ["y" "z"]`},
	{func(p *parts) { p.tensor("head.bias").Data = make([]int32, 4) }, `model: tensor "head.bias" has dtype I32, want F32`},
	{func(p *parts) { p.tensor("rnn.bias_hh_l0").Data = make([]float64, 6) }, `model: tensor "rnn.bias_hh_l0" has dtype F64, want F32`},
	{func(p *parts) { p.tensor("head.weight").Shape = []int{2, 4} }, `model: tensor "head.weight" has shape [2 4], want [4 2]`},
	{func(p *parts) { p.tensor("head.bias").Shape = []int{4, 1} }, `model: tensor "head.bias" has shape [4 1], want [4]`},
	{func(p *parts) {
		*p.tensor("rnn.bias_hh_l0") = safetensors.Tensor{Name: "rnn.bias_hh_l0", Shape: []int{0}, Data: []float32{}}
	}, `model: tensor "rnn.bias_hh_l0" has shape [0], want [6]`},
	{func(p *parts) { p.tensor("rnn.bias_hh_l0").Data.([]float32)[4] = 0.5 }, `model: tensor "rnn.bias_hh_l0" has 0.5 at 4: want zeros, since the model has one bias`},
	{func(p *parts) { p.tensor("rnn.bias_hh_l0").Data.([]float32)[1] = float32(math.NaN()) }, `model: tensor "rnn.bias_hh_l0" has NaN at 1: want zeros, since the model has one bias`},
	{func(p *parts) { p.replace("vocab", `"d"`, `"d","e"`) }, `model: tensor "embed.weight" has shape [4 3], want [5 3]`},
	{func(p *parts) { p.replace("vocab", `,"d"`, ``) }, `model: tensor "embed.weight" has shape [4 3], want [3 3]`},
	{func(p *parts) { p.replace("rnn", `"hidden":2`, `"hidden":3`) }, `model: tensor "head.weight" has shape [4 2], want [4 3]`},
}

// malformedRegression are changes to the file of a regression of 2 values from 3
// numbers, of a GRU with one bias, 2 units wide.
var malformedRegression = []malformation{
	{func(p *parts) { p.meta["task"] = "lm" }, `model: inputs of 3 numbers: a language model reads symbols`},
	{func(p *parts) { p.meta["vocab"] = `{"kind":"byte","unknown":"error"}` }, `model: metadata "vocab" beside inputs of 3 numbers: want one of them`},
	{func(p *parts) { p.replace("input", `"features":3,`, "") }, `model: no "vocab" in the metadata`},
	{func(p *parts) { p.replace("input", `"features":3`, `"features":4`) }, `model: metadata "rnn": input 3: want 4, the width of what stands before it`},
	{func(p *parts) { p.replace("input", `"features":3`, `"features":16777217`) }, `model: inputs of 16777217 numbers: want 0 to 16777216`},
	{func(p *parts) { p.replace("input", `"dropout":0`, `"embedding_dropout":0.5,"dropout":0`) }, `model: embedding dropout 0.5: acts on an embedding, and there is none`},
	{func(p *parts) { p.replace("head", "{", `{"cutoffs":[1],`) }, `model: cutoffs [1]: act on symbols, and task regress has none to say`},
	{func(p *parts) { p.replace("head", `"outputs":2`, `"outputs":3`) }, `model: tensor "head.bias" has shape [2], want [3]`},
	{func(p *parts) { p.replace("head", `"outputs":2`, `"outputs":16777217`) }, `model: 16777217 outputs: want 0 to 16777216`},
	{func(p *parts) { p.replace("head", `"outputs":2,`, "") }, `model: 0 outputs: want 1 or more values of a regression`},
	{func(p *parts) { p.replace("head", "{", `{"tied":true,`) }, `model: tied embedding of width 0: the head of task regress has no symbols`},
	{func(p *parts) { p.replace("rnn", `"forward"`, `"backward"`) }, `model: a backward stack has read one step where its last output is: want direction forward`},
	{func(p *parts) { p.meta["sluice"], p.meta["precision"] = "q1", "int8" }, `model: a model of task regress: want lm to quantize`},
	{func(p *parts) { p.drop("head.weight") }, `model: tensors missing: ["head.weight"]`},
	{func(p *parts) { p.tensor("head.bias").Data.([]float32)[1] = float32(math.Inf(-1)) }, `model: tensor "head.bias" has -Inf at 1: want finite numbers`},
}

// malformedAdaptive are changes to the file of a language model of the symbols
// abcd, with cutoffs 1 and 3, of a GRU with one bias, 16 units wide.
var malformedAdaptive = []malformation{
	{func(p *parts) { p.replace("head", "[1,3]", "[1,4]") }, `nn: adaptive softmax: cutoff 4 at 1: want 2 to 3`},
	{func(p *parts) { p.replace("head", "[1,3]", "[1,1]") }, `nn: adaptive softmax: cutoff 1 at 1: want 2 to 2147483646`},
	{func(p *parts) { p.replace("head", "[1,3]", "[-1]") }, `nn: adaptive softmax: cutoff -1 at 0: want 1 to 2147483646`},
	{func(p *parts) { p.replace("head", "[1,3]", "[1,2,3]") }, `nn: adaptive softmax: cluster 2 of width 16 / 4^3: want at least 1`},
	{func(p *parts) { p.replace("head", "[1,3]", `["1"]`) }, `model: metadata "head": json: cannot unmarshal string into Go struct field headJSON.cutoffs of type int`},
	{func(p *parts) { p.replace("head", "[1,3]", "[]") }, `model: tensors missing: ["head.bias" "head.weight"]; without use: ["head.head.bias" "head.head.weight" "head.tail.0.0.weight" "head.tail.0.1.weight" "head.tail.1.0.weight" "head.tail.1.1.weight"]`},
	{func(p *parts) { p.replace("head", "[1,3]", "[3]") }, `model: tensors without use: ["head.tail.1.0.weight" "head.tail.1.1.weight"]`},
	{func(p *parts) { p.replace("head", "[1,3]", "[1,2]") }, `model: tensor "head.tail.0.1.weight" has shape [2 4], want [1 4]`},
	{func(p *parts) { p.replace("head", "[1,3]", "[2,3]") }, `model: tensor "head.head.bias" has shape [3], want [4]`},
	{func(p *parts) { p.replace("head", "{", `{"tied":true,`) }, `model: cutoffs [1 3] beside a tied embedding: an adaptive softmax has weights of its own, want one of the two`},
	{func(p *parts) { p.drop("head.tail.1.0.weight") }, `model: tensors missing: ["head.tail.1.0.weight"]`},
	{func(p *parts) { p.tensor("head.tail.1.1.weight").Data.([]float32)[0] = float32(math.NaN()) }, `model: tensor "head.tail.1.1.weight" has NaN at 0: want finite numbers`},
}

// malformedRegularised are changes to the file of a language model of the symbols
// abcd, of an LSTM with two biases, 2 units wide, with layer norm, zoneout and
// dropped weights.
var malformedRegularised = []malformation{
	{func(p *parts) { p.replace("rnn", `"zoneout":0.25`, `"zoneout":1`) }, `rnn: zoneout 1: want a number in [0, 1)`},
	{func(p *parts) { p.replace("rnn", `"zoneout":0.25`, `"zoneout":"0.25"`) }, `model: metadata "rnn": json: cannot unmarshal string into Go struct field Config.zoneout of type float64`},
	{func(p *parts) { p.replace("rnn", `"zoneout_cell":0.5`, `"zoneout_cell":-0.5`) }, `rnn: zoneout_cell -0.5: want a number in [0, 1)`},
	{func(p *parts) { p.replace("rnn", `"weight_drop":0.75`, `"weight_drop":1.5`) }, `rnn: weight_drop 1.5: want a number in [0, 1)`},
	{func(p *parts) { p.replace("rnn", `"layer_norm":true`, `"layer_norm":1`) }, `model: metadata "rnn": json: cannot unmarshal number into Go struct field Config.layer_norm of type bool`},
	{func(p *parts) { p.replace("rnn", `"layer_norm":true`, `"layer_norm":false`) }, `model: tensors missing: ["rnn.zoneout.bias_hh_l0" "rnn.zoneout.bias_ih_l0" "rnn.zoneout.weight_hh_l0" "rnn.zoneout.weight_ih_l0"]; without use: ["rnn.layer_norm.zoneout.bias_c_norm_l0" "rnn.layer_norm.zoneout.bias_hh_l0" "rnn.layer_norm.zoneout.bias_ih_l0" "rnn.layer_norm.zoneout.weight_c_norm_l0" "rnn.layer_norm.zoneout.weight_hh_l0" "rnn.layer_norm.zoneout.weight_hh_norm_l0" "rnn.layer_norm.zoneout.weight_ih_l0" "rnn.layer_norm.zoneout.weight_ih_norm_l0"]`},
	{func(p *parts) { p.replace("rnn", `"zoneout":0.25,"zoneout_cell":0.5,`, ``) }, `model: tensors missing: ["rnn.layer_norm.bias_c_norm_l0" "rnn.layer_norm.bias_hh_l0" "rnn.layer_norm.bias_ih_l0" "rnn.layer_norm.weight_c_norm_l0" "rnn.layer_norm.weight_hh_l0" "rnn.layer_norm.weight_hh_norm_l0" "rnn.layer_norm.weight_ih_l0" "rnn.layer_norm.weight_ih_norm_l0"]; without use: ["rnn.layer_norm.zoneout.bias_c_norm_l0" "rnn.layer_norm.zoneout.bias_hh_l0" "rnn.layer_norm.zoneout.bias_ih_l0" "rnn.layer_norm.zoneout.weight_c_norm_l0" "rnn.layer_norm.zoneout.weight_hh_l0" "rnn.layer_norm.zoneout.weight_hh_norm_l0" "rnn.layer_norm.zoneout.weight_ih_l0" "rnn.layer_norm.zoneout.weight_ih_norm_l0"]`},
	{func(p *parts) { p.replace("rnn", `"lstm"`, `"gru","reset":"after"`) }, `rnn: zoneout_cell 0.5: acts on the c of an lstm, want 0`},
	{func(p *parts) { p.drop("rnn.layer_norm.zoneout.bias_c_norm_l0") }, `model: tensors missing: ["rnn.layer_norm.zoneout.bias_c_norm_l0"]`},
	{func(p *parts) {
		p.tensor("rnn.layer_norm.zoneout.weight_c_norm_l0").Name = "rnn.layer_norm.zoneout.weight_c_norm_l1"
	}, `model: tensors missing: ["rnn.layer_norm.zoneout.weight_c_norm_l0"]; without use: ["rnn.layer_norm.zoneout.weight_c_norm_l1"]`},
	{func(p *parts) {
		*p.tensor("rnn.layer_norm.zoneout.weight_ih_norm_l0") = safetensors.Tensor{Name: "rnn.layer_norm.zoneout.weight_ih_norm_l0", Shape: []int{2}, Data: []float32{1, 1}}
	}, `model: tensor "rnn.layer_norm.zoneout.weight_ih_norm_l0" has shape [2], want [8]`},
	{func(p *parts) {
		p.tensor("rnn.layer_norm.zoneout.weight_hh_norm_l0").Data.([]float32)[7] = float32(math.Inf(1))
	}, `model: tensor "rnn.layer_norm.zoneout.weight_hh_norm_l0" has +Inf at 7: want finite numbers`},
}

// malformedProjected are changes to the file of a language model of the symbols
// abcd, of an LSTM with two biases, 4 units wide, projected to 2, with peepholes.
var malformedProjected = []malformation{
	{func(p *parts) { p.replace("rnn", `"projection":2`, `"projection":4`) }, `rnn: projection 4: want 0, for none, or less than hidden, 4`},
	{func(p *parts) { p.replace("rnn", `"projection":2`, `"projection":-2`) }, `rnn: projection -2: want 0, for none, or less than hidden, 4`},
	{func(p *parts) { p.replace("rnn", `"projection":2`, `"projection":1e99`) }, `model: metadata "rnn": json: cannot unmarshal number 1e99 into Go struct field Config.projection of type int`},
	{func(p *parts) { p.replace("rnn", `"hidden":4`, `"hidden":16777216`) }, `model: tensor "rnn.peephole.bias_hh_l0" has shape [16], want [67108864]`},
	{func(p *parts) {
		p.replace("rnn", `"hidden":4`, `"hidden":16777216`)
		p.replace("rnn", `"projection":2`, `"projection":16777215`)
	}, `model: tensor "head.weight" has shape [4 2], want [4 16777215]`},
	{func(p *parts) { p.replace("rnn", `"projection":2`, `"projection":3`) }, `model: tensor "head.weight" has shape [4 2], want [4 3]`},
	{func(p *parts) { p.replace("rnn", `"projection":2`, `"projection":0`) }, `model: tensors without use: ["rnn.peephole.weight_hr_l0"]`},
	{func(p *parts) { p.drop("rnn.peephole.weight_peephole_l0") }, `model: tensors missing: ["rnn.peephole.weight_peephole_l0"]`},
	{func(p *parts) {
		p.tensor("rnn.peephole.weight_peephole_l0").Data.([]float32)[5] = float32(math.NaN())
	}, `model: tensor "rnn.peephole.weight_peephole_l0" has NaN at 5: want finite numbers`},
	{func(p *parts) { p.replace("rnn", `"peephole":true`, `"coupled":true`) }, `rnn: projection 2: want 0 with layer_norm, clip, coupled or an activation`},
}

func malformedProjection(t testing.TB) *Model {
	return newModel(t, Spec{Task: LM, RNN: rnn.Config{Cell: "lstm", Hidden: 4, Layers: 1, Biases: 2, Projection: 2, Peephole: true}}, vocabOf(t, "abcd", data.VocabOptions{}))
}

func malformedNorms(t testing.TB) *Model {
	return newModel(t, Spec{Task: LM, RNN: rnn.Config{Cell: "lstm", Hidden: 2, Layers: 1, Biases: 2, Zoneout: 0.25, ZoneoutCell: 0.5, WeightDrop: 0.75, LayerNorm: true}}, vocabOf(t, "abcd", data.VocabOptions{}))
}

func malformedWords(t testing.TB) *Model {
	spec := gruSpec(16)
	spec.Cutoffs = []int{1, 3}
	return newModel(t, spec, vocabOf(t, "abcd", data.VocabOptions{}))
}

func malformedNumbers(t testing.TB) *Model {
	return newModel(t, Spec{Task: Regress, Features: 3, Outputs: 2, RNN: gruSpec(2).RNN}, nil)
}

func malformedModel(t testing.TB) *Model {
	spec := gruSpec(2)
	spec.Embed, spec.InputDropout, spec.OutputDropout = 3, 0.25, 0.5
	m := newModel(t, spec, vocabOf(t, "abcd", data.VocabOptions{}))
	m.History = someHistory
	return m
}

func TestMalformed(t *testing.T) {
	for _, of := range malformedFiles {
		for _, c := range of.changes {
			p := partsOf(t, of.model(t))
			c.change(&p)
			m, err := read(p.file(t))
			wantError(t, err, strings.Replace(c.want, "CELLS", "gru, integrators, lstm, rnn", 1))
			if !errors.Is(err, ErrFormat) || m != nil {
				t.Errorf("%v: is not ErrFormat, or comes with a model", err)
			}
		}
	}
	p := partsOf(t, newModel(t, gruSpec(2), vocabOf(t, "abcd", data.VocabOptions{})))
	p.replace("vocab", `"d"`, `"d","e"`)
	_, err := read(p.file(t))
	wantError(t, err, `model: metadata "rnn": input 4: want 5, the width of what stands before it`)
}

// Metadata of others does no harm.
func TestMoreMetadata(t *testing.T) {
	p := partsOf(t, malformedModel(t))
	p.meta["format"] = "pt"
	if _, err := read(p.file(t)); err != nil {
		t.Error(err)
	}
}

// An error is one line of bounded length, whatever the file holds.
func TestLongErrors(t *testing.T) {
	long := strings.Repeat("é\n", 1<<18)
	for _, key := range slices.Sorted(maps.Keys(partsOf(t, malformedModel(t)).meta)) {
		for _, value := range []string{long, `{"` + strings.ReplaceAll(long, "\n", `\n`) + `":1}`, `{"cell":"` + strings.ReplaceAll(long, "\n", `\n`) + `"}`} {
			p := partsOf(t, malformedModel(t))
			p.meta[key] = value
			_, err := read(p.file(t))
			if err == nil || len(err.Error()) > 2100 || strings.ContainsAny(err.Error(), "\r\n") {
				t.Errorf("%s: error of %d bytes: %.100v", key, len(fmt.Sprint(err)), err)
			}
		}
	}
}

// allocated is the number of bytes that f allocates, all together.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// most is the number of bytes that Read may allocate for a file.
func most(file []byte) uint64 { return 256<<10 + 150*uint64(len(file)) }

// A small file that claims a huge model is refused before memory is taken.
func TestClaims(t *testing.T) {
	hidden := func(v string) func(*parts) {
		return func(p *parts) { p.replace("rnn", `"hidden":2`, `"hidden":`+v) }
	}
	for _, c := range []struct {
		change func(*parts)
		want   string
	}{
		{hidden("16777216"), `model: tensor "head.weight" has shape [4 2], want [4 16777216]`},
		{func(p *parts) { hidden("16777216")(p); p.replace("rnn", `"layers":1`, `"layers":1024`) }, `model: metadata "rnn": layers 1024: want at most 7, the tensors of the file`},
		{func(p *parts) { p.replace("input", "3", "1048576"); p.replace("rnn", `"input":3`, `"input":1048576`) }, `model: tensor "embed.weight" has shape [4 3], want [4 1048576]`},
		{func(p *parts) { p.replace("rnn", `"input":3`, `"input":16777216`) }, `model: metadata "rnn": input 16777216: want 3, the width of what stands before it`},
		{func(p *parts) { // all names there, and no data: only the claim is large
			hidden("16777216")(p)
			for i := range p.tensors {
				p.tensors[i].Shape, p.tensors[i].Data = []int{0}, []float32{}
			}
		}, `model: tensor "embed.weight" has shape [0], want [4 3]`},
		{func(p *parts) { // as many small tensors as layers
			p.replace("rnn", `"layers":1`, `"layers":1024`)
			for i := range 1024 - len(p.tensors) {
				p.tensors = append(p.tensors, safetensors.Tensor{Name: fmt.Sprint(i), Shape: []int{0}, Data: []float32{}})
			}
		}, `model: tensors missing: ["rnn.bias_hh_l1" "rnn.bias_hh_l10" "rnn.bias_hh_l100" `},
		{func(p *parts) { p.meta["vocab"] = `{"kind":"byte","unknown":"error"}` }, `model: tensor "embed.weight" has shape [4 3], want [256 3]`},
	} {
		p := partsOf(t, malformedModel(t))
		c.change(&p)
		file := p.file(t)
		var err error
		got := allocated(func() { _, err = read(file) })
		if !errors.Is(err, ErrFormat) || !strings.HasPrefix(err.Error(), c.want) || len(err.Error()) > 2100 {
			t.Errorf("error %v, want %s…", err, c.want)
		}
		if got > most(file) {
			t.Errorf("%.60v: %d bytes allocated for a file of %d", err, got, len(file))
		}
		t.Logf("%7d bytes allocated for a file of %d: %.60v", got, len(file), err)
	}
	many := partsOf(t, malformedWords(t))
	many.replace("head", "[1,3]", "["+strings.Repeat("1,", 1<<12)+"1]")
	file := many.file(t)
	if got := allocated(func() { read(file) }); got > most(file) {
		t.Errorf("many cutoffs: %d bytes allocated for a file of %d", got, len(file))
	}
	p := partsOf(t, malformedNumbers(t))
	p.replace("head", `"outputs":2`, `"outputs":16777216`)
	file = p.file(t)
	if got := allocated(func() { read(file) }); got > most(file) {
		t.Errorf("a regression: %d bytes allocated for a file of %d", got, len(file))
	}
}
