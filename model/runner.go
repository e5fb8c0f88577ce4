package model

import (
	"fmt"

	"sluice/nn"
	"sluice/rnn"
)

// Batch is a minibatch, time first. What a task reads of it, it must have.
type Batch struct {
	T, B    int
	IDs     []int32   // (T, B) in [0, V): symbols, past a length any of these
	Data    []float32 // (T, B, F): numbers; of a direct forecast segments, less the last value of the window
	Lengths []int     // (B) in [0, T] steps of each row; nil: all are T
	Targets []int32   // (T, B) in [0, V), or nn.Ignore: of a language model or tags, which are ignored past a length; (B) of a classification
	Values  []float32 // (B, K): of a regression; of a forecast (B, H) less the last value, or recursively (B, H·C) less the value before

	Forms     []int32    // (T, B) which of the spellings each word has, where words are spelled
	Spellings *Spellings // of the words
	Series    []int32    // (B) of a direct forecast, the series of each row
}

// Runner runs a Packed for one caller at a time.
type Runner struct {
	p            *Packed
	team         *nn.Team
	rnn          *rnn.Runner
	head         head
	tape         rnn.Tape
	dropout      *nn.Key // of the pass that runs
	embedding    nn.Embedding
	speller      *speller  // nil where words are not spelled
	words        []float32 // (N, E) embeddings beside spellings
	in, out      nn.Matrix // (N, F) and (N, E) of a linear layer before the stack, in blocks
	x, dx        []float32 // (N, E) or (N, F) what the stack reads, if it is not as it came
	y            []float32 // (N, H)
	dropped      []float32 // (R, H) what the head reads, after dropout
	dz           []float32 // (R, H)
	dTable       []float32 // (V, E) of a folded embedding with words dropped
	xMask, zMask nn.Mask
	activation   activationJob
	targets      []int32   // of answers and outputs
	values       []float32 // of outputs
}

// NewRunner makes a Runner of p on a team, which stays the caller's.
func NewRunner(p *Packed, team *nn.Team) *Runner {
	r := &Runner{p: p, team: team, rnn: rnn.NewRunner(p.rnn, team), embedding: nn.Embedding{F: p.Embed}}
	if p.chars != nil {
		r.speller = newSpeller(r)
	}
	r.head = tasks[p.Task].head(r)
	return r
}

// Loss returns the summed loss of b and how many count: of symbols, tags and
// labels the cross-entropy in nats over the targets, of values the squared error
// over them, and with quantiles their pinball losses, too. state (B, StateSize) is carried: where the rows start, then where
// they end; nil starts from zero.
func (r *Runner) Loss(b Batch, state []float32) (sum float64, count int) {
	return r.head.loss(r.forward(b, state, nil, nil, r.p.small || r.p.pays(b.T*b.B)), b)
}

// Gradient is Loss, and adds the gradient of its mean over what counts, and of
// what else the Objective has, to g, a flat vector with the layout of Params.
func (r *Runner) Gradient(g []float32, b Batch, state []float32, o Objective) (sum float64, count int) {
	p := r.p
	if !p.Precision.Trains() {
		panic(fmt.Sprintf("model: Gradient: weights of %v serve inference alone: want a model of float32", p.Precision))
	}
	if len(g) != p.size {
		panic(fmt.Sprintf("model: Gradient: g has %d values, want %d", len(g), p.size))
	}
	if err := o.Validate(p.Spec); err != nil {
		panic(err.Error())
	}
	if o.Weights != nil && len(o.Weights) != len(p.Labels) {
		panic(fmt.Sprintf("model: Gradient: weights of %d labels, want %d", len(o.Weights), len(p.Labels)))
	}
	whole := o.Dropout == nil || p.InputDropout == 0 // else embeddings are no rows of a table
	return r.gradient(g, b, state, o, whole && p.pays(b.T*b.B))
}

