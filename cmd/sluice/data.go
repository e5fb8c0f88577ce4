package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"sluice/data"
	"sluice/datasets"
	"sluice/model"
)

type dataCmd struct {
	List dataListCmd `cmd:"" default:"withargs" help:"List all data that has a name."`
	Get  dataGetCmd  `cmd:"" help:"Fetch datasets, once, and print where their files are."`
	Show dataShowCmd `cmd:"" help:"Show what a text or a dataset is, and how it begins."`
}

type dataListCmd struct {
	JSON bool `name:"json" help:"Print one JSON object a line."`
}

// item is what has a name.
type item struct {
	Name    string `json:"name"`
	Where   string `json:"where"` // "built in", "here", "not here"
	Task    string `json:"task"`  // that it is for
	Bytes   int64  `json:"bytes,omitempty"`
	Licence string `json:"licence,omitempty"`
	About   string `json:"about"`
}

// builtIn is what needs no file.
func builtIn() (all []item) {
	for _, c := range data.Corpora() {
		text, _ := data.Load(c.Name)
		all = append(all, item{c.Name, "built in", model.LM, int64(len(text)), "", c.Description})
	}
	for _, n := range []struct{ name, about string }{
		{adding, "the adding problem: made as it is asked for"},
		{"dates", "English sentences in which dates, amounts and places are tagged: made"},
		{"grammars", "strings of brackets, each of one of five kinds: made"},
		{"seasons", "temperature, load and water of a small town, by the hour for 400 days: made"},
	} {
		all = append(all, item{n.name, "built in", taskOf(n.name), 0, "", n.about})
	}
	return all
}

// fetched is what is published elsewhere.
func fetched() (all []item) {
	for _, d := range datasets.All() {
		all = append(all, item{d.Name, "not here", taskOf(d.Name), d.Bytes(), d.Licence, d.About})
	}
	return all
}

// names are those of all data.
func names(store datasets.Store) []item {
	all := fetched()
	for i, d := range datasets.All() {
		if store.Has(d) {
			all[i].Where = "here"
		}
	}
	return append(builtIn(), all...)
}

// Run lists them.
func (c *dataListCmd) Run(e *env) error {
	store, err := datasets.Open()
	if err != nil {
		return err
	}
	t := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	if !c.JSON {
		fmt.Fprintln(t, "name\twhere\ttask\tsize\twhat it is")
	}
	for _, n := range names(store) {
		switch {
		case c.JSON:
			if err := writeJSON(e.stdout, n, ""); err != nil {
				return err
			}
		case n.Bytes == 0:
			fmt.Fprintf(t, "%s\t%s\t%s\t–\t%s\n", n.Name, n.Where, n.Task, n.About)
		default:
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", n.Name, n.Where, n.Task, size(n.Bytes), n.About)
		}
	}
	return t.Flush()
}

type dataGetCmd struct {
	Names []string `arg:"" name:"NAME" help:"Datasets, or files of them as NAME/FILE."`
}

// Run fetches them.
func (c *dataGetCmd) Run(e *env) error {
	for _, name := range c.Names {
		if slices.ContainsFunc(builtIn(), func(n item) bool { return n.Name == setOf(name) }) {
			return usage("%s is built in: there is nothing to fetch", name)
		}
		d, err := datasets.Find(name)
		if err != nil {
			return usageError{err}
		}
		paths, err := e.get(d)
		if err != nil {
			return err
		}
		for _, path := range paths {
			fmt.Fprintln(e.stdout, path)
		}
	}
	return nil
}

// get is the paths of a dataset's files, fetched where they are not here.
func (e *env) get(d datasets.Dataset) ([]string, error) {
	store, err := datasets.Open()
	if err != nil {
		return nil, err
	}
	wait := newWaiting(e, d.Name)
	store.Progress = func(d datasets.Dataset, f datasets.File, done int64) {
		wait.what = d.Name + "/" + f.Name
		wait.progress(int(done), int(f.Bytes))
	}
	paths, err := store.Get(e.ctx, d)
	wait.clear()
	return paths, err
}

