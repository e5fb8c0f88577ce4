package main

import (
	"fmt"
	"image/color"
	"text/tabwriter"

	"sluice/data"
	"sluice/look"
	"sluice/look/picture"
	"sluice/model"
	"sluice/nn"
	"sluice/rnn"
	"sluice/train"
)

// gradientsReport is what --gradients --json prints.
type gradientsReport struct {
	Text      string       `json:"text"`
	Lags      int          `json:"lags"`
	Rows      int          `json:"rows"`
	Seed      uint64       `json:"seed"`
	Networks  []fallReport `json:"networks"`
	Explosion *explosion   `json:"explosion,omitempty"`
	Files     []string     `json:"files"`
}

type fallReport struct {
	Name  string    `json:"name"`
	Model string    `json:"model,omitempty"`
	Norms []float64 `json:"norms"` // by the lag
}

type explosion struct {
	Rate       float64        `json:"rate"`
	Clip       float64        `json:"clip"`
	NotClipped trainingReport `json:"not_clipped"`
	Clipped    trainingReport `json:"clipped"`
}

type trainingReport struct {
	Norms    []float64 `json:"norms"` // up to an overflow
	Nats     float64   `json:"nats"`  // the last loss before one
	Overflow int       `json:"overflow_at_update,omitempty"`
}

// gradients draws how much of a gradient is left some steps back.
func (c *inspectCmd) gradients(e *env) error {
	models, texts, err := c.split()
	if err != nil {
		return err
	}
	if err := actWith([]condition{
		{"hidden", c.Hidden != nil, len(models) == 0, "--gradients without a model"},
		{"init", c.Init != nil, len(models) == 0, "--gradients without a model"},
	}); err != nil {
		return err
	}
	threads, o, paths, err := c.prepare("gradients")
	if err != nil {
		return err
	}
	team := nn.NewTeam(threads)
	defer team.Close()
	g := &gradients{c: c, e: e, o: o, team: team, wait: newWaiting(e, ""), figure: &picture.Gradients{}}
	g.report = gradientsReport{Lags: o.Lags, Rows: o.Rows, Seed: o.Seed, Files: append([]string{}, paths...)}
	if len(models) == 0 {
		err = g.fresh(texts)
	} else {
		err = g.trained(models, texts)
	}
	g.wait.clear()
	if err != nil {
		return err
	}
	if err := c.write(e, g.figure, paths); err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(e.stdout, g.report, "")
	}
	return g.print(paths)
}

// gradients is that command at work.
type gradients struct {
	c      *inspectCmd
	e      *env
	o      look.Options
	team   *nn.Team
	wait   *waiting
	figure *picture.Gradients
	report gradientsReport
	short  string // why nothing was trained
}

// add follows the gradient of one model.
func (g *gradients) add(m *model.Model, ids data.Symbols, f picture.Fall, path string) error {
	g.wait.what = f.Name
	g.o.Progress = g.wait.progress
	var err error
	if f.Norms, err = look.Gradients(g.e.ctx, m.Pack(), g.team, ids, g.o); err != nil {
		return err
	}
	g.figure.Falls = append(g.figure.Falls, f)
	norms := make([]float64, len(f.Norms))
	for k, v := range f.Norms {
		norms[k] = finite(v)
	}
	g.report.Networks = append(g.report.Networks, fallReport{f.Name, path, norms})
	return nil
}

// trained are models on the text each of them was trained on, or one for all.
func (g *gradients) trained(models, texts []string) error {
	g.figure.Title = "What is left of a gradient, after training"
	colors := []color.Color{picture.Black, picture.Blue, picture.Orange}
	names := map[string]int{}
	for i, arg := range models {
		path, m, err := openText(g.e, arg)
		if err != nil {
			return err
		}
		if i > 0 && len(texts) > 0 && texts[0] == "-" {
			return usage("-: standard input can be read for one model only")
		}
		shown, ids, err := (&evalCmd{Data: g.c.Data}).text(g.e, m, path, texts)
		if err != nil {
			return err
		}
		defer ids.Close()
		if i == 0 {
			g.report.Text = shown
		} else if shown != g.report.Text {
			g.report.Text = "of each model its own"
		}
		name := named(m)
		if names[name]++; names[name] > 1 {
			name += fmt.Sprintf(" (%d)", names[name])
		}
		if err := g.add(m, ids, picture.Fall{Name: name, Color: colors[i%len(colors)], Dashed: i/len(colors)%2 == 1}, path); err != nil {
			return of(path, err)
		}
	}
	return nil
}

// start is a network that has learned nothing.
type start struct {
	picture.Fall
	rnn    rnn.Config
	forget float64 // bias of the forget gate
	update float32 // and of the update gate
}

// starts are the cells as they usually start, and with gates that start open.
func starts() []start {
	gru, lstm := rnn.Config{Cell: "gru", Reset: rnn.ResetAfter}, rnn.Config{Cell: "lstm"}
	return []start{
		{Fall: picture.Fall{Name: "rnn", Color: picture.Black}, rnn: rnn.Config{Cell: "rnn"}},
		{Fall: picture.Fall{Name: "gru", Color: picture.Blue, Dashed: true}, rnn: gru},
		{Fall: picture.Fall{Name: "lstm", Color: picture.Orange, Dashed: true}, rnn: lstm},
		{Fall: picture.Fall{Name: "gru, update bias 1", Color: picture.Blue}, rnn: gru, update: 1},
		{Fall: picture.Fall{Name: "lstm, forget bias 1", Color: picture.Orange}, rnn: lstm, forget: 1},
	}
}

