package nn

import "math"

// The recursions over a sequence with logarithms, which hold whatever is finite,
// and −Inf. A step costs K² exponentials.

// logForward sets alpha and emit, and returns the log of the summed exponential
// scores of all tags.
func (j *crfJob) logForward(p *crfPart, b, n int) (logZ float64) {
	w, paths := &j.weights, p.paths[:j.k]
	for t := range n {
		e, a := j.at(p.emit, t), j.at(p.alpha, t)
		j.emissions.GetRow(p.row, t*j.B+b)
		for k, x := range p.row {
			if e[k] = float64(x); t == 0 {
				a[k] = w.start[k] + e[k]
				continue
			}
			m := w.movesT[k*j.k : (k+1)*j.k]
			for i, before := range j.at(p.alpha, t-1)[:j.k] {
				paths[i] = before + m[i]
			}
			a[k] = logSumExp(paths) + e[k]
		}
	}
	for k, a := range j.at(p.alpha, n-1)[:j.k] {
		paths[k] = a + w.end[k]
	}
	return logSumExp(paths)
}

// logBackward sets gamma, and adds the expected number of each transition to the
// part's gradient. No rounding of large scores makes a probability more than 1.
func (j *crfJob) logBackward(p *crfPart, logZ float64, n int) {
	if math.IsInf(logZ, -1) { // no tags are allowed
		clear(p.gamma[:n*padded(j.k)])
		return
	}
	beta, ahead, paths := p.beta[:j.k], p.ahead[:j.k], p.paths[:j.k]
	copy(beta, j.weights.end)
	for t := n - 1; ; t-- {
		a, g := j.at(p.alpha, t), j.at(p.gamma, t)
		for k, x := range beta {
			g[k] = math.Exp(min(0, a[k]+x-logZ))
		}
		if t == 0 {
			return
		}
		for k, e := range j.at(p.emit, t)[:j.k] {
			ahead[k] = e + beta[k]
		}
		for i, a := range j.at(p.alpha, t-1)[:j.k] {
			m, d := j.weights.moves[i*j.k:(i+1)*j.k], p.dTransitions[i*j.k:(i+1)*j.k]
			for k, x := range ahead {
				paths[k] = m[k] + x
				d[k] += math.Exp(min(0, a+paths[k]-logZ))
			}
			beta[i] = logSumExp(paths)
		}
	}
}

// logSumExp is ln Σ exp(x).
func logSumExp(x []float64) float64 {
	top, sum := math.Inf(-1), 0.0
	for _, v := range x {
		top = max(top, v)
	}
	if math.IsInf(top, -1) {
		return top
	}
	for _, v := range x {
		sum += math.Exp(v - top)
	}
	return top + math.Log(sum)
}
