package measure

import (
	"math/rand/v2"

	"sluice/data"
	"sluice/model"
	"sluice/nn"
	"sluice/optim"
)

// Training is what an update does beside the model's own arithmetic.
type Training struct {
	Optimizer  optim.Optimizer
	Rate, Clip float64
	Masks      *nn.Key      // of dropout; nil drops nothing
	Precision  nn.Precision // nn.Float32 or nn.Mixed
}

// Update is a call that trains m on one minibatch as package train does. It
// changes m.
func Update(m *model.Model, b model.Batch, t Training, team *nn.Team) (call func()) {
	packed := m.PackShared(t.Precision)
	runner := model.NewRunner(packed, team)
	grad, state := make([]float32, len(m.Params)), make([]float32, b.B*packed.StateSize())
	return func() {
		team.Clear(grad)
		runner.Gradient(grad, b, state, model.Objective{Dropout: t.Masks})
		optim.ClipNorm(team, grad, t.Clip)
		t.Optimizer.Update(team, m.Params, grad, t.Rate)
		m.Repack(team, packed)
	}
}

// TextBatch is a minibatch of symbols of a vocabulary of v whose frequencies fall
// with their numbers as those of words do: what an adaptive softmax takes depends on
// them.
func TextBatch(steps, rows, v int) model.Batch {
	n := steps * rows
	ids := data.Zipf{Symbols: v}.IDs(2 * n)
	return model.Batch{T: steps, B: rows, IDs: ids[:n], Targets: ids[n:]}
}

// RandomBatch is a minibatch of symbols of a vocabulary of v, all as frequent.
func RandomBatch(steps, rows, v int) model.Batch {
	symbols := func() []int32 {
		ids := make([]int32, steps*rows)
		for i := range ids {
			ids[i] = rand.Int32N(int32(v))
		}
		return ids
	}
	return model.Batch{T: steps, B: rows, IDs: symbols(), Targets: symbols()}
}
