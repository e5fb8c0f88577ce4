package model

import (
	"context"
	"fmt"
	"math"

	"sluice/data"
	"sluice/metrics"
	"sluice/nn"
)

// answerer is a head that says which label.
type answerer interface {
	head
	// answer sets best (R) to the labels of rows z, nn.Ignore for one that has
	// none, and unless it is nil probs (R, K) to the probabilities of all.
	answer(best []int32, probs []float32, z []float32, b Batch)
}

// Answer sets best to the labels that a tagger, (T, B), or a classifier, (B), gives
// to b, whose Targets are not read: nn.Ignore past a row's length. Unless it is nil
// probs gets the probability of each label, (T, B, K) or (B, K): with a CRF those
// at each step by itself, given the whole row, while best is the best sequence.
func (r *Runner) Answer(best []int32, probs []float32, b Batch) {
	h, ok := r.head.(answerer)
	if !ok {
		panic(fmt.Sprintf("model: Answer: a model of task %s: want %s or %s", r.p.Task, Tag, Classify))
	}
	if k := len(r.p.Labels); probs != nil && len(probs) != len(best)*k {
		panic(fmt.Sprintf("model: Answer: %d probabilities, want %d × %d", len(probs), len(best), k))
	}
	r.targets = nn.Grow(r.targets, len(best))
	for i := range r.targets {
		r.targets[i] = nn.Ignore
	}
	b.Targets = r.targets
	h.answer(best, probs, r.forward(b, nil, nil, nil, r.p.pays(b.T*b.B)), b)
}

// score is Answer and Loss of one pass.
func (r *Runner) score(best []int32, b Batch) (nats float64, count int) {
	h := r.head.(answerer)
	z := r.forward(b, nil, nil, nil, r.p.pays(b.T*b.B))
	h.answer(best, nil, z, b)
	return h.loss(z, b)
}

func (h *tagHead) answer(best []int32, probs, z []float32, b Batch) {
	h.softmaxHead.answer(best, probs, z, b)
	for i := range best {
		if i/b.B >= b.length(i%b.B) {
			best[i] = nn.Ignore
		}
	}
}

func (h *softmaxHead) answer(best []int32, probs, z []float32, _ Batch) {
	_, n, k := h.say(z)
	h.row = nn.Grow(h.row, k)
	for i := range n {
		h.logits.GetRow(h.row, i)
		top := 0
		for j, v := range h.row {
			if v > h.row[top] {
				top = j
			}
		}
		if best[i] = int32(top); probs != nil {
			softmaxOf(probs[i*k:(i+1)*k], h.row, h.row[top])
		}
	}
}

// softmaxOf is the softmax of x, of which top is the largest.
func softmaxOf(p, x []float32, top float32) {
	sum := 0.0
	for i, v := range x {
		e := math.Exp(float64(v) - float64(top))
		p[i] = float32(e)
		sum += e
	}
	for i := range p {
		p[i] = float32(float64(p[i]) / sum)
	}
}

func (h *crfHead) answer(best []int32, probs, z []float32, b Batch) {
	h.forward(z)
	h.crf.Decode(h.r.team, best, h.params(), h.out, b.T, b.B, b.Lengths)
	for i := range best {
		if best[i] == nn.Ignore && i/b.B < b.length(i%b.B) {
			best[i] = 0 // as a softmax says of scores that are no numbers; or the scheme has none for the length
		}
	}
	if probs == nil {
		return
	}
	h.crf.Marginals(h.r.team, h.params(), h.out, b.T, b.B, b.Lengths)
	k := h.layer().Out
	for i := range best {
		h.out.GetRow(probs[i*k:(i+1)*k], i)
	}
}

// TagScore is what a tagger's tags are worth.
type TagScore struct {
	Nats    float64           // summed over the words
	Words   int               // scored
	Tags    metrics.Confusion // of each word
	Spans   metrics.SpanScore // of tags with a scheme
	Padding float64           // the share of steps × rows that was padding
}

// Loss is in nats per word.
func (s *TagScore) Loss() float64 { return s.Nats / float64(s.Words) }

// Figure is what taggers are compared by: the F1 of spans, where tags have a
// scheme, else the accuracy.
func (s *TagScore) Figure(scheme data.Scheme) float64 {
	if scheme != "" {
		return s.Spans.F1()
	}
	return s.Tags.Accuracy()
}

