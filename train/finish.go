package train

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"sluice/data"
	"sluice/model"
	"sluice/optim"
)

// scored is the number of training symbols after which the last score ends.
const scored = 100_000

// finish takes up the weights to keep and writes their History. A run that was
// stopped is not made to wait for another score.
func (r *run) finish(ctx context.Context, stopped error) error {
	m := r.model
	history, err := r.history()
	if err != nil {
		return err
	}
	m.History = history
	if r.at.Best.Epoch == 0 {
		if err := r.finite("weights", optim.Norm(r.team, m.Params)); err != nil {
			return err
		}
		m.History.Updates = r.at.Updates
		m.History.Kept = "the weights as they were when the run ended in its first epoch"
		return nil
	}
	swap(m.Params, r.best)
	m.Repack(r.team, r.saved)
	if r.saved != r.packed {
		r.runner = model.NewRunner(r.saved, r.team)
	}
	if stopped != nil {
		return nil
	}
	loss, err := r.trainLoss(ctx, r.at.Best.Epoch)
	if err != nil { // it is not to be had later: go on from before
		swap(m.Params, r.best)
		bad := r.checkpoint()
		swap(m.Params, r.best)
		m.History, _ = r.history()
		return cmp.Or(bad, err)
	}
	if finite(loss) {
		m.History.TrainLoss = loss
	}
	return nil
}

// swap exchanges what a and b hold.
func swap(a, b []float32) {
	for i, v := range a {
		a[i], b[i] = b[i], v
	}
}

// history is that of the best weights so far.
func (r *run) history() (model.History, error) {
	config, err := json.Marshal(r.c)
	if err != nil {
		return model.History{}, fmt.Errorf("train: config: %w", err)
	}
	b, about := r.at.Best, r.data.about()
	h := model.History{
		Corpus: about.corpus, TextSHA256: about.SHA256,
		TrainSymbols: about.Train, HeldOutSymbols: about.HeldOut,
		Epoch: b.Epoch, Updates: b.Updates, Config: config,
	}
	if b.Epoch > 0 {
		e, measure := r.at.Curve[b.Epoch-1], "loss"
		if r.model.Task == model.LM {
			measure = "perplexity"
		}
		h.TrainLoss, h.HeldOutLoss, h.HeldOutFigure = e.Loss, e.HeldOutLoss, e.Figure
		h.Kept = map[string]string{
			KeepTrain:   "the lowest training " + measure,
			KeepHeldOut: r.bestOf(measure),
			KeepLast:    "the last epoch",
		}[r.keep]
	}
	return h, nil
}

// trainLoss scores the minibatches of an epoch once more, as training read them,
// the weights standing still.
func (r *run) trainLoss(ctx context.Context, epoch int) (float64, error) {
	sum, count := 0.0, 0
	defer copy(r.state, slices.Clone(r.state)) // that carried is a checkpoint's
	for r.deal.SetCursor(data.Cursor{Epoch: epoch - 1}); count < scored; {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		b, err := r.next()
		if err != nil {
			return 0, err
		}
		if b.T == 0 {
			break
		}
		s, c := r.runner.Loss(b, r.state)
		sum, count = sum+s, count+c
	}
	return sum / float64(count), nil
}
