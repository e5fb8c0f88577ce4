package model

import (
	"fmt"
	"sync"

	"sluice/data"
	"sluice/nn"
	"sluice/rnn"
)

// Packed is a model's weights laid out for running. It does not change when
// the model does, and many Runners and Generators may share it.
type Packed struct {
	Spec
	Vocab     *data.Vocab
	Precision nn.Precision // of products: see nn.Precision
	size      int          // parameters of the model
	embed     []float32    // (V, E)
	folding   sync.Once    // of embed into the first layer's product with it
	small     bool         // that takes no more memory than the weights
	rnn       *rnn.Packed
	head      *nn.Linear
}

// Pack makes a Packed of the parameters as they are.
func (m *Model) Pack() *Packed { return m.PackAs(m.Precision) }

// PackAs is Pack with a precision: the model's, or nn.Mixed of a model of
// float32, to train it.
func (m *Model) PackAs(as nn.Precision) *Packed {
	if !m.packsAs(as) {
		panic(fmt.Sprintf("model: PackAs: %v of a model of %v", as, m.Precision))
	}
	p := &Packed{
		Spec: m.Spec, Vocab: m.Vocab, Precision: as, size: len(m.Params),
		embed: make([]float32, m.Vocab.Size()*m.Embed),
		rnn:   m.rnn.PackAs(as),
		head:  nn.NewLinear(m.rnn.OutputSize(), m.Vocab.Size()),
	}
	bytes := map[nn.Precision]int{nn.Float32: 4, nn.BF16: 2, nn.Int8: 1}[m.Precision]
	p.small = m.Vocab.Size()*p.rnn.FoldedSize() <= len(m.Params)*bytes/4
	m.repackOutside(nil, p)
	return p
}

func (m *Model) packsAs(as nn.Precision) bool {
	return as == m.Precision || as == nn.Mixed && m.Precision == nn.Float32
}

// Repack fills a Packed made by this model's Pack with the parameters as they
// are, without allocating if its precision serves training. The team shares the
// work; without one, nil, the caller does it. Only who owns p alone may do it: a
// trainer after each update.
func (m *Model) Repack(team *nn.Team, p *Packed) {
	if p.size != len(m.Params) || !m.packsAs(p.Precision) {
		panic("model: Repack: the Packed is of another model")
	}
	m.rnn.Repack(team, p.rnn)
	m.repackOutside(team, p)
}

// repackOutside fills what is not the stack's.
func (m *Model) repackOutside(team *nn.Team, p *Packed) {
	copy(p.embed, m.Params)
	p.folding = sync.Once{}
	head := m.Params[len(p.embed)+m.rnn.Size():]
	weights := len(head) - m.Vocab.Size()
	p.head.PackAs(team, head[:weights], head[weights:], p.Precision)
}

// Batch is a minibatch of a language model, time first.
type Batch struct {
	T, B    int
	IDs     []int32 // (T, B) in [0, V)
	Targets []int32 // (T, B) in [0, V), or nn.Ignore
}

// Runner runs a Packed for one caller at a time.
type Runner struct {
	p        *Packed
	team     *nn.Team
	rnn      *rnn.Runner
	loss     nn.CrossEntropy
	tape     rnn.Tape
	x, xMask []float32 // (N, E)
	y, dy    []float32 // (N, H)
	zMask    []float32 // (N, H)
	dropped  []float32 // (N, H) y after dropout
	z        nn.Matrix // (N, H) what the head reads: y, or dropped, in blocks
	logits   nn.Matrix // (N, V)
	dx       []float32 // (N, E)
	random   nn.Random
}

// NewRunner makes a Runner of p on a team, which stays the caller's.
func NewRunner(p *Packed, team *nn.Team) *Runner {
	return &Runner{p: p, team: team, rnn: rnn.NewRunner(p.rnn, team), loss: nn.CrossEntropy{V: p.Vocab.Size()}}
}

// Loss returns the summed cross-entropy of the targets of b in nats, and how
// many count. state (B, StateSize) is carried: where the rows start, then
// where they end; nil starts from zero.
func (r *Runner) Loss(b Batch, state []float32) (nats float64, count int) {
	r.forward(b, state, nil, nil, r.p.small || r.p.pays(b.T*b.B))
	return r.loss.Loss(r.team, r.logits, b.Targets)
}

// Gradient is Loss, and adds the gradient of the mean over the targets that
// count to g, a flat vector with the layout of Params. dropout is the key of
// the masks; nil drops nothing.
func (r *Runner) Gradient(g []float32, b Batch, state []float32, dropout *nn.Key) (nats float64, count int) {
	p := r.p
	if !p.Precision.Trains() {
		panic(fmt.Sprintf("model: Gradient: weights of %v serve inference alone: want a model of float32", p.Precision))
	}
	if len(g) != p.size {
		panic(fmt.Sprintf("model: Gradient: g has %d values, want %d", len(g), p.size))
	}
	whole := dropout == nil || p.Dropout == 0 // else embeddings are no rows of a table
	return r.gradient(g, b, state, dropout, whole && p.pays(b.T*b.B))
}

