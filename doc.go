// Package sluice is the front door of a module that trains, looks inside and
// uses gated recurrent networks: GRU and LSTM, deep and bidirectional, in Go,
// without Python and without C. The package has no code: the rooms below have.
//
// # Where to start
//
// At the command line, with a text that is built in:
//
//	go run ./cmd/sluice train
//	go run ./cmd/sluice generate
//	go run ./cmd/sluice inspect
//
// In a program, with the examples of these packages:
//
//   - [sluice/train]: Preset, Prepare and Run train a model of any task; a Folder
//     keeps a run that may be ended and gone on with.
//   - [sluice/model]: Open reads one from a file; a Generator writes text, a Tagger
//     tags words, a Classifier labels sequences, a Forecaster goes on with series.
//   - [sluice/convert]: Import reads what was trained in PyTorch, ONNX or Keras.
//   - [sluice/rnn]: the layers alone. A Network is packed, and a Runner runs it
//     forward, backward, or step by step over many streams. The letters T, B,
//     X, H, G, L, D and V, which stand for shapes everywhere, are there too.
//
// # The rooms
//
// A room imports rooms below it, never above or beside it; house_test.go holds
// it to that.
//
//	cmd/sluice             the program
//	convert                PyTorch, ONNX and Keras: models in and out, exactly, and compared
//	train                  the loop: truncated backpropagation through time, clipping, evaluation, checkpoints
//	look/picture           those figures, and how losses fell, drawn
//	look                   what goes on inside of a model, in figures: gates, gradients, memory
//	internal/measure       times of layers, and the machine's limits
//	model                  what is trained, saved and used: input → recurrent stack → head
//	metrics                scores: spans of tags, classes
//	data                   texts, vocabularies, minibatches, the built-in corpora
//	datasets               published data by name: fetched once, and verified
//	optim                  SGD, Adam, clipping, schedules, over one flat vector
//	rnn                    the heart: cells, layers, stacks, directions; forward and backward
//	nn                     what stands around it: embedding, linear layer, dropout, loss
//	safetensors            the file format; knows no model
//	internal/npz           the arrays of NumPy's .npz files
//	internal/disk/disktest a disk in memory that fails and crashes on demand; only tests use it
//	internal/disk          the file system as a run sees it; files that are whole or not there
//	internal/kernel        the arithmetic: products, gates, threads
//	internal/cpu           what the processor can do, and how to turn it off
//	internal/ref           the textbook's equations in float64; only tests use it
//	internal/asm           writes the assembly of internal/kernel; a module of its own
//
// Weights are float32; for inference also bf16 and int8. A result has the same
// bits for any number of threads. A model is one safetensors file whose tensors
// bear PyTorch's names wherever PyTorch has the same function.
//
// # What is not there yet
//
//   - Assembly for arm64: there is some for AVX2 and AVX-512, and plain Go.
//   - A server, and the page that shows training and gates.
package sluice
