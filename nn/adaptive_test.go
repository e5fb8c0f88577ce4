package nn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"sluice/internal/ref"
)

// adaptiveCase is an adaptive softmax, rows and targets, and what the reference
// has of them.
type adaptiveCase struct {
	a       *Adaptive
	n       int
	params  []float32
	x       []float32 // (N, H)
	targets []int32
	count   int
}

func newAdaptiveCase(t *testing.T, r *rand.Rand, c AdaptiveConfig, n int) *adaptiveCase {
	t.Helper()
	a, err := NewAdaptive(c)
	if err != nil {
		t.Fatal(err)
	}
	k := &adaptiveCase{a: a, n: n, params: normal(r, a.Size()), x: normal(r, n*c.In)}
	for i := range k.params {
		k.params[i] *= 0.3
	}
	_, k.targets = lossCase(r, n, c.Classes, 1)
	for _, target := range k.targets {
		if target != Ignore {
			k.count++
		}
	}
	return k
}

// refOf is flat as the reference takes it.
func (k *adaptiveCase) refOf(flat []float32) *ref.Adaptive {
	a := &ref.Adaptive{In: k.a.In, Classes: k.a.Classes, Cutoffs: k.a.Cutoffs}
	for _, t := range k.a.Tensors() {
		values := wide(flat[:Elements(t.Shape)])
		flat = flat[len(values):]
		switch {
		case t.Name == "head.weight":
			a.Head = values
		case t.Name == "head.bias":
			a.Bias = values
		case len(a.Projections) == len(a.Tails):
			a.Projections = append(a.Projections, values)
		default:
			a.Tails = append(a.Tails, values)
		}
	}
	return a
}

// flatten is the flat vector of what the reference gives.
func flatten(a *ref.Adaptive) []float64 {
	flat := slices.Concat(a.Head, a.Bias)
	for t := range a.Tails {
		flat = slices.Concat(flat, a.Projections[t], a.Tails[t])
	}
	return flat
}

// run is the gradient and the log-probabilities with so many threads.
func (k *adaptiveCase) run(as Precision, threads, span int) (nats float64, rows []float64, g, dx, logs []float32) {
	team := NewTeam(threads)
	defer team.Close()
	k.a.PackAs(team, k.params, as)
	s := AdaptiveLoss{softmax: SoftmaxLoss{span: span}}
	x, y := Blocks(k.x, k.n, k.a.In), Matrix{}.Grow(k.n, k.a.Classes)
	s.LogProbs(team, k.a, y, RowMajor(k.x, k.a.In), k.n)
	if as.Trains() {
		g, dx = make([]float32, k.a.Size()), make([]float32, k.n*k.a.In)
		nats, _ = s.Gradient(team, k.a, g, dx, x, k.targets, 1/float32(max(1, k.count)))
	} else {
		nats, _ = s.Loss(team, k.a, x, k.targets)
	}
	return nats, s.Nats, g, dx, rowsOf(y, k.n, k.a.Classes)
}

func (k *adaptiveCase) String() string {
	return fmt.Sprintf("n %d in %d of %d cut at %v div %d bias %t", k.n, k.a.In, k.a.Classes, k.a.Cutoffs, k.a.Div, k.a.HeadBias)
}

func randomAdaptive(t *testing.T, r *rand.Rand, trial int) *adaptiveCase {
	c := AdaptiveConfig{In: 16 + r.IntN(80), Classes: 5 + r.IntN(300), HeadBias: trial%2 == 0}
	if trial%3 > 0 { // else the defaults
		c.Div = 1 + r.IntN(3)
		for range 1 + r.IntN(3) {
			c.Cutoffs = append(c.Cutoffs, 1+r.IntN(c.Classes-1))
		}
		slices.Sort(c.Cutoffs)
		c.Cutoffs = slices.Compact(c.Cutoffs)
	}
	return newAdaptiveCase(t, r, c, r.IntN(60))
}

