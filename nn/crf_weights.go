package nn

import "math"

// crfWeights are the parameters as a call needs them, what is forbidden being −Inf,
// and their exponentials after the largest is taken off. Rows of these are padded,
// so that four columns pass at once.
type crfWeights struct {
	moves, movesT []float64 // (K, K) from, to · to, from
	start, end    []float64 // (K)

	expMoves, expMovesT []float64 // (K, padded) from, to · to, from
	expStart, expEnd    []float64 // (padded)
	topMove, topEnds    float64   // what was taken off a move, and off start and end together
	scaled              bool      // the exponentials will do
}

// padded is k rounded up to a multiple of four.
func padded(k int) int { return (k + 3) &^ 3 }

func (w *crfWeights) set(k int, p CRFParams, a Allowed) {
	w.moves = logs(w.moves, p.Transitions[:k*k], a.Transitions)
	w.start = logs(w.start, p.Start[:k], a.Start)
	w.end = logs(w.end, p.End[:k], a.End)
	w.movesT = Grow(w.movesT, k*k)
	for i := range k {
		for j := range k {
			w.movesT[j*k+i] = w.moves[i*k+j]
		}
	}
}

// scale sets the exponentials.
func (w *crfWeights) scale(k int) {
	top, good := topOf(w.moves), true
	w.expMoves, good = scaledExp(w.expMoves, w.moves, k, top, good)
	w.expMovesT, good = scaledExp(w.expMovesT, w.movesT, k, top, good)
	start, end := topOf(w.start), topOf(w.end)
	w.expStart, good = scaledExp(w.expStart, w.start, k, start, good)
	w.expEnd, good = scaledExp(w.expEnd, w.end, k, end, good)
	w.topMove, w.topEnds, w.scaled = top, start+end, good
}

// logs sets y to x, -Inf where it is not allowed.
func logs(y []float64, x []float32, allowed []bool) []float64 {
	y = Grow(y, len(x))
	for i, v := range x {
		y[i] = float64(v)
		if allowed != nil && !allowed[i] {
			y[i] = math.Inf(-1)
		}
	}
	return y
}

// topOf is the largest of x, or 0 if all are -Inf.
func topOf(x []float64) float64 {
	top := math.Inf(-1)
	for _, v := range x {
		top = max(top, v)
	}
	if math.IsInf(top, -1) {
		return 0
	}
	return top
}

// scaledExp sets the rows of y (rows, padded) to exp(x − top), of x (rows, K), and
// says whether all are good factors, if good so far.
func scaledExp(y, x []float64, k int, top float64, good bool) ([]float64, bool) {
	wide := padded(k)
	y = Grow(y, len(x)/k*wide)
	for i, v := range x {
		e := math.Exp(v - top)
		y[i/k*wide+i%k] = e
		good = good && (e >= leastFactor || math.IsInf(v, -1))
	}
	return y, good
}
