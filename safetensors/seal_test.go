package safetensors

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sluice/internal/disk"
)

func seal(t testing.TB, metadata map[string]string, tensors []Tensor) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := WriteSealed(&b, metadata, tensors); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func verify(file []byte) error { return VerifySeal(bytes.NewReader(file), int64(len(file))) }

// naive is the seal's definition: the hash of file with its digits as zeros. No
// file holds its own hash twice.
func naive(file []byte, digits string) string {
	sum := sha256.Sum256(bytes.ReplaceAll(file, []byte(digits), bytes.Repeat([]byte("0"), sealDigits)))
	return hex.EncodeToString(sum[:])
}

// A sealed file has the content given and the hash defined.
func TestSeal(t *testing.T) {
	big := []Tensor{{"f64", []int{9000}, make([]float64, 9000)}, {"u8", []int{chunk + 1}, Raw{U8, make([]byte, chunk+1)}}}
	for _, tensors := range [][]Tensor{numbers, everyDType(), nil, big} {
		for _, metadata := range []map[string]string{nil, {"a": "1", "z": "2"}, {"a": strings.Repeat("long", chunk/4-40), "z": strings.Repeat("0", 64)}} {
			file := seal(t, metadata, tensors)
			f, err := open(file)
			if err != nil {
				t.Fatal(err)
			}
			digits := f.Metadata["sha256"]
			with := map[string]string{"sha256": digits}
			maps.Copy(with, metadata)
			checkContent(t, file, with, tensors)
			if want := naive(file, digits); digits != want {
				t.Errorf("sha256 %s, want %s", digits, want)
			}
			if err := verify(file); err != nil {
				t.Error(err)
			}
			if !bytes.Equal(file, seal(t, metadata, tensors)) {
				t.Error("equal input is sealed differently")
			}
			if err := verify(write(t, metadata, tensors)); err != ErrNotSealed || !errors.Is(err, ErrFormat) {
				t.Errorf("without a seal: %v", err)
			}
		}
	}
}

// Every flipped bit and every other length is found, in every region.
func TestSealFindsDamage(t *testing.T) {
	file := seal(t, map[string]string{"a": "ü", "step": "7"}, []Tensor{
		{"w", []int{2, 3}, []float32{1, 2, 3, 4, 5, 6}}, {"n", []int{1}, []int64{-1}}, {"m", []int{2}, []float64{0, 1}}, {"b", []int{1}, Raw{Bool, []byte{1}}}})
	f, err := open(file)
	if err != nil {
		t.Fatal(err)
	}
	header := f.Tensors[0].Offset
	if file[header-1] != ' ' {
		t.Fatal("the header has no padding to damage")
	}
	regions := []struct {
		name string
		end  int64
	}{{"length", 8}, {"header", int64(bytes.Index(file, []byte(`"a":`)))}, {"metadata before the seal", f.seal}, {"seal", f.seal + sealDigits},
		{"header after the seal", int64(bytes.LastIndexByte(file[:header], '}')) + 1}, {"padding", header}, {"data", int64(len(file))}}
	damaged, notSealed := make([]int, len(regions)), 0
	judge := func(what string, b []byte) error {
		err := verify(b)
		if !errors.Is(err, ErrFormat) || strings.ContainsAny(err.Error(), "\r\n") {
			t.Errorf("%s: error %v", what, err)
		}
		return err
	}
	for bit := range 8 * len(file) {
		region := slices.IndexFunc(regions, func(r struct {
			name string
			end  int64
		}) bool {
			return int64(bit/8) < r.end
		})
		file[bit/8] ^= 1 << (bit % 8)
		err := judge(fmt.Sprintf("bit %d of byte %d, %s", bit%8, bit/8, regions[region].name), file)
		file[bit/8] ^= 1 << (bit % 8)
		if errors.Is(err, ErrNotSealed) {
			notSealed++
		} else {
			damaged[region]++
		}
		if name := regions[region].name; name == "seal" || name == "data" {
			if err == nil || !strings.HasPrefix(err.Error(), "safetensors: damaged: ") && !strings.Contains(err.Error(), "want") {
				t.Errorf("a bit of the %s: error %v", name, err)
			}
		}
	}
	if slices.Contains(damaged, 0) || notSealed > 8*len(sealKey) {
		t.Errorf("damage found by region %v, taken for no seal %d", damaged, notSealed)
	}
	for n := range file {
		judge(fmt.Sprintf("the first %d bytes", n), file[:n])
		judge(fmt.Sprintf("without the first %d bytes", n+1), file[n+1:])
	}
	for _, more := range []string{"\x00", "0", string(file)} {
		judge("longer", append(slices.Clone(file), more...))
	}
	if err := verify(file); err != nil {
		t.Error(err)
	}
}

