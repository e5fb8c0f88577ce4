package measure

import (
	"runtime"
	"sync"
)

// Crew is threads of the operating system, each kept on a core of its own where
// the system lets us: some kernels start all threads of a process on one core
// and move them apart only after a second.
type Crew struct {
	work  []chan func(member int)
	busy  sync.WaitGroup
	ended sync.WaitGroup
}

// NewCrew starts n threads. Close ends them.
func NewCrew(n int) *Crew {
	c := &Crew{}
	for i := range n {
		work := make(chan func(int))
		c.work = append(c.work, work)
		c.ended.Go(func() {
			runtime.LockOSThread() // for good: a thread whose cores were chosen is of no use to others
			if n > 1 {
				pin(i)
			}
			for f := range work {
				f(i)
				c.busy.Done()
			}
		})
	}
	return c
}

// Size is the number of threads.
func (c *Crew) Size() int { return len(c.work) }

// Do lets each thread run f once.
func (c *Crew) Do(f func(member int)) {
	c.busy.Add(len(c.work))
	for _, work := range c.work {
		work <- f
	}
	c.busy.Wait()
}

// Close ends the threads.
func (c *Crew) Close() {
	for _, work := range c.work {
		close(work)
	}
	c.ended.Wait()
}
