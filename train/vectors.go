package train

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"io"

	"sluice/data"
	"sluice/model"
)

// ReadVectors reads vectors of words from a text file of word2vec or GloVe, max at
// most, 0 for all: the first ones, which are the most frequent. lower has them
// looked up in lower case; name is for errors. See data.ReadVectors.
func ReadVectors(name string, r io.Reader, lower bool, max int) (*Vectors, error) {
	sum := sha256.New()
	v := &Vectors{}
	words, width, values, err := data.ReadVectors(name, io.TeeReader(r, sum), nil, cmp.Or(max, data.MaxSymbols))
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