// A bit of the data flips in a file of many chunks, around their ends and
// around the digits.
func TestSealOfChunks(t *testing.T) {
	for shift := range 70 { // the digits pass the end of the first chunk
		file := seal(t, map[string]string{"a": strings.Repeat("x", chunk-130+shift)}, []Tensor{{"w", []int{chunk}, make([]int32, chunk)}})
		if err := verify(file); err != nil {
			t.Fatal(err)
		}
		f, _ := open(file)
		for _, at := range []int64{f.seal, f.seal + sealDigits - 1, chunk - 1, chunk, 2*chunk - 1, 2 * chunk, int64(len(file) - 1)} {
			file[at] ^= 1
			if err := verify(file); !errors.Is(err, ErrFormat) {
				t.Errorf("byte %d: error %v", at, err)
			}
			file[at] ^= 1
		}
	}
}

func TestSealMalformed(t *testing.T) {
	zeros := strings.Repeat("0", 64)
	for _, c := range []struct{ header, want string }{
		{`{}`, `not sealed: the metadata has no sha256`},
		{`{"__metadata__":{"SHA256":"` + zeros + `"}}`, `not sealed: the metadata has no sha256`},
		{`{"__metadata__":{"sha256":""}}`, `damaged: sha256 is "", want 64 hexadecimal digits`},
		{`{"__metadata__":{"sha256":"` + zeros[1:] + `"}}`, `damaged: sha256 is "` + zeros[1:] + `", want 64 hexadecimal digits`},
		{`{"__metadata__":{"sha256":"` + zeros + `0"}}`, `damaged: sha256 is "` + zeros + `0", want 64 hexadecimal digits`},
		{`{"__metadata__":{"sha256":"` + zeros[1:] + `A"}}`, `damaged: sha256 is "` + zeros[1:] + `A", want 64 hexadecimal digits`},
		{`{"__metadata__":{"sha256":"\u0030` + zeros[1:] + `"}}`, `damaged: sha256 is "` + zeros + `", want 64 hexadecimal digits`},
		{`{"__metadata__":{"sha256":"` + zeros[1:] + `\u0030"}}`, `damaged: sha256 is "` + zeros + `", want 64 hexadecimal digits`},
		{`{"__metadata__":{"sha256":"\"` + zeros[1:] + `"}}`, `damaged: sha256 is "\"` + zeros[1:] + `", want 64 hexadecimal digits`},
		{`{"__metadata__":{"sha256":"` + zeros + `"}}`, `damaged: the content has sha256 DIGITS…, want 0000000000000000…, that of its metadata`},
		{`{"__metadata__":{"sha256":"` + zeros + `","\u0073ha256":"` + zeros + `"}}`, `__metadata__: key "sha256" stands twice`},
		{`{"__metadata__":{"sha256":"` + zeros, `header byte 91: the end, want the rest of a string`},
	} {
		file := join(c.header, 0)
		want := "safetensors: " + strings.Replace(c.want, "DIGITS", naive(file, zeros)[:16], 1)
		if err := verify(file); err == nil || err.Error() != want || !errors.Is(err, ErrFormat) {
			t.Errorf("%s: error\n  %v, want\n  %s", c.header, err, want)
		}
	}
	var b bytes.Buffer
	err := WriteSealed(&b, map[string]string{"sha256": "x"}, nil)
	if want := `safetensors: __metadata__: key sha256 is "x", want none: it is the seal's`; err == nil || err.Error() != want || !errors.Is(err, ErrFormat) {
		t.Errorf("error %v, want %s", err, want)
	}
	err = WriteSealed(&b, nil, []Tensor{{"a", nil, 1}})
	if !errors.Is(err, ErrFormat) || b.Len() > 0 {
		t.Error(err, b.Len())
	}
	if err := WriteSealed(&limitedWriter{100}, nil, numbers); err == nil || err.Error() != "safetensors: write: io: read/write on closed pipe" {
		t.Error(err)
	}
}

