package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"

	"sluice/data"
	"sluice/model"
	"sluice/nn"
	"sluice/safetensors"
	"sluice/train"
)

type inspectCmd struct {
	Args []string `arg:"" optional:"" name:"MODEL|FILE" help:"A model file or a run's folder (the newest run's). With --gradients any number of them, or none: networks that have learned nothing. With --gradients and --timescales also text files to run over; - is standard input."`
	JSON bool     `name:"json" help:"Print one JSON object."`

	lookFlags `embed:""`
}

// report is what there is to know about a model file.
type report struct {
	File       string         `json:"file"`
	Bytes      int64          `json:"bytes"`
	Version    string         `json:"format_version"`
	Precision  string         `json:"precision"` // of the weights
	Model      model.Spec     `json:"model"`
	Parameters int            `json:"parameters"`
	Tensors    []tensorReport `json:"tensors"`
	Vocab      *vocabReport   `json:"vocab,omitempty"`      // of a model of text
	Characters *vocabReport   `json:"characters,omitempty"` // of a tagger that spells words
	Labels     []string       `json:"labels,omitempty"`
	Scheme     string         `json:"scheme,omitempty"` // of tags
	Series     *model.Series  `json:"series,omitempty"`
	History    model.History  `json:"history"`
}

type tensorReport struct {
	Name       string `json:"name"`
	DType      string `json:"dtype"`
	Shape      []int  `json:"shape"`
	Parameters int    `json:"parameters"` // 0: scales, or zeros that stand in the file for PyTorch
}

type vocabReport struct {
	Kind    string   `json:"kind"`
	Unknown string   `json:"unknown"`
	Size    int      `json:"size"`
	First   []string `json:"first"`
}

// firstSymbols is how many symbols are shown.
const firstSymbols = 24

// Run shows what a model file holds, or what goes on in the model.
func (c *inspectCmd) Run(e *env) error {
	look, err := c.look()
	if err != nil {
		return err
	}
	if look != nil {
		return look(e)
	}
	if len(c.Args) > 1 {
		return usage("unexpected argument %s", c.Args[1])
	}
	return c.file(e)
}

// file shows what a model file holds.
func (c *inspectCmd) file(e *env) error {
	arg := ""
	if len(c.Args) > 0 {
		arg = c.Args[0]
	}
	path, m, err := open(e, arg)
	if err != nil {
		return err
	}
	r := report{
		File: path, Version: m.FormatVersion(), Precision: m.Precision.String(), Model: m.Spec, Parameters: m.Size(), History: m.History,
	}
	r.Vocab, r.Characters = vocabOf(m.Vocab), vocabOf(m.Characters)
	r.Labels, r.Scheme, r.Series = m.Labels, string(m.Scheme), m.Names.Series
	if err := r.tensors(m); err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(e.stdout, r, "  ")
	}
	return r.print(e.stdout)
}

// vocabOf is what there is to say of a vocabulary, if there is one.
func vocabOf(v *data.Vocab) *vocabReport {
	if v == nil {
		return nil
	}
	r := &vocabReport{Kind: v.Kind(), Unknown: v.Policy(), Size: v.Size()}
	for id := range min(firstSymbols, v.Size()) {
		r.First = append(r.First, v.Symbol(int32(id)))
	}
	return r
}

// tensors reads what stands in the file.
func (r *report) tensors(m *model.Model) error {
	f, err := os.Open(r.File)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	r.Bytes = info.Size()
	file, err := safetensors.Open(f, r.Bytes)
	if err != nil {
		return fmt.Errorf("%s: %w", r.File, err)
	}
	trained := map[string]bool{}
	for _, t := range m.Tensors() {
		trained[t.Name] = true
	}
	for _, t := range file.Tensors {
		n := 0
		if trained[strings.TrimSuffix(t.Name, "."+r.Precision)] {
			n = nn.Elements(t.Shape)
		}
		r.Tensors = append(r.Tensors, tensorReport{t.Name, string(t.DType), t.Shape, n})
	}
	return nil
}

