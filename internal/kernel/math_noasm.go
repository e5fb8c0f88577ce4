//go:build !amd64 || purego

package kernel

// vectors applies f to x, whose length is a multiple of Lane above 0.
func vectors(f function, x []float32) { vectorsGeneric(f, x) }