func (r *Runner) gradient(g []float32, b Batch, state []float32, dropout *nn.Key, fold bool) (nats float64, count int) {
	p := r.p
	r.tape.Dropout = dropout
	r.forward(b, state, &r.tape, dropout, fold)
	for _, target := range b.Targets {
		if target != nn.Ignore {
			count++
		}
	}
	nats, _ = r.loss.Gradient(r.team, r.logits, b.Targets, 1/float32(max(1, count)))

	n, out, v := b.T*b.B, p.rnn.OutputSize(), p.Vocab.Size()
	weight, bias := p.size-v*(out+1), p.size-v // where those of the head start
	r.dy = nn.Grow(r.dy, n*out)
	p.head.Backward(r.team, g[weight:bias], g[bias:], r.dy, r.logits, r.z, n)
	mask(r.dy, r.zMask)
	gEmbed, gRNN := g[:len(p.embed)], g[len(p.embed):weight]
	if p.Embed == 0 || fold {
		r.rnn.Backward(gRNN, gEmbed, r.dy, nil, &r.tape)
		return nats, count
	}
	r.dx = nn.Grow(r.dx, n*p.Embed)
	r.rnn.Backward(gRNN, r.dx, r.dy, nil, &r.tape)
	mask(r.dx, r.xMask)
	nn.ScatterAdd(gEmbed, r.dx, b.IDs, p.Embed)
	return nats, count
}

// pays says whether folding the embedding into the first layer costs less than
// n rows of products with it, though it were for them alone.
func (p *Packed) pays(n int) bool { return 2*p.Vocab.Size() <= n }

// input is what the stack reads for ids (T, B): symbols, or the rows of the
// embedding, which masks of a dropout may follow.
func (r *Runner) input(steps, rows int, ids []int32, fold bool) rnn.Sequence {
	p := r.p
	x := rnn.Sequence{T: steps, B: rows, F: p.Vocab.Size(), IDs: ids}
	switch {
	case p.Embed == 0:
	case fold && len(ids) > 0:
		p.folding.Do(func() { p.rnn.Fold(r.team, p.embed) })
	default:
		r.x = nn.Grow(r.x, len(ids)*p.Embed)
		nn.Gather(r.x, p.embed, ids, p.Embed)
		x.F, x.IDs, x.Data = p.Embed, nil, r.x
	}
	return x
}

// forward sets logits (N, V). With dropout, it sets z and the masks too.
func (r *Runner) forward(b Batch, state []float32, tape *rnn.Tape, dropout *nn.Key, fold bool) {
	p, n := r.p, b.T*b.B
	if len(b.IDs) != n || len(b.Targets) != n {
		panic(fmt.Sprintf("model: a batch of %d symbols and %d targets, want %d × %d", len(b.IDs), len(b.Targets), b.T, b.B))
	}
	x := r.input(b.T, b.B, b.IDs, fold)
	r.xMask, r.zMask = r.xMask[:0], r.zMask[:0]
	drop := dropout != nil && p.Dropout > 0
	if p.Embed > 0 && drop {
		r.xMask = r.masks(r.xMask, b, p.Embed, *dropout, outside)
		mask(x.Data, r.xMask)
	}
	out := p.rnn.OutputSize()
	r.y = nn.Grow(r.y, n*out)
	r.rnn.Forward(r.y, x, state, tape)
	z := r.y
	if drop {
		r.dropped = append(r.dropped[:0], r.y...) // y stays as the tape has it
		r.zMask = r.masks(r.zMask, b, out, *dropout, outside+1)
		z = r.dropped
		mask(z, r.zMask)
	}
	r.z, r.logits = r.z.Grow(n, out), r.logits.Grow(n, p.Vocab.Size())
	r.team.ToBlocks(r.z, nn.RowMajor(z, out), out, n)
	p.head.Forward(r.team, r.logits, r.z, n)
}

// masks fills m (T, B, width) from the streams of a layer.
func (r *Runner) masks(m []float32, b Batch, width int, key nn.Key, layer uint64) []float32 {
	m = nn.Grow(m, b.T*b.B*width)
	key.Layer = layer
	for i := range b.T * b.B {
		r.random.Dropout(m[i*width:(i+1)*width], float32(r.p.Dropout), key.At(i/b.B, i%b.B))
	}
	return m
}

// mask multiplies x by m, unless m is empty.
func mask(x, m []float32) {
	for i, v := range m {
		x[i] *= v
	}
}

// StateSize is the number of floats that hold the state of one stream.
func (p *Packed) StateSize() int { return p.rnn.StateSize() }

// Step runs the streams whose states are at rows of slab through one symbol
// each, ids (n), and sets logits (n, V), in blocks, for the next.
func (r *Runner) Step(logits nn.Matrix, ids []int32, slab []float32, rows []int32) {
	p, n := r.p, len(ids)
	x := r.input(1, n, ids, p.small)
	r.y = nn.Grow(r.y, n*p.rnn.OutputSize())
	r.rnn.Step(r.y, x, slab, rows)
	p.head.Forward(r.team, logits, nn.RowMajor(r.y, p.rnn.OutputSize()), n)
}
