package main

import (
	"fmt"
	"os"
	"strings"

	"sluice/convert"
	"sluice/model"
)

type verifyCmd struct {
	A string `arg:"" name:"A" help:"A model file or a run's folder, or a file that import reads."`
	B string `arg:"" name:"B" help:"Another, or what was recorded elsewhere, an .npz."`

	Python    string  `placeholder:"PROGRAM" help:"Run B in the runtime it is made for, by this Python: it has numpy and torch, onnxruntime or keras. Without one Sluice runs its own reading of B."`
	Tolerance float64 `default:"1e-5" placeholder:"X" help:"The largest difference, as a share of the largest value or of 1, ten times that for gradients (0.00001)."`
	Seed      uint64  `default:"1" placeholder:"N" help:"Of the random inputs (1)."`
	JSON      bool    `name:"json" help:"Print one JSON object."`

	foreignFlags `embed:""`
}

// verified is what verify prints as JSON.
type verified struct {
	A           string       `json:"a"`
	B           string       `json:"b"`
	Runtime     string       `json:"runtime"` // what ran B
	Trials      []string     `json:"trials"`
	Differences []difference `json:"differences"`
	Notes       []string     `json:"notes,omitempty"`
	Tolerance   float64      `json:"tolerance"`
	Within      bool         `json:"within"`
}

type difference struct {
	What     string  `json:"what"`
	Largest  float64 `json:"largest"`
	Relative float64 `json:"relative"`
	Array    string  `json:"array"`
	Trial    string  `json:"trial"`
	Same     bool    `json:"same_bits"`
	Within   bool    `json:"within"`
}

// Run compares two models by what they make of the same inputs.
func (c *verifyCmd) Run(e *env) error {
	if !(c.Tolerance >= 0) {
		return usage("--tolerance %v: want 0 or more", c.Tolerance)
	}
	o, err := c.options(e)
	if err != nil {
		return err
	}
	m, err := c.ours(e, &o)
	if err != nil {
		return err
	}
	path := c.B
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		if path, err = find(path); err != nil {
			return err
		}
	}
	wait := newWaiting(e, fmt.Sprintf("comparing %s with %s", visible(c.A), visible(c.B)))
	r, err := convert.Verify(e.ctx, m, path, convert.VerifyOptions{Python: c.Python, Import: o, Seed: c.Seed, Progress: wait.progress})
	wait.clear()
	if err != nil {
		return err
	}
	v := verified{A: c.A, B: c.B, Runtime: r.Theirs, Trials: r.Trials, Notes: r.Notes, Tolerance: c.Tolerance, Within: r.Within(c.Tolerance)}
	for _, d := range r.Differences {
		v.Differences = append(v.Differences, difference{d.What, finite(d.Most), finite(d.Relative()), d.Name, d.Trial, d.Same, d.Within(c.Tolerance)})
	}
	if c.JSON {
		err = writeJSON(e.stdout, v, "")
	} else {
		_, err = fmt.Fprint(e.stdout, v.text())
	}
	if err == nil && !v.Within {
		err = fmt.Errorf("%s and %s differ by more than %v", c.A, c.B, c.Tolerance)
	}
	return err
}

// ours is A as a model, or else B, which A is then compared with. What is recorded leaves
// the options to it.
func (c *verifyCmd) ours(e *env, o *convert.Options) (*model.Model, error) {
	if format, err := convert.FormatOf(c.A); err == nil && format == convert.Recorded || isModel(c.B) && !isModel(c.A) {
		c.A, c.B = c.B, c.A
	}
	if path, err := find(c.A); err == nil {
		if format, err := convert.FormatOf(path); err == nil && format == convert.Sluice {
			_, m, err := open(e, c.A)
			return m, err
		}
	}
	m, notes, err := convert.Import(c.A, *o)
	if format, err := convert.FormatOf(c.B); err == nil && format == convert.Recorded {
		*o = convert.Options{}
	}
	for _, n := range notes {
		fmt.Fprintln(e.stderr, "note:", visible(n))
	}
	return m, err
}

func (v verified) text() string {
	text := fmt.Sprintf("a       %s, run by Sluice\nb       %s, run by %s\ninputs  %s\n", visible(v.A), visible(v.B), v.Runtime, strings.Join(v.Trials, ", "))
	for _, n := range v.Notes {
		text += "note    " + visible(n) + "\n"
	}
	text += fmt.Sprintf("\n%-11s%10s%10s   largest in\n", "", "largest", "relative")
	for _, d := range v.Differences {
		what := ""
		switch {
		case d.Same:
			what = "   the same bits"
		case !d.Within:
			what = "   too much"
		}
		text += fmt.Sprintf("%-11s%10.2g%10.2g   %s, %s%s\n", d.What, d.Largest, d.Relative, d.Array, d.Trial, what)
	}
	return text
}
