package measure

import (
	"sync/atomic"
	"time"

	"sluice/internal/kernel"
)

// A call takes some milliseconds, so that handing it to threads does not count.
const (
	callTime  = 10 * time.Millisecond
	callBytes = 800e6 // of each thread
)

// FMA is a call in which each thread does nothing but multiply-adds, as many
// operations in all as work says.
func FMA(c *Crew) (call func(), work float64) {
	const probe = 1 << 16
	start := time.Now()
	each := kernel.PeakFMA(probe) / probe
	n := max(1, int(probe*callTime/max(1, time.Since(start))))
	return func() { c.Do(func(int) { kernel.PeakFMA(n) }) }, float64(n) * each * float64(c.Size())
}

// sink keeps results alive.
var sink atomic.Uint32

// Read is a call in which each thread reads its own array of so many bytes
// again and again, work bytes in all.
func Read(c *Crew, bytes int) (call func(), work float64) {
	n := max(128, bytes/4/128*128)
	arrays := make([][]float32, c.Size())
	c.Do(func(i int) {
		a := make([]float32, n)
		a[0] = 1
		for done := 1; done < n; done *= 2 { // memory that nobody wrote to may be one page of zeros
			copy(a[done:], a[:done])
		}
		arrays[i] = a
	})
	times := max(1, callBytes/(4*n))
	read := func(i int) { sink.Store(uint32(kernel.ReadSum(arrays[i], times))) }
	return func() { c.Do(read) }, float64(times) * float64(4*n) * float64(c.Size())
}
