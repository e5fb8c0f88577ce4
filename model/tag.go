package model

import (
	"fmt"

	"sluice/nn"
)

// Tag is the task of a tagger: a sequence, of words mostly → one of K labels for
// each of its steps, by a softmax or, with Spec.CRF, by all of them together. Its
// loss is in nats. It needs Names.Labels, Names.Vocab unless it reads numbers, and
// Names.Characters with Spec.Chars; with a CRF Names.Scheme says which labels may
// follow which.
const Tag = "tag"

type tag struct{}

func (tag) complete(_ *Spec, n Names) error {
	if err := needLabels(Tag, n); err != nil {
		return err
	}
	return n.validateScheme()
}

// validateScheme wants labels to be of their scheme.
func (n Names) validateScheme() error {
	for _, l := range n.Labels {
		if s, kind := n.Scheme, l[min(2, len(l)):]; !s.Follows(l, "O") && !s.Follows(l, "I-"+kind) {
			return fmt.Errorf("model: label %.40q is none of scheme %s", l, s)
		}
	}
	return nil
}

func (tag) validate(Spec) error { return nil }

// The parameters of a CRF: see nn.CRF.
const (
	transitions = "crf.transitions"
	starts      = "crf.start_transitions"
	ends        = "crf.end_transitions"
)

func (tag) tensors(s Spec, n Names) []nn.Tensor {
	k := len(n.Labels)
	all := linearTensors(s, k)
	if s.CRF {
		all = append(all, nn.Tensor{Name: transitions, Shape: []int{k, k}}, nn.Tensor{Name: starts, Shape: []int{k}}, nn.Tensor{Name: ends, Shape: []int{k}})
	}
	return all
}

func (tag) weights(p *Packed) weights {
	l := linear{nn.NewLinear(p.RNN.OutputSize(), len(p.Labels))}
	if p.CRF {
		return &crfWeights{linear: l, allowed: p.Names.allowed()}
	}
	return l
}

// allowed are the steps that the scheme of the labels has.
func (n Names) allowed() nn.Allowed {
	if n.Scheme == "" {
		return nn.Allowed{}
	}
	k := len(n.Labels)
	a := nn.Allowed{Transitions: make([]bool, k*k), Start: make([]bool, k), End: make([]bool, k)}
	for i, from := range n.Labels {
		a.Start[i], a.End[i] = n.Scheme.Follows("", from), n.Scheme.Follows(from, "")
		for j, to := range n.Labels {
			a.Transitions[i*k+j] = n.Scheme.Follows(from, to)
		}
	}
	return a
}

func (tag) head(r *Runner) head {
	if r.p.CRF {
		h := &crfHead{outputs: outputs{r: r}}
		h.crf = nn.CRF{K: len(r.p.Labels), Allowed: r.p.head.(*crfWeights).allowed}
		return h
	}
	return &tagHead{softmaxHead{everyStep: everyStep{r: r}}}
}

// tagHead is a softmax over each output within a row's length.
type tagHead struct{ softmaxHead }

func (h *tagHead) check(b Batch) { checkTags(b) }

// crfWeights are those of a linear layer and of the CRF after it.
type crfWeights struct {
	linear
	params  nn.CRFParams
	allowed nn.Allowed
}

func (c *crfWeights) pack(team *nn.Team, p *Packed, params []float32) {
	c.linear.pack(team, p, params)
	now := p.crfOf(params)
	c.params.Transitions = append(c.params.Transitions[:0], now.Transitions...)
	c.params.Start, c.params.End = append(c.params.Start[:0], now.Start...), append(c.params.End[:0], now.End...)
}

// crfOf are a CRF's parameters in x.
func (p *Packed) crfOf(x []float32) nn.CRFParams {
	return nn.CRFParams{Transitions: p.rows.find(x, transitions), Start: p.rows.find(x, starts), End: p.rows.find(x, ends)}
}

// crfHead is a CRF over the linear layer's outputs.
type crfHead struct {
	outputs
	crf nn.CRF
}

func (h *crfHead) params() nn.CRFParams { return h.r.p.head.(*crfWeights).params }

func (h *crfHead) check(b Batch) { checkTags(b) }

func (h *crfHead) read(y []float32, _ Batch) []float32 { return y }

func (h *crfHead) back(_, dz []float32, _ Batch) []float32 { return dz }

func (h *crfHead) loss(z []float32, b Batch) (nats float64, count int) {
	h.forward(z)
	return h.crf.Loss(h.r.team, h.params(), h.out, b.Targets, b.T, b.B, b.Lengths)
}

func (h *crfHead) gradient(g, dz, z []float32, b Batch, _ Objective) (nats float64, count int) {
	h.forward(z)
	nats, count = h.crf.Gradient(h.r.team, h.r.p.crfOf(g), h.params(), h.out, b.Targets, b.T, b.B, b.Lengths, b.mean())
	h.backward(g, dz)
	return nats, count
}

func (h *crfHead) nonFinite(z []float32, b Batch) string {
	if v, i, k, ok := h.outputs.nonFinite(z); ok {
		return fmt.Sprintf("the score of tag %d at step %d of row %d is %v", k, i/b.B, i%b.B, v)
	}
	return ""
}

// checkTags wants a target at each step, which is nn.Ignore past a row's length.
func checkTags(b Batch) {
	if len(b.Targets) != b.T*b.B {
		panic(fmt.Sprintf("model: a batch of %d targets, want %d × %d", len(b.Targets), b.T, b.B))
	}
	for i, target := range b.Targets {
		if target != nn.Ignore && i/b.B >= b.length(i%b.B) {
			panic(fmt.Sprintf("model: a target at step %d of row %d, which has %d", i/b.B, i%b.B, b.length(i%b.B)))
		}
	}
}
