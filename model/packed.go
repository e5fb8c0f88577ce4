package model

import (
	"fmt"
	"slices"
	"sync"

	"sluice/internal/kernel"
	"sluice/nn"
	"sluice/rnn"
)

// Packed is a model's weights laid out for running. It does not change when
// the model does, but see Repack, and many Runners and Generators may share it.
type Packed struct {
	Spec
	Names
	Precision nn.Precision // of products: see nn.Precision
	rows      layout
	size      int       // parameters of the model
	embed     []float32 // (V, E)
	drop      words
	spelling  sync.Once  // of letters into the layer of characters
	folding   sync.Once  // of embed into the first layer's product with it
	small     bool       // that takes no more memory than the weights, and saves some of a step
	numbers   *nn.Linear // of numbers, nil for none
	letters   []float32  // (Vc, Ec) the embedding of characters
	rnn       *rnn.Packed
	chars     *rnn.Packed // nil where words are not spelled
	head      weights
}

// words are those of an embedding that RepackDropped has left, scaled.
type words struct {
	on     bool
	scale  []float32 // (V)
	table  []float32 // (V, E) the embedding times scale, where it is folded
	random []nn.Random
	job    wordsJob
}

// Pack makes a Packed of the parameters as they are.
func (m *Model) Pack() *Packed { return m.PackAs(m.Precision) }

// PackAs is Pack with a precision: the model's, or nn.Mixed of a model of
// float32, to train it.
func (m *Model) PackAs(as nn.Precision) *Packed {
	p := m.PackShared(as)
	p.embed, p.letters = slices.Clone(p.embed), slices.Clone(p.letters)
	return p
}

// PackShared is PackAs for who trains: p reads the embedding in m's Params, as it
// does once it was repacked.
func (m *Model) PackShared(as nn.Precision) *Packed {
	if !m.packsAs(as) {
		panic(fmt.Sprintf("model: PackAs: %v of a model of %v", as, m.Precision))
	}
	p := &Packed{
		Spec: m.Spec, Names: m.Names, Precision: as, rows: m.rows, size: len(m.Params),
		embed: m.rows.find(m.Params, embedWeight),
		rnn:   m.rnn.PackAs(as),
	}
	if m.Embed > 0 && m.Features > 0 {
		p.numbers = nn.NewLinear(m.Features, m.Embed)
	}
	if m.chars != nil {
		p.chars = m.chars.PackAs(as)
	}
	p.head = m.task.weights(p)
	p.packAround(nil, m)
	if m.folds() {
		bytes := map[nn.Precision]int{nn.Float32: 4, nn.BF16: 2, nn.Int8: 1}[m.Precision]
		v, folded := m.Vocab.Size(), p.rnn.FoldedSize()
		p.small = v*folded <= len(m.Params)*bytes/4 && v*m.RNN.Hidden <= saves*m.Embed*folded
	}
	return p
}

// packAround takes what stands around the networks.
func (p *Packed) packAround(team *nn.Team, m *Model) {
	p.letters = m.rows.find(m.Params, charsWeight)
	if p.numbers != nil {
		p.numbers.PackAs(team, m.rows.find(m.Params, inputWeight), m.rows.find(m.Params, inputBias), p.Precision)
	}
	p.head.pack(team, p, m.Params)
	p.spelling = sync.Once{}
}

// folds says whether the embedding can be folded into the first layer.
func (s Spec) folds() bool { return s.Embed > 0 && s.Features == 0 && !s.Chars.on() }

// saves is how many times as large as the product that folding saves, the head's
// may be: beyond it nobody would see the difference, and the first step would
// wait for many products.
const saves = 32

func (m *Model) packsAs(as nn.Precision) bool {
	return as == m.Precision || as == nn.Mixed && m.Precision == nn.Float32
}

// Repack fills a Packed made by this model's Pack with the parameters as they
// are, without allocating if its precision serves training. The team shares the
// work; without one, nil, the caller does it. Only who owns p alone may do it: a
// trainer after each update. From then on p reads the embedding in m's Params,
// where it may be large, so it must be repacked whenever they have changed.
func (m *Model) Repack(team *nn.Team, p *Packed) { m.repack(team, p, nil) }

