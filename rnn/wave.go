package rnn

import (
	"sluice/internal/kernel"
	"sluice/nn"
)

// waveJob runs a stack of few rows forward as a wave: a part has a span of the
// layers, and while it takes some steps, the one above takes those before.
type waveJob struct {
	r     *Runner
	parts int
	ahead int // steps between two parts
	tape  *Tape
	state []float32
	walks []walk // (L)
}

// wavefront is how many multiply-adds of a part, at most, lie between it and the
// next where a step has fewer: what takes no longer than a part spins.
const wavefront = 1 << 20

// waves is how many parts a wave through the stack has, 1 if the layers had
// better follow each other: where a layer needs the last step of the one below
// before its first, where rows are enough to be shared out, and where the units
// of a layer are, which is as fast and keeps more of the weights in the cache.
func (r *Runner) waves(tape *Tape) int {
	x, threads := &tape.x, r.team.Threads()
	parts := min(threads, r.p.Layers)
	if r.p.Directions() > 1 || x.B >= fewRows*threads || x.T < 2*parts || tape.drops() || r.team.Crowded() {
		return 1
	}
	if s := r.split(x.B); s.byUnits && s.parts >= parts {
		return 1
	}
	return parts
}

func (j *waveJob) run(r *Runner, parts int, state []float32, tape *Tape) {
	j.r, j.parts, j.state, j.tape = r, parts, state, tape
	step := r.p.work(2*tape.x.B) * ((r.p.Layers + parts - 1) / parts)
	j.ahead = max(1, min(tape.ahead, wavefront/max(1, step)))
	tape.ahead = j.ahead
	j.walks = nn.Grow(j.walks, r.p.Layers)
	for l := range j.walks {
		j.walks[l] = r.walk(l, 0, split{parts: 1}, &r.in[l], tape)
	}
	r.team.Together(parts, 0, j)
	clear(j.walks)
	j.state, j.tape = nil, nil
}

func (j *waveJob) Run(part int) {
	from, to := kernel.Span(len(j.walks), part, j.parts, 1)
	own := j.walks[from:to]
	for l := range own {
		own[l].begin(j.state)
	}
	steps := j.tape.x.T
	fronts := (steps + j.ahead - 1) / j.ahead
	for i := range fronts + j.parts - 1 {
		if at := (i - part) * j.ahead; at >= 0 && at < steps {
			for l := range own {
				own[l].take(at, min(at+j.ahead, steps))
			}
		}
		j.r.team.Meet()
	}
	for l := range own {
		own[l].end(j.state)
	}
}
