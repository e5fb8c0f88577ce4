package train

import (
	"context"
	"errors"
	"math"
	"time"

	"sluice/data"
	"sluice/nn"
	"sluice/optim"
)

// RateCurve is what a range test of learning rates has found.
type RateCurve struct {
	Rates     []float64   `json:"rates"`  // of each update
	Losses    []float64   `json:"losses"` // before it
	Smooth    []float64   `json:"smooth"` // these, smoothed
	Suggested optim.Rates `json:"suggested"`
}

// FindRate is the learning-rate range test of t, with a run that begins as c has
// it but for its rate. Observe is told of each update. Nothing is kept.
func FindRate(ctx context.Context, c Config, d Data, t optim.RateTest, o Options) (*RateCurve, error) {
	if err := errors.Join(c.Validate(), t.Validate()); err != nil {
		return nil, err
	}
	team := nn.NewTeam(max(1, o.Threads))
	defer team.Close()
	c.NonFinite = NonFiniteStop // the test ends there
	r, err := newRun(c, d, team, Options{})
	if err != nil {
		return nil, err
	}
	r.total = t.Updates
	f, began := &RateCurve{}, time.Now()
	for !t.Done(f.Losses) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		rate := t.At(len(f.Losses))
		u, err := r.update(rate)
		switch {
		case errors.Is(err, ErrDiverged):
			u.sum, u.count = math.Inf(1), 1
		case err != nil:
			return nil, err
		case u.count == 0:
			r.at.Data = data.Cursor{Epoch: r.at.Data.Epoch + 1}
			r.deal.SetCursor(r.at.Data)
			continue
		}
		u.Epoch, u.Loss, r.symbols = 1, u.sum/float64(u.count), r.symbols+u.count
		gone := time.Since(began)
		u.PerSecond, u.Left = perSecond(r.symbols, gone), gone*time.Duration(t.Updates-len(f.Losses))/time.Duration(len(f.Losses)+1)
		f.Rates, f.Losses = append(f.Rates, rate), append(f.Losses, u.Loss)
		if o.Observe != nil {
			o.Observe(u.Progress)
		}
	}
	if f.Suggested, err = t.Suggest(f.Losses); err != nil {
		return nil, err
	}
	if n := len(f.Losses) - 1; !finite(f.Losses[n]) { // where the test ended
		f.Rates, f.Losses = f.Rates[:n], f.Losses[:n]
	}
	f.Smooth = t.Smooth(f.Losses)
	return f, nil
}
