package hdf5

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"math"
	"slices"
	"strconv"
)

var le = binary.LittleEndian

func number(v uint64) []byte { return le.AppendUint64(nil, v) }

// message is one of a header, in a multiple of 8 bytes.
func message(kind uint16, parts ...[]byte) []byte {
	body := slices.Concat(parts...)
	body = append(body, make([]byte, -len(body)&7)...)
	b := le.AppendUint16(le.AppendUint16(nil, kind), uint16(len(body)))
	return append(append(b, 0, 0, 0, 0), body...)
}

func objectHeader(messages ...[]byte) []byte {
	body := slices.Concat(messages...)
	b := le.AppendUint32([]byte{1, 0, byte(len(messages)), 0, 1, 0, 0, 0}, uint32(len(body)))
	return append(append(b, 0, 0, 0, 0), body...)
}

// space is a vector's shape.
func space(n byte) []byte { return []byte{2, 1, 0, 1, n, 0, 0, 0, 0, 0, 0, 0} }

var (
	floatType    = []byte{0x11, 0x20, 31, 0, 4, 0, 0, 0, 0, 0, 32, 0, 23, 8, 0, 23, 127, 0, 0, 0}
	doubleType   = []byte{0x11, 0x20, 63, 0, 8, 0, 0, 0, 0, 0, 64, 0, 52, 11, 0, 52, 0xff, 3, 0, 0}
	halfType     = []byte{0x11, 0x20, 15, 0, 2, 0, 0, 0, 0, 0, 16, 0, 10, 5, 0, 10, 15, 0, 0, 0}
	fixedType    = []byte{0x13, 0, 0, 0, 2, 0, 0, 0}
	variableType = slices.Concat([]byte{0x19, 1, 0, 0, 16, 0, 0, 0}, []byte{0x13, 0, 0, 0, 1, 0, 0, 0})
)

// attributeOf is the message of one with one element.
func attributeOf(name byte, typ, value []byte) []byte {
	return message(attributeMessage, []byte{3, 0, 2, 0, byte(len(typ)), 0, 12, 0, 0, name, 0}, typ, space(1), value)
}

func contiguousAt(at, size uint64) []byte {
	return message(layoutMessage, []byte{3, contiguous}, number(at), number(size))
}

// build is a file of n datasets under the root, which has an attribute more. Extra
// bytes are at an address that object and more are told.
func build(n int, extra []byte, more, object func(extraAt uint64) []byte) []byte {
	const root = 96
	length := len(objectHeader(message(tableMessage, make([]byte, 16)), more(0)))
	heapAt := root + length
	treeAt := heapAt + 32
	symbolsAt := treeAt + treeHeader + 24
	extraAt := symbolsAt + 8 + 40*n
	objectsAt := extraAt + len(extra)
	var names, symbols, objects []byte
	for i := range n {
		symbols = append(symbols, slices.Concat(number(uint64(len(names))), number(uint64(objectsAt+len(objects))), make([]byte, 24))...)
		names = append(names, strconv.Itoa(100000+i)+"\x00"...)
		objects = append(objects, object(uint64(extraAt))...)
	}
	namesAt := objectsAt + len(objects)
	return slices.Concat(
		[]byte(Signature), []byte{0, 0, 0, 0, 0, 8, 8, 0, 4, 0, 16, 0, 0, 0, 0, 0},
		number(0), number(undefined), number(uint64(namesAt+len(names))), number(undefined), number(0), number(root), make([]byte, 24),
		objectHeader(message(tableMessage, number(uint64(treeAt)), number(uint64(heapAt))), more(uint64(extraAt))),
		[]byte("HEAP\x00\x00\x00\x00"), number(uint64(len(names))), number(0), number(uint64(namesAt)),
		[]byte("TREE\x00\x00\x01\x00"), number(undefined), number(undefined), number(0), number(uint64(symbolsAt)), number(0),
		[]byte{'S', 'N', 'O', 'D', 1, 0, byte(n), byte(n >> 8)}, symbols, extra, objects, names,
	)
}

func fixed(uint64) []byte { return attributeOf('a', fixedType, []byte("xy")) }

// many is a file of n datasets without elements, each with an empty attribute.
func many(n int) []byte {
	return build(n, nil, fixed, func(uint64) []byte {
		return objectHeader(message(dataspaceMessage, space(0)), message(datatypeMessage, floatType), contiguousAt(undefined, 0),
			message(attributeMessage, []byte{3, 0, 2, 0, 20, 0, 12, 0, 0, 'a', 0}, floatType, space(0)))
	})
}

// floats are 1 and 2.
func floats() []byte {
	return le.AppendUint32(le.AppendUint32(nil, math.Float32bits(1)), math.Float32bits(2))
}

// seeds are files of each kind that is read, as small as they can be. Their datasets
// are 1 and 2.
func seeds() (all [][]byte) {
	dataset := func(typ []byte, more ...[]byte) []byte {
		return objectHeader(append([][]byte{message(dataspaceMessage, space(2)), message(datatypeMessage, typ)}, more...)...)
	}
	all = append(all, many(1), many(9))
	all = append(all, build(1, floats(), fixed, func(at uint64) []byte { return dataset(floatType, contiguousAt(at, 8)) }))
	doubles := append(number(math.Float64bits(1)), number(math.Float64bits(2))...)
	all = append(all, build(1, doubles, fixed, func(at uint64) []byte { return dataset(doubleType, contiguousAt(at, 16)) }))
	all = append(all, build(1, nil, fixed, func(uint64) []byte {
		return dataset(halfType, message(layoutMessage, []byte{3, compact, 4, 0, 0, 0x3c, 0, 0x40}))
	}))

	heap := slices.Concat([]byte("GCOL\x01\x00\x00\x00"), number(40), []byte{1, 0, 1, 0, 0, 0, 0, 0}, number(3), []byte("xyz\x00\x00\x00\x00\x00"))
	all = append(all, build(0, heap, func(at uint64) []byte {
		return attributeOf('v', variableType, slices.Concat([]byte{3, 0, 0, 0}, number(at), []byte{1, 0, 0, 0}))
	}, nil))

	var zipped bytes.Buffer
	z := zlib.NewWriter(&zipped)
	z.Write([]byte{0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0, 0, 0, 0x3f, 0x40, 0, 0}) // of [1, 2, 0, 0], shuffled
	z.Close()
	chunk := zipped.Bytes()
	tree := slices.Concat([]byte("TREE\x01\x00\x01\x00"), number(undefined), number(undefined),
		le.AppendUint32(nil, uint32(len(chunk))), make([]byte, 4+8+8+8), make([]byte, 24))
	extra := append(tree, chunk...)
	return append(all, build(1, extra, fixed, func(at uint64) []byte {
		copy(extra[treeHeader+24:], number(at+uint64(len(tree)))) // build puts them in the file later
		return dataset(floatType, message(layoutMessage, []byte{3, chunked, 2}, number(at), []byte{4, 0, 0, 0, 4, 0, 0, 0}),
			message(filterMessage, []byte{2, 2, shuffle, 0, 0, 0, 0, 0, deflate, 0, 0, 0, 0, 0}))
	}))
}
