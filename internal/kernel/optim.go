package kernel

// The updates of parameters, over vectors of any length that are all as long
// as grad. Every implementation gives the same bits.

// AdamStep is what one update of Adam has for all parameters.
type AdamStep struct {
	Beta1, Beta2 float64 // what the moments keep
	Step         float32 // the learning rate over 1 − β₁ᵗ
	Root         float32 // 1/√(1 − β₂ᵗ)
	Eps          float32
	Decay        float32 // the learning rate times the weight decay
}

// Adam updates the moments m and v by grad and moves params by
// Step·m/(√v·Root + Eps) + Decay·params, one step, so that a decay too small
// to move a parameter alone still counts. The moments are summed in float64:
// 1−β₂ of a float32 β₂ is off by 1e-5.
func Adam(params, grad, m, v []float32, s AdamStep) {
	params, m, v = params[:len(grad)], m[:len(grad)], v[:len(grad)]
	for len(grad) >= Lane {
		n := whole(grad)
		adam(params[:n], grad[:n], m[:n], v[:n], s)
		params, grad, m, v = params[n:], grad[n:], m[n:], v[n:]
	}
	adamGeneric(params, grad, m, v, s)
}

// Momentum sets velocity to mu·velocity + grad + decay·params, summed in
// float64, and moves params by step·velocity.
func Momentum(params, grad, velocity []float32, mu, decay float64, step float32) {
	params, velocity = params[:len(grad)], velocity[:len(grad)]
	for len(grad) >= Lane {
		n := whole(grad)
		momentum(params[:n], grad[:n], velocity[:n], mu, decay, step)
		params, grad, velocity = params[n:], grad[n:], velocity[n:]
	}
	momentumGeneric(params, grad, velocity, mu, decay, step)
}

// SGD moves params by step·(grad + decay·params).
func SGD(params, grad []float32, decay, step float32) {
	params = params[:len(grad)]
	for len(grad) >= Lane {
		n := whole(grad)
		sgd(params[:n], grad[:n], decay, step)
		params, grad = params[n:], grad[n:]
	}
	sgdGeneric(params, grad, decay, step)
}

// Mean moves the mean, which is mean + rest in float64, by its distance to
// params times by: the mean of k vectors where by is 1/k. rest is what mean,
// the nearest float32, leaves over.
func Mean(mean, rest, params []float32, by float64) {
	mean, rest = mean[:len(params)], rest[:len(params)]
	for len(params) >= Lane {
		n := whole(params)
		meanOf(mean[:n], rest[:n], params[:n], by)
		mean, rest, params = mean[n:], rest[n:], params[n:]
	}
	meanGeneric(mean, rest, params, by)
}

// Scale multiplies x by by, in float64.
func Scale(x []float32, by float64) {
	for len(x) >= Lane {
		n := whole(x)
		scale(x[:n], by)
		x = x[n:]
	}
	scaleGeneric(x, by)
}

// SumSquares is the sum of x's squares in float64. It is finite exactly when
// every element is: the largest float32 squared is far from the largest
// float64. The order of the sum depends on the length alone.
func SumSquares(x []float32) (sum float64) {
	for len(x) >= Lane {
		n := whole(x)
		sum += sumSquares(x[:n])
		x = x[n:]
	}
	return sum + sumSquaresGeneric(x)
}
