package data

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// parseValue is a number that a float32 can be.
func parseValue(s string) (float64, error) {
	v, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	switch {
	case errors.Is(err, strconv.ErrRange) || !math.IsInf(v, 0) && math.Abs(v) > math.MaxFloat32:
		return 0, fmt.Errorf("%s: want a number within ±%.1e", quote(s), math.MaxFloat32)
	case err != nil && strings.TrimSpace(s) == "":
		return 0, errors.New("empty: want a number")
	case err != nil:
		return 0, fmt.Errorf("%s: want a number", quote(s))
	case math.IsNaN(v) || math.IsInf(v, 0):
		return 0, fmt.Errorf("%s: want a finite number", quote(s))
	}
	return v, nil
}
