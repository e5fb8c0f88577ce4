package model

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sluice/data"
	"sluice/internal/kernel"
	"sluice/nn"
	"sluice/safetensors"
)

// golden is a file of a task that testdata/golden.py made, with the model in it.
type golden struct {
	t    *testing.T
	name string
	*safetensors.File
	m *Model
}

func goldens(t *testing.T) (all []golden) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("..", "testdata", "golden", "*.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { file.Close() })
		info, err := file.Stat()
		if err != nil {
			t.Fatal(err)
		}
		f, err := safetensors.Open(file, info.Size())
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if g := (golden{t, strings.TrimSuffix(filepath.Base(path), ".safetensors"), f, nil}); f.Metadata["kind"] == "task" {
			g.load()
			all = append(all, g)
		}
	}
	return all
}

// load makes the model.
func (g *golden) load() {
	var s Spec
	var n Names
	v, characters := 0, 0
	for key, into := range map[string]any{"spec": &s, "labels": &n.Labels, "scheme": &n.Scheme, "series": &n.Series, "vocab": &v, "characters": &characters} {
		if text, ok := g.Metadata[key]; ok {
			if err := json.Unmarshal([]byte(text), into); err != nil {
				g.t.Fatalf("%s: %s: %v", g.name, key, err)
			}
		}
	}
	if v > 0 {
		n.Vocab = wordsUpTo(g.t, v)
	}
	if characters > 0 {
		n.Characters = wordsUpTo(g.t, characters)
	}
	var err error
	if g.m, err = New(s, n); err != nil {
		g.t.Fatalf("%s: %v", g.name, err)
	}
	for _, tensor := range g.m.Tensors() {
		info, ok := g.Lookup(tensor.Name)
		if !ok || !slices.Equal(info.Shape, tensor.Shape) {
			g.t.Fatalf("%s: %s has shape %v, want %v", g.name, tensor.Name, info.Shape, tensor.Shape)
		}
		copy(tensor.Data, g.narrow(tensor.Name))
	}
}

// wide, narrow and whole are a tensor of the file, nil if it has none of that name.
func (g *golden) wide(name string) []float64 { return tensorOf(g, name, g.Float64) }

func (g *golden) narrow(name string) []float32 { return tensorOf(g, name, g.Float32) }

func (g *golden) whole(name string) []int64 { return tensorOf(g, name, g.Int64) }

func tensorOf[E any](g *golden, name string, read func(string) ([]E, error)) []E {
	if _, ok := g.Lookup(name); !ok {
		return nil
	}
	x, err := read(name)
	if err != nil {
		g.t.Fatalf("%s: %v", g.name, err)
	}
	return x
}

// integers are a tensor of whole numbers in another type.
func integers[E ~int | ~int32](x []int64) (y []E) {
	for _, v := range x {
		y = append(y, E(v))
	}
	return y
}

// batch is all that the file has to read.
func (g *golden) batch() Batch {
	if g.m.Task == Forecast {
		values := g.wide("series")
		x, err := NewWindows(g.m.Spec, g.m.Names, values, g.m.Forecast.Window, len(values)/len(g.m.Series.Names))
		if err != nil {
			g.t.Fatalf("%s: %v", g.name, err)
		}
		return x.Batch(everyExample(x))
	}
	lengths := integers[int](g.whole("lengths"))
	b := Batch{
		T: slices.Max(lengths), B: len(lengths), Lengths: lengths,
		IDs: integers[int32](g.whole("ids")), Data: g.narrow("data"), Targets: integers[int32](g.whole("targets")),
	}
	if g.m.Characters != nil {
		n := integers[int](g.whole("spelling_lengths"))
		b.Forms, b.Spellings = integers[int32](g.whole("forms")), &Spellings{T: slices.Max(n), N: len(n), IDs: integers[int32](g.whole("spellings")), Lengths: n}
	}
	return b
}

