package train

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"sluice/data"
	"sluice/model"
	"sluice/nn"
	"sluice/optim"
)

// ErrDiverged is wrapped by the error of a run whose loss, gradient or weights
// were no longer finite.
var ErrDiverged = errors.New("train: diverged")

// Result is what a run leaves, also when it ended early.
type Result struct {
	Model *model.Model // the weights kept, with their History
	Curve []Epoch
}

// Run trains a model on text with a number of threads and tells observe what
// happens. When ctx ends it stops after the update at work and returns ctx's
// error beside a Result whose Model holds the best of the epochs done, or of
// the first epoch the weights as they were; without a Result if there was no
// update yet. A run that diverges ends the same way, with an error that wraps
// ErrDiverged, but without a Result where no epoch was done.
func Run(ctx context.Context, c Config, text *Text, threads int, observe func(Event)) (*Result, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	for _, prefix := range c.Prefixes {
		if _, err := text.Vocab.Encode(prefix); err != nil {
			return nil, fmt.Errorf("train: prefix %q: %w", prefix, err)
		}
	}
	team := nn.NewTeam(threads)
	defer team.Close()
	r, err := newRun(c, text, team, observe)
	if err != nil {
		return nil, err
	}
	stopped := r.train(ctx)
	if stopped != nil && r.best.epoch == 0 && (r.updates == 0 || errors.Is(stopped, ErrDiverged)) {
		return nil, stopped
	}
	if err := r.finish(ctx, stopped); err != nil {
		return nil, err
	}
	return &Result{Model: r.model, Curve: r.curve}, stopped
}

// run is a run in progress.
type run struct {
	c       Config
	text    *Text
	observe func(Event)
	team    *nn.Team

	model  *model.Model
	packed *model.Packed // trained on
	saved  *model.Packed // as exact has filled it last: packed, unless that is rounded
	runner *model.Runner
	opt    optim.Optimizer
	batch  *data.Sampler

	grad, state []float32 // (N) of parameters, (B, StateSize)
	masks       nn.Key    // of the update at work
	ids, target []int32   // (T, B)

	updates, total int // made, of the whole run
	symbols        int // trained on so far
	began          time.Time
	training       time.Duration // without evaluation and samples

	curve []Epoch
	keep  string
	best  struct {
		params  []float32
		epoch   int // 0: none yet
		updates int
		score   float64
	}
}

func newRun(c Config, text *Text, team *nn.Team, observe func(Event)) (*run, error) {
	m, err := model.New(c.Model, text.Vocab)
	if err != nil {
		return nil, err
	}
	c.Model = m.Spec
	if err := m.Init(c.Init, c.Seed); err != nil {
		return nil, err
	}
	batches := c.Batches
	batches.Seed = c.Seed
	sampler, err := data.NewSampler(text.Train, batches)
	if err != nil {
		return nil, err
	}
	r := &run{c: c, text: text, observe: observe, team: team, model: m, batch: sampler, keep: c.Keep}
	r.total = c.Epochs * sampler.Len()
	if r.c.Schedule.Total == 0 {
		r.c.Schedule.Total = max(r.total, c.Schedule.Warmup+1)
	}
	if err := r.c.Schedule.Validate(); err != nil {
		return nil, err
	}
	if r.keep == KeepHeldOut && len(text.HeldOut) == 0 {
		return nil, fmt.Errorf("train: keep %q: the text has nothing held out", r.keep)
	}
	if r.keep == "" || r.keep == KeepAuto {
		r.keep = KeepHeldOut
		if len(text.Train) < LearntByHeart || len(text.HeldOut) == 0 {
			r.keep = KeepTrain
		}
	}
	r.packed = m.Pack()
	r.saved = r.packed
	if as := c.Products(); as != m.Precision {
		r.packed = m.PackAs(as)
	}
	r.runner = model.NewRunner(r.packed, team)
	r.opt = c.Optimizer.new(len(m.Params))
	r.grad = make([]float32, len(m.Params))
	r.state = make([]float32, batches.Batch*r.packed.StateSize())
	r.ids, r.target = make([]int32, batches.Batch*batches.Steps), make([]int32, batches.Batch*batches.Steps)
	return r, nil
}

