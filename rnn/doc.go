// Package rnn is the heart: recurrent cells, and the layers, stacks and
// directions made of them, forward and backward.
//
// # The letters
//
// One alphabet holds for the whole project:
//
//	T  steps of a sequence        H  hidden units        L  layers
//	B  rows of a batch            G  gates: blocks of H  D  directions, 1 or 2
//	X  width of the input         S  state vectors       V  vocabulary
//
// Sequences are time first, (T, B, F): one step is one contiguous block. Every
// slice is row-major and carries its shape in a comment. The gradient of x is
// dx, the state before a step hPrev.
//
// # The parts
//
// A [Config] fixes the function. A [Network] is a Config with its parameters,
// one flat vector that an optimizer moves. [Network.Pack] makes a [Packed] of
// it: the same weights laid out for products, immutable and safe to share. A
// [Runner] has the scratch of one caller and runs a Packed over sequences with
// [Runner.Forward] and [Runner.Backward], or one step at a time over the rows
// of a slab of states with [Runner.Step].
//
// # The state
//
// The state of one stream is one block of [Config.StateSize] floats: for each
// layer, for each direction, for each state vector of the cell (h, and c of an
// LSTM) H floats. A slab is any number of such blocks, one after another.
//
// # The cells
//
// With ⊙ element by element and σ the logistic function, and rows as samples:
//
//	rnn          h' = tanh(x·Wx + bx + h·Wh + bh), or ReLU for tanh
//	gru          r  = σ(x·Wxr + bxr + h·Whr + bhr)
//	             z  = σ(x·Wxz + bxz + h·Whz + bhz)
//	  before     n  = tanh(x·Wxn + bxn + (r ⊙ h)·Whn + bhn)
//	  after      n  = tanh(x·Wxn + bxn + r ⊙ (h·Whn + bhn))
//	             h' = z ⊙ h + (1 − z) ⊙ n
//	lstm         i  = σ(x·Wxi + bxi + h·Whi + bhi), f and o alike
//	             g  = tanh(x·Wxg + bxg + h·Whg + bhg)
//	             c' = f ⊙ c + i ⊙ g
//	             h' = o ⊙ tanh(c')
//
// Sources: Elman 1990; Cho et al. 2014 (arXiv 1406.1078) for the GRU that
// resets before the product, and PyTorch's nn.GRU for the one that resets
// after it; Hochreiter and Schmidhuber 1997 with the forget gate of Gers et
// al. 2000. The two GRUs are different functions: no weights turn one into the
// other, and a Config says which it is. More cells come with [Register].
package rnn
