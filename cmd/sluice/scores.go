package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"sluice/internal/disk"
	"sluice/model"
	"sluice/nn"
)

// scored is what answers of a task of sequences are worth.
type scored interface {
	print(w io.Writer)
	json() any
}

// scoreOf scores what a model of a task of sequences says of examples.
func scoreOf(e *env, p *model.Packed, team *nn.Team, x model.Examples, shown string) (scored, error) {
	wait := newWaiting(e, "scoring "+visible(shown))
	defer wait.clear()
	switch x := x.(type) {
	case *model.Sentences:
		s, err := model.ScoreTags(e.ctx, p, team, x, wait.progress)
		return tagScore{s, x.Len(), p}, err
	case *model.Sequences:
		s, err := model.ScoreLabels(e.ctx, p, team, x, wait.progress)
		return classScore{s}, err
	case *model.Windows:
		s, err := model.ScoreForecasts(e.ctx, p, team, x, wait.progress)
		return forecastScore{s, p}, err
	}
	panic(fmt.Sprintf("examples of type %T", x))
}

func percentage(x float64) string { return fmt.Sprintf("%.2f %%", 100*x) }

// tagScore is that of a tagger.
type tagScore struct {
	*model.TagScore
	sentences int
	p         *model.Packed
}

func (s tagScore) print(w io.Writer) {
	fmt.Fprintf(w, "scored      %s of %s, %.1f %% of steps padding\n", plural(s.Words, "word"), plural(s.sentences, "sentence"), 100*s.Padding)
	fmt.Fprintf(w, "accuracy    %s of tags; always the most frequent one: %s\n", percentage(s.Tags.Accuracy()), percentage(majority(s.TagScore)))
	fmt.Fprintf(w, "loss        %.4f nats per word\n", s.Loss())
	if s.p.Scheme == "" {
		return
	}
	fmt.Fprintf(w, "F1          %s of spans: precision %s, recall %s\n\n", percentage(s.Spans.F1()), percentage(s.Spans.Precision()), percentage(s.Spans.Recall()))
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "spans\tprecision\trecall\tF1\tnumber")
	for _, k := range s.Spans.Kinds() {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", visible(k.Kind), percentage(k.Precision()), percentage(k.Recall()), percentage(k.F1()), count(k.Want))
	}
	t.Flush()
}

func majority(s *model.TagScore) float64 {
	accuracy, _ := s.Tags.Majority()
	return accuracy
}

func (s tagScore) json() any {
	type span struct {
		Kind      string  `json:"kind"`
		Precision float64 `json:"precision"`
		Recall    float64 `json:"recall"`
		F1        float64 `json:"f1"`
		Number    int     `json:"number"`
	}
	out := struct {
		Sentences int      `json:"sentences"`
		Words     int      `json:"words"`
		Accuracy  float64  `json:"accuracy"`
		Nats      float64  `json:"nats_per_word"`
		Precision *float64 `json:"precision,omitempty"` // of spans
		Recall    *float64 `json:"recall,omitempty"`
		F1        *float64 `json:"f1,omitempty"`
		Spans     []span   `json:"spans,omitempty"`
	}{Sentences: s.sentences, Words: s.Words, Accuracy: s.Tags.Accuracy(), Nats: finite(s.Loss())}
	if s.p.Scheme != "" {
		p, r, f := s.Spans.Precision(), s.Spans.Recall(), s.Spans.F1()
		out.Precision, out.Recall, out.F1 = &p, &r, &f
		for _, k := range s.Spans.Kinds() {
			out.Spans = append(out.Spans, span{k.Kind, k.Precision(), k.Recall(), k.F1(), k.Want})
		}
	}
	return out
}

// classScore is that of a classifier.
type classScore struct{ *model.ClassScore }

// mostMistakes is how many of them are shown.
const mostMistakes = 5

func (s classScore) print(w io.Writer) {
	accuracy, f1 := s.Majority()
	fmt.Fprintf(w, "scored      %s\n", plural(s.Total(), "example"))
	fmt.Fprintf(w, "accuracy    %s; always the most frequent label: %s\n", percentage(s.Accuracy()), percentage(accuracy))
	fmt.Fprintf(w, "macro F1    %s; always the most frequent label: %s\n", percentage(s.MacroF1()), percentage(f1))
	fmt.Fprintf(w, "loss        %.4f nats per example\n\n", s.Loss())
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "label\tprecision\trecall\tF1\tnumber")
	for k, label := range s.Labels {
		n := 0
		for _, c := range s.Counts[k] {
			n += c
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", visible(label), percentage(s.Precision(k)), percentage(s.Recall(k)), percentage(s.F1(k)), count(n))
	}
	t.Flush()
	if worst := s.Worst(mostMistakes); len(worst) > 0 {
		fmt.Fprintln(w, "\nmost mistaken:")
		for _, m := range worst {
			fmt.Fprintf(w, "  %s for %s, %s\n", visible(s.Labels[m.Got]), visible(s.Labels[m.Want]), plural(m.Count, "time"))
		}
	}
}

