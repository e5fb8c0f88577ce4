package nn

import "math"

// best sets the tags of sequence b of n steps to those of the highest score. On the
// way there only scores are kept: the tag before is sought again on the way back,
// for one tag a step.
func (j *crfJob) best(p *crfPart, b, n int) {
	for t := range j.T {
		j.tags[t*j.B+b] = Ignore
	}
	if n == 0 {
		return
	}
	w := &j.weights
	for t := range n {
		score := j.at(p.alpha, t)[:j.k]
		if t == 0 {
			copy(score, w.start)
		} else {
			before := j.at(p.alpha, t-1)[:j.k]
			likely := 0
			for k, s := range before {
				if s > before[likely] {
					likely = k
				}
			}
			for k := range score {
				score[k] = topFrom(before, w.movesT[k*j.k:(k+1)*j.k], likely)
			}
		}
		j.emissions.GetRow(p.row, t*j.B+b)
		for k, x := range p.row {
			score[k] += float64(x)
		}
	}
	to := w.end
	for t := n - 1; t >= 0; t-- {
		k := bestFrom(j.at(p.alpha, t)[:j.k], to)
		if k == Ignore {
			return // at the end: no tags are allowed
		}
		j.tags[t*j.B+b] = k
		to = w.movesT[int(k)*j.k : int(k+1)*j.k]
	}
}

// bestFrom is the first place where x + y is largest, Ignore if it is -Inf there.
func bestFrom(x, y []float64) int32 {
	from, top := Ignore, math.Inf(-1)
	y = y[:len(x)]
	for i, v := range x {
		if v += y[i]; v > top {
			from, top = int32(i), v
		}
	}
	return from
}

// topFrom is the largest x + y, which is looked for at likely first: the fewer
// times it changes, the better a processor foresees that it does not.
func topFrom(x, y []float64, likely int) float64 {
	top := math.Inf(-1)
	if v := x[likely] + y[likely]; v > top {
		top = v
	}
	y = y[:len(x)]
	for i, v := range x {
		if v += y[i]; v > top {
			top = v
		}
	}
	return top
}
