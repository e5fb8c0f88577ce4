// Package kernel is the arithmetic under the layers: products with packed
// weights, the gates' functions, softmax, and a team of goroutines to share
// the work.
//
// Two rules hold for everything in it. Each output is one sum taken over its
// terms in their order, so a row's bits depend neither on the rows beside it
// nor on the number of threads. And nothing that is called again and again
// allocates: the first call, or the largest, makes the scratch of those after.
// Packing with less precision than float32, done once, does allocate.
package kernel
