package data

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"io"
	"iter"
	"strconv"
)

// The magic numbers of the two files: unsigned bytes, with 3 dimensions and 1.
const (
	idxImages = 0x00000803
	idxLabels = 0x00000801
	maxPixels = 4096 // along a side of an image
)

// ReadIDX reads the two files of MNIST (LeCun, Cortes and Burges 1998) and of
// those made like it, such as Fashion-MNIST: images in grey (N, rows, cols) and
// their labels (N), plain or compressed by gzip. An image is a sequence of its
// rows from the top, T = rows and F = cols, with values from 0 to 1; its label is
// the number in decimal. Without labels, nil, there are none.
//
// What is wrong ends the sequence with one error that names the file: another
// kind of file, images without a pixel or with more than 4096 along a side,
// files that end early or late, and unequal numbers of images and labels.
func ReadIDX(imagesName string, images io.Reader, labelsName string, labels io.Reader) iter.Seq2[Example, error] {
	return func(yield func(Example, error) bool) {
		err := readIDX(imagesName, images, labelsName, labels, func(e Example) error {
			if !yield(e, nil) {
				return errStop
			}
			return nil
		})
		if err != nil && err != io.EOF && err != errStop {
			yield(Example{}, err)
		}
	}
}

// readIDX gives the images, and ends with io.EOF.
func readIDX(imagesName string, images io.Reader, labelsName string, labels io.Reader, give func(Example) error) error {
	in, sides, err := openIDX(imagesName, images, idxImages, 3)
	if err != nil {
		return err
	}
	n, rows, cols := sides[0], sides[1], sides[2]
	if rows < 1 || cols < 1 || rows > maxPixels || cols > maxPixels {
		return fileError(imagesName, "images of %d by %d: want 1 to %d by 1 to %d", rows, cols, maxPixels, maxPixels)
	}
	var tags *idxFile
	if labels != nil {
		var sides []int64
		if tags, sides, err = openIDX(labelsName, labels, idxLabels, 1); err != nil {
			return err
		}
		if sides[0] != n {
			return fileError(labelsName, "%d labels, and %s has %d images: want as many", sides[0], shown(imagesName), n)
		}
	}
	file := shown(imagesName)
	for i := range n {
		pixels, err := in.take(rows*cols, "image", i, n)
		if err != nil {
			return err
		}
		e := Example{F: int(cols), File: file, Line: int(i + 1), Values: make([]float32, len(pixels))}
		for j, p := range pixels {
			e.Values[j] = float32(p) / 255
		}
		if tags != nil {
			tag, err := tags.take(1, "label", i, n)
			if err != nil {
				return err
			}
			e.Label = strconv.Itoa(int(tag[0]))
		}
		if err := give(e); err != nil {
			return err
		}
	}
	if tags != nil {
		if err := tags.end(n); err != io.EOF {
			return err
		}
	}
	return in.end(n)
}

type idxFile struct {
	name string
	in   io.Reader
	buf  bytes.Buffer
}

// openIDX reads the head of a file: its magic number and the sizes, one for each
// dimension.
func openIDX(name string, r io.Reader, magic uint32, dimensions int) (*idxFile, []int64, error) {
	buffered := bufio.NewReaderSize(r, 1<<16)
	f := &idxFile{name: name, in: buffered}
	if start, _ := buffered.Peek(2); string(start) == "\x1f\x8b" {
		unzipped, err := gzip.NewReader(buffered)
		if err != nil {
			return nil, nil, fileError(name, "%w", cut(err))
		}
		f.in = bufio.NewReaderSize(unzipped, 1<<16)
	}
	head, err := f.read(int64(4 + 4*dimensions))
	if len(head) >= 4 {
		if got := binary.BigEndian.Uint32(head); got != magic {
			return nil, nil, fileError(name, "magic number 0x%08X: want 0x%08X, an IDX file of bytes with %d dimensions", got, magic, dimensions)
		}
	}
	if err != nil {
		return nil, nil, fileError(name, "a head of %d bytes, want %d: %w", len(head), 4+4*dimensions, cut(err))
	}
	sides := make([]int64, dimensions)
	for i := range sides {
		sides[i] = int64(binary.BigEndian.Uint32(head[4+4*i:]))
	}
	if sides[0] == 0 {
		return nil, nil, fileError(name, "no examples: want at least one")
	}
	return f, sides, nil
}

// read reads n bytes, which grow as they come: the file may claim more than it
// has. They are valid until the call after.
func (f *idxFile) read(n int64) ([]byte, error) {
	f.buf.Reset()
	_, err := io.CopyN(&f.buf, f.in, n)
	return f.buf.Bytes(), err
}

func (f *idxFile) take(bytes int64, what string, i, n int64) ([]byte, error) {
	b, err := f.read(bytes)
	if err != nil {
		return nil, fileError(f.name, "%s %d of %d: %w", what, i+1, n, cut(err))
	}
	return b, nil
}

// end is io.EOF where nothing follows the n items, and what was compressed is
// whole.
func (f *idxFile) end(n int64) error {
	b, err := f.read(1)
	switch {
	case len(b) > 0:
		return fileError(f.name, "more after the %d that it says it has: want none", n)
	case err == io.EOF:
		return io.EOF
	}
	return fileError(f.name, "after the last of %d: %w", n, cut(err))
}

// cut is the cause of a read that failed.
func cut(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the file ends too early")
	}
	return cause(err)
}
