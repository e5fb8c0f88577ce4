package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/BurntSushi/toml"

	"sluice/data"
	"sluice/look/picture"
	"sluice/model"
	"sluice/train"
)

type runsCmd struct {
	Runs []string `arg:"" optional:"" name:"RUN" help:"Folders of runs: their options and scores side by side. Without any, a list of all below runs."`
	JSON bool     `name:"json" help:"Print one JSON object a line for each run."`

	pictureFlags `embed:""`
}

// summary is what a run's folder tells.
type summary struct {
	Run     string       `json:"run"`
	Task    string       `json:"task"`
	Status  string       `json:"status"` // "running", "killed", or as its log ends: "done", "interrupted", "diverged", "failed"; "broken": its files cannot be read
	Began   time.Time    `json:"began"`
	Updates int          `json:"updates"` // made, of Of
	Of      int          `json:"of"`
	Epochs  int          `json:"epochs"` // done
	Best    *train.Epoch `json:"best,omitempty"`
	Figure  string       `json:"figure_name,omitempty"` // what Best.Figure is
	curve   []train.Epoch
	Error   string         `json:"error,omitempty"`
	Options map[string]any `json:"options"`
}

// Run lists runs or compares those named.
func (c *runsCmd) Run(e *env) error {
	folders := c.Runs
	if len(folders) == 0 {
		found, err := filepath.Glob(filepath.Join(runsFolder, "*", runFile))
		if err != nil {
			return err
		}
		for _, f := range found {
			folders = append(folders, filepath.Dir(f))
		}
		if len(folders) == 0 {
			return fmt.Errorf("no runs in %s: train one first (sluice train)", runsFolder)
		}
	}
	if c.JSON && len(c.Out) > 0 {
		return usage("--json and --out: want one or the other")
	}
	paths, err := c.outputs("")
	if err != nil {
		return err
	}
	var all []summary
	for _, folder := range folders {
		s, err := summarise(folder)
		switch {
		case err != nil && len(c.Runs) > 0:
			return err
		case err != nil:
			s.Status, s.Error = "broken", oneLine(err.Error())
		}
		all = append(all, s)
	}
	if len(c.Runs) == 0 {
		slices.SortStableFunc(all, func(a, b summary) int { return a.Began.Compare(b.Began) })
	}
	var figure *picture.Runs
	if len(paths) > 0 {
		if slices.ContainsFunc(all, func(s summary) bool { return s.Task != all[0].Task }) {
			return usage("--out: runs of different tasks: want those of one")
		}
		figure = curvesOf(all)
		if err := drawable(figure, paths); err != nil {
			return err
		}
	}
	switch {
	case c.JSON:
		for _, s := range all {
			if err := writeJSON(e.stdout, s, ""); err != nil {
				return err
			}
		}
		return nil
	case len(c.Runs) > 0:
		err = e.compare(all)
	default:
		err = e.list(all)
	}
	if err != nil || len(paths) == 0 {
		return err
	}
	return c.write(e, figure, paths)
}

func summarise(folder string) (summary, error) {
	s := summary{Run: folder, Status: "killed"}
	info, err := os.Stat(filepath.Join(folder, runFile))
	if err != nil {
		return s, fmt.Errorf("%s: no %s in this folder: want the folder of a run", folder, runFile)
	}
	s.Began = info.ModTime()
	if _, err := toml.DecodeFile(filepath.Join(folder, runFile), &s.Options); err != nil {
		return s, fmt.Errorf("%s: %w", filepath.Join(folder, runFile), err)
	}
	if err := s.read(filepath.Join(folder, train.EventsFile)); err != nil {
		return s, err
	}
	s.Updates = max(s.Updates, newestUpdate(folder))
	if train.Locked(folder) {
		s.Status = "running"
	}
	return s, nil
}

// newestUpdate is how many updates the newest checkpoint comes after.
func newestUpdate(folder string) int {
	updates, err := train.NewFolder(folder).Checkpoints()
	if err != nil || len(updates) == 0 {
		return 0
	}
	return updates[len(updates)-1]
}

// read takes what there is to know from the event log; a line that is cut is
// the last one of a run that was killed.
func (s *summary) read(path string) error {
	log, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, cause(err))
	}
	for line := range bytes.Lines(log) {
		var e struct {
			Event, Status, Error, Task string
			Name                       string `json:"figure_name"`
			Update                     int
			train.Epoch
		}
		if json.Unmarshal(line, &e) != nil {
			continue
		}
		switch e.Event {
		case "start":
			s.Task, s.Figure, s.Of = e.Task, e.Name, e.Epoch.Updates
		case "progress":
			s.Updates = e.Update
		case "epoch":
			s.Epochs, s.Updates = e.Epoch.Epoch, e.Epoch.Updates
			s.curve = append(s.curve, e.Epoch)
			if e.Best {
				s.Best = &e.Epoch
			}
		case "end":
			s.Status, s.Error = e.Status, e.Error
		}
	}
	return nil
}

