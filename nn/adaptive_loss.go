package nn

import (
	"fmt"

	"sluice/internal/kernel"
)

// AdaptiveLoss is the cross-entropy of an [Adaptive] softmax. A cluster costs what
// the rows whose targets are in it do; one without any costs nothing, and its weights
// are transposed, which takes as much memory again, when first it has one. It keeps
// buffers and serves one caller.
type AdaptiveLoss struct {
	Nats    []float64 // (N) the loss of each row of the last call, 0 where ignored
	softmax SoftmaxLoss
	targets []int32   // (N) of the head
	rows    []int32   // (n) that are of a cluster
	inside  []int32   // (n) their targets in it
	x       Matrix    // (n, H)
	low     Matrix    // (n, width) x projected
	dlow    []float32 // (n, width)
	dlows   Matrix    // (n, width) in blocks
	dx      []float32 // (n, H)
	moving  moveJob

	clusters  []float64 // (N, clusters) their log-probabilities
	spreading spreadJob
}

// Loss returns the summed cross-entropy of rows x (N, H), in blocks, at their
// targets (N), in nats, and the number of rows that count: those whose target is
// not Ignore.
func (s *AdaptiveLoss) Loss(team *Team, a *Adaptive, x Matrix, targets []int32) (nats float64, count int) {
	s.begin(a, x, targets)
	s.softmax.Loss(team, a.head, x, s.targets)
	copy(s.Nats, s.softmax.Nats)
	for i, t := range a.tails {
		if s.fall(team, a, i, x, targets) {
			s.softmax.Loss(team, t.out, s.low, s.inside)
			s.addNats()
		}
	}
	return sumNats(s.Nats, targets)
}

// Gradient is Loss, and adds the gradient of the loss times factor to g, a flat
// vector with the layout of the parameters, and sets dx (N, H), row-major.
func (s *AdaptiveLoss) Gradient(team *Team, a *Adaptive, g, dx []float32, x Matrix, targets []int32, factor float32) (nats float64, count int) {
	s.begin(a, x, targets)
	if len(g) != a.size {
		panic(fmt.Sprintf("nn: AdaptiveLoss: g has %d values, want %d", len(g), a.size))
	}
	need("AdaptiveLoss", "dx", dx, len(targets), a.In)
	dw, db := a.headOf(g)
	s.softmax.Gradient(team, a.head, dw, db, dx, x, s.targets, factor)
	copy(s.Nats, s.softmax.Nats)
	for i, t := range a.tails {
		if !s.fall(team, a, i, x, targets) {
			continue
		}
		n, width := len(s.rows), t.out.In
		project, out := t.of(g)
		s.softmax.Gradient(team, t.out, out, nil, s.dlow, s.low, s.inside, factor)
		s.addNats()
		s.dlows = s.dlows.Grow(n, width)
		team.ToBlocks(s.dlows, RowMajor(s.dlow, width), width, n)
		t.project.Backward(team, project, nil, s.dx, s.dlows, s.x, n)
		s.move(team, moveJob{to: dx, add: s.dx, cols: a.In})
	}
	return sumNats(s.Nats, targets)
}

// begin panics for the caller's mistakes, before anything is added to, and makes
// room for all rows to be of one cluster.
func (s *AdaptiveLoss) begin(a *Adaptive, x Matrix, targets []int32) {
	n := len(targets)
	x.NeedBlocks("nn: AdaptiveLoss: x", n, a.In)
	needTargets("AdaptiveLoss", targets, a.Classes)
	s.Nats, s.targets = Grow(s.Nats, n), Grow(s.targets, n)
	s.rows, s.inside = Grow(s.rows, n), Grow(s.inside, n)
	s.x, s.dx = s.x.Grow(n, a.In), Grow(s.dx, n*a.In)
	for i, t := range a.tails {
		s.softmax.reserve(t.out, n)
		if i == 0 { // the widest
			s.low, s.dlow, s.dlows = s.low.Grow(n, t.out.In), Grow(s.dlow, n*t.out.In), s.dlows.Grow(n, t.out.In)
		}
	}
	for i, target := range targets {
		s.targets[i] = a.headTarget(target)
	}
}

// fall sets what concerns the rows that are of cluster i, and says whether there
// are any.
func (s *AdaptiveLoss) fall(team *Team, a *Adaptive, i int, x Matrix, targets []int32) bool {
	s.rows, s.inside = s.rows[:0], s.inside[:0]
	of := int32(a.Cutoffs[0] + i)
	for row, target := range s.targets {
		if target == of {
			s.rows = append(s.rows, int32(row))
			s.inside = append(s.inside, targets[row]-int32(a.Cutoffs[i]))
		}
	}
	n, t := len(s.rows), a.tails[i]
	if n == 0 {
		return false
	}
	s.x, s.low = s.x.Grow(n, a.In), s.low.Grow(n, t.out.In)
	s.move(team, moveJob{gather: s.x, from: x, cols: a.In})
	t.project.Forward(team, s.low, s.x, n)
	return true
}

// addNats adds what the cluster's rows lose in it.
func (s *AdaptiveLoss) addNats() {
	for i, row := range s.rows {
		s.Nats[row] += s.softmax.Nats[i]
	}
}

// moveJob moves rows to or from where they stand together. Part is a span of them.
type moveJob struct {
	gather, from Matrix    // row i of gather is rows[i] of from, both in blocks
	to, add      []float32 // or row rows[i] of to, row-major, += row i of add
	rows         []int32
	cols, parts  int
}

func (s *AdaptiveLoss) move(team *Team, job moveJob) {
	job.rows, job.parts = s.rows, min(len(s.rows), team.Threads())
	s.moving = job
	team.Do(job.parts, &s.moving)
	s.moving = moveJob{}
}

func (j *moveJob) Run(part int) {
	from, to := kernel.Span(len(j.rows), part, j.parts, 1)
	for i := from; i < to; i++ {
		row := int(j.rows[i])
		if j.to != nil {
			kernel.AddTo(j.to[row*j.cols:], j.add[i*j.cols:(i+1)*j.cols])
			continue
		}
		for k := 0; k < j.cols; k += kernel.Wide {
			copy(j.gather.At(i, k), j.from.At(row, k))
		}
	}
}
