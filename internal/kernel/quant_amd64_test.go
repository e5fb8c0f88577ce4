//go:build !purego

package kernel

// withoutVNNI runs f as if the processor had no dot product of bytes.
func withoutVNNI(f func()) {
	before := vnni
	vnni = false
	defer func() { vnni = before }()
	f()
}
