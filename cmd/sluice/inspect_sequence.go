package main

import (
	"fmt"
	"strings"

	"sluice/data"
	"sluice/look"
	"sluice/look/picture"
	"sluice/model"
	"sluice/nn"
)

// read is what a model of a task of sequences reads, to be drawn.
type read struct {
	batch   model.Batch
	symbols []string
	tags    []string
	numbers []float64
	unit    string
	said    string // of it as a whole
}

// gatesOfSequence draws the gates and states over a sentence, a sequence or a
// window.
func (c *inspectCmd) gatesOfSequence(e *env, m *model.Model, path string, paths []string, threads int) error {
	team := nn.NewTeam(threads)
	defer team.Close()
	p := m.Pack()
	r, err := c.sequence(e, m, p, team, path)
	if err != nil {
		return fmt.Errorf("--gates: %w", err)
	}
	f := &picture.Gates{Cell: m.RNN.Cell, Unit: r.unit, Symbols: r.symbols, Tags: r.tags, Numbers: r.numbers, Trace: &look.Trace{Layers: look.Layers(m.RNN)}}
	if err := drawable(f, paths); err != nil {
		return err
	}
	f.Title = fmt.Sprintf("%s, %s", named(m), learned(m)) + prefixed(", says ", r.said)
	if f.Trace, err = look.ReadRow(e.ctx, p, team, r.batch); err != nil {
		return of(path, err)
	}
	if err := c.write(e, f, paths); err != nil {
		return err
	}
	return c.printGates(e, path, r.said, f, paths)
}

// sequence is what --gates says: words to tag, a text to classify, or a file of
// numbers, of which the first example or the last window is read.
func (c *inspectCmd) sequence(e *env, m *model.Model, p *model.Packed, team *nn.Team, path string) (r read, err error) {
	config, err := trainedWith(m, path)
	if err != nil {
		return r, err
	}
	l, err := layoutOf(m, config, fileFlags{}, true)
	if err != nil {
		return r, err
	}
	run := model.NewRunner(p, team)
	switch {
	case m.Task == model.Tag:
		r.symbols, r.unit = strings.Fields(*c.Gates), "word"
		if len(r.symbols) == 0 {
			return r, fmt.Errorf("no words")
		}
		x, err := model.NewSentences(m.Spec, m.Names, []data.Sentence{{Words: r.symbols, Line: 1}}, false)
		if err != nil {
			return r, err
		}
		r.batch = x.Batch([]int{0})
		best := make([]int32, len(r.symbols))
		run.Answer(best, nil, r.batch)
		r.batch.Targets = best
		for _, id := range best {
			r.tags = append(r.tags, m.Labels[id])
		}
		return r, nil
	case m.Task == model.Classify:
		examples := []data.Example{{Text: *c.Gates, Line: 1}}
		if m.Features > 0 {
			if examples, err = readExamples(e, []string{*c.Gates}, l.table); err != nil {
				return r, err
			}
		}
		x, err := model.NewSequences(m.Spec, m.Names, examples[:1], false)
		if err != nil {
			return r, err
		}
		if x.Steps(0) == 0 {
			return r, fmt.Errorf("nothing of the text is in the vocabulary")
		}
		r.batch, r.unit = x.Batch([]int{0}), "step"
		best := []int32{0}
		run.Answer(best, nil, r.batch)
		r.said = m.Labels[best[0]]
		for t := range r.batch.T {
			if m.Features == 0 {
				r.symbols, r.unit = append(r.symbols, m.Vocab.Symbol(r.batch.IDs[t])), unit(m.Vocab.Kind())
				continue
			}
			sum := 0.0
			for _, v := range r.batch.Data[t*m.Features : (t+1)*m.Features] {
				sum += float64(v)
			}
			r.numbers = append(r.numbers, sum/float64(m.Features))
		}
		return r, nil
	}
	files := []string{*c.Gates}
	if made[setOf(*c.Gates)] != nil {
		if _, files, err = e.dataOf(m.Task, *c.Gates); err != nil {
			return r, err
		}
	}
	s, err := seriesFor(e, m, l, files, m.Forecast.Window+m.Forecast.Horizon)
	if err != nil {
		return r, err
	}
	x, err := model.NewWindows(m.Spec, m.Names, s.Values, s.Len()-m.Forecast.Horizon, s.Len())
	if err != nil {
		return r, err
	}
	r.batch, r.unit = x.Batch([]int{0}), "step"
	b := &r.batch
	for t := range b.T {
		r.numbers = append(r.numbers, float64(b.Data[t*b.B*m.Features+m.Features-1]))
	}
	if m.Forecast.Segment > 0 { // one series of them
		r.unit = "segment"
		one := make([]float32, 0, b.T*m.Features)
		for t := range b.T {
			one = append(one, b.Data[t*b.B*m.Features:][:m.Features]...)
		}
		b.Data, b.Series, b.Values, b.B = one, b.Series[:1], b.Values[:m.Forecast.Horizon], 1
	}
	return r, nil
}
