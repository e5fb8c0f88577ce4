package train

import (
	"context"
	"fmt"
	"testing"

	"sluice/data"
	"sluice/model"
	"sluice/nn"
)

// BenchmarkTask measures updates and answers of the preset of each task on what is
// generated for it, in what a user counts: sentences, examples, windows a second.
//
//	go test ./train -run '^$' -bench BenchmarkTask -cpuprofile cpu.out
func BenchmarkTask(b *testing.B) {
	for _, task := range tasks {
		c, x := presetTask(b, task)
		for _, threads := range []int{1, 2} {
			team := nn.NewTeam(threads)
			b.Cleanup(team.Close)
			r, err := newRun(c, x, team, Options{})
			if err != nil {
				b.Fatal(err)
			}
			b.Run(fmt.Sprintf("task=%s/train/threads=%d", task, threads), func(b *testing.B) { benchmarkUpdates(b, r) })
			b.Run(fmt.Sprintf("task=%s/predict/threads=%d", task, threads), func(b *testing.B) { benchmarkAnswers(b, r.model, x.Train, team) })
		}
	}
}

// presetTask is a task's preset with 2,000 of its generator's examples.
func presetTask(b *testing.B, task string) (Config, *Examples) {
	c, err := Preset(task)
	if err != nil {
		b.Fatal(err)
	}
	var x *Examples
	switch task {
	case model.Tag:
		var p Parts[data.Sentence]
		for i := range uint64(2000) {
			words, tags := data.Dates{Seed: 1}.Sentence(i)
			p.Train = append(p.Train, data.Sentence{Words: words, Tags: tags, Line: int(i) + 1})
		}
		x, err = PrepareTags(c, &p, nil)
	case model.Classify:
		var p Parts[data.Example]
		for i := range uint64(2000) {
			text, label := data.Grammars{Seed: 1}.Example(i)
			p.Train = append(p.Train, data.Example{Text: text, Label: label, Line: int(i) + 1})
		}
		x, err = PrepareLabels(c, &p)
	case model.Forecast:
		x, err = PrepareSeries(c, &data.Series{Names: data.Seasons{}.Names(), Values: data.Seasons{Seed: 1}.Values()[:3*2500]})
	}
	if err != nil {
		b.Fatal(err)
	}
	return c, x
}

func benchmarkUpdates(b *testing.B, r *run) {
	n := 0
	for b.Loop() {
		u, err := r.update(0.001)
		if err != nil {
			b.Fatal(err)
		}
		if u.count == 0 {
			r.at.Data = data.Cursor{Epoch: r.at.Data.Epoch + 1}
			r.deal.SetCursor(r.at.Data)
			continue
		}
		n += r.c.Batches.Batch
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "examples/s")
}

func benchmarkAnswers(b *testing.B, m *model.Model, x model.Examples, team *nn.Team) {
	p := m.Pack()
	for b.Loop() {
		var err error
		switch x := x.(type) {
		case *model.Sentences:
			_, err = model.ScoreTags(context.Background(), p, team, x, nil)
		case *model.Sequences:
			_, err = model.ScoreLabels(context.Background(), p, team, x, nil)
		case *model.Windows:
			_, err = model.ScoreForecasts(context.Background(), p, team, x, nil)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(x.Len()*b.N)/b.Elapsed().Seconds(), "examples/s")
}
