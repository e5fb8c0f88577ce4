package train

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"sluice/data"
	"sluice/model"
	"sluice/nn"
)

// Adding is the adding problem as Data: Examples to train on in an epoch, of
// Config.Batches.Steps steps, never the same ones again, and HeldOut fixed ones
// to score with. The loss is the mean squared error; who always says 1 has that
// of data.AddingVariance.
type Adding struct{ Examples, HeldOut int }

func (a Adding) about() about {
	sum := sha256.Sum256(fmt.Append(nil, "the adding problem"))
	return about{identity: identity{SHA256: hex.EncodeToString(sum[:]), Train: a.Examples, HeldOut: a.HeldOut}, corpus: "adding"}
}

// addingDealer deals examples by their numbers.
type addingDealer struct {
	*data.AddingSampler
	steps, rows, batches int
	at                   data.Cursor
	x, y                 []float32 // (T, B, 2), (B)
}

func (a Adding) dealer(c Config) (dealer, error) {
	if c.Model.Task != model.Regress || c.Model.Features != 2 || c.Model.Outputs != 1 {
		return nil, fmt.Errorf("train: the adding problem: a model of task %q with %d features and %d outputs: want %s with 2 and 1", c.Model.Task, c.Model.Features, c.Model.Outputs, model.Regress)
	}
	sampler, err := data.NewAddingSampler(data.Adding{Steps: c.Batches.Steps, Seed: c.Seed})
	if err != nil {
		return nil, err
	}
	d := &addingDealer{AddingSampler: sampler, steps: c.Batches.Steps, rows: c.Batches.Batch, batches: a.Examples / c.Batches.Batch}
	if d.batches == 0 {
		return nil, fmt.Errorf("train: the adding problem: %d examples: want %d for a minibatch", a.Examples, d.rows)
	}
	d.x, d.y = make([]float32, d.steps*d.rows*2), make([]float32, d.rows)
	return d, nil
}

func (d *addingDealer) Len() int            { return d.batches }
func (d *addingDealer) Carries() bool       { return false }
func (d *addingDealer) Cursor() data.Cursor { return d.at }

func (d *addingDealer) SetCursor(c data.Cursor) error {
	if c.Epoch < 0 || c.Batch < 0 || c.Batch > d.batches {
		return fmt.Errorf("train: place in the data: minibatch %d of epoch %d, want 0 to %d", c.Batch, c.Epoch, d.batches)
	}
	d.at = c
	return nil
}

func (d *addingDealer) next() (model.Batch, error) {
	if d.at.Batch == d.batches {
		return model.Batch{}, nil
	}
	d.Train(d.x, d.y, uint64(d.at.Epoch*d.batches+d.at.Batch)*uint64(d.rows))
	d.at.Batch++
	return model.Batch{T: d.steps, B: d.rows, Data: d.x, Values: d.y}, nil
}

func (a Adding) score(ctx context.Context, c Config, p *model.Packed, team *nn.Team) (loss, figure float64, err error) {
	sampler, err := data.NewAddingSampler(data.Adding{Steps: c.Batches.Steps, Seed: c.Seed})
	if err != nil {
		return 0, 0, err
	}
	run, steps, sum, count := model.NewRunner(p, team), c.Batches.Steps, 0.0, 0
	var x, y []float32
	for first := 0; first < a.HeldOut; first += len(y) {
		if err := ctx.Err(); err != nil {
			return 0, 0, err
		}
		rows := min(100, a.HeldOut-first)
		x, y = nn.Grow(x, steps*rows*2), nn.Grow(y, rows)
		sampler.HeldOut(x, y, uint64(first))
		s, n := run.Loss(model.Batch{T: steps, B: rows, Data: x, Values: y}, nil)
		sum, count = sum+s, count+n
	}
	return sum / float64(count), 0, nil
}
