package nn

import (
	"fmt"
	"math"

	"sluice/internal/kernel"
)

// AdaptiveConfig is the shape of an adaptive softmax. Classes are numbered by
// frequency, the most frequent first.
type AdaptiveConfig struct {
	In       int   `json:"-"`                   // H: width of a row
	Classes  int   `json:"-"`                   // V
	Cutoffs  []int `json:"cutoffs"`             // the first class of each cluster: rising, above 0 and below V. Nil: AdaptiveCutoffs(V)
	Div      int   `json:"div"`                 // cluster i, from 0 on, has rows of width H/Div^(i+1). 0: 4
	HeadBias bool  `json:"head_bias,omitempty"` // the head has a bias; the clusters never have
}

// withDefaults is c with its zero values replaced.
func (c AdaptiveConfig) withDefaults() AdaptiveConfig {
	if c.Cutoffs == nil {
		c.Cutoffs = AdaptiveCutoffs(c.Classes)
	}
	if c.Div == 0 {
		c.Div = 4
	}
	return c
}

// Validate says which field cannot be, and what is allowed.
func (c AdaptiveConfig) Validate() error {
	switch {
	case c.In < 1:
		return fmt.Errorf("nn: adaptive softmax: width %d: want at least 1", c.In)
	case c.Classes < 2 || c.Classes > math.MaxInt32:
		return fmt.Errorf("nn: adaptive softmax: %d classes: want 2 to %d", c.Classes, math.MaxInt32)
	}
	c = c.withDefaults()
	if c.Div < 1 {
		return fmt.Errorf("nn: adaptive softmax: div %d: want at least 1, or 0 for 4", c.Div)
	}
	if len(c.Cutoffs) == 0 {
		return fmt.Errorf("nn: adaptive softmax: no cutoffs: want at least one")
	}
	least, width := 1, c.In
	for i, at := range c.Cutoffs {
		if at < least || at >= c.Classes {
			return fmt.Errorf("nn: adaptive softmax: cutoff %d at %d: want %d to %d", at, i, least, c.Classes-1)
		}
		if width /= c.Div; width < 1 {
			return fmt.Errorf("nn: adaptive softmax: cluster %d of width %d / %d^%d: want at least 1", i, c.In, c.Div, i+1)
		}
		least = at + 1
	}
	return nil
}

// zipf is the share of tokens that the classes from the head on, to each cutoff,
// have of AdaptiveCutoffs.
var zipf = [...]float64{0.75, 0.9}

// AdaptiveCutoffs is a choice of cutoffs for v classes whose frequencies fall as
// 1/rank (Zipf): the head has three quarters of the tokens, the first cluster the
// next 15 %, the second one the last tenth.
//
// In the cost model of Grave et al. a matrix of k rows of width w costs (B + B₀)·k·w
// for the B rows of a minibatch that meet it, B₀ being what reading, packing and
// updating its weights takes: here some tens of rows. That is least with a head of a
// few hundred classes, but then half of the tokens are told apart by a quarter of the
// width or less. These shares bound that to a quarter, and yet 700 rows take 1/8 to
// 1/9 of the full softmax at V = 10,000, 1/11 at 50,000 and 1/14 at 250,000, as
// measured with H = 256 and 512; with one cluster alone it were 1/8 at most. A third
// one would have rows too narrow to tell much.
//
// The parts are whole blocks of 64 columns, so that products have no edges.
func AdaptiveCutoffs(v int) []int {
	const gamma = 0.5772156649 // 1 + 1/2 + … + 1/n ≈ ln n + γ
	var cutoffs []int
	for i, share := range zipf {
		rank := math.Exp(share*(math.Log(float64(v))+gamma) - gamma)
		at := (int(rank)+len(zipf)+kernel.Wide)/kernel.Wide*kernel.Wide - len(zipf)
		if i > 0 {
			at = max(at, cutoffs[i-1]+kernel.Wide)
		}
		if at >= v {
			break
		}
		cutoffs = append(cutoffs, at)
	}
	if cutoffs == nil {
		return []int{max(1, v/2)}
	}
	return cutoffs
}