func TestAdaptiveAgainstReference(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for trial := range 60 {
		k := randomAdaptive(t, r, trial)
		targets := make([]int, k.n)
		for i, target := range k.targets {
			targets[i] = int(target)
		}
		a := k.refOf(k.params)
		loss, da, dx := a.Gradient(wide(k.x), targets)
		wantLogs := a.LogProbs(wide(k.x))
		for as, bound := range map[Precision]float64{Float32: 1e-5, Mixed: 0.1} {
			what := fmt.Sprintf("%v %v", as, k)
			nats, rows, g, gx, logs := k.run(as, 1+trial%3, 2*(trial%5))
			if mean := nats / float64(max(1, k.count)); math.Abs(mean-loss) > bound {
				t.Fatalf("%s: loss %v, want %v", what, mean, loss)
			}
			close64(t, what+": gradient", g, flatten(da), bound)
			close64(t, what+": dx", gx, dx, bound)
			close64(t, what+": log-probabilities", logs, wantLogs, 5*bound)
			for i, target := range k.targets {
				want := 0.0
				if target != Ignore {
					want = -wantLogs[i*k.a.Classes+int(target)]
				}
				if math.Abs(rows[i]-want) > 5*bound {
					t.Fatalf("%s: row %d: %v nats, want %v", what, i, rows[i], want)
				}
			}
		}
	}
}

// The probabilities of all classes add up to 1 in every precision.
func TestAdaptiveLogProbsAddUp(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	k := newAdaptiveCase(t, r, AdaptiveConfig{In: 64, Classes: 500, Cutoffs: []int{62, 200}, HeadBias: true}, 9)
	exact, _, _, _, _ := k.run(Float32, 1, 0)
	for _, as := range []Precision{Float32, Mixed, BF16, Int8} {
		nats, rows, _, _, logs := k.run(as, 2, 0)
		if math.Abs(nats/exact-1) > 0.05 {
			t.Errorf("%v: %v nats, want about %v", as, nats, exact)
		}
		for i := range k.n {
			row, sum := logs[i*500:(i+1)*500], 0.0
			for _, l := range row {
				sum += math.Exp(float64(l))
			}
			if math.Abs(sum-1) > 1e-5 {
				t.Errorf("%v: row %d: probabilities add up to %v", as, i, sum)
			}
			if target := k.targets[i]; target != Ignore && math.Abs(rows[i]+float64(row[target])) > 1e-5 {
				t.Errorf("%v: row %d: %v nats, of all log-probabilities %v", as, i, rows[i], -row[target])
			}
		}
	}
}

// The bits of everything are those of one thread, whatever the span; those of a
// row are its own in any batch.
func TestAdaptiveGivesTheSameBits(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	k := newAdaptiveCase(t, r, AdaptiveConfig{In: 130, Classes: 900, Cutoffs: []int{100, 300, 310}}, 150)
	for _, as := range []Precision{Float32, Mixed} {
		nats, rows, g, dx, logs := k.run(as, 1, 0)
		for _, threads := range []int{1, 2, 3, 8} {
			for _, span := range []int{0, 4, 32} {
				what := fmt.Sprintf("%v threads %d span %d: ", as, threads, span)
				nats2, _, g2, dx2, logs2 := k.run(as, threads, span)
				if nats2 != nats {
					t.Errorf("%s%v nats, want %v", what, nats2, nats)
				}
				equalBits(t, what+"gradient", g2, g)
				equalBits(t, what+"dx", dx2, dx)
				equalBits(t, what+"log-probabilities", logs2, logs)
			}
		}
		for i := 0; i < k.n; i += 7 {
			alone := *k
			alone.n, alone.x, alone.targets = 1, k.x[i*130:(i+1)*130], k.targets[i:i+1]
			_, rows2, _, dx2, logs2 := alone.run(as, 1, 0)
			what := fmt.Sprintf("%v row %d alone: ", as, i)
			if rows2[0] != rows[i] {
				t.Errorf("%s%v nats, want %v", what, rows2[0], rows[i])
			}
			equalBits(t, what+"dx", dx2, dx[i*130:(i+1)*130])
			equalBits(t, what+"log-probabilities", logs2, logs[i*900:(i+1)*900])
		}
	}
}

