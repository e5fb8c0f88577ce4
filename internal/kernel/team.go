package kernel

import (
	"sync"
	"sync/atomic"
)

// A Job is work in parts, any two of which may run at once.
type Job interface{ Run(part int) }

// Team runs jobs on a fixed number of goroutines, the caller's among them. It
// serves one caller at a time.
type Team struct {
	threads int
	wake    chan struct{} // one for each helper that is to join the job
	job     Job
	parts   int64
	next    atomic.Int64
	done    sync.WaitGroup
	mul     mulJob
	outer   outerJob
	closed  sync.Once
}

// NewTeam starts a team of at least one thread. Close ends its goroutines.
func NewTeam(threads int) *Team {
	t := &Team{threads: max(1, threads), wake: make(chan struct{}, max(1, threads))}
	for range t.threads - 1 {
		go t.help()
	}
	return t
}

func (t *Team) help() {
	for range t.wake {
		t.work()
		t.done.Done()
	}
}

func (t *Team) work() {
	for part := t.next.Add(1) - 1; part < t.parts; part = t.next.Add(1) - 1 {
		t.job.Run(int(part))
	}
}

// Threads is the number of goroutines that share a job.
func (t *Team) Threads() int { return t.threads }

// Close ends the team's goroutines. The team must be idle.
func (t *Team) Close() { t.closed.Do(func() { close(t.wake) }) }

// Do runs parts 0 … parts-1 of job, in any order, and returns when all are
// done.
func (t *Team) Do(parts int, job Job) {
	helpers := min(t.threads, parts) - 1
	t.job, t.parts = job, int64(parts)
	t.next.Store(0)
	if helpers > 0 {
		t.done.Add(helpers)
		for range helpers {
			t.wake <- struct{}{}
		}
	}
	t.work()
	t.done.Wait()
	t.job = nil
}

// Span is the share of n things that part of parts takes, [from, to), in
// multiples of align but for the last.
func Span(n, part, parts, align int) (from, to int) {
	blocks := (n + align - 1) / align
	from = min(n, blocks*part/parts*align)
	to = min(n, blocks*(part+1)/parts*align)
	return from, to
}

type mulJob struct {
	p              Panels
	y, x           []float32
	ldy, ldx, rows int
	parts          int
}

func (j *mulJob) Run(part int) {
	from, to := Span(j.rows, part, j.parts, 1)
	j.p.MulAdd(j.y[from*j.ldy:], j.ldy, j.x[from*j.ldx:], j.ldx, to-from)
}

// MulAdd is Panels.MulAdd with the rows shared.
func (t *Team) MulAdd(p Panels, y []float32, ldy int, x []float32, ldx, rows int) {
	if rows == 0 {
		return
	}
	t.mul = mulJob{p, y, x, ldy, ldx, rows, min(rows, t.threads)}
	t.Do(t.mul.parts, &t.mul)
	t.mul = mulJob{}
}

type outerJob struct {
	dw, db, dy, x        []float32
	n, k, ldy, ldx, rows int
	parts                int
}

func (j *outerJob) Run(part int) {
	from, to := Span(j.n, part, j.parts, 4)
	if from == to {
		return
	}
	if j.dw != nil {
		AddOuter(j.dw[from*j.k:], to-from, j.k, j.dy[from:], j.ldy, j.x, j.ldx, j.rows)
	}
	if j.db != nil {
		SumRows(j.db[from:to], j.dy[from:], j.ldy, j.rows)
	}
}

// AddOuter is AddOuter with the rows of dw (n, k) shared, and adds the sum of
// dy's rows to db (n). Either may be nil.
func (t *Team) AddOuter(dw, db []float32, n, k int, dy []float32, ldy int, x []float32, ldx, rows int) {
	if rows == 0 {
		return
	}
	t.outer = outerJob{dw, db, dy, x, n, k, ldy, ldx, rows, t.threads}
	t.Do(t.outer.parts, &t.outer)
	t.outer = outerJob{}
}