// load is the text of a name: a built-in corpus, or a file of a dataset.
func (e *env) load(name string) (data.Source, error) {
	if made[setOf(name)] != nil {
		return nil, usage("--data %s: is no text: it is for task %s", name, taskOf(name))
	}
	text, err := data.Load(name)
	if err == nil {
		return data.String(text), nil
	}
	d, unknown := datasets.Find(name)
	switch {
	case unknown != nil && strings.Contains(name, "/"):
		return nil, usageError{unknown}
	case unknown != nil:
		return nil, usage("%w (sluice data lists all names)", err)
	case len(d.Files) > 1:
		return nil, severalFiles(name, d)
	}
	paths, err := e.get(d)
	if err != nil {
		return nil, err
	}
	return data.OpenFiles(e.ctx, paths, nil)
}

// severalFiles is the error of a dataset where one file is wanted.
func severalFiles(name string, d datasets.Dataset) error {
	return usage("%s has %d files: want one, such as %s/%s", name, len(d.Files), d.Name, d.Files[0].Name)
}

type dataShowCmd struct {
	Name string `arg:"" name:"NAME" help:"What has a name: sluice data lists it."`
}

// shownLines is how many of a file are shown.
const shownLines = 5

// Run shows it, and fetches nothing.
func (c *dataShowCmd) Run(e *env) error {
	for _, n := range builtIn() {
		if n.Name == c.Name || n.Name == setOf(c.Name) && made[n.Name] != nil {
			return n.show(e, c.Name)
		}
	}
	d, err := datasets.Find(c.Name)
	if err != nil {
		return usageError{err}
	}
	store, err := datasets.Open()
	if err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "%s  %s\n\nlicence  %s\n", d.Name, d.About, d.Licence)
	for _, f := range d.Files {
		fmt.Fprintf(e.stdout, "\n%s  %s, sha256 %s\n", f.Name, size(f.Bytes), f.SHA256)
		if f.URL != "" {
			fmt.Fprintf(e.stdout, "  %s\n", f.URL)
		}
		if one := (datasets.Dataset{Name: d.Name, Files: []datasets.File{f}}); !store.Has(one) {
			fmt.Fprintf(e.stdout, "  not here: sluice data get %s\n", c.Name)
			continue
		}
		path := store.Path(d, f)
		in, err := os.Open(path)
		if err != nil {
			return err
		}
		fmt.Fprintf(e.stdout, "  %s\n", path)
		err = begin(e.stdout, in)
		in.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// show shows what is built in, of a name or of that of a file of it.
func (n item) show(e *env, name string) error {
	var files []madeFile
	if made[n.Name] != nil {
		var err error
		if files, err = filesOf(name); err != nil {
			return err
		}
	}
	fmt.Fprintf(e.stdout, "%s  %s\n\n%s\n", n.Name, n.About, n.Where)
	for _, f := range files {
		fmt.Fprintf(e.stdout, "\n%s\n", f.Name)
		if err := begin(e.stdout, f.open()); err != nil {
			return err
		}
	}
	text, _ := data.Load(n.Name) // "" of what is no text
	return begin(e.stdout, strings.NewReader(text))
}

// begin prints the first lines of what is text.
func begin(w io.Writer, text io.Reader) error {
	head, err := io.ReadAll(io.LimitReader(text, 1<<16))
	n := 0
	if bytes.ContainsRune(head, 0) {
		return err
	}
	for line := range strings.Lines(string(head)) {
		if n++; n > shownLines {
			break
		}
		short := []rune(strings.TrimRight(line, "\r\n"))
		if len(short) > 80 {
			short = append(short[:79], '…')
		}
		fmt.Fprintf(w, "  | %s\n", visible(string(short)))
	}
	return err
}
