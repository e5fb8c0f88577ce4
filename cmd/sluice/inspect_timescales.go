package main

import (
	"fmt"
	"math"
	"slices"
	"text/tabwriter"

	"sluice/data"
	"sluice/look"
	"sluice/look/picture"
	"sluice/model"
	"sluice/nn"
)

// timescalesReport is what --timescales --json prints.
type timescalesReport struct {
	Model  string        `json:"model"`
	Text   string        `json:"text"`
	Lags   int           `json:"lags"`
	Rows   int           `json:"rows"`
	Seed   uint64        `json:"seed"`
	Layers []layerMemory `json:"layers"`
	Answer string        `json:"answer"`
	Files  []string      `json:"files"`
}

type layerMemory struct {
	Memory []*float64  `json:"memory"` // steps, of each unit; null: nothing moved it
	Beyond float64     `json:"beyond"`
	Gates  []gateRanks `json:"gates"`
}

type gateRanks struct {
	Gate  string    `json:"gate"`
	Means []float64 `json:"means"`
	Rank  *float64  `json:"rank_correlation"` // null: it does not vary
}

// options are those of the flags.
func (c *inspectCmd) options() look.Options {
	o := look.Options{Lags: 100, Rows: 256, Seed: 1}
	set(&o.Lags, c.Lags)
	set(&o.Rows, c.Rows)
	set(&o.Seed, c.Seed)
	return o
}

// prepare reads the flags of a figure of places in a text; name is that of its
// picture.
func (c *inspectCmd) prepare(name string) (threads int, o look.Options, paths []string, err error) {
	if threads, err = c.threads(); err != nil {
		return 0, o, nil, err
	}
	o = c.options()
	if err = o.Validate(); err != nil {
		return 0, o, nil, err
	}
	paths, err = c.outputs(c.defaultName(name))
	return threads, o, paths, err
}

// timescales draws how long each unit remembers.
func (c *inspectCmd) timescales(e *env) error {
	models, texts, err := c.split()
	switch {
	case err != nil:
		return err
	case len(models) > 1:
		return usage("unexpected argument %s: --timescales measures one model", models[1])
	}
	threads, o, paths, err := c.prepare("timescales")
	if err != nil {
		return err
	}
	path, m, err := openText(e, first(models))
	if err != nil {
		return err
	}
	if m.RNN.Cell != "gru" && m.RNN.Cell != "lstm" {
		return fmt.Errorf("%s: its cell is %s: --timescales wants the gates of a gru or an lstm", path, m.RNN.Cell)
	}
	f := &picture.Timescales{Layers: make([]look.Memory, m.RNN.Layers)}
	if err := drawable(f, paths); err != nil {
		return err
	}
	shown, ids, err := (&evalCmd{Data: c.Data}).text(e, m, path, texts)
	if err != nil {
		return err
	}
	defer ids.Close()
	f.Title = fmt.Sprintf("%s, %s: memory and gates", named(m), learned(m))
	if f.Layers, err = c.measure(e, m, threads, ids, o); err != nil {
		return of(shown, err)
	}
	if err := c.write(e, f, paths); err != nil {
		return err
	}
	r := timescalesReport{Model: path, Text: shown, Lags: o.Lags, Rows: o.Rows, Seed: o.Seed, Files: append([]string{}, paths...), Answer: answer(m.RNN.Cell, f.Layers)}
	for _, l := range f.Layers {
		r.Layers = append(r.Layers, reported(l))
	}
	if c.JSON {
		return writeJSON(e.stdout, r, "")
	}
	return r.print(e, f.Layers, paths)
}

func (c *inspectCmd) measure(e *env, m *model.Model, threads int, ids data.Symbols, o look.Options) ([]look.Memory, error) {
	team := nn.NewTeam(threads)
	defer team.Close()
	wait := newWaiting(e, "changing symbols")
	defer wait.clear()
	o.Progress = wait.progress
	return look.Measure(e.ctx, m.Pack(), team, ids, o)
}

