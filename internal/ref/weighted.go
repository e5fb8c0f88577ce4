package ref

// WeightedCrossEntropy is the mean of weights[target] times the cross-entropy over
// the rows that count, each counting as its weight: the mean of PyTorch's
// nn.CrossEntropyLoss(weight). weights is (V). Else it is as SoftmaxCrossEntropy.
func WeightedCrossEntropy(logits []float64, targets []int, weights []float64) (loss float64, dlogits []float64) {
	dlogits = make([]float64, len(logits))
	V, total := len(weights), 0.0
	wantLen("logits", len(logits), len(targets)*V)
	for _, target := range targets {
		if target >= 0 {
			total += weights[target]
		}
	}
	for i, target := range targets {
		if target < 0 {
			continue
		}
		nats, d := SoftmaxCrossEntropy(logits[i*V:(i+1)*V], []int{target})
		loss += weights[target] * nats / total
		for k := range d {
			dlogits[i*V+k] = weights[target] * d[k] / total
		}
	}
	return loss, dlogits
}
