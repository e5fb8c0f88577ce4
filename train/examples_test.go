package train

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"sluice/data"
	"sluice/model"
)

// smallTask is a run of a moment on generated examples of a task.
func smallTask(t testing.TB, task string) (Config, *Examples) {
	t.Helper()
	c, err := Preset(task)
	if err != nil {
		t.Fatal(err)
	}
	c.Model.RNN.Hidden, c.Batches.Batch, c.Epochs, c.Split.Lines = 6, 8, 2, 4
	c.Tokens = 200
	var x *Examples
	switch task {
	case model.Tag:
		c.Model.Embed, c.Model.Chars = 5, model.Chars{Embed: 3, Hidden: 4}
		c.Epochs, c.Schedule.Rate, c.Model.InputDropout, c.Model.OutputDropout = 8, 0.05, 0, 0
		c.Model.CRF, c.Vocab.MinCount = true, 1
		var p Parts[data.Sentence]
		for i := range uint64(100) {
			words, tags := data.Dates{Seed: 1}.Sentence(i)
			p.Train = append(p.Train, data.Sentence{Words: words, Tags: tags, Line: int(i) + 1})
		}
		x, err = PrepareTags(c, &p, nil)
	case model.Classify:
		c.Model.Embed, c.ClassWeights = 5, WeightsBalanced
		var p Parts[data.Example]
		for i := range uint64(80) {
			text, label := data.Grammars{Seed: 1}.Example(i)
			p.Train = append(p.Train, data.Example{Text: text, Label: label, Line: int(i) + 1})
		}
		x, err = PrepareLabels(c, &p)
	case model.Forecast:
		c.Model.Embed, c.Model.Forecast = 6, model.ForecastOf{Window: 12, Horizon: 4, Segment: 4, Quantiles: []float64{0.1, 0.9}}
		c.Split, c.Season, c.MaxRows = data.Fractions{Validation: 0.2, Test: 20}, 4, 120
		x, err = PrepareSeries(c, &data.Series{Names: data.Seasons{}.Names(), Values: data.Seasons{Seed: 1}.Values()[:3*150]})
	}
	if err != nil {
		t.Fatal(err)
	}
	return c, x
}

var tasks = []string{model.Tag, model.Classify, model.Forecast}

// A run of a task is the same on any number of threads, another seed's is not, and
// what it keeps is the best on what is held out.
func TestTasks(t *testing.T) {
	for _, task := range tasks {
		t.Run(task, func(t *testing.T) {
			c, x := smallTask(t, task)
			one, rec := mustRun(t, c, x)
			many, err := Run(t.Context(), c, x, Options{Threads: 3})
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(many.Model.Params, one.Model.Params) || fmt.Sprint(many.Model.History) != fmt.Sprint(one.Model.History) {
				t.Error("three threads give another model than two")
			}
			best := slices.MinFunc(one.Curve, func(a, b Epoch) int {
				if a.Figure != b.Figure {
					return int(math.Copysign(1, b.Figure-a.Figure))
				}
				return int(math.Copysign(1, a.HeldOutLoss-b.HeldOutLoss))
			})
			if h := one.Model.History; h.Epoch != best.Epoch || h.HeldOutFigure != best.Figure || h.HeldOutLoss != best.HeldOutLoss {
				t.Errorf("kept epoch %d with %v and %v of %+v", h.Epoch, h.HeldOutFigure, h.HeldOutLoss, one.Curve)
			}
			if (best.Figure > 0) != figured(task) {
				t.Errorf("the best epoch has the figure %v", best.Figure)
			}
			start := rec.events[0].(Start)
			if start.TrainSymbols != x.Train.Len() || start.HeldOutSymbols != x.HeldOut.Len() || start.Updates == 0 {
				t.Errorf("start %+v of %d and %d examples", start, x.Train.Len(), x.HeldOut.Len())
			}
			c.Seed = 2
			if other, _ := mustRun(t, c, x); slices.Equal(other.Model.Params, one.Model.Params) {
				t.Error("another seed gives the same model")
			}
		})
	}
}

