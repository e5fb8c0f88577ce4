package look

import (
	"context"
	"fmt"
	"slices"

	"sluice/data"
	"sluice/model"
	"sluice/nn"
	"sluice/optim"
)

// Gradients follows the loss of the last symbol of each row back: norms
// (Lags+1) are ‖∂L_T/∂s_{T−k}‖ against the lag k, the mean over the rows. The
// state s is that of all layers, of an LSTM h and c.
func Gradients(ctx context.Context, p *model.Packed, team *nn.Team, ids data.Symbols, o Options) (norms []float64, err error) {
	if !p.Precision.Trains() {
		return nil, fmt.Errorf("look: its weights are %v: want a model of float32", p.Precision)
	}
	run, size := model.NewRunner(p, team), p.StateSize()
	norms = make([]float64, o.Lags+1)
	err = o.rows(ctx, ids, func(_, n int, x, y []int32) error {
		state, warm := make([]float32, n*size), Warm*n
		run.Loss(model.Batch{T: Warm, B: n, IDs: x[:warm], Targets: y[:warm]}, state)
		b := model.Batch{T: o.Lags, B: n, IDs: x[warm:], Targets: y[warm:]}
		return run.TraceGradient(b, state, func(k int, dState []float32) error {
			for row := range n {
				norms[k] += optim.Norm(team, dState[row*size:(row+1)*size]) / float64(o.Rows)
			}
			return ctx.Err()
		})
	})
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(norms, func(v float64) bool { return !finite(v) }) {
		return nil, ErrNoNumber
	}
	return norms, nil
}

// Update is what an update of a training began with.
type Update struct {
	Nats float64 // the loss, per symbol
	Norm float64 // of the whole gradient, before clipping
}

// Lost says whether the loss or the gradient was no longer finite.
func (u Update) Lost() bool { return !finite(u.Nats) || !finite(u.Norm) }

// explodes are the minibatches of Explode.
var explodes = data.Batches{Batch: 32, Steps: 35}

// ExplodeNeed is how many symbols a text has at least for Explode.
func ExplodeNeed() int { return explodes.Need() }

// Explode trains m, which it changes, by gradient descent at a constant rate
// on minibatches of 32 rows of 35 symbols, clipping the norm of the gradient
// at clip; 0 does not clip. It ends early, with that update as the last, where
// one is Lost.
func Explode(ctx context.Context, m *model.Model, team *nn.Team, ids data.Symbols, updates int, rate, clip float64) ([]Update, error) {
	sampler, err := data.NewSampler(ids, explodes)
	if err != nil {
		return nil, err
	}
	p := m.Pack()
	run, g := model.NewRunner(p, team), make([]float32, m.Size())
	state := make([]float32, explodes.Batch*p.StateSize())
	x, y := make([]int32, explodes.Batch*explodes.Steps), make([]int32, explodes.Batch*explodes.Steps)
	sgd := optim.Rule{Kind: "sgd"}.New(m.Size())
	var done []Update
	for epoch := 0; len(done) < updates; {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		steps, err := sampler.Next(x, y)
		if err != nil {
			return nil, err
		}
		if steps == 0 {
			epoch++
			sampler.Epoch(epoch)
			clear(state)
			continue
		}
		clear(g)
		nats, count := run.Gradient(g, model.Batch{T: steps, B: explodes.Batch, IDs: x, Targets: y}, state, model.Objective{})
		u := Update{nats / float64(count), optim.ClipNorm(team, g, clip)}
		done = append(done, u)
		if u.Lost() {
			break
		}
		sgd.Update(team, m.Params, g, rate)
		m.Repack(team, p)
	}
	return done, nil
}
