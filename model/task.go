package model

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"sluice/nn"
)

// A task is how models of one kind are put together and what they learn from.
// What tells one kind from another is in the file of its task.
type task interface {
	// complete sets what follows from the names, and says which of them are
	// missing or have no use.
	complete(s *Spec, n Names) error
	// validate says what the task does not want of a Spec.
	validate(s Spec) error
	// tensors are those of the head.
	tensors(s Spec, n Names) []nn.Tensor
	// weights are the head's, of a Packed that has all else.
	weights(p *Packed) weights
	// head runs them for one Runner.
	head(r *Runner) head
}

var tasks = map[string]task{LM: lm{}, Tag: tag{}, Classify: classify{}, Forecast: forecast{}, Regress: regress{}}

func taskOf(name string) (task, error) {
	t, ok := tasks[name]
	if !ok {
		return nil, fmt.Errorf("model: task %q: want one of %s", name, strings.Join(slices.Sorted(maps.Keys(tasks)), ", "))
	}
	return t, nil
}

// weights are the parameters of a head laid out for running.
type weights interface {
	// pack takes them from params (Size of the model).
	pack(team *nn.Team, p *Packed, params []float32)
}

// A head is what comes after the stack, its scratch that of one Runner. It reads
// rows z (R, W), W being the stack's OutputSize: each output, or what is made of
// those of a row of the minibatch.
type head interface {
	// check panics for what is wrong with the minibatch; what comes before the
	// stack has been checked.
	check(b Batch)
	// read is z for the stack's outputs y (T, B, W), and back dy for dz, for which
	// it may add to g (Size of the model). Each may be the slice it is given.
	read(y []float32, b Batch) (z []float32)
	back(g, dz []float32, b Batch) (dy []float32)
	// loss is the sum of rows z, over the count of what counts.
	loss(z []float32, b Batch) (sum float64, count int)
	// gradient is loss, adds the gradient of the mean to g (Size of the model)
	// and sets dz (R, W).
	gradient(g, dz, z []float32, b Batch, o Objective) (sum float64, count int)
	// nonFinite names the first output of rows z that is not finite, "" if all are.
	nonFinite(z []float32, b Batch) string
}

// The names of the parameters outside the stack.
const (
	embedWeight = "embed.weight"
	inputWeight = "input.weight"
	inputBias   = "input.bias"
	charsWeight = "chars.embed.weight"
	headWeight  = "head.weight"
	headBias    = "head.bias"
)

// linearTensors are those of a linear head of n outputs.
func linearTensors(s Spec, n int) []nn.Tensor {
	bias := nn.Tensor{Name: headBias, Shape: []int{n}}
	if s.Tied {
		return []nn.Tensor{bias}
	}
	return []nn.Tensor{{Name: headWeight, Shape: []int{n, s.RNN.OutputSize()}}, bias}
}

// linearOf are the weight and the bias of a linear head in x, parameters or a
// gradient.
func (p *Packed) linearOf(x []float32) (w, b []float32) {
	if w = p.rows.find(x, headWeight); w == nil {
		w = p.rows.find(x, embedWeight)
	}
	return w, p.rows.find(x, headBias)
}

// linear is a linear head's weights.
type linear struct{ *nn.Linear }

func (l linear) pack(team *nn.Team, p *Packed, params []float32) {
	w, b := p.linearOf(params)
	l.PackAs(team, w, b, p.Precision)
}

func (l linear) layer() *nn.Linear { return l.Linear }

// linearLayer is the layer of a head that has one.
func (p *Packed) linearLayer() *nn.Linear { return p.head.(interface{ layer() *nn.Linear }).layer() }

// outputs runs a linear head.
type outputs struct {
	r   *Runner
	n   int       // R
	z   nn.Matrix // (R, W) what it reads, in blocks
	out nn.Matrix // (R, outputs)
}

func (o *outputs) layer() *nn.Linear { return o.r.p.linearLayer() }

func (o *outputs) forward(z []float32) {
	l := o.layer()
	o.n = len(z) / l.In
	o.z, o.out = o.z.Grow(o.n, l.In), o.out.Grow(o.n, l.Out)
	o.r.team.ToBlocks(o.z, nn.RowMajor(z, l.In), l.In, o.n)
	l.Forward(o.r.team, o.out, o.z, o.n)
}

// backward takes the gradient of the outputs from out.
func (o *outputs) backward(g, dz []float32) {
	dw, db := o.r.p.linearOf(g)
	o.layer().Backward(o.r.team, dw, db, dz, o.out, o.z, o.n)
}

// nonFinite is the row and the column of the first output that is not finite.
func (o *outputs) nonFinite(z []float32) (value float32, row, column int, found bool) {
	o.forward(z)
	for i := range o.n {
		for k := range o.layer().Out {
			if v := o.out.At(i, k)[0]; v-v != 0 {
				return v, i, k, true
			}
		}
	}
	return 0, 0, 0, false
}
