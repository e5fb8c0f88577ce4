package train

import (
	"errors"
	"fmt"
	"math"

	"sluice/model"
	"sluice/nn"
	"sluice/optim"
)

// ErrDiverged is wrapped by the error of a run whose loss, gradient or weights
// were no longer finite.
var ErrDiverged = errors.New("train: diverged")

// What a run does where a loss or a gradient is not finite. The weights never
// see it.
const (
	NonFiniteStop  = "stop"
	NonFiniteSkip  = "skip"  // goes on with the next minibatch
	NonFiniteLower = "lower" // halves the learning rate, too
)

// mostSkipped is how many updates may be left out one after another.
const mostSkipped = 100

// updated is the Progress of one update with its loss.
type updated struct {
	Progress
	nats    float64
	count   int  // of targets, 0 where no update was made:
	skipped bool // since it was not finite, not because the epoch has ended
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

func (c Config) accumulate() int { return max(1, c.Accumulate) }

// update makes one update from the next minibatches.
func (r *run) update() (updated, error) {
	copy(r.before, r.state)
	u := updated{Progress: Progress{Epoch: r.at.Data.Epoch + 1, Updates: r.total, LearningRate: r.rate()}}
	r.key = nn.Key{Seed: r.c.Seed, Step: uint64(r.at.Updates)}
	if r.objective.Dropout = nil; r.c.masks() {
		r.objective.Dropout = &r.key
	}
	r.team.Clear(r.grad)
	minibatches, b := 0, model.Batch{}
	for minibatches < r.c.accumulate() {
		next := r.next()
		if next.T == 0 {
			break
		}
		b = next
		nats, count := r.runner.Gradient(r.grad, b, r.state, r.objective.Dropout)
		u.nats, u.count, minibatches = u.nats+nats, u.count+count, minibatches+1
		if !finite(u.nats) {
			break
		}
		r.key.Step |= uint64(minibatches) << 32 // other masks for the next one
	}
	if minibatches == 0 {
		return u, nil
	}
	if minibatches > 1 {
		r.team.Scale(r.grad, 1/float64(minibatches))
	}
	optim.ClipValue(r.grad, r.c.ClipValue)
	u.GradientNorm = optim.ClipNorm(r.team, r.grad, r.c.ClipNorm)
	for _, check := range []struct {
		what  string
		value float64
	}{{"loss", math.Exp(u.nats / float64(u.count))}, {"gradient", u.GradientNorm}} {
		if err := r.finite(check.what, check.value); err != nil {
			return r.notFinite(b, err)
		}
	}
	r.opt.Update(r.team, r.model.Params, r.grad, u.LearningRate)
	r.model.Repack(r.team, r.packed)
	r.at.Updates++
	r.at.Data, r.at.Nats, r.at.Count, r.at.Row = r.batch.Cursor(), r.at.Nats+u.nats, r.at.Count+u.count, 0
	u.Update = r.at.Updates
	return u, nil
}

// rate is the learning rate of the update to make.
func (r *run) rate() float64 { return r.c.Schedule.At(r.at.Updates) * r.at.Rate }

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// finite is the error of a number that has left what float32 can train with.
func (r *run) finite(what string, v float64) error {
	if finite(v) {
		return nil
	}
	return diverged{fmt.Errorf("train: diverged after update %d, in epoch %d, at learning rate %.4g: the %s overflowed: want a lower rate or tighter clipping", r.at.Updates, r.at.Data.Epoch+1, r.rate(), what)}
}

type diverged struct{ error }

func (diverged) Is(target error) bool { return target == ErrDiverged }

// notFinite leaves out the update of minibatch b, or ends the run with err as if
// the minibatch had not been read.
func (r *run) notFinite(b model.Batch, err error) (updated, error) {
	where := "somewhere"
	copy(r.state, r.before)
	if r.c.NonFinite == "" || r.c.NonFinite == NonFiniteStop || r.at.Row == mostSkipped {
		r.batch.SetCursor(r.at.Data)
		return updated{}, diverged{fmt.Errorf("%w; %s", err, where)}
	}
	r.at.Skipped, r.at.Row, r.at.Data = r.at.Skipped+1, r.at.Row+1, r.batch.Cursor()
	if r.c.NonFinite == NonFiniteLower {
		r.at.Rate /= 2
	}
	s := Skipped{Epoch: r.at.Data.Epoch + 1, Update: r.at.Updates + 1, Skipped: r.at.Skipped, LearningRate: r.rate(), Where: where}
	r.observe(s)
	r.log(s)
	return updated{skipped: true}, nil
}
