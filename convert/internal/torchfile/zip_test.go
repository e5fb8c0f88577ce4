package torchfile

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"strings"
	"testing"
)

// raw is an archive of entries, the pickle and more, whose headers say what the
// test wants.
func raw(t testing.TB, h zip.FileHeader, data string, more ...string) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	if h.CRC32 == 0 {
		h.CRC32 = crc32.ChecksumIEEE([]byte(data))
	}
	for _, name := range append(more, "archive/data.pkl") {
		entry := h
		entry.Name = name
		f, err := w.CreateRaw(&entry)
		if err == nil {
			_, err = f.Write([]byte(data))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func malformedZips(t testing.TB) map[string][]byte {
	const none = proto + "N."
	pickle := entryOf{"archive/data.pkl", none, zip.Store}
	zeros := strings.Repeat("\x00", 1<<21)
	return map[string][]byte{
		"a zip archive without NAME/data.pkl":                              zipOf(t, storage0),
		"want a zip archive or pickle":                                     zipOf(t)[1:],
		"without NAME/data.pkl, which":                                     zipOf(t),
		`two pickles, "a/data.pkl" and "b/data.pkl"`:                       zipOf(t, entryOf{"a/data.pkl", none, zip.Store}, entryOf{"b/data.pkl", none, zip.Store}),
		`entry "archive/data.pkl" stands twice`:                            zipOf(t, pickle, pickle),
		`entry "archive/data/0" stands twice`:                              zipOf(t, pickle, storage0, storage0),
		"a TorchScript archive, of torch.jit.save":                         zipOf(t, pickle, entryOf{"archive/constants.pkl", none, zip.Store}),
		`entry "archive/byteorder" is "middle", want little or big`:        zipOf(t, pickle, entryOf{"archive/byteorder", "middle", zip.Store}),
		`entry "archive/byteorder" has 17 bytes, want at most 16`:          zipOf(t, pickle, entryOf{"archive/byteorder", zeros[:17], zip.Store}),
		`entry "archive/data/1": the entries to there claim more than`:     zipOf(t, pickle, entryOf{"archive/data/1", zeros, zip.Deflate}),
		`entry "archive/data.pkl" has 8388609 bytes, want at most 8388608`: zipOf(t, entryOf{"archive/data.pkl", strings.Repeat(zeros, 4) + "x", zip.Store}),
		`entry "archive/data.pkl": the entries to there claim more bytes`:  raw(t, zip.FileHeader{CompressedSize64: 200, UncompressedSize64: 200}, none, "archive/data/1"),
		"they overlap":                      raw(t, zip.FileHeader{CompressedSize64: 1 << 40, UncompressedSize64: 1 << 40}, none),
		"a zip bomb":                        raw(t, zip.FileHeader{CompressedSize64: 5, UncompressedSize64: 1 << 62, Method: zip.Deflate}, none),
		"by compression method 93 make 5":   raw(t, zip.FileHeader{CompressedSize64: 4, UncompressedSize64: 5, Method: 93}, none),
		"4 bytes by compression method 0":   raw(t, zip.FileHeader{CompressedSize64: 4, UncompressedSize64: 5}, none),
		"is encrypted":                      raw(t, zip.FileHeader{CompressedSize64: 4, UncompressedSize64: 4, Flags: 1}, none),
		"has checksum":                      raw(t, zip.FileHeader{CompressedSize64: 4, UncompressedSize64: 4, CRC32: 1}, none),
		"the file is cut or damaged":        raw(t, zip.FileHeader{CompressedSize64: 5, UncompressedSize64: 5, Method: zip.Deflate}, "\x01\x04\x00\xfb\xff\x80\x02N."),
		"unpacks to other than its 3 bytes": raw(t, zip.FileHeader{CompressedSize64: 9, UncompressedSize64: 3, Method: zip.Deflate, CRC32: crc32.ChecksumIEEE([]byte(none))}, "\x01\x04\x00\xfb\xff"+none),
		"the file is damaged":               raw(t, zip.FileHeader{CompressedSize64: 4, UncompressedSize64: 4, Method: zip.Deflate}, "\xff\xff\xff\xff"),
	}
}

func TestMalformedZips(t *testing.T) {
	for want, file := range malformedZips(t) {
		var err error
		if got := allocated(func() { _, err = read(file) }); got > most(file) {
			t.Errorf("%s: %d bytes allocated for a file of %d", want, got, len(file))
		}
		checkError(t, want, err, want)
	}
}

// A storage is checked when one of its tensors is first read, and stays wrong.
func TestDamagedStorage(t *testing.T) {
	for _, method := range []uint16{zip.Store, zip.Deflate} {
		damaged := storage0
		damaged.method = method
		file := zipOf(t, entryOf{"archive/data.pkl", proto + dict(str("w"), vector, str("v"), vector) + ".", zip.Store}, damaged)
		at := bytes.Index(file, []byte("\x00\x00\x80\x3f")) // stored
		if at < 0 {
			at = bytes.Index(file, []byte("archive/data/0")) + len("archive/data/0") + 3
		}
		file[at]++
		f, err := read(file)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			for _, x := range f.Tensors {
				_, err := x.Float32()
				checkError(t, x.Name, err, `entry "archive/data/0"`)
			}
		}
	}
}

// A damaged entry is not taken for one without a checksum while another entry
// has one.
func TestUnchecked(t *testing.T) {
	sum := binary.LittleEndian.AppendUint32(nil, crc32.ChecksumIEEE([]byte(storage0.data)))
	file := bytes.ReplaceAll(pickled(t, proto+dict(str("w"), vector)+"."), sum, make([]byte, 4))
	f, err := read(file)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Tensors[0].Float32()
	checkError(t, "no checksum", err, "want 00000000: the file is damaged")
}
