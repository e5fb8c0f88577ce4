//go:build !purego

package kernel

import "sluice/internal/cpu"

func detect() Level {
	switch {
	case cpu.AVX512:
		return AVX512
	case cpu.AVX2:
		return AVX2
	}
	return Generic
}
