//go:build !amd64 || purego

package kernel

func withoutDots(f func()) { f() }