func (m *Model) repack(team *nn.Team, p *Packed, drop *nn.Key) {
	if p.size != len(m.Params) || !m.packsAs(p.Precision) {
		panic("model: Repack: the Packed is of another model")
	}
	if drop == nil {
		m.rnn.Repack(team, p.rnn)
	} else {
		m.rnn.RepackDropped(team, p.rnn, *drop)
	}
	if m.chars != nil {
		m.chars.Repack(team, p.chars)
	}
	p.embed = m.rows.find(m.Params, embedWeight)
	p.drop.on, p.folding = false, sync.Once{}
	p.packAround(team, m)
}

// RepackDropped is Repack for one update: p then lacks the rows of the embedding
// that a mask of EmbeddingDropout drops, and the recurrent weights that one of
// RNN.WeightDrop does; the others are scaled by 1/(1−p) (Gal and Ghahramani 2016,
// Merity et al. 2018). Whatever runs p, until the next Repack, runs without them.
// The gradient is that of the parameters once MaskGradient has been over it. The
// key's Seed and Step say which.
func (m *Model) RepackDropped(team *nn.Team, p *Packed, key nn.Key) {
	m.repack(team, p, &key)
	if m.EmbeddingDropout > 0 {
		p.drop.draw(team, m.Vocab.Size(), float32(m.EmbeddingDropout), key)
	}
}

// Drops says whether RepackDropped differs from Repack.
func (s Spec) Drops() bool { return s.EmbeddingDropout > 0 || s.RNN.WeightDrop > 0 }

// MaskGradient puts the masks of RepackDropped on g, a flat vector with the
// layout of Params, once all of an update's Gradient is in it.
func (p *Packed) MaskGradient(team *nn.Team, g []float32) {
	p.rnn.MaskGradient(team, p.rows.of(stack, g))
}

// scale is (V) that rows of the embedding are multiplied by, nil for ones.
func (p *Packed) scale() []float32 {
	if !p.drop.on {
		return nil
	}
	return p.drop.scale
}

// fold folds the embedding into the first layer, once for many Runners.
func (p *Packed) fold(team *nn.Team) {
	p.folding.Do(func() {
		table := p.embed
		if d := &p.drop; d.on {
			d.table = nn.Grow(d.table, len(table))
			for i, v := range table {
				d.table[i] = v * d.scale[i/p.Embed]
			}
			table = d.table
		}
		p.rnn.Fold(team, table)
	})
}

// pays says whether folding the embedding into the first layer costs less than
// n rows of products with it, though it were for them alone.
func (p *Packed) pays(n int) bool { return p.folds() && 2*p.Vocab.Size() <= n }

// StateSize is the number of floats that hold the state of one stream.
func (p *Packed) StateSize() int { return p.rnn.StateSize() }

// wordsJob draws the mask of a piece of a vocabulary, each from a stream of its
// own.
type wordsJob struct {
	w     *words
	p     float32
	key   nn.Key
	parts int
}

// wordsPiece is how many words a stream is for. Another changes the masks.
const wordsPiece = 1 << 12

func (d *words) draw(team *nn.Team, v int, p float32, key nn.Key) {
	d.on, d.scale = true, nn.Grow(d.scale, v)
	key.Layer = embeddingStream
	d.job = wordsJob{d, p, key, min(team.Threads(), (v+wordsPiece-1)/wordsPiece)}
	d.random = nn.Grow(d.random, d.job.parts)
	team.Do(d.job.parts, &d.job)
}

func (j *wordsJob) Run(part int) {
	scale := j.w.scale
	from, to := kernel.Span(len(scale), part, j.parts, wordsPiece)
	for ; from < to; from += wordsPiece {
		j.w.random[part].Dropout(scale[from:min(to, from+wordsPiece)], j.p, j.key.At(from/wordsPiece, 0))
	}
}
