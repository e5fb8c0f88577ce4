package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"sluice/model"
	"sluice/rnn"
	"sluice/train"
)

// printer tells of a run on standard output, and of its progress.
type printer struct {
	out      output
	progress progress
	warnings io.Writer
}

// output is the words or the JSON of standard output.
type output interface {
	event(train.Event)
	end(outcome)
}

func newPrinter(e *env, json, quiet bool, j job) *printer {
	p := &printer{progress: silent{}, warnings: e.stderr}
	if !quiet {
		p.progress = newProgress(e.stderr)
	}
	switch {
	case json:
		p.out = &jsonOutput{w: e.stdout, job: j, now: time.Now, clear: p.progress.clear}
	case quiet:
		p.out = quietOutput{e.stdout}
	default:
		p.out = &words{w: e.stdout, job: j, clear: p.progress.clear}
	}
	return p
}

func (p *printer) event(e train.Event) {
	if w, ok := e.(train.Warning); ok {
		p.progress.clear()
		fmt.Fprintln(p.warnings, "sluice: warning:", oneLine(w.Err.Error()))
	}
	p.out.event(e)
	p.progress.event(e)
}

func (p *printer) end(o outcome) { p.out.end(o) }

// failed tells machines of a run that left nothing; people get the error.
func (p *printer) failed(err error) {
	if j, ok := p.out.(*jsonOutput); ok {
		j.failed(err)
	}
}

// outcome is a run that has ended.
type outcome struct {
	job
	result  *train.Result
	files   []string // written
	heldOut scored   // of a task of sequences, on what was held out and for a test; nil: not scored
	test    scored
	stopped error
	time    time.Duration
}

// kept says which weights were saved.
func (o outcome) kept() string {
	if n := o.result.Model.History.Epoch; n > 0 {
		return fmt.Sprintf("the best so far (epoch %d)", n)
	}
	return "the weights as they were in the first epoch"
}

// quietOutput prints the run's folder at the end.
type quietOutput struct{ w io.Writer }

func (quietOutput) event(train.Event) {}
func (q quietOutput) end(o outcome)   { fmt.Fprintln(q.w, o.dir) }

// words are for people.
type words struct {
	w io.Writer
	job
	clear func()
}

func (w *words) event(event train.Event) {
	switch e := event.(type) {
	case train.Start:
		w.start(e)
	case train.Epoch:
		if every := w.config.PredictEvery; every > 0 && e.Epoch%every == 0 {
			w.clear()
			m := gaugeOf(w.config.Model.Task)
			fmt.Fprintf(w.w, "epoch %d, %s %f, time %.2f sec\n", e.Epoch, m.name, m.of(e.Loss), e.Time.Seconds())
		}
	case train.Sample:
		w.clear()
		fmt.Fprintf(w.w, " - %s\n", visible(e.Text))
	case train.Skipped:
		w.clear()
		fmt.Fprintf(w.w, "update %s left out: the %s; the rate is %.4g\n", count(e.Update), e.What, e.LearningRate)
	}
}

func (w *words) start(s train.Start) {
	switch {
	case w.sets != nil:
		w.startSequences(s)
	case w.text == nil:
		fmt.Fprintf(w.w, "data   %s: %s to train on in an epoch, always new ones, %s held out\n", w.source.shown, plural(s.TrainSymbols, "example"), count(s.HeldOutSymbols))
	default:
		kind := cmp.Or(w.config.Vocab.Kind, "char")
		fmt.Fprintf(w.w, "text   %s: %s; vocabulary of %s\n", visible(w.source.shown), plural(w.source.text.characters, "character"), plural(s.Symbols, unit(kind)))
		fmt.Fprintf(w.w, "       %s to train on, %s held out", plural(s.TrainSymbols, unit(kind)), count(s.HeldOutSymbols))
		if n := w.text.Test.Len(); n > 0 {
			fmt.Fprintf(w.w, ", %s for a test", count(n))
		}
		fmt.Fprintln(w.w)
	}
	fmt.Fprintf(w.w, "model  %s\n", folded(describe(w.config.Model)+", "+plural(s.Parameters, "parameter"), 7))
	fmt.Fprintf(w.w, "run    %s\n", folded(fmt.Sprintf("%s of %s (%s), %s, in %s", plural(s.Epochs, "epoch"), plural(s.Updates/max(1, s.Epochs), "update"), optimizer(w.config), plural(w.threads, "thread"), w.dir), 7))
	if s.Resumed > 0 {
		fmt.Fprintf(w.w, "       going on after update %s\n", count(s.Resumed))
	}
}

