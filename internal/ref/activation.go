package ref

import (
	"fmt"
	"math"
)

// Options are what a cell may do in another way than the textbook's. The zero
// value is the textbook's. Clip and Acts are those of the operators RNN, GRU and
// LSTM of ONNX, Coupled is their input_forget.
type Options struct {
	Acts    []Act   // nil: the cell's own. Else RNN: of h'. GRU: of r and z, of n. LSTM: of i, f and o, of g, of c'
	Clip    float64 // above 0: what these are applied to, but c', is bounded by it on both sides
	Coupled bool    // LSTM: f = 1 − i; the rows of the weights are i, g, o
}

// Act is a function of one number with up to two parameters.
type Act struct {
	Name        string
	Alpha, Beta float64
}

// standard are a cell's own.
func standard(cell string) []Act {
	s, t := Act{Name: "sigmoid"}, Act{Name: "tanh"}
	switch cell {
	case "rnn_tanh":
		return []Act{t}
	case "rnn_relu":
		return []Act{{Name: "relu"}}
	case "lstm":
		return []Act{s, t, t}
	}
	return []Act{s, t}
}

// at returns f(x) and its slope. At a kink the slope is that from the left, but
// that of a bound still counts as within it.
func (f Act) at(x float64) (y, slope float64) {
	a, b := f.Alpha, f.Beta
	piece := func(above bool, y, slope, elseY, elseSlope float64) (float64, float64) {
		if above {
			return y, slope
		}
		return elseY, elseSlope
	}
	switch f.Name {
	case "sigmoid":
		y = sigmoid(x)
		return y, y * (1 - y)
	case "tanh":
		y = math.Tanh(x)
		return y, 1 - y*y
	case "relu":
		return piece(x > 0, x, 1, 0, 0)
	case "relu6":
		return piece(x < 6, math.Max(x, 0), map[bool]float64{true: 1}[x > 0], 6, 0)
	case "identity":
		return x, 1
	case "affine":
		return a*x + b, a
	case "scaled_tanh":
		y = math.Tanh(b * x)
		return a * y, a * b * (1 - y*y)
	case "hard_sigmoid":
		y = a*x + b
		return piece(y > 0 && y < 1, y, a, math.Min(math.Max(y, 0), 1), 0)
	case "leaky_relu":
		return piece(x > 0, x, 1, a*x, a)
	case "thresholded_relu":
		return piece(x > a, x, 1, 0, 0)
	case "elu":
		return piece(x > 0, x, 1, a*math.Expm1(x), a*math.Exp(x))
	case "selu": // Klambauer et al. 2017
		const scale, alpha = 1.0507009873554805, 1.6732632423543772
		return piece(x > 0, scale*x, scale, scale*alpha*math.Expm1(x), scale*alpha*math.Exp(x))
	case "softsign":
		d := 1 + math.Abs(x)
		return x / d, 1 / (d * d)
	case "softplus":
		return math.Log1p(math.Exp(x)), sigmoid(x)
	case "silu":
		s := sigmoid(x)
		return x * s, s * (1 + x*(1-s))
	case "exponential":
		return math.Exp(x), math.Exp(x)
	}
	panic(fmt.Sprintf("ref: activation %q", f.Name))
}

// bounded is what clipping leaves of a, and whether a is within the bounds.
func (o Options) bounded(a float64) (float64, bool) {
	if o.Clip > 0 && math.Abs(a) > o.Clip {
		return math.Copysign(o.Clip, a), false
	}
	return a, true
}

// activate returns activation k of each of a, clipped.
func (s *Step) activate(k int, a []float64) []float64 {
	return apply(func(a float64) float64 {
		a, _ = s.bounded(a)
		y, _ := s.acts[k].at(a)
		return y
	}, a)
}

// deactivate takes dy of activate and returns da.
func (s *Step) deactivate(k int, a, dy []float64) []float64 {
	da := make([]float64, len(a))
	for j := range a {
		if x, within := s.bounded(a[j]); within {
			_, slope := s.acts[k].at(x)
			da[j] = dy[j] * slope
		}
	}
	return da
}