// A cluster in which no target falls is not touched: neither its weights, which
// here are no numbers, nor its gradient.
func TestAdaptiveLeavesAClusterAlone(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	k := newAdaptiveCase(t, r, AdaptiveConfig{In: 32, Classes: 100, Cutoffs: []int{10, 20, 60}, Div: 2}, 40)
	for i, target := range k.targets {
		if target >= 20 && target < 60 {
			k.targets[i] = Ignore
		}
	}
	out := k.a.tails[2].at
	for i := k.a.tails[1].at; i < out; i++ {
		k.params[i] = float32(math.NaN())
	}
	team := NewTeam(2)
	defer team.Close()
	k.a.Pack(team, k.params)
	var s AdaptiveLoss
	g, dx := make([]float32, k.a.Size()), make([]float32, k.n*32)
	for i := k.a.tails[1].at; i < out; i++ {
		g[i] = 7
	}
	nats, _ := s.Gradient(team, k.a, g, dx, Blocks(k.x, k.n, 32), k.targets, 1)
	if math.IsNaN(nats) {
		t.Error("the loss is NaN")
	}
	for i, v := range append(g, dx...) {
		if v != v {
			t.Fatalf("gradient [%d] is NaN", i)
		}
		if i >= k.a.tails[1].at && i < out && v != 7 {
			t.Fatalf("gradient [%d] of the cluster is %v, want what it was", i, v)
		}
	}
}

// After a call whose targets are all of the head, one of the same size whose are of
// other clusters allocates nothing.
func TestAdaptiveAllocatesNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	const n, in, v = 70, 70, 400
	k := newAdaptiveCase(t, r, AdaptiveConfig{In: in, Classes: v, Cutoffs: []int{50, 150}, HeadBias: true}, n)
	x, y := Blocks(k.x, n, in), Matrix{}.Grow(n, v)
	g, dx := make([]float32, k.a.Size()), make([]float32, n*in)
	k.run(Float32, 1, 0) // the weights are transposed when first a target is theirs
	for _, as := range []Precision{Float32, Mixed} {
		for _, threads := range []int{1, 2} {
			for _, first := range []int{50, 150} {
				team := NewTeam(threads)
				var s AdaptiveLoss
				allocs := 1.0
				for try := 0; try < 3 && allocs != 0; try++ { // a thread that parks may take memory of its own once
					s = AdaptiveLoss{}
					calls := 0
					allocs = testing.AllocsPerRun(1, func() {
						for i := range k.targets {
							k.targets[i] = int32(calls*first + r.IntN(50))
						}
						calls++
						k.a.PackAs(team, k.params, as)
						s.Gradient(team, k.a, g, dx, x, k.targets, 1)
						s.Loss(team, k.a, x, k.targets)
					})
				}
				if allocs != 0 {
					t.Errorf("%v threads %d, targets from %d on: %v allocations", as, threads, first, allocs)
				}
				if allocs := testing.AllocsPerRun(5, func() { s.LogProbs(team, k.a, y, x, n) }); allocs != 0 {
					t.Errorf("%v threads %d: LogProbs: %v allocations", as, threads, allocs)
				}
				team.Close()
			}
		}
	}
}

func TestAdaptiveShapes(t *testing.T) {
	team := NewTeam(1)
	defer team.Close()
	a, err := NewAdaptive(AdaptiveConfig{In: 4, Classes: 6, Cutoffs: []int{2}})
	if err != nil {
		t.Fatal(err)
	}
	var s AdaptiveLoss
	f := func(n int) []float32 { return make([]float32, n, 100) }
	x, y, targets := Blocks(f(12), 3, 4), Blocks(f(18), 3, 6), []int32{0, 5, Ignore}
	wants(t, "nn: Linear.Forward: weights (0, 0) packed, want (3, 4)", func() { s.Loss(team, a, x, targets) })
	wants(t, "nn: Adaptive.Pack: 19 parameters, want 20", func() { a.Pack(nil, f(19)) })
	a.Pack(nil, f(20))
	wants(t, "nn: AdaptiveLoss: x is row-major, want a matrix in blocks", func() { s.Loss(team, a, RowMajor(f(12), 4), targets) })
	wants(t, "nn: AdaptiveLoss: x has 192 values, want (4, 4)", func() { s.Loss(team, a, x, make([]int32, 4)) })
	wants(t, "nn: AdaptiveLoss: g has 21 values, want 20", func() { s.Gradient(team, a, f(21), f(12), x, targets, 1) })
	wants(t, "nn: AdaptiveLoss: dx has 11 values, want (3, 4)", func() { s.Gradient(team, a, f(20), f(11), x, targets, 1) })
	wants(t, "nn: AdaptiveLoss.LogProbs: x has 11 values, want (3, 4)", func() { s.LogProbs(team, a, y, RowMajor(f(11), 4), 3) })
	wants(t, "nn: AdaptiveLoss.LogProbs: y is row-major, want a matrix in blocks", func() { s.LogProbs(team, a, RowMajor(f(18), 6), x, 3) })
	for _, target := range []int32{6, -2, math.MinInt32} {
		line := fmt.Sprintf("nn: AdaptiveLoss: target %d at 1, want 0 ≤ target < 6 or -1 to ignore it", target)
		wants(t, line, func() { s.Gradient(team, a, f(20), f(12), x, []int32{0, target, 0}, 1) })
	}
	nats, count := s.Gradient(team, a, f(20), f(12), x, targets, 1)
	if want := math.Log(3) + math.Log(3) + math.Log(4); math.Abs(nats-want) > 1e-12 || count != 2 {
		t.Errorf("%v nats of %d, want %v of 2", nats, count, want)
	}
	if nats, count := s.Gradient(team, a, f(20), nil, Matrix{}, nil, 1); nats != 0 || count != 0 || len(s.Nats) != 0 {
		t.Errorf("%v nats of %d where there are no rows", nats, count)
	}
	s.LogProbs(team, a, Matrix{}, Matrix{}, 0)
}

