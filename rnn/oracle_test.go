package rnn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"sluice/internal/ref"
	"sluice/nn"
)

// worst is the largest difference seen for each kind of tensor, as a part of
// the largest reference value of that tensor.
type worst map[string]float64

func (w worst) see(kind string, got []float32, want []float64) float64 {
	diff, size := 0.0, 0.0
	for i, v := range want {
		diff, size = max(diff, math.Abs(float64(got[i])-v)), max(size, math.Abs(v))
	}
	if size > 0 {
		diff /= size
	}
	w[kind] = max(w[kind], diff)
	return diff
}

func (w worst) log(t *testing.T) {
	var kinds []string
	for k := range w {
		kinds = append(kinds, k)
	}
	slices.Sort(kinds)
	for _, k := range kinds {
		t.Logf("%-24s %.1e", k, w[k])
	}
}

// everyConfig is each built-in function of a network.
func everyConfig(layers int) []Config {
	var all []Config
	cells := []Config{
		{Cell: "rnn"}, {Cell: "rnn", Activation: "relu"}, {Cell: "lstm"},
		{Cell: "gru", Reset: ResetBefore}, {Cell: "gru", Reset: ResetAfter},
	}
	for _, c := range cells {
		for _, biases := range []int{1, 2} {
			for _, way := range []struct {
				d Direction
				m Merge
			}{{Forward, ""}, {Backward, ""}, {Bidirectional, Concat}, {Bidirectional, Sum}, {Bidirectional, Average}, {Bidirectional, Multiply}} {
				two := way.d == Forward || way.m == Concat || way.m == Average
				if testing.Short() && two != (biases == 2) {
					continue // each way with one number of biases
				}
				c.Biases, c.Direction, c.Merge = biases, way.d, way.m
				c.Input, c.Hidden, c.Layers = 5, 7, layers
				if layers > 1 {
					c.Dropout = 0.3
				}
				all = append(all, c)
			}
		}
	}
	return all
}

func (c Config) testName() string {
	return fmt.Sprintf("%s%s%s/%s%s/L=%d/biases=%d%s", c.Cell, c.Reset, c.Activation, c.Direction, c.Merge, c.Layers, c.Biases, c.variantName()+c.regularName())
}

func refOf(n *Network) *ref.Net {
	r := &ref.Net{Cell: n.Cell, Input: n.Input, Hidden: n.Hidden, Layers: n.Layers, Direction: string(n.Direction), Merge: string(n.Merge), Biases: n.Biases, Locked: n.Locked, LayerNorm: n.LayerNorm, Projection: n.Projection, Peephole: n.Peephole}
	if n.plain() && !n.LayerNorm {
		r.Options = optionsOf(n.Config)
	}
	switch {
	case n.Cell == "rnn" && n.Activation == "relu":
		r.Cell = "rnn_relu"
	case n.Cell == "rnn":
		r.Cell = "rnn_tanh"
	case n.Cell == "gru":
		r.Cell = "gru_" + string(n.Reset)
	}
	for _, p := range n.parts {
		w := ref.Weights{}
		for _, t := range n.tensors[p.from:p.to] {
			*tensorOf(&w, t.Name) = wide(t.Data)
		}
		r.Weights = append(r.Weights, w)
	}
	return r
}

// tensorOf is the oracle's of a tensor by its name in a network.
func tensorOf(w *ref.Weights, name string) *[]float64 {
	name, _, _ = strings.Cut(name[strings.LastIndex(name, ".")+1:], "_l")
	return map[string]*[]float64{
		"weight_ih": &w.Wx, "weight_hh": &w.Wh, "bias_ih": &w.Bx, "bias_hh": &w.Bh, "weight_hr": &w.Whr, "weight_peephole": &w.Peep,
		"weight_ih_norm": &w.GainX, "weight_hh_norm": &w.GainH, "weight_c_norm": &w.GainC, "bias_c_norm": &w.BiasC,
	}[name]
}

func wide(x []float32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}

