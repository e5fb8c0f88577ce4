package model

import (
	"bytes"
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

// A model of each task comes back from its file as it was, and the file is as large
// as it has to be.
func TestTaskFiles(t *testing.T) {
	for _, s := range append(taskSpecs(), droppedSpecs()...) {
		m, _ := examplesOf(t, s)
		m.History = someHistory
		file := fileOf(t, m)
		got, err := read(file)
		if err != nil {
			t.Fatalf("%s: %v", taskName(s), err)
		}
		if !reflect.DeepEqual(got.Spec, m.Spec) || !reflect.DeepEqual(got.Names, m.Names) || !same(got.Params, m.Params) || !reflect.DeepEqual(got.History, m.History) {
			t.Errorf("%s: another model came back", taskName(s))
		}
		if !bytes.Equal(file, fileOf(t, got)) {
			t.Errorf("%s: equal models have other bytes", taskName(s))
		}
		if used := allocated(func() { read(file) }); used > most(file) {
			t.Errorf("%s: %d bytes allocated for a file of %d", taskName(s), used, len(file))
		}
	}
}

// taskTensors are the names and shapes of the tensors in the file of a model.
func taskTensors(t *testing.T, m *Model) string {
	b := fileOf(t, m)
	f, err := safetensors.Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, info := range f.Tensors {
		names = append(names, fmt.Sprint(info.Name, info.Shape))
	}
	return strings.Join(names, " ")
}

func TestTaskTensorNames(t *testing.T) {
	for _, c := range []struct {
		model func(testing.TB) *Model
		want  string
	}{
		{malformedTagger, "chars.embed.weight[13 2] chars.rnn.bias_hh_l0[9] chars.rnn.bias_hh_l0_reverse[9] chars.rnn.bias_ih_l0[9] chars.rnn.bias_ih_l0_reverse[9] chars.rnn.weight_hh_l0[9 3] chars.rnn.weight_hh_l0_reverse[9 3] chars.rnn.weight_ih_l0[9 2] chars.rnn.weight_ih_l0_reverse[9 2] crf.end_transitions[4] crf.start_transitions[4] crf.transitions[4 4] embed.weight[10 3] head.bias[4] head.weight[4 2] rnn.bias_hh_l0[6] rnn.bias_ih_l0[6] rnn.weight_hh_l0[6 2] rnn.weight_ih_l0[6 9]"},
		{malformedClass, "attention.weight[2] embed.weight[5 3] head.bias[3] head.weight[3 2] rnn.bias_hh_l0[6] rnn.bias_ih_l0[6] rnn.weight_hh_l0[6 2] rnn.weight_ih_l0[6 3]"},
		{malformedDirect, "decoder.positions[2 2] decoder.series[2 2] head.bias[6] head.weight[6 2] input.bias[4] input.weight[4 2] rnn.bias_hh_l0[6] rnn.bias_ih_l0[6] rnn.weight_hh_l0[6 2] rnn.weight_ih_l0[6 4]"},
		{malformedRecursive, "head.bias[2] head.weight[2 2] rnn.bias_hh_l0[6] rnn.bias_ih_l0[6] rnn.weight_hh_l0[6 2] rnn.weight_ih_l0[6 2]"},
	} {
		if got := taskTensors(t, c.model(t)); got != c.want {
			t.Errorf("tensors\n\t%s\nwant\n\t%s", got, c.want)
		}
	}
}

func malformedOf(t testing.TB, s Spec) *Model {
	s.RNN = gruSpec(2).RNN
	m, _ := examplesOf(t, s)
	return m
}

func malformedTagger(t testing.TB) *Model {
	return malformedOf(t, Spec{Task: Tag, Embed: 3, Chars: Chars{2, 3}, CRF: true})
}

func malformedClass(t testing.TB) *Model {
	return malformedOf(t, Spec{Task: Classify, Embed: 3, Pool: PoolAttention})
}

func malformedDirect(t testing.TB) *Model {
	return malformedOf(t, Spec{Task: Forecast, Embed: 4, Forecast: ForecastOf{Window: 6, Horizon: 4, Segment: 2, Quantiles: []float64{0.25, 0.75}}})
}

func malformedRecursive(t testing.TB) *Model {
	return malformedOf(t, Spec{Task: Forecast, Forecast: ForecastOf{Window: 4, Horizon: 3}})
}

// change puts one text in the place of another in the metadata of a key.
func change(key, from, to string) func(*parts) {
	return func(p *parts) { p.replace(key, from, to) }
}

func without(key string) func(*parts) { return func(p *parts) { delete(p.meta, key) } }

func with(key, value string) func(*parts) { return func(p *parts) { p.meta[key] = value } }

// shaped gives a tensor another shape.
func shaped(name string, shape ...int) func(*parts) {
	return func(p *parts) { p.tensor(name).Shape, p.tensor(name).Data = shape, make([]float32, nn.Elements(shape)) }
}

// ofWords is the vocabulary of a tokenizer.
const ofWords = `{"kind":"tokenizer","unknown":"unk","tokenizer":{"model":{"type":"WordLevel","unk_token":"a","vocab":{"a":0}}}}`

// malformedTags are changes to the file of a tagger with a CRF and the labels O, B-x,
// I-x, B-y of scheme iob2, whose words are spelled.
var malformedTags = []malformation{
	{without("labels"), `model: task tag with 0 labels: want 2 or more`},
	{with("labels", `null`), `model: task tag with 0 labels: want 2 or more`},
	{with("labels", `["O"]`), `model: task tag with 1 labels: want 2 or more`},
	{with("labels", `["O","O"]`), `model: label "O" twice`},
	{with("labels", `["O",""]`), `model: label 1 is "": want 1 to 1024 bytes of UTF-8`},
	{with("labels", `["O",1]`), `model: metadata "labels": json: cannot unmarshal number into Go value of type string`},
	{with("labels", `["O","B-x","I-x","B-y"] []`), `model: metadata "labels": more after the JSON value`},
	{with("labels", `["O","B-x","I-x","`+strings.Repeat("y", 1025)+`"]`), `model: label 3 is "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy": want 1 to 1024 bytes of UTF-8`},
	{with("labels", `["O","B-x","I-x","\ud800"]`), `model: label "�" is none of scheme iob2`},
	{with("labels", `["O","B-x","I-x","y"]`), `model: label "y" is none of scheme iob2`},
	{with("labels", `["O","B-x","I-x"]`), `model: tensor "crf.end_transitions" has shape [4], want [3]`},
	{with("scheme", `"bilou"`), `data: tag scheme "bilou": want iob1, iob2, bioes or none`},
	{with("scheme", `1`), `model: metadata "scheme": json: cannot unmarshal number into Go value of type data.Scheme`},
	{without("characters"), `model: characters of words: want a vocabulary of them and a width of their embedding, or neither`},
	{with("characters", `{}`), `model: metadata "characters": data: vocabulary: field "kind" is missing`},
	{change("characters", `"t"`, `"t","T"`), `model: metadata "characters": data: vocabulary: symbol 9, "T", is also symbol 7`},
	{change("characters", `"t"`, `"t","z"`), `model: tensor "chars.embed.weight" has shape [13 2], want [14 2]`},
	{with("characters", ofWords), `model: characters of words with the vocabulary of a tokenizer: want one of characters`},
	{with("vocab", ofWords), `model: task tag with the vocabulary of a tokenizer: want one of words`},
	{without("vocab"), `model: no "vocab" in the metadata`},
	{change("input", `"chars":{"embed":2,"hidden":3}`, `"lower":true`), `model: characters of words: want a vocabulary of them and a width of their embedding, or neither`},
	{change("input", `"embed":2,"hidden":3`, `"embed":2`), `model: characters of width 2 read by 0 units: want both, or neither`},
	{change("input", `"embed":2,"hidden":3`, `"embed":2,"hidden":16777217`), `model: characters of width 2 read by 16777217 units: want 0 to 1048576 and 0 to 16777216`},
	{change("input", `"embed":2,"hidden":3`, `"embed":-2,"hidden":3`), `model: characters of words: want a vocabulary of them and a width of their embedding, or neither`},
	{change("input", `"hidden":3`, `"hidden":4`), `model: metadata "rnn": input 9: want 11, the width of what stands before it`},
	{change("input", `"embed":3`, `"embed":3,"upper":true`), `model: metadata "input": json: unknown field "upper"`},
	{func(p *parts) {
		p.replace("input", `"hidden":3`, `"hidden":4`)
		p.replace("rnn", `"input":9`, `"input":11`)
	}, `model: tensor "chars.rnn.bias_hh_l0" has shape [9], want [12]`},
	{change("head", `"crf":true,`, ``), `model: tensors without use: ["crf.end_transitions" "crf.start_transitions" "crf.transitions"]`},
	{change("head", `"crf":true`, `"crf":1`), `model: metadata "head": json: cannot unmarshal number into Go struct field headJSON.crf of type bool`},
	{change("head", `"crf":true`, `"crf":true,"pool":"last"`), `model: a pool: of task classify, and this is tag`},
	{change("head", `"crf":true`, `"crf":true,"forecast":{"window":1}`), `model: a window or horizon: of task forecast, and this is tag`},
	{shaped(transitions, 4), `model: tensor "crf.transitions" has shape [4], want [4 4]`},
	{shaped(transitions, 5, 5), `model: tensor "crf.transitions" has shape [5 5], want [4 4]`},
	{shaped(starts, 5), `model: tensor "crf.start_transitions" has shape [5], want [4]`},
	{shaped(ends, 4, 1), `model: tensor "crf.end_transitions" has shape [4 1], want [4]`},
	{func(p *parts) { p.drop(ends) }, `model: tensors missing: ["crf.end_transitions"]`},
	{func(p *parts) { p.tensor(transitions).Data.([]float32)[3] = float32(math.Inf(-1)) }, `model: tensor "crf.transitions" has -Inf at 3: want finite numbers`},
	{func(p *parts) { p.tensor("chars.rnn.bias_hh_l0_reverse").Data.([]float32)[3] = 1 }, `model: tensor "chars.rnn.bias_hh_l0_reverse" has 1 at 3: want zeros, since the model has one bias`},
	{with("series", `{"names":["a"],"scaler":{"mean":[0],"std":[1]}}`), `model: series: of no use to task tag`},
	{func(p *parts) { p.meta["sluice"], p.meta["precision"] = "q1", "int8" }, `model: a model of task tag: want lm to quantize`},
	{with("task", "lm"), `model: labels: of no use to task lm`},
	{with("task", "classify"), `model: a tag scheme: of no use to task classify`},
	{with("task", "forecast"), `model: labels: of no use to task forecast`},
}

// malformedClasses are changes to the file of a classification of text, pooled by
// attention.
var malformedClasses = []malformation{
	{without("labels"), `model: task classify with 0 labels: want 2 or more`},
	{with("labels", `["even","odd","even"]`), `model: label "even" twice`},
	{with("labels", `["even","odd"]`), `model: tensor "head.bias" has shape [3], want [2]`},
	{with("scheme", `"iob2"`), `model: a tag scheme: of no use to task classify`},
	{with("characters", `{"kind":"byte","unknown":"error"}`), `model: characters of words: want a vocabulary of them and a width of their embedding, or neither`},
	{change("head", `"attention"`, `"sum"`), `model: pool "sum": want last, mean, max or attention`},
	{change("head", `"attention"`, `"mean"`), `model: tensors without use: ["attention.weight"]`},
	{change("head", `"attention"`, `["max"]`), `model: metadata "head": json: cannot unmarshal array into Go struct field headJSON.pool of type string`},
	{change("head", `"pool"`, `"crf":true,"pool"`), `model: a CRF: of task tag, and this is classify`},
	{change("head", `"pool"`, `"outputs":3,"pool"`), `model: 3 outputs: of task regress, and this is classify`},
	{change("input", `"embed":3`, `"embed":3,"features":2`), `model: metadata "vocab" beside inputs of 2 numbers: want one of them`},
	{func(p *parts) { p.replace("input", `"embed":3`, `"embed":3,"features":2`); delete(p.meta, "vocab") }, `model: tensors missing: ["input.bias" "input.weight"]; without use: ["embed.weight"]`},
	{change("rnn", `"direction":"forward"`, `"direction":"bidirectional","merge":"sum"`), `model: tensors missing: ["rnn.merge_sum.bias_hh_l0" "rnn.merge_sum.bias_hh_l0_reverse" "rnn.merge_sum.bias_ih_l0" "rnn.merge_sum.bias_ih_l0_reverse" "rnn.merge_sum.weight_hh_l0" "rnn.merge_sum.weight_hh_l0_reverse" "rnn.merge_sum.weight_ih_l0" "rnn.merge_sum.weight_ih_l0_reverse"]; without use: ["rnn.bias_hh_l0" "rnn.bias_ih_l0" "rnn.weight_hh_l0" "rnn.weight_ih_l0"]`},
	{func(p *parts) {
		p.replace("head", `"attention"`, `"last"`)
		p.replace("rnn", `"direction":"forward"`, `"direction":"bidirectional","merge":"sum"`)
	}, `model: pool last of directions that are merged by sum: the last outputs of the two are at different steps, want merge concat or another pool`},
	{shaped(attention, 3), `model: tensor "attention.weight" has shape [3], want [2]`},
	{shaped(headWeight, 2, 2), `model: tensor "head.weight" has shape [2 2], want [3 2]`},
	{func(p *parts) { p.tensor(attention).Data.([]float32)[1] = float32(math.NaN()) }, `model: tensor "attention.weight" has NaN at 1: want finite numbers`},
	{with("task", "tag"), `model: a pool: of task classify, and this is tag`},
}

// malformedSegments are changes to the file of a direct forecast of 2 series, with
// quantiles.
var malformedSegments = []malformation{
	{without("series"), `model: task forecast without series`},
	{with("series", `null`), `model: task forecast without series`},
	{change("series", `["up","down"]`, `[]`), `model: 0 series: want 1 to 65536`},
	{change("series", `["up","down"]`, `["up","up"]`), `model: series "up" twice`},
	{change("series", `["up","down"]`, `["up",""]`), `model: series 1 is "": want 1 to 1024 bytes of UTF-8`},
	{change("series", `["up","down"]`, `["up"]`), `model: 1 series with the scales of 2`},
	{change("series", `["up","down"]`, `["up","down","left"]`), `model: 3 series with the scales of 2`},
	{func(p *parts) {
		p.replace("series", `["up","down"]`, `["up"]`)
		p.replace("series", `[1,2]`, `[1]`)
		p.replace("series", `[2,3]`, `[2]`)
	}, `model: tensor "decoder.series" has shape [2 2], want [1 2]`},
	{change("series", `[2,3]`, `[2,NaN]`), `model: metadata "series": invalid character 'N' looking for beginning of value`},
	{change("series", `[2,3]`, `[2,null]`), `data: scaler of channel 2 with mean 2 and standard deviation 0: want finite numbers, the second above 0`},
	{change("series", `[2,3]`, `[2,0]`), `data: scaler of channel 2 with mean 2 and standard deviation 0: want finite numbers, the second above 0`},
	{change("series", `[2,3]`, `[2,-1]`), `data: scaler of channel 2 with mean 2 and standard deviation -1: want finite numbers, the second above 0`},
	{change("series", `[2,3]`, `[2,1e999]`), `model: metadata "series": json: cannot unmarshal number 1e999 into Go struct field Scaler.scaler.std of type float64`},
	{change("series", `[2,3]`, `[2]`), `data: scaler of 2 means and 1 standard deviations: want one of each for every channel`},
	{change("series", `[1,2]`, `[1,"2"]`), `model: metadata "series": json: cannot unmarshal string into Go struct field Scaler.scaler.mean of type float64`},
	{change("series", `"season":3`, `"season":-3`), `model: a season of -3 steps: want 0 (none) to 1048576`},
	{change("series", `"season":3`, `"seasons":3`), `model: metadata "series": json: unknown field "seasons"`},
	{change("head", `"window":6`, `"window":7`), `model: segments of 2 steps: want a divisor of the window (7) and of the horizon (4), or 0 to forecast recursively`},
	{change("head", `"window":6`, `"window":0`), `model: a window of 0 steps: want 1 to 1048576`},
	{change("head", `"window":6`, `"window":1048578`), `model: a window of 1048578 steps: want 1 to 1048576`},
	{change("head", `"horizon":4`, `"horizon":6`), `model: tensor "decoder.positions" has shape [2 2], want [3 2]`},
	{change("head", `"horizon":4`, `"horizon":-4`), `model: a horizon of -4 steps: want 1 to 1048576`},
	{change("head", `"horizon":4`, `"horizon":1048576`), `model: tensor "decoder.positions" has shape [2 2], want [524288 2]`},
	{change("head", `"segment":2`, `"segment":1`), `model: metadata "input": features 2: want 1, as the forecast reads`},
	{change("head", `"segment":2`, `"segment":4`), `model: segments of 4 steps: want a divisor of the window (6) and of the horizon (4), or 0 to forecast recursively`},
	{change("head", `"segment":2`, `"segment":-2`), `model: segments of -2 steps: want a divisor of the window (6) and of the horizon (4), or 0 to forecast recursively`},
	{change("head", `"segment":2`, `"segment":0`), `model: quantiles [0.25 0.75]: of a direct forecast, by segments; those of a recursive one would be of a single step`},
	{change("head", `"segment":2`, `"segment":2.5`), `model: metadata "head": json: cannot unmarshal number 2.5 into Go struct field ForecastOf.forecast.segment of type int`},
	{func(p *parts) {
		p.replace("head", `"segment":2`, `"segment":1`)
		p.replace("input", `"features":2`, `"features":1`)
	}, `model: tensor "decoder.positions" has shape [2 2], want [4 2]`},
	{change("head", `[0.25,0.75]`, `[0.75,0.25]`), `model: quantiles [0.75 0.25]: want rising numbers between 0 and 1`},
	{change("head", `[0.25,0.75]`, `[0.25,0.25]`), `model: quantiles [0.25 0.25]: want rising numbers between 0 and 1`},
	{change("head", `[0.25,0.75]`, `[0,0.75]`), `model: quantiles [0 0.75]: want rising numbers between 0 and 1`},
	{change("head", `[0.25,0.75]`, `[0.25,1]`), `model: quantiles [0.25 1]: want rising numbers between 0 and 1`},
	{change("head", `[0.25,0.75]`, `[0.25]`), `model: tensor "head.bias" has shape [6], want [4]`},
	{change("head", `[0.25,0.75]`, `[0.01`+strings.Repeat(`,0.01`, maxQuantiles)+`]`), `model: 100 quantiles: want at most 99`},
	{change("input", `"embed":4`, `"embed":3`), `model: segments as vectors of width 3: want an even width, half of it for where a segment is`},
	{change("input", `"embed":4`, `"embed":0`), `model: segments as vectors of width 0: want an even width, half of it for where a segment is`},
	{change("input", `"features":2,`, ``), `model: no "vocab" in the metadata`},
	{change("rnn", `"layers":1`, `"layers":2`), `model: a forecast by segments with 2 layers of gru: want one, of a cell whose output is its state: gru or rnn`},
	{change("rnn", `"cell":"gru","reset":"after"`, `"cell":"lstm"`), `model: a forecast by segments with 1 layers of lstm: want one, of a cell whose output is its state: gru or rnn`},
	{change("rnn", `"forward"`, `"bidirectional"`), `model: a bidirectional stack would read steps that are to be forecast: want direction forward`},
	{with("labels", `["a","b"]`), `model: labels: of no use to task forecast`},
	{with("vocab", `{"kind":"byte","unknown":"error"}`), `model: metadata "vocab" beside inputs of 2 numbers: want one of them`},
	{shaped(positions, 3, 2), `model: tensor "decoder.positions" has shape [3 2], want [2 2]`},
	{shaped(series, 2, 4), `model: tensor "decoder.series" has shape [2 4], want [2 2]`},
	{func(p *parts) { p.drop(series) }, `model: tensors missing: ["decoder.series"]`},
}

// malformedRecursion are changes to the file of a recursive forecast of 2 series.
var malformedRecursion = []malformation{
	{change("head", `"horizon":3`, `"horizon":3,"quantiles":[0.5]`), `model: quantiles [0.5]: of a direct forecast, by segments; those of a recursive one would be of a single step`},
	{change("head", `"horizon":3`, `"horizon":3,"segment":1`), `model: segments as vectors of width 0: want an even width, half of it for where a segment is`},
	{change("input", `"features":2`, `"features":3`), `model: metadata "input": features 3: want 2, as the forecast reads`},
	{change("rnn", `"forward"`, `"backward"`), `model: a backward stack would read steps that are to be forecast: want direction forward`},
	{func(p *parts) {
		p.replace("series", `["up","down"]`, `["up"]`)
		p.replace("series", `[1,2]`, `[1]`)
		p.replace("series", `[2,3]`, `[2]`)
	}, `model: metadata "input": features 2: want 1, as the forecast reads`},
	{func(p *parts) { delete(p.meta, "series"); p.meta["task"] = Regress }, `model: 0 outputs: want 1 or more values of a regression`},
}

// smallTasks are the files of small models of each task.
func smallTasks(t testing.TB) (files [][]byte) {
	c := rnn.Config{Cell: "rnn", Biases: 1, Layers: 1, Hidden: 1}
	scaler := data.Scaler{Mean: []float64{1}, Std: []float64{2}}
	for _, of := range []struct {
		s Spec
		n Names
	}{
		{Spec{Task: Tag, Embed: 1, CRF: true}, Names{Labels: []string{"O", "I-a"}, Scheme: "iob1"}},
		{Spec{Task: Tag, Embed: 1, Lower: true, Chars: Chars{1, 1}}, Names{Labels: []string{"a", "b"}}},
		{Spec{Task: Classify, Embed: 1, Pool: PoolAttention}, Names{Labels: []string{"a", "b"}}},
		{Spec{Task: Classify, Embed: 1, Features: 2, Pool: PoolMax}, Names{Labels: []string{"a", "b"}}},
		{Spec{Task: Forecast, Embed: 2, Forecast: ForecastOf{Window: 4, Horizon: 2, Segment: 2, Quantiles: []float64{0.5}}}, Names{Series: &Series{Names: []string{"a"}, Scaler: scaler}}},
		{Spec{Task: Forecast, Forecast: ForecastOf{Window: 2, Horizon: 2}}, Names{Series: &Series{Names: []string{"a"}, Scaler: scaler, Season: 2}}},
	} {
		of.s.RNN = c
		if of.s.Task != Forecast && of.s.Features == 0 {
			of.n.Vocab = vocabOf(t, "ab", data.VocabOptions{})
		}
		if of.s.Chars.on() {
			of.n.Characters = vocabOf(t, "a", data.VocabOptions{Unknown: "unk"})
		}
		m, err := New(of.s, of.n)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Init(rnn.Init{}, 7); err != nil {
			t.Fatal(err)
		}
		files = append(files, fileOf(t, m))
	}
	return files
}

// useTask runs what was read of a file: nothing panics.
func useTask(t *testing.T, m *Model) {
	p, team := m.Pack(), newTeam(t, 1)
	if m.Task == Forecast {
		if f := m.Forecast; f.Window > 1<<10 || f.Horizon > 1<<10 {
			return
		}
		f, err := NewForecaster(p, team)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Forecast(make([]float64, m.Forecast.Window*len(m.Series.Names))); err != nil {
			t.Error(err)
		}
		return
	}
	b := Batch{T: 2, B: 2, Lengths: []int{2, 1}, Data: make([]float32, 4*m.Features), Targets: make([]int32, 2)}
	if m.Vocab != nil {
		b.IDs = make([]int32, 4)
	}
	if m.Chars.on() {
		b.Forms, b.Spellings = make([]int32, 4), &Spellings{T: 1, N: 1, IDs: []int32{0}, Lengths: []int{1}}
	}
	rows := 2
	if m.Task == Tag {
		rows = 4
	}
	best := make([]int32, rows)
	NewRunner(p, team).Answer(best, make([]float32, rows*len(m.Labels)), b)
	for i, l := range best {
		if (l < 0 || int(l) >= len(m.Labels)) != (i == 3) {
			t.Errorf("labels %v of %d", best, len(m.Labels))
		}
	}
}

// As many names as a file may have take no more memory than Read says, on the way
// to the error that they do not fit.
func TestManyNames(t *testing.T) {
	for _, n := range []int{500, MaxLabels, MaxSeries} {
		var names, ones []string
		for i := range n {
			names, ones = append(names, fmt.Sprintf("%q", fmt.Sprint(i))), append(ones, "1")
		}
		all := strings.Join(names, ",")
		for want, of := range map[string]struct {
			model  func(testing.TB) *Model
			change func(*parts)
		}{
			fmt.Sprintf(`model: tensor "head.bias" has shape [3], want [%d]`, n): {malformedClass, with("labels", "["+all+"]")},
			fmt.Sprintf(`model: metadata "input": features 2: want %d, as the forecast reads`, n): {malformedRecursive, func(p *parts) {
				numbers := strings.Join(ones, ",")
				p.meta["series"] = `{"names":[` + all + `],"scaler":{"mean":[` + numbers + `],"std":[` + numbers + `]}}`
			}},
		} {
			p := partsOf(t, of.model(t))
			of.change(&p)
			if n > MaxLabels && p.meta["series"] == "" {
				continue
			}
			file := p.file(t)
			var err error
			if got := allocated(func() { _, err = read(file) }); got > most(file) {
				t.Errorf("%d names: %d bytes allocated for a file of %d", n, got, len(file))
			}
			wantError(t, err, want)
		}
	}
	p := partsOf(t, malformedClass(t))
	p.meta["labels"] = `["a"` + strings.Repeat(`,"a"`, MaxLabels) + `]`
	_, err := read(p.file(t))
	wantError(t, err, "model: 4097 labels: want at most 4096")
}