func TestAdaptiveConfigValidate(t *testing.T) {
	for _, c := range []struct {
		config AdaptiveConfig
		want   string
	}{
		{AdaptiveConfig{In: 0, Classes: 10}, "width 0: want at least 1"},
		{AdaptiveConfig{In: 64, Classes: 1}, "1 classes: want 2 to 2147483647"},
		{AdaptiveConfig{In: 64, Classes: 1 << 31}, "2147483648 classes: want 2 to 2147483647"},
		{AdaptiveConfig{In: 64, Classes: 10, Div: -1}, "div -1: want at least 1, or 0 for 4"},
		{AdaptiveConfig{In: 64, Classes: 10, Cutoffs: []int{}}, "no cutoffs: want at least one"},
		{AdaptiveConfig{In: 64, Classes: 10, Cutoffs: []int{0, 4}}, "cutoff 0 at 0: want 1 to 9"},
		{AdaptiveConfig{In: 64, Classes: 10, Cutoffs: []int{4, 4}}, "cutoff 4 at 1: want 5 to 9"},
		{AdaptiveConfig{In: 64, Classes: 10, Cutoffs: []int{4, 10}}, "cutoff 10 at 1: want 5 to 9"},
		{AdaptiveConfig{In: 15, Classes: 10, Cutoffs: []int{4, 8}}, "cluster 1 of width 15 / 4^2: want at least 1"},
		{AdaptiveConfig{In: 3, Classes: 1000}, "cluster 0 of width 3 / 4^1: want at least 1"},
	} {
		_, err := NewAdaptive(c.config)
		if want := "nn: adaptive softmax: " + c.want; err == nil || err.Error() != want {
			t.Errorf("%+v: %v, want %s", c.config, err, want)
		}
	}
}

func TestAdaptiveCutoffs(t *testing.T) {
	for v, want := range map[int][]int{
		2: {1}, 50: {25}, 100: {62}, 1000: {190, 510},
		10_000: {894, 3774}, 50_000: {2942, 15998}, 250_000: {9726, 68094},
	} {
		if got := AdaptiveCutoffs(v); !slices.Equal(got, want) {
			t.Errorf("V %d: %v, want %v", v, got, want)
		}
		all, shares := 0.0, make([]float64, len(want))
		for rank := 1; rank <= v; rank++ {
			all += 1 / float64(rank)
			for i, at := range want {
				if rank <= at {
					shares[i] += 1 / float64(rank)
				}
			}
		}
		if v >= 10_000 && (math.Abs(shares[0]/all-0.75) > 0.01 || math.Abs(shares[1]/all-0.9) > 0.01) {
			t.Errorf("V %d: shares of the tokens %v of %v, want 0.75 and 0.9", v, shares, all)
		}
	}
	for v := 2; v < 3000; v++ {
		if err := (AdaptiveConfig{In: 16, Classes: v}).Validate(); err != nil {
			t.Errorf("V %d: %v", v, err)
		}
	}
}
