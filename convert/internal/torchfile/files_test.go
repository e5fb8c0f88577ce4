package torchfile

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
)

// A pickle of the tests is written by hand, opcode for opcode.
const (
	proto       = "\x80\x02"
	orderedText = "ccollections\nOrderedDict\n"
	rebuildText = "ctorch._utils\n_rebuild_tensor_v2\n"
	float32Text = "ctorch\nFloatStorage\n"
)

// str pushes a string.
func str(s string) string {
	return "X" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(s)))) + s
}

// num pushes a number.
func num(n int) string {
	return "\x8a\x08" + string(binary.LittleEndian.AppendUint64(nil, uint64(n)))
}

// tuple pushes a tuple of values.
func tuple(values ...string) string { return "(" + strings.Join(values, "") + "t" }

func nums(n []int) string {
	var values []string
	for _, v := range n {
		values = append(values, num(v))
	}
	return tuple(values...)
}

// storageID pushes the storage of a key of so many float32.
func storageID(key string, elements int) string {
	return tuple(str("storage"), float32Text, str(key), str("cpu"), num(elements)) + "Q"
}

// view pushes a tensor of storage "0", 4 elements.
func view(offset int, shape, stride []int) string {
	args := tuple(storageID("0", 4), num(offset), nums(shape), nums(stride), "\x89", orderedText+")R")
	return rebuildText + args + "R"
}

var vector = view(0, []int{4}, []int{1}) // all of storage "0"

// dict pushes a dict of keys and values.
func dict(items ...string) string { return "}(" + strings.Join(items, "") + "u" }

// entryOf is an entry of a zip archive of the tests.
type entryOf struct {
	name, data string
	method     uint16
}

var storage0 = entryOf{"archive/data/0", "\x00\x00\x80\x3f\x00\x00\x00\x40\x00\x00\x40\x40\x00\x00\x80\x40", zip.Store} // 1, 2, 3, 4

func zipOf(t testing.TB, entries ...entryOf) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, e := range entries {
		f, err := w.CreateHeader(&zip.FileHeader{Name: e.name, Method: e.method})
		if err == nil {
			_, err = f.Write([]byte(e.data))
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

// pickled is an archive of a pickle and of storage "0".
func pickled(t testing.TB, pickle string) []byte {
	return zipOf(t, entryOf{"archive/data.pkl", pickle, zip.Store}, storage0)
}

// legacyStart is what a legacy file begins with: magic number, protocol, system.
const legacyStart = proto + "\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19." + proto + "M\xe9\x03." + proto + "}."

// legacyOf is a legacy file of a pickle, the keys' pickle and the rest.
func legacyOf(pickle, keys, rest string) []byte { return []byte(legacyStart + pickle + keys + rest) }

var (
	legacyKeys = proto + "](" + str("0") + "e."
	legacyRest = "\x04\x00\x00\x00\x00\x00\x00\x00" + storage0.data
)

// The files written by hand are right where they are not wrong on purpose.
func TestByHand(t *testing.T) {
	long := binary.LittleEndian.AppendUint64(nil, 4)
	for name, file := range map[string][]byte{
		"zip":       pickled(t, proto+dict(str("w"), vector)+"."),
		"top level": zipOf(t, entryOf{"data.pkl", proto + dict(str("w"), vector) + ".", zip.Store}, entryOf{"data/0", storage0.data, zip.Store}),
		"legacy":    legacyOf(proto+dict(str("w"), vector)+".", legacyKeys, string(long)+storage0.data),
		"python 2":  legacyOf(proto+orderedText+"q\x01](](U\x01w"+vector+"ee\x85R.", legacyKeys, legacyRest),
		"version 1": pickled(t, proto+dict(str("w"), "ctorch._utils\n_rebuild_tensor\n"+tuple(storageID("0", 4), num(0), nums([]int{4}), nums([]int{1}))+"R")+"."),
	} {
		f, err := read(file)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		x, err := f.Tensors[0].Float32()
		if got := fmt.Sprint(f.Tensors[0].Name, x, err); got != "w[1 2 3 4] <nil>" {
			t.Errorf("%s: %s", name, got)
		}
	}
}
