// Package measure times the layers and the machine's limits that they are held
// against: for the command's bench, and for the comparison with others.
package measure

import (
	"context"
	"math"
	"slices"
	"time"
)

// What is called before the first call that counts, and between two looks at
// the clock.
const (
	warmUp    = 20 * time.Millisecond
	oneSample = 200 * time.Microsecond
)

// Sample warms up, then calls until so much time has passed and there are reps
// samples, and returns the nanoseconds of a call. When ctx ends, it returns
// what there is.
func Sample(ctx context.Context, call func(), reps int, long time.Duration) (times []float64) {
	batch := func(n int) time.Duration {
		start := time.Now()
		for range n {
			call()
		}
		return max(1, time.Since(start))
	}
	fastest := time.Duration(math.MaxInt64)
	for n, sum := 1, time.Duration(0); sum < min(warmUp, long) && ctx.Err() == nil; n *= 2 {
		t := batch(n)
		sum += t
		fastest = min(fastest, max(1, t/time.Duration(n)))
	}
	n := max(1, int(oneSample/fastest))
	for sum := time.Duration(0); (sum < long || len(times) < reps) && ctx.Err() == nil; {
		t := batch(n)
		sum += t
		times = append(times, float64(t)/float64(n))
	}
	return times
}

// Median is that of at least one value, and leaves them as they are.
func Median(values []float64) float64 {
	s := slices.Sorted(slices.Values(values))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}