func randoms(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

// trial is one network with inputs and upstream gradients for it.
type trial struct {
	net                   *Network
	as                    nn.Precision
	x                     Sequence
	state, dy, dState     []float32
	y, end, dx, dStart, g []float32
	tape                  Tape
	key                   nn.Key  // of dropped weights
	p                     *Packed // that run has used
}

func newTrial(t *testing.T, c Config, steps, rows int, ragged, ids bool, seed uint64) *trial {
	t.Helper()
	n, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Init(Init{}, seed); err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(seed, 1))
	tr := &trial{net: n, x: Sequence{T: steps, B: rows, F: c.Input}}
	if ids {
		for range steps * rows {
			tr.x.IDs = append(tr.x.IDs, int32(r.IntN(c.Input)))
		}
	} else {
		tr.x.Data = randoms(r, steps*rows*c.Input)
	}
	if ragged {
		for range rows {
			tr.x.Lengths = append(tr.x.Lengths, r.IntN(steps+1))
		}
		tr.x.Lengths[rows/2] = steps
		for i := range tr.x.IDs { // past a length anything may stand
			if i/rows >= tr.x.Lengths[i%rows] {
				tr.x.IDs[i] = -7
			}
		}
	}
	tr.state, tr.dState = randoms(r, rows*n.StateSize()), randoms(r, rows*n.StateSize())
	tr.dy = randoms(r, steps*rows*n.OutputSize())
	if c.random() {
		tr.tape.Dropout = &nn.Key{Seed: seed, Step: 3}
	}
	tr.key = nn.Key{Seed: seed, Step: 3}
	n.shake(seed)
	return tr
}

// forward fills the tape; the team of the Runner is the caller's to close.
func (tr *trial) forward(threads int) *Runner {
	run := NewRunner(tr.net.PackAs(tr.as), nn.NewTeam(threads))
	tr.net.RepackDropped(run.team, run.p, tr.key)
	tr.y, tr.end = make([]float32, len(tr.dy)), slices.Clone(tr.state)
	run.Forward(tr.y, tr.x, tr.end, &tr.tape)
	return run
}

func (tr *trial) run(threads int) {
	run := tr.forward(threads)
	defer run.team.Close()
	tr.g, tr.dStart, tr.dx = make([]float32, len(tr.net.Params)), slices.Clone(tr.dState), nil
	if tr.x.IDs == nil {
		tr.dx = make([]float32, len(tr.x.Data))
	}
	run.Backward(tr.g, tr.dx, tr.dy, tr.dStart, &tr.tape)
	run.p.MaskGradient(run.team, tr.g)
	tr.p = run.p
}

// dense is x as values.
func (tr *trial) dense() []float64 {
	if tr.x.IDs == nil {
		return wide(tr.x.Data)
	}
	x := make([]float64, len(tr.x.IDs)*tr.x.F)
	for i, id := range tr.x.IDs {
		if id >= 0 {
			x[i*tr.x.F+int(id)] = 1
		}
	}
	return x
}

func TestAgainstReference(t *testing.T) {
	seen := worst{}
	seed := uint64(0)
	for _, layers := range []int{1, 2, 3} {
		for _, c := range everyConfig(layers) {
			for _, ragged := range []bool{false, true} {
				for _, ids := range []bool{false, true} {
					seed++
					name := fmt.Sprintf("%s/ragged=%v/ids=%v", c.testName(), ragged, ids)
					tr := newTrial(t, c, 6, 4, ragged, ids, seed)
					tr.run(2)
					compare(t, name, seen, tr)
				}
			}
		}
	}
	seen.log(t)
}

func compare(t *testing.T, name string, seen worst, tr *trial) {
	t.Helper()
	oracle := refOf(tr.net)
	tr.masks(oracle)
	run := oracle.Forward(tr.dense(), tr.x.T, tr.x.B, tr.x.Lengths, wide(tr.state))
	grads := run.Backward(wide(tr.dy), wide(tr.dState))
	see := func(kind string, got []float32, want []float64, limit float64) {
		t.Helper()
		if len(got) != len(want) {
			t.Fatalf("%s: %s has %d values, want %d", name, kind, len(got), len(want))
		}
		if d := seen.see(kind, got, want); !(d <= limit) {
			t.Errorf("%s: %s is off by %.2g of its largest, want at most %g", name, kind, d, limit)
		}
	}
	see("forward y", tr.y, run.Y, 1e-5)
	see("forward state", tr.end, run.Final, 1e-5)
	if tr.dx != nil {
		see("backward dx", tr.dx, grads.DX, 1e-4)
	}
	see("backward dState", tr.dStart, grads.DS0, 1e-4)
	flat := tr.g
	for i, p := range tr.net.parts {
		for _, tensor := range tr.net.tensors[p.from:p.to] {
			kind, _, _ := strings.Cut(tensor.Name[strings.LastIndex(tensor.Name, ".")+1:], "_l")
			want := *tensorOf(&grads.Weights[i], tensor.Name)
			see("backward d"+kind, flat[:len(tensor.Data)], want, 1e-4)
			flat = flat[len(tensor.Data):]
		}
	}
}
