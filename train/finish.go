package train

import (
	"context"
	"encoding/json"
	"fmt"
	"math"

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
	copy(m.Params, r.best)
	m.Repack(r.team, r.saved)
	if r.saved != r.packed {
		r.runner = model.NewRunner(r.saved, r.team)
	}
	if stopped != nil {
		return nil
	}
	if p := r.trainPerplexity(ctx, r.at.Best.Epoch); !math.IsInf(p, 0) && !math.IsNaN(p) {
		m.History.TrainPerplexity = p
	}
	return nil
}

// history is that of the best weights so far.
func (r *run) history() (model.History, error) {
	config, err := json.Marshal(r.c)
	if err != nil {
		return model.History{}, fmt.Errorf("train: config: %w", err)
	}
	b := r.at.Best
	h := model.History{
		Corpus: r.text.Corpus, TextSHA256: r.text.SHA256,
		TrainSymbols: len(r.text.Train), HeldOutSymbols: len(r.text.HeldOut),
		Epoch: b.Epoch, Updates: b.Updates, Config: config,
	}
	if b.Epoch > 0 {
		e := r.at.Curve[b.Epoch-1]
		h.TrainPerplexity, h.HeldOutPerplexity = e.Perplexity, e.HeldOutPerplexity
		h.Kept = map[string]string{
			KeepTrain:   "the lowest training perplexity",
			KeepHeldOut: "the lowest held-out perplexity",
			KeepLast:    "the last epoch",
		}[r.keep]
	}
	return h, nil
}

// trainPerplexity scores the minibatches of an epoch once more, as training
// read them, the weights standing still. It is NaN if ctx ends before.
func (r *run) trainPerplexity(ctx context.Context, epoch int) float64 {
	nats, count := 0.0, 0
	for r.batch.SetCursor(data.Cursor{Epoch: epoch - 1}); count < scored; {
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
