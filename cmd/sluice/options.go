package main

import (
	"cmp"

	"sluice/optim"
	"sluice/rnn"
	"sluice/train"
)

// condition is what a flag needs to act.
type condition struct {
	flag        string
	given, acts bool
	with        string
}

// actWith is the error of a flag that was given and would not act.
func actWith(flags []condition) error {
	for _, f := range flags {
		if f.given && !f.acts {
			return usage("--%s acts with %s only", f.flag, f.with)
		}
	}
	return nil
}

// apply sets the flags given. Another cell than the preset's drops what
// belongs to that one.
func (f modelFlags) apply(c *train.Config) error {
	m, stack, init := &c.Model, &c.Model.RNN, &c.Init
	if f.Cell != nil && *f.Cell != stack.Cell {
		stack.Cell, stack.Reset, stack.Activation, init.ForgetBias = *f.Cell, "", "", 0
		if stack.Cell == "gru" {
			stack.Reset = rnn.ResetAfter
		}
	}
	if f.Init != nil && *f.Init != init.Kind {
		init.Kind, init.Sigma = *f.Init, 0
		if init.Kind == "normal" {
			init.Sigma = 0.01
		}
	}
	if err := actWith([]condition{
		{"activation", f.Activation != nil, stack.Cell == "rnn", "--cell rnn"},
		{"reset", f.Reset != nil, stack.Cell == "gru", "--cell gru"},
		{"forget-bias", f.ForgetBias != nil, stack.Cell == "lstm", "--cell lstm"},
		{"init-sigma", f.InitSigma != nil, init.Kind == "normal", "--init normal"},
	}); err != nil {
		return err
	}
	set(&stack.Activation, f.Activation)
	set((*string)(&stack.Reset), f.Reset)
	set(&stack.Hidden, f.Hidden)
	set(&stack.Layers, f.Layers)
	set(&stack.Biases, f.Biases)
	set((*string)(&stack.Direction), f.Direction)
	set(&m.Embed, f.Embed)
	if f.Dropout != nil {
		m.OutputDropout, m.InputDropout, stack.Dropout = *f.Dropout, *f.Dropout, *f.Dropout
	}
	switch {
	case stack.Layers == 1:
		stack.Dropout = 0 // it acts between layers
	case stack.Dropout == 0:
		stack.Dropout = m.OutputDropout
	}
	switch {
	case m.Embed == 0:
		m.InputDropout = 0 // one-hot inputs are not dropped
	case m.InputDropout == 0:
		m.InputDropout = m.OutputDropout
	}
	set(&init.Sigma, f.InitSigma)
	set(&init.Orthogonal, f.Orthogonal)
	set(&init.ForgetBias, f.ForgetBias)
	return nil
}

// apply sets the flags given. Another optimizer or schedule than the preset's
// drops what belongs to that one.
func (f runFlags) apply(c *train.Config) error {
	o, s := &c.Optimizer, &c.Schedule
	if f.Optimizer != nil && *f.Optimizer != o.Kind {
		switch *f.Optimizer {
		case "sgd":
			*o, s.Rate, s.Final = train.Optimizer{Kind: "sgd"}, 1, 0
		case "adam":
			*o, s.Rate, s.Final = train.Optimizer{Kind: "adam", Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}, 0.001, 0
		}
	}
	if f.Schedule != nil && *f.Schedule != cmp.Or(s.Kind, "constant") {
		*s = optim.Schedule{Kind: *f.Schedule, Rate: s.Rate, Warmup: s.Warmup}
		if s.Kind == "step" {
			s.Factor = 0.5
		}
	}
	if err := actWith([]condition{
		{"momentum", f.Momentum != nil, o.Kind == "sgd", "--optimizer sgd"},
		{"beta1", f.Beta1 != nil, o.Kind == "adam", "--optimizer adam"},
		{"beta2", f.Beta2 != nil, o.Kind == "adam", "--optimizer adam"},
		{"epsilon", f.Epsilon != nil, o.Kind == "adam", "--optimizer adam"},
		{"lr-every", f.LREvery != nil, s.Kind == "step", "--schedule step"},
		{"lr-factor", f.LRFactor != nil, s.Kind == "step", "--schedule step"},
		{"lr-final", f.LRFinal != nil, s.Kind == "cosine", "--schedule cosine"},
	}); err != nil {
		return err
	}
	if s.Kind == "step" && s.Every == 0 && f.LREvery == nil {
		return usage("--schedule step: want --lr-every too")
	}
	f.set(c)
	return nil
}

func (f runFlags) set(c *train.Config) {
	set(&c.Batches.Batch, f.Batch)
	set(&c.Batches.Steps, f.Steps)
	set(&c.Batches.Sampling, f.Sampling)
	set(&c.Batches.Offset, f.Offset)
	set(&c.Optimizer.Momentum, f.Momentum)
	set(&c.Optimizer.Beta1, f.Beta1)
	set(&c.Optimizer.Beta2, f.Beta2)
	set(&c.Optimizer.Epsilon, f.Epsilon)
	set(&c.Schedule.Rate, f.LR)
	set(&c.Schedule.Warmup, f.Warmup)
	set(&c.Schedule.Every, f.LREvery)
	set(&c.Schedule.Factor, f.LRFactor)
	set(&c.Schedule.Final, f.LRFinal)
	set(&c.ClipNorm, f.Clip)
	set(&c.ClipValue, f.ClipValue)
	set(&c.Precision, f.Precision)
	set(&c.Epochs, f.Epochs)
	set(&c.Keep, f.Keep)
	set(&c.Seed, f.Seed)
	set(&c.PredictEvery, f.PredictEvery)
	set(&c.PredictLength, f.PredictLength)
}
