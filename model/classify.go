package model

import (
	"fmt"
	"math"

	"sluice/nn"
	"sluice/rnn"
)

// Classify is the task of a classification: a sequence of symbols or numbers →
// one of K labels, a softmax over what Spec.Pool makes of the stack's outputs. Its
// loss is in nats. It needs Names.Labels, and Names.Vocab unless it reads numbers.
const Classify = "classify"

type classify struct{}

func (classify) complete(s *Spec, n Names) error {
	if s.Pool == "" {
		s.Pool = PoolLast
	}
	return needLabels(Classify, n)
}

// needLabels wants as many labels as make a choice.
func needLabels(task string, n Names) error {
	if len(n.Labels) < 2 {
		return fmt.Errorf("model: task %s with %d labels: want 2 or more", task, len(n.Labels))
	}
	return nil
}

func (classify) validate(s Spec) error {
	switch s.Pool {
	case PoolMean, PoolMax, PoolAttention:
	case PoolLast, "":
		if s.RNN.Direction == rnn.Bidirectional && s.RNN.Merge != "" && s.RNN.Merge != rnn.Concat {
			return fmt.Errorf("model: pool %s of directions that are merged by %s: the last outputs of the two are at different steps, want merge %s or another pool", PoolLast, s.RNN.Merge, rnn.Concat)
		}
	default:
		return fmt.Errorf("model: pool %q: want %s, %s, %s or %s", s.Pool, PoolLast, PoolMean, PoolMax, PoolAttention)
	}
	return nil
}

const attention = "attention.weight"

func (classify) tensors(s Spec, n Names) (all []nn.Tensor) {
	if s.Pool == PoolAttention {
		all = append(all, nn.Tensor{Name: attention, Shape: []int{s.RNN.OutputSize()}})
	}
	return append(all, linearTensors(s, len(n.Labels))...)
}

func (classify) weights(p *Packed) weights {
	return &pooled{linear: linear{nn.NewLinear(p.RNN.OutputSize(), len(p.Labels))}}
}

func (classify) head(r *Runner) head {
	return &classHead{softmaxHead: softmaxHead{everyStep: everyStep{r: r}}, pool: pool{kind: r.p.Pool, ahead: ahead(r.p.RNN)}}
}

// pooled is a linear head after a pool.
type pooled struct {
	linear
	attention []float32 // (W), nil without
}

func (c *pooled) pack(team *nn.Team, p *Packed, params []float32) {
	c.linear.pack(team, p, params)
	c.attention = append(c.attention[:0], p.rows.find(params, attention)...)
}

// classHead is a softmax over each row's outputs, pooled.
type classHead struct {
	softmaxHead
	pool pool
	y, z []float32 // (T, B, W), (B, W)
	dy   []float32 // (T, B, W)
}

func (h *classHead) check(b Batch) {
	if len(b.Targets) != b.B {
		panic(fmt.Sprintf("model: a batch of %d targets, want %d", len(b.Targets), b.B))
	}
}

func (h *classHead) attention() []float32 { return h.r.p.head.(*pooled).attention }

func (h *classHead) read(y []float32, b Batch) []float32 {
	w := h.r.p.RNN.OutputSize()
	h.y, h.z = y, nn.Grow(h.z, b.B*w)
	h.pool.forward(h.r.team, h.z, y, h.attention(), w, b)
	return h.z
}

// gradient is that of softmaxHead, of a mean in which labels have weights; the loss
// is without them.
func (h *classHead) gradient(g, dz, z []float32, b Batch, o Objective) (nats float64, count int) {
	if o.Weights == nil {
		return h.softmaxHead.gradient(g, dz, z, b, o)
	}
	e := &h.softmax.Entropy
	e.Smoothing, e.Weights = 0, o.Weights
	dw, db := h.r.p.linearOf(g)
	_, count = h.softmax.Gradient(h.r.team, h.layer(), dw, db, dz, h.blocks(z), b.Targets, float32(1/max(e.Weight(b.Targets), math.SmallestNonzeroFloat32)))
	e.Weights = nil
	for i, target := range b.Targets {
		if target != nn.Ignore {
			nats += h.softmax.Nats[i] / float64(o.Weights[target])
		}
	}
	return nats, count
}

func (h *classHead) back(g, dz []float32, b Batch) []float32 {
	w := h.r.p.RNN.OutputSize()
	h.dy = nn.Grow(h.dy, b.T*b.B*w)
	h.pool.backward(h.r.team, h.r.p.rows.find(g, attention), h.dy, dz, h.y, h.attention(), w, b)
	return h.dy
}
