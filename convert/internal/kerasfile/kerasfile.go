// Package kerasfile reads the three kinds of files that Keras writes: .keras, a zip
// of a config and weights; .h5, a whole model of Keras 2 or 3 in one HDF5; and
// .weights.h5, weights alone, in the layout of Keras 3 or of Keras 2. It knows the
// layers by name, class and config, not what they compute.
package kerasfile

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"sluice/convert/internal/hdf5"
)

// ErrFormat is in the chain of every error of a file that is not as this package
// wants it, unless hdf5.ErrFormat is.
var ErrFormat = errors.New("kerasfile: unreadable file")

// The kinds of files.
const (
	Keras    = ".keras"
	H5       = ".h5"
	Weights  = ".weights.h5"           // of Keras 3
	Weights2 = ".weights.h5 (Keras 2)" // save_weights of Keras 2, of any name
)

// File is what a file of Keras holds.
type File struct {
	Kind    string
	Version string // of Keras, "" where the file does not say
	// Layers are in the order in which the model runs them, but in a file of kind
	// Weights, which does not say it: there they are by name, _2 before _10.
	Layers []Layer
}

// Layer is a layer of the model, or one inside of a layer.
type Layer struct {
	Name   string
	Class  string         // "GRU", "Bidirectional", …; "" where the file does not say
	Config map[string]any // as in JSON, nil in a file of weights alone
	Arrays []Array
	Inside []Layer // of a Bidirectional the layer forward and the one backward, of a TimeDistributed its layer
}

// Array is one of a layer's weights.
type Array struct {
	Name  string // "kernel", "recurrent_kernel", "bias", "embeddings"; what else there is has Keras' name
	Shape []int
	Data  []float32
}

// Open reads a file of the given size in bytes, and all of it. A config has at most 4
// MiB. What is compressed in a .keras has at most 32 times its compressed size and 1
// MiB. With S the file's size, and in a .keras what it has inside, uncompressed, Open
// allocates no more than 32 times S, 96 times the config's size, and 8 MiB.
func Open(r io.ReaderAt, size int64) (*File, error) {
	var start [8]byte
	if n, err := r.ReadAt(start[:], 0); n < len(start) && err != io.EOF {
		return nil, fmt.Errorf("kerasfile: read the first bytes: %w", err)
	}
	switch {
	case string(start[:]) == hdf5.Signature:
		root, err := hdf5.Open(r, size)
		if err != nil {
			return nil, err
		}
		return openH5(root)
	case strings.HasPrefix(string(start[:]), "PK\x03\x04"):
		return openArchive(r, size)
	}
	return nil, invalidf("the first bytes, %q, are neither those of a .h5 nor of a .keras", start)
}

func invalidf(format string, a ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrFormat}, a...)...)
}

// openH5 tells the kinds of HDF5 apart.
func openH5(root *hdf5.Group) (*File, error) {
	config, whole, err := text(root, "model_config")
	if err != nil {
		return nil, err
	}
	if whole {
		f := &File{Kind: H5}
		if f.Layers, err = modelOf([]byte(config)); err != nil {
			return nil, err
		}
		weights := root.Group("model_weights")
		if weights == nil {
			return nil, invalidf("a model_config and no group model_weights")
		}
		if f.Version, _, err = text(root, "keras_version"); err != nil {
			return nil, err
		}
		return f, f.named(weights)
	}
	if _, ok, err := names(root, "layer_names"); ok || err != nil {
		if err != nil {
			return nil, err
		}
		f := &File{Kind: Weights2}
		if f.Version, _, err = text(root, "keras_version"); err != nil {
			return nil, err
		}
		return f, f.named(root)
	}
	f := &File{Kind: Weights}
	return f, f.numbered(root)
}

// text reads an attribute that is one string.
func text(g *hdf5.Group, name string) (string, bool, error) {
	all, ok, err := g.Strings(name)
	if err == nil && ok && len(all) != 1 {
		err = invalidf("attribute %s of %.200q: %d strings, want 1", name, g.Path(), len(all))
	}
	if err != nil || !ok {
		return "", false, err
	}
	return all[0], true, nil
}

// names reads a list of strings that Keras splits where it is too long for one
// attribute: name0, name1 and so on.
func names(g *hdf5.Group, name string) (all []string, ok bool, err error) {
	if all, ok, err = g.Strings(name); ok || err != nil {
		return all, ok, err
	}
	for i := 0; ; i++ {
		more, next, err := g.Strings(fmt.Sprintf("%s%d", name, i))
		if err != nil || !next {
			return all, ok, err
		}
		all, ok = append(all, more...), true
	}
}

// list joins quoted names for an error, the first few of them.
func list(all []string) string {
	slices.Sort(all)
	var b strings.Builder
	for i, s := range all {
		if i == 16 {
			fmt.Fprintf(&b, " and %d more", len(all)-i)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%.80q", s)
	}
	return b.String()
}