// A reader that fails or ends early is not damage.
func TestVerifySealFails(t *testing.T) {
	file := seal(t, nil, []Tensor{{"w", []int{chunk}, make([]int32, chunk)}})
	for _, n := range []int{0, 7, 8, 100, 200, chunk, 3 * chunk, len(file) - 1} {
		if err := VerifySeal(bytes.NewReader(file[:n]), int64(len(file))); !errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, ErrFormat) {
			t.Errorf("a reader that ends after %d bytes: %v", n, err)
		}
	}
	if err := VerifySeal(failingReader{}, 100); !errors.Is(err, errDevice) || errors.Is(err, ErrFormat) {
		t.Error(err)
	}
}

func FuzzVerifySeal(f *testing.F) {
	for _, m := range malformed {
		if len(m.file) < 4096 {
			f.Add(m.file, false, uint(0))
		}
	}
	zeros := strings.Repeat("0", 64)
	f.Add(join(`{"__metadata__":{"sha256":"`+zeros+`","\u0073ha25":"é"},`+u8("b", 1, 0, 1)+`}  `, 1), true, uint(900))
	f.Add(join(`{"__metadata__":{"sha256":"`+zeros[1:]+`\u0030"}}`, 0), true, uint(1))
	f.Add(seal(f, map[string]string{"a": zeros}, numbers), false, uint(77))
	// With mend the length and the digits are put right, so that more files are
	// sealed; then a bit is flipped.
	f.Fuzz(func(t *testing.T, file []byte, mend bool, bit uint) {
		if end := bytes.LastIndexByte(file, '}'); mend && end >= 8 {
			file = append(join(string(file[8:end+1]), 0), file[end+1:]...)
		}
		file = slices.Clone(file)
		opened, err := open(file)
		if mend && err == nil && opened.seal > 0 {
			copy(file[opened.seal:], naive(file, opened.Metadata[sealKey]))
			opened, _ = open(file)
		}
		var got error
		memory := allocated(func() { got = verify(file) })
		if opened == nil {
			if fmt.Sprint(got) != fmt.Sprint(err) {
				t.Errorf("error %v, of Open %v", got, err)
			}
			return
		}
		header := len(file)
		if len(opened.Tensors) > 0 {
			header = int(opened.Tensors[0].Offset)
		}
		checkAllocated(t, header+2<<10, memory) // 64 KiB more
		digits, has := opened.Metadata[sealKey]
		sealed := has && naive(file, digits) == digits
		if sealed != (got == nil) || has == errors.Is(got, ErrNotSealed) {
			t.Errorf("error %v; sealed: %v", got, sealed)
		}
		if got != nil {
			if !errors.Is(got, ErrFormat) || strings.ContainsAny(got.Error(), "\r\n") || len(got.Error()) > 2000 {
				t.Errorf("error %q", got)
			}
			return
		}
		bit %= uint(8 * len(file))
		file[bit/8] ^= 1 << (bit % 8)
		if verify(file) == nil {
			t.Errorf("bit %d is flipped in silence", bit)
		}
	})
}

// 40 MB of float32: the whole way to the disk without a seal and with one, and
// the hash alone.
func BenchmarkWriteSealed(b *testing.B) {
	x := make([]float32, 10_000_000)
	for i := range x {
		x[i] = float32(i) * 1e-3
	}
	tensors := []Tensor{{"x", []int{len(x)}, x}}
	path, raw := filepath.Join(b.TempDir(), "x"), make([]byte, 4*len(x))
	for _, c := range []struct {
		name string
		do   func(w io.Writer) error
	}{
		{"plain", func(w io.Writer) error { return Write(w, nil, tensors) }},
		{"sealed", func(w io.Writer) error { return WriteSealed(w, nil, tensors) }},
	} {
		b.Run("file="+c.name, func(b *testing.B) {
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for b.Loop() {
				if err := disk.WriteAtomic(disk.OS, path, c.do); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("hash", func(b *testing.B) {
		b.SetBytes(int64(len(raw)))
		for b.Loop() {
			sha256.Sum256(raw)
		}
	})
}
