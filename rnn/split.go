package rnn

import (
	"time"

	"sluice/internal/kernel"
)

// split is how the work of a direction of a layer is shared out in parts: by
// rows, where each part goes through all steps by itself, or by hidden units,
// where the parts meet after each phase of a step.
type split struct {
	parts   int
	byUnits bool
}

// Where a part has so many rows or fewer, each would read all weights for the
// sake of a few products: parts have units then, up to manyRows if these make
// equal parts, else below fewRows.
const (
	fewRows  = 5
	manyRows = 16
)

// split chooses. What is computed does not depend on it.
func (r *Runner) split(b int) split {
	threads := r.team.Threads()
	if d := r.p.Directions(); threads%d == 0 {
		threads /= d
	}
	blocks := (r.p.Hidden + kernel.Wide - 1) / kernel.Wide
	parts := min(threads, blocks)
	most := fewRows*parts - 1
	if blocks%threads == 0 {
		most = manyRows * threads
	}
	if parts > 1 && b <= most && !r.team.Crowded() && r.p.layers[0].steps().divisible && parts*r.p.Directions() <= r.team.Threads() {
		return split{parts, true}
	}
	return split{max(1, min(threads, b)), false}
}

// of is the rows and units of a part.
func (s split) of(part, b int, c *Config) (rows span, u units) {
	rows, u = span{0, b}, c.units()
	if s.byUnits {
		u.from, u.to = kernel.Span(u.to, part, s.parts, kernel.Wide)
		u.h.from, u.h.to = kernel.Span(u.h.to, part, s.parts, kernel.Wide)
	} else {
		rows.from, rows.to = kernel.Span(b, part, s.parts, 1)
	}
	return rows, u
}

// units are all of them.
func (c *Config) units() units { return units{span{0, c.Hidden}, span{0, c.HSize()}} }

// do runs the parts of all directions. Between two meetings a part has products
// with so many rows of the input and of the state.
func (r *Runner) do(s split, rows int, job kernel.Job) {
	if parts := s.parts * r.p.Directions(); s.byUnits {
		r.team.Together(parts, r.patience(s, rows), job)
	} else {
		r.team.Do(parts, job)
	}
}

// patience is twice what that takes a part, about.
func (r *Runner) patience(s split, rows int) time.Duration {
	const rate = 50 // multiply-adds of a core in a nanosecond
	return time.Duration(r.p.work(rows) / s.parts / rate * 2)
}

// work is how many multiply-adds the products of a layer's gates with rows of
// width H are.
func (p *Packed) work(rows int) int { return rows * len(p.layout.Gates) * p.Hidden * p.Hidden }

// walk is the way of one part of a job through one direction of a layer.
type walk struct {
	r        *Runner
	way      way
	x        *Sequence
	tape     *Tape
	l, d     int
	first    bool // of the direction's parts
	byUnits  bool
	reversed bool
	rows     span
	u        units
	width    int // of a row of both directions' outputs
	phases   phases
	base     int  // the row of the input that is the tape's first
	gone     bool // the first part does the rest
}

func (r *Runner) walk(l, part int, s split, x *Sequence, tape *Tape) walk {
	p, d := r.p, part/s.parts
	rows, u := s.of(part%s.parts, x.B, &p.Config)
	return walk{
		r: r, way: tape.layers[l].ways[d], x: x, tape: tape, l: l, d: d,
		first: part%s.parts == 0, byUnits: s.byUnits && s.parts > 1, reversed: p.reversed(d),
		rows: rows, u: u, width: p.Directions() * p.HSize(), phases: p.layers[0].steps(),
	}
}

// meet waits for the other parts where they share a step.
func (w *walk) meet() {
	if w.byUnits {
		w.r.team.Meet()
	}
}

// look makes the first part go on alone after this step, the number of those
// done so far, where the parts are held up. It stands before they meet, so that
// all see it when they go on.
func (w *walk) look(step int) {
	if w.byUnits && w.first && w.r.heldUp() {
		w.r.alone.Store(int64(step) + 1)
	}
}

// goesOn says whether the part takes the step. The first one takes over what
// the others have made until here.
func (w *walk) goesOn(step int) bool {
	if w.byUnits && int64(step) >= w.r.alone.Load() {
		w.meet()
		w.byUnits, w.gone, w.u = false, !w.first, w.r.p.units()
	}
	return !w.gone
}

// longest is how many rows a stretch has at most: their gates are some ten
// microseconds of assembly, which nothing can interrupt.
const longest = 512

// stretches calls f with the rows of step t: those side by side that are
// within their lengths, or past them, together.
func (w *walk) stretches(t int, f func(s stretch, within bool)) {
	for b := w.rows.from; b < w.rows.to; {
		end, within := w.x.run(t, b, min(w.rows.to, b+longest))
		f(w.tape.stretch(w.reversed, t, b, end, w.base), within)
		b = end
	}
}
