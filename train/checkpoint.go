package train

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"sluice/data"
	"sluice/model"
	"sluice/safetensors"
)

// CheckpointVersion is the version of the checkpoints written and read here.
const CheckpointVersion = "1"

// ErrCheckpoint is wrapped by the error of a checkpoint that is not as it was
// written; the text says what is wrong with it.
var ErrCheckpoint = errors.New("train: a damaged checkpoint")

// Checkpoint is a run between two updates, as a file holds it: a model file
// (the weights as they were trained on) that also has the optimizer's moments,
// the state carried, the best weights so far and the place in the run.
type Checkpoint struct {
	Model   *model.Model
	note    note
	state   []float32
	best    []float32                       // nil before the first epoch's end
	moments map[string]map[string][]float32 // by what they are of
}

// note is what a checkpoint's metadata say beside the model's.
type note struct {
	Version string             `json:"version"`
	Text    identity           `json:"text"`
	Config  json.RawMessage    `json:"config"`
	Place   place              `json:"place"`
	Moments map[string]moments `json:"moments"` // of "optimizer" and "mean"
}

// moments are what State of an optimizer gave: the tensors' names, and the
// updates made.
type moments struct {
	Names   []string `json:"names"`
	Updates int      `json:"updates"`
}

// stateful is an optimizer or a mean.
type stateful interface {
	State() (moments map[string][]float32, updates int)
	Restore(moments map[string][]float32, updates int) error
}

func (r *run) stateful() []part {
	return []part{{"optimizer", r.opt}, {"mean", r.mean}}
}

type part struct {
	name string
	stateful
}

// Updates is how many updates had been made.
func (c *Checkpoint) Updates() int { return c.note.Place.Updates }

const (
	keyCheckpoint = "checkpoint" // of the metadata: note
	tensorState   = "state"
	tensorBest    = "best"
)

// contents are those of the checkpoint of the run as it stands. The tensors are
// views.
func (r *run) contents() (map[string]string, []safetensors.Tensor, error) {
	config, err := json.Marshal(r.c)
	if err != nil {
		return nil, nil, fmt.Errorf("train: config: %w", err)
	}
	n := note{Version: CheckpointVersion, Text: r.data.about().identity, Config: config, Place: r.at, Moments: map[string]moments{}}
	var tensors []safetensors.Tensor
	add := func(name string, x []float32) {
		tensors = append(tensors, safetensors.Tensor{Name: model.CheckpointPrefix + name, Shape: []int{len(x)}, Data: x})
	}
	add(tensorState, r.state)
	if r.at.Best.Epoch > 0 {
		add(tensorBest, r.best)
	}
	for _, of := range r.stateful() {
		values, updates := of.State()
		names := slices.Sorted(maps.Keys(values))
		n.Moments[of.name] = moments{names, updates}
		for _, name := range names {
			add(of.name+"."+name, values[name])
		}
	}
	if r.model.History, err = r.history(); err != nil {
		return nil, nil, err
	}
	metadata, own, err := r.model.Contents()
	if err != nil {
		return nil, nil, err
	}
	b, err := json.Marshal(n)
	if err != nil {
		return nil, nil, fmt.Errorf("train: checkpoint: %w", err)
	}
	metadata[keyCheckpoint] = string(b)
	return metadata, append(own, tensors...), nil
}

// ReadCheckpoint reads a checkpoint from a file of the given size in bytes, whole
// or not at all.
func ReadCheckpoint(r io.ReaderAt, size int64) (*Checkpoint, error) {
	if err := safetensors.VerifySeal(r, size); err != nil {
		if errors.Is(err, safetensors.ErrFormat) {
			return nil, damaged(err)
		}
		return nil, wrong(err)
	}
	// It is as it was written: what is wrong from here on is not damage.
	m, err := model.Read(r, size)
	if err != nil {
		return nil, wrong(err)
	}
	f, err := safetensors.Open(r, size)
	if err != nil {
		return nil, wrong(err)
	}
	c := &Checkpoint{Model: m, moments: map[string]map[string][]float32{}}
	text, ok := f.Metadata[keyCheckpoint]
	if !ok {
		return nil, wrong(errors.New("it is a model without the state of a run"))
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&c.note); err != nil {
		return nil, wrong(fmt.Errorf("metadata %q: %w", keyCheckpoint, err))
	}
	if v := c.note.Version; v != CheckpointVersion {
		return nil, wrong(fmt.Errorf("version %q: want %q", v, CheckpointVersion))
	}
	read := func(name string, n int) (x []float32) {
		if err == nil {
			if x, err = f.Float32(model.CheckpointPrefix + name); err == nil && n >= 0 && len(x) != n {
				err = fmt.Errorf("tensor %q has %d values, want %d", name, len(x), n)
			}
		}
		return x
	}
	c.state = read(tensorState, -1)
	if c.note.Place.Best.Epoch > 0 {
		c.best = read(tensorBest, len(m.Params))
	}
	for of, m := range c.note.Moments {
		c.moments[of] = map[string][]float32{}
		for _, name := range m.Names {
			c.moments[of][name] = read(of+"."+name, -1)
		}
	}
	if err != nil {
		return nil, wrong(err)
	}
	return c, nil
}

