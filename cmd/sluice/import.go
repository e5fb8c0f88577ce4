package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"sluice/convert"
)

type importCmd struct {
	File string `arg:"" name:"FILE" help:"A .safetensors, .pt, .pth, .bin, .onnx, .keras or .h5 file."`
	Out  string `short:"o" placeholder:"FILE" help:"The model file (in this folder, FILE.sluice.safetensors)."`
	JSON bool   `name:"json" help:"Print one JSON object."`

	foreignFlags `embed:""`
}

// imported is what was made of a file.
type imported struct {
	Read       string         `json:"read"`
	Format     convert.Format `json:"format"`
	Wrote      string         `json:"wrote"`
	Task       string         `json:"task"`
	Model      string         `json:"model"`
	Parameters int            `json:"parameters"`
	Notes      []string       `json:"notes,omitempty"`
}

// Run makes a model of a file of another system.
func (c *importCmd) Run(e *env) error {
	o, err := c.options(e)
	if err != nil {
		return err
	}
	format, err := convert.FormatOf(c.File)
	if err != nil {
		return err
	}
	out := c.Out
	if out == "" {
		name := filepath.Base(c.File)
		out = strings.TrimSuffix(name, filepath.Ext(name)) + ".sluice.safetensors"
	}
	if err := isFree(out); err != nil {
		return err
	}
	m, notes, err := convert.Import(c.File, o)
	if err != nil {
		return err
	}
	if err := m.Save(out); err != nil {
		return err
	}
	r := imported{c.File, format, out, m.Task, describe(m.Spec), m.Size(), notes}
	if c.JSON {
		return writeJSON(e.stdout, r, "")
	}
	text := fmt.Sprintf("read   %s, %s\nmodel  %s: %s, %s\nwrote  %s\n", visible(r.Read), r.Format, r.Task, r.Model, plural(r.Parameters, "parameter"), visible(r.Wrote))
	for _, n := range notes {
		text += "note   " + visible(n) + "\n"
	}
	_, err = fmt.Fprint(e.stdout, text)
	return err
}
