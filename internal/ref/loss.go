package ref

import (
	"fmt"
	"math"
)

// SoftmaxCrossEntropy returns the mean of -ln softmax(logits)[target], in nats,
// over the rows that count, and its gradient (softmax − onehot) / count. logits
// and dlogits are (N, V), targets is (N). A row with a negative target is padding:
// it does not count and its gradient is zero. With no row that counts both are 0.
func SoftmaxCrossEntropy(logits []float64, targets []int) (loss float64, dlogits []float64) {
	dlogits = make([]float64, len(logits))
	count := 0.0
	for _, target := range targets {
		if target >= 0 {
			count++
		}
	}
	if count == 0 {
		return 0, dlogits
	}
	V := len(logits) / len(targets)
	wantLen("logits", len(logits), len(targets)*V)
	for i, target := range targets {
		if target < 0 {
			continue
		}
		if target >= V {
			panic(fmt.Sprintf("ref: targets[%d] is %d, want less than %d", i, target, V))
		}
		row := logits[i*V : (i+1)*V]
		top := math.Inf(-1) // taken off every logit, so that exp cannot overflow
		for _, a := range row {
			top = math.Max(top, a)
		}
		sum := 0.0
		for _, a := range row {
			sum += math.Exp(a - top)
		}
		logSum := top + math.Log(sum)
		loss += (logSum - row[target]) / count
		for v, a := range row {
			dlogits[i*V+v] = math.Exp(a-logSum) / count
		}
		dlogits[i*V+target] -= 1 / count
	}
	return loss, dlogits
}
