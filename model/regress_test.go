package model

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"sluice/data"
	"sluice/nn"
	"sluice/optim"
	"sluice/rnn"
)

// A regression learns the mean of the first feature where the second is set,
// over rows of many lengths: what no model can tell without looking back.
func TestRegressionLearns(t *testing.T) {
	const T, B = 12, 32
	r := rand.New(rand.NewPCG(1, 2))
	m := newModel(t, Spec{Task: Regress, Features: 2, Outputs: 1, RNN: rnn.Config{Cell: "lstm", Hidden: 12, Layers: 1, Biases: 1}}, nil)
	p, team := m.Pack(), newTeam(t, 2)
	b := Batch{T: T, B: B, Data: make([]float32, T*B*2), Lengths: make([]int, B), Values: make([]float32, B)}
	draw := func() {
		for i := range B {
			b.Lengths[i], b.Values[i] = 4+r.IntN(T-3), 0
			marks := r.Perm(b.Lengths[i])[:2]
			for step := range T {
				x := b.Data[(step*B+i)*2:][:2]
				if x[0], x[1] = r.Float32(), 0; slices.Contains(marks, step) {
					x[1] = 1
					b.Values[i] += x[0] / 2
				}
			}
		}
	}
	run, adam, g := NewRunner(p, team), optim.Rule{Kind: "adam", Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}.New(m.Size()), make([]float32, m.Size())
	for range 600 {
		draw()
		clear(g)
		run.Gradient(g, b, nil, Objective{})
		optim.ClipNorm(team, g, 1)
		adam.Update(team, m.Params, g, 0.02)
		m.Repack(team, p)
	}
	draw()
	sum, count := run.Loss(b, nil)
	values, squared := make([]float32, B), 0.0
	run.Outputs(values, b, nil)
	for i, v := range values {
		squared += math.Pow(float64(v)-float64(b.Values[i]), 2)
	}
	if mse := sum / float64(count); count != B || !(mse < 0.005) || math.Abs(squared-sum) > 1e-9 { // the variance is 1/24
		t.Errorf("mean squared error %v over %d, of what Outputs gives %v", mse, count, squared/B)
	}
}

// What lies past a row's length counts for nothing; a row without a step gets
// the bias and does not count; nor do the rows beside it.
func TestRegressionLengths(t *testing.T) {
	for _, spec := range regressions() {
		p := newProblem(t, spec)
		k, run := p.m.Outputs, NewRunner(p.m.Pack(), newTeam(t, 2))
		values, state := make([]float32, p.b.B*k), slices.Clone(p.state)
		run.Outputs(values, p.b, state)
		if bias := p.m.rows.find(p.m.Params, headBias); !same(values[k:2*k], bias) || same(values[:k], bias) {
			t.Errorf("%s: %v without a step, want the bias %v", spec.testName(), values[k:2*k], bias)
		}
		for i, n := range p.b.Lengths {
			one := Batch{T: n, B: 1, Values: p.b.Values[i*k:][:k]}
			for step := range n {
				one.Data = append(one.Data, p.b.Data[(step*p.b.B+i)*p.m.Features:][:p.m.Features]...)
			}
			alone, end := make([]float32, k), slices.Clone(p.state[i*run.p.StateSize():][:run.p.StateSize()])
			run.Outputs(alone, one, end)
			if !same(alone, values[i*k:][:k]) || !same(end, state[i*len(end):][:len(end)]) {
				t.Errorf("%s: row %d is %v alone, %v among others", spec.testName(), i, alone, values[i*k:][:k])
			}
			if sum, count := run.Loss(one, nil); n == 0 && (sum != 0 || count != 0) {
				t.Errorf("%s: loss %v over %d of a row without a step", spec.testName(), sum, count)
			}
			for step := n; step < p.b.T; step++ {
				p.b.Data[(step*p.b.B+i)*p.m.Features] = float32(math.NaN())
			}
		}
		_, _, g, _ := p.gradient(2, Objective{AR: 1, TAR: 1}, nil)
		for i, v := range g {
			if v-v != 0 {
				t.Fatalf("%s: gradient %d is %v", spec.testName(), i, v)
			}
		}
	}
}

