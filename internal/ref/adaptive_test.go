package ref

import (
	"fmt"
	"math"
	"math/rand"
	"testing"
)

// newAdaptive draws an adaptive softmax with tails of the given widths.
func newAdaptive(rnd *rand.Rand, in, classes int, cutoffs, widths []int, bias bool) *Adaptive {
	head := cutoffs[0] + len(cutoffs)
	a := &Adaptive{In: in, Classes: classes, Cutoffs: cutoffs, Head: uniform(rnd, head*in, 1)}
	if bias {
		a.Bias = uniform(rnd, head, 1)
	}
	for t, first := range cutoffs {
		last := classes
		if t+1 < len(cutoffs) {
			last = cutoffs[t+1]
		}
		a.Projections = append(a.Projections, uniform(rnd, widths[t]*in, 1))
		a.Tails = append(a.Tails, uniform(rnd, (last-first)*widths[t], 2))
	}
	return a
}

func TestAdaptiveGradient(t *testing.T) {
	const in, classes = 5, 13
	for _, c := range []struct {
		cutoffs, widths []int
		bias            bool
	}{{[]int{4}, []int{2}, true}, {[]int{3, 7}, []int{3, 1}, false}, {[]int{1, 2, 12}, []int{5, 2, 1}, true}} {
		rnd := rand.New(rand.NewSource(int64(len(c.cutoffs))))
		a := newAdaptive(rnd, in, classes, c.cutoffs, c.widths, c.bias)
		targets := append(rnd.Perm(classes), -1)
		x := uniform(rnd, len(targets)*in, 1)
		loss, da, dx := a.Gradient(x, targets)

		sum, logs := 0.0, a.LogProbs(x)
		for i, target := range targets {
			total := 0.0
			for _, l := range logs[i*classes : (i+1)*classes] {
				total += math.Exp(l)
			}
			if math.Abs(total-1) > 1e-12 {
				t.Errorf("cutoffs %v: probabilities add up to %v", c.cutoffs, total)
			}
			if target >= 0 {
				sum -= logs[i*classes+target] / classes
			}
		}
		if math.Abs(loss-sum) > 1e-12 {
			t.Errorf("cutoffs %v: loss %v, of all log-probabilities %v", c.cutoffs, loss, sum)
		}

		values, gradients := [][]float64{x, a.Head, a.Bias}, [][]float64{dx, da.Head, da.Bias}
		values, gradients = append(append(values, a.Projections...), a.Tails...), append(append(gradients, da.Projections...), da.Tails...)
		for k, v := range values {
			for i, at := range v {
				const h = 1e-5
				v[i] = at + h
				high, _, _ := a.Gradient(x, targets)
				v[i] = at - h
				low, _, _ := a.Gradient(x, targets)
				v[i] = at
				if want := (high - low) / (2 * h); math.Abs(gradients[k][i]-want) > 1e-9 {
					t.Errorf("%s: gradient %v, by differences %v", fmt.Sprintf("cutoffs %v tensor %d [%d]", c.cutoffs, k, i), gradients[k][i], want)
				}
			}
		}
	}
}
