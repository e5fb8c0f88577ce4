package convert

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sluice/convert/internal/onnxfile"
	"sluice/convert/internal/torchfile"
	"sluice/model"
	"sluice/safetensors"
)

// Format is what a file is, by its content.
type Format string

const (
	Sluice      Format = "sluice"      // a model of ours
	SafeTensors Format = "safetensors" // a state dict
	Torch       Format = "torch"       // a state dict as torch.save writes it: .pt, .pth, .bin
	Keras       Format = "keras"       // .keras, .h5, .weights.h5
	ONNXGraph   Format = "onnx"
	Recorded    Format = "npz" // arrays, for Verify
)

// Import reads a model from a file of any Format. The notes are what the caller must
// know of it, a line each.
//
// Of an ONNX graph it allocates at most 512 times the size of the file with its external
// data, and 4 MiB; of a state dict, beside what its reader does, at most 256 times what
// the tensors, their names and their shapes hold, and 1 MiB.
func Import(path string, o Options) (m *model.Model, notes []string, err error) {
	f, err := open(path)
	if err != nil {
		return nil, nil, inFile(path, err)
	}
	defer f.Close()
	m, notes, err = f.model(o, true)
	return m, notes, inFile(path, err)
}

// Open reads what a file of another system holds of a model.
func Open(path string, o Options) (*Parts, error) {
	f, err := open(path)
	if err != nil {
		return nil, inFile(path, err)
	}
	defer f.Close()
	p, err := f.parts(o)
	return p, inFile(path, err)
}

// FormatOf is what the file at path is.
func FormatOf(path string) (Format, error) {
	f, err := open(path)
	if err != nil {
		return "", inFile(path, err)
	}
	return f.format, f.Close()
}

// inFile names the file of an error.
func inFile(path string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", path, err)
}

// plain is an error without the names of the packages in front, but for ours.
func plain(err error) error {
	text := err.Error()
	for _, name := range []string{"convert: ", "torchfile: ", "safetensors: ", "npz: ", "model: "} {
		text = strings.TrimPrefix(text, name)
	}
	return errors.New("convert: " + text)
}

// model is the model of the file. Where that is asked for, options of no use are an
// error.
func (f *file) model(o Options, useful bool) (*model.Model, []string, error) {
	own := f.format == Sluice
	var m *model.Model
	var graph *onnxfile.Model
	var err, why error
	switch f.format {
	case Recorded:
		return nil, nil, fmt.Errorf("convert: an .npz of arrays: want a model file")
	case Sluice:
		if m, err = model.Read(f, f.size); err != nil {
			return nil, nil, err
		}
	case ONNXGraph:
		if graph, err = f.graph(); err != nil {
			return nil, nil, err
		}
		m, why = ownONNX(graph)
		own = m != nil
	}
	if useful {
		if err := o.fit(f.format, own); err != nil {
			return nil, nil, err
		}
	}
	if own {
		return m, nil, nil
	}
	if o.Like != nil {
		d, err := f.stateDict()
		if err != nil {
			return nil, nil, err
		}
		m, err = d.like(o.Like, o.Ignore)
		return m, d.notes, err
	}
	if graph != nil {
		return foreignGraph(graph, why, o)
	}
	p, err := f.parts(o)
	if err != nil {
		return nil, nil, err
	}
	m, err = p.Model(o)
	return m, p.Notes, err
}

// foreignGraph is the model of a graph of others, or of one that has been ours: why says
// why it is not.
func foreignGraph(graph *onnxfile.Model, why error, o Options) (m *model.Model, notes []string, err error) {
	p, err := partsOfGraph(graph)
	if err == nil {
		if m, err = p.Model(o); err == nil {
			return m, p.Notes, nil
		}
	}
	if why != nil {
		err = fmt.Errorf("%w; and it is no graph as Sluice writes it: %s", err, strings.TrimPrefix(why.Error(), "convert: "))
	}
	return nil, nil, err
}

// fit says which option is of no use to a file: one of a format, or one of our own that
// has all in it.
func (o Options) fit(f Format, own bool) error {
	dict, foreign := f == SafeTensors || f == Torch, !own && f != Recorded && o.Like == nil
	for _, g := range []struct {
		use     bool
		options map[string]bool
	}{
		{foreign, map[string]bool{"task": o.Task != "", "vocabulary": o.Names.Vocab != nil, "labels": o.Names.Labels != nil, "scheme": o.Names.Scheme != "", "pool": o.Pool != "", "lower": o.Lower}},
		{foreign && dict, map[string]bool{"stack": o.Stack != nil, "embed": o.Embed != "", "input": o.Input != "", "head": o.Head != ""}},
		{!own && dict, map[string]bool{"ignore": o.Ignore != nil, "like": o.Like != nil}},
		{foreign && (dict || f == Keras), map[string]bool{"activation": o.Activation != ""}},
		{foreign && f == Keras, map[string]bool{"reset": o.Reset != "", "merge": o.Merge != ""}},
	} {
		for _, name := range slices.Sorted(maps.Keys(g.options)) {
			switch {
			case !g.options[name] || g.use:
			case own:
				return fmt.Errorf("convert: option %s: of no use to a file that Sluice has written, which has all in it", name)
			case o.Like != nil && name != "like":
				return fmt.Errorf("convert: option %s: of no use beside like, a model that has it", name)
			default:
				return fmt.Errorf("convert: option %s: of no use to a file of format %s", name, f)
			}
		}
	}
	return nil
}