// Adaptive is the adaptive softmax of Grave et al. 2017, "Efficient softmax
// approximation for GPUs", as torch.nn.AdaptiveLogSoftmaxWithLoss has it. The head
// is a softmax over the most frequent classes and one output for each cluster of
// the others. A cluster is a softmax over its classes of a row that is projected to
// less width first; the probability of a class is that of its cluster times its own
// there. So it is exact: the probabilities of all classes add up to 1.
//
// It holds its weights packed: call Pack after they change. Many may use it at once,
// each with an [AdaptiveLoss].
type Adaptive struct {
	AdaptiveConfig
	size  int
	head  *Linear
	tails []cluster
}

// cluster is the classes [first, first + out.Out).
type cluster struct {
	first   int
	at      int     // where its weights begin in the flat vector
	project *Linear // (H → H/Div^(i+1))
	out     *Linear // (→ its classes)
}

// NewAdaptive makes an adaptive softmax, whose AdaptiveConfig has no zero values
// left that stand for others. Pack gives it weights.
func NewAdaptive(c AdaptiveConfig) (*Adaptive, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	c = c.withDefaults()
	clusters := len(c.Cutoffs)
	a := &Adaptive{AdaptiveConfig: c, head: NewLinear(c.In, c.Cutoffs[0]+clusters)}
	a.size = a.head.Out * c.In
	if c.HeadBias {
		a.size += a.head.Out
	}
	width := c.In
	for i, first := range c.Cutoffs {
		last := c.Classes
		if i+1 < clusters {
			last = c.Cutoffs[i+1]
		}
		width /= c.Div
		t := cluster{first, a.size, NewLinear(c.In, width), NewLinear(width, last-first)}
		a.size += t.project.Out*t.project.In + t.out.Out*t.out.In
		a.tails = append(a.tails, t)
	}
	return a, nil
}

// Size is the number of parameters.
func (a *Adaptive) Size() int { return a.size }

// Tensors are the parameters' names and shapes, in the order of the flat vector,
// without Data. The names are PyTorch's: head.weight (c₀ + clusters, H), head.bias
// where there is one, and of cluster i tail.i.0.weight (H/Div^(i+1), H) and
// tail.i.1.weight (its classes, H/Div^(i+1)).
func (a *Adaptive) Tensors() []Tensor {
	tensors := []Tensor{{Name: "head.weight", Shape: []int{a.head.Out, a.In}}}
	if a.HeadBias {
		tensors = append(tensors, Tensor{Name: "head.bias", Shape: []int{a.head.Out}})
	}
	for i, t := range a.tails {
		for j, l := range []*Linear{t.project, t.out} {
			tensors = append(tensors, Tensor{Name: fmt.Sprintf("tail.%d.%d.weight", i, j), Shape: []int{l.Out, l.In}})
		}
	}
	return tensors
}

// Pack takes a copy of the parameters, one flat vector. The team shares the work;
// without one, nil, the caller does it.
func (a *Adaptive) Pack(team *Team, params []float32) { a.PackAs(team, params, Float32) }

// PackAs is Pack with the weights, not the bias, in a precision. One that serves
// inference alone allocates.
func (a *Adaptive) PackAs(team *Team, params []float32, p Precision) {
	if len(params) != a.size {
		panic(fmt.Sprintf("nn: Adaptive.Pack: %d parameters, want %d", len(params), a.size))
	}
	w, b := a.headOf(params)
	a.head.PackAs(team, w, b, p)
	for _, t := range a.tails {
		project, out := t.of(params)
		t.project.PackAs(team, project, nil, p)
		t.out.PackAs(team, out, nil, p)
	}
}

// headOf is the head's weight and bias in a flat vector; the bias may be nil.
func (a *Adaptive) headOf(flat []float32) (w, b []float32) {
	n := a.head.Out * a.In
	if a.HeadBias {
		b = flat[n : n+a.head.Out]
	}
	return flat[:n], b
}

// of is the cluster's two weights in a flat vector.
func (t cluster) of(flat []float32) (project, out []float32) {
	middle := t.at + t.project.Out*t.project.In
	return flat[t.at:middle], flat[middle : middle+t.out.Out*t.out.In]
}

// headTarget is what the head is to give for a class: the class or its cluster.
func (a *Adaptive) headTarget(class int32) int32 {
	if class < int32(a.Cutoffs[0]) { // Ignore too
		return class
	}
	return int32(a.Cutoffs[0] + a.clusterOf(class))
}

// clusterOf is the cluster of a class that the head has not.
func (a *Adaptive) clusterOf(class int32) int {
	i := 0
	for i+1 < len(a.Cutoffs) && class >= int32(a.Cutoffs[i+1]) {
		i++
	}
	return i
}
