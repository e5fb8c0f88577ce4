package torchfile

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
	"sync"
)

// The bounds of compressed entries, which torch.save does not write: in all
// maxInflated bytes and maxRatio times the archive's size.
const (
	maxInflated = 1 << 20
	maxRatio    = 16
)

// archive is a zip archive of torch.save.
type archive struct {
	r        io.ReaderAt
	size     int64
	prefix   string // the folder of all entries, with its slash
	entries  map[string]*zip.File
	checked  bool // the entries have checksums
	order    binary.ByteOrder
	storages map[string]*storage
}

func readZip(r io.ReaderAt, size int64) (*File, error) {
	a := &archive{r: r, size: size, entries: map[string]*zip.File{}, order: binary.LittleEndian, storages: map[string]*storage{}}
	if err := a.index(); err != nil {
		return nil, err
	}
	if err := a.readOrder(); err != nil {
		return nil, err
	}
	data, err := a.read(a.prefix+"data.pkl", MaxPickle)
	if err != nil {
		return nil, err
	}
	end, opcodes, err := scan(data)
	switch {
	case errors.Is(err, errCut):
		return nil, invalidf("entry %.80q is cut: the pickle does not end", a.prefix+"data.pkl")
	case err != nil:
		return nil, err
	case end != len(data):
		return nil, invalidf("entry %.80q: %d bytes follow the pickle", a.prefix+"data.pkl", len(data)-end)
	}
	value, err := unpickle(data, loader(a.find))
	if err != nil {
		return nil, err
	}
	return list(value, len(data), opcodes, size)
}

// index reads the archive's directory and finds the folder of the pickle.
func (a *archive) index() error {
	z, err := zip.NewReader(io.NewSectionReader(a.r, 0, a.size), a.size) // io.EOF at an offset outside of the file
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {              // nothing is extracted
		return zipError("the directory of the zip archive", err)
	}
	var pickles []string
	packed, unpacked := uint64(0), uint64(0)
	limit := maxRatio*uint64(a.size) + maxInflated
	for _, f := range z.File {
		if a.entries[f.Name] != nil {
			return invalidf("entry %.80q stands twice in the zip archive", f.Name)
		}
		a.entries[f.Name] = f
		a.checked = a.checked || f.CRC32 != 0
		if _, base, _ := strings.Cut(f.Name, "/"); base == "data.pkl" || f.Name == "data.pkl" {
			pickles = append(pickles, f.Name)
		}
		if f.CompressedSize64 > uint64(a.size)-packed {
			return invalidf("entry %.80q: the entries to there claim more bytes than the archive's %d: they overlap", f.Name, a.size)
		}
		packed += f.CompressedSize64
		if f.UncompressedSize64 > limit-unpacked {
			return invalidf("entry %.80q: the entries to there claim more than %d bytes, %d times the archive and 1 MiB: a zip bomb", f.Name, limit, maxRatio)
		}
		unpacked += f.UncompressedSize64
	}
	switch {
	case len(pickles) == 0:
		return invalidf("a zip archive without NAME/data.pkl, which torch.save writes")
	case len(pickles) > 1:
		return invalidf("a zip archive with two pickles, %.80q and %.80q", pickles[0], pickles[1])
	}
	a.prefix = strings.TrimSuffix(pickles[0], "data.pkl")
	if a.entries[a.prefix+"constants.pkl"] != nil {
		return invalidf("a TorchScript archive, of torch.jit.save: save the module's state_dict with torch.save")
	}
	return nil
}

// readOrder reads the byte order of the storages. Before it was written, it was
// little.
func (a *archive) readOrder() error {
	name := a.prefix + "byteorder"
	if a.entries[name] == nil {
		return nil
	}
	b, err := a.read(name, 16)
	switch {
	case err != nil:
		return err
	case string(b) == "big":
		a.order = binary.BigEndian
	case string(b) != "little":
		return invalidf("entry %.80q is %q, want little or big", name, b)
	}
	return nil
}