func TestRegressionFile(t *testing.T) {
	for _, spec := range regressions() {
		m := newModel(t, spec, nil)
		m.History = History{Epoch: 2, TrainLoss: 0.5}
		got, err := read(fileOf(t, m))
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got.Spec, m.Spec) || !same(got.Params, m.Params) || got.Vocab != nil || fmt.Sprint(got.History) != fmt.Sprint(m.History) || !bytes.Equal(fileOf(t, m), fileOf(t, got)) {
			t.Errorf("%s: another model came back", spec.testName())
		}
	}
}

// What is for text alone says so.
func TestOtherTasks(t *testing.T) {
	m := malformedNumbers(t)
	p, team := m.Pack(), newTeam(t, 1)
	_, err := Evaluate(context.Background(), p, team, data.NewSymbols([]int32{1, 2}), nil)
	wantError(t, err, "model: a model of task regress: want lm to score a text")
	_, err = NewGenerator(p, Sampling{})
	wantError(t, err, "model: a model of task regress: want lm to write text")
	_, err = m.Quantize(nn.Int8)
	wantError(t, err, "model: a model of task regress: want lm to quantize")
	text := malformedModel(t)
	b := Batch{T: 1, B: 1, Data: make([]float32, 3), Values: make([]float32, 2)}
	run, runText, g := NewRunner(p, team), NewRunner(text.Pack(), team), make([]float32, m.Size())
	for want, f := range map[string]func(){
		"model: a model of task regress: want lm to step through symbols":           func() { run.Step(nn.Matrix{}, nil, nil, nil) },
		"model: Outputs: out has 1 values, want 1 × 2":                              func() { run.Outputs(make([]float32, 1), b, nil) },
		"model: a batch of 2 numbers, want 1 × 1 × 3":                               func() { run.Loss(Batch{T: 1, B: 1, Data: b.Data[:2]}, nil) },
		"model: a batch of 1 values, want 1 × 2":                                    func() { run.Loss(Batch{T: 1, B: 1, Data: b.Data, Values: b.Values[:1]}, nil) },
		"model: a batch of 3 numbers, want 1 × 1 × 0":                               func() { runText.Loss(b, nil) },
		"model: a batch with lengths: a language model reads all steps of all rows": func() { runText.Loss(Batch{Lengths: []int{}}, nil) },
		"rnn: Forward: length 2 of row 0, want 0 to 1":                              func() { b := b; b.Lengths = []int{2}; run.Loss(b, nil) },
		"model: label smoothing 0.1: acts on classes, and task regress has none":    func() { run.Gradient(g, b, nil, Objective{Smoothing: 0.1}) },
		"model: temporal activation regularisation -1: want 0 (none) or more":       func() { run.Gradient(g, b, nil, Objective{TAR: -1}) },
		"model: activation regularisation +Inf: want 0 (none) or more":              func() { run.Gradient(g, b, nil, Objective{AR: math.Inf(1)}) },
		"model: label smoothing NaN: want a number in [0, 1)":                       func() { run.Gradient(g, b, nil, Objective{Smoothing: math.NaN()}) },
		fmt.Sprintf("model: Gradient: g has %d values, want %d", len(g)-1, len(g)):  func() { run.Gradient(g[1:], b, nil, Objective{}) },
		"model: a batch of 0 symbols, want 1 × 2":                                   func() { runText.Loss(Batch{T: 1, B: 2, Targets: []int32{0, 0}}, nil) },
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); got != want {
					t.Errorf("panic\n\t%s\nwant\n\t%s", got, want)
				}
			}()
			f()
		}()
	}
}
