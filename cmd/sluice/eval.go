package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"sluice/data"
	"sluice/model"
	"sluice/nn"
	"sluice/train"
)

type evalCmd struct {
	Args []string `arg:"" optional:"" name:"MODEL|FILE" help:"First a model file or a run's folder (without it the newest run's), then files; - is standard input. Without any, what was held out of the data by name that it was trained on."`

	Data string       `placeholder:"NAME" help:"Score data by name, the whole of it, such as ewt/en_ewt-ud-test.conllu: sluice data lists them."`
	Part string       `type:"choice" placeholder:"held-out|test" help:"Without files: which part of the data by name (held-out)."`
	Out  pictureFlags `embed:""`
	JSON bool         `name:"json" help:"Print one JSON object."`

	threadsFlag `embed:""`

	Files fileFlags `embed:"" group:"Files, where they are laid out otherwise than those trained on"`
}

// Run scores a model.
func (c *evalCmd) Run(e *env) error {
	threads, err := c.threads()
	if err != nil {
		return err
	}
	path, m, files, err := openFor(e, c.Args, c.Data)
	if err != nil {
		return err
	}
	if sequences(m.Task) {
		return c.sequences(e, m, path, files, threads)
	}
	if c.Files != (fileFlags{}) {
		return usage("%s: a model of task %s: --format and the other flags of files act with tag, classify or forecast only", path, m.Task)
	}
	if err := actWith([]condition{{"part", c.Part != "", false, "a model of task tag, classify or forecast"}, {"out", len(c.Out.Out) > 0, false, "a model of task classify"}}); err != nil {
		return err
	}
	if err := readsText(m, path); err != nil {
		return err
	}
	shown, ids, err := c.text(e, m, path, files)
	if err != nil {
		return err
	}
	defer ids.Close()
	team := nn.NewTeam(threads)
	defer team.Close()
	wait := newWaiting(e, "scoring "+visible(shown))
	score, err := model.Evaluate(e.ctx, m.Pack(), team, ids, wait.progress)
	wait.clear()
	if err != nil {
		return fmt.Errorf("%s: %w", shown, err)
	}
	return c.print(e, m.Vocab.Kind(), path, shown, score)
}

func (c *evalCmd) print(e *env, kind, path, shown string, s model.Score) error {
	if c.JSON {
		return writeJSON(e.stdout, struct {
			Model      string  `json:"model"`
			Text       string  `json:"text"`
			Symbol     string  `json:"symbol"`
			Symbols    int     `json:"symbols"`
			Nats       float64 `json:"nats_per_symbol"`
			Perplexity float64 `json:"perplexity"`
			Bits       float64 `json:"bits_per_symbol"`
		}{path, shown, unit(kind), s.Symbols, finite(s.Loss()), finite(s.Perplexity()), finite(s.Bits())}, "")
	}
	_, err := fmt.Fprintf(e.stdout, "text        %s\nscored      %s\nnats        %.4f per %[4]s\nperplexity  %[5]s\nbits        %.4[6]f per %[4]s\n",
		visible(shown), plural(s.Symbols, unit(kind)), s.Loss(), unit(kind), short(s.Perplexity()), s.Bits())
	return err
}

// text is what to score.
func (c *evalCmd) text(e *env, m *model.Model, path string, files []string) (shown string, ids data.Symbols, err error) {
	config, err := trainedWith(m, path)
	if err != nil {
		return "", ids, err
	}
	if len(files) == 0 && c.Data == "" {
		ids, err := heldOut(e, m, config, path)
		return "what was held out of " + m.History.Corpus, ids, err
	}
	s, err := e.source(c.Data, "", files)
	if err != nil {
		return "", ids, err
	}
	defer s.text.Close()
	config.Clean.MaxChars = 0 // the whole of it
	if ids, err = m.Vocab.ReadSymbols(e.ctx, config.Clean.Of(s.text)); err != nil {
		return "", ids, failed(s.shown+", cleaned as in training", err)
	}
	return s.shown, ids, nil
}