// train runs the epochs.
func (r *run) train(ctx context.Context) error {
	r.observe(Start{
		Parameters: len(r.model.Params), Symbols: r.text.Vocab.Size(),
		TrainSymbols: len(r.text.Train), HeldOutSymbols: len(r.text.HeldOut),
		Epochs: r.c.Epochs, Updates: r.total,
	})
	r.began = time.Now()
	for epoch := 1; epoch <= r.c.Epochs; epoch++ {
		done, err := r.epoch(ctx, epoch)
		if err != nil {
			return err
		}
		if len(r.text.HeldOut) > 0 {
			perplexity, err := r.perplexity(ctx, r.text.HeldOut)
			if err != nil && r.keep != KeepHeldOut { // the epoch counts also without that score
				done.Best = r.consider(done)
				r.curve = append(r.curve, done)
			}
			if err != nil {
				return err
			}
			done.HeldOutPerplexity = perplexity
			if err := r.finite("held-out loss", done.HeldOutPerplexity, epoch); err != nil {
				return err
			}
		}
		done.Best = r.consider(done)
		r.curve = append(r.curve, done)
		r.observe(done)
		if err := r.samples(ctx, epoch); err != nil {
			return err
		}
	}
	return nil
}

// epoch goes once through the training part.
func (r *run) epoch(ctx context.Context, epoch int) (Epoch, error) {
	start, nats, count := time.Now(), 0.0, 0
	r.batch.Epoch(epoch - 1)
	for {
		if err := ctx.Err(); err != nil {
			return Epoch{}, err
		}
		b := r.next()
		if b.T == 0 {
			break
		}
		p, err := r.update(b, epoch)
		if err != nil {
			return Epoch{}, err
		}
		nats, count = nats+p.nats, count+p.count
		r.symbols += p.count
		elapsed := r.training + time.Since(start)
		p.Perplexity = math.Exp(nats / float64(count))
		p.PerSecond = perSecond(r.symbols, elapsed)
		p.Left = time.Duration(float64(time.Since(r.began)) / float64(r.updates) * float64(max(0, r.total-r.updates)))
		r.observe(p.Progress)
	}
	took := time.Since(start)
	r.training += took
	if err := r.finite("weights", optim.Norm(r.team, r.model.Params), epoch); err != nil {
		return Epoch{}, err
	}
	return Epoch{
		Epoch: epoch, Updates: r.updates, Perplexity: math.Exp(nats / float64(count)),
		PerSecond: perSecond(count, took), Time: took,
	}, nil
}

// perSecond is finite also where a coarse clock stands still.
func perSecond(n int, d time.Duration) float64 {
	return float64(n) / max(d, time.Microsecond).Seconds()
}

// next is the next minibatch of the epoch, its T 0 at the end. It clears the
// state where the rows start anew.
func (r *run) next() model.Batch {
	if !r.batch.Carries() {
		clear(r.state)
	}
	rows := r.c.Batches.Batch
	steps := r.batch.Next(r.ids, r.target)
	return model.Batch{T: steps, B: rows, IDs: r.ids[:steps*rows], Targets: r.target[:steps*rows]}
}

// updated is the Progress of one update with its loss.
type updated struct {
	Progress
	nats  float64
	count int
}

// update makes one update from one minibatch.
func (r *run) update(b model.Batch, epoch int) (updated, error) {
	r.team.Clear(r.grad)
	u := updated{Progress: Progress{Epoch: epoch, Updates: r.total, LearningRate: r.c.Schedule.At(r.updates, 0)}}
	var dropout *nn.Key
	if r.c.Model.Dropout > 0 || r.c.Model.RNN.Dropout > 0 {
		r.masks = nn.Key{Seed: r.c.Seed, Step: uint64(r.updates)}
		dropout = &r.masks
	}
	u.nats, u.count = r.runner.Gradient(r.grad, b, r.state, dropout)
	optim.ClipValue(r.grad, r.c.ClipValue)
	u.GradientNorm = optim.ClipNorm(r.team, r.grad, r.c.ClipNorm)
	if err := r.finite("loss", math.Exp(u.nats/float64(u.count)), epoch); err != nil {
		return u, err
	}
	if err := r.finite("gradient", u.GradientNorm, epoch); err != nil {
		return u, err
	}
	r.opt.Update(r.team, r.model.Params, r.grad, u.LearningRate)
	r.model.Repack(r.team, r.packed)
	r.updates++
	u.Update = r.updates
	return u, nil
}

