package safetensors

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// No file makes Open panic or allocate more than it promises. What opens can be
// written again, with the same content.
func FuzzOpen(f *testing.F) {
	for _, m := range malformed {
		if len(m.file) < 4096 {
			f.Add(m.file, false)
		}
	}
	for _, g := range goldens {
		b, err := os.ReadFile(filepath.Join("testdata", g.file))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, false)
		f.Add(b, true)
	}
	f.Add(join(`{"__metadata__":{"a\u00e9\ud83d\ude00":"\n"},`+u8("b", 1, 1, 2)+`,`+u8("z", 0, 1, 1)+`,`+u8("", 1, 0, 1)+`}`, 2), true)

	// With mend the header's length is put right, so that more files get past it.
	f.Fuzz(func(t *testing.T, file []byte, mend bool) {
		if end := bytes.LastIndexByte(file, '}'); mend && end >= 8 {
			file = append(join(string(file[8:end+1]), 0), file[end+1:]...)
		}
		var opened *File
		var err error
		got := allocated(func() { opened, err = open(file) })
		header := 0
		if len(file) >= 8 && binary.LittleEndian.Uint64(file) <= uint64(len(file)-8) {
			header = int(binary.LittleEndian.Uint64(file))
		}
		checkAllocated(t, header, got)
		if err != nil {
			if !errors.Is(err, ErrFormat) || opened != nil || strings.ContainsAny(err.Error(), "\r\n") || len(err.Error()) > 2000 {
				t.Errorf("error %q", err)
			}
			return
		}
		again := rewrite(t, opened)
		checkContent(t, again, opened.Metadata, contents(t, opened))
		if f2, _ := open(again); !bytes.Equal(again, rewrite(t, f2)) {
			t.Errorf("%q is written differently the second time", again)
		}
	})
}

// contents reads all tensors of a file.
func contents(t *testing.T, f *File) []Tensor {
	var tensors []Tensor
	for _, info := range f.Tensors {
		raw, err := f.data(info.Name, nil)
		if err != nil {
			t.Fatal(err)
		}
		tensors = append(tensors, Tensor{info.Name, info.Shape, raw})
	}
	return tensors
}

func rewrite(t *testing.T, f *File) []byte { return write(t, f.Metadata, contents(t, f)) }
