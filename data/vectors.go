package data

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxDim bounds the dimension of a word vector.
const maxDim = 1 << 16

// ReadVectors reads word vectors as text: a word a line and the numbers of its
// vector, apart by spaces. GloVe's files (Pennington et al. 2014) have nothing
// else, those of word2vec (Mikolov et al. 2013) and fastText a first line with
// the number of words and the dimension. Only words that are wanted are kept, nil
// for all, and at most so many as most says, 0 for all; the file is read no further than
// to the last. Of a word that comes twice the first is kept. A word may have
// spaces in it, but for the first.
//
// words are in the order of the file, (N); values are their vectors, (N, dim).
// What is wrong is one error that names the file and the line: a vector of another
// length, something else than finite numbers or a word that is not UTF-8 among
// those that are kept, and a file without words or with
// another number of them than its first line says.
func ReadVectors(name string, r io.Reader, want func(word string) bool, most int) (words []string, dim int, values []float32, err error) {
	in := newLines(name, r)
	claimed, read := -1, 0
	kept := map[string]bool{}
	for {
		line, err := in.next()
		if err != nil && err != io.EOF {
			return nil, 0, nil, err
		}
		switch {
		case err == io.EOF && claimed >= 0 && read != claimed:
			return nil, 0, nil, fileError(name, "%d word vectors, and the first line says %d: want as many", read, claimed)
		case err == io.EOF && read == 0:
			return nil, 0, nil, fileError(name, "no word vectors: want at least one")
		case err == io.EOF:
			return words, dim, values, nil
		case blank(line):
			continue
		case dim == 0:
			if claimed, dim, err = vectorsHead(line); err != nil {
				return nil, 0, nil, in.errorf(in.line, "%w", err)
			}
			if claimed >= 0 {
				continue
			}
		}
		read++
		word, vector, err := cutVector(line, dim)
		if err != nil {
			return nil, 0, nil, in.errorf(in.line, "%w", err)
		}
		if kept[string(word)] || want != nil && !want(string(word)) {
			continue
		}
		if !utf8.Valid(word) {
			return nil, 0, nil, in.errorf(in.line, "the word %s is not UTF-8", quote(string(word)))
		}
		if values, err = appendVector(values, vector); err != nil {
			return nil, 0, nil, in.errorf(in.line, "the vector of %s: %w", quote(string(word)), err)
		}
		words = append(words, string(word))
		kept[words[len(words)-1]] = true
		if len(words) == most {
			return words, dim, values, nil
		}
	}
}

// vectorsHead is the dimension by the first line, and the number of words if that
// is what it says, else −1.
func vectorsHead(line []byte) (claimed, dim int, err error) {
	fields := bytes.FieldsFunc(line, isSpace)
	claimed, dim = -1, len(fields)-1
	if len(fields) == 2 {
		n, errN := strconv.Atoi(string(fields[0]))
		d, errD := strconv.Atoi(string(fields[1]))
		if errN == nil && errD == nil && n >= 0 {
			claimed, dim = n, d
		}
	}
	if dim < 1 || dim > maxDim {
		return 0, 0, fmt.Errorf("%s: want a word and its vector, or the number of words and their dimension from 1 to %d", quote(string(line)), maxDim)
	}
	return claimed, dim, nil
}

// space is what stands between fields: a word may have any other white space.
const space = " \t"

func isSpace(r rune) bool { return r == ' ' || r == '\t' }

// cutVector cuts a line into the word and the dim numbers that are behind it.
func cutVector(line []byte, dim int) (word, vector []byte, err error) {
	line = bytes.TrimRight(line, space)
	at := len(line)
	for n := range dim {
		if at = bytes.LastIndexAny(line[:at], space); at < 0 {
			return nil, nil, fmt.Errorf("%s: %d numbers: want a word and %d", quote(string(line)), n, dim)
		}
		vector = line[at:]
		at = len(bytes.TrimRight(line[:at], space))
	}
	word = line[:at]
	if len(word) == 0 {
		return nil, nil, errors.New("numbers without a word: want one before them")
	}
	if i := bytes.LastIndexAny(word, space); i >= 0 && bytes.ContainsRune(word[i:], '.') {
		if _, err := parseValue(string(word[i:])); err == nil {
			return nil, nil, fmt.Errorf("more than %d numbers behind %s: want as many as in the first line", dim, quote(string(word[:i])))
		}
	}
	return word, vector, nil
}

func appendVector(values []float32, vector []byte) ([]float32, error) {
	for field := range strings.FieldsFuncSeq(string(vector), isSpace) {
		v, err := parseValue(field)
		if err != nil {
			return nil, err
		}
		values = append(values, float32(v))
	}
	return values, nil
}
