package kernel

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// A Job is work in parts, any two of which may run at once.
type Job interface{ Run(part int) }

// Team runs jobs on a fixed number of goroutines, the caller's among them. It
// serves one caller at a time. A goroutine that waits spins for some
// microseconds, in which the next job of a training step comes, and then
// sleeps: who spins for long takes the core from whoever he waits for.
type Team struct {
	threads int
	order   atomic.Uint64 // number of the job · (mostHelpers+1) + helpers that it needs
	job     Job
	parts   int64
	next    atomic.Int64
	_       [64]byte
	busy    atomic.Int64 // helpers that have not finished
	_       [64]byte
	helpers []*sleeper
	caller  sleeper
	meet    meeting
	crowd   crowd
	mul     mulJob
	outer   outerJob
	making  rowsJob
	flat    flatJob
	packing packJob
	x       Matrix // what AddOuter reads, in blocks
	rounded Matrix // and rounded
	closed  atomic.Bool
	ended   sync.WaitGroup
}

// sleeper waits for what another goroutine does, first awake, then asleep.
type sleeper struct {
	asleep atomic.Bool
	wake   chan struct{}
	_      [64]byte
}

// spins is how many times a goroutine looks before it sleeps, with pauses of
// pauses instructions between: some 30 µs in all, spin each.
const (
	spins  = 400
	pauses = 4
	spin   = 75 * time.Nanosecond
)

// wait returns once ready does, and says whether it has slept. Who makes it
// ready calls rouse after.
func (s *sleeper) wait(ready func() bool, spins int) (slept bool) {
	for i := range spins {
		if ready() {
			return false
		}
		pause(pauses)
		yield(i)
	}
	for !ready() {
		// A swap and not a store: an emulator of arm64 may let the look that follows
		// overtake a store.
		s.asleep.Swap(true)
		if ready() && s.asleep.CompareAndSwap(true, false) {
			return true
		}
		<-s.wake
	}
	return true
}

// yield lets another goroutine have the thread now and then, since who is waited
// for may not have one yet.
func yield(i int) {
	if i%64 == 63 {
		runtime.Gosched()
	}
}

func (s *sleeper) rouse() {
	if s.asleep.CompareAndSwap(true, false) {
		s.wake <- struct{}{}
	}
}

// mostHelpers is how many an order can name.
const mostHelpers = 1<<16 - 1

// NewTeam starts a team of at least one thread, and at most 65,536. Close ends
// its goroutines.
func NewTeam(threads int) *Team {
	if threads > mostHelpers+1 {
		panic(fmt.Sprintf("kernel: NewTeam: %d threads, want at most %d", threads, mostHelpers+1))
	}
	t := &Team{threads: max(1, threads), caller: sleeper{wake: make(chan struct{}, 1)}}
	t.meet.spins, t.meet.all.L = spins, &t.meet.lock
	for i := range t.threads - 1 {
		s := &sleeper{wake: make(chan struct{}, 1)}
		t.helpers = append(t.helpers, s)
		t.ended.Add(1)
		go t.help(uint64(i), s)
	}
	return t
}

func (t *Team) help(id uint64, s *sleeper) {
	defer t.ended.Done()
	var seen uint64
	ready := func() bool { return t.order.Load() != seen || t.closed.Load() }
	for {
		s.wait(ready, spins)
		if t.closed.Load() {
			return
		}
		if seen = t.order.Load(); id >= seen&mostHelpers {
			continue
		}
		t.share()
		if t.busy.Add(-1) == 0 {
			t.caller.rouse()
		}
	}
}

// share is a helper's share of a job. It ends early where the meeting breaks
// up; any other panic ends the process.
func (t *Team) share() {
	defer func() {
		if r := recover(); r != nil && r != errBrokenUp {
			panic(r)
		}
	}()
	t.work()
}

func (t *Team) work() {
	for part := t.next.Add(1) - 1; part < t.parts; part = t.next.Add(1) - 1 {
		t.job.Run(int(part))
	}
}

// idle says that no helper works.
func (t *Team) idle() bool { return t.busy.Load() == 0 }

// Threads is the number of goroutines that share a job, 1 of no team: nil.
func (t *Team) Threads() int {
	if t == nil {
		return 1
	}
	return t.threads
}

// Close ends the team's goroutines. The team must be idle.
func (t *Team) Close() {
	if t.closed.Swap(true) {
		return
	}
	for _, s := range t.helpers {
		s.rouse()
	}
	t.ended.Wait()
}

// Do runs parts 0 … parts-1 of job, in any order, and returns when all are
// done. A part that panics on the caller's goroutine leaves some undone, but
// none at work when the panic goes on; the team is then as good as before. A
// panic on another goroutine ends the process. Without a team, nil, the caller
// does it.
func (t *Team) Do(parts int, job Job) {
	if t == nil {
		for part := range parts {
			job.Run(part)
		}
		return
	}
	helpers := min(t.threads, parts) - 1
	if t.Crowded() {
		helpers = 0
	}
	t.run(parts, helpers, job)
}

// mostPatience is less than what another process takes a core for.
const mostPatience = time.Millisecond