// startSequences says what a task of sequences is about to learn from.
func (w *words) startSequences(s train.Start) {
	n := w.sets.Names
	data := fmt.Sprintf("%s: %s to train on, %s held out", visible(w.source.shown), plural(s.TrainSymbols, nounOf(s.Task)), count(s.HeldOutSymbols))
	if w.sets.test != nil {
		data += fmt.Sprintf(", %s for a test", count(w.sets.test.Len()))
	}
	var about []string
	if n.Vocab != nil {
		about = append(about, "vocabulary of "+plural(n.Vocab.Size(), unit(n.Vocab.Kind())))
	}
	if n.Characters != nil {
		about = append(about, plural(n.Characters.Size(), "character"))
	}
	switch s.Task {
	case model.Tag:
		about = append(about, plural(len(n.Labels), "tag")+prefixed(" of scheme ", string(n.Scheme)))
	case model.Classify:
		about = append(about, plural(len(n.Labels), "label"))
	}
	if n.Series != nil {
		about = append(about, fmt.Sprintf("%d series: %s", len(n.Series.Names), several(n.Series.Names)))
	} else {
		about = append(about, fmt.Sprintf("%.1f %% of steps padding", 100*w.sets.Padding))
	}
	fmt.Fprintf(w.w, "data   %s\n       %s\n", folded(data, 7), folded(strings.Join(about, ", "), 7))
	if v := w.sets.Vectors; v != nil {
		known := 0
		for _, word := range v.Words {
			if _, ok := n.Vocab.ID(word); ok {
				known++
			}
		}
		fmt.Fprintf(w.w, "       %s of them with vectors of width %d\n", count(known), v.Width)
	}
	if r := w.sets.Rare; len(r) > 0 {
		fmt.Fprintf(w.w, "       only one example to learn from: %s\n", folded(several(r), 40))
	}
}

// nounOf is what an example of a task is called.
func nounOf(task string) string {
	switch task {
	case model.Tag:
		return "sentence"
	case model.Forecast:
		return "window"
	}
	return "example"
}

// describe is a model in a few words.
func describe(s model.Spec) string {
	cell := s.RNN.Cell
	switch {
	case s.RNN.Reset != "":
		cell += fmt.Sprintf(" (reset %s)", s.RNN.Reset)
	case s.RNN.Activation != "":
		cell += fmt.Sprintf(" (%s)", s.RNN.Activation)
	case cell == "rnn":
		cell += " (tanh)"
	}
	parts := []string{cell, fmt.Sprintf("%s of %s", plural(s.RNN.Layers, "layer"), plural(s.RNN.Hidden, "unit"))}
	if s.RNN.Projection > 0 {
		parts[1] += fmt.Sprintf(" projected to %d", s.RNN.Projection)
	}
	switch {
	case s.Tied:
		parts = append(parts, fmt.Sprintf("tied embedding of %d", s.Embed))
	case s.Embed > 0:
		parts = append(parts, fmt.Sprintf("embedding of %d", s.Embed))
	case s.Task == model.Regress:
		parts = append(parts, fmt.Sprintf("input of %s, %s", plural(s.Features, "number"), plural(s.Outputs, "output")))
	case s.Features > 0:
		parts = append(parts, fmt.Sprintf("input of %s", plural(s.Features, "number")))
	case s.Task == model.Forecast: // as many numbers as there are series
	default:
		parts = append(parts, "one-hot input")
	}
	if c := s.Chars; c.Embed > 0 {
		parts = append(parts, fmt.Sprintf("characters of %d read by 2 × %d", c.Embed, c.Hidden))
	}
	if s.CRF {
		parts = append(parts, "CRF")
	}
	if s.Pool != "" {
		parts = append(parts, "pool "+s.Pool)
	}
	if f := s.Forecast; f.Horizon > 0 {
		way := "recursively"
		if f.Segment > 0 {
			way = fmt.Sprintf("by segments of %d", f.Segment)
		}
		parts = append(parts, fmt.Sprintf("%d steps from %d %s", f.Horizon, f.Window, way))
		if len(f.Quantiles) > 0 {
			parts = append(parts, "quantiles "+fmt.Sprint(f.Quantiles))
		}
	}
	if len(s.Cutoffs) > 0 {
		parts = append(parts, fmt.Sprintf("adaptive softmax (%s)", strings.ReplaceAll(numbers(s.Cutoffs), ",", " ")))
	}
	if p := max(s.InputDropout, s.OutputDropout, s.RNN.Dropout); p > 0 {
		parts = append(parts, fmt.Sprintf("dropout %v", p))
	}
	for _, v := range []struct {
		name string
		is   bool
	}{{"layer norm", s.RNN.LayerNorm}, {"peepholes", s.RNN.Peephole}, {"coupled gates", s.RNN.Coupled}, {fmt.Sprintf("clipped at %v", s.RNN.Clip), s.RNN.Clip > 0}} {
		if v.is {
			parts = append(parts, v.name)
		}
	}
	for _, r := range []struct {
		name string
		p    float64
	}{{"words dropped", s.EmbeddingDropout}, {"weights dropped", s.RNN.WeightDrop}, {"zoneout", max(s.RNN.Zoneout, s.RNN.ZoneoutCell)}} {
		if r.p > 0 {
			parts = append(parts, fmt.Sprintf("%s %v", r.name, r.p))
		}
	}
	if d := s.RNN.Direction; d != "" && d != rnn.Forward {
		parts = append(parts, string(d))
	}
	return strings.Join(parts, ", ")
}