// file is an open file of a known format.
type file struct {
	*os.File
	path   string
	size   int64
	format Format
}

func open(path string) (*file, error) {
	info, err := os.Stat(path)
	if err != nil {
		var of *os.PathError
		if errors.As(err, &of) {
			err = of.Err
		}
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("convert: not a regular file: want a model file")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("convert: %w", err)
	}
	format, err := sniff(f, info.Size())
	if err != nil {
		f.Close()
		return nil, err
	}
	return &file{f, path, info.Size(), format}, nil
}

// sniff tells the format of a file by how it begins.
func sniff(r io.ReaderAt, size int64) (Format, error) {
	if size == 0 {
		return "", fmt.Errorf("convert: an empty file: want a model file")
	}
	start := make([]byte, min(16, size))
	if _, err := r.ReadAt(start, 0); err != nil {
		return "", fmt.Errorf("convert: %w", err)
	}
	switch {
	case bytes.HasPrefix(start, []byte("PK\x03\x04")):
		z, err := zip.NewReader(r, size)
		if err != nil {
			return "", fmt.Errorf("convert: a zip archive: %w", err)
		}
		if slices.ContainsFunc(z.File, func(f *zip.File) bool { return f.Name == "config.json" }) {
			return Keras, nil
		}
		if slices.ContainsFunc(z.File, func(f *zip.File) bool { return strings.HasSuffix(f.Name, ".npy") }) {
			return Recorded, nil
		}
		return Torch, nil
	case bytes.HasPrefix(start, []byte("\x89HDF\r\n\x1a\n")):
		return Keras, nil
	case len(start) > 8 && start[8] == '{' && start[7] == 0: // a header of less than 2⁵⁶ bytes
		f, err := safetensors.Open(r, size)
		if err != nil {
			return "", plain(err)
		}
		if _, ours := f.Metadata["sluice"]; ours {
			return Sluice, nil
		}
		return SafeTensors, nil
	case len(start) > 1 && start[0] == 0x80 && start[1] <= 5: // a pickle's protocol
		return Torch, nil
	case len(start) > 1 && start[0] == 0x08: // the first field of a ModelProto, its IR version
		return ONNXGraph, nil
	}
	return "", fmt.Errorf("convert: begins with % x: want a .safetensors, .pt, .pth, .bin, .onnx, .keras or .h5 file", start)
}

// parts are what the file holds of a model.
func (f *file) parts(o Options) (*Parts, error) {
	switch f.format {
	case Sluice:
		return nil, fmt.Errorf("convert: a Sluice model: it needs no conversion")
	case Recorded:
		return nil, fmt.Errorf("convert: an .npz of arrays: want a model file")
	case SafeTensors, Torch:
		d, err := f.stateDict()
		if err != nil {
			return nil, err
		}
		return d.parts(o)
	case Keras:
		return readKeras(f, f.size, o)
	}
	graph, err := f.graph()
	if err != nil {
		return nil, err
	}
	return partsOfGraph(graph)
}

// stateDict reads the names and shapes of a state dict.
func (f *file) stateDict() (*stateDict, error) {
	d := newStateDict()
	switch f.format {
	case SafeTensors, Sluice:
		s, err := safetensors.Open(f, f.size)
		if err != nil {
			return nil, plain(err)
		}
		for _, t := range s.Tensors {
			d.tensors[t.Name] = stateTensor{t.Shape, func() ([]float32, error) { return floatsOf(s, t) }}
		}
		return d, nil
	case Torch:
	default:
		return nil, fmt.Errorf("convert: a file of format %s: want a state dict, .safetensors or .pt", f.format)
	}
	t, err := torchfile.Read(f, f.size)
	if err != nil {
		return nil, plain(err)
	}
	for _, tensor := range t.Tensors {
		d.tensors[tensor.Name] = stateTensor{tensor.Shape, tensor.Float32}
	}
	d.checkpoint()
	return d, nil
}

// graph reads an ONNX file, with external data beside it.
func (f *file) graph() (*onnxfile.Model, error) {
	folder, err := os.OpenRoot(filepath.Dir(f.path))
	if err != nil {
		return nil, fmt.Errorf("convert: %w", err)
	}
	defer folder.Close()
	return onnxfile.Read(f, f.size, folder)
}
