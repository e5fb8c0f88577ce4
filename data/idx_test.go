package data

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
)

// idx is a file of a magic number, sizes and bytes.
func idx(magic uint32, sides []uint32, content string) string {
	var b strings.Builder
	for _, n := range append([]uint32{magic}, sides...) {
		b.Write([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
	}
	return b.String() + content
}

func zipped(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	io.WriteString(w, s)
	w.Close()
	return b.String()
}

var (
	twoImages = idx(idxImages, []uint32{2, 2, 3}, "\x00\x33\xff\xff\x00\x00"+"\x00\x00\x00\x33\x33\x33")
	twoLabels = idx(idxLabels, []uint32{2}, "\x07\xff")
)

func readImages(images, labels string) (shown []string, err error) {
	var in io.Reader
	if labels != "none" {
		in = strings.NewReader(labels)
	}
	for e, err := range ReadIDX("i", iotest.OneByteReader(strings.NewReader(images)), "l", in) {
		if err != nil {
			return shown, err
		}
		shown = append(shown, showExample(e))
	}
	return shown, nil
}

func TestReadIDX(t *testing.T) {
	const want = "1 7|[0 0.2 1 1 0 0]/3 ; 2 255|[0 0 0 0.2 0.2 0.2]/3"
	const first = "1 7|[0 0.2 1 1 0 0]/3"
	short := zipped(twoImages)
	for _, c := range []struct{ images, labels, want, err string }{
		{twoImages, twoLabels, want, ""},
		{zipped(twoImages), zipped(twoLabels), want, ""},
		{twoImages, "none", "1 |[0 0.2 1 1 0 0]/3 ; 2 |[0 0 0 0.2 0.2 0.2]/3", ""},
		{"", twoLabels, "", "data: i: a head of 0 bytes, want 16: the file ends too early"},
		{twoImages[:15], twoLabels, "", "data: i: a head of 15 bytes, want 16: the file ends too early"},
		{twoLabels, twoLabels, "", "data: i: magic number 0x00000801: want 0x00000803, an IDX file of bytes with 3 dimensions"},
		{twoImages, twoImages, "", "data: l: magic number 0x00000803: want 0x00000801, an IDX file of bytes with 1 dimensions"},
		{idx(idxImages, []uint32{0, 2, 3}, ""), twoLabels, "", "data: i: no examples: want at least one"},
		{idx(idxImages, []uint32{2, 0, 3}, ""), twoLabels, "", "data: i: images of 0 by 3: want 1 to 4096 by 1 to 4096"},
		{idx(idxImages, []uint32{2, 3, 1 << 31}, ""), twoLabels, "", "data: i: images of 3 by 2147483648: want 1 to 4096 by 1 to 4096"},
		{idx(idxImages, []uint32{1<<32 - 1, 4096, 4096}, "a"), "none", "", "data: i: image 1 of 4294967295: the file ends too early"},
		{twoImages, idx(idxLabels, []uint32{3}, "\x07\x08\x09"), "", "data: l: 3 labels, and i has 2 images: want as many"},
		{twoImages[:27], twoLabels, first, "data: i: image 2 of 2: the file ends too early"},
		{twoImages, twoLabels[:9], first, "data: l: label 2 of 2: the file ends too early"},
		{twoImages + "x", twoLabels, want, "data: i: more after the 2 that it says it has: want none"},
		{twoImages, twoLabels + "x", want, "data: l: more after the 2 that it says it has: want none"},
		{short[:len(short)-1], twoLabels, want, "data: i: after the last of 2: the file ends too early"},
		{short[:len(short)-1] + "x", twoLabels, want, "data: i: after the last of 2: gzip: invalid checksum"},
		{"\x1f\x8bxxxxxxxxxxxxxx", twoLabels, "", "data: i: gzip: invalid header"},
		{twoImages, "\x1f\x8b", "", "data: l: the file ends too early"},
	} {
		got, err := readImages(c.images, c.labels)
		wantError(t, err, c.err)
		if s := strings.Join(got, " ; "); s != c.want {
			t.Errorf("%q, %q:\n %s\nwant\n %s", c.images, c.labels, s, c.want)
		}
	}
	for e, err := range ReadIDX("i", strings.NewReader(twoImages), "", nil) {
		if err != nil || e.Line != 1 {
			t.Error(e, err)
		}
		break
	}
	for _, err := range ReadIDX("i", iotest.ErrReader(errors.New("broken pipe")), "", nil) {
		wantError(t, err, "data: i: a head of 0 bytes, want 16: broken pipe")
	}
	got, err := examples("a-idx3-ubyte", strings.NewReader(twoImages), Table{})
	if err != nil || len(got) != 2 {
		t.Error(got, err)
	}
}

// What a head claims costs nothing: only what is there does.
func TestReadIDXAllocates(t *testing.T) {
	file := idx(idxImages, []uint32{1 << 30, 4096, 4096}, "a")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	readImages(file, "none")
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
		t.Errorf("%d bytes for a file of %d", n, len(file))
	}
}

// The published files of Fashion-MNIST (Xiao, Rasul and Vollgraf 2017) have 60,000
// and 10,000 images, as many of each of 10 kinds. They are not in the project:
// SLUICE_MIRROR says where.
func TestFashionMNIST(t *testing.T) {
	for part, n := range map[string]int{"train": 60000, "t10k": 10000} {
		images, labels := published(t, "fashion-mnist/"+part+"-images-idx3-ubyte.gz"), published(t, "fashion-mnist/"+part+"-labels-idx1-ubyte.gz")
		counts, sum := map[string]int{}, 0.0
		for e, err := range ReadIDX("images", images, "labels", labels) {
			if err != nil {
				t.Fatal(err)
			}
			if e.F != 28 || len(e.Values) != 28*28 {
				t.Fatalf("image %d: %d values of %d channels", e.Line, len(e.Values), e.F)
			}
			counts[e.Label]++
			for _, v := range e.Values {
				sum += float64(v)
			}
		}
		for label, got := range counts {
			if got != n/10 || len(counts) != 10 {
				t.Errorf("%s: %d of label %s, want %d; %d labels", part, got, label, n/10, len(counts))
			}
		}
		// The mean that is given everywhere for the training images is 0.2860.
		if mean := sum / float64(n*28*28); part == "train" && (mean < 0.28595 || mean > 0.28605) {
			t.Errorf("mean %.5f, want 0.2860", mean)
		}
	}
}

// published opens a file of a mirror of what others have published.
func published(t *testing.T, name string) *os.File {
	t.Helper()
	mirror := os.Getenv("SLUICE_MIRROR")
	if mirror == "" {
		t.Skip("SLUICE_MIRROR is not set")
	}
	f, err := os.Open(filepath.Join(mirror, filepath.FromSlash(name)))
	if errors.Is(err, os.ErrNotExist) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}