func (r *report) print(w io.Writer) error {
	h := r.History
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "file\t%s, %s, format version %s\n", visible(r.File), size(r.Bytes), r.Version)
	biases := map[int]string{1: "one bias", 2: "two biases"}[r.Model.RNN.Biases]
	weights := ""
	if r.Precision != nn.Float32.String() {
		weights = ", weights of " + r.Precision
	}
	about := fmt.Sprintf("%s: %s, %s, %s%s", r.Model.Task, describe(r.Model), biases, plural(r.Parameters, "parameter"), weights)
	fmt.Fprintf(t, "model\t%s\n", strings.ReplaceAll(folded(about, scoreColumn), "\n"+strings.Repeat(" ", scoreColumn), "\n\t"))
	if v := r.Vocab; v != nil {
		fmt.Fprintf(t, "vocabulary\t%s, %s; unknown: %s\n", v.Kind, plural(v.Size, "symbol"), v.Unknown)
		fmt.Fprintf(t, "\t%s\n", v.shown())
	}
	if v := r.Characters; v != nil {
		fmt.Fprintf(t, "characters\t%s\n\t%s\n", count(v.Size), v.shown())
	}
	if len(r.Labels) > 0 {
		what := "labels"
		if r.Model.Task == model.Tag {
			what = "tags"
		}
		fmt.Fprintf(t, "%s\t%d%s: %.400s\n", what, len(r.Labels), prefixed(", scheme ", r.Scheme), visible(strings.Join(r.Labels, " ")))
	}
	if s := r.Series; s != nil {
		for i, name := range s.Names[:min(len(s.Names), firstSymbols)] {
			fmt.Fprintf(t, "%s\t%s: mean %.6g, standard deviation %.6g\n", map[bool]string{true: "series"}[i == 0], visible(name), s.Scaler.Mean[i], s.Scaler.Std[i])
		}
	}
	if h.TrainSymbols > 0 {
		noun, kind := nounOf(r.Model.Task), ""
		if r.Model.Task == model.LM {
			noun, kind = "symbol", r.Vocab.Kind
		}
		corpus := "a text"
		if h.Corpus != "" {
			corpus = h.Corpus
		}
		fmt.Fprintf(t, "trained on\t%s, %s to train on, %s held out\n", visible(corpus), plural(h.TrainSymbols, noun), count(h.HeldOutSymbols))
		fmt.Fprintf(t, "\tsha256 %s\n", visible(h.TextSHA256))
		g := gaugeOf(r.Model.Task)
		fmt.Fprintf(t, "%s\ttraining %s, held out %s\n", g.name, measured(g, h.TrainLoss, kind), measured(g, h.HeldOutLoss, kind))
		if name := train.FigureName(r.Model.Task, data.Scheme(r.Scheme)); name != "" && h.HeldOutSymbols > 0 {
			fmt.Fprintf(t, "%s\theld out %s\n", name, percentage(h.HeldOutFigure))
		}
		fmt.Fprintf(t, "kept\t%s, after %s\n", visible(why(h)), plural(h.Updates, "update"))
	}
	if len(h.Config) > 0 {
		fmt.Fprintf(t, "options\t%s\n", visible(string(h.Config)))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(t, "\ntensor\tdtype\tshape\tparameters")
	for _, x := range r.Tensors {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", x.Name, x.DType, shape(x.Shape), parameters(x))
	}
	return t.Flush()
}

func parameters(t tensorReport) string {
	switch {
	case t.Parameters > 0:
	case strings.HasPrefix(t.Name, model.CheckpointPrefix):
		return "of the run"
	case strings.HasSuffix(t.Name, ".scale"):
		return "scales of rows"
	default:
		return "zeros, for PyTorch"
	}
	return count(t.Parameters)
}

func shape(s []int) string {
	var parts []string
	for _, n := range s {
		parts = append(parts, strconv.Itoa(n))
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

// shown are the first symbols as a person can read them.
func (v vocabReport) shown() string {
	var b strings.Builder
	for i, s := range v.First {
		if i > 0 {
			b.WriteByte(' ')
		}
		if q := strconv.Quote(s); q != `"`+s+`"` || strings.TrimSpace(s) == "" {
			b.WriteString(q)
		} else {
			b.WriteString(s)
		}
	}
	if v.Size > len(v.First) {
		b.WriteString(" …")
	}
	return b.String()
}