// finite is the error of a number that has left what float32 can train with.
func (r *run) finite(what string, v float64, epoch int) error {
	if !math.IsNaN(v) && !math.IsInf(v, 0) {
		return nil
	}
	return diverged{fmt.Errorf("train: diverged after update %d, in epoch %d, at learning rate %.4g: the %s overflowed: want a lower rate or tighter clipping", r.updates, epoch, r.c.Schedule.At(r.updates, 0), what)}
}

type diverged struct{ error }

func (diverged) Is(target error) bool { return target == ErrDiverged }

// consider keeps the weights if the epoch is the best so far.
func (r *run) consider(e Epoch) bool {
	score := e.Perplexity
	switch r.keep {
	case KeepHeldOut:
		score = e.HeldOutPerplexity
	case KeepLast:
		score = -float64(e.Epoch)
	}
	if b := &r.best; b.epoch == 0 || score < b.score {
		b.params = append(b.params[:0], r.model.Params...)
		b.epoch, b.updates, b.score = e.Epoch, e.Updates, score
		return true
	}
	return false
}

// exact is the model as it stands and would be saved, whatever the precision of
// training.
func (r *run) exact() *model.Packed {
	if r.saved != r.packed {
		r.model.Repack(r.team, r.saved)
	}
	return r.saved
}

// perplexity scores each symbol of ids but the first once.
func (r *run) perplexity(ctx context.Context, ids []int32) (float64, error) {
	score, err := model.Evaluate(ctx, r.exact(), r.team, ids)
	if err != nil {
		return 0, err
	}
	return score.Perplexity(), nil
}

// samples tells how the model continues the prefixes.
func (r *run) samples(ctx context.Context, epoch int) error {
	if r.c.PredictEvery == 0 || epoch%r.c.PredictEvery != 0 {
		return nil
	}
	packed := r.exact()
	for _, prefix := range r.c.Prefixes {
		g, err := model.NewGenerator(packed, model.Sampling{})
		if err != nil {
			return err
		}
		var text strings.Builder
		text.WriteString(prefix)
		if err := g.Write(ctx, &text, prefix, r.c.PredictLength); err != nil {
			return err
		}
		r.observe(Sample{Epoch: epoch, Prefix: prefix, Text: text.String()})
	}
	return nil
}

// scored is the number of training symbols after which the last score ends.
const scored = 100_000

// finish takes up the weights to keep and writes their History. A run that was
// stopped is not made to wait for another score.
func (r *run) finish(ctx context.Context, stopped error) error {
	m, b := r.model, &r.best
	config, err := json.Marshal(r.c)
	if err != nil {
		return fmt.Errorf("train: config: %w", err)
	}
	m.History = model.History{
		Corpus: r.text.Corpus, TextSHA256: r.text.SHA256,
		TrainSymbols: len(r.text.Train), HeldOutSymbols: len(r.text.HeldOut),
		Epoch: b.epoch, Updates: b.updates, Config: config,
	}
	if b.epoch == 0 {
		if err := r.finite("weights", optim.Norm(r.team, m.Params), 1); err != nil {
			return err
		}
		m.History.Updates = r.updates
		m.History.Kept = "the weights as they were when the run ended in its first epoch"
		return nil
	}
	copy(m.Params, b.params)
	m.Repack(r.team, r.saved)
	if r.saved != r.packed {
		r.runner = model.NewRunner(r.saved, r.team)
	}
	e := r.curve[b.epoch-1]
	m.History.TrainPerplexity, m.History.HeldOutPerplexity = e.Perplexity, e.HeldOutPerplexity
	m.History.Kept = map[string]string{
		KeepTrain:   "the lowest training perplexity",
		KeepHeldOut: "the lowest held-out perplexity",
		KeepLast:    "the last epoch",
	}[r.keep]
	if stopped != nil {
		return nil
	}
	if p := r.trainPerplexity(ctx, b.epoch); !math.IsInf(p, 0) && !math.IsNaN(p) {
		m.History.TrainPerplexity = p
	}
	return nil
}

// trainPerplexity scores the minibatches of an epoch once more, as training
// read them, the weights standing still. It is NaN if ctx ends before.
func (r *run) trainPerplexity(ctx context.Context, epoch int) float64 {
	nats, count := 0.0, 0
	for r.batch.Epoch(epoch - 1); count < scored; {
		if ctx.Err() != nil {
			return math.NaN()
		}
		b := r.next()
		if b.T == 0 {
			break
		}
		n, c := r.runner.Loss(b, r.state)
		nats, count = nats+n, count+c
	}
	return math.Exp(nats / float64(count))
}
