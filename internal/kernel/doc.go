// Package kernel is the arithmetic under the layers: products with packed
// weights, the gates' functions, softmax, and a team of goroutines to share
// the work.
//
// Two rules hold for everything in it. Each output is one sum taken over its
// terms in their order, so a row's bits depend neither on the rows beside it
// nor on the number of threads. And nothing allocates after it was made.
package kernel