// ScoreTags tags sentences and compares. Unless progress is nil, it is told how many
// are done.
func ScoreTags(ctx context.Context, p *Packed, team *nn.Team, x *Sentences, progress func(done, total int)) (*TagScore, error) {
	if err := p.only(Tag, "score tags"); err != nil {
		return nil, err
	}
	r, s := NewRunner(p, team), &TagScore{Tags: *metrics.NewConfusion(p.Labels)}
	var best []int32
	steps := 0
	err := eachBatch(ctx, x, progress, func(examples []int) {
		b := x.Batch(examples)
		best = nn.Grow(best, b.T*b.B)
		nats, count := r.score(best, b)
		s.Nats, s.Words, steps = s.Nats+nats, s.Words+count, steps+b.T*b.B
		for row := range b.B {
			want, got := make([]string, b.length(row)), make([]string, b.length(row))
			for t := range want {
				i := t*b.B + row
				want[t], got[t] = p.Labels[b.Targets[i]], p.Labels[best[i]]
				s.Tags.Add(int(b.Targets[i]), int(best[i]))
			}
			s.Spans.Add(want, got)
		}
	})
	s.Padding = 1 - float64(s.Words)/float64(max(1, steps))
	return s, err
}

// ClassScore is what a classifier's labels are worth.
type ClassScore struct {
	Nats float64 // summed over the examples
	metrics.Confusion
}

// Loss is in nats per example.
func (s *ClassScore) Loss() float64 { return s.Nats / float64(s.Total()) }

// ScoreLabels labels sequences and compares. Unless progress is nil, it is told how
// many are done.
func ScoreLabels(ctx context.Context, p *Packed, team *nn.Team, x *Sequences, progress func(done, total int)) (*ClassScore, error) {
	if err := p.only(Classify, "score labels"); err != nil {
		return nil, err
	}
	r, s := NewRunner(p, team), &ClassScore{Confusion: *metrics.NewConfusion(p.Labels)}
	var best []int32
	err := eachBatch(ctx, x, progress, func(examples []int) {
		b := x.Batch(examples)
		best = nn.Grow(best, b.B)
		nats, _ := r.score(best, b)
		s.Nats += nats
		for row, got := range best {
			s.Add(int(b.Targets[row]), int(got))
		}
	})
	return s, err
}

// Tagger tags sentences.
type Tagger struct {
	p *Packed
	r *Runner
}

// NewTagger makes a Tagger of p on a team, which stays the caller's.
func NewTagger(p *Packed, team *nn.Team) (*Tagger, error) {
	if err := p.only(Tag, "tag"); err != nil {
		return nil, err
	}
	return &Tagger{p, NewRunner(p, team)}, nil
}

// Tag is the tags of sentences, one for each of their words. Those that a sentence
// has are not looked at.
func (t *Tagger) Tag(ctx context.Context, sentences []data.Sentence) ([][]string, error) {
	x, err := NewSentences(t.p.Spec, t.p.Names, sentences, false)
	if err != nil {
		return nil, err
	}
	tags := make([][]string, len(sentences))
	var best []int32
	err = eachBatch(ctx, x, nil, func(examples []int) {
		b := x.Batch(examples)
		best = nn.Grow(best, b.T*b.B)
		t.r.Answer(best, nil, b)
		for row, e := range examples {
			tags[e] = make([]string, b.length(row))
			for i := range tags[e] {
				tags[e][i] = t.p.Labels[best[i*b.B+row]]
			}
		}
	})
	return tags, err
}

// Classifier says what sequences are.
type Classifier struct {
	p *Packed
	r *Runner
}

// NewClassifier makes a Classifier of p on a team, which stays the caller's.
func NewClassifier(p *Packed, team *nn.Team) (*Classifier, error) {
	if err := p.only(Classify, "classify"); err != nil {
		return nil, err
	}
	return &Classifier{p, NewRunner(p, team)}, nil
}

// Classify is the label of each example, by its place among the model's Labels, and
// the probabilities (K) of all of them.
func (c *Classifier) Classify(ctx context.Context, examples []data.Example) (labels []int, probs [][]float32, err error) {
	x, err := NewSequences(c.p.Spec, c.p.Names, examples, false)
	if err != nil {
		return nil, nil, err
	}
	labels, probs = make([]int, len(examples)), make([][]float32, len(examples))
	k := len(c.p.Labels)
	var best []int32
	err = eachBatch(ctx, x, nil, func(rows []int) {
		b := x.Batch(rows)
		best = nn.Grow(best, b.B)
		all := make([]float32, b.B*k)
		c.r.Answer(best, all, b)
		for row, e := range rows {
			labels[e], probs[e] = int(best[row]), all[row*k:(row+1)*k]
		}
	})
	return labels, probs, err
}