// number is v for JSON, null for none.
func number(v float64) *float64 {
	if math.IsNaN(v) {
		return nil
	}
	return &v
}

func reported(l look.Memory) layerMemory {
	r := layerMemory{Beyond: l.Beyond}
	for _, v := range l.Lags {
		r.Memory = append(r.Memory, number(v))
	}
	for _, g := range l.Gates {
		r.Gates = append(r.Gates, gateRanks{g.Name, g.Means, number(g.Rank)})
	}
	return r
}

func (r timescalesReport) print(e *env, layers []look.Memory, paths []string) error {
	w := e.stdout
	fmt.Fprintf(w, "model  %s\ntext   %s, %s, each with one symbol changed\n", visible(r.Model), visible(r.Text), plural(r.Rows, "place"))
	fmt.Fprintf(w, "\nmemory of a unit: steps until less than 1/e of the largest |Δh| is left for good, mean over the places\n")
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "layer\tunits\tshortest\tmedian\tlongest\tbeyond the end\t")
	for i, l := range layers {
		lags := slices.DeleteFunc(slices.Clone(l.Lags), math.IsNaN)
		slices.Sort(lags)
		if len(lags) == 0 {
			fmt.Fprintf(t, "%d\t0 of %d moved\t\t\t\t\t\n", i+1, len(l.Lags))
			continue
		}
		fmt.Fprintf(t, "%d\t%d\t%.1f\t%.1f\t%.1f\t%.1f %%\t\n", i+1, len(lags), lags[0], lags[len(lags)/2], lags[len(lags)-1], 100*l.Beyond)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w, "\nrank correlation of memory with the mean of a gate")
	fmt.Fprintln(t, "layer\tgate\tmean\tlowest unit\thighest\tcorrelation\t")
	for i, l := range layers {
		for _, g := range l.Gates {
			fmt.Fprintf(t, "%d\t%s\t%.3f\t%.3f\t%.3f\t%s\t\n", i+1, picture.GateName(g.Name), mean(g.Means), slices.Min(g.Means), slices.Max(g.Means), picture.Correlation(g.Rank))
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "\n%s\n", r.Answer)
	wrote(w, paths)
	return nil
}

// answer says in a sentence for each layer whether gates go with memory as
// textbooks have it: what a unit keeps long, it keeps by a high update or
// forget gate; what it keeps shortly, it drops by a low reset gate, or writes
// over by a high input gate.
func answer(cell string, layers []look.Memory) string {
	var text []byte
	for i, l := range layers {
		if i > 0 {
			text = append(text, '\n')
		}
		if len(layers) > 1 {
			text = fmt.Appendf(text, "layer %d: ", i+1)
		}
		text = append(text, sentence(cell, l)...)
	}
	return string(text)
}

func sentence(cell string, l look.Memory) string {
	moved := len(slices.DeleteFunc(slices.Clone(l.Lags), math.IsNaN))
	chance := 2 / math.Sqrt(float64(max(1, moved-1))) // two standard deviations of what chance gives
	says := func(g look.Gate, sign float64, yes, no string) string {
		switch v := g.Rank * sign; {
		case v > chance:
			return yes + " (as the textbook says)"
		case v < -chance:
			return no + " (against the textbook)"
		}
		return fmt.Sprintf("the %s shows no relation to memory beyond chance", picture.GateName(g.Name))
	}
	if cell == "gru" {
		return says(l.Gates[1], 1, "long memory goes with a high update gate", "long memory goes with a low update gate") + "; " +
			says(l.Gates[0], 1, "short memory goes with a low reset gate, which drops the state", "short memory goes with a high reset gate")
	}
	return says(l.Gates[1], 1, "long memory goes with a high forget gate", "long memory goes with a low forget gate") + "; " +
		says(l.Gates[0], -1, "long memory goes with a low input gate, which lets little in", "long memory goes with a high input gate")
}
