package ref

import (
	"fmt"
	"math"
)

// Adaptive is the adaptive softmax of Grave et al. 2017, arXiv 1609.04309, with
// the parameters of torch.nn.AdaptiveLogSoftmaxWithLoss. Or it is a gradient.
type Adaptive struct {
	In, Classes int
	Cutoffs     []int       // the first class of each tail
	Head        []float64   // (Cutoffs[0] + tails, In)
	Bias        []float64   // (Cutoffs[0] + tails) of the head, or nil
	Projections [][]float64 // of each tail (its width, In)
	Tails       [][]float64 // of each (its classes, its width)
}

// tailOf returns the tail of a class, -1 if it is the head's, and its place there.
func (a *Adaptive) tailOf(class int) (tail, place int) {
	tail, first, last := -1, 0, a.Cutoffs[0]
	for class >= last {
		tail++
		first, last = last, a.Classes
		if tail+1 < len(a.Cutoffs) {
			last = a.Cutoffs[tail+1]
		}
	}
	return tail, class - first
}

// softmaxOf returns the probabilities of w's rows (outputs, in) for x (in).
func softmaxOf(w, b, x []float64) []float64 {
	p, top, sum := make([]float64, len(w)/len(x)), math.Inf(-1), 0.0
	for o := range p {
		if b != nil {
			p[o] = b[o]
		}
		for j, v := range x {
			p[o] += w[o*len(x)+j] * v
		}
		top = math.Max(top, p[o])
	}
	for o := range p {
		p[o] = math.Exp(p[o] - top)
		sum += p[o]
	}
	for o := range p {
		p[o] /= sum
	}
	return p
}

// project returns w (width, in) times x (in).
func project(w, x []float64) []float64 {
	y := make([]float64, len(w)/len(x))
	for o := range y {
		for j, v := range x {
			y[o] += w[o*len(x)+j] * v
		}
	}
	return y
}

// LogProbs returns the log-probabilities (N, Classes) of rows x (N, In).
func (a *Adaptive) LogProbs(x []float64) []float64 {
	n := len(x) / a.In
	wantLen("x", len(x), n*a.In)
	logs := make([]float64, 0, n*a.Classes)
	for i := range n {
		row := x[i*a.In : (i+1)*a.In]
		head := softmaxOf(a.Head, a.Bias, row)
		for _, p := range head[:a.Cutoffs[0]] {
			logs = append(logs, math.Log(p))
		}
		for t := range a.Tails {
			for _, p := range softmaxOf(a.Tails[t], nil, project(a.Projections[t], row)) {
				logs = append(logs, math.Log(head[a.Cutoffs[0]+t])+math.Log(p))
			}
		}
	}
	return logs
}

// Gradient returns the mean of -ln p(target) over the rows that count, and its
// gradients by the parameters and x. A row with a negative target is padding.
func (a *Adaptive) Gradient(x []float64, targets []int) (loss float64, da *Adaptive, dx []float64) {
	count := 0.0
	for i, target := range targets {
		if target >= a.Classes {
			panic(fmt.Sprintf("ref: targets[%d] is %d, want less than %d", i, target, a.Classes))
		}
		if target >= 0 {
			count++
		}
	}
	da, dx = a.zero(), make([]float64, len(x))
	for i, target := range targets {
		if target < 0 {
			continue
		}
		row, drow := x[i*a.In:(i+1)*a.In], dx[i*a.In:(i+1)*a.In]
		tail, place := a.tailOf(target)
		want := place
		if tail >= 0 {
			want = a.Cutoffs[0] + tail
			low := project(a.Projections[tail], row)
			p := softmaxOf(a.Tails[tail], nil, low)
			loss -= math.Log(p[place]) / count
			dlow := make([]float64, len(low))
			softmaxBack(da.Tails[tail], nil, dlow, a.Tails[tail], low, p, place, count)
			for k, d := range dlow {
				for j, v := range row {
					da.Projections[tail][k*a.In+j] += d * v
					drow[j] += d * a.Projections[tail][k*a.In+j]
				}
			}
		}
		p := softmaxOf(a.Head, a.Bias, row)
		loss -= math.Log(p[want]) / count
		softmaxBack(da.Head, da.Bias, drow, a.Head, row, p, want, count)
	}
	return loss, da, dx
}

// softmaxBack adds the gradients of -ln p[want] / count, p being softmaxOf w and x.
func softmaxBack(dw, db, dx, w, x, p []float64, want int, count float64) {
	for o, d := range p {
		if o == want {
			d--
		}
		d /= count
		if db != nil {
			db[o] += d
		}
		for j, v := range x {
			dw[o*len(x)+j] += d * v
			dx[j] += d * w[o*len(x)+j]
		}
	}
}

// zero returns zeros in a's shapes.
func (a *Adaptive) zero() *Adaptive {
	z := &Adaptive{In: a.In, Classes: a.Classes, Cutoffs: a.Cutoffs, Head: make([]float64, len(a.Head))}
	if a.Bias != nil {
		z.Bias = make([]float64, len(a.Bias))
	}
	for t := range a.Tails {
		z.Projections = append(z.Projections, make([]float64, len(a.Projections[t])))
		z.Tails = append(z.Tails, make([]float64, len(a.Tails[t])))
	}
	return z
}
