package optim

import (
	"fmt"

	"sluice/internal/kernel"
	"sluice/nn"
)

// Average is averaged SGD: the mean of the parameters over the updates since it
// was started (Polyak and Juditsky 1992), which generalises better than where
// the last update left them. AWD-LSTM starts it when the validation loss stops
// improving (Merity et al. 2018). It goes beside any optimizer,
// and training never sees it.
//
// A float32 mean would stand still once 1/k of a distance is lost in its
// rounding, so what it leaves over is kept beside it: together they hold the
// mean to 48 bits.
type Average struct {
	n          int
	mean, rest []float32 // (N), nil before the start
	updates    int       // since the start
	job        averageJob
}

// NewAverage makes the average of n parameters, not started.
func NewAverage(n int) *Average { return &Average{n: n} }

// Start begins the mean with the parameters of the next Update, also where
// there was one before. The first Start allocates.
func (a *Average) Start() {
	if a.mean == nil {
		a.mean, a.rest = make([]float32, a.n), make([]float32, a.n)
	}
	clear(a.mean)
	clear(a.rest)
	a.updates = 0
}

// Started tells whether there was a Start.
func (a *Average) Started() bool { return a.mean != nil }

// Update takes params (N), as an update of the optimizer left them, into the
// mean. Before the start it does nothing. Another length panics.
func (a *Average) Update(team *nn.Team, params []float32) {
	a.check("Update", params)
	if a.mean == nil {
		return
	}
	a.updates++
	a.job = averageJob{a, params, 1 / float64(a.updates)}
	team.Do(kernel.Pieces(a.n), &a.job)
	a.job = averageJob{}
}

type averageJob struct {
	a      *Average
	params []float32
	by     float64
}

func (j *averageJob) Run(piece int) {
	from, to := kernel.Bounds(j.a.n, piece)
	kernel.Mean(j.a.mean[from:to], j.a.rest[from:to], j.params[from:to], j.by)
}

// Swap exchanges params (N) and the mean, so that a model is scored or saved
// with the mean; a second Swap puts both back, bit for bit. Between the two
// params must not change, and neither Update nor State is for then. While there
// is no mean, before the first Update since the start, it does nothing.
func (a *Average) Swap(params []float32) {
	a.check("Swap", params)
	if a.updates == 0 {
		return
	}
	for i, p := range params {
		params[i], a.mean[i] = a.mean[i], p
	}
}

// State is as an Optimizer's: what the average remembers, and of how many
// updates. Before the start it remembers nothing.
func (a *Average) State() (moments map[string][]float32, updates int) {
	return averageMoments(a.mean, a.rest), a.updates
}

// Restore copies a State, with or without a start. With an error nothing has
// changed.
func (a *Average) Restore(moments map[string][]float32, updates int) error {
	if len(moments) == 0 && updates == 0 {
		a.mean, a.rest, a.updates = nil, nil, 0
		return nil
	}
	mean, rest := make([]float32, a.n), make([]float32, a.n)
	if err := restore(averageMoments(mean, rest), &a.updates, moments, updates); err != nil {
		return err
	}
	a.mean, a.rest = mean, rest
	return nil
}

func averageMoments(mean, rest []float32) map[string][]float32 {
	if mean == nil {
		return map[string][]float32{}
	}
	return map[string][]float32{"mean": mean, "mean_rest": rest}
}

func (a *Average) check(call string, params []float32) {
	if len(params) != a.n {
		panic(fmt.Sprintf("optim: Average: %s: %d parameters, want %d", call, len(params), a.n))
	}
}
