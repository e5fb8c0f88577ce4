package model

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"sluice/nn"
	"sluice/rnn"
)

// After the first call a training step, a score and an answer allocate nothing, nor
// does the next minibatch.
func TestTasksAllocateNothing(t *testing.T) {
	for _, threads := range []int{1, 2} {
		team := newTeam(t, threads)
		for _, s := range slices.Concat(taskSpecs(), droppedSpecs()) {
			m, x := examplesOf(t, s)
			p, g, key := m.Pack(), make([]float32, m.Size()), nn.Key{Seed: 1}
			run, o, all := NewRunner(p, team), Objective{Dropout: &key, AR: 1, TAR: 1}, everyExample(x)
			if s.Task == Classify {
				o.Weights = []float32{1, 2, 3}
			}
			best, probs := make([]int32, 100), make([]float32, 100*len(m.Labels))
			update := func() {
				key.Step++
				b := x.Batch(all)
				m.RepackDropped(team, p, key)
				run.Gradient(g, b, nil, o)
				p.MaskGradient(team, g)
				run.Loss(b, nil)
				if n := len(b.Targets); n > 0 {
					run.Answer(best[:n], probs[:n*len(m.Labels)], b)
				}
			}
			update()
			if n := testing.AllocsPerRun(3, update); n != 0 {
				t.Errorf("%s, %d threads: %v allocations", taskName(s), threads, n)
			}
		}
	}
}

// Products of bf16 give the gradient of float32 but for their rounding, on any
// number of threads, for each task.
func TestTasksMixed(t *testing.T) {
	for _, s := range taskSpecs() {
		m, x := examplesOf(t, s)
		b := x.Batch(everyExample(x))
		gradient := func(as nn.Precision, threads int) (loss float64, g []float32) {
			g = make([]float32, m.Size())
			packed, team := m.PackAs(as), nn.NewTeam(threads)
			defer team.Close()
			m.Repack(team, packed)
			sum, count := NewRunner(packed, team).Gradient(g, b, nil, Objective{})
			return sum / float64(count), g
		}
		plain, want := gradient(nn.Float32, 1)
		loss, g := gradient(nn.Mixed, 1)
		diff, norm := 0.0, 0.0
		for i, v := range want {
			diff, norm = math.Hypot(diff, float64(g[i]-v)), math.Hypot(norm, float64(v))
		}
		if !(diff <= 0.05*norm) || diff == 0 || !(math.Abs(loss-plain) <= 0.02*plain) {
			t.Errorf("%s: off by %.2g of its norm; a loss of %v, want %v", taskName(s), diff/norm, loss, plain)
		}
		for _, threads := range []int{2, 3} {
			if _, again := gradient(nn.Mixed, threads); !same(g, again) {
				t.Errorf("%s: %d threads give other bits than one", taskName(s), threads)
			}
		}
	}
}

// Pools of minibatches that are shared have the bits of one thread, whatever a pool
// held before, and read nothing past a length.
func TestPoolThreads(t *testing.T) {
	const T, B, w = 30, 9, 70
	r, nan := rand.New(rand.NewPCG(1, 2)), float32(math.NaN())
	normal := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(r.NormFloat64())
		}
		return x
	}
	b := Batch{T: T, B: B, Lengths: []int{30, 0, 1, 29, 7, 30, 12, 2, 16}}
	y, dz, weights := normal(T*B*w), normal(B*w), normal(w)
	for i := range y {
		if i/w/B >= b.Lengths[i/w%B] {
			y[i] = nan
		}
	}
	if T*B*w < poolAlone {
		t.Fatal("too few to be shared")
	}
	for _, kind := range []string{PoolLast, PoolMean, PoolMax, PoolAttention} {
		p := pool{kind: kind, ahead: 40}
		var first []float32
		for _, threads := range []int{1, 2, 3, 8} {
			team, all := nn.NewTeam(threads), slices.Repeat([]float32{nan}, B*w+T*B*w+w)
			z, dy, dw := all[:B*w], all[B*w:][:T*B*w], all[len(all)-w:]
			clear(dw)
			p.forward(team, z, y, weights, w, b)
			p.backward(team, dw, dy, dz, y, weights, w, b)
			team.Close()
			if first == nil {
				first = all
			}
			if !same(all, first) { // a NaN is like nothing
				t.Errorf("%s: %d threads give other bits than one", kind, threads)
			}
			for i, v := range dy {
				if v != 0 && i/w/B >= b.Lengths[i/w%B] {
					t.Fatalf("%s: gradient %v past a length", kind, v)
				}
			}
		}
	}
}

