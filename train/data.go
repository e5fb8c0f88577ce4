package train

import (
	"context"
	"fmt"

	"sluice/data"
	"sluice/model"
	"sluice/nn"
)

// Data is what a run learns from: a *Text, *Examples, or Adding.
type Data interface {
	about() about
	dealer(c Config) (dealer, error)
	// score is the loss on what is held out, by what counts, and the figure that
	// models of the task are compared by, 0 of one that has none.
	score(ctx context.Context, c Config, p *model.Packed, team *nn.Team) (loss, figure float64, err error)
}

// about is what there is to know of Data.
type about struct {
	identity
	corpus  string // the data's name, if it has one
	names   model.Names
	carries bool                 // minibatches may go on with the rows of the one before
	weights []float32            // of labels in the mean; nil: all 1
	start   func(m *model.Model) // sets parameters that are known before training; nil: none
}

// identity is by what Data is known again.
type identity struct {
	SHA256  string `json:"sha256"`
	Train   int    `json:"train"` // symbols or examples
	HeldOut int    `json:"held_out"`
	Vectors string `json:"vectors,omitempty"` // their sha256
}

// dealer deals minibatches, epoch by epoch, the same for the same place.
type dealer interface {
	Len() int                   // minibatches of this epoch
	Carries() bool              // the next one goes on with the rows of the one before
	next() (model.Batch, error) // T is 0 after the last of the epoch; after an error it stays where it was
	Cursor() data.Cursor        // the place of the next one
	SetCursor(data.Cursor) error
}

// textDealer deals symbols with those that follow them.
type textDealer struct {
	*data.Sampler
	rows int
	x, y []int32 // (MaxSteps, B)
}

func (d *textDealer) next() (model.Batch, error) {
	steps, err := d.Next(d.x, d.y)
	n := steps * d.rows
	return model.Batch{T: steps, B: d.rows, IDs: d.x[:n], Targets: d.y[:n]}, err
}

func (t *Text) dealer(c Config) (dealer, error) {
	for _, prefix := range c.Prefixes {
		if _, err := t.Vocab.Encode(prefix); err != nil {
			return nil, fmt.Errorf("train: prefix %q: %w", prefix, err)
		}
	}
	o := c.Batches
	o.Seed = c.Seed
	sampler, err := data.NewSampler(t.Train, o)
	if err != nil {
		return nil, err
	}
	n := o.Batch * o.MaxSteps()
	return &textDealer{sampler, o.Batch, make([]int32, n), make([]int32, n)}, nil
}

func (t *Text) about() about {
	return about{identity: identity{SHA256: t.SHA256, Train: t.Train.Len(), HeldOut: t.HeldOut.Len()}, corpus: t.Corpus, names: model.Names{Vocab: t.Vocab}, carries: true}
}

func (t *Text) score(ctx context.Context, _ Config, p *model.Packed, team *nn.Team) (loss, figure float64, err error) {
	s, err := model.Evaluate(ctx, p, team, t.HeldOut, nil)
	if err != nil {
		return 0, 0, err
	}
	return s.Loss(), 0, nil
}