// Together is Do for parts that Meet: no more than threads, each on a goroutine
// of its own. patience is how long, about, the parts may differ in what they do
// between two meetings when nobody holds them up: so much longer than otherwise
// they spin, a millisecond at most, before they sleep.
func (t *Team) Together(parts int, patience time.Duration, job Job) {
	if parts > t.threads {
		panic(fmt.Sprintf("kernel: Together: %d parts, want at most %d", parts, t.threads))
	}
	t.meet.spins = spins + int(min(patience, mostPatience)/spin)
	slept := t.run(parts, parts-1, job)
	t.meet.spins = spins
	t.crowd.judge(slept)
}

// run says whether the caller has slept at the end.
func (t *Team) run(parts, helpers int, job Job) (slept bool) {
	if helpers > 0 && t.closed.Load() {
		panic("kernel: Do: the team is closed")
	}
	t.job, t.parts = job, int64(parts)
	t.next.Store(0)
	if helpers > 0 {
		t.busy.Store(int64(helpers))
		t.order.Store(t.order.Load()&^mostHelpers + mostHelpers + 1 + uint64(helpers))
		for _, s := range t.helpers[:helpers] {
			s.rouse()
		}
	}
	done := false
	defer func() {
		if !done {
			t.abandon()
		}
	}()
	t.work()
	if helpers > 0 {
		slept = t.caller.wait(t.idle, t.meet.spins)
	}
	t.job, done = nil, true
	return slept
}

// abandon ends a job that the caller cannot go on with: the helpers leave it,
// now or when they would meet.
func (t *Team) abandon() {
	t.next.Store(t.parts)
	t.meet.breakUp()
	t.caller.wait(t.idle, t.meet.spins)
	t.meet.spins = spins
	t.meet.renew()
	t.crowd.slept.Store(0)
	t.job = nil
}

// Meet waits until it was called by each of the parts of the job that runs: a
// barrier. It does not return where the caller's part has panicked.
func (t *Team) Meet() {
	if t.meet.wait(t.parts) {
		t.crowd.slept.Add(1)
	}
}

// crowd is what a team knows of others that want its cores. Parts that meet
// often wait for the slowest, and the one whose core is another's for some
// milliseconds is slow: then one goroutine alone is faster.
type crowd struct {
	slept atomic.Int64 // waits of this job that were too long to spin
	score float64      // of late
	until time.Time
	span  time.Duration
}

// For how long a team that was crowded works alone before it tries again: the
// longer, the more often it was so.
const (
	leastCrowd = 10 * time.Millisecond
	mostCrowd  = time.Second
)

// Crowded says that parts had better not meet: the caller does all work alone.
func (t *Team) Crowded() bool {
	return !t.crowd.until.IsZero() && time.Now().Before(t.crowd.until)
}

// HeldUp says that the parts of this job have waited too often for each other.
func (t *Team) HeldUp() bool { return t.crowd.slept.Load() > 3 }

// judge looks back at a job whose parts met.
func (c *crowd) judge(last bool) {
	slept := c.slept.Swap(0)
	if last {
		slept++
	}
	if c.score = c.score/2 + float64(slept); c.score > 2 {
		c.score, c.span = 0, min(mostCrowd, max(leastCrowd, 2*c.span))
		c.until = time.Now().Add(c.span)
	} else if slept == 0 && !c.until.IsZero() {
		c.span, c.until = 0, time.Time{}
	}
}

// meeting is a barrier that can be used again and again.
type meeting struct {
	spins  int // before who waits sleeps
	here   atomic.Int64
	_      [64]byte
	round  atomic.Int64 // below 0 where one who was to come never will
	_      [64]byte
	asleep atomic.Int64
	lock   sync.Mutex
	all    sync.Cond
}

// errBrokenUp is what those who meet panic with where one never comes.
var errBrokenUp = errors.New("kernel: Meet: the caller's part has panicked")

// now is the round, if there is one.
func (m *meeting) now() int64 {
	round := m.round.Load()
	if round < 0 {
		panic(errBrokenUp)
	}
	return round
}

// wait says whether it has slept.
func (m *meeting) wait(parts int64) (slept bool) {
	if parts <= 1 {
		return false
	}
	round := m.now()
	if m.here.Add(1) == parts {
		m.here.Store(0)
		m.round.Add(1)
		if m.asleep.Load() > 0 {
			m.lock.Lock()
			m.all.Broadcast()
			m.lock.Unlock()
		}
		return false
	}
	for i := range m.spins {
		if m.now() != round {
			return false
		}
		pause(pauses)
		yield(i)
	}
	m.sleep(round)
	return true
}

// sleep returns when the round is over.
func (m *meeting) sleep(round int64) {
	m.lock.Lock()
	defer m.lock.Unlock()
	m.asleep.Add(1)
	defer m.asleep.Add(-1)
	for m.now() == round {
		m.all.Wait()
	}
}

// breakUp makes all who wait, or come to, leave.
func (m *meeting) breakUp() {
	m.lock.Lock()
	m.round.Store(-1)
	m.all.Broadcast()
	m.lock.Unlock()
}

// renew begins again, when all have left.
func (m *meeting) renew() {
	m.here.Store(0)
	m.round.Store(0)
}

// Span is the share of n things that part of parts takes, [from, to), in
// multiples of align but for the last.
func Span(n, part, parts, align int) (from, to int) {
	blocks := (n + align - 1) / align
	from = min(n, blocks*part/parts*align)
	to = min(n, blocks*(part+1)/parts*align)
	return from, to
}
