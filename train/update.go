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
	sum     float64
	count   int  // of what counts, 0 where no update was made:
	skipped bool // since it was not finite, not because the epoch has ended
}

// next is the next minibatch of the epoch, its T 0 at the end. It clears the
// state where the rows start anew.
func (r *run) next() (model.Batch, error) {
	carries := r.deal.Carries()
	b, err := r.deal.next()
	if err == nil && !carries {
		clear(r.state)
	}
	return b, err
}

func (c Config) accumulate() int { return max(1, c.Accumulate) }

// update makes one update from the next minibatches, at a learning rate.
func (r *run) update(rate float64) (updated, error) {
	key := nn.Key{Seed: r.c.Seed, Step: uint64(r.at.Updates)}
	u := updated{Progress: Progress{Epoch: r.at.Data.Epoch + 1, Updates: r.total, LearningRate: rate}}
	r.key = key
	r.objective = r.c.objective(&r.key)
	r.objective.Weights = r.weights
	drops := r.c.Model.Drops()
	if drops {
		r.model.RepackDropped(r.team, r.packed, key)
	}
	r.team.Clear(r.grad)
	minibatches, steps, b := 0, 0, model.Batch{}
	for minibatches < r.c.accumulate() {
		next, err := r.next()
		if err != nil { // as if none had been read
			if minibatches > 0 {
				copy(r.state, r.before)
			}
			return updated{}, fmt.Errorf("train: after update %d: %w", r.at.Updates, err)
		}
		if next.T == 0 {
			break
		}
		b, steps = next, steps+next.T
		r.key.Step = key.Step | uint64(minibatches)<<32 // other masks for each
		if copy(r.entry, r.state); minibatches == 0 {
			copy(r.before, r.state)
		}
		sum, count := r.runner.Gradient(r.grad, b, r.state, r.objective)
		u.sum, u.count, minibatches = u.sum+sum, u.count+count, minibatches+1
		if !finite(u.sum) {
			break
		}
	}
	if minibatches == 0 {
		return u, nil
	}
	if drops {
		r.packed.MaskGradient(r.team, r.grad)
	}
	if minibatches > 1 {
		r.team.Scale(r.grad, 1/float64(minibatches))
	}
	optim.ClipValue(r.grad, r.c.ClipValue)
	u.GradientNorm = optim.ClipNorm(r.team, r.grad, r.c.ClipNorm)
	for _, check := range []struct {
		what  string
		value float64
	}{{"loss", r.bounded(u.sum / float64(u.count))}, {"gradient", u.GradientNorm}} {
		if !finite(check.value) {
			return r.notFinite(check.what, b)
		}
	}
	if r.c.Batches.Vary { // longer ones count for more, as their sum would
		u.LearningRate *= float64(steps) / float64(minibatches*r.c.Batches.Steps)
	}
	r.opt.Update(r.team, r.model.Params, r.grad, u.LearningRate)
	r.mean.Update(r.team, r.model.Params)
	if !drops { // else each update packs its own
		r.model.Repack(r.team, r.packed)
	}
	r.at.Updates++
	r.at.Data, r.at.Sum, r.at.Count, r.at.Row = r.deal.Cursor(), r.at.Sum+u.sum, r.at.Count+u.count, 0
	u.Update = r.at.Updates
	return u, nil
}

// rate is the learning rate of the update to make.
func (r *run) rate() float64 { return r.c.Schedule.At(r.at.Updates, r.at.Falls.Falls) * r.at.Rate }

// bounded is a loss that is not finite either where, in nats, no probability is
// left of what was to be predicted.
func (r *run) bounded(loss float64) float64 {
	if r.model.Task != model.LM {
		return loss
	}
	return math.Exp(loss)
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// finite is the error of a number that has left what float32 can train with.
func (r *run) finite(what string, v float64) error {
	if finite(v) {
		return nil
	}
	return r.diverged(what+" overflowed", false)
}

// sound is the error of a run in which something that goes on to the next update
// is not finite.
func (r *run) sound() error {
	if err := r.finite("weights", optim.Norm(r.team, r.model.Params)); err != nil {
		return err
	}
	if err := r.finite("state", optim.Norm(r.team, r.state)); err != nil {
		return err
	}
	for _, of := range r.stateful() {
		moments, _ := of.State()
		for name, x := range moments {
			if err := r.finite(of.name+"."+name, optim.Norm(r.team, x)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *run) diverged(what string, minibatch bool) error {
	return diverged{fmt.Errorf("train: diverged after update %d, in epoch %d, at learning rate %.4g: the %s: want a lower rate or tighter clipping", r.at.Updates, r.at.Data.Epoch+1, r.rate(), what), minibatch}
}

// ErrNonFinite is wrapped by an error that wraps ErrDiverged too, where it is a
// minibatch's: NonFiniteSkip would go on without that.
var ErrNonFinite = errors.New("train: a minibatch overflowed")

type diverged struct {
	error
	minibatch bool
}

func (d diverged) Is(target error) bool {
	return target == ErrDiverged || d.minibatch && target == ErrNonFinite
}

// notFinite leaves out the update of minibatch b, of which the loss or the
// gradient overflowed, or ends the run as if the minibatch had not been read.
func (r *run) notFinite(what string, b model.Batch) (updated, error) {
	what += " overflowed"
	if where := r.model.NonFinite(r.runner, r.grad, b, r.entry, r.objective); where != "" {
		what += " (" + where + ")"
	}
	copy(r.state, r.before)
	if r.c.NonFinite == "" || r.c.NonFinite == NonFiniteStop || r.at.Row == mostSkipped {
		r.deal.SetCursor(r.at.Data)
		return updated{}, r.diverged(what, true)
	}
	r.at.Skipped, r.at.Row, r.at.Data = r.at.Skipped+1, r.at.Row+1, r.deal.Cursor()
	if r.c.NonFinite == NonFiniteLower {
		r.at.Rate /= 2
	}
	s := Skipped{Epoch: r.at.Data.Epoch + 1, Update: r.at.Updates + 1, Skipped: r.at.Skipped, LearningRate: r.rate(), What: what}
	r.observe(s)
	r.log(s)
	return updated{skipped: true}, nil
}