// near holds numbers against those of the file: the largest difference against the
// largest of them.
func (g *golden) near(what string, got []float32, want []float64) {
	g.t.Helper()
	const limit = 5e-6
	diff, size := 0.0, 0.0
	for i, v := range want {
		size = max(size, math.Abs(v))
		diff = max(diff, math.Abs(float64(got[i])-v))
	}
	if len(got) != len(want) || len(want) == 0 || !(diff <= limit*size) || size == 0 {
		g.t.Errorf("%s, %v: %s is off by %.1e where the largest of %d is %.1e", g.name, kernel.InUse(), what, diff, len(want), size)
	}
}

// TestTasksAgainstPyTorch holds loss, gradients and answers of each task against
// PyTorch's, at every level of the kernels.
func TestTasksAgainstPyTorch(t *testing.T) {
	all := goldens(t)
	count := map[string]int{}
	for _, g := range all {
		count[g.m.Task]++
	}
	if count[Tag] != 7 || count[Classify] != 12 || count[Forecast] != 6 {
		t.Errorf("golden files %v", count)
	}
	for _, level := range kernel.Levels() {
		before := kernel.Use(level)
		for _, g := range all {
			g.gradient()
			if g.m.Task == Forecast {
				g.forecast()
			} else {
				g.answers()
			}
		}
		kernel.Use(before)
	}
}

func (g *golden) gradient() {
	run, b, grad := NewRunner(g.m.Pack(), newTeam(g.t, 2)), g.batch(), make([]float32, g.m.Size())
	sum, count := run.Gradient(grad, b, nil, Objective{Weights: g.narrow("weights")})
	loss, n := run.Loss(b, nil)
	want := g.wide("loss")[0]
	for _, mean := range []float64{sum / float64(count), loss / float64(n)} {
		if !(math.Abs(mean-want) <= 1e-6*want) {
			g.t.Errorf("%s, %v: loss %v, want %v", g.name, kernel.InUse(), mean, want)
		}
	}
	for _, tensor := range g.m.Tensors() {
		g.near("the gradient of "+tensor.Name, grad[:len(tensor.Data)], g.wide("grad."+tensor.Name))
		grad = grad[len(tensor.Data):]
	}
}

func (g *golden) answers() {
	run, b := NewRunner(g.m.Pack(), newTeam(g.t, 2)), g.batch()
	want := integers[int32](g.whole("best"))
	best, probs := make([]int32, len(want)), make([]float32, len(want)*len(g.m.Labels))
	run.Answer(best, probs, b)
	for i := range want {
		if want[i] == nn.Ignore && g.m.Task == Tag { // past a length they say nothing
			clear(probs[i*len(g.m.Labels):][:len(g.m.Labels)])
		}
	}
	if g.near("a probability", probs, g.wide("probs")); !slices.Equal(best, want) {
		g.t.Errorf("%s, %v: labels %v, want %v", g.name, kernel.InUse(), best, want)
	}
}

func (g *golden) forecast() {
	caster, err := NewForecaster(g.m.Pack(), newTeam(g.t, 2))
	if err != nil {
		g.t.Fatal(err)
	}
	o, err := caster.Forecast(g.wide("series"))
	if err != nil {
		g.t.Fatal(err)
	}
	var got []float32
	for _, values := range append([][]float64{o.Mean}, o.Quantiles...) {
		for _, v := range values {
			got = append(got, float32(v))
		}
	}
	want, n := g.wide("forecast"), len(o.Mean)
	for i := range n { // the outputs as they are may cross
		quantiles := make([]float64, len(o.Quantiles))
		for q := range quantiles {
			quantiles[q] = want[(q+1)*n+i]
		}
		slices.Sort(quantiles)
		for q, v := range quantiles {
			want[(q+1)*n+i] = v
		}
	}
	g.near("the forecast", got, want)
}

// wordsUpTo is a vocabulary of v symbols.
func wordsUpTo(t testing.TB, v int) *data.Vocab { return vocabOf(t, letters(v), data.VocabOptions{}) }
