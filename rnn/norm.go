package rnn

import "math"

// epsilon is added to a variance.
const epsilon = 1e-5

// norm is what makes the mean of some values 0 and their variance 1.
type norm struct{ mean, scale float64 }

func normOf(x []float32) norm {
	sum, squares := 0.0, 0.0
	for _, v := range x {
		sum += float64(v)
	}
	mean := sum / float64(len(x))
	for _, v := range x {
		d := float64(v) - mean
		squares += float64(d * d)
	}
	return norm{mean, 1 / math.Sqrt(squares/float64(len(x))+epsilon)}
}

// of is v normalised.
func (n norm) of(v float32) float32 { return float32((float64(v) - n.mean) * n.scale) }

// add adds gain ⊙ x normalised + bias to y.
func (n norm) add(y, x, gain, bias []float32) {
	for j, v := range x {
		y[j] += float32(gain[j]*n.of(v)) + bias[j]
	}
}

// back is the step back of x normalised times gain: dy is the gradient of it,
// dGain is set to that of gain, and x's is added to dx.
func (n norm) back(dx, dGain, dy, x, gain []float32) {
	sum, along := 0.0, 0.0
	for j, v := range x {
		hat := n.of(v)
		d := float64(dy[j] * gain[j])
		dGain[j] = dy[j] * hat
		sum += d
		along += float64(d * float64(hat))
	}
	sum, along = sum/float64(len(x)), along/float64(len(x))
	for j, v := range x {
		dx[j] += float32(n.scale * (float64(dy[j]*gain[j]) - sum - float64(along*float64(n.of(v)))))
	}
}
