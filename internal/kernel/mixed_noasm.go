//go:build !amd64 || purego

package kernel

// pairing says whether products of bf16 take pairs.
func pairing() bool { return false }

// roundFloats sets dst to x rounded to bf16.
func roundFloats(dst, x []float32) { roundFloatsGeneric(dst, x) }

// What pairs take is never called.
func narrow(_, _ []float32, _, _ int)                 {}
func rowPairs(_, _ []float32, _, _, _ int)            {}
func lookUpPairs(_, _, _ []float32, _ int, _ []int32) {}
