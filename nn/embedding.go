package nn

import (
	"fmt"

	"sluice/internal/kernel"
)

// Embedding looks up rows of a table (V, F) of the caller's, on the team where
// it pays. It keeps what a call needs and serves one caller.
type Embedding struct {
	F   int
	job embeddingJob
}

// embeddingJob is a span of rows on the way forward, on the way back one of
// columns: then a row of the table that several ids name has its terms in their
// order.
type embeddingJob struct {
	x, table, scale []float32
	ids             []int32
	f, parts        int
	backward        bool
}

// alone is how many floats are copied before others would have begun to help.
const alone = 1 << 13

// Forward copies the rows of table (V, F) that ids (N) name to y (N, F), each
// times scale (V) of its id. A scale of nil is ones.
func (e *Embedding) Forward(team *Team, y, table []float32, ids []int32, scale []float32) {
	e.run(team, "Embedding.Forward", embeddingJob{x: y, table: table, scale: scale, ids: ids})
}

// Backward adds each row of dy (N, F), times scale (V) of its id, to the row of
// dtable (V, F) that ids (N) name, in their order.
func (e *Embedding) Backward(team *Team, dtable, dy []float32, ids []int32, scale []float32) {
	e.run(team, "Embedding.Backward", embeddingJob{x: dy, table: dtable, scale: scale, ids: ids, backward: true})
}

func (e *Embedding) run(team *Team, call string, j embeddingJob) {
	j.f = e.F
	j.check(call)
	units := len(j.ids)
	if j.backward {
		units = (j.f + kernel.Lane - 1) / kernel.Lane
	}
	if j.parts = min(units, team.Threads()); len(j.ids)*j.f < alone {
		j.parts = min(1, j.parts)
	}
	e.job = j
	team.Do(j.parts, &e.job)
	e.job = embeddingJob{}
}

// check panics here, in the caller's goroutine, where it can be recovered.
func (j *embeddingJob) check(call string) {
	name := "y"
	if j.backward {
		name = "dy"
	}
	need(call, name, j.x, len(j.ids), j.f)
	v := len(j.table) / max(1, j.f)
	if j.scale != nil {
		need(call, "scale", j.scale, 1, v)
	}
	for i, id := range j.ids {
		if uint(id) >= uint(v) {
			panic(fmt.Sprintf("nn: %s: id %d at %d, want 0 ≤ id < %d", call, id, i, v))
		}
	}
}

func (j *embeddingJob) Run(part int) {
	if j.backward {
		j.back(kernel.Span(j.f, part, j.parts, kernel.Lane))
		return
	}
	from, to := kernel.Span(len(j.ids), part, j.parts, 1)
	for i := from; i < to; i++ {
		id := int(j.ids[i])
		y := j.x[i*j.f : (i+1)*j.f]
		copy(y, j.table[id*j.f:(id+1)*j.f])
		if j.scale != nil {
			scale(y, j.scale[id])
		}
	}
}

// back adds up columns [from, to).
func (j *embeddingJob) back(from, to int) {
	for i, id := range j.ids {
		row, dy := j.table[int(id)*j.f+from:int(id)*j.f+to], j.x[i*j.f+from:i*j.f+to]
		if j.scale == nil {
			kernel.AddTo(row, dy)
			continue
		}
		for k, v := range dy {
			row[k] += float32(v * j.scale[id])
		}
	}
}

func scale(x []float32, by float32) {
	for i := range x {
		x[i] *= by
	}
}
