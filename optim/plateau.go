package optim

// Plateau tells when a score has stopped improving. It is all that depends on
// scores and not on the update alone, so it is saved in a checkpoint; the zero
// value has seen none. A run has one for each thing that waits for a plateau:
// the fall of the schedule "plateau", the start of an Average, the end of the
// run, each with a patience of its own.
type Plateau struct {
	Bests int     `json:"bests"` // how often a score was lower than all before
	Best  float64 `json:"best"`  // the last of these; 0 while there is none
	Since int     `json:"since"` // scores since the best or the last fall
	Falls int     `json:"falls"` // how often the patience was at its end
}

// Score takes a score, lower is better, and reports whether it is the last of
// patience scores in a row without a new best. Waiting then begins again. A
// score that is not finite is no best.
func (p *Plateau) Score(score float64, patience int) (fell bool) {
	if score-score == 0 && (p.Bests == 0 || score < p.Best) {
		p.Bests++
		p.Best, p.Since = score, 0
		return false
	}
	p.Since++
	if p.Since < patience {
		return false
	}
	p.Since = 0
	p.Falls++
	return true
}
