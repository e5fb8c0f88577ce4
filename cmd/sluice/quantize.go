package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"sluice/data"
	"sluice/model"
	"sluice/nn"
)

type quantizeCmd struct {
	Model string   `arg:"" optional:"" name:"MODEL" help:"A model file or a run's folder (the newest run's)."`
	Files []string `arg:"" optional:"" name:"FILE" help:"Text files to score; - is standard input. Without a text, what was held out of the text by name that the model was trained on."`

	To   string `type:"choice" required:"" placeholder:"bf16|int8" help:"Precision of the weights."`
	Out  string `short:"o" placeholder:"FILE" help:"The new model file (beside the old one, MODEL.int8.safetensors)."`
	Data string `placeholder:"NAME" help:"Score a text by name, the whole of it: sluice data lists them."`
	JSON bool   `name:"json" help:"Print one JSON object."`

	threadsFlag `embed:""`
}

// quantized is what a model loses and gains.
type quantized struct {
	Model       string  `json:"model"`
	File        string  `json:"file"` // the new one
	To          string  `json:"to"`
	BytesBefore int64   `json:"bytes_before"`
	BytesAfter  int64   `json:"bytes_after"`
	Text        string  `json:"text"`
	Symbol      string  `json:"symbol"`
	Symbols     int     `json:"symbols"`
	NatsBefore  float64 `json:"nats_per_symbol_before"`
	NatsAfter   float64 `json:"nats_per_symbol_after"`
	PplBefore   float64 `json:"perplexity_before"`
	PplAfter    float64 `json:"perplexity_after"`
	StepBefore  float64 `json:"microseconds_per_step_before"`
	StepAfter   float64 `json:"microseconds_per_step_after"`
}

// Run writes a model with smaller weights and says what that costs.
func (c *quantizeCmd) Run(e *env) error {
	threads, err := c.threads()
	if err != nil {
		return err
	}
	arg, files := c.Model, c.Files
	if arg != "" && !isModel(arg) {
		arg, files = "", append([]string{arg}, files...)
	}
	if c.Data != "" && len(files) > 0 {
		return usage("--data %s and the file %s: want one or the other", c.Data, files[0])
	}
	path, m, err := open(e, arg)
	if err == nil {
		err = readsText(m, path)
	}
	if err != nil {
		return err
	}
	if m.Precision != nn.Float32 {
		return fmt.Errorf("%s: its weights are %v: want a model of float32", path, m.Precision)
	}
	to := map[string]nn.Precision{"bf16": nn.BF16, "int8": nn.Int8}[c.To]
	q := quantized{Model: path, File: c.Out, To: c.To, Symbol: unit(m.Vocab.Kind())}
	if q.File == "" {
		q.File = strings.TrimSuffix(path, ".safetensors") + "." + c.To + ".safetensors"
	}
	if err := isFree(q.File); err != nil {
		return err
	}
	shown, ids, err := (&evalCmd{Data: c.Data}).text(e, m, path, files)
	if err != nil {
		return err
	}
	defer ids.Close()
	after, err := m.Quantize(to)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	q.Text = shown
	if err := q.measure(e, m, after, threads, ids); err != nil {
		return err
	}
	if err := isFree(q.File); err != nil { // it took a while
		return err
	}
	if err := after.Save(q.File); err != nil {
		return err
	}
	if q.BytesBefore, q.BytesAfter, err = sizes(q.Model, q.File); err != nil {
		return err
	}
	return c.print(e, q)
}

// isFree is the error of a file that is there already, or has no folder.
func isFree(path string) error {
	if _, err := os.Stat(filepath.Dir(path)); err != nil {
		return fmt.Errorf("%s: %w", path, cause(err))
	}
	switch _, err := os.Lstat(path); {
	case err == nil:
		return fmt.Errorf("%s: it exists already: want the name of a new file (-o)", path)
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: %w", path, cause(err))
	}
	return nil
}

func sizes(a, b string) (int64, int64, error) {
	one, err := os.Stat(a)
	if err != nil {
		return 0, 0, err
	}
	two, err := os.Stat(b)
	if err != nil {
		return 0, 0, err
	}
	return one.Size(), two.Size(), nil
}

