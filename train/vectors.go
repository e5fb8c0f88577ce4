package train

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"sluice/data"
	"sluice/model"
)

// ReadVectors reads vectors of words from a text file of word2vec or GloVe, max at
// most, 0 for all: the first ones, which are the most frequent. lower has them
// looked up in lower case. See data.ReadVectors.
func ReadVectors(ctx context.Context, path string, lower bool, max int) (*Vectors, error) {
	f, err := os.Open(path)
	if err != nil {
		var at *os.PathError
		if errors.As(err, &at) {
			err = at.Err
		}
		return nil, fmt.Errorf("train: %s: %w", path, err)
	}
	defer f.Close()
	sum := sha256.New()
	v := &Vectors{}
	words, width, values, err := data.ReadVectors(path, io.TeeReader(interruptible{ctx, f}, sum), nil, cmp.Or(max, data.MaxSymbols))
	if err != nil {
		return nil, err
	}
	v.Width = width
	known := map[string]bool{}
	for i, w := range words {
		if w = model.Word(w, lower); known[w] || w == data.Unknown || w == "" {
			continue
		}
		known[w] = true
		v.Words = append(v.Words, w)
		v.Values = append(v.Values, values[i*width:(i+1)*width]...)
	}
	v.SHA256 = hex.EncodeToString(sum.Sum(nil))
	return v, nil
}

// interruptible is a reader that ends with its context.
type interruptible struct {
	ctx context.Context
	io.Reader
}

func (r interruptible) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(b)
}
