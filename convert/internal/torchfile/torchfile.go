// Package torchfile reads what PyTorch's torch.save writes (.pt, .pth, .bin):
// the named tensors of a state_dict, a plain dict or a checkpoint. It knows no
// model, and nothing in a file is executed.
//
// A file is a pickle and the storages that its tensors are views of. Since
// PyTorch 1.6 it is a zip archive: NAME/data.pkl, NAME/data/KEY for each
// storage, NAME/byteorder. Before that, the legacy format, it is five pickles
// (magic number, protocol, system, object, the keys of the storages), then the
// storages, each behind its number of elements.
//
// A pickle is a program. It is scanned first: only the opcodes that torch.save
// writes pass, and only globals of a fixed list, none of which does more than
// to describe a tensor or to be skipped. The pickles of Python 3's later
// protocols are refused, as torch.load refuses them by default.
package torchfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// The bounds of what is read.
const (
	MaxPickle = 8 << 20 // bytes of one pickle: some 50,000 tensors
	MaxDepth  = 64      // lists and dicts in each other, and marks of a pickle
	MaxRank   = 16      // dimensions of a tensor, more than those of any layer
)

// maxUses bounds what all tensors of a file read, in sizes of the file. Tensors
// that share a storage read it more than once.
const maxUses = 64

// maxOthers bounds the list of File.Others.
const maxOthers = 64

// ErrFormat is wrapped by every error about the content of a file. Failures of
// reading as such do not wrap it.
var ErrFormat = errors.New("torchfile: invalid content")

// ErrLossy is wrapped by the error of Tensor.Float32 for a value that no
// float32 equals.
var ErrLossy = errors.New("torchfile: value that no float32 equals")

// invalid is an error about content.
type invalid string

func (e invalid) Error() string        { return "torchfile: " + string(e) }
func (e invalid) Is(target error) bool { return target == ErrFormat }

// lossy is an error about a value.
type lossy string

func (e lossy) Error() string        { return "torchfile: " + string(e) }
func (e lossy) Is(target error) bool { return target == ErrLossy }

func invalidf(format string, args ...any) error { return invalid(fmt.Sprintf(format, args...)) }

// File is an open file. Any number of goroutines may read its tensors; the
// fields are not to be changed.
type File struct {
	// Tensors in the order of the file. A name is the keys that lead to the
	// tensor, joined by dots: "rnn.weight_ih_l0" in a state_dict,
	// "state_dict.rnn.weight_ih_l0" in a checkpoint, "layers.0" in a list, "" of
	// a tensor alone. No two names are equal.
	Tensors []Tensor
	// Others are the names of the first 64 entries that are no tensors.
	Others []string
}

// Read opens a file of the given size in bytes. It reads all but the storages,
// and checks that every tensor lies in a storage and every storage in the file.
//
// It allocates at most 2 MiB, 64 times the file's size and 400 times the
// pickle's. The pickle has at most MaxPickle bytes. What is compressed in a zip
// archive, where torch.save compresses nothing, has in all at most 16 times the
// file's size and 1 MiB.
func Read(r io.ReaderAt, size int64) (*File, error) {
	start := make([]byte, min(size, 512))
	if err := readFull(r, start, 0); err != nil {
		return nil, fmt.Errorf("torchfile: read the start: %w", err)
	}
	switch {
	case bytes.HasPrefix(start, []byte("PK")):
		return readZip(r, size)
	case len(start) > 0 && start[0] == opPROTO:
		return readLegacy(r, size)
	case len(start) == 512 && string(start[257:262]) == "ustar":
		return nil, invalidf("a tar archive, as PyTorch wrote before 0.1.10: load it with an old PyTorch and save its state_dict anew")
	}
	return nil, invalidf("begins with %.8q, want a zip archive or pickle of torch.save", start)
}

// readFull reads len(p) bytes at off. A reader that ends before them, against
// the size that Read was given, is io.ErrUnexpectedEOF.
func readFull(r io.ReaderAt, p []byte, off int64) error {
	n, err := r.ReadAt(p, off)
	switch {
	case n == len(p):
		return nil
	case err == nil || err == io.EOF:
		return io.ErrUnexpectedEOF
	}
	return err
}