// measure scores the text and times steps, before and after.
func (q *quantized) measure(e *env, before, after *model.Model, threads int, ids data.Symbols) error {
	a, b := before.Pack(), after.Pack()
	team := nn.NewTeam(threads)
	defer team.Close()
	score := func(p *model.Packed, with string) (model.Score, error) {
		wait := newWaiting(e, fmt.Sprintf("scoring %s, %s", visible(q.Text), with))
		defer wait.clear()
		return model.Evaluate(e.ctx, p, team, ids, wait.progress)
	}
	one, err := score(a, "float32")
	if err != nil {
		return fmt.Errorf("%s: %w", q.Text, err)
	}
	two, err := score(b, q.To)
	if err != nil {
		return fmt.Errorf("%s: %w", q.Text, err)
	}
	q.Symbols = one.Symbols
	q.NatsBefore, q.NatsAfter = finite(one.Loss()), finite(two.Loss())
	q.PplBefore, q.PplAfter = finite(one.Perplexity()), finite(two.Perplexity())
	const stepped = 1 << 16
	first := make([]int32, min(ids.Len(), stepped))
	if err := ids.ReadAt(first, 0); err != nil {
		return fmt.Errorf("%s: %w", q.Text, err)
	}
	q.StepBefore, q.StepAfter, err = race(e.ctx, a, b, first)
	return err
}

// Rounds of steps of two models in turn: whatever else the machine does slows
// both.
const (
	raceRounds = 15
	raceTime   = 10 * time.Millisecond // of a round
)

// race is how many microseconds a step of one stream takes with either model,
// on one thread: medians.
func race(ctx context.Context, a, b *model.Packed, ids []int32) (microsA, microsB float64, err error) {
	one, two := newStepper(a, ids), newStepper(b, ids)
	defer one.team.Close()
	defer two.team.Close()
	steps := 1
	for one.time(steps)+two.time(steps) < raceTime {
		steps *= 2
	}
	var times [2][raceRounds]float64
	for i := range raceRounds {
		if err := ctx.Err(); err != nil {
			return 0, 0, err
		}
		for j, s := range []*stepper{one, two} {
			times[j][i] = s.time(steps).Seconds() * 1e6 / float64(steps)
		}
	}
	for j := range times {
		slices.Sort(times[j][:])
	}
	return times[0][raceRounds/2], times[1][raceRounds/2], nil
}

// stepper runs one stream.
type stepper struct {
	team   *nn.Team
	run    *model.Runner
	logits nn.Matrix
	state  []float32
	ids    []int32
	at     int
}

func newStepper(p *model.Packed, ids []int32) *stepper {
	team := nn.NewTeam(1)
	return &stepper{
		team: team, run: model.NewRunner(p, team), logits: nn.Matrix{}.Grow(1, p.Vocab.Size()),
		state: make([]float32, p.StateSize()), ids: ids,
	}
}

func (s *stepper) time(steps int) time.Duration {
	row := []int32{0}
	start := time.Now()
	for range steps {
		s.run.Step(s.logits, s.ids[s.at:s.at+1], s.state, row)
		s.at = (s.at + 1) % len(s.ids)
	}
	return time.Since(start)
}

func (c *quantizeCmd) print(e *env, q quantized) error {
	if c.JSON {
		return writeJSON(e.stdout, q, "")
	}
	line := func(what, before, after, change string) string {
		return fmt.Sprintf("%-*s%12s%12s   %s\n", len("nats per character")+2, what, before, after, change)
	}
	text := fmt.Sprintf("model  %s\nwrote  %s\ntext   %s, %s scored\n\n", visible(q.Model), visible(q.File), visible(q.Text), plural(q.Symbols, q.Symbol))
	text += line("", nn.Float32.String(), q.To, "")
	text = strings.TrimRight(text, " \n") + "\n"
	text += line("file", size(q.BytesBefore), size(q.BytesAfter), ratio(float64(q.BytesBefore), float64(q.BytesAfter)))
	text += line("nats per "+q.Symbol, fmt.Sprintf("%.4f", q.NatsBefore), fmt.Sprintf("%.4f", q.NatsAfter), fmt.Sprintf("%+.4f", q.NatsAfter-q.NatsBefore))
	text += line("perplexity", short(q.PplBefore), short(q.PplAfter), fmt.Sprintf("%+.2f %%", 100*(q.PplAfter/q.PplBefore-1)))
	text += line("µs per step", fmt.Sprintf("%.2f", q.StepBefore), fmt.Sprintf("%.2f", q.StepAfter), ratio(q.StepBefore, q.StepAfter)+", one stream on one thread")
	_, err := fmt.Fprint(e.stdout, text)
	return err
}

// ratio is what is left of a number.
func ratio(before, after float64) string { return fmt.Sprintf("× %.2f", after/before) }
