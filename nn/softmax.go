package nn

// SoftmaxLoss is the cross-entropy of what a [Linear] gives, as [Linear.Forward],
// [CrossEntropy] and [Linear.Backward] have it, bit for bit, but some rows after
// others: the logits of all rows never exist at once. It keeps buffers and serves
// one caller; the layer may serve many.
type SoftmaxLoss struct {
	Nats    []float64    // (N) the loss of each row of the last call, 0 where ignored
	Entropy CrossEntropy // its options; V is the layer's
	logits  Matrix       // (span, V)
	span    int          // rows; 0: spanOf the layer
}

// A span of rows has so many that its logits take 32 MiB, but no fewer than the
// layer has inputs, within bounds: each span reads all weights and adds to all of
// their gradient, which is as much as it does to so many rows of logits.
const (
	maxLogits = 8 << 20
	leastSpan = 64
	mostLeast = 256
)

// spanOf is how many rows of a layer pass at once: an even number, as products of
// bf16 add up pairs of rows.
func (s *SoftmaxLoss) spanOf(l *Linear) int {
	if s.span > 0 {
		return s.span
	}
	least := min(max(leastSpan, l.In), mostLeast)
	return (max(least, maxLogits/l.Out) + 1) &^ 1
}

// Loss returns the summed cross-entropy of the layer's outputs for x (N, In) at
// targets (N), in nats, and the number of rows that count: those whose target is
// not Ignore.
func (s *SoftmaxLoss) Loss(team *Team, head *Linear, x Matrix, targets []int32) (nats float64, count int) {
	s.begin(head, x, targets)
	for from := 0; from < len(targets); from += s.spanOf(head) {
		span := s.forward(team, head, x, targets, from)
		s.Entropy.Loss(team, s.logits, span)
		copy(s.Nats[from:], s.Entropy.Nats)
	}
	return sumNats(s.Nats, targets)
}

// Gradient is Loss, and gives the gradient of the loss times factor as
// Linear.Backward does: it adds to dw (Out, In) and db (Out) and sets dx (N, In),
// row-major. Any of them may be nil. x is in blocks.
func (s *SoftmaxLoss) Gradient(team *Team, head *Linear, dw, db, dx []float32, x Matrix, targets []int32, factor float32) (nats float64, count int) {
	s.begin(head, x, targets)
	if dx != nil {
		need("SoftmaxLoss", "dx", dx, len(targets), head.In)
	}
	for from := 0; from < len(targets); from += s.spanOf(head) {
		span := s.forward(team, head, x, targets, from)
		s.Entropy.Gradient(team, s.logits, span, factor)
		copy(s.Nats[from:], s.Entropy.Nats)
		var part []float32
		if dx != nil {
			part = dx[from*head.In:]
		}
		head.Backward(team, dw, db, part, s.logits, x.From(from), len(span))
	}
	return sumNats(s.Nats, targets)
}

// reserve makes room for n rows of a layer.
func (s *SoftmaxLoss) reserve(head *Linear, n int) {
	s.logits = s.logits.Grow(min(s.spanOf(head), n), head.Out)
}

// begin panics for the caller's mistakes, before anything is added to.
func (s *SoftmaxLoss) begin(head *Linear, x Matrix, targets []int32) {
	x.Need("nn: SoftmaxLoss: x", len(targets), head.In)
	needTargets("SoftmaxLoss", targets, head.Out)
	s.Entropy.V = head.Out
	s.Nats = Grow(s.Nats, len(targets))
}

// forward sets the logits of the span that begins at a row, whose targets it
// returns.
func (s *SoftmaxLoss) forward(team *Team, head *Linear, x Matrix, targets []int32, from int) (span []int32) {
	rows := min(s.spanOf(head), len(targets)-from)
	s.reserve(head, rows)
	head.Forward(team, s.logits, x.From(from), rows)
	return targets[from : from+rows]
}
