// Package data turns text into minibatches for language models: reading and
// cleaning, vocabularies, the split into training, validation and test, the
// two samplers of Dive into Deep Learning, minibatches of sequences of different
// lengths, and the built-in corpora. Beside texts it makes tasks: sentences to
// tag (Dates), strings to classify (Grammars), and three of which the best score
// is known, series to forecast (Seasons), the adding problem and Zipf texts.
//
// For other tasks it reads sequences with their labels ([ReadExamples],
// [ReadIDX]), time series ([ReadSeries]) and pretrained word vectors
// ([ReadVectors]), and writes predictions and forecasts beside them.
//
// Letters are those of package rnn: T steps, B batch, V vocabulary; N is the
// number of symbols of a text. A minibatch is time first, (T, B). What is
// random depends on (seed, epoch) alone, so a resumed run sees the same
// minibatches. A character is a Unicode code point.
//
// A text may be far larger than memory: a [Source] is read in pieces, as often as
// need be, and [Symbols] that are many are in a temporary file.
package data
