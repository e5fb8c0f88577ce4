//go:build !purego

package kernel

// withoutDots runs f as if the processor had no dot product of bf16.
func withoutDots(f func()) {
	before := dots
	dots = false
	defer func() { dots = before }()
	f()
}
