package safetensors

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"strings"
)

// sealKey is the key of a sealed file's metadata. Its value is the SHA-256 of
// the whole file, in which these digits are zeros, in lower-case hexadecimal.
const (
	sealKey    = "sha256"
	sealDigits = 2 * sha256.Size
)

// ErrNotSealed is returned by VerifySeal for a valid file whose metadata has no
// key sha256. It wraps ErrFormat.
var ErrNotSealed error = invalid("not sealed: the metadata has no sha256")

// WriteSealed writes a file as Write does, with a seal by which VerifySeal finds
// any change: a key sha256 that it adds to the metadata. It reads the tensors
// twice, and they must not change meanwhile.
func WriteSealed(w io.Writer, metadata map[string]string, tensors []Tensor) error {
	if value, taken := metadata[sealKey]; taken {
		return invalidf("%s: key %s is %.80q, want none: it is the seal's", metadataKey, sealKey, value)
	}
	sealed := map[string]string{sealKey: strings.Repeat("0", sealDigits)}
	maps.Copy(sealed, metadata)
	file, err := plan(sealed, tensors)
	if err != nil {
		return err
	}
	h := sha256.New()
	if err = file.write(h); err == nil {
		hex.Encode(file.header[file.seal:], h.Sum(nil))
		err = file.write(w)
	}
	if err != nil {
		return fmt.Errorf("safetensors: write: %w", err)
	}
	return nil
}

// VerifySeal reads all of a file of the given size in bytes. It returns nil for
// a sealed file that is as it was written, ErrNotSealed for one without a seal,
// any other error that wraps ErrFormat for one that is damaged, and one that
// does not wrap it if the reader fails. It allocates what Open does and 64 KiB.
func VerifySeal(r io.ReaderAt, size int64) error {
	f, err := Open(r, size)
	if err != nil {
		return err
	}
	want, ok := f.Metadata[sealKey]
	switch {
	case !ok:
		return ErrNotSealed
	case f.seal == 0:
		return invalidf("damaged: %s is %.80q, want %d hexadecimal digits", sealKey, want, sealDigits)
	}
	h := sha256.New()
	buf := make([]byte, min(chunk, size))
	for at := int64(0); at < size; at += int64(len(buf)) {
		buf = buf[:min(chunk, size-at)]
		if err := readFull(r, buf, at); err != nil {
			return fmt.Errorf("safetensors: read byte %d and after: %w", at, err)
		}
		for i := max(f.seal, at); i < min(f.seal+sealDigits, at+int64(len(buf))); i++ {
			buf[i-at] = '0'
		}
		h.Write(buf)
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != want {
		return invalidf("damaged: the content has %s %.16s…, want %.16s…, that of its metadata", sealKey, got, want)
	}
	return nil
}

// findSeal notes where the digits of a seal stand, of which value is what the
// parser has just read. With escapes, or anything but digits, there is none.
func (f *File) findSeal(p *parser, value string) {
	if len(value) != sealDigits || strings.Trim(value, "0123456789abcdef") != "" || p.err != nil {
		return
	}
	if start := p.pos - sealDigits - 1; p.text[start-1:p.pos] == `"`+value+`"` {
		f.seal = 8 + int64(start)
	}
}
