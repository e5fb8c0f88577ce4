package convert

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"sluice/model"
	"sluice/nn"
)

// VerifyOptions say what Verify compares with.
type VerifyOptions struct {
	// Python is the interpreter that runs the other side in the runtime it is made for:
	// with numpy and torch, onnxruntime or keras. Without one Sluice runs its own reading
	// of the file.
	Python string
	Import Options // how the file is read
	Seed   uint64  // of the inputs

	Progress func(done, total int) // of the inputs, may be nil
}

// Report is how two sides of a model differ over all trials.
type Report struct {
	Theirs      string   // what ran the other side
	Trials      []string // what was tried
	Differences []Difference
	Notes       []string // what was left out, and what a side does past a row's length
}

// Verify runs a model and the file at path, of any Format or .npz, on the same inputs:
// random ones, single steps, rows of different lengths, states that are not zero, large
// values, zeros. It compares what the head says, the states after it, and where the
// other side has them, in PyTorch, the gradients of the task's loss.
//
// In an .npz is what was recorded elsewhere, by the names of [ONNX]: inputs ids, x or
// history, lengths, h_0 and c_0, and outputs logits, scores, values or mean, h_n and
// c_n. With targets (T, B), of a classification (B), of a regression (B, K), there may
// be gradients of the mean loss: gradient.rnn.weight_ih_l0 and so on.
func Verify(ctx context.Context, m *model.Model, path string, o VerifyOptions) (*Report, error) {
	s, err := newSide(ctx, m, path, o)
	if err != nil {
		return nil, inFile(path, err)
	}
	defer s.close()
	r, err := verify(ctx, m, s, s.trials(m, o.Seed), o.Progress)
	if ctx.Err() != nil { // an interpreter that was ended by it says so in its own words
		return nil, ctx.Err()
	}
	return r, inFile(path, err)
}

// Difference is the largest of one kind of result.
type Difference struct {
	What  string  // "outputs", "states" or "gradients"
	Most  float64 // largest |ours − theirs|: +Inf where one is not finite and the other is not the same
	Scale float64 // the largest finite |theirs| of the array it is in, 1 at least
	Trial string  // where
	Name  string  // of the array, such as "logits" or "gradient.rnn.weight_hh_l0"
	Same  bool    // all bits are the same
}

// Relative is Most / Scale.
func (d Difference) Relative() float64 { return d.Most / d.Scale }

// Within says whether no difference is larger than the tolerance, as a share of the
// scale: of gradients, which are sums over all steps, than ten times the tolerance.
func (r *Report) Within(tolerance float64) bool {
	for _, d := range r.Differences {
		if !d.Within(tolerance) {
			return false
		}
	}
	return len(r.Differences) > 0
}

// Within is that of one.
func (d Difference) Within(tolerance float64) bool {
	if d.What == "gradients" {
		tolerance *= 10
	}
	return d.Relative() <= tolerance
}

// A side runs trials somewhere else.
type side interface {
	trials(m *model.Model, seed uint64) []trial
	// run is what it makes of a trial, by the names of ours; gradients says whether
	// those of the loss are among them.
	run(ctx context.Context, t trial) (results arrays, runtime string, err error)
	gradients() bool
	// activation is what it has after the head: see Parts.
	activation() string
	// padding is what it does past a row's length, notes what else is to be known.
	padding() string
	notes() []string
	close() error
}

// skip is the error of a trial that a side cannot run.
type skip struct{ error }

