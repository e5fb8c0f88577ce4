package kerasfile

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"sluice/convert/internal/hdf5"
)

const (
	maxConfig  = 4 << 20 // bytes of a config
	maxMembers = 1 << 10 // files in an archive
	ratio      = 32      // of what is compressed to its compressed size
	ratioMore  = 1 << 20
)

// openArchive reads a .keras.
func openArchive(r io.ReaderAt, size int64) (*File, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, invalidf("zip: %v", err)
	}
	members := map[string]*zip.File{}
	for _, m := range z.File {
		if members[m.Name] != nil {
			return nil, invalidf("%.80q is twice in the zip", m.Name)
		}
		if members[m.Name] = m; len(members) > maxMembers {
			return nil, invalidf("%d files in the zip, want at most %d", len(z.File), maxMembers)
		}
	}
	f := &File{Kind: Keras}
	config, err := member(members, "config.json", maxConfig)
	if err != nil {
		return nil, err
	}
	if f.Layers, err = modelOf(config); err != nil {
		return nil, err
	}
	if f.Version, err = versionOf(members); err != nil {
		return nil, err
	}
	weights, n, err := weightsOf(r, members)
	if err != nil {
		return nil, err
	}
	root, err := hdf5.Open(weights, n)
	if err != nil {
		return nil, err
	}
	return f, f.numbered(root)
}

// versionOf reads which Keras wrote the file.
func versionOf(members map[string]*zip.File) (string, error) {
	metadata, err := member(members, "metadata.json", 1<<16)
	if err != nil {
		return "", err
	}
	var m struct {
		Version string `json:"keras_version"`
	}
	if err := json.Unmarshal(metadata, &m); err != nil {
		return "", invalidf("metadata.json: %v", err)
	}
	return m.Version, nil
}

const weightsName = "model.weights.h5"

// weightsOf finds the weights. Uncompressed, as Keras writes them, they are read where
// they lie.
func weightsOf(r io.ReaderAt, members map[string]*zip.File) (io.ReaderAt, int64, error) {
	m := members[weightsName]
	if m == nil {
		var others []string
		for name := range members {
			if strings.HasPrefix(name, "model.weights") {
				others = append(others, name)
			}
		}
		if len(others) > 0 {
			return nil, 0, invalidf("no %s in the zip, and %s, which are not read", weightsName, list(others))
		}
	}
	if m == nil || m.Method != zip.Store {
		b, err := member(members, weightsName, 1<<62)
		return bytes.NewReader(b), int64(len(b)), err
	}
	at, err := m.DataOffset()
	if err != nil {
		return nil, 0, invalidf("%s in the zip: %v", weightsName, err)
	}
	if m.UncompressedSize64 != m.CompressedSize64 || m.UncompressedSize64 > 1<<62 {
		return nil, 0, invalidf("%s in the zip: %d bytes that are stored as %d", weightsName, m.UncompressedSize64, m.CompressedSize64)
	}
	checked, err := m.Open()
	if err != nil {
		return nil, 0, invalidf("%s in the zip: %v", weightsName, err)
	}
	if _, err := io.Copy(io.Discard, checked); err != nil { // its checksum
		return nil, 0, unzip(weightsName, err)
	}
	n := int64(m.UncompressedSize64)
	return io.NewSectionReader(r, at, n), n, nil
}

// member reads a file of the zip, of at most so many bytes.
func member(members map[string]*zip.File, name string, most uint64) ([]byte, error) {
	m := members[name]
	if m == nil {
		return nil, invalidf("no %s in the zip: it is no .keras, or has its weights elsewhere", name)
	}
	n := m.UncompressedSize64
	if n > most {
		return nil, invalidf("%s in the zip has %d bytes, want at most %d", name, n, most)
	}
	// What is compressed lies in the file, so that is no mere claim.
	if _, err := m.DataOffset(); err != nil {
		return nil, invalidf("%s in the zip: %v", name, err)
	}
	if most := m.CompressedSize64; n > ratioMore && (n-ratioMore)/ratio > most {
		return nil, invalidf("%s in the zip: %d bytes that are compressed to %d, want at most %d times them and %d", name, n, most, ratio, ratioMore)
	}
	r, err := m.Open()
	if err != nil {
		return nil, invalidf("%s in the zip: %v", name, err)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, unzip(name, err)
	}
	if _, err := io.Copy(io.Discard, io.LimitReader(r, 1)); err != nil { // its checksum
		return nil, unzip(name, err)
	}
	return b, nil
}

// unzip is the error of a file of the zip that cannot be read.
func unzip(name string, err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return invalidf("%s in the zip is cut", name)
	}
	return invalidf("%s in the zip: %v", name, err)
}