// scores are those of the best epoch.
func (s *summary) scores() (epoch, training, heldOut string) {
	if s.Best == nil {
		return "–", "–", "–"
	}
	epoch, training, heldOut = count(s.Best.Epoch), gaugeOf(s.Task).short(s.Best.Loss), "–"
	if s.Best.HeldOutLoss > 0 {
		heldOut = gaugeOf(s.Task).short(s.Best.HeldOutLoss)
	}
	return epoch, training, heldOut
}

// figure is what models of the task are compared by, on what is held out.
func (s *summary) figure() string {
	if s.Figure == "" || s.Best == nil || s.Best.HeldOutLoss == 0 {
		return "–"
	}
	return s.Figure + " " + percentage(s.Best.Figure)
}

// figured says whether any of runs has a figure.
func figured(all []summary) bool {
	return slices.ContainsFunc(all, func(s summary) bool { return s.Figure != "" })
}

func (s *summary) progress() string {
	if s.Of == 0 {
		return "–"
	}
	if s.Status == "done" { // patience, skipped updates and varied lengths make Of a forecast
		return "100 %"
	}
	return fmt.Sprintf("%d %%", min(99, 100*s.Updates/s.Of))
}

func (e *env) list(all []summary) error {
	t := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	columns := []string{"run", "status", "done", "began", "best epoch", "training", "held out"}
	if figured(all) {
		columns = append(columns, "figure")
	}
	fmt.Fprintln(t, strings.Join(columns, "\t"))
	for _, s := range all {
		epoch, training, heldOut := s.scores()
		cells := []string{visible(s.Run), s.Status, s.progress(), s.Began.Format(time.DateTime), epoch, training, heldOut, s.figure()}
		fmt.Fprintln(t, strings.Join(cells[:len(columns)], "\t"))
	}
	return t.Flush()
}

// compare shows runs side by side: the options in which they differ, and how
// they went.
func (e *env) compare(all []summary) error {
	names := map[string]bool{}
	for _, s := range all {
		for name := range s.Options {
			names[name] = true
		}
	}
	t := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	row := func(name string, of func(summary) string) {
		cells := []string{name}
		for _, s := range all {
			cells = append(cells, visible(of(s)))
		}
		fmt.Fprintln(t, strings.Join(cells, "\t"))
	}
	row("", func(s summary) string { return s.Run })
	for _, name := range slices.Sorted(maps.Keys(names)) {
		value := func(s summary) string {
			if v, ok := s.Options[name]; ok {
				return fmt.Sprint(v)
			}
			return "–"
		}
		if len(all) == 1 || slices.ContainsFunc(all, func(s summary) bool { return value(s) != value(all[0]) }) {
			row(name, value)
		}
	}
	row("status", func(s summary) string { return s.Status })
	row("done", func(s summary) string { return s.progress() })
	row("best epoch", func(s summary) string { epoch, _, _ := s.scores(); return epoch })
	row("training", func(s summary) string { _, training, _ := s.scores(); return training })
	row("held out", func(s summary) string { _, _, heldOut := s.scores(); return heldOut })
	if figured(all) {
		row("figure", func(s summary) string { return s.figure() })
	}
	return t.Flush()
}

// curvesOf is the picture of how the losses of runs of one task fell: those of
// what is held out, where all have that.
func curvesOf(all []summary) *picture.Runs {
	g := gaugeOf(all[0].Task)
	heldOut := !slices.ContainsFunc(all, func(s summary) bool {
		return slices.ContainsFunc(s.curve, func(e train.Epoch) bool { return e.HeldOutLoss == 0 })
	})
	f := &picture.Runs{Measure: "training " + g.name}
	if heldOut {
		f.Measure = "held-out " + g.name
	}
	if all[0].Task == model.Regress {
		f.Title = "The adding problem"
		if steps := all[0].Options["steps"]; !slices.ContainsFunc(all, func(s summary) bool { return s.Options["steps"] != steps }) {
			f.Title += fmt.Sprintf(", %v steps", steps)
		}
		f.Level, f.Named = data.AddingVariance, "always 1"
	}
	for _, s := range all {
		run := picture.Run{Name: filepath.Base(s.Run)}
		for _, e := range s.curve {
			loss := e.Loss
			if heldOut {
				loss = e.HeldOutLoss
			}
			run.Updates, run.Losses = append(run.Updates, e.Updates), append(run.Losses, g.of(loss))
		}
		f.Runs = append(f.Runs, run)
	}
	return f
}
