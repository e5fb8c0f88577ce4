package train

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"sluice/data"
	"sluice/model"
	"sluice/nn"
	"sluice/optim"
)

// Options say how a run is run. Nothing of it changes what comes out.
type Options struct {
	Threads int         // 0: one
	Observe func(Event) // is told what happens, in the caller's goroutine; may be nil
	Folder  *Folder     // where checkpoints, the event log and the best model so far are kept; nil: nowhere
	From    *Checkpoint // the place to go on from, that Folder or ReadCheckpoint gave; nil: from the start
}

// Result is what a run leaves, also when it ended early.
type Result struct {
	Model *model.Model // the weights kept, with their History
	Curve []Epoch
}

// Run trains a model on d. When ctx ends it stops after the update at work
// and returns ctx's error beside a Result whose Model holds the best of the
// epochs done, or of the first epoch the weights as they were; without a Result
// if there was no update yet. A run that diverges ends the same way, with an
// error that wraps ErrDiverged, but without a Result where no epoch was done. A
// run with a Folder also saves the model there, and a checkpoint where it stopped.
func Run(ctx context.Context, c Config, d Data, o Options) (*Result, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	team := nn.NewTeam(max(1, o.Threads))
	defer team.Close()
	r, err := newRun(c, d, team, o)
	if err != nil {
		return nil, err
	}
	defer r.close()
	stopped := r.train(ctx)
	if stopped != nil && r.at.Best.Epoch == 0 && (r.at.Updates == 0 || errors.Is(stopped, ErrDiverged)) {
		r.end(stopped)
		return nil, stopped
	}
	if err := r.finish(ctx, stopped); errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		stopped = err
	} else if err != nil {
		r.end(err)
		return nil, err
	}
	result := &Result{Model: r.model, Curve: r.at.Curve}
	if o.Folder != nil {
		if err := o.Folder.save(r.model); err != nil {
			err = notSaved{fmt.Errorf("train: the model is not saved: %w", err)}
			r.end(err)
			return result, err
		}
	}
	r.end(stopped)
	return result, stopped
}

// ErrNotSaved is wrapped by the error of a run whose model could not be written
// to its folder.
var ErrNotSaved = errors.New("train: not saved")

type notSaved struct{ error }

func (notSaved) Is(target error) bool { return target == ErrNotSaved }
func (e notSaved) Unwrap() error      { return e.error }

// run is a run in progress.
type run struct {
	c    Config
	data Data
	team *nn.Team
	o    Options

	model  *model.Model
	packed *model.Packed // trained on
	saved  *model.Packed // as exact has filled it last: packed, unless that is another
	runner *model.Runner
	opt    optim.Optimizer
	mean   *optim.Average
	deal   dealer
	keep   string
	total  int // updates of the whole run

	grad          []float32 // (N) of parameters
	state, before []float32 // (B, StateSize) now, and before the update at work
	entry         []float32 // and before its minibatch
	objective     model.Objective
	weights       []float32 // of labels; nil: 1
	key           nn.Key    // of the masks of the update at work

	at   place
	best []float32 // (N) the weights of at.Best

	written int // the epoch of the best weights in the folder

	began, marked time.Time     // this program's part of the run, and its last checkpoint
	from          int           // updates made before it
	training      time.Duration // of it, without evaluation and samples
	symbols       int           // trained on in it
}

// place is where a run stands between two updates: with the weights, the
// optimizer's moments, the state carried and the best weights, all that it
// needs to go on.
type place struct {
	Data    data.Cursor `json:"data"`    // the minibatch to read next; its Epoch counts from 0
	Updates int         `json:"updates"` // made
	Sum     float64     `json:"sum"`     // the loss of this epoch, summed
	Count   int         `json:"count"`   // over so many of what counts
	Rate    float64     `json:"rate"`    // what the learning rate is multiplied by, after lowerings
	Skipped int         `json:"skipped"` // updates left out because they were not finite
	Row     int         `json:"row"`     // how many of these came last, one after another
	Best    best        `json:"best"`

	Patience optim.Plateau `json:"patience"` // of the end of the run
	Falls    optim.Plateau `json:"falls"`    // of the learning rate
	Ended    bool          `json:"ended"`    // the patience is at its end

	Curve []Epoch `json:"curve"`
	Lines int     `json:"lines"` // of the event log
}

// best is the epoch whose weights are the ones to keep so far.
type best struct {
	Epoch   int     `json:"epoch"` // 0: none yet
	Updates int     `json:"updates"`
	Score   float64 `json:"score"`
}

