package onnxfile

import (
	"io"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
)

// external reads data that lie outside of the file.
type external struct {
	folder *os.Root // nil: there is no place for them
	files  map[string]*externalFile
}

type externalFile struct {
	*os.File
	size int64
	left int64 // bytes that no tensor has claimed: what is claimed twice could take more memory than there is data
}

func (e *external) close() {
	for _, f := range e.files {
		f.Close()
	}
}

// read reads the data of a tensor of so many bytes.
func (e *external) read(p *TensorProto, name string, size int) ([]byte, error) {
	var location string
	offset, length := int64(0), int64(size)
	for _, entry := range p.GetExternalData() {
		var err error
		switch entry.GetKey() {
		case "location":
			location = entry.GetValue()
		case "offset":
			offset, err = strconv.ParseInt(entry.GetValue(), 10, 64)
		case "length":
			length, err = strconv.ParseInt(entry.GetValue(), 10, 64)
		}
		if err != nil {
			return nil, errorf("ONNX file: tensor %.80q: %s %.40q of its external data, want a whole number", name, entry.GetKey(), entry.GetValue())
		}
	}
	if length != int64(size) {
		return nil, errorf("ONNX file: tensor %.80q: %d bytes of external data, want %d for its shape", name, length, size)
	}
	f, err := e.open(location, name)
	if err != nil {
		return nil, err
	}
	switch {
	case offset < 0 || offset > f.size || length > f.size-offset:
		return nil, errorf("ONNX file: tensor %.80q: bytes %d to %d of external data %.80q, which has %d", name, offset, uint64(offset)+uint64(length), location, f.size)
	case length > f.left:
		return nil, errorf("ONNX file: tensor %.80q: external data %.80q has %d bytes, and the tensors that lie in it have more", name, location, f.size)
	}
	f.left -= length
	b := make([]byte, size)
	if n, err := f.ReadAt(b, offset); n < len(b) {
		if err == nil || err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, errorf("read external data %.80q of the ONNX file: %w", location, err)
	}
	return b, nil
}

// open opens a file in the folder, once.
func (e *external) open(location, name string) (*externalFile, error) {
	if e.folder == nil {
		return nil, errorf("ONNX file: tensor %.80q lies in another file, %.80q, and no folder is known: want its data in the file", name, location)
	}
	location = strings.TrimPrefix(location, "./")
	if f := e.files[location]; f != nil {
		return f, nil
	}
	if !fs.ValidPath(location) || location == "." || strings.ContainsAny(location, "\\:\x00") {
		return nil, errorf("ONNX file: tensor %.80q lies in %.80q: want a file in the folder of the ONNX file", name, location)
	}
	at := ""
	for element := range strings.SplitSeq(location, "/") {
		at = path.Join(at, element)
		info, err := e.folder.Lstat(at)
		if err != nil {
			return nil, errorf("ONNX file: tensor %.80q: external data: %w", name, err)
		}
		if mode := info.Mode().Type(); mode != 0 && (at == location || mode != fs.ModeDir) {
			return nil, errorf("ONNX file: tensor %.80q lies in %.80q, where %.80q is a link or no plain file: want files and folders", name, location, at)
		}
	}
	opened, err := e.folder.Open(location)
	if err != nil {
		return nil, errorf("ONNX file: tensor %.80q: external data: %w", name, err)
	}
	info, err := opened.Stat()
	if err != nil {
		opened.Close()
		return nil, errorf("ONNX file: tensor %.80q: external data: %w", name, err)
	}
	f := &externalFile{opened, info.Size(), info.Size()}
	if e.files == nil {
		e.files = map[string]*externalFile{}
	}
	e.files[location] = f
	return f, nil
}