type badCheckpoint struct{ error }

func (badCheckpoint) Is(target error) bool { return target == ErrCheckpoint }
func (e badCheckpoint) Unwrap() error      { return e.error }

// wrong is the error of a checkpoint that cannot be gone on from.
func wrong(err error) error { return fmt.Errorf("train: checkpoint: %w", err) }

func damaged(err error) error { return badCheckpoint{wrong(err)} }

// resume makes the run the one that stood at c.
func (r *run) resume(c *Checkpoint) error {
	if err := r.same(c); err != nil {
		return err
	}
	p := c.note.Place
	if err := r.deal.SetCursor(p.Data); err != nil {
		return wrong(err)
	}
	if len(c.state) != len(r.state) {
		return wrong(fmt.Errorf("a state of %d values, want %d", len(c.state), len(r.state)))
	}
	if b := p.Best.Epoch; b < 0 || b > len(p.Curve) || p.Data.Epoch > r.c.Epochs || len(p.Curve) != p.Data.Epoch {
		return wrong(fmt.Errorf("epoch %d, the best being %d, after a curve of %d", p.Data.Epoch, b, len(p.Curve)))
	}
	for _, of := range r.stateful() {
		if err := of.Restore(c.moments[of.name], c.note.Moments[of.name].Updates); err != nil {
			return wrong(err)
		}
	}
	copy(r.model.Params, c.Model.Params)
	copy(r.state, c.state)
	r.best = c.best
	r.at = p
	return nil
}

// same is the error of a checkpoint that is of another run.
func (r *run) same(c *Checkpoint) error {
	if err := r.sameData(c.note.Text, c.Model.Vocab); err != nil {
		return err
	}
	return r.sameConfig(c)
}

// sameData is the error of a run that was of other data, or read it with another
// vocabulary, from which the split follows; nil is one of numbers or not known.
func (r *run) sameData(there identity, vocab *data.Vocab) error {
	here := r.data.about().identity
	switch {
	case here.SHA256 != there.SHA256:
		return differ("the data's sha256", here.SHA256, there.SHA256)
	case here.Vectors != there.Vectors:
		return differ("the vectors' sha256", here.Vectors, there.Vectors)
	}
	if err := sameVocab(r.model.Vocab, vocab); err != nil {
		return err
	}
	if here != there {
		return differ("the split into what is trained on and held out", fmt.Sprint(here.Train, " + ", here.HeldOut), fmt.Sprint(there.Train, " + ", there.HeldOut))
	}
	return nil
}

// sameVocab is the error of a vocabulary that is another.
func sameVocab(here, there *data.Vocab) error {
	if here == nil || there == nil {
		return nil
	}
	if here.Size() != there.Size() {
		return differ("the size of the vocabulary", here.Size(), there.Size())
	}
	for i := range int32(here.Size()) {
		if here.Symbol(i) != there.Symbol(i) {
			return differ(fmt.Sprintf("symbol %d of the vocabulary", i), fmt.Sprintf("%q", here.Symbol(i)), fmt.Sprintf("%q", there.Symbol(i)))
		}
	}
	if here.Kind() == "tokenizer" && there.Kind() == "tokenizer" {
		if here, there := sumOf(here), sumOf(there); here != there {
			return differ("the tokenizer's sha256", here, there)
		}
	}
	return nil
}

// sumOf is the sha256 of a vocabulary, in hex.
func sumOf(v *data.Vocab) string {
	b, err := v.MarshalJSON()
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%x", sha256.Sum256(b))
}

// differ is the error of a value that is another than that of the run to go on
// with.
func differ(what string, here, there any) error {
	return fmt.Errorf("train: resume: %s is %v, and was %v in the run to go on with: want the same", what, here, there)
}

func (r *run) sameConfig(c *Checkpoint) error {
	config, err := json.Marshal(r.c)
	if err != nil {
		return fmt.Errorf("train: config: %w", err)
	}
	a, b := flatten(config), flatten(c.note.Config)
	keys := map[string]bool{}
	for _, m := range []map[string]string{a, b} {
		for k := range m {
			keys[k] = true
		}
	}
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		if a[k] != b[k] && k != "non_finite" {
			return differ(k, orNone(a[k]), orNone(b[k]))
		}
	}
	return nil
}

func orNone(s string) string {
	if s == "" {
		return "not given"
	}
	return s
}

// flatten is each value in an object of JSON under the path of names to it.
func flatten(object []byte) map[string]string {
	all := map[string]string{}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		m, ok := v.(map[string]any)
		if !ok {
			b, _ := json.Marshal(v)
			all[path] = string(b)
			return
		}
		for k, v := range m {
			walk(strings.TrimPrefix(path+"."+k, "."), v)
		}
	}
	var v any
	d := json.NewDecoder(bytes.NewReader(object))
	d.UseNumber()
	if d.Decode(&v) == nil {
		walk("", v)
	}
	return all
}