func newRun(c Config, d Data, team *nn.Team, o Options) (*run, error) {
	about := d.about()
	m, err := model.New(c.Model, about.names)
	if err != nil {
		return nil, err
	}
	c.Model = m.Spec
	deal, err := d.dealer(c)
	if err != nil {
		return nil, err
	}
	r := &run{c: c, data: d, weights: about.weights, o: o, team: team, model: m, deal: deal, keep: c.Keep}
	r.total = c.Epochs * c.updates(deal.Len())
	if r.c.Schedule.Total == 0 {
		r.c.Schedule.Total = max(r.total, c.Schedule.Warmup+1)
	}
	if err := r.c.Schedule.Validate(); err != nil {
		return nil, err
	}
	if r.keep == KeepHeldOut && about.HeldOut == 0 {
		return nil, fmt.Errorf("train: keep %q: nothing is held out, want %s, %s or %s", r.keep, KeepAuto, KeepTrain, KeepLast)
	}
	if r.keep == "" || r.keep == KeepAuto {
		r.keep = KeepHeldOut
		if about.HeldOut == 0 || m.Task == model.LM && about.Train < LearntByHeart {
			r.keep = KeepTrain
		}
	}
	if c.Average > 0 && r.keep == KeepTrain { // that loss is not the mean's
		return nil, fmt.Errorf("train: average after %d scores with keep %q: want %s or %s", c.Average, KeepTrain, KeepHeldOut, KeepLast)
	}
	r.opt, r.mean = c.Optimizer.New(len(m.Params)), optim.NewAverage(len(m.Params))
	r.grad = make([]float32, len(m.Params))
	if about.carries {
		r.state = make([]float32, c.Batches.Batch*m.RNN.StateSize())
	}
	r.before, r.entry = slices.Clone(r.state), slices.Clone(r.state)
	r.at.Rate = 1
	if o.From == nil {
		if err = m.Init(c.Init, c.Seed); about.start != nil {
			about.start(m)
		}
	} else {
		err = r.resume(o.From)
	}
	if err != nil {
		return nil, err
	}
	if f := o.Folder; f != nil {
		if of, ok := f.identity(); ok && o.From == nil { // it was ended before its first checkpoint
			if err := r.sameData(of, nil); err != nil {
				return nil, err
			}
		}
		lines, err := f.begin(o.From)
		if err != nil {
			return nil, err
		}
		if lines < r.at.Lines {
			r.warn("the event log", fmt.Errorf("%s has %d lines of %d", f.log.path, lines, r.at.Lines))
			r.at.Lines = lines
		}
	}
	r.o.From = nil // its tensors are the run's, or no longer needed
	r.pack()
	return r, nil
}

// pack makes what runs of the parameters.
func (r *run) pack() {
	r.packed = r.model.PackShared(r.model.Precision)
	r.saved = r.packed
	if as := r.c.Products(); as != r.model.Precision {
		r.packed = r.model.PackShared(as)
	}
	r.runner = model.NewRunner(r.packed, r.team)
}

// updates is how many an epoch of so many minibatches has.
func (c Config) updates(minibatches int) int {
	return (minibatches + c.accumulate() - 1) / c.accumulate()
}

func (r *run) observe(e Event) {
	if r.o.Observe != nil {
		r.o.Observe(e)
	}
}

// train runs the epochs that are left.
func (r *run) train(ctx context.Context) error {
	r.began, r.from = time.Now(), r.at.Updates
	r.marked = r.began
	about := r.data.about()
	start := Start{
		Task: r.model.Task, Parameters: len(r.model.Params), TrainSymbols: about.Train, HeldOutSymbols: about.HeldOut,
		Epochs: r.c.Epochs, Updates: r.total, Resumed: r.at.Updates,
		Figure: FigureName(r.model.Task, r.model.Scheme),
	}
	if v := about.names.Vocab; v != nil {
		start.Symbols = v.Size()
	}
	r.observe(start)
	if r.at.Lines == 0 {
		r.log(start)
	}
	for r.at.Data.Epoch < r.c.Epochs && !r.at.Ended {
		done, err := r.epoch(ctx)
		if err == nil {
			err = r.score(ctx, &done)
		}
		if err != nil {
			return r.stop(err, done)
		}
	}
	return nil
}

// stop is a run that ends early with an error, in an epoch of which done is what
// has been measured.
func (r *run) stop(err error, done Epoch) error {
	if bad := r.checkpoint(); bad != nil && !errors.Is(err, ErrDiverged) {
		return bad
	}
	if done.Epoch > 0 && r.keep != KeepHeldOut && !errors.Is(err, ErrDiverged) { // it counts also without its other score
		done.Best = r.consider(done)
		r.at.Curve = append(r.at.Curve, done)
	}
	return err
}

