package convert

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
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
		return nil, nil, err
	}
	defer f.Close()
	if f.format == Sluice {
		m, err = model.Read(f, f.size)
		return m, nil, inFile(path, err)
	}
	if f.format == ONNXGraph {
		graph, err := f.graph()
		if err != nil {
			return nil, nil, inFile(path, err)
		}
		if m, err := ownONNX(graph); m != nil || err != nil {
			return m, nil, inFile(path, err)
		}
	}
	if o.Like != nil {
		d, err := f.stateDict()
		if err != nil {
			return nil, nil, inFile(path, err)
		}
		m, err = d.like(o.Like)
		return m, nil, inFile(path, err)
	}
	p, err := f.parts(o)
	if err != nil {
		return nil, nil, inFile(path, err)
	}
	m, err = p.Model(o)
	return m, p.Notes, inFile(path, err)
}

// Open reads what a file of another system holds of a model.
func Open(path string, o Options) (*Parts, error) {
	f, err := open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	p, err := f.parts(o)
	return p, inFile(path, err)
}

// FormatOf is what the file at path is.
func FormatOf(path string) (Format, error) {
	f, err := open(path)
	if err != nil {
		return "", err
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
		return nil, inFile(path, err)
	}
	if !info.Mode().IsRegular() {
		return nil, inFile(path, fmt.Errorf("convert: not a regular file: want a model file"))
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("convert: %w", err)
	}
	format, err := sniff(f, info.Size())
	if err != nil {
		f.Close()
		return nil, inFile(path, err)
	}
	return &file{f, path, info.Size(), format}, nil
}

// sniff tells the format of a file by how it begins.
func sniff(r io.ReaderAt, size int64) (Format, error) {
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
		return Torch, nil
	case bytes.HasPrefix(start, []byte("\x89HDF\r\n\x1a\n")):
		return Keras, nil
	case len(start) > 8 && start[8] == '{' && binary.LittleEndian.Uint64(start) <= uint64(size):
		f, err := safetensors.Open(r, size)
		if err != nil {
			return "", fmt.Errorf("convert: %w", err)
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
func (f *file) stateDict() (stateDict, error) {
	d := stateDict{}
	switch f.format {
	case SafeTensors, Sluice:
		s, err := safetensors.Open(f, f.size)
		if err != nil {
			return nil, fmt.Errorf("convert: %w", err)
		}
		for _, t := range s.Tensors {
			d[t.Name] = stateTensor{t.Shape, func() ([]float32, error) { return floatsOf(s, t) }}
		}
		return d, nil
	case Torch:
	default:
		return nil, fmt.Errorf("convert: a file of format %s: want a state dict, .safetensors or .pt", f.format)
	}
	t, err := torchfile.Read(f, f.size)
	if err != nil {
		return nil, fmt.Errorf("convert: %s", strings.TrimPrefix(err.Error(), "torchfile: "))
	}
	for _, tensor := range t.Tensors {
		d[tensor.Name] = stateTensor{tensor.Shape, tensor.Float32}
	}
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
