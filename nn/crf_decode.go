package nn

import "math"

// best sets the tags of sequence b of n steps to those of the highest score.
func (j *crfJob) best(p *crfPart, b, n int) {
	for t := range j.T {
		j.tags[t*j.B+b] = Ignore
	}
	if n == 0 {
		return
	}
	w, score, next := &j.weights, p.beta[:j.k], p.ahead[:j.k]
	for t := range n {
		j.emissions.GetRow(p.row, t*j.B+b)
		for k, x := range p.row {
			if t == 0 {
				next[k] = w.start[k] + float64(x)
				continue
			}
			from, top := bestFrom(score, w.movesT[k*j.k:(k+1)*j.k])
			next[k], p.from[t*j.k+k] = top+float64(x), from
		}
		score, next = next, score
	}
	last, _ := bestFrom(score, w.end)
	if last == Ignore {
		return
	}
	j.tags[(n-1)*j.B+b] = last
	for t := n - 1; t > 0; t-- {
		last = p.from[t*j.k+int(last)]
		j.tags[(t-1)*j.B+b] = last
	}
}

// bestFrom is the first place where x + y is largest, and that; Ignore and −Inf if
// there is none.
func bestFrom(x, y []float64) (from int32, top float64) {
	from, top = Ignore, math.Inf(-1)
	y = y[:len(x)]
	for i, v := range x {
		if v += y[i]; v > top {
			from, top = int32(i), v
		}
	}
	return from, top
}
