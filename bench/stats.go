package main

import (
	"fmt"
	"math"
	"slices"

	"sluice/internal/measure"
)

// Spread is a median and what it varied between.
type Spread struct{ Median, Min, Max float64 }

// SpreadOf is the Spread of at least one value.
func SpreadOf(values []float64) Spread {
	return Spread{measure.Median(values), slices.Min(values), slices.Max(values)}
}

// String has the median and, where there is one, the spread.
func (s Spread) String() string {
	if s.Min == s.Max {
		return number(s.Median)
	}
	return fmt.Sprintf("%s (%s–%s)", number(s.Median), number(s.Min), number(s.Max))
}

// number has three figures from 1 on.
func number(v float64) string {
	switch {
	case v < 10:
		return fmt.Sprintf("%.2f", v)
	case v < 100:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.0f", v)
}

// GeometricMean is that of at least one value.
func GeometricMean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += math.Log(v)
	}
	return math.Exp(sum / float64(len(values)))
}