// A task is learnt: the loss falls below that of who knows only how frequent tags,
// labels and values are.
func TestTasksLearn(t *testing.T) {
	for task, want := range map[string]float64{model.Tag: 0.3, model.Classify: 1.0, model.Forecast: 1.2} {
		t.Run(task, func(t *testing.T) {
			c, x := smallTask(t, task)
			c.Epochs, c.Model.RNN.Hidden, c.Schedule.Rate, c.Keep = 30, 16, 0.01, KeepTrain
			c.Model.InputDropout, c.Model.OutputDropout, c.Schedule.Kind = 0, 0, "constant"
			result, _ := mustRun(t, c, x)
			if loss := result.Model.History.TrainLoss; !(loss < want) {
				t.Errorf("loss %v, want below %v", loss, want)
			}
		})
	}
}

// The n-th of each file is held out, counted anew where a file begins.
func TestDivide(t *testing.T) {
	lines := []int{1, 2, 3, 4, 5, 6, 7, 1, 2, 3, 9, 1}
	in := func(line int) (string, int) { return "", line }
	train, heldOut, test := divide(lines, data.Fractions{Lines: 3}, in)
	if fmt.Sprint(train, heldOut, test) != "[1 2 4 5 7 1 2 9 1] [3 6 3] []" {
		t.Error(train, heldOut, test)
	}
	train, heldOut, test = divide(lines, data.Fractions{Validation: 0.25, Test: 0.5}, in)
	if fmt.Sprint(train, heldOut, test) != "[1 2 3] [4 5 6] [7 1 2 3 9 1]" {
		t.Error(train, heldOut, test)
	}
	places := []string{"a1", "a2", "b3", "b4", "c5", "c6", "c7", "c1"}
	first, third, _ := divide(places, data.Fractions{Lines: 3}, func(s string) (string, int) { return s[:1], int(s[1] - '0') })
	if fmt.Sprint(first, third) != "[a1 a2 b3 b4 c5 c6 c1] [c7]" {
		t.Error(first, third)
	}
}

