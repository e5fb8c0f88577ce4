package nn

import "sluice/internal/kernel"

// LogProbs sets y (N, V), in blocks, to the log-probabilities of all classes for
// rows x (N, H). They are logits as well.
func (s *AdaptiveLoss) LogProbs(team *Team, a *Adaptive, y, x Matrix, n int) {
	x.Need("nn: AdaptiveLoss.LogProbs: x", n, a.In)
	y.NeedBlocks("nn: AdaptiveLoss.LogProbs: y", n, a.Classes)
	k := len(a.tails)
	s.clusters, s.targets = Grow(s.clusters, n*k), Grow(s.targets, n)
	clear(s.targets)
	s.logSoftmax(team, a.head, x, n, spreadJob{y: y, cols: a.Cutoffs[0], clusters: s.clusters, k: k, head: true})
	for i, t := range a.tails {
		s.low = s.low.Grow(n, t.out.In)
		t.project.Forward(team, s.low, x, n)
		s.logSoftmax(team, t.out, s.low, n, spreadJob{y: y, first: t.first, cols: t.out.Out, clusters: s.clusters, k: k, cluster: i})
	}
}

// spreadJob sets columns [first, first + cols) of y to the log-softmax of rows of
// logits, in two passes: to the logits, and then, when the sums of their exponentials
// are known, to what these leave of them. Part is a span of rows.
type spreadJob struct {
	y, logits   Matrix
	first, cols int
	clusters    []float64 // (N, k) log-probabilities: of the head's last columns, if they are the head's, else to be added
	k, cluster  int
	head        bool
	nats        []float64 // (rows) the loss of the first column; nil in the first pass
	from, rows  int
	parts       int
}

// logSoftmax runs the job with a layer's outputs for x, some rows after others.
func (s *AdaptiveLoss) logSoftmax(team *Team, l *Linear, x Matrix, n int, job spreadJob) {
	entropy := &s.softmax.Entropy
	entropy.V = l.Out
	for ; job.from < n; job.from += job.rows {
		zeros := s.softmax.forward(team, l, x, s.targets[:n], job.from)
		job.logits, job.nats, job.rows = s.softmax.logits, nil, len(zeros)
		s.spread(team, job)
		entropy.Loss(team, s.softmax.logits, zeros)
		job.nats = entropy.Nats
		s.spread(team, job)
	}
}

func (s *AdaptiveLoss) spread(team *Team, job spreadJob) {
	job.parts = min(job.rows, team.Threads())
	s.spreading = job
	team.Do(job.parts, &s.spreading)
	s.spreading = spreadJob{}
}

func (j *spreadJob) Run(part int) {
	from, to := kernel.Span(j.rows, part, j.parts, 1)
	for i := from; i < to; i++ {
		clusters := j.clusters[(j.from+i)*j.k:][:j.k]
		if j.nats == nil {
			j.copy(i, clusters)
		} else {
			j.shift(i, clusters)
		}
	}
}

// copy is the first pass of a row.
func (j *spreadJob) copy(i int, clusters []float64) {
	for c := 0; c < j.cols; {
		dst := j.y.At(j.from+i, j.first+c)
		c += copy(dst[:min(len(dst), j.cols-c)], j.logits.At(i, c))
	}
	for c := range clusters {
		if j.head {
			clusters[c] = float64(j.logits.At(i, j.cols+c)[0])
		}
	}
}

// shift is the second pass of a row. The log of the sum of exponentials is the loss
// of a column plus its logit.
func (j *spreadJob) shift(i int, clusters []float64) {
	by := -j.nats[i] - float64(j.y.At(j.from+i, j.first)[0])
	if j.head {
		for c := range clusters {
			clusters[c] += by
		}
	} else {
		by += clusters[j.cluster]
	}
	for c := 0; c < j.cols; {
		row := j.y.At(j.from+i, j.first+c)
		row = row[:min(len(row), j.cols-c)]
		for k, v := range row {
			row[k] = float32(float64(v) + by)
		}
		c += len(row)
	}
}
