package ref

import "math"

// What training minimises beside, or in the place of, the cross-entropy. Each
// function returns a loss and its gradient.

// SmoothedCrossEntropy is the mean over the rows that count of
// -Σ q[v]·ln softmax(logits)[v], where q is eps/V for each class and 1-eps more
// for the target (Szegedy et al. 2016). Else it is as SoftmaxCrossEntropy.
func SmoothedCrossEntropy(logits []float64, targets []int, eps float64) (loss float64, dlogits []float64) {
	dlogits = make([]float64, len(logits))
	if len(targets) == 0 {
		return 0, dlogits
	}
	V, count := len(logits)/len(targets), 0.0
	for _, target := range targets {
		if target >= 0 {
			count++
		}
	}
	for i, target := range targets {
		if target < 0 {
			continue
		}
		row := logits[i*V : (i+1)*V]
		for v := range row {
			q := eps / float64(V)
			if v == target {
				q += 1 - eps
			}
			nats, d := SoftmaxCrossEntropy(row, []int{v}) // of this row as if v were its target
			loss += q * nats / count
			for k := range row {
				dlogits[i*V+k] += q * d[k] / count
			}
		}
	}
	return loss, dlogits
}

// SquaredError is the mean of (y-want)² over the values that count (Gauss); y,
// want and counts have one shape.
func SquaredError(y, want []float64, counts []bool) (loss float64, dy []float64) {
	dy = make([]float64, len(y))
	n := 0.0
	for _, c := range counts {
		if c {
			n++
		}
	}
	for i, c := range counts {
		if c {
			loss += math.Pow(y[i]-want[i], 2) / n
			dy[i] = 2 * (y[i] - want[i]) / n
		}
	}
	return loss, dy
}

// Activation is activation regularisation, alpha times the mean of z² (Merity,
// McCann and Socher 2017).
func Activation(z []float64, alpha float64) (loss float64, dz []float64) {
	dz = make([]float64, len(z))
	n := float64(len(z))
	for i, v := range z {
		loss += alpha * v * v / n
		dz[i] = 2 * alpha * v / n
	}
	return loss, dz
}

// TemporalActivation is beta times the mean of (y[t]-y[t-1])² over all pairs of
// steps within a row's length (the same). y is (T, B, W); lengths is (B), nil for
// all T. Without a pair it is 0.
func TemporalActivation(y []float64, T, B, W int, lengths []int, beta float64) (loss float64, dy []float64) {
	wantLen("y", len(y), T*B*W)
	dy = make([]float64, len(y))
	var pairs [][2]int
	for b := range B {
		length := T
		if lengths != nil {
			length = lengths[b]
		}
		for t := 1; t < length; t++ {
			for w := range W {
				pairs = append(pairs, [2]int{((t-1)*B+b)*W + w, (t*B+b)*W + w})
			}
		}
	}
	for _, p := range pairs {
		d := y[p[1]] - y[p[0]]
		loss += beta * d * d / float64(len(pairs))
		dy[p[1]] += 2 * beta * d / float64(len(pairs))
		dy[p[0]] -= 2 * beta * d / float64(len(pairs))
	}
	return loss, dy
}