func (s classScore) json() any {
	accuracy, f1 := s.Majority()
	return struct {
		Examples         int      `json:"examples"`
		Accuracy         float64  `json:"accuracy"`
		MacroF1          float64  `json:"macro_f1"`
		MajorityAccuracy float64  `json:"majority_accuracy"`
		MajorityF1       float64  `json:"majority_macro_f1"`
		Nats             float64  `json:"nats_per_example"`
		Labels           []string `json:"labels"`
		Confusion        [][]int  `json:"confusion"` // [true][predicted]
	}{s.Total(), s.Accuracy(), s.MacroF1(), accuracy, f1, finite(s.Loss()), s.Labels, s.Counts}
}

// forecastScore is that of a forecaster.
type forecastScore struct {
	*model.ForecastScore
	p *model.Packed
}

// rows are the errors of the model and of what needs none.
func (s forecastScore) rows() (all []forecastRow) {
	all = append(all, forecastRow{"model", s.Model.MSE(), s.Model.MAE()}, forecastRow{"naive", s.Naive.MSE(), s.Naive.MAE()})
	if season := s.p.Series.Season; season > 0 && s.Seasonal.Count == s.Model.Count {
		all = append(all, forecastRow{fmt.Sprintf("seasonal naive (%d)", season), s.Seasonal.MSE(), s.Seasonal.MAE()})
	}
	return append(all, forecastRow{"drift", s.Drift.MSE(), s.Drift.MAE()})
}

type forecastRow struct {
	Forecast string  `json:"forecast"`
	MSE      float64 `json:"mse"`
	MAE      float64 `json:"mae"`
}

func (s forecastScore) print(w io.Writer) {
	f := s.p.Forecast
	fmt.Fprintf(w, "scored      %s of %s, %s ahead, of %s\n\n", plural(s.Windows, "window"), plural(f.Window, "step"), plural(f.Horizon, "step"), several(s.p.Series.Names))
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	one := len(s.p.Series.Names) == 1
	fmt.Fprint(t, "forecast\tMSE\tMAE")
	if one {
		fmt.Fprintf(t, "\tMAE in units of %s", visible(s.p.Series.Names[0]))
	}
	fmt.Fprintln(t)
	for _, r := range s.rows() {
		fmt.Fprintf(t, "%s\t%.4f\t%.4f", r.Forecast, r.MSE, r.MAE)
		if one {
			fmt.Fprintf(t, "\t%.4g", r.MAE*s.p.Series.Scaler.Std[0])
		}
		fmt.Fprintln(t)
	}
	t.Flush()
	fmt.Fprintln(w, "\nAll in standard deviations of each series in what was trained on.")
	for i, b := range s.Bands {
		fmt.Fprintf(w, "In the band of %s were %s of the values, it is %.3f wide.\n", bandName(f.Quantiles, i), percentage(b.Share()), b.Width())
	}
}

// bandName is the i-th pair of quantiles from outside, "80 %".
func bandName(quantiles []float64, i int) string {
	return fmt.Sprintf("%.4g %%", 100*(quantiles[len(quantiles)-1-i]-quantiles[i]))
}

// several is a few names, and how many more there are.
func several(all []string) string {
	const most = 8
	text := visible(strings.Join(all[:min(most, len(all))], ", "))
	if len(all) > most {
		text += fmt.Sprintf(" and %d more", len(all)-most)
	}
	return text
}

func (s forecastScore) json() any {
	type band struct {
		Share float64 `json:"nominal"`
		In    float64 `json:"share"`
		Width float64 `json:"width"`
	}
	out := struct {
		Windows   int           `json:"windows"`
		Forecasts []forecastRow `json:"forecasts"`
		Bands     []band        `json:"bands,omitempty"`
		Pinball   []float64     `json:"pinball,omitempty"` // of each quantile
	}{s.Windows, s.rows(), nil, s.Pinball}
	q := s.p.Forecast.Quantiles
	for i, b := range s.Bands {
		out.Bands = append(out.Bands, band{q[len(q)-1-i] - q[i], b.Share(), b.Width()})
	}
	return out
}

// scoresFile has what a run's model is worth, as JSON.
const scoresFile = "scores.json"

// score scores the weights kept on what was held out and on what is for a test.
func (o *outcome) score(e *env) error {
	team := nn.NewTeam(o.threads)
	defer team.Close()
	p, all := o.result.Model.Pack(), map[string]any{}
	for _, part := range []struct {
		name, shown string
		x           model.Examples
		into        *scored
	}{{"held_out", "what was held out", o.sets.HeldOut, &o.heldOut}, {"test", "the part for a test", o.sets.test, &o.test}} {
		if part.x == nil {
			continue
		}
		s, err := scoreOf(e, p, team, part.x, part.shown)
		if err != nil {
			return err
		}
		*part.into, all[part.name] = s, s.json()
		if err := disk.WriteAtomic(disk.OS, filepath.Join(o.dir, scoresFile), func(w io.Writer) error { return writeJSON(w, all, "  ") }); err != nil {
			return err
		}
	}
	if len(all) == 0 {
		return nil
	}
	err := o.draw(p, team)
	o.files = append(o.files, scoresFile)
	return err
}
