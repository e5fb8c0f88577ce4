package main

import (
	"fmt"
	"strings"

	"sluice/look"
	"sluice/look/picture"
	"sluice/nn"
)

// gatesReport is what --gates --json prints.
type gatesReport struct {
	Model   string                 `json:"model"`
	Symbols []string               `json:"symbols,omitempty"`
	Numbers []float64              `json:"numbers,omitempty"` // that are read in the place of symbols
	Tags    []string               `json:"tags,omitempty"`
	Label   string                 `json:"label,omitempty"` // of the whole sequence
	Nats    []*float64             `json:"nats,omitempty"`  // of a language model, null for the first symbol
	Layers  []map[string][]float64 `json:"layers"`
	Files   []string               `json:"files"`
}

// gates draws the gates and states over a text.
func (c *inspectCmd) gates(e *env) error {
	models, texts, err := c.split()
	switch {
	case err != nil:
		return err
	case len(texts) > 0:
		return usage("unexpected argument %s: --gates has the text", texts[0])
	case len(models) > 1:
		return usage("unexpected argument %s: --gates draws one model", models[1])
	case *c.Gates == "":
		return usage("--gates: empty, want a text")
	}
	threads, err := c.threads()
	if err != nil {
		return err
	}
	paths, err := c.outputs(c.defaultName("gates"))
	if err != nil {
		return err
	}
	path, m, err := open(e, first(models))
	if err == nil && sequences(m.Task) {
		return c.gatesOfSequence(e, m, path, paths, threads)
	}
	if err == nil {
		err = readsText(m, path)
	}
	if err != nil {
		return err
	}
	ids, err := m.Vocab.Encode(*c.Gates)
	if err != nil {
		return fmt.Errorf("--gates: %s", oneLine(err.Error()))
	}
	if len(ids) == 0 {
		return fmt.Errorf("--gates: no %s of the text is in the vocabulary", unit(m.Vocab.Kind()))
	}
	f := &picture.Gates{Cell: m.RNN.Cell, Unit: unit(m.Vocab.Kind()), Trace: &look.Trace{Layers: look.Layers(m.RNN)}}
	for _, id := range ids {
		f.Symbols = append(f.Symbols, m.Vocab.Symbol(id))
	}
	if err := drawable(f, paths); err != nil {
		return err
	}
	f.Title = fmt.Sprintf("%s, %s, reads “%s”", named(m), learned(m), opening(visible(m.Vocab.Decode(ids))))
	team := nn.NewTeam(threads)
	defer team.Close()
	wait := newWaiting(e, "reading")
	f.Trace, err = look.Read(e.ctx, m.Pack(), team, ids, wait.progress)
	wait.clear()
	if err != nil {
		return of(path, err)
	}
	if err := c.write(e, f, paths); err != nil {
		return err
	}
	return c.printGates(e, path, "", f, paths)
}

// first is the first of names, "" for none.
func first(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return names[0]
}

// opening is the text or its first characters.
func opening(text string) string {
	const most = 24
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return text
}

func (c *inspectCmd) printGates(e *env, path, label string, f *picture.Gates, paths []string) error {
	r := gatesReport{Model: path, Symbols: f.Symbols, Numbers: f.Numbers, Tags: f.Tags, Label: label, Nats: make([]*float64, len(f.Trace.Nats)), Files: append([]string{}, paths...)}
	sum := 0.0
	for t, v := range f.Trace.Nats {
		if t > 0 {
			v = finite(v)
			r.Nats[t] = &v
			sum += v
		}
	}
	for _, l := range f.Trace.Layers {
		means := map[string][]float64{}
		for _, v := range l.Vectors {
			means[v.Name] = unitMeans(v.Values, len(l.Order))
		}
		r.Layers = append(r.Layers, means)
	}
	if c.JSON {
		return writeJSON(e.stdout, r, "")
	}
	what := "text"
	if len(f.Numbers) > 0 {
		what = "reads"
	}
	fmt.Fprintf(e.stdout, "model  %s\n%-5s  %s", visible(path), what, plural(max(len(f.Symbols), len(f.Numbers)), f.Unit))
	if n := len(f.Trace.Nats) - 1; n > 0 {
		fmt.Fprintf(e.stdout, ", %.3f nats each after the first", sum/float64(n))
	}
	fmt.Fprintln(e.stdout)
	if len(f.Tags) > 0 {
		fmt.Fprintf(e.stdout, "tags   %s\n", visible(strings.Join(f.Tags, " ")))
	}
	if label != "" {
		fmt.Fprintf(e.stdout, "label  %s\n", visible(label))
	}
	both := len(f.Trace.Layers) > 1 && f.Trace.Layers[0].Direction != f.Trace.Layers[1].Direction
	for l, layer := range f.Trace.Layers {
		if both {
			fmt.Fprintf(e.stdout, "layer %d %s, means:", l/2+1, layer.Direction)
		} else {
			fmt.Fprintf(e.stdout, "layer %d, means:", l+1)
		}
		for _, v := range layer.Vectors {
			fmt.Fprintf(e.stdout, "  %s %.3f", v.Name, mean(r.Layers[l][v.Name]))
		}
		fmt.Fprintln(e.stdout)
	}
	wrote(e.stdout, paths)
	return nil
}

// unitMeans are the means over the steps of values (T, H).
func unitMeans(values []float32, h int) []float64 {
	means := make([]float64, h)
	for i, v := range values {
		means[i%h] += float64(v)
	}
	for u := range means {
		means[u] = finite(means[u] / float64(len(values)/h))
	}
	return means
}

func mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}
