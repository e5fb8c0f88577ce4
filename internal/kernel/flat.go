package kernel

// Piece is the length of the pieces that a flat vector is worked on in, by
// whichever goroutine is free: what depends on the order of a sum depends on
// the pieces, not on the threads.
const Piece = 1 << 14

// Pieces is the number of pieces of n elements, and Bounds where one lies.
func Pieces(n int) int { return (n + Piece - 1) / Piece }

// Bounds is where piece i of n elements lies.
func Bounds(n, i int) (from, to int) { return i * Piece, min(n, (i+1)*Piece) }

// flatJob does something to each piece of x.
type flatJob struct {
	do   func(j *flatJob, x []float32, piece int)
	x    []float32
	by   float64
	sums []float64 // (pieces)
}

func (j *flatJob) Run(piece int) {
	from, to := Bounds(len(j.x), piece)
	j.do(j, j.x[from:to], piece)
}

func (t *Team) each(x []float32, by float64, do func(j *flatJob, x []float32, piece int)) {
	t.flat.x, t.flat.by, t.flat.do = x, by, do
	t.Do(Pieces(len(x)), &t.flat)
	t.flat.x = nil
}

// Clear sets x to zero.
func (t *Team) Clear(x []float32) {
	t.each(x, 0, func(_ *flatJob, x []float32, _ int) { clear(x) })
}

// Scale multiplies x by by, in float64.
func (t *Team) Scale(x []float32, by float64) {
	t.each(x, by, func(j *flatJob, x []float32, _ int) { Scale(x, j.by) })
}

// SumSquares is the sum of x's squares in float64, piece by piece. It is finite
// exactly when every element is.
func (t *Team) SumSquares(x []float32) (sum float64) {
	if n := Pieces(len(x)); cap(t.flat.sums) < n {
		t.flat.sums = make([]float64, n)
	}
	t.flat.sums = t.flat.sums[:Pieces(len(x))]
	t.each(x, 0, func(j *flatJob, x []float32, piece int) { j.sums[piece] = SumSquares(x) })
	for _, s := range t.flat.sums {
		sum += s
	}
	return sum
}