// fresh are networks of one width that have learned nothing, and what happens
// to one in training.
func (g *gradients) fresh(texts []string) error {
	s, err := g.e.source(g.c.Data, "english", texts)
	if err != nil {
		return err
	}
	defer s.text.Close()
	vocab, err := data.ReadVocab(g.e.ctx, s.text, data.VocabOptions{})
	if err != nil {
		return failed(s.shown, err)
	}
	ids, err := vocab.ReadSymbols(g.e.ctx, s.text)
	if err != nil {
		return failed(s.shown, err)
	}
	defer ids.Close()
	g.report.Text = s.shown
	hidden, kind := 128, "pytorch"
	set(&hidden, g.c.Hidden)
	set(&kind, g.c.Init)
	g.figure.Title = fmt.Sprintf("Before training: networks of %d units, weights %s", hidden, map[string]string{
		"pytorch": fmt.Sprintf("U(±1/√%d)", hidden), "normal": "N(0, 0.01²)", "xavier": "as Xavier has it",
	}[kind])
	for _, st := range starts() {
		if err := fits(train.Config{Model: st.spec(hidden), Batches: data.Batches{Batch: g.o.Rows, Steps: g.o.Lags}}, model.Names{Vocab: vocab}, g.o.Rows*g.o.Lags); err != nil {
			return err
		}
		m, err := st.model(vocab, hidden, kind, g.o.Seed)
		if err != nil {
			return err
		}
		if err := g.add(m, ids, st.Fall, ""); err != nil {
			return of(s.shown, err)
		}
	}
	if need := look.ExplodeNeed(); ids.Len() < need {
		g.short = fmt.Sprintf("an rnn of ReLUs is not trained: a text of %s, want at least %d", plural(ids.Len(), "symbol"), need)
		return nil
	}
	return g.explode(vocab, ids, hidden, s.shown)
}

func (s start) spec(hidden int) model.Spec {
	s.rnn.Hidden, s.rnn.Layers, s.rnn.Biases = hidden, 1, 1
	return model.Spec{Task: model.LM, RNN: s.rnn}
}

// model makes it.
func (s start) model(vocab *data.Vocab, hidden int, kind string, seed uint64) (*model.Model, error) {
	m, err := model.New(s.spec(hidden), model.Names{Vocab: vocab})
	if err != nil {
		return nil, err
	}
	init := rnn.Init{Kind: kind, ForgetBias: s.forget}
	if kind == "normal" {
		init.Sigma = 0.01
	}
	if err := m.Init(init, seed); err != nil {
		return nil, err
	}
	for _, t := range m.Tensors() {
		if t.Name == "rnn.bias_ih_l0" && s.update != 0 {
			for u := range hidden {
				t.Data[hidden+u] = s.update // that of z comes second
			}
		}
	}
	return m, nil
}

// The training that explodes.
const (
	explodeUpdates = 100
	explodeRate    = 1.0
	explodeClip    = 1.0
)

// explode trains a network of ReLUs, which nothing bounds, with clipping and
// without.
func (g *gradients) explode(vocab *data.Vocab, ids data.Symbols, hidden int, shown string) error {
	relu := start{rnn: rnn.Config{Cell: "rnn", Activation: "relu"}}
	x := &explosion{Rate: explodeRate, Clip: explodeClip}
	for _, clip := range []float64{0, explodeClip} {
		m, err := relu.model(vocab, hidden, "pytorch", g.o.Seed)
		if err != nil {
			return err
		}
		updates, err := look.Explode(g.e.ctx, m, g.team, ids, explodeUpdates, explodeRate, clip)
		if err != nil {
			return of(shown, err)
		}
		if clip > 0 {
			g.figure.Clipped, x.Clipped = updates, reportOf(updates)
		} else {
			g.figure.Free, x.NotClipped = updates, reportOf(updates)
		}
	}
	g.figure.Explosion, g.figure.Clip = "Training an rnn of ReLUs (SGD, rate 1)", explodeClip
	g.report.Explosion = x
	return nil
}

func reportOf(updates []look.Update) (r trainingReport) {
	r.Norms = []float64{}
	for i, u := range updates {
		if u.Lost() {
			r.Overflow = i + 1
			break
		}
		r.Norms, r.Nats = append(r.Norms, u.Norm), u.Nats
	}
	return r
}

// String says how it ended.
func (r trainingReport) String() string {
	if r.Overflow > 0 {
		return fmt.Sprintf("overflow in update %d", r.Overflow)
	}
	return fmt.Sprintf("%.3f nats after %s", r.Nats, plural(len(r.Norms), "update"))
}

func (g *gradients) print(paths []string) error {
	w := g.e.stdout
	fmt.Fprintf(w, "text  %s, %s\n\nwhat is left of the norm of the gradient by the state k steps back, mean of the places\n", visible(g.report.Text), plural(g.o.Rows, "place"))
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	var lags []int
	fmt.Fprint(t, "k")
	for _, k := range []int{1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000} {
		if k <= g.o.Lags {
			lags = append(lags, k)
			fmt.Fprintf(t, "\t%d", k)
		}
	}
	fmt.Fprintln(t)
	for _, f := range g.figure.Falls {
		fmt.Fprint(t, f.Name)
		for _, k := range lags {
			fmt.Fprintf(t, "\t%.2g", f.Norms[k]/f.Norms[0])
		}
		fmt.Fprintln(t)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if x := g.report.Explosion; x != nil {
		fmt.Fprintf(w, "\nan rnn of ReLUs, trained by SGD at rate %g\n", x.Rate)
		fmt.Fprintf(w, "not clipped   %v\nclipped at %g  %v\n", x.NotClipped, x.Clip, x.Clipped)
	} else if g.short != "" {
		fmt.Fprintf(w, "\n%s\n", g.short)
	}
	wrote(w, paths)
	return nil
}