// find is the storage of a key. Two tensors with one key share it.
func (a *archive) find(key string, elements, width int) (*storage, error) {
	name := a.prefix + "data/" + key
	f := a.entries[name]
	if f == nil {
		return nil, invalidf("storage %.40q: no entry %.80q in the zip archive", key, name)
	}
	bytes := int64(elements) * int64(width)
	if f.UncompressedSize64 != uint64(bytes) {
		return nil, invalidf("storage %.40q of %d elements of %d bytes: entry %.80q has %d bytes, want %d", key, elements, width, name, f.UncompressedSize64, bytes)
	}
	s := a.storages[key]
	if s == nil {
		s = &storage{key: key, bytes: bytes, order: a.order, open: sync.OnceValues(func() (io.ReaderAt, error) { return a.open(f) })}
		a.storages[key] = s
	}
	return s, nil
}

// read reads a small entry.
func (a *archive) read(name string, limit uint64) ([]byte, error) {
	f := a.entries[name]
	if f.UncompressedSize64 > limit {
		return nil, invalidf("entry %.80q has %d bytes, want at most %d", name, f.UncompressedSize64, limit)
	}
	r, err := a.open(f)
	if err != nil {
		return nil, err
	}
	b := make([]byte, f.UncompressedSize64)
	if err := readFull(r, b, 0); err != nil {
		return nil, fmt.Errorf("torchfile: read entry %.80q: %w", name, err)
	}
	return b, nil
}

// open checks an entry against its checksum, and gives its bytes: those in the
// file, or where they are compressed, in memory.
func (a *archive) open(f *zip.File) (io.ReaderAt, error) {
	at, err := f.DataOffset()
	switch {
	case err != nil:
		return nil, zipError(entry(f), err)
	case at > a.size-int64(f.CompressedSize64):
		return nil, invalidf("entry %.80q ends behind the end of the archive", f.Name)
	case f.Flags&1 != 0:
		return nil, invalidf("entry %.80q is encrypted", f.Name)
	}
	var data io.ReaderAt
	switch {
	case f.Method == zip.Store && f.CompressedSize64 == f.UncompressedSize64:
		data = io.NewSectionReader(a.r, at, int64(f.UncompressedSize64))
	case f.Method == zip.Deflate:
		if data, err = inflate(f); err != nil {
			return nil, err
		}
	default:
		return nil, invalidf("entry %.80q: %d bytes by compression method %d make %d, want them stored or deflated", f.Name, f.CompressedSize64, f.Method, f.UncompressedSize64)
	}
	if !a.checked {
		return data, nil // saved after torch.serialization.set_crc32_options(False)
	}
	sum := crc32.NewIEEE()
	size := int64(f.UncompressedSize64)
	if _, err := io.CopyBuffer(sum, io.NewSectionReader(data, 0, size), make([]byte, min(chunk, size+1))); err != nil {
		return nil, fmt.Errorf("torchfile: read entry %.80q: %w", f.Name, err)
	}
	if sum.Sum32() != f.CRC32 {
		return nil, invalidf("entry %.80q has checksum %08x, want %08x: the file is damaged", f.Name, sum.Sum32(), f.CRC32)
	}
	return data, nil
}

// inflate unpacks a compressed entry. Its size is within the archive's bounds.
func inflate(f *zip.File) (io.ReaderAt, error) {
	r, err := f.Open()
	if err != nil {
		return nil, zipError(entry(f), err)
	}
	defer r.Close()
	b := make([]byte, f.UncompressedSize64)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, zipError(entry(f), err)
	}
	if n, err := r.Read(make([]byte, 1)); n > 0 || err != io.EOF {
		return nil, invalidf("entry %.80q unpacks to other than its %d bytes: %v", f.Name, f.UncompressedSize64, err)
	}
	return bytes.NewReader(b), nil
}

func entry(f *zip.File) string { return fmt.Sprintf("entry %.80q", f.Name) }

// zipError tells what is wrong with an archive from a failure of reading it.
func zipError(of string, err error) error {
	var corrupt flate.CorruptInputError
	for _, content := range []error{zip.ErrFormat, zip.ErrAlgorithm, zip.ErrChecksum, io.EOF, io.ErrUnexpectedEOF} {
		if errors.Is(err, content) {
			return invalidf("%s: %v: the file is cut or damaged", of, err)
		}
	}
	if errors.As(err, &corrupt) {
		return invalidf("%s: %v: the file is damaged", of, err)
	}
	return fmt.Errorf("torchfile: read %s: %w", of, err)
}