func (r *Runner) gradient(g []float32, b Batch, state []float32, o Objective, fold bool) (sum float64, count int) {
	r.tape.Dropout = o.Dropout
	z := r.forward(b, state, &r.tape, o.Dropout, fold)
	r.dz = nn.Grow(r.dz, len(z))
	sum, count = r.head.gradient(g, r.dz, z, b, o)
	if o.AR > 0 && len(z) > 0 {
		r.regularise(activationJob{dx: r.dz, x: z, by: float32(2 * o.AR / float64(len(z)))})
	}
	width := r.p.RNN.OutputSize()
	r.zMask.Again(r.team, r.dz, width)
	dy := r.head.back(g, r.dz, b)
	if pairs := b.pairs(); o.TAR > 0 && pairs > 0 {
		r.regularise(activationJob{dx: dy, x: r.y, by: float32(2 * o.TAR / float64(pairs*width)), temporal: true, b: b})
	}
	r.backward(g, dy, b, fold)
	return sum, count
}

// backward goes from the gradient of the stack's outputs to that of its
// parameters and of what stands before it.
func (r *Runner) backward(g, dy []float32, b Batch, fold bool) {
	p := r.p
	gEmbed, gRNN := p.rows.find(g, embedWeight), p.rows.of(stack, g)
	switch {
	case p.Embed == 0:
		r.rnn.Backward(gRNN, nil, dy, nil, &r.tape)
	case fold && !p.drop.on:
		r.rnn.Backward(gRNN, gEmbed, dy, nil, &r.tape)
	case fold:
		r.dTable = nn.Grow(r.dTable, len(gEmbed))
		clear(r.dTable)
		r.rnn.Backward(gRNN, r.dTable, dy, nil, &r.tape)
		for i, v := range r.dTable {
			gEmbed[i] += float32(v * p.drop.scale[i/p.Embed])
		}
	default:
		width := p.RNN.Input
		r.dx = nn.Grow(r.dx, b.T*b.B*width)
		r.rnn.Backward(gRNN, r.dx, dy, nil, &r.tape)
		r.xMask.Again(r.team, r.dx, width)
		switch {
		case p.numbers != nil:
			r.numbersBack(g, b)
		case r.speller != nil:
			r.speller.backward(g, r.dx, width, p.Embed, b)
			for i := range b.IDs {
				copy(r.words[i*p.Embed:(i+1)*p.Embed], r.dx[i*width:])
			}
			r.embedding.Backward(r.team, gEmbed, r.words, b.IDs, p.scale())
		default:
			r.embedding.Backward(r.team, gEmbed, r.dx, b.IDs, p.scale())
		}
	}
}

// numbersBack is the way back through a linear layer of numbers with ReLU.
func (r *Runner) numbersBack(g []float32, b Batch) {
	p, n := r.p, b.T*b.B
	for i := range n {
		for k := 0; k < p.Embed; k += r.out.Width {
			out := r.out.At(i, k)
			dx := r.dx[i*p.Embed+k : min((i+1)*p.Embed, i*p.Embed+k+r.out.Width)]
			for j, v := range out {
				if out[j] = 0; j < len(dx) && v > 0 {
					out[j] = dx[j]
				}
			}
		}
	}
	p.numbers.Backward(r.team, p.rows.find(g, inputWeight), p.rows.find(g, inputBias), nil, r.out, r.in, n)
}

// readNumbers sets x to what a linear layer with ReLU makes of the numbers.
func (r *Runner) readNumbers(b Batch) {
	p, n := r.p, b.T*b.B
	r.in, r.out = r.in.Grow(n, p.Features), r.out.Grow(n, p.Embed)
	r.team.ToBlocks(r.in, nn.RowMajor(b.Data, p.Features), p.Features, n)
	p.numbers.Forward(r.team, r.out, r.in, n)
	r.x = nn.Grow(r.x, n*p.Embed)
	for i := range n {
		row := r.x[i*p.Embed : (i+1)*p.Embed]
		r.out.GetRow(row, i)
		for k, v := range row {
			row[k] = max(v, 0)
		}
	}
}

// readWords sets x to the embeddings of words, each followed by its spelling.
func (r *Runner) readWords(b Batch) {
	p, width := r.p, r.p.RNN.Input
	r.words, r.x = nn.Grow(r.words, len(b.IDs)*p.Embed), nn.Grow(r.x, len(b.IDs)*width)
	r.embedding.Forward(r.team, r.words, p.embed, b.IDs, p.scale())
	for i := range b.IDs {
		copy(r.x[i*width:], r.words[i*p.Embed:(i+1)*p.Embed])
	}
	r.speller.forward(r.x, width, p.Embed, b)
}