// trainedWith are the options that a model was trained with, if it says so.
func trainedWith(m *model.Model, path string) (c train.Config, err error) {
	if len(m.History.Config) == 0 {
		return c, nil
	}
	if err := json.Unmarshal(m.History.Config, &c); err != nil {
		return c, fmt.Errorf("%s: the options it was trained with: %w", path, err)
	}
	if m.Vocab != nil && m.Vocab.Kind() == "tokenizer" {
		c.Tokenizer = m.Vocab
	}
	return c, nil
}

// heldOut is the part held out of the named text that a model was trained
// on, cut as it was in training.
func heldOut(e *env, m *model.Model, c train.Config, path string) (ids data.Symbols, err error) {
	corpus := m.History.Corpus
	switch {
	case corpus == "":
		return ids, fmt.Errorf("%s was not trained on a text that has a name: name a text to score, a file or - or --data NAME", path)
	case m.History.HeldOutSymbols > 0 && !c.Split.HoldsOut():
		return ids, fmt.Errorf("%s was trained with a text of its own held out: name that or another to score", path)
	case !c.Split.HoldsOut():
		return ids, fmt.Errorf("%s was trained on the whole of %s, nothing was held out: name a text to score", path, corpus)
	}
	raw, err := e.load(corpus)
	var unknown usageError
	if errors.As(err, &unknown) { // no mistake of this command line
		return ids, fmt.Errorf("%s was trained on %s, and no text has that name here: name a text to score", path, corpus)
	}
	if err != nil {
		return ids, err
	}
	s := source{text: newWatched(e, raw, corpus), shown: corpus}
	defer s.text.Close()
	text, err := train.Prepare(e.ctx, c, s.text)
	if err != nil {
		return ids, of(path, err)
	}
	defer func() {
		if err != nil {
			text.Close()
		}
	}()
	switch {
	case text.SHA256 != m.History.TextSHA256:
		return ids, fmt.Errorf("%s was trained on another edition of the corpus %s (sha256 %.12s, here %.12s): name a text to score", path, corpus, m.History.TextSHA256, text.SHA256)
	case text.HeldOut.Len() == 0:
		return ids, fmt.Errorf("%s was trained on the whole of %s, nothing was held out: name a text to score", path, corpus)
	}
	for i := range int32(m.Vocab.Size()) {
		if text.Vocab.Size() != m.Vocab.Size() || text.Vocab.Symbol(i) != m.Vocab.Symbol(i) {
			return ids, fmt.Errorf("%s has another vocabulary than its text and options give: name a text to score", path)
		}
	}
	if c.Split.Lines > 0 { // each part is a copy
		text.Train.Close()
		text.Test.Close()
	}
	return text.HeldOut, nil
}

// open opens the model that an argument names; without one it is the newest
// run's, and said which.
func open(e *env, arg string) (path string, m *model.Model, err error) {
	if path, err = find(arg); err != nil {
		return "", nil, err
	}
	if arg == "" {
		fmt.Fprintln(e.stderr, "model:", visible(path))
	}
	m, err = model.Open(path)
	return path, m, err
}

// openFor opens the model that arguments begin with, or the newest run's, for the
// files after it or data by name.
func openFor(e *env, args []string, data string) (path string, m *model.Model, files []string, err error) {
	arg := ""
	if len(args) > 0 && isModel(args[0]) {
		arg, args = args[0], args[1:]
	}
	if data != "" && len(args) > 0 {
		return "", nil, nil, usage("--data %s and the file %s: want one or the other", data, args[0])
	}
	path, m, err = open(e, arg)
	return path, m, args, err
}

// readsText is the error of a model that is no language model.
func readsText(m *model.Model, path string) error {
	if m.Task != model.LM {
		return fmt.Errorf("%s: a model of task %s: want a language model", path, m.Task)
	}
	return nil
}

// finite bounds a number to what JSON can say.
func finite(x float64) float64 { return max(-math.MaxFloat64, min(x, math.MaxFloat64)) }