func optimizer(c train.Config) string {
	s := fmt.Sprintf("%s, rate %v", c.Optimizer.Kind, c.Schedule.Rate)
	if k := c.Schedule.Kind; k != "" && k != "constant" {
		s += " " + k
	}
	if c.Precision == train.BF16 {
		s += ", products of bf16"
	}
	return s
}

// end is the report.
func (w *words) end(o outcome) {
	h, g := o.result.Model.History, gaugeOf(o.config.Model.Task)
	w.clear()
	switch done := fmt.Sprintf("%d of %d epochs done in %s", len(o.result.Curve), o.config.Epochs, clock(o.time)); {
	case o.stopped == nil && len(o.result.Curve) < o.config.Epochs:
		fmt.Fprintf(w.w, "\nno better epoch in %d: %s\n", o.config.Patience, done)
	case o.stopped == nil:
		fmt.Fprintf(w.w, "\ndone in %s\n", clock(o.time))
	case errors.Is(o.stopped, train.ErrDiverged):
		fmt.Fprintf(w.w, "\ndiverged: %s\n", done)
	case !errors.Is(o.stopped, context.Canceled):
		fmt.Fprintf(w.w, "\nfailed: %s\n", done)
	default:
		fmt.Fprintf(w.w, "\ninterrupted: %s\n", done)
	}
	kind := ""
	if w.text != nil {
		kind = w.text.Vocab.Kind()
	}
	column := max(scoreColumn, len(g.name)+2)
	line := func(name, text string) { fmt.Fprintf(w.w, "%-*s%s\n", column, name, folded(text, column)) }
	line(g.name, "training "+measured(g, h.TrainLoss, kind))
	if h.HeldOutSymbols > 0 {
		line("", "held out "+measured(g, h.HeldOutLoss, kind))
	}
	if name := train.FigureName(w.config.Model.Task, o.result.Model.Scheme); name != "" && h.HeldOutSymbols > 0 && h.Epoch > 0 {
		line(name, "held out "+percentage(h.HeldOutFigure))
	}
	line("kept", why(h))
	if w.text != nil && byHeart(o.config.Keep, h) {
		fmt.Fprintf(w.w, "            (a text of %s is there to be learnt by heart: training perplexity\n            proves that the optimisation works, not that the model is good)\n", plural(h.TrainSymbols, unit(kind)))
	}
	line("wrote", strings.Join(o.files, ", ")+" in "+o.dir)
	for i, command := range o.next() {
		fmt.Fprintf(w.w, "%-*s%s %s\n", column, map[bool]string{true: "next"}[i == 0], program(), command)
	}
	for _, part := range []struct {
		name string
		s    scored
	}{{"held out", o.heldOut}, {"test", o.test}} {
		if part.s != nil {
			fmt.Fprintf(w.w, "\n%s\n", part.name)
			part.s.print(w.w)
		}
	}
}

// scoreColumn is where what is said of a run and of a score begins.
const scoreColumn = 12

// next are the commands to go on with.
func (o outcome) next() []string {
	dir := quoted(operand(o.dir))
	inspect := "inspect " + dir
	evaluate := "eval " + dir + " FILE"
	if o.test != nil && o.sets.named {
		evaluate = "eval " + dir + " --part test"
	}
	switch {
	case o.text != nil && len(o.config.Prefixes) > 0:
		return []string{"generate " + dir + " --prime " + quoted(visible(o.config.Prefixes[0])), inspect}
	case o.text != nil:
		return []string{"generate " + dir, inspect}
	case o.sets == nil:
		return []string{inspect}
	case o.config.Model.Task != model.Forecast:
		return []string{"predict " + dir + " FILE", evaluate, inspect}
	}
	from := " FILE"
	switch f := o.source.files; {
	case o.source.corpus != "":
		from = " --data " + quoted(o.source.corpus)
	case f[0] != "-":
		from = " " + quoted(operand(f[0]))
	}
	return []string{"predict " + dir + from + " --out next.png", evaluate, inspect}
}

// measured writes a loss; kind is that of the symbols of a text.
func measured(g gauge, loss float64, kind string) string {
	switch {
	case loss == 0:
		return "not measured"
	case kind == "":
		return g.short(loss)
	}
	return fmt.Sprintf("%s (%.3f bits per %s)", g.short(loss), loss/math.Ln2, unit(kind))
}

// byHeart says whether the weights kept are those that know a small text best.
func byHeart(keep string, h model.History) bool {
	return h.Epoch > 0 && h.TrainSymbols < train.LearntByHeart && keep != train.KeepHeldOut && keep != train.KeepLast
}

// why says which weights were kept and why.
func why(h model.History) string {
	if h.Epoch == 0 {
		return h.Kept
	}
	return fmt.Sprintf("epoch %d: %s", h.Epoch, h.Kept)
}

// operand is a path that is no flag.
func operand(path string) string {
	if strings.HasPrefix(path, "-") {
		return "." + string(filepath.Separator) + path
	}
	return path
}

var buildCache = regexp.MustCompile(`go-build|[0-9a-f]{64}-d`)

// program is what to type to run this program again.
func program() string {
	exe, err := os.Executable()
	if err == nil && buildCache.MatchString(exe) {
		return "go run ./cmd/sluice"
	}
	return quoted(os.Args[0])
}
