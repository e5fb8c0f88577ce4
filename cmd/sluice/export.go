package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"sluice/convert"
	"sluice/internal/disk"
	"sluice/model"
)

type exportCmd struct {
	Model    string `arg:"" optional:"" name:"MODEL" help:"A model file or a run's folder (the newest run's)."`
	To       string `type:"choice" required:"" placeholder:"pytorch|onnx" help:"What for."`
	Out      string `short:"o" placeholder:"FILE" help:"The new file (beside the model, MODEL.pytorch.safetensors or MODEL.onnx)."`
	Opset    int    `placeholder:"N" help:"Of ONNX: 14 to 22 (14)."`
	Stateful bool   `help:"Of ONNX: the state is an input and an output."`
}

// Run writes a model for another system. What it prints on standard output is what
// the other system needs: the code of the module, or the inputs and outputs.
func (c *exportCmd) Run(e *env) error {
	if c.To != "onnx" && (c.Opset != 0 || c.Stateful) {
		return usage("--opset and --stateful are of --to onnx")
	}
	path, m, err := open(e, c.Model)
	if err != nil {
		return err
	}
	out := c.Out
	if out == "" {
		out = strings.TrimSuffix(path, ".safetensors") + map[string]string{"pytorch": ".pytorch.safetensors", "onnx": ".onnx"}[c.To]
	}
	if err := isFree(out); err != nil {
		return err
	}
	text := ""
	if c.To == "onnx" {
		text, err = c.onnx(m, out)
	} else {
		text, err = c.pytorch(m, out)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	fmt.Fprintln(e.stderr, "wrote:", visible(out))
	_, err = fmt.Fprint(e.stdout, text)
	return err
}

func (c *exportCmd) pytorch(m *model.Model, out string) (code string, err error) {
	whole, code, err := convert.PyTorch(m, filepath.Base(out))
	if err != nil {
		return "", err
	}
	return code, whole.Save(out)
}

func (c *exportCmd) onnx(m *model.Model, out string) (ports string, err error) {
	var all []convert.Port
	o := convert.ONNXOptions{Opset: c.Opset, Stateful: c.Stateful}
	if err := o.Validate(m); err != nil {
		return "", err
	}
	err = disk.WriteAtomic(disk.OS, out, func(w io.Writer) (err error) {
		all, err = convert.ONNX(w, m, o)
		return err
	})
	for _, p := range all {
		dims := strings.ReplaceAll(strings.Trim(fmt.Sprint(p.Shape), "[]"), " ", ", ")
		ports += fmt.Sprintf("%-7s %-18s %-7s (%s)\n", map[bool]string{false: "input", true: "output"}[p.Output], p.Name, p.Type, dims)
	}
	return ports, err
}
