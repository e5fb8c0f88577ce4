package data

import (
	"fmt"
	"math"
)

// Scaler brings each of C channels to mean 0 and standard deviation 1:
// (x − Mean) / Std.
type Scaler struct {
	Mean []float64 `json:"mean"` // (C)
	Std  []float64 `json:"std"`  // (C)
}

// FitScaler takes mean and population standard deviation (divided by N) from values
// (N, c), N ≥ 1, as LTSF-Linear and Informer do with the training part. A channel
// that is constant has Std 1.
func FitScaler(values []float64, c int) Scaler {
	if c < 1 || len(values) < c || len(values)%c != 0 {
		panic(fmt.Sprintf("data: FitScaler: %d values of %d channels, want (N, C)", len(values), c))
	}
	s := Scaler{Mean: make([]float64, c), Std: make([]float64, c)}
	n := float64(len(values) / c)
	for j := range c {
		low, high, sum := values[j], values[j], 0.0
		for i := j; i < len(values); i += c {
			low, high = min(low, values[i]), max(high, values[i])
			sum += values[i]
		}
		s.Mean[j], s.Std[j] = sum/n, 1
		if low == high {
			s.Mean[j] = low // exactly
			continue
		}
		squares := 0.0
		for i := j; i < len(values); i += c {
			d := values[i] - s.Mean[j]
			squares += float64(d * d)
		}
		if std := math.Sqrt(squares / n); std > 0 {
			s.Std[j] = std
		}
	}
	return s
}

// Validate says which channel cannot be, and what is allowed.
func (s Scaler) Validate() error {
	if len(s.Mean) < 1 || len(s.Mean) != len(s.Std) {
		return fmt.Errorf("data: scaler of %d means and %d standard deviations: want one of each for every channel", len(s.Mean), len(s.Std))
	}
	for j, mean := range s.Mean {
		if std := s.Std[j]; math.IsNaN(mean) || math.IsInf(mean, 0) || !(std > 0) || math.IsInf(std, 0) {
			return fmt.Errorf("data: scaler of channel %d with mean %v and standard deviation %v: want finite numbers, the second above 0", j+1, mean, std)
		}
	}
	return nil
}

// Scale fills dst (N, C) from values (N, C).
func (s Scaler) Scale(dst []float32, values []float64) {
	c := s.check("Scale", len(dst), len(values))
	for i, v := range values {
		dst[i] = float32((v - s.Mean[i%c]) / s.Std[i%c])
	}
}

// Unscale fills dst (N, C) from scaled (N, C): the way back.
func (s Scaler) Unscale(dst []float64, scaled []float32) {
	c := s.check("Unscale", len(dst), len(scaled))
	for i, v := range scaled {
		dst[i] = float64(float64(v)*s.Std[i%c]) + s.Mean[i%c]
	}
}

func (s Scaler) check(what string, dst, src int) (c int) {
	if c = len(s.Mean); c == 0 || dst != src || src%c != 0 {
		panic(fmt.Sprintf("data: %s: %d numbers to %d, want (N, %d) both", what, src, dst, c))
	}
	return c
}
