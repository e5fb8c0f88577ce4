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

func (tag) complete(_ *Spec, n Names) error { return needLabels(Tag, n) }

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

func (tag) weights(p *Packed) weights { return linear{nn.NewLinear(p.RNN.OutputSize(), len(p.Labels))} }

func (tag) head(r *Runner) head {
	return &tagHead{softmaxHead{everyStep: everyStep{r: r}}}
}

// tagHead is a softmax over each output within a row's length.
type tagHead struct{ softmaxHead }

func (h *tagHead) check(b Batch) { checkTags(b) }

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
