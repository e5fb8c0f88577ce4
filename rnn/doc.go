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
//	P  width of a projected h
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
// LSTM) H floats, but of h [Config.HSize]. A slab is any number of such blocks, one after another.
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
// An LSTM may have peepholes, a projection of its h, or coupled gates:
//
//	Peephole     i and f add p ⊙ c before their σ, each gate with a p of its own,
//	             and o adds p ⊙ c'
//	Projection   h' = (o ⊙ tanh(c'))·Whr, P wide; Wh is (G·H, P), and the layer
//	             above reads P or, of two directions, 2·P
//	Coupled      f = 1 − i; it has no weights
//
// Any of the three cells may have other functions for σ and tanh: see
// [SpellActivation]. Clip bounds what these are applied to, sums complete with
// biases and peepholes, to [−Clip, Clip], but not c' before its tanh; the gradient
// is 0 beyond. These are what the operators of ONNX have, and Projection what
// PyTorch has. Peepholes and projections have kernels; coupled gates, clipping and
// other activations (but ReLU of an rnn) run in plain Go, slower, and of their
// weights Wx alone has a precision. What of this PyTorch lacks has tensors whose
// names begin with "peephole.", "coupled.", "clip." or "activation.".
//
// Sources: Elman 1990; Cho et al. 2014 (arXiv 1406.1078) for the GRU that
// resets before the product, and PyTorch's nn.GRU for the one that resets
// after it; Hochreiter and Schmidhuber 1997 with the forget gate of Gers et
// al. 2000; Gers and Schmidhuber 2000 for peepholes, Sak et al. 2014 (arXiv
// 1402.1128) for the projection. The two GRUs are different functions: no weights turn one into the
// other, and a Config says which it is. More cells come with [Register].
//
// # The regularisers
//
// All are off in the zero Config. What is random in training takes its masks
// from [Tape].Dropout or from the key of [Network.RepackDropped]; a row's masks
// are the same with any other rows and on any number of threads.
//
//	Dropout      the outputs of a layer, joined, are masked on their way to the
//	             next: 0 with probability p, else times 1/(1 − p)
//	Locked       the mask of Dropout is one for all steps of a row in a Forward
//	Zoneout      h' ← m ⊙ h + (1 − m) ⊙ h', m being 1 with probability p: in
//	             training a mask for each row and step, else p itself
//	ZoneoutCell  c' of an LSTM alike, with a mask of its own; its h' is
//	             o ⊙ tanh(c') of the c' before zoneout
//	WeightDrop   Wh is masked as Dropout masks outputs, by one mask from
//	             RepackDropped to Repack, and [Packed.MaskGradient] masks dWh
//	LayerNorm    with N(v) = (v − mean(v)) / √(variance(v) + 1e-5) over all of v,
//	             u = gx ⊙ N(x·Wx) and v = gh ⊙ N(h·Wh), each over all G·H:
//	  rnn        h' = tanh(u + bx + v + bh), or ReLU for tanh
//	  gru        r  = σ(ur + bxr + vr + bhr), z alike
//	    before   v is gh ⊙ N(h·Wh) over r and z alone, which n comes after, and
//	             n  = tanh(un + bxn + ghn ⊙ N((r ⊙ h)·Whn) + bhn)
//	    after    n  = tanh(un + bxn + r ⊙ (vn + bhn))
//	  lstm       i  = σ(ui + bxi + vi + bhi), f, o and g alike
//	             h' = o ⊙ tanh(gc ⊙ N(c') + bc); c' itself goes on as it is
//
// Past a row's length its state stands still under zoneout too. Without
// Tape.Dropout zoneout has its expectation, forward and back, and in
// [Runner.Step]. Cells with layer norm run as registered ones do: slower, and of
// their weights Wx alone has a precision. The tensors of a network with layer norm
// or zoneout begin with "layer_norm." or "zoneout.": PyTorch has no such function.
//
// A registered cell has Dropout, Locked and Zoneout, which acts on its first state
// vector, and WeightDrop if one of its tensors is weight_hh. Validate refuses
// ZoneoutCell and LayerNorm of it.
//
// Sources: Srivastava et al. 2014; Gal and Ghahramani 2016 (arXiv 1512.05287) for
// Locked; Krueger et al. 2017 (arXiv 1606.01305) for zoneout; Merity et al. 2018
// (arXiv 1708.02182) for WeightDrop; Ba et al. 2016 (arXiv 1607.06450) for layer
// norm.
package rnn
