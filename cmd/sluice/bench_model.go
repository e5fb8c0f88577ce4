package main

import (
	"fmt"

	"sluice/internal/measure"
	"sluice/model"
	"sluice/nn"
	"sluice/train"
)

// modelReport is what a model does in a second.
type modelReport struct {
	Path     string         `json:"path"`
	Symbol   string         `json:"symbol"`
	Score    scoreReport    `json:"scoring"`
	Generate generateReport `json:"generating"`
	Train    *trainReport   `json:"training,omitempty"` // not of quantized weights
}

type scoreReport struct {
	Rows   int     `json:"rows"`
	Steps  int     `json:"steps"`
	Tokens float64 `json:"tokens_per_second"`
}

type generateReport struct {
	Seconds float64 `json:"seconds_per_symbol"`
}

type trainReport struct {
	Rows      int     `json:"rows"`
	Steps     int     `json:"steps"`
	Optimizer string  `json:"optimizer"`
	Seconds   float64 `json:"seconds_per_update"`
	Tokens    float64 `json:"tokens_per_second"`
}

// model measures a model's own work: scoring and training on all threads,
// generating on one.
func (b *bencher) model(r *benchReport, arg string) error {
	path, err := find(arg)
	if err != nil {
		return err
	}
	m, err := model.Open(path)
	if err == nil {
		err = readsText(m, path)
	}
	if err != nil {
		return err
	}
	config, err := updatesOf(m, path)
	if err != nil {
		return err
	}
	one := &modelReport{Path: path, Symbol: unit(m.Vocab.Kind())}
	r.Model = one
	b.head(r)
	fmt.Fprintf(b.out, "model    %s\n\n", visible(path))
	team, err := b.team()
	if err != nil {
		return err
	}
	defer team.Close()
	packed := m.Pack()
	if err := b.score(one, packed, team); err != nil {
		return err
	}
	if err := b.generate(one, packed); err != nil {
		return err
	}
	if m.Precision != nn.Float32 {
		b.say("training    not with weights of %s", m.Precision)
		return nil
	}
	return b.update(one, m, config, team)
}

func (b *bencher) say(format string, args ...any) {
	b.status.clear()
	fmt.Fprintf(b.out, format+"\n", args...)
}

// score reads minibatches as model.Evaluate does.
func (b *bencher) score(r *modelReport, p *model.Packed, team *nn.Team) error {
	b.status.show("scoring")
	s := &r.Score
	s.Rows, s.Steps = 32, 64
	batch, state := measure.TextBatch(s.Steps, s.Rows, p.Vocab.Size()), make([]float32, s.Rows*p.StateSize())
	runner := model.NewRunner(p, team)
	t, err := b.time(func() { runner.Loss(batch, state) })
	if err != nil {
		return err
	}
	s.Tokens = float64(s.Rows*s.Steps) / t
	b.say("scoring     %s tokens/s, %d rows, %s", count(int64(s.Tokens)), s.Rows, plural(b.threads, "thread"))
	return nil
}

func (b *bencher) generate(r *modelReport, p *model.Packed) error {
	b.status.show("generating")
	g, err := model.NewGenerator(p, model.Sampling{Temperature: 0.8, Seed: 1})
	if err != nil {
		return err
	}
	if _, err := g.Start(""); err != nil {
		return err
	}
	t, err := b.time(func() { g.Next() })
	if err != nil {
		return err
	}
	r.Generate.Seconds = t
	b.say("generating  %s µs per %s, one text, 1 thread", figure(t*1e6), r.Symbol)
	return nil
}

// updatesOf are the options that a model was trained with; for one that does
// not say, those of the default preset.
func updatesOf(m *model.Model, path string) (train.Config, error) {
	if len(m.History.Config) == 0 {
		return train.Preset("default")
	}
	return trainedWith(m, path)
}

// update trains on symbols as frequent as words are, at a rate of 0: it takes as
// long.
func (b *bencher) update(r *modelReport, m *model.Model, c train.Config, team *nn.Team) error {
	b.status.show("training")
	if err := fits(c, m.Names, c.Batches.Batch*c.Batches.Steps); err != nil {
		return err
	}
	rows, steps := max(1, c.Batches.Batch), max(1, c.Batches.Steps)
	t := measure.Training{Clip: c.ClipNorm, Precision: c.Products(), Optimizer: c.Optimizer.New(len(m.Params))}
	t.Masks = &nn.Key{}
	seconds, err := b.time(measure.Update(m, measure.TextBatch(steps, rows, m.Vocab.Size()), t, team))
	if err != nil {
		return err
	}
	r.Train = &trainReport{rows, steps, c.Optimizer.Kind, seconds, float64(rows*steps) / seconds}
	b.say("training    %s µs per update, %s tokens/s, %d rows of %d symbols, %s, %s",
		figure(seconds*1e6), count(int64(r.Train.Tokens)), rows, steps, c.Optimizer.Kind, plural(b.threads, "thread"))
	return nil
}