// Tags are brought to one scheme.
func TestPrepareTagsScheme(t *testing.T) {
	c, _ := Preset(model.Tag)
	c.Scheme = data.BIOES
	p := Parts[data.Sentence]{
		Train:   []data.Sentence{{Words: []string{"a", "b", "c"}, Tags: []string{"I-x", "I-x", "O"}, Line: 1}, {Words: []string{"a", "b"}, Tags: []string{"I-x", "B-x"}, Line: 4}},
		HeldOut: []data.Sentence{{Words: []string{"a", "b"}, Tags: []string{"B-x", "I-x"}, Line: 1}},
	}
	x, err := PrepareTags(c, &p, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(p.Train[0].Tags, p.Train[1].Tags, p.HeldOut[0].Tags, x.Names.Labels, x.Names.Scheme); got != "[B-x E-x O] [S-x S-x] [B-x E-x] [S-x B-x E-x O]bioes" {
		t.Error(got)
	}
}

// Embeddings begin with vectors; words that only these have are in the vocabulary.
func TestVectors(t *testing.T) {
	c, _ := smallTask(t, model.Tag)
	c.Model.Embed, c.Epochs, c.Vocab.MinCount = 2, 1, 1
	c.Schedule.Rate = 1e-9
	p := Parts[data.Sentence]{Train: []data.Sentence{{Words: []string{"Hay", "oats"}, Tags: []string{"X", "Y"}, Line: 1}}, HeldOut: []data.Sentence{{Words: []string{"Rye"}, Tags: []string{"X"}, Line: 1}}}
	v := &Vectors{Words: []string{"rye", "hay"}, Width: 2, Values: []float32{1, 2, 3, 4}}
	x, err := PrepareTags(c, &p, v)
	if err != nil {
		t.Fatal(err)
	}
	result, _ := mustRun(t, c, x)
	for _, tensor := range result.Model.Tensors() {
		if tensor.Name != "embed.weight" {
			continue
		}
		for word, want := range map[string][]float32{"rye": {1, 2}, "hay": {3, 4}} {
			id, ok := x.Names.Vocab.ID(word)
			if got := tensor.Data[2*id : 2*id+2]; !ok || math.Abs(float64(got[0]-want[0])) > 1e-6 || math.Abs(float64(got[1]-want[1])) > 1e-6 {
				t.Errorf("%s is %v, want %v", word, got, want)
			}
		}
	}
	v.Width = 3
	if _, err := PrepareTags(c, &p, v); err == nil {
		t.Error("no error of vectors of another width than the embedding's")
	}
}

// Labels of one example are told.
func TestRare(t *testing.T) {
	c, _ := Preset(model.Classify)
	p := Parts[data.Example]{HeldOut: []data.Example{{Text: "a", Label: "x", Line: 1}}}
	for i, label := range strings.Fields("x x y z z w") {
		p.Train = append(p.Train, data.Example{Text: "ab", Label: label, Line: i + 1})
	}
	x, err := PrepareLabels(c, &p)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(x.Names.Labels, x.Rare); got != "[x z w y] [w y]" {
		t.Error(got)
	}
	c.ClassWeights = WeightsBalanced
	if got := x.balanced(c); !slices.Equal(got, []float32{0.75, 0.75, 1.5, 1.5}) {
		t.Error("weights", got)
	}
}

func TestBorders(t *testing.T) {
	c, _ := Preset(model.Forecast)
	c.Model.Forecast.Window, c.Model.Forecast.Horizon = 10, 5
	for _, of := range []struct {
		validation, test float64
		maxRows          int
		want             string
	}{
		{0.1, 0.2, 0, "70 80 100 <nil>"},
		{20, 30, 0, "50 70 100 <nil>"},
		{10, 10, 80, "60 70 80 <nil>"},
		{0, 0, 0, "100 100 100 <nil>"},
		{50, 40, 0, "0 0 0 train: a series of 100 steps, 50 of them held out and 40 for a test: 10 are left, want 15 at least, a window of 10 and a horizon of 5"},
	} {
		c.Split, c.MaxRows = data.Fractions{Validation: of.validation, Test: of.test}, of.maxRows
		a, b, n, err := c.Borders(100)
		if got := fmt.Sprint(a, b, n, err); got != of.want {
			t.Errorf("%+v: %s", of, got)
		}
	}
}

// What no reader gives, and a library's caller may.
func TestPrepareErrors(t *testing.T) {
	tag, _ := Preset(model.Tag)
	for want, s := range map[string]data.Sentence{
		"line 3: 0 tags of 1 words: want one each": {Words: []string{"a"}, Tags: []string{}, Line: 3},
		"line 3: a sentence without words":         {Line: 3},
		"line 3: 2 tags of 1 words: want one each": {Words: []string{"a"}, Tags: []string{"X", "Y"}, Line: 3},
	} {
		_, err := PrepareTags(tag, &Parts[data.Sentence]{Train: []data.Sentence{s}}, nil)
		wantError(t, err, want)
	}
	classify, _ := Preset(model.Classify)
	_, err := PrepareLabels(classify, &Parts[data.Example]{Train: []data.Example{{Values: []float32{1, float32(math.NaN())}, F: 1, Label: "x", Line: 2}}})
	wantError(t, err, "line 2: NaN: want finite numbers")
	classify.ClassWeights, classify.Smoothing = WeightsBalanced, 0.1
	wantError(t, classify.Validate(), `train: class weights "balanced" with label smoothing 0.1: want one of the two`)
	forecast, _ := Preset(model.Forecast)
	forecast.Model.Forecast = model.ForecastOf{Window: 4, Horizon: 2, Segment: 2}
	values := make([]float64, 60)
	values[31] = math.Inf(1)
	_, err = PrepareSeries(forecast, &data.Series{Names: []string{"a", "b"}, Values: values})
	wantError(t, err, `train: series "b" has +Inf at step 15: want finite numbers`)
}