// verify compares a model with a side.
func verify(ctx context.Context, m *model.Model, s side, all []trial, progress func(done, total int)) (*Report, error) {
	r := &Report{}
	team := nn.NewTeam(1)
	defer team.Close()
	p := m.Pack()
	most := map[string]*Difference{}
	for i, t := range all {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if progress != nil {
			progress(i, len(all))
		}
		if t.left != "" {
			r.Notes = append(r.Notes, fmt.Sprintf("%s: left out: %s", t.name, t.left))
			continue
		}
		theirs, runtime, err := s.run(ctx, t)
		if _, ok := err.(skip); ok {
			r.Notes = append(r.Notes, fmt.Sprintf("%s: left out: %v", t.name, err))
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%w (%s)", err, t.name)
		}
		ours, err := t.ours(m, p, team, s.gradients() && m.Precision.Trains())
		if err != nil {
			return nil, err
		}
		r.Theirs, r.Trials = runtime, append(r.Trials, t.name)
		name := output(m)
		if m.Task == model.Forecast && t.history == nil {
			name = "changes"
		}
		ours[name] = activated(ours[name], s.activation())
		if scores := floats(theirs[name].Data); scores != nil && m.Task == model.Tag {
			clearPast(scores, t.batch)
			clearPast(ours[name].Data.([]float32), t.batch)
			theirs[name] = array{theirs[name].Shape, scores}
		}
		if err := compare(most, t.name, ours, theirs); err != nil {
			return nil, err
		}
	}
	if len(r.Trials) == 0 {
		return nil, fmt.Errorf("convert: none of the inputs could be run: %s", strings.Join(r.Notes, "; "))
	}
	r.Notes = append(r.Notes, s.notes()...)
	if padding := s.padding(); padding != "" && m.Task != model.LM && m.Task != model.Forecast {
		r.Notes = append(r.Notes, "Sluice: past a row's length outputs are zeros, states those of its last step", padding)
	}
	for _, what := range []string{"outputs", "states", "gradients"} {
		if d := most[what]; d != nil {
			r.Differences = append(r.Differences, *d)
		}
	}
	return r, nil
}

// activated are outputs with what a side has after them.
func activated(a array, how string) array {
	x, _ := a.Data.([]float32)
	if how == "" || x == nil {
		return a
	}
	k := a.Shape[len(a.Shape)-1]
	y := slices.Clone(x)
	for i := 0; i < len(y); i += k {
		row := y[i : i+k]
		top, sum := slices.Max(row), 0.0
		for _, v := range row {
			sum += math.Exp(float64(v) - float64(top))
		}
		for j, v := range row {
			log := float64(v) - float64(top) - math.Log(sum)
			if row[j] = float32(log); how != "log_softmax" {
				row[j] = float32(math.Exp(log))
			}
		}
	}
	if how != "sigmoid" {
		return array{a.Shape, y}
	}
	second := make([]float32, 0, len(y)/2)
	for i := 1; i < len(y); i += 2 {
		second = append(second, y[i])
	}
	return array{append(slices.Clone(a.Shape[:len(a.Shape)-1]), 1), second}
}

// compare takes the differences of a trial into the largest of each kind.
func compare(most map[string]*Difference, trial string, ours, theirs arrays) error {
	said := false
	for _, name := range slices.Sorted(maps.Keys(ours)) {
		a, b := ours[name], theirs[name]
		if b.Data == nil {
			continue
		}
		x, y := a.Data.([]float32), floats(b.Data)
		if y == nil || !slices.Equal(a.Shape, b.Shape) {
			return fmt.Errorf("convert: %s is %v of %s: want %v of floats (%s)", name, b.Shape, b.dtype(), a.Shape, trial)
		}
		what := kindOf(name)
		said = said || what == "outputs"
		d := Difference{What: what, Trial: trial, Name: name, Scale: 1, Same: same(x, y)}
		for i, v := range y {
			if v-v == 0 {
				d.Scale = max(d.Scale, math.Abs(float64(v)))
			}
			switch e := math.Abs(float64(x[i]) - float64(v)); {
			case x[i] == v || x[i] != x[i] && v != v:
			case e != e: // one of them is no number
				d.Most = math.Inf(1)
			default:
				d.Most = max(d.Most, e)
			}
		}
		if old := most[what]; old == nil {
			most[what] = &d
		} else {
			all := old.Same && d.Same
			if d.Relative() > old.Relative() {
				*old = d
			}
			old.Same = all
		}
	}
	if !said {
		return fmt.Errorf("convert: no output among what was given: found %s, want %s (%s)", cmp.Or(strings.Join(slices.Sorted(maps.Keys(theirs)), ", "), "nothing"), strings.Join(slices.DeleteFunc(slices.Sorted(maps.Keys(ours)), func(n string) bool { return kindOf(n) != "outputs" }), ", "), trial)
	}
	return nil
}

// kindOf is what an array is one of.
func kindOf(name string) string {
	switch {
	case strings.HasPrefix(name, "gradient."):
		return "gradients"
	case name == "h_n" || name == "c_n":
		return "states"
	}
	return "outputs"
}
