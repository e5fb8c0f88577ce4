package kernel

import "fmt"

// Level is an implementation of the kernels.
type Level int

// The implementations, each of which every processor has that has the next.
// AVX2 and AVX512 give the same bits; Generic, which is Go, rounds each product
// before it adds.
const (
	Generic Level = iota
	AVX2
	AVX512
)

func (l Level) String() string { return [...]string{"generic", "avx2", "avx512"}[l] }

// best is the last level that this processor and this build have.
var best = detect()

// level is the one in use.
var level = best

// InUse is the implementation that runs.
func InUse() Level { return level }

// Levels are all that this processor and this build have.
func Levels() []Level { return []Level{Generic, AVX2, AVX512}[:best+1] }

// Use makes l the implementation that runs, and returns the one before: for
// tests and benchmarks, while nothing else runs.
func Use(l Level) (before Level) {
	if l < Generic || l > best {
		panic(fmt.Sprintf("kernel: Use: %v: this processor has %v", l, Levels()))
	}
	before, level = level, l
	return before
}