// epoch goes through what is left of the training part in this epoch.
func (r *run) epoch(ctx context.Context) (Epoch, error) {
	epoch, start, symbols := r.at.Data.Epoch+1, time.Now(), 0
	r.deal.SetCursor(r.at.Data)
	for {
		if err := ctx.Err(); err != nil {
			return Epoch{}, err
		}
		p, err := r.update(r.rate())
		if err != nil {
			return Epoch{}, err
		}
		if p.count == 0 { // the end, or an update left out
			if p.skipped {
				continue
			}
			break
		}
		symbols += p.count
		p.Loss = r.at.Sum / float64(r.at.Count)
		p.PerSecond = perSecond(r.symbols+symbols, r.training+time.Since(start))
		made := r.at.Updates - r.from
		p.Left = time.Duration(float64(time.Since(r.began)) / float64(made) * float64(max(0, r.total-r.at.Updates)))
		r.progress(p.Progress)
		if r.due() {
			if err := r.checkpoint(); err != nil {
				return Epoch{}, err
			}
		}
	}
	took := time.Since(start)
	r.training += took
	r.symbols += symbols
	if r.at.Count == 0 {
		return Epoch{}, r.diverged("loss of every minibatch overflowed", false)
	}
	if err := r.sound(); err != nil {
		return Epoch{}, err
	}
	return Epoch{
		Epoch: epoch, Updates: r.at.Updates, Loss: r.at.Sum / float64(r.at.Count),
		PerSecond: perSecond(symbols, took), Time: took,
	}, nil
}

// progress tells of an update, and the log of some.
func (r *run) progress(p Progress) {
	r.observe(p)
	if r.at.Updates%logEvery == 0 {
		r.log(logged{p, r.norms()})
	}
}

// perSecond is finite also where a coarse clock stands still.
func perSecond(n int, d time.Duration) float64 {
	return float64(n) / max(d, time.Microsecond).Seconds()
}

// score finishes an epoch: what is held out, samples, whether its weights are
// the best. All that may be ended by ctx comes before anything changes.
func (r *run) score(ctx context.Context, done *Epoch) error {
	if r.data.about().HeldOut > 0 {
		err := r.exact(func(p *model.Packed) (err error) {
			done.HeldOutLoss, done.Figure, err = r.data.score(ctx, r.c, p, r.team)
			return err
		})
		if err == nil {
			err = r.finite("held-out loss", r.bounded(done.HeldOutLoss))
		}
		if err != nil {
			return err
		}
	}
	var samples []Sample
	if every := r.c.PredictEvery; every > 0 && done.Epoch%every == 0 {
		if err := r.exact(func(p *model.Packed) (err error) {
			samples, err = r.samples(ctx, p, done.Epoch)
			return err
		}); err != nil {
			return err
		}
	}
	done.Best = r.consider(*done)
	r.wait(*done)
	r.at.Curve = append(r.at.Curve, *done)
	r.at.Data, r.at.Sum, r.at.Count = data.Cursor{Epoch: done.Epoch}, 0, 0
	r.observe(*done)
	r.log(*done)
	for _, s := range samples {
		r.observe(s)
		r.log(s)
	}
	return nil
}

// exact calls use with the model as it would be saved, whatever is trained on:
// without masks, in float32, with the mean of the parameters once there is one.
func (r *run) exact(use func(p *model.Packed) error) error {
	if r.saved != r.packed || r.c.Model.Drops() || r.mean.Started() {
		r.mean.Swap(r.model.Params)
		defer func() {
			r.mean.Swap(r.model.Params)
			if r.saved == r.packed && !r.c.Model.Drops() { // else each update packs its own
				r.model.Repack(r.team, r.packed)
			}
		}()
		r.model.Repack(r.team, r.saved)
	}
	return use(r.saved)
}

// samples are how the model continues the prefixes.
func (r *run) samples(ctx context.Context, p *model.Packed, epoch int) (samples []Sample, err error) {
	for _, prefix := range r.c.Prefixes {
		g, err := model.NewGenerator(p, model.Sampling{})
		if err != nil {
			return nil, err
		}
		var text strings.Builder
		text.WriteString(prefix)
		if err := g.Write(ctx, &text, prefix, r.c.PredictLength); err != nil {
			return nil, err
		}
		samples = append(samples, Sample{Epoch: epoch, Prefix: prefix, Text: text.String()})
	}
	return samples, nil
}