// forward checks b and returns what the head reads of it. With the key of a
// dropout it is dropped out, as is what the stack reads.
func (r *Runner) forward(b Batch, state []float32, tape *rnn.Tape, dropout *nn.Key, fold bool) []float32 {
	p := r.p
	if want := b.T * b.B * p.Features; len(b.Data) != want {
		panic(fmt.Sprintf("model: a batch of %d numbers, want %d × %d × %d", len(b.Data), b.T, b.B, p.Features))
	}
	if want := b.T * b.B; p.Vocab != nil && len(b.IDs) != want {
		panic(fmt.Sprintf("model: a batch of %d symbols, want %d × %d", len(b.IDs), b.T, b.B))
	}
	if b.Lengths != nil && len(b.Lengths) != b.B {
		panic(fmt.Sprintf("model: a batch of %d lengths, want %d", len(b.Lengths), b.B))
	}
	r.head.check(b)
	r.dropout = dropout
	x := r.input(b, dropout, fold)
	width := p.RNN.OutputSize()
	r.y = nn.Grow(r.y, b.T*b.B*width)
	r.rnn.Forward(r.y, x, state, tape)
	z := r.head.read(r.y, b)
	r.zMask.Values = r.zMask.Values[:0]
	if dropout != nil && p.OutputDropout > 0 { // y stays as the tape has it
		r.dropped = nn.Grow(r.dropped, len(z))
		r.zMask.Apply(r.team, r.dropped, z, width, b.B, float32(p.OutputDropout), stream(*dropout, outputStream), p.RNN.Locked)
		z = r.dropped
	}
	return z
}

// stream is the key of a layer.
func stream(key nn.Key, layer uint64) nn.Key {
	key.Layer = layer
	return key
}

// input is what the stack reads: symbols, rows of the embedding, or numbers.
// Masks of a dropout go over the latter two.
func (r *Runner) input(b Batch, dropout *nn.Key, fold bool) rnn.Sequence {
	p := r.p
	x := rnn.Sequence{T: b.T, B: b.B, F: p.RNN.Input, Lengths: b.Lengths}
	r.xMask.Values = r.xMask.Values[:0]
	switch {
	case p.numbers != nil:
		r.readNumbers(b)
		x.Data = r.x
	case p.Features > 0:
		x.Data = b.Data
	case r.speller != nil:
		r.readWords(b)
		x.Data = r.x
	case p.Embed == 0:
		x.IDs = b.IDs
	case fold && len(b.IDs) > 0:
		p.fold(r.team)
		x.F, x.IDs = p.Vocab.Size(), b.IDs
	default:
		r.x = nn.Grow(r.x, len(b.IDs)*p.Embed)
		r.embedding.Forward(r.team, r.x, p.embed, b.IDs, p.scale())
		x.Data = r.x
	}
	if dropout != nil && p.InputDropout > 0 {
		r.x = nn.Grow(r.x, len(x.Data))
		r.xMask.Apply(r.team, r.x, x.Data, x.F, b.B, float32(p.InputDropout), stream(*dropout, inputStream), p.RNN.Locked)
		x.Data = r.x
	}
	return x
}

// Step runs the streams of a language model whose states are at rows of slab
// through one symbol each, ids (n), and sets logits (n, V), in blocks, for the
// next: those of an adaptive softmax are log-probabilities.
func (r *Runner) Step(logits nn.Matrix, ids []int32, slab []float32, rows []int32) {
	p, n := r.p, len(ids)
	if err := p.only(LM, "step through symbols"); err != nil {
		panic(err.Error())
	}
	x := r.input(Batch{T: 1, B: n, IDs: ids}, nil, p.small)
	width := p.RNN.OutputSize()
	r.y = nn.Grow(r.y, n*width)
	r.rnn.Step(r.y, x, slab, rows)
	r.head.(predictor).next(logits, r.y, n)
}
