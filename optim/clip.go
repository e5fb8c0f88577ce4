package optim

import (
	"math"

	"sluice/nn"
)

// Norm is the Euclidean norm of x. It is finite exactly when every element is:
// the largest float32 squared is far from the largest float64.
func Norm(team *nn.Team, x []float32) float64 { return math.Sqrt(team.SumSquares(x)) }

// ClipNorm scales grad to norm limit if its norm is larger, and returns the
// norm found (Pascanu et al. 2013). A limit of 0 leaves grad as it is. So does
// a norm that is NaN or infinite, whatever the limit: the caller looks at the
// norm and stops.
func ClipNorm(team *nn.Team, grad []float32, limit float64) float64 {
	norm := Norm(team, grad)
	if limit > 0 && norm > limit && !math.IsInf(norm, 0) {
		team.Scale(grad, limit/norm)
	}
	return norm
}

// ClipValue bounds each element of grad to [−limit, limit]. A limit of 0
// leaves grad as it is. NaN and infinite elements stay as they are, so that
// Norm still tells of them.
func ClipValue(grad []float32, limit float64) {
	if !(limit > 0) {
		return
	}
	l := float32(limit)
	for i, g := range grad {
		if g-g == 0 { // finite
			grad[i] = max(-l, min(l, g))
		}
	}
}