// A minibatch, or what is asked of it, that does not fit the model panics.
func TestTaskPanics(t *testing.T) {
	c := rnn.Config{Cell: "gru", Reset: rnn.ResetAfter, Hidden: 4, Layers: 1, Biases: 1}
	tagger, crf := Spec{Task: Tag, Embed: 3, RNN: c}, Spec{Task: Tag, Embed: 3, Chars: Chars{2, 3}, CRF: true, RNN: c}
	text, numbers := Spec{Task: Classify, RNN: c}, Spec{Task: Classify, Features: 2, Pool: PoolMax, RNN: c}
	direct, recursive := Spec{Task: Forecast, Embed: 4, Forecast: ForecastOf{Window: 6, Horizon: 4, Segment: 2}, RNN: c}, Spec{Task: Forecast, Forecast: ForecastOf{Window: 4, Horizon: 3}, RNN: c}
	weights := func(w ...float32) func(r *Runner, b Batch) {
		return func(r *Runner, b Batch) { r.Gradient(make([]float32, r.p.size), b, nil, Objective{Weights: w}) }
	}
	answer := func(best, probs int) func(r *Runner, b Batch) {
		return func(r *Runner, b Batch) { r.Answer(make([]int32, best), make([]float32, probs), b) }
	}
	for _, of := range []struct {
		spec   Spec
		change func(b *Batch)
		use    func(r *Runner, b Batch) // nil: Loss
		want   string
	}{
		{tagger, func(b *Batch) { b.Targets = b.Targets[1:] }, nil, "model: a batch of 41 targets, want 6 × 7"},
		{tagger, func(b *Batch) { b.Targets[1*7+1] = 1 }, nil, "model: a target at step 1 of row 1, which has 1"},
		{tagger, func(b *Batch) { b.IDs = b.IDs[:20] }, nil, "model: a batch of 20 symbols, want 6 × 7"},
		{tagger, func(b *Batch) { b.Lengths[2] = 7 }, nil, "rnn: Forward: length 7 of row 2, want 0 to 6"},
		{tagger, func(b *Batch) { b.Lengths = b.Lengths[1:] }, nil, "model: a batch of 6 lengths, want 7"},
		{tagger, func(b *Batch) { b.Targets[0] = 4 }, nil, "nn: SoftmaxLoss: target 4 at 0, want 0 ≤ target < 4 or -1 to ignore it"},
		{tagger, func(b *Batch) { b.Data = make([]float32, 2) }, nil, "model: a batch of 2 numbers, want 6 × 7 × 0"},
		{tagger, nil, answer(41, 41*4), "model: a batch of 41 targets, want 6 × 7"},
		{tagger, nil, answer(42, 42), "model: Answer: 42 probabilities, want 42 × 4"},
		{tagger, nil, weights(1, 1, 1, 1), "model: weights of labels: act on a classification, and the task is tag"},
		{crf, func(b *Batch) { b.Spellings = nil }, nil, "model: a batch of 42 words without their spellings, want those of 6 × 7"},
		{crf, func(b *Batch) { b.Forms = nil }, nil, "model: a batch of 0 words without their spellings, want those of 6 × 7"},
		{crf, func(b *Batch) { b.Forms[3] = 100 }, nil, "model: word 3 is spelled as 100, want 0 to 8"},
		{crf, func(b *Batch) { b.Spellings.Lengths = b.Spellings.Lengths[1:] }, nil, "rnn: Forward: x has 8 lengths, want 9"},
		{crf, func(b *Batch) { b.Spellings.IDs[0] = 100 }, nil, "rnn: Forward: symbol 100 at step 0 of row 0, want 0 to 12"},
		{crf, func(b *Batch) { b.Targets[0] = nn.Ignore }, nil, "nn: CRF: tag -1 at step 0 of sequence 0, want 0 ≤ tag < 4"},
		{text, func(b *Batch) { b.Targets = b.Targets[1:] }, nil, "model: a batch of 6 targets, want 7"},
		{text, func(b *Batch) { b.Lengths = b.Lengths[1:] }, nil, "model: a batch of 6 lengths, want 7"},
		{text, nil, answer(42, 42*3), "model: a batch of 42 targets, want 7"},
		{text, nil, weights(1, 1), "model: Gradient: weights of 2 labels, want 3"},
		{text, nil, weights(1, 0, 1), "model: weight 0 of label 1: want a finite number above 0"},
		{numbers, func(b *Batch) { b.Data = b.Data[1:] }, nil, "model: a batch of 83 numbers, want 6 × 7 × 2"},
		{direct, func(b *Batch) { b.Series = b.Series[1:] }, nil, "model: a batch of 3 segments, 72 values and 17 series, want 3, 18 × 4 and 18"},
		{direct, func(b *Batch) { b.Series[5] = 2 }, nil, "model: series 2 of row 5, want 0 to 1"},
		{direct, func(b *Batch) { b.Values = b.Values[1:] }, nil, "model: a batch of 3 segments, 71 values and 18 series, want 3, 18 × 4 and 18"},
		{direct, func(b *Batch) { b.Lengths = make([]int, b.B) }, nil, "model: a batch with lengths: a forecast reads all steps of all rows"},
		{direct, nil, answer(1, 2), "model: Answer: a model of task forecast: want tag or classify"},
		{recursive, func(b *Batch) { b.T--; b.Data = b.Data[:b.T*b.B*2] }, nil, "model: a batch of 5 steps and 60 values, want 6 and 10 × 3 × 2"},
		{recursive, func(b *Batch) { b.Values = b.Values[1:] }, nil, "model: a batch of 6 steps and 59 values, want 6 and 10 × 3 × 2"},
		{recursive, func(b *Batch) { b.Lengths = make([]int, b.B) }, nil, "model: a batch with lengths: a forecast reads all steps of all rows"},
	} {
		m, x := examplesOf(t, of.spec)
		b := x.Batch(everyExample(x))
		if of.change != nil {
			of.change(&b)
		}
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); got != of.want {
					t.Errorf("%s: panic\n\t%s\nwant\n\t%s", taskName(of.spec), got, of.want)
				}
			}()
			run := NewRunner(m.Pack(), newTeam(t, 1))
			if of.use == nil {
				run.Loss(b, nil)
			} else {
				of.use(run, b)
			}
		}()
	}
}
