// Package convert moves models between Sluice and PyTorch, ONNX and Keras, exactly or
// not at all.
//
// [Import] makes a model of a file of any [Format], told by its content; [Open] gives
// the [Parts] that such a file holds. [PyTorch] and [ONNX] write a model for others.
// [Verify] runs a model and a file on the same inputs and compares what comes of them,
// the file in the runtime it is made for where there is a [Python] interpreter.
//
// Weights are moved bit for bit: half precision becomes float32, and a double that no
// float32 equals is an error. Whatever a file claims, nothing is allocated that what it
// holds does not pay for, and nothing in it is executed.
//
// Blocks of gates have another order in each system: r, z, n of a GRU here and in
// PyTorch, z, r, h in ONNX and Keras; i, f, g, o of an LSTM here, in PyTorch and Keras,
// i, o, f, c in ONNX. Sources: the documentation of torch.nn, the ONNX operators of
// opset 22, Keras 3.
package convert
