package rnn

import "sluice/internal/kernel"

// split is how the work of a direction of a layer is shared out in parts: by
// rows, where each part goes through all steps by itself, or by hidden units,
// where the parts meet after each phase of a step.
type split struct {
	parts   int
	byUnits bool
}

// fewRows is how many rows a part has at least where rows are shared out: with
// fewer, each part would read all weights for the sake of a few products.
const fewRows = 5

// split chooses. What is computed does not depend on it.
func (r *Runner) split(b int) split {
	threads := r.team.Threads()
	if d := r.p.Directions(); threads%d == 0 {
		threads /= d
	}
	blocks := (r.p.Hidden + kernel.Wide - 1) / kernel.Wide
	if threads > 1 && b < fewRows*threads && blocks > 1 && r.p.layers[0].steps().divisible && threads*r.p.Directions() <= r.team.Threads() {
		return split{min(threads, blocks), true}
	}
	return split{max(1, min(threads, b)), false}
}

// of is the rows and units of a part.
func (s split) of(part, b, hidden int) (rows, u units) {
	rows, u = units{0, b}, units{0, hidden}
	if s.byUnits {
		u.from, u.to = kernel.Span(hidden, part, s.parts, kernel.Wide)
	} else {
		rows.from, rows.to = kernel.Span(b, part, s.parts, 1)
	}
	return rows, u
}

// meet waits for the other parts of the job where they share a step.
func (r *Runner) meet(s split) {
	if s.byUnits {
		r.team.Meet()
	}
}
